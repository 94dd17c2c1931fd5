"""This module proves capture and transfer rates by hand and against the simulators."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.averages.capture import capture_of, captures
from plantmon.averages.periods import Period
from plantmon.model.window import Window
from plantmon.times import DAY_MS, HOUR_MS, PlantTime
from simulators.truth_judged import PointHour, capture

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
START = TIME.midnight(date(2020, 6, 30))


def hour(place: int, *, had: bool = True, is_valid: bool = True, ran: int | None = None) -> Window:
    """Give an hour of a point."""
    start = START + place * HOUR_MS
    return Window("1h", start, start + HOUR_MS, 1, had=60 * had, valid=60 * is_valid, ran=ran, is_valid=is_valid)


def test_rates_of_a_day() -> None:
    """24 hours, 4 of them stopped: 20 due, 18 with readings, 15 valid: 75 % captured, 90 % came, 75 % effectively."""
    hours = [hour(place, ran=0) for place in range(4)] + [hour(place) for place in range(4, 19)]
    hours += [hour(place, is_valid=False, ran=1) for place in range(19, 22)]
    hours += [hour(place, had=False, is_valid=False) for place in range(22, 24)]
    found = capture_of(hours, START, START + DAY_MS)
    assert (found.due, found.had, found.valid) == (20, 18, 15)
    assert (found.rate, found.transfer, found.valid_rate) == (0.75, 0.9, 15 / 18)
    assert found.effective_transfer == pytest.approx(0.75)


def test_hours_without_a_window_are_due() -> None:
    """An hour of the span that has no window was due and had nothing."""
    found = capture_of([hour(0)], START, START + 4 * HOUR_MS)
    assert (found.due, found.had, found.valid, found.rate) == (4, 1, 1, 0.25)


def test_nothing_due_has_no_rate() -> None:
    """Where the source stood still all the time there is no rate, and none is 0; where nothing came it is 0."""
    still = capture_of([hour(0, ran=0)], START, START + HOUR_MS)
    assert (still.rate, still.transfer, still.effective_transfer) == (None, None, None)
    silent = capture_of([], START, START + HOUR_MS)
    assert (silent.rate, silent.transfer, silent.valid_rate, silent.effective_transfer) == (0.0, 0.0, None, 0.0)


def test_by_month_and_quarter() -> None:
    """Two days over the end of June are a day of each month and of each quarter."""
    hours = [hour(place, is_valid=place < 36) for place in range(48)]
    for period in (Period.MONTH, Period.QUARTER):
        found = captures(hours, period, START, START + 2 * DAY_MS, TIME)
        assert [(one.due, one.valid) for _, _, one in found] == [(24, 24), (24, 12)]
        assert found[0][1] == found[1][0] == START + DAY_MS


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_agrees_with_the_simulators(parts: list[tuple[bool, bool, bool]]) -> None:
    """Whatever hours had, were or stood still, the counts and rates are the simulators'."""
    hours = [
        hour(place, had=had or valid, is_valid=valid, ran=0 if still else None)
        for place, (had, valid, still) in enumerate(parts)
    ]
    truth = capture([PointHour(had or valid, valid) for had, valid, _ in parts], [still for _, _, still in parts])
    found = capture_of(hours, START, START + len(parts) * HOUR_MS)
    assert (found.due, found.had, found.valid) == (truth.due, truth.had, truth.valid)
    if truth.effective_transfer is not None:
        assert found.effective_transfer == pytest.approx(float(truth.effective_transfer))
