"""This module proves when a source ran."""

from __future__ import annotations

import numpy as np
import pytest
from builders import a_point
from hypothesis import given
from hypothesis import strategies as st

from plantmon.averages.running import hours_of_influence, mask_of, minutes_of_mask, running_minutes, within
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Running
from plantmon.times import HOUR_MS, MINUTE_MS

OXYGEN = a_point("DA001.o2", quantity="oxygen", unit="%")
AT_MOST_19 = Running("DA001.o2", None, 19.0)


def block(values: dict[int, float]) -> MinuteBlock:
    """Make an hour with the means of some minutes."""
    made = MinuteBlock.empty()
    for minute, value in values.items():
        made.had[minute] = made.valid[minute] = 1
        made.mean[minute] = value
    return made


@pytest.mark.parametrize(
    ("running", "value", "ran"),
    [
        pytest.param(AT_MOST_19, 19.0, True, id="the bound itself"),
        pytest.param(AT_MOST_19, 19.01, False, id="above"),
        pytest.param(Running("DA001.o2", 5000.0, None), 5000.0, True, id="the lower bound itself"),
        pytest.param(Running("DA001.o2", 5000.0, None), 4999.9, False, id="below"),
        pytest.param(Running("DA001.o2", 1.0, 2.0), 3.0, False, id="beyond two bounds"),
    ],
)
def test_bounds_are_inclusive(running: Running, value: float, ran: bool) -> None:
    """A source runs at its bounds and not beyond them."""
    assert running_minutes(running, OXYGEN, [block({0: value})])[0] == ran
    assert within(running, np.array([value]))[0] == ran


def test_unknown_is_running() -> None:
    """A minute without a valid value counts as run."""
    ran = running_minutes(AT_MOST_19, OXYGEN, [block({0: 20.9})])
    assert ran.tolist() == [False] + [True] * 59


def test_slow_value_stands_two_intervals() -> None:
    """A value every 15 minutes decides for 30 minutes, then the source counts as running again."""
    slow = a_point("DA001.o2", interval_ms=15 * MINUTE_MS)
    ran = running_minutes(AT_MOST_19, slow, [block({}), block({10: 20.9})])
    assert np.flatnonzero(~ran).tolist() == list(range(10, 40))


def test_slow_value_of_the_hour_before_decides() -> None:
    """A value near an hour's end decides for the beginning of the next hour."""
    slow = a_point("DA001.o2", interval_ms=15 * MINUTE_MS)
    ran = running_minutes(AT_MOST_19, slow, [block({50: 20.9}), block({5: 3.5})])
    assert np.flatnonzero(~ran).tolist() == list(range(5))


@pytest.mark.parametrize(("interval_ms", "hours"), [(10_000, 0), (15 * MINUTE_MS, 1), (HOUR_MS, 2), (4 * HOUR_MS, 8)])
def test_hours_of_influence(interval_ms: int, hours: int) -> None:
    """A slow point's value reaches as many hours on as two of its intervals touch."""
    assert hours_of_influence(a_point(interval_ms=interval_ms)) == hours


@given(st.integers(0, (1 << 60) - 1))
def test_mask_round_trip(mask: int) -> None:
    """A mask of minutes is read back as it was written."""
    assert mask_of(minutes_of_mask(mask)) == mask
