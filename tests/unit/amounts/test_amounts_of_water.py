"""This module proves what days of waste water weigh: by hand, and against the simulators' own reckoning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.amounts.water import WaterDay, days, lacks_before, stretches
from plantmon.averages.water_flow import Flow, filled, lacks_flow_before
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime
from simulators.faults import Delivery
from simulators.plant import SimPoint
from simulators.truth_amounts import true_water_days
from simulators.truth_judged import FilledFlow
from simulators.truth_minutes import Minute

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
FIRST = 1_585_670_400_000  # 2020-04-01 00:00 plant time

Result = tuple[int, float]  # instant, mg/L


def weighed(
    results: Sequence[Result], m3_h: Sequence[float], first: int = FIRST, until: int | None = None
) -> list[WaterDay]:
    """Weigh an hourly analyser's results with a flow by the minute from `first` on."""
    until = first + len(m3_h) * MINUTE_MS if until is None else until
    ts, value = (np.array(column) for column in zip(*results, strict=True)) if results else (np.array([]), np.array([]))
    found = stretches(ts.astype(np.int64), value.astype(np.float64), first, until, HOUR_MS)
    known = Flow(first, np.array(m3_h, np.float64))
    edges = [*TIME.days(first, until), TIME.next_day(TIME.days(first, until)[-1])]
    return days(found, known, filled(known), edges, first, until, HOUR_MS)


def hourly(*values: float, start: int = FIRST) -> list[Result]:
    """Give a result at each full hour."""
    return [(start + place * HOUR_MS, value) for place, value in enumerate(values)]


def test_a_whole_day() -> None:
    """24 results of 40 mg/L over 10 m3/h: 40 g/m3 x 240 m3 = 9.6 kg, all measured."""
    (day,) = weighed(hourly(*[40.0] * 24), [10.0] * 1440)
    assert day == WaterDay(FIRST, FIRST + DAY_MS, 9.6, 0.0, 1440, 0, 0)


def test_a_result_weighs_two_intervals_into_the_next_day() -> None:
    """The result of 23:00 weighs until 01:00: 2 h x 10 m3/h x 40 g/m3 = 0.8 kg of its own day; then a gap."""
    results = hourly(*[40.0] * 24)
    first, second = weighed(results, [10.0] * 2880)
    assert first.measured_kg == pytest.approx(40.0 * 250 / 1000)
    assert first.minutes == 1440
    # From 01:00 on 23 hours are uncovered: the mean of the 23 results before, 40 mg/L x 230 m3.
    assert (second.measured_kg, second.substituted_kg) == (0.0, pytest.approx(9.2))
    assert (second.minutes, second.substituted_minutes, second.unknown_minutes) == (1440, 1380, 0)


def test_a_gap_takes_as_many_results_as_are_lacking() -> None:
    """After 6 results nothing for 3 hours: 2 intervals are the last one's own.

    Then a gap of 3 hours: 3 lacking, the mean of the 3 results before (40, 50, 60 mg/L).
    """
    results = [*hourly(10, 20, 30, 40, 50, 60), *hourly(99, start=FIRST + 10 * HOUR_MS)]
    (day,) = weighed(results, [10.0] * 660, until=FIRST + 11 * HOUR_MS)
    assert day.measured_kg == pytest.approx((10 + 20 + 30 + 40 + 50 + 2 * 60 + 99) * 10 / 1000)
    assert day.substituted_kg == pytest.approx(3 * 50.0 * 10 / 1000)
    assert day.substituted_minutes == 180


def test_a_begun_interval_is_lacking_too() -> None:
    """An uncovered time of 61 minutes lacks two results."""
    gap = 2 * HOUR_MS + 61 * MINUTE_MS
    results = [*hourly(10, 30), (FIRST + HOUR_MS + gap, 50.0)]
    minutes = (HOUR_MS + gap) // MINUTE_MS
    (day,) = weighed(results, [10.0] * minutes, until=FIRST + HOUR_MS + gap)
    assert day.substituted_kg == pytest.approx(20.0 * 61 / 60 * 10 / 1000)


def test_before_the_first_result_is_unknown() -> None:
    """Discharge before any result is unknown and weighs nothing."""
    (day,) = weighed([(FIRST + 2 * HOUR_MS, 40.0)], [10.0] * 240, until=FIRST + 4 * HOUR_MS)
    assert (day.minutes, day.unknown_minutes, day.measured_kg) == (240, 120, pytest.approx(0.8))


def test_missing_flow_takes_the_mean_before() -> None:
    """An hour without flow after two at 10 and 20 m3/h takes the 60 minutes before: 40 mg/L x 20 m3."""
    (day,) = weighed(hourly(40, 40, 40), [10.0] * 60 + [20.0] * 60 + [math.nan] * 60)
    assert (day.measured_kg, day.substituted_kg) == (pytest.approx(1.2), pytest.approx(0.8))
    assert (day.minutes, day.substituted_minutes) == (180, 60)


def test_flow_with_nothing_before_is_unknown() -> None:
    """Flow missing from the beginning is unknown; what is known of the result's time still weighs."""
    (day,) = weighed(hourly(40, 40), [math.nan] * 30 + [10.0] * 90)
    assert (day.measured_kg, day.unknown_minutes, day.minutes) == (pytest.approx(0.6), 30, 120)


def test_no_discharge_is_no_time() -> None:
    """Minutes without flow are neither measured nor missing, whatever the analyser does."""
    (day,) = weighed(hourly(40), [0.0] * 600 + [-0.5] * 60)
    assert (day.minutes, day.unknown_minutes, day.measured_kg, day.substituted_kg) == (0, 0, 0.0, 0.0)


def test_what_is_needed_from_before() -> None:
    """More is needed from before while no result lies at the beginning, or a gap lacks more than lie before it."""
    ts = np.array([FIRST, FIRST + HOUR_MS])
    until = FIRST + 8 * HOUR_MS  # 5 hours uncovered, two results before
    assert lacks_before(ts, FIRST, until, HOUR_MS)
    assert not lacks_before(ts, FIRST, FIRST + 5 * HOUR_MS, HOUR_MS)
    assert lacks_before(ts, FIRST - 1, FIRST + 5 * HOUR_MS, HOUR_MS)
    assert lacks_before(ts[:0], FIRST, until, HOUR_MS)


def test_what_flow_is_needed_from_before() -> None:
    """More flow is needed from before while a gap that matters is longer than what is known before it."""
    flow = Flow(FIRST, np.array([1.0, np.nan, np.nan, 1.0, np.nan]))
    assert lacks_flow_before(flow, FIRST)
    assert not lacks_flow_before(flow, FIRST + 3 * MINUTE_MS)


SPAN_HOURS = 40
POINT = SimPoint("DW001.cod", "", "mg/L", HOUR_MS, 0, "gauge", 1, "cod")


@given(
    st.lists(st.one_of(st.none(), st.integers(-2, 100)), min_size=SPAN_HOURS, max_size=SPAN_HOURS),
    st.lists(st.sampled_from([0, 0, 0, 7, 31]), min_size=SPAN_HOURS, max_size=SPAN_HOURS),
    st.lists(
        st.tuples(st.sampled_from([None, -1, 0, 5, 12, 30]), st.sampled_from([7, 60, 200])), min_size=1, max_size=40
    ),
)
def test_days_agree_with_the_simulators(
    values: list[int | None], late: list[int], parts: list[tuple[int | None, int]]
) -> None:
    """Whatever is discharged, measured or missing, a day's amount and shares are those of the simulators."""
    first, count = FIRST + 5 * HOUR_MS, SPAN_HOURS * 60
    results = [
        (first + place * HOUR_MS + minutes * MINUTE_MS, float(value))
        for place, (value, minutes) in enumerate(zip(values, late, strict=True))
        if value is not None
    ]
    flows = [None if value is None else float(value) for value, many in parts for _ in range(many)]
    flows = ([1.0] + flows * (count // len(flows) + 1))[:count]
    flow = FilledFlow(first, [Minute(value, None, 1) for value in flows])
    deliveries = [Delivery(ts, ts, "DW001.cod", value, "N") for ts, value in results]
    truth = true_water_days(POINT, deliveries, flow, first, first + SPAN_HOURS * HOUR_MS)
    found = weighed(results, [math.nan if value is None else value for value in flows], first)
    assert len(found) == len(truth)
    for day, true in zip(found, truth.values(), strict=True):
        assert day.measured_kg + day.substituted_kg == pytest.approx(true.kg, rel=1e-9, abs=1e-9)
        assert (day.substituted_minutes, day.unknown_minutes) == (true.substituted, true.unknown)
        assert day.minutes == true.measured + true.substituted + true.unknown
