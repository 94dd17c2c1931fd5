"""This module keeps verdicts; each change gets the next sequence number, and the alarms read on from theirs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.store import spool
from plantmon.store.values import next_number

_FIELDS = 'limit_key, start, "end", outcome, reason, value, bound, detail'
_WITHDRAWN = 'limit_key, start, "end", outcome, value, bound, withdrawn_ms, now_outcome, now_reason, now_value'


def _verdict(row: tuple[object, ...]) -> Verdict:
    key, start, end, outcome, reason, value, bound, detail = row
    return Verdict(key, start, end, Outcome(outcome), Reason(reason) if reason else None, value, bound, detail)  # type: ignore[arg-type]


def write_changed(connection: sqlite3.Connection, verdicts: Iterable[Verdict], now_ms: int) -> int:
    """Write the verdicts that differ from what stands; give how many did.

    An exceedance that stood and is none any more is kept as withdrawn.
    """
    changed: list[Verdict] = []
    for verdict in verdicts:
        old = read(connection, verdict.limit_key, verdict.start)
        if old == verdict:
            continue
        if old is not None and old.outcome.is_exceedance and not verdict.outcome.is_exceedance:
            _keep_withdrawn(connection, old, verdict, now_ms)
        connection.execute(
            f"INSERT OR REPLACE INTO verdict ({_FIELDS}, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                verdict.limit_key, verdict.start, verdict.end, verdict.outcome, verdict.reason,
                verdict.value, verdict.bound, verdict.detail, next_number(connection, "verdict"),
            ),
        )  # fmt: skip
        changed.append(verdict)
    spool.add_verdicts(connection, changed)
    return len(changed)


def withdraw(connection: sqlite3.Connection, verdicts: Iterable[Verdict], now_ms: int) -> int:
    """Take out verdicts that no limit in force gives any more; exceedances among them are kept as withdrawn."""
    gone = list(verdicts)
    for verdict in gone:
        if verdict.outcome.is_exceedance:
            _keep_withdrawn(connection, verdict, None, now_ms)
        connection.execute("DELETE FROM verdict WHERE limit_key = ? AND start = ?", (verdict.limit_key, verdict.start))
    spool.add_verdicts(connection, gone, is_withdrawn=True)
    return len(gone)


def _keep_withdrawn(connection: sqlite3.Connection, old: Verdict, new: Verdict | None, now_ms: int) -> None:
    now = (new.outcome, new.reason, new.value) if new else (None, None, None)
    connection.execute(
        """
        INSERT INTO withdrawn
          (limit_key, start, "end", outcome, value, bound, withdrawn_ms, now_outcome, now_reason, now_value)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (old.limit_key, old.start, old.end, old.outcome, old.value, old.bound, now_ms, *now),
    )


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An exceedance that was taken back, and what is said of its window instead; None: no limit judges it any more."""

    limit_key: str
    start: int
    end: int
    outcome: Outcome
    value: float | None
    bound: float | None
    withdrawn_ms: int
    now_outcome: Outcome | None
    now_reason: Reason | None
    now_value: float | None


def withdrawn(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[Withdrawn]:
    """List the exceedances taken back of windows that start in [start, end), oldest withdrawal first."""
    rows = connection.execute(
        f"SELECT {_WITHDRAWN} FROM withdrawn WHERE start >= ? AND start < ? ORDER BY id",  # noqa: S608
        (start_ms, end_ms),
    )
    return [_taken_back(row) for row in rows]


def withdrawn_after(connection: sqlite3.Connection, number: int) -> list[tuple[int, Withdrawn]]:
    """List the exceedances taken back since a number of their own, each with its number, in their order."""
    rows = connection.execute(f"SELECT id, {_WITHDRAWN} FROM withdrawn WHERE id > ? ORDER BY id", (number,))  # noqa: S608
    return [(row[0], _taken_back(row[1:])) for row in rows]


def _taken_back(row: tuple[Any, ...]) -> Withdrawn:
    return Withdrawn(
        row[0], row[1], row[2], Outcome(row[3]), row[4], row[5], row[6], Outcome(row[7]) if row[7] else None,
        Reason(row[8]) if row[8] else None, row[9],
    )  # fmt: skip


def read(connection: sqlite3.Connection, limit_key: str, start: int) -> Verdict | None:
    """Read one verdict."""
    row = connection.execute(
        f"SELECT {_FIELDS} FROM verdict WHERE limit_key = ? AND start = ?",  # noqa: S608
        (limit_key, start),
    ).fetchone()
    return _verdict(row) if row else None


def count(connection: sqlite3.Connection, limit_key: str, start_ms: int, end_ms: int) -> int:
    """Count a limit's verdicts of windows that start in [start, end)."""
    number: int = connection.execute(
        "SELECT count(*) FROM verdict WHERE limit_key = ? AND start >= ? AND start < ?", (limit_key, start_ms, end_ms)
    ).fetchone()[0]
    return number


def starts(connection: sqlite3.Connection, limit_key: str, start_ms: int, end_ms: int) -> set[int]:
    """Give the starts of a limit's judged windows in [start, end)."""
    rows = connection.execute(
        "SELECT start FROM verdict WHERE limit_key = ? AND start >= ? AND start < ?", (limit_key, start_ms, end_ms)
    )
    return {row[0] for row in rows}


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
