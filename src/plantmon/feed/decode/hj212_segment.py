"""This module takes a data segment of HJ 212 apart: its fields, and what stands in `CP=&&...&&`.

It is lenient where devices are: the order of fields is free, names may be in capitals, stray commas and blanks are
passed over. It also knows the face of an encrypted segment (HJ 212-2025 section 6.4), which it cannot read.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

_CP = re.compile(rb"(?<![^;,\s])CP\s*=\s*&&", re.IGNORECASE)
_BETWEEN = re.compile(r"[;,]")
_VERSION_SHIFT = 2  # HJ 212-2017 Table 3: bits 2 to 7 of Flag are the version of the standard
_HAS_PARTS = 2  # the same: bit 1, PNUM and PNO follow
_NEEDS_ANSWER = 1  # the same: bit 0
_ENCRYPTED_CN = (range(2000, 3000), range(1014, 1015), range(3020, 3021))  # HJ 212-2025 section 6.4.4
_CIPHER_GROUP = 16  # bytes, HJ 212-2025 section 6.4.2; what is shorter stays plain
_CIPHER_TEXT = b"{0x"  # how the samples of HJ 212-2025 print it


class Reason(StrEnum):
    """Why a frame, or a stretch of a payload, was refused."""

    NOT_HJ212 = "not HJ 212"
    LENGTH = "length"
    CRC = "crc"
    NO_CP = "no CP"
    NO_CN = "no CN"
    DATA_TIME = "DataTime"
    ENCRYPTED = "encrypted"
    TOO_MANY = "too many"


class Refused(NamedTuple):
    """What is wrong with a frame as a whole."""

    reason: Reason
    what: str


class Segment(NamedTuple):
    """A data segment; names in `fields` are in capitals, `cp` is what stands between the `&&`."""

    fields: dict[str, str]
    cp: str


class Edition(StrEnum):
    """The edition of the standard that a frame's Flag names; the codes inside may be of another."""

    OF_2005 = "2005"
    OF_2017 = "2017"
    OF_2025 = "2025"


class Bits(NamedTuple):
    """What the integer `Flag` says; `edition` None for a version not known here."""

    edition: Edition | None
    has_parts: bool
    needs_answer: bool


def read_bits(flag: int) -> Bits:
    """Take `Flag` apart (HJ 212-2017 Table 3).

    >>> read_bits(7) == Bits(Edition.OF_2017, has_parts=True, needs_answer=True), read_bits(8).edition.value
    (True, '2025')
    """
    version, editions = flag >> _VERSION_SHIFT, list(Edition)
    edition = editions[version] if 0 <= version < len(editions) else None
    return Bits(edition, has_parts=bool(flag & _HAS_PARTS), needs_answer=bool(flag & _NEEDS_ANSWER))


def split(segment: bytes) -> Segment | Refused:
    """Take a data segment apart; of a field that stands twice the first stands."""
    opened = _CP.search(segment)
    if opened is None:
        return Refused(Reason.NO_CP, "there is no CP=&&")
    closed = segment.rfind(b"&&", opened.end())
    if closed < 0:
        return Refused(Reason.NO_CP, "CP=&& is not closed by &&")
    rest = segment[: opened.start()] + b";" + segment[closed + 2 :]
    return Segment(_fields(rest), segment[opened.end() : closed].decode("utf-8", "replace"))


def cp_starts(text: bytes) -> int | None:
    """Give the place behind `CP=&&`, None where there is none."""
    opened = _CP.search(text)
    return None if opened is None else opened.end()


def is_encrypted(text: bytes) -> bool:
    """Whether a segment, be its length as claimed or not, has the face of an encrypted one of 2025.

    Its check sum is that of the plain text and its length may count the plain text too, so this comes before both.
    """
    opened = _CP.search(text)
    closed = -1 if opened is None else text.rfind(b"&&", opened.end())
    if opened is None or closed < 0:
        return False
    fields = _fields(text[: opened.start()])
    cn, flag = whole(fields.get("CN", "")), whole(fields.get("FLAG", ""))
    if cn is None or flag is None or read_bits(flag).edition is not Edition.OF_2025:
        return False
    cp = text[opened.end() : closed]
    group = cp[:_CIPHER_GROUP]
    is_binary = len(group) == _CIPHER_GROUP and not (group.isascii() and group.decode("ascii").isprintable())
    return (is_binary or cp.startswith(_CIPHER_TEXT)) and any(cn in span for span in _ENCRYPTED_CN)


def whole(text: str) -> int | None:
    """Read a whole number of at most nine digits (PNUM, HJ 212-2017 Table 3), None for anything else."""
    return int(text) if 0 < len(text) <= 9 and text.isascii() and text.isdigit() else None


def _fields(text: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    for part in _BETWEEN.split(text.decode("utf-8", "replace")):
        name, is_field, value = part.partition("=")
        if is_field:
            fields.setdefault(name.strip().upper(), value.strip())
    return fields
