"""This module keeps how each part of the service is doing: a row a component, failing or well again."""

from __future__ import annotations

import sqlite3


def note_failure(connection: sqlite3.Connection, component: str, detail: str, now_ms: int) -> None:
    """Write that a component failed; `since_ms` stays at the first failure of a row of them."""
    connection.execute(
        """
        INSERT INTO health (component, state, since_ms, count, detail) VALUES (:component, 'failing', :now, 1, :detail)
        ON CONFLICT DO UPDATE
        SET since_ms = CASE state WHEN 'failing' THEN since_ms ELSE :now END,
            count = CASE state WHEN 'failing' THEN count + 1 ELSE 1 END,
            state = 'failing', detail = :detail
        """,
        {"component": component, "now": now_ms, "detail": detail[:500]},
    )


def note_well(connection: sqlite3.Connection, component: str, now_ms: int) -> None:
    """Write that a component that failed works again."""
    connection.execute(
        "UPDATE health SET state = 'ok', since_ms = ? WHERE component = ? AND state = 'failing'", (now_ms, component)
    )


def failing(connection: sqlite3.Connection) -> list[tuple[str, int, int, str]]:
    """List what fails: (component, since, how often, why)."""
    return connection.execute(
        "SELECT component, since_ms, count, detail FROM health WHERE state = 'failing' ORDER BY component"
    ).fetchall()
