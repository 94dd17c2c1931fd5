"""This module proves the reference verdicts: validity, over range, months, capture, head-room."""

from __future__ import annotations

from fractions import Fraction

import pytest

from simulators import truth_judged
from simulators.faults import Delivery
from simulators.plant import SimulatedPlant
from simulators.truth_judged import FilledFlow, Finding, Judged, PointHour
from simulators.truth_minutes import EMPTY, Minute

PLANT = SimulatedPlant()
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ALL = [True] * 60


def known(*values: float) -> list[Minute]:
    """Make valid minutes."""
    return [Minute(value, None, 1) for value in values]


def hour_of(count: int, value: float = 40.0) -> list[Minute]:
    """Make an hour with so many valid minutes."""
    return known(*[value] * count) + [EMPTY] * (60 - count)


@pytest.mark.parametrize(("count", "outcome"), [(44, "not_judged"), (45, "exceed")])
def test_44_valid_minutes_fail_and_45_pass(count: int, outcome: str) -> None:
    """An hour of 60 mg/m3 under a limit of 50 is in breach with 45 valid minutes, and not judged with 44."""
    hour = truth_judged.concentration_hour(0, hour_of(count, 60.0), ALL)
    found = truth_judged.finding(hour, 50)
    assert found == Finding(outcome, None if count == 45 else "minutes", 60.0)


def test_each_minute_is_converted_with_its_own_oxygen() -> None:
    """40 at 3.5 % and 20 at 12.25 %, half an hour each, are 40 at 3.5 %; from 21 % on a minute drops out."""
    minutes, oxygen = known(*[40.0] * 30, *[20.0] * 30), known(*[3.5] * 30, *[12.25] * 30)
    assert truth_judged.concentration_hour(0, minutes, ALL, oxygen=oxygen, reference_pct=3.5).value == 40
    air = known(*[3.5] * 44, *[21.0] * 16)
    hour = truth_judged.concentration_hour(0, known(*[40.0] * 60), ALL, oxygen=air, reference_pct=3.5)
    assert (hour.value, hour.valid, hour.is_valid) == (40, 44, False)


def test_trip_beyond_the_range_is_exceed_at_least() -> None:
    """30 minutes of 20 and 30 at the range's end of 200 prove 110; five of them prove 35, and nothing is judged."""
    trip = known(*[20.0] * 30) + [Minute(None, 200.0, 1)] * 30
    assert truth_judged.finding(truth_judged.concentration_hour(0, trip, ALL), 60) == ("exceed_at_least", None, 110)
    short = known(*[20.0] * 55) + [Minute(None, 200.0, 1)] * 5
    assert truth_judged.finding(truth_judged.concentration_hour(0, short, ALL), 60) == ("not_judged", "over_range", 35)


def test_proof_needs_45_minutes_valid_or_over_range() -> None:
    """14 normal and 30 over-range minutes prove nothing, one more does."""
    for normal, outcome in ((14, "not_judged"), (15, "exceed_at_least")):
        minutes = known(*[20.0] * normal) + [Minute(None, 200.0, 1)] * 30
        minutes += [EMPTY] * (60 - len(minutes))
        assert truth_judged.finding(truth_judged.concentration_hour(0, minutes, ALL), 60).outcome == outcome


def test_reasons_stand_in_their_order() -> None:
    """Stopped comes before over range, over range before no data, no data before too few."""
    over = [Minute(None, 200.0, 1)] + [EMPTY] * 59
    cases = [(over, [False] * 60, "stopped"), (over, ALL, "over_range"), ([EMPTY] * 60, ALL, "no_data"),
             (hour_of(1), ALL, "minutes")]  # fmt: skip
    found = [truth_judged.finding(truth_judged.concentration_hour(0, minutes, ran), 50) for minutes, ran, _ in cases]
    assert [one.reason for one in found] == [reason for *_, reason in cases]


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(45.0, "ok"), (45.1, "warn"), (50.0, "warn"), (50.0000001, "exceed"), (49.9999999999999, "warn")],
)
def test_equal_complies_and_warn_is_strictly_above(value: float, outcome: str) -> None:
    """At the limit of 50 complies, at 0.9 of it does not warn."""
    hour = Judged(0, HOUR, value, None, False, 60, 60, 45)
    assert truth_judged.finding(hour, 50, warn_at=0.9).outcome == outcome


def test_sound_is_judged_in_whole_decibels_half_to_even() -> None:
    """64.5 dB is 64 and complies with 64, 65.5 is 66 and does not with 65."""
    at = [Judged(0, HOUR, value, None, False, 60, 60, 45) for value in (64.5, 65.5)]
    assert truth_judged.finding(at[0], 64, decimals=0).outcome == "ok"
    assert truth_judged.finding(at[1], 65, decimals=0).outcome == "exceed"


def test_rate_needs_45_minutes_of_each() -> None:
    """20 mg/m3 at 100000 m3/h are 2 kg/h; a flow at its range's end bounds the rate."""
    hour = truth_judged.rate_hour(0, hour_of(60, 20.0), hour_of(45, 1e5), ALL)
    assert (hour.value, hour.is_valid) == (2, True)
    assert not truth_judged.rate_hour(0, hour_of(60, 20.0), hour_of(44, 1e5), ALL).is_valid
    flow = known(*[1e5] * 30) + [Minute(None, 2e5, 1)] * 30
    assert truth_judged.rate_hour(0, hour_of(60, 20.0), flow, ALL).bound == 3


def judged_hours(valid: int, ran: int, value: float = 10.0) -> list[Judged]:
    """Make a day's hours: valid ones, then others that ran, then hours at rest."""
    hours = [Judged(0, HOUR, value, None, False, 60, 60, 45)] * valid
    hours += [Judged(0, HOUR, None, None, False, 60, 0, 45)] * (ran - valid)
    return hours + [Judged(0, HOUR, None, None, False, 0, 0, 45)] * (24 - ran)


@pytest.mark.parametrize(
    ("valid", "ran", "is_valid"), [(20, 24, True), (19, 24, False), (12, 16, True), (11, 16, False), (6, 8, True)]
)
def test_valid_day_by_the_hours_that_ran(valid: int, ran: int, is_valid: bool) -> None:
    """20 of 24, 12 of 16, 6 of 8."""
    day = truth_judged.air_day(0, DAY, judged_hours(valid, ran))
    assert (day.is_valid, day.value, day.valid, day.ran) == (is_valid, 10, valid, ran)


@pytest.mark.parametrize(
    ("valid", "days", "month", "is_valid"),
    [(25, 31, 7, True), (24, 31, 7, False), (25, 30, 9, True), (23, 28, 2, True), (22, 28, 2, False)],
)
def test_valid_month_by_its_days(valid: int, days: int, month: int, is_valid: bool) -> None:
    """25 days of 30 or 31, 23 of a February; its mean is that of the valid days."""
    parts = [Judged(0, DAY, 10.0, None, False, 24, 24, 20)] * valid
    parts += [Judged(0, DAY, 99.0, None, False, 24, 3, 20)] * (days - valid)
    found = truth_judged.air_month(0, 31 * DAY, parts, 2021, month)
    assert (found.value, found.is_valid) == (10, is_valid)


def test_days_at_rest_are_not_missing_in_a_month() -> None:
    """Of 22 days that ran 16.5 must be valid (22 - 6 would be 16): 17 do, 16 do not."""
    rest = [Judged(0, DAY, None, None, False, 0, 0, 0)] * 9
    for valid in (16, 17):
        parts = [Judged(0, DAY, 10.0, None, False, 24, 24, 20)] * valid
        parts += [Judged(0, DAY, None, None, False, 24, 0, 20)] * (22 - valid) + rest
        assert truth_judged.air_month(0, 31 * DAY, parts, 2020, 7).is_valid == (valid == 17)


def test_water_month_needs_three_quarters_of_the_days_with_discharge() -> None:
    """15 valid days of 20 with discharge make a month, 14 do not."""
    for valid in (14, 15):
        parts = [Judged(0, DAY, 10.0, None, False, 24, 24, 18)] * valid
        parts += [Judged(0, DAY, None, None, False, 24, 0, 18)] * (20 - valid)
        parts += [Judged(0, DAY, None, None, False, 0, 0, 1)] * 11
        assert truth_judged.water_month(0, 31 * DAY, parts).is_valid == (valid == 15)


def test_unknown_flow_takes_as_many_minutes_before() -> None:
    """Two unknown minutes after 1, 2, 4 take the mean of 2 and 4; more than there are takes all; none is unknown."""
    flow = FilledFlow(0, [EMPTY, *known(1.0, 2.0, 4.0), EMPTY, EMPTY, *known(-5.0), *[EMPTY] * 9])
    assert flow.filled == [None, 1, 2, 4, 3, 3, 0, *[(1 + 2 + 4 + 0) / 4] * 9]
    assert flow.volume(MINUTE, 4 * MINUTE) == pytest.approx(7 / 60)
    assert flow.volume(0, MINUTE) is None
    assert flow.volume(MINUTE + 30_000, 2 * MINUTE + 30_000) == pytest.approx(1.5 / 60)


def test_day_of_water_is_weighted_by_volume() -> None:
    """60 mg/L with 10 m3 an hour and 30 with 5, three hours each: 50 mg/L."""
    cod = PLANT.point("DW001.cod")
    flow = FilledFlow(0, known(*[10.0] * 180, *[5.0] * 180) + known(*[0.0] * (20 * 60)))
    sent = [Delivery(0, hour * HOUR, cod.id, 60.0 if hour < 3 else 30.0, "N") for hour in range(24)]
    found = truth_judged.water_day(cod, sent, flow, 0, DAY)
    assert (found.value, found.ran, found.valid, found.is_valid) == (pytest.approx(50), 6, 6, True)
    assert not truth_judged.water_day(cod, sent[:4], flow, 0, DAY).is_valid


def test_head_room_is_what_the_rest_may_have() -> None:
    """After 37 minutes of 43, the other 23 may have (3000 - 1591) / 23; with that mean the hour is exactly 50."""
    rest = truth_judged.head_room(50, 37, 37 * 43, 23)
    assert rest == pytest.approx(1409 / 23, rel=1e-15)
    assert (37 * 43 + 23 * (rest or 0)) / 60 == pytest.approx(50)
    assert truth_judged.head_room(50, 60, 1, 0) is None


def test_breach_needs_its_hold_and_ends_with_silence() -> None:
    """With a hold of 120 s three readings a minute apart are one run, two are none; four minutes of silence part."""
    point = PLANT.point("DW001.ph")
    times = [0, 1, 2, 10, 11, 20, 21, 25, 26]
    sent = [Delivery(0, minute * MINUTE, point.id, 5.0, "N") for minute in times]
    found = truth_judged.breaches(point, sent, lambda ts_ms: True, 120_000, minimum=6)
    assert [(one.first_ms, one.last_ms) for one in found] == [(0, 2 * MINUTE)]
    assert truth_judged.breaches(point, sent, lambda ts_ms: False, 0, minimum=6) == []


def test_capture_takes_stopped_hours_out() -> None:
    """Of ten hours two rest; of the eight, seven had readings and six were valid."""
    hours = [PointHour(True, True)] * 6 + [PointHour(True, False), PointHour(False, False)]
    found = truth_judged.capture(hours + [PointHour(True, True)] * 2, [False] * 8 + [True] * 2)
    assert (found.rate, found.transfer, found.valid_rate) == (Fraction(6, 8), Fraction(7, 8), Fraction(6, 7))
    assert found.effective_transfer == Fraction(7, 8) * Fraction(6, 7) == found.rate
    assert truth_judged.capture(hours, [True] * 8).rate is None


def test_point_hours_need_45_minutes_or_their_value() -> None:
    """44 minutes are no valid hour, 45 are; an hourly analyser has its value or has not."""
    assert [one.is_valid for one in truth_judged.point_hours(hour_of(44) + hour_of(45))] == [False, True]
    assert truth_judged.point_hours([EMPTY] * 60) == [PointHour(False, False)]
    cod = PLANT.point("DW001.cod")
    sent = [Delivery(0, 0, cod.id, 50.0, "N"), Delivery(0, HOUR, cod.id, 50.0, "D")]
    found = truth_judged.slow_point_hours(cod, sent, 0, 3 * HOUR)
    assert found == [PointHour(True, True), PointHour(True, False), PointHour(False, False)]
