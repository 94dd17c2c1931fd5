"""This module averages: readings into minutes, minutes into hours, hours into days; arithmetic or energy mean.

A reading counts when its state says so (`tables/states.csv`: flag N) and it lies within its point's range. Above the
range, or with flag T, it is over range: a lower bound, taken at the range's end. Below the range it is invalid (settled
choices, Readings).
Sources: HJ 212-2017 App. D eq. 23-25 (minute, hour, day); GB 12348-2008 for energy means, Leq = 10 lg mean(10^(L/10)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.rounding import significant, without_residue
from plantmon.model.minutes import Grid, MinuteBlock
from plantmon.model.plant import Kind, Point
from plantmon.model.reading import Columns
from plantmon.tables.states import Mean, flags_whose_mean
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
    counts = _among(readings.flag, flags_whose_mean(Mean.COUNTS))
    above = readings.value > high  # False where the range is open (NaN)
    over = _among(readings.flag, flags_whose_mean(Mean.BOUND)) | (counts & above)
    valid = counts & ~above & ~(readings.value < low)
    return valid, over, np.where(over & ~np.isnan(high), high, readings.value)


def _among(flags: NDArray[np.int64], codes: tuple[int, ...]) -> NDArray[np.bool_]:
    """Say of each flag whether it is one of a few: faster than a search for so few."""
    found = np.zeros(len(flags), bool)
    for code in codes:
        found |= flags == code
    return found


def minutes_of(readings: Columns, points: PointTable, phase_ms: int) -> Minutes:
    """Average readings into minutes; `phase_ms` shifts the grid for zones off the full minute (0 everywhere today).

    Readings in any order give the same bits: they are sorted, and sums run in time order.
    """
    sorted_readings = _in_order(readings)
    ts, point = sorted_readings.ts, sorted_readings.point
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


def _in_order(readings: Columns) -> Columns:
    """Sort readings by point and time; what comes so, from a sealed file, stays as it is."""
    ts, point = readings.ts, readings.point
    if ((point[1:] > point[:-1]) | ((point[1:] == point[:-1]) & (ts[1:] >= ts[:-1]))).all():
        return readings
    order = np.lexsort((ts, point))
    return Columns(ts[order], point[order], readings.value[order], readings.flag[order])


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


@dataclass(frozen=True, slots=True)
class HourMeans:
    """What each of many rows of minutes makes together, as arrays; NaN where there is none."""

    mean: Floats
    minimum: Floats
    maximum: Floats
    lower_bound: Floats
    had: NDArray[np.int64]
    valid: NDArray[np.int64]
    readings: NDArray[np.int64]
    over_range: NDArray[np.int64]

    def one(self, place: int) -> HourMean:
        """Give one row's."""
        values = (_or_none(getattr(self, name)[place]) for name in ("mean", "minimum", "maximum", "lower_bound"))
        counts = (int(getattr(self, name)[place]) for name in ("had", "valid", "readings", "over_range"))
        return HourMean(*values, *counts)  # type: ignore[arg-type]


def means_of(
    grid: Grid, is_energy: bool, is_slow: bool, needed: int, chosen: NDArray[np.bool_] | None = None
) -> HourMeans:
    """Average hours: the mean of each one's valid minutes, or of the valid values of a slow point.

    `chosen` leaves out minutes (those in which the source stood still). The lower bound needs `needed` parts that are
    valid or over range (settled choices, Air); it takes each over-range minute at its own bound.
    """
    take = np.ones(grid.had.shape, bool) if chosen is None else chosen
    valid, over = take & (grid.valid > 0), take & (grid.over > 0)
    weight = np.where(valid, grid.valid if is_slow else 1, 0)
    both = np.where(valid | over, grid.valid.astype(np.int64) + grid.over if is_slow else 1, 0)
    parts, overs = weight.sum(axis=1), over.sum(axis=1)
    has_bound = (overs > 0) & (both.sum(axis=1) >= needed)
    nothing = np.full(len(parts), np.nan)
    return HourMeans(
        _row_means(np.where(valid, grid.mean, 0.0), weight, is_energy),
        np.where(parts > 0, np.where(valid, grid.low, np.inf).min(axis=1, initial=np.inf), np.nan),
        np.where(parts > 0, np.where(valid, grid.high, -np.inf).max(axis=1, initial=-np.inf), np.nan),
        np.where(
            has_bound,
            _row_means(np.where(over, grid.bound, np.where(valid, grid.mean, 0.0)), both, is_energy),
            np.nan,
        )
        if has_bound.any()
        else nothing,
        np.where(take, grid.had, 0).sum(axis=1) if is_slow else (take & (grid.had > 0)).sum(axis=1),
        parts,
        np.where(valid, grid.valid, 0).sum(axis=1),
        overs,
    )


def mean_of_block(
    block: MinuteBlock, is_energy: bool, is_slow: bool, needed: int, chosen: NDArray[np.bool_] | None = None
) -> HourMean:
    """Average one hour, as `means_of` does many."""
    rows = None if chosen is None else chosen[np.newaxis]
    return means_of(Grid.of([block]), is_energy, is_slow, needed, rows).one(0)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def mean_of_hours(means: list[float], is_energy: bool) -> float | None:
    """Average hours into a day: each valid hour weighs the same. None without any."""
    return _mean(np.array(means), np.ones(len(means)), is_energy)


def _mean(values: Floats, weights: NDArray[Any], is_energy: bool) -> float | None:
    """Average in time order, rounded to 12 significant digits."""
    return _or_none(_row_means(values[np.newaxis], weights[np.newaxis], is_energy)[0])


def _row_means(values: Floats, weights: NDArray[Any], is_energy: bool) -> Floats:
    """Average each row in time order, rounded to 12 significant digits; NaN where nothing weighs."""
    work = np.where(weights > 0, to_energy(values), 0.0) if is_energy else values
    rows, width = work.shape
    group = np.repeat(np.arange(rows), width)
    parts = (work * weights).ravel()
    total = np.bincount(group, parts, rows).astype(np.float64)  # one by one, in time order
    if work.size and work.min() < 0:  # only mixed signs cancel out
        total = without_residue(total, np.bincount(group, np.abs(parts), rows).astype(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / weights.sum(axis=1)
    return significant(to_level(mean) if is_energy else mean)
