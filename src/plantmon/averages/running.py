"""This module says in which minutes a source ran (settled choices, Running).

Judged per minute on the minute's mean of the running point, bounds inclusive; a slow point's value stands for at most
two intervals; unknown is running. Only valid values decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plantmon.model.minutes import MINUTES, MinuteBlock
from plantmon.model.plant import Point, Running
from plantmon.times import HOUR_MS, MINUTE_MS

STANDS_FOR_INTERVALS = 2


def hours_of_influence(point: Point) -> int:
    """How many hours after its own a value of the running point can still decide."""
    return -(-STANDS_FOR_INTERVALS * point.interval_ms // HOUR_MS) if point.is_slow else 0


def running_minutes(running: Running, point: Point, blocks: list[MinuteBlock]) -> NDArray[np.bool_]:
    """Say for the 60 minutes of the last block's hour whether the source ran; earlier blocks come before it in time."""
    mean = np.concatenate([np.where(block.valid > 0, block.mean, np.nan) for block in blocks])
    if point.is_slow:
        mean = carried(mean, STANDS_FOR_INTERVALS * point.interval_ms // MINUTE_MS)
    ran = np.isnan(mean) | within(running, mean)
    return np.asarray(ran[-MINUTES:])


def within(running: Running, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of values whether the source runs at them; NaN says no."""
    inside = ~np.isnan(values)
    if running.minimum is not None:
        inside &= values >= running.minimum
    if running.maximum is not None:
        inside &= values <= running.maximum
    return inside


def carried(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Let each value stand until the next, for less than `most` minutes after its own."""
    places = np.arange(len(values))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, places))
    fresh = (last >= 0) & (places - last < most)
    return np.where(fresh, values[np.maximum(last, 0)], np.nan)


def mask_of(minutes: NDArray[np.bool_]) -> int:
    """Write the 60 minutes of an hour as bits, minute n as bit n."""
    return sum(1 << place for place in np.flatnonzero(minutes).tolist())


def minutes_of_mask(mask: int) -> NDArray[np.bool_]:
    """Read the 60 minutes of an hour from bits."""
    return np.array([bool(mask >> minute & 1) for minute in range(MINUTES)])


def minutes_of_masks(masks: Sequence[int | None]) -> NDArray[np.bool_]:
    """Read hours from bits, a row of 60 minutes each; None is running all the time."""
    whole = (1 << MINUTES) - 1
    words = np.array([whole if mask is None else mask for mask in masks], np.uint64)
    return np.asarray(words[:, np.newaxis] >> np.arange(MINUTES, dtype=np.uint64) & np.uint64(1), bool)
