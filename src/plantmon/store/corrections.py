"""This module keeps which exceedances, found in old data or taken back, wait for the mail that says so."""

from __future__ import annotations

import sqlite3

from plantmon.store import values, verdicts
from plantmon.store.verdicts import Withdrawn

_CURSOR = "withdrawn_told"
_ADDED, _TAKEN_BACK = 1, 2  # late_breach.message: what was told of a window last; NULL waits


def note_late(connection: sqlite3.Connection, limit_key: str, start: int, now_ms: int) -> None:
    """Keep an exceedance found in old data for its mail; one that was told of stays told of, until taken back."""
    connection.execute(
        """
        INSERT INTO late_breach (limit_key, start, found_ms) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET found_ms = excluded.found_ms, message = NULL WHERE message = ?
        """,
        (limit_key, start, now_ms, _TAKEN_BACK),
    )


def was_told(connection: sqlite3.Connection, limit_key: str, start: int) -> bool | None:
    """Say whether a window was told of as an exceedance last (or as one taken back); None: in no such mail."""
    row = connection.execute(
        "SELECT message FROM late_breach WHERE limit_key = ? AND start = ? AND message IS NOT NULL", (limit_key, start)
    ).fetchone()
    return None if row is None else bool(row[0] == _ADDED)


def is_due(connection: sqlite3.Connection, found_before_ms: int) -> bool:
    """Say whether something waits, and nothing of it was found at or after an instant: more is coming then."""
    (late,) = connection.execute("SELECT max(found_ms) FROM late_breach WHERE message IS NULL").fetchone()
    (back,) = connection.execute(
        "SELECT max(withdrawn_ms) FROM withdrawn WHERE id > ?", (values.number(connection, _CURSOR),)
    ).fetchone()
    found = [at_ms for at_ms in (late, back) if at_ms is not None]
    return bool(found) and max(found) < found_before_ms


def waiting(connection: sqlite3.Connection) -> tuple[list[tuple[str, int]], list[Withdrawn]]:
    """List the windows found as exceedances, (limit, start), and the last withdrawal of each taken back; by start."""
    late = connection.execute(
        "SELECT limit_key, start FROM late_breach WHERE message IS NULL ORDER BY start, limit_key"
    ).fetchall()
    back = verdicts.withdrawn_after(connection, values.number(connection, _CURSOR))
    last = {(one.limit_key, one.start): one for _, one in back}
    return late, sorted(last.values(), key=lambda one: (one.start, one.limit_key))


def tell(connection: sqlite3.Connection, taken_back: list[Withdrawn], now_ms: int) -> None:
    """Write that all that waited was told; `taken_back` are those that the mail names as such."""
    connection.execute("UPDATE late_breach SET message = ? WHERE message IS NULL", (_ADDED,))
    connection.executemany(
        "INSERT OR REPLACE INTO late_breach (limit_key, start, found_ms, message) VALUES (?, ?, ?, ?)",
        [(one.limit_key, one.start, now_ms, _TAKEN_BACK) for one in taken_back],
    )
    newest = connection.execute("SELECT max(id) FROM withdrawn").fetchone()[0]
    values.set_number(connection, _CURSOR, newest or 0)
