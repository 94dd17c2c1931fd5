"""This module keeps readings that come for a day that is sealed, until a supplement has them.

They are told from what stands as any other: an equal one is a redelivery, a different one a conflict. What stands may
be in SQLite still or, of a released day, in its files; files that cannot be read just now hold up nobody: the reading
is kept, and told apart when its supplement is made.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog

from plantmon.errors import ArchiveError
from plantmon.model.reading import ROW_FIELDS, Rows
from plantmon.sealed.reader import READER
from plantmon.store import archive
from plantmon.times import DAY_MS

log = structlog.get_logger()

Row = tuple[int, int, float, int, int]  # ts, point, value, flag, arrival
Key = tuple[int, int]  # ts, point

ONLY_DENSE = "AND point IN (SELECT id FROM point WHERE NOT sparse)"
POINTS_AT_ONCE = 16  # whose readings of a day are looked through for what stands
_KINDS = [("ts", np.int64), ("point", np.int64), ("value", np.float64), ("flag", np.int64), ("arrival", np.int64)]
_SELECT = "SELECT ts, point, value, flag, arrival_ms FROM late_reading WHERE ts >= ? AND ts < ?"
_INSERT = "INSERT OR IGNORE INTO late_reading (ts, point, value, flag, arrival_ms, added) VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Inserted:
    """What became of rows: how many are new, by place the value that a conflicting one found, and what is sealed."""

    fresh: int
    conflicts: dict[int, float]
    again: list[int]  # places of late rows that were there already


def places(connection: sqlite3.Connection, rows: Sequence[Row]) -> dict[int, archive.Day] | None:
    """Give the places of rows that fall on days that are sealed or being sealed; None where there are none."""
    newest = archive.newest(connection)
    if newest is None or not rows or min(row[0] for row in rows) >= newest + DAY_MS:
        return None
    days = {day: archive.read_day(connection, day) for day in {archive.day_of(row[0]) for row in rows}}
    found = {}
    for place, row in enumerate(rows):
        day = days[archive.day_of(row[0])]
        if day is not None:
            found[place] = day
    return found or None


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row], found: dict[int, archive.Day]) -> Inserted:
    """Store late rows, each once."""
    filed = dict(connection.execute("SELECT id, filed_until_ms FROM point WHERE filed_until_ms > 0"))
    by_day: dict[archive.Day, list[int]] = defaultdict(list)
    for place, day in found.items():
        by_day[day].append(place)
    added = archive.next_late_number(connection)
    fresh, conflicts, again = 0, {}, []
    for day, mine in by_day.items():
        is_filed = day.released_ms is not None
        dense = {p for p in mine if table == "reading" or (is_filed and day.day < filed.get(rows[p][1], 0))}
        stands = _standing(connection, day, [rows[place] for place in sorted(dense)])
        for place in mine:
            row = rows[place]
            standing = stands.get(row[:2]) if place in dense else _in_register(connection, row)
            if standing is None:
                connection.execute(_INSERT, (*row, added))
                stands[row[:2]] = row[2]
                fresh += 1
            elif standing != row[2]:
                conflicts[place] = standing
            else:
                again.append(place)
    return Inserted(fresh, conflicts, again)


def _in_register(connection: sqlite3.Connection, row: Row) -> float | None:
    """Store a sparse point's row, and give None, or the value that stands."""
    before = connection.total_changes
    connection.execute(
        "INSERT INTO register (ts, point, value, flag, arrival_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row
    )
    if connection.total_changes > before:
        return None
    value: float = connection.execute("SELECT value FROM register WHERE ts = ? AND point = ?", row[:2]).fetchone()[0]
    return value


def _standing(connection: sqlite3.Connection, day: archive.Day, rows: list[Row]) -> dict[Key, float]:
    """Give what stands at the keys of some rows of a day."""
    found: dict[Key, float] = {}
    tables = ["late_reading"] if day.released_ms is not None else ["late_reading", "reading"]
    for row in rows:
        for table in tables:
            one = connection.execute(
                f"SELECT value FROM {table} WHERE ts = ? AND point = ?",  # noqa: S608 - one of two constants
                row[:2],
            ).fetchone()
            if one:
                found[row[:2]] = one[0]
    if day.released_ms is not None and (open_ := [row[:2] for row in rows if row[:2] not in found]):
        try:
            found |= in_files(connection, day.day, open_)
        except ArchiveError as error:
            log.warning("late_unchecked", day=day.day, error=str(error))
    return found


def in_files(connection: sqlite3.Connection, day: int, keys: Collection[Key]) -> dict[Key, float]:
    """Give the values that a day's files have at some keys. Raises ArchiveError."""
    folder = archive.folder(connection)
    files = [(str(folder / one.name), one.sha256) for one in archive.entries(connection, day)]
    found: dict[Key, float] = {}
    numbers = sorted({point for _, point in keys})
    for first in range(0, len(numbers), POINTS_AT_ONCE):
        points = set(numbers[first : first + POINTS_AT_ONCE])
        mine = {key for key in keys if key[1] in points}
        instants = np.array(sorted({ts for ts, _ in mine}), np.int64)
        for rows in READER.read(files, points, int(instants[0]), int(instants[-1]) + 1):
            some = rows.take(np.isin(rows.ts, instants))
            pairs = zip(zip(some.ts.tolist(), some.point.tolist(), strict=True), some.value.tolist(), strict=True)
            found |= {key: value for key, value in pairs if key in mine}
    return found


def dense(connection: sqlite3.Connection, span: tuple[int, int], point: int | None = None) -> Rows:
    """Read the late readings of dense points, or of one, in a span of days that are not released."""
    if point is None:
        return rows_of(connection.execute(f"{_SELECT} {ONLY_DENSE}", span))
    return rows_of(connection.execute(f"{_SELECT} AND point = ?", (*span, point)))


def waiting(
    connection: sqlite3.Connection, span: tuple[int, int], after: int, points: Collection[int] | None = None,
    until: int = 1 << 62,
) -> Rows:  # fmt: skip
    """Read the late readings of a span that no supplement has, by their numbers; of some points or of all."""
    found = rows_of(
        connection.execute(f"{_SELECT} AND added > ? AND added <= ? ORDER BY added, ts, point", (*span, after, until))
    )
    return found if points is None else found.take(np.isin(found.point, list(points)))


def value_at(connection: sqlite3.Connection, ts_ms: int, point: int) -> float:
    """Give a late reading's value."""
    value: float = connection.execute(
        "SELECT value FROM late_reading WHERE ts = ? AND point = ?", (ts_ms, point)
    ).fetchone()[0]
    return value


def drop(connection: sqlite3.Connection, keys: Iterable[Key]) -> None:
    """Take late readings away."""
    connection.executemany("DELETE FROM late_reading WHERE ts = ? AND point = ?", keys)


def rows_of(found: Iterable[Any]) -> Rows:
    """Turn rows (ts, point, value, flag, arrival) into arrays, without holding them all as Python objects."""
    table = np.fromiter(found, np.dtype(_KINDS))
    return Rows(*(np.ascontiguousarray(table[name]) for name in ROW_FIELDS))
