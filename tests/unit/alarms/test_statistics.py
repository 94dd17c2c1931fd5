"""This module proves the counts of an alarm system: rates, chattering, floods, time to acknowledge."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.alarms.statistics import Coming, Flood, chattering, floods, quantile, statistics
from plantmon.times import DAY_MS, MINUTE_MS, PlantTime, to_ms

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
MARCH = to_ms(datetime(2026, 3, 1, tzinfo=TIME.zone))


def coming(at_ms: int, key: str = "a") -> Coming:
    """Give that an alarm came, so long after the beginning of March."""
    return Coming(1, key, MARCH + at_ms)


def test_days_without_alarms_count() -> None:
    """Three alarms on two of four days are three quarters of one a day; what lies outside does not count."""
    comings = [coming(0), coming(DAY_MS - 1, "b"), coming(2 * DAY_MS), coming(-1), coming(4 * DAY_MS)]
    found = statistics(comings, {}, [], TIME, MARCH, MARCH + 4 * DAY_MS)
    assert found.days == {date(2026, 3, day): count for day, count in ((1, 2), (2, 0), (3, 1), (4, 0))}
    assert (found.total, found.a_day, found.top) == (3, 0.75, (("a", 2), ("b", 1)))
    assert (found.median_ms, found.ninety_ms, found.acknowledged) == (None, None, 0)


def test_chattering_is_three_times_in_a_minute() -> None:
    """The third within the minute counts, one at its end no more; the most in any minute is told."""
    calm = [coming(at, "calm") for at in (0, 30_000, 60_000)]
    nervous = [coming(at, "nervous") for at in (0, 30_000, 59_999, 61_000, 62_000)]
    assert chattering(calm + nervous) == {"nervous": 4}  # 30 s to 62 s


def test_floods_are_ten_in_ten_minutes() -> None:
    """Ten within ten minutes are a flood, nine are none; runs that overlap are one, apart they are two."""
    assert floods([at * MINUTE_MS for at in range(9)] + [10 * MINUTE_MS]) == []
    nine = [at * MINUTE_MS for at in range(10)]
    assert floods(nine) == [Flood(0, 9 * MINUTE_MS, 10)]
    assert floods([at * MINUTE_MS for at in range(15)]) == [Flood(0, 14 * MINUTE_MS, 15)]
    later = [DAY_MS + at for at in range(12)]
    assert floods(nine + later) == [Flood(0, 9 * MINUTE_MS, 10), Flood(DAY_MS, DAY_MS + 11, 12)]


@given(st.lists(st.integers(0, 3 * 60), max_size=60))
def test_floods_are_those_one_would_count(minutes: list[int]) -> None:
    """An alarm is in a flood exactly where some ten minutes that hold it hold ten alarms."""
    times = sorted(at * MINUTE_MS for at in minutes)
    starts = [at for at in times if sum(at <= other < at + 10 * MINUTE_MS for other in times) >= 10]
    inside = {at for start in starts for at in times if start <= at < start + 10 * MINUTE_MS}
    found = floods(times)
    assert {at for at in times for one in found if one.start_ms <= at <= one.end_ms} == inside
    assert sum(one.count for one in found) == sum(at in inside for at in times)


@pytest.mark.parametrize(
    ("waits", "median", "ninety"),
    [([], None, None), ([7], 7, 7), ([1, 2, 3], 2, 3), (list(range(1, 11)), 5, 9), ([5, 1, 9], 5, 9)],
)
def test_time_to_acknowledge(waits: list[int], median: int | None, ninety: int | None) -> None:
    """Half were acknowledged within the median, nine of ten within the other; counted from the first raising."""
    answers = {number: (MARCH, MARCH + wait) for number, wait in enumerate(waits)}
    found = statistics([], answers, [], TIME, MARCH, MARCH + DAY_MS)
    assert (found.median_ms, found.ninety_ms, found.acknowledged) == (median, ninety, len(waits))
    assert quantile(sorted(waits), 0.5) == median
