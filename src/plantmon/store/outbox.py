"""This module keeps the outbox: what is to be mailed, to whom, and what became of each delivery.

A message is what is said, once for each language; a delivery is one address it goes to. Rows are written in the
transaction of the event they tell of, and stay: what was sent is evidence. Functions take a connection and, where they
write, run inside the caller's transaction. Creation and quiet hours are plant time, tries and answers real time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from plantmon.store import attempts
from plantmon.store.attempts import Attempt

QUEUED, ACCEPTED, REFUSED = "queued", "accepted", "refused"
TOLD = "told"  # held by quiet hours, and listed in a digest instead


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try made of one delivery. `next_try_ms` (real time) counts only while `state` is queued.

    `code` is the server's answer as a number. Not `is_tried`: the server had just been found away.
    """

    state: str  # queued, accepted, refused
    answer: str
    next_try_ms: int = 0
    code: int | None = None
    is_tried: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """One address a message goes to, and its way so far. Times are real; None: nobody answered yet."""

    address: str
    recipient: str
    state: str
    attempts: int
    next_try_ms: int
    answered_ms: int | None
    answer: str | None
    told_by: int | None = None  # the message that told of this one instead


@dataclass(frozen=True, slots=True)
class Message:
    """What is said. `thread` is the Message-ID of the alarm's first mail in this language, None for that itself.

    `second` is the number of its event on the second channel, None where it did not take that way.
    """

    id: int
    message_id: str
    alarm: int | None
    event: str
    severity: str
    language: str
    created_ms: int
    not_before_ms: int
    facts: dict[str, Any]
    thread: str | None
    is_composed: bool
    deliveries: tuple[Delivery, ...]
    second: int | None = None

    @property
    def queued(self) -> tuple[Delivery, ...]:
        """The deliveries that have not come to an end."""
        return tuple(delivery for delivery in self.deliveries if delivery.state == QUEUED)


def enqueue(
    connection: sqlite3.Connection,
    *,
    event: str,
    severity: str,
    alarm: int | None,
    facts: Mapping[str, Any],
    language: str,
    addresses: Sequence[tuple[str, str]],
    created_ms: int,
    not_before_ms: int,
    domain: str,
) -> int:
    """Put one message for one language group into the outbox and give its row id.

    `addresses` are pairs of recipient and address; an address that two recipients share gets the message once.
    The Message-ID is made here, once and for good, so that every try carries the same. `facts` is stored as JSON.
    """
    message = connection.execute(
        "INSERT INTO message (message_id, alarm, event, severity, language, created_ms, not_before_ms, facts)"
        " VALUES (:message_id, :alarm, :event, :severity, :language, :created_ms, :not_before_ms, :facts)",
        {
            "message_id": f"<{uuid4()}@{domain}>",
            "alarm": alarm,
            "event": event,
            "severity": severity,
            "language": language,
            "created_ms": created_ms,
            "not_before_ms": not_before_ms,
            "facts": json.dumps(facts, ensure_ascii=False),
        },
    ).lastrowid
    assert message is not None
    recipients: dict[str, list[str]] = {}
    for recipient, address in addresses:
        names = recipients.setdefault(address, [])
        if recipient not in names:
            names.append(recipient)
    connection.executemany(
        "INSERT INTO delivery (message, address, recipient, state, attempts, next_try_ms) VALUES (?, ?, ?, ?, 0, 0)",
        [(message, address, ", ".join(names), QUEUED) for address, names in recipients.items()],
    )
    return message


def due(connection: sqlite3.Connection, now_ms: int, real_ms: int, most: int) -> list[Message]:
    """Give the messages with a queued delivery whose time has come, oldest first, at most `most`.

    Each carries all its deliveries, also those that came to an end or are not due.
    """
    rows = connection.execute(
        """
        SELECT DISTINCT message.id
        FROM delivery
        JOIN message ON message.id = delivery.message
        WHERE delivery.state = 'queued'
          AND delivery.next_try_ms <= :real_ms
          AND message.not_before_ms <= :now_ms
        ORDER BY message.id
        LIMIT :most
        """,
        {"real_ms": real_ms, "now_ms": now_ms, "most": most},
    )
    return [_message(connection, message) for (message,) in rows.fetchall()]


def next_due(connection: sqlite3.Connection, now_ms: int, real_ms: int) -> tuple[int | None, int | None]:
    """Say when something is due next: a real time, and for messages that quiet hours hold a plant time.

    The real time is `real_ms` where something is due already; None where nothing waits in that way.
    """
    (next_try_ms,) = connection.execute(
        """
        SELECT min(max(delivery.next_try_ms, :real_ms))
        FROM delivery
        JOIN message ON message.id = delivery.message
        WHERE delivery.state = 'queued'
          AND message.not_before_ms <= :now_ms
        """,
        {"real_ms": real_ms, "now_ms": now_ms},
    ).fetchone()
    (not_before_ms,) = connection.execute(
        """
        SELECT min(message.not_before_ms)
        FROM delivery
        JOIN message ON message.id = delivery.message
        WHERE delivery.state = 'queued'
          AND message.not_before_ms > :now_ms
        """,
        {"now_ms": now_ms},
    ).fetchone()
    return next_try_ms, not_before_ms


def mime(connection: sqlite3.Connection, message: int) -> bytes | None:
    """Give the bytes a message was composed to; None before that, and after its last delivery came to an end."""
    row = connection.execute("SELECT mime FROM message WHERE id = ?", (message,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def save_mime(connection: sqlite3.Connection, message: int, mime: bytes) -> None:
    """Keep the bytes of a message before its first try."""
    connection.execute("UPDATE message SET mime = ? WHERE id = ?", (mime, message))


def record(
    connection: sqlite3.Connection,
    message: int,
    outcomes: Mapping[str, Outcome],
    real_ms: int,
    *,
    now_ms: int,
    server: str,
) -> None:
    """Write what one try at a server made of a message's deliveries, and the try itself.

    A delivery that came to an end before stays as it is. With the last one the bytes go: facts and answers tell enough.
    """
    for address, outcome in outcomes.items():
        state = outcome.state if outcome.is_tried else attempts.POSTPONED
        attempts.add(
            connection,
            message,
            Attempt(attempts.MAIL, address, now_ms, real_ms, server, state, outcome.code, outcome.answer),
        )
    connection.executemany(
        """
        UPDATE delivery
        SET state = :state, attempts = attempts + 1, next_try_ms = :next_try_ms,
            answered_ms = :answered_ms, answer = :answer
        WHERE message = :message
          AND address = :address
          AND state = 'queued'
        """,
        [
            {
                "state": outcome.state,
                "next_try_ms": outcome.next_try_ms,
                "answered_ms": real_ms,
                "answer": outcome.answer,
                "message": message,
                "address": address,
            }
            for address, outcome in outcomes.items()
        ],
    )
    _drop_bytes(connection, message)


def _drop_bytes(connection: sqlite3.Connection, message: int) -> None:
    connection.execute(
        """
        UPDATE message
        SET mime = NULL
        WHERE id = :message
          AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message = :message AND delivery.state = 'queued')
        """,
        {"message": message},
    )


def held(connection: sqlite3.Connection, addresses: Collection[str]) -> list[Message]:
    """Give the messages that quiet hours held, were not tried yet, and go to one of these addresses; oldest first.

    A breach is never held, and never among them.
    """
    rows = connection.execute(
        """
        SELECT DISTINCT message.id, delivery.address
        FROM delivery
        JOIN message ON message.id = delivery.message
        WHERE delivery.state = 'queued'
          AND delivery.attempts = 0
          AND message.not_before_ms > message.created_ms
          AND message.severity != 'breach'
        ORDER BY message.id
        """
    ).fetchall()
    numbers = dict.fromkeys(message for message, address in rows if address in addresses)
    return [_message(connection, message) for message in numbers]


def tell_held(connection: sqlite3.Connection, held_messages: Collection[int], by: int) -> int:
    """End the held deliveries of messages to the addresses of message `by`, which tells of them; give how many.

    Runs in the transaction that queues `by`. What was tried meanwhile goes on by itself.
    """
    told = 0
    for message in held_messages:
        told += connection.execute(
            """
            UPDATE delivery
            SET state = 'told', told_by = :by, answer = :answer
            WHERE message = :message
              AND state = 'queued'
              AND attempts = 0
              AND address IN (SELECT address FROM delivery WHERE message = :by)
            """,
            {"message": message, "by": by, "answer": f"told by message {by}"},
        ).rowcount
        _drop_bytes(connection, message)
    return told


def listing(
    connection: sqlite3.Connection,
    *,
    alarm: int | None = None,
    state: str | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
    most: int = 100,
) -> list[Message]:
    """Give messages with the way of each delivery, newest first.

    Of one alarm (mails that list several alarms with it), with a delivery in a state, made in [start, end) of plant
    time: None takes all.
    """
    rows = connection.execute(
        """
        SELECT id
        FROM message
        WHERE (:alarm IS NULL OR alarm = :alarm OR id IN (SELECT message FROM told_alarm WHERE alarm = :alarm))
          AND (:state IS NULL
               OR EXISTS (SELECT 1 FROM delivery WHERE delivery.message = message.id AND delivery.state = :state))
          AND (:start IS NULL OR created_ms >= :start)
          AND (:end IS NULL OR created_ms < :end)
        ORDER BY id DESC
        LIMIT :most
        """,
        {"alarm": alarm, "state": state, "start": start_ms, "end": end_ms, "most": most},
    )
    return [_message(connection, message) for (message,) in rows.fetchall()]


def read(connection: sqlite3.Connection, message: int) -> Message | None:
    """Give one message; None when there is none of this number."""
    if connection.execute("SELECT 1 FROM message WHERE id = ?", (message,)).fetchone() is None:
        return None
    return _message(connection, message)


def refused(connection: sqlite3.Connection, *, most: int = 100) -> list[Message]:
    """Give the messages that a server refused for some address for good, newest first."""
    rows = connection.execute(
        "SELECT DISTINCT message FROM delivery WHERE state = 'refused' ORDER BY message DESC LIMIT ?", (most,)
    )
    return [_message(connection, message) for (message,) in rows.fetchall()]


def _message(connection: sqlite3.Connection, message: int) -> Message:
    row = connection.execute(
        """
        SELECT id, message_id, alarm, event, severity, language, created_ms, not_before_ms, facts, mime IS NOT NULL,
               second
        FROM message
        WHERE id = ?
        """,
        (message,),
    ).fetchone()
    deliveries = connection.execute(
        """
        SELECT address, recipient, state, attempts, next_try_ms, answered_ms, answer, told_by
        FROM delivery
        WHERE message = ?
        ORDER BY address
        """,
        (message,),
    )
    return Message(
        id=row[0],
        message_id=row[1],
        alarm=row[2],
        event=row[3],
        severity=row[4],
        language=row[5],
        created_ms=row[6],
        not_before_ms=row[7],
        facts=json.loads(row[8]),
        thread=_thread(connection, message, row[2], row[5]),
        is_composed=bool(row[9]),
        deliveries=tuple(Delivery(*delivery) for delivery in deliveries),
        second=row[10],
    )


def _thread(connection: sqlite3.Connection, message: int, alarm: int | None, language: str) -> str | None:
    """Give the Message-ID that leads an alarm's conversation, its first mail in this language; None for that itself."""
    if alarm is None:
        return None
    first, message_id = connection.execute(
        "SELECT id, message_id FROM message WHERE alarm = :alarm AND language = :language ORDER BY id LIMIT 1",
        {"alarm": alarm, "language": language},
    ).fetchone()
    return None if first == message else str(message_id)
