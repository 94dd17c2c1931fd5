"""This module proves what is one incident, and what the clock asks of an alarm."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import some_alarm_rules, some_rules

from plantmon.alarms.clockwork import due, may_say
from plantmon.alarms.incident import gap_ms, is_held, is_same, is_worse
from plantmon.alarms.transitions import Event
from plantmon.model.alarm import Alarm, Condition, Severity, State, Told
from plantmon.model.plant import Recipient
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

RULES = some_rules()
MANAGER = Recipient("manager", ("m@example.com",), frozenset({"breach"}), 30 * MINUTE_MS, "zh")
PEOPLE = some_alarm_rules(recipients=(MANAGER,))
START = 1_000 * DAY_MS


def an_alarm(**changes: object) -> Alarm:
    """Give a breach of single readings that was raised at START, stands and is known."""
    alarm = Alarm(
        1, "breach:rto", "breach", Severity.BREACH, State.UNACK, START, START, None, None, None, None, None, START,
        {"window": "reading"}, clock_ms=START, said_ms=START,
    )  # fmt: skip
    return replace(alarm, **changes)  # type: ignore[arg-type]


def over(**changes: object) -> Alarm:
    """Give one that is over since START + 1 h, of which people do not know."""
    ended = START + HOUR_MS
    return an_alarm(**{"is_bad": False, "state": State.RTNUN, "cleared_ms": ended, "until_ms": ended} | changes)


def coming(since_ms: int, **facts: object) -> Condition:
    """Give that it is wrong again from an instant on."""
    return Condition("breach:rto", "breach", Severity.BREACH, True, since_ms, since_ms, dict(facts))


@pytest.mark.parametrize(
    ("kind", "facts", "gap", "held"),
    [
        pytest.param("breach", {"window": "reading"}, HOUR_MS, True, id="single readings"),
        pytest.param("silent", {}, HOUR_MS, True, id="a condition"),
        pytest.param("breach", {"window": "1h"}, 2 * HOUR_MS, False, id="two hours"),
        pytest.param("warning", {"window": "1d"}, 2 * DAY_MS, False, id="two days"),
        pytest.param("reported_differs", {"window": "10min"}, HOUR_MS, False, id="never less than the rule"),
        pytest.param("stuck", {}, 2 * HOUR_MS, False, id="looked at once an hour"),
        pytest.param("cap_pace", {"window": "1y"}, 2 * DAY_MS, False, id="looked at by the day"),
    ],
)
def test_gaps(kind: str, facts: dict[str, str], gap: int, held: bool) -> None:
    """Single values come back within an hour, windows within two of theirs; only of single values the end waits."""
    assert (gap_ms(RULES, kind, facts), is_held(kind, facts)) == (gap, held)


def test_same_incident() -> None:
    """What comes back within the gap is the same, up to it and not beyond; a closed one is over for good."""
    until_ms = START + HOUR_MS
    assert is_same(RULES, over(), coming(until_ms + HOUR_MS))
    assert not is_same(RULES, over(), coming(until_ms + HOUR_MS + 1))
    assert not is_same(RULES, over(closed_ms=until_ms), coming(until_ms + 1))
    assert is_same(RULES, over(state=State.SHELVED), coming(until_ms + 9 * DAY_MS))


def test_each_window_is_warned_of_for_itself() -> None:
    """A warning ahead is that of its own hour."""
    warning = over(kind="outlook", facts={"window": "1h", "start": START})
    assert is_same(RULES, warning, coming(START + HOUR_MS, start=START))
    assert not is_same(RULES, warning, coming(START + HOUR_MS, start=START + HOUR_MS))


@pytest.mark.parametrize(("side", "now", "worse"), [("max", 61, True), ("max", 60, False), ("min", 59, True)])
def test_worse(side: str, now: float, worse: bool) -> None:
    """Further from the limit than ever before; unknown is not worse."""
    assert is_worse({"peak": 60.0, "side": side}, {"peak": now, "side": side}) is worse
    assert not is_worse({}, {"peak": now, "side": side})


AT = START + DAY_MS


@pytest.mark.parametrize(
    ("alarm", "at_ms", "events"),
    [
        pytest.param(an_alarm(), START + 30 * MINUTE_MS - 1, [], id="nobody's turn"),
        pytest.param(an_alarm(), START + 30 * MINUTE_MS, [Event.ESCALATION_DUE], id="the manager's turn"),
        pytest.param(an_alarm(escalated_ms=30 * MINUTE_MS), START + HOUR_MS, [], id="the manager knows"),
        pytest.param(an_alarm(escalated_ms=DAY_MS), START + 4 * HOUR_MS, [Event.REMIND_DUE], id="reminded"),
        pytest.param(an_alarm(state=State.ACKED, acked_ms=START), AT - 1, [], id="seen"),
        pytest.param(an_alarm(state=State.ACKED, acked_ms=START), AT, [Event.REMIND_DUE], id="forgotten"),
        pytest.param(an_alarm(state=State.ACKED, acked_ms=START + 1), AT, [], id="seen later"),
        pytest.param(an_alarm(severity=Severity.WARNING), START + 9 * DAY_MS, [], id="a warning is not repeated"),
        pytest.param(an_alarm(state=State.SHELVED, shelved_until_ms=AT), AT - 1, [], id="on the shelf"),
        pytest.param(an_alarm(state=State.SHELVED, shelved_until_ms=AT), AT, [Event.SHELF_OUT], id="off it"),
        pytest.param(over(), START + 2 * HOUR_MS - 1, [], id="may come back"),
        pytest.param(over(), START + 2 * HOUR_MS, [Event.SETTLED], id="stayed normal"),
        pytest.param(over(told=Told.CLEARED), AT, [], id="over, not seen"),
        pytest.param(over(told=Told.CLEARED), AT + HOUR_MS, [Event.REMIND_DUE], id="over, not seen for a day"),
        pytest.param(
            over(told=Told.CLEARED, severity=Severity.DATA), AT + HOUR_MS, [Event.LAPSE], id="ends by itself"
        ),
        pytest.param(over(told=Told.CLEARED, state=State.NORMAL), AT + 9 * DAY_MS, [], id="seen after its end"),
        pytest.param(
            an_alarm(kind="meter_event", severity=Severity.DATA), AT, [Event.RETURN], id="a register event"
        ),
    ],
)  # fmt: skip
def test_what_the_clock_asks(alarm: Alarm, at_ms: int, events: list[Event]) -> None:
    """Escalation after its time, reminders at their intervals, ends once they were waited for - and not before."""
    assert due(alarm, RULES, PEOPLE, at_ms) == events


def test_what_may_be_said() -> None:
    """A delay holds data alarms, the repeat interval what comes back; a breach nobody knows is never held."""
    delayed = some_rules(alarm_delay_ms=5 * MINUTE_MS)
    data = an_alarm(told=Told.NOTHING, severity=Severity.DATA, kind="silent")
    assert not may_say(data, delayed, PEOPLE, START + 5 * MINUTE_MS - 1)
    assert may_say(data, delayed, PEOPLE, START + 5 * MINUTE_MS)
    assert may_say(replace(data, kind="store_unavailable"), delayed, PEOPLE, START)
    assert may_say(an_alarm(told=Told.NOTHING), delayed, PEOPLE, START)
    back = an_alarm(told=Told.CLEARED, again_ms=START)
    assert not may_say(back, RULES, PEOPLE, START + 4 * HOUR_MS - 1)
    assert due(back, RULES, PEOPLE, START + 4 * HOUR_MS)[0] is Event.SAY_DUE
