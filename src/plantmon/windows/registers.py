"""This module follows a meter through its stored readings, whatever kind it is, and gives what reads amounts off it.

The windows and the reports use it alike: an amount over a few minutes comes from the same course as its hour's.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.model.plant import Point
from plantmon.store import declarations, meter_changes
from plantmon.windows.counter import Change, Edges, Event, Happening, course
from plantmon.windows.flow import Flow, increments, rates

# Readings of a register that can change the meaning of a neighbour: three brief zeros and what surrounds them.
NEIGHBOURS = 5
CONTEXT = 8
# A register beyond this, after its ratio, is no reading of a meter (a float with swapped bytes is 1e37): it is kept,
# but no amount in 64-bit parts of 1e-6 unit can be made of it.
LARGEST_REGISTER = 1e11


@dataclass(frozen=True, slots=True)
class Followed:
    """A meter's way: `reach` are the instants it is known at, `read` those of the readings used."""

    reach: NDArray[np.int64]
    read: NDArray[np.int64]
    happenings: tuple[Happening, ...]
    edges: Edges | Flow  # both give `amount(start_ms, end_ms)`


def follow(connection: sqlite3.Connection, point: Point, number: int, start_ms: int, end_ms: int) -> Followed:
    """Follow a meter over [start, end), with as much around it as its amounts there can hang on."""
    held = held_since(connection, number, start_ms)
    return way(
        connection, point, number, (start_ms if held is None else min(held, start_ms), end_ms), CONTEXT, NEIGHBOURS
    )


def way(
    connection: sqlite3.Connection, point: Point, number: int, span: tuple[int, int], before: int, after: int
) -> Followed:
    """Follow a meter through the readings that count in a span, and so many around it."""
    assert point.register is not None
    register = point.register
    rows = declarations.register(connection, number, *span, before, after)
    if register.counts != "counter":
        flow = (rates if register.counts == "rate" else increments)(rows.ts, rows.value, register, point.interval_ms)
        return Followed(flow.ts, flow.read, flow.happenings, flow)
    most = LARGEST_REGISTER / max(1.0, *(ratio.value for ratio in register.ratios), 1.0)
    used = np.abs(rows.value) <= most
    ts = rows.ts[used]
    # Further away than the readings at hand a change says nothing of the span.
    first = int(ts[0]) if np.count_nonzero(rows.ts < span[0]) >= before and len(ts) else declarations.ALWAYS
    last = int(ts[-1]) if np.count_nonzero(rows.ts >= span[1]) >= after and len(ts) else declarations.FOREVER
    changes = [
        Change(one.at_ms, one.final, one.initial)
        for one in meter_changes.standing(connection, number)
        if one.final is not None and one.initial is not None and first <= one.at_ms <= last
    ]
    found = course(ts, rows.value[used], register, point.interval_ms, changes)
    read = found.ts[~np.isin(found.ts, [one.at_ms for one in changes])] if changes else found.ts
    return Followed(found.ts, read, found.happenings, Edges(found))


def held_since(connection: sqlite3.Connection, point: int, at_ms: int, *, through_changes: bool = False) -> int | None:
    """Give since when a slight fall holds the level at an instant, None when it does not (any more).

    A declared change of the meter ends it, unless asked to look `through_changes`: as if none stood.
    """
    row = connection.execute(
        'SELECT ts, "before" FROM meter_event WHERE point = ? AND ts < ? AND kind = ? ORDER BY ts DESC LIMIT 1',
        (point, at_ms, Event.SLIGHT_FALL),
    ).fetchone()
    if row is None:
        return None
    if not through_changes and any(row[0] < one.at_ms < at_ms for one in meter_changes.standing(connection, point)):
        return None
    if declarations.is_any(connection, row[0] + 1, at_ms):
        since = declarations.register(connection, point, row[0] + 1, at_ms, 0, 0)
        return None if (since.value >= row[1]).any() else int(row[0])
    risen = connection.execute(
        "SELECT 1 FROM register WHERE point = ? AND ts > ? AND ts < ? AND value >= ? AND flag = 0 LIMIT 1",
        (point, row[0], at_ms, row[1]),
    ).fetchone()
    return None if risen else int(row[0])
