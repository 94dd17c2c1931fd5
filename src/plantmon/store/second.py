"""This module keeps what goes over the second channel: events of breaches whose mail nobody's server has taken.

An event is mailed in one message a language; on the second channel it is one delivery, to which they all point. Times
are real but for those of messages. Functions take a connection and, where they write, run in the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from plantmon.store import attempts, outbox
from plantmon.store.attempts import Attempt
from plantmon.store.outbox import Outcome
from plantmon.times import DAY_MS

QUEUED, ACCEPTED, REFUSED = outbox.QUEUED, outbox.ACCEPTED, outbox.REFUSED
UNNEEDED = "unneeded"  # the mail was accepted first
# They say nothing new of a breach: who was told of it knows.
_SAYS_NOTHING_NEW = ("reminded", "cleared", "forgotten", "digest", "test")
# A refusal older than this was seen long ago; a second channel set up today says nothing of it.
_REFUSED_LATELY_MS = DAY_MS
_COLUMNS = "id, channel, server, key, body, state, attempts, queued_ms, next_try_ms, answered_ms, answer"


@dataclass(frozen=True, slots=True)
class Untold:
    """An event nobody has been mailed of: its messages, oldest first. `is_refused`: no mail of it is on its way."""

    messages: tuple[int, ...]
    created_ms: int
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on the second channel, and its way so far."""

    id: int
    channel: str
    server: str
    key: str
    body: bytes
    state: str  # queued, accepted, refused, unneeded
    attempts: int
    queued_ms: int
    next_try_ms: int
    answered_ms: int | None
    answer: str | None


def untold(connection: sqlite3.Connection, real_ms: int) -> list[Untold]:
    """List the events of breaches that no mail server has taken for anybody and that are not on this channel yet."""
    rows = connection.execute(
        f"""
        SELECT message.id, message.alarm, message.event, message.created_ms, message.facts
        FROM message
        WHERE message.id IN (
            SELECT message FROM delivery WHERE state = 'queued'
            UNION
            SELECT message FROM delivery WHERE state = 'refused' AND answered_ms >= :lately
          )
          AND message.severity = 'breach'
          AND message.second IS NULL
          AND message.event NOT IN {_SAYS_NOTHING_NEW}
          AND coalesce(json_extract(message.facts, '$.about'), '') NOT IN {_SAYS_NOTHING_NEW}
        ORDER BY message.id
        """,  # noqa: S608 - words of ours
        {"lately": real_ms - _REFUSED_LATELY_MS},
    ).fetchall()
    found: list[Untold] = []
    seen: set[int] = set()
    for message, alarm, event, created_ms, facts in rows:
        if message in seen:
            continue
        together = _together(connection, alarm, event, created_ms, facts)
        seen.update(together)
        states = _states(connection, together)
        if ACCEPTED not in states:
            found.append(Untold(together, created_ms, QUEUED not in states))
    return found


def _together(
    connection: sqlite3.Connection, alarm: int | None, event: str, created_ms: int, facts: str
) -> tuple[int, ...]:
    """Give the messages of one event, one a language."""
    rows = connection.execute(
        """
        SELECT id
        FROM message
        WHERE created_ms = :created
          AND event = :event
          AND alarm IS :alarm
          AND facts = :facts
          AND severity = 'breach'
        ORDER BY id
        """,
        {"created": created_ms, "event": event, "alarm": alarm, "facts": facts},
    )
    return tuple(message for (message,) in rows)


def _states(connection: sqlite3.Connection, messages: Sequence[int]) -> set[str]:
    marks = ", ".join("?" * len(messages))
    rows = connection.execute(f"SELECT state FROM delivery WHERE message IN ({marks})", tuple(messages))  # noqa: S608
    return {state for (state,) in rows}


def enqueue(
    connection: sqlite3.Connection,
    messages: Sequence[int],
    *,
    channel: str,
    server: str,
    key: str,
    body: bytes,
    real_ms: int,
) -> bool:
    """Put an event on the channel, due at once; False where it is there or its mail was accepted meanwhile."""
    marks = ", ".join("?" * len(messages))
    (there,) = connection.execute(
        f"SELECT count(*) FROM message WHERE id IN ({marks}) AND second IS NOT NULL",  # noqa: S608
        tuple(messages),
    ).fetchone()
    if there or ACCEPTED in _states(connection, messages):
        return False
    number = connection.execute(
        """
        INSERT INTO second_delivery (channel, server, key, body, state, attempts, queued_ms, next_try_ms)
        VALUES (:channel, :server, :key, :body, 'queued', 0, :real, :real)
        """,
        {"channel": channel, "server": server, "key": key, "body": body, "real": real_ms},
    ).lastrowid
    connection.execute(f"UPDATE message SET second = ? WHERE id IN ({marks})", (number, *messages))  # noqa: S608
    return True


def queued(connection: sqlite3.Connection) -> list[Delivery]:
    """List what is to be sent, oldest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM second_delivery WHERE state = 'queued' ORDER BY id")  # noqa: S608
    return [Delivery(*row) for row in rows]


def read(connection: sqlite3.Connection, number: int) -> Delivery:
    """Give one event on the channel. Raises LookupError where there is none of this number."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM second_delivery WHERE id = ?", (number,)).fetchone()  # noqa: S608
    if row is None:
        raise LookupError(f"nothing with number {number} on the second channel")
    return Delivery(*row)


def is_mailed(connection: sqlite3.Connection, number: int) -> bool:
    """Whether a mail server has taken the event's mail for somebody."""
    return ACCEPTED in _states(connection, _messages(connection, number))


def _messages(connection: sqlite3.Connection, number: int) -> list[int]:
    rows = connection.execute("SELECT id FROM message WHERE second = ? ORDER BY id", (number,))
    return [message for (message,) in rows]


def record(
    connection: sqlite3.Connection, number: int, outcome: Outcome, real_ms: int, *, now_ms: int, server: str
) -> None:
    """Write what one try made of a delivery, and the try to each of its messages."""
    channel = read(connection, number).channel
    for message in _messages(connection, number):
        attempts.add(
            connection,
            message,
            Attempt(channel, server, now_ms, real_ms, server, outcome.state, outcome.code, outcome.answer),
        )
    connection.execute(
        """
        UPDATE second_delivery
        SET state = :state, attempts = attempts + 1, next_try_ms = :next_try_ms, answered_ms = :real, answer = :answer
        WHERE id = :id
        """,
        {
            "state": outcome.state,
            "next_try_ms": outcome.next_try_ms,
            "real": real_ms,
            "answer": outcome.answer,
            "id": number,
        },
    )


def drop(connection: sqlite3.Connection, number: int, answer: str, real_ms: int) -> None:
    """End a delivery that nobody needs any more."""
    connection.execute(
        "UPDATE second_delivery SET state = 'unneeded', answered_ms = ?, answer = ? WHERE id = ? AND state = 'queued'",
        (real_ms, answer, number),
    )


def postpone(connection: sqlite3.Connection, until_ms: int) -> None:
    """Let all that waits wait until then at least."""
    connection.execute(
        "UPDATE second_delivery SET next_try_ms = max(next_try_ms, ?) WHERE state = 'queued'", (until_ms,)
    )
