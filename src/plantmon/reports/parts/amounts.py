"""This module lists what was emitted: amounts per pollutant with how they are known, and what of each cap is used."""

from __future__ import annotations

from collections.abc import Iterator

from plantmon import units
from plantmon.amounts.caps import PERIODS, Cap, cap_of
from plantmon.amounts.sources import sources
from plantmon.averages.periods import period_around
from plantmon.averages.rounding import significant_one
from plantmon.compliance.exceedances import points_of
from plantmon.model.emission import Total
from plantmon.model.plant import Basis, Limit, Point
from plantmon.reports.document import Against, Cell, Missing, Part, Scope, moment
from plantmon.reports.words import limit_window, outlet_name, percent, point_name
from plantmon.store import emissions

_SHARES = ("measured_pct", "substituted_pct", "unknown_pct")


def pollutants(scope: Scope) -> list[Point]:
    """Give the pollutants of the plant that have amounts, by outlet."""
    return [point for source in sources(scope.plant) for point in source.pollutants]


def total(scope: Scope, point: Point, start_ms: int, end_ms: int) -> Total:
    """Sum a pollutant's amount over the local days that begin in [start, end)."""
    number = scope.numbers.get(point.id)
    return Total() if number is None else Total.of(emissions.days(scope.connection, number, start_ms, end_ms))


def amount(scope: Scope, found: Total, unit: str) -> float | Missing:
    """Give the known amount in a unit; without a day, or where nothing is known of its running time, none."""
    if not found.parts:
        return scope.missing("no_amount")
    if found.unknown_share == 1 and not found.kg:
        return scope.missing("unknown")
    return significant_one(units.convert(found.kg, "kg", unit))


def shares(found: Total) -> list[Cell]:
    """Give the shares of its running time that were measured, substituted and unknown, in per cent."""
    return [percent(share) for share in (found.measured_share, found.substituted_share, found.unknown_share)]


def state(scope: Scope, found: Total, days: int) -> str | None:
    """Say what must be known of a sum: a lower bound, provisional, not known for all of its `days`, all at rest."""
    said = []
    if found.parts and not found.ran_minutes:
        said.append(scope.say("state.at_rest"))
    if found.unknown_minutes:
        said.append(scope.say("state.unknown_time"))
    if found.at_least:
        said.append(scope.say("state.at_least"))
    if found.provisional:
        said.append(scope.say("state.provisional"))
    if 0 < found.parts < days:
        said.append(scope.say("state.days", known=found.parts, days=days))
    return ", ".join(said) or None


def amounts(scope: Scope) -> Part:
    """Sum each pollutant over the whole local days that begin in the scope, in kg."""
    columns = scope.columns(
        "outlet", "+outlet_name", "point", "pollutant", "amount", "measured", "substituted", "unit", *_SHARES,
        "known_to", "state",
    )  # fmt: skip
    days = len([day for day in scope.plant.time.days(scope.start, scope.end) if day >= scope.start])
    rows: list[list[Cell]] = []
    for point in pollutants(scope):
        found = total(scope, point, scope.start, scope.end)
        known = amount(scope, found, "kg")
        parts = (None, None) if isinstance(known, Missing) else (found.measured_kg, found.substituted_kg)
        rows.append(
            [
                point.outlet, outlet_name(scope.plant, point.outlet or "", scope.language), point.id,
                point_name(point, point.id, scope.language), known,
                *(None if kg is None else significant_one(kg) for kg in parts), "kg", *shares(found),
                moment(found.until_ms), state(scope, found, days),
            ]
        )  # fmt: skip
    return scope.part("amounts", columns, rows, scope.say("remark.amounts"))


def caps(scope: Scope) -> Part:
    """Give what is used of each cap of a month or year that overlaps the scope, up to the scope's end."""
    points, time = points_of(scope.plant, scope.permit), scope.plant.time
    columns = scope.columns(
        "outlet", "+outlet_name", "-limit", "pollutant", "window", "period", "used", "cap", "unit", "used_pct",
        *_SHARES, "passed_on", "state",
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for limit, start, until, cap in cap_uses(scope):
        used = amount(scope, cap.used, limit.unit)
        share = None if isinstance(used, Missing) or not limit.maximum else percent(cap.used_share)
        rows.append(
            [
                limit.outlet, outlet_name(scope.plant, limit.outlet, scope.language), limit.key,
                point_name(points.get(limit.point), limit.subject, scope.language), limit_window(scope, limit),
                time.date_of(start).isoformat()[: 4 if limit.window == "1y" else 7],
                used if isinstance(used, Missing) else Against.of(used, limit.maximum), limit.maximum, limit.unit,
                share, *shares(cap.used), None if cap.passed is None else cap.passed.isoformat(),
                state(scope, cap.used, len(time.days(start, until))),
            ]
        )  # fmt: skip
    return scope.part("caps", columns, rows, scope.say("remark.caps"))


def cap_uses(scope: Scope) -> Iterator[tuple[Limit, int, int, Cap]]:
    """Give what is used of each cap of a month or year that overlaps the scope, in [start, until) within it."""
    for limit, start, end in _caps(scope):
        until = min(end, scope.end)
        days = emissions.days(scope.connection, scope.numbers.get(limit.point, -1), start, until)
        yield limit, start, until, cap_of(limit, days, start, until, scope.plant.time)


def _caps(scope: Scope) -> Iterator[tuple[Limit, int, int]]:
    """Give the mass limits of months and years with their periods that overlap the scope and have begun."""
    for limit in scope.permit.limits().values():
        if limit.basis is not Basis.MASS or limit.maximum is None or limit.window not in PERIODS:
            continue
        at = scope.start
        while at < scope.end:
            start, end = period_around(PERIODS[limit.window], at, scope.plant.time)
            if start < scope.now_ms and scope.permit.is_in_force(limit.key, start) is not None:
                yield limit, start, end
            at = end
