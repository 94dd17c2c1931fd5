"""This module proves what increments and rates count: spread over their time, quantised so that any cut adds up.

Expected figures are worked by hand, in fractions; times are minutes after a local midnight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.model.plant import RatioSpan, Register
from plantmon.times import HOUR_MS, MINUTE_MS, to_ms
from plantmon.windows.counter import CUT_END, CUT_START, QUANTUM, Event
from plantmon.windows.flow import Flow, increments, rates

START = to_ms(datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai")))
QUARTER_MS = 15 * MINUTE_MS
Reading = tuple[float, float]  # minutes after the start, value


def a_register(ratio: float | None = None, max_rate: float | None = None, per_hour: float = 1.0) -> Register:
    """Give what is known of a meter without register."""
    ratios = () if ratio is None else (RatioSpan(ratio, None, None),)
    return Register(ratios, None, max_rate, None, None, None, per_hour=per_hour)


def flow(
    make: Callable[..., Flow], readings: Sequence[Reading], register: Register | None = None, interval: int = QUARTER_MS
) -> Flow:
    """Follow readings."""
    ts = np.array([START + round(minute * MINUTE_MS) for minute, _ in readings], np.int64)
    return make(ts, np.array([value for _, value in readings], np.float64), register or a_register(), interval)


def micro(way: Flow, first: float, last: float) -> int | None:
    """Give what the minutes from one to another counted."""
    return way.amount(START + round(first * MINUTE_MS), START + round(last * MINUTE_MS)).amount


# Increments


def test_an_increment_is_what_came_since_the_reading_before() -> None:
    """Of 3, 6 and 9 at 0:00, 0:15 and 0:30 the first opens; 15 are counted, 6 in the first quarter."""
    way = flow(increments, [(0, 3), (15, 6), (30, 9)])
    assert (micro(way, 0, 15), micro(way, 15, 30), micro(way, -60, 60)) == (6 * QUANTUM, 9 * QUANTUM, 15 * QUANTUM)
    assert micro(way, 0, 5) == 2 * QUANTUM  # a third of 6


def test_ratio_is_unit_per_pulse() -> None:
    """1000 pulses of 0.1 kWh are 100 kWh, exactly."""
    assert micro(flow(increments, [(0, 0), (15, 1000)], a_register(0.1)), 0, 60) == 100 * QUANTUM


def test_an_increment_is_one_whole_however_it_is_cut() -> None:
    """One pulse over three hours is 333,333 or 333,334 millionths an hour, and 1 together."""
    way = flow(increments, [(0, 0), (180, 1)])
    hours = [micro(way, 60 * turn, 60 * turn + 60) for turn in range(3)]
    assert hours == [333_333, 333_334, 333_333]
    assert micro(way, 0, 180) == QUANTUM


def test_ratio_that_changes_splits_by_time() -> None:
    """Of 30 pulses in half an hour, 10 fall before the change at ten past: 10 x 1 + 20 x 2."""
    register = Register(
        (RatioSpan(1.0, None, START + 10 * MINUTE_MS), RatioSpan(2.0, START + 10 * MINUTE_MS, None)),
        None, None, None, None, None,
    )  # fmt: skip
    way = flow(increments, [(0, 0), (30, 30)], register)
    assert (micro(way, 0, 10), micro(way, 10, 30), micro(way, 0, 30)) == (10 * QUANTUM, 40 * QUANTUM, 50 * QUANTUM)


def test_a_gap_keeps_its_increment_and_says_the_split_is_estimated() -> None:
    """What an increment after two silent hours says is its total; the hours it cuts are estimated."""
    way = flow(increments, [(0, 0), (15, 1), (135, 8), (150, 1)])
    found = [way.amount(START + turn * HOUR_MS, START + (turn + 1) * HOUR_MS) for turn in range(3)]
    assert sum(one.amount or 0 for one in found) == 10 * QUANTUM
    assert [one.estimated for one in found] == [CUT_END, CUT_START + CUT_END, CUT_START]
    assert found[0].amount == 4 * QUANTUM  # 1, and 45 of 120 minutes of 8


@pytest.mark.parametrize(("value", "event"), [(-1.0, Event.NEGATIVE), (300.0, Event.TOO_FAST)])
def test_what_is_not_believed_counts_nothing(value: float, event: Event) -> None:
    """An increment below zero, or above max_rate (250 in a quarter of an hour), counts 0 and is told."""
    way = flow(increments, [(0, 0), (15, 5), (30, value), (45, 5)], a_register(max_rate=1000))
    assert micro(way, 0, 45) == 10 * QUANTUM
    assert [(one.event, one.before, one.after, one.amount) for one in way.happenings] == [(event, 5, value, 0)]


def test_one_increment_counts_nothing_yet() -> None:
    """Without a reading before there is no time to spread over: unknown, not 0."""
    assert micro(flow(increments, [(0, 7)]), 0, 60) is None


# Rates


def test_a_rate_stands_until_the_next() -> None:
    """60 kW for a quarter and 20 kW for the next are 15 and 5 kWh."""
    way = flow(rates, [(0, 60), (15, 20), (30, 0), (45, 0), (60, 0)])
    assert (micro(way, 0, 15), micro(way, 15, 30), micro(way, 0, 60)) == (15 * QUANTUM, 5 * QUANTUM, 20 * QUANTUM)


def test_a_rate_stands_at_most_two_intervals() -> None:
    """A value of 60 at 0:00 with the next at 1:00 stands for half an hour; the other half is not covered."""
    way = flow(rates, [(0, 60), (60, 60)])
    found = way.amount(START, START + HOUR_MS)
    assert (found.amount, found.covered_ms) == (30 * QUANTUM, 30 * MINUTE_MS)
    assert micro(way, 30, 60) is None
    last = way.amount(START + HOUR_MS, START + 2 * HOUR_MS)
    assert (last.amount, last.covered_ms) == (30 * QUANTUM, 30 * MINUTE_MS)


def test_unit_of_a_rate_is_brought_to_the_amounts() -> None:
    """3 MW for half an hour are 1500 kWh, behind a ratio of 2 twice as much."""
    way = flow(rates, [(0, 3), (15, 3)], a_register(2.0, per_hour=1000))
    assert micro(way, 0, 30) == 3000 * QUANTUM


def test_an_hour_of_many_pieces_is_rounded_once() -> None:
    """0.1 kW every ten seconds is 0.1 kWh an hour, though no piece (1/3600 kWh) is whole in millionths."""
    way = flow(rates, [(turn / 6, 0.1) for turn in range(361)], interval=10_000)
    assert micro(way, 0, 60) == 100_000


def test_a_run_of_unbelievable_rates_is_told_once() -> None:
    """Rates above max_rate, and those below zero, count 0; their first is told, the next run again."""
    values = [5, 2000, 2000, 5, -1, -1, 2000]
    way = flow(rates, [(15 * turn, value) for turn, value in enumerate(values)], a_register(max_rate=1000))
    assert [(one.ts_ms - START, one.event) for one in way.happenings] == [
        (QUARTER_MS, Event.TOO_FAST), (4 * QUARTER_MS, Event.NEGATIVE), (6 * QUARTER_MS, Event.TOO_FAST),
    ]  # fmt: skip
    assert micro(way, 0, 120) == round(2.5 * QUANTUM)


def test_swapped_bytes_are_no_rate() -> None:
    """A value no meter can show is left out; the one before stands on."""
    assert micro(flow(rates, [(0, 60), (15, 1e37), (30, 60)]), 0, 30) == 30 * QUANTUM


# Properties

STEPS = st.lists(st.tuples(st.integers(1, 6 * 3600), st.decimals(0, 500, places=3)), min_size=2, max_size=25)
KINDS = st.sampled_from([increments, rates])
RATIOS = st.sampled_from([
    (),
    (RatioSpan(0.1, None, None),),
    (RatioSpan(37.123, None, START + 5 * MINUTE_MS), RatioSpan(3.0, START + 5 * MINUTE_MS, None)),
])  # fmt: skip


def random_flow(make: Callable[..., Flow], steps: list[tuple[int, object]], ratios: tuple[RatioSpan, ...]) -> Flow:
    """Follow values after odd times, from some minutes before midnight."""
    at, ts = START - 11 * MINUTE_MS - 1, []
    for seconds, _ in steps:
        ts.append(at)
        at += seconds * 1000 + 1
    register = Register(ratios, None, None, None, None, None)
    return make(np.array(ts, np.int64), np.array([float(str(one)) for _, one in steps]), register, QUARTER_MS)


@given(KINDS, STEPS, RATIOS, st.lists(st.integers(-HOUR_MS, 150 * HOUR_MS), max_size=12))
def test_split_anywhere_joins_to_the_same(
    make: Callable[..., Flow], steps: list[tuple[int, object]], ratios: tuple[RatioSpan, ...], cuts: list[int]
) -> None:
    """A span cut anywhere adds up to the whole in integers, its covered time too."""
    way = random_flow(make, steps, ratios)
    whole = way.amount(START - HOUR_MS, START + 150 * HOUR_MS)
    places = sorted({START - HOUR_MS, START + 150 * HOUR_MS, *(START + cut for cut in cuts)})
    parts = [way.amount(one, other) for one, other in pairwise(places)]
    assert sum(part.amount or 0 for part in parts) == (whole.amount or 0)
    assert sum(part.covered_ms for part in parts) == whole.covered_ms


@given(KINDS, STEPS, RATIOS)
def test_an_hour_hangs_on_its_neighbours_alone(
    make: Callable[..., Flow], steps: list[tuple[int, object]], ratios: tuple[RatioSpan, ...]
) -> None:
    """An hour comes out the same from the whole course and from its own readings with one more on each side."""
    way = random_flow(make, steps, ratios)
    for turn in range(-1, 30):
        hour = START + turn * HOUR_MS
        first = max(int(np.searchsorted(way.read, hour, "right")) - 2, 0)
        last = int(np.searchsorted(way.read, hour + HOUR_MS, "left")) + 2
        part = slice(first, last)
        values = np.array([float(str(one)) for _, one in steps])
        near = make(way.read[part], values[part], Register(ratios, None, None, None, None, None), QUARTER_MS)
        if first == 0 or len(near.read) > 2:
            assert near.amount(hour, hour + HOUR_MS) == way.amount(hour, hour + HOUR_MS)


@given(STEPS)
def test_increments_lose_nothing(steps: list[tuple[int, object]]) -> None:
    """The whole is the sum of all increments but the first, exactly."""
    way = random_flow(increments, steps, ())
    total = sum((Fraction(str(one)) for _, one in steps[1:]), Fraction(0))
    assert way.amount(START - HOUR_MS, START + 1000 * HOUR_MS).amount == total * QUANTUM


@given(STEPS)
def test_rates_agree_with_the_integral(steps: list[tuple[int, object]]) -> None:
    """The whole is the integral in fractions, to half a millionth for each hour that has a value."""
    way = random_flow(rates, steps, ())
    ends = [min(after, before + 2 * QUARTER_MS) for before, after in pairwise(way.read.tolist())]
    ends.append(int(way.read[-1]) + 2 * QUARTER_MS)
    exact = sum(
        (Fraction(str(one)) * (end - start) / HOUR_MS
         for (_, one), start, end in zip(steps, way.read.tolist(), ends, strict=True)),
        Fraction(0),
    )  # fmt: skip
    found = way.amount(START - HOUR_MS, START + 1000 * HOUR_MS).amount
    hours = (ends[-1] - int(way.read[0])) // HOUR_MS + 2
    assert found is not None
    assert abs(found - exact * QUANTUM) <= hours * Fraction(51, 100)
