"""This module shows the way of messages: what was queued for whom, each try, and who took it with which answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from plantmon.model.plant import Plant
from plantmon.reports.tabular import Cell
from plantmon.store import attempts, second
from plantmon.store.attempts import Attempt
from plantmon.store.outbox import Delivery, Message
from plantmon.texts import text

DELIVERY_COLUMNS = (
    "id", "queued", "event", "severity", "kind", "alarm", "language", "channel", "to", "state", "tries", "answered",
    "answer",
)  # fmt: skip
ATTEMPT_COLUMNS = ("number", "channel", "to", "plant_time", "real_time", "server", "state", "code", "answer")
_ANSWER_WIDTH = 60  # in a table


def headings(columns: Sequence[str], language: str | None) -> list[str]:
    """Give the columns' names for people in a language, or for programs (None)."""
    return [name if language is None else text(f"messages.col_{name}", language) for name in columns]


def deliveries(
    connection: sqlite3.Connection, plant: Plant, message: Message, language: str | None
) -> list[list[Cell]]:
    """Give a row for each address of a message, and for the second channel where its event took it.

    In a language words are for people and answers short; without one (None) both are as they are stored.
    """
    ways: list[tuple[str, str, Delivery | second.Delivery]] = [
        (attempts.MAIL, one.address, one) for one in message.deliveries
    ]
    if message.second is not None:
        other = second.read(connection, message.second)
        ways.append((other.channel, other.server, other))
    return [
        [
            message.id, plant.time.show(message.created_ms), message.event, message.severity,
            str(message.facts.get("kind")), message.alarm, message.language, _word("channel", channel, language),
            to, _word("state", one.state, language), one.attempts,
            None if one.answered_ms is None else plant.time.show(one.answered_ms), _short(one.answer, language),
        ]
        for channel, to, one in ways
    ]  # fmt: skip


def way(plant: Plant, tries: Sequence[Attempt], language: str | None) -> list[list[Cell]]:
    """Give a row for each try."""
    return [
        [
            one.number, _word("channel", one.channel, language), one.address, plant.time.show(one.plant_ms),
            plant.time.show(one.real_ms), one.server, _word("state", one.state, language), one.code, one.answer,
        ]
        for one in tries
    ]  # fmt: skip


def _word(kind: str, name: str, language: str | None) -> str:
    return name if language is None else text(f"messages.{kind}_{name}", language)


def _short(answer: str | None, language: str | None) -> str | None:
    if answer is None or language is None or len(answer) <= _ANSWER_WIDTH:
        return answer
    return f"{answer[: _ANSWER_WIDTH - 1]}…"
