"""This module tells of incidents people live with: flapping, storms, shelves, closing, forgetting, corrections."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point, some_alarm_rules, some_rules
from story import FEEDS, Story

from plantmon.alarms import asked
from plantmon.errors import AlarmError
from plantmon.model.alarm import Alarm, Condition, Severity, State, Told
from plantmon.model.plant import Kind, Plant, Recipient
from plantmon.store import alarms, register
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, to_ms

EIGHT = to_ms(datetime(2026, 3, 3, 8, tzinfo=ZoneInfo("Asia/Shanghai")))
GRACE_MS = 2 * MINUTE_MS
NMHC = a_point("DA002.nmhc", quantity="nmhc", interval_ms=MINUTE_MS, range_high=1000.0)
RTO = a_point("DA002.rto", quantity="temperature", unit="degC", range_low=0.0, range_high=1200.0)
LEQ = a_point("N1.leq", quantity="sound_level", unit="dB", kind=Kind.ENERGY, interval_ms=MINUTE_MS)
HOURLY = a_limit(NMHC, key="nmhc", warn_at=0.9)
COLD = a_limit(RTO, key="rto", window="reading", minimum=760.0, maximum=None, hold_ms=0)
EVERYTHING = frozenset({"warning", "breach", "data"})
EHS, MANAGER = ("ehs@example.com",), ("manager@example.com",)
RECIPIENTS = (
    Recipient("ehs", EHS, EVERYTHING, 0, "zh"),
    Recipient("manager", MANAGER, frozenset({"breach"}), 30 * MINUTE_MS, "en"),
)


def plant(**rules: object) -> Plant:
    """Give a coating line under its rules."""
    return a_plant(
        (NMHC, RTO, LEQ), (HOURLY, COLD), feeds=FEEDS, rules=some_rules(**rules),
        alarms=some_alarm_rules(recipients=RECIPIENTS),
    )  # fmt: skip


@pytest.fixture(params=[False, True], ids=["", "restarted before every step"])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Story]]:
    """Give a way to begin a story under some rules."""
    told: list[Story] = []

    def begin(**rules: object) -> Story:
        told.append(Story(tmp_path, plant(**rules), restarts=request.param))
        return told[-1]

    yield begin
    for story in told:
        story.close()


def hour(turn: int) -> int:
    """Give the start of an hour: 0 is eight o'clock."""
    return EIGHT + turn * HOUR_MS


def closing(turn: int) -> int:
    """Give the instant an hour is closed."""
    return hour(turn + 1) + GRACE_MS


def live(story: Story, *values: float, first: int = 0) -> None:
    """Live hour by hour with these NMHC means."""
    for turn, value in enumerate(values, first):
        story.hour("DA002.nmhc", hour(turn), value)
        story.settle(closing(turn))


def ask(story: Story, kind: str, now_ms: int, **body: object) -> Alarm:
    """Ask something of an alarm, as the command does; give it as it then stands."""
    story.now_ms = max(story.now_ms, now_ms)
    time = story.pipeline.plant.time
    story.store.write(
        lambda connection: asked.take(connection, story.pipeline.alarms, time, kind, body, "li", story.now_ms)
    )
    return next(one for one in story.alarms() if one.id == body["alarm"])


def silence(name: str, at_ms: int, *, is_bad: bool = True) -> Condition:
    """Give that a point is silent, or no more."""
    return Condition(f"silent:{name}", "silent", Severity.DATA, is_bad, at_ms, at_ms, {"point": name, "start": at_ms})


# Flapping


def test_a_flapping_sensor_is_one_mail_and_its_end(tell: Callable[..., Story]) -> None:
    """A temperature that breaches every ten minutes for two hours is one alarm, one mail, and one at its end."""
    story = tell()
    for turn in range(12):
        at = EIGHT + turn * 10 * MINUTE_MS
        story.send([(at, "DA002.rto", 700.0, "N")])
        story.send([(at + MINUTE_MS, "DA002.rto", 820.0, "N")])
        story.settle(at + MINUTE_MS)
        if turn == 0:
            ask(story, "ack", at + 2 * MINUTE_MS, alarm=1, note="looked at")
    last = EIGHT + 111 * MINUTE_MS
    story.settle(last + HOUR_MS - 1)
    assert story.told() == [("raised", "breach")]
    story.settle(last + HOUR_MS)
    story.settle(last + 2 * HOUR_MS)
    assert story.told() == [("raised", "breach"), ("cleared", "breach")]
    (alarm,) = story.alarms()
    assert (alarm.times, alarm.state, alarm.since_ms, alarm.until_ms) == (12, State.NORMAL, EIGHT, last)


def test_an_unacknowledged_flapping_goes_on_escalating(tell: Callable[..., Story]) -> None:
    """Coming back does not begin the clocks anew: the manager is told half an hour after the first, wherever it is."""
    story = tell()
    for turn in range(5):
        at = EIGHT + turn * 10 * MINUTE_MS
        story.send([(at, "DA002.rto", 700.0, "N")])
        story.settle(at)
        story.send([(at + 5 * MINUTE_MS, "DA002.rto", 820.0, "N")])
        story.settle(at + 5 * MINUTE_MS)
    assert story.mails() == [
        ("raised", "breach", EHS, EIGHT), ("escalated", "breach", MANAGER, EIGHT + 30 * MINUTE_MS),
    ]  # fmt: skip


def test_another_day_is_another_incident(tell: Callable[..., Story]) -> None:
    """What comes back after its gap begins anew, with its own mail; the first still waits for its acknowledgement."""
    story = tell()
    for at in (EIGHT, EIGHT + 3 * HOUR_MS):
        story.send([(at, "DA002.rto", 700.0, "N"), (at + MINUTE_MS, "DA002.rto", 820.0, "N")])
        story.settle(at + MINUTE_MS)
        story.settle(at + MINUTE_MS + HOUR_MS)
    assert story.told() == [("raised", "breach"), ("cleared", "breach")] * 2
    assert [alarm.state for alarm in story.alarms()] == [State.RTNUN, State.RTNUN]


def test_hours_that_come_and_go(tell: Callable[..., Story]) -> None:
    """An hour's end is told at once; back within two windows it is the same incident, told at most every four hours."""
    story = tell()
    live(story, 60.0)
    ask(story, "ack", closing(0), alarm=1, note="seen")
    live(story, 30.0, 60.0, 30.0, 30.0, 60.0, 30.0, first=1)
    assert [(mail[0], mail[3]) for mail in story.mails()] == [
        ("raised", closing(0)),
        ("cleared", closing(1)),
        ("again", closing(2)),
        ("cleared", closing(3)),
    ]  # the hour from one o'clock came back three hours after the last mail that it did
    live(story, 60.0, first=7)
    assert story.mails()[-1][::3] == ("again", closing(7))
    (alarm,) = story.alarms()
    assert (alarm.times, alarm.told, alarm.state) == (4, Told.RAISED, State.ACKED)


def test_what_stands_untold_is_told_when_it_may(tell: Callable[..., Story]) -> None:
    """A breach that came back too soon for a mail and stays is told as soon as the interval is over."""
    story = tell()
    live(story, 60.0)
    ask(story, "ack", closing(0), alarm=1, note="seen")
    live(story, 30.0, 60.0, 30.0, 60.0, 60.0, 60.0, first=1)
    assert [mail[0] for mail in story.mails()] == ["raised", "cleared", "again", "cleared", "again"]
    assert story.mails()[-1][3] == closing(2) + 4 * HOUR_MS


def test_a_data_alarm_can_wait(tell: Callable[..., Story]) -> None:
    """With a delay of five minutes a silence of three is told to nobody, one of six once; a breach never waits."""
    story = tell(alarm_delay_ms=5 * MINUTE_MS)
    story.apply([silence("N1.leq", EIGHT)], EIGHT)
    story.settle(EIGHT + 3 * MINUTE_MS)
    story.apply([silence("N1.leq", EIGHT + 3 * MINUTE_MS, is_bad=False)], EIGHT + 3 * MINUTE_MS)
    story.settle(EIGHT + 30 * MINUTE_MS)
    assert story.told() == []
    story.apply([silence("N1.leq", EIGHT + 30 * MINUTE_MS)], EIGHT + 30 * MINUTE_MS)
    story.settle(EIGHT + 35 * MINUTE_MS - 1)
    assert story.told() == []
    story.settle(EIGHT + 35 * MINUTE_MS)
    assert story.told() == [("raised", "silent")]
    story.send([(EIGHT + 40 * MINUTE_MS, "DA002.rto", 700.0, "N")])
    assert story.told() == [("raised", "silent"), ("raised", "breach")]


# People


def test_the_acknowledged_and_forgotten_is_told_again(tell: Callable[..., Story]) -> None:
    """A breach that was acknowledged and stands for a day is told again, once a day."""
    story = tell()
    live(story, 60.0)
    ask(story, "ack", closing(0), alarm=1, note="seen")
    for turn in range(1, 3):
        story.settle(closing(0) + turn * DAY_MS - 1)
        assert len(story.told()) == turn
        story.settle(closing(0) + turn * DAY_MS)
        assert story.mails()[-1] == ("forgotten", "breach", EHS, closing(0) + turn * DAY_MS)


def test_a_breach_that_is_over_still_wants_a_name(tell: Callable[..., Story]) -> None:
    """It is reminded of once a day until somebody acknowledges; then it waits to be closed, and nobody is mailed."""
    story = tell()
    live(story, 60.0, 30.0)
    told = len(story.told())
    story.settle(closing(1) + DAY_MS)
    assert [mail[0] for mail in story.mails()[told:]] == ["unacknowledged"]
    story.settle(closing(1) + 2 * DAY_MS)
    assert [mail[0] for mail in story.mails()[told + 1 :]] == ["unacknowledged"]
    alarm = ask(story, "ack", closing(1) + 2 * DAY_MS, alarm=1, note="late")
    assert (alarm.state, alarm.needs_closing) == (State.NORMAL, True)
    story.settle(closing(1) + 9 * DAY_MS)
    assert len(story.mails()) == told + 2


def test_a_data_alarm_that_is_over_ends_by_itself(tell: Callable[..., Story]) -> None:
    """Nobody needs to acknowledge a silence that is over: after a day it is normal, without a word."""
    story = tell()
    story.apply([silence("N1.leq", EIGHT)], EIGHT)
    story.apply([silence("N1.leq", EIGHT + MINUTE_MS, is_bad=False)], EIGHT + MINUTE_MS)
    story.settle(EIGHT + DAY_MS)
    (alarm,) = story.alarms()
    assert (alarm.state, story.told()) == (State.RTNUN, [("raised", "silent"), ("cleared", "silent")])
    story.settle(EIGHT + DAY_MS + MINUTE_MS)
    (alarm,) = story.alarms()
    assert (alarm.state, len(story.told())) == (State.NORMAL, 2)


def test_a_register_event_ends_after_a_day(tell: Callable[..., Story]) -> None:
    """An alarm about what a register did stands for a day and ends without a mail."""
    story = tell()
    event = Condition("meter_event:E:1", "meter_event", Severity.DATA, True, EIGHT, EIGHT, {"point": "N1.leq"})
    story.apply([event], EIGHT)
    story.settle(EIGHT + DAY_MS - 1)
    assert story.standing() == ["meter_event:E:1"]
    story.settle(EIGHT + DAY_MS)
    assert (story.standing(), story.told()) == ([], [("raised", "meter_event")])


def test_closing_a_breach_writes_into_the_register(tell: Callable[..., Story]) -> None:
    """Cause and action become a note to each exceedance; what still stands cannot be closed, nor a closed one again."""
    story = tell()
    live(story, 60.0, 70.0)
    with pytest.raises(Exception, match="still stands"):
        ask(story, "close", closing(1), alarm=1, cause="burner out", action="relit", language="en")
    live(story, 30.0, 80.0, 30.0, first=2)
    alarm = ask(story, "close", closing(4), alarm=1, cause="burner out", action="relit")
    assert (alarm.state, alarm.closed_by, alarm.acked_by, alarm.cause) == (State.NORMAL, "li", "li", "burner out")
    with story.store.readers.snapshot() as connection:
        notes = register.notes(connection, "nmhc", hour(0), hour(9))
    assert [(one.start, one.cause, one.action, one.by) for one in reversed(notes)] == [
        (start, "burner out", "relit", "li") for start in (hour(0), hour(3))
    ]
    with pytest.raises(Exception, match="closed by li"):
        ask(story, "close", closing(4), alarm=1, cause="x", action="y", language="en")
    told = len(story.told())
    live(story, 90.0, first=5)  # soon after, but that incident is closed
    assert [one.id for one in story.alarms()] == [1, 2]
    assert story.told()[told:] == [("raised", "breach")]


def test_closing_before_the_hour_is_judged(tell: Callable[..., Story]) -> None:
    """A breach of single readings that is closed at once has its note on the hour that will be judged."""
    story = tell()
    story.send([(EIGHT + MINUTE_MS, "DA002.rto", 700.0, "N"), (EIGHT + 2 * MINUTE_MS, "DA002.rto", 820.0, "N")])
    ask(story, "close", EIGHT + 3 * MINUTE_MS, alarm=1, cause="door open", action="shut")
    assert story.told() == [("raised", "breach"), ("cleared", "breach")]
    story.settle(closing(0))
    with story.store.readers.snapshot() as connection:
        (note,) = register.notes(connection, "rto", hour(0), hour(1))
        exceeding = register.exceeding(connection, "rto", hour(0), hour(1))
    assert (note.start, note.cause, [one.start for one in exceeding]) == (hour(0), "door open", [hour(0)])
    assert len(story.told()) == 2


def test_a_shelf_has_an_end_and_a_reason(tell: Callable[..., Story]) -> None:
    """A shelved breach is not reminded of; when its time is over and it stands it is told anew, its clocks too."""
    story = tell()
    live(story, 60.0)
    shelved = ask(story, "shelve", closing(0), alarm=1, for_ms=6 * HOUR_MS, reason="repair ordered")
    assert (shelved.state, shelved.shelved_by, shelved.shelf_reason) == (State.SHELVED, "li", "repair ordered")
    live(story, *[60.0] * 5, first=1)
    assert story.told() == [("raised", "breach")]
    story.settle(closing(0) + 6 * HOUR_MS)
    assert story.told() == [("raised", "breach"), ("unshelved", "breach")]
    (alarm,) = story.alarms()
    assert (alarm.state, alarm.shelved_until_ms, alarm.shelf_reason) == (State.UNACK, None, None)
    story.settle(closing(0) + 6 * HOUR_MS + 30 * MINUTE_MS)
    assert story.mails()[-1] == ("escalated", "breach", MANAGER, closing(0) + 6 * HOUR_MS + 30 * MINUTE_MS)


def test_a_worse_breach_leaves_its_shelf(tell: Callable[..., Story]) -> None:
    """An hour that is no worse stays quiet, the first that is worse is told."""
    story = tell()
    live(story, 60.0)
    ask(story, "shelve", closing(0), alarm=1, for_ms=20 * HOUR_MS, reason="known")
    live(story, 60.0, 55.0, first=1)
    assert len(story.told()) == 1
    live(story, 61.0, first=3)
    assert story.told() == [("raised", "breach"), ("unshelved", "breach")]


def test_a_breach_that_ends_on_the_shelf_is_not_lost(tell: Callable[..., Story]) -> None:
    """It waits for its acknowledgement afterwards, and people hear that it is over."""
    story = tell()
    live(story, 60.0)
    ask(story, "shelve", closing(0), alarm=1, for_ms=3 * HOUR_MS, reason="known")
    live(story, 30.0, first=1)
    assert len(story.told()) == 1
    story.settle(closing(0) + 3 * HOUR_MS)
    (alarm,) = story.alarms()
    assert (alarm.state, alarm.needs_closing) == (State.RTNUN, True)
    assert story.told() == [("raised", "breach"), ("cleared", "breach")]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param({"for_ms": DAY_MS + 1}, "at most 1d", id="a breach for more than a day"),
        pytest.param({"until_ms": 0}, "must lie ahead", id="into the past"),
        pytest.param({"for_ms": 1, "alarm": 9}, "no alarm 9", id="none"),
        pytest.param({"for_ms": 1, "reason": " "}, "--reason must not be empty", id="no reason"),
    ],
)
def test_what_is_no_shelf(tmp_path: Path, body: dict[str, object], error: str) -> None:
    """A shelf without end or reason, or a longer one than the rules allow, is refused and changes nothing."""
    story = Story(tmp_path, plant())
    live(story, 60.0)
    with pytest.raises(Exception, match=error):
        ask(story, "shelve", closing(0), **{"alarm": 1, "reason": "known", "language": "en"} | body)
    assert story.alarms()[0].state is State.UNACK
    story.close()


def test_silences_may_be_shelved_for_a_week(tmp_path: Path) -> None:
    """A data alarm is shelved for seven days at most; taken off early it is told anew while it stands."""
    story = Story(tmp_path, plant())
    story.apply([silence("N1.leq", EIGHT)], EIGHT)
    with pytest.raises(AlarmError):
        story.store.write(
            lambda connection: story.pipeline.alarms.shelve(connection, 1, EIGHT + 7 * DAY_MS + 1, "away", "li", EIGHT)
        )
    ask(story, "shelve", EIGHT, alarm=1, for_ms=7 * DAY_MS, reason="away")
    assert ask(story, "unshelve", EIGHT + HOUR_MS, alarm=1).state is State.UNACK
    assert story.told() == [("raised", "silent"), ("unshelved", "silent")]
    with pytest.raises(Exception, match="not shelved"):
        ask(story, "unshelve", EIGHT + HOUR_MS, alarm=1, language="en")
    story.close()


# Storms

MANY = 200
POINTS = tuple(a_point(f"DA{number:03}.nmhc", quantity="nmhc", interval_ms=MINUTE_MS) for number in range(MANY))


def stormy() -> Plant:
    """Give a plant with two hundred stacks."""
    limits = tuple(a_limit(point, key=point.id) for point in POINTS)
    return a_plant(POINTS, limits, feeds=FEEDS, alarms=some_alarm_rules(recipients=RECIPIENTS))


@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarted before every step"])
def test_a_storm_of_two_hundred_limits_is_a_handful_of_mails(tmp_path: Path, restarts: bool) -> None:
    """All stacks breach in one hour: five mails and a list; escalated, reminded and cleared each in one list."""
    story = Story(tmp_path, stormy(), restarts=restarts)
    story.send([(hour(0) + at, point.id, 60.0, "N") for point in POINTS for at in range(0, HOUR_MS, MINUTE_MS)])
    story.settle(closing(0))
    assert story.told() == [("raised", "breach")] * 5
    story.settle(closing(0) + 10_000)
    (storm,) = story.messages()[5:]
    assert (storm.event, storm.severity, storm.facts["about"]) == ("storm", "breach", "raised")
    listed = [line["alarm"] for line in storm.facts["lines"]]
    told = [one.alarm for one in story.messages()[:5]]
    assert sorted(told + listed) == [alarm.id for alarm in story.alarms()]
    assert len(story.alarms()) == MANY
    story.settle(closing(0) + 30 * MINUTE_MS)
    story.settle(closing(0) + 31 * MINUTE_MS)
    (escalated,) = story.messages()[6:]
    assert (escalated.facts["about"], len(escalated.facts["lines"])) == ("escalated", MANY)
    assert [one.address for one in escalated.deliveries] == list(MANAGER)
    story.send([(hour(1) + at, point.id, 20.0, "N") for point in POINTS for at in range(0, HOUR_MS, MINUTE_MS)])
    for wait_ms in (0, MINUTE_MS, 2 * MINUTE_MS):
        story.settle(closing(1) + wait_ms)
    ends = story.messages()[7:]  # one a language
    assert {(one.facts["about"], len(one.facts["lines"])) for one in ends} == {("cleared", MANY)}
    assert len(ends) == 2
    story.settle(closing(1) + DAY_MS)
    story.settle(closing(1) + DAY_MS + MINUTE_MS)
    assert [one.facts["about"] for one in story.messages()[9:]] == ["unacknowledged"] * 2
    story.close()


def test_five_alarms_are_no_storm(tell: Callable[..., Story]) -> None:
    """Five at once are five mails, and the sixth a minute later is one too."""
    story = tell()
    story.apply([silence(f"P{number}", EIGHT) for number in range(5)], EIGHT)
    story.apply([silence("P5", EIGHT + MINUTE_MS)], EIGHT + MINUTE_MS)
    story.settle(EIGHT + 2 * MINUTE_MS)
    assert story.told() == [("raised", "silent")] * 6


def test_the_sixth_alone_is_a_mail_of_its_own(tell: Callable[..., Story]) -> None:
    """A list of one is no list: the sixth is mailed by itself, ten seconds later."""
    story = tell()
    story.apply([silence(f"P{number}", EIGHT) for number in range(6)], EIGHT)
    assert len(story.told()) == 5
    story.settle(EIGHT + 10_000)
    assert story.told() == [("raised", "silent")] * 6


def test_breaches_come_first_and_each_reads_what_is_theirs(tmp_path: Path) -> None:
    """The list has its breaches on top; who gets breaches alone reads of no silence."""
    both = (RECIPIENTS[0], Recipient("chief", ("chief@example.com",), frozenset({"breach"}), 0, "en"))
    story = Story(tmp_path, a_plant(feeds=FEEDS, alarms=some_alarm_rules(recipients=both)))
    silences = [silence(f"P{number}", EIGHT) for number in range(8)]
    breaches = [Condition(f"breach:{n}", "breach", Severity.BREACH, True, EIGHT + 1, EIGHT + 1, {}) for n in range(2)]
    story.apply(silences + breaches, EIGHT)
    story.settle(EIGHT + 10_000)
    ehs, chief = (one for one in story.messages() if one.event == "storm")
    assert [line["severity"] for line in ehs.facts["lines"]] == ["breach"] * 2 + ["data"] * 3
    assert [line["severity"] for line in chief.facts["lines"]] == ["breach"] * 2
    assert [one.address for one in chief.deliveries] == ["chief@example.com"]
    story.close()


# Corrections


def test_a_withdrawn_exceedance_is_one_corrected_mail(tell: Callable[..., Story]) -> None:
    """Late readings that bring an old hour back within its limit are told, with what it was and what it is."""
    story = tell()
    story.send([(hour(0) + at * MINUTE_MS, "DA002.nmhc", 51.0, "N") for at in range(46)])
    story.settle(closing(0))
    live(story, 30.0, first=1)
    told = len(story.told())
    story.send([(hour(0) + at * MINUTE_MS, "DA002.nmhc", 10.0, "N") for at in range(46, 60)], closing(1) + HOUR_MS)
    story.settle(closing(1) + HOUR_MS)
    assert len(story.told()) == told
    for wait_ms in (6, 12):
        story.settle(closing(1) + HOUR_MS + wait_ms * MINUTE_MS)
    (corrected,) = story.messages()[told:]
    (line,) = corrected.facts["breaches"]
    now = (46 * 51 + 14 * 10) / 60
    assert (corrected.event, line["why"], line["value"], line["bound"]) == ("corrected", "complies", 51.0, 50.0)
    assert line["now_value"] == pytest.approx(now)
    assert line["start"] == hour(0)


def test_what_was_taken_back_and_comes_again_is_told_again(tell: Callable[..., Story]) -> None:
    """An hour that is found exceeded after it was told of as taken back is news once more."""
    story = tell()
    story.send([(hour(0) + at * MINUTE_MS, "DA002.nmhc", 51.0, "N") for at in range(46)])
    story.settle(closing(0))
    live(story, 30.0, first=1)
    told = len(story.told())
    for turn, (first, value) in enumerate(((46, 10.0), (53, 900.0)), 1):
        rows = [(hour(0) + at * MINUTE_MS, "DA002.nmhc", value, "N") for at in range(first, first + 7)]
        for wait_ms in (0, 6):
            story.send(rows, closing(1) + turn * HOUR_MS + wait_ms * MINUTE_MS)
            story.settle(closing(1) + turn * HOUR_MS + wait_ms * MINUTE_MS)
    found = [[line["why"] for line in one.facts["breaches"]] for one in story.messages()[told:]]
    assert found == [["complies"], ["found"]]


def test_found_and_taken_back_meanwhile_is_not_told(tell: Callable[..., Story]) -> None:
    """Nobody hears of an exceedance that stood for a minute in the register only."""
    story = tell()
    live(story, 30.0)
    old = hour(-50)
    story.send([(old + at * MINUTE_MS, "DA002.nmhc", 51.0, "N") for at in range(46)], closing(0))
    story.settle(closing(0))
    story.send([(old + at * MINUTE_MS, "DA002.nmhc", 10.0, "N") for at in range(46, 60)], closing(0) + MINUTE_MS)
    story.settle(closing(0) + MINUTE_MS)
    for wait_ms in (7, 14):
        story.settle(closing(0) + wait_ms * MINUTE_MS)
    assert story.told() == []


# History


def test_history_tells_everything(tell: Callable[..., Story]) -> None:
    """Each step stands in the alarm's history, with who took it and what was said; nothing of it can be changed."""
    story = tell()
    live(story, 60.0)
    ask(story, "ack", closing(0) + MINUTE_MS, alarm=1, note="seen")
    live(story, 30.0, first=1)
    ask(story, "close", closing(1) + MINUTE_MS, alarm=1, cause="burner", action="relit")
    with story.store.readers.snapshot() as connection:
        history = alarms.history(connection, 1)
    assert [(one.event, one.by, one.detail["state"], one.detail["said"], one.at_ms) for one in history] == [
        ("raise", None, "unacknowledged", "raised", closing(0)),
        ("acknowledge", "li", "acknowledged", None, closing(0) + MINUTE_MS),
        ("return", None, "normal", "cleared", closing(1)),
        ("close", "li", "normal", None, closing(1) + MINUTE_MS),
    ]
    for statement in ("UPDATE alarm_event SET at_ms = 0", "DELETE FROM alarm_event"):
        with pytest.raises(Exception, match="never"):
            story.store.write(lambda connection, statement=statement: connection.execute(statement))  # type: ignore[misc]
    assert json.loads(json.dumps(history[1].detail)) == history[1].detail
