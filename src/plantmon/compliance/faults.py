"""This module reads monitors' outages out of the store, whole, with what the fault clock makes of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from plantmon.compliance.outages import Fault, Outage, clocked, outages
from plantmon.compliance.permit import Permit
from plantmon.model.plant import Kind, Plant
from plantmon.model.window import Window
from plantmon.store import register, windows
from plantmon.store.register import FaultReport
from plantmon.times import DAY_MS

FIRST_REACH_MS = 7 * DAY_MS  # how far beyond the time asked for is read at first; further where an outage goes on


def limited_points(plant: Plant, permit: Permit) -> list[str]:
    """Name the points whose outages count: measured ones of the plant that a limit is, or was, judged on."""
    limited = {limit.point for limit in permit.limits().values()}
    return [name for name, point in plant.points.items() if name in limited and point.kind is not Kind.COUNTER]


def faults(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], names: Sequence[str],
    start_ms: int, end_ms: int, now_ms: int,
) -> list[tuple[str, Fault, FaultReport | None]]:  # fmt: skip
    """Give the outages of points that overlap [start, end), whole, by their beginning, each with its newest report."""
    found = []
    known = {numbers[name]: name for name in names if name in numbers}
    for number, outage in _outages(connection, known, start_ms, end_ms):
        report = _report_of(register.fault_reports(connection, number), outage)
        reported_ms = None if report is None else report.at_ms
        clock = plant.alarms.fault_clock
        found.append((known[number], clocked(outage, clock, plant.calendar, plant.time, reported_ms, now_ms), report))
    return sorted(found, key=lambda one: (one[1].outage.start, one[0]))


def _report_of(reports: Sequence[FaultReport], outage: Outage) -> FaultReport | None:
    """Give the first report of an outage; late data may have moved the hour it was filed under."""
    mine = [one for one in reports if one.at_ms >= outage.start and outage.overlaps(one.start, one.at_ms + 1)]
    return mine[0] if mine else None


def _outages(
    connection: sqlite3.Connection, known: Mapping[int, str], start_ms: int, end_ms: int
) -> list[tuple[int, Outage]]:
    closed = windows.closed(connection, "1h")
    reach_ms = FIRST_REACH_MS
    while True:
        first, last = start_ms - reach_ms, end_ms + reach_ms
        hours = windows.between(connection, "1h", first, last, set(known)) if known else {}
        found = [
            (number, outage) for number in known for outage in outages(hours.get(number, ()))
            if outage.overlaps(start_ms, end_ms)
        ]  # fmt: skip
        if all(_is_whole(outage, hours[number], closed[number]) for number, outage in found):
            return found
        reach_ms *= 4


def _is_whole(outage: Outage, hours: Sequence[Window], closed: tuple[int, int]) -> bool:
    """Whether what was read holds the outage's first hour and, where there is one, the valid one after it."""
    begins = closed[0] >= hours[0].start or any(
        hour.is_valid and hour.ran != 0 for hour in hours if hour.start < outage.start
    )
    return begins and (outage.end is not None or closed[1] <= hours[-1].end)
