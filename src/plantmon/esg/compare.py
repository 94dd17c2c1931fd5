"""This module weighs the time before a change against the time after it, per unit of what was made.

What was saved is what the later time would have taken at the earlier intensity, less what it took.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from plantmon.errors import DeclarationError
from plantmon.esg.amount import EXACT
from plantmon.esg.book import Book
from plantmon.esg.derive import Derivation
from plantmon.esg.factors import Factors
from plantmon.esg.figures import DENOMINATOR, intensity, metrics_of
from plantmon.esg.periods import span_between
from plantmon.model.metric import Denominator, Figure, Metric
from plantmon.model.plant import Plant
from plantmon.texts import text

Days = tuple[date, date]  # both inclusive


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure over two times, and its intensities; None where a figure or the denominator is unknown.

    `change` is a share of the earlier intensity (figure); `saved` is in the metric's unit, positive where it is less.
    """

    metric: Metric
    before_days: Days
    after_days: Days
    before: Figure
    after: Figure
    denominator: Denominator | None
    before_per: Decimal | None
    after_per: Decimal | None
    change: Decimal | None
    saved: Decimal | None


def compare(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], subject: str, before: Days, after: Days,
    per: str | None, now_ms: int, language: str = "en",
) -> Comparison:  # fmt: skip
    """Compare a metric, a meter or a pollutant's point over two spans of local days.

    Raises DeclarationError, with a sentence in the language, where there is no such metric, point or denominator, or a
    span ends before it begins.
    """
    known = [rule.id for rule in plant.esg.denominators]
    if per is not None and per not in known:
        raise DeclarationError(text("esg.no_denominator", language, per=per, known=", ".join(known)))
    figures = []
    for first, last in (before, after):
        if last < first:
            raise DeclarationError(text("esg.reversed_span", language, first=first, last=last))
        span = span_between(first, last + timedelta(days=1), plant.time)
        book = Book(connection, plant, numbers, span.edges, now_ms)
        metrics = metrics_of(plant, book)
        metrics[subject] = metrics.get(subject) or _point_metric(plant, subject, language)
        work = Derivation(book, Factors(plant.esg, span.year), metrics)
        figures.append((work.figure(subject), work.figure(f"{DENOMINATOR}{per}") if per is not None else None))
    (one, one_made), (other, other_made) = figures
    found = None
    if one_made is not None and other_made is not None and per is not None:
        metric = other_made.metric
        found = Denominator(per, metric.name, metric.unit, other_made.value, one_made.value, other_made)
    before_per = one.value if found is None else intensity(one.value, found.previous)
    after_per = other.value if found is None else intensity(other.value, found.value)
    change = saved = None
    if before_per is not None and after_per is not None:
        change = EXACT.divide(after_per - before_per, abs(before_per)) if before_per else None
        made = Decimal(1) if found is None else found.value or Decimal(0)
        saved = EXACT.multiply(EXACT.subtract(before_per, after_per), made)
    return Comparison(
        other.metric, before, after, one, other, found, None if found is None else before_per,
        None if found is None else after_per, change, saved,
    )  # fmt: skip


def _point_metric(plant: Plant, id: str, language: str) -> Metric:
    """Give a meter or a pollutant's point as a metric of its own."""
    point = plant.points.get(id)
    if point is None:
        raise DeclarationError(text("esg.no_subject", language, subject=id))
    if point.register is not None:
        return Metric(id, point.name, point.unit, 2, "own", f"meter('{id}')")
    if point.outlet is None or plant.outlets[point.outlet].kind == "noise":
        raise DeclarationError(text("esg.no_amounts", language, subject=id))
    return Metric(id, point.name, "kg", 3, "own", f"released('{id}')")
