"""This module proves what counts as a reading, and how readings become minutes, hours and days."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.averages.mean import HourMean, Minutes, PointTable, classify, mean_of_block, mean_of_hours, minutes_of
from plantmon.averages.rounding import significant_one
from plantmon.model.minutes import MinuteBlock
from plantmon.model.reading import Columns, flag_code
from plantmon.times import HOUR_MS, MINUTE_MS

NOX, LEQ, OPEN = 1, 2, 3
TABLE = PointTable(
    np.array([np.nan, -5.0, 20.0, np.nan]),
    np.array([np.nan, 2000.0, 140.0, np.nan]),
    np.array([False, False, True, False]),
)
START = 1_772_380_800_000
Row = tuple[int, int, float, str]  # ms after the start, point, value, flag


def columns(rows: Sequence[Row]) -> Columns:
    """Make readings of rows."""
    return Columns(
        np.array([START + row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        np.array([flag_code(row[3]) for row in rows], np.int64),
    )


def minute(*readings: tuple[float, str], point: int = NOX) -> Minutes:
    """Average one minute of readings ten seconds apart."""
    return minutes_of(
        columns([(turn * 10_000, point, value, flag) for turn, (value, flag) in enumerate(readings)]), TABLE, 0
    )


@pytest.mark.parametrize(
    ("value", "flag", "valid", "over", "taken"),
    [
        pytest.param(41.2, "N", True, False, 41.2, id="normal"),
        pytest.param(2000.0, "N", True, False, 2000.0, id="at the range's end"),
        pytest.param(2000.1, "N", False, True, 2000.0, id="unflagged above range, as T"),
        pytest.param(2000.0, "T", False, True, 2000.0, id="T at the range's end"),
        pytest.param(900.0, "T", False, True, 2000.0, id="T below the range's end, at the end"),
        pytest.param(-5.0, "N", True, False, -5.0, id="at the range's beginning"),
        pytest.param(-99.0, "N", False, False, -99.0, id="below range is invalid and no lower bound"),
        pytest.param(5000.0, "D", False, False, 5000.0, id="D with a high value is not over range"),
        pytest.param(41.2, "M", False, False, 41.2, id="maintenance"),
        pytest.param(41.2, "C", False, False, 41.2, id="calibration"),
        pytest.param(41.2, "S", False, False, 41.2, id="typed by hand"),
        pytest.param(41.2, "B", False, False, 41.2, id="communication lost"),
        pytest.param(41.2, "F", False, False, 41.2, id="stopped by flag"),
    ],
)
def test_what_counts(value: float, flag: str, valid: bool, over: bool, taken: float) -> None:
    """Only N within the range counts; T, and N above the range, is a lower bound at the range's end."""
    is_valid, is_over, used = classify(columns([(0, NOX, value, flag)]), TABLE)
    assert (bool(is_valid[0]), bool(is_over[0]), float(used[0])) == (valid, over, taken)


def test_open_range_bounds_nothing() -> None:
    """A point without range has no value out of range, and its T stands for the value sent."""
    valid, over, used = classify(columns([(0, OPEN, 1e9, "N"), (1, OPEN, -1e9, "N"), (2, OPEN, 7.0, "T")]), TABLE)
    assert (valid.tolist(), over.tolist(), used.tolist()) == (
        [True, True, False],
        [False, False, True],
        [1e9, -1e9, 7.0],
    )


def test_minute_of_mixed_readings() -> None:
    """A minute with valid and over-range readings is valid by the valid ones and has a bound with all of them."""
    found = minute((10, "N"), (20, "N"), (31, "N"), (99, "M"), (-99, "N"), (2001, "N"))
    assert (found.had[0], found.valid[0], found.over[0]) == (6, 3, 1)
    assert found.mean[0] == significant_one(61 / 3)
    assert (found.low[0], found.high[0]) == (10, 31)
    assert found.bound[0] == significant_one(2061 / 4)


def test_minute_over_range_only() -> None:
    """A minute of T alone has no mean, only its bound."""
    found = minute((2000, "T"), (1999, "T"))
    assert np.isnan([found.mean[0], found.low[0], found.high[0]]).all()
    assert (found.had[0], found.valid[0], found.bound[0]) == (2, 0, 2000)


def test_energy_minute() -> None:
    """60 dB and 70 dB in one minute are 67.4036 dB, not 65."""
    assert minute((60, "N"), (70, "N"), point=LEQ).mean[0] == pytest.approx(67.40362689494244, rel=1e-12)


def test_what_cancels_out_is_zero() -> None:
    """A minute of 0.1, 0.2 and -0.3 has the mean 0, not what binary fractions leave over."""
    assert minute((0.1, "N"), (0.2, "N"), (-0.3, "N")).mean[0] == 0.0


def test_no_readings() -> None:
    """No readings make no minutes."""
    assert all(len(getattr(minutes_of(columns([]), TABLE, 0), field.name)) == 0 for field in fields(Minutes))


def test_points_and_minutes_are_kept_apart() -> None:
    """Each point and each minute has its own mean, the last millisecond of a minute belonging to it."""
    found = minutes_of(
        columns([(0, NOX, 1.0, "N"), (59_999, NOX, 3.0, "N"), (60_000, NOX, 7.0, "N"), (0, LEQ, 50.0, "N")]), TABLE, 0
    )
    assert list(zip(found.point.tolist(), found.at.tolist(), found.mean.tolist(), strict=True)) == [
        (NOX, START, 2.0),
        (NOX, START + MINUTE_MS, 7.0),
        (LEQ, START, pytest.approx(50.0)),
    ]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 3 * MINUTE_MS),
        st.sampled_from([NOX, LEQ, OPEN]),
        st.decimals(-200, 2500, places=2).map(float),
        st.sampled_from("NNNNTMD"),
    ),
    max_size=60,
    unique_by=lambda row: row[:2],
)


@given(ROWS, st.randoms(use_true_random=False))
def test_order_changes_nothing(rows: list[Row], chance: random.Random) -> None:
    """The same readings in any order give the same minutes, bit for bit."""
    found = minutes_of(columns(rows), TABLE, 0)
    shuffled = list(rows)
    chance.shuffle(shuffled)
    again = minutes_of(columns(shuffled), TABLE, 0)
    for field in fields(Minutes):
        assert getattr(found, field.name).tobytes() == getattr(again, field.name).tobytes()


@given(ROWS)
def test_minutes_have_the_exact_mean(rows: list[Row]) -> None:
    """An arithmetic minute is the exact mean of its valid readings to 1e-9 relative."""
    found = minutes_of(columns([row for row in rows if row[1] == NOX]), TABLE, 0)
    for at, mean in zip(found.at.tolist(), found.mean.tolist(), strict=True):
        values = [Fraction(str(value)) for ms, point, value, flag in rows if point == NOX and flag == "N"
                  and -5 <= value <= 2000 and at <= START + ms < at + MINUTE_MS]  # fmt: skip
        if not values:
            assert math.isnan(mean)
        else:
            true = sum(values) / len(values)
            assert abs(Fraction(mean) - true) <= abs(true) / 10**9


# Hours


def block(
    values: Sequence[float | None], *, each: int = 1, over: Sequence[int] = (), bound: float = 2000
) -> MinuteBlock:
    """Make an hour of minute means, None for no reading; minutes in `over` have the bound too."""
    made = MinuteBlock.empty()
    for place, value in enumerate(values):
        if value is not None:
            made.had[place] = made.valid[place] = each
            made.mean[place] = made.low[place] = made.high[place] = value
    for place in over:
        made.had[place] += 1
        made.over[place] = 1
        made.bound[place] = bound
    return made


def hour(made: MinuteBlock, *, energy: bool = False, slow: bool = False, needed: int = 45) -> HourMean:
    """Average an hour."""
    return mean_of_block(made, energy, slow, needed)


@pytest.mark.parametrize(("count", "is_valid"), [(44, False), (45, True), (60, True)])
def test_44_and_45_minutes(count: int, is_valid: bool) -> None:
    """44 valid minutes do not make an hour, 45 do; the mean is that of what there is."""
    found = hour(block([float(turn) for turn in range(count)]))
    assert (found.valid, found.valid >= 45) == (count, is_valid)
    assert found.mean == (count - 1) / 2


def test_hour_means_minutes_not_readings() -> None:
    """A minute of six readings weighs as much as one of a single reading."""
    made = block([10.0] * 59 + [40.0])
    made.had[59] = made.valid[59] = 6
    found = hour(made)
    assert found.mean == significant_one((59 * 10 + 40) / 60)
    assert found.readings == 65


def test_slow_hour_weighs_values() -> None:
    """The hour of a slow point means its values, also when two fell into one minute."""
    made = block([10.0, None, 40.0])
    made.had[0] = made.valid[0] = 2
    found = hour(made, slow=True, needed=3)
    assert (found.mean, found.valid, found.had) == (20.0, 3, 3)


def test_energy_hour() -> None:
    """Half an hour of 60 dB and half of 70 dB are 67.4036 dB."""
    assert hour(block([60.0, 70.0] * 30), energy=True).mean == pytest.approx(67.4036, abs=5e-5)


@pytest.mark.parametrize(
    ("valid", "over", "bound"),
    [
        pytest.param(40, 5, (40 * 10 + 5 * 2000) / 45, id="40 valid and 5 over range prove"),
        pytest.param(39, 5, None, id="39 and 5 prove nothing"),
        pytest.param(0, 45, 2000.0, id="45 over range alone prove"),
        pytest.param(60, 0, None, id="nothing over range, no bound"),
    ],
)
def test_lower_bound_needs_45_valid_or_over(valid: int, over: int, bound: float | None) -> None:
    """The lower bound takes minutes that are valid or over range, and needs 45 of them together."""
    found = hour(block([10.0] * valid, over=range(valid, valid + over)))
    assert found.lower_bound == (None if bound is None else significant_one(bound))
    assert (found.valid, found.over_range) == (valid, over)


def test_minute_both_valid_and_over_counts_at_its_bound() -> None:
    """A minute that is valid and over range is in the mean by its mean and in the bound by its bound."""
    found = hour(block([10.0] * 60, over=[0], bound=900.0))
    assert found.mean == 10.0
    assert found.lower_bound == significant_one((59 * 10 + 900) / 60)


def test_chosen_minutes_leave_the_rest_out() -> None:
    """Minutes in which the source stood count neither as valid nor as had nor as over range."""
    ran = np.arange(60) < 50
    found = mean_of_block(block([10.0] * 50 + [0.0] * 10, over=[55]), False, False, 45, ran)
    assert (found.mean, found.valid, found.had, found.over_range, found.lower_bound) == (10.0, 50, 50, 0, None)


def test_nothing_valid() -> None:
    """An hour of nothing has no mean, no extremes and no bound."""
    assert hour(MinuteBlock.empty()) == HourMean(None, None, None, None, 0, 0, 0, 0)


def test_day_weighs_hours_alike() -> None:
    """A day is the mean of its hours, arithmetic or by energy, and nothing without any."""
    assert mean_of_hours([10.0, 20.0, 60.0], False) == 30.0
    assert mean_of_hours([60.0, 70.0], True) == pytest.approx(67.4036, abs=5e-5)
    assert mean_of_hours([], False) is None


def test_equal_values_stay_what_they_are() -> None:
    """The mean of sixty times 60.1 is 60.1 exactly, so that equal complies."""
    assert hour(block([60.1] * 60)).mean == 60.1


def test_hour_of_a_minute_grid() -> None:
    """Minutes lie on the clock: a reading at the hour's start is in its minute 0."""
    found = minutes_of(columns([(0, NOX, 1.0, "N"), (HOUR_MS - 1, NOX, 1.0, "N")]), TABLE, 0)
    assert found.at.tolist() == [START, START + 59 * MINUTE_MS]
