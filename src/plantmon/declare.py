"""This module takes in what people declare, and refuses what cannot be meant: marks, corrections, calibrations.

Everything is looked at before anything is kept, and inside the transaction that keeps it; what is refused says which
option of the command is wrong, in the language asked for.
"""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from plantmon import units
from plantmon.averages.rounding import significant_one
from plantmon.errors import DeclarationError, UnitError
from plantmon.model.plant import Plant, Point
from plantmon.model.reading import State
from plantmon.store import declarations, readings
from plantmon.tables.states import declarable
from plantmon.texts import text

Body = dict[str, Any]
Take = Callable[[sqlite3.Connection, Plant, dict[str, int], Body, str, int], Body]


def mark(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Declare a state of an outlet or point (`target`) over [start, end); give the mark, its points and hours.

    Raises DeclarationError.
    """
    language, target = body["language"], body["target"]
    who, why = _said("--by", by, language), _said("--reason", body["reason"], language)
    point = plant.points.get(target)
    if point is None and target not in plant.outlets:
        known = [*plant.outlets, *plant.points]
        raise _refused("unknown_target", language, given=target, hint=_hint(target, known, language))
    state = _state(body["state"], language)
    if body["start"] >= body["end"]:
        raise _refused("backwards", language)
    if state is State.STOPPED and point is not None:
        outlet = point.outlet or ""
        raise _refused("stopped_point" if outlet else "stopped_meter", language, point=target, outlet=outlet)
    number, hours = declarations.add_mark(
        connection, plant.time, point.outlet if point else target, point.id if point else None,
        (body["start"], body["end"]), state, who, why, now_ms,
    )  # fmt: skip
    names = [target] if point else list(plant.outlets[target].points)
    return {"mark": number, "what": target, "state": str(state), "points": names, "hours": hours}


def correct(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Correct the reading of a point at an instant (`at`) to a value; give the correction and its hours.

    Raises DeclarationError, also where there is no reading at that instant: it names the nearest ones.
    """
    language = body["language"]
    who, why = _said("--by", by, language), _said("--reason", body["reason"], language)
    point = _point(plant, body["point"], language)
    value = _value("--value", body["value"], point, language)
    try:
        number, hours = declarations.add_correction(
            connection, plant.time, numbers[point.id], body["at"], value, who, why, now_ms
        )
    except LookupError:
        near = [_show(plant, at_ms) for at_ms in readings.nearest(connection, numbers[point.id], body["at"])]
        key = "no_reading" if near else "no_reading_near"
        raise _refused(key, language, point=point.id, at=_show(plant, body["at"]), nearest=", ".join(near)) from None
    return {"correction": number, "what": point.id, "value": value, "unit": point.reading_unit, "hours": hours}


def calibrate(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Enter a calibration of a point; give its line in the register and the hours that come into or out of control.

    Raises DeclarationError.
    """
    language, result = body["language"], body["result"]
    who = _said("--by", by, language)
    point = _point(plant, body["point"], language)
    if result not in (declarations.PASS, declarations.FAIL):
        raise _refused("bad_result", language, given=result)
    if body["at"] > now_ms:
        raise _refused("future", language, at=_show(plant, body["at"]), now=_show(plant, now_ms))
    zero, span = (_value(f"--{name}", body[name], point, language) for name in ("zero", "span"))
    number, hours = declarations.add_calibration(
        connection, plant.time, numbers[point.id], body["at"], zero, span, result, who, body["note"], now_ms
    )
    return {"calibration": number, "what": point.id, "result": result, "hours": hours}


TAKES: dict[str, Take] = {"mark": mark, "correct": correct, "calibrate": calibrate}


def _refused(key: str, language: str, **values: object) -> DeclarationError:
    return DeclarationError(text(f"declare.{key}", language, **values))


def _said(field: str, given: str, language: str) -> str:
    if not given.strip():
        raise _refused("empty", language, field=field)
    return given.strip()


def _hint(given: str, known: Iterable[str], language: str) -> str:
    near = difflib.get_close_matches(given, list(known), 1)
    return text("cli.did_you_mean", language, nearest=near[0]) if near else ""


def _point(plant: Plant, given: str, language: str) -> Point:
    point = plant.points.get(given)
    if point is None:
        raise DeclarationError(
            text("cli.unknown_point", language, point=given, hint=_hint(given, plant.points, language))
        )
    return point


def _state(given: str, language: str) -> State:
    allowed = declarable()
    if given not in allowed:
        raise _refused("bad_state", language, given=given, allowed=", ".join(allowed))
    return State(given)


def _value(field: str, given: str, point: Point, language: str) -> float:
    """Read a value in the unit of the point's readings, or with one of its dimension, as one in that unit."""
    own = point.reading_unit
    for written in (given, f"{given} {own}"):
        try:
            value, unit = units.parse_quantity(written)
            return value if unit == own else significant_one(units.convert(value, unit, own))
        except UnitError:
            continue
    allowed = ", ".join(units.units_of(units.dimension(own)))
    raise _refused("bad_value", language, field=field, given=given, point=point.id, unit=own, allowed=allowed)


def _show(plant: Plant, at_ms: int) -> str:
    return plant.time.local(at_ms).isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")
