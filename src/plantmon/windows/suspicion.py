"""This module finds minutes that look wrong though nothing says so: one value for too long, a step that is too high.

It works on minute windows and changes no validity: a suspicion is for a person to look at. Readings flagged or beyond
their range have been told of already and are passed over.

Stuck: every minute's low and high are one and the same value for at least `checks.stuck` while values come; a value of
exactly 0 while the source is stopped is what it should be. Jump: the means of two neighbouring minutes differ by more
than `checks.jump`. Neighbours are values at most two of the point's intervals apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.rounding import significant
from plantmon.averages.running import minutes_of_mask
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Point
from plantmon.times import HOUR_MS, MINUTE_MS

STUCK, JUMP = "stuck", "jump"
NEIGHBOURS_INTERVALS = 2

Floats = NDArray[np.float64]
Hour = tuple[int, MinuteBlock, int | None]  # its start, its minutes, the mask of those the source ran (None: all)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A span [start, end) of one kind; `value` is the one that does not move, None of a jump."""

    start: int
    end: int
    kind: str
    detail: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Newest:
    """How a kind stands at an hour's end: `found` is what makes it bad, None where all is well again."""

    kind: str
    found: Suspicion | None


@dataclass(frozen=True, slots=True)
class Found:
    """What an hour holds: its own pieces, and how things stand at its end (nothing where no value came)."""

    pieces: tuple[Suspicion, ...] = ()
    newest: tuple[Newest, ...] = ()


@dataclass(frozen=True, slots=True)
class _Minutes:
    """The minutes with valid readings, in time order."""

    at: NDArray[np.int64]
    mean: Floats
    is_one: NDArray[np.bool_]  # one value throughout, and not the 0 of a stopped source


def reach_hours(point: Point) -> int:
    """How many hours before and after a changed one can be seen otherwise."""
    stuck_ms = 0 if point.checks is None or point.checks.stuck_ms is None else point.checks.stuck_ms
    return -(-(stuck_ms + _neighbours_ms(point)) // HOUR_MS)


def look(point: Point, hour: int, around: Sequence[Hour]) -> Found:
    """Look at one hour; `around` are closed hours in time order, with `reach_hours` of them on each side."""
    minutes = _minutes(around)
    inside = (minutes.at >= hour) & (minutes.at < hour + HOUR_MS)
    if point.checks is None or not inside.any():
        return Found()
    last_ms = int(minutes.at[inside][-1])
    pieces: list[Suspicion] = []
    newest: list[Newest] = []
    if point.checks.stuck_ms is not None:
        runs = [run for run in _stuck(point, minutes, point.checks.stuck_ms) if _overlaps(run, hour)]
        pieces += [_clipped(run, hour) for run in runs]
        fresh = [run for run in runs if run.end > last_ms or run.start + point.checks.stuck_ms > hour]
        newest.append(Newest(STUCK, fresh[-1] if fresh else None))
    if point.checks.jump is not None:
        jumps = [one for one in _jumps(point, minutes, point.checks.jump) if hour <= one.start < hour + HOUR_MS]
        pieces += jumps
        newest.append(Newest(JUMP, jumps[-1] if jumps else None))
    return Found(tuple(pieces), tuple(newest))


def _neighbours_ms(point: Point) -> int:
    return max(MINUTE_MS, NEIGHBOURS_INTERVALS * point.interval_ms)


def _minutes(hours: Sequence[Hour]) -> _Minutes:
    at, mean, is_one = [], [], []
    for start, block, ran in hours:
        places = np.flatnonzero(block.valid > 0)
        runs = np.ones(len(places), bool) if ran is None else minutes_of_mask(ran)[places]
        at.append(start + places * MINUTE_MS)
        mean.append(block.mean[places])
        is_one.append((block.low == block.high)[places] & ((block.low[places] != 0) | runs))
    if not at:
        return _Minutes(np.empty(0, np.int64), np.empty(0), np.empty(0, bool))
    return _Minutes(np.concatenate(at), np.concatenate(mean), np.concatenate(is_one))


def _stuck(point: Point, minutes: _Minutes, stuck_ms: int) -> list[Suspicion]:
    """Give the runs of one value that lasted; a value lasts for its interval, at least its minute."""
    lasts_ms = max(MINUTE_MS, point.interval_ms)
    goes_on = (
        minutes.is_one[1:]
        & minutes.is_one[:-1]
        & (minutes.mean[1:] == minutes.mean[:-1])
        & (np.diff(minutes.at) <= _neighbours_ms(point))
    )
    begins = np.flatnonzero(np.r_[True, ~goes_on])
    ends = np.r_[begins[1:], len(minutes.at)] - 1
    return [
        Suspicion(start, end + lasts_ms, STUCK, f"{value:.12g}", value)
        for start, end, value, is_one in zip(
            minutes.at[begins].tolist(), minutes.at[ends].tolist(), minutes.mean[begins].tolist(),
            minutes.is_one[begins].tolist(), strict=True,
        )
        if is_one and end + lasts_ms - start >= stuck_ms
    ]  # fmt: skip


def _jumps(point: Point, minutes: _Minutes, jump: float) -> list[Suspicion]:
    step = np.abs(significant(np.diff(minutes.mean)))
    found = np.flatnonzero((step > jump) & (np.diff(minutes.at) <= _neighbours_ms(point)))
    return [
        Suspicion(
            int(minutes.at[place + 1]), int(minutes.at[place + 1]) + MINUTE_MS, JUMP,
            f"{minutes.mean[place]:.12g} -> {minutes.mean[place + 1]:.12g}",
        )
        for place in found.tolist()
    ]  # fmt: skip


def _overlaps(run: Suspicion, hour: int) -> bool:
    return run.start < hour + HOUR_MS and run.end > hour


def _clipped(run: Suspicion, hour: int) -> Suspicion:
    return Suspicion(max(run.start, hour), min(run.end, hour + HOUR_MS), run.kind, run.detail, run.value)
