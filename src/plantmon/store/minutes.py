"""This module keeps minute windows: one packed row a point and hour."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from plantmon.model.minutes import MinuteBlock


def read(connection: sqlite3.Connection, hour: int, points: Iterable[int]) -> dict[int, MinuteBlock]:
    """Read the blocks of some points' hour; a point without readings is not in the answer."""
    found = {}
    for point in points:
        row = connection.execute("SELECT packed FROM minutes WHERE hour = ? AND point = ?", (hour, point)).fetchone()
        if row:
            found[point] = MinuteBlock.unpack(row[0])
    return found


def span(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> list[tuple[int, MinuteBlock]]:
    """Read one point's blocks whose hours start in [start, end), oldest first."""
    return [
        (hour, MinuteBlock.unpack(packed))
        for hour, packed in connection.execute(
            "SELECT hour, packed FROM minutes WHERE point = ? AND hour >= ? AND hour < ? ORDER BY hour",
            (point, start_ms, end_ms),
        )
    ]


def write(connection: sqlite3.Connection, rows: Iterable[tuple[int, int, bytes]]) -> None:
    """Write (hour, point, packed) rows."""
    connection.executemany(
        "INSERT INTO minutes (hour, point, packed) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET packed = excluded.packed",
        rows,
    )
