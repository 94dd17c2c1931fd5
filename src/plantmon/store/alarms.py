"""This module keeps alarms, one row an incident, with the spans it was wrong in and its whole history."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from plantmon.model.alarm import Alarm, Condition, Severity, State, Told
from plantmon.store import spool

_COLUMNS = tuple(field.name for field in fields(Alarm))
_FIELDS = ", ".join(_COLUMNS)
_OPEN = "(state != 'normal' OR told = 'raised')"


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an alarm's history, at plant time; `by` None: plantmon itself."""

    id: int
    alarm: int
    at_ms: int
    event: str
    by: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """What one alarm of a storm has to say (`about`), waiting for the mail that lists it."""

    id: int
    storm: int
    alarm: int
    about: str
    at_ms: int
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A storm that has something to say: when its oldest line came that tells of no end, and its oldest that does.

    `last_ms` is when a line of it was last told. None where there is none; plant times.
    """

    number: int
    first_ms: int | None
    end_ms: int | None
    last_ms: int | None


def _alarm(row: tuple[Any, ...]) -> Alarm:
    given = dict(zip(_COLUMNS, row, strict=True))
    given["severity"], given["state"], given["told"] = (
        Severity(given["severity"]), State(given["state"]), Told(given["told"]),
    )  # fmt: skip
    given["facts"], given["is_bad"] = json.loads(given["facts"]), bool(given["is_bad"])
    return Alarm(**given)


def _select(connection: sqlite3.Connection, rest: str, values: tuple[Any, ...] = ()) -> list[Alarm]:
    return [_alarm(row) for row in connection.execute(f"SELECT {_FIELDS} FROM alarm {rest}", values)]  # noqa: S608


def standing(connection: sqlite3.Connection, key: str) -> Alarm | None:
    """Give the alarm of a key that is wrong just now, shelved or not."""
    found = _select(connection, "WHERE key = ? AND is_bad", (key,))
    return found[0] if found else None


def all_standing(connection: sqlite3.Connection, prefix: str = "") -> list[Alarm]:
    """List the alarms that are wrong just now, oldest first; `prefix` chooses by the beginning of the key."""
    return _select(connection, "WHERE is_bad AND substr(key, 1, ?) = ? ORDER BY id", (len(prefix), prefix))


def last_of(connection: sqlite3.Connection, key: str) -> Alarm | None:
    """Give the newest alarm of a key, whatever became of it."""
    found = _select(connection, "WHERE key = ? ORDER BY id DESC LIMIT 1", (key,))
    return found[0] if found else None


def all_open(connection: sqlite3.Connection) -> list[Alarm]:
    """List the alarms that are not over, or whose end is not told yet, oldest first."""
    return _select(connection, f"WHERE {_OPEN} ORDER BY id")


def get(connection: sqlite3.Connection, number: int) -> Alarm | None:
    """Give one alarm."""
    found = _select(connection, "WHERE id = ?", (number,))
    return found[0] if found else None


def newest(connection: sqlite3.Connection, most: int) -> list[Alarm]:
    """List alarms: those that are wrong first, then those that are not over, then the newest."""
    return _select(connection, f"ORDER BY NOT is_bad, NOT {_OPEN}, id DESC LIMIT ?", (most,))


def unclosed(connection: sqlite3.Connection) -> list[Alarm]:
    """List the breaches that are over and lack cause and action, oldest first."""
    return _select(
        connection, "WHERE severity = 'breach' AND NOT is_bad AND closed_ms IS NULL ORDER BY id"
    )  # a breach is rare: no index


def between(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[Alarm]:
    """List the alarms with any line of history in [start, end), oldest first."""
    return _select(
        connection,
        "WHERE id IN (SELECT alarm FROM alarm_event WHERE at_ms >= ? AND at_ms < ?) ORDER BY id",
        (start_ms, end_ms),
    )


def said_since(connection: sqlite3.Connection, after_ms: int) -> list[Alarm]:
    """List the alarms that were first told after an instant of plant time."""
    return _select(connection, "WHERE said_ms > ? ORDER BY said_ms, id", (after_ms,))


def raise_alarm(
    connection: sqlite3.Connection, condition: Condition, facts: dict[str, Any], state: State, now_ms: int
) -> int:
    """Begin an alarm that nobody is told of yet; give its number."""
    number: int = connection.execute(
        """
        INSERT INTO alarm (key, kind, severity, state, raised_ms, since_ms, reminded_ms, facts, is_bad, told, clock_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 'nothing', ?)
        RETURNING id
        """,
        (
            condition.key, condition.kind, condition.severity, state, now_ms, condition.since_ms, now_ms,
            json.dumps(facts, ensure_ascii=False), now_ms,
        ),
    ).fetchone()[0]  # fmt: skip
    _begin_span(connection, number, condition.since_ms)
    return number


def change(connection: sqlite3.Connection, number: int, changes: Mapping[str, Any]) -> None:
    """Set columns of an alarm, named like the fields of `Alarm`."""
    if not changes:
        return
    assert set(changes) <= set(_COLUMNS)
    given = dict(changes)
    if "facts" in given:
        given["facts"] = json.dumps(given["facts"], ensure_ascii=False)
    names = ", ".join(f"{name} = ?" for name in given)
    connection.execute(f"UPDATE alarm SET {names} WHERE id = ?", (*given.values(), number))  # noqa: S608


def came_back(connection: sqlite3.Connection, number: int, since_ms: int) -> None:
    """Write that an alarm is wrong again from an event time on."""
    change(connection, number, {"is_bad": True, "cleared_ms": None, "until_ms": None})
    connection.execute("UPDATE alarm SET times = times + 1 WHERE id = ?", (number,))
    _begin_span(connection, number, since_ms)


def went(connection: sqlite3.Connection, number: int, until_ms: int, now_ms: int) -> None:
    """Write that an alarm is wrong no more, from an event time on."""
    change(connection, number, {"is_bad": False, "cleared_ms": now_ms, "until_ms": until_ms})
    connection.execute(
        "UPDATE alarm_span SET until_ms = max(since_ms, ?) WHERE alarm = ? AND until_ms IS NULL", (until_ms, number)
    )


def _begin_span(connection: sqlite3.Connection, number: int, since_ms: int) -> None:
    connection.execute(
        """
        INSERT INTO alarm_span (alarm, since_ms) VALUES (?, ?) ON CONFLICT DO UPDATE SET until_ms = NULL
        """,
        (number, since_ms),
    )


def spans(connection: sqlite3.Connection, number: int) -> list[tuple[int, int | None]]:
    """List the spans [since, until) of event time an alarm was wrong in, oldest first; None: it still is."""
    rows = connection.execute("SELECT since_ms, until_ms FROM alarm_span WHERE alarm = ? ORDER BY since_ms", (number,))
    return [(row[0], row[1]) for row in rows]


# history


def note(
    connection: sqlite3.Connection, number: int, event: str, by: str | None, detail: Mapping[str, Any], now_ms: int
) -> None:
    """Add a line to an alarm's history."""
    line = connection.execute(
        "INSERT INTO alarm_event (alarm, at_ms, event, by, detail) VALUES (?, ?, ?, ?, ?)",
        (number, now_ms, event, by, json.dumps(detail, ensure_ascii=False)),
    ).lastrowid
    assert line is not None

    def row() -> tuple[Any, ...]:
        alarm = get(connection, number)
        assert alarm is not None
        return spool.alarm_row(line, now_ms, event, number, alarm.kind, alarm.severity, detail, alarm.facts)

    spool.add_alarm(connection, row)


def history(connection: sqlite3.Connection, number: int) -> list[Happening]:
    """List an alarm's history, oldest first."""
    return _happenings(connection, "WHERE alarm = ? ORDER BY id", (number,))


def happenings(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[Happening]:
    """List the history of all alarms in [start, end), oldest first."""
    return _happenings(connection, "WHERE at_ms >= ? AND at_ms < ? ORDER BY at_ms, id", (start_ms, end_ms))


def _happenings(connection: sqlite3.Connection, rest: str, values: tuple[int, ...]) -> list[Happening]:
    rows = connection.execute(f"SELECT id, alarm, at_ms, event, by, detail FROM alarm_event {rest}", values)  # noqa: S608
    return [Happening(row[0], row[1], row[2], row[3], row[4], json.loads(row[5])) for row in rows]


# storms


def add_line(
    connection: sqlite3.Connection, storm: int, alarm: int, about: str, facts: Mapping[str, Any], now_ms: int
) -> None:
    """Have a storm's next mail list what an alarm has to say."""
    connection.execute(
        "INSERT INTO storm_line (storm, alarm, about, at_ms, facts) VALUES (?, ?, ?, ?, ?)",
        (storm, alarm, about, now_ms, json.dumps(facts, ensure_ascii=False)),
    )


def storms_waiting(connection: sqlite3.Connection) -> list[Waiting]:
    """List the storms that have something to say, in the order it came to wait."""
    rows = connection.execute(
        """
        SELECT storm, min(at_ms) FILTER (WHERE about != 'cleared'), min(at_ms) FILTER (WHERE about = 'cleared'),
          (SELECT max(told.told_ms) FROM storm_line AS told WHERE told.storm = storm_line.storm)
        FROM storm_line WHERE told_ms IS NULL GROUP BY storm ORDER BY min(id)
        """
    )
    return [Waiting(*row) for row in rows]


def take_lines(connection: sqlite3.Connection, storm: int, now_ms: int) -> list[Line]:
    """Give a storm's waiting lines, oldest first, and mark them as told."""
    rows = connection.execute(
        "SELECT id, storm, alarm, about, at_ms, facts FROM storm_line WHERE storm = ? AND told_ms IS NULL ORDER BY id",
        (storm,),
    ).fetchall()
    connection.execute("UPDATE storm_line SET told_ms = ? WHERE storm = ? AND told_ms IS NULL", (now_ms, storm))
    return [Line(row[0], row[1], row[2], row[3], row[4], json.loads(row[5])) for row in rows]


def note_listed(connection: sqlite3.Connection, message: int, numbers: Iterable[int]) -> None:
    """Keep of which alarms a message of the outbox tells that belongs to none of them alone."""
    connection.executemany(
        "INSERT INTO told_alarm (alarm, message) VALUES (?, ?)", [(number, message) for number in numbers]
    )


def told_before(connection: sqlite3.Connection, number: int) -> list[tuple[str, str, str]]:
    """List whom messages about an alarm went to, by itself or in a list: (language, recipient, address)."""
    rows = connection.execute(
        """
        SELECT DISTINCT message.language, delivery.recipient, delivery.address
        FROM message JOIN delivery ON delivery.message = message.id
        WHERE message.alarm = :alarm OR message.id IN (SELECT message FROM told_alarm WHERE alarm = :alarm)
        ORDER BY message.id, delivery.address
        """,
        {"alarm": number},
    )
    return list(dict.fromkeys(rows.fetchall()))


# windows


def cursor(connection: sqlite3.Connection, limit_key: str) -> int:
    """Give the start of the newest window that moved a limit's alarm, -1 before any."""
    row = connection.execute("SELECT start FROM alarm_cursor WHERE limit_key = ?", (limit_key,)).fetchone()
    return row[0] if row else -1


def set_cursor(connection: sqlite3.Connection, limit_key: str, start: int) -> None:
    """Set the newest window of a limit."""
    connection.execute("INSERT OR REPLACE INTO alarm_cursor (limit_key, start) VALUES (?, ?)", (limit_key, start))


def was_told(connection: sqlite3.Connection, key: str, start_ms: int, end_ms: int) -> bool:
    """Whether an alarm of a key was wrong at some time of [start, end), by event time."""
    row = connection.execute(
        """
        SELECT 1 FROM alarm JOIN alarm_span ON alarm_span.alarm = alarm.id
        WHERE alarm.key = ? AND alarm_span.since_ms < ? AND (alarm_span.until_ms IS NULL OR alarm_span.until_ms > ?)
        LIMIT 1
        """,
        (key, end_ms, start_ms),
    ).fetchone()
    return row is not None
