"""This module measures what limits on air judge beyond a plain mean: converted concentrations and rates.

Converted: each minute with the oxygen of the same minute, then averaged (`rules.oxygen_conversion: minute`), or both
hour means first (`hour`). Rate: mean concentration x mean flow while the source runs, with the measured, never the
converted concentration (HJ 212-2017 App. D eq. 33). All of it for many hours at once, one a row.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.mean import HourMeans, means_of
from plantmon.averages.rounding import significant
from plantmon.averages.validity import hour_needed
from plantmon.compliance.measured import MeasuredHours, any_of
from plantmon.compliance.oxygen import AIR_OXYGEN_PCT, converted
from plantmon.model.minutes import Grid
from plantmon.model.plant import Point, Rules

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MG_PER_KG = 1e6


def converted_hours(
    point: Point, rules: Rules, grid: Grid, oxygen: Grid, reference_pct: float, ran: Flags
) -> MeasuredHours:
    """Measure hours at reference oxygen; `grid` in the point's unit, `oxygen` in percent, minutes side by side.

    A minute without oxygen, or at 21 % and above, drops out of the mean. An over-range minute proves what it proves
    at its own oxygen; where its oxygen is unknown the hour is still over range.
    """
    needed = hour_needed(point, rules)
    if rules.oxygen_conversion == "hour":
        return _converted_means(point, needed, grid, oxygen, reference_pct, ran)
    known = np.where(oxygen.valid > 0, oxygen.mean, np.nan)
    mean, bound = converted(grid.mean, known, reference_pct), converted(grid.bound, known, reference_pct)
    at_reference = replace(
        grid,
        valid=np.where(np.isnan(mean), 0, grid.valid).astype(grid.valid.dtype),
        over=np.where(np.isnan(bound), 0, grid.over).astype(grid.over.dtype),
        mean=mean,
        bound=bound,
    )
    found = means_of(at_reference, False, point.is_slow, needed, ran)
    is_over = any_of(ran & (grid.over > 0) & ~(known >= AIR_OXYGEN_PCT))
    return MeasuredHours(found.mean, found.lower_bound, is_over, found.valid, needed, any_of(ran))


def _converted_means(
    point: Point, needed: int, grid: Grid, oxygen: Grid, reference_pct: float, ran: Flags
) -> MeasuredHours:
    """Convert the hours' means with the hours' mean oxygen; both need their valid minutes."""
    found = means_of(grid, False, point.is_slow, needed, ran)
    air = means_of(oxygen, False, False, 0, ran)

    def at_reference(values: Floats) -> Floats:
        return significant(converted(values, air.mean, reference_pct))

    return MeasuredHours(
        at_reference(found.mean), at_reference(found.lower_bound), found.over_range > 0,
        np.minimum(found.valid, air.valid), needed, any_of(ran),
    )  # fmt: skip


def rate_hours(point: Point, rules: Rules, grid: Grid, flow: Grid, factor: float, ran: Flags) -> MeasuredHours:
    """Measure hours' rates: mean concentration x mean flow x `factor`, each over its own valid running minutes.

    `factor` turns the two points' units into the limit's (mg/m3 x m3/h -> kg/h: 1e-6).
    """
    needed = hour_needed(point, rules)
    amount = means_of(grid, False, point.is_slow, needed, ran)
    gas = means_of(flow, False, False, rules.valid_hour_minutes, ran)
    is_over = (amount.over_range > 0) | (gas.over_range > 0)
    has_flow = gas.valid >= rules.valid_hour_minutes
    return MeasuredHours(
        significant(amount.mean * gas.mean * factor),
        np.where(is_over, significant(_proven(amount) * _proven(gas) * factor), np.nan),
        is_over,
        np.where(has_flow, amount.valid, np.minimum(amount.valid, needed - 1)),
        needed,
        any_of(ran),
    )


def _proven(found: HourMeans) -> Floats:
    """Give the least an hour's mean can be: with over-range readings at the range's end where there were any."""
    return np.where(found.over_range == 0, found.mean, found.lower_bound)
