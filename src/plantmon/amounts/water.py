"""This module weighs days of waste water: sum of concentration x volume, g / 1000 = kg (HJ 212-2017 App. D eq. 8-11).

A valid result weighs the volume from its time to the next valid one, two intervals at most, all of it in the result's
day. Discharge that no result covers takes the mean of as many results before it as are lacking, in the days its minutes
lie in; missing flow is filled likewise (HJ 356-2019: the directly preceding period of equal length). What was filled is
substituted; what nothing stands before is unknown (settled choices, Water).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plantmon.amounts.sums import total_kg
from plantmon.averages.water_flow import Flow, may_discharge, volumes_m3
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS, standing
from plantmon.times import MINUTE_MS

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]
Flags = NDArray[np.bool_]

GRAMS_PER_KG = 1000.0


@dataclass(frozen=True, slots=True)
class Stretches:
    """Time divided without a hole into spans [start, end) of one concentration each, mg/L; NaN: nobody knows.

    `is_measured`: a result's own time; else a mean of results before stands in.
    """

    start: Instants
    end: Instants
    value: Floats
    is_measured: Flags

    def rows(self, chosen: Flags) -> Stretches:
        """Give some of the spans."""
        return Stretches(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class WaterDay:
    """A local day's amount, as far as it is known; minutes are those with discharge, or with unknown flow."""

    start: int
    end: int
    measured_kg: float
    substituted_kg: float
    minutes: int
    substituted_minutes: int
    unknown_minutes: int


def stretches(ts: Instants, value: Floats, first_ms: int, until_ms: int, interval_ms: int) -> Stretches:
    """Divide [first, until) into the time each valid result stands for and the time between, in time order.

    `ts` ascends; results outside of the span say nothing. What stands in for uncovered time is the mean of as many
    results before it as it has intervals, rounded up; of fewer where there are fewer.
    """
    inside = (ts >= first_ms) & (ts < until_ms)
    ts, value = ts[inside], value[inside]
    covered = standing(ts, np.ones(len(ts), bool), interval_ms)
    until = np.minimum(covered.until, until_ms)
    gap_start, gap_end = np.r_[first_ms, until], np.r_[covered.start, until_ms]
    gaps = np.flatnonzero(gap_end > gap_start)
    lacking = -(-(gap_end[gaps] - gap_start[gaps]) // interval_ms)
    means = [_mean_before(value, place, many) for place, many in zip(gaps.tolist(), lacking.tolist(), strict=True)]
    start = np.r_[covered.start, gap_start[gaps]]
    order = np.argsort(start, kind="stable")
    return Stretches(
        start[order],
        np.r_[until, gap_end[gaps]][order],
        np.r_[value[covered.place], np.array(means, np.float64)][order],
        np.r_[np.ones(len(until), bool), np.zeros(len(gaps), bool)][order],
    )


def _mean_before(value: Floats, place: int, many: int) -> float:
    taken = value[max(0, place - many) : place].tolist()
    return math.fsum(taken) / len(taken) if taken else math.nan


def lacks_before(ts: Instants, from_ms: int, until_ms: int, interval_ms: int) -> bool:
    """Whether uncovered time that reaches beyond `from_ms` needs more results before it than these, which ascend.

    True too where none lies at or before `from_ms`: since when nothing covers it is then not known.
    """
    if not len(ts) or ts[0] > from_ms:
        return True
    until = np.minimum(standing(ts, np.ones(len(ts), bool), interval_ms).until, until_ms)
    gap_end = np.r_[ts[1:], until_ms]
    lacking = np.where(gap_end > from_ms, -(-(gap_end - until) // interval_ms), 0)
    return bool((lacking > np.arange(1, len(ts) + 1)).any())


def days(
    found: Stretches, known: Flow, whole: Flow, edges: Sequence[int], first_ms: int, until_ms: int, interval_ms: int
) -> list[WaterDay]:
    """Weigh the local days between `edges` (midnights, ascending) as far as they lie in [first, until).

    `found` covers them and the two intervals after; `known` is the flow as measured, `whole` the same minutes filled
    (`averages.water_flow.filled`). A minute belongs to the span that covers its start.
    """
    reach = WEIGHS_FOR_INTERVALS * interval_ms
    result = []
    for start, end in pairwise(edges):
        last = min(end + reach, until_ms)
        measured, filled = known.between(start, last), whole.between(start, last)
        own = found.is_measured & (found.start >= start) & (found.start < end)
        gaps = ~found.is_measured & (found.end > start) & (found.start < end)
        kgs = _masses(found.rows(own), measured, filled), _masses(_cut(found.rows(gaps), start, end), measured, filled)
        lowest, highest = max(start, first_ms), min(end, until_ms)
        states = _states(found, known.between(lowest, highest), whole.between(lowest, highest))
        result.append(
            WaterDay(start, highest, total_kg(kgs[0][0]), total_kg(kgs[0][1] + kgs[1][0] + kgs[1][1]), *states)
        )
    return result


def _cut(found: Stretches, start_ms: int, end_ms: int) -> Stretches:
    return Stretches(np.maximum(found.start, start_ms), np.minimum(found.end, end_ms), found.value, found.is_measured)


def _masses(found: Stretches, known: Flow, whole: Flow) -> tuple[list[float], list[float]]:
    """Give each span's kg from the flow as measured, and from what filled it; nothing where either is unknown."""
    is_known = ~np.isnan(known.m3_h)
    own = Flow(known.start_ms, np.where(is_known, whole.m3_h, 0.0))
    other = Flow(known.start_ms, np.where(is_known | np.isnan(whole.m3_h), 0.0, whole.m3_h))
    has_value = ~np.isnan(found.value)
    some = found.rows(has_value)
    masses = [some.value * volumes_m3(flow, some.start, some.end) / GRAMS_PER_KG for flow in (own, other)]
    return masses[0].tolist(), masses[1].tolist()


def _states(found: Stretches, known: Flow, whole: Flow) -> tuple[int, int, int]:
    """Count a day's minutes with discharge or unknown flow, those of them substituted, and those unknown."""
    at = known.start_ms + np.arange(len(known.m3_h)) * MINUTE_MS
    place = np.searchsorted(found.start, at, "right") - 1
    due = may_discharge(known.m3_h)
    is_unknown = np.isnan(found.value[place]) | np.isnan(whole.m3_h)
    is_measured = found.is_measured[place] & ~np.isnan(known.m3_h)
    return int(due.sum()), int((due & ~is_unknown & ~is_measured).sum()), int((due & is_unknown).sum())
