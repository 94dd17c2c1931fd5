"""This module makes the mail of an outbox's message: what the mailer sends, and what people read again later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import structlog

from plantmon.model.plant import Plant
from plantmon.notify import digest_facts
from plantmon.notify import facts as facts_of
from plantmon.notify.compose import compose, compose_plain
from plantmon.notify.digest import compose_digest
from plantmon.store.outbox import Message
from plantmon.times import SECOND_MS

log = structlog.get_logger("plantmon.notify")

Picture = Callable[[facts_of.Facts, Message], bytes | None]


def letter(
    message: Message,
    plant: Plant,
    sender: str,
    real_ms: int,
    picture: Picture | None = None,
    *,
    language: str | None = None,
) -> EmailMessage:
    """Compose a message, with the chart that `picture` draws; in the least form where its facts fit no other.

    `real_ms` becomes its date; `language` is another than the message's own.
    """
    headers: dict[str, Any] = {
        "event": message.event,
        "severity": message.severity,
        "sender": sender,
        "addresses": [delivery.address for delivery in message.deliveries],
        "message_id": message.message_id,
        "date": datetime.fromtimestamp(real_ms // SECOND_MS, UTC),
        "thread": message.thread,
    }
    try:
        if message.event == digest_facts.EVENT:
            own = {name: headers[name] for name in ("sender", "addresses", "message_id", "date")}
            return compose_digest(message.facts, plant, language or message.language, **own)
        facts = facts_of.read(message.facts, message.alarm)
        png = None if picture is None else picture(facts, message)
        return compose(facts, plant, language or message.language, png, created_ms=message.created_ms, **headers)
    except Exception:
        log.exception("mail_not_composed", message=message.id, facts_kind=message.facts.get("kind"))
    return compose_plain(message.facts, **headers)


def words_of(mail: EmailMessage) -> tuple[str, str]:
    """Give a mail's subject and its text; nothing for what it lacks."""
    body = mail.get_body(("plain",))
    return str(mail["Subject"] or ""), "" if body is None else str(body.get_content()).replace("\r\n", "\n")
