"""This module proves that the simulated quarter holds what it promises, and that its fast truth is the exact one."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from plantmon.plant.load import load_plant_text
from simulators import truth
from simulators.quarter import COATING_START, LIMITS, Batch, Quarter, at, plant_text
from simulators.quarter_truth import QuarterTruth
from simulators.truth_amounts import INVALID, MEASURED, capture_shares

HOUR = 3_600_000


@pytest.fixture(scope="module")
def quarter() -> Quarter:
    """Give the quarter's readings."""
    return Quarter()


@pytest.fixture(scope="module")
def answers(quarter: Quarter) -> QuarterTruth:
    """Give the quarter's answers."""
    return QuarterTruth(quarter)


def test_quarter_is_the_same_each_time(quarter: Quarter) -> None:
    """One seed gives one quarter, another seed another with the same faults."""
    again, other = Quarter(), Quarter(seed=2)
    for name in ("send_ms", "ts_ms", "point", "value", "flag"):
        assert np.array_equal(getattr(quarter, name), getattr(again, name))
    assert np.array_equal(quarter.flag, other.flag)
    assert not np.array_equal(quarter.value, other.value)
    assert 1_000_000 < len(quarter) < 2_000_000


def test_no_instant_holds_two_values(quarter: Quarter) -> None:
    """What is sent twice is sent with the same value and flag, so that the order of arrival decides nothing."""
    keys = np.unique(np.column_stack([quarter.ts_ms, quarter.point]), axis=0)
    rows = {(one.ts_ms, one.point, one.value, one.flag) for one in quarter.deliveries()}
    assert len(rows) == len(keys) < len(quarter)


@pytest.mark.parametrize("name", ["in_order", "hour_by_hour", "one_batch", "shuffled", "outlet_late"])
def test_each_order_feeds_everything_once(quarter: Quarter, name: str) -> None:
    """An order is a permutation of the rows, in batches whose instants never go back."""
    batches: list[Batch] = list(getattr(quarter, name)())
    rows = np.concatenate([batch.rows for batch in batches])
    assert np.array_equal(np.sort(rows), np.arange(len(quarter)))
    assert [batch.now_ms for batch in batches] == sorted(batch.now_ms for batch in batches)


def test_outlet_late_is_a_month_behind(quarter: Quarter) -> None:
    """The boiler's first reading comes with the thirtieth day, the others' first on the first."""
    batches = list(quarter.outlet_late())
    boiler = [number for number, point in enumerate(quarter.points) if point.outlet == "DA001"]
    first = next(turn for turn, batch in enumerate(batches) if np.isin(quarter.point[batch.rows], boiler).any())
    assert first == 30


def test_messages_carry_the_rows(quarter: Quarter) -> None:
    """The batch messages of one hour hold its readings, flags and all, each point's in order."""
    batch = next(batch for batch in quarter.hour_by_hour() if batch.now_ms >= at("07-31 10:30"))
    bodies = [json.loads(payload) for _, payload in quarter.messages(batch.rows)]
    found = Counter((body["point"], ts, value, flag) for body in bodies
                    for ts, value, flag in zip(body["ts"], body["values"], body["flags"], strict=True))  # fmt: skip
    assert found == Counter((one.point, one.ts_ms, one.value, one.flag) for one in quarter.deliveries(batch.rows))
    assert any(flag == "T" for *_, flag in found)


@pytest.mark.parametrize("is_renewed", [True, False])
def test_plant_file_loads_with_its_limits(is_renewed: bool) -> None:
    """The program reads the file, and names the limits as this module does."""
    plant = load_plant_text(plant_text(is_renewed), "quarter.yaml")
    expected = {limit.key for limit in LIMITS if is_renewed or "2020" not in limit.key}
    assert {limit.key for limit in plant.limits} == expected
    assert {limit.hold_ms for limit in plant.limits if limit.window == "reading"} == {0, 120_000}


def test_gaps_of_the_new_outlet_come_after_179_and_181_measured_hours(answers: QuarterTruth) -> None:
    """Only the first of the two gaps still sees the outlet's largest hour, its first."""
    hours = answers.hours("DA002.nmhc")
    measured = [one.start_ms for one in hours if one.state == MEASURED]
    first, second = answers.quarter.fresh_gaps
    assert [sum(start < edge for start in measured) for edge in (first, second)] == [179, 181]
    assert [one.start_ms for one in hours if one.state == INVALID][:2] == [first, second]
    rates = [one.kg_h or 0 for one in hours if one.state == MEASURED]
    found = {one.start_ms: one for one in answers.emissions("DA002.nmhc")}
    assert found[first].kg == max(rates[:179]) == rates[0]
    assert found[second].kg == max(rates[1:181]) < rates[0]
    assert hours[0].start_ms == COATING_START


def test_quarter_holds_every_kind_of_gap(answers: QuarterTruth) -> None:
    """One pollutant captured under 90 %, one above; short, long and unknown gaps; 15 and 16 missing minutes."""
    shares = {point: capture_shares(answers.hours(point))[at("07-01 00:00")] for point in ("DA001.nox", "DA002.nmhc")}
    rates = {point: measured / ran for point, (measured, ran) in shares.items()}
    assert 0.75 < rates["DA001.nox"] < 0.9 < rates["DA002.nmhc"]
    gaps = {one.start_ms: one for point in shares for one in answers.emissions(point) if one.gap_hours}
    assert {one.method for one in gaps.values()} == {"max_180", "max_720", "max_2160", "unknown"}
    assert {1, 5, 20, 24, 30, 60} <= {one.gap_hours for one in gaps.values()}
    coating = {one.start_ms: one.method for one in answers.emissions("DA002.nmhc")}
    assert (coating[at("07-22 10:00")], coating[at("07-22 14:00")]) == ("measured", "max_180")
    assert {coating[at("08-11 10:00")], coating[at("07-28 08:00")]} == {"max_180", "max_720"}


def test_trip_is_exceed_at_least_and_larger_than_its_substitute(answers: QuarterTruth) -> None:
    """The hour of the burner's trip exceeds, at least, in concentration and rate, and keeps its proven amount."""
    trip = at("07-31 10:00")
    for limit in LIMITS:
        if limit.subject == "nmhc" and limit.window == "1h" and limit.start is None:
            assert answers.findings(limit)[trip].outcome == "exceed_at_least"
    (hour,) = [one for one in answers.emissions("DA002.nmhc") if one.start_ms == trip]
    assert (hour.method, hour.at_least) == ("max_180", True)


def test_declarations_change_what_they_touch(answers: QuarterTruth) -> None:
    """Marks stop a source or take hours out, a correction puts a value right, a failed calibration reaches back."""
    boiler = {one.start_ms: one for one in answers.hours("DA001.nox")}
    assert {boiler[at("09-09 08:00") + turn * HOUR].state for turn in range(6)} == {"stopped"}
    readings = {one.ts_ms: one.value for one in answers.readings("DA001.nox")}
    assert readings[at("07-10 11:07")] == 35.9
    assert boiler[at("09-03 10:00")].state == boiler[at("09-03 11:00")].state == INVALID
    assert boiler[at("09-03 12:00")].state == MEASURED
    assert boiler[at("07-30 12:00")].state == INVALID  # out of control


def test_every_outcome_occurs(answers: QuarterTruth) -> None:
    """Over all limits each outcome and each reason is there, months included."""
    found = Counter(
        (one.outcome, one.reason) for limit in LIMITS if limit.basis != "mass" and limit.window != "reading"
        for one in answers.findings(limit).values()
    )  # fmt: skip
    assert {outcome for outcome, _ in found} == {"ok", "warn", "exceed", "exceed_at_least", "not_judged"}
    assert {reason for _, reason in found if reason} == {
        "stopped", "no_discharge", "over_range", "no_data", "minutes", "hours", "days",
    }  # fmt: skip
    assert {answers.total(point, date(2020, 1, 1), date(2021, 1, 1)).kg > cap for point, cap in
            (("DA001.nox", 1000), ("DA002.nmhc", 2200), ("DW001.cod", 900))} == {True}  # fmt: skip


@pytest.mark.parametrize("day", [date(2020, 7, 8), date(2020, 7, 9), date(2020, 8, 13)])
def test_fast_hours_are_the_exact_ones(answers: QuarterTruth, day: date) -> None:
    """Converted hours, rates and pH of some days agree with exact fractions."""
    first, last = truth.day_edges(day)
    series = {
        point: [one for one in answers.readings(point) if first <= one.ts_ms < last]
        for point in ("DA001.nox", "DA001.o2", "DA001.flow", "DW001.ph", "DW001.flow")
    }
    found = {one.start_ms: one for one in answers.concentration_hours("DA001.nox")}
    rates = {one.start_ms: one for one in answers.rate_hours("DA001.nox")}
    acid = {one.start_ms: one for one in answers.ph_hours("DW001.ph")}
    for start, end in truth.hour_edges(day):
        nox, oxygen, flow = (
            truth.minutes(answers.point(f"DA001.{name}"), series[f"DA001.{name}"], start, end)
            for name in ("nox", "o2", "flow")
        )
        ran = truth.ran_minutes(answers.point("DA001.o2"), series["DA001.o2"], start, end, maximum=19.0)
        true = truth.converted_hour(nox, oxygen, ran, 3.5)
        assert (found[start].valid, found[start].ran) == (true.valid, true.ran)
        assert _close(found[start].value, true.value)
        assert _close(rates[start].value, truth.rate_hour(nox, flow, ran).value)
        ph = truth.ph_hour(
            answers.point("DW001.ph"), series["DW001.ph"], answers.point("DW001.flow"), series["DW001.flow"], start
        )
        assert _close(acid[start].value, ph.value)
        assert (acid[start].ran, acid[start].valid, acid[start].is_valid) == (ph.due, ph.valid, ph.is_valid)


@pytest.mark.parametrize("day", [date(2020, 7, 15), date(2020, 7, 16), date(2020, 8, 25)])
def test_fast_days_of_water_are_the_exact_ones(answers: QuarterTruth, day: date) -> None:
    """Days with a flow meter away, results missing and none at all agree with exact fractions."""
    point, flow = answers.point("DW001.cod"), answers.point("DW001.flow")
    known_from = truth.day_edges(day)[0] - 48 * HOUR
    readings = [one for one in answers.readings("DW001.flow") if one.ts_ms >= known_from]
    true = truth.flow_weighted_day(point, answers.readings("DW001.cod"), flow, readings, day, known_from_ms=known_from)
    found = answers.water_days("DW001.cod")[day]
    assert _close(found.value, true.value)
    assert (found.ran, found.valid, found.is_valid) == (true.due, true.valid, true.is_valid)


@pytest.mark.parametrize("name", ["day", "night"])
def test_fast_periods_of_sound_are_the_exact_ones(answers: QuarterTruth, name: str) -> None:
    """A period with missing minutes agrees with the exact one."""
    day = date(2020, 7, 14)
    point, readings = answers.point("N1.leq"), answers.readings("N1.leq")
    true = truth.period(point, readings, day, name)
    found = answers.sound_periods("N1.leq", name)[day]
    assert _close(found.value, true.mean)
    assert (found.valid, found.is_valid) == (true.valid, true.is_valid)
    assert true.is_valid == (name == "day")


def _close(value: float | None, true: object) -> bool:
    if value is None or true is None:
        return value is None and true is None
    return value == pytest.approx(float(true), rel=1e-12)  # type: ignore[arg-type]


def test_hours_add_up_to_the_quarter(answers: QuarterTruth) -> None:
    """Months add up to the quarter, and everything known of it has a method."""
    for point in ("DA001.nox", "DA002.nmhc", "DW001.cod"):
        edges = [date(2020, month, 1) for month in (7, 8, 9, 10)]
        months = [answers.total(point, start, end) for start, end in pairwise(edges)]
        whole = answers.total(point, edges[0], edges[-1])
        assert sum(one.kg for one in months) == pytest.approx(whole.kg, rel=1e-12)
        assert (whole.measured or 0) + (whole.substituted or 0) + (whole.unknown or 0) == pytest.approx(1)
