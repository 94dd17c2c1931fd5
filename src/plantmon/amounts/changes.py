"""This module gathers what a run of weighing found to differ from what stands, to be written in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from plantmon.model.emission import Course, Emission, EmissionDay, Substitute
from plantmon.store import emissions

SubstituteKey = tuple[int, str, int]  # point, level, start


@dataclass(slots=True)
class Changes:
    """Rows that differ; `captures` are (point, start, end, rate) to be noted with what stands in, as it stands."""

    hours: list[tuple[int, Course]] = field(default_factory=list)
    measured: list[Emission] = field(default_factory=list)
    substitutes: list[Substitute] = field(default_factory=list)
    gone: list[SubstituteKey] = field(default_factory=list)
    captures: list[tuple[int, int, int, float]] = field(default_factory=list)
    days: list[EmissionDay] = field(default_factory=list)

    def add_substitutes(self, old: Mapping[int, Substitute], new: Iterable[Substitute]) -> set[int]:
        """Take in what stands in now for all of what did; give the starts of those that count differently."""
        fresh = {one.start: one for one in new}
        gone = [one for start, one in old.items() if start not in fresh]
        differ = [one for start, one in fresh.items() if old.get(start) != one]
        self.substitutes += differ
        self.gone += [(one.point, one.level, one.start) for one in gone]
        counting = {one.start for one in differ if one.start not in old or _counts(old[one.start]) != _counts(one)}
        return counting | {one.start for one in gone}

    def write(self, connection: sqlite3.Connection) -> int:
        """Write them; give how many rows that were."""
        for point, course in self.hours:
            emissions.write_hours(connection, point, course)
        emissions.write_measured(connection, self.measured)
        noted = sum(emissions.set_capture(connection, *capture) for capture in self.captures)
        emissions.write_substitutes(connection, self.substitutes, self.gone)
        emissions.write_days(connection, self.days)
        rows = sum(len(course.start) for _, course in self.hours) + len(self.measured)
        return rows + noted + len(self.substitutes) + len(self.gone) + len(self.days)


def _counts(one: Substitute) -> tuple[float | None, bool, int]:
    """Give what of it enters sums."""
    return one.kg, one.provisional, one.minutes
