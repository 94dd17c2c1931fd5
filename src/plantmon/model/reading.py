"""This module says what a reading is, and how its flag is kept.

A flag is the letter(s) a device sends (HJ 212-2017 Table 8: N, F, M, S, D, C, T, B; other makers use up to six
characters). It is stored as the integer of its ASCII bytes, N as 0: lossless, one byte for the usual case, and
comparable over whole arrays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NORMAL = 0
_FLAG = re.compile(r"[A-Za-z0-9]{1,6}")


def flag_code(letters: str) -> int:
    """Turn a flag's letters into its code. Raises ValueError for anything but 1 to 6 ASCII letters or digits.

    >>> flag_code("N"), flag_code("T"), flag_letters(flag_code("Sd"))
    (0, 84, 'Sd')
    """
    if letters == "N":
        return NORMAL
    if not _FLAG.fullmatch(letters):
        raise ValueError(f"flag {letters[:20]!r} is not 1 to 6 letters or digits")
    return int.from_bytes(letters.encode("ascii"))


def flag_letters(code: int) -> str:
    """Turn a flag's code back into its letters."""
    return "N" if code == NORMAL else code.to_bytes(6).lstrip(b"\0").decode("ascii")


OVER_RANGE = flag_code("T")


class Reading(NamedTuple):
    """One value of one point: `ts_ms` is the sensor's time, `value` is in the point's unit."""

    ts_ms: int
    point: int
    value: float
    flag: int
    arrival_ms: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings as arrays of one length, in time order."""

    ts: NDArray[np.int64]
    point: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.int64]
