"""This module counts how much of each monitor's time was captured."""

from __future__ import annotations

from plantmon.averages.capture import Capture, capture_of
from plantmon.model.plant import Kind
from plantmon.reports.document import Cell, Part, Scope
from plantmon.reports.words import outlet_name, percent, point_name
from plantmon.store import windows
from plantmon.times import HOUR_MS

_COLUMNS = ("outlet", "+outlet_name", "point", "quantity", "calendar_hours", "stopped_hours", "due", "had", "valid",
            "capture_pct", "transfer_pct", "valid_pct", "effective_pct")  # fmt: skip


def capture(scope: Scope) -> Part:
    """Count the hours of every measured point of an outlet: due, had and valid, stopped ones taken out.

    From a point's first hour to its newest closed one inside the scope.
    """
    return scope.part("capture", scope.columns(*_COLUMNS), capture_rows(scope), scope.say("remark.capture"))


def capture_rows(scope: Scope) -> list[list[Cell]]:
    """Give a row a point that has closed an hour of the scope, by outlet."""
    closed = windows.closed(scope.connection, "1h")
    chosen = [
        (point, scope.numbers[name])
        for name, point in scope.plant.points.items()
        if point.outlet is not None and point.kind is not Kind.COUNTER and scope.numbers.get(name) in closed
    ]
    numbers = {number for _, number in chosen}
    hours = windows.between(scope.connection, "1h", scope.start, scope.end, numbers) if numbers else {}
    rows = []
    for point, number in chosen:
        first, until = closed[number]
        first, until = max(first, scope.start), min(until, scope.end)
        if first >= until:
            continue
        found = capture_of(hours.get(number, ()), first, until)
        who: list[Cell] = [
            point.outlet, outlet_name(scope.plant, point.outlet or "", scope.language), point.id,
            point_name(point, point.id, scope.language),
        ]  # fmt: skip
        rows.append(who + _counted(found, (until - first) // HOUR_MS))
    return rows


def _counted(found: Capture, hours: int) -> list[Cell]:
    rates = (found.rate, found.transfer, found.valid_rate, found.effective_transfer)
    return [hours, hours - found.due, found.due, found.had, found.valid, *map(percent, rates)]
