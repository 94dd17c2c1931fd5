"""This module looks ahead in every window that runs, by the permit in force, and says of which people are warned."""

from __future__ import annotations

import sqlite3

from plantmon.compliance.book import Book
from plantmon.compliance.lookout import Lookout
from plantmon.compliance.outlook import Outlook, conditions, key_of
from plantmon.compliance.periods import DAY_PERIOD, NIGHT_PERIOD, period_of
from plantmon.compliance.permit import Permit
from plantmon.model.alarm import Condition
from plantmon.model.plant import Basis, Limit, Plant
from plantmon.store import alarms, windows
from plantmon.store.database import Readers
from plantmon.times import HOUR_MS

BASES = (Basis.CONCENTRATION, Basis.LEVEL, Basis.RATE)


class OutlookStage:
    """Looks ahead for one plant. `numbers` are those of all points ever known; nothing is written."""

    def __init__(self, plant: Plant, permit: Permit, numbers: dict[str, int], readers: Readers) -> None:
        self._plant = plant
        self._numbers = numbers
        self._readers = readers
        self.renew(permit)

    def renew(self, permit: Permit) -> None:
        """Look ahead by another permit from now on."""
        self._permit = permit
        self._books = [Book(plant, self._numbers) for plant in permit.plants]

    def run(self, now_ms: int) -> list[Outlook]:
        """Give the outlook of every running hour, day and period that a limit in force judges, in the file's order."""
        with self._readers.snapshot() as connection:
            closed = windows.closed(connection, "1h")
            found = []
            for book in self._books:
                lookout = Lookout(connection, book, self._plant, closed, now_ms)
                for limit, start, end in self._running(book, now_ms):
                    found.append(lookout.outlook(limit, start, end))
        return found

    def conditions(self, outlooks: list[Outlook]) -> list[Condition]:
        """Say which warnings begin and end."""
        with self._readers.snapshot() as connection:
            standing = {alarm.key: alarm for alarm in alarms.all_standing(connection)}
            warned = frozenset(key_of(one.limit.key) for one in outlooks if self._was_warned(connection, one))
        return conditions(outlooks, standing, warned, self._plant.alarms.deadband)

    def _was_warned(self, connection: sqlite3.Connection, one: Outlook) -> bool:
        return one.is_beyond and alarms.was_told(connection, key_of(one.limit.key), one.start, one.end)

    def _running(self, book: Book, now_ms: int) -> list[tuple[Limit, int, int]]:
        """List the limits of a book with the windows of theirs that run now."""
        time = self._plant.time
        hour, day = time.hour_start(now_ms), time.day_start(now_ms)
        spans: dict[str, tuple[int, int] | None] = {"1h": (hour, hour + HOUR_MS), "1d": (day, time.next_day(day))}
        for name in (DAY_PERIOD, NIGHT_PERIOD):
            spans[name] = period_of(name, hour, time, book.plant.rules)
        judged = {
            name: time.date_of(span[0])
            for name, span in spans.items()
            if span is not None and self._permit.at(span[0]) is book.plant
        }
        found = []
        for limit in book.limits.values():
            span = spans.get(limit.window)
            is_judged = limit.window in judged and limit.covers(judged[limit.window])
            if span is not None and is_judged and limit.basis in BASES and limit.unavailable is None:
                found.append((limit, *span))
        return found
