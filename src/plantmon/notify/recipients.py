"""This module decides who gets a mail of a severity, and not before when: pure functions of the plant file's rules.

Severities held by quiet hours wait for the morning digest, which lists them, for those who get it every day, otherwise
for the end of the quiet hours. A breach is never held, whatever the plant file says: the permit does not sleep.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time, timedelta

from plantmon.model.plant import AlarmRules, QuietHours
from plantmon.times import MINUTE_MS, PlantTime, to_ms

NEVER_HELD = "breach"
DAILY = "daily"
# So long after the digest's time what it was to list leaves by itself, should no digest have come.
LEFT_BEHIND_MS = 30 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Group:
    """Who gets one message: one language, pairs of recipient and address, and the plant time it may leave at."""

    language: str
    addresses: tuple[tuple[str, str], ...]
    not_before_ms: int


def groups(
    rules: AlarmRules,
    plant_time: PlantTime,
    severity: str,
    now_ms: int,
    *,
    standing_ms: int = 0,
    told_ms: int | None = None,
) -> list[Group]:
    """Give a severity's recipients, grouped by language and time in the order the plant file first names each.

    `standing_ms` is how long the alarm has stood unacknowledged: who is to be told `after` a longer time is left out.
    For an escalation `told_ms` is the time at which recipients were last looked for: who was told then is left out too.
    """
    return grouped(rules, plant_time, severity, now_ms, those_to_tell(rules, severity, standing_ms, told_ms))


def those_to_tell(
    rules: AlarmRules, severity: str, standing_ms: int, told_ms: int | None
) -> list[tuple[str, str, str]]:
    """List (language, recipient, address) of those whose turn it is; the times are those of `groups`."""
    told = []
    for recipient in rules.recipients:
        is_new = told_ms is None or recipient.after_ms > told_ms
        if severity in recipient.severities and recipient.after_ms <= standing_ms and is_new:
            told += [(recipient.language, recipient.name, address) for address in recipient.email]
    return told


def grouped(
    rules: AlarmRules, plant_time: PlantTime, severity: str, now_ms: int, told: Iterable[tuple[str, str, str]]
) -> list[Group]:
    """Group (language, recipient, address) by language and by the time their mail may leave at, in their order."""
    addresses: dict[tuple[str, int], list[tuple[str, str]]] = {}
    daily = {recipient.name for recipient in rules.recipients if DAILY in recipient.digest}
    for language, name, address in told:
        in_digest = not daily.isdisjoint(name.split(", "))  # an address of several recipients carries all their names
        held_until_ms = not_before(rules, plant_time, severity, now_ms, in_digest=in_digest)
        addresses.setdefault((language, held_until_ms), []).append((name, address))
    return [Group(language, tuple(pairs), until_ms) for (language, until_ms), pairs in addresses.items()]


def not_before(rules: AlarmRules, plant_time: PlantTime, severity: str, now_ms: int, *, in_digest: bool) -> int:
    """Give the plant time a mail may leave at by itself: now, or when the quiet hours are over.

    For who reads of it in the daily digest (`in_digest`) that is some time after the digest that follows them.
    """
    quiet = rules.quiet_hours
    if quiet is None or severity == NEVER_HELD or severity not in quiet.severities:
        return now_ms
    if not _is_quiet(quiet, plant_time.local(now_ms).time()):
        return now_ms
    over_ms = _next(plant_time, now_ms, quiet.end)
    if rules.digest is None or not in_digest:
        return over_ms
    return _next(plant_time, over_ms, rules.digest) + LEFT_BEHIND_MS


def _is_quiet(quiet: QuietHours, clock: time) -> bool:
    if quiet.start <= quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end


def _next(plant_time: PlantTime, at_ms: int, clock: time) -> int:
    """Give the first instant at or after `at_ms` at which the plant's clocks show `clock`."""
    local = plant_time.local(at_ms)
    moment = local.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
    if to_ms(moment) < at_ms:
        moment += timedelta(days=1)  # same wall clock on the next date, whatever summer time does
    return to_ms(moment)
