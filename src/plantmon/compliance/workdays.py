"""This module counts working days of the plant's calendar: weekdays, without holidays, with the days worked instead.

A term of N working days begins on the day after its cause and ends at the end of the N-th working day, plant time.
"""

from __future__ import annotations

from datetime import date, timedelta

from plantmon.model.plant import Calendar, WorkTime
from plantmon.times import PlantTime

LONGEST_DAYS = 3660  # a calendar without any working day must not be searched for ever


def is_workday(calendar: Calendar, day: date) -> bool:
    """Whether people work on a local date; a day named as worked is one whatever else it is."""
    if day in calendar.extra_workdays:
        return True
    return day.weekday() in calendar.workdays and day not in calendar.holidays


def workday_after(calendar: Calendar, day: date, count: int) -> date | None:
    """Give the `count`-th working day after a date; None where the calendar has not so many in ten years.

    >>> workday_after(Calendar(), date(2020, 3, 5), 2)  # from a Thursday: Friday, Monday
    datetime.date(2020, 3, 9)
    """
    left = count
    for ahead in range(1, LONGEST_DAYS):
        one = day + timedelta(days=ahead)
        left -= is_workday(calendar, one)
        if left == 0:
            return one
    return None


def deadline(calendar: Calendar, time: PlantTime, start_ms: int, within: WorkTime) -> int | None:
    """Give the instant a term ends that begins at an instant; None where the calendar has too few working days."""
    if within.ms is not None:
        return start_ms + within.ms
    assert within.workdays is not None
    last = workday_after(calendar, time.date_of(start_ms), within.workdays)
    return None if last is None else time.midnight(last + timedelta(days=1))


def last_workdays(calendar: Calendar, time: PlantTime, by_ms: int, count: int) -> int | None:
    """Give when the working day begins after which `count` whole ones are left to an instant; None without so many.

    To the end of a Monday, with one left: when the Friday begins.
    """
    left, day = count + 1, time.date_of(by_ms)
    for _ in range(LONGEST_DAYS):
        day -= timedelta(days=1)
        left -= is_workday(calendar, day)
        if left == 0:
            return time.midnight(day)
    return None
