"""This module keeps what people write about exceedances and monitors' outages, and reads the windows behind an entry.

Notes and fault reports are only added. A note hangs on an exceeding window, so that it stays where it belongs however
entries grow together or fall apart.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from plantmon.model.verdict import Verdict
from plantmon.store import verdicts
from plantmon.times import DAY_MS

LONGEST_WINDOW_MS = 366 * DAY_MS
_EXCEEDS = "outcome IN ('exceed', 'exceed_at_least')"


@dataclass(frozen=True, slots=True)
class Note:
    """Cause and action of an exceedance, as somebody wrote it to the window that starts at `start`."""

    id: int
    limit_key: str
    start: int
    cause: str
    action: str
    by: str
    noted_ms: int


@dataclass(frozen=True, slots=True)
class Behind:
    """What was measured in an exceedance's windows: valid readings, and minutes (values of a slow point) over range.

    `over_range` None: not counted, of months and years.
    """

    readings: int = 0
    over_range: int | None = None


@dataclass(frozen=True, slots=True)
class FaultReport:
    """That the authority was told at `at_ms` of a point's outage, which began with the hour `start`."""

    id: int
    point: int
    start: int
    at_ms: int
    by: str
    note: str
    noted_ms: int


def add_note(
    connection: sqlite3.Connection, limit_key: str, start: int, cause: str, action: str, by: str, now_ms: int
) -> int:
    """Keep a note to an exceeding window; give its number."""
    cursor = connection.execute(
        "INSERT INTO exceedance_note (limit_key, start, cause, action, by, noted_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (limit_key, start, cause, action, by, now_ms),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def notes(connection: sqlite3.Connection, limit_key: str, start_ms: int, end_ms: int) -> list[Note]:
    """List the notes to a limit's windows that start in [start, end), newest first."""
    rows = connection.execute(
        """
        SELECT id, limit_key, start, cause, action, by, noted_ms
        FROM exceedance_note WHERE limit_key = ? AND start >= ? AND start < ? ORDER BY id DESC
        """,
        (limit_key, start_ms, end_ms),
    )
    return [Note(*row) for row in rows]


def add_fault_report(
    connection: sqlite3.Connection, point: int, start: int, at_ms: int, by: str, note: str, now_ms: int
) -> int:
    """Keep that an outage was reported; give its number."""
    cursor = connection.execute(
        "INSERT INTO fault_report (point, start, at_ms, by, note, noted_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (point, start, at_ms, by, note, now_ms),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def fault_reports(connection: sqlite3.Connection, point: int) -> list[FaultReport]:
    """List the fault reports of a point, oldest first by the instant the authority was told."""
    rows = connection.execute(
        "SELECT id, point, start, at_ms, by, note, noted_ms FROM fault_report WHERE point = ? ORDER BY at_ms, id",
        (point,),
    )
    return [FaultReport(*row) for row in rows]


def exceeding(connection: sqlite3.Connection, limit_key: str, start_ms: int, end_ms: int) -> list[Verdict]:
    """Read a limit's exceeding windows that overlap [start, end), with all that join on to them, oldest first."""
    edges = connection.execute(
        f"""
        SELECT min(start), max(start), max("end") FROM verdict
        WHERE limit_key = ? AND start >= ? AND start < ? AND "end" > ? AND {_EXCEEDS}
        """,  # noqa: S608 - built of constants
        (limit_key, start_ms - LONGEST_WINDOW_MS, end_ms, start_ms),
    ).fetchone()
    if edges[0] is None:
        return []
    first, last, until = edges
    while (row := _neighbour(connection, limit_key, first, is_before=True)) is not None and row[1] == first:
        first = row[0]
    while (row := _neighbour(connection, limit_key, last, is_before=False)) is not None and row[0] == until:
        last, until = row
    return [one for one in verdicts.span(connection, limit_key, first, last + 1) if one.outcome.is_exceedance]


def _neighbour(
    connection: sqlite3.Connection, limit_key: str, start: int, *, is_before: bool
) -> tuple[int, int] | None:
    """Give the span of the verdict next to a window where that exceeds, else None."""
    side, order = ("<", "DESC") if is_before else (">", "ASC")
    row = connection.execute(
        f"""
        SELECT start, "end", {_EXCEEDS} FROM verdict
        WHERE limit_key = ? AND start {side} ? ORDER BY start {order} LIMIT 1
        """,  # noqa: S608 - built of constants
        (limit_key, start),
    ).fetchone()
    return (row[0], row[1]) if row is not None and row[2] else None


def measured_in(connection: sqlite3.Connection, level: str, point: int, start_ms: int, end_ms: int) -> Behind:
    """Count what a point measured in the closed hours (`1h`) or days (`1d`) that start in [start, end)."""
    row = connection.execute(
        """
        SELECT coalesce(sum(readings), 0), coalesce(sum(over_range), 0) FROM "window"
        WHERE level = ? AND start >= ? AND start < ? AND point = ?
        """,
        (level, start_ms, end_ms, point),
    ).fetchone()
    return Behind(row[0], row[1] if level == "1h" else None)
