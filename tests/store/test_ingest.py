"""This module proves what becomes of readings at the store's door: stored once, refused with a reason, and marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import a_limit, a_plant, a_point
from story import FEEDS, Story

from plantmon.feed.check import Message
from plantmon.model.plant import Kind
from plantmon.model.reading import flag_code
from plantmon.store import dirty, points, readings, rejected, values
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

HOUR = 1_772_380_800_000
NOX = a_point("DA001.nox", interval_ms=MINUTE_MS)
METER = a_point("E-MAIN", kind=Kind.COUNTER, quantity="electricity", unit="kWh", interval_ms=15 * MINUTE_MS)
PLANT = a_plant((NOX, METER), (a_limit(NOX, key="nox"),), feeds=FEEDS)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Give a plant with a monitor and a meter."""
    told = Story(tmp_path, PLANT)
    told.now_ms = HOUR
    yield told
    told.close()


def a_message(ts: int = HOUR, value: float = 40.0, point: str = "DA001/nox", **changes: Any) -> Message:
    """Give a reading's message."""
    flag = changes.pop("flag", "N")
    return Message(f"p/{point}", json.dumps({"ts": ts, "value": value, "flag": flag}).encode(), HOUR)._replace(
        **changes
    )


def stored(story: Story, point: str = "DA001.nox") -> list[tuple[int, float, int]]:
    """Give what stands of a point."""
    with story.store.readers.snapshot() as connection:
        rows = readings.of_point(connection, story.pipeline.numbers[point], 0, 1 << 62)
    return [(row.ts_ms, row.value, row.flag) for row in rows]


def refused(story: Story) -> list[tuple[str, int]]:
    """Give reasons and counts."""
    with story.store.readers.snapshot() as connection:
        return [(row[0], row[2]) for row in rejected.totals(connection)]


def counts(story: Story) -> tuple[int, int, int]:
    """Give readings, repeats, refusals counted."""
    with story.store.readers.snapshot() as connection:
        return (
            values.number(connection, "readings"),
            values.number(connection, "repeats"),
            values.number(connection, "rejected"),
        )


@pytest.mark.parametrize("point", ["DA001/nox", "meter/E-MAIN"])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_redelivery_is_one_row(story: Story, point: str, together: bool) -> None:
    """An equal value again is a redelivery whatever its flag: the first stands, and it is counted as a repeat."""
    both = [a_message(point=point), a_message(point=point, flag="M")]
    for batch in [both] if together else [[one] for one in both]:
        story.deliver(batch)
    assert stored(story, "DA001.nox" if "nox" in point else "E-MAIN") == [(HOUR, 40.0, 0)]
    assert (refused(story), counts(story)) == ([], (1, 1, 0))


@pytest.mark.parametrize("point", ["DA001/nox", "meter/E-MAIN"])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_conflict_is_refused(story: Story, point: str, together: bool) -> None:
    """A different value for the same point and time is refused as a conflict; the first in order of arrival stands."""
    both = [a_message(point=point, value=40.0), a_message(point=point, value=41.0)]
    for batch in [both] if together else [[one] for one in both]:
        story.deliver(batch)
    assert [row[1] for row in stored(story, "DA001.nox" if "nox" in point else "E-MAIN")] == [40.0]
    assert (refused(story), counts(story)) == ([("conflict", 1)], (1, 0, 1))


def test_conflict_inside_one_message(story: Story) -> None:
    """Of two values for one time in one column the first stands and the other is a conflict with its payload."""
    body = {"point": "DA001.nox", "ts": [HOUR, HOUR + 1, HOUR], "values": [40, 41, 42]}
    story.deliver([Message("p/batch", json.dumps(body).encode(), HOUR)])
    assert [row[1] for row in stored(story)] == [40.0, 41.0]
    with story.store.readers.snapshot() as connection:
        (row,) = rejected.payloads(connection, "conflict", 10)
    assert (row[3], row[4]) == ("DA001.nox", HOUR)
    assert "value 42" in row[5]
    assert "stored 40" in row[5]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"value": 5000.0}, id="a contradiction above range"),
        pytest.param({"flag": "T"}, id="a redelivery with flag T"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_what_is_not_stored_raises_no_alarm(story: Story, second: dict[str, Any], together: bool) -> None:
    """A value that contradicts or repeats a stored one is not judged, alone or beside a fresh reading."""
    both = [a_message(), a_message(**second)]
    for batch in [both] if together else [[both[0]], [both[1], a_message(HOUR - 1000)]]:
        story.deliver(batch)
    assert (story.alarms(), story.told()) == ([], [])


def test_late_reading_over_range_is_no_news(story: Story) -> None:
    """A reading older than the newest of its point neither raises nor ends the alarm about its range."""
    story.deliver([a_message(HOUR)])
    story.deliver([a_message(HOUR - HOUR_MS, 2000.0, flag="T")])
    assert story.standing() == []
    story.deliver([a_message(HOUR + MINUTE_MS, 2000.0, flag="T")])
    story.deliver([a_message(HOUR - 2 * MINUTE_MS)])
    assert story.standing() == ["over_range:DA001.nox"]


@pytest.mark.parametrize(
    ("ahead_ms", "reason"),
    [
        pytest.param(PLANT.rules.future_ms, None, id="as far ahead as allowed"),
        pytest.param(PLANT.rules.future_ms + 1, "future", id="in the future"),
        pytest.param(-PLANT.rules.lateness_ms, None, id="as late as allowed"),
        pytest.param(-PLANT.rules.lateness_ms - 1, "too_old", id="too old"),
    ],
)
def test_time_has_bounds(story: Story, ahead_ms: int, reason: str | None) -> None:
    """A reading beyond the allowed lead or lateness is refused with its time; one at the bound is stored."""
    story.deliver([a_message(HOUR + ahead_ms), a_message(HOUR - 5)])
    assert len(stored(story)) == (2 if reason is None else 1)
    assert refused(story) == ([] if reason is None else [(reason, 1)])


def test_good_readings_of_a_batch_message_are_stored(story: Story) -> None:
    """Of one message the readings in time are stored, the others refused one by one."""
    body = {"point": "DA001.nox", "ts": [HOUR, HOUR + DAY_MS, HOUR - 99 * DAY_MS], "values": [1, 2, 3]}
    story.deliver([Message("p/batch", json.dumps(body).encode(), HOUR)])
    assert [row[1] for row in stored(story)] == [1.0]
    assert sorted(refused(story)) == [("future", 1), ("too_old", 1)]


def test_flags_are_evidence(story: Story) -> None:
    """A flagged or out-of-range reading is stored with its flag."""
    story.deliver([a_message(HOUR, -99.0), a_message(HOUR + 1, 5000.0, flag="D")])
    assert stored(story) == [(HOUR, -99.0, 0), (HOUR + 1, 5000.0, flag_code("D"))]


def test_retained_message_does_not_show_life(story: Story) -> None:
    """A retained message is stored under its own time, and nobody is heard by it."""
    story.deliver([a_message(retain=True)])
    assert len(stored(story)) == 1
    with story.store.readers.snapshot() as connection:
        life = points.lives(connection)["DA001.nox"]
    assert (life.heard_ms, life.spoken_ms, life.first_ms) == (None, None, HOUR)
    story.now_ms += MINUTE_MS
    story.deliver([a_message(HOUR + MINUTE_MS, arrival_ms=HOUR + MINUTE_MS)])
    with story.store.readers.snapshot() as connection:
        life = points.lives(connection)["DA001.nox"]
    assert (life.heard_ms, life.spoken_ms) == (HOUR + MINUTE_MS, HOUR + MINUTE_MS)


def test_touched_minutes_are_marked(story: Story) -> None:
    """Each batch marks the hours and minutes of the points it touched, and nothing else."""
    story.deliver(
        [a_message(HOUR), a_message(HOUR + 61_000), a_message(HOUR - 1), a_message(HOUR, point="meter/E-MAIN")]
    )
    with story.store.readers.snapshot() as connection:
        marks = {(mark.hour, mark.point): mark.minutes for mark in dirty.touched(connection, 10)}
    nox, meter = story.pipeline.numbers["DA001.nox"], story.pipeline.numbers["E-MAIN"]
    assert marks == {(HOUR, nox): 0b11, (HOUR - HOUR_MS, nox): 1 << 59, (HOUR, meter): 1}


def test_redelivery_marks_nothing(story: Story) -> None:
    """A batch that brings nothing new asks for no computing."""
    story.deliver([a_message()])
    story.settle(HOUR + 2 * HOUR_MS)
    story.deliver([a_message()])
    with story.store.readers.snapshot() as connection:
        assert dirty.touched(connection, 10) == []
