"""This module is a fast MQTT publisher for benchmarks and for tests that kill the broker or the daemon.

MQTT 3.1.1, QoS 1, packets encoded beforehand and written many at a time, with a window of unacknowledged ones. When the
broker goes away it connects again to the same session and sends the unacknowledged ones once more, marked DUP.
"""

from __future__ import annotations

import argparse
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simulators.faults import Delivery, deliveries
from simulators.messages import Message, batch_messages, json_message
from simulators.plant import SimulatedPlant
from simulators.publish import duration_ms, moment_ms

_CONNECT, _CONNACK, _PUBLISH_QOS1, _PUBACK, _DUP = 0x10, 0x20, 0x32, 0x40, 0x08
_MOST_AT_ONCE = 100
_PACKET_IDS = [struct.pack("!H", number) for number in range(65536)]
_RECONNECT_S = 0.05


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """What a run did. `sent` counts each message once, `resent` what went out again after a reconnect."""

    sent: int
    acknowledged: int
    resent: int
    reconnects: int
    seconds: float

    @property
    def per_s(self) -> float:
        """Acknowledged messages a second."""
        return self.acknowledged / self.seconds if self.seconds else 0.0


class _Gone(Exception):
    """The connection ended."""


def _length(size: int) -> bytes:
    """Encode a remaining length (MQTT 3.1.1, 2.2.3)."""
    encoded = bytearray()
    while True:
        size, digit = divmod(size, 128)
        encoded.append(digit | 0x80 if size else digit)
        if not size:
            return bytes(encoded)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def encode(topic: str, payload: bytes) -> tuple[bytes, bytes]:
    """Encode a PUBLISH of QoS 1 around the place of its packet id."""
    head = _text(topic)
    return bytes([_PUBLISH_QOS1]) + _length(len(head) + 2 + len(payload)) + head, payload


class Loadgen:
    """Publishes messages as fast as the window, the broker and `rate_per_s` let it.

    `acknowledged` may be read from another thread while `run` works.
    """

    def __init__(
        self,
        host: str,
        port: int,
        messages: Iterable[Message],
        window: int = 200,
        rate_per_s: float | None = None,
        client_id: str = "load-generator",
        login: tuple[str, str] | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._address = host, port
        self._packets = [encode(topic, payload) for topic, payload in messages]
        self._window = window
        self._rate_per_s = rate_per_s
        self._client_id = client_id
        self._login = login
        self._tls = ssl.create_default_context(cafile=str(ca_file)) if ca_file else None
        self._unacknowledged: deque[int] = deque()  # numbers of messages, oldest first
        self._acknowledged_early: set[int] = set()
        self._socket: socket.socket | None = None
        self._received = b""
        self._next = 0
        self.acknowledged = 0
        self.resent = 0
        self.reconnects = -1

    def __len__(self) -> int:
        return len(self._packets)

    def run(self, stop: threading.Event | None = None, limit_s: float | None = None) -> LoadCounts:
        """Publish everything and wait for every acknowledgement, or end at `stop` or after `limit_s`."""
        began = time.monotonic()
        ended = stop or threading.Event()
        while self.acknowledged < len(self._packets) and not ended.is_set():
            if limit_s is not None and time.monotonic() - began > limit_s:
                break
            try:
                if self._socket is None:
                    self._connect()
                self._turn(began)
            except (OSError, _Gone):
                self._close()
                ended.wait(_RECONNECT_S)
        seconds = time.monotonic() - began
        if self._socket is not None:
            self._socket.sendall(b"\xe0\x00")
            self._close()
        return LoadCounts(self._next, self.acknowledged, self.resent, max(self.reconnects, 0), seconds)

    def _turn(self, began: float) -> None:
        """Send what may be sent, then take acknowledgements, waiting only when nothing may be sent."""
        assert self._socket is not None
        room = min(self._window - len(self._unacknowledged), _MOST_AT_ONCE)
        last = min(self._next + room, len(self._packets))
        if self._rate_per_s is not None:
            last = min(last, int((time.monotonic() - began) * self._rate_per_s) + 1)
        if last > self._next:
            self._send(range(self._next, last), dup=False)
        is_full = len(self._unacknowledged) >= self._window or self._next == len(self._packets)
        pause_s = 0.5 if is_full else (0.0005 if self._rate_per_s is not None else 0.0)
        if self._pending() or select.select([self._socket], [], [], pause_s)[0]:
            self._take()

    def _pending(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _send(self, numbers: Iterable[int], dup: bool) -> None:
        assert self._socket is not None
        parts: list[bytes] = []
        for number in numbers:
            head, payload = self._packets[number]
            parts += (head if not dup else bytes([head[0] | _DUP]) + head[1:], _PACKET_IDS[number % 65535 + 1], payload)
            if not dup:
                self._unacknowledged.append(number)
                self._next = number + 1
        self._socket.sendall(b"".join(parts))

    def _take(self) -> None:
        assert self._socket is not None
        data = self._socket.recv(65536)
        if not data:
            raise _Gone
        data = self._received + data
        whole = len(data) // 4 * 4
        self._received = data[whole:]
        for kind, _, packet_id in struct.iter_unpack("!BBH", data[:whole]):
            if kind == _PUBACK:
                self._acknowledge(packet_id)

    def _acknowledge(self, packet_id: int) -> None:
        """Count an acknowledgement; one out of order waits for those before it."""
        waiting = self._unacknowledged
        if waiting and waiting[0] % 65535 + 1 != packet_id:
            if any(number % 65535 + 1 == packet_id for number in waiting):
                self._acknowledged_early.add(packet_id)
            return
        while waiting and (waiting[0] % 65535 + 1 == packet_id or waiting[0] % 65535 + 1 in self._acknowledged_early):
            self._acknowledged_early.discard(waiting.popleft() % 65535 + 1)
            self.acknowledged += 1

    def _connect(self) -> None:
        plain = socket.create_connection(self._address, timeout=5)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = self._tls.wrap_socket(plain, server_hostname="localhost") if self._tls else plain
        flags = 0xC0 if self._login else 0  # user name and password; clean session 0, keepalive 0
        body = _text("MQTT") + bytes([4, flags, 0, 0]) + _text(self._client_id)
        if self._login:
            body += _text(self._login[0]) + _text(self._login[1])
        self._socket.sendall(bytes([_CONNECT]) + _length(len(body)) + body)
        answer = b""
        while len(answer) < 4:
            more = self._socket.recv(4 - len(answer))
            if not more:
                raise _Gone
            answer += more
        if answer[0] != _CONNACK:
            raise _Gone
        if answer[3]:
            self._close()
            raise RuntimeError(f"the broker refused the connection with code {answer[3]}")
        self.reconnects += 1
        self._received = b""
        if self._unacknowledged:
            self.resent += len(self._unacknowledged)
            self._send(list(self._unacknowledged), dup=True)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def plant_messages(plant: SimulatedPlant, start_ms: int, end_ms: int, shape: str = "json") -> Iterator[Message]:
    """Give the messages of a span of the plant, times as epoch milliseconds; `json-batch`: one message an instant."""
    stream = deliveries(plant, start_ms, end_ms)
    if shape == "json":
        for one in stream:
            yield json_message(plant.point(one.point), one, epoch_ms=True)
        return
    instant: list[Delivery] = []
    for one in stream:
        if instant and instant[0].ts_ms != one.ts_ms:
            yield from batch_messages(plant, instant, epoch_ms=True)
            instant = []
        instant.append(one)
    yield from batch_messages(plant, instant, epoch_ms=True)


def main() -> None:
    """Publish a span of the plant as fast as it goes and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m simulators.loadgen", description="Publishes as fast as it goes.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--window", type=int, default=200)
    parser.add_argument("--rate", type=float, help="messages a second; as many as possible if missing")
    parser.add_argument("--start", type=moment_ms, default=moment_ms("2026-03-02T08:00"))
    parser.add_argument("--span", type=duration_ms, default=duration_ms("1h"), help="of plant time: 1h")
    parser.add_argument("--size", type=int, help="points of the plant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=("json", "json-batch"), default="json")
    chosen = parser.parse_args()
    plant = SimulatedPlant(chosen.seed, chosen.size)
    messages = plant_messages(plant, chosen.start, chosen.start + chosen.span, chosen.format)
    counts = Loadgen(chosen.host, chosen.port, messages, chosen.window, chosen.rate).run()
    print(f"{counts.acknowledged} messages in {counts.seconds:.3f} s: {counts.per_s:.0f}/s, {counts.resent} resent")


if __name__ == "__main__":
    main()
