"""This module holds how the periods of the ledger are read."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.ledger.period import read_period
from plantmon.times import DAY_MS, HOUR_MS, PlantTime

SHANGHAI = PlantTime(ZoneInfo("Asia/Shanghai"))
BERLIN = PlantTime(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("given", "name", "first", "after"),
    [
        ("2020-02-14", "2020-02-14", date(2020, 2, 14), date(2020, 2, 15)),
        ("2020-02-29", "2020-02-29", date(2020, 2, 29), date(2020, 3, 1)),
        ("2020-01", "2020-01", date(2020, 1, 1), date(2020, 2, 1)),
        ("2020-12", "2020-12", date(2020, 12, 1), date(2021, 1, 1)),
        ("2020-Q1", "2020-Q1", date(2020, 1, 1), date(2020, 4, 1)),
        ("2020-q4", "2020-Q4", date(2020, 10, 1), date(2021, 1, 1)),
        ("2020", "2020", date(2020, 1, 1), date(2021, 1, 1)),
        (" 2020/2/14 ", "2020-02-14", date(2020, 2, 14), date(2020, 2, 15)),
        ("2020-2", "2020-02", date(2020, 2, 1), date(2020, 3, 1)),
        ("2020年", "2020", date(2020, 1, 1), date(2021, 1, 1)),
        ("2020年2月", "2020-02", date(2020, 2, 1), date(2020, 3, 1)),
        ("2020 年 2 月 14 日", "2020-02-14", date(2020, 2, 14), date(2020, 2, 15)),
        ("2020年第3季度", "2020-Q3", date(2020, 7, 1), date(2020, 10, 1)),
        ("2020年二季度", "2020-Q2", date(2020, 4, 1), date(2020, 7, 1)),
        ("２０２０-０１", "2020-01", date(2020, 1, 1), date(2020, 2, 1)),
    ],
)
def test_periods(given: str, name: str, first: date, after: date) -> None:
    """Each form has one name, its first day and the day after its last."""
    period = read_period(given)
    assert (period.name, period.first, period.after) == (name, first, after)


@pytest.mark.parametrize(
    "given",
    ["", "20", "1/2/2020", "2020.1", "Jan-20", "2020-13", "2020-00", "2020-02-30", "2020-Q5", "2020-Q0", "202001",
     "2020-02-14 08:00", "2020-2021", "1899", "2200", "2020-1/2", "nan"],
)  # fmt: skip
def test_what_is_no_period(given: str) -> None:
    """What may be two things, no day there is, or of no year of a plant, is refused."""
    with pytest.raises(ValueError):
        read_period(given)


def test_spans_are_of_plant_time() -> None:
    """A day begins at the plant's midnight; where the clock goes on it has 23 hours."""
    start, end = read_period("2020-01-01").span(SHANGHAI)
    assert (start, end) == (1_577_808_000_000, 1_577_808_000_000 + DAY_MS)
    start, end = read_period("2020-03-29").span(BERLIN)
    assert end - start == 23 * HOUR_MS


@given(st.integers(1990, 2099), st.sampled_from(["months", "quarters"]))
def test_parts_make_the_year(year: int, parts: str) -> None:
    """Months lie beside one another and make the year, and so do quarters."""
    names = [f"{year}-{month:02}" for month in range(1, 13)] if parts == "months" else [
        f"{year}-Q{quarter}" for quarter in range(1, 5)
    ]  # fmt: skip
    found = [read_period(name) for name in names]
    assert [one.first for one in found[1:]] == [one.after for one in found[:-1]]
    whole = read_period(str(year))
    assert (found[0].first, found[-1].after) == (whole.first, whole.after)
