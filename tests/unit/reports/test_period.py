"""This module proves what the periods of an execution report are."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from plantmon.reports.period import parse_period
from plantmon.times import PlantTime

SHANGHAI, BERLIN = (PlantTime(ZoneInfo(name)) for name in ("Asia/Shanghai", "Europe/Berlin"))


@pytest.mark.parametrize(
    ("text", "name", "kind", "first", "after", "months"),
    [
        ("2026-03", "2026-03", "month", date(2026, 3, 1), date(2026, 4, 1), 1),
        ("2026-12", "2026-12", "month", date(2026, 12, 1), date(2027, 1, 1), 1),
        ("2026-Q1", "2026-Q1", "quarter", date(2026, 1, 1), date(2026, 4, 1), 3),
        ("2026-q4", "2026-Q4", "quarter", date(2026, 10, 1), date(2027, 1, 1), 3),
        (" 2026 ", "2026", "year", date(2026, 1, 1), date(2027, 1, 1), 12),
    ],
)
def test_a_period_is_whole_months(text: str, name: str, kind: str, first: date, after: date, months: int) -> None:
    """A month, a quarter or a year, with its months in order and the day after the last."""
    period = parse_period(text)
    assert (period.name, period.kind, period.firsts[0], period.after) == (name, kind, first, after)
    assert len(period.firsts) == months
    assert [day.month for day in period.firsts] == list(range(first.month, first.month + months))


@pytest.mark.parametrize("text", ["", "26", "2026-13", "2026-00", "2026-Q5", "2026-Q0", "2026-3", "2026-03-01", "9999"])
def test_what_is_no_period_is_refused(text: str) -> None:
    """Anything else is an error that shows what is expected."""
    with pytest.raises(ValueError, match="2026-Q1"):
        parse_period(text)


def test_edges_are_local_midnights() -> None:
    """A month begins and ends by the plant's clock, summer time and all."""
    march = parse_period("2026-03")
    assert march.span(SHANGHAI) == (SHANGHAI.parse("2026-03-01"), SHANGHAI.parse("2026-04-01"))
    start, end = march.span(BERLIN)
    assert end - start == (31 * 24 - 1) * 3_600_000
    months = parse_period("2026-Q2").months(SHANGHAI)
    assert [name for name, _, _ in months] == ["2026-04", "2026-05", "2026-06"]
    assert all(before[2] == after[1] for before, after in pairwise(months))
