"""This module keeps which execution reports were handed in, and reads when monitors were last calibrated."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HandedIn:
    """That the report of a period (`2026-Q1`) was handed in at `at_ms`."""

    id: int
    period: str
    at_ms: int
    by: str
    note: str | None
    noted_ms: int


def add_handed_in(
    connection: sqlite3.Connection, period: str, at_ms: int, by: str, note: str | None, now_ms: int
) -> int:
    """Keep that a report was handed in; give the entry's number."""
    number: int = connection.execute(
        "INSERT INTO handed_in (period, at_ms, by, note, noted_ms) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (period, at_ms, by, note, now_ms),
    ).fetchone()[0]
    return number


def handed_in(connection: sqlite3.Connection) -> dict[str, HandedIn]:
    """Give by period the report that was handed in first."""
    rows = connection.execute(
        "SELECT id, period, at_ms, by, note, noted_ms FROM handed_in ORDER BY at_ms DESC, id DESC"
    )
    return {row[1]: HandedIn(*row) for row in rows}


def last_passed(connection: sqlite3.Connection, now_ms: int) -> dict[int, int]:
    """Give by point when its last calibration was passed up to an instant."""
    return dict(
        connection.execute(
            "SELECT point, max(at_ms) FROM calibration_standing WHERE result = 'pass' AND at_ms <= ? GROUP BY point",
            (now_ms,),
        )
    )
