"""This module proves what an hour of air weighs: by hand at the edges, and against the simulators' own reckoning."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.amounts.hour import HourAmounts, Series, weigh
from plantmon.model.minutes import MINUTES, Grid, MinuteBlock
from simulators.truth_amounts import MEASURED, STOPPED, true_emission_hour
from simulators.truth_minutes import EMPTY, Minute

SHARE = 0.75


def block(minutes: Sequence[Minute]) -> MinuteBlock:
    """Write an hour of minutes as the store has it: one reading a minute, over range or valid, or both."""
    made = MinuteBlock.empty()
    for place, one in enumerate(minutes):
        made.valid[place] = one.mean is not None
        made.over[place] = one.bound is not None
        made.had[place] = one.had
        made.mean[place] = made.low[place] = made.high[place] = np.nan if one.mean is None else one.mean
        made.bound[place] = np.nan if one.bound is None else one.bound
    return made


def hour(
    concentration: Sequence[Minute], flow: Sequence[Minute], ran: Sequence[bool] = (True,) * MINUTES, **changes: bool
) -> tuple[int, float, float]:
    """Weigh one hour; give running minutes, kg and kg proven."""
    series = [Series(Grid.of([block(minutes)]), False, MINUTES) for minutes in (concentration, flow)]
    found = weigh(series[0], series[1], np.array([ran]), SHARE, **changes)
    return int(found.ran[0]), float(found.kg[0]), float(found.proven[0])


def values(*given: float | None) -> list[Minute]:
    """Give an hour of minutes: as many as given, the rest without readings."""
    made = [EMPTY if value is None else Minute(value, None, 1) for value in given]
    return made + [EMPTY] * (MINUTES - len(made))


def over(bound: float) -> Minute:
    """Give a minute in which all readings were over range."""
    return Minute(None, bound, 1)


def test_a_whole_hour() -> None:
    """50 mg/m3 x 20 000 m3/h are 1 kg in an hour."""
    assert hour(values(*[50.0] * 60), values(*[20_000.0] * 60))[:2] == (60, 1.0)


@pytest.mark.parametrize(
    ("minutes", "ran", "is_measured"), [(45, 60, True), (44, 60, False), (15, 20, True), (14, 20, False), (1, 1, True)]
)
def test_three_quarters_of_the_running_minutes_make_it_measured(minutes: int, ran: int, is_measured: bool) -> None:
    """45 of 60 minutes are enough and 44 are not; of 20 running ones 15 and 14; for either of the two points."""
    known, whole = values(*[50.0] * minutes), values(*[20_000.0] * 60)
    running = [place < ran for place in range(60)]
    other = [Minute(20_000.0, None, 1) if one.mean is not None else EMPTY for one in known]
    for found in (hour(known, whole, running), hour(values(*[50.0] * 60), other, running)):
        assert found[0] == ran
        assert found[1] == pytest.approx(ran / 60) if is_measured else math.isnan(found[1])


def test_a_part_running_hour_weighs_its_running_time() -> None:
    """20 running minutes of 60 at 60 mg/m3 and 30 000 m3/h: 1.8 kg/h x 1/3 h = 0.6 kg; the others do not count."""
    concentration = values(*[60.0] * 20, *[500.0] * 40)
    flow = values(*[30_000.0] * 20, *[90_000.0] * 40)
    assert hour(concentration, flow, [place < 20 for place in range(60)])[:2] == (20, pytest.approx(0.6, rel=1e-12))


def test_a_stopped_hour_weighs_nothing() -> None:
    """Without a running minute an hour is 0 kg, measured or not, and proves nothing."""
    ran, kg, proven = hour([over(1000.0)] * 60, values(*[100.0] * 60), [False] * 60)
    assert (ran, kg) == (0, 0.0)
    assert math.isnan(proven)


def test_over_range_proves_an_amount() -> None:
    """20 of 60 minutes at a range of 1000, 40 at 10 mg/m3: (20 x 1000 + 40 x 10) / 60 = 340 mg/m3 x 50 000 = 17 kg.

    With 40 of 60 minutes valid the hour is not measured.
    """
    concentration = [over(1000.0)] * 20 + values(*[10.0] * 40)[:40]
    _, kg, proven = hour(concentration, values(*[50_000.0] * 60))
    assert math.isnan(kg)
    assert proven == pytest.approx(17.0, rel=1e-12)


def test_over_range_in_a_measured_hour_stands_beside() -> None:
    """10 minutes over range among 50 valid ones: measured 10 mg/m3, proven (10 x 1000 + 50 x 10) / 60 = 175 mg/m3."""
    concentration = [over(1000.0)] * 10 + values(*[10.0] * 50)[:50]
    _, kg, proven = hour(concentration, values(*[50_000.0] * 60))
    assert kg == pytest.approx(0.5, rel=1e-12)
    assert proven == pytest.approx(8.75, rel=1e-12)


def test_with_few_known_minutes_only_those_are_proven() -> None:
    """30 minutes over range, 30 without readings: 1000 mg/m3 x 50 000 m3/h for half an hour, 25 kg and no more."""
    concentration = [over(1000.0)] * 30 + [EMPTY] * 30
    assert hour(concentration, values(*[50_000.0] * 60))[2] == pytest.approx(25.0, rel=1e-12)


def test_nothing_is_proven_without_flow() -> None:
    """Over range without any known flow proves no amount."""
    assert math.isnan(hour([over(1000.0)] * 60, [EMPTY] * 60)[2])


def test_minute_by_minute_is_the_sum_of_products() -> None:
    """With `mass: minute` an hour half at 10 x 10 000, half at 30 x 30 000 is (0.1 + 0.9) / 2 = 0.5 kg, not 0.4."""
    concentration = values(*[10.0] * 30, *[30.0] * 30)
    flow = values(*[10_000.0] * 30, *[30_000.0] * 30)
    assert hour(concentration, flow)[1] == pytest.approx(0.4, rel=1e-12)
    assert hour(concentration, flow, by_minute=True)[1] == pytest.approx(0.5, rel=1e-12)


def test_minute_by_minute_needs_minutes_valid_in_both() -> None:
    """50 valid minutes each, 40 of them the same: enough for means, too few for products; 45 are enough."""
    concentration = values(*[50.0] * 50)
    flow = [EMPTY] * 10 + values(*[20_000.0] * 50)[:50]
    assert hour(concentration, flow)[1] == pytest.approx(1.0, rel=1e-12)
    assert math.isnan(hour(concentration, flow, by_minute=True)[1])
    flow = [EMPTY] * 5 + values(*[20_000.0] * 55)[:55]
    assert hour(concentration, flow, by_minute=True)[1] == pytest.approx(1.0, rel=1e-12)


def test_a_slow_analyser_counts_what_its_values_stand_for() -> None:
    """A value every 5 minutes: 9 of 12 due make the hour measured, 8 do not."""
    whole = Grid.of([block(values(*[20_000.0] * 60))])
    for many, is_measured in ((9, True), (8, False)):
        minutes = [Minute(50.0, None, 1) if place % 5 == 0 and place < 5 * many else EMPTY for place in range(60)]
        found = weigh(
            Series(Grid.of([block(minutes)]), True, 12), Series(whole, False, 60), np.ones((1, 60), bool), SHARE
        )
        assert (found.kg[0] == pytest.approx(1.0, rel=1e-12)) if is_measured else math.isnan(found.kg[0])


def _minute(value: int, kind: int, highest: float) -> Minute:
    mean, bound = float(value), (value + highest) / 2
    return (EMPTY, Minute(None, None, 1), Minute(mean, None, 1), Minute(None, highest, 1), Minute(mean, bound, 2))[kind]


def minutes_of(least: int, most: int) -> st.SearchStrategy[list[Minute]]:
    """Make hours in which minutes are mostly valid, some missing, some over range."""
    kind = st.sampled_from([2] * 12 + [0, 1, 3, 4])
    one = st.builds(lambda value, kind: _minute(value, kind, float(most)), st.integers(least, most), kind)
    return st.lists(one, min_size=MINUTES, max_size=MINUTES)


@given(
    minutes_of(-3, 1000),
    minutes_of(0, 90_000),
    st.lists(st.sampled_from([True, True, True, False]), min_size=MINUTES, max_size=MINUTES),
)
def test_hours_agree_with_the_simulators(concentration: list[Minute], flow: list[Minute], ran: list[bool]) -> None:
    """Whatever an hour holds, its amount and what is proven are those of the simulators."""
    truth = true_emission_hour(0, concentration, flow, ran)
    minutes, kg, proven = hour(concentration, flow, ran)
    assert minutes == truth.ran
    assert math.isnan(proven) == (truth.floor_kg is None)
    if truth.floor_kg is not None:
        assert proven == pytest.approx(truth.floor_kg, rel=1e-9)
    if truth.state == STOPPED:
        assert kg == 0
    elif truth.state == MEASURED:
        assert max(kg, -math.inf if math.isnan(proven) else proven) == pytest.approx(truth.kg, rel=1e-9, abs=1e-12)
    else:
        assert math.isnan(kg)


def test_many_hours_are_each_as_alone() -> None:
    """Hours weighed together come out as each does alone."""
    one, other = values(*[50.0] * 60), [over(1000.0)] * 60
    flow = values(*[20_000.0] * 60)
    grid = Series(Grid.of([block(one), block(other)]), False, 60)
    found = weigh(grid, Series(Grid.of([block(flow)] * 2), False, 60), np.ones((2, 60), bool), SHARE)
    assert isinstance(found, HourAmounts)
    for place, minutes in enumerate((one, other)):
        alone = hour(minutes, flow)
        assert np.array_equal([found.kg[place], found.proven[place]], alone[1:], equal_nan=True)
