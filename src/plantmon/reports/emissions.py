"""This module sums a pollutant's amounts for reports: by day, month, quarter, year, with shares of what is known."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from plantmon.averages.periods import Period, periods_between
from plantmon.model.emission import Total
from plantmon.model.plant import Plant
from plantmon.store import emissions, points


@dataclass(frozen=True, slots=True)
class PeriodAmount:
    """The amount of a period [start, end), as far as it is known."""

    start: int
    end: int
    total: Total


def emissions_of(connection: sqlite3.Connection, plant: Plant, point: str, start_ms: int, end_ms: int) -> Total:
    """Sum a pollutant's amount over the whole local days that begin in [start, end), by the point's full id.

    Raises KeyError where the plant file has no such point.
    """
    plant.points[point]
    number = points.numbers(connection).get(point)
    return Total() if number is None else Total.of(emissions.days(connection, number, start_ms, end_ms))


def by_period(
    connection: sqlite3.Connection, plant: Plant, point: str, period: Period, start_ms: int, end_ms: int
) -> list[PeriodAmount]:
    """Sum by calendar period: every period that overlaps [start, end), whole."""
    return [
        PeriodAmount(start, end, emissions_of(connection, plant, point, start, end))
        for start, end in periods_between(period, start_ms, end_ms, plant.time)
    ]
