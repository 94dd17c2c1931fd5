"""This module keeps the declared changes of meters: which stand, which were taken back, and what they touch.

Entries are only added. Of several for one meter and instant the newest stands; one that withdraws another takes it
back. Each entry marks the hour it touches, in its own transaction; the windows find out how far it reaches.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields

from plantmon.model.minutes import MINUTES
from plantmon.store import dirty
from plantmon.times import PlantTime

_ALL_MINUTES = (1 << MINUTES) - 1


@dataclass(frozen=True, slots=True)
class MeterChange:
    """An entry: the old register's last reading and the new one's first, before the ratio; None in a withdrawal."""

    id: int
    point: int
    at_ms: int
    final: float | None
    initial: float | None
    serial: str | None  # of the new meter
    by: str
    note: str | None
    declared_ms: int
    withdraws: int | None  # the entry this one takes back


_FIELDS = ", ".join(field.name for field in fields(MeterChange))


def add(
    connection: sqlite3.Connection, time: PlantTime, point: int, at_ms: int, final: float, initial: float, serial: str,
    by: str, note: str | None, now_ms: int,
) -> int:  # fmt: skip
    """Declare that a meter was changed at an instant; give the entry's number."""
    return _insert(connection, time, (point, at_ms, final, initial, serial, by, note, now_ms, None))


def withdraw(
    connection: sqlite3.Connection, time: PlantTime, entry: MeterChange, by: str, note: str | None, now_ms: int
) -> int:
    """Take an entry back; give the number of the one that does. Raises sqlite3.IntegrityError when it was already."""
    return _insert(connection, time, (entry.point, entry.at_ms, None, None, None, by, note, now_ms, entry.id))


def entries(connection: sqlite3.Connection, point: int | None = None) -> list[MeterChange]:
    """List all entries, of all meters or one, by meter and instant, in the order they were declared."""
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM meter_change WHERE :point IS NULL OR point = :point ORDER BY point, at_ms, id",  # noqa: S608
        {"point": point},
    )
    return [MeterChange(*row) for row in rows]


def standing(connection: sqlite3.Connection, point: int) -> list[MeterChange]:
    """List the changes of a meter that stand, oldest first."""
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM meter_change_standing WHERE point = ? ORDER BY at_ms",  # noqa: S608 - built of constants
        (point,),
    )
    return [MeterChange(*row) for row in rows]


def _insert(connection: sqlite3.Connection, time: PlantTime, row: tuple[object, ...]) -> int:
    names, places = _FIELDS.partition(", ")[2], ", ".join("?" * len(row))
    number = connection.execute(
        f"INSERT INTO meter_change ({names}) VALUES ({places})",  # noqa: S608 - built of constants
        row,
    ).lastrowid
    assert number is not None
    point, at_ms = row[0], row[1]
    (first_ms,) = connection.execute("SELECT first_ms FROM point WHERE id = ?", (point,)).fetchone()
    if first_ms is not None:
        assert isinstance(point, int)
        assert isinstance(at_ms, int)
        dirty.touch(connection, [(time.hour_start(max(at_ms, first_ms)), point, _ALL_MINUTES)])
    return number
