"""This module remembers which span is being computed again and how far that is: a killed one goes on where it was."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from enum import StrEnum

from plantmon.times import DAY_MS

STALE_MS = 7 * DAY_MS  # who asks for the same span so much later means all of it


class Part(StrEnum):
    """What is computed, one after the other."""

    WINDOWS = "windows"
    AMOUNTS = "amounts"
    VERDICTS = "verdicts"


@dataclass(frozen=True, slots=True)
class Course:
    """A span [start, end) and how far it is; `windows` and `verdicts` came out differently so far."""

    id: int
    start_ms: int
    end_ms: int
    part: Part
    at_ms: int
    windows: int
    verdicts: int


def begin(connection: sqlite3.Connection, start_ms: int, end_ms: int, made_by: str, now_ms: int) -> Course:
    """Begin a span, or go on with the one that was interrupted: same beginning, plant file and program."""
    connection.execute(
        "DELETE FROM recompute WHERE made_by != ? OR asked_ms < ? OR (from_ms = ? AND to_ms > ?)",
        (made_by, now_ms - STALE_MS, start_ms, end_ms),
    )
    row = connection.execute(
        "SELECT id, from_ms, to_ms, part, at_ms, windows, verdicts FROM recompute WHERE from_ms = ?", (start_ms,)
    ).fetchone()
    if row is None:
        return Course(
            connection.execute(
                "INSERT INTO recompute (from_ms, to_ms, asked_ms, made_by, part, at_ms, windows, verdicts)"
                " VALUES (?, ?, ?, ?, ?, ?, 0, 0) RETURNING id",
                (start_ms, end_ms, now_ms, made_by, Part.WINDOWS, start_ms),
            ).fetchone()[0],
            start_ms, end_ms, Part.WINDOWS, start_ms, 0, 0,
        )  # fmt: skip
    found = replace(_course(row), end_ms=end_ms)
    if row[2] < end_ms and found.part is not Part.WINDOWS:  # it reaches further now: windows go on where they ended
        found = replace(found, part=Part.WINDOWS, at_ms=row[2])
    note(connection, found)
    return found


def note(connection: sqlite3.Connection, course: Course) -> None:
    """Write how far a span is."""
    connection.execute(
        "UPDATE recompute SET to_ms = ?, part = ?, at_ms = ?, windows = ?, verdicts = ? WHERE id = ?",
        (course.end_ms, course.part, course.at_ms, course.windows, course.verdicts, course.id),
    )


def end(connection: sqlite3.Connection, course: Course) -> None:
    """Forget a span that is done."""
    connection.execute("DELETE FROM recompute WHERE id = ?", (course.id,))


def newest(connection: sqlite3.Connection) -> Course | None:
    """Give the span that is being computed again, None where there is none."""
    row = connection.execute(
        "SELECT id, from_ms, to_ms, part, at_ms, windows, verdicts FROM recompute ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return _course(row) if row else None


def _course(row: tuple[int, int, int, str, int, int, int]) -> Course:
    number, start_ms, end_ms, part, at_ms, windows, verdicts = row
    return Course(number, start_ms, end_ms, Part(part), at_ms, windows, verdicts)
