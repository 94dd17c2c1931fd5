"""This module keeps the tags under which each point is sent, as they were at first.

In an InfluxDB the tags are the series: a point whose outlet was renamed later, or that left the plant file, would be
there twice when a span of it is sent again.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from plantmon.model.plant import Plant


@dataclass(frozen=True, slots=True)
class SentPoint:
    """A point's tags; None where it has none."""

    name: str
    unit: str
    outlet: str | None
    quantity: str | None


def register(connection: sqlite3.Connection, plant: Plant) -> None:
    """Keep the tags of every point that has none yet; of one that left the plant file its name and unit."""
    known = connection.execute("SELECT id, name, unit FROM point WHERE id NOT IN (SELECT point FROM sent_point)")
    for number, name, unit in known.fetchall():
        point = plant.points.get(name)
        about = (point.outlet, point.quantity) if point is not None else (None, None)
        connection.execute(
            "INSERT INTO sent_point (point, name, unit, outlet, quantity) VALUES (?, ?, ?, ?, ?)",
            (number, name, unit, *about),
        )


def read(connection: sqlite3.Connection) -> dict[int, SentPoint]:
    """Give the tags of every point, by its number."""
    rows = connection.execute("SELECT point, name, unit, outlet, quantity FROM sent_point")
    return {row[0]: SentPoint(*row[1:]) for row in rows}
