"""This module makes the amounts of an air outlet: reads the minutes of hours, weighs them, follows what that changes.

A changed hour changes what stands in for missing hours: of the run it belongs to or parted, of its quarter by the
capture rate, and of all later runs that look back on it. So from there on everything is substituted again and compared
with what stands. The usual hour, measured and newest, only moves the capture rate of its quarter.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from plantmon.amounts.changes import Changes
from plantmon.amounts.hour import HourAmounts, Series, weigh
from plantmon.amounts.sources import Source, factor_to, helper_points
from plantmon.amounts.substitute import Quarter, lines_at, substitutes
from plantmon.amounts.sums import day_of
from plantmon.averages.gas import to_standard
from plantmon.averages.periods import Period, period_around, periods_between
from plantmon.averages.rounding import significant_one
from plantmon.averages.running import minutes_of_masks
from plantmon.averages.validity import hour_due
from plantmon.model.emission import Course, Substitute
from plantmon.model.minutes import GRID_FIELDS, Grid
from plantmon.model.plant import Plant, Point
from plantmon.store import emissions, minutes
from plantmon.store.emissions import FOREVER, HOUR
from plantmon.times import HOUR_MS

ROWS_AT_ONCE = 1000  # hours of pollutants weighed together: a few MB of minutes


class AirAmounts:
    """Makes the amounts of one air outlet."""

    def __init__(self, plant: Plant, numbers: dict[str, int], source: Source) -> None:
        self._time = plant.time
        self._rules = plant.rules
        self._points = plant.points
        self._numbers = numbers
        self._source = source
        self._most_back = max((line.look_back for line in plant.rules.substitution), default=1)

    def changes(
        self, connection: sqlite3.Connection, hours: Sequence[int], span: tuple[int, int], spoken: Container[int]
    ) -> Changes:
        """Weigh hours inside the span that the outlet has closed; give what comes out differently.

        `spoken` holds the points that have closed hours. A pollutant without amounts yet is weighed over the whole
        span: until it spoke its hours are missing.
        """
        by_hours: dict[tuple[int, ...], list[Point]] = defaultdict(list)
        for point in self._source.pollutants:
            number = self._numbers[point.id]
            if number in spoken:
                is_new = emissions.newest(connection, number, HOUR) is None
                by_hours[tuple(range(*span, HOUR_MS) if is_new else hours)].append(point)
        changes = Changes()
        for chosen, points in by_hours.items():
            for number, course in self._weigh(connection, points, chosen).items():
                self._follow(connection, number, course, changes)
        return changes

    # weighing

    def _weigh(
        self, connection: sqlite3.Connection, points: Sequence[Point], hours: Sequence[int]
    ) -> dict[int, Course]:
        """Weigh hours of some pollutants; give them by the pollutant's number."""
        step = max(1, ROWS_AT_ONCE // len(points))
        parts: dict[int, list[HourAmounts]] = defaultdict(list)
        for place in range(0, len(hours), step):
            for number, amounts in self._weigh_some(connection, points, hours[place : place + step]).items():
                parts[number].append(amounts)
        start = np.array(hours, np.int64)
        return {
            number: Course(
                start, *(np.concatenate([getattr(one, name) for one in some]) for name in ("ran", "kg", "proven"))
            )
            for number, some in parts.items()
        }

    def _weigh_some(
        self, connection: sqlite3.Connection, points: Sequence[Point], hours: Sequence[int]
    ) -> dict[int, HourAmounts]:
        sight = _Sight(connection, self._points, self._numbers, hours)
        groups: dict[tuple[bool, int], list[Point]] = defaultdict(list)
        for point in points:
            groups[point.is_slow, hour_due(point)].append(point)
        flow = self._source.flow
        flow_grid = sight.grid(flow, "m3/h")
        found = {}
        for (is_slow, due), some in groups.items():
            together = weigh(
                Series(_under([sight.grid(point, "mg/m3") for point in some]), is_slow, due),
                Series(_under([flow_grid] * len(some)), flow.is_slow, hour_due(flow)),
                np.concatenate([sight.ran(point, self._source.points) for point in some]),
                self._rules.amount_share,
                by_minute=self._rules.mass == "minute",
            )
            for place, point in enumerate(some):
                rows = slice(place * len(hours), (place + 1) * len(hours))
                found[self._numbers[point.id]] = HourAmounts(
                    together.ran[rows], together.kg[rows], together.proven[rows]
                )
        return found

    # what follows

    def _follow(self, connection: sqlite3.Connection, point: int, weighed: Course, changes: Changes) -> None:
        """Take in the hours that differ from what stands, and what stands in and adds up differently for it."""
        end = int(weighed.start[-1]) + HOUR_MS
        standing = emissions.hours(connection, point, int(weighed.start[0]), end)
        changed = weighed.rows(_differs(standing, weighed))
        if not len(changed.start):
            return
        changes.hours.append((point, changed))
        first = int(changed.start[0])
        since = self._since(connection, point, changed, changes)
        day = self._time.day_start(first if since is None else min(first, since))
        begin = day if since is None else min(day, self._begin(connection, point, since))
        course = _overlay(emissions.hours(connection, point, begin, FOREVER), changed)
        touched = set(changed.start.tolist())
        stand_in = emissions.substitutes(connection, point, HOUR, day, FOREVER)
        if since is not None:
            new = substitutes(point, course, since, self._quarters(course, since), self._rules.substitution)
            touched |= changes.add_substitutes({s: one for s, one in stand_in.items() if s >= since}, new)
            stand_in = {s: one for s, one in stand_in.items() if s < since} | {one.start: one for one in new}
        self._add_up(connection, point, course, stand_in, touched, changes)

    def _since(self, connection: sqlite3.Connection, point: int, changed: Course, changes: Changes) -> int | None:
        """Give from when on hours have to be substituted again, None where none has to."""
        first, end = int(changed.start[0]), int(changed.start[-1]) + HOUR_MS
        newest = emissions.newest(connection, point, HOUR)
        is_newer = newest is None or first >= newest
        quarter = period_around(Period.QUARTER, first if newest is None else min(first, newest - HOUR_MS), self._time)
        since = min(quarter[0], emissions.run_start(connection, point, first - HOUR_MS))
        if not changed.is_missing.any() and not emissions.has_missing(connection, point, since, FOREVER):
            return None
        if not is_newer or end >= quarter[1]:
            return since
        old = Quarter(*quarter, *emissions.count(connection, point, *quarter), is_over=False)
        new = replace(
            old,
            hours=old.hours + len(changed.start),
            stopped=old.stopped + int(changed.is_stopped.sum()),
            missing=old.missing + int(changed.is_missing.sum()),
        )
        table = self._rules.substitution
        if new.capture is None or lines_at(table, old.capture) != lines_at(table, new.capture):
            return since
        if not changed.is_missing.any():
            changes.captures.append((point, quarter[0], FOREVER, significant_one(new.capture)))
            return None
        missing = int(changed.start[changed.is_missing][0])
        since = emissions.run_start(connection, point, first - HOUR_MS) if missing == first else missing
        changes.captures.append((point, quarter[0], since, significant_one(new.capture)))
        return since

    def _begin(self, connection: sqlite3.Connection, point: int, since: int) -> int:
        """Give where the hours begin that substituting from an instant on needs: quarter, run, look-back."""
        run = min(since, emissions.run_start(connection, point, since))
        quarter = period_around(Period.QUARTER, since, self._time)[0]
        return min(quarter, run, emissions.measured_before(connection, point, run, self._most_back))

    def _quarters(self, course: Course, since: int) -> list[Quarter]:
        until = int(course.start[-1]) + HOUR_MS
        found = []
        for start, end in periods_between(Period.QUARTER, since, until, self._time):
            inside = course.rows((course.start >= start) & (course.start < end))
            counts = len(inside.start), int(inside.is_stopped.sum()), int(inside.is_missing.sum())
            found.append(Quarter(start, end, *counts, is_over=until >= end))
        return found

    def _add_up(
        self, connection: sqlite3.Connection, point: int, course: Course, stand_in: Mapping[int, Substitute],
        touched: set[int], changes: Changes,
    ) -> None:  # fmt: skip
        """Add up the days that hours count differently in."""
        starts = sorted({self._time.day_start(hour) for hour in touched})
        standing = {one.start: one for one in emissions.days(connection, point, starts[0], starts[-1] + 1)}
        for start in starts:
            places = np.searchsorted(course.start, [start, self._time.next_day(start)])
            day = day_of(point, start, course.rows(slice(*places.tolist())), stand_in)
            if standing.get(start) != day:
                changes.days.append(day)


class _Sight:
    """What one batch of an outlet's hours needs, each point read once; an hour is a row."""

    def __init__(
        self, connection: sqlite3.Connection, points: dict[str, Point], numbers: dict[str, int], hours: Sequence[int]
    ) -> None:
        self._connection = connection
        self._points = points
        self._numbers = numbers
        self._hours = hours
        self._grids: dict[str, Grid] = {}
        self._masks: dict[str, list[tuple[bool, int | None]]] = {}

    def grid(self, point: Point, unit: str) -> Grid:
        """Give a point's minutes dry at standard state, in a unit."""
        factor = np.array([factor_to(point, unit)])
        if point.gas is not None:
            helpers = {name: self._raw(name) for name in helper_points(point)}
            means = {name: np.where(one.valid > 0, one.mean, np.nan) for name, one in helpers.items()}
            factor = factor * to_standard(point.gas, means)
        raw = self._raw(point.id)
        return raw if factor.size == 1 and factor[0] == 1.0 else raw.scaled(factor)

    def ran(self, point: Point, outlet: Sequence[str]) -> NDArray[np.bool_]:
        """Say in which minutes a pollutant's source ran.

        Its own windows say so; where it has none, any minute in which another point of the outlet says so; without
        any of those all minutes.
        """
        masks = []
        for place, (is_there, mask) in enumerate(self._ran(point.id)):
            if not is_there:
                others = [self._ran(name)[place] for name in outlet]
                known = [other for has_window, other in others if has_window]
                mask = None if not known or None in known else _any(known)
            masks.append(mask)
        return minutes_of_masks(masks)

    def _ran(self, name: str) -> list[tuple[bool, int | None]]:
        if name not in self._masks:
            self._masks[name] = emissions.ran(self._connection, self._numbers[name], self._hours)
        return self._masks[name]

    def _raw(self, name: str) -> Grid:
        if name not in self._grids:
            self._grids[name] = Grid.unpack(
                minutes.packed(self._connection, self._numbers[name], self._hours), extremes=False
            )
        return self._grids[name]


def _any(masks: Sequence[int | None]) -> int:
    together = 0
    for mask in masks:
        together |= mask or 0
    return together


def _under(grids: Sequence[Grid]) -> Grid:
    """Lay grids under one another."""
    if len(grids) == 1:
        return grids[0]
    return Grid(*(np.concatenate([getattr(grid, name) for grid in grids]) for name in GRID_FIELDS))


def _differs(standing: Course, weighed: Course) -> NDArray[np.bool_]:
    """Say of weighed hours whether they differ from what stands."""
    place = np.searchsorted(standing.start, weighed.start)
    there = np.isin(weighed.start, standing.start)
    same = there.copy()
    for field in fields(Course):
        old = getattr(standing, field.name)[place[there]]
        new = getattr(weighed, field.name)[there]
        same[there] &= (old == new) | ((old != old) & (new != new))  # NaN differs from itself
    return ~same


def _overlay(standing: Course, changed: Course) -> Course:
    """Put changed hours over those that stand."""
    kept = standing.rows(~np.isin(standing.start, changed.start))
    joined = Course(*(np.r_[getattr(kept, field.name), getattr(changed, field.name)] for field in fields(Course)))
    order = np.argsort(joined.start, kind="stable")
    return Course(*(getattr(joined, field.name)[order] for field in fields(Course)))
