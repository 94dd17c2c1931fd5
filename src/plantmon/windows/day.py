"""This module makes a day of its hours; a counter's day is the exact sum of its hours."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from plantmon.averages.mean import mean_of_block, mean_of_hours
from plantmon.averages.validity import day_needed
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Kind, Point, Rules
from plantmon.model.window import Window
from plantmon.times import HOUR_MS
from plantmon.windows.counter import CUT_END, CUT_START

_COLUMNS = tuple(field.name for field in fields(MinuteBlock))


def day_of_hours(point: Point, number: int, rules: Rules, start: int, end: int, hours: list[Window]) -> Window:
    """Make the day [start, end) of the point's hour windows inside it, oldest first; some may be missing."""
    if point.kind is Kind.COUNTER:
        return _counted(number, start, end, hours)
    due = -(-(end - start) // HOUR_MS)
    has_running = any(hour.ran is not None for hour in hours)
    ran = sum(1 for hour in hours if hour.ran is None or hour.ran) if has_running else due
    needed = day_needed(ran, rules)
    valid = [hour for hour in hours if hour.is_valid and hour.mean is not None]
    counting = [hour for hour in valid if hour.ran is None or hour.ran > 0]
    over = [hour for hour in hours if hour.over_range]
    bounds = [
        hour.mean if hour.lower_bound is None else hour.lower_bound
        for hour in hours
        if hour.lower_bound is not None or (hour.is_valid and hour.mean is not None)
    ]
    lows = [hour.minimum for hour in hours if hour.minimum is not None]
    highs = [hour.maximum for hour in hours if hour.maximum is not None]
    is_energy = point.kind is Kind.ENERGY
    return Window(
        "1d", start, end, number,
        mean=mean_of_hours([hour.mean for hour in valid if hour.mean is not None], is_energy),
        minimum=min(lows, default=None),
        maximum=max(highs, default=None),
        lower_bound=(
            mean_of_hours([bound for bound in bounds if bound is not None], is_energy)
            if over and len(bounds) >= max(needed, 1)
            else None
        ),
        due=due,
        had=sum(1 for hour in hours if hour.had),
        valid=len(counting),
        readings=sum(hour.readings for hour in hours),
        over_range=len(over),
        ran=ran if has_running else None,
        is_valid=ran > 0 and len(counting) >= needed,
    )  # fmt: skip


def energy_day(day: Window, blocks: list[MinuteBlock]) -> Window:
    """Give a sound level's day its energy mean over all valid minutes; its validity stays that of its hours."""
    if not blocks:
        return day
    whole = MinuteBlock(*(np.concatenate([getattr(block, name) for block in blocks]) for name in _COLUMNS))
    found = mean_of_block(whole, is_energy=True, is_slow=False, needed=0)
    bound = found.lower_bound if day.lower_bound is not None else None
    return replace(day, mean=found.mean, lower_bound=bound)


def _counted(number: int, start: int, end: int, hours: list[Window]) -> Window:
    amounts = [hour.amount for hour in hours if hour.amount is not None]
    covered = sum(hour.valid for hour in hours)
    return Window(
        "1d", start, end, number,
        amount=sum(amounts) if amounts else None,
        due=end - start,
        had=covered,
        valid=covered,
        readings=sum(hour.readings for hour in hours),
        is_valid=covered == end - start,
        estimated=(hours[0].estimated & CUT_START) | (hours[-1].estimated & CUT_END) if hours else 0,
    )  # fmt: skip
