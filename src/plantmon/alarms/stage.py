"""This module moves the alarms: from verdicts, from conditions the daemon sees, and from the clock.

`apply` runs inside a transaction that somebody else holds (the writer's batch, for limits on single readings); `run`
reads the verdicts that changed since the last run and does what the clock asks. State and outbox row are always in
one transaction, so a breach is neither lost nor told twice by a restart.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from plantmon.alarms import account
from plantmon.alarms.transitions import Event, step
from plantmon.model.alarm import Alarm, Condition, Severity, State
from plantmon.model.plant import Checks, Limit, Plant
from plantmon.model.verdict import Outcome, Verdict
from plantmon.store import alarms, dirty, values, verdicts
from plantmon.store.database import Store
from plantmon.times import DAY_MS, MINUTE_MS

OLD_MS = DAY_MS  # a breach in older data goes into the register and one summary mail
# So long after the last old breach was found its summary is mailed: a backlog that comes in pieces is one mail.
LATE_WAIT_MS = 5 * MINUTE_MS
VERDICTS_AT_ONCE = 500


class Announce(Protocol):
    """Who puts mails into the outbox (notify)."""

    def announce(
        self, connection: sqlite3.Connection, event: str, severity: str, alarm: int | None, facts: Mapping[str, Any],
        now_ms: int, *, standing_ms: int = 0, told_ms: int | None = None,
    ) -> int:  # fmt: skip
        """Tell those whose turn it is."""

    def follow_up(
        self,
        connection: sqlite3.Connection,
        event: str,
        severity: str,
        alarm: int,
        facts: Mapping[str, Any],
        now_ms: int,
    ) -> int:
        """Tell those who were told before."""


class AlarmStage:
    """The alarms of one plant."""

    def __init__(self, plant: Plant, store: Store, outbox: Announce) -> None:
        self._plant = plant
        self._store = store
        self._outbox = outbox
        self._limits = {limit.key: limit for limit in plant.limits}

    def run(self, now_ms: int) -> bool:
        """Follow new verdicts, remind, escalate, sum up old breaches; say whether more verdicts wait."""
        with self._store.readers.snapshot() as connection:
            seq = values.number(connection, "alarm_cursor")
            fresh = verdicts.after(connection, seq, VERDICTS_AT_ONCE)
            is_idle = not fresh and not dirty.unjudged(connection, 1)
            has_late = is_idle and bool(alarms.late_waiting(connection, now_ms - LATE_WAIT_MS))
            standing = alarms.all_standing(connection)
        if fresh:
            self._store.write(lambda connection: self._follow(connection, fresh, now_ms))
        if has_late:
            self._store.write(lambda connection: self._sum_up(connection, now_ms))
        if any(self._is_due(alarm, now_ms) for alarm in standing):
            self._store.write(lambda connection: self._nag(connection, now_ms))
        return len(fresh) == VERDICTS_AT_ONCE

    def apply(self, connection: sqlite3.Connection, conditions: list[Condition], now_ms: int) -> bool:
        """Move alarms by conditions, in order; say whether a mail was queued."""
        told = 0
        for condition in conditions:
            told += self._apply(connection, condition, now_ms)
        return told > 0

    def end_orphans(self, now_ms: int) -> int:
        """End alarms whose limit or point is not in force any more, so that nobody is reminded of them for ever.

        Those who were told are told of the end, and why. Gives how many there were.
        """
        today = self._plant.time.date_of(now_ms)
        in_force = {limit.key for limit in self._plant.limits if limit.covers(today)}
        with self._store.readers.snapshot() as connection:
            orphans = [
                alarm
                for alarm in alarms.all_standing(connection)
                if (alarm.kind in ("breach", "warning") and alarm.key.partition(":")[2] not in in_force)
                or self._is_watched_no_more(alarm)
            ]

        def write(connection: sqlite3.Connection) -> None:
            for alarm in orphans:
                end = Condition(alarm.key, alarm.kind, alarm.severity, False, now_ms, now_ms, {})
                gone = replace(alarm, facts=alarm.facts | {"detail": "not in force any more"})
                self._clear(connection, gone, end, now_ms)

        if orphans:
            self._store.write(write)
        return len(orphans)

    def _is_watched_no_more(self, alarm: Alarm) -> bool:
        """Whether nothing will ever clear a point's alarm: the plant file lost the point, or what was watched of it."""
        name = alarm.facts.get("point")
        point = self._plant.points.get(name or "")
        if point is None:
            return bool(name)
        if alarm.kind in ("stuck", "jump"):
            checks = point.checks or Checks()
            return (checks.stuck_ms if alarm.kind == "stuck" else checks.jump) is None
        return alarm.kind in ("silent", "device_clock") and point.formula is not None

    def acknowledge(self, connection: sqlite3.Connection, number: int, by: str, note: str, now_ms: int) -> Alarm:
        """Acknowledge an alarm; give it as it now stands. Raises LookupError where there is none of that number."""
        alarm = alarms.get(connection, number)
        if alarm is None or step(alarm.state, Event.ACKNOWLEDGE) is None:
            raise LookupError(f"there is no alarm {number}")
        alarms.acknowledge(connection, number, by, note, now_ms)
        after = alarms.get(connection, number)
        assert after is not None
        return after

    def _apply(self, connection: sqlite3.Connection, condition: Condition, now_ms: int) -> int:
        if condition.is_bad is None:
            return 0
        alarm = alarms.standing(connection, condition.key)
        found = step(alarm.state if alarm else None, Event.BAD if condition.is_bad else Event.GOOD)
        if found is None:
            return 0
        if alarm is None:
            return 0 if _is_spoken_for(connection, condition) else self._raise(connection, condition, now_ms)
        if found.state is State.CLEARED:
            return self._clear(connection, alarm, condition, now_ms)
        facts = account.continued(alarm.facts, condition.facts)
        if facts != alarm.facts:
            alarms.update(connection, alarm.id, facts)
        return 0

    def _raise(self, connection: sqlite3.Connection, condition: Condition, now_ms: int) -> int:
        facts = account.opened(condition.facts) | {"kind": condition.kind, "since": condition.since_ms}
        number = alarms.raise_alarm(connection, condition, facts, now_ms)
        told = self._outbox.announce(
            connection, "raised", condition.severity, number, facts | {"alarm": number}, now_ms
        )
        if condition.severity is Severity.BREACH:  # the breach speaks for its own warning
            warning = alarms.standing(connection, condition.key.replace("breach:", "warning:", 1))
            if warning is not None and warning.key != condition.key:
                alarms.clear(
                    connection, warning.id, warning.facts | {"superseded_by": number}, condition.since_ms, now_ms
                )
        return told

    def _clear(self, connection: sqlite3.Connection, alarm: Alarm, condition: Condition, now_ms: int) -> int:
        facts = alarm.facts | {"until": condition.until_ms, "kind": alarm.kind, "since": alarm.since_ms}
        if "value" in condition.facts:
            facts["value"] = condition.facts["value"]
        alarms.clear(connection, alarm.id, facts, condition.until_ms, now_ms)
        if condition.quiet:
            return 0
        return self._outbox.follow_up(
            connection, "cleared", alarm.severity, alarm.id, facts | {"alarm": alarm.id}, now_ms
        )

    # verdicts

    def _follow(self, connection: sqlite3.Connection, fresh: list[tuple[int, Verdict]], now_ms: int) -> None:
        for _, verdict in sorted(fresh, key=lambda item: (item[1].start, item[0])):
            self._follow_one(connection, verdict, now_ms)
        values.set_number(connection, "alarm_cursor", max(seq for seq, _ in fresh))

    def _follow_one(self, connection: sqlite3.Connection, verdict: Verdict, now_ms: int) -> None:
        limit = self._limits.get(verdict.limit_key)
        if limit is None:
            return
        is_old = verdict.end < now_ms - OLD_MS
        is_newest = verdict.start >= alarms.cursor(connection, limit.key)
        # Nobody is mailed of an old breach, nor of one that late readings made behind a newer window or out of order.
        is_late = is_old or not is_newest or limit.window == "reading"
        may_be_news = verdict.outcome.is_exceedance and is_late
        if may_be_news and not alarms.was_told(connection, f"breach:{limit.key}", verdict.start, verdict.end):
            alarms.note_late(connection, limit.key, verdict.start, now_ms)
        if not is_newest:
            return
        alarms.set_cursor(connection, limit.key, verdict.start)
        if limit.window == "reading" or (is_old and verdict.outcome.is_exceedance):
            return  # single readings are followed live; old breaches are summed up
        self.apply(connection, _conditions(limit, verdict), now_ms)

    # the clock

    def _is_due(self, alarm: Alarm, now_ms: int) -> bool:
        if alarm.state is not State.ACTIVE:
            return False
        told_ms = alarm.facts.get("told_ms", 0)
        standing_ms = now_ms - alarm.raised_ms
        escalates = any(
            told_ms < recipient.after_ms <= standing_ms and alarm.severity in recipient.severities
            for recipient in self._plant.alarms.recipients
        )
        return escalates or self._repeats(alarm, now_ms)

    def _repeats(self, alarm: Alarm, now_ms: int) -> bool:
        last = alarm.reminded_ms or alarm.raised_ms
        return alarm.severity is Severity.BREACH and now_ms - last >= self._plant.alarms.repeat_ms

    def _nag(self, connection: sqlite3.Connection, now_ms: int) -> None:
        for alarm in alarms.all_standing(connection):
            if not self._is_due(alarm, now_ms):
                continue
            standing_ms = now_ms - alarm.raised_ms
            facts = alarm.facts | {"kind": alarm.kind, "since": alarm.since_ms, "alarm": alarm.id}
            self._outbox.announce(
                connection, "escalated", alarm.severity, alarm.id, facts, now_ms,
                standing_ms=standing_ms, told_ms=alarm.facts.get("told_ms", 0),
            )  # fmt: skip
            alarms.update(connection, alarm.id, alarm.facts | {"told_ms": standing_ms})
            if self._repeats(alarm, now_ms) and step(alarm.state, Event.REPEAT_DUE):
                self._outbox.follow_up(connection, "reminded", alarm.severity, alarm.id, facts, now_ms)
                alarms.note_reminded(connection, alarm.id, now_ms)

    def _sum_up(self, connection: sqlite3.Connection, now_ms: int) -> None:
        """Put all breaches found in old data into one mail; those withdrawn meanwhile are not in it."""
        breaches = []
        for key, start in alarms.late_waiting(connection, now_ms - LATE_WAIT_MS):
            verdict, limit = verdicts.read(connection, key, start), self._limits.get(key)
            if verdict is not None and limit is not None and verdict.outcome.is_exceedance:
                breaches.append(_facts(limit, verdict))
        alarms.late_told(connection)
        if breaches:
            facts = {
                "kind": "late", "alarm": None, "start": breaches[0]["start"],
                "end": max(one["end"] for one in breaches), "since": breaches[0]["start"], "breaches": breaches,
            }  # fmt: skip
            self._outbox.announce(connection, "late", Severity.BREACH, None, facts, now_ms)


def _is_spoken_for(connection: sqlite3.Connection, condition: Condition) -> bool:
    """Whether a warning's breach stands already; the breach speaks for both."""
    breach = condition.key.replace("warning:", "breach:", 1)
    return condition.kind == "warning" and alarms.standing(connection, breach) is not None


def _facts(limit: Limit, verdict: Verdict) -> dict[str, Any]:
    is_low = limit.minimum is not None and verdict.bound == limit.minimum and limit.maximum != limit.minimum
    facts: dict[str, Any] = {
        "limit": limit.key, "outlet": limit.outlet, "point": limit.point, "window": limit.window,
        "start": verdict.start, "end": verdict.end, "value": verdict.value, "bound": verdict.bound,
        "side": "min" if is_low else "max", "unit": limit.unit, "standard": limit.standard,
        "basis": str(limit.basis), "at_least": verdict.outcome is Outcome.EXCEED_AT_LEAST,
    }  # fmt: skip
    if verdict.detail and limit.window == "reading":
        runs = json.loads(verdict.detail)
        facts |= {"start": runs[0]["first"], "end": runs[-1]["last"]}
    return facts


def _conditions(limit: Limit, verdict: Verdict) -> list[Condition]:
    """Say what an hour or a day means for the limit's breach and its warning; not judged means nothing."""
    if verdict.outcome is Outcome.NOT_JUDGED:
        return []
    facts = _facts(limit, verdict)
    breach = Condition(
        f"breach:{limit.key}", "breach", Severity.BREACH, verdict.outcome.is_exceedance,
        verdict.start, verdict.start, facts,
    )  # fmt: skip
    if verdict.outcome.is_exceedance:
        return [breach]
    warning = Condition(
        f"warning:{limit.key}", "warning", Severity.WARNING, verdict.outcome is Outcome.WARN,
        verdict.start, verdict.start, facts,
    )  # fmt: skip
    return [breach, warning]
