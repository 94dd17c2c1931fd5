"""This module gives spans of the store again, piece by piece, for a store beside it that lacks them.

What was asked for is a row with how far it is, so that a span of years needs no memory, no spool, and no second start
after a restart. Pieces come part by part, each in the order of its key.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any

from plantmon.model.metric import SentMetric
from plantmon.model.reading import Columns
from plantmon.model.window import Window
from plantmon.store import readings, windows
from plantmon.store.spool import What, alarm_row

PARTS = ("reading", "register", "window", "verdict", "alarm", "metric")

# Gives the points of the first published period behind a name that begins in [start, end), and its name; None: no more.
Metrics = Callable[[sqlite3.Connection, int, int, str], tuple[list[SentMetric], str | None]]


@dataclass(frozen=True, slots=True)
class Resend:
    """A span [start, end) of event time to be sent again, and how far that is: the part and its last key sent."""

    id: int
    start_ms: int
    end_ms: int
    part: str
    after: tuple[Any, ...]
    rows: int
    by: str


@dataclass(frozen=True, slots=True)
class Piece:
    """What comes next of a span, and where it ends: `part` None when the span is done."""

    kind: What
    readings: Columns | None
    rows: list[Any]
    part: str | None
    after: tuple[Any, ...]

    @property
    def count(self) -> int:
        """How many rows it has."""
        return len(self.rows) if self.readings is None else len(self.readings.ts)


def ask(connection: sqlite3.Connection, start_ms: int, end_ms: int, by: str, now_ms: int) -> int:
    """Have a span sent again; give the request's number."""
    number: int = connection.execute(
        "INSERT INTO resend (from_ms, to_ms, asked_ms, by, part, after, rows) VALUES (?, ?, ?, ?, ?, '[]', 0)"
        " RETURNING id",
        (start_ms, end_ms, now_ms, by, PARTS[0]),
    ).fetchone()[0]
    return number


def asked(connection: sqlite3.Connection) -> list[Resend]:
    """List what is to be sent again, oldest request first."""
    rows = connection.execute("SELECT id, from_ms, to_ms, part, after, rows, by FROM resend ORDER BY id")
    return [
        Resend(number, start, end, part, tuple(json.loads(after)), count, by)
        for number, start, end, part, after, count, by in rows
    ]


def note_sent(connection: sqlite3.Connection, resend: Resend, piece: Piece) -> None:
    """Write how far a span is; one that is done goes."""
    if piece.part is None:
        connection.execute("DELETE FROM resend WHERE id = ?", (resend.id,))
    else:
        connection.execute(
            "UPDATE resend SET part = ?, after = ?, rows = rows + ? WHERE id = ?",
            (piece.part, json.dumps(piece.after), piece.count, resend.id),
        )


def next_piece(connection: sqlite3.Connection, resend: Resend, most: int, metrics: Metrics) -> Piece:
    """Give the next rows of a span, at most so many; a piece may be empty where a part ends.

    `metrics` reads what was published, of which a piece is a whole period.
    """
    give: dict[str, Callable[[sqlite3.Connection, Resend, int], tuple[What, Any, tuple[Any, ...]]]] = {
        "reading": _of_gauges, "register": _of_registers, "window": _windows, "verdict": _verdicts, "alarm": _alarms,
        "metric": partial(_metrics, metrics),
    }  # fmt: skip
    kind, found, last = give[resend.part](connection, resend, most)
    part: str | None = resend.part
    if not last:
        place = PARTS.index(resend.part) + 1
        part = PARTS[place] if place < len(PARTS) else None
    if isinstance(found, Columns):
        return Piece(kind, found, [], part, last)
    return Piece(kind, None, found, part, last)


# Each gives the kind, the rows behind the last key, and the key they end with: empty where the part has no more.


def _of_gauges(connection: sqlite3.Connection, resend: Resend, most: int) -> tuple[What, Columns, tuple[Any, ...]]:
    at, point = resend.after or (resend.start_ms, -1)
    found = readings.following(connection, (at, point), resend.end_ms, most).columns()
    return What.READING, found, (int(found.ts[-1]), int(found.point[-1])) if len(found.ts) == most else ()


def _of_registers(connection: sqlite3.Connection, resend: Resend, most: int) -> tuple[What, Columns, tuple[Any, ...]]:
    point, at = resend.after or (-1, resend.start_ms)
    rows = connection.execute(
        "SELECT ts, point, value, flag FROM register WHERE point = ? AND ts > ? AND ts < ? ORDER BY ts LIMIT ?",
        (point, at, resend.end_ms, most),
    )
    found = readings.columns(rows)
    if len(found.ts) == most:
        return What.READING, found, (point, int(found.ts[-1]))
    following = connection.execute("SELECT min(point) FROM register WHERE point > ?", (point,)).fetchone()[0]
    return What.READING, found, () if following is None else (following, resend.start_ms - 1)


def _windows(connection: sqlite3.Connection, resend: Resend, most: int) -> tuple[What, list[Any], tuple[Any, ...]]:
    level, at = resend.after or ("1d", resend.start_ms - 1)
    start = connection.execute(
        'SELECT min(start) FROM "window" WHERE level = ? AND start > ? AND start < ?', (level, at, resend.end_ms)
    ).fetchone()[0]
    if start is None:
        return What.WINDOW, [], ("1h", resend.start_ms - 1) if level == "1d" else ()
    found: list[Window] = list(windows.at(connection, level, start).values())
    while len(found) < most:  # further instants, as long as they fit
        more = connection.execute(
            'SELECT min(start) FROM "window" WHERE level = ? AND start > ? AND start < ?',
            (level, start, resend.end_ms),
        ).fetchone()[0]
        if more is None:
            break
        start = more
        found += windows.at(connection, level, start).values()
    return What.WINDOW, [astuple(one) for one in found], (level, start)


def _verdicts(connection: sqlite3.Connection, resend: Resend, most: int) -> tuple[What, list[Any], tuple[Any, ...]]:
    key, at = resend.after or ("", 0)
    rows = connection.execute(
        """
        SELECT limit_key, start, "end", outcome, reason, value, bound FROM verdict
        WHERE limit_key = ? AND start > ? AND start < ? ORDER BY start LIMIT ?
        """,
        (key, at, resend.end_ms, most),
    ).fetchall()
    if len(rows) == most:
        return What.VERDICT, rows, (key, rows[-1][1])
    following = connection.execute("SELECT min(limit_key) FROM verdict WHERE limit_key > ?", (key,)).fetchone()[0]
    return What.VERDICT, rows, () if following is None else (following, resend.start_ms - 1)


def _alarms(connection: sqlite3.Connection, resend: Resend, most: int) -> tuple[What, list[Any], tuple[Any, ...]]:
    (after,) = resend.after or (0,)
    rows = connection.execute(
        """
        SELECT alarm_event.id, at_ms, event, alarm.id, kind, severity, detail, facts
        FROM alarm_event JOIN alarm ON alarm.id = alarm_event.alarm
        WHERE alarm_event.id > ? AND at_ms >= ? AND at_ms < ? ORDER BY alarm_event.id LIMIT ?
        """,
        (after, resend.start_ms, resend.end_ms, most),
    ).fetchall()
    found = [
        alarm_row(number, at_ms, event, alarm, kind, severity, json.loads(detail), json.loads(facts))
        for number, at_ms, event, alarm, kind, severity, detail, facts in rows
    ]
    return What.ALARM, found, (found[-1][0],) if len(found) == most else ()


def _metrics(
    metrics: Metrics, connection: sqlite3.Connection, resend: Resend, most: int
) -> tuple[What, list[Any], tuple[Any, ...]]:
    (after,) = resend.after or ("",)
    found, period = metrics(connection, resend.start_ms, resend.end_ms, after)
    return What.METRIC, [astuple(one) for one in found], () if period is None else (period,)
