"""This module tells of leaks: meters that do not add up, and nights in which nothing falls asleep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import a_plant, a_point
from story import FEEDS, Row, Story

from plantmon.model.plant import Balance, Kind, Plant, Point, Register
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
MONDAY = TIME.parse("2026-03-02")
QUARTER_MS = 15 * MINUTE_MS


def meter(name: str, parent: str | None = None, unit: str = "m3") -> Point:
    """Give a water meter read every quarter of an hour."""
    register = Register((), None, None, None, parent, None)
    return a_point(name, quantity="water", unit=unit, kind=Kind.COUNTER, interval_ms=QUARTER_MS, range_low=None,
                   range_high=None, register=register)  # fmt: skip


METERS = (meter("W"), meter("W-NORTH", "W"), meter("W-SOUTH", "W", "L"))
DAILY = Balance("W", ("W-NORTH", "W-SOUTH"), 0.08, "1d", 3.0)
UNITS = {"W": 1.0, "W-NORTH": 1.0, "W-SOUTH": 1000.0}


def plant(balance: Balance | None = DAILY) -> Plant:
    """Give a plant with a water main and two meters below it."""
    return a_plant(METERS, (), feeds=FEEDS, balances=() if balance is None else (balance,))


class Water(Story):
    """A story of meters: each runs at a rate until it is told another."""

    def __init__(self, folder: Path, plant: Plant, *, restarts: bool = False, begins: int = MONDAY) -> None:
        super().__init__(folder, plant, restarts=restarts)
        self._level = dict.fromkeys(UNITS, 1000.0)
        self._at = begins
        self.send([(begins, name, level, "N") for name, level in self._level.items()])

    def flows(self, until: int, rates: Mapping[str, float], *silent: str) -> None:
        """Let m3/h flow until an instant; the registers of `silent` meters go on unread."""
        rows: list[Row] = []
        while self._at < until:
            self._at += QUARTER_MS
            for name, rate in rates.items():
                self._level[name] += rate * UNITS[name] / 4
                if name not in silent:
                    rows.append((self._at, name, self._level[name], "N"))
        self.send(rows, until)

    def look(self, at: int) -> list[tuple[str, str]]:
        """Close what is over an hour later and look for leaks; give what was said."""
        before = len(self.mails())
        self.settle(at + HOUR_MS)
        self.pipeline.watch_leaks(self.now_ms)
        self.settle(self.now_ms)
        return self.told()[before:]


def day(turn: int, hour: int = 0) -> int:
    """Give an hour of a day: 0 is Monday."""
    return MONDAY + turn * DAY_MS + hour * HOUR_MS


@pytest.fixture(params=[False, True], ids=["", "restarted before every step"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Water]:
    """Give the plant on a Monday at midnight."""
    told = Water(tmp_path, plant(), restarts=request.param)
    yield told
    told.close()


TIGHT = {"W": 10.0, "W-NORTH": 6.0, "W-SOUTH": 3.5}  # 0.5 of 10 unexplained
LEAKING = {"W": 12.0, "W-NORTH": 6.0, "W-SOUTH": 4.5}  # 1.5 of 12
ASLEEP = {"W": 2.0, "W-NORTH": 1.0, "W-SOUTH": 1.0}


def lives(story: Water, turn: int, rates: Mapping[str, float], night: Mapping[str, float] = ASLEEP) -> None:
    """Live a day: the night to five, then these rates."""
    story.flows(day(turn, 5), night)
    story.flows(day(turn + 1), rates)


def test_leak_is_said_and_ends_with_the_first_good_day(story: Water) -> None:
    """A tight Monday says nothing; Tuesday and Wednesday leak: one mail; Thursday is tight again: the end."""
    lives(story, 0, TIGHT)
    assert story.look(day(1)) == []
    lives(story, 1, LEAKING)
    assert story.look(day(2)) == [("raised", "balance")]
    facts = story.messages()[-1].facts
    # 5 x 2 + 19 x 12 = 238; below it 5 x 2 + 19 x 10.5 = 209.5: 28.5 of 238.
    assert (facts["value"], facts["bound"], facts["unit"]) == (pytest.approx(28.5 / 238 * 100), 8.0, "%")
    assert (facts["start"], facts["end"]) == (day(1), day(2))
    assert facts["detail"] == "W 238 - (W-NORTH 119 + W-SOUTH 90.5) = 28.5 m3"
    lives(story, 2, LEAKING)
    assert story.look(day(3)) == []
    lives(story, 3, TIGHT)
    assert story.look(day(4)) == [("cleared", "balance")]
    assert story.standing() == []


def test_days_that_are_not_wholly_known_change_nothing(story: Water) -> None:
    """A child that is not read over midnight leaves the split of its amount open: no alarm, and no end of one."""
    lives(story, 0, LEAKING)
    assert story.look(day(1)) == [("raised", "balance")]
    story.flows(day(1, 5), ASLEEP)
    story.flows(day(1, 22), TIGHT)
    story.flows(day(2, 2), TIGHT, "W-SOUTH")
    story.flows(day(2, 6), ASLEEP)
    assert story.look(day(2, 6)) == []  # Tuesday's end is cut by the gap
    story.flows(day(3), TIGHT)
    assert story.look(day(3)) == []  # and so is Wednesday's beginning
    assert story.standing() == ["balance:W"]
    lives(story, 3, TIGHT)
    assert story.look(day(4)) == [("cleared", "balance")]


def test_children_that_count_more_are_no_leak(story: Water) -> None:
    """What is measured below and not above is a meter's fault, and no water is lost."""
    lives(story, 0, TIGHT | {"W-NORTH": 9.0})
    assert story.look(day(1)) == []


def test_night_that_does_not_fall_asleep(story: Water) -> None:
    """With 3.5 m3/h all night a warning in the morning; the first night with one hour at 3 ends it."""
    busy = {"W": 3.5, "W-NORTH": 1.5, "W-SOUTH": 2.0}
    lives(story, 0, TIGHT)
    story.flows(day(1, 5), busy)
    assert story.look(day(1, 5)) == [("raised", "night_minimum")]
    facts = story.messages()[-1].facts
    assert (facts["value"], facts["bound"], facts["unit"]) == (pytest.approx(3.5), 3.0, "m3/h")
    assert (facts["start"], facts["end"]) == (day(1), day(1, 5))
    story.flows(day(2, 3), TIGHT)
    assert story.look(day(2, 3)) == []  # this night is not over
    story.flows(day(2, 4), {"W": 3.0, "W-NORTH": 1.0, "W-SOUTH": 2.0})
    story.flows(day(2, 5), busy)
    assert story.look(day(2, 5)) == [("cleared", "night_minimum")]


def test_each_hour(tmp_path: Path) -> None:
    """A balance over an hour follows the newest hour."""
    story = Water(tmp_path, plant(replace(DAILY, window="1h", night_minimum=None)))
    for hour, rates, said in ((3, LEAKING, [("raised", "balance")]), (4, LEAKING, []), (5, TIGHT, ["cleared"])):
        story.flows(day(0, hour), rates)
        assert [one if one in said else one[0] for one in story.look(day(0, hour))] == said
    story.close()


def test_each_month(tmp_path: Path) -> None:
    """A balance over a month waits for a month that is whole: March, which was measured from the last of February."""
    start = TIME.parse("2026-02-28")
    story = Water(tmp_path, plant(replace(DAILY, window="1mo", night_minimum=None)), begins=start)
    story.flows(day(29, 23), LEAKING)
    assert story.look(day(29, 23)) == []
    story.flows(day(30), LEAKING)
    assert story.look(day(30)) == [("raised", "balance")]
    facts = story.messages()[-1].facts
    assert (facts["start"], facts["end"]) == (TIME.parse("2026-03-01"), TIME.parse("2026-04-01"))
    story.close()


def test_a_balance_that_left_the_plant_file_ends(tmp_path: Path) -> None:
    """What is watched no more does not stand for ever."""
    story = Water(tmp_path, plant())
    lives(story, 0, LEAKING)
    assert story.look(day(1)) == [("raised", "balance")]
    story.close()
    later = Story(tmp_path, replace(plant(None), version="another"))
    later.settle(day(1, 2))
    later.pipeline.watch_leaks(later.now_ms)
    later.settle(later.now_ms)
    assert later.told()[-1] == ("cleared", "balance")
    assert later.standing() == []
    later.close()
