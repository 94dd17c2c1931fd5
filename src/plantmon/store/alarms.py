"""This module keeps alarms: one standing row a key, the ended ones for good."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from plantmon.model.alarm import Alarm, Condition, Severity, State

_FIELDS = (
    "id, key, kind, severity, state, raised_ms, since_ms, cleared_ms, until_ms,"
    " acked_ms, acked_by, note, reminded_ms, facts"
)


def _alarm(row: tuple[Any, ...]) -> Alarm:
    values = list(row)
    values[3], values[4], values[-1] = Severity(row[3]), State(row[4]), json.loads(row[-1])
    return Alarm(*values)


def standing(connection: sqlite3.Connection, key: str) -> Alarm | None:
    """Give the alarm that stands for a key."""
    row = connection.execute(
        f"SELECT {_FIELDS} FROM alarm WHERE key = ? AND state != 'cleared'",  # noqa: S608
        (key,),
    ).fetchone()
    return _alarm(row) if row else None


def all_standing(connection: sqlite3.Connection, prefix: str = "") -> list[Alarm]:
    """List the alarms that stand, oldest first; `prefix` chooses by the beginning of the key."""
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM alarm WHERE state != 'cleared' AND substr(key, 1, ?) = ? ORDER BY id",  # noqa: S608
        (len(prefix), prefix),
    )
    return [_alarm(row) for row in rows]


def get(connection: sqlite3.Connection, number: int) -> Alarm | None:
    """Give one alarm."""
    row = connection.execute(f"SELECT {_FIELDS} FROM alarm WHERE id = ?", (number,)).fetchone()  # noqa: S608
    return _alarm(row) if row else None


def newest(connection: sqlite3.Connection, most: int) -> list[Alarm]:
    """List alarms: the standing ones first, then the newest."""
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM alarm ORDER BY state = 'cleared', id DESC LIMIT ?",  # noqa: S608
        (most,),
    )
    return [_alarm(row) for row in rows]


def raise_alarm(connection: sqlite3.Connection, condition: Condition, facts: dict[str, Any], now_ms: int) -> int:
    """Begin an alarm; give its number."""
    number: int = connection.execute(
        """
        INSERT INTO alarm (key, kind, severity, state, raised_ms, since_ms, reminded_ms, facts)
        VALUES (?, ?, ?, 'active', ?, ?, ?, ?)
        RETURNING id
        """,
        (
            condition.key, condition.kind, condition.severity, now_ms, condition.since_ms, now_ms,
            json.dumps(facts, ensure_ascii=False),
        ),
    ).fetchone()[0]  # fmt: skip
    return number


def update(connection: sqlite3.Connection, number: int, facts: dict[str, Any]) -> None:
    """Set what is known of an alarm."""
    connection.execute("UPDATE alarm SET facts = ? WHERE id = ?", (json.dumps(facts, ensure_ascii=False), number))


def clear(connection: sqlite3.Connection, number: int, facts: dict[str, Any], until_ms: int, now_ms: int) -> None:
    """End an alarm."""
    connection.execute(
        "UPDATE alarm SET state = 'cleared', cleared_ms = ?, until_ms = ?, facts = ? WHERE id = ?",
        (now_ms, until_ms, json.dumps(facts, ensure_ascii=False), number),
    )


def acknowledge(connection: sqlite3.Connection, number: int, by: str, note: str, now_ms: int) -> None:
    """Write who has seen an alarm; one that has ended meanwhile keeps its end."""
    connection.execute(
        """
        UPDATE alarm
        SET state = CASE state WHEN 'active' THEN 'acknowledged' ELSE state END, acked_ms = ?, acked_by = ?, note = ?
        WHERE id = ?
        """,
        (now_ms, by, note, number),
    )


def note_reminded(connection: sqlite3.Connection, number: int, now_ms: int) -> None:
    """Write when people were last told again."""
    connection.execute("UPDATE alarm SET reminded_ms = ? WHERE id = ?", (now_ms, number))


def cursor(connection: sqlite3.Connection, limit_key: str) -> int:
    """Give the start of the newest window that moved a limit's alarm, -1 before any."""
    row = connection.execute("SELECT start FROM alarm_cursor WHERE limit_key = ?", (limit_key,)).fetchone()
    return row[0] if row else -1


def set_cursor(connection: sqlite3.Connection, limit_key: str, start: int) -> None:
    """Set the newest window of a limit."""
    connection.execute("INSERT OR REPLACE INTO alarm_cursor (limit_key, start) VALUES (?, ?)", (limit_key, start))


def was_told(connection: sqlite3.Connection, key: str, start_ms: int, end_ms: int) -> bool:
    """Whether an alarm of a key stood at some time of [start, end), by event time."""
    row = connection.execute(
        "SELECT 1 FROM alarm WHERE key = ? AND since_ms < ? AND (until_ms IS NULL OR until_ms > ?) LIMIT 1",
        (key, end_ms, start_ms),
    ).fetchone()
    return row is not None


def note_late(connection: sqlite3.Connection, limit_key: str, start: int, now_ms: int) -> None:
    """Keep a breach found in old data for its summary mail; one that was told of stays told of."""
    connection.execute(
        "INSERT INTO late_breach (limit_key, start, found_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (limit_key, start, now_ms),
    )


def late_waiting(connection: sqlite3.Connection, found_before_ms: int) -> list[tuple[str, int]]:
    """List the old breaches nobody was told of, (limit, window start), oldest first.

    None while any was found at or after an instant: more of them are coming.
    """
    rows = connection.execute(
        "SELECT limit_key, start, found_ms FROM late_breach WHERE message IS NULL ORDER BY start, limit_key"
    ).fetchall()
    return [] if any(row[2] >= found_before_ms for row in rows) else [(row[0], row[1]) for row in rows]


def late_told(connection: sqlite3.Connection) -> None:
    """Mark all waiting old breaches as told of."""
    connection.execute("UPDATE late_breach SET message = 1 WHERE message IS NULL")
