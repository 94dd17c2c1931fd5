"""This module measures waste water as its limits judge it: pollutants by day, weighted by volume, and pH by hour.

A pollutant's day is sum(C x V) / sum(V): each valid result weighs the volume discharged from its time to the next
valid result, at most two intervals, and all of that volume belongs to the result's day (settled choices, Water;
HJ 212-2017 App. D eq. 14; HJ 356-2019). pH is a logarithm, so it has a median and a range, never an arithmetic mean.
Only slots with discharge, or with unknown flow, are due: what an analyser repeats over a standing basin is not judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.rounding import significant_one, without_residue
from plantmon.averages.validity import hour_due, hour_needed
from plantmon.averages.water_flow import Flow, filled, may_discharge, volumes_m3
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS, Results, standing
from plantmon.compliance.judge import Measured
from plantmon.model.minutes import MINUTES, MinuteBlock
from plantmon.model.plant import Point, Rules
from plantmon.model.verdict import Reason
from plantmon.times import HOUR_MS, MINUTE_MS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WaterMeasured:
    """A window of waste water as it is judged. `no_discharge`: nothing was due, so nothing is judged.

    `due` counts slots with discharge or unknown flow. `minimum` and `maximum` are of the valid values that count, None
    without any. `volume_m3` is the volume the mean stands for, None for pH.
    """

    measured: Measured
    no_discharge: bool
    due: int
    minimum: float | None = None
    maximum: float | None = None
    volume_m3: float | None = None


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The results of a window in time order, with the slot each lies in and the volume it weighs, all known."""

    value: Floats
    over: Flags
    slot: NDArray[np.int64]
    volume_m3: Floats

    def mean(self) -> float | None:
        """Give sum(C x V) / sum(V), None where nothing was discharged."""
        total = math.fsum(self.volume_m3)
        if total <= 0:
            return None
        masses = self.value * self.volume_m3
        sums = np.array([math.fsum(masses), math.fsum(np.abs(masses))])
        return significant_one(float(without_residue(sums[:1], sums[1:])[0]) / total)

    def slots(self, due: Flags) -> int:
        """Count the due slots that have a result."""
        return len(np.unique(self.slot[due[self.slot]]))


def flow_weighted_day(
    point: Point, rules: Rules, start_ms: int, end_ms: int, results: Results, flow: Flow
) -> WaterMeasured:
    """Measure the local day [start, end) of a pollutant; valid with `valid_share` of the slots due.

    **Shape**: `results` and `flow` reach two intervals past the day's end, because the last result weighs volume until
    then; what lies later changes nothing. Where `flow` lacks minutes it reaches back (`LOOK_BACK_MS`), to be filled.
    Slots are of the analyser's interval, from midnight on; one is due when in any of its minutes there was discharge
    or the flow is unknown, and had when a valid result lies in it: a result sent twice is one.

    **Edges**: no slot due: `no_discharge`. A result whose volume cannot be known (flow unknown, none before to fill it
    from) neither weighs nor counts. Over-range results in a due slot, or that weigh anything, give a lower bound: the
    mean with them at the range's end, from `needed` slots valid or over range. Without a known volume there is no
    mean, and no verdict on a plain one instead.
    """
    reach_ms = WEIGHS_FOR_INTERVALS * point.interval_ms
    due = _due_slots(flow.between(start_ms, end_ms), end_ms, point.interval_ms)
    count = int(due.sum())
    needed = max(1, math.ceil(round(rules.valid_share * count, 9)))
    if not count:
        return WaterMeasured(Measured(None, None, False, 0, needed, Reason.HOURS, ran=False), True, 0)
    seen = flow.between(min(flow.start_ms, start_ms), end_ms + reach_ms)
    volume = filled(seen, start_ms).between(start_ms, end_ms + reach_ms)
    valid = _weigh(results, results.valid, volume, end_ms, point.interval_ms)
    both = _weigh(results, results.valid | results.over, volume, end_ms, point.interval_ms)
    is_over = _is_over_range(results, due, start_ms, point.interval_ms) or bool(both.volume_m3[both.over].any())
    return WaterMeasured(
        Measured(
            valid.mean(),
            both.mean() if is_over and both.slots(due) >= needed else None,
            is_over,
            valid.slots(due),
            needed,
            Reason.HOURS,
        ),
        False,
        count,
        float(valid.value.min()) if len(valid.value) else None,
        float(valid.value.max()) if len(valid.value) else None,
        math.fsum(valid.volume_m3),
    )


def _due_slots(flow: Flow, end_ms: int, interval_ms: int) -> Flags:
    """Say of the slots from the flow's start to `end_ms` whether any of their minutes discharged or is unknown."""
    begins = np.arange(0, end_ms - flow.start_ms, interval_ms)
    ends = np.minimum(begins + interval_ms, end_ms - flow.start_ms)
    counted = np.r_[0, np.cumsum(may_discharge(flow.m3_h))]
    return np.asarray(counted[-(-ends // MINUTE_MS)] > counted[begins // MINUTE_MS])


def _weigh(results: Results, usable: Flags, flow: Flow, end_ms: int, interval_ms: int) -> _Weighed:
    """Give each usable result of the window [flow's start, end) its volume; those of unknown volume drop out."""
    found = standing(results.ts, usable & (results.ts >= flow.start_ms), interval_ms)
    inside = found.start < end_ms
    chosen, ts, until = found.place[inside], found.start[inside], found.until[inside]
    volume = volumes_m3(flow, ts, until)
    known = ~np.isnan(volume)
    return _Weighed(
        results.value[chosen][known],
        (results.over & ~results.valid)[chosen][known],
        ((ts - flow.start_ms) // interval_ms)[known],
        volume[known],
    )


def _is_over_range(results: Results, due: Flags, start_ms: int, interval_ms: int) -> bool:
    """Whether a result in a due slot is over range, be its volume known or not."""
    slot = (results.ts[results.over] - start_ms) // interval_ms
    slot = slot[(slot >= 0) & (slot < len(due))]
    return bool(due[slot].any())


def ph_hour(point: Point, rules: Rules, hour_ms: int, block: MinuteBlock | None, flow: Flow) -> WaterMeasured:
    """Measure an hour of pH: the median of its valid minutes in which there was discharge, or unknown flow.

    **Reading of the settled choice** "Due: slots with discharge, or with unknown flow. No slot with discharge: not
    judged, no discharge. pH likewise per hour": pH's slots are the minutes of the hour (the intervals of a point slower
    than a minute). Minutes without discharge are neither due nor had. As a day needs 75 % of what was due and not of
    all it has, so does the hour: 45 of 60 whole, 23 of 30 where half of it discharged. No slot due: `no_discharge`.

    **Shape**: `block` is pH's own hour, None without readings; of `flow` only the hour's minutes matter, and those it
    lacks are unknown, so that an outlet without a flow point is judged at all times. `minimum` and `maximum` are of the
    valid readings in the minutes that count. The median of an even number of minutes lies half-way between the two in
    the middle.

    **Edges**: a minute with an over-range reading stands in the lower bound with its own bound; a median never falls
    when one of its values rises, so it is one. It needs as many minutes, valid or over range.
    """
    block = block or MinuteBlock.empty()
    slot = np.arange(MINUTES)
    if point.is_slow:
        slot = np.minimum(slot * MINUTE_MS // point.interval_ms, hour_due(point) - 1)
    may = may_discharge(flow.between(hour_ms, hour_ms + HOUR_MS).m3_h)
    due = np.unique(slot[may])
    needed = max(1, -(-hour_needed(point, rules) * len(due) // hour_due(point)))
    if not len(due):
        return WaterMeasured(Measured(None, None, False, 0, needed, Reason.MINUTES, ran=False), True, 0)
    counts = np.isin(slot, due)
    valid, over = counts & (block.valid > 0), counts & (block.over > 0)
    known = valid | over
    has_bound = bool(over.any()) and len(np.unique(slot[known])) >= needed
    return WaterMeasured(
        Measured(
            _median(block.mean[valid]),
            _median(np.where(over, block.bound, block.mean)[known]) if has_bound else None,
            bool(over.any()),
            len(np.unique(slot[valid])),
            needed,
            Reason.MINUTES,
        ),
        False,
        len(due),
        float(block.low[valid].min()) if valid.any() else None,
        float(block.high[valid].max()) if valid.any() else None,
    )


def _median(values: Floats) -> float | None:
    return significant_one(float(np.median(values))) if len(values) else None
