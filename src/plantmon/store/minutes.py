"""This module keeps minute windows: one packed row a point and hour."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable

from plantmon.model.minutes import MinuteBlock

FEW = 20  # points, up to which a seek each is cheaper than reading an hour of all


def read(connection: sqlite3.Connection, hour: int, points: Iterable[int]) -> dict[int, MinuteBlock]:
    """Read the blocks of some points' hour; a point without readings is not in the answer."""
    found = {}
    for point in points:
        row = connection.execute("SELECT packed FROM minutes WHERE hour = ? AND point = ?", (hour, point)).fetchone()
        if row:
            found[point] = MinuteBlock.unpack(row[0])
    return found


def packed_at(connection: sqlite3.Connection, hour: int, points: Collection[int]) -> dict[int, bytes]:
    """Read some points' hour as it is packed; a point without readings is not in the answer."""
    if len(points) < FEW:
        select = "SELECT packed FROM minutes WHERE hour = ? AND point = ?"
        found = ((point, connection.execute(select, (hour, point)).fetchone()) for point in points)
        return {point: row[0] for point, row in found if row}
    wanted = set(points)
    rows = connection.execute("SELECT point, packed FROM minutes WHERE hour = ?", (hour,))
    return {point: packed for point, packed in rows if point in wanted}


def packed(connection: sqlite3.Connection, point: int, hours: Iterable[int]) -> list[bytes | None]:
    """Read one point's hours as they are packed, None where an hour has no readings.

    One seek an hour: the table is in the order of time, and an hour of a whole plant lies between two of a point.
    """
    select = "SELECT packed FROM minutes WHERE hour = ? AND point = ?"
    rows = (connection.execute(select, (hour, point)).fetchone() for hour in hours)
    return [row[0] if row else None for row in rows]


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
