"""This module substitutes missing hours of a pollutant in air, for amounts only.

What stands in is the maximum of the kg/h of the last measured hours before the gap, times the running time; how many
hours, the table says by the quarter's capture rate and the gap's length (tables/substitution.csv; HJ 75-2017). Below
the table's least capture rate nothing may stand in: unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.rounding import significant, significant_one
from plantmon.model.emission import UNKNOWN, Course, Substitute
from plantmon.model.minutes import MINUTES
from plantmon.model.plant import Substitution
from plantmon.times import HOUR_MS


@dataclass(frozen=True, slots=True)
class Quarter:
    """A calendar quarter [start, end) as far as it is closed: its hours, those stopped and those not measured."""

    start: int
    end: int
    hours: int
    stopped: int
    missing: int
    is_over: bool

    @property
    def capture(self) -> float | None:
        """The share of its running hours that was measured; None where it did not run."""
        ran = self.hours - self.stopped
        return (ran - self.missing) / ran if ran else None


def lines_at(table: Sequence[Substitution], capture: float | None) -> tuple[Substitution, ...]:
    """Give the lines of the table that apply at a capture rate, in its order."""
    return tuple(line for line in table if capture is not None and capture >= line.capture_from)


def look_back(table: Sequence[Substitution], capture: float | None, hours: int) -> int | None:
    """Give how many measured hours a gap of so many hours looks back; None where nothing may stand in."""
    lines = (line for line in lines_at(table, capture) if line.up_to_hours is None or hours <= line.up_to_hours)
    return next((line.look_back for line in lines), None)


def substitutes(
    point: int, course: Course, since_ms: int, quarters: Sequence[Quarter], table: Sequence[Substitution]
) -> list[Substitute]:
    """Give what stands in for the hours not measured from `since_ms` on, oldest first.

    **Shape**: `course` begins early enough: with the run that holds `since_ms`, and before it as many measured hours as
    the table looks back, fewer where there are no more. `quarters` are those of its hours from `since_ms` on.

    A run of hours not measured is ended by a measured or a stopped one; its whole length picks the line for all of its
    hours, each hour's own quarter the capture rate. Nothing measured before: unknown.
    """
    is_measured = course.is_measured
    rates = course.amount[is_measured] / course.ran[is_measured] * MINUTES
    before = np.cumsum(is_measured)
    captures = [None if one.capture is None else significant_one(one.capture) for one in quarters]
    found: list[Substitute] = []
    for first, end in _runs(course):
        if course.start[end - 1] < since_ms:
            continue
        peaks = _peaks(rates[: before[first]], table)
        for start, minutes in zip(course.start[first:end].tolist(), course.ran[first:end].tolist(), strict=True):
            if start < since_ms:
                continue
            place = next(number for number, one in enumerate(quarters) if one.start <= start < one.end)
            back = look_back(table, quarters[place].capture, end - first)
            peak = peaks.get(back)
            kg = None if peak is None else peak * minutes / MINUTES
            method = UNKNOWN if peak is None else f"max_{back}"
            is_over = quarters[place].is_over
            found.append(Substitute(point, "1h", start, kg, method, captures[place], not is_over, minutes))
    rounded = significant([np.nan if one.kg is None else one.kg for one in found]).tolist()
    return [one if one.kg is None else replace(one, kg=kg) for one, kg in zip(found, rounded, strict=True)]


def _peaks(rates: NDArray[np.float64], table: Sequence[Substitution]) -> dict[int | None, float]:
    """Give the largest of the last rates by how many the table looks back; none without any rate."""
    return {line.look_back: float(rates[-line.look_back :].max()) for line in table} if len(rates) else {}


def _runs(course: Course) -> Iterator[tuple[int, int]]:
    """Give the runs of hours not measured, as places [first, end)."""
    missing = course.is_missing
    follows = np.r_[False, np.diff(course.start) == HOUR_MS] & missing & np.r_[False, missing[:-1]]
    begins = np.flatnonzero(missing & ~follows)
    for first in begins.tolist():
        end = first + 1
        while end < len(follows) and follows[end]:
            end += 1
        yield first, end
