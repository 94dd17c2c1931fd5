"""This module keeps verdicts; each change gets the next sequence number, and the alarms read on from theirs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.store.values import next_number

_FIELDS = 'limit_key, start, "end", outcome, reason, value, bound, detail'


def _verdict(row: tuple[object, ...]) -> Verdict:
    key, start, end, outcome, reason, value, bound, detail = row
    return Verdict(key, start, end, Outcome(outcome), Reason(reason) if reason else None, value, bound, detail)  # type: ignore[arg-type]


def write_changed(connection: sqlite3.Connection, verdicts: Iterable[Verdict]) -> int:
    """Write the verdicts that differ from what stands; give how many did."""
    changed = 0
    for verdict in verdicts:
        if read(connection, verdict.limit_key, verdict.start) == verdict:
            continue
        connection.execute(
            f"INSERT OR REPLACE INTO verdict ({_FIELDS}, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                verdict.limit_key, verdict.start, verdict.end, verdict.outcome, verdict.reason,
                verdict.value, verdict.bound, verdict.detail, next_number(connection, "verdict"),
            ),
        )  # fmt: skip
        changed += 1
    return changed


def read(connection: sqlite3.Connection, limit_key: str, start: int) -> Verdict | None:
    """Read one verdict."""
    row = connection.execute(
        f"SELECT {_FIELDS} FROM verdict WHERE limit_key = ? AND start = ?",  # noqa: S608
        (limit_key, start),
    ).fetchone()
    return _verdict(row) if row else None


def is_there(connection: sqlite3.Connection, limit_key: str, start: int) -> bool:
    """Whether a limit has a verdict for the window that starts at an instant."""
    row = connection.execute("SELECT 1 FROM verdict WHERE limit_key = ? AND start = ?", (limit_key, start)).fetchone()
    return row is not None


def span(connection: sqlite3.Connection, limit_key: str, start_ms: int, end_ms: int) -> list[Verdict]:
    """Read a limit's verdicts of windows that start in [start, end), oldest first."""
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM verdict WHERE limit_key = ? AND start >= ? AND start < ? ORDER BY start",  # noqa: S608
        (limit_key, start_ms, end_ms),
    )
    return [_verdict(row) for row in rows]


def after(connection: sqlite3.Connection, seq: int, most: int) -> list[tuple[int, Verdict]]:
    """Read verdicts that changed after a sequence number, in the order of change."""
    rows = connection.execute(f"SELECT seq, {_FIELDS} FROM verdict WHERE seq > ? ORDER BY seq LIMIT ?", (seq, most))  # noqa: S608
    return [(row[0], _verdict(row[1:])) for row in rows]
