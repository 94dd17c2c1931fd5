"""This module publishes the simulated plant to a broker, in real time or faster, on the daemon's clock.

QoS 1 with a persistent session: what a broker did not acknowledge is sent again when it is back.
`python -m simulators.publish --port 1883 --start 2026-03-02T08:00 --rate 60 --history 24h --fault rto_trip@08:03+30min`
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulators.faults import Delivery, deliveries, parse_fault
from simulators.messages import SHANGHAI, Message, batch_messages, column_messages, json_message
from simulators.plant import SimulatedPlant
from simulators.shifts import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

MOST_UNACKNOWLEDGED = 2_000  # beyond it `publish` waits, so that memory stays bounded while the broker is away
SESSION_EXPIRY_S = 86_400
FORMATS = ("json", "json-batch")


@dataclass(frozen=True, slots=True)
class SimClock:
    """Plant time as a function of real time, as the daemon's: `start_ms` at `real_start_ms`, then `rate` times."""

    start_ms: int
    real_start_ms: int
    rate: float = 1.0

    def now_ms(self) -> int:
        """Give the plant's present instant."""
        return self.start_ms + int((time.time_ns() // 1_000_000 - self.real_start_ms) * self.rate)

    def real_wait_s(self, at_ms: int) -> float:
        """Give how many real seconds are left until a plant instant; negative when it is past."""
        real_ms = self.real_start_ms + (at_ms - self.start_ms) / self.rate
        return real_ms / 1000 - time.time()


class Publisher:
    """A QoS 1 publisher with a persistent session; `published` and `acknowledged` count its messages.

    `version` is 3 (3.1.1, which every broker speaks) or 5.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str = "plant-simulator",
        version: int = 3,
        login: tuple[str, str] | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self.published = 0
        self.acknowledged = 0
        self._room = threading.Semaphore(MOST_UNACKNOWLEDGED)
        self._changed = threading.Condition()
        self._address = host, port
        self._version = version
        self._client = self._make_client(client_id)
        if login is not None:
            self._client.username_pw_set(*login)
        if ca_file is not None:
            self._client.tls_set(ca_certs=str(ca_file))

    def _make_client(self, client_id: str) -> mqtt.Client:
        if self._version == 5:
            client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5)
        else:
            client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False)
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(200)
        client.reconnect_delay_set(min_delay=1, max_delay=5)
        client.on_publish = self._on_publish
        return client

    def _on_publish(self, *_: Any) -> None:
        self._room.release()
        with self._changed:
            self.acknowledged += 1
            self._changed.notify_all()

    def publish(self, messages: Iterable[Message], ended: threading.Event | None = None) -> None:
        """Send messages, or keep them until the broker is there.

        Waits while too many are unacknowledged; gives up what is left when `ended` is set meanwhile.
        """
        for topic, payload in messages:
            while not self._room.acquire(timeout=0.2):
                if ended is not None and ended.is_set():
                    return
            self.published += 1
            self._client.publish(topic, payload, qos=1)

    def wait_acknowledged(self, limit_s: float = 60.0) -> bool:
        """Wait until everything sent is acknowledged; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self.acknowledged >= self.published, limit_s)

    def __enter__(self) -> Self:
        options: dict[str, Any] = {}
        if self._version == 5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            options = {"clean_start": False, "properties": properties}
        self._client.connect_async(*self._address, keepalive=30, **options)
        self._client.loop_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def sendings(
    plant: SimulatedPlant, stream: Iterable[Delivery], live_from_ms: int, shape: str = "json", epoch_ms: bool = False
) -> Iterator[tuple[int, list[Message]]]:
    """Give what to send, and when by the plant's clock: all before `live_from_ms` in batches at once, then live.

    `stream` is ordered by `send_ms`, as from `deliveries`. Raises ValueError for an unknown shape.
    """
    if shape not in FORMATS:
        raise ValueError(f"{shape!r} is none of {FORMATS}")
    by_hour = groupby(stream, key=lambda one: _sending_at(one.send_ms, live_from_ms))
    for at_ms, group in by_hour:
        if at_ms < live_from_ms:
            yield live_from_ms, list(column_messages(plant, group))
        elif shape == "json":
            yield at_ms, [json_message(plant.point(one.point), one, epoch_ms) for one in group]
        else:
            yield at_ms, list(batch_messages(plant, group, epoch_ms))


def _sending_at(send_ms: int, live_from_ms: int) -> int:
    """Give the instant of a sending; the history goes an hour at a time."""
    return send_ms if send_ms >= live_from_ms else min(send_ms // HOUR_MS * HOUR_MS, live_from_ms - 1)


def run(
    publisher: Publisher,
    planned: Iterable[tuple[int, list[Message]]],
    clock: SimClock | None,
    ended: threading.Event | None = None,
) -> None:
    """Publish sendings when their time has come, or at once without a clock, until they or `ended` end it."""
    stop = ended or threading.Event()
    for at_ms, messages in planned:
        wait_s = clock.real_wait_s(at_ms) if clock is not None else 0.0
        if wait_s > 0 and stop.wait(wait_s):
            return
        if stop.is_set():
            return
        publisher.publish(messages, stop)


def duration_ms(text: str) -> int:
    """Read `90s`, `30min`, `24h`, `3d` as milliseconds. Raises ValueError."""
    for unit, size in (("min", MINUTE_MS), ("s", SECOND_MS), ("h", HOUR_MS), ("d", DAY_MS)):
        if text.endswith(unit):
            return int(float(text.removesuffix(unit)) * size)
    raise ValueError(f"{text!r} is not a duration such as 90s, 30min, 24h or 3d")


def moment_ms(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    """Read an ISO date-time, local unless it names a zone."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.publish", description="Publishes the simulated plant.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--mqtt", type=int, choices=(3, 5), default=3, help="protocol version, 3.1.1 or 5")
    parser.add_argument("--user")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--ca-file", type=Path, help="speak TLS and trust this authority")
    parser.add_argument("--client-id", default="plant-simulator")
    parser.add_argument("--start", type=moment_ms, help="plant time at the real start, ISO; now if missing")
    parser.add_argument(
        "--real-start", type=float, help="real epoch s (or ms) at which the clock starts; now if missing"
    )
    parser.add_argument("--rate", type=float, default=1.0, help="how many times as fast as real; 0: as fast as it goes")
    parser.add_argument("--history", type=duration_ms, default=0, help="send the past before the start first: 24h")
    parser.add_argument("--days", type=float, help="end after so many plant days")
    parser.add_argument("--until", type=moment_ms, help="end at this plant time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, help="points in all; those of the example plant file if missing")
    parser.add_argument("--points", nargs="*", help="only these points")
    parser.add_argument("--format", choices=FORMATS, default="json")
    parser.add_argument("--epoch", action="store_true", help="times as epoch milliseconds, not ISO")
    parser.add_argument("--fault", action="append", default=[], help="rto_trip@08:03+30min; may be given again")
    return parser.parse_args()


def main() -> None:
    """Publish until the end given, or until SIGTERM or SIGINT; then say what was acknowledged."""
    chosen = _arguments()
    real_now_ms = time.time_ns() // 1_000_000
    start_ms = chosen.start if chosen.start is not None else real_now_ms
    real_start_ms = real_now_ms
    if chosen.real_start is not None:  # epoch seconds; from 1e11 on milliseconds, as in a reading's `ts`
        real_start_ms = int(chosen.real_start * (1 if chosen.real_start >= 1e11 else 1000))
    clock = SimClock(start_ms, real_start_ms, chosen.rate) if chosen.rate > 0 else None
    forever_ms = start_ms + int((chosen.days or 3660) * DAY_MS)
    end_ms = min(chosen.until or forever_ms, forever_ms)
    day = datetime.fromtimestamp(start_ms / 1000, SHANGHAI).date()
    faults = [parse_fault(text, day, SHANGHAI) for text in chosen.fault]
    plant = SimulatedPlant(chosen.seed, chosen.size)
    stream = deliveries(plant, start_ms - chosen.history, end_ms, faults, chosen.points)
    login = None
    if chosen.user:
        login = chosen.user, chosen.password_file.read_text().strip() if chosen.password_file else ""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with Publisher(chosen.host, chosen.port, chosen.client_id, chosen.mqtt, login, chosen.ca_file) as publisher:
        run(publisher, sendings(plant, stream, start_ms, chosen.format, chosen.epoch), clock, ended)
        publisher.wait_acknowledged(limit_s=10 if not ended.is_set() else 2)
    print(f"published {publisher.published}, acknowledged {publisher.acknowledged}", flush=True)


if __name__ == "__main__":
    main()
