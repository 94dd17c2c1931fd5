"""This module makes the amounts of a waste-water outlet: reads results and flow, weighs days, gives what differs.

A changed hour can change what was filled later from before, and the gap it lies in as a whole. So the days from the
result before it, or from where flow was missing before it, to the newest closed hour are weighed again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plantmon.amounts.changes import Changes
from plantmon.amounts.sources import Source, factor_to
from plantmon.amounts.water import WaterDay, days, lacks_before, stretches
from plantmon.averages.mean import PointTable, classify
from plantmon.averages.running import carried, minutes_of_masks
from plantmon.averages.water_flow import Flow, filled, lacks_flow_before
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS
from plantmon.model.emission import MEAN_BEFORE, UNKNOWN, Emission, EmissionDay, Substitute
from plantmon.model.minutes import Grid
from plantmon.model.plant import Plant, Point
from plantmon.store import declarations, emissions, minutes, readings
from plantmon.store.emissions import DAY, FOREVER
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

LOOK_BACK_MS = 2 * DAY_MS  # of what came before, to begin with; twice as far each time it does not reach


class _Valid(NamedTuple):
    """The valid results of a span, in time order, in mg/L."""

    ts: NDArray[np.int64]
    value: NDArray[np.float64]


class WaterAmounts:
    """Makes the amounts of one waste-water outlet."""

    def __init__(self, plant: Plant, numbers: dict[str, int], source: Source) -> None:
        self._time = plant.time
        self._numbers = numbers
        self._source = source

    def changes(
        self, connection: sqlite3.Connection, hour_ms: int, span: tuple[int, int], spoken: Container[int]
    ) -> Changes:
        """Weigh the days that a change of an hour, and of any after it, can touch; give what comes out differently.

        `span` is what the outlet has closed, `spoken` holds the points that have closed hours. A pollutant without
        amounts yet is weighed over the whole span.
        """
        changes = Changes()
        flow_since = self._flow_since(connection, hour_ms, span)
        for point in self._source.pollutants:
            number = self._numbers[point.id]
            if number not in spoken:
                continue
            since = span[0]
            if emissions.newest(connection, number, DAY) is not None:
                since = min(flow_since, self._result_before(connection, point, hour_ms, span))
            self._compare(connection, number, self._weigh(connection, point, since, span), changes)
        return changes

    # from where on

    def _flow_since(self, connection: sqlite3.Connection, hour_ms: int, span: tuple[int, int]) -> int:
        """Give where the unknown flow begins that ends with an hour's start; the hour's start where it is known."""
        back = LOOK_BACK_MS
        while True:
            begin = max(span[0], hour_ms - back)
            known = np.flatnonzero(~np.isnan(self._flow(connection, begin, hour_ms).m3_h))
            if len(known) or begin <= span[0]:
                return begin + (int(known[-1]) + 1 if len(known) else 0) * MINUTE_MS
            back *= 2

    def _result_before(self, connection: sqlite3.Connection, point: Point, at_ms: int, span: tuple[int, int]) -> int:
        """Give the instant of the last valid result before an instant; the span's start without any."""
        back = LOOK_BACK_MS
        while True:
            begin = max(span[0], at_ms - back)
            found = self._results(connection, point, begin, at_ms)
            if len(found.ts) or begin <= span[0]:
                return int(found.ts[-1]) if len(found.ts) else span[0]
            back *= 2

    # weighing

    def _weigh(self, connection: sqlite3.Connection, point: Point, since: int, span: tuple[int, int]) -> list[WaterDay]:
        first, until = span
        edges = [*self._time.days(max(since, first), until)]
        edges.append(self._time.next_day(edges[-1]))
        begin = max(first, edges[0])
        known = self._known_flow(connection, begin, span)
        results = self._enough_results(connection, point, begin, span)
        start = first if not len(results.ts) or results.ts[0] > begin else max(first, int(results.ts[0]))
        found = stretches(results.ts, results.value, start, until, point.interval_ms)
        return days(found, known, filled(known), edges, first, until, point.interval_ms)

    def _known_flow(self, connection: sqlite3.Connection, begin: int, span: tuple[int, int]) -> Flow:
        """Read the flow from an instant on, and before it as much as filling its gaps takes."""
        flow, back = self._flow(connection, begin, span[1]), LOOK_BACK_MS
        while lacks_flow_before(flow, begin) and flow.start_ms > span[0]:
            flow = self._flow(connection, max(span[0], begin - back), span[1])
            back *= 2
        return flow

    def _enough_results(
        self, connection: sqlite3.Connection, point: Point, begin: int, span: tuple[int, int]
    ) -> _Valid:
        """Read the results from an instant on, and before it as many as uncovered time takes its mean of."""
        start, back = begin, LOOK_BACK_MS
        while True:
            found = self._results(connection, point, start, span[1])
            if start <= span[0] or not lacks_before(found.ts, begin, span[1], point.interval_ms):
                return found
            start = max(span[0], begin - back)
            back *= 2

    def _results(self, connection: sqlite3.Connection, point: Point, start_ms: int, end_ms: int) -> _Valid:
        if point.formula is not None:  # calculated: its minutes are its results
            hours = range(self._time.hour_start(start_ms), end_ms, HOUR_MS)
            grid = Grid.unpack(minutes.packed(connection, self._numbers[point.id], hours)).flat()
            at = hours.start + np.arange(grid.mean.size) * MINUTE_MS
            kept = (grid.valid[0] > 0) & (at >= start_ms) & (at < end_ms)
            return _Valid(at[kept], grid.mean[0][kept] * factor_to(point, "mg/L"))
        rows = declarations.applied(connection, readings.of(connection, self._numbers[point.id], start_ms, end_ms))
        valid, _, value = classify(replace(rows, point=np.zeros_like(rows.point)), PointTable.of({0: point}))
        return _Valid(rows.ts[valid], value[valid] * factor_to(point, "mg/L"))

    def _flow(self, connection: sqlite3.Connection, start_ms: int, end_ms: int) -> Flow:
        """Read the flow of whole hours by the minute, m3/h; NaN unknown, 0 while the outlet stands still."""
        point, number = self._source.flow, self._numbers[self._source.flow.id]
        most = WEIGHS_FOR_INTERVALS * point.interval_ms if point.is_slow else 0
        before = -(-most // HOUR_MS) * HOUR_MS
        hours = range(start_ms - before, end_ms, HOUR_MS)
        grid = Grid.unpack(minutes.packed(connection, number, hours)).flat()
        m3_h = np.where(grid.valid > 0, grid.mean * factor_to(point, "m3/h"), np.nan)[0]
        if point.is_slow:  # its value stands until the next, at most two intervals
            m3_h = carried(m3_h, most // MINUTE_MS)
        ran = minutes_of_masks([mask for _, mask in emissions.ran(connection, number, hours)]).ravel()
        return Flow(start_ms, np.where(ran, m3_h, 0.0)[before // MINUTE_MS :])

    # what differs

    def _compare(self, connection: sqlite3.Connection, point: int, found: list[WaterDay], changes: Changes) -> None:
        first = found[0].start
        measured = emissions.days_measured(connection, point, first, FOREVER)
        stand_in = emissions.substitutes(connection, point, DAY, first, FOREVER)
        sums = {one.start: one for one in emissions.days(connection, point, first, FOREVER)}
        changes.measured += [one for one in (_measured(point, day) for day in found) if measured.get(one.start) != one]
        changes.add_substitutes(stand_in, [one for day in found for one in _stand_in(point, day)])
        changes.days += [one for one in (_sum(point, day) for day in found) if sums.get(one.start) != one]


def _measured(point: int, day: WaterDay) -> Emission:
    is_measured = day.minutes == 0 or day.minutes > day.substituted_minutes + day.unknown_minutes
    return Emission(point, DAY, day.start, day.end, day.minutes, day.measured_kg if is_measured else None)


def _stand_in(point: int, day: WaterDay) -> list[Substitute]:
    if day.substituted_minutes:
        return [
            Substitute(point, DAY, day.start, day.substituted_kg, MEAN_BEFORE, None, False, day.substituted_minutes)
        ]
    if day.unknown_minutes:
        return [Substitute(point, DAY, day.start, None, UNKNOWN, None, False, day.unknown_minutes)]
    return []


def _sum(point: int, day: WaterDay) -> EmissionDay:
    return EmissionDay(
        point, day.start, day.end, day.measured_kg, day.substituted_kg, day.minutes, day.substituted_minutes,
        day.unknown_minutes, False, False,
    )  # fmt: skip
