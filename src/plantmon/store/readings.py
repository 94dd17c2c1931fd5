"""This module keeps readings: gauges by (time, point), counters by (point, time), each once.

The first value of a (time, point) stands; a second equal one is a redelivery, a different one a conflict.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from plantmon.model.reading import Columns, Reading

_ROW = np.dtype([("ts", np.int64), ("point", np.int64), ("value", np.float64), ("flag", np.int64)])
_INSERT_GAUGE = "INSERT INTO reading (ts, point, value, flag, arrival_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_INSERT_REGISTER = (
    "INSERT INTO register (ts, point, value, flag, arrival_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


def columns(rows: Iterable[tuple[int, int, float, int]]) -> Columns:
    """Turn rows (ts, point, value, flag) into arrays, without holding them all as Python objects."""
    table = np.fromiter(rows, _ROW)
    return Columns(*(np.ascontiguousarray(table[name]) for name in ("ts", "point", "value", "flag")))


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[int, int, float, int, int]]) -> list[int]:
    """Store rows (ts, point, value, flag, arrival) in `reading` or `register`; give the places of those in conflict.

    A row that is there already with an equal value is passed over, whatever its flag.
    """
    before = connection.total_changes
    connection.executemany(_INSERT_REGISTER if table == "register" else _INSERT_GAUGE, rows)
    if connection.total_changes - before == len(rows):
        return []
    lookup = f"SELECT value FROM {table} WHERE ts = ? AND point = ?"  # noqa: S608 - one of two constants
    return [place for place, row in enumerate(rows) if connection.execute(lookup, row[:2]).fetchone()[0] != row[2]]


def stored(connection: sqlite3.Connection, table: str, ts_ms: int, point: int) -> float:
    """Give the value that stands at a (time, point)."""
    value: float = connection.execute(
        f"SELECT value FROM {table} WHERE ts = ? AND point = ?",  # noqa: S608 - one of two constants
        (ts_ms, point),
    ).fetchone()[0]
    return value


def gauges(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> Columns:
    """Read all gauges' readings in [start, end), by time then point."""
    return columns(
        connection.execute(
            "SELECT ts, point, value, flag FROM reading WHERE ts >= ? AND ts < ? ORDER BY ts, point", (start_ms, end_ms)
        )
    )


def gauge(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> Columns:
    """Read one gauge's readings in [start, end)."""
    return columns(
        connection.execute(
            "SELECT ts, point, value, flag FROM reading WHERE ts >= ? AND ts < ? AND point = ? ORDER BY ts",
            (start_ms, end_ms, point),
        )
    )


def register(
    connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int, before: int, after: int
) -> Columns:
    """Read one counter's valid readings in [start, end), with up to `before` earlier and `after` later ones.

    Flagged register readings are not used (settled choices).
    """
    select = "SELECT ts, point, value, flag FROM register WHERE point = :point AND flag = 0"
    rows = connection.execute(
        f"""
        SELECT * FROM (SELECT * FROM ({select} AND ts < :start ORDER BY ts DESC LIMIT :before)
        UNION ALL {select} AND ts >= :start AND ts < :end
        UNION ALL SELECT * FROM ({select} AND ts >= :end ORDER BY ts LIMIT :after)) ORDER BY ts
        """,  # noqa: S608 - built of constants
        {"point": point, "start": start_ms, "end": end_ms, "before": before, "after": after},
    )
    return columns(rows)


def of_point(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> list[Reading]:
    """List one point's readings in [start, end), gauge or counter, oldest first, for people to look at."""
    return [
        Reading(*row)
        for row in connection.execute(
            """
            SELECT ts, point, value, flag, arrival_ms FROM register WHERE point = :point AND ts >= :start AND ts < :end
            UNION ALL
            SELECT ts, point, value, flag, arrival_ms FROM reading WHERE ts >= :start AND ts < :end AND point = :point
            ORDER BY 1
            """,
            {"point": point, "start": start_ms, "end": end_ms},
        )
    ]


def count(connection: sqlite3.Connection) -> int:
    """Count all stored readings; reads the whole store, for summaries and tests."""
    total: int = connection.execute(
        "SELECT (SELECT count(*) FROM reading) + (SELECT count(*) FROM register)"
    ).fetchone()[0]
    return total
