"""This module measures windows that still run, exactly as their verdicts will: by the same functions, so far.

Over-range readings count with their bound. Minutes in which the source stands are out; minutes to come may run.
"""

from __future__ import annotations

import copy
import math
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np

from plantmon.averages.running import hours_of_influence, mask_of, minutes_of_masks, running_minutes
from plantmon.averages.validity import day_needed, hour_due
from plantmon.averages.water_flow import Flow, filled
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS, Results
from plantmon.compliance.book import Book
from plantmon.compliance.evaluate import Evaluator, results_of
from plantmon.compliance.measured import measured_day, or_none
from plantmon.compliance.outlook import Known, Outlook, outlook_of
from plantmon.compliance.periods import measured_period
from plantmon.compliance.sight import Flags, Sight
from plantmon.compliance.water import flow_weighted_day, ph_hour
from plantmon.model.minutes import MINUTES, Grid, MinuteBlock
from plantmon.model.plant import Basis, Limit, Plant, Point
from plantmon.store import declarations, minutes, windows
from plantmon.times import HOUR_MS, MINUTE_MS

ALL_MINUTES = (1 << MINUTES) - 1
NOTHING: frozenset[str] = frozenset()


class RunningSight(Sight):
    """A span of hours whose last one still runs. `newest` is the plant file whose windows are made."""

    def __init__(
        self, connection: sqlite3.Connection, book: Book, span: tuple[int, int], newest: Plant,
        closed: Mapping[int, tuple[int, int]],
    ) -> None:  # fmt: skip
        super().__init__(connection, book.plant, book.numbers, *span)
        self._newest = newest
        self._closed = closed
        self._with_bounds: dict[str, Grid] = {}
        self._masks: dict[tuple[str, int], int | None] = {}
        self._bounded = NOTHING
        self._chosen: Flags | None = None

    def showing(self, bounded: frozenset[str], chosen: Flags | None = None) -> Self:
        """Show points with their over-range readings at the range's end, and only some minutes as running."""
        other = copy.copy(self)  # what was read is shared
        other._bounded, other._chosen = bounded, chosen
        return other

    def grid(self, name: str, *, extremes: bool = False) -> Grid:
        """Give a point's minutes as judged."""
        if name not in self._bounded:
            return super().grid(name, extremes=extremes)
        if name not in self._with_bounds:
            self._with_bounds[name] = _with_bounds(super().grid(name, extremes=extremes))
        return self._with_bounds[name]

    def is_over(self, name: str, rows: int) -> bool:
        """Whether a point was over range in the first so many hours while its source ran."""
        over = super().grid(name).over[:rows] > 0
        return bool(over.any() and (over & self.ran(name)[:rows]).any())

    def ran(self, name: str) -> Flags:
        """Say in which minutes the source of a point ran; those of open hours as their windows will say."""
        if name not in self._ran:
            number = self._numbers[name]
            first, until = self._closed.get(number, (0, 0))
            done = [hour for hour in self.hours if first <= hour < until]
            stored = dict(zip(done, windows.ran(self._connection, number, done), strict=True))
            point = self._newest.points.get(name)
            outlet = (point.outlet if point else None) or ""
            self._ran[name] = minutes_of_masks(
                [stored[hour] if hour in stored else self._mask(outlet, hour) for hour in self.hours]
            )
        return self._ran[name] if self._chosen is None else self._ran[name] & self._chosen

    def _mask(self, outlet: str, hour: int) -> int | None:
        """Give the minutes of an open hour in which an outlet ran or may run; None is all of them."""
        if (outlet, hour) not in self._masks:
            self._masks[outlet, hour] = self._open_mask(outlet, hour)
        return self._masks[outlet, hour]

    def _open_mask(self, outlet: str, hour: int) -> int | None:
        known = self._newest.outlets.get(outlet)
        if known is None:
            return None
        mask = ALL_MINUTES
        if known.running is not None:
            point = self._newest.points[known.running.point]
            number = self._numbers[point.id]
            before = range(hour - hours_of_influence(point) * HOUR_MS, hour + 1, HOUR_MS)
            packed = minutes.packed(self._connection, number, before)
            blocks = [MinuteBlock.empty() if data is None else MinuteBlock.unpack(data) for data in packed]
            mask = mask_of(running_minutes(known.running, point, blocks))
        return mask & ~declarations.stopped(self._connection, hour).get(outlet, 0)


class Lookout(Evaluator):
    """Looks ahead by the limits of one version of the plant file, at one instant, over one view of the store."""

    def __init__(
        self, connection: sqlite3.Connection, book: Book, newest: Plant, closed: Mapping[int, tuple[int, int]],
        now_ms: int,
    ) -> None:  # fmt: skip
        super().__init__(connection, book)
        self._newest = newest
        self._closed = closed
        self._now_ms = now_ms
        self._hour_end = self._plant.time.hour_start(now_ms) + HOUR_MS
        self._sights: dict[int, RunningSight] = {}
        self._flows: dict[str, Flow] = {}

    def outlook(self, limit: Limit, start: int, end: int) -> Outlook:
        """Look ahead in the running window [start, end) of a limit on an hour, a day, or a day or night period."""
        point, rules = self._plant.points[limit.point], self._plant.rules
        known = self._known(limit, point, start, end)
        is_by_minutes = limit.window == "1h" and not self._is_weighted(limit)
        least = rules.outlook_minutes if is_by_minutes else rules.outlook_share * known.due
        at_ms = self._now_ms // MINUTE_MS * MINUTE_MS
        return outlook_of(limit, point, start, end, at_ms, known, is_enough=known.parts >= least)

    def _known(self, limit: Limit, point: Point, start: int, end: int) -> Known:
        if self._is_weighted(limit):
            return self._weighted_so_far(limit, point, start, end)
        if self._book.is_water(limit):
            return self._ph(limit, point, start)
        if limit.window == "1h":
            return self._hour(limit, point, start)
        return self._day(limit, point, start, end) if limit.window == "1d" else self._period(limit, point, start, end)

    def _is_weighted(self, limit: Limit) -> bool:
        """Whether a limit is judged by the volume its results stand for."""
        return self._book.is_water(limit) and limit.basis is Basis.CONCENTRATION

    def _running(self, start: int) -> RunningSight:
        if start not in self._sights:
            span = (start, self._hour_end)
            self._sights[start] = RunningSight(self._connection, self._book, span, self._newest, self._closed)
        return self._sights[start]

    # air and noise

    def _hour(self, limit: Limit, point: Point, start: int) -> Known:
        """Measure a running hour; rates and hours whose means are converted go on with the flow and oxygen so far."""
        sight, bounded = self._running(start), self._bounded(limit)
        seen = sight.showing(bounded)
        one = self._hours(limit, point, seen).one(0)
        counted = self._counted(limit, seen)
        parts = int(counted.sum()) if limit.basis is Basis.RATE else one.parts
        to_come = self._to_come(point, seen.grid(limit.point).had[0], start)
        recent = None
        if parts:
            chosen = _last(counted, self._plant.rules.outlook_recent_minutes)
            recent = or_none(self._hours(limit, point, sight.showing(bounded, chosen)).mean[0])
        return Known(
            one.mean, parts, to_come, recent, parts, to_come, hour_due(point),
            at_least=any(sight.is_over(name, 1) for name in bounded),
            can_judge=parts + to_come >= one.needed,
            is_simple=not point.is_slow and (one.mean is not None or not parts),
        )  # fmt: skip

    def _day(self, limit: Limit, point: Point, start: int, end: int) -> Known:
        """Measure the hours of a running day that are over; the running one and those to come are the rest."""
        rules, bounded = self._plant.rules, self._bounded(limit)
        seen = self._running(start).showing(bounded)
        hours = self._hours(limit, point, seen)
        over = max(0, (self._now_ms - point.grace_ms - start) // HOUR_MS)
        ended = hours.part(0, over)
        measured = measured_day(point, rules, ended)
        had = seen.grid(limit.point).had
        rest = (end - self._hour_end) // HOUR_MS + sum(
            point.is_slow
            or int(hours.parts[row]) + self._to_come(point, had[row], start + row * HOUR_MS) >= hours.needed
            for row in range(over, len(had))
        )
        valid = ended.mean[ended.is_valid]
        return Known(
            measured.mean, measured.parts, rest, float(valid[-1]) if len(valid) else None,
            measured.parts, rest, (end - start) // HOUR_MS,
            at_least=any(seen.is_over(name, over) for name in bounded),
            can_judge=measured.parts + rest >= max(1, day_needed(int(ended.ran.sum()) + rest, rules)),
        )  # fmt: skip

    def _period(self, limit: Limit, point: Point, start: int, end: int) -> Known:
        """Measure a day or night period so far; the last hour's worth of valid minutes is taken to go on."""
        rules, bounded = self._plant.rules, frozenset({limit.point})
        seen = self._running(start).showing(bounded)
        line = seen.grid(limit.point).flat()
        one = measured_period(point, rules, line)
        to_come = self._to_come(point, line.had[0], start) + (end - self._hour_end) // MINUTE_MS
        chosen = _last(line.valid > 0, MINUTES)
        recent = measured_period(point, rules, line.scaled(np.where(chosen, 1.0, np.nan))).mean
        due = hour_due(point) * ((end - start) // HOUR_MS)
        return Known(
            one.mean, one.parts, to_come, recent, one.parts, to_come, due,
            at_least=seen.is_over(limit.point, len(seen.hours)),
            can_judge=point.is_slow or one.parts + to_come >= math.ceil(due * rules.valid_share),
            is_simple=not point.is_slow,
        )  # fmt: skip

    def _bounded(self, limit: Limit) -> frozenset[str]:
        """Name the points whose over-range readings make a lower bound of the limit's value."""
        flow = self._book.helper(limit, "gas_flow") if limit.basis is Basis.RATE else None
        return frozenset(filter(None, (limit.point, flow)))

    def _counted(self, limit: Limit, seen: RunningSight) -> Flags:
        """Say which minutes are in: those of the point and of what its value needs, while the source ran."""
        counted = seen.ran(limit.point) & (seen.grid(limit.point).valid > 0)
        if limit.basis is Basis.CONCENTRATION:
            oxygen = self._book.helper(limit, "oxygen")
            return counted if oxygen is None else counted & (seen.grid(oxygen).valid > 0)
        return counted

    def _to_come(self, point: Point, had: np.ndarray[tuple[int, ...], np.dtype[np.uint16]], start: int) -> int:
        """Count minutes from `start` on that may still come: not over, or over so briefly that they may be late."""
        first = min(len(had), max(0, (self._now_ms - point.grace_ms - start) // MINUTE_MS))
        return int((had[first:] == 0).sum())

    # waste water

    def _ph(self, limit: Limit, point: Point, start: int) -> Known:
        """Measure a running hour of pH: its median so far; of what is to come a median says nothing."""
        bounded = frozenset({limit.point})
        sight = self._running(start)
        grid = sight.showing(bounded).grid(limit.point)
        flow = sight.flow(self._book.helper(limit, "water_flow"), start, self._now_ms // MINUTE_MS * MINUTE_MS)
        found = ph_hour(point, self._plant.rules, start, grid.row(0), flow)
        to_come = self._to_come(point, grid.had[0], start)
        parts = found.measured.parts
        return Known(
            found.measured.mean, parts, to_come, None, parts, to_come, hour_due(point),
            at_least=sight.is_over(limit.point, 1), is_simple=False,
        )  # fmt: skip

    def _weighted_so_far(self, limit: Limit, point: Point, start: int, end: int) -> Known:
        """Measure a running window that is weighted by volume.

        Its mean discharge so far is taken to go on, and results to come at the analyser's interval: the last one in
        weighs until the next is due, each to come one interval's volume.
        """
        flow, results = self._flow(self._book.helper(limit, "water_flow")), self._results(point, start)
        until = flow.start_ms + len(flow.m3_h) * MINUTE_MS
        passed = filled(flow).between(start, max(start, until)).m3_h
        interval = point.interval_ms
        due = -(-(end - start) // interval)
        usable = results.ts[results.valid]
        last = int(usable.max()) if len(usable) else None
        following = _next(start if last is None else last, interval, self._now_ms)
        to_come = max(0, -(-(end - following) // interval))
        if not len(passed) or np.isnan(passed).any():  # volumes are unknown, and so is what they weigh
            return Known(None, 0.0, 0.0, None, 0, to_come, due, is_simple=False)
        m3_h = float(passed.mean())
        reach = end + WEIGHS_FOR_INTERVALS * interval
        found = flow_weighted_day(
            point, self._plant.rules, start, end, results, _continued(flow, m3_h, following, reach)
        )
        needed = max(1, math.ceil(round(self._plant.rules.valid_share * (found.due + to_come), 9)))
        parts = found.measured.parts
        return Known(
            found.measured.mean, found.volume_m3 or 0.0, m3_h * interval / HOUR_MS * to_come,
            None if last is None else float(results.value[results.valid & (results.ts == last)][0]),
            parts, to_come, due,
            at_least=bool(results.over.any()), can_judge=parts + to_come >= needed,
        )  # fmt: skip

    def _results(self, point: Point, start: int) -> Results:
        """Read a day's results so far; those over range count with their bound."""
        found = results_of(self._connection, self._book.numbers[point.id], point, start, self._now_ms + 1)
        return replace(found, valid=found.valid | found.over)

    def _flow(self, name: str | None) -> Flow:
        """Give the day's water flow as far as its minutes must be in, to be filled; each flow is read once."""
        if (name or "") not in self._flows:
            start = self._plant.time.day_start(self._now_ms)
            grace = self._plant.points[name].grace_ms if name else 0
            end = max(start, (self._now_ms - grace) // MINUTE_MS * MINUTE_MS)
            self._flows[name or ""] = self._running(start).flow_to_fill(name, start, end)
        return self._flows[name or ""]


def _with_bounds(grid: Grid) -> Grid:
    """Give minutes with their over-range readings as values at the range's end."""
    over = grid.over > 0
    if not over.any():
        return grid
    return replace(
        grid, valid=grid.valid + grid.over, over=np.zeros_like(grid.over), mean=np.where(over, grid.bound, grid.mean)
    )


def _last(counted: Flags, most: int) -> Flags:
    """Choose the last so many of one row's minutes."""
    chosen = np.zeros_like(counted)
    chosen[0, np.flatnonzero(counted[0])[-most:]] = True
    return chosen


def _next(at_ms: int, interval_ms: int, now_ms: int) -> int:
    """Give the first instant after now that lies whole intervals after another."""
    return at_ms + ((now_ms - at_ms) // interval_ms + 1) * interval_ms


def _continued(flow: Flow, m3_h: float, until_ms: int, end_ms: int) -> Flow:
    """Let a flow go on at a rate until an instant, the last minute cut, and be none from there to `end_ms`."""
    known = len(flow.m3_h)
    places = np.arange(known, -(-(end_ms - flow.start_ms) // MINUTE_MS))
    shares = np.clip((until_ms - flow.start_ms) / MINUTE_MS - places, 0.0, 1.0)
    return Flow(flow.start_ms, np.concatenate([flow.m3_h, m3_h * shares]))
