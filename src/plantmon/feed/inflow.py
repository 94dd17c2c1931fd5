"""This module is the bounded queue between the network thread and the writer.

Its bound is ours: Debian's mosquitto overruns the MQTT 5 Receive Maximum, so only the queue bounds the memory. A
full queue makes the network thread wait, TCP holds the broker back, and nothing is dropped.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from plantmon.feed.check import Message

# A batch: big enough to share one fsync among many messages, small enough to keep a transaction under 50 ms.
MOST_MESSAGES = 2000
MOST_BYTES = 500_000  # some 20,000 readings in batch messages
# How long a batch may gather before it is written (design: 50 ms), when messages come thick and when they are rare.
GATHER_THICK_S = 0.05
GATHER_RARE_S = 0.002
THICK = 50


class Inflow:
    """Messages on their way from the network thread to the writer."""

    def __init__(self, most_messages: int, most_bytes: int) -> None:
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._messages: deque[Message] = deque()
        self._bytes_in = 0
        self._bytes_out = 0
        self._room = threading.Condition()
        self.arrived = threading.Event()
        self._gather_s = GATHER_RARE_S

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be put in."""
        return len(self._messages) >= self._most_messages or self._bytes_in - self._bytes_out >= self._most_bytes

    @property
    def is_behind(self) -> bool:
        """Whether more waits than a batch or two: a backlog from an absence, or a flood."""
        return len(self._messages) > 2 * MOST_MESSAGES or self._bytes_in - self._bytes_out > 2 * MOST_BYTES

    def put(self, message: Message, wait_s: float) -> bool:
        """Put a message in, waiting for room at most so long; say whether it went in. One thread calls this."""
        if self.is_full:
            with self._room:
                if not self._room.wait_for(lambda: not self.is_full, wait_s):
                    return False
        self._bytes_in += len(message.payload)
        self._messages.append(message)
        if not self.arrived.is_set():
            self.arrived.set()
        return True

    def take(self) -> list[Message]:
        """Take a batch out, gathering a moment so that one commit serves many. One thread calls this."""
        self.arrived.clear()
        if not self._messages:
            return []
        deadline = time.monotonic() + self._gather_s
        while len(self._messages) < MOST_MESSAGES and (rest := deadline - time.monotonic()) > 0:
            time.sleep(min(rest, 0.005))
        batch: list[Message] = []
        size = 0
        while self._messages and len(batch) < MOST_MESSAGES and size < MOST_BYTES:
            message = self._messages.popleft()
            batch.append(message)
            size += len(message.payload)
        self._bytes_out += size
        self._gather_s = GATHER_THICK_S if len(batch) >= THICK else GATHER_RARE_S
        if self._messages:
            self.arrived.set()
        with self._room:
            self._room.notify()
        return batch
