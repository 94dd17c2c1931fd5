"""This module reads the register out of the store: the exceedances of a time, and those that were taken back.

Entries are whole, also where they reach beyond the time asked for, and come from limits of every version of the plant
file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

from plantmon.compliance.permit import Permit
from plantmon.compliance.register import Entry, average_of, entries
from plantmon.model.plant import Limit, Plant, Point
from plantmon.store import register, verdicts
from plantmon.store.register import Note
from plantmon.store.verdicts import Withdrawn

LONG = ("1mo", "1y")


@dataclass(frozen=True, slots=True)
class Taken:
    """A withdrawn exceedance, the limit that had it, what people had written to it, and whether it stands again."""

    withdrawn: Withdrawn
    limit: Limit | None
    notes: tuple[Note, ...]
    stands_again: bool


def points_of(plant: Plant, permit: Permit) -> dict[str, Point]:
    """Give every point a limit of the permit may name, the newest file's where several have it."""
    return {name: point for one in (*permit.plants, plant) for name, point in one.points.items()}


def exceedances(
    connection: sqlite3.Connection, plant: Plant, permit: Permit, numbers: Mapping[str, int], start_ms: int, end_ms: int
) -> list[tuple[Limit, Entry]]:
    """Give the entries that overlap [start, end) with their limits, by their first window."""
    points = points_of(plant, permit)
    found = []
    for limit in permit.limits().values():
        exceeding = register.exceeding(connection, limit.key, start_ms, end_ms)
        point = points.get(limit.point)
        for entry in entries(exceeding, average_of(point), point.interval_ms if point else 0):
            if entry.end > start_ms and entry.start < end_ms:
                found.append((limit, _filled(connection, limit, entry, numbers.get(limit.point))))
    return sorted(found, key=lambda one: (one[1].start, one[0].key))


def _filled(connection: sqlite3.Connection, limit: Limit, entry: Entry, number: int | None) -> Entry:
    """Give an entry what was measured in it, and its notes."""
    notes = tuple(register.notes(connection, limit.key, entry.start, entry.end))
    if number is None:
        return replace(entry, notes=notes)
    level = "1d" if limit.window in LONG else "1h"
    behind = register.measured_in(connection, level, number, entry.start, entry.end)
    return replace(entry, behind=behind, notes=notes)


def withdrawals(connection: sqlite3.Connection, permit: Permit, start_ms: int, end_ms: int) -> list[Taken]:
    """Give the exceedances taken back of windows that begin in [start, end), oldest withdrawal first."""
    limits = permit.limits()
    found = []
    for one in verdicts.withdrawn(connection, start_ms, end_ms):
        now = verdicts.read(connection, one.limit_key, one.start)
        notes = tuple(register.notes(connection, one.limit_key, one.start, one.start + 1))
        found.append(Taken(one, limits.get(one.limit_key), notes, now is not None and now.outcome.is_exceedance))
    return found
