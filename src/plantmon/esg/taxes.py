"""This module gathers what the tax is computed from: an outlet's amounts, means against limits and pH, by month.

Amounts are the measured and substituted ones of permit quantities, with their sign, whatever annual figures do below
detection. A mean is that of the month's hours (air) or days (water) as judged, at reference oxygen where the limit has
one (implementing regulation, articles 10 and 11); of several limits the one whose mean stands highest. pH counts hour
by hour with its mean, and the hour's flow at 1 t/m3.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

from plantmon import units
from plantmon.averages.periods import Period, periods_between
from plantmon.averages.rounding import significant_one
from plantmon.esg.tax import MEASURED, PH, Release, TaxYear, rates_of, tax_of_releases
from plantmon.model.emission import EmissionDay, Total
from plantmon.model.metric import Coverage
from plantmon.model.plant import Basis, Kind, Limit, Outlet, Plant, Point
from plantmon.store import annual, emissions, windows
from plantmon.tables.tax import free_ph
from plantmon.times import DAY_MS

WINDOWS = {"air": "1h", "water": "1d"}
FLOW = "water_flow"
Span = tuple[int, int]
DaysOf = Callable[[Point], list[EmissionDay]]


def tax_of(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], start_ms: int, end_ms: int,
    days_of: DaysOf | None = None,
) -> TaxYear:  # fmt: skip
    """Compute the tax of the months that [start, end) touches, each whole, as far as amounts are known.

    `days_of` gives a pollutant's days where they were read before.
    """
    months = periods_between(Period.MONTH, start_ms, end_ms, plant.time)
    releases = [
        release
        for outlet in plant.outlets.values()
        if outlet.kind in WINDOWS
        for name in outlet.points
        for release in _releases(connection, plant, numbers, outlet, plant.points[name], months, days_of)
    ]
    return tax_of_releases(releases, rates_of(plant.esg))


def taxes(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], edges: Sequence[int],
    days_of: DaysOf | None = None,
) -> list[TaxYear]:  # fmt: skip
    """Compute the tax between neighbouring edges, which are starts of months."""
    whole = tax_of(connection, plant, numbers, edges[0], edges[-1], days_of)
    return [whole.within(start, end) for start, end in pairwise(edges)]


def _releases(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], outlet: Outlet, point: Point,
    months: list[Span], days_of: DaysOf | None,
) -> list[Release]:  # fmt: skip
    """Give what an outlet's point says of each month; nothing where it measures no pollutant."""
    number = numbers.get(point.id)
    if point.quantity == PH:
        return [] if number is None else _waters(connection, plant, numbers, outlet, point, months)
    if not _is_pollutant(point):
        return []
    if days_of is not None:
        days = days_of(point)
    else:
        days = [] if number is None else emissions.days(connection, number, months[0][0], months[-1][1])
    limits = [limit for limit in plant.limits if _is_of(limit, outlet, point)]
    return [_release(connection, plant, outlet, point, days, limits, month) for month in months]


def _is_pollutant(point: Point) -> bool:
    """Whether a point measures a mass in a volume, or a gas in ppm with its molar mass."""
    if point.kind is not Kind.GAUGE:
        return False
    is_by_volume = point.gas is not None and point.gas.factor != 1.0
    return is_by_volume or units.dimension(point.unit) == "mass/volume"


def _is_of(limit: Limit, outlet: Outlet, point: Point) -> bool:
    return (
        limit.point == point.id
        and limit.basis is Basis.CONCENTRATION
        and limit.window == WINDOWS[outlet.kind]
        and limit.maximum is not None
    )


def _release(
    connection: sqlite3.Connection, plant: Plant, outlet: Outlet, point: Point, days: list[EmissionDay],
    limits: list[Limit], month: Span,
) -> Release:  # fmt: skip
    inside = days[bisect_left(days, month[0], key=_start) : bisect_left(days, month[1], key=_start)]
    mean, bound, exceeded = _against_limits(connection, limits, month)
    return Release(
        outlet=outlet.id,
        month=plant.time.date_of(month[0]).isoformat()[:7],
        medium=outlet.kind,
        pollutant=_taxed_as(outlet, point),
        kg=_kg(inside),
        mean=mean,
        limit=bound,
        exceeded=exceeded,
        is_indirect=outlet.discharge == "indirect",
        notes=_notes(outlet, inside),
        coverage=MEASURED
        if outlet.discharge == "indirect"
        else _coverage(inside, round((month[1] - month[0]) / DAY_MS)),
        point=point.id,
        start_ms=month[0],
        end_ms=month[1],
    )


def _start(day: EmissionDay) -> int:
    return day.start


def _taxed_as(outlet: Outlet, point: Point) -> str:
    """Name a quantity as the table of the tax does: particulate matter of fuel is smoke, of processes dust."""
    is_named = point.quantity == "pm" and outlet.tax_pm is not None
    return f"pm.{outlet.tax_pm}" if is_named else point.quantity


def _kg(days: list[EmissionDay]) -> Decimal | None:
    """Add up days as decimals; None where nothing is known of any."""
    if not any(day.ran_minutes == 0 or day.unknown_minutes < day.ran_minutes or day.at_least for day in days):
        return None
    return sum((Decimal(repr(kg)) for day in days for kg in (day.measured_kg, day.substituted_kg)), Decimal(0))


def _against_limits(
    connection: sqlite3.Connection, limits: list[Limit], month: Span
) -> tuple[Decimal | None, Decimal | None, bool]:
    """Give the month's mean and the limit it stands highest against, and whether any window exceeded."""
    mean = bound = None
    exceeded = False
    for limit in limits:
        count, total, breaches = annual.judged(connection, limit.key, *month)
        exceeded = exceeded or breaches > 0
        assert limit.maximum is not None
        highest = Decimal(repr(limit.maximum))
        if not count:
            bound = highest if bound is None else bound
            continue
        found = Decimal(repr(significant_one(total / count)))
        if mean is None or bound is None or found * bound > mean * highest:
            mean, bound = found, highest
    return mean, bound, exceeded


def _notes(outlet: Outlet, days: list[EmissionDay]) -> tuple[str, ...]:
    unsaid = outlet.kind == "water" and outlet.discharge is None
    found = {
        "discharge_unsaid": unsaid,
        "substituted": any(day.substituted_minutes for day in days),
        "unknown_time": any(day.unknown_minutes for day in days),
        "at_least": any(day.at_least for day in days),
        "provisional": any(day.provisional for day in days),
    }
    return tuple(code for code, holds in found.items() if holds)


def _coverage(days: list[EmissionDay], due: int) -> Coverage:
    """Give the shares of a month; days without any running minute count as measured."""
    total = Total.of(days)
    there = len(days) / due
    substituted = there * (total.substituted_share or 0.0)
    unknown = there * (total.unknown_share or 0.0)
    return Coverage(there - substituted - unknown, substituted, 0.0, 1.0 - there + unknown)


def _waters(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], outlet: Outlet, point: Point,
    months: list[Span],
) -> list[Release]:  # fmt: skip
    """Give the months in which waste water was so acid or alkaline that it is taxed, with its pH and t."""
    flow = next((plant.points[name] for name in outlet.points if plant.points[name].quantity == FLOW), None)
    if outlet.kind != "water":
        return []
    low, high = free_ph()
    found = []
    for month in months:
        hours = [
            hour
            for start, end in _suspicious(connection, plant, numbers[point.id], month, float(low), float(high))
            for hour in windows.outside(connection, numbers[point.id], start, end, float(low), float(high))
        ]
        if not hours:
            continue
        tonnes = [(ph, _tonnes(connection, numbers, flow, start)) for start, ph in hours]
        found.append(
            Release(
                outlet.id, plant.time.date_of(month[0]).isoformat()[:7], "water", PH, None,
                is_indirect=outlet.discharge == "indirect",
                waters=tuple((Decimal(repr(ph)), water) for ph, water in tonnes if water is not None),
                notes=("unknown_flow",) if any(water is None for _, water in tonnes) else (),
                point=point.id, start_ms=month[0], end_ms=month[1],
            )
        )  # fmt: skip
    return found


def _suspicious(
    connection: sqlite3.Connection, plant: Plant, point: int, month: Span, low: float, high: float
) -> list[Span]:
    """Give the days of a month on which some reading lay outside of bounds: no hour of another one can.

    A day that is not closed has no extremes yet.
    """
    days = plant.time.days(*month)
    ends = annual.extremes(connection, [point], days)[point]
    edges = [*days, month[1]]
    return [(day, end) for day, end in pairwise(edges) if day not in ends or ends[day][0] < low or ends[day][1] > high]


def _tonnes(
    connection: sqlite3.Connection, numbers: dict[str, int], flow: Point | None, hour_ms: int
) -> Decimal | None:
    """Give an hour's waste water, t at 1 m3 = 1 t; None where nobody knows."""
    if flow is None or flow.id not in numbers:
        return None
    window = windows.read(connection, "1h", hour_ms, numbers[flow.id])
    if window is None or window.mean is None:
        return None
    return Decimal(repr(significant_one(max(0.0, units.convert(window.mean, flow.unit, "m3/h")))))
