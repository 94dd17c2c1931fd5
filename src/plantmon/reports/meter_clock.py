"""This module answers `plantmon meters tariff`, `shifts` and `demand`: what meters counted by the clock.

An hour that a clock time cuts is read off the meter's course, all others are stored hours; so the periods add up to
the whole exactly.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from plantmon import units
from plantmon.averages.periods import Period, periods_between
from plantmon.errors import UnitError
from plantmon.model.plant import ClockSpan, Plant, Point
from plantmon.reports.meters import PARTS, Span, Table, Used, amount_of, headed, share_of
from plantmon.reports.tabular import Cell
from plantmon.store import windows
from plantmon.texts import text
from plantmon.times import HOUR_MS, MINUTE_MS, format_duration
from plantmon.windows.counter import Amount
from plantmon.windows.registers import follow
from plantmon.windows.virtual import blended

PEAK, FLAT, VALLEY = "peak", "flat", "valley"
REST = "no shift"  # no shift can be called so: names hold no blank
QUARTER_MS = 15 * MINUTE_MS  # the time maximum demand is the mean over (rules of electricity billing)
_DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Demand:
    """The highest mean of a month, unit per hour: when it began and what it is the mean over."""

    value: float
    at_ms: int
    length_ms: int


def labels_of(named: Mapping[str, Sequence[ClockSpan]], rest: str) -> list[str]:
    """Give the name of each minute of the clock."""
    labels = [rest] * _DAY_MINUTES
    for name, spans in named.items():
        for span in spans:
            first, last = (clock.hour * 60 + clock.minute for clock in (span.start, span.end))
            for minute in range(first, last if last > first else last + _DAY_MINUTES):
                labels[minute % _DAY_MINUTES] = name
    return labels


def by_clock(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], name: str, span: Span,
    labels: Sequence[str],
) -> dict[str, Used]:  # fmt: skip
    """Sum what a meter counted over a span of full hours by the name of the clock's minutes."""
    stored = {one.start: one for one in windows.span(connection, "1h", numbers[name], *span)}
    amounts: dict[str, list[int]] = {label: [] for label in labels}
    covered, due = dict.fromkeys(labels, 0), dict.fromkeys(labels, 0)
    for hour in range(span[0], span[1], HOUR_MS):
        clock = plant.time.local(hour)
        first = clock.hour * 60 + clock.minute
        own = [labels[(first + minute) % _DAY_MINUTES] for minute in range(60)]
        cuts = [0, *(minute for minute in range(1, 60) if own[minute] != own[minute - 1]), 60]
        edges = [hour + minute * MINUTE_MS for minute in cuts]
        window = stored.get(hour)
        if window is None:
            parts = [Amount(None, 0, 0)] * (len(cuts) - 1)
        elif len(cuts) == 2:
            parts = [Amount(window.amount, window.valid, window.estimated)]
        else:
            parts = pieces(connection, plant, numbers, name, edges)
        for minute, (start, end), part in zip(cuts, pairwise(edges), parts, strict=False):
            label = own[minute]
            due[label] += end - start
            covered[label] += part.covered_ms
            if part.amount is not None:
                amounts[label].append(part.amount)
    return {label: Used(sum(found) if found else None, covered[label], due[label]) for label, found in amounts.items()}


def pieces(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], name: str, edges: Sequence[int]
) -> list[Amount]:
    """Give what a meter counted between neighbouring edges within one hour; of a virtual meter they add up, too."""
    point = plant.points[name]
    if not point.is_virtual:
        read = follow(connection, point, numbers[name], edges[0], edges[-1]).edges
        return [read.amount(start, end) for start, end in pairwise(edges)]
    assert point.register is not None
    terms = point.register.terms
    parts = [pieces(connection, plant, numbers, part, edges) for _, part in terms]
    found: list[Amount] = []
    spans = list(pairwise(edges))
    is_whole = all(
        one.covered_ms == end - start for part in parts for one, (start, end) in zip(part, spans, strict=True)
    )
    before = 0
    for place in range(len(spans)):  # the hour is rounded once: each edge is, and pieces are their differences
        reached = [(factor, _total(part[: place + 1])) for (factor, _), part in zip(terms, parts, strict=True)]
        total = blended(reached, is_whole=is_whole)
        covered = sum(part[place].covered_ms for part in parts) // len(parts)
        found.append(Amount(None, 0, 0) if total is None else Amount(total - before, covered, 0))
        before = total if total is not None else before
    return found


def _total(parts: Sequence[Amount]) -> int | None:
    known = [one.amount for one in parts if one.amount is not None]
    return sum(known) if known else None


def demands(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], name: str, span: Span
) -> list[tuple[Span, Demand | None]]:
    """Give the highest mean of each month in a span: over a quarter of an hour, of coarser meters over an hour.

    Only what readings cover whole and no gap cuts counts; of equal ones the first.
    """
    found = []
    for first, last in periods_between(Period.MONTH, *span, plant.time):
        month = (max(first, span[0]), min(last, span[1]))
        found.append((month, _demand(connection, plant, numbers, name, month)))
    return found


def _demand(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], name: str, month: Span
) -> Demand | None:
    point = plant.points[name]
    length = QUARTER_MS if point.interval_ms <= QUARTER_MS else HOUR_MS
    starts = range(*month, length)
    if length == HOUR_MS:
        hours = windows.span(connection, "1h", numbers[name], *month)
        known = {one.start: one.amount for one in hours if one.is_valid and not one.estimated}
        amounts = [known.get(at) for at in starts]
    elif point.is_virtual:
        amounts = []
        for hour in range(*month, HOUR_MS):
            edges = list(range(hour, hour + HOUR_MS + 1, QUARTER_MS))
            amounts += [_whole(one, length) for one in pieces(connection, plant, numbers, name, edges)]
    else:
        read = follow(connection, point, numbers[name], *month).edges
        amounts = [_whole(read.amount(at, at + length), length) for at in starts]
    best = max(((amount, -at) for amount, at in zip(amounts, starts, strict=True) if amount is not None), default=None)
    return None if best is None else Demand(best[0] / PARTS * (HOUR_MS / length), -best[1], length)


def _whole(one: Amount, length: int) -> int | None:
    return one.amount if one.covered_ms == length and not one.estimated else None


def clock_table(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], names: Sequence[str],
    spans: Sequence[Span], named: Mapping[str, Sequence[ClockSpan]], rest: str, style: str, language: str,
) -> Table:  # fmt: skip
    """Write what meters counted by the names of the clock's minutes as rows, one a meter and span."""
    labels = labels_of(named, rest)
    columns = [*named, rest] if rest in labels else [*named]
    rows: list[list[Cell]] = []
    for span in spans:
        for name in names:
            found = by_clock(connection, plant, numbers, name, span, labels) if name in numbers else {}
            parts = [found.get(column, Used(None, 0, 0)) for column in columns]
            known = [part.amount for part in parts if part.amount is not None]
            covered, due = sum(part.covered_ms for part in parts), span[1] - span[0]
            rows.append([
                plant.time.show(span[0]), plant.time.show(span[1]), name, plant.points[name].unit,
                *(amount_of(part.amount) for part in parts),
                amount_of(sum(known) if known else None), share_of(covered, due),
            ])  # fmt: skip
    said = {PEAK: PEAK, FLAT: FLAT, VALLEY: VALLEY, REST: "rest"} if style == "table" else {}
    own = [text(f"meters.heading.{said[column]}", language) if column in said else column for column in columns]
    before, after = ("from", "to", "meter", "unit"), ("amount", "coverage_pct")
    return [*headed(before, style, language), *own, *headed(after, style, language)], rows


def demand_table(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], names: Sequence[str], span: Span,
    style: str, language: str,
) -> Table:  # fmt: skip
    """Write the highest mean of each month as rows, one a meter and month."""
    rows: list[list[Cell]] = []
    for name in names:
        point = plant.points[name]
        for month, one in demands(connection, plant, numbers, name, span) if name in numbers else ():
            rows.append([
                plant.time.show(month[0]), plant.time.show(month[1]), name,
                None if one is None else one.value, _per_hour(point),
                None if one is None else plant.time.show(one.at_ms),
                None if one is None else format_duration(one.length_ms),
            ])  # fmt: skip
    return headed(("from", "to", "meter", "demand", "unit", "at", "length"), style, language), rows


def _per_hour(point: Point) -> str:
    try:
        return units.canonical(f"{point.unit}/h")
    except UnitError:
        return f"{point.unit}/h"
