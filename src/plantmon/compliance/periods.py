"""This module speaks of windows that are no stored hours or days: day and night periods, months, years.

Day is 06:00-22:00, night 22:00-06:00 local time unless the plant file's rules shift them; the night belongs to the
evening's date (GB 12348-2008 3.10; settled choices). A period's level is the energy mean of its valid minutes; it is
valid with the share of what was due.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from datetime import time as clock

from plantmon.averages.mean import means_of
from plantmon.averages.validity import hour_due
from plantmon.compliance.judge import Measured
from plantmon.model.minutes import MINUTES, Grid
from plantmon.model.plant import Kind, Point, Rules
from plantmon.model.verdict import Reason
from plantmon.times import PlantTime, to_ms

DAY_PERIOD, NIGHT_PERIOD = "day-period", "night-period"


def period_of(name: str, hour_ms: int, time: PlantTime, rules: Rules) -> tuple[int, int] | None:
    """Give the period [start, end) of a kind that holds an hour, None where the hour is of the other kind."""
    local = time.local(hour_ms)
    is_day = rules.day_begins <= local.time() < rules.night_begins
    if is_day != (name == DAY_PERIOD):
        return None
    day = local.date()
    if is_day:
        return _at(time, day, rules.day_begins), _at(time, day, rules.night_begins)
    evening = day if local.time() >= rules.night_begins else day - timedelta(days=1)
    return _at(time, evening, rules.night_begins), _at(time, evening + timedelta(days=1), rules.day_begins)


def long_window_of(name: str, day_ms: int, time: PlantTime) -> tuple[int, int]:
    """Give the month (`1mo`) or year (`1y`) [start, end) that holds an instant."""
    day = time.date_of(day_ms)
    if name == "1y":
        return time.midnight(date(day.year, 1, 1)), time.midnight(date(day.year + 1, 1, 1))
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return time.midnight(day.replace(day=1)), time.midnight(following)


def _at(time: PlantTime, day: date, at: clock) -> int:
    return to_ms(datetime.combine(day, at, tzinfo=time.zone))


def measured_period(point: Point, rules: Rules, line: Grid) -> Measured:
    """Measure a period from all its minutes in one row."""
    due = hour_due(point) * line.had.size // MINUTES
    needed = math.ceil(due * rules.valid_share)
    found = means_of(line, point.kind is Kind.ENERGY, point.is_slow, needed).one(0)
    return Measured(found.mean, found.lower_bound, found.over_range > 0, found.valid, needed, Reason.MINUTES)
