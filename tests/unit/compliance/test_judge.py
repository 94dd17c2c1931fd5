"""This module proves how a value is compared with a limit, and why a window is not judged."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from builders import a_limit, a_plant, a_point, some_rules

from plantmon.compliance.in_force import in_force
from plantmon.compliance.judge import Judged, Measured, judge, judge_value
from plantmon.compliance.measured import measured_day, measured_hour
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Kind
from plantmon.model.verdict import Outcome, Reason
from plantmon.model.window import Window
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


def an_hour(ran: int | None, **changes: Any) -> Window:
    """Give an hour of 40 mg/m3."""
    given: dict[str, Any] = {"mean": 40.0, "due": 60, "had": 60, "valid": 60, "is_valid": True, "ran": ran}
    return Window("1h", START, START + HOUR_MS, 1, **given | changes)


def test_hour_judges_running_minutes_only() -> None:
    """Of an hour that ran 50 minutes the 10 at rest are neither due nor had nor meant."""
    block = MinuteBlock.empty()
    block.had[:] = block.valid[:] = 1
    block.mean[:50] = block.low[:50] = block.high[:50] = 48.0
    block.mean[50:] = block.low[50:] = block.high[50:] = 0.0
    found = measured_hour(POINT, some_rules(), an_hour((1 << 50) - 1), block)
    assert (found.mean, found.parts, found.needed, found.ran) == (48.0, 50, 45, True)
    assert not measured_hour(POINT, some_rules(), an_hour(0), block).ran


def test_hour_that_ran_throughout_is_its_window() -> None:
    """Without a running condition, and when every minute ran, the window's own mean is judged."""
    for ran in (None, (1 << 60) - 1):
        found = measured_hour(POINT, some_rules(), an_hour(ran), None)
        assert (found.mean, found.parts, found.ran) == (40.0, 60, True)


@pytest.mark.parametrize(
    ("valid", "stood", "reason"),
    [(20, 0, None), (19, 0, Reason.HOURS), (12, 8, None), (11, 8, Reason.HOURS), (6, 16, None), (5, 16, Reason.HOURS)],
)
def test_day_needs_its_share_of_the_hours_that_ran(valid: int, stood: int, reason: Reason | None) -> None:
    """A day judges with 20 of 24, 12 of 16, 6 of 8 hours ran, and says so when it has too few."""
    hours = [measured()] * valid + [measured(mean=None, parts=0)] * (24 - valid - stood)
    hours += [measured(ran=False, mean=0.0)] * stood
    found = judge(a_limit(window="1d"), POINT, measured_day(POINT, some_rules(), hours, 24))
    assert found.reason is reason
    assert found.value == 40.0


def test_hours_without_a_window_are_unknown_and_count_as_run() -> None:
    """A day with 18 windows of 24 lacks hours, though all it has are valid."""
    assert judge(a_limit(), POINT, measured_day(POINT, some_rules(), [measured()] * 18, 24)).reason is Reason.HOURS


def test_day_that_never_ran_is_stopped() -> None:
    """A day of hours at rest is not judged: stopped."""
    hours = [measured(ran=False)] * 24
    assert judge(a_limit(), POINT, measured_day(POINT, some_rules(), hours, 24)).reason is Reason.STOPPED


def test_day_over_range_exceeds_at_least() -> None:
    """One hour over range makes a day a lower bound, which can exceed."""
    hours = [measured(mean=49.0)] * 23 + [measured(mean=49.0, is_over_range=True, lower_bound=90.0)]
    found = judge(a_limit(), POINT, measured_day(POINT, some_rules(), hours, 24))
    assert (found.outcome, found.value) == (Outcome.EXCEED_AT_LEAST, pytest.approx((23 * 49 + 90) / 24))
    low = [measured(mean=40.0)] * 23 + [measured(mean=40.0, is_over_range=True, lower_bound=60.0)]
    assert judge(a_limit(), POINT, measured_day(POINT, some_rules(), low, 24)).reason is Reason.OVER_RANGE


# Which limits judge


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        pytest.param("2024-12-31T23:00", ["old"], id="last hour of the old limit"),
        pytest.param("2025-01-01T00:00", ["new"], id="first hour of the new"),
        pytest.param("2019-12-31T23:00", [], id="before both"),
        pytest.param("2020-01-01T00:00", ["old"], id="first day belongs to it"),
    ],
)
def test_limits_of_the_first_local_day(local: str, expected: list[str]) -> None:
    """A window is judged by the limits valid on the local day it begins, both ends of a limit included."""
    time = a_plant().time
    limits = [
        a_limit(key="old", valid_from=date(2020, 1, 1), valid_to=date(2024, 12, 31)),
        a_limit(key="new", valid_from=date(2025, 1, 1)),
    ]
    assert [one.key for one in in_force(limits, "1h", time.parse(local), time)] == expected


def test_levels_of_limits() -> None:
    """Hours carry the verdicts of hourly limits and of limits on readings, days those of daily ones."""
    limits = [a_limit(key=window, window=window) for window in ("reading", "1h", "1d", "1y", "day-period")]
    time = a_plant().time
    assert [one.key for one in in_force(limits, "1h", START, time)] == ["reading", "1h"]
    assert [one.key for one in in_force(limits, "1d", START, time)] == ["1d"]
