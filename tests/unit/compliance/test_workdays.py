"""This module proves how working days are counted: weekends, holidays, and days worked instead."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.compliance.workdays import deadline, is_workday, last_workdays, workday_after
from plantmon.model.plant import Calendar, WorkTime
from plantmon.times import HOUR_MS, PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
FIVE = WorkTime(None, 5)
# The National Day week of 2020: off from Thursday 1 to Thursday 8 October, worked on Sunday 27 September and
# Saturday 10 October.
CHINA = Calendar(
    holidays=frozenset(date(2020, 10, day) for day in range(1, 9)),
    extra_workdays=frozenset({date(2020, 9, 27), date(2020, 10, 10)}),
)


@pytest.mark.parametrize(
    ("calendar", "begun", "count", "last"),
    [
        (Calendar(), date(2020, 3, 2), 5, date(2020, 3, 9)),  # Monday: Tuesday to Friday, Monday
        (Calendar(), date(2020, 3, 7), 1, date(2020, 3, 9)),  # Saturday: Monday
        (Calendar(), date(2020, 3, 6), 1, date(2020, 3, 9)),  # Friday: not the day itself
        (CHINA, date(2020, 9, 25), 4, date(2020, 9, 30)),  # Friday: the Sunday that is worked, Monday to Wednesday
    ],
)
def test_days_are_counted_from_the_day_after(calendar: Calendar, begun: date, count: int, last: date) -> None:
    """The first day counted is the one after; weekends do not count."""
    assert workday_after(calendar, begun, count) == last


def test_a_week_of_holidays_is_left_out() -> None:
    """From 29 September five working days are 30 September, 9, 10 (a Saturday), 12 and 13 October."""
    assert workday_after(CHINA, date(2020, 9, 29), 5) == date(2020, 10, 13)


def test_a_day_named_as_worked_is_one() -> None:
    """A weekend day worked instead counts, a holiday on a weekday does not."""
    assert is_workday(CHINA, date(2020, 10, 10))
    assert not is_workday(CHINA, date(2020, 10, 8))
    assert not is_workday(CHINA, date(2020, 10, 11))


def test_the_term_ends_with_the_last_day() -> None:
    """Begun on a Monday morning, five working days end at midnight after the Monday that follows."""
    begun = TIME.parse("2020-03-02 08:00")
    assert deadline(Calendar(), TIME, begun, FIVE) == TIME.parse("2020-03-10")


def test_hours_are_hours() -> None:
    """A term in hours knows no weekend."""
    begun = TIME.parse("2020-03-06 20:00")
    assert deadline(Calendar(), TIME, begun, WorkTime(12 * HOUR_MS, None)) == TIME.parse("2020-03-07 08:00")


def test_a_calendar_without_working_days_has_no_deadline() -> None:
    """Where nobody ever works the count does not end."""
    assert workday_after(Calendar(frozenset()), date(2020, 3, 2), 1) is None


days = st.dates(date(2020, 1, 1), date(2020, 12, 31))


@given(st.frozensets(st.integers(0, 6), min_size=1), st.frozensets(days), days, st.integers(1, 40))
def test_between_begin_and_end_lie_so_many_days(
    weekdays: frozenset[int], holidays: frozenset[date], begun: date, count: int
) -> None:
    """The last day is worked, and with it exactly so many days after the first are."""
    calendar = Calendar(weekdays, holidays)
    last = workday_after(calendar, begun, count)
    assert last is not None
    after = [begun + timedelta(days=ahead) for ahead in range(1, (last - begun).days + 1)]
    assert sum(day.weekday() in weekdays and day not in holidays for day in after) == count
    assert last.weekday() in weekdays


@pytest.mark.parametrize(
    ("by", "count", "begins"),
    [
        ("2020-03-10 00:00", 1, "2020-03-06"),  # to the end of Monday the 9th: the Friday before begins
        ("2020-03-10 00:00", 2, "2020-03-05"),
        ("2020-03-07 00:00", 1, "2020-03-05"),  # to the end of a Friday
        ("2020-05-06 00:00", 1, "2020-04-30"),  # Tuesday the 5th; Monday the 4th and Friday the 1st are holidays
    ],
)
def test_so_many_working_days_are_left(by: str, count: int, begins: str) -> None:
    """After the day that begins at the instant, so many whole working days are left."""
    calendar = Calendar(holidays=frozenset({date(2020, 5, 1), date(2020, 5, 4)}))
    assert last_workdays(calendar, TIME, TIME.parse(by), count) == TIME.parse(begins)


def test_without_working_days_none_is_left() -> None:
    """Where nobody ever works no such day is found."""
    assert last_workdays(Calendar(frozenset()), TIME, TIME.parse("2020-03-10"), 1) is None
