"""This module takes in declared changes of meters, and what takes such an entry back.

Everything is looked at before anything is kept, and inside the transaction that keeps it: a final or first reading that
contradicts the readings around the change is a slip of the pen or of the clock, and would count what nobody used.
"""

from __future__ import annotations

import sqlite3

from plantmon import units
from plantmon.averages.rounding import significant_one
from plantmon.declare import Body, Take
from plantmon.errors import DeclarationError, UnitError
from plantmon.model.plant import Kind, Plant, Point
from plantmon.store import declarations, meter_changes
from plantmon.texts import text
from plantmon.windows.counter import fits


def change(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Declare that a meter was changed at an instant: the old register's last reading, the new one's first, its serial.

    Raises DeclarationError.
    """
    language, at_ms, note = body["language"], body["at"], body["note"]
    who, serial = _said("--by", by, language), _said("--serial", body["serial"], language)
    point = _counter(plant, body["meter"], language)
    number = numbers[point.id]
    if at_ms > now_ms:
        shown = {"at": plant.time.show(at_ms), "now": plant.time.show(now_ms)}
        raise DeclarationError(text("declare.future", language, **shown))
    final, initial = (_value(f"--{name}", body[name], point, language) for name in ("final", "initial"))
    _check_around(connection, plant, point, number, at_ms, final, initial, language)
    entry = meter_changes.add(connection, plant.time, number, at_ms, final, initial, serial, who, note, now_ms)
    return {"change": entry, "meter": point.id, "at": plant.time.show(at_ms), "final": final, "initial": initial,
            "unit": point.unit, "serial": serial}  # fmt: skip


def withdraw(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Take a declared change back, by its number. Raises DeclarationError."""
    language, number = body["language"], body["change"]
    who = _said("--by", by, language)
    entries = meter_changes.entries(connection)
    found = next((one for one in entries if one.id == number and one.withdraws is None), None)
    if found is None:
        raise _refused("no_change", language, change=number)
    if any(one.withdraws == number for one in entries):
        raise _refused("withdrawn_already", language, change=number)
    entry = meter_changes.withdraw(connection, plant.time, found, who, body["note"], now_ms)
    names = {other: name for name, other in numbers.items()}
    return {"withdrawal": entry, "change": number, "meter": names[found.point], "at": plant.time.show(found.at_ms)}


TAKES: dict[str, Take] = {"meter_change": change, "meter_withdraw": withdraw}


def _check_around(
    connection: sqlite3.Connection, plant: Plant, point: Point, number: int, at_ms: int, final: float, initial: float,
    language: str,
) -> None:  # fmt: skip
    """Refuse readings of the change that the register's own, just before and after, contradict."""
    assert point.register is not None
    rows = declarations.register(connection, number, at_ms, at_ms + 1, 1, 1)
    others = [one.at_ms for one in meter_changes.standing(connection, number) if one.at_ms != at_ms]
    for ts, value in zip(rows.ts.tolist(), rows.value.tolist(), strict=True):
        if ts == at_ms or any(min(ts, at_ms) <= other <= max(ts, at_ms) for other in others):
            continue
        shown = {"at": plant.time.show(ts), "value": f"{value:.12g}", "unit": point.unit}
        if ts < at_ms and not fits(value, final, (ts, at_ms), point.register):
            raise _refused("final_contradicts", language, final=f"{final:.12g}", **shown)
        if ts > at_ms and not fits(initial, value, (at_ms, ts), point.register):
            raise _refused("initial_contradicts", language, initial=f"{initial:.12g}", **shown)


def _counter(plant: Plant, given: str, language: str) -> Point:
    point = plant.points.get(given)
    if point is None or point.kind is not Kind.COUNTER:
        known = ", ".join(name for name, one in plant.points.items() if one.kind is Kind.COUNTER)
        raise _refused("unknown_meter", language, given=given, known=known)
    if point.is_virtual or point.register is None or point.register.counts != "counter":
        raise _refused("no_register", language, meter=given)
    return point


def _value(field: str, given: str, point: Point, language: str) -> float:
    """Read a register in the meter's unit, or with a unit of its dimension; never below zero."""
    for written in (given, f"{given} {point.unit}"):
        try:
            value, unit = units.parse_quantity(written)
            value = value if unit == point.unit else significant_one(units.convert(value, unit, point.unit))
        except UnitError:
            continue
        if value >= 0:
            return value
    raise _refused("bad_register", language, field=field, given=given, unit=point.unit)


def _said(field: str, given: str, language: str) -> str:
    if not given.strip():
        raise DeclarationError(text("declare.empty", language, field=field))
    return given.strip()


def _refused(key: str, language: str, **values: object) -> DeclarationError:
    return DeclarationError(text(f"meters.{key}", language, **values))
