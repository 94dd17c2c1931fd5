"""This module remembers what has to be computed again: touched hours, unweighed hours and unjudged windows.

A mark carries the sequence number of its newest change. A stage takes marks together with what it reads in one
snapshot and wipes only those that have not changed since: a reading that arrives meanwhile keeps its mark.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable
from itertools import islice
from typing import NamedTuple

from plantmon.store.values import next_number


class Touched(NamedTuple):
    """An hour of a point with changed readings; bit n of `minutes` is its nth minute."""

    hour: int
    point: int
    minutes: int
    seq: int


Mark = tuple[str, int, int]  # level, start, point


class Unjudged(NamedTuple):
    """A window whose verdicts have to be made."""

    level: str
    start: int
    point: int
    seq: int


class Unweighed(NamedTuple):
    """An hour of a point whose outlet's amounts have to be made."""

    hour: int
    point: int
    seq: int


def touch(connection: sqlite3.Connection, marks: Iterable[tuple[int, int, int]]) -> None:
    """Mark (hour, point, minutes)."""
    seq = next_number(connection, "touched")
    connection.executemany(
        """
        INSERT INTO touched (hour, point, minutes, seq) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET minutes = minutes | excluded.minutes, seq = excluded.seq
        """,
        ((hour, point, minutes, seq) for hour, point, minutes in marks),
    )


def touched(connection: sqlite3.Connection, most: int, known: Container[int] | None = None) -> list[Touched]:
    """List touched hours, oldest first; only of `known` points: those not in the plant file just now keep theirs."""
    rows = (
        Touched(*row)
        for row in connection.execute("SELECT hour, point, minutes, seq FROM touched ORDER BY hour, point")
    )
    return list(islice((row for row in rows if known is None or row.point in known), most))


def wipe_touched(connection: sqlite3.Connection, done: Iterable[tuple[Touched, int]]) -> None:
    """Take the given minutes out of marks that have not changed since they were read."""
    rows = [(~minutes, mark.hour, mark.point, mark.seq) for mark, minutes in done]
    connection.executemany("UPDATE touched SET minutes = minutes & ? WHERE hour = ? AND point = ? AND seq = ?", rows)
    connection.executemany(
        "DELETE FROM touched WHERE hour = ? AND point = ? AND minutes = 0", [row[1:3] for row in rows]
    )


def unjudge(connection: sqlite3.Connection, windows: Iterable[tuple[str, int, int]]) -> None:
    """Mark windows (level, start, point) for judging; amounts are made of hours, so those are weighed again too."""
    seq = next_number(connection, "unjudged")
    rows = [(level, start, point, seq) for level, start, point in windows]
    connection.executemany(
        """
        INSERT INTO unjudged (level, start, point, seq) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET seq = excluded.seq
        """,
        rows,
    )
    hours = [(start, point) for level, start, point, _ in rows if level == "1h"]
    if hours:
        unweigh(connection, hours)


def unweigh(connection: sqlite3.Connection, hours: Iterable[tuple[int, int]]) -> None:
    """Mark (hour, point) whose outlet's amounts are to be made."""
    seq = next_number(connection, "unweighed")
    connection.executemany(
        """
        INSERT INTO unweighed (hour, point, seq) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET seq = excluded.seq
        """,
        ((hour, point, seq) for hour, point in hours),
    )


def unweighed(connection: sqlite3.Connection, most: int) -> list[Unweighed]:
    """List hours to weigh, oldest first."""
    rows = connection.execute("SELECT hour, point, seq FROM unweighed ORDER BY hour, point LIMIT ?", (most,))
    return [Unweighed(*row) for row in rows]


def wipe_unweighed(connection: sqlite3.Connection, done: Iterable[Unweighed]) -> None:
    """Forget marks that have not changed since they were read."""
    connection.executemany("DELETE FROM unweighed WHERE hour = ? AND point = ? AND seq = ?", done)


def unjudged(connection: sqlite3.Connection, most: int, passed_over: Container[int] = ()) -> list[Unjudged]:
    """List windows to judge, oldest first, without those whose start is passed over."""
    rows = connection.execute("SELECT level, start, point, seq FROM unjudged ORDER BY start, level, point")
    return list(islice((Unjudged(*row) for row in rows if row[1] not in passed_over), most))


def wipe_unjudged(connection: sqlite3.Connection, done: Iterable[Unjudged]) -> None:
    """Forget marks that have not changed since they were read."""
    connection.executemany("DELETE FROM unjudged WHERE level = ? AND start = ? AND point = ? AND seq = ?", done)
