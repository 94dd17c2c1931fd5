"""This module finds the outages of a monitor in its closed hours, and says how its fault clock stands.

An outage begins with the first hour that is not valid while the source ran, and lasts until the next valid one; hours
in which the source stood still neither begin nor end it. One whose hours lack less than an hour altogether, such as a
calibration, is none. Deadlines are the plant file's `alarms.fault_clock`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from plantmon.compliance.workdays import deadline
from plantmon.model.minutes import MINUTES
from plantmon.model.plant import Calendar, FaultClock
from plantmon.model.window import Window
from plantmon.times import HOUR_MS, PlantTime

LEAST_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Outage:
    """A monitor out of order over [start, end); `end` None: no valid hour since, as far as hours are closed.

    `hours` counts those not valid while the source ran, `known_to` is the end of the last of them, `lacking_min` sums
    their running minutes without a valid value.
    """

    start: int
    end: int | None
    known_to: int
    hours: int
    lacking_min: float

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether any of it lies in [start, end)."""
        return self.start < end_ms and (self.end is None or self.end > start_ms)


@dataclass(frozen=True, slots=True)
class Fault:
    """An outage under the fault clock; a deadline is None where the plant file gives none.

    A report is overdue when the deadline passed without it, or it came later; an outage that ended before its deadline
    needs none. A repair is overdue when the outage lasts, or lasted, beyond its deadline.
    """

    outage: Outage
    report_by_ms: int | None
    repair_by_ms: int | None
    reported_ms: int | None
    is_report_overdue: bool
    is_repair_overdue: bool


def outages(hours: Iterable[Window]) -> list[Outage]:
    """Give the outages in a point's closed hours, which come in time order without a hole; the last may be open."""
    found: list[Outage] = []
    current: Outage | None = None
    for hour in hours:
        if hour.ran == 0:
            continue
        if not hour.is_valid:
            before = current or Outage(hour.start, None, hour.start, 0, 0.0)
            current = replace(
                before, known_to=hour.end, hours=before.hours + 1, lacking_min=before.lacking_min + _lacking_min(hour)
            )
        elif current is not None:
            found.append(replace(current, end=hour.start))
            current = None
    if current is not None:
        found.append(current)
    return [one for one in found if one.lacking_min >= LEAST_MINUTES]


def _lacking_min(hour: Window) -> float:
    """Give the minutes without a valid value while the source ran, at most; a slow point's value stands for several."""
    ran = MINUTES if hour.ran is None else hour.ran.bit_count()
    return min(float(ran), (hour.due - hour.valid) * MINUTES / hour.due)


def clocked(
    outage: Outage, clock: FaultClock | None, calendar: Calendar, time: PlantTime, reported_ms: int | None, now_ms: int
) -> Fault:
    """Give an outage its deadlines, and whether they were kept; `reported_ms` is when the authority was told."""
    report_by = repair_by = None
    if clock is not None:
        report_by = deadline(calendar, time, outage.start, clock.report_within)
        repair_by = deadline(calendar, time, outage.start, clock.repair_within)
    lasted_to = now_ms if outage.end is None else outage.end
    told_ms = lasted_to if reported_ms is None else reported_ms
    return Fault(
        outage, report_by, repair_by, reported_ms,
        report_by is not None and told_ms > report_by, repair_by is not None and lasted_to > repair_by,
    )  # fmt: skip


def hours_so_far(outage: Outage, now_ms: int) -> float:
    """Give how long an outage has lasted, in hours of the clock."""
    return ((now_ms if outage.end is None else outage.end) - outage.start) / HOUR_MS
