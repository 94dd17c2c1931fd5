"""This module gives a point's course for looking at: minute means, and newest readings."""

from __future__ import annotations

import sqlite3

import numpy as np

from plantmon.store import declarations, minutes, readings
from plantmon.times import HOUR_MS, MINUTE_MS


def course(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> tuple[list[int], list[float]]:
    """Give a gauge's instants and values in [start, end), oldest first.

    Valid minute means; for minutes with none, the mean with over-range readings at the range's end.
    """
    times: list[int] = []
    values: list[float] = []
    made_until = start_ms
    for hour, block in minutes.span(connection, point, start_ms - HOUR_MS, end_ms):
        shown = np.where(block.valid > 0, block.mean, block.bound)
        for minute in np.flatnonzero(~np.isnan(shown)).tolist():
            at = hour + minute * MINUTE_MS
            if start_ms <= at < end_ms:
                times.append(at)
                values.append(float(shown[minute]))
        filled = np.flatnonzero(block.had)
        if len(filled):
            made_until = max(made_until, hour + (int(filled[-1]) + 1) * MINUTE_MS)
    fresh = declarations.applied(connection, readings.of(connection, point, max(made_until, end_ms - HOUR_MS), end_ms))
    kept = fresh.flag == 0
    return times + fresh.ts[kept].tolist(), values + fresh.value[kept].tolist()
