"""This module gives every window its verdicts: reads what is unjudged, judges, writes, in one transaction a window."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import defaultdict

import numpy as np

from plantmon.averages.mean import PointTable, classify
from plantmon.compliance.excursions import SILENCE_INTERVALS, Reading, Run, extend
from plantmon.compliance.in_force import in_force
from plantmon.compliance.judge import Judged, Measured, judge, judge_value
from plantmon.compliance.measured import measured_day, measured_hour
from plantmon.model.plant import Kind, Limit, Plant, Point
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
        self._limits: dict[int, list[Limit]] = defaultdict(list)
        for limit in plant.limits:
            self._limits[numbers[limit.point]].append(limit)

    def run(self) -> tuple[int, bool]:
        """Judge what is unjudged; give how many verdicts changed, and whether work is left."""
        with self._busy:  # a recompute beside the live stage must not write what it read before the other
            return self._run()

    def _run(self) -> tuple[int, bool]:
        with self._store.readers.snapshot() as connection:
            marks = dirty.unjudged(connection, WINDOWS_AT_ONCE)
            found = [verdict for mark in marks for verdict in self._verdicts(connection, mark)]
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
                for number, (start, until) in windows.closed(connection, level).items():
                    limits = self._limits.get(number, [])
                    judged = {
                        limit.key: {v.start for v in verdicts.span(connection, limit.key, start, until)}
                        for limit in limits
                    }
                    for window in windows.starts(connection, level, number) if limits else ():
                        chosen = in_force(limits, level, window, self._plant.time)
                        if any(window not in judged[limit.key] for limit in chosen):
                            holes.append((level, window, number))
        if holes:
            self._store.write(lambda connection: dirty.unjudge(connection, holes))
        return len(holes)

    def _verdicts(self, connection: sqlite3.Connection, mark: dirty.Unjudged) -> list[Verdict]:
        limits = in_force(self._limits.get(mark.point, ()), mark.level, mark.start, self._plant.time)
        if not limits:
            return []
        window = windows.read(connection, mark.level, mark.start, mark.point)
        if window is None:
            return []
        found = []
        for limit in limits:
            found.append(self._judge(connection, limit, window))
            following = (
                verdicts.read(connection, limit.key, mark.start + HOUR_MS) if limit.window == "reading" else None
            )
            later = windows.read(connection, "1h", mark.start + HOUR_MS, mark.point) if following else None
            if later is not None:  # a run that began here may reach its hold there
                found.append(self._judge(connection, limit, later))
        return found

    def _judge(self, connection: sqlite3.Connection, limit: Limit, window: Window) -> Verdict:
        point = self._plant.points[limit.point]
        detail = None
        if limit.unavailable is not None:
            judged = Judged(Outcome.NOT_JUDGED, Reason.RULE_NOT_AVAILABLE)
            detail = limit.unavailable
        elif limit.window == "reading":
            judged, detail = self._judge_readings(connection, limit, point, window)
        elif limit.window == "1d":
            judged = judge(limit, point, self._day(connection, point, window))
        else:
            judged = judge(limit, point, self._hour(connection, point, window))
        return Verdict(
            limit.key, window.start, window.end, judged.outcome, judged.reason, judged.value, judged.bound, detail
        )

    def _hour(self, connection: sqlite3.Connection, point: Point, window: Window) -> Measured:
        block = None
        if window.ran is not None:
            block = minutes.read(connection, window.start, [window.point]).get(window.point)
        return measured_hour(point, self._plant.rules, window, block)

    def _day(self, connection: sqlite3.Connection, point: Point, window: Window) -> Measured:
        hours = [
            self._hour(connection, point, hour)
            for hour in windows.span(connection, "1h", window.point, window.start, window.end)
        ]
        return measured_day(point, self._plant.rules, hours, window.due)

    def _judge_readings(
        self, connection: sqlite3.Connection, limit: Limit, point: Point, window: Window
    ) -> tuple[Judged, str | None]:
        """Judge an hour of single readings: exceeded when a run inside it has lasted as long as the hold."""
        if window.ran == 0:
            return Judged(Outcome.NOT_JUDGED, Reason.STOPPED), None
        look_back = limit.hold_ms + (SILENCE_INTERVALS + 1) * point.interval_ms
        seen = self._readings(connection, point, window, window.start - look_back)
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
        nan = np.nan
        table = PointTable(
            np.array([nan if point.range_low is None else point.range_low]),
            np.array([nan if point.range_high is None else point.range_high]),
            np.array([point.kind is Kind.ENERGY]),
        )
        valid, over, value = classify(type(rows)(rows.ts, np.zeros_like(rows.point), rows.value, rows.flag), table)
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
