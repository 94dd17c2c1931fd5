"""This module gathers what stands beside the annual figures: permitted quantities, and what each meter counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal

from plantmon import units
from plantmon.compliance.exceedances import points_of
from plantmon.compliance.permit import Permit
from plantmon.model.metric import Annual
from plantmon.model.plant import Name, Plant, Point
from plantmon.reports.document import Missing, Scope
from plantmon.reports.esg.material import CapUse, Material, MeterUse, Restated
from plantmon.reports.parts.amounts import amount, cap_uses
from plantmon.reports.period import parse_period
from plantmon.store import annual as sums
from plantmon.store import published
from plantmon.tables.load import quantities
from plantmon.texts import text

_QUANTUM = Decimal("0.000001")  # of a counter's integers
_TREES = ("electricity", "water", "natural_gas", "heat", "steam", "compressed_air")


def material(
    connection: sqlite3.Connection, plant: Plant, permit: Permit, numbers: dict[str, int], annual: Annual, now_ms: int,
    language: str, restated: tuple[Restated, ...] = (),
) -> Material:  # fmt: skip
    """Put a report together from figures that are made."""
    period = parse_period(annual.period)
    scope = Scope(connection, plant, permit, numbers, annual.start_ms, annual.end_ms, now_ms, language)
    return Material(
        annual=annual,
        kind=period.kind,
        plant_id=plant.id,
        plant_name=plant.name,
        permit=plant.permit,
        time=plant.time,
        month_names=tuple(name for name, _, _ in period.months(plant.time)),
        now_ms=now_ms,
        language=language,
        caps=tuple(_caps(scope)),
        meters=tuple(_meters(connection, plant, numbers, annual)),
        restated=restated,
    )


def restatements(connection: sqlite3.Connection, annual: Annual) -> tuple[Restated, ...]:
    """Give what a published period had otherwise before it was published again."""
    metrics = {line.figure.metric.id: line.figure.metric for line in annual.lines}
    return tuple(
        Restated(
            one.metric,
            metrics[one.metric].name,
            one.unit,
            metrics[one.metric].decimals,
            one.old,
            one.new,
            one.published.reason,
            one.published.published_ms,
        )
        for one in published.restatements(connection, annual.period)
        if one.metric in metrics
    )


def _caps(scope: Scope) -> Iterator[CapUse]:
    """Give the permitted quantities of years; in a shorter edition those of months too."""
    plant, time = scope.plant, scope.plant.time
    points = points_of(plant, scope.permit)
    is_year = len(time.days(scope.start, scope.end)) > 92  # the longest quarter
    for limit, start, _, cap in cap_uses(scope):
        if limit.maximum is None or (is_year and limit.window != "1y"):
            continue
        known = amount(scope, cap.used, limit.unit)
        outlet = plant.outlets.get(limit.outlet)
        yield CapUse(
            outlet=limit.outlet,
            outlet_name=outlet.name if outlet is not None else Name(limit.outlet, limit.outlet),
            pollutant=_pollutant(points.get(limit.point), limit.subject),
            period=time.date_of(start).isoformat()[: 4 if limit.window == "1y" else 7],
            used=None if isinstance(known, Missing) else Decimal(repr(known)),
            maximum=Decimal(repr(limit.maximum)),
            unit=limit.unit,
            passed=None if cap.passed is None else cap.passed.isoformat(),
        )


def _pollutant(point: Point | None, subject: str) -> Name:
    if point is not None:
        return point.name
    quantity = quantities().get(subject)
    return quantity.name if quantity is not None else Name(subject, subject)


def _meters(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], annual: Annual
) -> Iterator[MeterUse]:  # fmt: skip
    """Give the trees of meters that have children, each parent before them, what none of them counted last."""
    meters = [point for point in plant.points.values() if point.register is not None and point.quantity in _TREES]
    now = _counted(connection, numbers, meters, annual.start_ms, annual.end_ms)
    before: dict[str, Decimal] = {}
    if annual.previous is not None:
        start, end = parse_period(annual.previous).span(plant.time)
        before = _counted(connection, numbers, meters, start, end)
    children: dict[str, list[Point]] = {}
    for meter in meters:
        if meter.register is not None and meter.register.parent is not None:
            children.setdefault(meter.register.parent, []).append(meter)
    for quantity in _TREES:
        for meter in meters:
            is_top = meter.register is not None and meter.register.parent is None and meter.id in children
            if meter.quantity == quantity and is_top:
                yield from _tree(meter, children, now, before, 0, None)


def _counted(
    connection: sqlite3.Connection, numbers: dict[str, int], meters: list[Point], start_ms: int, end_ms: int
) -> dict[str, Decimal]:
    known = {meter.id: numbers[meter.id] for meter in meters if meter.id in numbers}
    found = sums.counted(connection, known.values(), start_ms, end_ms)
    amounts = {id: found[number][0] for id, number in known.items() if number in found}
    return {id: counted * _QUANTUM for id, counted in amounts.items() if counted is not None}


def _tree(
    meter: Point, children: dict[str, list[Point]], now: dict[str, Decimal], before: dict[str, Decimal], depth: int,
    above: Decimal | None,
) -> Iterator[MeterUse]:  # fmt: skip
    value, below = now.get(meter.id), children.get(meter.id, [])
    share = value / above if value is not None and above else None
    yield MeterUse(meter.id, meter.name, meter.quantity, meter.unit, depth, value, before.get(meter.id), share)
    for child in below:
        yield from _tree(child, children, now, before, depth + 1, value)
    rest = _unexplained(meter, below, now)
    if below:
        name = Name(text("esg.unexplained", "en"), text("esg.unexplained", "zh"))
        share = rest / value if rest is not None and value else None
        earlier = _unexplained(meter, below, before)
        yield MeterUse("", name, meter.quantity, meter.unit, depth + 1, rest, earlier, share)


def _unexplained(meter: Point, below: list[Point], counted: dict[str, Decimal]) -> Decimal | None:
    """Give what a meter counted and none below it did; None where one of them is not known."""
    if meter.id not in counted or any(child.id not in counted for child in below):
        return None
    return counted[meter.id] - sum((_in_unit(child, meter, counted[child.id]) for child in below), Decimal(0))


def _in_unit(child: Point, meter: Point, value: Decimal) -> Decimal:
    if child.unit == meter.unit:
        return value
    scale = units.ratio(child.unit, meter.unit)
    return value * scale.numerator / scale.denominator
