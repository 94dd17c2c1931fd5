"""This module sums up what late data changed in the register: exceedances found, and those taken back, in one mail."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from plantmon.alarms.voice import Announce
from plantmon.model.alarm import Severity
from plantmon.model.plant import Limit
from plantmon.model.verdict import Outcome, Verdict
from plantmon.store import alarms, corrections, verdicts
from plantmon.store.verdicts import Withdrawn
from plantmon.times import MINUTE_MS

# So long after the last was found the mail is sent: a backlog that comes in pieces is one mail.
WAIT_MS = 5 * MINUTE_MS


def is_due(connection: sqlite3.Connection, now_ms: int) -> bool:
    """Whether something was found, and nothing more for some minutes."""
    return corrections.is_due(connection, now_ms - WAIT_MS)


def note_if_news(connection: sqlite3.Connection, verdict: Verdict, now_ms: int) -> None:
    """Keep an exceedance that no alarm told of for the mail."""
    told = corrections.was_told(connection, verdict.limit_key, verdict.start)
    if told is None:
        told = alarms.was_told(connection, f"breach:{verdict.limit_key}", verdict.start, verdict.end)
    if not told:
        corrections.note_late(connection, verdict.limit_key, verdict.start, now_ms)


def tell(connection: sqlite3.Connection, limits: Mapping[str, Limit], outbox: Announce, now_ms: int) -> int:
    """Put all into one mail; what was found and taken back meanwhile is not in it. Gives how many messages that were.

    Call it when `is_due`.
    """
    late, back = corrections.waiting(connection)
    lines = []
    for key, start in late:
        verdict, limit = verdicts.read(connection, key, start), limits.get(key)
        if verdict is not None and limit is not None and verdict.outcome.is_exceedance:
            lines.append(facts_of(limit, verdict) | {"why": "found"})
    gone = [one for one in back if _is_gone(connection, one)]
    lines += [_line(one, limits.get(one.limit_key)) for one in gone]
    corrections.tell(connection, gone, now_ms)
    if not lines:
        return 0
    lines.sort(key=lambda line: (line["start"], line["limit"]))
    facts = {
        "kind": "corrected", "alarm": None, "start": lines[0]["start"], "end": max(line["end"] for line in lines),
        "since": lines[0]["start"], "breaches": lines,
    }  # fmt: skip
    return outbox.announce(connection, "corrected", Severity.BREACH, None, facts, now_ms)


def _is_gone(connection: sqlite3.Connection, one: Withdrawn) -> bool:
    """Whether people know of an exceedance that stands no more."""
    now = verdicts.read(connection, one.limit_key, one.start)
    if now is not None and now.outcome.is_exceedance:
        return False
    told = corrections.was_told(connection, one.limit_key, one.start)
    return alarms.was_told(connection, f"breach:{one.limit_key}", one.start, one.end) if told is None else told


def _line(one: Withdrawn, limit: Limit | None) -> dict[str, Any]:
    why = "no_limit" if one.now_outcome is None else "not_judged" if one.now_reason else "complies"
    return {
        "limit": one.limit_key, "start": one.start, "end": one.end, "value": one.value, "bound": one.bound,
        "unit": limit.unit if limit else "", "side": _side(limit, one.bound), "why": why,
        "at_least": one.outcome is Outcome.EXCEED_AT_LEAST, "now_value": one.now_value, "now_reason": one.now_reason,
    }  # fmt: skip


def _side(limit: Limit | None, bound: float | None) -> str:
    is_low = limit is not None and limit.minimum is not None and bound == limit.minimum
    return "min" if is_low and limit is not None and limit.maximum != limit.minimum else "max"


def facts_of(limit: Limit, verdict: Verdict) -> dict[str, Any]:
    """Give what a mail about a limit's window must know."""
    facts: dict[str, Any] = {
        "limit": limit.key, "outlet": limit.outlet, "point": limit.point, "window": limit.window,
        "start": verdict.start, "end": verdict.end, "value": verdict.value, "bound": verdict.bound,
        "side": _side(limit, verdict.bound), "unit": limit.unit, "standard": limit.standard,
        "basis": str(limit.basis), "at_least": verdict.outcome is Outcome.EXCEED_AT_LEAST,
    }  # fmt: skip
    if verdict.detail and limit.window == "reading":
        runs = json.loads(verdict.detail)
        facts |= {"start": runs[0]["first"], "end": runs[-1]["last"]}
    return facts
