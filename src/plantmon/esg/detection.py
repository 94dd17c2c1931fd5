"""This module counts what lies below the detection limit as the plant file says, in annual figures only.

Hours of air whose mean lies below the limit, and results of waste water below it, count as nothing, as half the limit,
or as measured (SL 219-2013 clause 12.2.5: totals take nothing). Permit quantities and the tax take the measured, signed
sum. A day whose lowest reading reaches the limit has no such hour, which spares most of the reading.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from plantmon import units
from plantmon.averages.mean import PointTable, classify
from plantmon.averages.rounding import significant_one
from plantmon.averages.water_flow import Flow, volumes_m3
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS, standing
from plantmon.esg.volumes import flow_point, flows
from plantmon.model.emission import Course, EmissionDay, Substitute
from plantmon.model.plant import Plant, Point
from plantmon.store import annual, declarations, emissions, readings, windows
from plantmon.store.emissions import HOUR
from plantmon.times import HOUR_MS

GRAMS_PER_KG = 1000.0
MG_PER_KG = 1e6
MINUTES = 60
HALF = 0.5
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Below:
    """A day's measured amount as the policy counts it, and how many of its hours (results) lay below the limit."""

    kg: Decimal
    count: int


def below_detection(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], days: Mapping[str, Sequence[EmissionDay]]
) -> dict[str, dict[int, Below]]:
    """Give the days of pollutants that hold anything below the detection limit, by point and the day's start.

    Of a point without a limit, and where the plant file takes what is measured, there is nothing.
    """
    policy = plant.esg.below_detection
    points = [plant.points[name] for name, some in days.items() if some]
    points = [point for point in points if point.detection_limit is not None and point.outlet is not None]
    if policy == "measured" or not points:
        return {}
    starts = {day.start for point in points for day in days[point.id]}
    ends = annual.extremes(connection, [numbers[point.id] for point in points], starts)
    share = 0.0 if policy == "zero" else HALF
    air, found = [], {}
    for point in points:
        mine, limit = ends[numbers[point.id]], point.detection_limit or 0.0
        low = [day for day in days[point.id] if day.start in mine and mine[day.start][0] < limit]
        if not low:
            continue
        if plant.outlets[point.outlet or ""].kind == "water":
            found[point.id] = _water(connection, plant, numbers, point, low, share)
        else:
            whole = {day.start for day in low if mine[day.start][1] < limit and not share}
            air.append(_air_of(connection, plant, numbers[point.id], point, low, whole))
    return found | _air(connection, plant, numbers, air)


# air


@dataclass(frozen=True, slots=True)
class _Air:
    """A point's days with readings below the limit: those throughout below it, and the hours of the others."""

    point: Point
    low: list[EmissionDay]
    course: Course
    stood_in: Mapping[int, Substitute]
    chosen: Flags  # hours whose means have to be looked at
    places: Mapping[int, slice]


def _air_of(
    connection: sqlite3.Connection, plant: Plant, number: int, point: Point, low: list[EmissionDay], whole: set[int]
) -> _Air:
    first, last = low[0].start, plant.time.next_day(low[-1].start)
    course = emissions.hours(connection, number, first, last)
    stood_in = emissions.substitutes(connection, number, HOUR, first, last)
    places = {day.start: _rows(course, plant, day.start) for day in low}
    chosen = np.zeros(len(course.start), bool)
    for day in low:
        chosen[places[day.start]] = day.start not in whole
    return _Air(point, low, course, stood_in, chosen, places)


def _air(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], some: Sequence[_Air]
) -> dict[str, dict[int, Below]]:
    """Count the days of air points; the means of all their hours are read together."""
    hours = {hour for one in some for hour in one.course.start[one.chosen].tolist()}
    limits = {numbers[one.point.id]: one.point.detection_limit or 0.0 for one in some}
    means = annual.hours_under(connection, limits, hours) if hours else {}
    found = {}
    for one in some:
        told = hours_below(
            connection, plant, numbers, one.point, one.course.rows(one.chosen), one.stood_in,
            means.get(numbers[one.point.id], {}),
        )  # fmt: skip
        found[one.point.id] = _days_below(one, told)
    return found


def _days_below(one: _Air, told: Mapping[int, Decimal]) -> dict[int, Below]:
    own = _own(one.course, one.stood_in)
    kilograms = {start: stand_in.kg for start, stand_in in one.stood_in.items()}
    found = {}
    for day in one.low:
        rows = one.places[day.start]
        part = one.course.rows(rows)
        if one.chosen[rows].any():
            counted = {start: told[start] for start in part.start.tolist() if start in told}
        else:
            counted = dict.fromkeys(part.start[own[rows]].tolist(), Decimal(0))
        if counted:
            kept = _kept(part, counted, kilograms)
            found[day.start] = Below(_kg([*kept, *map(float, counted.values())]), len(counted))
    return found


def _rows(course: Course, plant: Plant, day: int) -> slice:
    """Give the places of a local day's hours."""
    return slice(*np.searchsorted(course.start, [day, plant.time.next_day(day)]).tolist())


def hours_below(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], point: Point, course: Course,
    stood_in: Mapping[int, Substitute], means: Mapping[int, float] | None = None,
) -> dict[int, Decimal]:  # fmt: skip
    """Give what the measured hours of air whose mean lies below the detection limit count with, kg, by their start.

    `means` are those of hours below it, where they were read before.
    """
    policy, limit = plant.esg.below_detection, point.detection_limit
    if limit is None or policy == "measured":
        return {}
    own = course.rows(_own(course, stood_in))
    if means is None:
        number = numbers[point.id]
        means = annual.hours_under(connection, {number: limit}, own.start.tolist())[number]
    told = [hour for hour in own.start.tolist() if hour in means]
    if policy == "zero" or not told:
        return dict.fromkeys(told, Decimal(0))
    chosen = own.rows(np.isin(own.start, told))
    halves = _halves(connection, plant, numbers, point, chosen, means)
    return {start: Decimal(repr(significant_one(kg))) for start, kg in zip(chosen.start.tolist(), halves, strict=True)}


def _own(course: Course, stood_in: Mapping[int, Substitute]) -> Flags:
    """Which hours count with what was measured in them alone."""
    replaced = np.isin(course.start, list(stood_in)) if stood_in else np.zeros(len(course.start), bool)
    return course.is_measured & ~replaced & np.isnan(course.proven)


def _kept(part: Course, below: Container[int], stood_in: Mapping[int, float | None]) -> list[float]:
    """List what was measured in the other hours of a day; of an unknown hour only what is proven."""
    kept = []
    for start, kg, proven in zip(part.start.tolist(), part.kg.tolist(), part.proven.tolist(), strict=True):
        if start in below or stood_in.get(start) is not None:
            continue
        amount = np.fmax(np.nan if start in stood_in else kg, proven)
        if not math.isnan(amount):
            kept.append(float(amount))
    return kept


def _halves(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], point: Point, hours: Course,
    means: Mapping[int, float],
) -> list[float]:  # fmt: skip
    """Give what hours would have released with half the limit as their mean."""
    limit = (point.detection_limit or 0.0) * HALF
    flow = next(
        plant.points[name] for name in plant.outlets[point.outlet or ""].points
        if plant.points[name].quantity == "gas_flow"
    )  # fmt: skip
    factor = point.gas.factor if point.gas is not None and point.gas.factor != 1.0 else None
    to_mg_m3 = factor if factor is not None else units.conversion(point.unit, "mg/m3")[0]
    to_m3_h = units.conversion(flow.unit, "m3/h")[0]
    found = []
    for start, kg, ran in zip(hours.start.tolist(), hours.kg.tolist(), hours.ran.tolist(), strict=True):
        mean = means[start]
        if mean:  # the amount is its mean times the flow: so the flow is known as it was weighed
            found.append(kg / mean * limit)
        else:
            m3_h = (annual.mean_at(connection, HOUR, numbers[flow.id], start) or 0.0) * to_m3_h
            found.append(limit * to_mg_m3 * m3_h * ran / MINUTES / MG_PER_KG)
    return found


# waste water


def _water(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], point: Point, low: list[EmissionDay],
    share: float,
) -> dict[int, Below]:  # fmt: skip
    flow = flow_point(plant, point.outlet or "")
    span = None if flow is None else windows.closed(connection, HOUR).get(numbers[flow.id])
    if flow is None or span is None or point.formula is not None:
        return {}
    reach = WEIGHS_FOR_INTERVALS * point.interval_ms
    found = {}
    for day in low:
        end = plant.time.next_day(day.start)
        last = end + -(-reach // HOUR_MS) * HOUR_MS
        known, _ = flows(connection, flow, numbers[flow.id], day.start, last, span)
        measured = Flow(known.start_ms, np.maximum(np.nan_to_num(known.m3_h), 0.0))
        kg, halves, count = _results(connection, numbers[point.id], point, measured, (day.start, end), share)
        if count:
            rest = significant_one(day.measured_kg - kg)
            rest = 0.0 if abs(rest) <= abs(kg) * 1e-9 else rest  # what rounding leaves of a day below throughout
            found[day.start] = Below(_kg([rest, halves]), count)
    return found


def _results(
    connection: sqlite3.Connection, number: int, point: Point, flow: Flow, day: tuple[int, int], share: float
) -> tuple[float, float, int]:
    """Give what a day's results below the limit weigh, what they would at a share of it, and how many they are."""
    limit, to_mg_l = point.detection_limit or 0.0, units.conversion(point.unit, "mg/L")[0]
    last = flow.start_ms + len(flow.m3_h) * 60_000
    rows = declarations.applied(connection, readings.of(connection, number, day[0], last))
    valid, _, value = classify(replace(rows, point=np.zeros_like(rows.point)), PointTable.of({0: point}))
    stands = standing(rows.ts, valid, point.interval_ms)
    mine = (stands.start < day[1]) & (value[stands.place] < limit)
    if not mine.any():
        return 0.0, 0.0, 0
    m3 = volumes_m3(flow, stands.start[mine], np.minimum(stands.until[mine], last))
    kg = value[stands.place[mine]] * to_mg_l * m3 / GRAMS_PER_KG
    return math.fsum(kg), math.fsum(m3) * limit * to_mg_l * share / GRAMS_PER_KG, int(mine.sum())


def _kg(parts: list[float]) -> Decimal:
    return Decimal(repr(significant_one(math.fsum(parts))))
