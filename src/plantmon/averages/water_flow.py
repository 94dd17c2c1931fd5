"""This module answers what the rules for waste water ask of a flow: was there discharge, and how much of it.

A flow is its minutes' means. Unknown is not zero: a minute without a valid mean may have discharged, and a run of such
minutes takes the mean of as many known minutes before it (settled choices, Water; HJ 356-2019 fills with the directly
preceding period of equal length). A flow at or below 0 is no discharge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.model.minutes import MINUTES, MinuteBlock
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

# How far before a window flow is read when minutes are missing in it: enough for a fortnight's outage of the meter.
LOOK_BACK_MS = 31 * DAY_MS


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow's minutes without a hole between them, from `start_ms` on; NaN where a minute has no valid mean."""

    start_ms: int
    m3_h: Floats

    def between(self, start_ms: int, end_ms: int) -> Flow:
        """Give the minutes of [start, end), the last one whole; NaN where this flow knows none.

        `start_ms` lies whole minutes from this flow's start.
        """
        found = np.full(-(-(end_ms - start_ms) // MINUTE_MS), np.nan)
        shift = (start_ms - self.start_ms) // MINUTE_MS
        first, last = max(shift, 0), min(shift + len(found), len(self.m3_h))
        if first < last:
            found[first - shift : last - shift] = self.m3_h[first:last]
        return Flow(start_ms, found)


def flow_of(hours: Iterable[tuple[int, MinuteBlock]], start_ms: int, end_ms: int, to_m3_h: float = 1.0) -> Flow:
    """Lay a flow point's hours (start, minutes) end to end over [start, end); `to_m3_h` is the factor of its unit.

    Hours may come in any order and be missing. A minute that was over range only has no valid mean: unknown.
    """
    whole = np.full(-(-(end_ms - start_ms) // HOUR_MS) * MINUTES, np.nan)
    for hour, block in hours:
        place = (hour - start_ms) // MINUTE_MS
        if 0 <= place < len(whole):
            means = np.where(block.valid > 0, block.mean * to_m3_h, np.nan)
            whole[place : place + MINUTES] = means[: len(whole) - place]
    return Flow(start_ms, whole).between(start_ms, end_ms)


def may_discharge(m3_h: Floats) -> NDArray[np.bool_]:
    """Say of minutes whether there was discharge or nobody knows."""
    return np.isnan(m3_h) | (m3_h > 0)


def filled(flow: Flow, since_ms: int | None = None) -> Flow:
    """Fill each run of unknown minutes with the mean of as many known ones before it, of fewer where there are fewer.

    Known minutes are taken across earlier gaps, filled ones never. Without any the run stays unknown. Flow below 0
    carries nothing away and counts as 0. Runs that end before `since_ms` stay as they are.

    >>> filled(Flow(0, np.array([5.0, 1.0, 3.0, np.nan, np.nan, 4.0]))).m3_h.tolist()
    [5.0, 1.0, 3.0, 2.0, 2.0, 4.0]
    """
    result = np.maximum(flow.m3_h, 0.0)
    unknown = np.isnan(result)
    known, until = result[~unknown], np.cumsum(~unknown)
    wanted = 0 if since_ms is None else (since_ms - flow.start_ms) // MINUTE_MS
    for first, end in _runs(unknown).tolist():
        before = int(until[first])
        taken = known[max(0, before - (end - first)) : before]
        if len(taken) and end > wanted:
            result[first:end] = taken.mean()
    return Flow(flow.start_ms, result)


def lacks_flow_before(flow: Flow, from_ms: int) -> bool:
    """Whether unknown minutes that reach beyond `from_ms` begin with the flow, or need more known ones before them."""
    unknown = np.isnan(flow.m3_h)
    edges = _runs(unknown)
    edges = edges[flow.start_ms + edges[:, 1] * MINUTE_MS > from_ms]
    known = np.r_[0, np.cumsum(~unknown)]
    return bool((known[edges[:, 0]] < edges[:, 1] - edges[:, 0]).any())


def filled_from(flow: Flow, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give the runs [start, end) of unknown minutes that `filled` fills from any of the spans, which are in time order.

    A run reaches back to the first of the known minutes it takes, as far as the flow goes where they are too few.

    >>> filled_from(Flow(0, np.array([5.0, 1.0, 3.0, np.nan, 4.0])), [(120000, 180000)])
    [(180000, 240000)]
    >>> filled_from(Flow(0, np.array([5.0, 1.0, 3.0, np.nan, 4.0])), [(0, 60000)])
    []
    """
    unknown = np.isnan(flow.m3_h)
    runs = _runs(unknown)
    if not len(runs) or not spans:
        return []
    places, until = np.flatnonzero(~unknown), np.cumsum(~unknown)
    taken_from = until[runs[:, 0]] - (runs[:, 1] - runs[:, 0])
    reach = np.where(taken_from >= 0, np.r_[places, 0][np.maximum(taken_from, 0)], 0) * MINUTE_MS + flow.start_ms
    starts, ends = (runs * MINUTE_MS + flow.start_ms).T
    begins, stops = np.array(spans).T
    # The first span that ends after the run's reach begins: is it before the run itself?
    nearest = np.searchsorted(stops, reach, "right")
    takes = (nearest < len(spans)) & (np.r_[begins, np.iinfo(np.int64).max][nearest] < starts)
    return [(int(start), int(end)) for start, end in zip(starts[takes], ends[takes], strict=True)]


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give the runs of set flags as rows [first, end)."""
    return np.flatnonzero(np.diff(np.r_[False, flags, False])).reshape(-1, 2)


def volumes_m3(flow: Flow, start_ms: Instants, end_ms: Instants) -> Floats:
    """Give the volume of each [start, end) inside the flow, minutes cut by time; NaN where some of it is unknown."""
    unknown = np.isnan(flow.m3_h)
    missing = _until(flow, unknown.astype(np.float64), end_ms) - _until(flow, unknown.astype(np.float64), start_ms)
    known = np.where(unknown, 0.0, flow.m3_h)
    minutes_m3_h = _until(flow, known, end_ms) - _until(flow, known, start_ms)
    return np.where(missing > 0, np.nan, minutes_m3_h / MINUTES)


def _until(flow: Flow, minutes: Floats, at_ms: Instants) -> Floats:
    """Sum minutes from the flow's start to each instant."""
    whole, rest_ms = np.divmod(at_ms - flow.start_ms, MINUTE_MS)
    before = np.r_[0.0, np.cumsum(minutes)]
    return np.asarray(before[whole] + np.r_[minutes, 0.0][whole] * (rest_ms / MINUTE_MS))
