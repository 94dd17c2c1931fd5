"""This module proves how hours make a day."""

from __future__ import annotations

from typing import Any

import pytest
from builders import a_point, some_rules

from plantmon.averages.rounding import significant_one
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Kind
from plantmon.model.window import Window
from plantmon.times import DAY_MS, HOUR_MS
from plantmon.windows.counter import CUT_END, CUT_START
from plantmon.windows.day import day_of_hours, energy_day

START = 1_772_380_800_000
ALL = (1 << 60) - 1


def an_hour(turn: int, mean: float | None = 10.0, **changes: Any) -> Window:
    """Make an hour of a gauge, valid where it has a mean."""
    given: dict[str, Any] = {
        "mean": mean, "minimum": mean, "maximum": mean, "due": 60, "had": 60 if mean is not None else 0,
        "valid": 60 if mean is not None else 0, "readings": 360 if mean is not None else 0,
        "is_valid": mean is not None,
    }  # fmt: skip
    return Window("1h", START + turn * HOUR_MS, START + (turn + 1) * HOUR_MS, 1, **given | changes)


def day(hours: list[Window], kind: Kind = Kind.GAUGE, length_ms: int = DAY_MS) -> Window:
    """Make a day of hours."""
    return day_of_hours(a_point(kind=kind), 1, some_rules(), START, START + length_ms, hours)


@pytest.mark.parametrize(
    ("valid", "ran", "is_valid"),
    [
        pytest.param(20, None, True, id="20 of 24"),
        pytest.param(19, None, False, id="19 of 24"),
        pytest.param(12, 16, True, id="12 of 16"),
        pytest.param(11, 16, False, id="11 of 16"),
        pytest.param(6, 8, True, id="6 of 8"),
        pytest.param(5, 8, False, id="5 of 8"),
        pytest.param(0, 0, False, id="never ran"),
    ],
)
def test_valid_day(valid: int, ran: int | None, is_valid: bool) -> None:
    """A day is valid by the hours its source ran: 20 of 24, 12 of 16, 6 of 8."""
    masks = [None if ran is None else ALL if turn < ran else 0 for turn in range(24)]
    found = day([an_hour(turn, 10.0 if turn < valid else None, ran=masks[turn]) for turn in range(24)])
    assert (found.valid, found.ran, found.is_valid) == (valid, ran, is_valid)


def test_hours_that_stood_are_not_counted_as_valid() -> None:
    """Valid hours in which the source stood do not help a day that lacks running ones."""
    hours = [
        an_hour(turn, 10.0 if turn < 11 or turn >= 16 else None, ran=ALL if turn < 16 else 0) for turn in range(24)
    ]
    assert (day(hours).valid, day(hours).is_valid) == (11, False)


def test_an_hour_ran_when_any_minute_ran() -> None:
    """One running minute makes an hour run."""
    assert day([an_hour(turn, ran=1 << 59) for turn in range(24)]).ran == 24


def test_day_means_valid_hours() -> None:
    """An hour that is not valid is not in the mean, though its readings are in extremes and count."""
    found = day([an_hour(turn, float(turn)) for turn in range(22)] + [an_hour(22, 500.0, is_valid=False, valid=44)])
    assert found.mean == 10.5
    assert (found.minimum, found.maximum, found.readings) == (0.0, 500.0, 23 * 360)
    assert (found.due, found.had, found.valid) == (24, 23, 22)


@pytest.mark.parametrize(("hours", "due"), [(23, 23), (24, 24), (25, 25)])
def test_local_days_have_23_to_25_hours(hours: int, due: int) -> None:
    """A day of the clock change has 23 or 25 hours due."""
    assert day([], length_ms=hours * HOUR_MS).due == due


def test_lower_bound_takes_each_hour_at_its_own() -> None:
    """Hours over range stand at their bound, the others at their mean; too few of both prove nothing."""
    hours = [an_hour(turn) for turn in range(19)] + [an_hour(19, 10.0, lower_bound=900.0, over_range=3)]
    assert day(hours).lower_bound == significant_one((19 * 10 + 900) / 20)
    assert day(hours[1:]).lower_bound is None
    assert day(hours[:19]).lower_bound is None


def test_nothing_measured() -> None:
    """A day of nothing has no mean and is not valid."""
    found = day([])
    assert (found.mean, found.minimum, found.lower_bound, found.is_valid, found.had) == (None, None, None, False, 0)


def test_sound_day_runs_over_minutes() -> None:
    """A sound level's day weighs each minute alike, though one of its hours has half the minutes."""
    full, half = MinuteBlock.empty(), MinuteBlock.empty()
    for made, count, level in ((full, 60, 60.0), (half, 30, 70.0)):
        made.had[:count] = made.valid[:count] = 1
        made.mean[:count] = made.low[:count] = made.high[:count] = level
    found = energy_day(day([an_hour(0, 60.0), an_hour(1, 70.0)], Kind.ENERGY), [full, half])
    assert found.mean == pytest.approx(66.0205999132796, rel=1e-11)  # 10 lg((60 x 10^6 + 30 x 10^7) / 90)


def test_counters_day_is_the_sum_of_its_hours() -> None:
    """A meter's day adds its hours in integers, and is complete when every millisecond is covered."""
    hours = [an_hour(turn, None, amount=7 + turn, had=HOUR_MS, valid=HOUR_MS) for turn in range(24)]
    found = day(hours, Kind.COUNTER)
    assert (found.amount, found.valid, found.is_valid) == (24 * 7 + 276, DAY_MS, True)
    assert not day(hours[1:], Kind.COUNTER).is_valid


def test_unknown_amount_is_not_zero() -> None:
    """A meter's day of unknown hours is unknown."""
    assert day([an_hour(turn, None) for turn in range(24)], Kind.COUNTER).amount is None


def test_counters_day_is_estimated_at_its_own_edges_only() -> None:
    """A gap inside the day has its exact total there; one across midnight makes the day estimated."""
    inside = [an_hour(turn, None, amount=1, estimated=CUT_START + CUT_END if turn == 5 else 0) for turn in range(24)]
    assert day(inside, Kind.COUNTER).estimated == 0
    across = [an_hour(turn, None, amount=1, estimated=CUT_END if turn == 23 else 0) for turn in range(24)]
    assert day(across, Kind.COUNTER).estimated == CUT_END
