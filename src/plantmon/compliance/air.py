"""This module measures what limits on air judge beyond a plain mean: converted concentrations and rates.

Converted: each minute with the oxygen of the same minute, then averaged (`rules.oxygen_conversion: minute`), or both
hour means first (`hour`). Rate: mean concentration x mean flow while the source runs, with the measured, never the
converted concentration (HJ 212-2017 App. D eq. 33).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.mean import HourMean, mean_of_block
from plantmon.averages.rounding import significant_one
from plantmon.averages.validity import hour_needed
from plantmon.compliance.judge import Measured
from plantmon.compliance.oxygen import AIR_OXYGEN_PCT, converted
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Point, Rules
from plantmon.model.verdict import Reason

Ran = NDArray[np.bool_]

MG_PER_KG = 1e6


def converted_hour(
    point: Point, rules: Rules, block: MinuteBlock, oxygen: MinuteBlock, reference_pct: float, ran: Ran
) -> Measured:
    """Measure an hour at reference oxygen; `block` in the point's unit, `oxygen` in percent, minutes side by side.

    A minute without oxygen, or at 21 % and above, drops out of the mean. An over-range minute proves what it proves
    at its own oxygen; where its oxygen is unknown the hour is still over range.
    """
    needed = hour_needed(point, rules)
    if rules.oxygen_conversion == "hour":
        return _converted_mean(point, needed, block, oxygen, reference_pct, ran)
    known = np.where(oxygen.valid > 0, oxygen.mean, np.nan)
    mean, bound = converted(block.mean, known, reference_pct), converted(block.bound, known, reference_pct)
    at_reference = replace(
        block,
        valid=np.where(np.isnan(mean), 0, block.valid).astype(block.valid.dtype),
        over=np.where(np.isnan(bound), 0, block.over).astype(block.over.dtype),
        mean=mean,
        bound=bound,
    )
    found = mean_of_block(at_reference, False, point.is_slow, needed, ran)
    is_over = bool((ran & (block.over > 0) & ~(known >= AIR_OXYGEN_PCT)).any())
    return Measured(found.mean, found.lower_bound, is_over, found.valid, needed, Reason.MINUTES, bool(ran.any()))


def _converted_mean(
    point: Point, needed: int, block: MinuteBlock, oxygen: MinuteBlock, reference_pct: float, ran: Ran
) -> Measured:
    """Convert the hour's mean with the hour's mean oxygen; both need their valid minutes."""
    found = mean_of_block(block, False, point.is_slow, needed, ran)
    air = mean_of_block(oxygen, False, False, 0, ran)
    parts = min(found.valid, air.valid)

    def at_reference(value: float | None) -> float | None:
        if value is None or air.mean is None or air.mean >= AIR_OXYGEN_PCT:
            return None
        return significant_one(float(converted(np.array([value]), np.array([air.mean]), reference_pct)[0]))

    return Measured(
        at_reference(found.mean), at_reference(found.lower_bound), found.over_range > 0, parts, needed,
        Reason.MINUTES, bool(ran.any()),
    )  # fmt: skip


def rate_hour(point: Point, rules: Rules, block: MinuteBlock, flow: MinuteBlock, factor: float, ran: Ran) -> Measured:
    """Measure an hour's rate: mean concentration x mean flow x `factor`, each over its own valid running minutes.

    `factor` turns the two points' units into the limit's (mg/m3 x m3/h -> kg/h: 1e-6).
    """
    needed = hour_needed(point, rules)
    amount = mean_of_block(block, False, point.is_slow, needed, ran)
    gas = mean_of_block(flow, False, False, rules.valid_hour_minutes, ran)
    is_over = amount.over_range > 0 or gas.over_range > 0
    has_flow = gas.valid >= rules.valid_hour_minutes
    return Measured(
        _product(amount.mean, gas.mean, factor),
        _product(_proven(amount), _proven(gas), factor) if is_over else None,
        is_over,
        amount.valid if has_flow else min(amount.valid, needed - 1),
        needed,
        Reason.MINUTES,
        bool(ran.any()),
    )


def _proven(found: HourMean) -> float | None:
    """Give the least an hour's mean can be: with over-range readings at the range's end where there were any."""
    return found.mean if found.over_range == 0 else found.lower_bound


def _product(one: float | None, other: float | None, factor: float) -> float | None:
    return None if one is None or other is None else significant_one(one * other * factor)
