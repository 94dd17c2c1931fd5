"""This module holds what makes an hour or a day valid; its numbers come from the plant file's rules."""

from __future__ import annotations

import math

from plantmon.model.plant import Point, Rules
from plantmon.times import HOUR_MS

DAY_HOURS = 24


def hour_due(point: Point) -> int:
    """How many parts an hour should have: 60 minutes, or the values of a slow point, at least one."""
    return max(1, HOUR_MS // point.interval_ms) if point.is_slow else 60


def hour_needed(point: Point, rules: Rules) -> int:
    """How many valid parts make an hour valid: 45 minutes, or 75 % of the values due of a slow point."""
    return math.ceil(hour_due(point) * rules.valid_share) if point.is_slow else rules.valid_hour_minutes


def day_needed(hours_ran: int, rules: Rules) -> int:
    """How many valid hours make a day valid: 20 of 24, 12 of 16, 6 of 8 (settled choices, Gauge windows)."""
    return math.ceil(max(rules.valid_share * hours_ran, hours_ran - (DAY_HOURS - rules.valid_day_hours)))


def month_needed(days_ran: int, days: int, rules: Rules, *, is_february: bool, is_water: bool) -> int:
    """How many valid days make a month valid: 25, in February 23, and of fewer days run as many may be missing.

    HJ 76-2017 App. B; waste water 75 % of the days with discharge (HJ 356-2019).
    """
    least = rules.valid_share * days_ran
    if not is_water:
        least = max(least, days_ran - (days - (rules.valid_february_days if is_february else rules.valid_month_days)))
    return math.ceil(round(least, 9))
