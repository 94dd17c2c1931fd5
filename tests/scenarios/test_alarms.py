"""This module tells what becomes of breaches, warnings and silence: who is mailed what, once, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point, some_alarm_rules
from story import FEEDS, Story

from plantmon.errors import AlarmError
from plantmon.feed.check import Message
from plantmon.model.alarm import Condition, Severity, State
from plantmon.model.plant import Kind, Recipient
from plantmon.model.verdict import Outcome
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, to_ms

EIGHT = to_ms(datetime(2026, 3, 3, 8, tzinfo=ZoneInfo("Asia/Shanghai")))
GRACE_MS = 2 * MINUTE_MS
NMHC = a_point("DA002.nmhc", quantity="nmhc", interval_ms=MINUTE_MS, range_high=1000.0)
RTO = a_point("DA002.rto", quantity="temperature", unit="degC", range_low=0.0, range_high=1200.0)
LEQ = a_point("N1.leq", quantity="sound_level", unit="dB", kind=Kind.ENERGY, interval_ms=MINUTE_MS)
HOURLY = a_limit(NMHC, key="nmhc", warn_at=0.9)
COLD = a_limit(RTO, key="rto", window="reading", minimum=760.0, maximum=None, hold_ms=60_000)
EVERYTHING = frozenset({"warning", "breach", "data"})
EHS, MANAGER = ("ehs@example.com",), ("manager@example.com",)
MESSAGES = [Message("p/DA002/nmhc", b"{}", EIGHT)]
PLANT = a_plant(
    (NMHC, RTO, LEQ),
    (HOURLY, COLD),
    feeds=FEEDS,
    alarms=some_alarm_rules(
        recipients=(
            Recipient("ehs", EHS, EVERYTHING, 0, "zh"),
            Recipient("manager", MANAGER, frozenset({"breach"}), 30 * MINUTE_MS, "zh"),
        )
    ),
)


def hour(turn: int) -> int:
    """Give the start of an hour: 0 is eight o'clock."""
    return EIGHT + turn * HOUR_MS


def closing(turn: int) -> int:
    """Give the instant an hour is closed."""
    return hour(turn + 1) + GRACE_MS


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Give a plant at eight in the morning."""
    told = Story(tmp_path, PLANT)
    yield told
    told.close()


def live(story: Story, *values: float, first: int = 0) -> None:
    """Live hour by hour with these NMHC means."""
    for turn, value in enumerate(values, first):
        story.hour("DA002.nmhc", hour(turn), value)
        story.settle(closing(turn))


def test_breach_is_raised_once(story: Story) -> None:
    """Three hours beyond the limit are one alarm and one mail, which knows its windows, mean and peak."""
    live(story, 60.0, 90.0, 75.0)
    assert [mail[:3] for mail in story.mails() if mail[0] == "raised"] == [("raised", "breach", EHS)]
    (alarm,) = story.alarms()
    assert (alarm.state, alarm.since_ms) == (State.UNACK, hour(0))
    assert [alarm.facts[name] for name in ("windows", "mean", "peak", "value")] == [3, 75.0, 90.0, 75.0]


def test_mail_tells_the_breach(story: Story) -> None:
    """The mail carries outlet, point, limit, window, value and the end of the limit that was compared."""
    live(story, 60.0)
    facts = story.messages()[0].facts
    told = {"outlet": "DA002", "point": "DA002.nmhc", "limit": "nmhc", "window": "1h", "start": hour(0), "end": hour(1),
            "value": 60.0, "bound": 50.0, "side": "max", "unit": "mg/m3", "at_least": False}  # fmt: skip
    assert {name: facts[name] for name in told} == told


def test_equal_complies_and_says_nothing(story: Story) -> None:
    """An hour at the warning share and one just complying raise no breach."""
    live(story, 45.0)
    assert story.told() == []
    live(story, 50.0, first=1)
    assert story.told() == [("raised", "warning")]


def test_escalation_after_half_an_hour(story: Story) -> None:
    """The manager is told once, when nobody has acknowledged for 30 minutes."""
    live(story, 60.0)
    raised = closing(0)
    story.settle(raised + 30 * MINUTE_MS - 1)
    assert [mail[2] for mail in story.mails()] == [EHS]
    story.settle(raised + 30 * MINUTE_MS)
    story.settle(raised + 50 * MINUTE_MS)
    assert story.mails()[1:] == [("escalated", "breach", MANAGER, raised + 30 * MINUTE_MS)]


def test_reminder_at_repeat(story: Story) -> None:
    """Everybody told is reminded every four hours as long as the breach stands unacknowledged."""
    live(story, 60.0)
    raised = closing(0)
    story.settle(raised + 30 * MINUTE_MS)
    story.settle(raised + 4 * HOUR_MS - 1)
    assert "reminded" not in [mail[0] for mail in story.mails()]
    for times in (1, 2):
        story.settle(raised + times * 4 * HOUR_MS)
        story.settle(raised + times * 4 * HOUR_MS + MINUTE_MS)
    assert [mail for mail in story.mails() if mail[0] == "reminded"] == [
        ("reminded", "breach", EHS + MANAGER, raised + times * 4 * HOUR_MS) for times in (1, 2)
    ]


def test_acknowledging_stops_reminders_and_escalation(story: Story) -> None:
    """After an acknowledgement nobody is reminded or called, but the end is still told."""
    live(story, 60.0)
    alarm = story.acknowledge(1, closing(0) + 10 * MINUTE_MS)
    assert (alarm.state, alarm.acked_by, alarm.note) == (State.ACKED, "li", "seen")
    story.settle(closing(0) + 9 * HOUR_MS)
    assert story.told() == [("raised", "breach")]
    live(story, 30.0, first=10)
    assert story.told() == [("raised", "breach"), ("cleared", "breach")]


def test_acknowledging_nothing_is_an_error(story: Story) -> None:
    """An alarm there is not cannot be acknowledged; one that has ended keeps its end."""
    with pytest.raises(AlarmError, match="7"):
        story.acknowledge(7, hour(0))
    live(story, 60.0, 30.0)
    assert story.acknowledge(1, closing(2)).state is State.NORMAL


def test_clears_at_the_first_complying_hour(story: Story) -> None:
    """The first hour that complies ends the alarm, with one mail that says until when."""
    live(story, 60.0, 70.0, 30.0, 31.0)
    assert [mail[:2] for mail in story.mails()] == [
        ("raised", "breach"),
        ("escalated", "breach"),
        ("cleared", "breach"),
    ]
    (alarm,) = story.alarms()
    assert (alarm.state, alarm.since_ms, alarm.until_ms) == (State.RTNUN, hour(0), hour(2))


def test_not_judged_changes_nothing(story: Story) -> None:
    """An hour that cannot be judged neither ends nor raises an alarm."""
    live(story, 60.0)
    story.send([(hour(1) + turn * MINUTE_MS, "DA002.nmhc", 10.0, "N") for turn in range(44)])
    story.settle(closing(1))
    assert story.standing() == ["breach:nmhc"]


def test_breach_supersedes_its_warning(story: Story) -> None:
    """A warning that becomes a breach ends without a mail of its own; falling back it warns again."""
    live(story, 46.0, 60.0)
    assert story.standing() == ["breach:nmhc"]
    assert story.told() == [("raised", "warning"), ("raised", "breach")]
    live(story, 46.0, first=2)
    assert story.standing() == ["warning:nmhc"]
    assert [mail for mail in story.told() if mail[0] != "escalated"] == [
        ("raised", "warning"), ("raised", "breach"), ("cleared", "breach"), ("again", "warning"),
    ]  # fmt: skip


def test_over_range_at_once(story: Story) -> None:
    """One reading over range raises an alarm in its own batch, before any window closes; the next valid one ends it.

    People hear of its end once it stayed away for an hour.
    """
    story.send([(hour(0), "DA002.nmhc", 30.0, "N")])
    assert story.told() == []
    story.send([(hour(0) + MINUTE_MS, "DA002.nmhc", 1000.0, "T")])
    assert story.mails() == [("raised", "over_range", EHS, hour(0) + MINUTE_MS)]
    story.send([(hour(0) + 2 * MINUTE_MS, "DA002.nmhc", 1001.0, "N")])
    assert len(story.mails()) == 1
    story.send([(hour(0) + 3 * MINUTE_MS, "DA002.nmhc", 30.0, "N")])
    assert story.standing() == []
    story.settle(hour(1) + 3 * MINUTE_MS - 1)
    assert story.told() == [("raised", "over_range")]
    story.settle(hour(1) + 3 * MINUTE_MS)
    assert story.told() == [("raised", "over_range"), ("cleared", "over_range")]


def test_flagged_reading_does_not_end_over_range(story: Story) -> None:
    """A reading in maintenance says nothing about the range."""
    story.send([(hour(0), "DA002.nmhc", 1000.0, "T")])
    story.send([(hour(0) + MINUTE_MS, "DA002.nmhc", 30.0, "M")])
    assert story.standing() == ["over_range:DA002.nmhc"]


def cold(story: Story, start: int, values: list[float]) -> None:
    """Deliver RTO temperatures ten seconds apart, each as it comes."""
    for turn, value in enumerate(values):
        story.send([(start + turn * 10_000, "DA002.rto", value, "N")])


def test_excursion_is_told_when_its_hold_is_reached(story: Story) -> None:
    """A temperature below its limit raises an alarm with the reading that completes 60 s, and not before."""
    cold(story, hour(0), [820.0] + [700.0] * 6)
    assert story.told() == []
    cold(story, hour(0) + 70_000, [690.0])
    assert story.mails() == [("raised", "breach", EHS, hour(0) + 70_000)]
    facts = story.messages()[0].facts
    assert (facts["start"], facts["value"], facts["peak"], facts["windows"]) == (hour(0) + 10_000, 690.0, 690.0, 7)


def test_excursion_ends_inside_the_deadband_only(story: Story) -> None:
    """A temperature that creeps back to its limit keeps the alarm; 2 % inside ends it."""
    cold(story, hour(0), [700.0] * 7 + [761.0, 775.1])
    assert story.standing() == ["breach:rto"]
    cold(story, hour(0) + 90_000, [775.2])
    assert (story.standing(), story.told()) == ([], [("raised", "breach")])


def test_flapping_is_one_incident(story: Story) -> None:
    """A temperature that crosses back and forth within the deadband is one alarm."""
    cold(story, hour(0), ([700.0] * 7 + [765.0]) * 4)
    assert story.told() == [("raised", "breach")]


def test_verdicts_on_readings_raise_nothing_twice(story: Story) -> None:
    """The hour's verdict on an excursion that was told live goes into the register without another mail."""
    cold(story, hour(0), [700.0] * 7 + [820.0])
    story.settle(closing(0))
    verdict = story.verdict("rto", hour(0))
    assert verdict is not None
    assert verdict.outcome is Outcome.EXCEED
    assert story.told() == [("raised", "breach"), ("cleared", "breach")]


# Silence


def everybody(story: Story, at: int, *silent: str) -> None:
    """Let all points speak but some."""
    story.send([(at, name, 40.0 if name != "DA002.rto" else 820.0, "N") for name in PLANT.points if name not in silent])


def test_point_that_never_spoke(story: Story) -> None:
    """A point that never spoke is silent three intervals after listening began."""
    everybody(story, hour(0), "N1.leq")
    story.listen(hour(0) + 20_000, hour(0) - MINUTE_MS)
    assert story.told() == []
    everybody(story, hour(0) + 3 * MINUTE_MS, "N1.leq")
    story.listen(hour(0) + 3 * MINUTE_MS, hour(0) - MINUTE_MS)
    assert (story.told(), story.standing()) == ([("raised", "silent")], ["silent:N1.leq"])


def test_silence_ends_with_a_word(story: Story) -> None:
    """A silent point that speaks again ends its alarm with one mail."""
    everybody(story, hour(0))
    everybody(story, hour(0) + 10 * MINUTE_MS, "N1.leq")
    story.listen(hour(0) + 10 * MINUTE_MS, hour(0))
    everybody(story, hour(0) + 11 * MINUTE_MS)
    story.listen(hour(0) + 11 * MINUTE_MS, hour(0))
    assert (story.standing(), story.told()) == ([], [("raised", "silent")])
    story.settle(hour(1) + 11 * MINUTE_MS)
    assert story.told() == [("raised", "silent"), ("cleared", "silent")]


def test_outlet_silent_is_one_alarm(story: Story) -> None:
    """When all points of an outlet fall silent that is one alarm, and a point's own alarm ends quietly behind it."""
    everybody(story, hour(0))
    everybody(story, hour(0) + 2 * MINUTE_MS, "DA002.rto")
    story.listen(hour(0) + 2 * MINUTE_MS, hour(0))
    assert story.standing() == ["silent:DA002.rto"]
    everybody(story, hour(0) + 10 * MINUTE_MS, "DA002.rto", "DA002.nmhc")
    story.listen(hour(0) + 10 * MINUTE_MS, hour(0))
    assert story.standing() == ["silent_outlet:DA002"]
    assert story.told() == [("raised", "silent"), ("raised", "outlet_silent")]


def test_whole_plant_silent_is_one_alarm(story: Story) -> None:
    """When nothing speaks any more that is one alarm, not one a point."""
    everybody(story, hour(0))
    story.listen(hour(1), hour(0))
    assert story.standing() == ["silent:*"]
    assert story.told() == [("raised", "outlet_silent")]


def test_broker_away_changes_nothing(story: Story) -> None:
    """While the broker is away the silence behind it is not told, and what stood stays: unknown is no change."""
    everybody(story, hour(0))
    everybody(story, hour(0) + 10 * MINUTE_MS, "N1.leq")
    story.listen(hour(0) + 10 * MINUTE_MS, hour(0))
    story.listen(hour(1), hour(0), broker_is_away=True)
    assert story.standing() == ["silent:N1.leq"]
    story.listen(hour(2) + 10_000, hour(2))
    everybody(story, hour(2) + 4 * MINUTE_MS, "N1.leq")
    story.listen(hour(2) + 4 * MINUTE_MS, hour(2))
    assert (story.standing(), story.told()) == (["silent:N1.leq"], [("raised", "silent")])


# Restarts


def whole_story(story: Story) -> None:
    """Live through a warning, a breach, an excursion, over range, silence, an acknowledgement and late data."""
    live(story, 46.0, 60.0, 70.0)
    story.settle(closing(2) + 40 * MINUTE_MS)
    cold(story, hour(4), [820.0] + [700.0] * 5)
    cold(story, hour(4) + 60_000, [690.0] * 3)
    story.send([(hour(4) + 2 * MINUTE_MS, "DA002.nmhc", 1000.0, "T")])
    story.send([(hour(4) + 3 * MINUTE_MS, "DA002.nmhc", 20.0, "N")])
    story.listen(hour(4) + 20 * MINUTE_MS, hour(4))
    cold(story, hour(4) + 30 * MINUTE_MS, [800.0])
    story.acknowledge(2, hour(4) + 31 * MINUTE_MS)
    live(story, 60.0, 30.0, first=5)
    story.hour("DA002.nmhc", hour(-40), 80.0, now_ms=closing(6))
    story.settle(closing(6))
    story.settle(closing(12))


def outbox_of(story: Story) -> list[object]:
    """Give the outbox without what is drawn by chance."""
    return [
        replace(one, message_id="", thread=bool(one.thread) or None)  # type: ignore[arg-type]
        for one in story.messages()
    ]


def test_state_survives_restarts(tmp_path: Path) -> None:
    """With a new pipeline on the same store before every step the same alarms stand and the same mails are queued."""
    told = []
    for name, restarts in (("one", False), ("many", True)):
        (tmp_path / name).mkdir()
        story = Story(tmp_path / name, PLANT, restarts=restarts)
        whole_story(story)
        told.append((outbox_of(story), story.alarms()))
        story.close()
    assert told[0] == told[1]
    assert {mail.event for mail in told[0][0]} == {"raised", "escalated", "cleared", "corrected"}  # type: ignore[attr-defined]


# Data that comes late


def test_old_breaches_are_summed_up(story: Story) -> None:
    """Breaches found in data more than a day old go into the register and one mail, however they trickle in."""
    live(story, 30.0)
    for wait, turn in enumerate((-50, -49, -48)):
        story.hour("DA002.nmhc", hour(turn), 80.0 - turn, now_ms=closing(0) + wait * 4 * MINUTE_MS)
        story.settle(closing(0) + wait * 4 * MINUTE_MS)
    story.settle(closing(1))
    verdict = story.verdict("nmhc", hour(-49))
    assert verdict is not None
    assert verdict.outcome is Outcome.EXCEED
    assert story.told() == [("corrected", "corrected")]
    assert [one["start"] for one in story.messages()[0].facts["breaches"]] == [hour(-50), hour(-49), hour(-48)]
    assert story.standing() == []


def test_three_hours_of_downtime(story: Story) -> None:
    """What the broker kept for three hours is told in the order of its hours when we are back."""
    live(story, 30.0)
    rows = [
        (hour(turn) + at, "DA002.nmhc", value, "N")
        for turn, value in ((1, 60.0), (2, 30.0), (3, 70.0))
        for at in range(0, HOUR_MS, MINUTE_MS)
    ]
    story.send(rows, closing(3))
    story.settle(closing(3) + MINUTE_MS)
    assert [(mail.event, mail.facts["start"]) for mail in story.messages()] == [
        ("raised", hour(1)), ("cleared", hour(1)), ("again", hour(1)),
    ]  # fmt: skip
    assert story.standing() == ["breach:nmhc"]


def test_breach_found_in_late_data_is_told(story: Story) -> None:
    """A closed hour that late readings turn into a breach is told, though a newer hour has complied."""
    live(story, 30.0)
    story.send([(hour(1) + turn * MINUTE_MS, "DA002.nmhc", 30.0, "N") for turn in range(10)])
    story.settle(closing(1))
    live(story, 30.0, first=2)
    story.send([(hour(1) + turn * MINUTE_MS, "DA002.nmhc", 90.0, "N") for turn in range(10, 60)], closing(2))
    story.settle(closing(2))
    assert story.told() == []
    story.settle(closing(2) + 6 * MINUTE_MS)
    assert story.told() == [("corrected", "corrected")]
    assert story.standing() == []


def test_breach_told_before_is_not_told_late(story: Story) -> None:
    """A late reading that changes the value of a breach everybody knows of sends no other mail."""
    story.send([(hour(0) + turn * MINUTE_MS, "DA002.nmhc", 60.0, "N") for turn in range(50)])
    story.settle(closing(0))
    live(story, 70.0, first=1)
    story.send([(hour(0) + 55 * MINUTE_MS, "DA002.nmhc", 90.0, "N")], closing(1))
    for wait_ms in (0, 6 * MINUTE_MS):
        story.settle(closing(1) + wait_ms)
    assert "corrected" not in [mail[0] for mail in story.mails()]
    story.send([(hour(0) + 56 * MINUTE_MS, "DA002.nmhc", 95.0, "N")], closing(1) + 2 * DAY_MS)
    for wait_ms in (0, 6 * MINUTE_MS):
        story.settle(closing(1) + 2 * DAY_MS + wait_ms)
    assert "corrected" not in [mail[0] for mail in story.mails()]


def test_excursion_in_late_readings_is_told(story: Story) -> None:
    """Readings that come late and out of order, and breached long enough, are told by their hour's verdict."""
    cold(story, hour(0), [820.0])
    cold(story, hour(1), [820.0])
    story.send([(hour(0) + 600_000 + turn * 10_000, "DA002.rto", 700.0, "N") for turn in range(8)], hour(1) + MINUTE_MS)
    story.settle(closing(1))
    story.settle(closing(1) + 6 * MINUTE_MS)
    assert story.told() == [("corrected", "corrected")]


def test_stopped_plant_is_not_told_of_a_newer_limit(story: Story) -> None:
    """A condition that is unknown changes nothing."""
    unknown = Condition("broker_away:", "broker_away", Severity.DATA, None, hour(0), hour(0), {})
    story.apply([unknown], hour(0))
    story.apply([replace(unknown, is_bad=True)], hour(0))
    story.apply([unknown], hour(0))
    assert (story.told(), story.standing()) == ([("raised", "broker_away")], ["broker_away:"])


@pytest.mark.parametrize(
    "settle", [pytest.param(lambda s: None, id="at once"), pytest.param(lambda s: s.settle(closing(0)), id="settled")]
)
def test_alarm_of_a_breach_and_its_row_are_one(story: Story, settle: Callable[[Story], None]) -> None:
    """An undone batch leaves neither readings nor alarm nor mail."""
    story.now_ms = hour(0)

    def fail(connection: object) -> None:
        batch = story.pipeline.checker.check([])
        batch.ts, batch.point, batch.value = [hour(0)], [story.pipeline.numbers["DA002.nmhc"]], [5000.0]
        batch.flag, batch.arrival, batch.source = [0], [hour(0)], [0]
        story.pipeline.take(connection, batch, MESSAGES, hour(0))  # type: ignore[arg-type]
        raise RuntimeError("killed before the commit")

    with pytest.raises(RuntimeError):
        story.store.write(fail)
    with story.store.readers.snapshot() as connection:
        story.pipeline.undone(connection, hour(0))
    settle(story)
    assert (story.alarms(), story.mails()) == ([], [])
    story.send([(hour(0), "DA002.nmhc", 5000.0, "N")])
    assert story.told() == [("raised", "over_range")]
