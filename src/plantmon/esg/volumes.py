"""This module measures waste water: what an outlet's flow comes to, minute by minute, with its gaps filled.

A whole hour counts with its mean; of any other the minutes are read. Unknown minutes take the
mean of as many known ones before them (HJ 356-2019; settled as for amounts), so that the volume is the one that the
pollutants' amounts are weighed with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from plantmon import units
from plantmon.averages.running import carried, minutes_of_masks
from plantmon.averages.water_flow import LOOK_BACK_MS, Flow, filled, lacks_flow_before
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS
from plantmon.model.minutes import MINUTES, Grid
from plantmon.model.plant import Plant, Point
from plantmon.store import annual, emissions, minutes, windows
from plantmon.times import HOUR_MS, MINUTE_MS

Floats = NDArray[np.float64]
Sums = NDArray[np.int64]
QUANTUM = 1_000_000  # parts of a cubic metre


@dataclass(frozen=True, slots=True)
class Volume:
    """The waste water of a span, m3, measured and filled, and how many of its minutes are known which way."""

    measured_m3: Decimal
    filled_m3: Decimal
    known_minutes: int
    filled_minutes: int

    @property
    def m3(self) -> Decimal | None:
        """The known sum, None where no minute is known."""
        return self.measured_m3 + self.filled_m3 if self.known_minutes or self.filled_minutes else None


def flow_point(plant: Plant, outlet: str) -> Point | None:
    """Give the point that measures an outlet's flow of waste water."""
    points = (plant.points[name] for name in plant.outlets[outlet].points)
    return next((point for point in points if point.quantity == "water_flow"), None)


@dataclass(frozen=True, slots=True)
class Course:
    """An outlet's waste water over a span of hours, as running sums: before its first hour, after each of them.

    Each hour counts in whole 1e-6 m3, so that hours add up to days, months and years exactly.
    """

    start_ms: int
    measured: Sums
    filled: Sums
    known_minutes: Sums
    filled_minutes: Sums

    @property
    def end_ms(self) -> int:
        """The end of the last hour."""
        return self.start_ms + (len(self.measured) - 1) * HOUR_MS

    def between(self, start_ms: int, end_ms: int) -> Volume:
        """Give the volume between two starts of hours inside the span."""
        first, last = (start_ms - self.start_ms) // HOUR_MS, (end_ms - self.start_ms) // HOUR_MS
        measured, fill, known, stood_in = (
            int(sums[last] - sums[first])
            for sums in (self.measured, self.filled, self.known_minutes, self.filled_minutes)
        )
        return Volume(Decimal(measured).scaleb(-6), Decimal(fill).scaleb(-6), known, stood_in)


class Waters:
    """Measures the waste water of a plant, a span once for all who ask: all outlets' is read at once, hour by hour."""

    def __init__(self, connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int]) -> None:
        self._connection = connection
        self._plant = plant
        self._numbers = numbers
        self._courses: dict[str, Course] = {}

    def course(self, outlet: str, start_ms: int, end_ms: int) -> Course:
        """Give an outlet's waste water of [start, end), both starts of hours, and maybe more."""
        known = self._courses.get(outlet)
        if known is None or start_ms < known.start_ms or known.end_ms < end_ms:
            outlets = [id for id, one in self._plant.outlets.items() if one.kind == "water"]
            self._courses = courses(self._connection, self._plant, self._numbers, outlets, start_ms, end_ms)
        return self._courses[outlet]


def courses(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], outlets: Sequence[str], start_ms: int,
    end_ms: int,
) -> dict[str, Course]:  # fmt: skip
    """Measure the waste water of outlets hour by hour over [start, end), both starts of hours."""
    closed = windows.closed(connection, "1h")
    points = {outlet: point for outlet in outlets if (point := flow_point(plant, outlet)) is not None}
    spans = {outlet: closed[numbers[one.id]] for outlet, one in points.items() if numbers.get(one.id, -1) in closed}
    plain = [numbers[points[outlet].id] for outlet in spans if not _is_by_minute(points[outlet])]
    found = annual.hours_of(connection, plain, range(start_ms, end_ms, HOUR_MS)) if plain else {}
    nothing = Flow(start_ms, np.full((end_ms - start_ms) // MINUTE_MS, np.nan))
    made = {}
    for outlet in outlets:
        known, whole = nothing, nothing
        if outlet in spans:
            number = numbers[points[outlet].id]
            known, whole = flows(connection, points[outlet], number, start_ms, end_ms, spans[outlet], found.get(number))
        made[outlet] = _course(known, whole)
    return made


def flows(
    connection: sqlite3.Connection, point: Point, number: int, start_ms: int, end_ms: int, span: tuple[int, int],
    found: NDArray[np.void] | None = None,
) -> tuple[Flow, Flow]:  # fmt: skip
    """Give the flow of [start, end) as measured and with its gaps filled, m3/h; NaN outside of the closed span.

    `found` are its hours, where they were read before.
    """
    first, until = max(span[0], start_ms), min(span[1], end_ms)
    known = _known(connection, point, number, min(first, until), until, found)
    back = LOOK_BACK_MS
    while lacks_flow_before(known, start_ms) and known.start_ms > span[0]:  # what fills a gap lies before
        before = max(span[0], start_ms - back)
        earlier = _known(connection, point, number, before, known.start_ms, None)
        known = Flow(before, np.concatenate([earlier.m3_h, known.m3_h]))
        back *= 2
    whole = filled(known, start_ms) if np.isnan(known.m3_h).any() else known
    return known.between(start_ms, end_ms), whole.between(start_ms, end_ms)


def _is_by_minute(point: Point) -> bool:
    """Whether hours do not tell a flow's minutes."""
    return point.is_slow or point.formula is not None


def _known(
    connection: sqlite3.Connection, point: Point, number: int, start_ms: int, end_ms: int,
    found: NDArray[np.void] | None,
) -> Flow:  # fmt: skip
    """Read the flow as measured: NaN where nobody knows, 0 while the outlet stands still."""
    factor = units.conversion(point.unit, "m3/h")[0]
    if _is_by_minute(point):
        return _by_minute(connection, point, number, start_ms, end_ms, factor)
    hours = range(start_ms, end_ms, HOUR_MS)
    if found is None:
        found = annual.hours_of(connection, [number], hours)[number]
    found = found[(found["start"] >= start_ms) & (found["start"] < end_ms)]
    m3_h = np.full((len(hours), MINUTES), np.nan)
    places = (found["start"] - start_ms) // HOUR_MS
    m3_h[places] = found["mean"][:, np.newaxis] * factor
    rest = found["start"][~found["is_whole"]].tolist()
    if rest:
        m3_h[places[~found["is_whole"]]] = _minutes(connection, number, rest, factor)
    return Flow(start_ms, m3_h.ravel())


def _by_minute(
    connection: sqlite3.Connection, point: Point, number: int, start_ms: int, end_ms: int, factor: float
) -> Flow:
    most = WEIGHS_FOR_INTERVALS * point.interval_ms if point.is_slow else 0
    before = -(-most // HOUR_MS) * HOUR_MS
    hours = range(start_ms - before, end_ms, HOUR_MS)
    m3_h = _means(connection, number, hours, factor).ravel()
    if point.is_slow:  # its value stands until the next, at most two intervals
        m3_h = carried(m3_h, most // MINUTE_MS)
    ran = _ran(connection, number, hours).ravel()
    return Flow(start_ms, np.where(ran, m3_h, 0.0)[before // MINUTE_MS :])


def _minutes(connection: sqlite3.Connection, number: int, hours: Sequence[int], factor: float) -> Floats:
    """Read the minutes of some hours, a row each: NaN unknown, 0 while the outlet stands still."""
    return np.where(_ran(connection, number, hours), _means(connection, number, hours, factor), 0.0)


def _means(connection: sqlite3.Connection, number: int, hours: Sequence[int], factor: float) -> Floats:
    grid = Grid.unpack(minutes.packed(connection, number, hours), extremes=False)
    return np.where(grid.valid > 0, grid.mean * factor, np.nan)


def _ran(connection: sqlite3.Connection, number: int, hours: Sequence[int]) -> NDArray[np.bool_]:
    return minutes_of_masks([mask for _, mask in emissions.ran(connection, number, hours)])


def _course(known: Flow, whole: Flow) -> Course:
    is_known, is_filled = ~np.isnan(known.m3_h), np.isnan(known.m3_h) & ~np.isnan(whole.m3_h)
    return Course(
        known.start_ms,
        _sums(_cubic(np.where(is_known, np.maximum(known.m3_h, 0.0), 0.0))),
        _sums(_cubic(np.where(is_filled, whole.m3_h, 0.0))),
        _sums(is_known.reshape(-1, MINUTES).sum(axis=1)),
        _sums(is_filled.reshape(-1, MINUTES).sum(axis=1)),
    )


def _cubic(m3_h: Floats) -> Sums:
    m3 = m3_h.reshape(-1, MINUTES).mean(axis=1)
    return np.asarray(np.rint(m3 * QUANTUM), np.int64)


def _sums(hours: NDArray[np.integer]) -> Sums:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(hours, dtype=np.int64)])
