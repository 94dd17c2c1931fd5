"""This module proves that others notice when plantmon is gone or unwell: requests stop, and MQTT's Last Will speaks.

Broker, web server and daemon are real; where only the beat matters it is run by itself, with time as an argument.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from plantmon.notify.heartbeat import OFFLINE, Beat, Heartbeat, status
from plantmon.notify.web_call import Endpoint
from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually
from simulators.webserver import WebServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

TEXT = plant_file(SimulatedPlant())
REAL = 1_700_000_000_000
TOPIC = "plantmon/status"
SECRET = "s3cr3t-ping-id"


@pytest.fixture
def web() -> Iterator[WebServer]:
    """Run a web server."""
    with WebServer() as running:
        yield running


class Watcher:
    """Another client of the broker, which sees what plantmon says of itself."""

    def __init__(self, port: int) -> None:
        self.seen: list[tuple[dict[str, Any], bool]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "watcher")
        self._client.on_connect = lambda client, *_: client.subscribe(TOPIC, 1)
        self._client.on_message = lambda _, __, message: self.seen.append((json.loads(message.payload), message.retain))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    @property
    def states(self) -> list[str]:
        """The states seen so far, without repeats that follow one another."""
        found: list[str] = []
        for said, _ in self.seen:
            if not found or found[-1] != said["status"]:
                found.append(said["status"])
        return found

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_beats_while_well(web: WebServer) -> None:
    """A request goes out every minute while nothing is wrong, none while something is, and at once when it is over."""
    heart = Heartbeat("p", 60, Endpoint(f"{web.url}/{SECRET}"))
    assert heart.run([], 0, 1000.0, REAL) == Beat(True)
    for later_s in (1, 30, 59):
        assert heart.run([], 0, 1000.0 + later_s, REAL) == Beat()
    assert heart.run([], 0, 1060.0, REAL) == Beat(True)
    for later_s in range(61, 300, 10):
        assert heart.run(["writer stuck"], 0, 1000.0 + later_s, REAL) == Beat()
    assert heart.run([], 0, 1301.0, REAL) == Beat(True)
    assert [(one.method, one.path) for one in web.requests] == [("GET", f"/{SECRET}")] * 3


@pytest.mark.parametrize("manner", ["500", "hang", "trickle", "reset", "drop"])
def test_a_server_that_fails_is_called_sooner(web: WebServer, manner: str) -> None:
    """Whatever the server does, a beat ends in time, says why it failed without the secret, and comes again in 10 s."""
    web.manner = manner
    heart = Heartbeat("p", 60, Endpoint(f"{web.url}/{SECRET}", timeout_s=0.5))
    begun = time.monotonic()
    beat = heart.run([], 0, 1000.0, REAL)
    assert time.monotonic() - begun < 2
    assert (beat.is_called, beat.fault is None, SECRET in str(beat.fault)) == (True, False, False)
    web.manner = "accept"
    assert heart.run([], 0, 1009.0, REAL) == Beat()
    assert heart.run([], 0, 1010.0, REAL) == Beat(True)
    assert heart.run([], 0, 1069.0, REAL) == Beat()


def test_post_says_how_it_is(web: WebServer) -> None:
    """By POST the beat has the status in it."""
    Heartbeat("p", 60, Endpoint(web.url), "POST").run([], 0, 0.0, REAL)
    assert web.requests[0].json == {"plant": "p", "status": "online", "faults": [], "time": "2023-11-14T22:13:20Z"}


def test_status_is_published_when_something_changes() -> None:
    """The status goes out when it is due, when it changes, over a new connection, and again when it could not leave."""
    said: list[dict[str, Any]] = []
    can_leave = True

    def publish(payload: bytes) -> bool:
        if can_leave:
            said.append(json.loads(payload))
        return can_leave

    heart = Heartbeat("p", 60, publish=publish)
    heart.run([], "first", 0.0, REAL)
    heart.run([], "first", 59.0, REAL)
    assert [one["status"] for one in said] == ["online"]
    heart.run([], "first", 60.0, REAL)
    heart.run(["store unavailable"], "first", 61.0, REAL)
    heart.run(["store unavailable"], "first", 62.0, REAL)
    can_leave = False
    heart.run([], "first", 63.0, REAL)
    can_leave = True
    heart.run([], "first", 64.0, REAL)
    heart.run([], "second", 65.0, REAL)
    assert [one["status"] for one in said] == ["online", "online", "unwell", "online", "online"]
    assert said[2]["faults"] == ["store unavailable"]
    assert json.loads(status("p", OFFLINE)) == {"plant": "p", "status": "offline", "faults": []}


def settings(web: WebServer, **more: object) -> dict[str, object]:
    """Give the settings of a heart that beats every second both ways."""
    given = {"URL": f"{web.url}/{SECRET}", "EVERY": "1s", "MQTT_TOPIC": TOPIC, "TIMEOUT_S": 1}
    return {f"HEARTBEAT__{name}": value for name, value in (given | more).items()}


def test_daemon_beats_and_is_missed(tmp_path: Path, web: WebServer) -> None:
    """A second client sees online, the Last Will after a kill, online again, and offline after an orderly stop."""
    with Mosquitto("fast") as broker, Watcher(broker.port) as watcher:
        service = Service(tmp_path, TEXT, broker.port, **settings(web))
        with service:
            web.wait_for(2)
            assert eventually(lambda: watcher.states == ["online"])
            service.kill9()
            assert eventually(lambda: watcher.states == ["online", "offline"])
            count = len(web.requests)
            time.sleep(1.5)
            assert len(web.requests) == count
            service.start()
            assert eventually(lambda: watcher.states[-1] == "online")
            web.wait_for(count + 1)
            assert service.stop() == 0
        assert eventually(lambda: watcher.states == ["online", "offline", "online", "offline"])
        with Watcher(broker.port) as later:  # retained: who comes later knows too
            assert eventually(lambda: later.seen == [({"plant": "cq-truck", "status": "offline", "faults": []}, True)])
    assert SECRET not in service.log


def test_older_brokers_keep_the_will_too(tmp_path: Path, web: WebServer) -> None:
    """Over MQTT 3.1.1 the status and the Last Will are the same."""
    given = settings(web) | {"MQTT__PROTOCOL": "3.1.1"}
    with Mosquitto("fast") as broker, Watcher(broker.port) as watcher:
        service = Service(tmp_path, TEXT, broker.port, **given)
        with service:
            assert eventually(lambda: watcher.states == ["online"])
            service.kill9()
            assert eventually(lambda: watcher.states == ["online", "offline"])


@pytest.mark.parametrize("even_without_broker", [False, True])
def test_broker_away(tmp_path: Path, web: WebServer, even_without_broker: bool) -> None:
    """Without its broker plantmon does not beat, unless the settings say that it shall; when it is back, it does."""
    with Mosquitto("fast") as broker:
        given = settings(web, EVEN_WITHOUT_BROKER=str(even_without_broker).lower())
        with Service(tmp_path, TEXT, broker.port, **given) as service:
            web.wait_for(1)
            broker.stop()
            assert eventually(lambda: service.events("broker_lost"))
            time.sleep(0.5)
            count = len(web.requests)
            if even_without_broker:
                web.wait_for(count + 2)
            else:
                time.sleep(2.5)
                assert len(web.requests) == count
                held = service.events("heartbeat_held")[-1]
                assert held["faults"] == ["broker away"]
            broker.start()
            web.wait_for(count + 3, 40)


def test_no_beat_while_the_store_cannot_be_written(tmp_path: Path, web: WebServer) -> None:
    """When another process holds the store and readings cannot be stored, the beats end, and go on when it lets go."""
    with (
        Mosquitto("fast") as broker,
        Watcher(broker.port) as watcher,
        Service(tmp_path, TEXT, broker.port, **settings(web)) as service,
    ):
        web.wait_for(1)
        blocker = sqlite3.connect(service.store, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        held = len(service.events("heartbeat_held"))
        now_ms = time.time_ns() // 1_000_000
        topic = "plant/cq-truck/DA002/rto_temperature"
        Loadgen("127.0.0.1", broker.port, [(topic, json.dumps({"ts": now_ms, "value": 820}).encode())]).run(limit_s=5)
        # SQLite waits ten seconds for the other process before it says so.
        assert eventually(lambda: len(service.events("heartbeat_held")) > held, 30)
        assert service.events("heartbeat_held")[-1]["faults"] == ["store unavailable"]
        count = len(web.requests)
        time.sleep(2)
        assert len(web.requests) == count
        assert eventually(lambda: watcher.states[-1] == "unwell")
        blocker.rollback()
        blocker.close()
        web.wait_for(count + 1, 30)
        assert eventually(lambda: watcher.states[-1] == "online", 15)
        assert service.events("heartbeat_goes_on")


def test_hanging_server_hangs_nothing(tmp_path: Path, web: WebServer) -> None:
    """While the heartbeat's server hangs, readings are stored; health shows the failure, and its end."""
    web.manner = "hang"
    with Mosquitto("fast") as broker, Service(tmp_path, TEXT, broker.port, **settings(web)) as service:
        now_ms = time.time_ns() // 1_000_000
        topic = "plant/cq-truck/DA002/rto_temperature"
        messages = [(topic, json.dumps({"ts": now_ms - at, "value": 820}).encode()) for at in range(0, 100_000, 1000)]
        Loadgen("127.0.0.1", broker.port, messages).run(limit_s=10)
        assert eventually(lambda: service.stored() == 100)
        failing = "SELECT state, detail FROM health WHERE component = 'heartbeat'"
        assert eventually(lambda: service.query(failing))
        [(state, detail)] = service.query(failing)
        assert (state, "timed out" in detail, SECRET in detail) == ("failing", True, False)
        web.manner = "accept"
        assert eventually(lambda: service.query(failing)[0][0] == "ok", 20)
        web.manner = "hang"
        begun = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - begun < 10


def test_topic_within_a_feed_is_refused(tmp_path: Path, web: WebServer) -> None:
    """A status topic that plantmon would take for a reading ends the start with one sentence."""
    given = settings(web, MQTT_TOPIC="plant/cq-truck/DA002/status")
    with Mosquitto("fast") as broker:
        done = Service(tmp_path, TEXT, broker.port, **given).run("run")
    assert done.returncode == 1
    assert "heartbeat.mqtt_topic plant/cq-truck/DA002/status lies within a feed's topic" in done.stderr
    assert "Traceback" not in done.stderr
