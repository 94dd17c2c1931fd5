"""This module says which limits judge a window: those in force on its first local day (settled choices)."""

from __future__ import annotations

from collections.abc import Iterable

from plantmon.compliance.periods import DAY_PERIOD, NIGHT_PERIOD, long_window_of, period_of
from plantmon.model.plant import Limit
from plantmon.times import HOUR_MS, PlantTime

WINDOW_LEVELS = {"1h": "1h", "1d": "1d", "reading": "1h"}  # verdicts on readings are kept by the hour


def in_force(limits: Iterable[Limit], level: str, start_ms: int, time: PlantTime) -> list[Limit]:
    """Choose the limits that give a verdict for a window of a level that starts at an instant.

    Periods, months and years are found by `windows_of`.
    """
    day = time.date_of(start_ms)
    return [limit for limit in limits if WINDOW_LEVELS.get(limit.window) == level and limit.covers(day)]


def windows_of(limit: Limit, level: str, start_ms: int, time: PlantTime, reach_ms: int = 0) -> list[tuple[int, int]]:
    """Give the windows [start, end) of a limit that a changed hour (`1h`) or day (`1d`) can give another verdict.

    Single readings: the hour and those after it in which a run that began here may reach its hold. A month or a year
    is judged with its last day. `reach_ms` is how far a reading's influence goes: of single readings into the hours
    after its own, of a day's value into the day before.
    """
    if level == "1h":
        if limit.window in ("1h", "reading"):
            last = start_ms + (reach_ms if limit.window == "reading" else 0)
            return [(hour, hour + HOUR_MS) for hour in range(start_ms, last + 1, HOUR_MS)]
        if limit.window in (DAY_PERIOD, NIGHT_PERIOD):
            period = period_of(limit.window, start_ms, time)
            return [period] if period else []
        day = time.day_start(start_ms)
        if limit.window == "1d" and start_ms - day < reach_ms:
            return [(time.day_start(day - 1), day)]
        return []
    if limit.window == "1d":
        return [(start_ms, time.next_day(start_ms))]
    return [long_window_of(limit.window, start_ms, time)] if limit.window in ("1mo", "1y") else []
