"""This module sees what is wrong with the daemon's own surroundings: broker, clock, disk, queue - as conditions.

Pure: what the daemon knows goes in, conditions for the alarms come out.
"""

from __future__ import annotations

from dataclasses import dataclass

from plantmon.model.alarm import Condition, Severity

BROKER_AWAY_S = 30.0  # real seconds; a broker that restarts is back sooner
DROP_STANDS_MS = 3_600_000  # plant time an alarm about dropped messages stands after the last one

SPOOL_FILLS, SPOOL_EASES = 0.8, 0.7  # shares of the spool from which on it is said to fill, and below which no more


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the daemon knows just now. Spans are real seconds."""

    broker_away_s: float | None  # None: connected
    broker_reason: str
    dropped: int  # messages the broker dropped since we watch
    dropped_at_ms: int | None  # plant time of the last rise
    clock_is_wrong: bool
    store_fault: str | None
    queue_stalled_s: float | None
    spool_share: float | None = None  # of what may wait for the InfluxDB; None: there is none
    archive_fault: str | None = None


def conditions(seen: Surroundings, now_ms: int) -> list[Condition]:
    """Say what is wrong."""
    away_s = seen.broker_away_s
    is_away = away_s is not None and away_s >= BROKER_AWAY_S
    dropping = seen.dropped_at_ms is not None and now_ms - seen.dropped_at_ms < DROP_STANDS_MS
    return [
        # While it is unknown whether the broker stays away, nothing changes.
        _condition("broker_away", None if away_s is not None and not is_away else is_away, seen.broker_reason, now_ms),
        _condition("broker_dropped", dropping, str(seen.dropped), now_ms),
        _condition("clock_wrong", seen.clock_is_wrong, "", now_ms),
        _condition("store_unavailable", seen.store_fault is not None, seen.store_fault or "", now_ms),
        _condition("spool_filling", _is_filling(seen.spool_share), f"{(seen.spool_share or 0) * 100:.0f} %", now_ms),
        _condition("archive_failing", seen.archive_fault is not None, seen.archive_fault or "", now_ms),
        _condition("feed_stalled", seen.queue_stalled_s is not None, "", now_ms),
    ]


def _is_filling(share: float | None) -> bool | None:
    if share is None or share < SPOOL_EASES:
        return False
    return True if share >= SPOOL_FILLS else None


def _condition(kind: str, is_bad: bool | None, detail: str, now_ms: int) -> Condition:
    facts = {"start": now_ms, "end": now_ms, "outlet": None, "point": None, "detail": detail}
    return Condition(f"{kind}:", kind, Severity.DATA, is_bad, now_ms, now_ms, facts)
