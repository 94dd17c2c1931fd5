"""This module proves that reading ahead takes apart what paho would, and leaves to paho what is odd."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from plantmon.feed.client import Client, Publish, ReadingAhead, read_publish


def length(number: int) -> bytes:
    """Encode a variable byte integer."""
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | 0x80 if number else digit)
        if not number:
            return bytes(digits)


def packet(
    topic: bytes = b"a/b", payload: bytes = b"41.2", qos: int = 1, number: int = 7, flags: int = 0,
    properties: bytes | None = b"",
) -> bytes:  # fmt: skip
    """Write a publish as a broker does; `properties` None for MQTT 3.1.1."""
    body = struct.pack("!H", len(topic)) + topic
    body += struct.pack("!H", number) if qos else b""
    body += b"" if properties is None else length(len(properties)) + properties
    body += payload
    return bytes([0x30 | qos << 1 | flags]) + length(len(body)) + body


class Ear:
    """A client at the end of a socket pair; `plain` came the short way, `left` through paho."""

    def __init__(self, client: mqtt.Client) -> None:
        self.client = client
        self.plain: list[Publish] = []
        self.left: list[mqtt.MQTTMessage] = []
        self.there, here = socket.socketpair()
        here.setblocking(False)
        client._sock = ReadingAhead(here) if isinstance(client, Client) else here  # type: ignore[assignment]
        client.on_message = lambda _client, _data, message: self.left.append(message)
        if isinstance(client, Client):
            client.on_plain = lambda _client, publish: self.plain.append(publish)

    def hear(self, data: bytes, count: int) -> None:
        """Send packets and read until so many were taken, or a second has passed."""
        self.there.sendall(data)
        give_up_at = time.monotonic() + 1
        while len(self.plain) + len(self.left) < count and time.monotonic() < give_up_at:
            if self.client.loop_read():
                return

    def close(self) -> None:
        """Close both ends."""
        self.there.close()
        self.client._sock_close()


def a_client(kind: type[mqtt.Client], protocol: int = mqtt.MQTTv5) -> Any:
    """Make a client that is not connected."""
    return kind(CallbackAPIVersion.VERSION2, client_id="test", protocol=protocol, manual_ack=True)  # type: ignore[arg-type]


@given(
    topic=st.text(st.characters(codec="utf-8", exclude_characters="\x00+#"), min_size=1, max_size=40),
    payload=st.binary(max_size=400),
    qos=st.sampled_from([0, 1]),
    number=st.integers(1, 65535),
    retain=st.booleans(),
    dup=st.booleans(),
    subscription=st.integers(0, 268_435_455),
    is_v5=st.booleans(),
)
def test_reads_what_paho_reads(
    topic: str, payload: bytes, qos: int, number: int, retain: bool, dup: bool, subscription: int, is_v5: bool
) -> None:
    """A publish taken apart here says the same as paho's own message."""
    properties = b"\x0b" + length(subscription) if subscription else b""
    data = packet(topic.encode(), payload, qos, number, retain | dup << 3, properties if is_v5 else None)
    found = read_publish(data, 0, is_v5)
    assert found is not None
    publish, end = found
    assert end == len(data)
    ear = Ear(a_client(mqtt.Client, mqtt.MQTTv5 if is_v5 else mqtt.MQTTv311))
    ear.hear(data, 1)
    [theirs] = ear.left
    identifiers = getattr(theirs.properties, "SubscriptionIdentifier", [0]) if is_v5 else [0]
    assert publish == Publish(
        theirs.topic, bytes(theirs.payload), theirs.qos, theirs.retain, theirs.dup, theirs.mid if qos else 0,
        identifiers[0] if is_v5 else 0,
    )  # fmt: skip
    ear.close()


@given(st.binary(max_size=60), st.booleans())
def test_nothing_makes_it_fail(data: bytes, is_v5: bool) -> None:
    """Whatever stands in the buffer, reading gives a packet inside it or leaves it to paho."""
    found = read_publish(data, 0, is_v5)
    assert found is None or 0 < found[1] <= len(data)


@given(st.integers(0, 30))
def test_leaves_half_a_packet(cut: int) -> None:
    """A packet that is not all there is left alone."""
    data = packet(payload=b"x" * 30)
    assert read_publish(data[: min(cut, len(data) - 1)], 0, True) is None


@pytest.mark.parametrize(
    "data",
    [
        packet(qos=2),
        packet(properties=b"\x01\x01"),
        packet(properties=b"\x0b\x01\x0b\x02"),
        packet(topic=b"\xff\xfe"),
        packet(topic=b""),
        packet(number=0),
        b"\x32\x04\x00\x09ab",
        b"\x32\xff\xff\xff\xff\x01",
        b"\x40\x02\x00\x01",
    ],
    ids=["qos 2", "other property", "two identifiers", "not utf-8", "no topic", "id 0", "topic beyond end", "length",
         "puback"],
)  # fmt: skip
def test_leaves_what_is_odd_to_paho(data: bytes) -> None:
    """What is no plain publish is paho's to judge."""
    assert read_publish(data, 0, True) is None


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), min_size=1, max_size=20), st.integers(1, 50))
def test_takes_every_packet_in_order(wanted: list[tuple[bool, bytes]], piece: int) -> None:
    """Plain and odd publishes, in pieces of any size, all arrive, each once and in order."""
    ear = Ear(a_client(Client))
    arrived: list[bytes] = []
    ear.client.on_plain = lambda _client, publish: arrived.append(publish.payload)
    ear.client.on_message = lambda _client, _data, message: arrived.append(bytes(message.payload))
    data = b"".join(packet(payload=payload, properties=b"\x01\x01" if odd else b"") for odd, payload in wanted)
    for at in range(0, len(data), piece):
        ear.there.sendall(data[at : at + piece])
        ear.client.loop_read()
    ear.hear(b"", 0)
    while len(arrived) < len(wanted) and not ear.client.loop_read():
        pass
    assert arrived == [payload for _, payload in wanted]
    ear.close()


def test_acknowledges_in_one_piece() -> None:
    """Acknowledgements leave as one run of PUBACKs, in the order given."""
    ear = Ear(a_client(Client))
    ear.client.acknowledge([3, 1, 65535])
    ear.client.loop_write()
    assert ear.there.recv(100) == bytes.fromhex("40020003 40020001 4002ffff")
    ear.close()


def test_an_ended_connection_hands_out_nothing_more() -> None:
    """After `end` what was read ahead is not taken: the broker sends it again."""
    ear = Ear(a_client(Client))
    taken: list[Publish] = []

    def take_one(client: Client, publish: Publish) -> None:
        taken.append(publish)
        client.leave_for_now()

    ear.client.on_plain = take_one
    ear.there.sendall(packet() * 5)
    for _ in range(3):
        if ear.client.loop_read():
            break
    assert len(taken) == 1
    ear.close()
