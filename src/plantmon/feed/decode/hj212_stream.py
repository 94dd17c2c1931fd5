"""This module finds the frames of HJ 212 in a payload: `##`, four digits of length, the segment, its check sum, CR LF.

The tail may be missing and frames may stand back to back. A frame is believed when its length and its check sum hold;
after one that is not, the search goes on two bytes further, for the claimed length may be what is wrong.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from plantmon.feed.decode import hj212_crc
from plantmon.feed.decode.hj212_segment import Reason, Refused, cp_starts, is_encrypted

_HEAD = re.compile(rb"##[0-9]{4}")
_HEAD_SIZE = 6  # HJ 212-2017 Table 2: the head of 2 and the length of 4
_CRC_SIZE = 4  # the same
_HEX = re.compile(rb"[0-9A-Fa-f]{4}")
_CLOSED = re.compile(rb"&&\s{0,8}[0-9A-Fa-f]{4}")
_LOOSE_CRC = re.compile(rb"[^\r\n#]{0,4}")
# How far behind a head to look for its end: the longest segment, every byte written as `0xE4,` by a 2025 cipher.
_REACH = 5 * 10_000


class Taken(NamedTuple):
    """A frame's segment, which check sum it carries (`off`: none that is known), and where the next may begin."""

    segment: bytes
    crc: str
    end: int


def next_head(payload: bytes, start: int) -> int | None:
    """Give the place of the next `##` with a length behind it, None where there is none."""
    found = _HEAD.search(payload, start)
    return None if found is None else found.start()


def take(payload: bytes, at: int, crc: str) -> Taken | Refused:
    """Take the frame at a head, held to `crc`: a variant's name, or `off`."""
    start = at + _HEAD_SIZE
    claimed = int(payload[at + 2 : start])
    segment = payload[start : start + claimed]
    around = payload[start : min(next_head(payload, start) or len(payload), start + _REACH)]
    if is_encrypted(around):
        return Refused(Reason.ENCRYPTED, "the CP is encrypted (HJ 212-2025 section 6.4); no key is known here")
    if len(segment) < claimed:
        return _wrong_length(claimed, around)
    if crc == "off":
        return _take_unchecked(payload, segment, start + claimed, around)
    sent = payload[start + claimed : start + claimed + _CRC_SIZE]
    if not _HEX.fullmatch(sent):
        return _wrong_length(claimed, around)
    if hj212_crc.VARIANTS[crc](segment) == int(sent, 16):
        return Taken(segment, crc, start + claimed + _CRC_SIZE)
    if not segment.rstrip().endswith(b"&&"):
        return _wrong_length(claimed, around)
    return _wrong_crc(segment, sent, crc)


def _take_unchecked(payload: bytes, segment: bytes, end: int, around: bytes) -> Taken | Refused:
    """Take a frame by its length alone; whatever stands where the check sum should be goes with it."""
    if not segment.rstrip().endswith(b"&&"):
        return _wrong_length(len(segment), around)
    sent = payload[end : end + _CRC_SIZE]
    names = hj212_crc.matching(segment, int(sent, 16)) if _HEX.fullmatch(sent) else []
    loose = _LOOSE_CRC.match(payload, end)
    return Taken(segment, names[0] if names else "off", loose.end() if loose else end)


def _wrong_length(claimed: int, around: bytes) -> Refused:
    opened = cp_starts(around)
    closed = None if opened is None else _CLOSED.search(around, opened)
    if closed is None:
        what = f"the frame says {claimed} bytes and no check sum stands behind them"
    else:
        what = f"the frame says {claimed} bytes, but its CP ends after {closed.start() + 2}"
    return Refused(Reason.LENGTH, what)


def _wrong_crc(segment: bytes, sent: bytes, crc: str) -> Refused:
    computed = hj212_crc.VARIANTS[crc](segment)
    others = hj212_crc.matching(segment, int(sent, 16))
    hint = f"it is right as {' or '.join(others)}" if others else "no known variant gives it"
    return Refused(Reason.CRC, f"{sent.decode('ascii')} is not {computed:04X} ({crc}); {hint}")
