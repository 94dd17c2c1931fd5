"""This module warns of deadlines: faults to be reported and repaired, calibrations and execution reports.

Pure. A deadline is warned of from an instant on, and once more when it has passed: that is an alarm of its own, in
whose favour the first ends quietly. What an outlet has to be done of one kind is one alarm (design rule 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from plantmon.averages.periods import Period, period_around, periods_between
from plantmon.model.alarm import Alarm, Condition, Severity
from plantmon.model.plant import Point, Reporting, Rules
from plantmon.times import PlantTime

FAULT_REPORT, FAULT_REPAIR = "fault_report", "fault_repair"
CALIBRATION, REPORT = "calibration_due", "report_due"
KINDS = (FAULT_REPORT, FAULT_REPAIR, CALIBRATION, REPORT)
_DATA_KINDS = (FAULT_REPORT, FAULT_REPAIR)


@dataclass(frozen=True, slots=True)
class Deadline:
    """What is to be done by an instant (`by_ms`, the last at which it is in time), warned of from `warn_ms` on.

    It is of points of an outlet, or of a report's period (`2026-Q1`). `since_ms` is when what it is about began: the
    outage, the last passed calibration (None: none was entered), the report's period.
    """

    kind: str
    warn_ms: int
    by_ms: int
    since_ms: int | None = None
    outlet: str | None = None
    points: tuple[str, ...] = ()
    period: str | None = None

    @property
    def what(self) -> str:
        """What the deadline is of, for the alarm's key."""
        return self.period or self.outlet or ", ".join(self.points)

    def is_overdue(self, now_ms: int) -> bool:
        """Whether it has passed."""
        return now_ms > self.by_ms


def fault_report(point: Point, began_ms: int, by_ms: int, rules: Rules) -> Deadline:
    """Give by when an outage is to be reported; warned of after a share of the time there is."""
    warn_ms = _after_share(began_ms, by_ms, rules.fault_warn_at)
    return Deadline(FAULT_REPORT, warn_ms, by_ms, began_ms, point.outlet, (point.id,))


def fault_repair(point: Point, began_ms: int, by_ms: int, rules: Rules, warn_ms: int | None) -> Deadline:
    """Give by when a monitor is to be repaired; `warn_ms` None: the time is in hours, warned of after a share of it."""
    if warn_ms is None:
        warn_ms = _after_share(began_ms, by_ms, rules.fault_warn_at)
    return Deadline(FAULT_REPAIR, warn_ms, by_ms, began_ms, point.outlet, (point.id,))


def calibration(point: Point, passed_ms: int | None, known_ms: int, rules: Rules) -> Deadline | None:
    """Give by when a point is to be calibrated: an interval after the last passed time, None where none is asked for.

    Where none was ever entered it counts from when plantmon knows the point.
    """
    if point.calibration_ms is None:
        return None
    by_ms = (known_ms if passed_ms is None else passed_ms) + point.calibration_ms
    warn_ms = by_ms - int(point.calibration_ms * rules.calibration_ahead)
    return Deadline(CALIBRATION, warn_ms, by_ms, passed_ms, point.outlet, (point.id,))


def reports(
    reporting: Reporting, time: PlantTime, rules: Rules, first_ms: int | None, done: Iterable[str], now_ms: int,
    standing_ms: int | None = None,
) -> list[Deadline]:  # fmt: skip
    """Give by when reports are to be handed in that are not among those `done`: of each kind that of the newest period.

    Older ones too from `standing_ms` on, the beginning of the oldest that people were warned of. Only of periods in
    which something was measured: that end after `first_ms` (None: nothing was).
    """
    found = []
    for period, days in (
        (Period.MONTH, reporting.monthly), (Period.QUARTER, reporting.quarterly), (Period.YEAR, reporting.yearly)
    ):  # fmt: skip
        if days is None or first_ms is None:
            continue
        newest = period_around(period, period_around(period, now_ms, time)[0] - 1, time)
        since_ms = newest[0] if standing_ms is None else min(newest[0], standing_ms)
        for start, end in periods_between(period, since_ms, newest[1], time):
            name = period_name(period, time.date_of(start))
            if end > first_ms and name not in done:
                by_ms = time.midnight(time.date_of(end) + timedelta(days=days))
                found.append(Deadline(REPORT, by_ms - rules.report_ahead_ms, by_ms, start, period=name))
    return found


def period_name(period: Period, first: date) -> str:
    """Name a month, quarter or year by its first day.

    >>> period_name(Period.QUARTER, date(2026, 1, 1)), period_name(Period.MONTH, date(2026, 3, 1))
    ('2026-Q1', '2026-03')
    """
    if period is Period.MONTH:
        return f"{first:%Y-%m}"
    return f"{first:%Y}-Q{(first.month + 2) // 3}" if period is Period.QUARTER else f"{first:%Y}"


def conditions(deadlines: Iterable[Deadline], standing: Mapping[str, Alarm], now_ms: int) -> list[Condition]:
    """Say which alarms there must be, and end those that stand (by key) and whose deadline is kept or moved."""
    wanted = {}
    for one in _together([one for one in deadlines if now_ms >= one.warn_ms]):
        wanted[_key(one, now_ms)] = _condition(one, now_ms)
    mine = {key: alarm for key, alarm in standing.items() if alarm.kind in KINDS and alarm.is_bad}
    ending = {key: alarm for key, alarm in mine.items() if key not in wanted}
    ends = [_end(alarm, now_ms, quiet=_is_spoken_for(key, wanted, ending)) for key, alarm in ending.items()]
    return [*ends, *wanted.values()]


def _together(deadlines: Iterable[Deadline]) -> list[Deadline]:
    """Make one of the deadlines of one kind and outlet: the first to come, of all their points."""
    found: dict[tuple[str, str], Deadline] = {}
    for one in sorted(deadlines, key=lambda one: (one.by_ms, one.points)):
        first = found.setdefault((one.kind, one.what), one)
        if first is not one:
            found[one.kind, one.what] = replace(first, points=(*first.points, *one.points))
    return list(found.values())


def _key(one: Deadline, now_ms: int) -> str:
    return f"{one.kind}_overdue:{one.what}" if one.is_overdue(now_ms) else f"{one.kind}:{one.what}"


def _condition(one: Deadline, now_ms: int) -> Condition:
    severity = Severity.DATA if one.kind in _DATA_KINDS else Severity.WARNING
    is_alone = len(one.points) == 1
    facts: dict[str, Any] = {
        "outlet": one.outlet, "point": one.points[0] if is_alone else None, "period": one.period, "by": one.by_ms,
        "overdue": one.is_overdue(now_ms), "period_start": one.since_ms if one.period else None,
        "began": one.since_ms if one.kind in _DATA_KINDS else None,
        "last": one.since_ms if one.kind == CALIBRATION else None,
        "detail": None if is_alone else ", ".join(one.points) or None,
    }  # fmt: skip
    # An alarm begins when its time has come, not with its cause: the next outage is another incident.
    return Condition(_key(one, now_ms), one.kind, severity, True, one.warn_ms, now_ms, facts)


def _end(alarm: Alarm, now_ms: int, *, quiet: bool) -> Condition:
    return Condition(alarm.key, alarm.kind, alarm.severity, False, alarm.since_ms, now_ms, {}, quiet=quiet)


def _is_spoken_for(key: str, wanted: Mapping[str, Condition], ending: Mapping[str, Alarm]) -> bool:
    """Whether another alarm says the same: the one that it is overdue, or that the repair of the fault has ended."""
    kind, _, what = key.partition(":")
    if f"{kind}_overdue:{what}" in wanted:
        return True
    repair = {f"{FAULT_REPAIR}:{what}", f"{FAULT_REPAIR}_overdue:{what}"}
    return kind.startswith(FAULT_REPORT) and not repair.isdisjoint(ending)


def _after_share(began_ms: int, by_ms: int, share: float) -> int:
    return began_ms + int((by_ms - began_ms) * share)
