"""This module averages: readings into minutes, minutes into hours, hours into days; arithmetic or energy mean.

A reading counts when its flag is N and it lies within its point's range. Above the range, or with flag T, it is over
range: a lower bound, taken at the range's end. Below the range it is invalid (settled choices, Readings).
Sources: HJ 212-2017 App. D eq. 23-25 (minute, hour, day); GB 12348-2008 for energy means, Leq = 10 lg mean(10^(L/10)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.rounding import significant, without_residue
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Kind, Point
from plantmon.model.reading import NORMAL, OVER_RANGE, Columns
from plantmon.times import MINUTE_MS

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PointTable:
    """What averaging needs of each point, as arrays indexed by the point's number; NaN where a range is open."""

    low: Floats
    high: Floats
    is_energy: NDArray[np.bool_]

    @classmethod
    def of(cls, points: Mapping[int, Point]) -> PointTable:
        """Make the table of points by their numbers."""
        size = max(points, default=0) + 1
        low, high, is_energy = np.full(size, np.nan), np.full(size, np.nan), np.zeros(size, bool)
        for number, point in points.items():
            low[number] = np.nan if point.range_low is None else point.range_low
            high[number] = np.nan if point.range_high is None else point.range_high
            is_energy[number] = point.kind is Kind.ENERGY
        return cls(low, high, is_energy)


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes that have readings, by (point, minute); one array element a minute. `at` is the minute's start."""

    point: NDArray[np.int64]
    at: NDArray[np.int64]
    had: NDArray[np.int64]
    valid: NDArray[np.int64]
    over: NDArray[np.int64]
    mean: Floats
    low: Floats
    high: Floats
    bound: Floats


def to_energy(levels: Floats) -> Floats:
    """Turn decibels into relative energy."""
    return np.asarray(10.0 ** (levels / 10.0))


def to_level(energy: Floats) -> Floats:
    """Turn relative energy into decibels."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(10.0 * np.log10(energy))


def classify(readings: Columns, points: PointTable) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]:
    """Say of each reading whether it is valid, whether it is over range, and its value with the range's end for T."""
    low, high = points.low[readings.point], points.high[readings.point]
    is_normal = readings.flag == NORMAL
    above = readings.value > high  # False where the range is open (NaN)
    over = (readings.flag == OVER_RANGE) | (is_normal & above)
    valid = is_normal & ~above & ~(readings.value < low)
    return valid, over, np.where(over & ~np.isnan(high), high, readings.value)


def minutes_of(readings: Columns, points: PointTable, phase_ms: int) -> Minutes:
    """Average readings into minutes; `phase_ms` shifts the grid for zones off the full minute (0 everywhere today).

    Readings in any order give the same bits: they are sorted, and sums run in time order.
    """
    order = np.lexsort((readings.ts, readings.point))
    ts, point = readings.ts[order], readings.point[order]
    sorted_readings = Columns(ts, point, readings.value[order], readings.flag[order])
    valid, over, value = classify(sorted_readings, points)
    energetic = points.is_energy[point]
    work = np.where(energetic, to_energy(np.where(energetic, value, 0.0)), value)
    at = (ts + phase_ms) // MINUTE_MS * MINUTE_MS - phase_ms
    begins = (
        np.flatnonzero(np.r_[True, (at[1:] != at[:-1]) | (point[1:] != point[:-1])]) if len(ts) else np.empty(0, int)
    )
    group = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(ts)]))
    count = len(begins)

    def total(weights: NDArray[np.bool_] | Floats) -> Floats:
        return np.bincount(group, weights, count).astype(np.float64)

    valids, overs = total(valid), total(over)
    sums, with_over = total(np.where(valid, work, 0.0)), total(np.where(valid | over, work, 0.0))
    if len(work) and work.min() < 0:  # only mixed signs cancel out
        sums = without_residue(sums, total(np.where(valid, np.abs(work), 0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, bound = sums / valids, with_over / (valids + overs)
    energetic_group = energetic[begins]
    mean = np.where(energetic_group, to_level(mean), mean)
    bound = np.where(energetic_group, to_level(bound), bound)
    nan = np.nan
    return Minutes(
        point[begins],
        at[begins],
        np.bincount(group, minlength=count),
        valids.astype(np.int64),
        overs.astype(np.int64),
        significant(np.where(valids > 0, mean, nan)),
        _extreme(np.minimum, np.where(valid, value, np.inf), begins, valids),
        _extreme(np.maximum, np.where(valid, value, -np.inf), begins, valids),
        significant(np.where(overs > 0, bound, nan)),
    )


def _extreme(pick: np.ufunc, values: Floats, begins: NDArray[np.int64], valids: Floats) -> Floats:
    if not len(begins):
        return np.empty(0)
    return np.where(valids > 0, pick.reduceat(values, begins), np.nan)


@dataclass(frozen=True, slots=True)
class HourMean:
    """What an hour's minutes (values, for slow points) make together; None where nothing was valid."""

    mean: float | None
    minimum: float | None
    maximum: float | None
    lower_bound: float | None
    had: int
    valid: int
    readings: int
    over_range: int


def mean_of_block(
    block: MinuteBlock, is_energy: bool, is_slow: bool, needed: int, chosen: NDArray[np.bool_] | None = None
) -> HourMean:
    """Average an hour: the mean of its valid minutes, or of the valid values of a slow point.

    `chosen` leaves out minutes (those in which the source stood still). The lower bound needs `needed` parts that are
    valid or over range (settled choices, Air); it takes each over-range minute at its own bound.
    """
    take = np.ones(len(block.had), bool) if chosen is None else chosen
    valid, over = take & (block.valid > 0), take & (block.over > 0)
    weight = block.valid if is_slow else (block.valid > 0)
    both = block.valid + block.over if is_slow else np.ones(len(block.had))
    parts = int(weight[valid].sum())
    bound_parts = int(both[valid | over].sum())
    bound_values = np.where(over, block.bound, block.mean)
    has_bound = bool(over.any()) and bound_parts >= needed
    return HourMean(
        _mean(block.mean[valid], weight[valid], is_energy),
        float(block.low[valid].min()) if parts else None,
        float(block.high[valid].max()) if parts else None,
        _mean(bound_values[valid | over], both[valid | over], is_energy) if has_bound else None,
        int(block.had[take].sum()) if is_slow else int((take & (block.had > 0)).sum()),
        parts,
        int(block.valid[valid].sum()),
        int(over.sum()),
    )


def mean_of_hours(means: list[float], is_energy: bool) -> float | None:
    """Average hours into a day: each valid hour weighs the same. None without any."""
    return _mean(np.array(means), np.ones(len(means)), is_energy)


def _mean(values: Floats, weights: NDArray[Any], is_energy: bool) -> float | None:
    """Average in time order, rounded to 12 significant digits."""
    if not len(values):
        return None
    work = to_energy(values) if is_energy else values
    group = np.zeros(len(values), np.intp)
    parts = work * weights
    total = np.bincount(group, parts).astype(np.float64)
    if work.min() < 0:  # only mixed signs cancel out
        total = without_residue(total, np.bincount(group, np.abs(parts)).astype(np.float64))
    mean = total / np.bincount(group, weights)
    return float(significant(to_level(mean) if is_energy else mean)[0])
