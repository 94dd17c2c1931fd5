"""This module tells stories to a real plantmon: a broker, a mail server and the daemon, by a clock that a story moves.

A story is a generator. It lives on (`live`), acts, and yields what people are to have heard by then; where it yields it
may be interrupted: the daemon is restarted or killed at any moment of what it does about the step.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from plantmon.times import HOUR_MS, MINUTE_MS, PlantTime
from simulators.brokers import Mosquitto
from simulators.exim import Exim
from simulators.loadgen import Loadgen
from simulators.mailbox import Mailbox
from simulators.service import eventually
from simulators.stepping import SteppedService, set_clock

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
TOPIC = "p/batch"
HEAD = f"""\
plant: {{id: live, name: {{en: Live plant, zh: 现场工厂}}, timezone: Asia/Shanghai}}
feeds: [{{topic: {TOPIC}, format: json-batch}}]
"""
LIMIT_S = 30.0
# How long after a step it is interrupted: while the daemon notices it, works on it, mails it, or has done so.
MOMENTS_S = (0.0, 0.25, 0.1, 0.4, 0.15, 0.3)
Value = float | Callable[[int], float]  # a reading of a minute, counted from the story's beginning


class Office(Protocol):
    """A mail server that keeps what it took."""

    port: int

    def taken(self) -> list[tuple[str, tuple[str, ...]]]:
        """Give each mail's Message-ID and to whom it went, in order."""


class Boxes:
    """The mailboxes of an aiosmtpd."""

    def __init__(self, box: Mailbox) -> None:
        self.box = box
        self.port = box.port

    def taken(self) -> list[tuple[str, tuple[str, ...]]]:
        """Give each mail's Message-ID and to whom it went, in order."""
        return [(str(mail.message["Message-ID"]), mail.recipients) for mail in self.box.mails]


def words_of(mail: Message) -> tuple[str, str]:
    """Give a mail's subject and its text, decoded."""
    parsed = message_from_bytes(mail.as_bytes(), _class=EmailMessage, policy=policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    return str(parsed["Subject"]), body.get_content()


class EximOffice:
    """The mailboxes of an exim4."""

    def __init__(self, server: Exim) -> None:
        self._server = server
        self.port = server.port

    def taken(self) -> list[tuple[str, tuple[str, ...]]]:
        """Give each mail's Message-ID and to whom it went, in order."""
        return [(str(mail["Message-ID"]), tuple(str(mail["To"]).split(", "))) for mail in self._server.mails()]


class Live:
    """A plant that lives: `values` are what its points measure, minute by minute; None is silence."""

    def __init__(self, folder: Path, plant_text: str, begins: str, office: Office, broker: Mosquitto) -> None:
        self.office = office
        self.broker = broker
        self.is_broker_up = True
        self.values: dict[str, Value | None] = {}
        self.service = SteppedService(folder, HEAD + plant_text, broker.port, SMTP__PORT=office.port)
        self._begins = self._lived = self._now = TIME.parse(begins)
        self._sent = 0
        set_clock(self.service.clock, self._now)

    def at(self, clock: str) -> None:
        """Move the clock to the next time it shows `08:30`."""
        target = TIME.parse(f"{TIME.show(self._now)[:10]} {clock}")
        self._move(target if target >= self._now else target + 24 * HOUR_MS)

    def on(self, moment: str) -> None:
        """Move the clock to a local date and time; nothing is measured until then."""
        self._move(TIME.parse(moment))

    def live(self, clock: str) -> None:
        """Live on to the next time the clock shows `08:30`: measure every minute, tell it over the broker.

        The last minute passes once all before it is stored and averaged; each hour ends with all its readings there.
        """
        target = TIME.parse(f"{TIME.show(self._now)[:10]} {clock}")
        target = target if target > self._now else target + 24 * HOUR_MS
        while (pause := min(target, TIME.hour_start(self._lived) + HOUR_MS + MINUTE_MS)) < target:
            self._measure(pause)
        self._measure(target - MINUTE_MS)
        self._move(target)

    def batch(self, values: dict[str, float]) -> None:
        """Tell many points' values of now in one message."""
        self._publish([{"ts": self._now, "values": values}], len(values), has_passed=False)

    def command(self, *arguments: str) -> None:
        """Have somebody type a command."""
        done = self.service.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def wait_for(self, count: str, number: int) -> None:
        """Wait until a query of the store counts so many."""
        assert eventually(lambda: self.service.query(count) == [(number,)], LIMIT_S), self.service.query(count)

    def said(self) -> list[str]:
        """List what stands in the outbox: event, kind and to whom, oldest first."""
        return [f"{event} {kind} -> {', '.join(names)}" for _, event, kind, names in self._messages()]

    def heard(self) -> list[str]:
        """List what the mailboxes hold, once each, in the order it was said."""
        taken: dict[str, set[str]] = {}
        for message_id, addresses in self.office.taken():
            taken.setdefault(message_id, set()).update(address.partition("@")[0] for address in addresses)
        return [
            f"{event} {kind} -> {', '.join(sorted(taken[message_id]))}"
            for message_id, event, kind, _ in self._messages() if message_id in taken
        ]  # fmt: skip

    def repeats(self) -> int:
        """Count the mails that somebody got more than once."""
        got = Counter((message_id, address) for message_id, names in self.office.taken() for address in names)
        return sum(count - 1 for count in got.values())

    def _messages(self) -> list[tuple[str, str, str, list[str]]]:
        rows = self.service.query(
            """
            SELECT message_id, event, json_extract(facts, '$.kind'), group_concat(delivery.recipient)
            FROM message JOIN delivery ON delivery.message = message.id GROUP BY message.id ORDER BY message.id
            """
        )
        return [(row[0], row[1], row[2], sorted(row[3].split(","))) for row in rows]

    def _move(self, now_ms: int) -> None:
        self._now = now_ms
        set_clock(self.service.clock, now_ms)

    def _measure(self, until_ms: int) -> None:
        """Move the clock, and tell what was measured up to then."""
        if until_ms <= self._lived:
            return
        self._move(max(until_ms, self._now))
        minutes = range(self._lived, until_ms, MINUTE_MS)
        messages = []
        for point, value in self.values.items():
            if value is not None:
                of = value if callable(value) else (lambda minute, same=value: same)
                values = [of((ts - self._begins) // MINUTE_MS) for ts in minutes]
                messages.append({"point": point, "ts": list(minutes), "values": values})
        self._lived = until_ms
        self._publish(messages, sum(len(one["values"]) for one in messages))

    def _publish(self, messages: Iterable[dict[str, Any]], readings: int, *, has_passed: bool = True) -> None:
        payloads = [(TOPIC, json.dumps(one).encode()) for one in messages]
        if not payloads:
            return
        done = Loadgen("127.0.0.1", self.broker.port, payloads).run(limit_s=LIMIT_S)
        assert done.acknowledged == len(payloads)
        self._sent += readings
        assert eventually(lambda: self._has_settled(has_passed), LIMIT_S), self.service.log[-2000:]

    def _has_settled(self, has_passed: bool) -> bool:
        """Whether all readings are stored and, where their minute has passed, its mean is made."""
        is_stored = self.service.stored() >= self._sent
        return is_stored and not (has_passed and self.service.query("SELECT 1 FROM touched LIMIT 1"))


# What people are to have heard after a step; None: they cannot hear, but this is said.
Hears = list[str]
Script = Callable[[Live], Generator[Hears, None, None]]


def tell(folder: Path, script: Script, plant_text: str, begins: str, manner: str, office: Office) -> Live:
    """Tell a story; `manner` is what befalls the daemon after each step: nothing, `restart`, `kill`.

    Fails where people did not hear what they were to, in that order, or heard more, or twice without a kill.
    """
    with Mosquitto("fast", folder=folder / "broker") as broker:
        live = Live(folder / "service", plant_text, begins, office, broker)
        expected: list[str] = []
        interruptions = 0
        with ExitStack() as stack:
            stack.callback(live.service.stop)
            live.service.start()
            for place, news in enumerate(script(live)):
                expected += news
                if manner:
                    time.sleep(MOMENTS_S[place % len(MOMENTS_S)])
                    live.service.kill9() if manner == "kill" else live.service.stop()
                    live.service.start(is_connected=live.is_broker_up)
                    interruptions += 1
                _expect(live, expected)
            time.sleep(1.0)  # several rounds of every job: nothing more is said
            _expect(live, expected)
        assert live.repeats() <= (interruptions if manner == "kill" else 0)
        return live


def _expect(live: Live, expected: list[str]) -> None:
    def what() -> list[str]:
        return live.said() if is_deaf(live) else live.heard()

    if not eventually(lambda: what() == expected, LIMIT_S, 0.05):
        raise AssertionError(f"heard {what()}\nwanted {expected}\n{live.service.log[-1500:]}")


def is_deaf(live: Live) -> bool:
    """Whether the mail server is away, so that one can only see what is said."""
    return isinstance(live.office, Boxes) and live.office.box._server is None
