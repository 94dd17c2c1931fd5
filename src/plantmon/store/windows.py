"""This module keeps hour and day windows, how far each point's are closed, and what its register did."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from plantmon.model.window import WINDOW_FIELDS, Window
from plantmon.store import spool
from plantmon.times import HOUR_MS

_COLUMNS = ", ".join(f'"{name}"' for name in WINDOW_FIELDS)
_SELECT = f'SELECT {_COLUMNS} FROM "window"'  # noqa: S608 - built of constants
EventRow = tuple[int, str, float, float, int]  # ts, kind, before, after, amount
_PLACES = ", ".join(f":{name}" for name in WINDOW_FIELDS)


def _window(row: tuple[Any, ...]) -> Window:
    return Window(*row[:-2], bool(row[-2]), row[-1])  # type: ignore[call-arg]


def read(connection: sqlite3.Connection, level: str, start: int, point: int) -> Window | None:
    """Read one window."""
    row = connection.execute(f"{_SELECT} WHERE level = ? AND start = ? AND point = ?", (level, start, point)).fetchone()
    return _window(row) if row else None


def ran(connection: sqlite3.Connection, point: int, hours: Iterable[int]) -> list[int | None]:
    """Read in which minutes a point's source ran, an hour each; None where it has no condition or no window."""
    select = "SELECT ran FROM \"window\" WHERE level = '1h' AND start = ? AND point = ?"
    rows = (connection.execute(select, (hour, point)).fetchone() for hour in hours)
    return [row[0] if row else None for row in rows]


def at(connection: sqlite3.Connection, level: str, start: int) -> dict[int, Window]:
    """Read the windows of all points that begin at one instant, by point."""
    rows = connection.execute(f"{_SELECT} WHERE level = ? AND start = ?", (level, start))
    return {window.point: window for window in map(_window, rows)}


def span(connection: sqlite3.Connection, level: str, point: int, start_ms: int, end_ms: int) -> list[Window]:
    """Read one point's windows that start in [start, end), oldest first."""
    rows = connection.execute(
        f"{_SELECT} WHERE level = ? AND start >= ? AND start < ? AND point = ? ORDER BY start",
        (level, start_ms, end_ms, point),
    )
    return [_window(row) for row in rows]


def outside(
    connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int, low: float, high: float
) -> list[tuple[int, float]]:
    """Give the valid hours of a point that start in [start, end) whose mean lies outside of bounds, and their mean.

    One seek an hour: a range of hours is one of all points. `start` is an hour's.
    """
    return connection.execute(
        """
        WITH RECURSIVE hour (start) AS (
          SELECT :start WHERE :start < :end UNION ALL SELECT start + :hour FROM hour WHERE start + :hour < :end
        )
        SELECT one.start, one.mean
        FROM hour CROSS JOIN "window" AS one ON one.level = '1h' AND one.start = hour.start AND one.point = :point
        WHERE one.is_valid AND NOT one.mean BETWEEN :low AND :high
        ORDER BY one.start
        """,
        {"point": point, "start": start_ms, "end": end_ms, "low": low, "high": high, "hour": HOUR_MS},
    ).fetchall()


def between(
    connection: sqlite3.Connection, level: str, start_ms: int, end_ms: int, points: set[int]
) -> dict[int, list[Window]]:
    """Read some points' windows that start in [start, end), oldest first, by point."""
    if len(points) == 1:
        (point,) = points
        return {point: span(connection, level, point, start_ms, end_ms)}
    found: dict[int, list[Window]] = {}
    rows = connection.execute(
        f"{_SELECT} WHERE level = ? AND start >= ? AND start < ? ORDER BY start", (level, start_ms, end_ms)
    )
    for row in rows:
        if row[3] in points:
            found.setdefault(row[3], []).append(_window(row))
    return found


def write(connection: sqlite3.Connection, windows: Iterable[Window]) -> None:
    """Write windows, over what stood there."""
    written = list(windows)
    connection.executemany(
        f'INSERT OR REPLACE INTO "window" ({_COLUMNS}) VALUES ({_PLACES})',  # noqa: S608
        [{name: getattr(window, name) for name in WINDOW_FIELDS} for window in written],
    )
    spool.add_windows(connection, written)


def closed(connection: sqlite3.Connection, level: str) -> dict[int, tuple[int, int]]:
    """Give for each point the span [from, until) in which every window of a level is there."""
    return {
        point: (start, until)
        for point, start, until in connection.execute(
            "SELECT point, from_ms, until_ms FROM closed WHERE level = ?", (level,)
        )
    }


def close(connection: sqlite3.Connection, level: str, spans: dict[int, tuple[int, int]]) -> None:
    """Set the closed spans of points."""
    connection.executemany(
        """
        INSERT INTO closed (point, level, from_ms, until_ms) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET from_ms = excluded.from_ms, until_ms = excluded.until_ms
        """,
        [(point, level, start, until) for point, (start, until) in spans.items()],
    )


def starts(connection: sqlite3.Connection, level: str, point: int) -> list[int]:
    """List where a point's windows start."""
    return [
        row[0]
        for row in connection.execute(
            'SELECT start FROM "window" WHERE level = ? AND point = ? ORDER BY start', (level, point)
        )
    ]


def events(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> list[tuple[int, str]]:
    """List what a register did in [start, end): (instant, kind)."""
    return connection.execute(
        "SELECT ts, kind FROM meter_event WHERE point = ? AND ts >= ? AND ts < ? ORDER BY ts", (point, start_ms, end_ms)
    ).fetchall()


def estimated_amounts(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> dict[int, int]:
    """Sum what counters counted in hours whose split is estimated and that start in [start, end), by point."""
    rows = connection.execute(
        """
        SELECT point, sum(abs(amount)) FROM "window" INDEXED BY window_estimated
        WHERE level = '1h' AND estimated != 0 AND start >= ? AND start < ? AND amount IS NOT NULL GROUP BY point
        """,
        (start_ms, end_ms),
    )
    return dict(rows.fetchall())


def replace_events(
    connection: sqlite3.Connection,
    point: int,
    start_ms: int,
    end_ms: int,
    events: Iterable[EventRow],
) -> tuple[list[EventRow], list[EventRow]]:
    """Set a register's events in [start, end) as (ts, kind, before, after, amount); give the new and the old ones.

    An event that came out differently is in both lists.
    """
    old = {
        row[0]: row
        for row in connection.execute(
            'SELECT ts, kind, "before", "after", amount FROM meter_event WHERE point = ? AND ts >= ? AND ts < ?',
            (point, start_ms, end_ms),
        )
    }
    new = {event[0]: event for event in events}
    connection.executemany(
        "DELETE FROM meter_event WHERE point = ? AND ts = ?", [(point, ts) for ts in old if old[ts] != new.get(ts)]
    )
    gone = [event for ts, event in old.items() if new.get(ts) != event]
    fresh = [event for ts, event in new.items() if old.get(ts) != event]
    connection.executemany(
        'INSERT INTO meter_event (point, ts, kind, "before", "after", amount) VALUES (?, ?, ?, ?, ?, ?)',
        [(point, *event) for event in fresh],
    )
    return fresh, gone
