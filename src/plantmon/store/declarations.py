"""This module keeps what people declare - marks, corrected values, calibrations - and applies it to readings.

Entries are only added; of several marks over one instant the newest decides, and `normal` takes a reading as its
device flagged it. A corrected value counts as flagged N. After a failed calibration a point is out of control from the
last passed one before it to the next passed one (HJ 75-2017), whatever its flags and corrections say; a mark with
another state than `normal` stands above that. Each entry marks the hours it touches, in its own transaction.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plantmon.model.minutes import MINUTES
from plantmon.model.reading import NORMAL, Columns, State, declared_code
from plantmon.store import dirty, readings
from plantmon.times import HOUR_MS, MINUTE_MS, PlantTime

ALWAYS, FOREVER = -(1 << 62), 1 << 62
PASS, FAIL = "pass", "fail"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """A state declared for [start, end): of one point, or of all points of an outlet where `point` is None."""

    id: int
    outlet: str | None  # None: the point is a meter
    point: str | None
    start: int
    end: int
    state: State
    by: str
    reason: str
    declared_ms: int


@dataclass(frozen=True, slots=True)
class Correction:
    """A reading's corrected value, in the point's unit; `was` is what stood until then."""

    id: int
    point: int
    ts: int
    value: float
    was: float
    by: str
    reason: str
    declared_ms: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """A line of the calibration register: what the instrument showed of zero and span gas, in the point's unit."""

    id: int
    point: int
    at_ms: int
    zero: float
    span: float
    result: str
    by: str
    note: str | None
    declared_ms: int


@dataclass(frozen=True, slots=True)
class Applied:
    """Readings as they count; of each the mark and the correction that decide, 0 where there is none."""

    readings: Columns
    mark: NDArray[np.int64]
    correction: NDArray[np.int64]


# What is declared


def add_mark(
    connection: sqlite3.Connection, time: PlantTime, outlet: str | None, point: str | None, span: Span, state: State,
    by: str, reason: str, now_ms: int,
) -> tuple[int, int]:  # fmt: skip
    """Declare a state over a span; give the mark's id and how many hours of points will be computed again."""
    row = (outlet, point, *span, state, by, reason, now_ms)
    number = _insert(connection, Mark, row)
    mark = Mark(number, *row)
    return number, _touch(connection, time, _points_of(connection, mark), [span], now_ms)


def add_correction(
    connection: sqlite3.Connection, time: PlantTime, point: int, ts: int, value: float, by: str, reason: str,
    now_ms: int,
) -> tuple[int, int]:  # fmt: skip
    """Correct one reading; give the correction's id and how many hours will be computed again.

    Raises LookupError where the point has no reading at that instant.
    """
    rows = readings.of_point(connection, point, ts, ts + 1)
    if not rows:
        raise LookupError(f"no reading of point {point} at {ts}")
    newest = connection.execute(
        "SELECT value FROM correction WHERE ts = ? AND point = ? ORDER BY id DESC LIMIT 1", (ts, point)
    ).fetchone()
    was = newest[0] if newest else rows[0].value
    number = _insert(connection, Correction, (point, ts, value, was, by, reason, now_ms))
    return number, _touch(connection, time, [point], [(ts, ts + 1)], now_ms)


def add_calibration(
    connection: sqlite3.Connection, time: PlantTime, point: int, at_ms: int, zero: float, span: float, result: str,
    by: str, note: str | None, now_ms: int,
) -> tuple[int, int]:  # fmt: skip
    """Enter a calibration; give its id and how many hours come into or out of control and are computed again."""
    before = out_of_control(connection, ALWAYS, FOREVER, point).get(point, [])
    number = _insert(connection, Calibration, (point, at_ms, zero, span, result, by, note, now_ms))
    after = out_of_control(connection, ALWAYS, FOREVER, point).get(point, [])
    return number, _touch(connection, time, [point], _difference(before, after), now_ms)


def marks(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[Mark]:
    """List the marks that overlap [start, end), in the order they were declared."""
    rows = connection.execute(
        f'{_select(Mark)} WHERE "end" > ? AND start < ? ORDER BY id',
        (start_ms, end_ms),
    )
    return [Mark(*row[:5], *(State(row[5]), *row[6:])) for row in rows]


def corrections(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[Correction]:
    """List the corrections of readings in [start, end), in the order they were declared."""
    rows = connection.execute(
        f"{_select(Correction)} WHERE ts >= ? AND ts < ? ORDER BY id",
        (start_ms, end_ms),
    )
    return [Correction(*row) for row in rows]


def calibrations(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[Calibration]:
    """List the calibrations made in [start, end), by point and instant."""
    rows = connection.execute(
        f"{_select(Calibration)} WHERE at_ms >= ? AND at_ms < ? ORDER BY point, at_ms, id",
        (start_ms, end_ms),
    )
    return [Calibration(*row) for row in rows]


def is_any(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> bool:
    """Whether anything declared can bear on readings in [start, end); one query of three indexes."""
    row = connection.execute(
        """
        SELECT EXISTS (SELECT 1 FROM mark WHERE "end" > :start AND start < :end)
            OR EXISTS (SELECT 1 FROM correction WHERE ts >= :start AND ts < :end)
            OR EXISTS (SELECT 1 FROM calibration WHERE result = 'fail')
        """,
        {"start": start_ms, "end": end_ms},
    ).fetchone()
    return bool(row[0])


def out_of_control(
    connection: sqlite3.Connection, start_ms: int, end_ms: int, only: int | None = None
) -> dict[int, list[Span]]:
    """Give by point, all or `only` one, the spans out of control that overlap [start, end), whole, oldest first.

    A span begins `ALWAYS` where no calibration was passed before the failed one, and ends `FOREVER` where none was
    passed since.
    """
    rows = connection.execute(
        """
        SELECT one.point, one.at_ms, one.result
        FROM (
          SELECT DISTINCT point FROM calibration WHERE result = 'fail' AND (:only IS NULL OR point = :only)
        ) AS failed
        JOIN calibration_standing AS one ON one.point = failed.point
        WHERE one.at_ms >= coalesce((
            SELECT at_ms FROM calibration_standing AS passed
            WHERE passed.point = failed.point AND result = 'pass' AND at_ms <= :start ORDER BY at_ms DESC LIMIT 1
          ), :always)
          AND one.at_ms <= coalesce((
            SELECT at_ms FROM calibration_standing AS passed
            WHERE passed.point = failed.point AND result = 'pass' AND at_ms >= :end ORDER BY at_ms LIMIT 1
          ), :forever)
        ORDER BY one.point, one.at_ms
        """,
        {"start": start_ms, "end": end_ms, "always": ALWAYS, "forever": FOREVER, "only": only},
    )
    results: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for point, at_ms, result in rows:
        results[point].append((at_ms, result))
    spans = {
        point: [span for span in _uncontrolled(found) if span[0] < end_ms and span[1] > start_ms]
        for point, found in results.items()
    }
    return {point: found for point, found in spans.items() if found}


def _uncontrolled(results: list[tuple[int, str]]) -> list[Span]:
    """Give the spans out of control of one point's calibrations in time order."""
    spans, passed_ms, has_failed = [], ALWAYS, False
    for at_ms, result in results:
        if result == FAIL:
            has_failed = True
            continue
        if has_failed:
            spans.append((passed_ms, at_ms))
        passed_ms, has_failed = at_ms, False
    return [*spans, (passed_ms, FOREVER)] if has_failed else spans


def stopped(connection: sqlite3.Connection, hour: int) -> dict[str, int]:
    """Give by outlet the minutes of an hour for which its source is marked stopped, minute n as bit n.

    A minute is stopped when a mark of the whole outlet covers its start; outlets without one are not in the answer.
    """
    masks: dict[str, int] = {}
    for mark in marks(connection, hour, hour + HOUR_MS):
        if mark.point is None and mark.outlet is not None:
            first, last = (-(-(edge - hour) // MINUTE_MS) for edge in (mark.start, mark.end))
            covered = (1 << min(last, MINUTES)) - (1 << max(first, 0)) if last > 0 and first < MINUTES else 0
            mask = masks.get(mark.outlet, 0)
            masks[mark.outlet] = mask | covered if mark.state is State.STOPPED else mask & ~covered
    return {outlet: mask for outlet, mask in masks.items() if mask}


# Applied to readings


def applied(connection: sqlite3.Connection, found: Columns) -> Columns:
    """Give readings as they count: values corrected, a declared state in the flag's place; order and length stay."""
    return explained(connection, found).readings if len(found.ts) and _bears_on(connection, found) else found


def explained(connection: sqlite3.Connection, found: Columns) -> Applied:
    """Give readings as they count, with the entries that decided."""
    count = len(found.ts)
    told = Applied(
        Columns(found.ts, found.point, found.value.copy(), found.flag.copy()),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
    )
    if count:
        start, end = int(found.ts.min()), int(found.ts.max()) + 1
        _correct(told, corrections(connection, start, end))
        first = int(found.point[0])
        only = first if bool((found.point == first).all()) else None
        _control(told.readings, out_of_control(connection, start, end, only))
        _mark(connection, told, marks(connection, start, end))
    return told


def register(
    connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int, before: int, after: int
) -> Columns:
    """Read one counter's readings that count in [start, end), with up to `before` earlier and `after` later ones."""
    more = 1
    while True:
        raw = readings.register(connection, point, start_ms, end_ms, before * more, after * more)
        found = applied(connection, raw)
        if found is raw:
            return raw
        counts = np.flatnonzero(found.flag == NORMAL)
        kept = Columns(*(getattr(found, field.name)[counts] for field in fields(Columns)))
        first, last = np.searchsorted(kept.ts, [start_ms, end_ms])
        # Where a mark hides the readings around the span, those behind it are its neighbours.
        is_whole_before = first >= before or np.count_nonzero(raw.ts < start_ms) < before * more
        is_whole_after = len(kept.ts) - last >= after or np.count_nonzero(raw.ts >= end_ms) < after * more
        if is_whole_before and is_whole_after:
            part = slice(max(0, int(first) - before), int(last) + after)
            return Columns(kept.ts[part], kept.point[part], kept.value[part], kept.flag[part])
        more *= 4


def _bears_on(connection: sqlite3.Connection, found: Columns) -> bool:
    return is_any(connection, int(found.ts.min()), int(found.ts.max()) + 1)


def _correct(told: Applied, entries: list[Correction]) -> None:
    newest = {(one.ts, one.point): one for one in entries}
    instants = np.array(sorted({one.ts for one in entries}), np.int64)
    for place in np.flatnonzero(np.isin(told.readings.ts, instants)).tolist() if entries else ():
        one = newest.get((int(told.readings.ts[place]), int(told.readings.point[place])))
        if one is not None:
            told.readings.value[place], told.readings.flag[place] = one.value, NORMAL
            told.correction[place] = one.id


def _control(found: Columns, spans: dict[int, list[Span]]) -> None:
    for point, of_point in spans.items():
        mine = found.point == point
        for start, end in of_point:
            found.flag[mine & (found.ts >= start) & (found.ts < end)] = declared_code(State.OUT_OF_CONTROL)


def _mark(connection: sqlite3.Connection, told: Applied, entries: list[Mark]) -> None:
    """Paint the marks over the readings, oldest first; where the newest says normal, what lies below shows."""
    declared = np.zeros(len(told.mark), np.int64)
    for mark in entries:
        inside = (told.readings.ts >= mark.start) & (told.readings.ts < mark.end)
        inside &= np.isin(told.readings.point, _points_of(connection, mark))
        told.mark[inside] = mark.id
        declared[inside] = declared_code(mark.state)
    told.readings.flag[:] = np.where(declared == NORMAL, told.readings.flag, declared)


def _points_of(connection: sqlite3.Connection, mark: Mark) -> list[int]:
    """Give the numbers of a mark's points: those the outlet has now, also where they came after the mark."""
    if mark.point is not None:
        rows = connection.execute("SELECT id FROM point WHERE name = ?", (mark.point,))
    else:  # "/" comes after "."; an outlet's id holds neither
        rows = connection.execute(
            "SELECT id FROM point WHERE name > ? AND name < ?", (f"{mark.outlet}.", f"{mark.outlet}/")
        )
    return [row[0] for row in rows]


# Writing


def _select(kind: type[Mark | Correction | Calibration]) -> str:
    names = ", ".join(f'"{field.name}"' for field in fields(kind))
    return f"SELECT {names} FROM {kind.__name__.lower()}"  # noqa: S608 - built of constants


def _insert(connection: sqlite3.Connection, kind: type[Mark | Correction | Calibration], row: tuple[Any, ...]) -> int:
    names = [field.name for field in fields(kind)][1:]
    columns, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    number = connection.execute(
        f"INSERT INTO {kind.__name__.lower()} ({columns}) VALUES ({places})",  # noqa: S608 - built of constants
        row,
    ).lastrowid
    assert number is not None
    return number


def _touch(
    connection: sqlite3.Connection, time: PlantTime, points: list[int], spans: Iterable[Span], now_ms: int
) -> int:
    """Mark the hours of points that overlap spans, from each one's first reading to now; give how many."""
    found: dict[tuple[int, int], int] = defaultdict(int)
    for point in points:
        (first_ms,) = connection.execute("SELECT first_ms FROM point WHERE id = ?", (point,)).fetchone()
        if first_ms is None:
            continue
        for start, end in spans:
            begin = max(time.hour_start(first_ms), start)
            until = min(end, time.hour_start(now_ms) + HOUR_MS)
            for hour in range(time.hour_start(begin), until, HOUR_MS) if begin < until else ():
                found[hour, point] |= _minutes(hour, start, end)
    dirty.touch(connection, ((hour, point, minutes) for (hour, point), minutes in found.items()))
    return len(found)


def _minutes(hour: int, start: int, end: int) -> int:
    """Give the mask of an hour's minutes that overlap [start, end)."""
    first, last = max(0, (start - hour) // MINUTE_MS), min(MINUTES, -(-(end - hour) // MINUTE_MS))
    return (1 << last) - (1 << first) if first < last else 0


def _difference(before: list[Span], after: list[Span]) -> list[Span]:
    """Give where one of two lists of spans covers and the other does not."""
    edges: set[int] = set()
    for edge in (edge for span in (*before, *after) for edge in span):
        edges ^= {edge}
    ordered = sorted(edges)
    return list(zip(ordered[::2], ordered[1::2], strict=True))
