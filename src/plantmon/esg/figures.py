"""This module works out all figures of a period and lays them side by side: lines, intensities, targets.

A figure is worked out over the whole period and over each of its months from one reading of the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from plantmon.errors import UnitError
from plantmon.esg.amount import EXACT, into, plain
from plantmon.esg.book import Book
from plantmon.esg.derive import Derivation, walk
from plantmon.esg.factors import Factors
from plantmon.esg.periods import Span
from plantmon.esg.volumes import Waters
from plantmon.model.metric import Annual, Denominator, FactorUsed, Figure, Line, Metric, TargetCheck
from plantmon.model.plant import DenominatorRule, Name, Plant, TargetRule
from plantmon.tables.ledger import named
from plantmon.tables.metrics import catalogue, member
from plantmon.tables.products import product_name

PRODUCTION = "production."
DENOMINATOR = "denominator."  # ids of the figures that denominators are


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one period, by metric id, and the factors they took."""

    span: Span
    figures: Mapping[str, Figure]
    factors: tuple[FactorUsed, ...]
    is_running: bool


def figures_of(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], span: Span, now_ms: int,
    frozen: Iterable[FactorUsed] = (), only: str | None = None, waters: Waters | None = None,
) -> Figures:  # fmt: skip
    """Work out every figure of a period; `frozen` are factors it was published with.

    `only` one metric and the denominators are worked out where it names one.
    """
    book = Book(connection, plant, numbers, span.edges, now_ms, waters)
    factors = Factors(plant.esg, span.year, frozen)
    metrics = metrics_of(plant, book)
    whole = Derivation(book, factors, metrics)
    months = [Derivation(book, factors, metrics, part, part + 1) for part in range(book.parts)]
    figures = {}
    for id in _wanted(metrics, only):
        figure = whole.figure(id)
        by_month = tuple(one.value(id) for one in months) if book.parts > 1 else (figure.value,)
        notes = (*figure.notes, "running") if book.is_running and figure.value is not None else figure.notes
        figures[id] = replace(figure, months=by_month, notes=notes)
    return Figures(span, figures, _taken(figures.values(), factors.used), book.is_running)


def _wanted(metrics: Mapping[str, Metric], only: str | None) -> list[str]:
    return [id for id in metrics if only not in metrics or id == only or id.startswith(DENOMINATOR)]


def _taken(figures: Iterable[Figure], used: Iterable[FactorUsed]) -> tuple[FactorUsed, ...]:
    """Give the factors that stand in a figure with a value; those of what the plant does not have are none of its."""
    ids = {node.id for one in figures if one.value is not None for node in walk(one.term) if node.value is not None}
    return tuple(one for one in used if one.id in ids)


def metrics_of(plant: Plant, book: Book) -> dict[str, Metric]:
    """Give the metrics of a plant: the catalogue's, families by what it makes, its own, and its denominators."""
    found = {}
    called = {rule.product: _title(rule, Name(rule.id, rule.id)) for rule in plant.esg.denominators if rule.product}
    for metric in catalogue():
        if metric.id.endswith("*"):
            for product, unit in _products(plant, book).items():
                one = member(metric, product, called.get(product))
                found[one.id] = replace(one, unit=unit)
        else:
            found[metric.id] = metric
    for own in plant.esg.metrics:
        found[own.id] = Metric(
            own.id, own.name, own.unit, own.decimals, own.group, own.derive, own.codes, own.is_intensive, "plant file"
        )
    for rule in plant.esg.denominators:
        found[f"{DENOMINATOR}{rule.id}"] = _denominator_metric(rule, found, plant)
    return found


def _products(plant: Plant, book: Book) -> dict[str, str]:
    """Give what the plant makes with its unit: of counters, then of the ledger."""
    found = {
        point.register.product: point.unit
        for point in plant.points.values()
        if point.register is not None and point.quantity == "production" and point.register.product is not None
    }
    for item in sorted(book.items_ever):
        product = item.removeprefix(PRODUCTION)
        if item.startswith(PRODUCTION) and product not in found:
            lines = [*book.lines.get(item, []), *book.overlapping.get(item, [])]
            found[product] = lines[0].unit if lines else "pcs"
    return found


def _denominator_metric(rule: DenominatorRule, metrics: Mapping[str, Metric], plant: Plant) -> Metric:
    id = f"{DENOMINATOR}{rule.id}"
    if rule.ledger is not None:
        return Metric(
            id, _title(rule, named(rule.ledger)), rule.unit or "", 2, "denominator", f"ledger('{rule.ledger}')"
        )
    if rule.quantity == "production" and rule.product is not None:
        made = metrics.get(f"{PRODUCTION}{rule.product}")
        unit = rule.unit or (made.unit if made is not None else "pcs")
        derive = f"first(meters(production, output, '{rule.product}'), ledger('{PRODUCTION}{rule.product}'))"
        return Metric(id, _title(rule, product_name(rule.product)), unit, 0, "denominator", derive)
    unit = rule.unit or next((one.unit for one in plant.points.values() if one.quantity == rule.quantity), "")
    role = "output" if rule.quantity == "production" else "purchased"
    return Metric(id, rule.name, unit, 2, "denominator", f"meters('{rule.quantity}', {role})")


def _title(rule: DenominatorRule, other: Name) -> Name:
    """Give a denominator's name, where the plant file gives none that of what it counts."""
    return other if rule.name == Name(rule.id, rule.id) else rule.name


def assembled(plant: Plant, made: Figures, before: Figures | None, published: str | None = None) -> Annual:
    """Put figures side by side: lines with intensities and targets, denominators, factors, notes.

    `published` says when, and with which hash, these figures were.
    """
    denominators = tuple(
        _denominator(rule, made, before) for rule in plant.esg.denominators if f"{DENOMINATOR}{rule.id}" in made.figures
    )
    lines = tuple(
        _line(plant, figure, before.figures.get(id) if before is not None else None, denominators, made.span.year)
        for id, figure in made.figures.items()
        if not id.startswith(DENOMINATOR)
    )
    notes = ["running"] if made.is_running else []
    for one in denominators:
        notes += [
            f"denominator_differs:{one.id} {note.partition(':')[2]}"
            for note in one.figure.notes
            if note.startswith("ledger_differs:")
        ]
    factors = {one.id: one for one in (*(before.factors if before is not None else ()), *made.factors)}
    return Annual(
        made.span.name,
        before.span.name if before is not None else None,
        made.span.edges[0],
        made.span.edges[-1],
        lines,
        denominators,
        tuple(factors[id] for id in sorted(factors)),
        tuple(notes),
        published,
    )


def _denominator(rule: DenominatorRule, made: Figures, before: Figures | None) -> Denominator:
    figure = made.figures[f"{DENOMINATOR}{rule.id}"]
    earlier = before.figures.get(f"{DENOMINATOR}{rule.id}") if before is not None else None
    return Denominator(
        rule.id, figure.metric.name, figure.metric.unit, figure.value, earlier.value if earlier else None, figure
    )


def _line(plant: Plant, figure: Figure, earlier: Figure | None, denominators: Sequence[Denominator], year: int) -> Line:
    chosen = denominators if figure.metric.is_intensive else ()
    per = {one.id: intensity(figure.value, one.value) for one in chosen}
    previous = {one.id: intensity(earlier.value if earlier else None, one.previous) for one in chosen}
    checks = tuple(
        _checked(target, figure, {one.id: one.value for one in denominators})
        for target in plant.esg.targets
        if target.metric == figure.metric.id and target.year == year
    )
    return Line(figure, earlier, per, previous, checks)


def intensity(value: Decimal | None, divisor: Decimal | None) -> Decimal | None:
    """Divide a figure by a denominator, None where either is unknown or the denominator is 0."""
    return None if value is None or not divisor else EXACT.divide(value, divisor)


def _checked(target: TargetRule, figure: Figure, denominators: Mapping[str, Decimal | None]) -> TargetCheck:
    """Compare a figure, or its intensity, with a target, both in the metric's unit."""
    reached = figure.value
    if target.per is not None:
        reached = intensity(figure.value, denominators.get(target.per))
    return checked(target, reached, figure.metric.unit)


def checked(target: TargetRule, reached: Decimal | None, unit: str) -> TargetCheck:
    """Compare what was reached, in a metric's unit, with a target."""
    low = _bound(target.minimum, target.minimum_unit, unit)
    high = _bound(target.maximum, target.maximum_unit, unit)
    is_met = None
    if reached is not None:
        is_met = (low is None or reached >= low) and (high is None or reached <= high)
    return TargetCheck(target.per, low, high, unit, reached, is_met)


def _bound(value: Decimal | None, written: str | None, unit: str) -> Decimal | None:
    """Give a target's bound in the metric's unit; one in a unit of another dimension was refused at loading."""
    if value is None or written is None or plain(written) == plain(unit):
        return value
    try:
        return into(value, written, unit)
    except UnitError:
        return None
