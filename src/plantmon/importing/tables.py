"""This module leads the columns of a table to readings: a row a reading, or a row a moment with a column a point."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon import units
from plantmon.errors import UnitError
from plantmon.importing import cells
from plantmon.importing.intake import Intake
from plantmon.model.table import Block, Column, Table, Texts
from plantmon.tables.readings import PASSED_OVER, headings

_WITH_UNIT = re.compile(r"(.+?)\s*[(（\[]\s*([^()（）\[\]]+?)\s*[)）\]]")
_UNKNOWN, _CALCULATED = -1, -2
Conversion = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Wide:
    """The column of moments, and of each point its column, its place and how its values become the point's unit."""

    ts: int
    points: list[tuple[int, int, Conversion]]
    unknown: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some readings of a block while they are looked at; `good` are those nothing is wrong with."""

    lines: NDArray[np.int64]
    good: NDArray[np.bool_]

    def bad(self, wrong: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
        """Give row and line of those that were good until now and are not any more."""
        found = np.flatnonzero(wrong & self.good)
        self.good[found] = False
        yield from zip(found.tolist(), self.lines[found].tolist(), strict=True)


def read_table(table: Table, intake: Intake, tell: Callable[[int], None], *, keeps_arrival: bool) -> None:
    """Take all readings of a table, telling the last line of each block.

    Raises TableError where its file is damaged, NoRoom where the disk is too small.
    """
    fields: dict[str, int] = {}
    known = headings()
    others: list[tuple[int, str]] = []
    for place, name in enumerate(table.headings):
        field = known.get(name.strip().lower())
        if field in fields:
            intake.refuse(1, "column_twice", column=name[:80])
        elif field is None:
            others += [(place, name.strip())] if name.strip() else []
        elif field != PASSED_OVER:
            fields[field] = place
    if "ts" not in fields:
        intake.refuse(1, "no_time_column", columns=_listed(table.headings))
        return
    if "value" in fields or "point" in fields:
        for needed in ("point", "value"):
            if needed not in fields:
                intake.refuse(1, f"no_{needed}_column", columns=_listed(table.headings))
                return
        for _, name in others:
            if not intake.skips_unknown:
                intake.refuse(1, "unknown_column", column=name[:80])
        for block in table.blocks():
            _long(block, fields, intake, keeps_arrival=keeps_arrival)
            tell(int(block.lines[-1]))
        return
    wide = _wide(fields["ts"], others, intake)
    for block in table.blocks():
        _moments_of_points(block, wide, intake)
        tell(int(block.lines[-1]))


def _listed(names: list[str]) -> str:
    return ", ".join(name.strip()[:40] for name in names[:12]) + (" …" if len(names) > 12 else "")


# A row a reading


def _long(block: Block, fields: dict[str, int], intake: Intake, *, keeps_arrival: bool) -> None:
    columns = {field: block.columns[place] for field, place in fields.items()}
    rows = _Rows(block.lines, np.ones(len(block.lines), bool))
    ts = _times(rows, columns["ts"], intake)
    point = _points(rows, columns["point"], intake)
    value = _values(rows, columns["value"], intake)
    if "unit" in columns:
        value = _converted(rows, cells.texts(columns["unit"]), point, value, intake)
    flag = np.full(len(block.lines), intake.missing_flag, np.int64)
    if "flag" in columns:
        flag = cells.flags(columns["flag"], intake.missing_flag)
        for row, line in rows.bad(flag < 0):
            intake.refuse(line, "bad_flag", given=cells.shown(columns["flag"], row))
    arrival = None
    if keeps_arrival and "arrival" in columns:
        arrival = cells.moments(columns["arrival"], intake.plant.time)
        for row, line in rows.bad(arrival == cells.NONE_MS):
            intake.refuse(line, "bad_time", given=cells.shown(columns["arrival"], row))
        arrival = arrival[rows.good]
    kept = rows.good
    intake.add(ts[kept], point[kept], value[kept], flag[kept], block.lines[kept], arrival)


def _times(rows: _Rows, column: Column, intake: Intake) -> NDArray[np.int64]:
    ts = cells.moments(column, intake.plant.time)
    for row, line in rows.bad(ts == cells.NONE_MS):
        intake.refuse(line, "bad_time", given=cells.shown(column, row))
    return ts


def _points(rows: _Rows, column: Column, intake: Intake) -> NDArray[np.int64]:
    names = cells.texts(column)
    places = np.array([_place(name.strip(), intake) for name in names.known], np.int64)[names.places]
    for _, line in rows.bad(np.array([not name.strip() for name in names.known], bool)[names.places]):
        intake.refuse(line, "no_point")
    for row, line in rows.bad(places == _CALCULATED):
        intake.refuse(line, "calculated", point=cells.shown(column, row))
    for row, line in rows.bad(places == _UNKNOWN):
        intake.refuse_point(line, names.known[int(names.places[row])].strip(), 1)
    return places


def _place(name: str, intake: Intake) -> int:
    place = intake.find(name)
    if place is None:
        return _UNKNOWN
    return _CALCULATED if intake.points[place].formula is not None else place


def _values(rows: _Rows, column: Column, intake: Intake) -> NDArray[np.float64]:
    value, empty = cells.numbers(column)
    for _, line in rows.bad(empty):
        intake.refuse(line, "no_value")
    for row, line in rows.bad(np.isnan(value)):
        intake.refuse(line, "bad_number", given=cells.shown(column, row))
    return value


def _converted(
    rows: _Rows, unit: Texts, point: NDArray[np.int64], value: NDArray[np.float64], intake: Intake
) -> NDArray[np.float64]:
    """Give values in their points' units; an empty unit is the point's."""
    pairs, places = np.unique(unit.places * len(intake.points) + np.maximum(point, 0), return_inverse=True)
    found = [_conversion(unit.known[one].strip(), intake, at)
             for one, at in (divmod(pair, len(intake.points)) for pair in pairs.tolist())]  # fmt: skip
    wrong = np.array([one is None for one in found], bool)[places]
    for row, line in rows.bad(wrong):
        at = intake.points[int(point[row])]
        intake.refuse(line, "wrong_unit", given=unit.known[int(unit.places[row])][:40], unit=at.reading_unit)
    factors, offsets = (np.array([(one or (1.0, 0.0))[part] for one in found])[places] for part in (0, 1))
    return np.where(rows.good, value * factors + offsets, value)


def _conversion(unit: str, intake: Intake, place: int) -> Conversion | None:
    own = intake.points[place].reading_unit
    if not unit or unit == own:
        return 1.0, 0.0
    try:
        return units.conversion(unit, own)
    except UnitError:
        return None


# A row a moment


def _wide(ts: int, others: list[tuple[int, str]], intake: Intake) -> _Wide:
    """Find the points of a table's columns, `DA001.nox` or `DA001.nox (mg/m3)`."""
    found = _Wide(ts, [], [])
    taken: dict[int, str] = {}
    for column, heading in others:
        match = None if intake.find(heading) is not None else _WITH_UNIT.fullmatch(heading)
        name, unit = (match[1], match[2]) if match is not None else (heading, "")
        place = intake.find(name)
        if place is None:
            found.unknown.append((column, heading))
            if not intake.skips_unknown:
                near = difflib.get_close_matches(name, intake.numbers, 1)
                intake.refuse(1, "unknown_point", point=heading[:80], nearest=near[0] if near else "")
        elif intake.points[place].formula is not None:
            intake.refuse(1, "calculated", point=name)
        elif place in taken:
            intake.refuse(1, "column_twice", column=heading[:80])
        elif (conversion := _conversion(unit, intake, place)) is None:
            intake.refuse(1, "wrong_unit", given=unit[:40], unit=intake.points[place].reading_unit)
        else:
            taken[place] = heading
            found.points.append((column, place, conversion))
    if not found.points and not intake.problems.count:
        intake.refuse(1, "no_point_column")
    return found


def _moments_of_points(block: Block, wide: _Wide, intake: Intake) -> None:
    rows = _Rows(block.lines, np.ones(len(block.lines), bool))
    ts = _times(rows, block.columns[wide.ts], intake)
    for column, place, (factor, offset) in wide.points:
        value, empty = cells.numbers(block.columns[column])
        mine = _Rows(block.lines, rows.good & ~empty)  # an empty cell is no reading
        for row, line in mine.bad(np.isnan(value)):
            given = cells.shown(block.columns[column], row)
            intake.refuse(line, "bad_number_of", given=given, point=intake.points[place].id)
        kept = mine.good
        count = int(kept.sum())
        if factor != 1.0 or offset != 0.0:
            value = value * factor + offset
        flag = np.full(count, intake.missing_flag, np.int64)
        intake.add(ts[kept], np.full(count, place, np.int64), value[kept], flag, block.lines[kept])
    for column, heading in wide.unknown if intake.skips_unknown else ():
        intake.skipped[heading] += int((~cells.numbers(block.columns[column])[1]).sum())
