"""This module brings a window into the form in which it is judged: over the time its source ran.

Stopped minutes are neither due nor had (settled choices, Running); an hour judges with 45 valid running minutes, a
day with its share of the hours that ran. HJ 212-2017 App. D D2.3(4): without an oxygen or excess-air reference the
dry-standard value itself is judged.
"""

from __future__ import annotations

from plantmon.averages.mean import mean_of_block, mean_of_hours
from plantmon.averages.running import minutes_of_mask
from plantmon.averages.validity import day_needed, hour_needed
from plantmon.compliance.judge import Measured
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Kind, Point, Rules
from plantmon.model.verdict import Reason
from plantmon.model.window import Window


def measured_hour(point: Point, rules: Rules, window: Window, block: MinuteBlock | None) -> Measured:
    """Measure an hour; `block` is needed only where a running condition left minutes out."""
    needed = hour_needed(point, rules)
    if window.ran is None or window.ran.bit_count() == len(_EMPTY.had):
        return Measured(
            window.mean, window.lower_bound, window.over_range > 0, window.valid, needed, Reason.MINUTES, True
        )
    ran = minutes_of_mask(window.ran)
    found = mean_of_block(block or _EMPTY, point.kind is Kind.ENERGY, point.is_slow, needed, ran)
    return Measured(
        found.mean, found.lower_bound, found.over_range > 0, found.valid, needed, Reason.MINUTES, bool(ran.any())
    )


def measured_day(point: Point, rules: Rules, hours: list[Measured], hours_of_day: int) -> Measured:
    """Measure a day of its measured hours; hours without any window count as unknown, that is as run."""
    ran = [hour for hour in hours if hour.ran]
    count = len(ran) + max(0, hours_of_day - len(hours))
    needed = day_needed(count, rules)
    valid = [hour for hour in ran if hour.mean is not None and hour.parts >= hour.needed]
    proving = [hour for hour in ran if hour.lower_bound is not None or hour in valid]
    is_over = any(hour.is_over_range for hour in ran)
    is_energy = point.kind is Kind.ENERGY
    bounds = [hour.lower_bound if hour.lower_bound is not None else hour.mean for hour in proving]
    return Measured(
        mean_of_hours([hour.mean for hour in valid if hour.mean is not None], is_energy),
        mean_of_hours([one for one in bounds if one is not None], is_energy)
        if is_over and len(proving) >= max(needed, 1)
        else None,
        is_over,
        len(valid),
        max(needed, 1),
        Reason.HOURS,
        count > 0,
    )


_EMPTY = MinuteBlock.empty()
