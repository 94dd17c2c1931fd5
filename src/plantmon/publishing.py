"""This module takes in that a period's annual tables are published, and published again with what changed since."""

from __future__ import annotations

import sqlite3

from plantmon.declare import Body, Take
from plantmon.errors import DeclarationError
from plantmon.esg.freeze import publish as freeze
from plantmon.esg.freeze import restate
from plantmon.esg.periods import span_of
from plantmon.model.plant import Plant
from plantmon.store import published
from plantmon.texts import text


def publish(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Freeze a period's figures; one that was published is restated, which needs a reason. Raises DeclarationError."""
    language, period, reason = body["language"], span_of(body["period"], plant.time).name, body["reason"].strip()
    if published.newest(connection, period) is None:
        kept = freeze(connection, plant, numbers, period, by, now_ms, language)
        return {"period": period, "sha256": kept.sha256, "changed": None}
    if not reason:
        raise DeclarationError(text("esg.no_reason", language, period=period))
    kept, changes = restate(connection, plant, numbers, period, reason, by, now_ms, language)
    return {"period": period, "sha256": kept.sha256, "changed": len(changes)}


TAKES: dict[str, Take] = {"publish": publish}
