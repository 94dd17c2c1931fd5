"""This module counts what arrives by quarters of an hour, of which the days of every time zone are made."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from plantmon.times import MINUTE_MS

QUARTER_MS = 15 * MINUTE_MS
READINGS, REJECTED = "readings", "rejected:"


def add(connection: sqlite3.Connection, at_ms: int, counts: Mapping[str, int]) -> None:
    """Add to the counts of the quarter that holds an instant."""
    connection.executemany(
        "INSERT INTO tally (at, what, count) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(at_ms // QUARTER_MS * QUARTER_MS, what, count) for what, count in counts.items() if count],
    )


def total(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> dict[str, int]:
    """Sum up the quarters that begin in [start, end)."""
    rows = connection.execute(
        "SELECT what, sum(count) FROM tally WHERE at >= ? AND at < ? GROUP BY what", (start_ms, end_ms)
    )
    return dict(rows.fetchall())


def began_ms(connection: sqlite3.Connection) -> int | None:
    """Give the first quarter that was ever counted, None before any."""
    found: int | None = connection.execute("SELECT min(at) FROM tally").fetchone()[0]
    return found
