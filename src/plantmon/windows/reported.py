"""This module compares what devices report of minutes, hours and days with our own closed windows.

The reported figure stays what it is and judges nothing; a mean that lies further from ours than the plant file allows
raises an alarm, one a point, until the next of its level agrees. A window that comes out differently later is compared
again. Flow-weighted day means of waste water and values at reference oxygen are not compared: ours are of another kind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from plantmon import units
from plantmon.averages.mean import mean_of_block
from plantmon.model.alarm import Condition, Severity
from plantmon.model.plant import Kind, Plant, Point
from plantmon.store import minutes, reported, windows
from plantmon.store.database import Store
from plantmon.store.reported import Compared, Newest
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, parse_duration_ms

KIND = "reported_differs"
AT_ONCE = 500  # in one transaction, which readings must not wait long for
OLD_MS = DAY_MS  # what is older moves no alarm
RECENT_MS = 3 * DAY_MS  # a comparison counts for its level so long
# Near zero a share says nothing: differences are taken against at least this share of the range (a choice).
LEAST_OF_RANGE = 0.01

Apply = Callable[[sqlite3.Connection, list[Condition], int], bool]


class Period(NamedTuple):
    """A reported period: half-open, of a level."""

    point: int
    start: int
    level: str
    end: int


def difference(point: Point, own: float, said: float) -> float:
    """Give how far a reported mean lies from ours, as a share of ours; sound levels as a share of energy."""
    if point.kind is Kind.ENERGY:
        apart = min(abs(said - own) / 10.0, 300.0)
        return float(10.0**apart - 1.0)
    has_range = point.range_low is not None and point.range_high is not None
    span = point.range_high - point.range_low if has_range else 0.0  # type: ignore[operator]
    scale = max(abs(own), point.detection_limit or LEAST_OF_RANGE * span)
    return abs(said - own) / scale if scale > 0 else float(said != own)


def is_comparable(plant: Plant, point: Point, level: str) -> bool:
    """Whether our own mean of a level is of the kind a device reports."""
    outlet = plant.outlets[point.outlet] if point.outlet else None
    is_weighted = outlet is not None and outlet.kind == "water" and units.dimension(point.unit) == "mass/volume"
    return not is_weighted if level == "1d" else level == "1h" or not point.is_slow


class ReportedStage:
    """Compares the reported figures of one plant."""

    def __init__(self, plant: Plant, numbers: dict[str, int], store: Store, apply: Apply) -> None:
        self._plant = plant
        self._store = store
        self._apply = apply
        self._points = {numbers[name]: point for name, point in plant.points.items()}

    def run(self, now_ms: int) -> bool:
        """Compare what came or whose window changed, and move the alarms with it; say whether more of it waits.

        What has no window yet is not comparable; closing the window has it compared again.
        """
        with self._store.readers.snapshot() as connection:
            waiting = reported.waiting(connection, AT_ONCE)
        if waiting:
            self._store.write(lambda connection: self._compare(connection, waiting, now_ms))
        return len(waiting) == AT_ONCE

    def _end(self, start: int, level: str) -> int:
        if level == "1d":
            return self._plant.time.next_day(self._plant.time.day_start(start))
        return start + (HOUR_MS if level == "1h" else parse_duration_ms(level))

    def _compare(self, connection: sqlite3.Connection, waiting: list[tuple[int, int, str]], now_ms: int) -> None:
        moved = set()
        for number, start, level in waiting:
            period = Period(number, start, level, self._end(start, level))
            own, compared = self._judge(connection, period)
            reported.note_compared(connection, period[:3], compared, own)
            if compared is not Compared.NOT_COMPARABLE and period.end >= now_ms - OLD_MS:
                moved.add(period.point)
        conditions = [
            self._condition(self._points[number], newest)
            for number in sorted(moved)
            if (newest := reported.newest(connection, number, now_ms - RECENT_MS))
        ]
        if conditions:
            self._apply(connection, conditions, now_ms)

    def _judge(self, connection: sqlite3.Connection, period: Period) -> tuple[float | None, Compared]:
        point = self._points.get(period.point)
        said = reported.read(connection, period.point, period.start, period.level)
        if point is None or said is None or said.mean is None or said.flag != 0:
            return None, Compared.NOT_COMPARABLE
        own = self._own(connection, point, period) if is_comparable(self._plant, point, period.level) else None
        if own is None:
            return None, Compared.NOT_COMPARABLE
        differs = difference(point, own, said.mean) > self._plant.rules.reported_difference
        return own, Compared.DIFFERS if differs else Compared.AGREES

    def _own(self, connection: sqlite3.Connection, point: Point, period: Period) -> float | None:
        """Give our own valid mean of a period, None where there is none."""
        if period.level in ("1h", "1d"):
            window = windows.read(connection, period.level, period.start, period.point)
            return window.mean if window is not None and window.is_valid else None
        hour = self._plant.time.hour_start(period.start)
        block = minutes.read(connection, hour, [period.point]).get(period.point)
        is_closed = windows.read(connection, "1h", hour, period.point) is not None
        if block is None or period.end > hour + HOUR_MS or not is_closed:
            return None
        chosen = np.zeros(len(block.had), bool)
        chosen[(period.start - hour) // MINUTE_MS : (period.end - hour) // MINUTE_MS] = True
        needed = self._plant.rules.valid_share * (period.end - period.start) / MINUTE_MS
        found = mean_of_block(block, point.kind is Kind.ENERGY, False, 0, chosen)
        return found.mean if found.valid >= needed else None

    def _condition(self, point: Point, newest: list[Newest]) -> Condition:
        """Say whether the newest of any level differs; the longest such level is told."""
        differing = [one for one in newest if one.compared is Compared.DIFFERS]
        one = max(differing or newest, key=lambda one: self._end(one.start, one.level) - one.start)
        facts = {
            "outlet": point.outlet, "point": point.id, "window": one.level, "start": one.start,
            "end": self._end(one.start, one.level), "unit": point.unit, "reported": one.mean, "own": one.own,
        }  # fmt: skip
        return Condition(f"{KIND}:{point.id}", KIND, Severity.DATA, bool(differing), one.start, one.start, facts)
