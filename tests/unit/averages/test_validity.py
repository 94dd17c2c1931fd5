"""This module proves what makes an hour or a day valid."""

from __future__ import annotations

import pytest
from builders import a_point, some_rules

from plantmon.averages.validity import day_needed, hour_due, hour_needed
from plantmon.times import HOUR_MS, MINUTE_MS


@pytest.mark.parametrize(
    ("interval_ms", "due", "needed"),
    [
        pytest.param(1_000, 60, 45, id="a second: minutes"),
        pytest.param(MINUTE_MS, 60, 45, id="a minute: minutes"),
        pytest.param(5 * MINUTE_MS, 12, 9, id="five minutes: 9 of 12 values"),
        pytest.param(10 * MINUTE_MS, 6, 5, id="ten minutes: 4.5 rounds up"),
        pytest.param(15 * MINUTE_MS, 4, 3, id="a quarter: 3 of 4"),
        pytest.param(HOUR_MS, 1, 1, id="an hour: its one value"),
        pytest.param(4 * HOUR_MS, 1, 1, id="slower than an hour: at least one"),
    ],
)
def test_parts_of_an_hour(interval_ms: int, due: int, needed: int) -> None:
    """An hour needs 45 of 60 minutes, or 75 % of the values due of a point slower than a minute."""
    point = a_point(interval_ms=interval_ms)
    assert (hour_due(point), hour_needed(point, some_rules())) == (due, needed)


@pytest.mark.parametrize(
    ("ran", "needed"), [(24, 20), (23, 19), (25, 21), (16, 12), (12, 9), (8, 6), (4, 3), (3, 3), (1, 1), (0, 0)]
)
def test_hours_of_a_day(ran: int, needed: int) -> None:
    """A valid day needs max(75 % of the hours ran, hours ran - 4): 20 of 24, 12 of 16, 6 of 8."""
    assert day_needed(ran, some_rules()) == needed


def test_rules_are_settings() -> None:
    """The plant file's own numbers hold: 50 minutes, 18 hours, 80 %."""
    rules = some_rules(valid_hour_minutes=50, valid_day_hours=18, valid_share=0.8)
    assert hour_needed(a_point(), rules) == 50
    assert hour_needed(a_point(interval_ms=5 * MINUTE_MS), rules) == 10
    assert (day_needed(24, rules), day_needed(30, rules)) == (20, 24)
