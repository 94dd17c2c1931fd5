"""This module keeps each try of a delivery: when, at which server, with which answer.

Entries are only added. A server that is away for weeks makes thousands: of each address the first three and the last
twenty stay, and their numbers show how many there were.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

MAIL = "mail"
FIRST_KEPT, LAST_KEPT = 3, 20  # as the table's trigger has them
# The server had just been found away, so nothing was sent.
POSTPONED = "postponed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `state` is what it made of the delivery; `code` None: the server answered nothing that has one."""

    channel: str  # mail, webhook, apprise
    address: str
    plant_ms: int
    real_ms: int
    server: str
    state: str  # accepted, queued, postponed, refused
    code: int | None
    answer: str
    number: int = 0  # given by the store, from 1


def add(connection: sqlite3.Connection, message: int, attempt: Attempt) -> None:
    """Write a try of a message, inside the caller's transaction; drop the one that is neither of the first nor last."""
    of = {"message": message, "channel": attempt.channel, "address": attempt.address}
    (number,) = connection.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM attempt"
        " WHERE message = :message AND channel = :channel AND address = :address",
        of,
    ).fetchone()
    connection.execute(
        """
        INSERT INTO attempt (message, channel, address, number, plant_ms, real_ms, server, state, code, answer)
        VALUES (:message, :channel, :address, :number, :plant_ms, :real_ms, :server, :state, :code, :answer)
        """,
        {
            **of,
            "number": number,
            "plant_ms": attempt.plant_ms,
            "real_ms": attempt.real_ms,
            "server": attempt.server,
            "state": attempt.state,
            "code": attempt.code,
            "answer": attempt.answer,
        },
    )
    if number > FIRST_KEPT + LAST_KEPT:
        connection.execute(
            """
            DELETE FROM attempt
            WHERE message = :message AND channel = :channel AND address = :address
              AND number > :first AND number <= :last
            """,
            {**of, "first": FIRST_KEPT, "last": number - LAST_KEPT},
        )


def of_message(connection: sqlite3.Connection, message: int) -> list[Attempt]:
    """List the tries of a message that are kept, oldest first."""
    rows = connection.execute(
        """
        SELECT channel, address, plant_ms, real_ms, server, state, code, answer, number
        FROM attempt
        WHERE message = ?
        ORDER BY id
        """,
        (message,),
    )
    return [Attempt(*row) for row in rows]
