"""This module decides who gets a mail of a severity, and not before when: pure functions of the plant file's rules.

Severities held by quiet hours wait for the morning digest where the plant file names one, otherwise for the end of the
quiet hours. A breach is never held, whatever the plant file says: the permit does not sleep.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta

from plantmon.model.plant import AlarmRules, QuietHours
from plantmon.times import PlantTime, to_ms

NEVER_HELD = "breach"


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
    """Give a severity's recipients, grouped by language in the order the plant file first names each.

    `standing_ms` is how long the alarm has stood unacknowledged: who is to be told `after` a longer time is left out.
    For an escalation `told_ms` is the time at which recipients were last looked for: who was told then is left out too.
    """
    addresses: dict[str, list[tuple[str, str]]] = {}
    for recipient in rules.recipients:
        is_new = told_ms is None or recipient.after_ms > told_ms
        if severity in recipient.severities and recipient.after_ms <= standing_ms and is_new:
            of_language = addresses.setdefault(recipient.language, [])
            of_language.extend((recipient.name, address) for address in recipient.email)
    held_until_ms = not_before(rules, plant_time, severity, now_ms)
    return [Group(language, tuple(pairs), held_until_ms) for language, pairs in addresses.items() if pairs]


def next_escalation(rules: AlarmRules, severity: str, standing_ms: int) -> int | None:
    """Give the age of an unacknowledged alarm at which the next recipient is told; None when all have been."""
    later = [r.after_ms for r in rules.recipients if severity in r.severities and r.after_ms > standing_ms]
    return min(later, default=None)


def not_before(rules: AlarmRules, plant_time: PlantTime, severity: str, now_ms: int) -> int:
    """Give the plant time a mail may leave at: now, or when the quiet hours (and the wait for the digest) are over."""
    quiet = rules.quiet_hours
    if quiet is None or severity == NEVER_HELD or severity not in quiet.severities:
        return now_ms
    if not _is_quiet(quiet, plant_time.local(now_ms).time()):
        return now_ms
    over_ms = _next(plant_time, now_ms, quiet.end)
    return over_ms if rules.digest is None else _next(plant_time, over_ms, rules.digest)


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
