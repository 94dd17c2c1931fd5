"""This module checks the formulas of calculated points: that each can be read, names points there are, and ends."""

from __future__ import annotations

import keyword
from collections.abc import Mapping as Table

from plantmon.averages.formula import Formula, parse
from plantmon.errors import FormulaError
from plantmon.plant import schema
from plantmon.plant.compile import full_id
from plantmon.plant.document import Mapping
from plantmon.plant.fitting import names_in, say
from plantmon.plant.problems import Problems


def check_formulas(file: schema.File, document: Mapping, problems: Problems) -> None:
    """Note formulas that are none, that name what is no point, or that lead back to themselves."""
    known = {
        full_id(outlet_id, point_id): None
        for outlet_id in file.outlets
        for point_id in names_in(document, "outlets", outlet_id, "points")
    }
    calculated: dict[str, tuple[schema.Point, Formula]] = {}
    for outlet_id, outlet in file.outlets.items():
        for point_id, point in outlet.points.items():
            if point.formula is None:
                continue
            if point.range is not None:
                say(problems, point, "range", "not_with_formula")
            formula = _read(file, outlet_id, point, known, problems)
            if formula is not None:
                calculated[full_id(outlet_id, point_id)] = (point, formula)
    _check_circles(calculated, problems)


def _read(
    file: schema.File, outlet_id: str, point: schema.Point, known: Table[str, None], problems: Problems
) -> Formula | None:
    """Give a point's formula; None after noting what is wrong with it."""
    text, own = point.formula or "", f"{outlet_id}."
    ids = tuple(name.removeprefix(own) for name in known)
    unnamed = tuple(id for id in ids if "." not in id and not _is_name(id) and id in text)
    try:
        formula = parse(text, outlet_id)
    except FormulaError as error:
        if unnamed:
            say(problems, point, "formula", "formula_id", id=unnamed[0])
        else:
            say(problems, point, "formula", error.key, **error.values)
        return None
    for part in formula.parts:
        name = part.removeprefix(own)
        if part in known:
            continue
        # A meter's E-MAIN is read as E - MAIN.
        meter = next((id for id in file.meters if id.startswith(name) and id in text), None)
        if unnamed:
            say(problems, point, "formula", "formula_id", id=unnamed[0])
        elif meter is not None:
            say(problems, point, "formula", "formula_meter", id=meter)
        else:
            allowed = tuple(id for id in ids if _is_name(id.partition(".")[0]))
            say(problems, point, "formula", "formula_unknown", given=name, allowed=allowed)
        return None
    return formula


def _is_name(id: str) -> bool:
    """Whether an id can stand in a formula."""
    return id.isidentifier() and not keyword.iskeyword(id)


def _check_circles(calculated: Table[str, tuple[schema.Point, Formula]], problems: Problems) -> None:
    for name in sorted(calculated, key=lambda name: calculated[name][0].line()):
        way = _way_back(name, calculated)
        if way and all(calculated[name][0].line() <= calculated[other][0].line() for other in way):
            say(problems, calculated[name][0], "formula", "formula_circle", line=" - ".join(way))


def _way_back(name: str, calculated: Table[str, tuple[schema.Point, Formula]]) -> list[str]:
    """Give the way through formulas from a calculated point to itself; empty where there is none."""
    before: dict[str, str] = {}
    waiting = [name]
    while waiting:
        at = waiting.pop(0)
        for part in calculated[at][1].parts:
            if part == name:
                way = [name]
                while at != name:
                    way.insert(0, at)
                    at = before[at]
                return [name, *way]
            if part in calculated and part not in before:
                before[part] = at
                waiting.append(part)
    return []
