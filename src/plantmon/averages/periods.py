"""This module gives the calendar periods of plant time: days, months, quarters, years, as spans [start, end)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from plantmon.times import PlantTime

MONTHS = 12


class Period(StrEnum):
    """A calendar period of plant time."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS_OF = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}


def period_around(period: Period, at_ms: int, time: PlantTime) -> tuple[int, int]:
    """Give the period [start, end) that holds an instant."""
    day = time.date_of(at_ms)
    if period is Period.DAY:
        start = time.midnight(day)
        return start, time.next_day(start)
    length = _MONTHS_OF[period]
    first = (day.month - 1) // length * length
    after = first + length
    return (
        time.midnight(date(day.year, first + 1, 1)),
        time.midnight(date(day.year + after // MONTHS, after % MONTHS + 1, 1)),
    )


def periods_between(period: Period, start_ms: int, end_ms: int, time: PlantTime) -> list[tuple[int, int]]:
    """List the periods that overlap [start, end), in order."""
    found: list[tuple[int, int]] = []
    at = start_ms
    while at < end_ms:
        found.append(period_around(period, at, time))
        at = found[-1][1]
    return found
