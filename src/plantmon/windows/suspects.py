"""This module looks for suspicious minutes when an hour closes or is computed again, and keeps what it finds.

It runs inside the transaction that writes the hour. What it keeps is a function of the minutes of closed hours, so that
the order in which they came does not show; whether somebody is told follows a point's newest closed hour alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Point
from plantmon.store import minutes, suspects, windows
from plantmon.times import DAY_MS, HOUR_MS
from plantmon.windows.suspicion import Found, Hour, Suspicion, look, reach_hours

RECENT_MS = DAY_MS  # what is found in older hours is kept, and nobody is told


@dataclass(frozen=True, slots=True)
class SuspicionNews:
    """How a point stands at the end of its newest hour, which begins at `hour`; `found` None: all is well (again)."""

    point: str
    unit: str
    kind: str
    hour: int
    found: Suspicion | None


class Suspects:
    """Looks at the points that have checks."""

    def __init__(self, points: Mapping[int, Point]) -> None:
        self._points = {number: point for number, point in points.items() if point.checks is not None}

    def follow(
        self, connection: sqlite3.Connection, hour: int, numbers: Iterable[int],
        closed: Mapping[int, tuple[int, int]], now_ms: int,
    ) -> list[SuspicionNews]:  # fmt: skip
        """Look again at all hours that a written one of some points can change; give what is news of their newest."""
        news = []
        for number in sorted(self._points.keys() & set(numbers)):
            point = self._points[number]
            start, until = closed.get(number, (0, 0))
            reach = reach_hours(point) * HOUR_MS
            for one in range(max(start, hour - reach), min(until, hour + reach + HOUR_MS), HOUR_MS):
                around = self._around(connection, number, (max(start, one - reach), min(until, one + reach + HOUR_MS)))
                found = look(point, one, around)
                rows = [(piece.start, piece.end, piece.kind, piece.detail) for piece in found.pieces]
                suspects.replace(connection, number, one, one + HOUR_MS, rows)
                if one + HOUR_MS == until and until > now_ms - RECENT_MS:
                    news += _news(point, one, found)
        return news

    @staticmethod
    def _around(connection: sqlite3.Connection, number: int, span: tuple[int, int]) -> list[Hour]:
        ran = {window.start: window.ran for window in windows.span(connection, "1h", number, *span)}
        blocks = dict(minutes.span(connection, number, *span))
        hours = range(span[0], span[1], HOUR_MS)
        return [(hour, blocks.get(hour) or MinuteBlock.empty(), ran.get(hour)) for hour in hours]


def _news(point: Point, hour: int, found: Found) -> list[SuspicionNews]:
    return [SuspicionNews(point.id, point.unit, one.kind, hour, one.found) for one in found.newest]
