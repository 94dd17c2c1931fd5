"""This module speaks of windows that are no stored hours or days: day and night periods, months, years.

Day is 06:00-22:00, night 22:00-06:00 local time; the night belongs to the evening's date (GB 12348-2008 3.10; settled
choices). A period's level is the energy mean of its valid minutes; it is valid with the share of what was due.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from datetime import time as clock

import numpy as np

from plantmon.averages.mean import mean_of_block
from plantmon.averages.validity import hour_due
from plantmon.compliance.judge import Measured
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Kind, Point, Rules
from plantmon.model.verdict import Reason
from plantmon.times import HOUR_MS, PlantTime, to_ms

DAY_PERIOD, NIGHT_PERIOD = "day-period", "night-period"
DAY_BEGINS, NIGHT_BEGINS = clock(6), clock(22)  # GB 12348-2008; a local government may shift them


def period_of(name: str, hour_ms: int, time: PlantTime) -> tuple[int, int] | None:
    """Give the period [start, end) of a kind that holds an hour, None where the hour is of the other kind."""
    local = time.local(hour_ms)
    is_day = DAY_BEGINS <= local.time() < NIGHT_BEGINS
    if is_day != (name == DAY_PERIOD):
        return None
    day = local.date()
    if is_day:
        return _at(time, day, DAY_BEGINS), _at(time, day, NIGHT_BEGINS)
    evening = day if local.time() >= NIGHT_BEGINS else day - timedelta(days=1)
    return _at(time, evening, NIGHT_BEGINS), _at(time, evening + timedelta(days=1), DAY_BEGINS)


def long_window_of(name: str, day_ms: int, time: PlantTime) -> tuple[int, int]:
    """Give the month (`1mo`) or year (`1y`) [start, end) that holds an instant."""
    day = time.date_of(day_ms)
    if name == "1y":
        return time.midnight(date(day.year, 1, 1)), time.midnight(date(day.year + 1, 1, 1))
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return time.midnight(day.replace(day=1)), time.midnight(following)


def _at(time: PlantTime, day: date, at: clock) -> int:
    return to_ms(datetime.combine(day, at, tzinfo=time.zone))


def measured_period(
    point: Point, rules: Rules, start_ms: int, end_ms: int, blocks: list[tuple[int, MinuteBlock]]
) -> Measured:
    """Measure a period from the blocks of its hours (hour's start, minutes); hours without readings may be missing."""
    due = hour_due(point) * (end_ms - start_ms) // HOUR_MS
    needed = math.ceil(due * rules.valid_share)
    inside = [block for hour, block in blocks if start_ms <= hour < end_ms] or [MinuteBlock.empty()]
    whole = MinuteBlock(*(
        np.concatenate([getattr(block, name) for block in inside])
        for name in ("had", "valid", "over", "mean", "low", "high", "bound")
    ))  # fmt: skip
    found = mean_of_block(whole, point.kind is Kind.ENERGY, point.is_slow, needed)
    return Measured(found.mean, found.lower_bound, found.over_range > 0, found.valid, needed, Reason.MINUTES)
