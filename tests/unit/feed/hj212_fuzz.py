"""This module builds frames of HJ 212 by other means than the decoder's, breaks them, and sees what it bears.

Run as a script: `python tests/unit/feed/hj212_fuzz.py 120`. Every payload must decode or raise DecodeError, within
seconds, and whatever it gives must be fit to store.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from plantmon.errors import DecodeError
from plantmon.feed.decode.hj212 import Decoded, Kind, decode, readings_of
from plantmon.model.reading import flag_code

LATEST_MS = 253_402_300_800_000
LONGEST_S = 5.0  # a payload takes a millisecond; more than this on a busy machine is a hang
CRCS = ("hj212", "modbus", "modbus_swapped", "off")
TOKENS = [
    b"##", b"##0000", b"##0001", b"##9999", b"&&", b"CP=&&", b"&&&&", b";", b",", b"=", b"-", b"\r\n", b"\0", b" ",
    b"Flag=9", b"FLAG=", b"CN=2011", b"CN=2051", b"CN=", b"DataTime=", b"DataTime=20200101000000", b"99991231235959",
    b"00000000000000", b"-Rtd=", b"-Flag=", b"-SampleTime=", b"1e999", b"nan", b"-", b"9999.99", b"\xe7\x83\x9f",
    b"\xff", b"{0xE4,", b"PNUM=", b"RF=1", b"a21026", b"01", b"001",
]  # fmt: skip


class Example(NamedTuple):
    """A frame with the check sum it carries."""

    name: str
    crc: str
    frame: bytes


def examples() -> list[Example]:
    """Read the worked examples and the frames of devices."""
    text = (Path(__file__).parent / "hj212_frames.txt").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("--")]
    return [Example(name, crc, frame.encode()) for name, crc, frame in rows]


def check_sum(segment: bytes, crc: str = "hj212") -> int:
    """Compute a check sum bit by bit, as the standard's text has it."""
    register = 0xFFFF
    for byte in segment:
        register = register >> 8 ^ byte if crc == "hj212" else register ^ byte
        for _ in range(8):
            lowest = register & 1
            register >>= 1
            if lowest:
                register ^= 0xA001
    return (register & 0xFF) << 8 | register >> 8 if crc == "modbus_swapped" else register


def framed(segment: bytes | str, crc: str = "hj212", tail: bytes = b"\r\n") -> bytes:
    """Put head, length, check sum and tail around a segment."""
    data = segment.encode() if isinstance(segment, str) else segment
    return b"##%04d%s%04X%s" % (len(data), data, check_sum(data, crc), tail)


def judge(payload: bytes, **habits: str) -> Decoded | None:
    """Decode and see that what comes is fit to store; None when refused."""
    try:
        decoded = decode(payload, **habits)  # type: ignore[arg-type]
    except DecodeError:
        return None
    assert decoded.frames
    for frame in decoded.frames:
        assert (frame.data_time_ms is None) == (frame.kind is Kind.OTHER)
        assert frame.data_time_ms is None or 0 <= frame.data_time_ms < LATEST_MS
        assert all(math.isfinite(value) for item in frame.items for value in item.values.values())
        for reading in readings_of(frame):
            assert 0 <= reading.ts_ms < LATEST_MS
            assert reading.flag is None or flag_code(reading.flag) >= 0
    return decoded


def _cut(text: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(text) + 1)
    return text[:place] if draw.random() < 0.5 else text[place:]


def _put(text: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(text) + 1)
    return text[:place] + draw.choice(TOKENS) + text[place + draw.choice((0, 0, 1, 8)) :]


def _flip(text: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(text) + 1)
    return text[:place] + bytes([draw.randrange(256)]) + text[place + 1 :]


def _repeat(text: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(text) + 1)
    return text + text[start : start + draw.randrange(200)] * draw.randrange(1, 8)


BREAK: tuple[Callable[[bytes, random.Random], bytes], ...] = (_cut, _put, _put, _flip, _repeat)


def payload_of(draw: random.Random, sources: list[Example]) -> bytes:
    """Make a payload: broken frames, broken segments in a sound frame, or noise."""
    choice = draw.random()
    if choice < 0.05:
        return draw.randbytes(draw.randrange(400))
    if choice < 0.15:
        return b"".join(draw.choices(TOKENS, k=draw.randrange(1, 60)))
    parts = []
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        frame = draw.choice(sources).frame
        text = frame if choice < 0.5 else frame[6:-4]
        for _ in range(draw.randrange(6)):
            text = draw.choice(BREAK)(text, draw)
        parts.append(text if choice < 0.5 else framed(text[:9999], draw.choice(CRCS[:3]), draw.choice((b"", b"\r\n"))))
    return b"".join(parts)


def attack(draw: random.Random, sources: list[Example]) -> str:
    """Decode one payload with habits at random; say what came of it."""
    payload = payload_of(draw, sources)
    habits = {"crc": draw.choice(CRCS), "stamp": draw.choice(("start", "end"))}
    before = time.perf_counter()
    try:
        decoded = judge(payload, **habits)
    except BaseException:
        print(f"{payload!r} {habits}", file=sys.stderr)
        raise
    took_s = time.perf_counter() - before
    assert took_s < LONGEST_S, f"{took_s:.1f} s for {payload[:200]!r}"
    if decoded is None:
        return "refused"
    return "frames and faults" if decoded.faults else "frames"


def fuzz(seconds: float, seed: int | None = None) -> Counter[str]:
    """Attack the decoder for so long; count what came of it."""
    draw, sources, ends = random.Random(seed), examples(), time.monotonic() + seconds
    fates: Counter[str] = Counter()
    while time.monotonic() < ends:
        fates[attack(draw, sources)] += 1
    return fates


if __name__ == "__main__":
    print(dict(fuzz(float(sys.argv[1]) if len(sys.argv) > 1 else 120)))
