"""This module proves what registers count: at edges, over gaps, through resets, and by ratios that change.

Expected figures are worked by hand; readings are a quarter of an hour apart from a local midnight unless said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.model.plant import RatioSpan, Register
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, to_ms
from plantmon.windows.counter import CUT_END, CUT_START, QUANTUM, Course, Edges, Event, course
from simulators import truth
from simulators.faults import Delivery

START = to_ms(datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai")))
QUARTER_MS = 15 * MINUTE_MS


def a_register(
    ratios: tuple[RatioSpan, ...] = (), wraps_at: float | None = None, max_rate: float | None = None
) -> Register:
    """Give a register; by default ratio 1, without wrap or largest rate."""
    return Register(ratios, wraps_at, max_rate, None, None, None)


def follow(
    values: Sequence[float], register: Register | None = None, start: int = START, step: int = QUARTER_MS
) -> Course:
    """Follow readings at even steps."""
    ts = np.array([start + turn * step for turn in range(len(values))], np.int64)
    return course(ts, np.array(values, np.float64), register or a_register(), QUARTER_MS)


def total(way: Course, start: int = START - DAY_MS, end: int = START + DAY_MS) -> int | None:
    """Give what a span counted, in micro-units."""
    return Edges(way).amount(start, end).amount


def kinds(way: Course) -> list[str]:
    """Name the events."""
    return [str(one.event) for one in way.happenings]


RATED = a_register(wraps_at=1e6, max_rate=1000)

CASES = [
    pytest.param([100, 110, 120, 130, 145.5], None, [], 45.5, id="plain"),
    pytest.param([100, 100, 100], None, [], 0, id="nothing used"),
    pytest.param([100, 110, 3, 5, 6], None, ["reset"], 10 + 3 + 2 + 1, id="reset counts from 0"),
    pytest.param([100, 110, 0, 0, 0, 120], None, ["brief_zero"], 20, id="three zeros are brief"),
    pytest.param([100, 110, 0, 0, 0, 0, 120], None, ["reset"], 10 + 120, id="four zeros are a reset"),
    pytest.param([100, 110, 0, 105], None, ["reset"], 10 + 105, id="a zero before less than before is a reset"),
    pytest.param([100, 110, 0, 5000], a_register(max_rate=1000), ["reset", "too_fast"], 10,
                 id="a zero before more than max_rate allows is no brief zero"),
    pytest.param([0, 0, 0, 10], None, [], 10, id="zeros at the beginning are a register"),
    pytest.param([100, 110, 0, 0], None, ["reset"], 10, id="zeros at the end wait for what follows"),
    pytest.param([999_980, 999_990, 5, 15], RATED, ["roll_over"], 10 + 15 + 10, id="roll-over"),
    pytest.param([999_980, 999_990, 5], a_register(wraps_at=1e6), ["roll_over"], 10 + 15, id="roll-over without rate"),
    pytest.param([400_000, 400_010, 5], a_register(wraps_at=1e6), ["reset"], 10 + 5,
                 id="without max_rate only the shorter way round is a roll-over"),
    pytest.param([500_000, 500_010, 5], RATED, ["reset"], 10 + 5, id="around would be too much: reset"),
    pytest.param([1000, 995, 998, 1004], None, ["slight_fall"], 4, id="only what rises above the old level counts"),
    pytest.param([1000, 990, 1000, 1001], None, ["slight_fall"], 1, id="exactly 1 % is slight"),
    pytest.param([1000, 989.9, 991], None, ["reset"], 989.9 + 1.1, id="more than 1 % is not"),
    pytest.param([1000, 995, 993, 1001], None, ["slight_fall", "slight_fall"], 1, id="falls again below"),
    pytest.param([1000, 995, 20], None, ["slight_fall", "reset"], 20, id="reset after a slight fall"),
    pytest.param([999_999, 999_995, 3], RATED, ["slight_fall", "roll_over"], 4,
                 id="roll-over after a slight fall counts from the level held"),
    pytest.param([5000, 5010, 4000, 4010], a_register(max_rate=1000), ["replaced"], 10 + 0 + 10,
                 id="a fall to more than max_rate explains is a replacement"),
    pytest.param([5000, 5010, 250, 260], a_register(max_rate=1000), ["reset"], 10 + 250 + 10,
                 id="exactly max_rate is plausible"),
    pytest.param([5000, 5010, 250.1, 260], a_register(max_rate=1000), ["replaced"], 10 + 9.9, id="above it is not"),
    pytest.param([5000, 5010, 6000, 6010], a_register(max_rate=1000), ["too_fast"], 10 + 10, id="too fast counts 0"),
    pytest.param([5000, 5250, 5260], a_register(max_rate=1000), [], 260, id="as fast as max_rate"),
    pytest.param([-5, 3, 8], None, [], 13, id="a register below zero that rises"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "register", "events", "amount"), CASES)
def test_what_a_register_did(values: list[float], register: Register | None, events: list[str], amount: float) -> None:
    """Each event is told by the settled tests in their order, and counts what it proves."""
    way = follow(values, register)
    assert kinds(way) == events
    assert total(way) == round(amount * QUANTUM)


@pytest.mark.parametrize(("values", "register", "events", "amount"), CASES)
def test_truth_says_the_same(values: list[float], register: Register | None, events: list[str], amount: float) -> None:
    """The independent reference finds the same events and total in every case."""
    rules = truth.RegisterRules(
        QUARTER_MS,
        wraps_at=register.wraps_at if register else None,
        max_rate_per_h=register.max_rate_per_h if register else None,
    )
    sent = [Delivery(0, START + turn * QUARTER_MS, "E", float(value), "N") for turn, value in enumerate(values)]
    counter = truth.TrueCounter(rules, sent)
    assert [one.kind for one in counter.events] == events
    assert counter.window(START - DAY_MS, START + DAY_MS).micro == round(amount * QUANTUM)


def test_happening_tells_before_after_and_amount() -> None:
    """An event carries its reading's instant, the register before and after, and what was counted for it."""
    (one,) = follow([100, 110, 3], a_register((RatioSpan(40.0, None, None),))).happenings
    assert (one.ts_ms, one.event, one.before, one.after) == (START + 2 * QUARTER_MS, Event.RESET, 110, 3)
    assert one.amount == 120 * QUANTUM


@pytest.mark.parametrize("event", list(Event))
def test_only_doubtful_events_are_faults(event: Event) -> None:
    """A replacement and a leap ask a person to look; the others explain themselves."""
    assert event.is_fault == (event in (Event.REPLACED, Event.TOO_FAST))


def test_max_rate_is_compared_after_the_ratio() -> None:
    """A rise of 10 at ratio 40 is 400 in a quarter of an hour: above 1000 an hour."""
    way = follow([100, 110], a_register((RatioSpan(40.0, None, None),), max_rate=1000))
    assert (kinds(way), total(way)) == (["too_fast"], 0)
    assert kinds(follow([100, 110], a_register((RatioSpan(20.0, None, None),), max_rate=1000))) == []


# Edges


def test_edge_is_interpolated_and_quantised() -> None:
    """An edge a third between two readings takes a third of the rise, to 1e-6, and the rest goes to the next window."""
    edges = Edges(follow([0, 1], start=START - 5 * MINUTE_MS))
    before, after = edges.amount(START - HOUR_MS, START), edges.amount(START, START + HOUR_MS)
    assert (before.amount, after.amount) == (333_333, 666_667)
    assert (before.covered_ms, after.covered_ms) == (5 * MINUTE_MS, 10 * MINUTE_MS)


def test_half_a_quantum_goes_to_even() -> None:
    """An edge on half a micro-unit goes to the even one, below and above."""
    edges = Edges(follow([0, 0.000001, 0.000004], start=START - QUARTER_MS // 2))
    assert edges.amount(START - QUARTER_MS // 2, START).amount == 0
    assert edges.amount(START - QUARTER_MS // 2, START + QUARTER_MS).amount == 2


def test_quantised_after_the_ratio() -> None:
    """With ratio 1000 an edge is exact to 1e-9 of the register."""
    edges = Edges(follow([0, 1], a_register((RatioSpan(1000.0, None, None),)), START - 5 * MINUTE_MS))
    assert edges.amount(START - HOUR_MS, START).amount == 333_333_333


@pytest.mark.parametrize(("values", "why"), [([], "no reading"), ([5.0], "one reading")])
def test_no_amount_without_two_readings(values: list[float], why: str) -> None:
    """Without readings on both sides nothing is known, and unknown is not 0."""
    assert Edges(follow(values)).amount(START, START + HOUR_MS).amount is None, why


def test_nothing_is_extrapolated() -> None:
    """A window that readings reach into only part of counts that part and says how much; one beyond knows nothing."""
    edges = Edges(follow([0, 4, 8]))
    partly = edges.amount(START, START + HOUR_MS)
    assert (partly.amount, partly.covered_ms) == (8 * QUANTUM, 30 * MINUTE_MS)
    assert edges.amount(START + HOUR_MS, START + 2 * HOUR_MS).amount is None
    assert edges.amount(START - HOUR_MS, START).amount is None


def test_event_on_an_edge_belongs_to_the_window_that_ends_there() -> None:
    """A reset read exactly at the hour counts in the hour before."""
    edges = Edges(follow([100, 110, 120, 130, 4, 5]))
    assert edges.amount(START, START + HOUR_MS).amount == 34 * QUANTUM
    assert edges.amount(START + HOUR_MS, START + 2 * HOUR_MS).amount == 1 * QUANTUM


# Gaps


def gap(quarters: int) -> Edges:
    """Give a register that is silent for so many quarters from 00:30, and counts one a minute."""
    ts = np.array([0, 1, 2, 2 + quarters, 3 + quarters, 4 + quarters], np.int64) * QUARTER_MS
    return Edges(course(START + ts, ts / MINUTE_MS, a_register(), QUARTER_MS))


def test_gap_keeps_its_total_and_says_the_split_is_estimated() -> None:
    """Over a gap of five hours the total is exact; the hours inside and at both ends are estimated, no others."""
    edges = gap(20)
    found = [edges.amount(START + turn * HOUR_MS, START + (turn + 1) * HOUR_MS) for turn in range(6)]
    assert [one.amount for one in found] == [60 * QUANTUM] * 6
    assert [one.estimated for one in found] == [CUT_END, *[CUT_START + CUT_END] * 4, CUT_START]
    assert edges.amount(START, START + 6 * HOUR_MS).estimated == 0


@pytest.mark.parametrize(("quarters", "estimated"), [(3, 0), (4, CUT_END)])
def test_three_intervals_are_no_gap(quarters: int, estimated: int) -> None:
    """A silence of three intervals is usual, a longer one a gap."""
    assert gap(quarters).amount(START, START + HOUR_MS).estimated == estimated


def test_gap_that_ends_on_the_edge_is_whole() -> None:
    """A gap between two edges is inside its window, which then is measured."""
    edges = gap(6)
    assert edges.amount(START + 30 * MINUTE_MS, START + 2 * HOUR_MS).estimated == 0


# Ratios

MIDNIGHT_CHANGE = (RatioSpan(10.0, None, START), RatioSpan(30.0, START, None))


def test_ratio_that_changes_splits_by_time() -> None:
    """Across local midnight 6 register units of 15 minutes count 2 at ratio 10 and 4 at ratio 30."""
    edges = Edges(follow([100, 106], a_register(MIDNIGHT_CHANGE), START - 5 * MINUTE_MS))
    assert edges.amount(START - HOUR_MS, START).amount == 20 * QUANTUM
    assert edges.amount(START, START + HOUR_MS).amount == 120 * QUANTUM


def test_ratio_that_changes_at_a_reading() -> None:
    """Where the change falls on a reading, each interval has its own ratio and the jump counts nothing."""
    edges = Edges(follow([100, 101, 102], a_register(MIDNIGHT_CHANGE), START - QUARTER_MS))
    assert edges.amount(START - HOUR_MS, START).amount == 10 * QUANTUM
    assert edges.amount(START, START + HOUR_MS).amount == 30 * QUANTUM
    assert edges.amount(START - HOUR_MS, START + HOUR_MS).amount == 40 * QUANTUM


# Properties

STEPS = st.lists(st.tuples(st.integers(1, 8), st.decimals(-30, 60, places=3).map(float)), min_size=2, max_size=30)
RATIOS = st.sampled_from([
    (),
    (RatioSpan(0.1, None, None),),
    (RatioSpan(37.123, None, None),),
    (RatioSpan(10.0, None, START + HOUR_MS), RatioSpan(33.3, START + HOUR_MS, None)),
])  # fmt: skip
REGISTERS = st.builds(a_register, RATIOS, st.sampled_from([None, 1000.0]), st.sampled_from([None, 20.0, 3000.0]))


def random_course(steps: list[tuple[int, float]], register: Register) -> Course:
    """Follow a register that makes steps up and down after odd times."""
    ts, value, at, level = [], [], START - 7 * MINUTE_MS, 400.0
    for gap_turns, step in steps:
        ts.append(at)
        value.append(max(level, 0.0))
        at += gap_turns * 7 * MINUTE_MS + 1_001
        level = round(level + step, 3)
    return course(np.array(ts, np.int64), np.array(value), register, QUARTER_MS)


@given(STEPS, REGISTERS, st.lists(st.integers(-HOUR_MS, 40 * HOUR_MS), min_size=1, max_size=12))
def test_split_anywhere_joins_to_the_same(steps: list[tuple[int, float]], register: Register, cuts: list[int]) -> None:
    """A span cut anywhere adds up to the whole in integers, for any ratio, reset or roll-over."""
    edges = Edges(random_course(steps, register))
    whole = edges.amount(START - HOUR_MS, START + 40 * HOUR_MS)
    places = sorted({START - HOUR_MS, START + 40 * HOUR_MS, *(START + cut for cut in cuts)})
    parts = [edges.amount(one, other) for one, other in pairwise(places)]
    assert sum(part.amount or 0 for part in parts) == whole.amount
    assert sum(part.covered_ms for part in parts) == whole.covered_ms


def outside_of_ratio_changes(way: Course, hour: int) -> int:
    """Give how much of the segments that reach into an hour and hold a change of ratio lies outside of it."""
    outside = 0
    for start, end in pairwise(way.ts.tolist()):
        inside = min(end, hour + HOUR_MS) - max(start, hour)
        if inside > 0 and any(span.start_ms is not None and start < span.start_ms < end for span in way.ratios):
            outside += end - start - inside
    return outside


@given(STEPS, REGISTERS)
def test_hours_are_never_negative_nor_absurd(steps: list[tuple[int, float]], register: Register) -> None:
    """No hour counts below zero, nor more than max_rate allows, to the rounding of its two edges and its events.

    A segment in which the ratio changes keeps max_rate as a whole, but its parts differ by their ratios: an hour that
    holds a part of it may count up to what the whole segment may.
    """
    way = random_course(steps, register)
    edges = Edges(way)
    for turn in range(-1, 30):
        found = edges.amount(START + turn * HOUR_MS, START + (turn + 1) * HOUR_MS)
        slack = 2 + len(way.happenings)
        assert found.amount is None or found.amount >= -slack
        if found.amount is not None and register.max_rate_per_h is not None:
            covered_ms = found.covered_ms + outside_of_ratio_changes(way, START + turn * HOUR_MS)
            assert found.amount <= register.max_rate_per_h * covered_ms / HOUR_MS * QUANTUM + slack


@given(STEPS, REGISTERS)
def test_any_register_agrees_with_the_truth(steps: list[tuple[int, float]], register: Register) -> None:
    """Over any course the events are those of the reference, and each hour its total to the rounding of its events."""
    way = random_course(steps, register)
    ts, value = [], []
    at, level = START - 7 * MINUTE_MS, 400.0
    for gap_turns, step in steps:
        ts.append(at)
        value.append(max(level, 0.0))
        at += gap_turns * 7 * MINUTE_MS + 1_001
        level = round(level + step, 3)
    ratios = tuple(truth.Ratio(one.value, one.start_ms, one.end_ms) for one in register.ratios) or (truth.Ratio(1.0),)
    rules = truth.RegisterRules(QUARTER_MS, ratios, register.wraps_at, register.max_rate_per_h)
    sent = [Delivery(0, one, "E", each, "N") for one, each in zip(ts, value, strict=True)]
    counter = truth.TrueCounter(rules, sent)
    assert kinds(way) == [one.kind for one in counter.events]
    for turn in range(-1, 30):
        start, end = START + turn * HOUR_MS, START + (turn + 1) * HOUR_MS
        found, true = Edges(way).amount(start, end), counter.window(start, end)
        assert (found.amount is None) == (true.micro is None)
        if true.micro is not None:
            assert abs((found.amount or 0) - true.micro) <= 2 + len(true.events) + len(register.ratios)
        assert found.covered_ms == true.coverage * HOUR_MS
        assert bool(found.estimated) == true.is_estimated
