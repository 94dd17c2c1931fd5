"""This module proves when minutes look wrong: values that do not move, and values that jump - by hand."""

from __future__ import annotations

from typing import Any

import pytest
from builders import a_point

from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Checks, Point
from plantmon.times import HOUR_MS, MINUTE_MS
from plantmon.windows.suspicion import Found, look, reach_hours

HOUR = 1_000 * HOUR_MS
ALL = (1 << 60) - 1


def point(**changes: Any) -> Point:
    """Give a one-minute monitor that is stuck after 30 minutes and jumps by more than 50."""
    return a_point(**{"interval_ms": MINUTE_MS, "checks": Checks(30 * MINUTE_MS, 50.0)} | changes)


def block(values: dict[int, float | tuple[float, float]]) -> MinuteBlock:
    """Make an hour of minutes: one value, or low and high."""
    made = MinuteBlock.empty()
    for minute, value in values.items():
        low, high = value if isinstance(value, tuple) else (value, value)
        made.had[minute] = made.valid[minute] = 1
        made.low[minute], made.high[minute], made.mean[minute] = low, high, (low + high) / 2
    return made


def moving(first: int, end: int) -> dict[int, float | tuple[float, float]]:
    """Give minutes whose value moves, by less than a jump."""
    return {minute: 20.0 + minute % 7 for minute in range(first, end)}


def seen(*hours: dict[int, float | tuple[float, float]], own: int = 0, ran: int | None = None, **changes: Any) -> Found:
    """Look at one of some hours side by side."""
    around = [(HOUR + place * HOUR_MS, block(values), ran) for place, values in enumerate(hours)]
    return look(point(**changes), HOUR + own * HOUR_MS, around)


def pieces(found: Found) -> list[tuple[str, int, int]]:
    """Give what was found: kind, first minute, end."""
    return [(one.kind, (one.start - HOUR) // MINUTE_MS, (one.end - HOUR) // MINUTE_MS) for one in found.pieces]


def is_bad(found: Found) -> dict[str, bool]:
    """Give how each kind stands at the hour's end."""
    return {one.kind: one.found is not None for one in found.newest}


def stuck(first: int, end: int, value: float = 20.5) -> dict[int, float | tuple[float, float]]:
    """Give minutes of one value."""
    return dict.fromkeys(range(first, end), value)


@pytest.mark.parametrize(("minutes", "expected"), [(29, []), (30, [("stuck", 10, 40)]), (31, [("stuck", 10, 41)])])
def test_thirty_minutes_of_one_value(minutes: int, expected: list[tuple[str, int, int]]) -> None:
    """One value for 30 minutes is stuck, for 29 it is not."""
    values = moving(0, 10) | stuck(10, 10 + minutes) | moving(10 + minutes, 60)
    assert pieces(seen(values)) == expected


def test_a_minute_that_moves_within_ends_it() -> None:
    """A minute whose readings differ moved, though its mean is the same."""
    values = stuck(0, 60) | {29: (20.0, 21.0)}
    assert pieces(seen(values)) == [("stuck", 30, 60)]


def test_values_must_come() -> None:
    """Minutes without readings are no stuck value: a gap of more than two intervals ends the run."""
    assert pieces(seen(stuck(0, 20) | stuck(23, 43))) == []
    assert pieces(seen(stuck(0, 20) | stuck(21, 41))) == [("stuck", 0, 41)]


def test_nought_of_a_stopped_source_is_right() -> None:
    """Exactly 0 while the source is stopped does not count; another value, or 0 of a running source, does."""
    zero = stuck(0, 60, 0.0)
    assert pieces(seen(zero, ran=0)) == []
    assert pieces(seen(zero, ran=ALL)) == pieces(seen(zero)) == [("stuck", 0, 60)]
    assert pieces(seen(stuck(0, 60), ran=0)) == [("stuck", 0, 60)]
    assert pieces(seen(zero, ran=(1 << 40) - 1)) == [("stuck", 0, 40)]


def test_a_run_over_the_hour_is_seen_from_both_sides() -> None:
    """Twenty minutes before the hour and ten after it are one run; each hour keeps its piece."""
    before, after = moving(0, 40) | stuck(40, 60), stuck(0, 10) | moving(10, 60)
    assert pieces(seen(before, after, own=0)) == [("stuck", 40, 60)]
    assert pieces(seen(before, after, own=1)) == [("stuck", 60, 70)]
    assert pieces(seen(before, own=0)) == []


@pytest.mark.parametrize(
    ("hours", "own", "expected"),
    [
        pytest.param([stuck(0, 60)], 0, True, id="still stuck"),
        pytest.param([stuck(0, 35) | moving(35, 60)], 0, True, id="became stuck in this hour"),
        pytest.param([stuck(0, 60), stuck(0, 35) | moving(35, 60)], 1, False, id="moves again"),
        pytest.param([moving(0, 50) | stuck(50, 60), stuck(0, 25) | moving(25, 60)], 1, True, id="over the edge"),
        pytest.param([moving(0, 60)], 0, False, id="never was"),
    ],
)
def test_how_a_stuck_value_stands_at_the_end(hours: list[Any], own: int, expected: bool) -> None:
    """It is bad while it lasts and in the hour in which it became so, and well once the values move."""
    assert is_bad(seen(*hours, own=own))["stuck"] == expected


def test_an_hour_without_values_says_nothing() -> None:
    """Where nothing came nothing is known."""
    assert seen({}) == Found()
    assert seen(stuck(0, 60), {}, own=1) == Found()


def test_jump() -> None:
    """A step of more than 50 between two minutes is a jump at the later one, up or down; 50 itself is not."""
    found = seen({0: 10.0, 1: 60.0, 2: 110.5, 3: 20.0, 4: 20.5})
    assert pieces(found) == [("jump", 2, 3), ("jump", 3, 4)]
    assert [one.detail for one in found.pieces] == ["60 -> 110.5", "110.5 -> 20"]
    assert is_bad(found)["jump"]


def test_jump_of_a_float_sum() -> None:
    """60.1 - 10.1 is 50 to 12 digits."""
    assert pieces(seen({0: 10.1, 1: 60.1})) == []


def test_jump_over_the_hour_belongs_to_the_later() -> None:
    """The last minute of the hour before is the first one's neighbour."""
    hours: list[Any] = [{59: 10.0}, {0: 90.0, 1: 91.0}]
    assert pieces(seen(*hours, own=1)) == [("jump", 60, 61)]
    assert pieces(seen(*hours, own=0)) == []


def test_neighbours_are_two_intervals_apart() -> None:
    """What lies further apart had time to change; a slow point's values are neighbours over its intervals."""
    assert pieces(seen({0: 10.0, 3: 90.0})) == []
    assert pieces(seen({0: 10.0, 20: 90.0}, interval_ms=10 * MINUTE_MS)) == [("jump", 20, 21)]


def test_slow_values_last_an_interval() -> None:
    """Three equal values ten minutes apart are half an hour of one value."""
    assert pieces(seen({0: 20.5, 10: 20.5, 20: 20.5, 30: 21.0}, interval_ms=10 * MINUTE_MS)) == [("stuck", 0, 30)]


def test_each_check_is_asked_for() -> None:
    """What the plant file does not ask for is not looked for."""
    values = stuck(0, 50) | {50: 200.0}
    assert pieces(seen(values, checks=Checks(jump=50.0))) == [("jump", 50, 51)]
    assert pieces(seen(values, checks=Checks(stuck_ms=30 * MINUTE_MS))) == [("stuck", 0, 50)]
    assert seen(values, checks=None) == Found()


@pytest.mark.parametrize(("stuck_ms", "hours"), [(None, 1), (30 * MINUTE_MS, 1), (HOUR_MS, 2), (6 * HOUR_MS, 7)])
def test_how_far_a_minute_reaches(stuck_ms: int | None, hours: int) -> None:
    """So many hours on each side can be seen otherwise when one changes."""
    assert reach_hours(point(checks=Checks(stuck_ms, 1.0))) == hours
