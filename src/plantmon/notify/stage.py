"""This module is the stage that mails: it takes what is due from the outbox, composes, sends and records the answers.

A message is composed once and kept before its first try, so that every try sends the same bytes under the same
Message-ID. Answers are recorded at once; an answer that the store could not take is recorded before anything else is
sent. A server that is away stops the round: all that was due waits, and once it is back the oldest goes first.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from functools import partial
from typing import Protocol

import structlog

from plantmon.model.plant import Plant
from plantmon.notify import facts as facts_of
from plantmon.notify.drawing import Drawing
from plantmon.notify.letter import letter
from plantmon.notify.sketch import Series, sketch
from plantmon.notify.smtp import MailServer, Reply, send
from plantmon.store import outbox
from plantmon.store.database import Store
from plantmon.store.outbox import Delivery, Message, Outcome
from plantmon.times import HOUR_MS, MINUTE_MS, SECOND_MS

FIRST_WAIT_MS = 5 * SECOND_MS
LONGEST_WAIT_MS = 5 * MINUTE_MS
_ROUND = 50  # messages read in one go, so that a new one does not wait behind a long backlog
_POSTPONED = 1000  # of what is due while the server is away; the rest is tried, and waits, in the next run
_FOREVER_MS = 1 << 62
_LOG_AGAIN_MS = HOUR_MS  # an unchanged failure is said once an hour
_DIGITS = re.compile(r"\d+")

log = structlog.get_logger("plantmon.notify")

Sender = Callable[[MailServer, bytes, str, list[str]], dict[str, Reply]]


class Draftsman(Protocol):
    """Who draws charts: gives a PNG, or None when it is not there in time."""

    def draw(self, drawing: Drawing) -> bytes | None:
        """Draw one chart."""


def wait_ms(attempts: int) -> int:
    """Give how long to wait after so many tries: 5 s, doubling up to 5 min.

    >>> [wait_ms(tries) // 1000 for tries in (1, 2, 3, 7, 1000)]
    [5, 10, 20, 300, 300]
    """
    return min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(max(attempts - 1, 0), 16))


@dataclass(slots=True)
class _Failure:
    said: str
    logged_ms: int
    count: int = 0


class Mailer:
    """Sends the outbox. One thread runs it; `series` gives a point's values for charts, `rate` is the plant clock's."""

    def __init__(
        self,
        store: Store,
        plant: Plant,
        server: MailServer,
        sender: str,
        series: Series,
        chart: Draftsman | None = None,
        *,
        rate: float = 1.0,
        send: Sender = send,
    ) -> None:
        self.plant = plant  # replaced by the daemon when a new plant file is loaded
        self._store = store
        self._server = server
        self._sender = sender
        self._envelope_sender = parseaddr(sender)[1] or sender
        self._series = series
        self._chart = chart
        self._rate = rate
        self._send = send
        self._is_away = False
        # Messages in whose midst the line failed last time: tried last, so that one that the server chokes on does not
        # keep the others waiting behind it.
        self._suspects: set[int] = set()
        self._unrecorded: list[tuple[int, dict[str, Outcome], int, int]] = []
        self._failures: dict[str, _Failure] = {}

    def run(self, now_ms: int, real_ms: int) -> int | None:
        """Send all that is due at plant time `now_ms`; give the real time at which something is due next, or None.

        Raises StoreUnavailable when the store cannot be read or written; nothing that was accepted is forgotten then.
        """
        self._record_rest()
        tried: set[int] = set()
        # After the server was away, what waits is sent oldest first and not by each delivery's own wait: nobody should
        # read that an alarm cleared before that it was raised.
        while due := self._due(now_ms, real_ms, tried):
            until_ms = _FOREVER_MS if self._is_away else real_ms
            for message in due:
                tried.add(message.id)
                if not self._try(message, now_ms, real_ms, until_ms):
                    self._postpone(now_ms, real_ms, tried)
                    return self._next_due(now_ms, real_ms)
        return self._next_due(now_ms, real_ms)

    def _due(self, now_ms: int, real_ms: int, tried: set[int]) -> list[Message]:
        """Give the messages to try now, in their order; none while nothing is due by its own wait."""
        with self._store.readers.snapshot() as connection:
            due = outbox.due(connection, now_ms, real_ms, _ROUND)
            if due and self._is_away:
                due = outbox.due(connection, now_ms, _FOREVER_MS, _ROUND)
        untried = [message for message in due if message.id not in tried]
        return sorted(untried, key=lambda message: (message.id in self._suspects, message.id))

    def _try(self, message: Message, now_ms: int, real_ms: int, until_ms: int) -> bool:
        """Send one message to its addresses that are due by `until_ms`, record the answers. False: stop the round."""
        deliveries = {delivery.address: delivery for delivery in message.queued if delivery.next_try_ms <= until_ms}
        mime = self._mime(message, real_ms)
        replies = self._send(self._server, mime, self._envelope_sender, list(deliveries))
        if any(reply.is_midway for reply in replies.values()):
            self._suspects.add(message.id)
        else:
            self._suspects.discard(message.id)
        outcomes = {address: _outcome(deliveries[address], reply, real_ms) for address, reply in replies.items()}
        self._record(message.id, outcomes, now_ms, real_ms)
        self._is_away = not all(reply.is_reached for reply in replies.values())
        self._log(message, replies, real_ms)
        return not self._is_away

    def _mime(self, message: Message, real_ms: int) -> bytes:
        """Give the message's bytes: those of the first try, or composed and kept now."""
        if message.is_composed:
            with self._store.readers.snapshot() as connection:
                kept = outbox.mime(connection, message.id)
            if kept is not None:
                return kept
        mime = self._compose(message, real_ms)
        self._store.write(lambda connection: outbox.save_mime(connection, message.id, mime))
        return mime

    def _compose(self, message: Message, real_ms: int) -> bytes:
        return letter(message, self.plant, self._sender, real_ms, self._picture).as_bytes()

    def _picture(self, facts: facts_of.Facts, message: Message) -> bytes | None:
        if self._chart is None:
            return None
        try:
            drawing = sketch(facts, self.plant, message.language, message.created_ms, self._series)
            return None if drawing is None else self._chart.draw(drawing)
        except Exception:
            log.exception("chart_not_drawn", message=message.id)
            return None

    def _record(self, message: int, outcomes: dict[str, Outcome], now_ms: int, real_ms: int) -> None:
        self._unrecorded.append((message, outcomes, now_ms, real_ms))
        self._record_rest()

    def _record_rest(self) -> None:
        """Write the answers the store has not taken yet. While it cannot, nothing more is sent: StoreUnavailable."""
        while self._unrecorded:
            self._store.write(partial(self._write, *self._unrecorded[0]))
            del self._unrecorded[0]

    def _write(
        self,
        message: int,
        outcomes: dict[str, Outcome],
        now_ms: int,
        real_ms: int,
        connection: sqlite3.Connection,
    ) -> None:
        outbox.record(connection, message, outcomes, real_ms, now_ms=now_ms, server=self._where)

    def _postpone(self, now_ms: int, real_ms: int, tried: set[int]) -> None:
        """Let all else that is due wait as if it had been tried: each would only meet the same server."""

        def change(connection: sqlite3.Connection) -> None:
            for message in outbox.due(connection, now_ms, real_ms, _POSTPONED):
                if message.id not in tried:
                    outcomes = {
                        delivery.address: Outcome(
                            outbox.QUEUED,
                            "the mail server is away",
                            real_ms + wait_ms(delivery.attempts + 1),
                            is_tried=False,
                        )
                        for delivery in message.queued
                        if delivery.next_try_ms <= real_ms
                    }
                    self._write(message.id, outcomes, now_ms, real_ms, connection)

        self._store.write(change)

    def _next_due(self, now_ms: int, real_ms: int) -> int | None:
        with self._store.readers.snapshot() as connection:
            next_try_ms, not_before_ms = outbox.next_due(connection, now_ms, real_ms)
        times_ms = [] if next_try_ms is None else [next_try_ms]
        if not_before_ms is not None:
            times_ms.append(real_ms + int((not_before_ms - now_ms) / self._rate) + 1)
        return min(times_ms, default=None)

    @property
    def _where(self) -> str:
        return f"{self._server.host}:{self._server.port}"

    def _log(self, message: Message, replies: dict[str, Reply], real_ms: int) -> None:
        """Say what became of a try, one line an address; a server that is away gets one line for all."""
        for address, reply in replies.items():
            if reply.state == outbox.QUEUED and reply.is_reached:
                self._log_failure(address, "mail_waits", reply.answer, real_ms)
            elif reply.state != outbox.QUEUED:
                self._failures.pop(address, None)
                line = log.info if reply.state == outbox.ACCEPTED else log.error
                line(
                    f"mail_{reply.state}",
                    message=message.id,
                    alarm=message.alarm,
                    mail_event=message.event,
                    address=address,
                    answer=reply.answer,
                )
        away = next((reply for reply in replies.values() if not reply.is_reached), None)
        if away is not None:
            self._log_failure(self._where, "mail_server_away", away.answer, real_ms)
        elif (failure := self._failures.pop(self._where, None)) is not None:
            log.info("mail_server_back", server=self._where, tries=failure.count)

    def _log_failure(self, about: str, event: str, answer: str, real_ms: int) -> None:
        """Say a failure when it is new or another than before, and otherwise once an hour with its count."""
        said = _DIGITS.sub("#", answer)  # queue ids and seconds left make no new failure
        failure = self._failures.get(about)
        is_new = failure is None or failure.said != said
        if failure is None or is_new:
            failure = self._failures[about] = _Failure(said, real_ms)
        failure.count += 1
        if is_new or real_ms - failure.logged_ms >= _LOG_AGAIN_MS:
            failure.logged_ms = real_ms
            log.warning(event, about=about, answer=answer, tries=failure.count)


def _outcome(delivery: Delivery, reply: Reply, real_ms: int) -> Outcome:
    return Outcome(reply.state, reply.answer, real_ms + wait_ms(delivery.attempts + 1), reply.code)
