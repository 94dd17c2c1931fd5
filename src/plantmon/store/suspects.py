"""This module keeps what makes minutes suspicious: rows of (start, end, kind, detail) by point, within an hour each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

Row = tuple[int, int, str, str]  # start, end, kind, detail


def span(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> list[Row]:
    """List what is suspicious of a point and overlaps [start, end), oldest first."""
    return connection.execute(
        """
        SELECT start, "end", kind, detail FROM suspect
        WHERE point = ? AND "end" > ? AND start < ?
        ORDER BY start, kind
        """,
        (point, start_ms, end_ms),
    ).fetchall()


def replace(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int, rows: Iterable[Row]) -> None:
    """Set what is suspicious of a point in [start, end)."""
    connection.execute("DELETE FROM suspect WHERE point = ? AND start >= ? AND start < ?", (point, start_ms, end_ms))
    connection.executemany(
        'INSERT INTO suspect (point, start, "end", kind, detail) VALUES (?, ?, ?, ?, ?)',
        [(point, *row) for row in rows],
    )
