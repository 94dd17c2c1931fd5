"""This module keeps what was not stored, with its reason, so that nothing vanishes - and nothing fills the disk.

For each reason and topic every message is counted, and the first payloads are kept whole up to a size.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from plantmon.store import tally, values

KEPT_PAYLOADS = 50  # of a reason and topic
KEPT_BYTES = 16_384  # of one payload
KEPT_TOGETHER = 64_000_000  # bytes of all payloads; beyond, only the beginning of each is kept
KEPT_BEGINNING = 256
KEPT_TOPICS = 1_000  # reasons with their topic; beyond these a flood of made-up topics counts together
OTHER_TOPICS = "*"


class Why(StrEnum):
    """Why something is not stored."""

    UNDECODABLE = "undecodable"
    UNKNOWN_POINT = "unknown_point"
    NO_TIME = "no_time"
    FUTURE = "future"
    TOO_OLD = "too_old"
    WRONG_UNIT = "wrong_unit"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Rejected:
    """One message, or one reading of a batch message, that was not stored."""

    why: Why
    topic: str
    arrival_ms: int
    detail: str
    payload: bytes
    point: str | None = None
    ts_ms: int | None = None


def add(connection: sqlite3.Connection, rejections: Iterable[Rejected]) -> None:
    """Count rejections and keep their payloads within bounds."""
    (known_topics,) = connection.execute("SELECT count(*) FROM rejected").fetchone()
    groups: dict[tuple[Why, str], list[Rejected]] = {}
    for (why, topic), members in _by_topic(rejections).items():
        known = connection.execute("SELECT 1 FROM rejected WHERE reason = ? AND topic = ?", (why, topic)).fetchone()
        if not known and known_topics >= KEPT_TOPICS:
            topic = OTHER_TOPICS
        elif not known:
            known_topics += 1
        groups.setdefault((why, topic), []).extend(members)
    kept_together = values.number(connection, "rejected_bytes")
    for (why, topic), members in groups.items():
        number, room = _count(connection, why, topic, members)
        tally.add(connection, max(one.arrival_ms for one in members), {f"{tally.REJECTED}{why}": len(members)})
        members = members[: max(room, 0)]
        most = KEPT_BYTES if kept_together < KEPT_TOGETHER else KEPT_BEGINNING
        kept_together += sum(min(len(one.payload), most) for one in members)
        connection.executemany(
            "INSERT INTO rejected_payload (rejected, arrival_ms, point, ts, detail, size, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, one.arrival_ms, one.point, one.ts_ms, one.detail[:500], len(one.payload),
                 one.payload[:most])
                for one in members
            ],
        )  # fmt: skip
    values.set_number(connection, "rejected_bytes", kept_together)


def _by_topic(rejections: Iterable[Rejected]) -> dict[tuple[Why, str], list[Rejected]]:
    groups: dict[tuple[Why, str], list[Rejected]] = {}
    for one in rejections:
        groups.setdefault((one.why, one.topic[:500]), []).append(one)
    return groups


def _count(connection: sqlite3.Connection, why: Why, topic: str, members: list[Rejected]) -> tuple[int, int]:
    """Raise a count; give its row and how many more payloads it may keep."""
    arrivals = [one.arrival_ms for one in members]
    (number,) = connection.execute(
        """
        INSERT INTO rejected (reason, topic, count, first_ms, last_ms) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET count = count + excluded.count, last_ms = max(last_ms, excluded.last_ms)
        RETURNING id
        """,
        (why, topic, len(members), min(arrivals), max(arrivals)),
    ).fetchone()
    (kept,) = connection.execute("SELECT count(*) FROM rejected_payload WHERE rejected = ?", (number,)).fetchone()
    return number, KEPT_PAYLOADS - kept


def totals(connection: sqlite3.Connection) -> list[tuple[str, str, int, int, int]]:
    """List (reason, topic, count, first arrival, last arrival), most first."""
    return connection.execute(
        "SELECT reason, topic, count, first_ms, last_ms FROM rejected ORDER BY count DESC, reason, topic"
    ).fetchall()


def payloads(
    connection: sqlite3.Connection, reason: str | None, most: int
) -> list[tuple[str, str, int, str | None, int | None, str, int, bytes]]:
    """List kept payloads, newest first: (reason, topic, arrival, point, ts, detail, size, payload)."""
    return connection.execute(
        """
        SELECT r.reason, r.topic, p.arrival_ms, p.point, p.ts, p.detail, p.size, p.payload
        FROM rejected_payload p JOIN rejected r ON r.id = p.rejected
        WHERE :reason IS NULL OR r.reason = :reason
        ORDER BY p.id DESC LIMIT :most
        """,
        {"reason": reason, "most": most},
    ).fetchall()
