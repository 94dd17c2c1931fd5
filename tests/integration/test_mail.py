"""This module proves the way of a mail from the outbox into real mailboxes: once each, whatever the servers do.

The servers are aiosmtpd, exim4 and, for lines that break in the middle, a few lines of socket; all on loopback ports.
Time is an argument: a story moves the clock itself and never sleeps for a back-off.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from notify_plant import NOW, breach, plant, plausible_series
from structlog.testing import capture_logs

from plantmon.errors import StoreUnavailable
from plantmon.notify.draftsman import ChartChild
from plantmon.notify.drawing import Drawing
from plantmon.notify.smtp import MailServer, Reply, send
from plantmon.notify.stage import Mailer, wait_ms
from plantmon.store import attempts, outbox
from plantmon.store.database import Store
from plantmon.times import HOUR_MS, MINUTE_MS, SECOND_MS
from simulators.brokers import free_port
from simulators.certificates import make_certificates
from simulators.exim import exim
from simulators.mailbox import Mailbox

pytestmark = pytest.mark.timeout(120)

REAL = 1_700_000_000_000
SENDER = "plantmon <plantmon@plant.test>"
MIME = b"Subject: x\r\n\r\nhello\r\n"


class Story:
    """A store with its outbox, and the mailer of the day; `restart` is an orderly stop and start of the daemon."""

    def __init__(self, folder: Path, server: MailServer, chart: Any = None) -> None:
        self.store = Store(folder / "plantmon.db")
        self.server = server
        self.chart = chart
        self.now_ms, self.real_ms = NOW, REAL
        self.mailer = self.restart()

    def restart(self) -> Mailer:
        """Begin with a mailer that remembers nothing."""
        self.mailer = Mailer(self.store, plant(), self.server, SENDER, plausible_series, self.chart)
        return self.mailer

    def happens(self, *addresses: str, language: str = "en", not_before_ms: int = 0, **facts: Any) -> int:
        """Enqueue an event for some addresses."""
        return self.store.write(
            lambda connection: outbox.enqueue(
                connection,
                event="raised",
                severity="breach",
                alarm=None,
                facts=breach(alarm=None, **facts),
                language=language,
                addresses=[("ehs", address) for address in addresses or ("ehs@x.test",)],
                created_ms=self.now_ms,
                not_before_ms=not_before_ms,
                domain="plant.test",
            )
        )

    def run(self, later_ms: int = 0) -> int | None:
        """Let time pass and run the mailer."""
        self.now_ms += later_ms
        self.real_ms += later_ms
        return self.mailer.run(self.now_ms, self.real_ms)

    def run_all(self, most: int = 50) -> None:
        """Run, each time when the mailer wants to be run, until nothing is due."""
        next_ms = self.run()
        for _ in range(most):
            if next_ms is None:
                return
            next_ms = self.run(next_ms - self.real_ms)
        raise AssertionError("the outbox does not come to an end")

    def states(self) -> dict[str, list[str]]:
        """Give the states of each address's deliveries, oldest first."""
        found: dict[str, list[str]] = {}
        with self.store.readers.snapshot() as connection:
            for message in reversed(outbox.listing(connection, most=1000)):
                for delivery in message.deliveries:
                    found.setdefault(delivery.address, []).append(delivery.state)
        return found

    def answers(self) -> dict[str, str | None]:
        """Give the last answer to each address."""
        with self.store.readers.snapshot() as connection:
            return {one.address: one.answer for message in outbox.listing(connection) for one in message.deliveries}

    def tries(self) -> list[int]:
        """Give the tries of each delivery, oldest message first."""
        with self.store.readers.snapshot() as connection:
            listed = reversed(outbox.listing(connection, most=1000))
            return [delivery.attempts for message in listed for delivery in message.deliveries]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Mailbox]:
    """Run a mailbox."""
    with Mailbox(tmp_path / "mails") as running:
        yield running


@pytest.fixture
def story(tmp_path: Path, box: Mailbox) -> Iterator[Story]:
    """Give a story whose mail server is the mailbox."""
    told = Story(tmp_path, MailServer("127.0.0.1", box.port, timeout_s=5))
    yield told
    told.store.close()


class LineServer:
    """A server on a socket that answers commands from a script, for what no decent server does."""

    def __init__(self, answers: dict[bytes, bytes | None], is_dropped_after_data: bool = False) -> None:
        self.answers = {b"EHLO": b"250 x", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"DATA": b"354 go"} | answers
        self.is_dropped_after_data = is_dropped_after_data
        self.received: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line:
                self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        line.settimeout(5)
        stream = line.makefile("rwb", buffering=0)

        def say(answer: bytes | None) -> bool:
            if answer is not None:
                stream.write(answer + b"\r\n")
            return answer is not None

        if not say(self.answers.get(b"HELLO", b"220 hello")):
            return
        while command := stream.readline():
            verb = command[:4].upper()
            answer = self.answers.get(verb, b"250 ok")
            if not say(answer):
                return
            if verb == b"DATA" and answer is not None and answer.startswith(b"354"):
                mail = b""
                while not mail.endswith(b"\r\n.\r\n"):
                    mail += stream.readline()
                self.received.append(mail)
                if self.is_dropped_after_data or not say(self.answers.get(b".", b"250 kept")):
                    return

    def close(self) -> None:
        """Listen no longer."""
        self._listener.close()


def events(box: Mailbox) -> Counter[tuple[str, str]]:
    """Count the mails by Message-ID and recipient."""
    return Counter((mail.message["Message-ID"], address) for mail in box.mails for address in mail.recipients)


def test_mail_arrives_with_its_chart(tmp_path: Path, box: Mailbox) -> None:
    """A breach goes through a real server with its picture inside and its words whole."""
    chart = ChartChild()
    chart.start()
    story = Story(tmp_path, MailServer("127.0.0.1", box.port), chart)
    try:
        until = time.monotonic() + 30
        while not chart.is_warm:
            assert time.monotonic() < until
            time.sleep(0.05)
        story.happens(language="both")
        assert story.run() is None
        (mail,) = box.mails
        assert mail.subject.startswith("[plantmon] 超标 Breach: DA002 Coating line RTO stack NMHC 1h mean 78.4 mg/m3 >")
        assert "非甲烷总烃" in mail.text
        (picture,) = [part for part in mail.message.walk() if part.get_content_type() == "image/png"]
        assert picture.get_content().startswith(b"\x89PNG")
        assert mail.sender == "plantmon@plant.test"
    finally:
        chart.close()
        story.store.close()


def test_server_away_then_back(story: Story, box: Mailbox) -> None:
    """While the server is away events wait with growing pauses; when it is back each arrives once, in order."""
    box.stop()
    for _ in range(5):
        story.happens()
    pauses = []
    for _ in range(9):
        due_ms = story.run()
        assert due_ms is not None
        pauses.append((due_ms - story.real_ms) // SECOND_MS)
        story.run(0)
        story.now_ms += due_ms - story.real_ms
        story.real_ms = due_ms
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    box.start()
    story.happens()
    assert story.run() is None
    mails = box.mails
    assert list(events(box).values()) == [1] * 6
    with story.store.readers.snapshot() as connection:
        ids = [message.message_id for message in reversed(outbox.listing(connection))]
    assert [mail.message["Message-ID"] for mail in mails] == ids


def test_restarts_while_away_lose_and_repeat_nothing(story: Story, box: Mailbox) -> None:
    """A server that comes and goes, and a mailer restarted at each step: every event reaches its mailbox once."""
    for round_number in range(6):
        if round_number % 2:
            box.start()
        else:
            box.stop()
        story.happens("a@x.test", "b@x.test")
        story.run(MINUTE_MS)
        story.restart()
    box.start()
    story.run_all()
    assert len(events(box)) == 12
    assert set(events(box).values()) == {1}
    assert story.states() == {"a@x.test": ["accepted"] * 6, "b@x.test": ["accepted"] * 6}


def test_greylisting_is_waited_out(story: Story, box: Mailbox) -> None:
    """A 451 is tried again after five seconds with the same bytes, and the mail then arrives once."""
    box.greylists = True
    story.happens("a@x.test", "b@x.test")
    assert story.run() == story.real_ms + wait_ms(1)
    assert box.mails == []
    assert "451 4.7.1" in (story.answers()["a@x.test"] or "")
    assert story.run(4_999) is not None
    assert box.mails == []
    assert story.run(1) is None
    (mail,) = box.mails
    assert mail.recipients == ("a@x.test", "b@x.test")


def test_the_way_of_a_mail_is_kept(story: Story, box: Mailbox) -> None:
    """Each try has its time by both clocks, server, code and answer: away, not tried, greylisted, accepted."""
    box.stop()
    story.happens("a@x.test")
    number = story.happens("a@x.test", "b@x.test")
    story.run()
    box.start()
    box.greylists = True
    box._seen.add("b@x.test")
    story.run(MINUTE_MS)
    story.run_all()
    with story.store.readers.snapshot() as connection:
        tries = attempts.of_message(connection, number)
        first = attempts.of_message(connection, number - 1)
    where = f"127.0.0.1:{box.port}"
    assert {one.server for one in tries} == {where}
    assert (first[0].state, first[0].code, "Connection refused" in first[0].answer) == ("queued", None, True)
    way = [(one.number, one.state, one.code) for one in tries if one.address == "a@x.test"]
    assert way == [(1, "postponed", None), (2, "accepted", 250)]
    assert [(one.state, one.code, one.answer) for one in first[1:]] == [
        ("queued", 451, "451 4.7.1 greylisted, try again later"),
        ("accepted", 250, "250 OK queued"),
    ]
    assert (tries[0].plant_ms, tries[0].real_ms) == (NOW, REAL)
    assert tries[-1].plant_ms - NOW == tries[-1].real_ms - REAL >= MINUTE_MS


def test_one_refused_does_not_stop_the_other(story: Story, box: Mailbox) -> None:
    """A 550 for one recipient ends his delivery with its answer; the other gets the mail; nothing is tried again."""
    box.refused_recipients.add("gone@x.test")
    story.happens("gone@x.test", "here@x.test")
    with capture_logs() as logs:
        assert story.run() is None
    assert story.states() == {"gone@x.test": ["refused"], "here@x.test": ["accepted"]}
    assert story.answers()["gone@x.test"] == "550 5.1.1 no such user"
    assert [mail.recipients for mail in box.mails] == [("here@x.test",)]
    with story.store.readers.snapshot() as connection:
        assert len(outbox.refused(connection)) == 1
    assert [(line["event"], line["address"]) for line in logs] == [
        ("mail_refused", "gone@x.test"),
        ("mail_accepted", "here@x.test"),
    ]


def test_three_recipients_three_fates(story: Story, box: Mailbox) -> None:
    """Of accepted, greylisted and refused in one transaction each keeps its own fate, and who has it gets no second."""
    box.refused_recipients.add("gone@x.test")
    box.greylists = True
    box._seen.add("here@x.test")
    story.happens("gone@x.test", "here@x.test", "grey@x.test")
    story.run()
    assert story.states() == {"gone@x.test": ["refused"], "here@x.test": ["accepted"], "grey@x.test": ["queued"]}
    story.run_all()
    assert sorted(mail.recipients for mail in box.mails) == [("grey@x.test",), ("here@x.test",)]
    assert len({mail.message["Message-ID"] for mail in box.mails}) == 1
    assert box.mails[0].path.read_bytes() == box.mails[1].path.read_bytes()


def test_all_refused(story: Story, box: Mailbox) -> None:
    """When every recipient is refused the message comes to its end without one."""
    box.refused_recipients.update({"a@x.test", "b@x.test"})
    story.happens("a@x.test", "b@x.test")
    assert story.run() is None
    assert story.states() == {"a@x.test": ["refused"], "b@x.test": ["refused"]}


def test_hanging_server_costs_one_timeout(story: Story, box: Mailbox) -> None:
    """A server that never greets holds the round up for one timeout, not one for each message."""
    box.is_hanging = True
    story.server = MailServer("127.0.0.1", box.port, timeout_s=0.4)
    story.restart()
    for _ in range(10):
        story.happens()
    begun = time.monotonic()
    story.run()
    assert time.monotonic() - begun < 0.4 * 2.5
    assert "timed out" in (story.answers()["ehs@x.test"] or "") or story.states()["ehs@x.test"] == ["queued"] * 10
    assert story.tries() == [1] * 10
    box.is_hanging = False
    story.run(wait_ms(1))
    assert list(events(box).values()) == [1] * 10


@pytest.mark.parametrize(("answer", "state"), [("452 4.3.1 disk full", "queued"), ("554 5.6.0 no", "refused")])
def test_data_refused(story: Story, box: Mailbox, answer: str, state: str) -> None:
    """A 4xx to the message is tried again and then arrives; a 5xx is the end, with its answer."""
    box.data_answer = answer
    story.happens("a@x.test", "b@x.test")
    story.run()
    assert story.states() == {"a@x.test": [state], "b@x.test": [state]}
    assert story.answers() == {"a@x.test": answer, "b@x.test": answer}
    box.data_answer = None
    story.run_all()
    assert len(box.mails) == (1 if state == "queued" else 0)


def test_crash_window_repeats_with_the_same_message_id(tmp_path: Path, box: Mailbox) -> None:
    """When the line drops after the mail was taken and before the answer, the second is the first, byte for byte."""
    rude = LineServer({}, is_dropped_after_data=True)
    story = Story(tmp_path, MailServer("127.0.0.1", rude.port, timeout_s=5))
    story.happens("a@x.test", "b@x.test")
    story.run()
    assert story.states() == {"a@x.test": ["queued"], "b@x.test": ["queued"]}
    story.server = MailServer("127.0.0.1", box.port)
    story.restart()
    story.run(MINUTE_MS)
    (first,), (second,) = rude.received, box.mails
    taken = message_from_bytes(first.removesuffix(b".\r\n"), _class=EmailMessage, policy=policy.default)
    assert taken["Message-ID"] == second.message["Message-ID"]
    assert first.removesuffix(b".\r\n") == second.path.read_bytes()
    rude.close()
    story.store.close()


def test_killed_before_the_record_repeats_with_the_same_message_id(story: Story, box: Mailbox) -> None:
    """A daemon that dies between acceptance and record sends the very same mail once more."""
    story.happens()

    def die(server: MailServer, mime: bytes, sender: str, addresses: list[str]) -> dict[str, Reply]:
        send(server, mime, sender, addresses)
        raise KeyboardInterrupt

    dying = Mailer(story.store, plant(), story.server, SENDER, plausible_series, send=die)
    with pytest.raises(KeyboardInterrupt):
        dying.run(story.now_ms, story.real_ms)
    story.restart()
    assert story.run() is None
    assert list(events(box).values()) == [2]
    assert box.mails[0].path.read_bytes() == box.mails[1].path.read_bytes()


def test_record_that_the_store_refuses_is_kept(story: Story, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An acceptance that cannot be written, because the disk is full, is written later and the mail not sent again."""
    story.happens()
    story.happens()
    written = story.store.write
    calls = []

    def full(change: Any) -> Any:
        calls.append(change)
        if len(calls) > 1:  # the composed bytes still fitted
            raise StoreUnavailable("database or disk is full")
        return written(change)

    monkeypatch.setattr(story.store, "write", full)
    with pytest.raises(StoreUnavailable):
        story.run()
    with pytest.raises(StoreUnavailable):
        story.run(MINUTE_MS)
    assert len(box.mails) == 1
    monkeypatch.setattr(story.store, "write", written)
    assert story.run(MINUTE_MS) is None
    assert list(events(box).values()) == [1, 1]


def test_starttls_and_login(tmp_path: Path) -> None:
    """With STARTTLS, a login and our own authority a mail arrives; a wrong password or authority leaves it waiting."""
    with Mailbox(tmp_path / "mails", login=("plant", "pw"), tls=True) as box:
        right = MailServer("localhost", box.port, "starttls", "plant", "pw", 5, box.ca_file)
        wrong = MailServer("localhost", box.port, "starttls", "plant", "no", 5, box.ca_file)
        untrusted = MailServer("localhost", box.port, "starttls", "plant", "pw", 5)
        story = Story(tmp_path, wrong)
        story.happens()
        assert story.run() is not None
        assert "535" in (story.answers()["ehs@x.test"] or "")
        story.server = untrusted
        story.restart()
        story.run(HOUR_MS)
        assert "CERTIFICATE_VERIFY_FAILED" in (story.answers()["ehs@x.test"] or "")
        assert box.mails == []
        story.server = right
        story.restart()
        assert story.run(HOUR_MS) is None
        assert list(events(box).values()) == [1]
        story.store.close()


def test_never_in_the_clear(box: Mailbox) -> None:
    """Where STARTTLS is asked for and not offered, nothing is sent."""
    replies = send(MailServer("127.0.0.1", box.port, "starttls"), MIME, "p@x.test", ["a@x.test"])
    assert (replies["a@x.test"].state, replies["a@x.test"].is_reached) == ("queued", False)
    assert "STARTTLS" in replies["a@x.test"].answer
    assert box.mails == []


def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    """A server that speaks TLS at once, as on port 465, is spoken to so."""
    made = make_certificates(tmp_path / "certificates")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    kept: list[bytes] = []

    class Keeper:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            kept.append(envelope.content)
            return "250 OK"

    controller = Controller(Keeper(), hostname="127.0.0.1", port=free_port(), ssl_context=context)
    controller.start()
    try:
        server = MailServer("localhost", controller.port, "tls", timeout_s=5, ca=made.authority)
        assert send(server, MIME, "p@x.test", ["a@x.test"])["a@x.test"].state == "accepted"
        assert kept == [MIME]
    finally:
        controller.stop()


@pytest.mark.parametrize(
    ("answers", "state", "is_reached"),
    [
        pytest.param({b"HELLO": b"554 go away"}, "queued", False, id="no greeting for us"),
        pytest.param({b"HELLO": b"nonsense"}, "queued", False, id="not SMTP"),
        pytest.param({b"HELLO": None}, "queued", False, id="hangs up at once"),
        pytest.param({b"MAIL": b"550 5.7.1 sender rejected"}, "queued", False, id="sender refused: ours to mend"),
        pytest.param({b"MAIL": b"451 busy"}, "queued", False, id="sender later"),
        pytest.param({b"RCPT": b"421 closing"}, "queued", False, id="closes at the recipient"),
        pytest.param({b"RCPT": None}, "queued", False, id="drops at the recipient"),
        pytest.param({b"RCPT": b"530 authentication required"}, "queued", True, id="wants a login"),
        pytest.param({b"RCPT": b"299 odd but yes"}, "accepted", True, id="any 2xx is yes"),
        pytest.param({b"RCPT": b"333 odd"}, "queued", True, id="an answer SMTP does not foresee"),
        pytest.param({b"RCPT": b"550 no"}, "refused", True, id="no such recipient"),
        pytest.param({b"DATA": b"451 later"}, "queued", True, id="data later"),
        pytest.param({b"DATA": b"554 no valid recipients"}, "refused", True, id="data refused"),
        pytest.param({b"DATA": b"421 closing"}, "queued", False, id="closes at data"),
        pytest.param({b"DATA": None}, "queued", False, id="drops at data"),
        pytest.param({b".": b"421 closing"}, "queued", False, id="closes after data"),
        pytest.param({b".": b"rubbish"}, "queued", False, id="rubbish after data"),
        pytest.param({b".": b"250 \xff\xfe"}, "accepted", True, id="not UTF-8"),
        pytest.param({b"QUIT": b"500 what"}, "accepted", True, id="bad manners at the end"),
        pytest.param({b"QUIT": None}, "accepted", True, id="no goodbye"),
    ],
)
def test_odd_answers(answers: dict[bytes, bytes | None], state: str, is_reached: bool) -> None:
    """Whatever a server answers, only a 2xx to the whole mail accepts a delivery and only a 5xx gives it up."""
    server = LineServer(answers)
    try:
        reply = send(MailServer("127.0.0.1", server.port, timeout_s=2), MIME, "p@x.test", ["a@x.test"])["a@x.test"]
        assert (reply.state, reply.is_reached) == (state, is_reached), reply
    finally:
        server.close()


@pytest.mark.parametrize("address", ["müller@x.test", "a@x.test\r\nRCPT TO:<spy@x.test>"])
def test_address_smtp_cannot_carry(box: Mailbox, address: str) -> None:
    """An address that no SMTP command can hold is refused, and the others get their mail."""
    replies = send(MailServer("127.0.0.1", box.port), MIME, "p@x.test", [address, "a@x.test"])
    assert {one: reply.state for one, reply in replies.items()} == {address: "refused", "a@x.test": "accepted"}
    assert [mail.recipients for mail in box.mails] == [("a@x.test",)]


def test_unknown_host_waits(tmp_path: Path) -> None:
    """A server whose name is not found is a server that is away."""
    reply = send(MailServer("mail.invalid", 25, timeout_s=2), MIME, "p@x.test", ["a@x.test"])["a@x.test"]
    assert (reply.state, reply.is_reached) == ("queued", False)


def test_message_that_chokes_the_server_does_not_hold_the_others(story: Story, box: Mailbox) -> None:
    """A message in whose midst the line always breaks is tried last, so that the others arrive."""
    choking = story.happens("first@x.test")
    others = [story.happens(f"{number}@x.test") for number in range(3)]

    def breaks(server: MailServer, mime: bytes, sender: str, addresses: list[str]) -> dict[str, Reply]:
        if addresses == ["first@x.test"]:
            return {"first@x.test": Reply("queued", "connection closed", is_reached=False, is_midway=True)}
        return send(server, mime, sender, addresses)

    story.mailer = Mailer(story.store, plant(), story.server, SENDER, plausible_series, send=breaks)
    story.run()
    story.run(MINUTE_MS)
    assert len(box.mails) == len(others)
    assert story.states()["first@x.test"] == ["queued"]
    assert choking < min(others)


def test_message_that_cannot_be_composed_is_sent_plain(story: Story, box: Mailbox) -> None:
    """Facts that no template fits go out as text, and the messages behind them as ever."""
    story.happens(kind="volcano", value=5.5)
    story.happens()
    with capture_logs() as logs:
        assert story.run() is None
    plain, usual = box.mails
    assert '"kind": "volcano"' in plain.text
    assert plain.html_path is None
    assert usual.subject.startswith("[plantmon] Breach: DA002")
    assert [line["event"] for line in logs] == ["mail_not_composed", "mail_accepted", "mail_accepted"]


def test_quiet_hours_hold_a_message(story: Story, box: Mailbox) -> None:
    """A message held until a plant time is not sent before, and the mailer names the real time of it."""
    story.happens(not_before_ms=NOW + HOUR_MS)
    next_ms = story.run()
    assert next_ms is not None
    assert HOUR_MS <= next_ms - story.real_ms <= HOUR_MS + 1
    assert box.mails == []
    assert story.run(HOUR_MS) is None
    assert len(box.mails) == 1


def test_quiet_hours_pass_faster_in_a_fast_clock(story: Story) -> None:
    """With a plant clock sixty times as fast the held message's real time comes sixty times as soon."""
    story.mailer = Mailer(story.store, plant(), story.server, SENDER, plausible_series, rate=60.0)
    story.happens(not_before_ms=NOW + HOUR_MS)
    next_ms = story.run()
    assert next_ms is not None
    assert next_ms - story.real_ms in (MINUTE_MS, MINUTE_MS + 1)


def test_unchanged_failure_is_logged_once_an_hour(story: Story, box: Mailbox) -> None:
    """A server away for two hours makes three lines, with the count of tries, and one when it is back."""
    box.stop()
    story.happens()
    with capture_logs() as logs:
        until_ms = story.real_ms + 2 * HOUR_MS + 10 * MINUTE_MS
        while (next_ms := story.run()) is not None and next_ms < until_ms:
            story.now_ms += next_ms - story.real_ms
            story.real_ms = next_ms
        box.start()
        story.run(10 * MINUTE_MS)
    assert [line["event"] for line in logs] == ["mail_server_away"] * 3 + ["mail_accepted", "mail_server_back"]
    counts = [line["tries"] for line in logs if "tries" in line]
    assert counts[0] == 1
    assert counts == sorted(counts)
    assert counts[-1] > 20


def test_late_chart_is_not_waited_for(story: Story, box: Mailbox) -> None:
    """A draftsman that fails or has nothing keeps no mail back."""

    class Broken:
        def draw(self, drawing: Drawing) -> bytes | None:
            raise OSError("no pencil")

    story.chart = Broken()
    story.restart()
    story.happens()
    assert story.run() is None
    assert "<img" not in box.mails[0].html


@pytest.mark.skipif(shutil.which("exim4", path="/usr/sbin:/usr/bin") is None, reason="exim4 is not installed")
def test_real_mail_server(tmp_path: Path) -> None:
    """With exim4, STARTTLS and a login: accepted, greylisted, refused and deferred each as they should, once."""
    with exim() as server:  # not in tmp_path, which exim's own user may not enter
        user, password = server.login
        story = Story(tmp_path, MailServer("localhost", server.port, "starttls", user, password, 10, server.ca_file))
        story.happens("ehs@x.test", "bad@x.test", "grey@x.test", "down@x.test", language="both")
        story.run()
        assert story.states() == {
            "ehs@x.test": ["accepted"],
            "bad@x.test": ["refused"],
            "grey@x.test": ["queued"],
            "down@x.test": ["queued"],
        }
        assert "no such user" in (story.answers()["bad@x.test"] or "")
        server.open_greylist()
        story.restart()
        story.run(MINUTE_MS)
        assert story.states()["grey@x.test"] == ["accepted"]
        assert story.states()["down@x.test"] == ["queued"]
        until = time.monotonic() + 20
        while len(server.mails()) < 2:
            assert time.monotonic() < until, server.log
            time.sleep(0.1)
        mails = server.mails()
        assert len(mails) == 2
        assert len({mail["Message-ID"] for mail in mails}) == 1
        story.store.close()
