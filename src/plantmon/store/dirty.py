"""This module remembers what has to be computed again: touched hours and unjudged windows.

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


class Unjudged(NamedTuple):
    """A window whose verdicts have to be made."""

    level: str
    start: int
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
    """Mark windows (level, start, point) for judging."""
    seq = next_number(connection, "unjudged")
    connection.executemany(
        """
        INSERT INTO unjudged (level, start, point, seq) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET seq = excluded.seq
        """,
        ((level, start, point, seq) for level, start, point in windows),
    )


def unjudged(connection: sqlite3.Connection, most: int) -> list[Unjudged]:
    """List windows to judge, oldest first."""
    return [
        Unjudged(*row)
        for row in connection.execute(
            "SELECT level, start, point, seq FROM unjudged ORDER BY start, level, point LIMIT ?", (most,)
        )
    ]


def wipe_unjudged(connection: sqlite3.Connection, done: Iterable[Unjudged]) -> None:
    """Forget marks that have not changed since they were read."""
    connection.executemany("DELETE FROM unjudged WHERE level = ? AND start = ? AND point = ? AND seq = ?", done)
