"""This module turns a counter's register into amounts: differences at the edges, in integers of 1e-6 unit.

Between two readings the register is a straight line; at an edge it is read off that line, multiplied by the ratio and
quantised half to even. What else the register did (reset, roll-over, ...) is a jump at the later reading, quantised
too. An amount is register(end) - register(start) - jumps in (start, end], so hours add up to the day exactly.
The order of tests on a fall is that of the settled choices, Counters.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plantmon.model.plant import RatioSpan, Register
from plantmon.times import HOUR_MS

QUANTUM = 1_000_000  # parts of a unit in an amount
GAP_INTERVALS = 3  # a longer silence makes the split of its amount an estimate (design, Windows)
MOST_ZEROS = 3  # brief zero: at most so many zeros between readings that fit together
SLIGHT_FALL = 0.01  # a fall of at most 1 %: only what rises above the old level counts
CUT_START, CUT_END = 1, 2
PLAUSIBLE_WRAP = 0.5  # without max_rate a roll-over is plausible below this share of the whole register


class Event(StrEnum):
    """What a register did besides counting; `is_fault` asks a person to look."""

    BRIEF_ZERO = "brief_zero"
    ROLL_OVER = "roll_over"
    SLIGHT_FALL = "slight_fall"
    RESET = "reset"
    REPLACED = "replaced"  # not declared: counts 0
    TOO_FAST = "too_fast"  # above max_rate: counts 0
    CHANGED = "changed"  # declared: the old register up to its final reading, the new one from its initial
    NEGATIVE = "negative"  # an increment or a rate below zero: counts 0

    @property
    def is_fault(self) -> bool:
        """Whether the amount is in doubt, so that a person must be told."""
        return self in (Event.REPLACED, Event.TOO_FAST)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event at a reading: the register before and after, and what was counted for it (1e-6 unit)."""

    ts_ms: int
    event: Event
    before: float
    after: float
    amount: int


@dataclass(frozen=True, slots=True)
class Change:
    """A declared change of a meter: what the old register showed last and the new one first, before the ratio."""

    at_ms: int
    final: float
    initial: float


@dataclass(frozen=True, slots=True)
class Course:
    """A register's way as segments between used readings; segment i runs from ts[i] to ts[i + 1].

    `level[i]` is the register at ts[i] and `rise[i]` what segment i counts, both before the ratio.
    """

    ts: NDArray[np.int64]
    level: NDArray[np.float64]
    rise: NDArray[np.float64]
    happenings: tuple[Happening, ...]
    ratios: tuple[RatioSpan, ...]
    interval_ms: int


@dataclass(frozen=True, slots=True)
class Amount:
    """What a window counted (1e-6 unit), over how many of its milliseconds; None where no reading surrounds it.

    `estimated` has bit 1 where the window's start, bit 2 where its end cuts through a gap: the gap's total is exact,
    its split is not.
    """

    amount: int | None
    covered_ms: int
    estimated: int


def ratio_at(ratios: tuple[RatioSpan, ...], at_ms: int) -> float:
    """Give the ratio in force at an instant, 1 where none is named."""
    for span in ratios:
        if (span.start_ms is None or at_ms >= span.start_ms) and (span.end_ms is None or at_ms < span.end_ms):
            return span.value
    return 1.0


def course(
    ts: NDArray[np.int64], value: NDArray[np.float64], register: Register, interval_ms: int,
    changes: Sequence[Change] = (),
) -> Course:  # fmt: skip
    """Follow a register through its readings (in time order, flagged ones left out before).

    Declared `changes`, in time order, beat what the readings look like; a reading at a change's instant is not used.
    """
    if changes:
        return _changed(ts.tolist(), value.tolist(), register, changes).course(register, interval_ms)
    rise = np.diff(value)
    if len(rise) == 0 or (rise.min() >= 0 and not _any_too_fast(ts, rise, register)):
        return Course(ts, value, rise, (), register.ratios, interval_ms)
    return _eventful(ts.tolist(), value.tolist(), register).course(register, interval_ms)


def _any_too_fast(ts: NDArray[np.int64], rise: NDArray[np.float64], register: Register) -> bool:
    if register.max_rate_per_h is None:
        return False
    largest = max((span.value for span in register.ratios), default=1.0)
    return bool((rise * max(largest, 1.0) > register.max_rate_per_h * np.diff(ts) / HOUR_MS).any())


@dataclass(slots=True)
class _Way:
    """A register's way while it is followed; `held` is the highest level after a slight fall, else the register."""

    times: list[int] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    rises: list[float] = field(default_factory=list)
    found: list[Happening] = field(default_factory=list)
    held: float = 0.0

    def course(self, register: Register, interval_ms: int) -> Course:
        found = tuple(sorted(self.found, key=lambda one: one.ts_ms))
        times = np.array(self.times, np.int64)
        return Course(times, np.array(self.levels), np.array(self.rises), found, register.ratios, interval_ms)


def _eventful(ts: list[int], value: list[float], register: Register) -> _Way:
    """Follow a register that fell or leapt, reading by reading."""
    used, brief = _without_brief_zeros(ts, value, register)
    way = _Way([ts[used[0]]], [value[used[0]]], [], list(brief), held=value[used[0]])
    for before, after in pairwise(used):
        span = (ts[before], ts[after])
        rise, event, way.held = _step(way.held, value[before], value[after], span, register)
        way.times.append(ts[after])
        way.levels.append(value[after])
        way.rises.append(rise)
        if event is not None:
            counted = _quantised(_with_ratio(rise, span, register.ratios))
            way.found.append(Happening(ts[after], event, value[before], value[after], counted))
    return way


def _changed(ts: list[int], value: list[float], register: Register, changes: Sequence[Change]) -> _Way:
    """Follow the registers that stood one after the other, each by itself, and join them at the changes."""
    whole = _Way()
    for began, ended in pairwise([None, *changes, None]):
        first = 0 if began is None else bisect_right(ts, began.at_ms)
        last = len(ts) if ended is None else bisect_left(ts, ended.at_ms)
        own_ts, own_value = ts[first:last], value[first:last]
        if began is not None:
            own_ts, own_value = [began.at_ms, *own_ts], [began.initial, *own_value]
        if not own_ts:
            continue
        part = _eventful(own_ts, own_value, register)
        if ended is not None:
            _finish(part, ended, register)
        whole.times += part.times
        whole.levels += part.levels
        whole.rises += part.rises
        whole.found += part.found
    return whole


def _finish(way: _Way, change: Change, register: Register) -> None:
    """Let a register run to its declared final reading."""
    span = (way.times[-1], change.at_ms)
    rise, event = _final(way.held, way.levels[-1], change.final, span, register)
    way.rises.append(rise)
    counted = _quantised(_with_ratio(rise, span, register.ratios))
    way.found.append(Happening(change.at_ms, event, change.final, change.initial, counted))


def _final(held: float, before: float, final: float, span: tuple[int, int], register: Register) -> tuple[float, Event]:
    """Say what the segment to a declared final reading counts; only more than max_rate is not believed."""
    rise, event, _ = _step(held, before, final, span, register)
    return rise, Event.TOO_FAST if event is Event.TOO_FAST else Event.CHANGED


def fits(before: float, after: float, span: tuple[int, int], register: Register) -> bool:
    """Whether a register can have come from one reading to another by counting, rolling over or falling slightly."""
    return _step(before, before, after, span, register)[1] in (None, Event.ROLL_OVER, Event.SLIGHT_FALL)


def _without_brief_zeros(ts: list[int], value: list[float], register: Register) -> tuple[list[int], list[Happening]]:
    """Leave out at most three zeros between readings that fit together; give the places kept and the events."""
    kept, found, place = [0], [], 1
    while place < len(ts):
        last = kept[-1]
        end = place
        while end < len(ts) and value[end] == 0 and value[last] > 0 and end - place < MOST_ZEROS:
            end += 1
        fits = place < end < len(ts) and value[end] != 0 and value[end] >= value[last]
        if fits and _is_plausible(value[end] - value[last], (ts[last], ts[end]), register):
            found.append(Happening(ts[place], Event.BRIEF_ZERO, value[last], 0.0, 0))
            place = end
        kept.append(place)
        place += 1
    return kept, found


def _step(
    held: float, before: float, after: float, span: tuple[int, int], register: Register
) -> tuple[float, Event | None, float]:
    """Say what one segment counts: (rise, event, level held from here on)."""
    if after >= held:
        rise = after - held
        if _is_plausible(rise, span, register):
            return rise, None, after
        return 0.0, Event.TOO_FAST, after
    if before < held and after >= before:  # still below the level held since a slight fall
        return 0.0, None, held
    if register.wraps_at is not None:
        wrapped = register.wraps_at - held + after
        within_half = wrapped < PLAUSIBLE_WRAP * register.wraps_at
        if (
            within_half if register.max_rate_per_h is None else _is_plausible(wrapped, span, register)
        ) and wrapped >= 0:
            return wrapped, Event.ROLL_OVER, after
    if held - after <= SLIGHT_FALL * held:
        return 0.0, Event.SLIGHT_FALL, held
    if after >= 0 and _is_plausible(after, span, register):
        return after, Event.RESET, after
    return 0.0, Event.REPLACED, after


def _is_plausible(rise: float, span: tuple[int, int], register: Register) -> bool:
    """Whether an amount, after the ratio, is within max_rate; anything is without one."""
    if register.max_rate_per_h is None:
        return True
    return _with_ratio(rise, span, register.ratios) <= register.max_rate_per_h * (span[1] - span[0]) / HOUR_MS


def _with_ratio(rise: float, span: tuple[int, int], ratios: tuple[RatioSpan, ...]) -> float:
    """Multiply a segment's rise with its ratio, split by time where the ratio changed inside."""
    edges = [span[0], *_changes(ratios, *span), span[1]]
    share = rise / (span[1] - span[0])
    return (
        sum(share * (end - start) * ratio_at(ratios, start) for start, end in pairwise(edges))
        if len(edges) > 2
        else (rise * ratio_at(ratios, span[0]))
    )


def _changes(ratios: tuple[RatioSpan, ...], start: int, end: int) -> list[int]:
    return sorted({span.start_ms for span in ratios if span.start_ms is not None and start < span.start_ms < end})


def _quantised(amount: float) -> int:
    return round(amount * QUANTUM)


def _reached(course: Course, segment: int, at_ms: int) -> int:
    """Read the register off a segment's line at an instant, after the ratio, in 1e-6 unit."""
    start, end = int(course.ts[segment]), int(course.ts[segment + 1])
    level, rise = float(course.level[segment]), float(course.rise[segment])
    base = level * ratio_at(course.ratios, start)
    if not _changes(course.ratios, start, end):
        ratio = ratio_at(course.ratios, start)
        return _quantised(
            (level + rise * ((at_ms - start) / (end - start))) * ratio if at_ms < end else (level + rise) * ratio
        )
    part = rise * ((at_ms - start) / (end - start))
    return _quantised(base + (_with_ratio(part, (start, at_ms), course.ratios) if at_ms > start else 0.0))


class Edges:
    """Reads amounts of any windows off one course."""

    def __init__(self, course: Course) -> None:
        self._course = course
        count = max(len(course.ts) - 1, 0)
        self._jump = np.zeros(len(course.ts), np.int64)  # at reading i: what the line's end does not explain
        for segment in np.flatnonzero(self._is_broken()) if count else ():
            after = int(segment) + 1
            self._jump[after] = self._own(after) - _reached(course, int(segment), int(course.ts[after]))
        self._jumps = np.cumsum(self._jump)
        self._gap = np.diff(course.ts) > GAP_INTERVALS * course.interval_ms

    def _is_broken(self) -> NDArray[np.bool_]:
        """Which segments do not simply end at the next reading: an event, or another ratio there."""
        course = self._course
        broken: NDArray[np.bool_] = course.rise != np.diff(course.level)
        for span in course.ratios:
            if span.start_ms is not None:
                broken |= (course.ts[:-1] < span.start_ms) & (course.ts[1:] >= span.start_ms)
        return broken

    def _own(self, place: int) -> int:
        """Give the register as read, after the ratio in force at that reading."""
        at = int(self._course.ts[place])
        return _quantised(float(self._course.level[place]) * ratio_at(self._course.ratios, at))

    def amount(self, start_ms: int, end_ms: int) -> Amount:
        """Give what [start, end) counted; where readings do not reach, the window is shorter and says so."""
        ts = self._course.ts
        if len(ts) < 2:
            return Amount(None, 0, 0)
        start, end = max(start_ms, int(ts[0])), min(end_ms, int(ts[-1]))
        if start >= end:
            return Amount(None, 0, 0)
        first = int(np.searchsorted(ts, start, "right")) - 1
        last = int(np.searchsorted(ts, end, "left")) - 1
        total = self._cumulated(end) - self._cumulated(start)
        cut_start = bool(self._gap[first]) and int(ts[first]) < start_ms
        cut_end = bool(self._gap[last]) and int(ts[last + 1]) > end_ms
        return Amount(total, end - start, CUT_START * cut_start + CUT_END * cut_end)

    def _cumulated(self, at_ms: int) -> int:
        """Give the quantised register less all jumps up to an instant: differences of this are amounts."""
        ts = self._course.ts
        place = int(np.searchsorted(ts, at_ms, "right")) - 1
        level = self._own(place) if ts[place] == at_ms else _reached(self._course, place, at_ms)
        return level - int(self._jumps[place])
