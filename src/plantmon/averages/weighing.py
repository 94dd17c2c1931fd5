"""This module says which time each result of a waste-water analyser stands for.

A valid result stands from its time to the next valid one, two intervals at most (settled choices, Water; HJ 212-2017
App. D eq. 14). Its day's mean and its amount both weigh the volume of that time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WEIGHS_FOR_INTERVALS = 2  # settled choices, Water


@dataclass(frozen=True, slots=True)
class Results:
    """An analyser's results as arrays of one length, in any order, as `averages.mean.classify` tells them apart.

    `value` holds the range's end where `over` is set; results neither valid nor over range say nothing.
    """

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    valid: NDArray[np.bool_]
    over: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Standing:
    """The time [start, until) that results stand for, in time order; `place` is where each is among those given."""

    place: NDArray[np.int64]
    start: NDArray[np.int64]
    until: NDArray[np.int64]


def standing(ts: NDArray[np.int64], usable: NDArray[np.bool_], interval_ms: int) -> Standing:
    """Give the time each usable result stands for; of several at one instant all but the last stand for none."""
    place = np.flatnonzero(usable)
    place = place[np.argsort(ts[place], kind="stable")]
    start = ts[place]
    until = np.minimum(np.r_[start[1:], np.iinfo(np.int64).max], start + WEIGHS_FOR_INTERVALS * interval_ms)
    return Standing(place, start, until)
