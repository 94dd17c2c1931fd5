"""This module proves which day or night period an hour belongs to, also where a local government shifts them."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from builders import some_rules

from plantmon.compliance.periods import DAY_PERIOD, NIGHT_PERIOD, period_of
from plantmon.times import PlantTime, to_ms

SHANGHAI = PlantTime(ZoneInfo("Asia/Shanghai"))


def at(day: int, hour: int) -> int:
    """Give an hour of March 2020, UTC+8."""
    return to_ms(datetime(2020, 3, day, hour, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC))


CASES = [
    # begin of day and night, hour, its kind, the period's ends
    (6, 22, at(2, 6), DAY_PERIOD, at(2, 6), at(2, 22)),
    (6, 22, at(2, 21), DAY_PERIOD, at(2, 6), at(2, 22)),
    (6, 22, at(2, 22), NIGHT_PERIOD, at(2, 22), at(3, 6)),
    (6, 22, at(3, 5), NIGHT_PERIOD, at(2, 22), at(3, 6)),
    (7, 23, at(2, 6), NIGHT_PERIOD, at(1, 23), at(2, 7)),
    (7, 23, at(2, 22), DAY_PERIOD, at(2, 7), at(2, 23)),
    (7, 23, at(2, 23), NIGHT_PERIOD, at(2, 23), at(3, 7)),
]


@pytest.mark.parametrize(("day", "night", "hour", "name", "start", "end"), CASES)
def test_period_of_an_hour(day: int, night: int, hour: int, name: str, start: int, end: int) -> None:
    """An hour lies in one period, the night's after midnight in that of the evening before."""
    rules = some_rules(day_begins=time(day), night_begins=time(night))
    assert period_of(name, hour, SHANGHAI, rules) == (start, end)
    other = NIGHT_PERIOD if name == DAY_PERIOD else DAY_PERIOD
    assert period_of(other, hour, SHANGHAI, rules) is None
