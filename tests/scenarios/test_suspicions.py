"""This module proves what becomes of values that do not move or jump, and of devices whose clocks are wrong."""

from __future__ import annotations

import random
from pathlib import Path

from builders import a_limit, a_plant, a_point, an_outlet, some_rules
from story import FEEDS, Row, Story

from plantmon.alarms.device_clock import DeviceClocks, Spoken
from plantmon.model.plant import Checks, Running
from plantmon.reports.query import rows_of
from plantmon.store import points, suspects
from plantmon.store.suspects import Row as Found
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

HOUR = 1_583_020_800_000
NOX = a_point("DA001.nox", interval_ms=MINUTE_MS, checks=Checks(30 * MINUTE_MS, 50.0))
FLOW = a_point("DA001.flow", quantity="gas_flow", unit="m3/h", interval_ms=MINUTE_MS, range_high=1e6)
OUTLET = an_outlet("DA001", (NOX, FLOW), running=Running("DA001.flow", 5000.0, None))
PLANT = a_plant((NOX, FLOW), (a_limit(NOX, maximum=1000.0),), feeds=FEEDS, outlets={"DA001": OUTLET})


def minutes(values: dict[int, float], first: int = 0, end: int = 60) -> list[Row]:
    """Give minutes of NOx that move, with some values instead."""
    return [
        (HOUR + minute * MINUTE_MS, NOX.id, values.get(minute, 20.0 + minute % 7), "N") for minute in range(first, end)
    ]


def stuck(first: int, end: int) -> dict[int, float]:
    """Give minutes of one value."""
    return dict.fromkeys(range(first, end), 41.2)


def found(story: Story) -> list[Found]:
    """Give what is kept of the first hours."""
    with story.store.readers.snapshot() as connection:
        return suspects.span(connection, story.pipeline.numbers[NOX.id], HOUR, HOUR + DAY_MS)


def span(first: int, end: int, kind: str, detail: str) -> Found:
    """Give a piece by its minutes."""
    return (HOUR + first * MINUTE_MS, HOUR + end * MINUTE_MS, kind, detail)


def closed(story: Story, hours: int) -> None:
    """Let so many hours close."""
    story.settle(HOUR + hours * HOUR_MS + 5 * MINUTE_MS)


def test_a_stuck_value_is_told_once_and_cleared_when_it_moves(tmp_path: Path) -> None:
    """A value that stands from 8:40 to 10:10 is one data alarm, raised at the first hour's end 30 minutes on."""
    story = Story(tmp_path, PLANT, restarts=True)
    story.send(minutes(stuck(40, 130), 0, 60))
    closed(story, 1)
    assert story.alarms() == []
    story.send(minutes(stuck(40, 130), 60, 120))
    closed(story, 2)
    (alarm,) = story.alarms()
    assert (alarm.kind, alarm.severity, alarm.since_ms) == ("stuck", "data", HOUR + 40 * MINUTE_MS)
    assert (alarm.facts["point"], alarm.facts["value"], alarm.facts["unit"]) == (NOX.id, 41.2, "mg/m3")
    story.send(minutes(stuck(40, 130), 120, 180))
    closed(story, 3)
    assert story.told() == [("raised", "stuck"), ("cleared", "stuck")]
    pieces = [span(first, end, "stuck", "41.2") for first, end in ((40, 60), (60, 120), (120, 130))]
    assert found(story) == pieces
    story.close()


def test_a_jump_is_told_and_ends_with_the_next_quiet_hour(tmp_path: Path) -> None:
    """A step of more than 50 mg/m3 is a data alarm until an hour without one closes; silence changes nothing."""
    story = Story(tmp_path, PLANT)
    story.send(minutes({30: 120.0}))
    closed(story, 1)
    (alarm,) = story.alarms()
    assert (alarm.key, alarm.facts["detail"]) == ("jump:DA001.nox", "120 -> 23 mg/m3")
    assert found(story) == [span(30, 31, "jump", "21 -> 120"), span(31, 32, "jump", "120 -> 23")]
    closed(story, 2)
    assert story.standing() == ["jump:DA001.nox"]
    story.send(minutes({}, 120, 180))
    closed(story, 3)
    assert story.told() == [("raised", "jump"), ("cleared", "jump")]
    story.close()


def test_nought_at_rest_is_no_stuck_value(tmp_path: Path) -> None:
    """A stopped source measures nothing for an hour: nobody is told, and its windows are as ever."""
    story = Story(tmp_path, PLANT)
    story.send([(HOUR + minute * MINUTE_MS, FLOW.id, 80.0 + minute % 3, "N") for minute in range(60)])
    story.send(minutes(dict.fromkeys(range(60), 0.0)))
    closed(story, 1)
    assert (found(story), story.alarms()) == ([], [])
    story.close()


def test_old_hours_tell_nobody(tmp_path: Path) -> None:
    """What is found in hours more than a day old is kept and raises no alarm."""
    story = Story(tmp_path, PLANT)
    story.send(minutes(stuck(0, 60)), HOUR + 3 * DAY_MS)
    story.settle(HOUR + 3 * DAY_MS)
    assert found(story) == [span(0, 60, "stuck", "41.2")]
    assert story.alarms() == []
    story.close()


def test_the_order_of_arrival_does_not_show(tmp_path: Path) -> None:
    """The same readings in order, shuffled, and with the middle late leave the same suspicions; so does a recompute."""
    values = stuck(40, 130) | {150: 120.0, 180: 90.0}
    rows = minutes(values, 0, 240)
    mixed = list(rows)
    random.Random(3).shuffle(mixed)
    kept = []
    halves = [rows[first : first + 30] for first in range(0, 240, 30)]
    ways = ([rows], halves, [mixed], [mixed[:100], mixed[100:]], [rows[:60], rows[130:], rows[60:130]])
    for place, pieces in enumerate(ways):
        (tmp_path / str(place)).mkdir()
        story = Story(tmp_path / str(place), PLANT)
        for piece in pieces:
            story.send(piece, max(story.now_ms, *(row[0] for row in piece)))
            story.settle(story.now_ms)
        closed(story, 5)
        kept.append(found(story))
        number = story.pipeline.numbers[NOX.id]
        story.store.write(lambda connection, number=number: suspects.replace(connection, number, HOUR, HOUR * 2, []))  # type: ignore[misc]
        story.pipeline.recompute(HOUR, HOUR + DAY_MS, story.now_ms)
        kept.append(found(story))
        story.close()
    assert all(one == kept[0] for one in kept)
    assert [one[2] for one in kept[0]] == ["stuck", "stuck", "stuck", "jump", "jump", "jump", "jump"]


def test_query_shows_what_is_suspicious(tmp_path: Path) -> None:
    """Minutes are listed with what makes them suspicious, and without that column where nothing does."""
    story = Story(tmp_path, PLANT)
    story.send(minutes(stuck(0, 40) | {50: 120.0}))
    closed(story, 1)
    number = story.pipeline.numbers[NOX.id]
    with story.store.readers.snapshot() as connection:
        headings, rows = rows_of(connection, PLANT, NOX, number, HOUR, HOUR + HOUR_MS, "1min", "en")
        plain, _ = rows_of(connection, PLANT, NOX, number, HOUR + 52 * MINUTE_MS, HOUR + HOUR_MS, "1min", "en")
    assert headings[-1] == "suspect"
    assert [row[-1] for row in rows] == ["stuck"] * 40 + [None] * 10 + ["jump", "jump"] + [None] * 8
    assert "suspect" not in plain
    story.close()


def test_a_check_that_left_the_plant_file_ends_its_alarm(tmp_path: Path) -> None:
    """Nobody is reminded for ever of what is not looked at any more."""
    story = Story(tmp_path, PLANT)
    story.send(minutes({30: 120.0}))
    closed(story, 1)
    story.close()
    without = Story(tmp_path, a_plant((a_point(NOX.id, interval_ms=MINUTE_MS), FLOW), (), feeds=FEEDS))
    assert without.pipeline.alarms.end_orphans(HOUR + 2 * HOUR_MS) == 1
    assert without.standing() == []
    without.close()


def look(story: Story, clocks: DeviceClocks, now_ms: int) -> None:
    """Look at the clocks, as the daemon does every second."""
    with story.store.readers.snapshot() as connection:
        lives, ahead = points.lives(connection), points.ahead(connection)
    spoken = {name: Spoken(life.spoken_ms, life.heard_ms, ahead.get(name)) for name, life in lives.items()}
    story.apply(clocks.conditions(spoken, now_ms), now_ms)


def test_a_device_whose_clock_is_behind(tmp_path: Path) -> None:
    """A monitor two hours behind is told after twenty minutes of it, once, and cleared when its clock is set."""
    plant = a_plant((NOX,), (), feeds=FEEDS, rules=some_rules(clock_off_ms=20 * MINUTE_MS))
    story, clocks = Story(tmp_path, plant), DeviceClocks(plant)
    for minute in range(60):
        now_ms = HOUR + minute * MINUTE_MS
        lag_ms = 2 * HOUR_MS if minute < 40 else 0
        story.send([(now_ms - lag_ms, NOX.id, 20.0 + minute % 7, "N")], now_ms)
        story.store.write(lambda connection, now_ms=now_ms: story.pipeline.ingest.note_lives(connection, now_ms))  # type: ignore[misc]
        look(story, clocks, now_ms)
    (alarm,) = story.alarms()
    assert alarm.until_ms == HOUR + 40 * MINUTE_MS
    story.settle(alarm.until_ms + HOUR_MS)
    assert [mail[:2] + mail[3:] for mail in story.mails()] == [
        ("raised", "device_clock", HOUR + 21 * MINUTE_MS),
        ("cleared", "device_clock", HOUR + HOUR_MS + 40 * MINUTE_MS),
    ]  # fmt: skip
    assert (alarm.facts["point"], alarm.facts["detail"]) == (NOX.id, "behind by 2h")
    story.close()


def test_a_device_whose_clock_is_ahead(tmp_path: Path) -> None:
    """A monitor an hour ahead is refused and told at once; ten minutes after it was set all is well."""
    plant = a_plant((NOX,), (), feeds=FEEDS)
    story, clocks = Story(tmp_path, plant), DeviceClocks(plant)
    for minute in range(40):
        now_ms = HOUR + minute * MINUTE_MS
        lead_ms = HOUR_MS if minute < 20 else 0
        story.send([(now_ms + lead_ms, NOX.id, 20.0 + minute % 7, "N")], now_ms)
        story.store.write(lambda connection, now_ms=now_ms: story.pipeline.ingest.note_lives(connection, now_ms))  # type: ignore[misc]
        look(story, clocks, now_ms)
    (alarm,) = story.alarms()
    assert alarm.until_ms == HOUR + 30 * MINUTE_MS
    assert [mail[:2] + mail[3:] for mail in story.mails()] == [("raised", "device_clock", HOUR)]
    story.close()
