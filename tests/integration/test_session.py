"""This module proves that the daemon keeps its promise over everything a broker, a disk and a clock can do to it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.kill import Numbered
from plantmon.feed.check import Message
from plantmon.feed.inflow import Inflow
from plantmon.feed.session import Broker, Session
from plantmon.feed.topics import Routes
from plantmon.plant.load import load_plant
from simulators.brokers import Amqtt, Mosquitto
from simulators.loadgen import Loadgen
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.publish import Publisher
from simulators.service import Service, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

PLANT = SimulatedPlant()
TEXT = plant_file(PLANT)
DAY_MS = 86_400_000


def now_ms() -> int:
    """Give the real time."""
    return time.time_ns() // 1_000_000


def numbered(count: int, minutes_ago: int = 600) -> list[tuple[str, bytes]]:
    """Write so many readings, one a message, from so many minutes ago on; other spans give other readings."""
    return list(Numbered(PLANT, count, start_ms=now_ms() - minutes_ago * 60_000).messages())


def publish(broker: Mosquitto, messages: Sequence[tuple[str, bytes]]) -> None:
    """Publish at QoS 1 and wait for every acknowledgement."""
    generator = Loadgen("127.0.0.1", broker.port, messages)
    assert generator.run(limit_s=30).acknowledged == len(messages)


def retain(port: int, topic: str, payload: bytes) -> None:
    """Publish one retained message."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "retainer")
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def has_all(service: Service, count: int, limit_s: float = 20) -> bool:
    """Wait until so many readings are in the store."""
    return eventually(lambda: service.stored() >= count, limit_s) and service.stored() == count


def test_goes_on_after_the_broker_was_restarted(tmp_path: Path) -> None:
    """The session outlives a restart of the broker: what came before, meanwhile and after is stored."""
    with Mosquitto("fast") as broker, Service(tmp_path, TEXT, broker.port) as service:
        publish(broker, numbered(50, 600))
        broker.stop()
        assert eventually(lambda: service.events("broker_lost"))
        broker.start()
        publish(broker, numbered(50, 500))
        assert has_all(service, 100)
        assert service.events("broker_connected")[-1]["session_present"]


class Feed:
    """The session alone, without daemon or store: messages are taken from its queue by hand."""

    def __init__(self, folder: Path, port: int, client_id: str = "by-hand") -> None:
        file = folder / "plant.yaml"
        file.write_text(TEXT, encoding="utf-8")
        self.inflow = Inflow(1000, 1_000_000)
        self.session = Session(Broker("127.0.0.1", port, client_id), Routes(load_plant(file)), self.inflow, now_ms)

    def start(self) -> Feed:
        """Connect."""
        self.session.start()
        assert eventually(lambda: self.session.link.is_connected)
        return self

    def take(self, count: int, limit_s: float = 10) -> list[Message]:
        """Take so many messages, or what there was in time."""
        taken: list[Message] = []
        eventually(lambda: taken.extend(self.inflow.take()) or len(taken) >= count, limit_s)
        return taken


def test_acknowledgements_of_a_lost_session_touch_nothing(tmp_path: Path) -> None:
    """After the broker lost its data, acks of the old connection leave the new messages with the same numbers alone."""
    first, second = numbered(5, 600), numbered(5, 500)
    with Mosquitto("fast") as broker:
        feed = Feed(tmp_path, broker.port).start()
        publish(broker, first)
        old = feed.take(5)
        assert [message.payload for message in old] == [payload for _, payload in first]
        broker.kill9()
        shutil.rmtree(broker.folder / "data")
        (broker.folder / "data").mkdir()
        assert eventually(lambda: not feed.session.link.is_connected)
        broker.start()
        assert eventually(lambda: feed.session.link.is_connected)
        publish(broker, second)
        new = feed.take(5)
        assert [message.payload for message in new] == [payload for _, payload in second]
        assert [one.token[1] for one in new if one.token] == [one.token[1] for one in old if one.token]
        feed.session.acknowledge([one.token for one in old if one.token])
        publish(broker, numbered(1, 400))  # behind the stale acks on the same connection
        assert len(feed.take(1)) == 1
        feed.session.stop()
        again = Feed(tmp_path, broker.port).start()
        assert [one.payload for one in again.take(6)][:5] == [payload for _, payload in second]
        again.session.stop()


def test_an_error_while_taking_a_message_does_not_end_the_network_thread(tmp_path: Path) -> None:
    """A programming fault in one message's way leaves the thread alive; the next message is taken."""
    with Mosquitto("fast") as broker:
        feed = Feed(tmp_path, broker.port)
        put, faults = feed.inflow.put, iter([True])

        def put_or_fail(message: Message, wait_s: float) -> bool:
            if next(faults, False):
                raise RuntimeError("a fault")
            return put(message, wait_s)

        feed.inflow.put = put_or_fail  # type: ignore[method-assign]
        feed.start()
        messages = numbered(2)
        publish(broker, messages)
        assert [one.payload for one in feed.take(1)] == [messages[1][1]]
        assert feed.session.is_alive()
        feed.session.stop()


def test_topics_that_left_the_plant_file_are_unsubscribed(tmp_path: Path) -> None:
    """After a feed left the plant file its messages come no more, though the broker kept the session."""
    batch = json.dumps({"ts": now_ms(), "values": {"DA001.nox": 40.0}}).encode()
    with Mosquitto("fast") as broker:
        with Service(tmp_path, TEXT, broker.port) as service:
            publish(broker, [("plant/cq-truck/batch", batch)])
            assert has_all(service, 1)
        feeds = [line for line in TEXT.splitlines(keepends=True) if "json-batch" not in line]
        service.plant_file.write_text("".join(feeds), encoding="utf-8")
        with service:
            assert service.events("broker_connected")[-1]["session_present"]
            publish(broker, numbered(1, 600))  # answered in order, so the unsubscribing is over
            assert has_all(service, 2)
            publish(broker, [("plant/cq-truck/batch", batch.replace(b"40.0", b"41.0")), *numbered(1, 500)])
            assert has_all(service, 3)
            assert service.count("rejected") == 0


def test_speaks_older_mqtt_to_the_embedded_broker(tmp_path: Path) -> None:
    """A broker that has only MQTT 3.1.1 is spoken to in 3.1.1, found out by itself."""
    with Amqtt() as broker, Service(tmp_path, TEXT, broker.port) as service:
        assert service.events("broker_connected")[-1]["protocol"] == "3.1.1"
        with Publisher("127.0.0.1", broker.port) as sender:
            sender.publish(numbered(20))
            assert sender.wait_acknowledged(10)
        assert has_all(service, 20)


def test_speaks_tls_with_user_and_password(tmp_path: Path) -> None:
    """Over TLS with the right password readings are stored; a wrong password is said and not silent."""
    with Mosquitto("tls") as broker:
        assert broker.tls_port is not None
        secure = {"MQTT__HOST": "localhost", "MQTT__USERNAME": "plant", "MQTT__TLS__CA": broker.ca_file}
        with Service(tmp_path, TEXT, broker.tls_port, **secure, MQTT__PASSWORD="secret") as service:
            messages = numbered(20)
            sender = Loadgen("127.0.0.1", broker.tls_port, messages, login=("plant", "secret"), ca_file=broker.ca_file)
            assert sender.run(limit_s=10).acknowledged == len(messages)
            assert has_all(service, 20)
        service.settings["MQTT__PASSWORD"] = "wrong"
        service.start(is_connected=False)
        assert eventually(lambda: service.events("broker_refused"))
        service.stop()


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    """A second daemon on the same store ends with exit code 1 and one clear sentence; the first goes on."""
    with Mosquitto("fast") as broker, Service(tmp_path, TEXT, broker.port) as service:
        second = service.run("run")
        assert second.returncode == 1
        assert second.stderr.strip() == f"another plantmon holds {service.store}.lock"
        publish(broker, numbered(5))
        assert has_all(service, 5)


@pytest.mark.parametrize("absence", ["frozen", "stopped"])
def test_messages_the_broker_dropped_raise_an_alarm(tmp_path: Path, absence: str) -> None:
    """With the broker's defaults more than 1000 messages queue up and are thrown away: that is an alarm."""
    with (
        Mosquitto("defaults", lines=("sys_interval 1",)) as broker,
        Service(tmp_path, TEXT, broker.port) as service,
    ):
        publish(broker, numbered(5))
        assert has_all(service, 5)
        # The broker's own count must have been seen once before it rises.
        assert eventually(lambda: _saw_drop_count(service, broker))
        if absence == "frozen":
            service.freeze()
        else:
            service.stop()
        publish(broker, numbered(12_000, 500))
        if absence == "frozen":
            service.thaw()
        else:
            service.start()
        assert eventually(lambda: "broker_dropped" in service.standing(), 20)
        assert service.stored() < 12_005


def _saw_drop_count(service: Service, broker: Mosquitto) -> bool:
    """Whether the daemon had a second or two with the broker, which tells its counts once a second."""
    [connected] = service.events("broker_connected")[-1:]
    return (time.time() - _epoch_s(connected["timestamp"])) > 2.5


def _epoch_s(local: str) -> float:
    return time.mktime(time.strptime(local[:19], "%Y-%m-%dT%H:%M:%S"))


def test_stops_in_time_under_full_load_and_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM while messages pour in ends the daemon within 10 s; after a restart every reading is there once."""
    messages = numbered(60_000)
    with Mosquitto("fast") as broker:
        service = Service(tmp_path, TEXT, broker.port).start()
        generator = Loadgen("127.0.0.1", broker.port, messages, window=1000, rate_per_s=15_000)
        thread = threading.Thread(target=generator.run, kwargs={"limit_s": 60})
        thread.start()
        assert eventually(lambda: service.count() > 5_000)
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 10
        assert generator.acknowledged < len(messages)
        with service:
            thread.join()
            assert has_all(service, len(messages), 30)
        assert service.count("rejected") == 0


def test_a_wrong_clock_of_ours_rejects_nothing(tmp_path: Path) -> None:
    """With our clock a day behind, readings wait at the broker under an alarm; with the right one they are stored."""
    messages = numbered(200, 5)
    with Mosquitto("fast") as broker:
        service = Service(tmp_path, TEXT, broker.port)
        yesterday = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime((now_ms() - DAY_MS) / 1000))
        service.settings["CLOCK__START"] = yesterday
        with service:
            publish(broker, messages)
            assert eventually(lambda: "clock_wrong" in service.standing())
            assert (service.stored(), service.count("rejected")) == (0, 0)
        del service.settings["CLOCK__START"]
        with service:
            assert has_all(service, 200)
            assert eventually(lambda: "clock_wrong" not in service.standing())
        assert service.count("rejected") == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a file system of its own with little room."""
    if os.getuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_waited_for(tmp_path: Path, small_disk: Path) -> None:
    """On a full disk nothing is acknowledged and the daemon lives; given room it goes on, and nothing is missing."""
    messages = numbered(40_000)
    with (
        Mosquitto("fast") as broker,
        Service(tmp_path, TEXT, broker.port, STORE__PATH=small_disk / "plantmon.db") as service,
    ):
        service.store = small_disk / "plantmon.db"
        publish(broker, messages)
        assert eventually(lambda: service.events("store_unavailable"), 20)
        stood_still = service.stored()
        assert stood_still < len(messages)
        assert service.is_running
        subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
        assert has_all(service, len(messages), 30)
        assert eventually(lambda: service.events("store_back"))


def test_a_limit_on_file_sizes_is_waited_for(tmp_path: Path) -> None:
    """When the system refuses larger files the daemon waits in the same way, and goes on when they are allowed."""
    messages = numbered(40_000)
    before = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))  # noqa: E731
    with Mosquitto("fast") as broker:
        service = Service(tmp_path, TEXT, broker.port).start(before=before)
        publish(broker, messages)
        assert eventually(lambda: service.events("store_unavailable"), 20)
        assert service.stored() < len(messages)
        assert service.is_running
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, unlimited)
        assert has_all(service, len(messages), 30)
        assert service.stop() == 0


def test_a_retained_message_is_stored_but_shows_no_life(tmp_path: Path) -> None:
    """A retained reading is stored under its own time; only a live one shows that the point is alive."""
    topic = "plant/cq-truck/DA001/nox"
    with Mosquitto("fast") as broker:
        retain(broker.port, topic, json.dumps({"ts": now_ms() - 60_000, "value": 41.0}).encode())
        with Service(tmp_path, TEXT, broker.port) as service:
            assert has_all(service, 1)
            assert _heard(service) == [(None, None)]
            publish(broker, [(topic, json.dumps({"ts": now_ms(), "value": 42.0}).encode())])
            assert has_all(service, 2)
            assert eventually(lambda: _heard(service) != [(None, None)], 15)


def _heard(service: Service) -> list[tuple[object, ...]]:
    return service.query("SELECT spoken_ms, heard_ms FROM point WHERE name = 'DA001.nox'")


def test_ends_at_a_signal_of_the_terminal_too(tmp_path: Path) -> None:
    """SIGINT ends the daemon in good order, as SIGTERM does."""
    with Mosquitto("fast") as broker:
        service = Service(tmp_path, TEXT, broker.port).start()
        os.kill(service.pid, signal.SIGINT)
        assert service.wait(10) == 0
        assert service.events("stopped")
