"""This module proves which editions of the digest there are on a morning, and of which days each is."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from plantmon.reports.digest_edition import around, newest
from plantmon.times import HOUR_MS, PlantTime

SHANGHAI = PlantTime(ZoneInfo("Asia/Shanghai"))
EIGHT = time(8)


def editions(now: str, plant_time: PlantTime = SHANGHAI, clock: time = EIGHT) -> dict[str, tuple[str, str]]:
    """Give first day and day after of the newest editions."""
    found = newest(clock, plant_time, plant_time.parse(now))
    return {one.name: (one.first.isoformat(), one.after.isoformat()) for one in found}


def test_before_and_at_the_hour() -> None:
    """Until eight o'clock the newest daily edition is that of the morning before."""
    assert editions("2026-03-04 07:59:59")["daily"] == ("2026-03-02", "2026-03-03")
    assert editions("2026-03-04 08:00")["daily"] == ("2026-03-03", "2026-03-04")


def test_week_from_monday_to_sunday() -> None:
    """From Monday's morning on the newest week is the one before, until the next Monday's morning."""
    assert editions("2026-03-02 08:00")["weekly"] == ("2026-02-23", "2026-03-02")
    assert editions("2026-03-09 07:59")["weekly"] == ("2026-02-23", "2026-03-02")


@pytest.mark.parametrize(
    ("now", "month"),
    [
        ("2026-03-01 08:00", ("2026-02-01", "2026-03-01")),
        ("2026-03-01 07:00", ("2026-01-01", "2026-02-01")),
        ("2026-01-01 08:00", ("2025-12-01", "2026-01-01")),
    ],
)
def test_month_on_its_first(now: str, month: tuple[str, str]) -> None:
    """On the first of a month the newest month is the one before, over the turn of the year too."""
    assert editions(now)["monthly"] == month


def test_day_of_25_hours() -> None:
    """Where the clocks go back the day before has 25 hours, and the digest comes at eight of the new time."""
    berlin = PlantTime(ZoneInfo("Europe/Berlin"))
    daily = next(newest(EIGHT, berlin, berlin.parse("2026-10-26 08:00")))
    start, end = daily.span(berlin)
    assert end - start == 25 * HOUR_MS
    assert berlin.show(daily.due_ms) == "2026-10-26 08:00:00"


@pytest.mark.parametrize(
    ("name", "first", "after", "before"),
    [
        ("daily", date(2026, 2, 28), date(2026, 3, 1), date(2026, 2, 27)),
        ("weekly", date(2026, 2, 23), date(2026, 3, 2), date(2026, 2, 16)),
        ("monthly", date(2026, 2, 1), date(2026, 3, 1), date(2026, 1, 1)),
    ],
)
def test_around_a_day(name: str, first: date, after: date, before: date) -> None:
    """A day's edition is that of the day, week or month that holds it; each knows the time before it."""
    found = around(name, date(2026, 2, 28), EIGHT, SHANGHAI)
    assert (found.first, found.after, found.before()) == (first, after, before)
