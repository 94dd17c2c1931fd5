"""This module follows caps: the tonnes of a month or year used so far, at what pace, and when the cap is reached at it.

The known sum counts, whatever share of it is unknown (settled choices, Verdicts). A pace is the mean of the whole local
days of the last 7, 30 or 365, of those there are; the days of an outlet at rest are among them.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate
from typing import Any

from plantmon import units
from plantmon.averages.periods import Period, period_around
from plantmon.averages.rounding import significant_one
from plantmon.model.alarm import Alarm, Condition, Severity
from plantmon.model.emission import EmissionDay, Total
from plantmon.model.plant import Basis, Limit, Plant
from plantmon.store import alarms, emissions
from plantmon.store.database import Store
from plantmon.times import DAY_MS, PlantTime

PACE_DAYS = (7, 30, 365)
TELLING_DAYS = 30  # the pace that warns
PERIODS = {"1mo": Period.MONTH, "1y": Period.YEAR}


@dataclass(frozen=True, slots=True)
class Pace:
    """What a day brought over the last `days` whole days, `counted` of them known; None without any.

    `reached` is the day the cap is reached when it goes on like that, None when not before the period ends;
    `projected_kg` is what the whole period then comes to.
    """

    days: int
    counted: int
    kg_d: float | None
    reached: date | None
    projected_kg: float | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """A mass limit's period [start, end): the cap, what is known to be used of it, and the paces. In kg.

    `passed` is the day on which the known sum passed the cap.
    """

    limit: Limit
    start: int
    end: int
    cap_kg: float
    used: Total
    passed: date | None
    paces: tuple[Pace, ...]

    @property
    def used_share(self) -> float:
        """Used of the cap, 1 is all of it; a cap of 0 is used up by anything above it."""
        if self.cap_kg:
            return self.used.kg / self.cap_kg
        return math.inf if self.used.kg > 0 else 0.0


def cap_of(limit: Limit, days: Sequence[EmissionDay], start_ms: int, end_ms: int, time: PlantTime) -> Cap:
    """Say where a mass limit stands in its period [start, end).

    `days` are the pollutant's day sums up to the period's end, oldest first, from a year before its newest on.
    """
    assert limit.maximum is not None
    cap_kg = units.convert(limit.maximum, limit.unit, "kg")
    inside = [day for day in days if start_ms <= day.start < end_ms]
    used = Total.of(inside)
    passed = _passed(inside, cap_kg, used, time)
    paces = tuple(_pace(days, many, cap_kg, used, end_ms, passed, time) for many in PACE_DAYS)
    return Cap(limit, start_ms, end_ms, cap_kg, used, passed, paces)


def _passed(inside: Sequence[EmissionDay], cap_kg: float, used: Total, time: PlantTime) -> date | None:
    """Give the day on which the sum passed the cap, None while it has not."""
    if significant_one(used.kg) <= cap_kg:
        return None
    sums = accumulate(day.measured_kg + day.substituted_kg for day in inside)
    return next(
        (time.date_of(day.start) for day, kg in zip(inside, sums, strict=True) if significant_one(kg) > cap_kg), None
    )


def _pace(
    days: Sequence[EmissionDay], many: int, cap_kg: float, used: Total, end_ms: int, passed: date | None,
    time: PlantTime,
) -> Pace:  # fmt: skip
    whole = [day for day in days if day.end == time.next_day(day.start)]
    since = time.day_start(whole[-1].end - many * DAY_MS + DAY_MS // 2) if whole else 0
    counted = [day for day in whole if day.start >= since]
    if not counted:
        return Pace(many, 0, None, passed)
    kg_d = significant_one(Total.of(counted).kg / len(counted))
    reached, since_ms = passed, used.until_ms or counted[-1].end
    if passed is None and kg_d > 0:
        at_ms = since_ms + max(0.0, cap_kg - used.kg) / kg_d * DAY_MS
        reached = time.date_of(int(at_ms)) if at_ms < end_ms else None
    projected_kg = used.kg + kg_d * max(0, end_ms - since_ms) / DAY_MS
    return Pace(many, len(counted), kg_d, reached, projected_kg)


def conditions_of(cap: Cap, warn_at: float, deadband: float = 0.0) -> list[Condition]:
    """Say whether more than a share of the cap (`warn_at`, 0..1) is used, and whether the pace points past it.

    A pace that points just short of the cap, by less than the deadband, changes nothing: it would come and go daily.
    """
    limit = cap.limit
    used = significant_one(units.convert(cap.used.kg, "kg", limit.unit))
    telling = next(pace for pace in cap.paces if pace.days == TELLING_DAYS)
    facts: dict[str, Any] = {
        "limit": limit.key, "outlet": limit.outlet, "point": limit.point, "window": limit.window,
        "unit": limit.unit, "standard": limit.standard, "basis": str(limit.basis), "bound": limit.maximum,
        "side": "max", "value": used, "at_least": cap.used.at_least, "start": cap.start, "end": cap.end,
    }  # fmt: skip
    until = cap.used.until_ms or cap.start
    reached = {} if telling.reached is None else {"reached": telling.reached.isoformat()}
    return [
        Condition(
            f"cap_share:{limit.key}", "cap_share", Severity.WARNING, significant_one(cap.used_share) > warn_at, until,
            until, facts,
        ),
        Condition(
            f"cap_pace:{limit.key}", "cap_pace", Severity.WARNING, _points_past(cap, telling, deadband), until, until,
            facts | reached,
        ),
    ]  # fmt: skip


def _points_past(cap: Cap, pace: Pace, deadband: float) -> bool | None:
    if pace.reached is not None:
        return True
    is_near = pace.projected_kg is not None and pace.projected_kg > cap.cap_kg * (1 - deadband)
    return None if is_near else False


def moving(found: Iterable[Condition], standing: Mapping[str, Alarm]) -> list[Condition]:
    """Give the conditions that move the alarms that stand, by key; each period is warned of for itself.

    The warnings of a period that is over end without a mail, and so do those of a cap that is exceeded: its breach
    speaks.
    """
    moved = []
    for one in found:
        alarm = standing.get(one.key)
        breach = standing.get(f"breach:{one.facts['limit']}")
        is_exceeded = breach is not None and breach.is_bad
        if alarm is not None and (is_exceeded or alarm.facts.get("start") != one.facts["start"]):
            moved.append(replace(one, is_bad=False, until_ms=one.facts["start"], quiet=True))
        if not is_exceeded and one.is_bad is not None:
            moved.append(one)
    return moved


class CapWatch:
    """Warns of the caps of a plant's months and years."""

    def __init__(self, plant: Plant, numbers: dict[str, int], store: Store) -> None:
        self._plant = plant
        self._numbers = numbers
        self._store = store

    def conditions(self, now_ms: int) -> list[Condition]:
        """Say of each cap what is to be warned of, and what no longer."""
        with self._store.readers.snapshot() as connection:
            known = read_caps(connection, self._plant, self._numbers, now_ms)
            standing = {alarm.key: alarm for alarm in alarms.all_standing(connection)}
        default, deadband = self._plant.rules.cap_warn_at, self._plant.alarms.deadband
        found = [
            condition
            for cap in known
            for condition in conditions_of(cap, default if cap.limit.warn_at is None else cap.limit.warn_at, deadband)
        ]
        return moving(found, standing)


def read_caps(connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], now_ms: int) -> list[Cap]:
    """Give where each mass limit of the month or year that holds an instant stands, in the plant file's order."""
    found = []
    for limit, (start, end) in caps_in_force(plant, now_ms):
        since = min(start, now_ms - (max(PACE_DAYS) + 1) * DAY_MS)
        days = emissions.days(connection, numbers[limit.point], since, end)
        found.append(cap_of(limit, days, start, end, plant.time))
    return found


def caps_in_force(plant: Plant, now_ms: int) -> list[tuple[Limit, tuple[int, int]]]:
    """List the mass limits of months and years with their period [start, end) that holds an instant.

    Those of the period's first local day are in force (settled choices, Time and order).
    """
    found = []
    for limit in plant.limits:
        if limit.basis is Basis.MASS and limit.maximum is not None and limit.window in PERIODS:
            span = period_around(PERIODS[limit.window], now_ms, plant.time)
            if limit.covers(plant.time.date_of(span[0])):
                found.append((limit, span))
    return found
