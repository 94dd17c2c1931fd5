"""This module keeps which files of readings were taken in, by whom, and how far one is that is being taken in."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Course:
    """A file of readings, the table's row, and how far it is: `checked` before anything is stored, then `done`."""

    id: int
    file: str
    sha256: str
    staged: str
    asked_by: str
    begun_ms: int
    first_ms: int | None
    last_ms: int | None
    total: int
    checked: int
    done: int
    fresh: int
    conflicts: int
    ended_ms: int | None


_SELECT = "SELECT * FROM import"


def begin(
    connection: sqlite3.Connection, file: str, sha256: str, staged: str, by: str, span: tuple[int, int] | None,
    total: int, now_ms: int,
) -> Course:  # fmt: skip
    """Begin a file, or give the one that was interrupted."""
    row = connection.execute(f"{_SELECT} WHERE staged = ? AND ended_ms IS NULL", (staged,)).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO import (file, sha256, staged, asked_by, begun_ms, first_ms, last_ms, total)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
            (file, sha256, staged, by, now_ms, *(span or (None, None)), total),
        ).fetchone()
    return Course(*row)


def note_checked(connection: sqlite3.Connection, number: int, checked: int) -> None:
    """Write how much of a file was compared with what stands."""
    connection.execute("UPDATE import SET checked = ? WHERE id = ?", (checked, number))


def note_done(connection: sqlite3.Connection, number: int, done: int, fresh: int, conflicts: int) -> None:
    """Write how much of a file is done, and how much more of it was new or contradicts what came meanwhile."""
    connection.execute(
        "UPDATE import SET done = ?, fresh = fresh + ?, conflicts = conflicts + ? WHERE id = ?",
        (done, fresh, conflicts, number),
    )


def end(connection: sqlite3.Connection, number: int, now_ms: int) -> Course:
    """Note that a file is done; give its course."""
    row = connection.execute("UPDATE import SET ended_ms = ? WHERE id = ? RETURNING *", (now_ms, number)).fetchone()
    return Course(*row)


def forget(connection: sqlite3.Connection, number: int) -> None:
    """Forget a file that was refused: nothing of it was stored."""
    connection.execute("DELETE FROM import WHERE id = ?", (number,))


def open_ones(connection: sqlite3.Connection) -> list[Course]:
    """List the files that are not done, in the order they were begun."""
    return [Course(*row) for row in connection.execute(f"{_SELECT} WHERE ended_ms IS NULL ORDER BY id")]


def ended(connection: sqlite3.Connection) -> list[Course]:
    """List the files that were taken in, in the order they were begun."""
    return [Course(*row) for row in connection.execute(f"{_SELECT} WHERE ended_ms IS NOT NULL ORDER BY id")]


def ended_as(connection: sqlite3.Connection, staged: str) -> Course | None:
    """Give the newest file that was taken in from a staging of this name."""
    return next((one for one in reversed(ended(connection)) if one.staged == staged), None)
