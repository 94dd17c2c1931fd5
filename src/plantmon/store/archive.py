"""This module keeps which days are sealed in which files, and what is still to be done with them.

A day goes through its states in its row of `archive_day`: being sealed (its readings stand still), sealed (its file was
read back), released (its dense readings are read from its files), emptied (they have left SQLite). Each step is one
transaction, so that a kill leaves the day in one of them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from plantmon.sealed.manifest import BEGINNING, Entry, chained, name_of
from plantmon.sealed.manifest import day_text as day_text
from plantmon.store.values import next_number
from plantmon.times import DAY_MS

_FOLDER = "archive"  # of the store's table `meta`
_DEFAULT_FOLDER = "archive"
_SPARSE_NEXT = """
    SELECT min(first) FROM (
      SELECT (SELECT min(ts) FROM register WHERE register.point = point.id AND ts >= :ts) AS first
      FROM point WHERE sparse
    )
"""


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day's state; instants are None until it is there."""

    day: int
    sealed_ms: int | None
    released_ms: int | None
    emptied_ms: int | None
    late_until: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What is sealed: days, days released, files, readings, bytes, readings that wait for a supplement."""

    days: int
    released: int
    files: int
    rows: int
    bytes: int
    waiting: int


def day_of(ts_ms: int) -> int:
    """Give the start of the UTC day that holds an instant."""
    return ts_ms // DAY_MS * DAY_MS


# Where


def folder(connection: sqlite3.Connection) -> Path:
    """Give the archive's folder; it moves with the store where it lies beside it."""
    beside = Path(connection.execute("PRAGMA database_list").fetchone()[2]).parent
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_FOLDER,)).fetchone()
    return beside / (row[0] if row else _DEFAULT_FOLDER)


def set_folder(connection: sqlite3.Connection, path: Path) -> None:
    """Note where the archive's folder is."""
    beside = Path(connection.execute("PRAGMA database_list").fetchone()[2]).parent
    path = path.absolute()
    kept = path.relative_to(beside) if path.is_relative_to(beside) else path
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_FOLDER, str(kept)))


# Which


def newest(connection: sqlite3.Connection) -> int | None:
    """Give the newest day that is sealed or being sealed."""
    day: int | None = connection.execute("SELECT max(day) FROM archive_day").fetchone()[0]
    return day


def days(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[Day]:
    """List the days with a state that overlap [start, end), oldest first."""
    rows = connection.execute(
        "SELECT day, sealed_ms, released_ms, emptied_ms, late_until FROM archive_day"
        " WHERE day > ? AND day < ? ORDER BY day",
        (start_ms - DAY_MS, end_ms),
    )
    return [Day(*row) for row in rows]


def read_day(connection: sqlite3.Connection, day: int) -> Day | None:
    """Read a day's state."""
    found = days(connection, day, day + 1)
    return found[0] if found else None


def entries(connection: sqlite3.Connection, day: int | None = None) -> list[Entry]:
    """List the manifest in its order, all of it or one day's files."""
    rows = connection.execute(
        "SELECT seq, name, day, supplement, rows, bytes, sha256, sealed_ms, chain FROM archive_file"
        " WHERE day >= ? AND day <= ? ORDER BY seq",
        (-(1 << 62), 1 << 62) if day is None else (day, day),
    )
    return [Entry(seq, name, day_text(of), *rest) for seq, name, of, *rest in rows]


def totals(connection: sqlite3.Connection) -> Totals:
    """Count what is sealed and what waits."""
    sealed, released = connection.execute("SELECT count(sealed_ms), count(released_ms) FROM archive_day").fetchone()
    files, rows, size = connection.execute(
        "SELECT count(*), coalesce(sum(rows), 0), coalesce(sum(bytes), 0) FROM archive_file"
    ).fetchone()
    (waiting,) = connection.execute(
        "SELECT count(*) FROM archive_day JOIN late_reading ON ts >= day AND ts < day + ? AND added > late_until",
        (DAY_MS,),
    ).fetchone()
    return Totals(sealed, released, files, rows, size, waiting)


def open_day(connection: sqlite3.Connection) -> int | None:
    """Give a day whose sealing was begun and not ended."""
    day: int | None = connection.execute("SELECT min(day) FROM archive_day WHERE sealed_ms IS NULL").fetchone()[0]
    return day


def next_unsealed(connection: sqlite3.Connection, until_ms: int) -> int | None:
    """Give the oldest day without state that has readings and ends by an instant."""
    first: int | None = connection.execute("SELECT min(first_ms) FROM point").fetchone()[0]
    if first is None:
        return None
    known = {row[0] for row in connection.execute("SELECT day FROM archive_day")}
    at = day_of(first)
    while at + DAY_MS <= until_ms:
        if at in known:
            at += DAY_MS
            continue
        dense = connection.execute("SELECT min(ts) FROM reading WHERE ts >= ?", (at,)).fetchone()[0]
        sparse = connection.execute(_SPARSE_NEXT, {"ts": at}).fetchone()[0]
        found = min((ts for ts in (dense, sparse) if ts is not None), default=None)
        if found is None:
            return None
        if day_of(found) == at:
            return at
        at = day_of(found)
    return None


def next_release(connection: sqlite3.Connection, until_ms: int) -> int | None:
    """Give the oldest sealed day that ends by an instant and is not released."""
    day: int | None = connection.execute(
        "SELECT min(day) FROM archive_day WHERE sealed_ms IS NOT NULL AND released_ms IS NULL AND day <= ?",
        (until_ms - DAY_MS,),
    ).fetchone()[0]
    return day


def leaving_day(connection: sqlite3.Connection) -> int | None:
    """Give a released day that still has readings in SQLite."""
    day: int | None = connection.execute(
        "SELECT min(day) FROM archive_day WHERE released_ms IS NOT NULL AND emptied_ms IS NULL"
    ).fetchone()[0]
    return day


def next_supplement(connection: sqlite3.Connection) -> tuple[int, int] | None:
    """Give the oldest sealed day with late readings in no file yet, and the newest number among all late ones."""
    for day in connection.execute(
        "SELECT day, late_until FROM archive_day WHERE sealed_ms IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM late_reading WHERE ts >= day AND ts < day + ? AND added > late_until)"
        " ORDER BY day LIMIT 1",
        (DAY_MS,),
    ):
        return day[0], connection.execute("SELECT max(added) FROM late_reading").fetchone()[0]
    return None


# Steps


def begin(connection: sqlite3.Connection, day: int) -> None:
    """Have a day's readings stand still: what comes for it from now on is late."""
    connection.execute("INSERT OR IGNORE INTO archive_day (day, late_until) VALUES (?, 0)", (day,))


def add_file(
    connection: sqlite3.Connection, day: int, supplement: int, rows: int, size: int, sha256: str, now_ms: int
) -> None:
    """Enter a verified file, at the end of the chain."""
    row = connection.execute("SELECT seq, chain FROM archive_file ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (row[0] + 1, row[1]) if row else (1, BEGINNING)
    name = name_of(day, supplement)
    chain = chained(previous, seq, name, rows, size, sha256, now_ms)
    connection.execute(
        "INSERT INTO archive_file (seq, day, supplement, name, rows, bytes, sha256, sealed_ms, chain)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (seq, day, supplement, name, rows, size, sha256, now_ms, chain),
    )


def note_sealed(connection: sqlite3.Connection, day: int, now_ms: int) -> None:
    """Write that a day's file is there."""
    connection.execute("UPDATE archive_day SET sealed_ms = ? WHERE day = ?", (now_ms, day))


def note_supplemented(connection: sqlite3.Connection, day: int, until: int) -> None:
    """Write up to which number a day's late readings are in files; where it was emptied they are to leave too."""
    connection.execute("UPDATE archive_day SET late_until = ?, emptied_ms = NULL WHERE day = ?", (until, day))


def release(connection: sqlite3.Connection, day: int, now_ms: int) -> None:
    """Have a day's dense readings read from its files from now on."""
    connection.execute("UPDATE archive_day SET released_ms = ? WHERE day = ?", (now_ms, day))


def empty(connection: sqlite3.Connection, day: int, most: int, now_ms: int) -> bool:
    """Let go of some readings of a released day; say whether any are left."""
    for table in ("reading", "late_reading"):
        filed = "" if table == "reading" else " AND added <= (SELECT late_until FROM archive_day WHERE day = :day)"
        span = {"day": day, "end": day + DAY_MS, "most": most}
        edge = connection.execute(
            f"SELECT ts FROM {table} WHERE ts >= :day AND ts < :end{filed} ORDER BY ts LIMIT 1 OFFSET :most",  # noqa: S608
            span,
        ).fetchone()
        # One instant of a plant goes as a whole, however many points it has.
        span["end"] = day + DAY_MS if edge is None else edge[0] + 1
        connection.execute(f"DELETE FROM {table} WHERE ts >= :day AND ts < :end{filed}", span)  # noqa: S608 - constants
        if edge is not None:
            return True
    connection.execute("UPDATE archive_day SET emptied_ms = ? WHERE day = ?", (now_ms, day))
    return False


def next_late_number(connection: sqlite3.Connection) -> int:
    """Give the number of a batch of late readings."""
    return next_number(connection, "late_reading")
