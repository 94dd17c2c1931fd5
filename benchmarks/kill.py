"""This module proves the delivery: numbered readings, a daemon and a broker that are killed, and the count afterwards.

`python -m benchmarks.kill` sends 200,000 numbered readings at QoS 1 through a mosquitto that saves on every change. In
the first run the daemon is killed 20 times, in the second the broker 3 times. A publisher resends what was not
acknowledged. With broker kills the yardstick are two plain subscribers with persistent sessions of their own, in the
same run: what the broker alone loses, nobody can store. It forgets up to one acknowledged message a kill, and not
always for each session the same.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.report import show
from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.messages import BATCH_TOPIC, Message
from simulators.plant import COUNTER, SimPoint, SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually

BASE_VALUE, STEP = 10.0, 1e-6  # a reading's value tells its number
ACKNOWLEDGED_AFTER_S = 0.05
FOREVER_S = 900.0


@dataclass(slots=True)
class Course:
    """How a run went. Numbers of readings; `lost_plain` are those that a plain subscriber never got."""

    sent: int
    stored: int = 0
    rows: int = 0
    wrong: int = 0  # a row whose value is not its number's
    missing: set[int] = field(default_factory=set)
    lost_plain: set[int] = field(default_factory=set)
    kills: int = 0
    kills_behind: int = 0  # while the broker had more than the store
    repeats: int = 0
    rejected: int = 0
    resent: int = 0
    seconds: float = 0.0


def points_for_numbers(plant: SimulatedPlant) -> list[SimPoint]:
    """Give gauges that take the values without an alarm."""
    return [one for one in plant.points() if one.kind != COUNTER and one.quantity not in ("temperature", "sound_level")]


class Numbered:
    """Readings numbered from 0: a (point, time) and a value each, several in a message or one."""

    def __init__(self, plant: SimulatedPlant, count: int, together: int = 1, start_ms: int | None = None) -> None:
        self.count = count
        self.together = together
        self._points = points_for_numbers(plant)
        self._start_ms = time.time_ns() // 1_000_000 - 12 * 3_600_000 if start_ms is None else start_ms
        self.by_key = {self.key(number): number for number in range(count)}

    def key(self, number: int) -> tuple[str, int]:
        """Give a reading's point and time: a message holds one point at following times."""
        message, place = divmod(number, self.together)
        turn, point = divmod(message, len(self._points))
        return self._points[point].id, self._start_ms + (turn * self.together + place) * 1000

    def messages(self) -> Iterator[Message]:
        """Write the readings in order."""
        for first in range(0, self.count, self.together):
            numbers = range(first, min(first + self.together, self.count))
            point, ts_ms = self.key(first)
            values = [value_of(number) for number in numbers]
            if self.together == 1:
                topic = next(one.topic for one in self._points if one.id == point)
                yield topic, json.dumps({"ts": ts_ms, "value": values[0]}).encode()
            else:
                times = [self.key(number)[1] for number in numbers]
                yield BATCH_TOPIC, json.dumps({"point": point, "ts": times, "values": values}).encode()

    def numbers_in(self, payload: bytes) -> list[int]:
        """Read which readings a message held."""
        values = json.loads(payload).get("values") or [json.loads(payload)["value"]]
        return [round((value - BASE_VALUE) / STEP) for value in values]


def value_of(number: int) -> float:
    """Give a reading's value."""
    return round(BASE_VALUE + number * STEP, 6)


class PlainSubscriber:
    """What a subscriber gets that does nothing else, over a persistent session.

    It acknowledges a moment later, as one does that stores: to the broker the two are then alike.
    """

    def __init__(self, port: int, numbered: Numbered, name: str) -> None:
        self.got: set[int] = set()
        self._numbered = numbered
        self._port = port
        self._subscribed = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._waiting: list[int] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, name, clean_session=False, manual_ack=True)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_pre_connect = self._on_pre_connect
        self._client.on_connect = lambda client, *_: client.subscribe("plant/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._thread = threading.Thread(target=self._acknowledge)

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        self.got.update(self._numbered.numbers_in(bytes(message.payload)))
        with self._lock:
            self._waiting.append(message.mid)

    def _on_pre_connect(self, client: mqtt.Client, userdata: Any) -> None:
        with self._lock:
            self._waiting.clear()

    def _acknowledge(self) -> None:
        while not self._ended.wait(ACKNOWLEDGED_AFTER_S):
            with self._lock:
                for number in self._waiting:
                    self._client.ack(number, 1)
                self._waiting.clear()

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        self._thread.start()
        assert self._subscribed.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


def run(
    folder: Path, count: int, together: int, daemon_kills: int = 0, broker_kills: int = 0, seed: int = 1,
    rate_per_s: float | None = None, size: int = 60,
) -> Course:  # fmt: skip
    """Send numbered readings while the daemon, or the broker, is killed at random; count what is stored."""
    plant = SimulatedPlant(size=size)
    numbered = Numbered(plant, count, together)
    course = Course(sent=count)
    began = time.monotonic()
    with Mosquitto("save_every_change", folder=folder / "broker") as broker:
        service = Service(folder / "service", plant_file(plant), broker.port).start()
        generator = Loadgen("127.0.0.1", broker.port, numbered.messages(), window=100, rate_per_s=rate_per_s)
        publishing = threading.Thread(target=generator.run, kwargs={"limit_s": FOREVER_S})
        try:
            with ExitStack() as stack:
                names = ("plain-1", "plain-2") if broker_kills else ()
                plain = [stack.enter_context(PlainSubscriber(broker.port, numbered, name)) for name in names]
                publishing.start()
                if daemon_kills:
                    _kill_daemon(service, generator, course, daemon_kills, together, random.Random(seed))
                for _ in range(broker_kills):
                    goal = (course.kills + 1) * len(generator) // (broker_kills + 1)
                    assert eventually(lambda goal=goal: generator.acknowledged >= goal, FOREVER_S)
                    broker.kill9()
                    course.kills += 1
                    broker.start()
                publishing.join()
                for one in plain:
                    _settle(lambda one=one: len(one.got), count)
                    course.lost_plain |= set(range(count)) - one.got
            _settle(service.stored, count)
        finally:
            course.resent = generator.resent
            service.stop()
        _count(service, numbered, course)
    course.seconds = time.monotonic() - began
    return course


def _kill_daemon(
    service: Service, generator: Loadgen, course: Course, kills: int, together: int, chance: random.Random
) -> None:
    """Kill the daemon and start it again: soon after its start, while it catches up, or a while later."""
    for _ in range(kills):
        time.sleep(chance.choice((0.0, 0.05, 0.1, chance.uniform(0, 1.5))))
        course.kills_behind += generator.acknowledged * together > service.stored() + together
        service.kill9()
        course.kills += 1
        time.sleep(chance.uniform(0, 1.0))
        service.start(is_connected=chance.random() < 0.8)


def _settle(number: Any, goal: int) -> None:
    """Wait until a number reaches its goal, or has not moved for a good while."""
    last, moved_at = -1, time.monotonic()
    while time.monotonic() - moved_at < 8.0 and last < goal:
        now = number()
        if now != last:
            last, moved_at = now, time.monotonic()
        time.sleep(0.1)


def _count(service: Service, numbered: Numbered, course: Course) -> None:
    stored = "SELECT point, ts, value FROM reading UNION ALL SELECT point, ts, value FROM register"
    rows = service.query(f"SELECT p.name, r.ts, r.value FROM ({stored}) r JOIN point p ON p.id = r.point")
    seen = set()
    for point, ts_ms, value in rows:
        number = numbered.by_key.get((point, ts_ms))
        if number is None or value != value_of(number):
            course.wrong += 1
        else:
            seen.add(number)
    course.rows, course.stored = len(rows), len(seen)
    course.missing = set(range(course.sent)) - seen
    course.repeats, course.rejected = service.count("repeats"), service.count("rejected")


def main() -> None:
    """Run both parts and print what was stored."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill", description=__doc__)
    parser.add_argument("--readings", type=int, default=200_000)
    parser.add_argument("--together", type=int, default=10, help="numbered readings a message")
    parser.add_argument("--daemon-kills", type=int, default=20)
    parser.add_argument("--broker-kills", type=int, default=3)
    parser.add_argument("--rate", type=float, default=300, help="messages a second at most")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    rows: list[list[object]] = []
    figures: dict[str, object] = {"readings": chosen.readings}
    for what, kills in (("daemon", (chosen.daemon_kills, 0)), ("broker", (0, chosen.broker_kills))):
        with tempfile.TemporaryDirectory() as folder:
            course = run(Path(folder), chosen.readings, chosen.together, *kills, chosen.seed, chosen.rate)
        beyond = len(course.missing - course.lost_plain)
        rows.append([what, course.kills, course.kills_behind, course.sent, course.stored, course.rows - course.stored,
                     course.repeats, len(course.lost_plain), beyond, f"{course.seconds:.0f}"])  # fmt: skip
        figures[f"{what}_killed"] = {
            "kills": course.kills, "behind": course.kills_behind, "stored": course.stored, "wrong": course.wrong,
            "missing": len(course.missing), "plain_missing": len(course.lost_plain), "missing_beyond_plain": beyond,
            "redelivered": course.repeats, "rejected": course.rejected, "seconds": round(course.seconds),
        }  # fmt: skip
    headings = ["killed", "times", "behind", "sent", "stored", "extra", "redelivered", "plain lost", "beyond", "s"]
    show("kill", headings, rows, figures)


if __name__ == "__main__":
    main()
