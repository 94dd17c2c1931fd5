"""This module brings windows into the form in which they are judged: over the time their source ran.

Stopped minutes are neither due nor had (settled choices, Running); an hour judges with 45 valid running minutes, a
day with its share of the hours that ran. HJ 212-2017 App. D D2.3(4): without an oxygen or excess-air reference the
dry-standard value itself is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.mean import mean_of_hours, means_of
from plantmon.averages.validity import day_needed, hour_needed, month_needed
from plantmon.compliance.judge import Measured
from plantmon.model.minutes import Grid
from plantmon.model.plant import Kind, Point, Rules
from plantmon.model.verdict import Reason

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MeasuredHours:
    """Hours as `Measured` is one, as arrays of one length; NaN where there is no mean or bound."""

    mean: Floats
    lower_bound: Floats
    is_over_range: Flags
    parts: NDArray[np.int64]
    needed: int
    ran: Flags

    @property
    def is_valid(self) -> Flags:
        """Whether each hour counts for its day."""
        return self.ran & ~np.isnan(self.mean) & (self.parts >= self.needed)

    def part(self, first: int, end: int) -> MeasuredHours:
        """Give some of the hours."""
        chosen = slice(first, end)
        return MeasuredHours(
            self.mean[chosen], self.lower_bound[chosen], self.is_over_range[chosen], self.parts[chosen], self.needed,
            self.ran[chosen],
        )  # fmt: skip

    def one(self, place: int) -> Measured:
        """Give one hour."""
        return Measured(
            or_none(self.mean[place]), or_none(self.lower_bound[place]), bool(self.is_over_range[place]),
            int(self.parts[place]), self.needed, Reason.MINUTES, bool(self.ran[place]),
        )  # fmt: skip


def any_of(minutes: Flags) -> Flags:
    """Say of each hour whether any of its minutes is set."""
    return np.asarray(minutes.any(axis=1))


def or_none(value: float) -> float | None:
    """Give a value, None for NaN."""
    return None if np.isnan(value) else float(value)


def measured_hours(point: Point, rules: Rules, grid: Grid, ran: Flags) -> MeasuredHours:
    """Measure hours by their plain means; `grid` has an hour a row, `ran` says in which minutes the source ran."""
    needed = hour_needed(point, rules)
    found = means_of(grid, point.kind is Kind.ENERGY, point.is_slow, needed, ran)
    return MeasuredHours(found.mean, found.lower_bound, found.over_range > 0, found.valid, needed, any_of(ran))


def measured_day(point: Point, rules: Rules, hours: MeasuredHours) -> Measured:
    """Measure a day of all its hours; one without any reading is unknown, that is as run."""
    needed = day_needed(int(hours.ran.sum()), rules)
    valid = hours.is_valid
    proving = hours.ran & (valid | ~np.isnan(hours.lower_bound))
    is_over = bool((hours.ran & hours.is_over_range).any())
    is_energy = point.kind is Kind.ENERGY
    bounds = np.where(np.isnan(hours.lower_bound), hours.mean, hours.lower_bound)[proving]
    has_bound = is_over and len(bounds) >= max(needed, 1)
    return Measured(
        mean_of_hours(hours.mean[valid].tolist(), is_energy),
        mean_of_hours(bounds.tolist(), is_energy) if has_bound else None,
        is_over,
        int(valid.sum()),
        max(needed, 1),
        Reason.HOURS,
        bool(hours.ran.any()),
    )


def measured_month(rules: Rules, days: list[Measured], *, is_february: bool, is_water: bool) -> Measured:
    """Measure a month of all its days: the mean of the valid ones.

    Air needs 25 valid days, 23 in February (HJ 76-2017 App. B), of fewer days run as many may be missing; waste water
    75 % of the days with discharge (HJ 356-2019).
    """
    ran = [day for day in days if day.ran]
    needed = max(1, month_needed(len(ran), len(days), rules, is_february=is_february, is_water=is_water))
    valid = [day.mean for day in ran if day.mean is not None and day.parts >= day.needed]
    bounds = [
        day.lower_bound if day.lower_bound is not None else day.mean
        for day in ran
        if day.lower_bound is not None or (day.mean is not None and day.parts >= day.needed)
    ]
    is_over = any(day.is_over_range for day in ran)
    return Measured(
        mean_of_hours(valid, is_energy=False),
        mean_of_hours([one for one in bounds if one is not None], is_energy=False)
        if is_over and len(bounds) >= needed
        else None,
        is_over,
        len(valid),
        needed,
        Reason.DAYS,
        bool(ran),
    )
