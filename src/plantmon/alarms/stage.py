"""This module moves the alarms: from verdicts, from conditions the daemon sees, from people, and from the clock.

`apply` runs inside a transaction that somebody else holds (the writer's batch, for limits on single readings); `run`
reads the verdicts that changed since the last run and does what the clock asks. State, history and outbox row are
always in one transaction, so a breach is neither lost nor told twice by a restart. What becomes of a state stands in
`transitions`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plantmon.alarms import account, corrected, incident
from plantmon.alarms.clockwork import due, may_say
from plantmon.alarms.transitions import Context, Event, step
from plantmon.alarms.voice import Announce, Voice
from plantmon.errors import AlarmError
from plantmon.model.alarm import Alarm, Condition, Severity, State, Told
from plantmon.model.plant import Basis, Checks, Limit, Plant
from plantmon.model.verdict import Outcome, Verdict
from plantmon.store import alarms, dirty, register, values, verdicts
from plantmon.store.database import Store
from plantmon.times import DAY_MS, HOUR_MS

OLD_MS = DAY_MS  # an exceedance in older data goes into the register and the mail about corrections
VERDICTS_AT_ONCE = 500
_OFF_SHELF = {"shelved_ms": None, "shelved_until_ms": None, "shelved_by": None, "shelf_reason": None}


class AlarmStage:
    """The alarms of one plant. `rate` is the plant clock's."""

    def __init__(self, plant: Plant, store: Store, outbox: Announce, rate: float = 1.0) -> None:
        self._plant = plant
        self._rules = plant.rules
        self._store = store
        self._outbox = outbox
        self._voice = Voice(plant.rules, outbox, rate)
        self._limits = {limit.key: limit for limit in plant.limits}

    def run(self, now_ms: int) -> bool:
        """Follow new verdicts, do what the clock asks, sum up corrections; say whether more verdicts wait."""
        with self._store.readers.snapshot() as connection:
            seq = values.number(connection, "alarm_cursor")
            fresh = verdicts.after(connection, seq, VERDICTS_AT_ONCE)
            is_idle = not fresh and not dirty.unjudged(connection, 1)
            has_corrected = is_idle and corrected.is_due(connection, now_ms)
            has_due = any(self._due(alarm, now_ms) for alarm in alarms.all_open(connection))
            has_due = has_due or self._voice.is_due(connection, now_ms)
        if fresh:
            self._store.write(lambda connection: self._follow(connection, fresh, now_ms))
        if has_corrected:
            self._store.write(lambda connection: corrected.tell(connection, self._limits, self._outbox, now_ms))
        if has_due:
            self._store.write(lambda connection: self._tick(connection, now_ms))
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
                self._return(connection, gone, end, now_ms, is_held=False)

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

    # people

    def acknowledge(self, connection: sqlite3.Connection, number: int, by: str, note: str, now_ms: int) -> Alarm:
        """Acknowledge an alarm; give it as it now stands. Raises AlarmError where there is none of that number."""
        changes = {"acked_ms": now_ms, "acked_by": by, "note": note}
        return self._ask(connection, number, Event.ACKNOWLEDGE, by, {"note": note}, changes, now_ms)

    def shelve(
        self, connection: sqlite3.Connection, number: int, until_ms: int, reason: str, by: str, now_ms: int
    ) -> Alarm:
        """Shelve an alarm until a plant instant; give it as it now stands.

        Raises AlarmError where there is none, or it is over, or the time is past or longer than the rules allow.
        """
        alarm = _found(connection, number)
        is_breach = alarm.severity is Severity.BREACH
        most_ms = self._rules.longest_breach_shelf_ms if is_breach else self._rules.longest_shelf_ms
        if until_ms <= now_ms:
            raise AlarmError("shelf_past", alarm=number)
        if until_ms - now_ms > most_ms:
            raise AlarmError("shelf_too_long", alarm=number, most_ms=most_ms)
        changes = {"shelved_ms": now_ms, "shelved_until_ms": until_ms, "shelved_by": by, "shelf_reason": reason}
        return self._ask(
            connection, number, Event.SHELVE, by, {"reason": reason, "until_ms": until_ms}, changes, now_ms
        )

    def unshelve(self, connection: sqlite3.Connection, number: int, by: str, now_ms: int) -> Alarm:
        """Take an alarm off the shelf; give it as it now stands. Raises AlarmError where it is not on it."""
        return self._ask(connection, number, Event.UNSHELVE, by, {}, {}, now_ms)

    def close(
        self, connection: sqlite3.Connection, number: int, cause: str, action: str, by: str, now_ms: int
    ) -> Alarm:
        """Close an alarm that is over with its cause and what was done; give it as it now stands.

        Of a breach both become a note to the exceedance in the register. Raises AlarmError where there is none, where
        it still stands or is closed already.
        """
        alarm = _found(connection, number)
        if alarm.closed_ms is not None:
            raise AlarmError("closed_already", alarm=number, by=alarm.closed_by or "")
        if alarm.is_bad:
            raise AlarmError("still_standing", alarm=number)
        changes = {"closed_ms": now_ms, "closed_by": by, "cause": cause, "action": action, **_OFF_SHELF}
        if alarm.acked_ms is None:
            changes |= {"acked_ms": now_ms, "acked_by": by}
        detail = {"cause": cause, "action": action}
        after = self._ask(connection, number, Event.CLOSE, by, detail, changes, now_ms)
        if alarm.kind == "breach":
            for limit_key, start in self._windows_of(connection, alarm):
                register.add_note(connection, limit_key, start, cause, action, by, now_ms)
        return after

    def _ask(
        self, connection: sqlite3.Connection, number: int, event: Event, by: str, detail: Mapping[str, Any],
        changes: Mapping[str, Any], now_ms: int,
    ) -> Alarm:  # fmt: skip
        alarm = _found(connection, number)
        if self._step(connection, alarm, event, now_ms, changes=changes, by=by, detail=detail) is None:
            raise AlarmError(f"cannot_{event}", alarm=number)
        return _found(connection, number)

    def _windows_of(self, connection: sqlite3.Connection, alarm: Alarm) -> list[tuple[str, int]]:
        """List the first exceeding window of each run of a breach's windows: a note hangs on a window.

        Hours of a limit on single readings that have no verdict yet are among them: it comes.
        """
        limit_key = alarm.key.partition(":")[2]
        limit = self._limits.get(limit_key)
        found: set[tuple[int, int]] = set()
        for since_ms, until_ms in alarms.spans(connection, alarm.id):
            end_ms = max(since_ms + 1, until_ms if until_ms is not None else since_ms)
            exceeding = register.exceeding(connection, limit_key, since_ms, end_ms)
            found |= {(one.start, one.end) for one in exceeding if one.start < end_ms and one.end > since_ms}
            if limit is not None and limit.window == "reading":
                hours = range(self._plant.time.hour_start(since_ms), end_ms, HOUR_MS)
                judged = verdicts.starts(connection, limit_key, hours.start, end_ms)
                found |= {(hour, hour + HOUR_MS) for hour in hours if hour not in judged}
        ends = {end for _, end in found}
        return [(limit_key, start) for start, _ in sorted(found) if start not in ends]

    # conditions

    def _apply(self, connection: sqlite3.Connection, condition: Condition, now_ms: int) -> int:
        if condition.is_bad is None:
            return 0
        alarm = alarms.standing(connection, condition.key)
        if not condition.is_bad:
            return 0 if alarm is None else self._return(connection, alarm, condition, now_ms)
        if alarm is not None:
            return self._go_on(connection, alarm, condition, now_ms)
        if _is_spoken_for(connection, condition):
            return 0
        last = alarms.last_of(connection, condition.key)
        if last is None or not incident.is_same(self._rules, last, condition):
            last = self._begin(connection, condition, now_ms)
            told = self._come(connection, last, last.facts, Event.RAISE, now_ms)
        else:
            told = self._come_back(connection, last, condition, now_ms)
        if condition.severity is Severity.BREACH:
            self._supersede(connection, condition, last.id, now_ms)
        return told

    def _begin(self, connection: sqlite3.Connection, condition: Condition, now_ms: int) -> Alarm:
        facts = account.opened(condition.facts) | {"kind": condition.kind, "since": condition.since_ms}
        number = alarms.raise_alarm(connection, condition, facts, State.NORMAL, now_ms)
        return _found(connection, number)

    def _come_back(self, connection: sqlite3.Connection, alarm: Alarm, condition: Condition, now_ms: int) -> int:
        """Take up an incident again: its clocks go on."""
        facts = account.continued(alarm.facts, condition.facts)
        facts.pop("until", None)
        alarms.came_back(connection, alarm.id, condition.since_ms)
        if alarm.told is Told.NOTHING:
            alarms.change(connection, alarm.id, {"clock_ms": now_ms})
        event = Event.WORSE if incident.is_worse(alarm.facts, facts) else Event.RAISE
        return self._come(connection, _found(connection, alarm.id), facts, event, now_ms)

    def _come(
        self, connection: sqlite3.Connection, alarm: Alarm, facts: dict[str, Any], event: Event, now_ms: int, *,
        is_new: bool = True,
    ) -> int:  # fmt: skip
        """Take the step of what is wrong; `is_new`: it was not just before."""
        told = self._step(
            connection, alarm, event, now_ms,
            may_say=may_say(alarm, self._rules, self._plant.alarms, now_ms),
            changes={"facts": facts}, detail={"came": True} if is_new else {}, always=is_new,
        )  # fmt: skip
        return told or 0

    def _go_on(self, connection: sqlite3.Connection, alarm: Alarm, condition: Condition, now_ms: int) -> int:
        facts = account.continued(alarm.facts, condition.facts)
        if facts == alarm.facts:
            return 0
        event = Event.WORSE if incident.is_worse(alarm.facts, facts) else Event.RAISE
        return self._come(connection, alarm, facts, event, now_ms, is_new=False)

    def _supersede(self, connection: sqlite3.Connection, condition: Condition, number: int, now_ms: int) -> None:
        """End a warning that has become a breach: the breach speaks for both."""
        key = condition.key.replace("breach:", "warning:", 1)
        warning = alarms.standing(connection, key) if key != condition.key else None
        if warning is not None:
            gone = replace(warning, facts=warning.facts | {"superseded_by": number})
            end = Condition(key, warning.kind, warning.severity, False, condition.since_ms, condition.since_ms, {},
                            quiet=True)  # fmt: skip
            self._return(connection, gone, end, now_ms)

    def _return(
        self, connection: sqlite3.Connection, alarm: Alarm, condition: Condition, now_ms: int, *,
        is_held: bool | None = None,
    ) -> int:  # fmt: skip
        facts = alarm.facts | {"until": condition.until_ms, "kind": alarm.kind, "since": alarm.since_ms}
        if "value" in condition.facts:
            facts["value"] = condition.facts["value"]
        alarms.went(connection, alarm.id, condition.until_ms, now_ms)
        held = incident.is_held(alarm.kind, alarm.facts) if is_held is None else is_held
        told = self._step(
            connection, replace(alarm, is_bad=False), Event.RETURN, now_ms, is_held=held, is_quiet=condition.quiet,
            changes={"facts": facts}, always=True,
        )  # fmt: skip
        return told or 0

    def _step(
        self, connection: sqlite3.Connection, alarm: Alarm, event: Event, now_ms: int, *, may_say: bool = True,
        is_held: bool = False, is_quiet: bool = False, changes: Mapping[str, Any] | None = None, by: str | None = None,
        detail: Mapping[str, Any] | None = None, always: bool = False,
    ) -> int | None:  # fmt: skip
        """Take one step of the table: write state, columns (`changes`) and history, and say what is to be said.

        Gives how many messages were queued, None where the event changes nothing. Steps that leave the state as it is
        and say nothing make no history, but where `always`, or where somebody took them.
        """
        found = step(
            alarm.state,
            event,
            Context(
                severity=alarm.severity, is_bad=alarm.is_bad, told=alarm.told, may_say=may_say, is_held=is_held,
                was_acknowledged=alarm.acked_ms is not None, is_quiet=is_quiet,
            ),
        )  # fmt: skip
        if found is None:
            return None
        new = dict(changes or {}) | {"state": found.state} | _heard(alarm, found.said, is_quiet, now_ms)
        if event is Event.ESCALATION_DUE:
            new["escalated_ms"] = now_ms - alarm.clock_ms
        if alarm.state is State.SHELVED and found.state is not State.SHELVED:
            new |= _OFF_SHELF
            if alarm.is_bad:  # as if it came anew
                new |= {"clock_ms": now_ms, "escalated_ms": 0, "acked_ms": None, "acked_by": None, "note": None}
        alarms.change(connection, alarm.id, new)
        told = 0
        if found.said is not None:
            after = _found(connection, alarm.id)
            if event is Event.ESCALATION_DUE:
                after = replace(after, escalated_ms=alarm.escalated_ms)  # who is told now is who was not told then
            told = self._voice.say(connection, after, found.said, now_ms)
        if found.state is not alarm.state or found.said is not None or by is not None or always:
            line = {"state": str(found.state), "said": found.said, "reason": found.reason} | dict(detail or {})
            alarms.note(connection, alarm.id, str(event), by, line, now_ms)
        return told

    # verdicts

    def _follow(self, connection: sqlite3.Connection, fresh: list[tuple[int, Verdict]], now_ms: int) -> None:
        # Exceedances first, so that they come before a storm's list.
        for _, verdict in sorted(fresh, key=lambda item: (item[1].start, not item[1].outcome.is_exceedance, item[0])):
            self._follow_one(connection, verdict, now_ms)
        values.set_number(connection, "alarm_cursor", max(seq for seq, _ in fresh))

    def _follow_one(self, connection: sqlite3.Connection, verdict: Verdict, now_ms: int) -> None:
        limit = self._limits.get(verdict.limit_key)
        if limit is None:
            return
        is_old = verdict.end < now_ms - OLD_MS
        is_newest = verdict.start >= alarms.cursor(connection, limit.key)
        # Nobody is alarmed of an old breach, nor of one that late readings made behind a newer window or out of order.
        is_late = is_old or not is_newest or limit.window == "reading"
        if verdict.outcome.is_exceedance and is_late:
            corrected.note_if_news(connection, verdict, now_ms)
        if not is_newest:
            return
        alarms.set_cursor(connection, limit.key, verdict.start)
        if limit.window == "reading" or (is_old and verdict.outcome.is_exceedance):
            return  # single readings are followed live; old breaches are summed up
        self.apply(connection, _conditions(limit, verdict), now_ms)

    # the clock

    def _due(self, alarm: Alarm, now_ms: int) -> list[Event]:
        return due(alarm, self._rules, self._plant.alarms, now_ms)

    def _tick(self, connection: sqlite3.Connection, now_ms: int) -> None:
        """Do what has come due for each alarm, then mail the lists of storms."""
        for alarm in alarms.all_open(connection):
            for event in self._due(alarm, now_ms):
                now = _found(connection, alarm.id)
                if event is Event.RETURN:
                    end = Condition(now.key, now.kind, now.severity, False, now_ms, now_ms, {}, quiet=True)
                    self._return(connection, now, end, now_ms)
                else:
                    self._step(connection, now, event, now_ms)
        self._voice.tell_storms(connection, now_ms)


def _found(connection: sqlite3.Connection, number: int) -> Alarm:
    alarm = alarms.get(connection, number)
    if alarm is None:
        raise AlarmError("no_alarm", alarm=number)
    return alarm


def _heard(alarm: Alarm, said: str | None, is_quiet: bool, now_ms: int) -> dict[str, Any]:
    """Give the columns that keep what people heard."""
    if said is None:
        return {"told": Told.CLEARED} if is_quiet and alarm.told is Told.RAISED else {}
    if said == "cleared":
        return {"told": Told.CLEARED}
    if said == "again":
        return {"told": Told.RAISED, "again_ms": now_ms, "reminded_ms": now_ms}
    if said in ("raised", "unshelved"):
        return {"told": Told.RAISED, "reminded_ms": now_ms}
    return {"reminded_ms": now_ms} if said in ("reminded", "forgotten", "unacknowledged") else {}


def _is_spoken_for(connection: sqlite3.Connection, condition: Condition) -> bool:
    """Whether a warning's breach stands already; the breach speaks for both."""
    breach = condition.key.replace("warning:", "breach:", 1)
    return condition.kind == "warning" and alarms.standing(connection, breach) is not None


def _conditions(limit: Limit, verdict: Verdict) -> list[Condition]:
    """Say what an hour or a day means for the limit's breach and its warning; not judged means nothing."""
    if verdict.outcome is Outcome.NOT_JUDGED:
        return []
    facts = corrected.facts_of(limit, verdict)
    breach = Condition(
        f"breach:{limit.key}", "breach", Severity.BREACH, verdict.outcome.is_exceedance,
        verdict.start, verdict.start, facts,
    )  # fmt: skip
    if verdict.outcome.is_exceedance or limit.basis is Basis.MASS:
        return [breach]  # of permitted quantities people are warned while their period runs, not after it
    warning = Condition(
        f"warning:{limit.key}", "warning", Severity.WARNING, verdict.outcome is Outcome.WARN,
        verdict.start, verdict.start, facts,
    )  # fmt: skip
    return [breach, warning]
