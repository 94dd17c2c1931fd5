"""This module keeps single values: named sequences that only grow, and small facts about the store itself."""

from __future__ import annotations

import sqlite3


def next_number(connection: sqlite3.Connection, name: str) -> int:
    """Give the next number of a sequence, from 1."""
    number: int = connection.execute(
        """
        INSERT INTO sequence (name, value) VALUES (?, 1)
        ON CONFLICT DO UPDATE SET value = value + 1
        RETURNING value
        """,
        (name,),
    ).fetchone()[0]
    return number


def number(connection: sqlite3.Connection, name: str) -> int:
    """Give a sequence's present number, 0 before its first."""
    row = connection.execute("SELECT value FROM sequence WHERE name = ?", (name,)).fetchone()
    return row[0] if row else 0


def number_or_none(connection: sqlite3.Connection, name: str) -> int | None:
    """Give a named number, None when it was never set."""
    row = connection.execute("SELECT value FROM sequence WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_number(connection: sqlite3.Connection, name: str, value: int) -> None:
    """Set a named number."""
    connection.execute(
        "INSERT INTO sequence (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (name, value),
    )


def add_counts(connection: sqlite3.Connection, counts: dict[str, int]) -> None:
    """Add to named counts."""
    connection.executemany(
        "INSERT INTO sequence (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
        [(name, count) for name, count in counts.items() if count],
    )
