"""This module proves what must hold of waste water by volume for any results and any flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from builders import a_point, some_rules
from hypothesis import given
from hypothesis import strategies as st

from plantmon.averages.water_flow import Floats, Flow, filled, volumes_m3
from plantmon.averages.weighing import Results
from plantmon.compliance.water import flow_weighted_day, ph_hour
from plantmon.model.minutes import MINUTES, MinuteBlock
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

START = 1_772_380_800_000
END = START + DAY_MS
HOURS = 26
POINT = a_point("DW001.cod", quantity="cod", unit="mg/L", interval_ms=HOUR_MS, range_low=0.0, range_high=2000.0)
PH = a_point("DW001.ph", quantity="ph", unit="pH", interval_ms=MINUTE_MS, range_low=0.0, range_high=14.0)
RULES = some_rules()


@dataclass
class Given:
    """Results with the flow beside them."""

    results: Results
    flow: Flow

    def day(self) -> object:
        """Measure the day."""
        return flow_weighted_day(POINT, RULES, START, END, self.results, self.flow)


def flow_like(hourly: list[float | None], seed: int) -> Flow:
    """Give minutes that scatter about hourly flows; None is unknown, and so is a minute here and there."""
    chance = np.random.default_rng(seed)
    m3_h = np.repeat(np.array([np.nan if one is None else one for one in hourly]), MINUTES)
    m3_h = m3_h * chance.uniform(0.5, 1.5, len(m3_h))
    return Flow(START, np.where(chance.random(len(m3_h)) < 0.02, np.nan, m3_h))


flows = st.builds(
    flow_like,
    st.lists(st.none() | st.just(0.0) | st.floats(0.01, 500), min_size=HOURS, max_size=HOURS),
    st.integers(0, 99),
)


@st.composite
def results(draw: st.DrawFn, value: st.SearchStrategy[float] | None = None) -> Results:
    """Give results at odd times, some flagged, some over range."""
    ts = draw(st.lists(st.integers(START, START + HOURS * HOUR_MS), max_size=40, unique=True))
    values = st.integers(0, 200_000).map(lambda hundredths: hundredths / 100) if value is None else value
    kind = draw(st.lists(st.sampled_from("VVVVVOX"), min_size=len(ts), max_size=len(ts)))
    return Results(
        np.array(ts, np.int64),
        np.array(draw(st.lists(values, min_size=len(ts), max_size=len(ts))), np.float64),
        np.array([one == "V" for one in kind], bool),
        np.array([one == "O" for one in kind], bool),
    )


@given(st.builds(Given, results(), flows), st.randoms())
def test_order_is_irrelevant(case: Given, chance: object) -> None:
    """Results in any order make the same day, bit for bit."""
    before = case.day()
    order = np.arange(len(case.results.ts))
    chance.shuffle(order)  # type: ignore[attr-defined]
    one = case.results
    case.results = Results(one.ts[order], one.value[order], one.valid[order], one.over[order])
    assert case.day() == before


@given(st.integers(0, 200_000), st.data(), flows)
def test_constant_concentration_gives_itself(hundredths: int, data: st.DataObject, flow: Flow) -> None:
    """Whatever the flow, a concentration that never changes is the day's mean, where there is one."""
    value = hundredths / 100
    found = flow_weighted_day(POINT, RULES, START, END, data.draw(results(st.just(value))), flow)
    assert found.measured.mean in (None, value)
    assert found.measured.lower_bound in (None, value)


@given(results(), flows)
def test_doubling_the_flow_changes_nothing_but_the_volume(some: Results, flow: Flow) -> None:
    """Weights are shares: twice the flow gives the same mean, bit for bit, and twice the volume."""
    one = flow_weighted_day(POINT, RULES, START, END, some, flow)
    two = flow_weighted_day(POINT, RULES, START, END, some, Flow(START, flow.m3_h * 2))
    assert two.measured == one.measured
    assert two.volume_m3 == (None if one.volume_m3 is None else one.volume_m3 * 2)


@given(results(), flows)
def test_mean_lies_between_its_values(some: Results, flow: Flow) -> None:
    """A mean by volume lies between the lowest and the highest value that weighs, and is had where it is due."""
    found = flow_weighted_day(POINT, RULES, START, END, some, flow)
    if found.measured.mean is not None:
        assert found.minimum is not None
        assert found.maximum is not None
        assert found.minimum * (1 - 1e-11) <= found.measured.mean <= found.maximum * (1 + 1e-11)
    assert found.measured.parts <= found.due
    assert (found.measured.lower_bound is None) or found.measured.is_over_range
    assert found.no_discharge == (found.due == 0)


@given(results(), flows, st.lists(st.floats(0, 500), max_size=120), st.integers(0, 3 * HOUR_MS))
def test_later_flow_and_results_change_nothing(some: Results, flow: Flow, later: list[float], after_ms: int) -> None:
    """What lies more than two intervals past the day is not looked at."""
    before = flow_weighted_day(POINT, RULES, START, END, some, flow)
    far = END + 2 * HOUR_MS + after_ms
    more = Results(np.r_[some.ts, far], np.r_[some.value, 1999.0], np.r_[some.valid, True], np.r_[some.over, False])
    longer = Flow(START, np.r_[flow.m3_h, later])
    assert flow_weighted_day(POINT, RULES, START, END, more, longer) == before


@given(results(), flows, st.integers(1, 3000))
def test_reading_further_back_changes_nothing_known(some: Results, flow: Flow, minutes: int) -> None:
    """Without a minute lacking, flow from before the day changes no bit."""
    known = np.where(np.isnan(flow.m3_h), 0.0, flow.m3_h)
    long = Flow(START - minutes * MINUTE_MS, np.r_[np.linspace(0, 77, minutes), known])
    one = flow_weighted_day(POINT, RULES, START, END, some, Flow(START, known))
    assert flow_weighted_day(POINT, RULES, START, END, some, long) == one


@given(flows, st.lists(st.integers(0, HOURS * HOUR_MS), min_size=2, max_size=8))
def test_volume_split_anywhere_joins(flow: Flow, cuts: list[int]) -> None:
    """A volume cut at any instants, inside minutes too, is the sum of its parts."""
    edges = np.array(sorted(cuts), np.int64) + START
    parts = volumes_m3(filled(flow), edges[:-1], edges[1:])
    whole = volumes_m3(filled(flow), edges[:1], edges[-1:])
    if np.isnan(whole[0]):
        assert np.isnan(parts).any()
    else:
        assert parts.sum() == pytest.approx(whole[0], rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(1, 1000), min_size=24, max_size=24), flows, st.integers(0, 22), st.integers(1, HOUR_MS - 1))
def test_splitting_a_result_changes_nothing(values: list[float], flow: Flow, hour: int, later_ms: int) -> None:
    """A result that is said again before the next one carries the same volume in two parts, and is had once."""
    flow = Flow(START, np.where(np.isnan(filled(flow).m3_h), 1.0, filled(flow).m3_h))
    ts = START + np.arange(24) * HOUR_MS
    always, never = np.ones(25, bool), np.zeros(25, bool)
    once = Results(ts, np.array(values), always[:24], never[:24])
    twice = Results(np.r_[ts, ts[hour] + later_ms], np.r_[values, values[hour]], always, never)
    one = flow_weighted_day(POINT, RULES, START, END, once, flow).measured
    two = flow_weighted_day(POINT, RULES, START, END, twice, flow).measured
    assert two.mean == (None if one.mean is None else pytest.approx(one.mean, rel=1e-10))
    assert two.parts == one.parts


@given(st.integers(1, 12))
def test_flow_has_no_grain(times: int) -> None:
    """However the flow swings within the hours between results, only their volumes count."""
    level = np.array([1.0, 7.0] * (HOURS // 2))
    hourly = Flow(START, np.repeat(level, MINUTES))
    wavy = Flow(START, np.concatenate([_about(one, times) for one in level]))
    ts = START + np.arange(HOURS) * HOUR_MS
    some = Results(ts, np.linspace(10, 90, HOURS), np.ones(HOURS, bool), np.zeros(HOURS, bool))
    one = flow_weighted_day(POINT, RULES, START, END, some, hourly).measured
    two = flow_weighted_day(POINT, RULES, START, END, some, wavy).measured
    assert two.mean == pytest.approx(one.mean, rel=1e-10)


def _about(level: float, times: int) -> Floats:
    """Give an hour of minutes that swing about a level and carry the same volume."""
    swing = np.sin(np.arange(MINUTES) / MINUTES * 2 * np.pi * times) * level / 2
    return np.asarray(level + swing - swing.mean())


@given(flows)
def test_filling_keeps_what_is_known(flow: Flow) -> None:
    """Known minutes stay; a filled one lies among the known ones before it; nothing is unknown after the first."""
    result: Floats = filled(flow).m3_h
    known = ~np.isnan(flow.m3_h)
    assert (result[known] == flow.m3_h[known]).all()
    if known.any():
        first = int(np.flatnonzero(known)[0])
        assert np.isnan(result[:first]).all()
        assert not np.isnan(result[first:]).any()
        assert result[first:].max() <= flow.m3_h[known].max() * (1 + 1e-12)
    else:
        assert np.isnan(result).all()


@given(
    st.lists(st.none() | st.integers(0, 1400), min_size=MINUTES, max_size=MINUTES),
    st.lists(st.none() | st.sampled_from([0.0, 3.0]), min_size=MINUTES, max_size=MINUTES),
    st.randoms(),
)
def test_ph_knows_no_order_of_minutes(values: list[int | None], m3_h: list[float | None], chance: object) -> None:
    """Minutes of pH shuffled together with their flow make the same hour; the median lies within its range."""
    order = list(range(MINUTES))
    chance.shuffle(order)  # type: ignore[attr-defined]
    found = [_ph(values, m3_h), _ph([values[turn] for turn in order], [m3_h[turn] for turn in order])]
    assert found[0] == found[1]
    if found[0].measured.mean is not None:
        assert found[0].minimum is not None
        assert found[0].maximum is not None
        assert found[0].minimum <= found[0].measured.mean <= found[0].maximum


def _ph(values: list[int | None], m3_h: list[float | None]) -> object:
    block = MinuteBlock.empty()
    known = np.array([one is not None for one in values])
    mean = np.array([np.nan if one is None else one / 100 for one in values])
    block.had[:] = block.valid[:] = known
    block.mean[:] = block.low[:] = block.high[:] = mean
    flow = Flow(START, np.array([np.nan if one is None else one for one in m3_h], np.float64))
    return ph_hour(PH, RULES, START, block, flow)
