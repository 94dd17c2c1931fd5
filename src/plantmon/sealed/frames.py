"""This module is how reader and child speak: a length, what is said as msgpack, another length, arrays as bytes."""

from __future__ import annotations

import os
import select
import struct
from typing import Any, TypeVar

import msgspec
import numpy as np

from plantmon.model.reading import ROW_FIELDS, Rows

_LENGTHS = struct.Struct("<QQ")
_KINDS = {name: np.dtype(np.float64 if name == "value" else np.int64) for name in ROW_FIELDS}
_CHUNK = 1 << 20

T = TypeVar("T")


class Asked(msgspec.Struct, frozen=True):
    """A question: the readings of some points (None: all) in [start, end) of some files, each with its hash."""

    files: list[tuple[str, str]]
    points: list[int] | None
    start_ms: int
    end_ms: int


class Told(msgspec.Struct, frozen=True):
    """The answer: what was wrong, or how many readings each file has; their arrays follow."""

    error: str | None
    counts: list[int]


def send(handle: int, said: msgspec.Struct, data: bytes = b"") -> None:
    """Send something said and what goes with it. Raises OSError."""
    text = msgspec.msgpack.encode(said)
    waiting = memoryview(_LENGTHS.pack(len(text), len(data)) + text + data)
    while waiting:
        waiting = waiting[os.write(handle, waiting[:_CHUNK]) :]


def receive(handle: int, kind: type[T]) -> T | None:
    """Receive what is said without more to it; None when the other side is gone."""
    found = receive_with(handle, kind, None)
    return None if found is None else found[0]


def receive_with(handle: int, kind: type[T], wait_s: float | None) -> tuple[T, bytearray] | None:
    """Receive what is said and what goes with it; None when the other side is gone or says nothing for so long."""
    head = _take(handle, _LENGTHS.size, wait_s)
    if head is None:
        return None
    text_length, data_length = _LENGTHS.unpack(head)
    text, data = _take(handle, text_length, wait_s), _take(handle, data_length, wait_s)
    if text is None or data is None:
        return None
    return msgspec.msgpack.decode(text, type=kind), data


def _take(handle: int, length: int, wait_s: float | None) -> bytearray | None:
    taken = bytearray(length)
    view, filled = memoryview(taken), 0
    while filled < length:
        if wait_s is not None and not select.select([handle], [], [], wait_s)[0]:
            return None
        count = os.readv(handle, [view[filled:]])
        if not count:
            return None
        filled += count
    return taken


def pack_rows(rows: Rows) -> bytes:
    """Write readings as bytes, array behind array."""
    return b"".join(np.ascontiguousarray(getattr(rows, name), _KINDS[name]).tobytes() for name in ROW_FIELDS)


def unpack_rows(data: bytearray, offset: int, count: int) -> Rows:
    """Give back readings from where they begin; they share the bytes."""
    columns: list[Any] = [
        np.frombuffer(data, kind, count, offset + place * 8 * count) for place, kind in enumerate(_KINDS.values())
    ]
    return Rows(*columns)
