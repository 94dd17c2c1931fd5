"""This module proves how cells of a table are read: moments, numbers, flags."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.importing import cells
from plantmon.model.table import Moments, Numbers, Texts
from plantmon.times import PlantTime

CHONGQING = PlantTime(ZoneInfo("Asia/Shanghai"))
BERLIN = PlantTime(ZoneInfo("Europe/Berlin"))
EIGHT = 1_772_323_200_000  # 2026-03-01 08:00:00 in Chongqing, 00:00 UTC


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01 08:00:00", "2026-03-01T08:00", "2026/3/1 8:00", "2026/03/01 08:00:00", "2026.3.1 8:00:00.000",
        "2026年3月1日 8:00:00", "20260301080000", "2026-03-01T00:00:00Z", "2026-03-01T08:00:00.000+08:00",
        "1772323200", "1772323200000", "1772323200.0",
    ],
)  # fmt: skip
def test_moments_are_read_as_people_and_devices_write_them(written: str) -> None:
    """All these are one instant; what names no zone is the plant's clock."""
    assert cells.moment(written, CHONGQING) == EIGHT


@pytest.mark.parametrize(
    "written", ["", "2026-03-01", "2026-13-01 08:00", "08:00", "45717.33", "1e12", "gestern", "2026-02-30 08:00"]
)
def test_what_is_no_moment_is_none(written: str) -> None:
    """A day without a time of day is none either: it could be any of its readings."""
    assert cells.moment(written, CHONGQING) == cells.NONE_MS


@given(st.integers(EIGHT - 10**11, EIGHT + 10**11))
def test_any_instant_survives_being_written(at_ms: int) -> None:
    """An instant written with its zone is read back to the millisecond."""
    written = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(CHONGQING.zone).isoformat(timespec="milliseconds")
    assert cells.moment(written, BERLIN) == at_ms


def test_times_without_zone_in_a_typed_column_are_the_plants() -> None:
    """Around the ends of summer time too: what the clock shows twice is the first."""
    local = [datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 3, 30), datetime(2026, 10, 25, 2, 30)]
    shown = np.array([int(one.replace(tzinfo=UTC).timestamp()) * 1000 for one in local])
    found = cells.moments(Moments(shown, np.array([True, True, True]), is_local=True), BERLIN)
    expected = [datetime(2026, 3, 29, 0, 30), datetime(2026, 3, 29, 1, 30), datetime(2026, 10, 25, 0, 30)]
    assert found.tolist() == [int(one.replace(tzinfo=UTC).timestamp()) * 1000 for one in expected]


def test_numbers_are_finite_or_none() -> None:
    """Empty cells are told from those that are no number; what is not finite is none."""
    values, empty = cells.numbers(Texts.of(["1.5", " 2 ", "", "x", "nan", "1e999", "1_0", "-3e-2"]))
    assert values[[0, 1, 7]].tolist() == [1.5, 2.0, -0.03]
    assert np.isnan(values[[2, 3, 4, 5, 6]]).all()
    assert np.flatnonzero(empty).tolist() == [2]
    values, empty = cells.numbers(Numbers(np.array([1.0, np.nan, np.inf])))
    assert (values[0], np.isnan(values[1:]).tolist(), empty.tolist()) == (1.0, [True, True], [False, True, False])


def test_flags_are_letters_or_missing() -> None:
    """An empty cell is the plant file's flag for none; anything but letters and digits is no flag."""
    assert cells.flags(Texts.of(["N", "T", "", "Sd", "?!"]), 66).tolist() == [0, 84, 66, 21348, -1]
