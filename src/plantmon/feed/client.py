"""This module is paho's client, made to read and to acknowledge many messages at a time.

paho asks the system for each packet's first byte, its length and its rest, selects anew for each, and takes a publish
apart in some twenty microseconds. Here the socket reads ahead; a whole publish of QoS 0 or 1 with plain properties is
taken apart in place; everything else, and whatever looks odd, is left to paho. Acknowledgements that belong together
leave in one piece. What paho calls a socket need only have these few methods; its own for websockets is made alike.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

READ_AHEAD = 65_536  # bytes
PACKETS_A_TURN = 500  # then acknowledgements and pings have their turn
_PUBLISH, _PUBACK = 0x30, 0x40
_QOS_2 = 0x04
_SUBSCRIPTION_IDENTIFIER = 0x0B


class Publish(NamedTuple):
    """A publish as it came; `number` is its packet id, 0 with QoS 0; `subscription` the MQTT 5 identifier or 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    number: int
    subscription: int


def read_publish(data: bytes, at: int, is_v5: bool) -> tuple[Publish, int] | None:
    """Read the packet that begins at a place; give it and where the next begins.

    None where it is no publish, not all there, of QoS 2, has properties beyond one subscription identifier, or is
    malformed: paho then says what is to be done (MQTT 5.0, 3.3; MQTT 3.1.1 has no properties).

    >>> read_publish(bytes.fromhex("3208 0003 612f62 0007 78"), 0, False)
    (Publish(topic='a/b', payload=b'x', qos=1, retain=False, dup=False, number=7, subscription=0), 10)
    """
    try:
        header, size = data[at], data[at + 1]
        if header & 0xF0 != _PUBLISH or header & _QOS_2:
            return None
        at += 2
        if size & 0x80:
            size, at = _length(data, at - 1)
        end = at + size
        if end > len(data):
            return None
        begin = at + 2
        at = begin + (data[at] << 8 | data[at + 1])
        topic = data[begin:at].decode()
        qos = header >> 1 & 1
        number = 0
        if qos:
            number = data[at] << 8 | data[at + 1]
            at += 2
        subscription = 0
        if is_v5:
            properties, at = data[at], at + 1
            if properties:
                if properties & 0x80 or data[at] != _SUBSCRIPTION_IDENTIFIER:
                    return None
                subscription, after = _length(data, at + 1)
                at += properties
                if after != at:
                    return None
        # No topic is left to paho too; so are the packet id 0 and what runs over its own end, which no broker may send.
        if at > end or not topic or (qos and not number):
            return None
    except (IndexError, UnicodeDecodeError):
        return None
    return Publish(topic, data[at:end], qos, bool(header & 1), bool(header & 8), number, subscription), end


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Read a variable byte integer; give it and the place behind it. Raises IndexError where it is not all there."""
    number = shift = 0
    while shift < 28:
        digit = data[at]
        at += 1
        number |= (digit & 0x7F) << shift
        if not digit & 0x80:
            return number, at
        shift += 7
    raise IndexError("more than four bytes")


class ReadingAhead:
    """A connected socket that reads many bytes from the system and hands them out in small pieces."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._data = b""
        self._at = 0
        self._is_ended = False

    def recv(self, size: int) -> bytes:
        """Give at most so many bytes, none at the end of the connection. Raises as the socket does."""
        if self._is_ended:
            return b""
        if self._at >= len(self._data):
            self._data, self._at = self._inner.recv(READ_AHEAD), 0
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def publish(self, is_v5: bool) -> Publish | None:
        """Take the next packet when it is a plain publish that has been read whole."""
        found = read_publish(self._data, self._at, is_v5)
        if found is None:
            return None
        self._at = found[1]
        return found[0]

    def send(self, data: bytes) -> int:
        """Send what goes, and say how much went."""
        return self._inner.send(data)

    def pending(self) -> int:
        """Give how many bytes can be had without asking the system; `select` does not know of them."""
        rest = len(self._data) - self._at
        if not rest and isinstance(self._inner, ssl.SSLSocket):
            return self._inner.pending()
        return rest

    def fileno(self) -> int:
        """Give the file descriptor, to select on."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """Make the socket block, or not."""
        self._inner.setblocking(flag)

    def end(self) -> None:
        """End the connection; what was read ahead is not handed out any more, the broker will send it again."""
        self._is_ended = True
        self._data, self._at = b"", 0
        self._inner.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()


class Client(mqtt.Client):
    """A paho client that reads ahead. `on_plain` gets the publishes that `on_message` then does not; it must not raise.

    Built on paho 2's own seams: how it makes its socket, whether it is inside a packet, and its queue of what to send.
    """

    on_plain: Callable[[Client, Publish], None] | None = None

    def _create_socket(self) -> Any:
        return ReadingAhead(super()._create_socket())  # type: ignore[arg-type]

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Take the packets that were read, not only the first; called by paho when the socket has something."""
        is_v5 = self._protocol == mqtt.MQTTv5
        for _ in range(PACKETS_A_TURN):
            sock: Any = self.socket()
            publish = None
            if self.on_plain is not None and sock is not None and not self._in_packet["command"]:
                publish = sock.publish(is_v5)
            if publish is not None and self.on_plain is not None:
                self.on_plain(self, publish)
            else:
                fault = super().loop_read(max_packets)
                if fault:
                    return fault
            sock = self.socket()
            if sock is None or not sock.pending():
                break
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Acknowledge QoS 1 messages in this order, as `ack` would one by one."""
        packets = b"".join([struct.pack("!BBH", _PUBACK, 2, number) for number in numbers])
        if packets:
            self._packet_queue(_PUBACK, packets, 0, 1)

    def leave_for_now(self) -> None:
        """Break the connection and connect again with back-off; called on the network thread."""
        sock: Any = self.socket()
        if sock is not None:
            sock.end()
