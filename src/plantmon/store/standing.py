"""This module says which values stand at given times and points, wherever they live: tables or sealed files."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from plantmon.model.reading import POINT_BITS
from plantmon.store import archive, late, readings
from plantmon.store.late import Key

FEW = 2_000  # up to here keys are looked up one by one; beyond, everything between the first and the last is read
_TABLES = ("reading", "register", "late_reading")


def values_at(
    connection: sqlite3.Connection, ts: NDArray[np.int64], point: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give the values at keys (time, point), and where there are any; keys an hour apart at most, or few.

    Raises ArchiveError where a sealed file cannot be read.
    """
    value, is_there = np.zeros(len(ts)), np.zeros(len(ts), bool)
    if len(ts) > FEW:
        found = readings.span(connection, int(ts.min()), int(ts.max()) + 1, set(np.unique(point).tolist()))
        if len(found):
            stored, wanted = found.ts << POINT_BITS | found.point, ts << POINT_BITS | point
            places = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
            is_there = stored[places] == wanted
            value[is_there] = found.value[places[is_there]]
        return value, is_there
    stands = _looked_up(connection, list(zip(ts.tolist(), point.tolist(), strict=True)))
    for place, key in enumerate(zip(ts.tolist(), point.tolist(), strict=True)):
        if key in stands:
            value[place], is_there[place] = stands[key], True
    return value, is_there


def _looked_up(connection: sqlite3.Connection, keys: list[Key]) -> dict[Key, float]:
    found: dict[Key, float] = {}
    missing: dict[int, list[Key]] = defaultdict(list)
    for key in keys:
        for table in _TABLES:
            row = connection.execute(
                f"SELECT value FROM {table} WHERE ts = ? AND point = ?",  # noqa: S608 - one of three constants
                key,
            ).fetchone()
            if row is not None:
                found[key] = row[0]
                break
        else:
            missing[archive.day_of(key[0])].append(key)
    for day, some in missing.items():
        state = archive.read_day(connection, day)
        if state is not None and state.released_ms is not None:
            found |= late.in_files(connection, day, some)
    return found
