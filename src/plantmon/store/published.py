"""This module keeps published reports and what later restatements changed in them; rows are only added."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_COLUMNS = "id, period, published_ms, by, reason, supersedes, plant, catalogue, sha256"


@dataclass(frozen=True, slots=True)
class Published:
    """A published report, without its document; `reason` is that of a restatement, else empty."""

    id: int
    period: str
    published_ms: int
    by: str
    reason: str
    supersedes: int | None
    plant: str
    catalogue: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Restatement:
    """A figure that a restatement changed; values in `unit`, None: not known."""

    published: Published
    metric: str
    unit: str
    old: Decimal | None
    new: Decimal | None


def add(
    connection: sqlite3.Connection, period: str, document: str, sha256: str, plant: str, catalogue: str, by: str,
    now_ms: int, reason: str = "", supersedes: int | None = None,
) -> int:  # fmt: skip
    """Keep a report; give its number. Raises sqlite3.IntegrityError where another took that one's place already."""
    number = connection.execute(
        """
        INSERT INTO published (period, published_ms, by, reason, supersedes, plant, catalogue, sha256, document)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (period, now_ms, by, reason, supersedes, plant, catalogue, sha256, document),
    ).lastrowid
    assert number is not None
    return number


def add_restated(
    connection: sqlite3.Connection, published: int, changed: Iterable[tuple[str, str, Decimal | None, Decimal | None]]
) -> None:
    """Keep what a restatement changed: (metric, unit, old, new)."""
    connection.executemany(
        "INSERT INTO restated (published, metric, unit, old, new) VALUES (?, ?, ?, ?, ?)",
        [(published, metric, unit, _text(old), _text(new)) for metric, unit, old, new in changed],
    )


def newest(connection: sqlite3.Connection, period: str) -> Published | None:
    """Give the report that stands for a period, None where none was published."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM published WHERE period = ? ORDER BY id DESC LIMIT 1",  # noqa: S608 - built of constants
        (period,),
    ).fetchone()
    return Published(*row) if row else None


def document(connection: sqlite3.Connection, number: int) -> str:
    """Give a report's document."""
    found: str = connection.execute("SELECT document FROM published WHERE id = ?", (number,)).fetchone()[0]
    return found


def history(connection: sqlite3.Connection, period: str | None = None) -> list[Published]:
    """List what was published for a period, or for all, the oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM published WHERE :period IS NULL OR period = :period ORDER BY id",  # noqa: S608
        {"period": period},
    )
    return [Published(*row) for row in rows]


def periods(connection: sqlite3.Connection) -> list[str]:
    """List the periods that were published, by name."""
    return [row[0] for row in connection.execute("SELECT DISTINCT period FROM published ORDER BY period")]


def restatements(connection: sqlite3.Connection, period: str) -> list[Restatement]:
    """List what restatements of a period changed, the oldest first."""
    found = []
    for one in history(connection, period):
        rows = connection.execute(
            "SELECT metric, unit, old, new FROM restated WHERE published = ? ORDER BY metric", (one.id,)
        )
        found += [Restatement(one, metric, unit, _decimal(old), _decimal(new)) for metric, unit, old, new in rows]
    return found


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
