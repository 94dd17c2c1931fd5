"""This module gives every window its verdicts: reads what is unjudged, judges, writes, in one transaction a window."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import defaultdict
from dataclasses import replace

import numpy as np

from plantmon import units
from plantmon.averages.mean import PointTable, classify
from plantmon.averages.running import carried, minutes_of_mask
from plantmon.compliance.air import MG_PER_KG, converted_hour, rate_hour
from plantmon.compliance.excursions import Reading, Run, extend, look_back_ms
from plantmon.compliance.in_force import in_force, windows_of
from plantmon.compliance.judge import Judged, Measured, judge, judge_value
from plantmon.compliance.measured import measured_day, measured_hour
from plantmon.compliance.periods import DAY_PERIOD, NIGHT_PERIOD, measured_period
from plantmon.compliance.water import WEIGHS_FOR_INTERVALS, Results, flow_weighted_day, ph_hour
from plantmon.compliance.water_flow import LOOK_BACK_MS, Flow, flow_of
from plantmon.model.minutes import MINUTES, MinuteBlock
from plantmon.model.plant import Basis, Limit, Plant, Point
from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.model.window import Window
from plantmon.store import dirty, minutes, readings, verdicts, windows
from plantmon.store.database import Store
from plantmon.times import HOUR_MS, MINUTE_MS

WINDOWS_AT_ONCE = 2000


class ComplianceStage:
    """Judges windows by the limits of one plant file."""

    def __init__(self, plant: Plant, numbers: dict[str, int], store: Store) -> None:
        self._plant = plant
        self._store = store
        self._busy = threading.Lock()
        self._numbers = numbers
        self._limits: dict[int, list[Limit]] = defaultdict(list)  # by the point a limit is judged on
        self._touching: dict[int, list[Limit]] = defaultdict(list)  # by any point its value depends on
        self._reach: dict[str, int] = {}  # how far into the next day a day's value reaches
        self._others: dict[str, tuple[int, ...]] = {}  # the points besides its own that a limit's value depends on
        for limit in plant.limits:
            others = [numbers[name] for name in self._needed_beside(limit)]
            self._others[limit.key] = tuple(others)
            self._reach[limit.key] = self._influence_ms(limit)
            self._limits[numbers[limit.point]].append(limit)
            for number in (numbers[limit.point], *others):
                self._touching[number].append(limit)

    def run(self) -> tuple[int, bool]:
        """Judge what is unjudged; give how many verdicts changed, and whether work is left."""
        with self._busy:  # a recompute beside the live stage must not write what it read before the other
            return self._run()

    def _run(self) -> tuple[int, bool]:
        with self._store.readers.snapshot() as connection:
            marks = dirty.unjudged(connection, WINDOWS_AT_ONCE)
            found = self._verdicts(connection, marks)
        if not marks:
            return 0, False

        def write(connection: sqlite3.Connection) -> int:
            dirty.wipe_unjudged(connection, marks)
            return verdicts.write_changed(connection, found)

        return self._store.write(write), len(marks) == WINDOWS_AT_ONCE

    def mark(self, start_ms: int, end_ms: int) -> None:
        """Mark every closed window that overlaps [start, end) for judging."""
        first = self._plant.time.day_start(start_ms)
        with self._store.readers.snapshot() as connection:
            marks = [
                (level, window.start, number)
                for number in self._limits
                for level in ("1h", "1d")
                for window in windows.span(connection, level, number, first, end_ms)
            ]
        self._store.write(lambda connection: dirty.unjudge(connection, marks))

    def find_holes(self) -> int:
        """Find closed windows that a limit in force covers without a verdict, and mark them; give how many.

        The daily check of design rule 11.
        """
        holes = []
        with self._store.readers.snapshot() as connection:
            for level in ("1h", "1d"):
                closed = windows.closed(connection, level)
                for number, limits in self._limits.items():
                    first, until = closed.get(number, (0, 0))
                    for window in windows.starts(connection, level, number):
                        if first <= window < until and self._lacks(connection, limits, level, window):
                            holes.append((level, window, number))
        if holes:
            self._store.write(lambda connection: dirty.unjudge(connection, holes))
        return len(holes)

    def _lacks(self, connection: sqlite3.Connection, limits: list[Limit], level: str, window: int) -> bool:
        """Whether a limit judged by the hour or the day has no verdict for a window."""
        chosen = in_force(limits, level, window, self._plant.time)
        return any(not verdicts.is_there(connection, limit.key, window) for limit in chosen)

    def _needed_beside(self, limit: Limit) -> list[str]:
        """Name the points a limit's value needs besides its own: oxygen, flow."""
        outlet = self._plant.outlets[limit.outlet]
        wanted = set()
        if limit.basis is Basis.CONCENTRATION and outlet.reference_oxygen_pct is not None:
            wanted.add("oxygen")
        if limit.basis is Basis.RATE:
            wanted.add("gas_flow")
        if outlet.kind == "water" and limit.window != "reading":
            wanted.add("water_flow")
        return [name for name in outlet.points if self._plant.points[name].quantity in wanted and name != limit.point]

    def _influence_ms(self, limit: Limit) -> int:
        """Give how far a reading can move verdicts beyond its own window: `windows_of` says in which direction."""
        point = self._plant.points[limit.point]
        if limit.window == "reading":
            return -(-look_back_ms(limit, point) // HOUR_MS) * HOUR_MS
        return WEIGHS_FOR_INTERVALS * point.interval_ms if self._is_water(limit) else 0

    def _verdicts(self, connection: sqlite3.Connection, marks: list[dirty.Unjudged]) -> list[Verdict]:
        """Give the verdicts of all windows the marks touch, each once."""
        spans: dict[tuple[str, int], tuple[Limit, int]] = {}
        for mark in marks:
            for limit in self._touching.get(mark.point, ()):
                for start, end in windows_of(limit, mark.level, mark.start, self._plant.time, self._reach[limit.key]):
                    if limit.covers(self._plant.time.date_of(start)):
                        spans[limit.key, start] = (limit, end)
        closed = {level: windows.closed(connection, level) for level in ("1h", "1d")}
        found = []
        for (_, start), (limit, end) in sorted(spans.items(), key=lambda item: (item[0][1], item[0][0])):
            if not self._is_closed(closed, limit, start, end):
                continue
            verdict = self._judge(connection, limit, start, end)
            if verdict is not None:
                found.append(verdict)
        return found

    def _is_closed(self, closed: dict[str, dict[int, tuple[int, int]]], limit: Limit, start: int, end: int) -> bool:
        """Whether all points of a limit that ever spoke have closed a window; else the last to do so will mark it."""
        level = "1d" if limit.window in ("1d", "1mo", "1y") else "1h"
        own = closed[level].get(self._numbers[limit.point])
        if own is None or own[1] < end or own[0] >= end:
            return False
        others = (closed[level].get(number) for number in self._others[limit.key])
        return all(span is None or span[1] >= end for span in others)

    def _judge(self, connection: sqlite3.Connection, limit: Limit, start: int, end: int) -> Verdict | None:
        """Judge one window; None where its point has no window there (before it first spoke)."""
        point = self._plant.points[limit.point]
        detail = None
        if limit.unavailable is not None:
            judged = Judged(Outcome.NOT_JUDGED, Reason.RULE_NOT_AVAILABLE)
            detail = limit.unavailable
        elif limit.window in (DAY_PERIOD, NIGHT_PERIOD):
            blocks = minutes.span(connection, self._numbers[limit.point], start, end)
            judged = judge(limit, point, measured_period(point, self._plant.rules, start, end, blocks))
        else:
            level = "1d" if limit.window == "1d" else "1h"
            window = windows.read(connection, level, start, self._numbers[limit.point])
            if window is None:
                return None
            if limit.window == "reading":
                judged, detail = self._judge_readings(connection, limit, point, window)
            elif self._is_water(limit):
                judged = self._judge_water(connection, limit, point, window)
            elif limit.window == "1d":
                judged = judge(limit, point, self._day(connection, limit, point, window))
            else:
                judged = judge(limit, point, self._hour(connection, limit, point, window))
        return Verdict(limit.key, start, end, judged.outcome, judged.reason, judged.value, judged.bound, detail)

    def _hour(self, connection: sqlite3.Connection, limit: Limit, point: Point, window: Window) -> Measured:
        """Measure an hour as the limit judges it: plain, at reference oxygen, or as a rate."""
        others = self._others[limit.key]
        if window.ran is None and not others:
            return measured_hour(point, self._plant.rules, window, None)
        blocks = minutes.read(connection, window.start, [window.point, *others])
        if not others:
            return measured_hour(point, self._plant.rules, window, blocks.get(window.point))
        ran = np.ones(MINUTES, bool) if window.ran is None else minutes_of_mask(window.ran)
        block = blocks.get(window.point) or MinuteBlock.empty()
        other = blocks.get(others[0]) or MinuteBlock.empty()
        if limit.basis is Basis.RATE:
            factor = self._rate_factor(limit, point)
            return rate_hour(point, self._plant.rules, block, other, factor, ran)
        reference = self._plant.outlets[limit.outlet].reference_oxygen_pct
        assert reference is not None
        return converted_hour(point, self._plant.rules, block, other, reference, ran)

    def _is_water(self, limit: Limit) -> bool:
        """Whether a limit is judged by the volume of waste water, or by whether any flowed."""
        if self._plant.outlets[limit.outlet].kind != "water":
            return False
        return limit.basis is Basis.CONCENTRATION or self._plant.points[limit.point].quantity == "ph"

    def _judge_water(self, connection: sqlite3.Connection, limit: Limit, point: Point, window: Window) -> Judged:
        """Judge a day weighted by volume, or an hour of pH by its median."""
        if limit.window == "1h":
            block = minutes.read(connection, window.start, [window.point]).get(window.point)
            flow = self._flow(connection, limit, window.start, window.end)
            found = ph_hour(point, self._plant.rules, window.start, block, flow)
        else:
            end = window.end + WEIGHS_FOR_INTERVALS * point.interval_ms
            rows = readings.gauge(connection, window.point, window.start, end)
            valid, over, value = classify(replace(rows, point=np.zeros_like(rows.point)), PointTable.of({0: point}))
            flow = self._flow(connection, limit, window.start, end)
            results = Results(rows.ts, value, valid, over)
            found = flow_weighted_day(point, self._plant.rules, window.start, window.end, results, flow)
        if found.no_discharge:
            return Judged(Outcome.NOT_JUDGED, Reason.NO_DISCHARGE)
        return judge(limit, point, found.measured)

    def _flow(self, connection: sqlite3.Connection, limit: Limit, start: int, end: int) -> Flow:
        """Read the outlet's flow by the minute; with what came before where minutes are missing, to fill them."""
        names = self._needed_beside(limit)
        if not names:
            return flow_of([], start, end)
        point = self._plant.points[names[0]]
        number, factor = self._numbers[names[0]], units.conversion(point.unit, "m3/h")[0]
        flow = Flow(start, np.empty(0))
        for first in (start, start - LOOK_BACK_MS):
            blocks = minutes.span(connection, number, first - HOUR_MS, end)
            flow = flow_of(blocks, first, end, factor)
            if point.is_slow:  # a slow meter's value stands until its next, at most two intervals
                most = WEIGHS_FOR_INTERVALS * point.interval_ms // MINUTE_MS
                flow = Flow(first, carried(flow.m3_h, most))
            if not np.isnan(flow.m3_h).any():
                break
        return flow

    def _rate_factor(self, limit: Limit, point: Point) -> float:
        """Give what turns concentration x flow in the points' units into the limit's unit."""
        flow = self._plant.points[self._needed_beside(limit)[0]]
        to_mg_m3 = units.conversion(point.unit, "mg/m3")[0]
        to_m3_h = units.conversion(flow.unit, "m3/h")[0]
        return to_mg_m3 * to_m3_h / MG_PER_KG * units.conversion("kg/h", limit.unit)[0]

    def _day(self, connection: sqlite3.Connection, limit: Limit, point: Point, window: Window) -> Measured:
        hours = [
            self._hour(connection, limit, point, hour)
            for hour in windows.span(connection, "1h", window.point, window.start, window.end)
        ]
        return measured_day(point, self._plant.rules, hours, window.due)

    def _judge_readings(
        self, connection: sqlite3.Connection, limit: Limit, point: Point, window: Window
    ) -> tuple[Judged, str | None]:
        """Judge an hour of single readings: exceeded when a run inside it has lasted as long as the hold."""
        if window.ran == 0:
            return Judged(Outcome.NOT_JUDGED, Reason.STOPPED), None
        seen = self._readings(connection, point, window, window.start - look_back_ms(limit, point))
        run: Run | None = None
        runs: dict[int, Run] = {}
        worst = Judged(Outcome.OK)
        usable = over = 0
        for one in seen:
            run = extend(run, limit, point, one)
            if one.ts_ms < window.start or not one.ran:
                continue
            usable += one.usable
            over += one.over_range
            if run is not None and run.last_ms == one.ts_ms and run.is_exceeded(limit.hold_ms):
                runs[run.first_ms] = run
            if one.usable:
                worst = self._worse(worst, limit, point, one.value)
        if runs:
            peak = max(runs.values(), key=lambda one: abs(one.peak - self._bound(limit, one.peak)))
            outcome = Outcome.EXCEED_AT_LEAST if any(one.at_least for one in runs.values()) else Outcome.EXCEED
            return Judged(outcome, None, peak.peak, self._bound(limit, peak.peak)), _excursions(list(runs.values()))
        if over:
            return Judged(Outcome.NOT_JUDGED, Reason.OVER_RANGE, worst.value, worst.bound), None
        if not usable:
            return Judged(Outcome.NOT_JUDGED, Reason.NO_DATA), None
        return worst, None

    @staticmethod
    def _bound(limit: Limit, value: float) -> float:
        """Give the end of the limit a breaching value lies beyond."""
        above = limit.maximum is not None and value > limit.maximum
        bound = limit.maximum if above or limit.minimum is None else limit.minimum
        assert bound is not None
        return bound

    @staticmethod
    def _worse(worst: Judged, limit: Limit, point: Point, value: float) -> Judged:
        """Keep the outcome and value nearest to or furthest beyond the limit; short of the hold nothing exceeds."""
        found = judge_value(limit, point, value)
        outcome = Outcome.WARN if found.outcome in (Outcome.WARN, Outcome.EXCEED) and limit.warn_at else Outcome.OK
        kept = Outcome.WARN if Outcome.WARN in (worst.outcome, outcome) else Outcome.OK
        if worst.value is None:
            return Judged(kept, None, value, found.bound)
        is_worse = _nearness(limit, value) > _nearness(limit, worst.value)
        return Judged(kept, None, value, found.bound) if is_worse else Judged(kept, None, worst.value, worst.bound)

    def _readings(self, connection: sqlite3.Connection, point: Point, window: Window, start: int) -> list[Reading]:
        rows = readings.gauge(connection, window.point, start, window.end)
        valid, over, value = classify(replace(rows, point=np.zeros_like(rows.point)), PointTable.of({0: point}))
        masks = self._running(connection, window, start)
        return [
            Reading(ts, one, bool(is_valid), bool(is_over), _ran(masks, ts))
            for ts, one, is_valid, is_over in zip(rows.ts.tolist(), value.tolist(), valid, over, strict=True)
        ]

    def _running(self, connection: sqlite3.Connection, window: Window, start: int) -> dict[int, int | None]:
        """Give the masks of running minutes of the hours from `start` to the window's end, by hour."""
        hours = windows.span(connection, "1h", window.point, start - HOUR_MS, window.end)
        return {hour.start: hour.ran for hour in hours}


def _ran(masks: dict[int, int | None], ts: int) -> bool:
    for start, mask in masks.items():
        if start <= ts < start + HOUR_MS:
            return mask is None or bool(mask >> ((ts - start) // MINUTE_MS) & 1)
    return True


def _nearness(limit: Limit, value: float) -> float:
    """How far a value lies towards the limit's ends, larger is worse."""
    above = value - limit.maximum if limit.maximum is not None else -np.inf
    below = limit.minimum - value if limit.minimum is not None else -np.inf
    return float(max(above, below))


def _excursions(runs: list[Run]) -> str:
    return json.dumps(
        [
            {
                "first": run.first_ms,
                "last": run.last_ms,
                "peak": run.peak,
                "mean": float(f"{run.total / run.count:.12g}"),
                "readings": run.count,
                "at_least": run.at_least,
            }
            for run in sorted(runs, key=lambda one: one.first_ms)
        ]
    )
