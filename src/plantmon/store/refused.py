"""This module keeps the lines an InfluxDB refused for good, each with its answer; the newest of them, and a count."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

MOST_KEPT = 1000  # a whole backlog can be refused, and must not fill the disk
_LONGEST = 1000  # characters of an answer


@dataclass(frozen=True, slots=True)
class Refused:
    """A line and why it was refused; `code` is the answer's status."""

    line: str
    code: int | None
    answer: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A refused line as it is kept, with the plant time of its refusal."""

    id: int
    refused_ms: int
    refused: Refused


def add(connection: sqlite3.Connection, refused: Iterable[Refused], now_ms: int) -> None:
    """Keep refused lines; beyond the bound the oldest go."""
    rows = [(now_ms, one.line, one.code, one.answer[:_LONGEST]) for one in refused]
    if not rows:
        return
    connection.execute("UPDATE spool_total SET refused = refused + ?", (len(rows),))
    connection.executemany(
        "INSERT INTO refused_line (refused_ms, line, code, answer) VALUES (?, ?, ?, ?)", rows[-MOST_KEPT:]
    )
    connection.execute(
        "DELETE FROM refused_line WHERE id <= (SELECT id FROM refused_line ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (MOST_KEPT,),
    )


def newest(connection: sqlite3.Connection, most: int) -> list[Kept]:
    """List refused lines, newest first."""
    rows = connection.execute(
        "SELECT id, refused_ms, line, code, answer FROM refused_line ORDER BY id DESC LIMIT ?", (most,)
    )
    return [Kept(number, at_ms, Refused(line, code, answer)) for number, at_ms, line, code, answer in rows]
