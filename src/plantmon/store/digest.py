"""This module reads for the digest what no other table's module asks for: all that happened in a span of time.

Instants of entries, alarms, messages and versions are plant time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from plantmon.model.reading import State
from plantmon.store.declarations import Calibration, Correction, Mark
from plantmon.store.outbox import ACCEPTED, QUEUED, REFUSED
from plantmon.store.register import FaultReport, Note


@dataclass(frozen=True, slots=True)
class Entered:
    """What people declared and noted in a span, by kind, each in the order it was entered."""

    marks: list[Mark]
    corrections: list[Correction]
    calibrations: list[Calibration]
    notes: list[Note]
    fault_reports: list[FaultReport]


@dataclass(frozen=True, slots=True)
class Raised:
    """How often the alarms of a key came in a span; the facts are those of the newest (JSON)."""

    key: str
    kind: str
    severity: str
    count: int
    facts: str


def is_computed(connection: sqlite3.Connection, points: Collection[int], before_ms: int) -> bool:
    """Whether no hour or window of these points that begins before an instant waits to be computed or judged."""
    for table, column in (("touched", "hour"), ("unjudged", "start")):
        rows = connection.execute(f"SELECT DISTINCT point FROM {table} WHERE {column} < ?", (before_ms,))  # noqa: S608
        if any(point in points for (point,) in rows):
            return False
    return True


def waiting(connection: sqlite3.Connection, before_ms: int) -> int:
    """Count the hours and windows that begin before an instant and wait to be computed, weighed or judged."""
    (count,) = connection.execute(
        """
        SELECT (SELECT count(*) FROM touched WHERE hour < :before)
          + (SELECT count(*) FROM unweighed WHERE hour < :before)
          + (SELECT count(*) FROM unjudged WHERE start < :before)
        """,
        {"before": before_ms},
    ).fetchone()
    return int(count)


def entered(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> Entered:
    """List what people entered in [start, end)."""
    span = (start_ms, end_ms)
    marks = connection.execute(
        'SELECT id, outlet, point, start, "end", state, by, reason, declared_ms FROM mark'
        " WHERE declared_ms >= ? AND declared_ms < ? ORDER BY id",
        span,
    )
    corrections = connection.execute(
        "SELECT id, point, ts, value, was, by, reason, declared_ms FROM correction"
        " WHERE declared_ms >= ? AND declared_ms < ? ORDER BY id",
        span,
    )
    calibrations = connection.execute(
        "SELECT id, point, at_ms, zero, span, result, by, note, declared_ms FROM calibration"
        " WHERE declared_ms >= ? AND declared_ms < ? ORDER BY id",
        span,
    )
    notes = connection.execute(
        "SELECT id, limit_key, start, cause, action, by, noted_ms FROM exceedance_note"
        " WHERE noted_ms >= ? AND noted_ms < ? ORDER BY id",
        span,
    )
    reports = connection.execute(
        "SELECT id, point, start, at_ms, by, note, noted_ms FROM fault_report"
        " WHERE noted_ms >= ? AND noted_ms < ? ORDER BY id",
        span,
    )
    return Entered(
        [Mark(*row[:5], *(State(row[5]), *row[6:])) for row in marks],
        [Correction(*row) for row in corrections],
        [Calibration(*row) for row in calibrations],
        [Note(*row) for row in notes],
        [FaultReport(*row) for row in reports],
    )


def found_late(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[tuple[str, int]]:
    """List the exceeding windows (limit, start) that were found in old data in [start, end), oldest window first."""
    return connection.execute(
        "SELECT limit_key, start FROM late_breach WHERE found_ms >= ? AND found_ms < ? ORDER BY start, limit_key",
        (start_ms, end_ms),
    ).fetchall()


def deliveries(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> dict[str, int]:
    """Count by state the deliveries of messages made in [start, end); of those still queued, of all time."""
    rows = connection.execute(
        """
        SELECT delivery.state, count(*)
        FROM delivery JOIN message ON message.id = delivery.message
        WHERE message.created_ms >= ? AND message.created_ms < ?
        GROUP BY delivery.state
        """,
        (start_ms, end_ms),
    )
    found = dict(rows.fetchall())
    (queued,) = connection.execute("SELECT count(*) FROM delivery WHERE state = ?", (QUEUED,)).fetchone()
    return {QUEUED: queued, ACCEPTED: found.get(ACCEPTED, 0), REFUSED: found.get(REFUSED, 0)}


def versions(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[tuple[int, str]]:
    """List the plant files loaded in [start, end): (when, hash)."""
    return connection.execute(
        "SELECT loaded_ms, hash FROM plant_version WHERE loaded_ms >= ? AND loaded_ms < ? ORDER BY id",
        (start_ms, end_ms),
    ).fetchall()


def most_raised(connection: sqlite3.Connection, start_ms: int, end_ms: int, most: int) -> list[Raised]:
    """List the alarms raised in [start, end) that came most often, the most frequent first."""
    rows = connection.execute(
        """
        SELECT alarm.key, alarm.kind, alarm.severity, count, alarm.facts
        FROM (
          SELECT max(id) AS newest, sum(times) AS count FROM alarm WHERE raised_ms >= ? AND raised_ms < ? GROUP BY key
        )
        JOIN alarm ON alarm.id = newest
        ORDER BY count DESC, alarm.id
        LIMIT ?
        """,
        (start_ms, end_ms, most),
    )
    return [Raised(*row) for row in rows]


def count_raised(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> int:
    """Count the alarms that were raised in [start, end); one that came and went is one."""
    (count,) = connection.execute(
        "SELECT count(*) FROM alarm WHERE raised_ms >= ? AND raised_ms < ?", (start_ms, end_ms)
    ).fetchone()
    return int(count)


def hold_on(connection: sqlite3.Connection, messages: Iterable[int], until_ms: int) -> None:
    """Let messages that quiet hours hold not leave by themselves before an instant."""
    connection.executemany(
        "UPDATE message SET not_before_ms = max(not_before_ms, ?) WHERE id = ?",
        [(until_ms, message) for message in messages],
    )
