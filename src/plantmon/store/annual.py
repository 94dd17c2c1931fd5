"""This module sums stored windows and amounts over the parts of a long span, a few reads for a whole plant."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from plantmon.model.minutes import MINUTES

Counted = tuple[int | None, int, bool]  # amount in 1e-6 of the unit, milliseconds covered, whether its split is a guess


def counted(connection: sqlite3.Connection, points: Iterable[int], start_ms: int, end_ms: int) -> dict[int, Counted]:
    """Sum the days of some counters that start in [start, end): exact integers. A counter without a day is not there.

    A sum is a guess where it begins or ends within a gap: those inside it have both their ends in it.
    """
    chosen = json.dumps(sorted(points))
    rows = connection.execute(
        """
        SELECT point, sum(amount), sum(valid), min(start), max(start)
        FROM "window"
        WHERE level = '1d' AND start >= :start AND start < :end AND amount IS NOT NULL
          AND point IN (SELECT value FROM json_each(:points))
        GROUP BY point
        """,
        {"start": start_ms, "end": end_ms, "points": chosen},
    ).fetchall()
    edge = "SELECT estimated FROM \"window\" WHERE level = '1d' AND start = ? AND point = ?"
    found = {}
    for point, amount, covered, first, last in rows:
        is_cut = bool(connection.execute(edge, (first, point)).fetchone()[0] & 1) or bool(
            connection.execute(edge, (last, point)).fetchone()[0] & 2
        )
        found[point] = (amount, covered, is_cut)
    return found


def extremes(
    connection: sqlite3.Connection, points: Iterable[int], days: Iterable[int]
) -> dict[int, dict[int, tuple[float, float]]]:
    """Give the lowest and the highest valid reading of some gauges' days, by point and the day's start."""
    found: dict[int, dict[int, tuple[float, float]]] = {point: {} for point in points}
    places = ", ".join(map(str, sorted(found)))
    rows = connection.execute(
        f"""
        SELECT start, point, minimum, maximum
        FROM "window"
        WHERE level = '1d' AND start IN (SELECT value FROM json_each(:days)) AND point IN ({places})
          AND minimum IS NOT NULL
        """,  # noqa: S608 - numbers
        {"days": json.dumps(sorted(days))},
    )
    for start, point, low, high in rows:
        found[point][start] = (low, high)
    return found


def hours_under(
    connection: sqlite3.Connection, limits: Mapping[int, float], hours: Iterable[int]
) -> dict[int, dict[int, float]]:
    """Give the means of those hours of some gauges that lie below a limit each, by point and the hour's start.

    Hour by hour: the points of an hour lie beside each other.
    """
    found: dict[int, dict[int, float]] = {point: {} for point in limits}
    places = ", ".join(map(str, sorted(limits)))
    bounds = " ".join(f"WHEN {point} THEN {limit!r}" for point, limit in sorted(limits.items()))
    rows = connection.execute(
        f"""
        SELECT start, point, mean
        FROM "window"
        WHERE level = '1h' AND start IN (SELECT value FROM json_each(:hours)) AND point IN ({places})
          AND mean < CASE point {bounds} END
        """,  # noqa: S608 - numbers
        {"hours": json.dumps(sorted(hours))},
    )
    for start, point, mean in rows:
        found[point][start] = mean
    return found


_HOUR = np.dtype([("start", np.int64), ("point", np.int64), ("mean", np.float64), ("is_whole", np.bool_)])


def hours_of(connection: sqlite3.Connection, points: Iterable[int], hours: range) -> dict[int, NDArray[np.void]]:
    """Give the hours of some gauges that have a mean, by point, in any order: `start`, `mean`, `is_whole`.

    An hour is whole where all its minutes are there and the source ran in all of them: its mean is then that of each.
    """
    chosen = sorted(points)
    places = ", ".join(map(str, chosen))
    rows = connection.execute(
        f"""
        SELECT start, point, mean, due = :minutes AND valid = due AND (ran IS NULL OR ran = :whole)
        FROM "window"
        WHERE level = '1h' AND start IN (SELECT value FROM json_each(:hours)) AND point IN ({places})
          AND mean IS NOT NULL
        """,  # noqa: S608 - numbers
        {"hours": json.dumps(list(hours)), "minutes": MINUTES, "whole": (1 << MINUTES) - 1},
    )
    table = np.fromiter(rows, _HOUR)
    return {point: table[table["point"] == point] for point in chosen}


def items_ever(connection: sqlite3.Connection) -> frozenset[str]:
    """Name every item the ledger has a line of that counts, of whatever time."""
    return frozenset(row[0] for row in connection.execute("SELECT DISTINCT item FROM ledger_standing"))


def judged(connection: sqlite3.Connection, limit_key: str, start_ms: int, end_ms: int) -> tuple[int, float, int]:
    """Count a limit's windows in [start, end) that were judged, add up their values, count those in breach."""
    row = connection.execute(
        """
        SELECT count(value), total(value), total(outcome IN ('exceed', 'exceed_at_least'))
        FROM verdict WHERE limit_key = ? AND start >= ? AND start < ? AND outcome != 'not_judged'
        """,
        (limit_key, start_ms, end_ms),
    ).fetchone()
    return row[0], row[1], int(row[2])


def counts_at(
    connection: sqlite3.Connection, level: str, point: int, starts: Iterable[int]
) -> dict[int, tuple[int | None, int, int, int]]:
    """Give a counter's windows that start at some instants: amount, covered milliseconds, due ones, guessed edges."""
    rows = connection.execute(
        """
        SELECT start, amount, valid, due, estimated
        FROM "window"
        WHERE level = :level AND start IN (SELECT value FROM json_each(:starts)) AND point = :point
        """,
        {"level": level, "starts": json.dumps(sorted(starts)), "point": point},
    )
    return {start: (amount, valid, due, estimated) for start, amount, valid, due, estimated in rows}


def mean_at(connection: sqlite3.Connection, level: str, point: int, start_ms: int) -> float | None:
    """Give the mean of one window of a gauge, None where there is none."""
    row = connection.execute(
        'SELECT mean FROM "window" WHERE level = ? AND start = ? AND point = ?', (level, start_ms, point)
    ).fetchone()
    return row[0] if row else None
