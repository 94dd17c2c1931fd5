"""This module is the stage that tells a breach in another way when no mail server has taken its mail for some time.

An event is composed once and kept, with its key, before the first try, so that a repeat after a crash is the same.
Where every mail of it was refused for good there is nothing to wait for. What was told here is mailed all the same;
what was mailed before it could be told here is not told any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from plantmon.model.notice import Notice
from plantmon.model.plant import Plant
from plantmon.notify.channel import Channel
from plantmon.notify.letter import letter, words_of
from plantmon.notify.smtp import Reply
from plantmon.notify.stage import wait_ms
from plantmon.store import outbox, second
from plantmon.store.database import Store
from plantmon.store.outbox import Message, Outcome
from plantmon.store.second import Delivery, Untold
from plantmon.texts import text

log = structlog.get_logger("plantmon.notify")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one run did: when something is due next (real time), whether anything was tried, and why that failed."""

    due_ms: int | None
    is_tried: bool = False
    fault: str | None = None


class SecondChannel:
    """One channel over one store; one thread runs it. `after` is real time, `rate` the plant clock's."""

    def __init__(
        self,
        store: Store,
        plant: Plant,
        channel: Channel,
        after: timedelta,
        language: str,
        *,
        rate: float = 1.0,
    ) -> None:
        self._store = store
        self._plant = plant
        self._channel = channel
        self._after_ms = int(after.total_seconds() * 1000)
        self._language = language
        self._rate = rate
        self._unrecorded: list[tuple[int, Outcome, int, int]] = []

    def run(self, now_ms: int, real_ms: int) -> Turn:
        """Put on the channel what nobody was mailed of in time, and send what is due.

        Raises StoreUnavailable when the store cannot be read or written; nothing that was accepted is forgotten then.
        """
        self._record_rest()
        later_ms = self._look(now_ms, real_ms)
        turn = self._send_due(now_ms, real_ms)
        with self._store.readers.snapshot() as connection:
            waiting = [one.next_try_ms for one in second.queued(connection)]
        return Turn(min([*waiting, *later_ms], default=None), turn.is_tried, turn.fault)

    def _look(self, now_ms: int, real_ms: int) -> list[int]:
        """Queue the events whose time has come; give the real times of those that still wait for their mail."""
        with self._store.readers.snapshot() as connection:
            found = second.untold(connection, real_ms)
        later_ms = []
        for one in found:
            # A clock that was set since must not put a breach off: its age is never less than nothing.
            age_ms = max(0.0, (now_ms - one.created_ms) / self._rate)
            if one.is_refused or age_ms >= self._after_ms:
                self._queue(one, real_ms)
            else:
                later_ms.append(real_ms + int(self._after_ms - age_ms) + 1)
        return later_ms

    def _queue(self, one: Untold, real_ms: int) -> None:
        with self._store.readers.snapshot() as connection:
            messages = [found for number in one.messages if (found := outbox.read(connection, number)) is not None]
        channel = self._channel
        notice = notice_of(messages, self._plant, self._language, real_ms, is_refused=one.is_refused)
        body = channel.compose(notice)

        def write(connection: sqlite3.Connection) -> bool:
            return second.enqueue(
                connection, one.messages, channel=channel.kind, server=channel.where, key=notice.id, body=body,
                real_ms=real_ms,
            )  # fmt: skip

        if self._store.write(write):
            log.warning("mail_stuck", messages=list(one.messages), alarm=notice.alarm, channel=channel.kind)

    def _send_due(self, now_ms: int, real_ms: int) -> Turn:
        with self._store.readers.snapshot() as connection:
            due = [one for one in second.queued(connection) if one.next_try_ms <= real_ms]
            mailed = {one.id for one in due if second.is_mailed(connection, one.id)}
        is_tried, fault = False, None
        for one in due:
            if one.id in mailed:
                self._store.write(partial(_drop, one.id, real_ms))
                continue
            is_tried = True
            reply = self._channel.send(one.key, one.body)
            pause_ms = wait_ms(one.attempts + 1)
            self._unrecorded.append(
                (one.id, Outcome(reply.state, reply.answer, real_ms + pause_ms, reply.code), now_ms, real_ms)
            )
            self._record_rest()
            self._log(one, reply)
            if reply.state != second.ACCEPTED:
                fault = f"{self._channel.where}: {reply.answer}"
            if not reply.is_reached:  # the others would only meet the same server
                self._store.write(partial(_postpone, real_ms + pause_ms))
                break
        return Turn(None, is_tried, fault)

    def _record_rest(self) -> None:
        """Write the answers the store has not taken yet. While it cannot, nothing more is sent: StoreUnavailable."""
        while self._unrecorded:
            number, outcome, now_ms, real_ms = self._unrecorded[0]
            self._store.write(
                partial(_record, number, outcome, real_ms, now_ms, self._channel.where),
            )
            del self._unrecorded[0]

    def _log(self, one: Delivery, reply: Reply) -> None:
        line = log.error if reply.state == second.REFUSED else log.info
        line(
            f"second_channel_{reply.state}",
            channel=self._channel.kind,
            server=self._channel.where,
            key=one.key,
            answer=reply.answer,
            tries=one.attempts + 1,
        )


def _record(
    number: int, outcome: Outcome, real_ms: int, now_ms: int, server: str, connection: sqlite3.Connection
) -> None:
    second.record(connection, number, outcome, real_ms, now_ms=now_ms, server=server)


def _drop(number: int, real_ms: int, connection: sqlite3.Connection) -> None:
    second.drop(connection, number, "the mail was accepted first", real_ms)


def _postpone(until_ms: int, connection: sqlite3.Connection) -> None:
    second.postpone(connection, until_ms)


def notice_of(messages: Sequence[Message], plant: Plant, language: str, real_ms: int, *, is_refused: bool) -> Notice:
    """Put an event into the words of its mail, with the fact that the mail is stuck."""
    first = messages[0]
    title, said = words_of(letter(first, plant, "plantmon@localhost", real_ms, language=language))
    stuck = "\n".join(_stuck(messages, plant, one, is_refused=is_refused) for one in _languages(language))
    facts = first.facts
    return Notice(
        id=first.message_id.strip("<>"),
        plant=plant.id,
        plant_name=_name(plant, language),
        event=first.event,
        severity=first.severity,
        kind=str(facts.get("kind")),
        alarm=first.alarm,
        outlet=facts.get("outlet"),
        point=facts.get("point"),
        limit=facts.get("limit"),
        since=_iso(plant, facts.get("since")),
        created=_iso(plant, first.created_ms) or "",
        language=language,
        title=title,
        notice=stuck,
        text=f"{stuck}\n\n{said}".strip(),
    )


def trial_notice(plant: Plant, language: str, key: str, now_ms: int) -> Notice:
    """Give a notice that says only that the channel works."""
    title, said = (" ".join(text(f"second.{name}", one) for one in _languages(language))
                   for name in ("test_title", "test_text"))  # fmt: skip
    title = f"[plantmon] {title}: {_name(plant, language)}"
    created = _iso(plant, now_ms) or ""
    return Notice(
        key, plant.id, _name(plant, language), "test", "data", "test", None, None, None, None, None, created, language,
        title, "", said,
    )  # fmt: skip


def _languages(language: str) -> tuple[str, ...]:
    return ("zh", "en") if language == "both" else (language,)


def _name(plant: Plant, language: str) -> str:
    names = dict.fromkeys(plant.name.in_language(one) for one in _languages(language))
    return " ".join(name for name in names if name) or plant.id


def _stuck(messages: Sequence[Message], plant: Plant, language: str, *, is_refused: bool) -> str:
    answers = [one.answer for message in messages for one in message.deliveries if one.answer]
    answer = answers[0] if answers else text("second.no_answer", language)
    key = "second.refused" if is_refused else "second.stuck"
    return text(key, language, time=plant.time.show(messages[0].created_ms), answer=answer)


def _iso(plant: Plant, at_ms: object) -> str | None:
    return plant.time.local(at_ms).isoformat(timespec="seconds") if isinstance(at_ms, int) else None
