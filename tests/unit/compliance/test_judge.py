"""This module proves how a value is compared with a limit, and why a window is not judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import a_limit, a_plant, a_point, some_rules

from plantmon.averages.validity import month_needed
from plantmon.compliance.in_force import windows_on
from plantmon.compliance.judge import Judged, Measured, judge, judge_value
from plantmon.compliance.measured import MeasuredHours, measured_day, measured_hours, measured_month
from plantmon.model.minutes import Grid, MinuteBlock
from plantmon.model.plant import Kind
from plantmon.model.verdict import Outcome, Reason
from plantmon.times import HOUR_MS

POINT = a_point()
SOUND = a_point("N1.leq", kind=Kind.ENERGY, unit="dB", quantity="sound_level")
START = 1_772_380_800_000


def measured(**changes: Any) -> Measured:
    """Give a whole hour of 40 mg/m3."""
    given: dict[str, Any] = {
        "mean": 40.0, "lower_bound": None, "is_over_range": False, "parts": 60, "needed": 45, "short": Reason.MINUTES,
    }  # fmt: skip
    return Measured(**given | changes)


@pytest.mark.parametrize(
    ("value", "limits", "outcome"),
    [
        pytest.param(50.0, {}, Outcome.OK, id="equal complies"),
        pytest.param(50.0000000001, {}, Outcome.EXCEED, id="the twelfth digit exceeds"),
        pytest.param(50.00000000001, {}, Outcome.OK, id="the thirteenth digit does not"),
        pytest.param(45.0, {"warn_at": 0.9}, Outcome.OK, id="equal to the warning share"),
        pytest.param(45.1, {"warn_at": 0.9}, Outcome.WARN, id="strictly above the warning share"),
        pytest.param(50.1, {"warn_at": 0.9}, Outcome.EXCEED, id="above both"),
        pytest.param(0.7 * 0.1, {"maximum": 0.1, "warn_at": 0.7}, Outcome.OK, id="warning share without binary dust"),
        pytest.param(6.0, {"minimum": 6.0, "maximum": 9.0}, Outcome.OK, id="equal to the lower end"),
        pytest.param(5.99, {"minimum": 6.0, "maximum": 9.0}, Outcome.EXCEED, id="below the lower end"),
        pytest.param(9.01, {"minimum": 6.0, "maximum": 9.0}, Outcome.EXCEED, id="above the upper end"),
        pytest.param(759.9, {"minimum": 760.0, "maximum": None}, Outcome.EXCEED, id="only a lower end"),
        pytest.param(760.0, {"minimum": 760.0, "maximum": None}, Outcome.OK, id="equal to an only lower end"),
        pytest.param(-3.0, {}, Outcome.OK, id="a signed value near zero complies"),
    ],
)
def test_values(value: float, limits: dict[str, Any], outcome: Outcome) -> None:
    """Full values are compared to 12 digits; equal complies, warn is strictly above."""
    assert judge_value(a_limit(**limits), POINT, value).outcome is outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        pytest.param(65.49, Outcome.OK, id="65.49 is 65"),
        pytest.param(65.5, Outcome.EXCEED, id="65.5 goes to 66"),
        pytest.param(64.5, Outcome.OK, id="64.5 goes to 64"),
        pytest.param(66.0, Outcome.EXCEED, id="66"),
    ],
)
def test_sound_in_whole_decibels(value: float, outcome: Outcome) -> None:
    """Sound levels are compared in whole dB, half to even, and keep their value in the verdict."""
    found = judge_value(a_limit(SOUND, maximum=65.0), SOUND, value)
    assert (found.outcome, found.value) == (outcome, value)


def test_half_goes_to_even_both_ways() -> None:
    """At a limit of 64 dB, 64.5 complies as 64; at a limit of 65, 65.5 exceeds as 66."""
    assert judge_value(a_limit(SOUND, maximum=64.0), SOUND, 64.5).outcome is Outcome.OK
    assert judge_value(a_limit(SOUND, maximum=65.0), SOUND, 65.5).outcome is Outcome.EXCEED


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, Judged(Outcome.OK, None, 40.0, 50.0), id="complies"),
        pytest.param({"mean": 60.0}, Judged(Outcome.EXCEED, None, 60.0, 50.0), id="exceeds"),
        pytest.param({"parts": 45}, Judged(Outcome.OK, None, 40.0, 50.0), id="45 minutes are enough"),
        pytest.param({"parts": 44, "mean": 60.0}, Judged(Outcome.NOT_JUDGED, Reason.MINUTES, 60.0), id="44 are not"),
        pytest.param({"mean": None, "parts": 0}, Judged(Outcome.NOT_JUDGED, Reason.NO_DATA), id="no data"),
        pytest.param({"is_over_range": True, "lower_bound": 51.0},
                     Judged(Outcome.EXCEED_AT_LEAST, None, 51.0, 50.0), id="exceeds at least"),
        pytest.param({"is_over_range": True, "lower_bound": 50.0},
                     Judged(Outcome.NOT_JUDGED, Reason.OVER_RANGE, 50.0, 50.0), id="a bound at the limit"),
        pytest.param({"is_over_range": True, "mean": 60.0, "lower_bound": None},
                     Judged(Outcome.NOT_JUDGED, Reason.OVER_RANGE, None, 50.0), id="over range without a bound"),
    ],
)  # fmt: skip
def test_windows(changes: dict[str, Any], expected: Judged) -> None:
    """Each state of a window has its outcome, reason, value and bound."""
    assert judge(a_limit(), POINT, measured(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"ran": False, "is_over_range": True, "mean": None, "parts": 0}, Reason.STOPPED, id="all four"),
        pytest.param({"is_over_range": True, "mean": None, "parts": 0}, Reason.OVER_RANGE, id="without stopped"),
        pytest.param({"mean": None, "parts": 0}, Reason.NO_DATA, id="without over range"),
        pytest.param({"parts": 44}, Reason.MINUTES, id="minutes alone"),
    ],
)
def test_first_reason_holds(changes: dict[str, Any], reason: Reason) -> None:
    """When several reasons fit, the settled order decides: stopped, over range, no data, minutes."""
    assert judge(a_limit(), POINT, measured(**changes)).reason is reason


def test_over_range_below_a_lower_end_proves_nothing() -> None:
    """A lower bound cannot show that a value lies below a lower limit."""
    limit = a_limit(minimum=760.0, maximum=None)
    found = judge(limit, POINT, measured(is_over_range=True, lower_bound=100.0))
    assert (found.outcome, found.reason) == (Outcome.NOT_JUDGED, Reason.OVER_RANGE)


# Hours and days as they are judged


def hours_of(hours: list[Measured]) -> MeasuredHours:
    """Lay measured hours side by side."""
    nan = float("nan")
    return MeasuredHours(
        np.array([nan if one.mean is None else one.mean for one in hours]),
        np.array([nan if one.lower_bound is None else one.lower_bound for one in hours]),
        np.array([one.is_over_range for one in hours]),
        np.array([one.parts for one in hours]),
        45,
        np.array([one.ran for one in hours]),
    )


def test_hour_judges_running_minutes_only() -> None:
    """Of an hour that ran 50 minutes the 10 at rest are neither due nor had nor meant."""
    block = MinuteBlock.empty()
    block.had[:] = block.valid[:] = 1
    block.mean[:50] = block.low[:50] = block.high[:50] = 48.0
    block.mean[50:] = block.low[50:] = block.high[50:] = 0.0
    ran = np.array([np.arange(60) < 50, np.zeros(60, bool), np.ones(60, bool)])
    found = measured_hours(POINT, some_rules(), Grid.of([block, block, block]), ran)
    first, rest, whole = (found.one(place) for place in range(3))
    assert (first.mean, first.parts, first.needed, first.ran) == (48.0, 50, 45, True)
    assert not rest.ran
    assert (whole.mean, whole.parts) == (40.0, 60)


@pytest.mark.parametrize(
    ("valid", "stood", "reason"),
    [(20, 0, None), (19, 0, Reason.HOURS), (12, 8, None), (11, 8, Reason.HOURS), (6, 16, None), (5, 16, Reason.HOURS)],
)
def test_day_needs_its_share_of_the_hours_that_ran(valid: int, stood: int, reason: Reason | None) -> None:
    """A day judges with 20 of 24, 12 of 16, 6 of 8 hours ran, and says so when it has too few."""
    hours = [measured()] * valid + [measured(mean=None, parts=0)] * (24 - valid - stood)
    hours += [measured(ran=False, mean=0.0)] * stood
    found = judge(a_limit(window="1d"), POINT, measured_day(POINT, some_rules(), hours_of(hours)))
    assert found.reason is reason
    assert found.value == 40.0


def test_hours_without_a_window_are_unknown_and_count_as_run() -> None:
    """A day with 18 windows of 24 lacks hours, though all it has are valid."""
    hours = [measured()] * 18 + [measured(mean=None, parts=0)] * 6
    assert judge(a_limit(), POINT, measured_day(POINT, some_rules(), hours_of(hours))).reason is Reason.HOURS


def test_day_that_never_ran_is_stopped() -> None:
    """A day of hours at rest is not judged: stopped."""
    hours = [measured(ran=False)] * 24
    assert judge(a_limit(), POINT, measured_day(POINT, some_rules(), hours_of(hours))).reason is Reason.STOPPED


def test_day_over_range_exceeds_at_least() -> None:
    """One hour over range makes a day a lower bound, which can exceed."""
    hours = [measured(mean=49.0)] * 23 + [measured(mean=49.0, is_over_range=True, lower_bound=90.0)]
    found = judge(a_limit(), POINT, measured_day(POINT, some_rules(), hours_of(hours)))
    assert (found.outcome, found.value) == (Outcome.EXCEED_AT_LEAST, pytest.approx((23 * 49 + 90) / 24))
    low = [measured(mean=40.0)] * 23 + [measured(mean=40.0, is_over_range=True, lower_bound=60.0)]
    assert judge(a_limit(), POINT, measured_day(POINT, some_rules(), hours_of(low))).reason is Reason.OVER_RANGE


# Which windows a limit judges


def test_windows_that_begin_on_a_day() -> None:
    """A day has 24 hours for hourly limits and single readings, one day, one day period and one night."""
    plant = a_plant()
    day = plant.time.day_start(START)
    count = {
        window: len(windows_on(a_limit(window=window), day, plant.time, some_rules()))
        for window in ("reading", "1h", "1d", "day-period", "night-period", "1mo", "1y")
    }
    assert count == {"reading": 24, "1h": 24, "1d": 1, "day-period": 1, "night-period": 1, "1mo": 0, "1y": 0}
    [(night, morning)] = windows_on(a_limit(window="night-period"), day, plant.time, some_rules())
    assert (night, morning) == (day + 22 * HOUR_MS, day + 30 * HOUR_MS)


@pytest.mark.parametrize(
    ("ran", "days", "is_february", "needed"),
    [(31, 31, False, 25), (30, 30, False, 25), (28, 28, True, 23), (29, 29, True, 23), (20, 31, False, 15)],
)
def test_months_need_their_days(ran: int, days: int, is_february: bool, needed: int) -> None:
    """HJ 76-2017 App. B: 25 valid days, 23 in February; of fewer days run 75 % at least."""
    assert month_needed(ran, days, some_rules(), is_february=is_february, is_water=False) == needed


def test_month_of_days_that_lack_hours_is_not_judged() -> None:
    """24 valid days of 31 are one short; the 25th makes the month, whose mean is that of the valid days."""
    good = measured(mean=40.0, parts=24, needed=20, short=Reason.HOURS)
    bad = measured(mean=99.0, parts=19, needed=20, short=Reason.HOURS)
    limit = a_limit(window="1mo")
    month = measured_month(some_rules(), [good] * 24 + [bad] * 7, is_february=False, is_water=False)
    assert judge(limit, POINT, month).reason is Reason.DAYS
    month = measured_month(some_rules(), [good] * 25 + [bad] * 6, is_february=False, is_water=False)
    assert (judge(limit, POINT, month).outcome, month.mean) == (Outcome.OK, 40.0)
