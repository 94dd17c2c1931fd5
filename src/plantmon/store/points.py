"""This module keeps the points: their numbers in the store, when they were loaded, heard and first measured."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from plantmon.errors import PlantFileError
from plantmon.model.plant import Plant
from plantmon.store import readings


@dataclass(frozen=True, slots=True)
class PointLife:
    """What is known of a point's speaking; all instants, None where it has not."""

    id: int
    name: str
    since_ms: int
    spoken_ms: int | None
    heard_ms: int | None
    first_ms: int | None


def register_points(connection: sqlite3.Connection, plant: Plant, now_ms: int) -> dict[str, int]:
    """Give every point of the plant file its number, new ones a new one, and keep the file's version.

    Raises PlantFileError where a point that has readings changed its unit: old readings would change their meaning.
    """
    known = {name: (number, unit) for number, name, unit in connection.execute("SELECT id, name, unit FROM point")}
    problems = [
        f"{name}: unit changed from {known[name][1]} to {point.reading_unit}; "
        "give the point a new id, its readings keep theirs"
        for name, point in plant.points.items()
        if name in known and known[name][1] != point.reading_unit
    ]
    if problems:
        raise PlantFileError(problems)
    connection.executemany(
        "INSERT INTO point (name, unit, since_ms) VALUES (?, ?, ?)",
        [(name, point.reading_unit, now_ms) for name, point in plant.points.items() if name not in known],
    )
    sparse = {name: bool(flag) for name, flag in connection.execute("SELECT name, sparse FROM point")}
    for name, point in plant.points.items():
        if sparse[name] != point.is_sparse:
            readings.settle(connection, numbers(connection)[name], point.is_sparse)
    newest = connection.execute("SELECT hash FROM plant_version ORDER BY id DESC LIMIT 1").fetchone()
    if newest is None or newest[0] != plant.version:
        connection.execute(
            "INSERT INTO plant_version (hash, loaded_ms, text) VALUES (?, ?, ?)", (plant.version, now_ms, plant.text)
        )
    return numbers(connection)


def numbers(connection: sqlite3.Connection) -> dict[str, int]:
    """Give the number of every point ever known, by name."""
    return dict(connection.execute("SELECT name, id FROM point"))


def note_spoken(connection: sqlite3.Connection, spans: Iterable[tuple[int, int, int, int | None]]) -> None:
    """Note what a batch brought: (point, oldest ts, newest ts, arrival or None when only retained messages came)."""
    connection.executemany(
        """
        UPDATE point
        SET first_ms = min(coalesce(first_ms, :oldest), :oldest),
            spoken_ms = CASE WHEN :arrival IS NULL THEN spoken_ms ELSE max(coalesce(spoken_ms, :newest), :newest) END,
            heard_ms = CASE WHEN :arrival IS NULL THEN heard_ms ELSE max(coalesce(heard_ms, :arrival), :arrival) END
        WHERE id = :point
        """,
        [
            {"point": point, "oldest": oldest, "newest": newest, "arrival": arrival}
            for point, oldest, newest, arrival in spans
        ],
    )


def note_ahead(connection: sqlite3.Connection, refused: Iterable[tuple[str, int]]) -> None:
    """Note points of which a reading was refused as lying in the future: (name, arrival)."""
    connection.executemany(
        "UPDATE point SET ahead_ms = max(coalesce(ahead_ms, :arrival), :arrival) WHERE name = :name",
        [{"name": name, "arrival": arrival} for name, arrival in refused],
    )


def ahead(connection: sqlite3.Connection) -> dict[str, int]:
    """Give when each point's readings were last refused as lying in the future, by name."""
    return dict(connection.execute("SELECT name, ahead_ms FROM point WHERE ahead_ms IS NOT NULL"))


def note_first(connection: sqlite3.Connection, point: int, parts: list[int], *, is_earliest: bool = False) -> None:
    """Note where a calculated point begins: with the latest of its parts, or with the earliest."""
    places, choose = ", ".join("?" * len(parts)), "min" if is_earliest else "max"
    connection.execute(
        f"UPDATE point SET first_ms = (SELECT {choose}(first_ms) FROM point WHERE id IN ({places})) WHERE id = ?",  # noqa: S608
        [*parts, point],
    )


def lives(connection: sqlite3.Connection) -> dict[str, PointLife]:
    """Give every point's life, by name."""
    rows = connection.execute("SELECT id, name, since_ms, spoken_ms, heard_ms, first_ms FROM point")
    return {row[1]: PointLife(*row) for row in rows}
