"""This module turns increments and rates into amounts: a course of integers of 1e-6 unit, with a knot at each turn.

Between two knots the amount grows evenly; at an edge it is read off that line and quantised half to even, so hours add
up to the day exactly. An increment is what was counted since the reading before, quantised as a whole after the ratio:
its knots are the readings. A rate stands until the next reading, at most two intervals; its pieces are summed in parts
of 1e-10 unit from each full hour on, so that an hour of any number of pieces is rounded once. What is negative or above
`max_rate` counts 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from plantmon.model.plant import RatioSpan, Register
from plantmon.times import HOUR_MS
from plantmon.windows.counter import CUT_END, CUT_START, GAP_INTERVALS, QUANTUM, Amount, Event, Happening

STANDS_INTERVALS = 2  # a value stands for at most so many intervals (settled for slow points)
_FINE = 10_000  # parts of a quantum in which the pieces of a rate are summed
LARGEST_RATE = 1e8  # unit an hour, or unit an increment: more is no reading of a meter, and fits into no hour

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Flow:
    """What a meter without register let through: `level[i]` (1e-6 unit) at knot `ts[i]`, counted from the first knot.

    Of segment i, from knot i to the next: `known[i]` says whether a value stands there, `gap[i]` whether the split of
    its amount is an estimate. `read` are the instants of the readings used.
    """

    ts: _Ints
    level: _Ints
    known: NDArray[np.bool_]
    gap: NDArray[np.bool_]
    read: _Ints
    happenings: tuple[Happening, ...]

    def amount(self, start_ms: int, end_ms: int) -> Amount:
        """Give what [start, end) counted and how much of its time is known; None where nothing is."""
        if len(self.ts) < 2:
            return Amount(None, 0, 0)
        start, end = max(start_ms, int(self.ts[0])), min(end_ms, int(self.ts[-1]))
        covered = self._known_until(end) - self._known_until(start) if start < end else 0
        if not covered:
            return Amount(None, 0, 0)
        total = self._cumulated(end) - self._cumulated(start)
        first = int(np.searchsorted(self.ts, start, "right")) - 1
        last = int(np.searchsorted(self.ts, end, "left")) - 1
        cut_start = bool(self.gap[first]) and int(self.ts[first]) < start_ms
        cut_end = bool(self.gap[last]) and int(self.ts[last + 1]) > end_ms
        return Amount(total, covered, CUT_START * cut_start + CUT_END * cut_end)

    def _known_until(self, at_ms: int) -> int:
        """Give how many milliseconds from the first knot to an instant have a value."""
        spans = np.minimum(self.ts[1:], at_ms) - self.ts[:-1]
        return int(spans[self.known & (spans > 0)].sum())

    def _cumulated(self, at_ms: int) -> int:
        place = int(np.searchsorted(self.ts, at_ms, "right")) - 1
        level, at = int(self.level[place]), int(self.ts[place])
        if at == at_ms:
            return level
        rise, span = int(self.level[place + 1]) - level, int(self.ts[place + 1]) - at
        return level + _half_even(rise * (at_ms - at), span)


def increments(ts: _Ints, value: _Floats, register: Register, interval_ms: int) -> Flow:
    """Follow increments (in time order, flagged ones left out before); the first one only opens the course."""
    ts, value = _readable(ts, value, 1.0, register)
    if len(ts) < 2:
        return _nothing(ts)
    knots = np.unique(np.concatenate([ts, _changes(register.ratios, int(ts[0]), int(ts[-1]))]))
    owner = np.searchsorted(ts, knots[:-1], "right") - 1  # the segment of each piece
    pieces = value[1:][owner] * (np.diff(knots) / np.diff(ts)[owner]) * _ratios_at(register.ratios, knots[:-1])
    firsts = np.searchsorted(knots, ts[:-1])
    hourly = np.add.reduceat(pieces, firsts) / (np.diff(ts) / HOUR_MS)
    believed, found = _judged(ts[1:], value[:-1], value[1:], hourly, register)
    return Flow(
        ts=knots,
        level=_levels(np.where(believed[owner], pieces, 0.0), firsts),
        known=np.ones(len(pieces), bool),
        gap=(np.diff(ts) > GAP_INTERVALS * interval_ms)[owner],
        read=ts,
        happenings=found,
    )


def rates(ts: _Ints, value: _Floats, register: Register, interval_ms: int) -> Flow:
    """Follow a rate (in time order, flagged readings left out before): each value until the next, or two intervals."""
    ts, value = _readable(ts, value, register.per_hour, register)
    if not len(ts):
        return _nothing(ts)
    stands = ts + STANDS_INTERVALS * interval_ms
    ends = np.append(np.minimum(ts[1:], stands[:-1]), stands[-1])
    hours = np.arange(int(ts[0]) // HOUR_MS + 1, int(ends[-1]) // HOUR_MS + 1, dtype=np.int64) * HOUR_MS
    changes = _changes(register.ratios, int(ts[0]), int(ends[-1]))
    knots = np.unique(np.concatenate([ts, ends, hours, changes]))
    owner = np.searchsorted(ts, knots[:-1], "right") - 1
    known = knots[:-1] < ends[owner]
    hourly = value * register.per_hour
    previous = np.append(value[:1], value[:-1])
    believed, found = _judged(ts, previous, value, hourly * _ratios_at(register.ratios, ts), register)
    pieces = hourly[owner] * _ratios_at(register.ratios, knots[:-1]) * (np.diff(knots) / HOUR_MS)
    firsts = np.append(0, np.searchsorted(knots, hours[hours < knots[-1]]))
    return Flow(
        ts=knots,
        level=_levels(np.where(known & believed[owner], pieces, 0.0), firsts),
        known=known,
        gap=np.zeros(len(known), bool),
        read=ts,
        happenings=found,
    )


def _nothing(ts: _Ints) -> Flow:
    return Flow(ts[:0], ts[:0], np.zeros(0, bool), np.zeros(0, bool), ts, ())


def _readable(ts: _Ints, value: _Floats, per_hour: float, register: Register) -> tuple[_Ints, _Floats]:
    largest = max(1.0, *(span.value for span in register.ratios), 1.0)
    used = np.abs(value) * per_hour * largest <= LARGEST_RATE
    return ts[used], value[used]


def _changes(ratios: tuple[RatioSpan, ...], start: int, end: int) -> _Ints:
    """List where another ratio begins inside (start, end)."""
    edges = {edge for span in ratios for edge in (span.start_ms, span.end_ms) if edge is not None}
    return np.array(sorted(edge for edge in edges if start < edge < end), np.int64)


def _ratios_at(ratios: tuple[RatioSpan, ...], at: _Ints) -> _Floats:
    """Give the ratio in force at each instant, 1 where none is named."""
    found = np.ones(len(at))
    for span in ratios:
        inside = np.ones(len(at), bool)
        if span.start_ms is not None:
            inside &= at >= span.start_ms
        if span.end_ms is not None:
            inside &= at < span.end_ms
        found[inside] = span.value
    return found


def _judged(
    ts: _Ints, before: _Floats, after: _Floats, hourly: _Floats, register: Register
) -> tuple[NDArray[np.bool_], tuple[Happening, ...]]:
    """Say which values count, and what is to be told of those that do not; a run of the same is told once."""
    negative = after < 0
    fast = np.zeros(len(ts), bool) if register.max_rate_per_h is None else hourly > register.max_rate_per_h
    found = []
    for event, mask in ((Event.NEGATIVE, negative), (Event.TOO_FAST, fast)):
        first = mask & ~np.append(False, mask[:-1])
        found += [
            Happening(int(ts[place]), event, float(before[place]), float(after[place]), 0)
            for place in np.flatnonzero(first)
        ]
    return ~(negative | fast), tuple(sorted(found, key=lambda one: one.ts_ms))


def _levels(pieces: _Floats, firsts: _Ints) -> _Ints:
    """Sum pieces up to each knot, in 1e-6 unit: each group (from one of `firsts` on) is quantised by itself."""
    fine = np.rint(pieces * (QUANTUM * _FINE)).astype(np.int64)
    reached = np.cumsum(fine)  # may run over: only differences within a group are used, and those fit
    group = np.searchsorted(firsts, np.arange(len(fine)), "right") - 1
    within = _half_even(reached - (reached[firsts] - fine[firsts])[group], _FINE)
    totals = within[np.append(firsts[1:], len(fine)) - 1]
    before = np.cumsum(totals) - totals
    return np.append(np.zeros(1, np.int64), before[group] + within)


@overload
def _half_even(value: int, parts: int) -> int: ...
@overload
def _half_even(value: _Ints, parts: int) -> _Ints: ...
def _half_even(value: Any, parts: int) -> Any:
    """Divide integers, rounding half to even."""
    whole, rest = value // parts, value % parts
    return whole + ((2 * rest > parts) | ((2 * rest == parts) & (whole % 2)))
