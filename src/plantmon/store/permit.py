"""This module keeps the plant file's versions, and from which day each of them was adopted (design rule 6)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlantVersion:
    """A plant file as it was loaded; `hash` is the sha256 of its text."""

    id: int
    hash: str
    loaded_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """Somebody's word that a version is in force from an instant, a local midnight, instead of from its loading."""

    id: int
    version: int
    from_ms: int
    by: str
    reason: str
    declared_ms: int


def versions(connection: sqlite3.Connection) -> list[PlantVersion]:
    """List every version, oldest first."""
    rows = connection.execute("SELECT id, hash, loaded_ms, text FROM plant_version ORDER BY id")
    return [PlantVersion(*row) for row in rows]


def adopt(
    connection: sqlite3.Connection, version: int, from_ms: int, by: str, reason: str, declared_ms: int
) -> Adoption:
    """Note that a version is in force from an instant. Raises LookupError where there is no such version."""
    if connection.execute("SELECT 1 FROM plant_version WHERE id = ?", (version,)).fetchone() is None:
        raise LookupError(f"no version {version}")
    number = connection.execute(
        """
        INSERT INTO adoption (version, from_ms, "by", reason, declared_ms)
        VALUES (:version, :from_ms, :by, :reason, :declared_ms)
        """,
        {"version": version, "from_ms": from_ms, "by": by, "reason": reason, "declared_ms": declared_ms},
    ).lastrowid
    assert number is not None
    return Adoption(number, version, from_ms, by, reason, declared_ms)


def adoptions(connection: sqlite3.Connection) -> list[Adoption]:
    """List every adoption, oldest first."""
    rows = connection.execute('SELECT id, version, from_ms, "by", reason, declared_ms FROM adoption ORDER BY id')
    return [Adoption(*row) for row in rows]
