"""This module says what a reading is, and how its flag is kept.

A flag is the letter(s) a device sends (HJ 212-2017 Table 8: N, F, M, S, D, C, T, B; other makers use up to six
characters). It is stored as the integer of its ASCII bytes, N as 0: lossless, one byte for the usual case, and
comparable over whole arrays. A state that people declared, or that the calibration register proves, takes the flag's
place as a negative code; raw flags are never negative.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class State(StrEnum):
    """What is known of the instrument or the source at a reading; what each does stands in `tables/states.csv`."""

    NORMAL = "normal"
    CALIBRATION = "calibration"
    MAINTENANCE = "maintenance"
    FAULT = "fault"
    OVER_RANGE = "over_range"  # the value is a lower bound
    BELOW_DETECTION = "below_detection"  # no edition of HJ 212 has a letter for it; B is not it
    STOPPED = "stopped"  # the instrument stands still, or the source: the editions differ
    LOST = "lost"  # nothing came from the instrument; the number beside it is a placeholder
    MANUAL = "manual"
    OUT_OF_CONTROL = "out_of_control"  # from the last passed calibration before a failed one to the next passed one
    UNKNOWN = "unknown"


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
    """Turn a raw flag's code back into its letters."""
    return "N" if code == NORMAL else code.to_bytes(6).lstrip(b"\0").decode("ascii")


_STATES = tuple(State)


def declared_code(state: State) -> int:
    """Turn a declared state into the code that takes the flag's place; normal is that of flag N.

    >>> declared_code(State.NORMAL), declared_state(declared_code(State.STOPPED)).value
    (0, 'stopped')
    """
    return NORMAL if state is State.NORMAL else -_STATES.index(state)


def declared_state(code: int) -> State:
    """Turn the code of a declared state back into the state. Raises ValueError for a raw flag's code."""
    if code > NORMAL:
        raise ValueError(f"{code} is the code of flag {flag_letters(code)}, not of a declared state")
    return _STATES[-code]


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


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings as they are stored: arrays of one length, in the order their maker names."""

    ts: NDArray[np.int64]
    point: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.int64]
    arrival: NDArray[np.int64]

    @classmethod
    def none(cls) -> Rows:
        """Give no readings."""
        whole = np.empty(0, np.int64)
        return cls(whole, whole, np.empty(0), whole, whole)

    @classmethod
    def join(cls, parts: Sequence[Rows]) -> Rows:
        """Put readings behind one another."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.none()
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ROW_FIELDS))

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, places: slice | NDArray[Any]) -> Rows:
        """Give some of them."""
        return Rows(*(getattr(self, name)[places] for name in ROW_FIELDS))

    def by_time(self) -> Rows:
        """Give them by time, then point; of two for one time and point the first, as it stands."""
        if len(self) < 2:
            return self
        order = np.lexsort((self.point, self.ts))
        ts, point = self.ts[order], self.point[order]
        again = np.r_[False, (ts[1:] == ts[:-1]) & (point[1:] == point[:-1])]
        return self.take(order[~again])

    def columns(self) -> Columns:
        """Give them without their arrival."""
        return Columns(self.ts, self.point, self.value, self.flag)


POINT_BITS = 20  # of a key that packs an instant and a point into 64 bits
ROW_FIELDS = ("ts", "point", "value", "flag", "arrival")
