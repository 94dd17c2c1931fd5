"""This module keeps readings: gauges by (time, point), counters and slow gauges by (point, time), each once.

The first value of a (time, point) stands; a second equal one is a redelivery, a different one a conflict.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from plantmon.model.reading import Columns, Reading
from plantmon.times import HOUR_MS

_ROW = np.dtype([("ts", np.int64), ("point", np.int64), ("value", np.float64), ("flag", np.int64)])
_INSERT_GAUGE = "INSERT INTO reading (ts, point, value, flag, arrival_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_OF_DENSE = "SELECT ts, point, value, flag FROM reading WHERE point = ? AND ts >= ? AND ts < ? ORDER BY ts"
_OF_SPARSE = "SELECT ts, point, value, flag FROM register WHERE point = ? AND ts >= ? AND ts < ? ORDER BY ts"
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


def gauges(connection: sqlite3.Connection, start_ms: int, end_ms: int, slow: Iterable[int] = ()) -> Columns:
    """Read all gauges' readings in [start, end), by time then point; then those of the `slow` ones named."""
    rows = connection.execute(
        "SELECT ts, point, value, flag FROM reading WHERE ts >= ? AND ts < ? ORDER BY ts, point", (start_ms, end_ms)
    )
    more = (row for point in slow for row in connection.execute(_OF_SPARSE, (point, start_ms, end_ms)))
    return columns(chain(rows, more))


def of(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> Columns:
    """Read one gauge's readings in [start, end), whichever table they live in."""
    is_sparse = connection.execute("SELECT sparse FROM point WHERE id = ?", (point,)).fetchone()[0]
    return columns(connection.execute(_OF_SPARSE if is_sparse else _OF_DENSE, (point, start_ms, end_ms)))


def settle(connection: sqlite3.Connection, point: int, is_sparse: bool) -> None:
    """Move a point's readings to the table its interval asks for."""
    source, target = ("reading", "register") if is_sparse else ("register", "reading")
    fields = "ts, point, value, flag, arrival_ms"
    chosen = f"SELECT {fields} FROM {source} WHERE point = ?"  # noqa: S608 - built of constants
    connection.execute(f"INSERT OR IGNORE INTO {target} ({fields}) {chosen}", (point,))
    connection.execute(f"DELETE FROM {source} WHERE point = ?", (point,))  # noqa: S608 - one of two constants
    connection.execute("UPDATE point SET sparse = ? WHERE id = ?", (is_sparse, point))


def register(
    connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int, before: int, after: int
) -> Columns:
    """Read one counter's valid readings in [start, end), with up to `before` earlier and `after` later ones.

    Flagged register readings are not used (settled choices), unless their value was corrected.
    """
    select = """
        SELECT ts, point, value, flag FROM register WHERE point = :point AND (flag = 0 OR EXISTS (
          SELECT 1 FROM correction WHERE correction.ts = register.ts AND correction.point = register.point
        ))
    """
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


def nearest(connection: sqlite3.Connection, point: int, at_ms: int) -> list[int]:
    """Give the instants of one point's readings just before and just after an instant, as far as there are any.

    Readings that live by time are looked for within an hour: further away everybody else's would be read too.
    """
    found: list[int] = []
    for table, reach_ms in (("register", 1 << 61), ("reading", HOUR_MS)):
        for edges, order in ((f"ts < {at_ms} AND ts >= {at_ms - reach_ms}", "DESC"),
                             (f"ts > {at_ms} AND ts <= {at_ms + reach_ms}", "ASC")):  # fmt: skip
            row = connection.execute(
                f"SELECT ts FROM {table} WHERE point = ? AND {edges} ORDER BY ts {order} LIMIT 1",  # noqa: S608 - numbers
                (point,),
            ).fetchone()
            found += row or ()
    return sorted(found)


def count(connection: sqlite3.Connection) -> int:
    """Count all stored readings; reads the whole store, for summaries and tests."""
    total: int = connection.execute(
        "SELECT (SELECT count(*) FROM reading) + (SELECT count(*) FROM register)"
    ).fetchone()[0]
    return total
