"""This module keeps emission amounts up to date: takes the hours that changed, weighs them, writes what differs.

The unit of work is an hour of an outlet, as soon as all of its points that ever spoke have closed it; who closes it
last marks it. What is found depends on closed hours alone, so that any order of arrival ends in the same rows.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable

from plantmon.amounts.air import AirAmounts
from plantmon.amounts.changes import Changes
from plantmon.amounts.discharge import WaterAmounts
from plantmon.amounts.sources import Source, sources
from plantmon.model.plant import Plant
from plantmon.store import dirty, emissions, points, windows
from plantmon.store.database import Store
from plantmon.store.emissions import DAY, HOUR
from plantmon.times import HOUR_MS

MARKS_AT_ONCE = 8000
AMOUNT = "amount"  # level of the mark by which compliance is told that a pollutant's day came out differently

Span = tuple[int, int]


class AmountStage:
    """Makes the amounts of a plant's pollutants."""

    def __init__(self, plant: Plant, numbers: dict[str, int], store: Store) -> None:
        self._store = store
        self._numbers = numbers
        self._time = plant.time
        self._sources = sources(plant)
        self._source_of = {numbers[name]: source for source in self._sources for name in source.points}
        self._air = {s.outlet: AirAmounts(plant, numbers, s) for s in self._sources if s.kind == "air"}
        self._water = {s.outlet: WaterAmounts(plant, numbers, s) for s in self._sources if s.kind == "water"}
        self._busy = threading.Lock()

    def run(self) -> tuple[int, bool]:
        """Weigh what is marked; give how many rows changed, and whether work is left."""
        with self._busy:  # a recompute beside the live stage must not write what it read before the other
            with self._store.readers.snapshot() as connection:
                marks = dirty.unweighed(connection, MARKS_AT_ONCE)
                found = self._changes(connection, marks)
            if not marks:
                return 0, False

            def write(connection: sqlite3.Connection) -> int:
                dirty.wipe_unweighed(connection, marks)
                rows = sum(changes.write(connection) for changes in found)
                days = [(AMOUNT, day.start, day.point) for changes in found for day in changes.days]
                if days:
                    dirty.unjudge(connection, days)
                return rows

            return self._store.write(write), len(marks) == MARKS_AT_ONCE

    def mark(self, start_ms: int, end_ms: int) -> None:
        """Mark the closed hours that overlap [start, end) for weighing."""
        marks: list[tuple[int, int]] = []
        with self._store.readers.snapshot() as connection:
            closed = self._closed(connection)
        for source in self._sources:
            first, until = self._span(source, closed)
            begin = max(first, self._time.hour_start(start_ms)) if first < until else until
            hours = range(begin, min(until, end_ms), HOUR_MS)
            # Days of waste water are weighed up to the newest from their first change on.
            marks += [(hour, self._numbers[source.flow.id]) for hour in (hours if source.kind == "air" else hours[:1])]
        if marks:
            self._store.write(lambda connection: dirty.unweigh(connection, marks))

    def find_holes(self) -> int:
        """Find closed hours without their amounts and mark them; give how many. The daily check of design rule 11."""
        holes: list[tuple[int, int]] = []
        with self._store.readers.snapshot() as connection:
            closed = self._closed(connection)
            for source in self._sources:
                span = self._span(source, closed)
                for point in source.pollutants:
                    number = self._numbers[point.id]
                    if number in closed:
                        missing = self._missing(connection, source, number, span)
                        holes += [(hour, number) for hour in missing]
        if holes:
            self._store.write(lambda connection: dirty.unweigh(connection, holes))
        return len(holes)

    def _missing(self, connection: sqlite3.Connection, source: Source, point: int, span: Span) -> list[int]:
        first, until = span
        if source.kind == "air":
            if emissions.count(connection, point, first, until)[0] == (until - first) // HOUR_MS:
                return []
            there = set(emissions.hours(connection, point, first, until).start.tolist())
            return [hour for hour in range(first, until, HOUR_MS) if hour not in there]
        there = {one.start for one in emissions.days(connection, point, self._time.day_start(first), until)}
        days = [day for day in self._time.days(first, until) if day not in there]
        newest = emissions.newest(connection, point, DAY)
        if newest is not None and newest < until:
            days.append(newest)
        return [max(first, day) for day in days]

    def _changes(self, connection: sqlite3.Connection, marks: Iterable[dirty.Unweighed]) -> list[Changes]:
        closed = self._closed(connection)
        hours: dict[str, set[int]] = defaultdict(set)
        for mark in marks:
            source = self._source_of.get(mark.point)
            if source is not None:
                hours[source.outlet].add(mark.hour)
        found = []
        for source in self._sources:
            span = self._span(source, closed)
            chosen = sorted(hour for hour in hours[source.outlet] if span[0] <= hour < span[1])
            if not chosen:
                continue  # not all of its points have closed them: the last one to do so marks them again
            if source.kind == "air":
                found.append(self._air[source.outlet].changes(connection, chosen, span, closed))
            else:
                found.append(self._water[source.outlet].changes(connection, chosen[0], span, closed))
        return found

    def _closed(self, connection: sqlite3.Connection) -> dict[int, Span]:
        """Give the closed span of each point that ever spoke; empty, at its first hour, where it closed none yet."""
        closed = windows.closed(connection, HOUR)
        for life in points.lives(connection).values():
            if life.first_ms is not None and life.id not in closed:
                first = self._time.hour_start(life.first_ms)
                closed[life.id] = first, first
        return closed

    def _span(self, source: Source, closed: dict[int, Span]) -> Span:
        """Give the span that all points of an outlet that ever spoke have closed, from the first of them on."""
        spans = [closed[number] for name in source.points if (number := self._numbers[name]) in closed]
        if not spans:
            return 0, 0
        return min(start for start, _ in spans), min(until for _, until in spans)
