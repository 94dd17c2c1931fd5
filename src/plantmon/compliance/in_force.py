"""This module says which windows a limit judges, and which of them a change may give another verdict."""

from __future__ import annotations

from plantmon.compliance.periods import DAY_PERIOD, NIGHT_PERIOD, long_window_of, period_of
from plantmon.model.plant import Limit, Rules
from plantmon.times import HOUR_MS, PlantTime

AMOUNT = "amount"  # the level of a mark that a day's amount changed


def windows_on(limit: Limit, day_ms: int, time: PlantTime, rules: Rules) -> list[tuple[int, int]]:
    """Give the windows [start, end) of a limit that begin on a local day; months and years are `long_window_of`."""
    end = time.next_day(day_ms)
    hours = [(hour, hour + HOUR_MS) for hour in range(day_ms, end, HOUR_MS)]
    if limit.window in ("1h", "reading"):
        return hours
    if limit.window == "1d":
        return [(day_ms, end)]
    periods = {period_of(limit.window, hour, time, rules) for hour, _ in hours} if "period" in limit.window else set()
    return sorted(period for period in periods if period is not None and day_ms <= period[0] < end)


def windows_of(
    limit: Limit, level: str, start_ms: int, time: PlantTime, rules: Rules, reach_ms: int = 0
) -> list[tuple[int, int]]:
    """Give the windows [start, end) of a limit that a changed hour (`1h`), day (`1d`) or day's amount may judge anew.

    Single readings: the hour and those after it in which a run that began here may reach its hold. A month or a year
    is judged with its last day. `reach_ms` is how far a reading's influence goes: of single readings into the hours
    after its own, of a result of waste water into the window before.
    """
    if level == AMOUNT and limit.window == "1h":
        return windows_on(limit, start_ms, time, rules)
    if level == "1h":
        if limit.window in ("1h", "reading"):
            reach = -(-reach_ms // HOUR_MS) * HOUR_MS
            after, before = (reach, 0) if limit.window == "reading" else (0, reach)
            return [(hour, hour + HOUR_MS) for hour in range(start_ms - before, start_ms + after + 1, HOUR_MS)]
        if limit.window in (DAY_PERIOD, NIGHT_PERIOD):
            period = period_of(limit.window, start_ms, time, rules)
            return [period] if period else []
        day = time.day_start(start_ms)
        if limit.window == "1d" and start_ms - day < reach_ms:
            return [(time.day_start(day - 1), day)]
        return []
    if limit.window == "1d":
        return [(start_ms, time.next_day(start_ms))]
    return [long_window_of(limit.window, start_ms, time)] if limit.window in ("1mo", "1y") else []
