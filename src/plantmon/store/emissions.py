"""This module keeps emission amounts: measured hours and days, what stands in for them, and sums of days.

Hours of air are read and written as arrays. A pollutant's hours stand without a hole from the first hour of its outlet
to the newest that all of the outlet's points have closed.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from plantmon.model.emission import (
    DAY_FIELDS,
    EMISSION_FIELDS,
    SUBSTITUTE_FIELDS,
    UNKNOWN,
    Course,
    Emission,
    EmissionDay,
    Substitute,
    Total,
)
from plantmon.times import HOUR_MS

HOUR, DAY = "1h", "1d"
ALWAYS, FOREVER = -(1 << 62), 1 << 62


def _columns(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _places(names: Sequence[str]) -> str:
    return ", ".join(f":{name}" for name in names)


# measured


def hours(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> Course:
    """Read a pollutant's hours of air that start in [start, end), oldest first."""
    rows = connection.execute(
        "SELECT start, ran_minutes, kg, proven_kg FROM emission"
        " WHERE point = ? AND level = '1h' AND start >= ? AND start < ? ORDER BY start",
        (point, start_ms, end_ms),
    ).fetchall()
    columns: tuple[Sequence[float | None], ...] = tuple(zip(*rows, strict=True)) if rows else ((), (), (), ())
    start, ran, kg, proven = columns
    return Course(
        np.array(start, np.int64), np.array(ran, np.int64), np.array(kg, np.float64), np.array(proven, np.float64)
    )


def write_hours(connection: sqlite3.Connection, point: int, course: Course) -> None:
    """Write a pollutant's hours of air, over what stood there."""
    connection.executemany(
        f"INSERT OR REPLACE INTO emission ({_columns(EMISSION_FIELDS)}) VALUES (?, '1h', ?, ?, ?, ?, ?)",  # noqa: S608
        [
            (point, start, start + HOUR_MS, ran, _or_none(kg), _or_none(proven))
            for start, ran, kg, proven in zip(
                course.start.tolist(), course.ran.tolist(), course.kg.tolist(), course.proven.tolist(), strict=True
            )
        ],
    )


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def ran(connection: sqlite3.Connection, point: int, starts: Iterable[int]) -> list[tuple[bool, int | None]]:
    """Say of hours whether a point has a window there, and in which minutes its source ran (None: no condition)."""
    select = "SELECT ran FROM \"window\" WHERE level = '1h' AND start = ? AND point = ?"
    rows = (connection.execute(select, (start, point)).fetchone() for start in starts)
    return [(row is not None, row[0] if row else None) for row in rows]


def count(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> tuple[int, int, int]:
    """Count a pollutant's hours of air that start in [start, end): all, those stopped, those not measured."""
    row = connection.execute(
        "SELECT count(*), total(ran_minutes = 0), total(kg IS NULL) FROM emission"
        " WHERE point = ? AND level = '1h' AND start >= ? AND start < ?",
        (point, start_ms, end_ms),
    ).fetchone()
    return row[0], int(row[1]), int(row[2])


def has_missing(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> bool:
    """Whether an hour of air that starts in [start, end) was not measured."""
    row = connection.execute(
        "SELECT 1 FROM emission WHERE point = ? AND level = '1h' AND kg IS NULL AND start >= ? AND start < ? LIMIT 1",
        (point, start_ms, end_ms),
    ).fetchone()
    return row is not None


def newest(connection: sqlite3.Connection, point: int, level: str) -> int | None:
    """Give until when a pollutant's amounts are known, None without any."""
    row = connection.execute(
        'SELECT "end" FROM emission WHERE point = ? AND level = ? ORDER BY start DESC LIMIT 1', (point, level)
    ).fetchone()
    return row[0] if row else None


def run_start(connection: sqlite3.Connection, point: int, hour_ms: int) -> int:
    """Give where the unbroken hours not measured begin that end with an hour; the hour after it where it is none."""
    start = hour_ms + HOUR_MS
    for (missing,) in connection.execute(
        "SELECT start FROM emission WHERE point = ? AND level = '1h' AND kg IS NULL AND start <= ? ORDER BY start DESC",
        (point, hour_ms),
    ):
        if missing != start - HOUR_MS:
            break
        start = missing
    return start


def measured_before(connection: sqlite3.Connection, point: int, start_ms: int, many: int) -> int:
    """Give where the last so many measured hours before an instant begin; where there are fewer, the first of all."""
    row = connection.execute(
        "SELECT start FROM emission WHERE point = ? AND level = '1h' AND start < ? AND kg IS NOT NULL"
        " AND ran_minutes > 0 ORDER BY start DESC LIMIT 1 OFFSET ?",
        (point, start_ms, many - 1),
    ).fetchone()
    return row[0] if row else ALWAYS


def days_measured(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> dict[int, Emission]:
    """Read a pollutant's days of waste water that start in [start, end), by their start."""
    rows = connection.execute(
        f"SELECT {_columns(EMISSION_FIELDS)} FROM emission"  # noqa: S608
        " WHERE point = ? AND level = '1d' AND start >= ? AND start < ?",
        (point, start_ms, end_ms),
    )
    return {row[2]: Emission(*row) for row in rows}


def write_measured(connection: sqlite3.Connection, emissions: Iterable[Emission]) -> None:
    """Write measured amounts, over what stood there."""
    connection.executemany(
        f"INSERT OR REPLACE INTO emission ({_columns(EMISSION_FIELDS)}) VALUES ({_places(EMISSION_FIELDS)})",  # noqa: S608
        [{name: getattr(one, name) for name in EMISSION_FIELDS} for one in emissions],
    )


# substituted


def substitutes(
    connection: sqlite3.Connection, point: int, level: str, start_ms: int, end_ms: int
) -> dict[int, Substitute]:
    """Read what stands in for a pollutant's hours (days) that start in [start, end), by their start, oldest first."""
    rows = connection.execute(
        f"SELECT {_columns(SUBSTITUTE_FIELDS)} FROM substitute"  # noqa: S608
        " WHERE point = ? AND level = ? AND start >= ? AND start < ? ORDER BY start",
        (point, level, start_ms, end_ms),
    )
    return {one.start: one for one in map(_substitute, rows)}


def _substitute(row: tuple[Any, ...]) -> Substitute:
    point, level, start, kg, method, capture, provisional, minutes = row
    return Substitute(point, level, start, kg, method, capture, bool(provisional), minutes)


def write_substitutes(
    connection: sqlite3.Connection, new: Iterable[Substitute], gone: Iterable[tuple[int, str, int]] = ()
) -> None:
    """Write what stands in, and take away those (point, level, start) that nothing has to stand in for any more."""
    connection.executemany("DELETE FROM substitute WHERE point = ? AND level = ? AND start = ?", gone)
    connection.executemany(
        f"INSERT OR REPLACE INTO substitute ({_columns(SUBSTITUTE_FIELDS)}) VALUES ({_places(SUBSTITUTE_FIELDS)})",  # noqa: S608
        [{name: getattr(one, name) for name in SUBSTITUTE_FIELDS} for one in new],
    )


def set_capture(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int, capture: float) -> int:
    """Note the capture rate with what stands in for hours of [start, end); give how many rows that changed."""
    return connection.execute(
        "UPDATE substitute SET capture = :capture WHERE point = :point AND level = '1h'"
        " AND start >= :start AND start < :end AND capture IS NOT :capture",
        {"capture": capture, "point": point, "start": start_ms, "end": end_ms},
    ).rowcount


# sums


def days(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> list[EmissionDay]:
    """Read a pollutant's day sums that start in [start, end), oldest first."""
    rows = connection.execute(
        f"SELECT {_columns(DAY_FIELDS)} FROM emission_day WHERE point = ? AND start >= ? AND start < ? ORDER BY start",  # noqa: S608
        (point, start_ms, end_ms),
    )
    return [_day(row) for row in rows]


def _day(row: tuple[Any, ...]) -> EmissionDay:
    *columns, at_least, provisional = row
    point, start, end, measured, substituted, ran_minutes, stood_in, unknown = columns
    return EmissionDay(
        point, start, end, measured, substituted, ran_minutes, stood_in, unknown, bool(at_least), bool(provisional)
    )


def write_days(connection: sqlite3.Connection, rows: Iterable[EmissionDay]) -> None:
    """Write day sums, over what stood there."""
    connection.executemany(
        f"INSERT OR REPLACE INTO emission_day ({_columns(DAY_FIELDS)}) VALUES ({_places(DAY_FIELDS)})",  # noqa: S608
        [{name: getattr(one, name) for name in DAY_FIELDS} for one in rows],
    )


def total(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> Total:
    """Give a pollutant's amount of [start, end): an hour, or whole local days, as far as they are known.

    A period without any row is a total of 0 without parts: nothing is known of it.
    """
    if end_ms - start_ms > HOUR_MS:
        return Total.of(days(connection, point, start_ms, end_ms))
    course = hours(connection, point, start_ms, end_ms)
    if not len(course.start):
        return Total()
    stand_in = substitutes(connection, point, HOUR, start_ms, end_ms).get(start_ms)
    return _of_hour(course, stand_in)


def _of_hour(course: Course, stand_in: Substitute | None) -> Total:
    ran, amount, proven = int(course.ran[0]), _or_none(float(course.amount[0])), _or_none(float(course.proven[0]))
    until = int(course.start[0]) + HOUR_MS
    if stand_in is None:
        is_proven = proven is not None and not proven <= course.kg[0]
        return Total(amount or 0.0, 0.0, ran, 0, 0, is_proven, False, 1, until)
    if stand_in.kg is None or stand_in.method == UNKNOWN:
        return Total(proven or 0.0, 0.0, ran, 0, ran, proven is not None, stand_in.provisional, 1, until)
    kg = stand_in.kg if proven is None else max(stand_in.kg, proven)
    return Total(0.0, kg, ran, ran, 0, kg > stand_in.kg, stand_in.provisional, 1, until)
