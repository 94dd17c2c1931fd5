"""This module proves that a breach whose mail is stuck is told in another way, once, whatever either server does.

The servers are aiosmtpd and a web server on loopback ports; time is an argument but where the real daemon runs.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from notify_plant import NOW, breach, plant, plausible_series
from structlog.testing import capture_logs

from plantmon.errors import SettingsError, StoreUnavailable
from plantmon.model.notice import FIELDS
from plantmon.notify.channel import Webhook
from plantmon.notify.second import SecondChannel, Turn
from plantmon.notify.services import Services
from plantmon.notify.smtp import MailServer, Reply
from plantmon.notify.stage import Mailer
from plantmon.notify.web_call import Endpoint, call, header_pairs
from plantmon.store import attempts, outbox, second
from plantmon.store.attempts import Attempt
from plantmon.store.database import Store
from plantmon.times import HOUR_MS, MINUTE_MS, SECOND_MS
from simulators.mailbox import Mailbox
from simulators.webserver import WebServer

pytestmark = pytest.mark.timeout(120)

REAL = 1_700_000_000_000
SENDER = "plantmon@plant.test"
AFTER = timedelta(minutes=10)
SECRET = "s3cr3t-t0ken"


class Story:
    """A store with its outbox, the mailer and the second channel; `restart` is what a kill leaves."""

    def __init__(self, folder: Path, mail_port: int, hook: Webhook, *, rate: float = 1.0) -> None:
        self.store = Store(folder / "plantmon.db")
        self.mail_server = MailServer("127.0.0.1", mail_port, timeout_s=2)
        self.hook = hook
        self.rate = rate
        self.now_ms, self.real_ms = NOW, REAL
        self.restart()

    def restart(self) -> None:
        """Begin with stages that remember nothing."""
        self.mailer = Mailer(self.store, plant(), self.mail_server, SENDER, plausible_series, rate=self.rate)
        self.other = SecondChannel(self.store, plant(), self.hook, AFTER, "both", rate=self.rate)

    def happens(self, *, event: str = "raised", severity: str = "breach", languages: str = "en", **facts: Any) -> None:
        """Queue an event for one address a language."""

        def write(connection: sqlite3.Connection) -> None:
            for language in languages.split():
                outbox.enqueue(
                    connection,
                    event=event,
                    severity=severity,
                    alarm=None,
                    facts=breach(alarm=None, **facts),
                    language=language,
                    addresses=[("ehs", f"{language}@x.test")],
                    created_ms=self.now_ms,
                    not_before_ms=self.now_ms,
                    domain="plant.test",
                )

        self.store.write(write)

    def passes(self, span_ms: int) -> None:
        """Let real time pass."""
        self.real_ms += span_ms
        self.now_ms += int(span_ms * self.rate)

    def run(self, later_ms: int = 0) -> Turn:
        """Let real time pass, run the mailer, then the second channel."""
        self.passes(later_ms)
        self.mailer.run(self.now_ms, self.real_ms)
        return self.other.run(self.now_ms, self.real_ms)

    def ways(self) -> list[second.Delivery]:
        """Give what took the second channel, oldest first."""
        with self.store.readers.snapshot() as connection:
            numbers = {one.second for one in outbox.listing(connection, most=1000)} - {None}
            return [second.read(connection, number) for number in sorted(n for n in numbers if n is not None)]

    def tries(self, message: int = 1) -> list[Attempt]:
        """Give the tries of a message."""
        with self.store.readers.snapshot() as connection:
            return attempts.of_message(connection, message)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Mailbox]:
    """Run a mailbox."""
    with Mailbox(tmp_path / "mails") as running:
        yield running


@pytest.fixture
def web() -> Iterator[WebServer]:
    """Run a web server."""
    with WebServer() as running:
        yield running


def webhook(web: WebServer, *, timeout_s: float = 2.0, **more: Any) -> Webhook:
    """Give a webhook with secrets in its address and headers."""
    headers = header_pairs([f"Authorization: Bearer {SECRET}-header"])
    return Webhook(Endpoint(f"{web.url}/hook/{SECRET}?key={SECRET}-key", headers, timeout_s), **more)


@pytest.fixture
def story(tmp_path: Path, box: Mailbox, web: WebServer) -> Iterator[Story]:
    """Give a story of the mailbox and the web server."""
    told = Story(tmp_path, box.port, webhook(web))
    yield told
    told.store.close()


def test_mail_server_away_for_an_hour(story: Story, box: Mailbox, web: WebServer) -> None:
    """Ten minutes after a breach that no server took it is told once elsewhere; the mail still arrives, once."""
    box.stop()
    story.happens(languages="zh en")
    turn = story.run()
    assert turn.due_ms is not None
    assert abs(turn.due_ms - (REAL + 10 * MINUTE_MS)) < SECOND_MS
    story.run(10 * MINUTE_MS - SECOND_MS)
    assert web.requests == []
    for _ in range(50):
        story.run(MINUTE_MS)
        story.restart()
    assert len(web.requests) == 1
    assert story.ways()[0].state == "accepted"
    box.start()
    story.run(6 * MINUTE_MS)
    assert sorted(mail.recipients for mail in box.mails) == [("en@x.test",), ("zh@x.test",)]
    story.run(HOUR_MS)
    assert len(web.requests) == 1
    assert len(box.mails) == 2


def test_what_is_told(story: Story, box: Mailbox, web: WebServer) -> None:
    """The webhook gets every documented field: what, where, how much, in both languages, and that the mail is stuck."""
    box.stop()
    story.happens()
    story.run()
    story.run(11 * MINUTE_MS)
    [told] = web.requests
    said = told.json
    assert tuple(said) == FIELDS
    assert (told.method, told.path) == ("POST", f"/hook/{SECRET}?key={SECRET}-key")
    assert told.headers["Content-Type"].startswith("application/json")
    assert told.headers["Authorization"] == f"Bearer {SECRET}-header"
    with story.store.readers.snapshot() as connection:
        [message] = outbox.listing(connection)
    assert f"<{said['id']}>" == message.message_id
    assert told.headers["Idempotency-Key"] == said["id"]
    assert (said["event"], said["severity"], said["kind"], said["alarm"]) == ("raised", "breach", "breach", None)
    assert (said["outlet"], said["point"], said["limit"]) == ("DA002", "DA002.nmhc", "nmhc-1h")
    assert said["title"].startswith("[plantmon] 超标 Breach: DA002")
    assert "78.4 mg/m3 > 60 mg/m3" in said["title"]
    assert "no mail server has taken it" in said["notice"]
    assert "未能送出" in said["notice"]
    assert "Connection refused" in said["notice"]
    assert said["text"].startswith(said["notice"])
    assert "非甲烷总烃" in said["text"]
    assert said["since"].endswith("+08:00")


def test_mail_in_time_is_told_nowhere_else(story: Story, box: Mailbox, web: WebServer) -> None:
    """A breach whose mail one server took for one recipient is known; nothing goes over the second channel."""
    box.refused_recipients.add("zh@x.test")
    story.happens(languages="zh en")
    story.run()
    story.run(HOUR_MS)
    assert (len(box.mails), web.requests, story.ways()) == (1, [], [])


@pytest.mark.parametrize(
    "happening",
    [
        pytest.param({"severity": "warning"}, id="a warning"),
        pytest.param({"severity": "data"}, id="data"),
        pytest.param({"event": "reminded"}, id="a reminder: who was told knows"),
        pytest.param({"event": "cleared"}, id="its end"),
    ],
)
def test_what_can_wait_waits(story: Story, box: Mailbox, web: WebServer, happening: dict[str, str]) -> None:
    """Only what is new of a breach goes over the second channel."""
    box.stop()
    story.happens(**happening)
    story.run()
    story.run(HOUR_MS)
    assert web.requests == []


def test_escalation_is_told(story: Story, box: Mailbox, web: WebServer) -> None:
    """Raised and escalated are two events: each stuck mail is told."""
    box.stop()
    story.happens()
    story.run(11 * MINUTE_MS)
    story.happens(event="escalated")
    story.run(11 * MINUTE_MS)
    assert [one.json["event"] for one in web.requests] == ["raised", "escalated"]


def test_refused_by_all_is_told_at_once(story: Story, box: Mailbox, web: WebServer) -> None:
    """Where every recipient was refused for good there is nothing to wait for."""
    box.refused_recipients.update({"zh@x.test", "en@x.test"})
    story.happens(languages="zh en")
    story.run()
    [told] = web.requests
    assert "refused" in told.json["notice"]
    assert "550 5.1.1 no such user" in told.json["notice"]
    story.run(HOUR_MS)
    assert len(web.requests) == 1


def test_old_refusals_are_not_dug_out(story: Story, box: Mailbox, web: WebServer) -> None:
    """A second channel that is set up today says nothing of what was refused long ago."""
    box.refused_recipients.add("en@x.test")
    story.happens()
    story.mailer.run(story.now_ms, story.real_ms)
    story.run(25 * HOUR_MS)
    assert web.requests == []


def test_clock_that_runs_faster(tmp_path: Path, box: Mailbox, web: WebServer) -> None:
    """`after` is real time: at sixty times the rate ten hours of the plant must pass."""
    box.stop()
    story = Story(tmp_path, box.port, webhook(web), rate=60)
    story.happens()
    story.run()
    story.run(9 * MINUTE_MS)
    assert web.requests == []
    story.run(MINUTE_MS)
    assert len(web.requests) == 1
    story.store.close()


@pytest.mark.parametrize("manner", ["503", "404", "401", "302", "429", "hang", "trickle", "reset", "drop"])
def test_service_that_fails_is_tried_again(tmp_path: Path, box: Mailbox, web: WebServer, manner: str) -> None:
    """Whatever a service does short of taking it, the event waits, with growing pauses and one key, and arrives."""
    box.stop()
    web.manner = manner
    story = Story(tmp_path, box.port, webhook(web, timeout_s=0.5))
    story.happens()
    story.run()
    story.passes(11 * MINUTE_MS)
    pauses = []
    for _ in range(4):
        begun = time.monotonic()
        turn = story.other.run(story.now_ms, story.real_ms)
        assert time.monotonic() - begun < 3
        assert (turn.is_tried, turn.fault is None, turn.due_ms is not None) == (True, False, True)
        assert SECRET not in str(turn.fault)
        pauses.append(((turn.due_ms or 0) - story.real_ms) // SECOND_MS)
        story.passes((turn.due_ms or 0) - story.real_ms)
        story.restart()
    assert pauses == [5, 10, 20, 40]
    web.manner = "accept"
    assert story.other.run(story.now_ms, story.real_ms) == Turn(None, True, None)
    keys = {one.headers["Idempotency-Key"] for one in web.requests}
    bodies = {one.body for one in web.requests}
    assert (len(keys), len(bodies)) == (1, 1)
    codes = [one.code for one in story.tries() if one.channel == "webhook"]
    assert codes == [int(manner) if manner.isdigit() else None] * 4 + [200]
    assert [one.state for one in story.tries() if one.channel == "webhook"] == ["queued"] * 4 + ["accepted"]
    assert all(one.path.startswith("/hook/") for one in web.requests)  # no redirect was followed
    story.store.close()


def test_message_that_is_refused_ends_its_way(story: Story, box: Mailbox, web: WebServer) -> None:
    """A 422 speaks of the message: it is not sent again, and the error says so; the next one goes out."""
    box.stop()
    web.manner = "422"
    story.happens()
    story.run()
    with capture_logs() as logs:
        turn = story.run(11 * MINUTE_MS)
    assert turn.fault is not None
    assert [line["log_level"] for line in logs if line["event"] == "second_channel_refused"] == ["error"]
    story.run(HOUR_MS)
    assert len(web.requests) == 1
    assert story.ways()[0].state == "refused"


def test_answer_that_says_no_under_200(tmp_path: Path, box: Mailbox, web: WebServer) -> None:
    """With `expect` only an answer that holds the text counts; others are tried again."""
    box.stop()
    web.body = b'{"errcode":93000,"errmsg":"invalid webhook url"}'
    story = Story(tmp_path, box.port, webhook(web, expect='"errcode":0'))
    story.happens()
    story.run()
    story.run(11 * MINUTE_MS)
    [way] = story.ways()
    assert (way.state, "93000" in (way.answer or "")) == ("queued", True)
    web.body = b'{"errcode":0,"errmsg":"ok"}'
    story.run(MINUTE_MS)
    assert story.ways()[0].state == "accepted"
    story.store.close()


def test_template(tmp_path: Path, box: Mailbox, web: WebServer) -> None:
    """A template gives the body the shape a service wants; quotes and line ends in the words do not break it."""
    box.stop()
    template = {"msgtype": "text", "text": {"content": "$title\n$notice"}, "n": [1, None, "$alarm", "$$5 $alarm"]}
    story = Story(tmp_path, box.port, webhook(web, template=json.dumps(template)))
    story.happens(detail='a "quoted" \\ text\n$title')
    story.run()
    story.run(11 * MINUTE_MS)
    [told] = web.requests
    assert set(told.json) == {"msgtype", "text", "n"}
    assert told.json["text"]["content"].startswith("[plantmon] 超标 Breach: DA002")
    assert told.json["n"] == [1, None, None, "$5 "]
    story.store.close()


def test_several_at_a_service_that_hangs_cost_one_timeout(tmp_path: Path, box: Mailbox, web: WebServer) -> None:
    """Ten breaches at a service that hangs hold a round up for one timeout; then each arrives once, oldest first."""
    box.stop()
    web.manner = "hang"
    story = Story(tmp_path, box.port, webhook(web, timeout_s=0.4))
    for value in range(10):
        story.happens(value=100.0 + value)
    story.run()
    story.passes(11 * MINUTE_MS)
    begun = time.monotonic()
    turn = story.other.run(story.now_ms, story.real_ms)
    assert time.monotonic() - begun < 1.5
    web.manner = "accept"
    story.passes((turn.due_ms or 0) - story.real_ms)
    assert story.other.run(story.now_ms, story.real_ms).due_ms is None
    arrived = web.requests[1:]
    assert [f"{100 + value} mg/m3" in one.json["title"] for value, one in enumerate(arrived)] == [True] * 10
    story.store.close()


def test_mail_that_is_accepted_first(story: Story, box: Mailbox, web: WebServer) -> None:
    """When the mail arrives while the other service is away too, the event is not told there any more."""
    box.stop()
    web.stop()
    story.happens()
    story.run()
    story.run(11 * MINUTE_MS)
    assert story.ways()[0].state == "queued"
    box.start()
    web.start()
    story.run(6 * MINUTE_MS)
    assert (len(box.mails), web.requests, story.ways()[0].state) == (1, [], "unneeded")


def test_killed_before_the_record_repeats_with_the_same_key(story: Story, box: Mailbox, web: WebServer) -> None:
    """A daemon that dies between acceptance and record tells once more, with the same key and the same bytes."""
    box.stop()
    story.happens()
    story.run()
    story.passes(11 * MINUTE_MS)
    hook = story.hook

    class Dying:
        kind, where, compose = hook.kind, hook.where, hook.compose

        def send(self, key: str, body: bytes) -> Reply:
            hook.send(key, body)
            raise KeyboardInterrupt

    dying = SecondChannel(story.store, plant(), Dying(), AFTER, "both")
    with pytest.raises(KeyboardInterrupt):
        dying.run(story.now_ms, story.real_ms)
    story.restart()
    story.run()
    story.run(HOUR_MS)
    first, again = web.requests
    assert first.body == again.body
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]


@pytest.mark.parametrize("step", range(3))
def test_killed_at_each_write(story: Story, box: Mailbox, web: WebServer, monkeypatch: Any, step: int) -> None:
    """Killed before any write of the stage, the next start tells the breach all the same, at most once more."""
    box.stop()
    story.happens()
    story.run()
    story.passes(11 * MINUTE_MS)
    written, count = story.store.write, 0

    def killed(change: Any) -> Any:
        nonlocal count
        count += 1
        if count > step:
            raise KeyboardInterrupt
        return written(change)

    monkeypatch.setattr(story.store, "write", killed)
    if step < 2:  # one write queues, one records
        with pytest.raises(KeyboardInterrupt):
            story.other.run(story.now_ms, story.real_ms)
    else:
        story.other.run(story.now_ms, story.real_ms)
    monkeypatch.setattr(story.store, "write", written)
    story.restart()
    story.run()
    story.run(HOUR_MS)
    assert len({one.headers["Idempotency-Key"] for one in web.requests}) == 1
    assert len(web.requests) == (2 if step == 1 else 1)
    assert story.ways()[0].state == "accepted"


def test_record_that_the_store_refuses_is_kept(story: Story, box: Mailbox, web: WebServer, monkeypatch: Any) -> None:
    """An acceptance that cannot be written, because the disk is full, is written later and the event not told again."""
    box.stop()
    story.happens()
    story.run()
    story.passes(11 * MINUTE_MS)
    written, calls = story.store.write, []

    def full(change: Any) -> Any:
        calls.append(change)
        if len(calls) > 1:
            raise StoreUnavailable("database or disk is full")
        return written(change)

    monkeypatch.setattr(story.store, "write", full)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            story.other.run(story.now_ms, story.real_ms)
    monkeypatch.setattr(story.store, "write", written)
    story.other.run(story.now_ms, story.real_ms)
    assert len(web.requests) == 1
    assert story.ways()[0].state == "accepted"


@pytest.mark.parametrize("manner", ["accept", "503", "reset"])
def test_secrets_are_never_logged_or_stored(story: Story, box: Mailbox, web: WebServer, manner: str) -> None:
    """Neither log nor store holds a part of the address or headers, even where the service repeats it."""
    box.stop()
    web.manner = manner
    web.body = f"no hook /hook/{SECRET}?key={SECRET}-key with Bearer {SECRET}-header".encode()
    story.happens()
    story.run()
    with capture_logs() as logs:
        turn = story.run(11 * MINUTE_MS)
    assert SECRET not in f"{logs} {turn} {story.ways()} {story.tries()} {story.hook._endpoint!r}"


def test_https_is_checked(web: WebServer) -> None:
    """A server that does not speak TLS, or whose name is not found, is a server that is away."""
    answer = call(Endpoint(web.url.replace("http:", "https:"), timeout_s=2), "GET", None, {})
    assert (answer.code, answer.is_success) == (None, False)
    assert call(Endpoint("http://web.invalid/", timeout_s=2), "GET", None, {}).code is None


def test_login_in_the_address(web: WebServer) -> None:
    """A name and password in the address go as a header (RFC 7617) and are not shown."""
    endpoint = Endpoint(web.url.replace("//", "//plant:pa%20ss@") + "/x")
    assert call(endpoint, "GET", None, {}).is_success
    assert web.requests[0].headers["Authorization"] == "Basic cGxhbnQ6cGEgc3M="
    assert endpoint.where == f"127.0.0.1:{web.port}"


APPRISE = """
sent = []
class Apprise:
    def __init__(self):
        self.urls = []
    def add(self, url):
        self.urls.append(url)
        return "://" in url
    def notify(self, title, body):
        sent.append((self.urls, title, body))
        return "down" not in self.urls[0]
"""


@pytest.fixture
def apprise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[list[str], str, str]]]:
    """Put a module with apprise's interface in its place, and give what was sent through it."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "apprise.py").write_text(APPRISE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "apprise", raising=False)
    services = Services(["mock://up"])
    assert services.kind == "apprise"
    yield sys.modules["apprise"].sent
    sys.modules.pop("apprise", None)


def test_services_through_apprise(
    tmp_path: Path, box: Mailbox, apprise: list[tuple[list[str], str, str]]
) -> None:  # fmt: skip
    """Each service is told; one that takes it is enough, none and the event is tried again."""
    box.stop()
    story = Story(tmp_path, box.port, Services(["mock://down1", "mock://up"]))  # type: ignore[arg-type]
    story.happens()
    story.run()
    story.run(11 * MINUTE_MS)
    assert [urls for urls, _, _ in apprise] == [["mock://down1"], ["mock://up"]]
    assert "超标 Breach" in apprise[0][1]
    assert "no mail server has taken it" in apprise[0][2]
    assert (story.ways()[0].state, story.ways()[0].answer) == ("accepted", "1 of 2 services took it")
    assert Services(["mock://down1"]).send("k", b'{"title": "t", "text": "x"}').state == "queued"
    with pytest.raises(SettingsError, match="line 2"):
        Services(["mock://up", "no address"])
    story.store.close()


def test_without_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where apprise is asked for and not installed, one sentence says how to install it."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SettingsError, match=r"pip install 'plantmon\[apprise\]'"):
        Services(["mock://up"])
