"""This module says what the clock asks of an alarm: reminders, escalation, ends that were waited for (pure)."""

from __future__ import annotations

from plantmon.alarms.incident import delay_ms, gap_ms
from plantmon.alarms.transitions import Event
from plantmon.model.alarm import Alarm, Severity, State, Told
from plantmon.model.plant import AlarmRules, Rules


def due(alarm: Alarm, rules: Rules, people: AlarmRules, now_ms: int) -> list[Event]:
    """List what has come due for an alarm at an instant of plant time, in the order it is to be done."""
    if alarm.state is State.SHELVED:
        until_ms = alarm.shelved_until_ms
        return [Event.SHELF_OUT] if until_ms is not None and now_ms >= until_ms else []
    if alarm.is_bad:
        return _standing(alarm, rules, people, now_ms)
    return _over(alarm, rules, now_ms)


def may_say(alarm: Alarm, rules: Rules, people: AlarmRules, now_ms: int) -> bool:
    """Whether no delay, nor the interval between two mails that it came back, holds back what is to be said."""
    if alarm.told is Told.NOTHING:
        return now_ms - alarm.clock_ms >= delay_ms(rules, alarm.severity, alarm.kind)
    return alarm.again_ms is None or now_ms - alarm.again_ms >= people.repeat_ms


def _standing(alarm: Alarm, rules: Rules, people: AlarmRules, now_ms: int) -> list[Event]:
    found = []
    if alarm.kind == "meter_event" and now_ms - alarm.raised_ms >= rules.meter_event_stands_ms:
        return [Event.RETURN]
    if alarm.told is not Told.RAISED:
        found += [Event.SAY_DUE] if may_say(alarm, rules, people, now_ms) else []
    if alarm.state is State.UNACK and alarm.told is not Told.NOTHING:
        later_ms = people.next_escalation(alarm.severity, alarm.escalated_ms)
        found += [Event.ESCALATION_DUE] if later_ms is not None and now_ms - alarm.clock_ms >= later_ms else []
    if alarm.severity is not Severity.BREACH or Event.SAY_DUE in found:
        return found
    last_ms = alarm.reminded_ms or alarm.raised_ms
    if alarm.state is State.UNACK and now_ms - last_ms >= people.repeat_ms:
        found.append(Event.REMIND_DUE)
    if alarm.state is State.ACKED and now_ms - max(last_ms, alarm.acked_ms or 0) >= rules.forgotten_ms:
        found.append(Event.REMIND_DUE)
    return found


def _over(alarm: Alarm, rules: Rules, now_ms: int) -> list[Event]:
    found = []
    gap = gap_ms(rules, alarm.kind, alarm.facts)
    if alarm.told is Told.RAISED and now_ms - (alarm.until_ms or 0) >= gap:
        found.append(Event.SETTLED)
    if alarm.state is not State.RTNUN:
        return found
    over_ms = alarm.cleared_ms or alarm.raised_ms
    if alarm.severity is not Severity.BREACH:
        is_long = alarm.told is Told.CLEARED and now_ms - over_ms >= rules.returned_ends_ms
        return [*found, Event.LAPSE] if is_long else found
    if now_ms - max(over_ms, alarm.reminded_ms or 0) >= rules.forgotten_ms:
        found.append(Event.REMIND_DUE)
    return found
