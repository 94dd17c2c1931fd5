"""This module says what is to be drawn, and how parent and chart child write it to each other.

It knows nothing of matplotlib, so that the daemon can speak to the child without loading it. A frame on the pipe is
four bytes of length and that much msgpack; every answer carries the number of the request it belongs to.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import groupby
from math import isnan
from typing import BinaryIO

import msgspec

from plantmon.times import DAY_MS

CHART_SPAN_MS = DAY_MS  # the last 24 hours
WIDTH_PX, HEIGHT_PX = 900, 400
# Two values for each pixel of the line's width: the least and the most of what falls there, so that no peak is lost.
_BUCKETS = 700
_HEAD = struct.Struct(">I")


class Labels(msgspec.Struct, frozen=True):
    """The words of a chart in one language; "both" has both on a line."""

    title: str  # what is drawn, with its unit
    limit: str  # beside the limit's line
    zone: str  # under the time axis


class Drawing(msgspec.Struct, frozen=True):
    """One chart: a point's values over [start_ms, end_ms) against its limit, the spans in breach shaded.

    `labels` are drawn where the machine has a font for them, `plain` (English) where it has none.
    """

    times_ms: list[int]
    values: list[float]  # NaN breaks the line
    start_ms: int
    end_ms: int
    bound: float | None
    shaded: list[tuple[int, int]]
    zone: str  # IANA
    labels: Labels
    plain: Labels


class Greeting(msgspec.Struct, frozen=True):
    """What the child says first: whether it has a font with Chinese characters."""

    has_cjk: bool


class Request(msgspec.Struct, frozen=True):
    """One drawing asked for."""

    number: int
    drawing: Drawing


class Answer(msgspec.Struct, frozen=True):
    """What came of a request: a picture, or the reason why there is none."""

    number: int
    png: bytes
    error: str = ""


def frame(message: msgspec.Struct) -> bytes:
    """Write a message as one frame."""
    body = msgspec.msgpack.encode(message)
    return _HEAD.pack(len(body)) + body


def unframe(received: bytearray) -> bytes | None:
    """Take the first whole frame's body off what was received; None while it is not all there."""
    if len(received) < _HEAD.size:
        return None
    (length,) = _HEAD.unpack_from(received)
    end = _HEAD.size + length
    if len(received) < end:
        return None
    body = bytes(received[_HEAD.size : end])
    del received[:end]
    return body


def read_frame(stream: BinaryIO) -> bytes | None:
    """Wait for one frame's body; None when the stream ended."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    (length,) = _HEAD.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def thin(times_ms: Sequence[int], values: Sequence[float], start_ms: int, end_ms: int) -> tuple[list[int], list[float]]:
    """Leave out what a chart cannot show: of each pixel's values keep the first, the least, the most and the last.

    Order stays; a NaN is a gap and stays as well.

    >>> thin([0, 1, 2], [1.0, 5.0, 2.0], 0, 3)
    ([0, 1, 2], [1.0, 5.0, 2.0])
    """
    if len(times_ms) <= 2 * _BUCKETS:
        return list(times_ms), list(values)
    width_ms = max(1, (end_ms - start_ms) // _BUCKETS)
    kept: set[int] = set()
    for _, group in groupby(range(len(times_ms)), key=lambda index: times_ms[index] // width_ms):
        bucket = list(group)
        known = [index for index in bucket if not isnan(values[index])]
        kept.update((bucket[0], bucket[-1]))
        if known:
            kept.update((min(known, key=values.__getitem__), max(known, key=values.__getitem__)))
        if len(known) < len(bucket):
            kept.add(next(index for index in bucket if isnan(values[index])))
    order = sorted(kept)
    return [times_ms[index] for index in order], [values[index] for index in order]
