"""This module gives every window its verdicts: reads what is unjudged, judges, writes, in one transaction a turn.

Each window is judged by the plant file in force at its start (design rule 6). What changed is told by marks; a span
asked for anew is judged whole. Both go day by day through `Evaluator`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import lru_cache

import numpy as np

from plantmon.averages.water_flow import LOOK_BACK_MS, Flow, filled_from
from plantmon.compliance.book import Book
from plantmon.compliance.evaluate import LONG, Evaluator, Task
from plantmon.compliance.in_force import windows_of, windows_on
from plantmon.compliance.periods import long_window_of
from plantmon.compliance.permit import Permit
from plantmon.errors import ArchiveError
from plantmon.model.minutes import Grid
from plantmon.model.plant import Basis, Limit, Plant
from plantmon.model.verdict import Verdict
from plantmon.store import dirty, minutes, verdicts, windows
from plantmon.store.database import Store
from plantmon.store.passed_over import PassedOver
from plantmon.times import HOUR_MS

WINDOWS_AT_ONCE = 2000
REMEMBERED = 4096  # instants
Closed = dict[str, dict[int, tuple[int, int]]]


class Wanted:
    """Windows to judge, each once, by the local day they begin on, the book that judges them, and the limit."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[int, int], dict[str, dict[int, Task]]] = defaultdict(lambda: defaultdict(dict))
        self._books: dict[int, Book] = {}

    def add(self, day: int, book: Book, key: str, task: Task) -> None:
        """Take a window in."""
        self._books[id(book)] = book
        self._tasks[day, id(book)][key][task.start] = task

    def __iter__(self) -> Iterator[tuple[Book, dict[str, list[Task]]]]:
        """Go through them in the order of time."""
        for (_, number), keys in sorted(self._tasks.items(), key=lambda item: item[0][0]):
            yield self._books[number], {key: [some[start] for start in sorted(some)] for key, some in keys.items()}


class ComplianceStage:
    """Judges windows by the limits of a permit. `numbers` are those of all points ever known."""

    def __init__(self, plant: Plant, permit: Permit, numbers: dict[str, int], store: Store) -> None:
        self._time = plant.time
        # The same few instants are asked for by every limit; a zone's arithmetic is the dearest part of the question.
        self._date_of: Callable[[int], date] = lru_cache(REMEMBERED)(plant.time.date_of)
        self._day_start: Callable[[int], int] = lru_cache(REMEMBERED)(plant.time.day_start)
        self._numbers = numbers
        self._store = store
        self._busy = threading.Lock()
        self.passed_over = PassedOver()
        self.renew(permit)

    def renew(self, permit: Permit) -> None:
        """Judge by another permit from now on."""
        self._permit = permit
        self._books = [Book(plant, self._numbers) for plant in permit.plants]

    def run(self, now_ms: int) -> tuple[int, bool]:
        """Judge what is unjudged; give how many verdicts changed, and whether work is left."""
        with self._busy:  # a recompute beside the live stage must not write what it read before the other
            with self._store.readers.snapshot() as connection:
                marks = dirty.unjudged(connection, WINDOWS_AT_ONCE, self.passed_over.starts(now_ms))
                try:
                    found = self._judge(connection, self._wanted_by(connection, marks))
                except ArchiveError:  # which windows need the file that cannot be read is looked for once
                    self._pass_over(connection, marks, now_ms)
                    return 0, True
            if not marks:
                return 0, False

            def write(connection: sqlite3.Connection) -> int:
                dirty.wipe_unjudged(connection, marks)
                return verdicts.write_changed(connection, found, now_ms)

            return self._store.write(write), len(marks) == WINDOWS_AT_ONCE

    def _pass_over(self, connection: sqlite3.Connection, marks: list[dirty.Unjudged], now_ms: int) -> None:
        """Find the marks that cannot be judged just now, so that all others can."""
        by_start: dict[int, list[dirty.Unjudged]] = defaultdict(list)
        for mark in marks:
            by_start[mark.start].append(mark)
        for start, some in by_start.items():
            try:
                self._judge(connection, self._wanted_by(connection, some))
            except ArchiveError as error:
                self.passed_over.note(start, error, now_ms)

    def recompute(self, start_ms: int, end_ms: int, now_ms: int) -> int:
        """Judge every closed window that overlaps [start, end) again; give how many verdicts came out differently.

        What no limit in force judges any more is withdrawn.
        """
        return sum(changed for _, changed in self.recompute_days(start_ms, end_ms, now_ms))

    def recompute_days(
        self, start_ms: int, end_ms: int, now_ms: int, done_ms: int | None = None
    ) -> Iterator[tuple[int, int]]:
        """Do so a local day at a time, then the months and years; give where each ends, and how many changed in it.

        Days before `done_ms` are passed over. Between two of them the live stage has its turn.
        """
        with self._store.readers.snapshot() as connection:
            closed = self._closed(connection)
        spans = [span for level in closed.values() for span in level.values()]
        if not spans:
            return
        start_ms = max(start_ms, min(start for start, _ in spans))
        end_ms = min(end_ms, max(until for _, until in spans))
        for day in self._time.days(start_ms if done_ms is None else max(start_ms, done_ms), end_ms):
            with self._busy:
                with self._store.readers.snapshot() as connection:
                    found = self._judge(connection, self._wanted_on(connection, day))
                    gone = self._without_limit(connection, day)
                changed = self._replace(found, gone, now_ms)
            yield min(end_ms, self._time.next_day(day)), changed
        with self._busy:
            with self._store.readers.snapshot() as connection:
                found = self._judge(connection, self._long_windows(connection, start_ms, end_ms))
            changed = self._replace(found, [], now_ms)
        yield end_ms, changed

    def _replace(self, found: list[Verdict], gone: list[Verdict], now_ms: int) -> int:
        def write(connection: sqlite3.Connection) -> int:
            return verdicts.withdraw(connection, gone, now_ms) + verdicts.write_changed(connection, found, now_ms)

        return self._store.write(write)

    def find_holes(self) -> int:
        """Find closed windows that a limit in force covers without a verdict, and mark them; give how many.

        The daily check of design rule 11. Counting settles a limit without a hole.
        """
        holes: list[dirty.Mark] = []
        with self._store.readers.snapshot() as connection:
            closed = self._closed(connection)
            for book in self._books:
                for limit in book.limits.values():
                    holes += self._holes_of(connection, book, limit, closed)
        if holes:
            self._store.write(lambda connection: dirty.unjudge(connection, holes))
        return len(holes)

    # which windows

    def _wanted_by(self, connection: sqlite3.Connection, marks: Iterable[dirty.Unjudged]) -> Wanted:
        """Give the windows that marks touch."""
        wanted, closed = Wanted(), self._closed(connection)
        flows: dict[int, set[int]] = defaultdict(set)
        for mark in marks:
            for book in self._books:
                for limit in book.touched_by(mark.level, mark.point):
                    reach = book.reach_ms(limit)
                    found = windows_of(limit, mark.level, mark.start, self._time, book.plant.rules, reach)
                    self._add(wanted, closed, book, limit, found)
                    if mark.level == "1h" and book.is_filled_by(limit, mark.point):
                        flows[mark.point].add(mark.start)
        for point, hours in flows.items():
            self._add_filled(connection, wanted, closed, point, sorted(hours))
        return wanted

    def _wanted_on(self, connection: sqlite3.Connection, day: int) -> Wanted:
        """Give all windows that begin on a local day, short of months and years."""
        wanted, closed = Wanted(), self._closed(connection)
        for book in self._books:
            for limit in book.limits.values():
                self._add(wanted, closed, book, limit, windows_on(limit, day, self._time, book.plant.rules))
        return wanted

    def _long_windows(self, connection: sqlite3.Connection, start_ms: int, end_ms: int) -> Wanted:
        """Give the months and years that overlap [start, end)."""
        wanted, closed = Wanted(), self._closed(connection)
        for book in self._books:
            for limit in book.limits.values():
                if limit.window in LONG:
                    days = self._time.days(start_ms, end_ms)
                    found = sorted({long_window_of(limit.window, day, self._time) for day in days})
                    self._add(wanted, closed, book, limit, found)
        return wanted

    def _add(self, wanted: Wanted, closed: Closed, book: Book, limit: Limit, found: Iterable[tuple[int, int]]) -> None:
        """Take those windows in that this book's limit judges and that are over; amounts also while they go on."""
        for start, end in found:
            if self._permit.at(start) is not book.plant or not limit.covers(self._date_of(start)):
                continue
            is_over = self._is_closed(closed, book, limit, start, end)
            if is_over or (limit.basis is Basis.MASS and limit.window in LONG):
                wanted.add(self._day_start(start), book, limit.key, Task(start, end, is_over))

    def _add_filled(
        self, connection: sqlite3.Connection, wanted: Wanted, closed: Closed, point: int, hours: list[int]
    ) -> None:
        """Take in the windows of waste water whose missing flow is filled with what changed hours brought."""
        until = min(closed["1h"].get(point, (0, 0))[1], hours[-1] + LOOK_BACK_MS)
        if until <= hours[-1] + HOUR_MS:
            return  # the usual case: nothing later is there to be filled
        minutes_of = minutes.packed(connection, point, range(hours[0], until, HOUR_MS))
        line = Grid.unpack(minutes_of).flat()
        flow = Flow(hours[0], np.where(line.valid > 0, line.mean, np.nan)[0])
        runs = filled_from(flow, [(hour, hour + HOUR_MS) for hour in hours])
        later = sorted({self._time.hour_start(at) for start, end in runs for at in range(start, end, HOUR_MS)}
                       | {self._time.hour_start(end - 1) for _, end in runs})  # fmt: skip
        for book in self._books:
            for limit in book.touched_by("1h", point):
                if book.is_filled_by(limit, point) and limit.basis is Basis.CONCENTRATION:
                    self._add(wanted, closed, book, limit, self._windows_holding(limit, later))

    def _windows_holding(self, limit: Limit, hours: list[int]) -> list[tuple[int, int]]:
        if limit.window == "1h":
            return [(hour, hour + HOUR_MS) for hour in hours]
        days = sorted({self._day_start(hour) for hour in hours})
        if limit.window == "1d":
            return [(day, self._time.next_day(day)) for day in days]
        return sorted({long_window_of(limit.window, day, self._time) for day in days})

    def _judge(self, connection: sqlite3.Connection, wanted: Wanted) -> list[Verdict]:
        return [verdict for book, tasks in wanted for verdict in Evaluator(connection, book).verdicts(tasks)]

    def _closed(self, connection: sqlite3.Connection) -> Closed:
        return {level: windows.closed(connection, level) for level in ("1h", "1d")}

    def _is_closed(self, closed: Closed, book: Book, limit: Limit, start: int, end: int) -> bool:
        """Whether all points of a limit that ever spoke have closed a window; else the last to do so will mark it."""
        spans = closed["1d" if limit.window in ("1d", *LONG) else "1h"]
        own = spans.get(self._numbers[limit.point])
        if limit.basis is Basis.MASS:
            own = max((spans[n] for n in map(self._numbers.get, book.others(limit)) if n in spans), default=own)
        if own is None or own[1] < end or own[0] >= end:
            return False
        others = (spans.get(self._numbers[name]) for name in book.others(limit))
        return all(span is None or span[1] >= end for span in others)

    # what is missing, what is too much

    def _holes_of(self, connection: sqlite3.Connection, book: Book, limit: Limit, closed: Closed) -> list[dirty.Mark]:
        if limit.window not in ("1h", "1d", "reading") or limit.basis is Basis.MASS:
            return []
        level = "1d" if limit.window == "1d" else "1h"
        number = self._numbers[limit.point]
        holes = []
        first, until = closed[level].get(number, (0, 0))
        for start, end, plant in self._permit.spans(first, until):
            if plant is not book.plant:
                continue
            due = [one for one in self._starts(level, start, end) if limit.covers(self._date_of(one))]
            if due and verdicts.count(connection, limit.key, due[0], due[-1] + 1) < len(due):
                there = verdicts.starts(connection, limit.key, due[0], due[-1] + 1)
                holes += [(level, one, number) for one in due if one not in there]
        return holes

    def _starts(self, level: str, start: int, end: int) -> list[int]:
        if level == "1d":
            return [day for day in self._time.days(start, end) if day >= start]
        first = self._time.hour_start(start)
        return list(range(first if first >= start else first + HOUR_MS, end, HOUR_MS))

    def _without_limit(self, connection: sqlite3.Connection, day: int) -> list[Verdict]:
        """List verdicts on a day's windows by limits that the permit no longer puts in force there."""
        if len(self._books) == 1:
            return []
        end = self._time.next_day(day)
        return [
            verdict
            for key in self._permit.limits()
            for verdict in verdicts.span(connection, key, day, end)
            if self._permit.is_in_force(key, verdict.start) is None
        ]
