"""This module tells what becomes of a device whose own means differ from what its readings give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import a_plant, a_point, an_outlet
from story import FEEDS, Story

from plantmon.feed.check import Message
from plantmon.model.plant import FeedSpec
from plantmon.reports import query
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, to_ms
from simulators.messages import hj212_means
from simulators.plant import SimulatedPlant

MN = "A12345678901234567890001"
MIDNIGHT = to_ms(datetime(2026, 3, 3, tzinfo=ZoneInfo("Asia/Shanghai")))
GRACE_MS = 2 * MINUTE_MS
NOX = a_point("DA001.nox", interval_ms=MINUTE_MS)
PM = a_point("DA001.pm", quantity="pm", interval_ms=MINUTE_MS)
FRAMES = FeedSpec("hj212/{mn}", "hj212", 1, "ts", "value", "unit", "flag", False)
PLANT = a_plant((NOX, PM), (), feeds=(*FEEDS, FRAMES), outlets={"DA001": an_outlet("DA001", (NOX, PM), mn=MN)})
SIMULATED = SimulatedPlant()
KEY = "reported_differs:DA001.nox"


class Reporting(Story):
    """A story whose device speaks for itself besides."""

    def report(self, start: int, mean: float, cn: str = "2061", now_ms: int | None = None) -> None:
        """Have the device report NOx."""
        self._step(now_ms if now_ms is not None else self.now_ms)
        topic, payload = hj212_means(SIMULATED, MN, start, {"DA001.nox": mean}, cn)
        self.deliver([Message(topic, payload, self.now_ms)])
        self.settle(self.now_ms)


def hour(turn: int) -> int:
    """Give the start of an hour: 0 is midnight."""
    return MIDNIGHT + turn * HOUR_MS


def closing(turn: int) -> int:
    """Give the instant an hour is closed."""
    return hour(turn + 1) + GRACE_MS


@pytest.fixture(params=[False, True], ids=["one daemon", "restarted before every step"])
def story(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Reporting]:
    """Give a stack at midnight."""
    told = Reporting(tmp_path, PLANT, restarts=request.param)
    yield told
    told.close()


def live(story: Reporting, *pairs: tuple[float, float], first: int = 0) -> None:
    """Live hours of these readings, each reported as this mean two seconds after its end."""
    for turn, (value, said) in enumerate(pairs, first):
        story.hour("DA001.nox", hour(turn), value)
        story.report(hour(turn), said, now_ms=hour(turn + 1) + 2_000)
        story.settle(closing(turn))


def test_one_that_agrees_is_nothing(story: Reporting) -> None:
    """A tenth apart is within the setting."""
    live(story, (50.0, 55.0), (50.0, 45.0))
    assert story.alarms() == []


def test_one_alarm_until_the_next_agrees(story: Reporting) -> None:
    """Hours that differ are one alarm and one mail; the next that agrees ends it, and says so."""
    live(story, (50.0, 50.0), (50.0, 60.0), (50.0, 60.0))
    [alarm] = story.alarms()
    assert (alarm.key, alarm.severity, alarm.since_ms) == (KEY, "data", hour(1))
    facts = {name: alarm.facts[name] for name in ("outlet", "point", "window", "start", "reported", "own", "unit")}
    assert facts == {
        "outlet": "DA001", "point": "DA001.nox", "window": "1h", "start": hour(1), "reported": 60.0, "own": 50.0,
        "unit": "mg/m3",
    }  # fmt: skip
    live(story, (50.0, 50.0), first=3)
    assert story.standing() == []
    assert story.told() == [("raised", "reported_differs"), ("cleared", "reported_differs")]


def test_order_of_arrival_does_not_matter(story: Reporting) -> None:
    """A report that comes after its window closed is compared like one that came before."""
    story.hour("DA001.nox", hour(0), 50.0)
    story.settle(closing(0))
    story.report(hour(0), 60.0, now_ms=closing(0) + MINUTE_MS)
    assert story.standing() == [KEY]


def test_late_readings_end_it(story: Reporting) -> None:
    """A window that late readings change is compared again."""
    story.send([(hour(0) + at, "DA001.nox", 40.0, "N") for at in range(0, HOUR_MS - 10 * MINUTE_MS, MINUTE_MS)])
    story.report(hour(0), 50.0, now_ms=hour(1) + 2_000)
    story.settle(closing(0))
    assert story.standing() == [KEY]
    late = [(hour(0) + 50 * MINUTE_MS + at, "DA001.nox", 100.0, "N") for at in range(0, 10 * MINUTE_MS, MINUTE_MS)]
    story.send(late, closing(0))
    story.settle(closing(0))
    assert story.standing() == []


def test_what_cannot_be_compared_moves_nothing(story: Reporting) -> None:
    """Without a valid hour of our own there is nothing to say, neither bad nor good."""
    story.report(hour(0), 60.0, now_ms=hour(1))
    story.send([(hour(1) + at, "DA001.nox", 50.0, "N") for at in range(0, 30 * MINUTE_MS, MINUTE_MS)])
    story.report(hour(1), 60.0, now_ms=hour(2))
    story.settle(closing(1))
    assert story.alarms() == []


def test_levels_are_one_alarm(story: Reporting) -> None:
    """Minute data that agrees does not end what the hours began."""
    live(story, (50.0, 60.0))
    for place in range(6):
        story.report(hour(0) + place * 10 * MINUTE_MS, 50.0, "2051")
    assert story.standing() == [KEY]
    live(story, (50.0, 50.0), first=1)
    assert story.standing() == []


def test_minute_data(story: Reporting) -> None:
    """Ten minutes are compared with our minutes of them, once their hour is closed."""
    rows = [
        (hour(0) + at, "DA001.nox", 50.0 if at < HOUR_MS // 2 else 90.0, "N") for at in range(0, HOUR_MS, MINUTE_MS)
    ]
    story.send(rows)
    story.report(hour(0) + 20 * MINUTE_MS, 50.0, "2051", hour(1))
    story.report(hour(0) + 30 * MINUTE_MS, 50.0, "2051", hour(1))
    assert story.standing() == []
    story.settle(closing(0))
    assert story.standing() == [KEY]


def test_days(story: Reporting) -> None:
    """A day that differs is told once it is closed."""
    for turn in range(24):
        story.hour("DA001.nox", hour(turn), 50.0)
    story.settle(closing(23))
    story.report(MIDNIGHT, 60.0, "2031", closing(23) + MINUTE_MS)
    assert [alarm.facts["window"] for alarm in story.alarms()] == ["1d"]


def test_old_figures_move_no_alarm(story: Reporting) -> None:
    """What is older than a day is compared and kept, and nobody is told."""
    live(story, (50.0, 50.0))
    story.hour("DA001.nox", hour(-48), 50.0, now_ms=closing(0))
    story.settle(closing(0))
    story.report(hour(-48), 60.0)
    assert story.alarms() == []
    with story.store.readers.snapshot() as connection:
        [(compared,)] = connection.execute("SELECT compared FROM reported WHERE start = ?", (hour(-48),))
    assert compared == "differs"


def test_setting(tmp_path: Path) -> None:
    """The plant file says how far is too far."""
    told = Reporting(tmp_path, replace(PLANT, rules=replace(PLANT.rules, reported_difference=0.25)))
    live(told, (50.0, 60.0))
    assert told.standing() == []
    live(told, (50.0, 63.0), first=1)
    assert told.standing() == [KEY]
    told.close()


def test_query_shows_both(story: Reporting) -> None:
    """`query` shows the reported mean beside ours where a device reports, and no such column elsewhere."""
    live(story, (50.0, 52.0))
    story.hour("DA001.nox", hour(1), 60.0)
    story.hour("DA001.pm", hour(0), 5.0)
    story.settle(closing(1))
    with story.store.readers.snapshot() as connection:
        given = [
            query.rows_of(connection, PLANT, point, story.pipeline.numbers[point.id], MIDNIGHT, MIDNIGHT + DAY_MS, "1h")
            for point in (NOX, PM)
        ]
    headings, rows = given[0]
    assert [(row[1], row[headings.index("reported")]) for row in rows] == [(50.0, 52.0), (60.0, None)]
    assert "reported" not in given[1][0]
