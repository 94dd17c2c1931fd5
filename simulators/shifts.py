"""This module knows when the plant works: two shifts 06:00-22:00 Monday to Friday, one on Saturday, rest on Sunday.

Local time is UTC+8 without summer time, which holds for Asia/Shanghai since 1992.
"""

from __future__ import annotations

import numpy as np

from simulators.noise import Instants, Values

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
UTC_OFFSET_MS = 8 * HOUR_MS
YEAR_MS = 365.2425 * DAY_MS

WORK_START_H = 6.0
WORK_END_H = 22.0
SATURDAY_END_H = 14.0
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def local_day(ts_ms: Instants) -> Instants:
    """Give the local day of each instant, counted from 1970-01-01."""
    return np.asarray((ts_ms + UTC_OFFSET_MS) // DAY_MS)


def weekday(day: Instants) -> Instants:
    """Give the weekday of days counted from 1970-01-01; Monday is 0."""
    return np.asarray((day + _EPOCH_WEEKDAY) % 7)


def since_midnight_ms(ts_ms: Instants) -> Instants:
    """Give the time since local midnight."""
    return np.asarray((ts_ms + UTC_OFFSET_MS) % DAY_MS)


def since_monday_ms(ts_ms: Instants) -> Instants:
    """Give the time since local midnight of the week's Monday."""
    return np.asarray((ts_ms + UTC_OFFSET_MS + _EPOCH_WEEKDAY * DAY_MS) % WEEK_MS)


def summer(ts_ms: Instants) -> Values:
    """Give the season: 1 in mid-July, -1 in mid-January."""
    return np.asarray(-np.cos(2 * np.pi * (ts_ms - 14 * DAY_MS) / YEAR_MS))


def spans_of_week(lead_h: float, lag_h: float) -> list[tuple[float, float]]:
    """List the spans something runs that starts before the first shift and ends after the last, in ms of the week."""
    ends = [WORK_END_H] * 5 + [SATURDAY_END_H]
    return [
        (day * DAY_MS + (WORK_START_H - lead_h) * HOUR_MS, day * DAY_MS + (end_h + lag_h) * HOUR_MS)
        for day, end_h in enumerate(ends)
    ]


def running(ts_ms: Instants, lead_h: float, lag_h: float, ramp_ms: int) -> Values:
    """Give 1 while something runs, 0 while it rests, and a straight ramp inside the span's first and last `ramp_ms`."""
    knots, level = [0.0], [0.0]
    for start, end in spans_of_week(lead_h, lag_h):
        knots += [start, start + ramp_ms, end - ramp_ms, end]
        level += [0.0, 1.0, 1.0, 0.0]
    return np.asarray(np.interp(since_monday_ms(ts_ms), knots, level))
