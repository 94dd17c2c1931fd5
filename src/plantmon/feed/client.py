"""This module is paho's client, made to read and to acknowledge many messages at a time.

paho asks the system for a packet's first byte, its length and its rest, and selects anew for each packet; with a
writer thread beside it every such call gives the interpreter away. Here the socket reads ahead, one select serves what
was read, and acknowledgements that belong together leave in one piece. What paho calls a socket need only have the six
methods below; its own for websockets is made the same way.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as mqtt

READ_AHEAD = 65_536  # bytes
PACKETS_A_TURN = 500  # then acknowledgements and pings have their turn
_PUBACK = 0x40
_PUBACK_SIZE = 2  # bytes that follow the header when the reason is success


class ReadingAhead:
    """A connected socket that reads many bytes from the system and hands them out in small pieces."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._data = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """Give at most so many bytes, none at the end of the connection. Raises as the socket does."""
        at = self._at
        if at >= len(self._data):
            self._data = self._inner.recv(READ_AHEAD)
            at = 0
        piece = self._data[at : at + size]
        self._at = at + len(piece)
        return piece

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

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def shutdown(self, how: int) -> None:
        """End the connection from within, while another thread may be reading."""
        self._inner.shutdown(how)


class Client(mqtt.Client):
    """A paho client that reads ahead; `acknowledge` is `ack` for many."""

    def _create_socket(self) -> Any:
        return ReadingAhead(super()._create_socket())

    def loop_read(self, max_packets: int = 1) -> mqtt.MQTTErrorCode:
        """Take the packets that were read, not only the first; called by paho when the socket has something."""
        for _ in range(PACKETS_A_TURN):
            fault = super().loop_read(max_packets)
            sock = self.socket()
            if fault or sock is None or not sock.pending():
                return fault
        return mqtt.MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Acknowledge QoS 1 messages in this order, as `ack` would one by one."""
        packets = b"".join([struct.pack("!BBH", _PUBACK, _PUBACK_SIZE, number) for number in numbers])
        if packets:
            self._packet_queue(_PUBACK, packets, 0, 1)
