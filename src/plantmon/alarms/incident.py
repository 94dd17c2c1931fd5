"""This module says what is one incident: an alarm that comes back soon is the same one (pure)."""

from __future__ import annotations

from typing import Any

from plantmon.model.alarm import Alarm, Condition, Severity, State
from plantmon.model.plant import Rules
from plantmon.times import DAY_MS, HOUR_MS, parse_duration_ms

_LENGTHS = {"day-period": DAY_MS, "night-period": DAY_MS, "1mo": 31 * DAY_MS, "1y": 366 * DAY_MS}
GAP_WINDOWS = 2  # complying windows after which the next is another incident
# Looked at once an hour or more rarely, and not on single values: the span that each look is about.
_SLOW = {
    "stuck": HOUR_MS, "jump": HOUR_MS, "meter_event": HOUR_MS, "fault_report": HOUR_MS, "fault_repair": HOUR_MS,
    "calibration_due": HOUR_MS, "report_due": HOUR_MS, "cap_share": DAY_MS, "cap_pace": DAY_MS, "balance": DAY_MS,
    "night_minimum": DAY_MS,
}  # fmt: skip
# They tell of what is over when it can be told, or only once: a delay would lose them.
_NEVER_DELAYED = frozenset({"store_unavailable", "meter_event", "broker_dropped"})
_OF_ONE_WINDOW = "outlook"  # each window is warned of for itself


def window_ms(kind: str, facts: dict[str, Any]) -> int | None:
    """Give the length of the windows an alarm follows; None where it follows single readings or conditions."""
    name = facts.get("window")
    if kind in _SLOW:
        return _SLOW[kind]
    if name in (None, "reading"):
        return None
    return _LENGTHS.get(name) or parse_duration_ms(name)


def is_held(kind: str, facts: dict[str, Any]) -> bool:
    """Whether an alarm's end is said only once it stayed normal: of windows the first that complies ends it."""
    return window_ms(kind, facts) is None


def gap_ms(rules: Rules, kind: str, facts: dict[str, Any]) -> int:
    """Give how soon an alarm must come back to be the same incident."""
    length = window_ms(kind, facts)
    return rules.incident_gap_ms if length is None else max(rules.incident_gap_ms, GAP_WINDOWS * length)


def is_same(rules: Rules, alarm: Alarm, condition: Condition) -> bool:
    """Whether what is wrong now continues an alarm that had ended; a closed one is not taken up again."""
    if alarm.closed_ms is not None or alarm.until_ms is None:
        return False
    if alarm.state is State.SHELVED:
        return True
    if alarm.kind == _OF_ONE_WINDOW:
        return bool(alarm.facts.get("start") == condition.facts.get("start"))
    since_ms = max(condition.since_ms, alarm.until_ms)
    return since_ms - alarm.until_ms <= gap_ms(rules, alarm.kind, alarm.facts)


def delay_ms(rules: Rules, severity: Severity, kind: str) -> int:
    """Give how long an alarm waits before it is told."""
    return rules.alarm_delay_ms if severity is Severity.DATA and kind not in _NEVER_DELAYED else 0


def is_worse(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether an account's worst value got worse."""
    was, now = before.get("peak"), after.get("peak")
    if was is None or now is None:
        return False
    return bool(now < was if after.get("side") == "min" else now > was)
