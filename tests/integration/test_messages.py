"""This module proves by the real daemon that a stuck breach is told elsewhere, over kills, and that its way is kept.

The mail server is away while the alarm is raised, the daemon is killed again and again, then the mail server comes.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.mailbox import Mailbox
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually
from simulators.webserver import WebServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

# A limit that judges each reading alone raises its alarm with the first one.
TEXT = plant_file(SimulatedPlant()).replace("window: reading, hold: 60s", "window: reading")
SECRET = "s3cr3t-hook-id"
AFTER_S = 3


@dataclass(slots=True)
class Told:
    """A service whose breach was told over the webhook while it was killed, and mailed later."""

    service: Service
    web: WebServer
    box: Mailbox
    alarm: int
    message: int


def say(broker: Mosquitto, value: float) -> None:
    """Publish one reading of the RTO's temperature."""
    body = json.dumps({"ts": time.time_ns() // 1_000_000, "value": value}).encode()
    Loadgen("127.0.0.1", broker.port, [("plant/cq-truck/DA002/rto_temperature", body)]).run(limit_s=10)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Raise a breach without a mail server, kill the daemon before, while and after it is told, then let mail in."""
    folder = tmp_path_factory.mktemp("messages")
    box = Mailbox(folder / "mails")
    with Mosquitto("fast") as broker, WebServer("503") as web:
        service = Service(
            folder / "service", TEXT, broker.port, SMTP__PORT=box.port, SECOND_CHANNEL__AFTER=f"{AFTER_S}s",
            SECOND_CHANNEL__URL=f"{web.url}/{SECRET}", SECOND_CHANNEL__LANGUAGE="en",
        )  # fmt: skip
        with service:
            begun_s = time.time()
            say(broker, 640.0)
            assert eventually(lambda: "breach" in service.standing())
            assert eventually(lambda: service.query("SELECT 1 FROM attempt"))
            service.kill9()
            assert web.requests == []
            service.start()
            assert web.wait_for(1, 20)[0].at_s - begun_s >= AFTER_S
            service.kill9()
            web.manner = "accept"
            service.start()
            assert eventually(lambda: service.query("SELECT 1 FROM second_delivery WHERE state = 'accepted'"), 30)
            service.kill9()
            service.start()
            with box:
                assert eventually(lambda: box.mails, 60)
                [(alarm, message)] = service.query("SELECT alarm, min(id) FROM message WHERE severity = 'breach'")
                accepted = "SELECT count(*) FROM delivery WHERE state != 'accepted' AND message = ?"
                assert eventually(lambda: service.query(accepted, (message,)) == [(0,)])
                yield Told(service, web, box, alarm, message)


def test_told_elsewhere_and_mailed(told: Told) -> None:
    """Over three kills the webhook took the breach once, every try under one key; the mail arrived as well, once."""
    keys = {one.headers["Idempotency-Key"] for one in told.web.requests}
    assert len(keys) == 1
    assert told.service.query("SELECT count(*) FROM second_delivery") == [(1,)]
    tries = "SELECT state FROM attempt WHERE channel = 'webhook' AND message = ? ORDER BY number"
    states = [state for (state,) in told.service.query(tries, (told.message,))]
    assert states[-1] == "accepted"
    assert set(states[:-1]) <= {"queued"}
    assert told.web.requests[-1].json["alarm"] == told.alarm
    mails = [mail for mail in told.box.mails if mail.message["Message-ID"].strip("<>") in keys]
    assert len(mails) == 1
    assert SECRET not in told.service.log


def test_messages_are_listed(told: Told) -> None:
    """`messages` shows each address and the second channel with what became of them, and chooses by alarm and state."""
    service = told.service
    rows = json.loads(service.run("messages", "--alarm", str(told.alarm), "--format", "json").stdout)
    own = [row for row in rows if row["id"] == told.message]
    assert {row["channel"] for row in own} == {"mail", "webhook"}
    assert {row["state"] for row in own} == {"accepted"}
    assert {row["alarm"] for row in rows} == {told.alarm}
    [hook] = [row for row in own if row["channel"] == "webhook"]
    assert hook["to"] == f"127.0.0.1:{told.web.port}"
    assert json.loads(service.run("messages", "--state", "refused", "--format", "json").stdout) == []
    assert json.loads(service.run("messages", "list", "--to", "2020-01-01", "--format", "json").stdout) == []
    assert json.loads(service.run("messages", "list", "--from", "2020-01-01", "--format", "json").stdout)
    head = next(csv.reader(io.StringIO(service.run("messages", "--format", "csv").stdout)))
    assert head[:4] == ["id", "queued", "event", "severity"]
    assert service.run("messages", "--from", "yesterday").returncode == 1
    for language, words in (("en", ("accepted", "channel")), ("zh", ("已接收", "渠道"))):
        listed = service.run("--lang", language, "messages").stdout
        assert all(word in listed for word in words)
    assert "没有消息" in service.run("--lang", "zh", "messages", "--to", "2020-01-01").stdout


def test_one_message_whole(told: Told) -> None:
    """`messages show` tells every try, who took it with which answer, and what the mail says."""
    service = told.service
    tries = json.loads(service.run("messages", "show", str(told.message), "--format", "json").stdout)
    mails = [one for one in tries if one["channel"] == "mail"]
    assert "Connection refused" in mails[0]["answer"]
    assert (mails[-1]["state"], mails[-1]["code"], mails[-1]["server"]) == (
        "accepted", 250, f"127.0.0.1:{told.box.port}")  # fmt: skip
    assert [one["state"] for one in tries if one["channel"] == "webhook"][-1] == "accepted"
    mail = next(one for one in told.box.mails if str(told.alarm) in one.text)
    for language, words in (("en", "What became of it"), ("zh", "投递结果")):
        shown = service.run("--lang", language, "messages", "show", str(told.message)).stdout
        assert words in shown
        assert mail.subject in shown
        assert "plantmon alarms ack" in shown
        assert SECRET not in shown
    missing = service.run("messages", "show", "9999")
    assert (missing.returncode, missing.stderr.strip()) == (1, "there is no message 9999")


def test_trial_of_the_second_channel(told: Told) -> None:
    """`test-second-channel` sends a test and shows the answer; what is not taken, and no channel at all, end with 1."""
    count = len(told.web.requests)
    done = told.service.run("test-second-channel")
    assert (done.returncode, "accepted: 200" in done.stdout, SECRET in done.stdout) == (0, True, False)
    assert told.web.requests[count].json["event"] == "test"
    told.web.manner = "404"
    try:
        done = told.service.run("--lang", "zh", "test-second-channel")
    finally:
        told.web.manner = "accept"
    assert (done.returncode, "404" in done.stdout) == (1, True)
    bare = Service(told.service.folder.parent / "bare", TEXT, 1).run("test-second-channel")
    assert (bare.returncode, bare.stderr.strip()) == (1, "the settings name no second channel")
