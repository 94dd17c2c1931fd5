"""This module gives the exceedances of a report's time: the register's entries, each with its limit.

A month's or year's cap is exceeded from the day on which its sum passed it, so a report on the time before does not
have it.
"""

from __future__ import annotations

from dataclasses import dataclass

from plantmon.amounts.caps import PERIODS, cap_of
from plantmon.compliance.exceedances import exceedances
from plantmon.compliance.register import Entry
from plantmon.model.plant import Basis, Limit
from plantmon.reports.document import Scope
from plantmon.store import emissions


@dataclass(frozen=True, slots=True)
class Exceeded:
    """An entry with its limit; `first` and `last` are the instants it began and ended, `last` None while it stands."""

    limit: Limit
    entry: Entry
    first: int
    last: int | None


def exceeded(scope: Scope) -> list[Exceeded]:
    """Give the exceedances that overlap the report's time, by their beginning."""
    found = []
    entries = exceedances(scope.connection, scope.plant, scope.permit, scope.numbers, scope.start, scope.end)
    for limit, entry in entries:
        first = _passed(scope, limit, entry) if _is_cap(limit) else entry.first_ms
        if first < scope.end:
            found.append(Exceeded(limit, entry, first, entry.last_ms if entry.end <= scope.now_ms else None))
    return sorted(found, key=lambda one: (one.first, one.limit.key))


def _is_cap(limit: Limit) -> bool:
    return limit.basis is Basis.MASS and limit.window in PERIODS


def _passed(scope: Scope, limit: Limit, entry: Entry) -> int:
    """Give the beginning of the local day on which a cap's sum passed it; of its window where no day is known to."""
    time, number = scope.plant.time, scope.numbers.get(limit.point)
    if number is None:
        return entry.start
    days = emissions.days(scope.connection, number, entry.start, entry.end)
    passed = cap_of(limit, days, entry.start, entry.end, time).passed
    return entry.start if passed is None else time.midnight(passed)
