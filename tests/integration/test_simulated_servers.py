"""This module proves that the simulated plant's servers are real: mosquitto, amqtt, the mailbox, exim."""

from __future__ import annotations

import json
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulators.brokers import Amqtt, Mosquitto
from simulators.exim import exim
from simulators.faults import RtoTrip, deliveries
from simulators.loadgen import Loadgen, plant_messages
from simulators.mailbox import Mailbox
from simulators.plant import SimulatedPlant
from simulators.publish import Publisher, run, sendings

pytestmark = pytest.mark.timeout(60)

START = int(datetime.fromisoformat("2026-03-02T08:00:00+08:00").timestamp() * 1000)
PLANT = SimulatedPlant()
REPOSITORY = Path(__file__).resolve().parents[2]


class Listener:
    """A subscriber that keeps what it gets; its session stays at the broker between two `with` blocks."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.got: list[tuple[str, bytes]] = []
        self._subscribed = threading.Event()

    def __enter__(self) -> Self:
        self._subscribed.clear()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "listener", clean_session=False)
        self._client.on_message = lambda client, data, message: self.got.append((message.topic, bytes(message.payload)))
        self._client.on_connect = lambda client, *_: client.subscribe("plant/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        assert self._subscribed.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def eventually(is_so: Callable[[], bool], limit_s: float = 10) -> bool:
    """Wait until something is so; False when that took too long."""
    give_up_at = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def test_publisher_sends_the_stream_through_mosquitto() -> None:
    """What the plant and its faults make arrives at a subscriber, each message acknowledged by the broker."""
    stream = deliveries(PLANT, START - 600_000, START + 60_000, [RtoTrip(START, START + 60_000)])
    planned = list(sendings(PLANT, stream, START))
    with Mosquitto("fast") as broker, Listener(broker.port) as listener, Publisher("127.0.0.1", broker.port) as sender:
        run(sender, planned, clock=None)
        assert sender.wait_acknowledged(20)
        assert eventually(lambda: len(listener.got) >= sender.published)
    assert sorted(listener.got) == sorted(message for _, messages in planned for message in messages)


def test_publisher_resends_after_the_broker_was_killed() -> None:
    """Messages published while the broker is dead are acknowledged when it is back on its port."""
    messages = list(plant_messages(PLANT, START, START + 60_000))
    with Mosquitto("save_every_change") as broker, Publisher("127.0.0.1", broker.port) as sender:
        sender.publish(messages[:10])
        assert sender.wait_acknowledged(10)
        broker.kill9()
        sender.publish(messages[10:])
        assert not sender.wait_acknowledged(0.5)
        broker.start()
        assert sender.wait_acknowledged(20)
        assert sender.acknowledged == len(messages)


def test_mosquitto_keeps_a_session_over_kill_when_it_saves_every_change() -> None:
    """With every change saved, an absent subscriber's queue survives kill -9 but for the last message."""
    messages = list(plant_messages(PLANT, START, START + 30_000))
    with Mosquitto("save_every_change") as broker:
        listener = Listener(broker.port)
        with listener:
            first_pid = broker.pid
        assert Loadgen("127.0.0.1", broker.port, messages).run().acknowledged == len(messages)
        time.sleep(1.5)
        broker.kill9()
        broker.start()
        assert broker.pid != first_pid
        with listener:
            assert eventually(lambda: len(listener.got) >= len(messages) - 1)


def test_loadgen_loses_nothing_over_a_kill() -> None:
    """The load generator goes on after kill -9 and ends with every message acknowledged."""
    messages = list(plant_messages(SimulatedPlant(size=300), START, START + 15 * 60_000))
    with Mosquitto("fast") as broker:
        generator = Loadgen("127.0.0.1", broker.port, messages, window=100, rate_per_s=20_000)
        thread = threading.Thread(target=generator.run, kwargs={"limit_s": 30})
        thread.start()
        assert eventually(lambda: generator.acknowledged > 1000)
        broker.kill9()
        assert generator.acknowledged < len(messages)
        broker.start()
        thread.join()
    assert generator.acknowledged == len(messages)
    assert generator.reconnects == 1


def test_tls_profile_asks_for_password_and_certificate() -> None:
    """The tls profile takes its user over TLS, refuses a wrong password, and is trusted by its authority only."""
    messages = list(plant_messages(PLANT, START, START + 10_000))
    with Mosquitto("tls") as broker:
        assert broker.tls_port is not None
        assert broker.ca_file is not None
        right = Loadgen("127.0.0.1", broker.tls_port, messages, login=("plant", "secret"), ca_file=broker.ca_file)
        assert right.run(limit_s=10).acknowledged == len(messages)
        with pytest.raises(RuntimeError, match="code 5"):
            Loadgen("127.0.0.1", broker.port, messages, login=("plant", "wrong")).run(limit_s=5)
        with (
            pytest.raises(ssl.SSLCertVerificationError),
            socket.create_connection(("127.0.0.1", broker.tls_port)) as raw,
        ):
            ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")
        with Publisher(
            "127.0.0.1", broker.tls_port, version=5, login=("plant", "secret"), ca_file=broker.ca_file
        ) as sender:
            sender.publish(messages)
            assert sender.wait_acknowledged(10)


def test_amqtt_carries_the_demo() -> None:
    """The embedded broker takes the publisher's messages and gives them to a subscriber."""
    messages = list(plant_messages(PLANT, START, START + 10_000))
    with Amqtt() as broker, Listener(broker.port) as listener, Publisher("127.0.0.1", broker.port) as sender:
        sender.publish(messages)
        assert sender.wait_acknowledged(10)
        assert eventually(lambda: len(listener.got) == len(messages))


def test_publish_command_runs_a_fault_to_its_end() -> None:
    """The command publishes a span at 600 times real time, with history and a fault, and says what was acknowledged."""
    with Mosquitto("fast") as broker, Listener(broker.port) as listener:
        command = [sys.executable, "-m", "simulators.publish", "--port", str(broker.port)]
        command += ["--start", "2026-03-02T08:00", "--until", "2026-03-02T08:05", "--rate", "600", "--history", "1h"]
        command += ["--fault", "rto_trip@08:01+30min", "--points", "DA002.rto_temperature"]
        ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=True)
        assert "published 31, acknowledged 31" in ended.stdout
        assert eventually(lambda: len(listener.got) == 31)
    assert len(json.loads(listener.got[0][1])["ts"]) == 360
    assert json.loads(listener.got[-1][1])["value"] < 700


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """Run a mailbox without TLS and login."""
    with Mailbox(tmp_path / "mails") as running:
        yield running


def mail(recipient: str = "ehs@example.com") -> EmailMessage:
    """Make a mail with text, HTML and an image."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "plantmon@example.com", recipient, "Breach: DA002 NMHC"
    message.set_content("text")
    message.add_alternative("<p>超标</p><img src='cid:chart'>", subtype="html")
    message.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<chart>")  # type: ignore[index, union-attr]
    return message


def send(port: int, recipient: str = "ehs@example.com", timeout_s: float = 5) -> None:
    """Send one mail."""
    with smtplib.SMTP("127.0.0.1", port, timeout=timeout_s) as server:
        server.send_message(mail(recipient))


def test_mailbox_keeps_mail_as_files(mailbox: Mailbox) -> None:
    """An accepted mail is an .eml as received and an .html with its image inside, numbered and named by subject."""
    send(mailbox.port)
    [kept] = mailbox.wait_for(1)
    assert kept.path.name == "0001-breach-da002-nmhc.eml"
    assert kept.html_path is not None
    assert "data:image/png;base64," in kept.html_path.read_text(encoding="utf-8")
    assert kept.recipients == ("ehs@example.com",)
    assert kept.text.strip() == "text"


def test_mailbox_greylists_each_recipient_once(mailbox: Mailbox) -> None:
    """Greylisting refuses a recipient's first attempt with 451 and takes the second."""
    mailbox.greylists = True
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="451"):
        send(mailbox.port)
    send(mailbox.port)
    assert len(mailbox.wait_for(1)) == 1


def test_mailbox_refuses_some_recipients(mailbox: Mailbox) -> None:
    """A refused recipient gets 550 while others are served."""
    mailbox.refused_recipients.add("gone@example.com")
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="550"):
        send(mailbox.port, "gone@example.com")
    send(mailbox.port)
    assert mailbox.refused == [("gone@example.com", "550 5.1.1 no such user")]


def test_mailbox_goes_away_and_comes_back(mailbox: Mailbox) -> None:
    """Away means the connection is refused; back on the same port it takes mail."""
    mailbox.stop()
    with pytest.raises(ConnectionRefusedError):
        send(mailbox.port)
    mailbox.start()
    send(mailbox.port)
    assert len(mailbox.wait_for(1)) == 1


def test_mailbox_hangs_and_recovers(mailbox: Mailbox) -> None:
    """A hanging server accepts the connection and says nothing; told otherwise it answers again."""
    mailbox.is_hanging = True
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        send(mailbox.port, timeout_s=0.3)
    mailbox.is_hanging = False
    send(mailbox.port)
    assert len(mailbox.wait_for(1)) == 1


def test_mailbox_starts_while_hanging(tmp_path: Path) -> None:
    """A mailbox can start as a server that hangs."""
    running = Mailbox(tmp_path)
    running.is_hanging = True
    with running, closing(socket.create_connection(("127.0.0.1", running.port))) as silent:
        silent.settimeout(0.2)
        with pytest.raises(TimeoutError):
            silent.recv(1)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_mailbox_speaks_starttls_and_logins(tmp_path: Path, mechanism: str) -> None:
    """With TLS and a login, mail needs both; AUTH PLAIN and LOGIN work, a wrong password does not."""
    with Mailbox(tmp_path, login=("plant", "pw"), tls=True) as running:
        trust = ssl.create_default_context(cafile=str(running.ca_file))
        with pytest.raises(smtplib.SMTPException):
            send(running.port)
        with smtplib.SMTP("localhost", running.port, timeout=5) as server:
            server.starttls(context=trust)
            with pytest.raises(smtplib.SMTPAuthenticationError):
                server.login("plant", "wrong")
        with smtplib.SMTP("localhost", running.port, timeout=5) as server:
            server.starttls(context=trust)
            server.ehlo()
            server.user, server.password = "plant", "pw"
            server.auth(mechanism, server.auth_plain if mechanism == "PLAIN" else server.auth_login)
            server.send_message(mail())
        assert len(running.wait_for(1)) == 1


def test_mailbox_command_keeps_mail(tmp_path: Path) -> None:
    """The command is a mailbox until SIGTERM."""
    with Mailbox(tmp_path / "unused") as unused:
        port = unused.port
    command = [sys.executable, "-m", "simulators.mailbox", "--port", str(port), "--folder", str(tmp_path / "mails")]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "mailbox on" in process.stdout.readline()
    send(port)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    process.stdout.close()
    assert (tmp_path / "mails" / "0001-breach-da002-nmhc.html").exists()


def test_exim_answers_as_a_mail_server_does() -> None:
    """A real exim refuses, defers, greylists, asks for a login over TLS, and delivers."""
    with exim() as server:
        trust = ssl.create_default_context(cafile=str(server.ca_file))
        for recipient, code in (
            ("bad@x.test", "550"),
            ("down@x.test", "451"),
            ("grey@x.test", "451"),
            ("a@x.test", "550"),
        ):
            with pytest.raises(smtplib.SMTPRecipientsRefused, match=code):
                send(server.port, recipient)
        server.open_greylist()
        send(server.port, "grey@x.test")
        with smtplib.SMTP("localhost", server.port, timeout=5) as client:
            client.starttls(context=trust)
            client.login(*server.login)
            client.send_message(mail("a@x.test"))
        assert eventually(lambda: len(server.mails()) == 2)
        assert server.mails()[1]["Subject"] == "Breach: DA002 NMHC"
