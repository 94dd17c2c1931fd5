"""This module tells of windows that still run: where they are heading, and who hears of it before it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point, an_outlet
from story import FEEDS, Row, Story

from plantmon.compliance.outlook import Outlook
from plantmon.model.alarm import State
from plantmon.model.plant import Basis, Kind, Plant, Running
from plantmon.model.verdict import Outcome
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, to_ms

MIDNIGHT = to_ms(datetime(2026, 3, 3, tzinfo=ZoneInfo("Asia/Shanghai")))
EIGHT = MIDNIGHT + 8 * HOUR_MS
NMHC = a_point("DA002.nmhc", quantity="nmhc", interval_ms=MINUTE_MS, range_high=1000.0)
FLOW = a_point("DA002.flow", quantity="gas_flow", unit="m3/h", interval_ms=MINUTE_MS, range_low=0.0, range_high=5e5)
OXYGEN = a_point("DA001.o2", quantity="oxygen", unit="%", interval_ms=MINUTE_MS, range_low=0.0, range_high=25.0)
NOX = a_point("DA001.nox", interval_ms=MINUTE_MS)
LEQ = a_point("N1.leq", quantity="sound_level", unit="dB", kind=Kind.ENERGY, interval_ms=MINUTE_MS, range_high=140.0)
COD = a_point("DW001.cod", quantity="cod", unit="mg/L", interval_ms=HOUR_MS)
WATER = a_point("DW001.flow", quantity="water_flow", unit="m3/h", interval_ms=MINUTE_MS, range_low=0.0)
PH = a_point("DW001.ph", quantity="ph", unit="pH", interval_ms=MINUTE_MS, range_low=0.0, range_high=14.0)
RTO_PLANT = a_plant((NMHC,), (a_limit(NMHC, key="nmhc"),), feeds=FEEDS)


@pytest.fixture(params=[False, True], ids=["", "restarted before every step"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """Give a coating line at eight in the morning."""
    told = Story(tmp_path, RTO_PLANT, restarts=request.param)
    yield told
    told.close()


def look(story: Story, now_ms: int) -> list[Outlook]:
    """Let the stages do what is due, then look ahead, as the daemon does."""
    story.settle(now_ms)
    return story.pipeline.outlook(now_ms)


def live(story: Story, minutes: range, value: Callable[[int], float]) -> list[Outlook]:
    """Live minute by minute after eight, looking ahead at the end of each; give the last look."""
    found: list[Outlook] = []
    for minute in minutes:
        story.send([(EIGHT + minute * MINUTE_MS, "DA002.nmhc", value(minute), "N")])
        found = look(story, EIGHT + (minute + 1) * MINUTE_MS)
    return found


def test_rto_trip_is_warned_of_before_the_hour_is_lost(story: Story) -> None:
    """The RTO trips at 08:10: a warning at 08:15, when the hour still can be saved; then the breach, and it alone."""

    def tripped(minute: int) -> float:
        return 20.0 if minute < 10 else 120.0

    live(story, range(14), tripped)
    assert story.told() == []
    (one,) = live(story, range(14, 15), tripped)
    assert story.mails()[0][:2] == ("raised", "outlook")
    assert story.mails()[0][3] == EIGHT + 15 * MINUTE_MS
    # 200 + 600 are in; ten minutes with a mean of 70 go on for 45; 3000 - 800 are left for 45.
    assert (one.value, one.projected, one.exhausted) == (
        pytest.approx(800 / 15), pytest.approx((800 + 45 * 70) / 60), False,
    )  # fmt: skip
    assert one.allowed == pytest.approx(2200 / 45)
    # Lost with the 24th minute at 120: 200 + 24 x 120 > 3000.
    (before,) = live(story, range(15, 33), tripped)
    (lost,) = live(story, range(33, 34), tripped)
    assert (before.exhausted, lost.exhausted, lost.allowed) == (False, True, None)
    live(story, range(34, 62), tripped)
    assert story.told() == [("raised", "outlook"), ("raised", "breach")]
    assert story.standing() == ["breach:nmhc"]
    (warning, breach) = story.alarms()
    assert (warning.state, warning.until_ms) == (State.NORMAL, EIGHT + HOUR_MS)
    assert breach.facts["value"] == pytest.approx((200 + 50 * 120) / 60)
    live(story, range(62, 122), tripped)  # the next hour goes the same way, and nobody needs a warning
    assert story.told().count(("raised", "outlook")) == 1


def test_short_spike_is_warned_of_once_and_cleared(story: Story) -> None:
    """Eight minutes at 150 look bad at 08:15; when they are over the warning ends with a mail, the hour complies."""

    def spiked(minute: int) -> float:
        return 150.0 if 10 <= minute < 18 else 20.0

    live(story, range(62), spiked)
    assert story.told() == [("raised", "outlook"), ("cleared", "outlook")]
    (warning,) = story.alarms()
    assert warning.until_ms is not None
    assert EIGHT + 18 * MINUTE_MS < warning.until_ms < EIGHT + 30 * MINUTE_MS
    verdict = story.verdict("nmhc", EIGHT)
    assert verdict is not None
    assert (verdict.outcome, verdict.value) == (Outcome.OK, pytest.approx((8 * 150 + 52 * 20) / 60))


def test_two_spikes_are_one_warning(story: Story) -> None:
    """A window that was warned of and recovered is not warned of again while it can be saved."""

    def spiked(minute: int) -> float:
        return 150.0 if 10 <= minute < 16 or 32 <= minute < 38 else 10.0

    live(story, range(62), spiked)
    assert story.told() == [("raised", "outlook"), ("cleared", "outlook")]


def test_warning_that_stands_at_the_end_ends_with_the_hour(story: Story) -> None:
    """An hour at 50.5 is warned of; a last minute at 0 saves it, and the warning ends without a mail."""
    live(story, range(63), lambda minute: 0.0 if minute == 59 else 50.5)
    assert story.told() == [("raised", "outlook")]
    assert story.standing() == []
    verdict = story.verdict("nmhc", EIGHT)
    assert verdict is not None
    assert verdict.outcome is Outcome.OK


def test_over_range_counts_with_its_bound(story: Story) -> None:
    """An analyser at its range's end is as bad as its end, and more: nobody waits for 45 minutes of it."""
    rows: list[Row] = [(EIGHT + minute * MINUTE_MS, "DA002.nmhc", 1200.0, "N") for minute in range(4)]
    rows += [(EIGHT + minute * MINUTE_MS, "DA002.nmhc", 10.0, "N") for minute in range(4, 20)]
    story.send(rows, EIGHT + 20 * MINUTE_MS)
    (one,) = look(story, EIGHT + 20 * MINUTE_MS)
    assert (one.value, one.at_least, one.exhausted) == ((4 * 1000 + 16 * 10) / 20, True, True)
    assert ("raised", "outlook") in story.told()


def test_stopped_minutes_are_out(tmp_path: Path) -> None:
    """Minutes in which the source stands are neither in nor to come; those to come may run."""
    outlet = an_outlet("DA002", (NMHC, FLOW), running=Running("DA002.flow", 5000.0, None))
    plant = a_plant((NMHC, FLOW), (a_limit(NMHC, key="nmhc"),), feeds=FEEDS, outlets={"DA002": outlet})
    story = Story(tmp_path, plant)
    for minute in range(30):
        runs = minute >= 12
        at = EIGHT + minute * MINUTE_MS
        story.send([(at, "DA002.nmhc", 40.0 if runs else 500.0, "N"), (at, "DA002.flow", 9000.0 if runs else 0.0, "N")])
    (one,) = look(story, EIGHT + 30 * MINUTE_MS)
    assert (one.value, one.parts, one.to_come) == (40.0, 18, 30)
    assert one.allowed == pytest.approx((50 * 48 - 18 * 40) / 30)
    story.close()


def test_a_late_minute_is_still_to_come(story: Story) -> None:
    """A minute that is over but not there yet is to come until its point's grace is over."""
    story.send([(EIGHT + minute * MINUTE_MS, "DA002.nmhc", 40.0, "N") for minute in range(20)], EIGHT + 21 * MINUTE_MS)
    assert [look(story, EIGHT + minute * MINUTE_MS)[0].to_come for minute in (20, 21, 22, 23)] == [40, 40, 40, 39]


def test_ph_tells_its_median_alone(tmp_path: Path) -> None:
    """Of pH the median of the minutes with discharge is told, and nothing of the rest."""
    limit = a_limit(PH, key="ph", basis=Basis.LEVEL, minimum=6.0, maximum=9.0)
    outlet = an_outlet("DW001", (PH, WATER), kind="water")
    story = Story(tmp_path, a_plant((PH, WATER), (limit,), feeds=FEEDS, outlets={"DW001": outlet}))
    for minute, acid in enumerate([7.0, 8.8, 8.9, 9.4, 12.0]):
        at = EIGHT + minute * MINUTE_MS
        story.send([(at, "DW001.ph", acid, "N"), (at, "DW001.flow", 0.0 if minute == 4 else 10.0, "N")])
    (one,) = look(story, EIGHT + 5 * MINUTE_MS)
    assert (one.value, one.parts, one.allowed, one.projected) == (pytest.approx(8.85), 4, None, None)
    assert (one.side, one.bound) == ("max", 9.0)
    story.close()


# The outlook of each kind of limit against its verdict


@dataclass(frozen=True)
class Case:
    """A plant whose limit's window runs; `now_ms` is when one looks, `rest` sends the rest at a value of the limit."""

    plant: Plant
    start: int
    so_far: list[Row]
    now_ms: int
    rest: Callable[[float], list[Row]]
    closes_ms: int


def _minutes(point: str, first: int, end: int, value: float) -> list[Row]:
    return [(at, point, value, "N") for at in range(first, end, MINUTE_MS)]


def plain_hour() -> Case:
    """37 minutes of an hour are in."""
    now = EIGHT + 37 * MINUTE_MS
    return Case(
        RTO_PLANT, EIGHT, _minutes("DA002.nmhc", EIGHT, now, 43.21), now,
        lambda value: _minutes("DA002.nmhc", now, EIGHT + HOUR_MS, value), EIGHT + HOUR_MS + 3 * MINUTE_MS,
    )  # fmt: skip


def converted_hour() -> Case:
    """Half an hour is in, at a reference oxygen of 3.5 %; what is sent is the measured concentration."""
    outlet = an_outlet("DA001", (NOX, OXYGEN), reference_oxygen_pct=3.5)
    plant = a_plant((NOX, OXYGEN), (a_limit(NOX, key="nmhc"),), feeds=FEEDS, outlets={"DA001": outlet})
    now, end = EIGHT + 30 * MINUTE_MS, EIGHT + HOUR_MS
    so_far = _minutes("DA001.nox", EIGHT, now, 30.0) + _minutes("DA001.o2", EIGHT, now, 8.0)

    def rest(value: float) -> list[Row]:
        raw = value * (21 - 6.0) / (21 - 3.5)
        return _minutes("DA001.nox", now, end, raw) + _minutes("DA001.o2", now, end, 6.0)

    return Case(plant, EIGHT, so_far, now, rest, end + 3 * MINUTE_MS)


def rate() -> Case:
    """kg/h of an hour whose flow goes on as it was."""
    limit = a_limit(NMHC, key="nmhc", basis=Basis.RATE, unit="kg/h", maximum=8.0)
    now, end = EIGHT + 40 * MINUTE_MS, EIGHT + HOUR_MS
    so_far = _minutes("DA002.nmhc", EIGHT, now, 60.0) + _minutes("DA002.flow", EIGHT, now, 125_000.0)

    def rest(value: float) -> list[Row]:
        return _minutes("DA002.nmhc", now, end, value * 8) + _minutes("DA002.flow", now, end, 125_000.0)

    return Case(a_plant((NMHC, FLOW), (limit,), feeds=FEEDS), EIGHT, so_far, now, rest, end + 3 * MINUTE_MS)


def day_of_air() -> Case:
    """Ten hours of a day are in, of the running one nothing yet."""
    plant = a_plant((NMHC,), (a_limit(NMHC, key="nmhc", window="1d"),), feeds=FEEDS)
    begun = MIDNIGHT + 10 * HOUR_MS
    so_far = [row for turn in range(10) for row in _minutes(
        "DA002.nmhc", MIDNIGHT + turn * HOUR_MS, MIDNIGHT + (turn + 1) * HOUR_MS, 40.0 + turn
    )]  # fmt: skip
    return Case(
        plant, MIDNIGHT, so_far, begun + 2 * MINUTE_MS,
        lambda value: _minutes("DA002.nmhc", begun, MIDNIGHT + DAY_MS, value), MIDNIGHT + DAY_MS + 3 * MINUTE_MS,
    )  # fmt: skip


def day_period() -> Case:
    """Five of sixteen hours of a day period are in."""
    limit = a_limit(LEQ, key="nmhc", basis=Basis.LEVEL, window="day-period", maximum=64.0)
    six, now = MIDNIGHT + 6 * HOUR_MS, MIDNIGHT + 11 * HOUR_MS
    return Case(
        a_plant((LEQ,), (limit,), feeds=FEEDS), six, _minutes("N1.leq", six, now, 61.3), now,
        lambda value: _minutes("N1.leq", now, MIDNIGHT + 22 * HOUR_MS, value), MIDNIGHT + 22 * HOUR_MS + 3 * MINUTE_MS,
    )  # fmt: skip


def day_of_water() -> Case:
    """Ten hourly results are in, five minutes past each hour; 12 m3/h go on."""
    outlet = an_outlet("DW001", (COD, WATER), kind="water")
    limit = a_limit(COD, key="nmhc", window="1d", maximum=100.0)
    now, until = MIDNIGHT + 10 * HOUR_MS + 2 * MINUTE_MS, MIDNIGHT + DAY_MS + 3 * HOUR_MS

    def results(first: int, end: int, value: float) -> list[Row]:
        return [(MIDNIGHT + turn * HOUR_MS + 5 * MINUTE_MS, "DW001.cod", value, "N") for turn in range(first, end)]

    return Case(
        a_plant((COD, WATER), (limit,), feeds=FEEDS, outlets={"DW001": outlet}), MIDNIGHT,
        results(0, 4, 90.0) + results(4, 10, 70.0) + _minutes("DW001.flow", MIDNIGHT, now, 12.0), now,
        lambda value: results(10, 24, value) + results(24, 26, 1.0) + _minutes("DW001.flow", now, until, 12.0),
        until + 3 * HOUR_MS,
    )  # fmt: skip


# By hand: what the rest may have.
CASES = {
    plain_hour: (50 * 60 - 43.21 * 37) / 23,
    converted_hour: 100 - 30 * 17.5 / 13,
    rate: (8 * 60 - 7.5 * 40) / 20,
    day_of_air: (50 * 24 - 445) / 14,
    day_period: None,  # in energy, below
    day_of_water: (100 * 24 - 4 * 90 - 6 * 70) / 14,
}


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
@pytest.mark.parametrize(("more", "outcome"), [(0.0, Outcome.OK), (1e-6, Outcome.EXCEED)])
def test_the_allowed_rest_complies(tmp_path: Path, make: Callable[[], Case], more: float, outcome: Outcome) -> None:
    """When the rest has exactly what it may have the window complies, with a millionth more it does not."""
    case = make()
    story = Story(tmp_path, case.plant)
    story.send(case.so_far, case.now_ms)
    (one,) = look(story, case.now_ms)
    assert (one.start, one.exhausted) == (case.start, False)
    assert one.allowed is not None
    if CASES[make] is not None:
        assert one.allowed == pytest.approx(CASES[make], rel=1e-9)
    story.send(case.rest(one.allowed * (1 + more)), max(at for at, *_ in case.rest(0.0)))
    story.settle(case.closes_ms)
    verdict = story.verdict("nmhc", case.start)
    assert verdict is not None
    assert (verdict.outcome, verdict.value) == (outcome, pytest.approx(one.bound, rel=0.01))
    story.close()


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_value_so_far_goes_on_as_projected(tmp_path: Path, make: Callable[[], Case]) -> None:
    """When the rest goes on like the recent part the window's value is the one projected."""
    case = make()
    story = Story(tmp_path, case.plant)
    story.send(case.so_far, case.now_ms)
    (one,) = look(story, case.now_ms)
    assert one.recent is not None
    story.send(case.rest(one.recent), max(at for at, *_ in case.rest(0.0)))
    story.settle(case.closes_ms)
    verdict = story.verdict("nmhc", case.start)
    assert verdict is not None
    assert verdict.value == pytest.approx(one.projected, rel=1e-9)
    story.close()


def test_a_day_is_warned_of_from_six_hours_on(tmp_path: Path) -> None:
    """A day of 60 mg/m3 is warned of once six hours are in, not before."""
    plant = a_plant((NMHC,), (a_limit(NMHC, key="day", window="1d"),), feeds=FEEDS)
    story = Story(tmp_path, plant)
    for turn in range(7):
        story.hour("DA002.nmhc", MIDNIGHT + turn * HOUR_MS, 60.0)
        look(story, MIDNIGHT + (turn + 1) * HOUR_MS + 2 * MINUTE_MS)
        assert story.told() == ([] if turn < 5 else [("raised", "outlook")])
    story.close()
