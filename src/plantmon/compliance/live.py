"""This module judges limits on single readings while the readings are being written: the path under half a second.

It runs inside the writer's transaction: a vectorised compare settles the usual batch, and only points that breach,
or stand in alarm, are followed reading by reading. Late readings (older than the newest of their point, or over a
day old) are left to the hourly verdicts. What is declared beforehand holds here too: readings of an announced
maintenance raise nothing. Answers are `Condition`s; the alarms decide what becomes of them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.mean import PointTable, classify
from plantmon.averages.running import STANDS_FOR_INTERVALS, within
from plantmon.compliance.excursions import Reading, Run, beyond, extend
from plantmon.compliance.judge import compared
from plantmon.compliance.permit import Permit
from plantmon.model.alarm import Condition, Severity
from plantmon.model.plant import Basis, Kind, Limit, Plant, Point, Running
from plantmon.model.reading import Columns
from plantmon.store import declarations, readings
from plantmon.times import DAY_MS, MINUTE_MS

OLD_MS = DAY_MS  # breaches in older data go into one summary mail (alarms)


@dataclass(slots=True)
class _Watch:
    """One limit, or its warning share as a limit of its own, followed live."""

    key: str
    limit: Limit
    point: Point
    number: int
    severity: Severity
    running: Running | None  # while this holds it applies; None: always
    factor: float = 1.0  # from the point's unit into the limit's, where that is another: ppm
    run: Run | None = None


@dataclass(slots=True)
class _Latest:
    """The newest valid value of a running point."""

    point: Point
    running: Running
    ts_ms: int = -1
    value: float = 0.0


class LiveLimits:
    """Follows the limits on single readings, and over-range readings of points that have any limit."""

    def __init__(self, plant: Plant, numbers: dict[str, int]) -> None:
        self._plant = plant
        self._deadband = plant.alarms.deadband
        self._watches = [
            watch
            for limit in plant.limits
            if limit.window == "reading" and limit.unavailable is None
            for watch in _watches(limit, plant.points[limit.point], numbers[limit.point], _running_of(plant, limit))
        ]
        limited = sorted(
            {numbers[limit.point] for limit in plant.limits if plant.points[limit.point].kind is not Kind.COUNTER}
        )
        self._limited = np.array(limited, np.int64)
        self._names = {number: name for name, number in numbers.items()}
        conditions = {_running_of(plant, watch.limit) for watch in self._watches} - {None}
        self._running = {running: _Latest(plant.points[running.point], running) for running in conditions if running}
        self._numbers = numbers
        self._table = PointTable.of({numbers[name]: point for name, point in plant.points.items()})
        interesting = {watch.number for watch in self._watches} | set(limited)
        interesting |= {numbers[latest.running.point] for latest in self._running.values()}
        self._interesting = np.array(sorted(interesting), np.int64)
        self._permit: Permit | None = None  # None: the plant file is in force at all times
        self._newest: dict[int, int] = {}
        self._standing: set[str] = set()
        self._stopped: dict[int, dict[str, int]] = {}  # marked minutes by hour and outlet, for one batch

    def renew(self, permit: Permit) -> None:
        """Judge only what another permit puts in force from now on."""
        self._permit = permit

    def _is_in_force(self, limit_key: str, at_ms: int) -> bool:
        return self._permit is None or self._permit.is_in_force(limit_key, at_ms) is not None

    def load(self, connection: sqlite3.Connection, now_ms: int) -> None:
        """Take up where the last daemon stopped: standing alarms, runs, newest readings."""
        self._standing = {row[0] for row in connection.execute("SELECT key FROM alarm WHERE is_bad")}
        runs = {
            row[0]: Run(row[1], row[2], row[3], row[4], row[5], bool(row[6]))
            for row in connection.execute(
                "SELECT limit_key, first_ms, last_ms, peak, total, count, at_least FROM live_run"
            )
        }
        for watch in self._watches:
            watch.run = runs.get(watch.key)
        spoken = dict(connection.execute("SELECT id, spoken_ms FROM point WHERE spoken_ms IS NOT NULL"))
        for number in self._interesting.tolist():
            self._newest[number] = spoken.get(number, -1)
        for latest in self._running.values():
            number = self._numbers[latest.running.point]
            newest = spoken.get(number, now_ms)
            if newest < now_ms - OLD_MS:
                continue  # too old to say anything of what is judged live; it may lie in the archive
            reach = STANDS_FOR_INTERVALS * latest.point.interval_ms
            self._note_running(latest, self._valid(connection, number, newest - reach, newest + 1))

    def judge(self, connection: sqlite3.Connection, new: Columns, now_ms: int) -> list[Condition]:
        """Judge a batch's readings; give what the alarms must know. Writes the runs it follows."""
        new = _chosen(new, np.isin(new.point, self._interesting) & (new.ts >= now_ms - OLD_MS))
        if not len(new.ts):
            return []
        order = np.lexsort((new.ts,))
        new = Columns(new.ts[order], new.point[order], new.value[order], new.flag[order])
        new = declarations.applied(connection, new)
        self._stopped.clear()
        valid, over, value = classify(new, self._table)
        new = Columns(new.ts, new.point, value, new.flag)
        conditions = self._over_range(new, valid, over)
        for watch in self._watches:
            mine = new.point == watch.number
            if mine.any():
                conditions += self._follow(connection, watch, new, mine, valid, over)
        for number in np.unique(new.point).tolist():
            self._newest[number] = max(self._newest.get(number, -1), int(new.ts[new.point == number].max()))
        for latest in self._running.values():
            self._note_running(latest, _chosen(new, (new.point == self._numbers[latest.running.point]) & valid))
        for condition in conditions:
            (self._standing.add if condition.is_bad else self._standing.discard)(condition.key)
        return conditions

    def _over_range(self, new: Columns, valid: NDArray[np.bool_], over: NDArray[np.bool_]) -> list[Condition]:
        """Tell of a limited point over range at once; its next valid reading ends it."""
        conditions = []
        numbers = set(np.unique(new.point[over]).tolist()) if over.any() else set()
        numbers |= {self._numbers[key.removeprefix("over_range:")] for key in self._standing
                    if key.startswith("over_range:") and key.removeprefix("over_range:") in self._numbers}  # fmt: skip
        for number in sorted(numbers & set(self._limited.tolist())):
            is_news = (new.point == number) & (new.ts > self._newest.get(number, -1))
            telling = np.flatnonzero(is_news & (valid | over))
            if not len(telling):
                continue
            last = int(telling[-1])
            point = self._plant.points[self._names[number]]
            key = f"over_range:{point.id}"
            is_bad = bool(over[last])
            if is_bad or key in self._standing:
                ts = int(new.ts[last])
                facts = {"point": point.id, "outlet": point.outlet, "unit": point.unit, "value": float(new.value[last]),
                         "bound": point.range_high, "side": "max", "at_least": True, "window": "reading"}  # fmt: skip
                conditions.append(Condition(key, "over_range", Severity.WARNING, is_bad, ts, ts, facts))
        return conditions

    def _follow(
        self, connection: sqlite3.Connection, watch: _Watch, new: Columns, mine: NDArray[np.bool_],
        valid: NDArray[np.bool_], over: NDArray[np.bool_],
    ) -> list[Condition]:  # fmt: skip
        telling = mine & (valid | over)
        is_standing = watch.key in self._standing
        if watch.run is None and not is_standing and not beyond(watch.limit, new.value[telling] * watch.factor):
            return []
        conditions: list[Condition] = []
        before = watch.run
        for place in np.flatnonzero(mine).tolist():
            ts = int(new.ts[place])
            if ts <= self._newest.get(watch.number, -1):
                continue
            if not watch.limit.covers(self._plant.time.date_of(ts)) or not self._is_in_force(watch.limit.key, ts):
                continue
            ran = self._ran(connection, watch, new, valid, ts)
            value = float(new.value[place]) * watch.factor
            reading = Reading(ts, value, bool(valid[place]), bool(over[place]), ran)
            watch.run = extend(watch.run, watch.limit, watch.point, reading)
            is_standing = self._tell(conditions, watch, reading, is_standing)
        if watch.run != before:
            self._keep(connection, watch)
        return conditions

    def _tell(self, conditions: list[Condition], watch: _Watch, reading: Reading, is_standing: bool) -> bool:
        """Say what one reading means for the alarm; give whether it stands afterwards."""
        run = watch.run
        if run is not None and run.last_ms == reading.ts_ms and run.is_exceeded(watch.limit.hold_ms):
            condition = self._condition(watch, reading, True, run)
            if is_standing and conditions and conditions[-1].key == watch.key and conditions[-1].is_bad:
                conditions[-1] = condition  # only the newest state of a standing alarm matters
            else:
                conditions.append(condition)
            return True
        complies = not reading.ran or (reading.usable and self._is_clear(watch, reading.value))
        if is_standing and run is None and complies:
            conditions.append(self._condition(watch, reading, False, None))
            return False
        return is_standing

    def _condition(self, watch: _Watch, reading: Reading, is_bad: bool, run: Run | None) -> Condition:
        limit = watch.limit
        value = run.peak if run else reading.value
        is_high = limit.maximum is not None and (limit.minimum is None or value > limit.maximum)
        facts = {
            "limit": limit.key, "outlet": limit.outlet, "point": limit.point, "window": "reading",
            "unit": limit.unit, "standard": limit.standard, "basis": str(limit.basis),
            "bound": limit.maximum if is_high else limit.minimum, "side": "max" if is_high else "min",
            "value": reading.value, "start": run.first_ms if run else reading.ts_ms, "end": reading.ts_ms,
        }  # fmt: skip
        if run:
            facts |= {"peak": run.peak, "total": run.total, "windows": run.count, "at_least": run.at_least}
        since = run.first_ms if run else reading.ts_ms
        return Condition(watch.key, watch.key.split(":")[0], watch.severity, is_bad, since, reading.ts_ms, facts)

    def _is_clear(self, watch: _Watch, value: float) -> bool:
        """Whether a value is far enough inside the limit to end an alarm (the plant file's deadband)."""
        limit, shown = watch.limit, compared(value, watch.point, None)
        low_enough = limit.maximum is None or shown <= limit.maximum - abs(limit.maximum) * self._deadband
        high_enough = limit.minimum is None or shown >= limit.minimum + abs(limit.minimum) * self._deadband
        return low_enough and high_enough

    def _ran(
        self, connection: sqlite3.Connection, watch: _Watch, new: Columns, valid: NDArray[np.bool_], ts: int
    ) -> bool:
        """Whether the source runs: its point's newest valid value within two intervals decides; unknown is running.

        A mark of the whole outlet that covers the minute's start says that it stands; of an interlock's condition, the
        outlet of the condition's point.
        """
        latest = None if watch.running is None else self._running[watch.running]
        is_interlock = watch.limit.basis is Basis.INTERLOCK
        outlet = latest.point.outlet if latest is not None and is_interlock else watch.point.outlet
        if self._is_marked_stopped(connection, outlet, ts):
            return False
        if latest is None:
            return True
        number = self._numbers[latest.running.point]
        reach = STANDS_FOR_INTERVALS * latest.point.interval_ms
        mine = np.flatnonzero((new.point == number) & valid & (new.ts <= ts))
        at, value = (int(new.ts[mine[-1]]), float(new.value[mine[-1]])) if len(mine) else (latest.ts_ms, latest.value)
        if at > ts:  # the running point is ahead: its column came in an earlier batch
            rows = self._valid(connection, number, ts - reach, ts + 1)
            at, value = (int(rows.ts[-1]), float(rows.value[-1])) if len(rows.ts) else (-1, 0.0)
        if at < 0 or ts - at > reach:
            return True
        return bool(within(latest.running, np.array([value]))[0])

    def _is_marked_stopped(self, connection: sqlite3.Connection, outlet: str | None, ts: int) -> bool:
        hour = self._plant.time.hour_start(ts)
        if hour not in self._stopped:
            self._stopped[hour] = declarations.stopped(connection, hour)
        return bool(self._stopped[hour].get(outlet or "", 0) >> (ts - hour) // MINUTE_MS & 1)

    def _valid(self, connection: sqlite3.Connection, number: int, start_ms: int, end_ms: int) -> Columns:
        """Read a point's valid readings in [start, end)."""
        rows = declarations.applied(connection, readings.of(connection, number, start_ms, end_ms))
        return _chosen(rows, classify(rows, self._table)[0])

    @staticmethod
    def _note_running(latest: _Latest, rows: Columns) -> None:
        if len(rows.ts) and int(rows.ts[-1]) > latest.ts_ms:
            latest.ts_ms, latest.value = int(rows.ts[-1]), float(rows.value[-1])

    @staticmethod
    def _keep(connection: sqlite3.Connection, watch: _Watch) -> None:
        """Write a run in the batch's own transaction, so that a kill leaves both or neither."""
        run = watch.run
        if run is None:
            connection.execute("DELETE FROM live_run WHERE limit_key = ?", (watch.key,))
            return
        connection.execute(
            "INSERT OR REPLACE INTO live_run (limit_key, first_ms, last_ms, peak, total, count, at_least)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (watch.key, run.first_ms, run.last_ms, run.peak, run.total, run.count, run.at_least),
        )


def _running_of(plant: Plant, limit: Limit) -> Running | None:
    """Give the condition a limit applies under: an interlock's own, else its outlet's."""
    return limit.running if limit.basis is Basis.INTERLOCK else plant.outlets[limit.outlet].running


def _watches(limit: Limit, point: Point, number: int, running: Running | None) -> list[_Watch]:
    is_converted = point.gas is not None and limit.basis is Basis.CONCENTRATION
    factor = point.gas.factor if point.gas is not None and is_converted else 1.0
    watches = [_Watch(f"breach:{limit.key}", limit, point, number, Severity.BREACH, running, factor)]
    if limit.warn_at is not None and limit.maximum is not None:
        warning = replace(limit, maximum=limit.maximum * limit.warn_at, minimum=None, warn_at=None)
        watches.append(_Watch(f"warning:{limit.key}", warning, point, number, Severity.WARNING, running, factor))
    return watches


def _chosen(new: Columns, mask: NDArray[np.bool_]) -> Columns:
    if mask.all():
        return new
    return Columns(new.ts[mask], new.point[mask], new.value[mask], new.flag[mask])
