"""This module weighs hours of a pollutant in air: mean concentration x mean flow x running time, in kg.

Measured, dry at standard state, never at reference oxygen (HJ 212-2017 App. D eq. 33); with `rules.mass: minute` the
mean of the minutes' products. An hour is measured when a share of its running minutes is valid for concentration and
for flow each; what over-range readings prove stands beside (settled choices, Air).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.mean import HourMeans, means_of
from plantmon.averages.rounding import significant
from plantmon.model.minutes import MINUTES, Grid

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MG_PER_KG = 1e6


@dataclass(frozen=True, slots=True)
class Series:
    """Hours of a point's minutes, a row each; `due` is how many values an hour should have (60, or of a slow point)."""

    grid: Grid
    is_slow: bool
    due: int

    @property
    def minutes_each(self) -> float:
        """How many minutes a value stands for."""
        return MINUTES / self.due


@dataclass(frozen=True, slots=True)
class HourAmounts:
    """What hours weigh, as arrays: running minutes, kg (NaN: not measured; 0: stopped), kg proven (NaN: nothing)."""

    ran: NDArray[np.int64]
    kg: Floats
    proven: Floats


@dataclass(frozen=True, slots=True)
class _Side:
    """One factor of the product: its mean, what it was at least, how many minutes are valid, valid or over range."""

    mean: Floats
    proven: Floats
    valid: Floats
    known: Floats
    is_over: Flags


def weigh(concentration: Series, flow: Series, ran: Flags, share: float, *, by_minute: bool = False) -> HourAmounts:
    """Weigh hours from mg/m3 and m3/h, minutes side by side; `ran` says in which minutes the source ran.

    `share` (0..1) of the running minutes must be valid. What is proven takes over-range readings at the range's end,
    over the running time where that share is valid or over range, else over the concentration's known minutes alone:
    nothing more is proven of the others.
    """
    minutes = ran.sum(axis=1)
    needed = np.round(share * minutes, 9)
    if by_minute:
        one = other = _side(
            _products(concentration.grid, flow.grid), ran, is_slow=False, each=_coarser(concentration, flow)
        )
        mean, proven = one.mean, one.proven
    else:
        one = _side(concentration.grid, ran, is_slow=concentration.is_slow, each=concentration.minutes_each)
        other = _side(flow.grid, ran, is_slow=flow.is_slow, each=flow.minutes_each)
        mean, proven = one.mean * other.mean, one.proven * other.proven
    is_measured = (one.valid >= needed) & (other.valid >= needed)
    is_known = (one.known >= needed) & (other.known >= needed)
    proven_minutes = np.where(is_known, minutes, np.minimum(one.known, minutes))
    kg = np.where(is_measured, mean * minutes, np.nan) / MINUTES / MG_PER_KG
    floor = np.where(one.is_over | other.is_over, proven * proven_minutes, np.nan) / MINUTES / MG_PER_KG
    stopped = minutes == 0
    return HourAmounts(
        minutes.astype(np.int64),
        significant(np.where(stopped, 0.0, kg)),
        significant(np.where(stopped, np.nan, floor)),
    )


def _side(grid: Grid, ran: Flags, *, is_slow: bool, each: float) -> _Side:
    found: HourMeans = means_of(grid, False, is_slow, 0, ran)
    seen = ran & ((grid.valid > 0) | (grid.over > 0))
    counts = grid.valid.astype(np.int64) + grid.over if is_slow else 1
    is_over = found.over_range > 0
    return _Side(
        found.mean,
        np.where(is_over, found.lower_bound, found.mean),
        np.round(found.valid * each, 9),
        np.round(np.where(seen, counts, 0).sum(axis=1) * each, 9),
        is_over,
    )


def _coarser(one: Series, other: Series) -> float:
    return max(one.minutes_each, other.minutes_each)


def _products(one: Grid, other: Grid) -> Grid:
    """Give the product of two points' minutes: valid where both are, over range where one is and both are known."""
    valid = (one.valid > 0) & (other.valid > 0)
    proven = [np.where(grid.over > 0, grid.bound, grid.mean) for grid in (one, other)]
    bound = proven[0] * proven[1]
    over = ((one.over > 0) | (other.over > 0)) & ~np.isnan(bound)
    mean = np.where(valid, one.mean * other.mean, np.nan)
    counts = one.had.dtype
    return Grid(np.minimum(one.had, other.had), valid.astype(counts), over.astype(counts), mean, mean, mean, bound)
