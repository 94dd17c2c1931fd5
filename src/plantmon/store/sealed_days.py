"""This module reads the days that SQLite has let go of: from their files, with what came late and is in no file yet.

A span is cut into stretches: days that were released, and what lies between them. Which days those are stands in the
same snapshot as everything else, and files never change: so whoever reads sees each reading once, whatever is being
sealed or deleted meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from plantmon.model.reading import Rows
from plantmon.sealed.reader import READER
from plantmon.store import archive, late
from plantmon.times import DAY_MS, HOUR_MS

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a span: of one released day, or of none (`sealed` None)."""

    span: Span
    sealed: archive.Day | None

    def within(self, start_ms: int, end_ms: int) -> Stretch:
        """Give a part of it."""
        return replace(self, span=(start_ms, end_ms))

    def hours(self) -> Iterator[Span]:
        """Go through its hours of UTC."""
        at, end = self.span
        while at < end:
            edge = min(end, at // HOUR_MS * HOUR_MS + HOUR_MS)
            yield at, edge
            at = edge


def stretches(
    connection: sqlite3.Connection, start_ms: int, end_ms: int, filed_until: int | None = None
) -> list[Stretch]:
    """Cut [start, end) into stretches, oldest first.

    Of a point that is sparse now only days before `filed_until` count as released: the others are in `register`.
    """
    if filed_until == 0:
        return [Stretch((start_ms, end_ms), None)]
    found: list[Stretch] = []
    at = start_ms
    for day in archive.days(connection, start_ms, end_ms):
        if day.released_ms is None or (filed_until is not None and day.day >= filed_until):
            continue
        if at < day.day:
            found.append(Stretch((at, day.day), None))
        found.append(Stretch((max(start_ms, day.day), min(end_ms, day.day + DAY_MS)), day))
        at = day.day + DAY_MS
    if at < end_ms or not found:
        found.append(Stretch((at, max(at, end_ms)), None))
    return found


def read(connection: sqlite3.Connection, stretch: Stretch, points: Collection[int] | None) -> Rows:
    """Read some points' readings of a stretch of a released day, by time then point. Raises ArchiveError."""
    assert stretch.sealed is not None
    folder = archive.folder(connection)
    files = [(str(folder / one.name), one.sha256) for one in archive.entries(connection, stretch.sealed.day)]
    found = READER.read(files, points, *stretch.span)
    return Rows.join([*found, late.waiting(connection, stretch.span, stretch.sealed.late_until, points)]).by_time()


def dense_in(
    connection: sqlite3.Connection, stretch: Stretch, slow: Iterable[int], only: Collection[int] | None
) -> list[int]:
    """List the points whose readings of a released day are read from its files, and of the sparse those in `slow`."""
    assert stretch.sealed is not None
    named = set(slow)
    return [
        number
        for number, is_sparse, until in connection.execute("SELECT id, sparse, filed_until_ms FROM point")
        if (not is_sparse or (number in named and stretch.sealed.day < until)) and (only is None or number in only)
    ]


def filed(connection: sqlite3.Connection, points: Collection[int] | None = None) -> dict[int, int]:
    """Give the sparse points, all or of some, that were dense once, and until when files alone have their readings."""
    rows = connection.execute("SELECT id, filed_until_ms FROM point WHERE sparse AND filed_until_ms > 0")
    return {number: until for number, until in rows if points is None or number in points}


def unfiled(connection: sqlite3.Connection, start_ms: int, end_ms: int, until: int | None) -> list[Span]:
    """Give the parts of [start, end) for which `register` has a sparse point's readings."""
    return [one.span for one in stretches(connection, start_ms, end_ms, until or 0) if one.sealed is None]
