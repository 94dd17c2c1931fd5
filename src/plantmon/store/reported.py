"""This module keeps what devices report of minutes, hours and days, beside our own windows and never in their place.

The first figures of a (point, start, level) stand; equal ones are a redelivery, different ones a conflict.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from plantmon.model.window import Window

FIGURES = (
    "mean",
    "minimum",
    "maximum",
    "converted_mean",
    "converted_minimum",
    "converted_maximum",
    "amount",
    "converted_amount",
)
_KEY = ("point", "start", "level")
_COLUMNS = ", ".join((*_KEY, *FIGURES, "amount_unit", "flag", "arrival_ms"))


class Compared(StrEnum):
    """What the comparison with our own window came to."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_COMPARABLE = "not_comparable"


class Reported(NamedTuple):
    """What a device says of one period; `level` is 1h, 1d, or the length of its minute data such as 10min.

    Values are in the point's unit, None where not said; amounts are in `amount_unit`.
    """

    point: int
    start: int
    level: str
    mean: float | None
    minimum: float | None
    maximum: float | None
    converted_mean: float | None
    converted_minimum: float | None
    converted_maximum: float | None
    amount: float | None
    converted_amount: float | None
    amount_unit: str | None
    flag: int
    arrival_ms: int

    @property
    def figures(self) -> tuple[float | None, ...]:
        """Give the values without what goes with them."""
        return self[3:11]


class Newest(NamedTuple):
    """The newest comparison of a level."""

    level: str
    start: int
    mean: float
    own: float
    compared: Compared


def insert(connection: sqlite3.Connection, row: Reported) -> Reported:
    """Store what is not there yet; give what stands."""
    places = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO reported ({_COLUMNS}) VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608 - of constants
        row,
    )
    found = read(connection, row.point, row.start, row.level)
    assert found is not None
    return found


def read(connection: sqlite3.Connection, point: int, start: int, level: str) -> Reported | None:
    """Read one period."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM reported WHERE point = ? AND start = ? AND level = ?",  # noqa: S608 - of constants
        (point, start, level),
    ).fetchone()
    return Reported(*row) if row else None


def span(connection: sqlite3.Connection, point: int, level: str, start_ms: int, end_ms: int) -> dict[int, Reported]:
    """Read a point's periods of a level that start in [start, end), by their start."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM reported"  # noqa: S608 - of constants
        " WHERE point = ? AND start >= ? AND start < ? AND level = ? ORDER BY start",
        (point, start_ms, end_ms, level),
    )
    return {row[1]: Reported(*row) for row in rows}


def waiting(connection: sqlite3.Connection, most: int) -> list[tuple[int, int, str]]:
    """List what is not compared yet, oldest first: (point, start, level)."""
    return connection.execute(
        "SELECT point, start, level FROM reported WHERE compared IS NULL ORDER BY start LIMIT ?", (most,)
    ).fetchall()


def note_compared(
    connection: sqlite3.Connection, key: tuple[int, int, str], compared: Compared, own: float | None
) -> None:
    """Write what a comparison came to."""
    connection.execute(
        "UPDATE reported SET compared = ?, own = ? WHERE point = ? AND start = ? AND level = ?", (compared, own, *key)
    )


def compare_again(connection: sqlite3.Connection, windows: Iterable[Window]) -> None:
    """Have compared (again) what belongs to windows that came out differently; minute data goes with its hour."""
    connection.executemany(
        """
        UPDATE reported SET compared = NULL, own = NULL
        WHERE point = ? AND start >= ? AND start < ? AND (level = ? OR (level NOT IN ('1h', '1d') AND ? = '1h'))
        """,
        [(one.point, one.start, one.end, one.level, one.level) for one in windows],
    )


def newest(connection: sqlite3.Connection, point: int, since_ms: int) -> list[Newest]:
    """Give the newest comparison of each of a point's levels, of periods that start at an instant or later."""
    rows = connection.execute(
        """
        SELECT level, max(start), mean, own, compared FROM reported
        WHERE point = ? AND start >= ? AND compared IN ('agrees', 'differs') GROUP BY level
        """,
        (point, since_ms),
    )
    return [Newest(level, start, mean, own, Compared(compared)) for level, start, mean, own, compared in rows]
