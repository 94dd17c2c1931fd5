"""This module proves waste water by volume and pH by hour: by hand-worked cases, and against the truth over a week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from builders import a_limit, a_point, some_rules

from plantmon.averages.mean import PointTable, classify, minutes_of
from plantmon.averages.water_flow import LOOK_BACK_MS, flow_of
from plantmon.averages.weighing import Results
from plantmon.compliance.judge import judge
from plantmon.compliance.water import WaterMeasured, flow_weighted_day, ph_hour
from plantmon.model.minutes import MinuteBlock
from plantmon.model.plant import Basis, Point
from plantmon.model.reading import Columns, flag_code
from plantmon.model.verdict import Outcome, Reason
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS
from simulators import truth
from simulators.faults import Delivery, Exceedance, Fault, Flagged, OutOfOrder, OverRange, Silent, deliveries
from simulators.plant import SimPoint, SimulatedPlant

ON = date(2026, 3, 2)
START, END = truth.day_edges(ON)
PLANT = SimulatedPlant()
COD, PH, FLOW = (PLANT.point(f"DW001.{name}") for name in ("cod", "ph", "flow"))
RULES = some_rules()


def point_of(point: SimPoint) -> Point:
    """Give the program's idea of a simulated point."""
    return a_point(
        point.id,
        quantity=point.quantity,
        unit=point.unit,
        interval_ms=point.interval_ms,
        range_low=point.range_low,
        range_high=point.range_high,
    )


def columns_of(readings: Sequence[Delivery]) -> Columns:
    """Lay readings into arrays, as the store would."""
    return Columns(
        np.array([one.ts_ms for one in readings], np.int64),
        np.zeros(len(readings), np.int64),
        np.array([one.value for one in readings], np.float64),
        np.array([flag_code(one.flag) for one in readings], np.int64),
    )


def table_of(point: SimPoint) -> PointTable:
    """Give a point's range as averaging wants it."""
    assert point.range_low is not None
    assert point.range_high is not None
    return PointTable(np.array([point.range_low]), np.array([point.range_high]), np.array([False]))


def results_of(point: SimPoint, readings: Sequence[Delivery]) -> Results:
    """Classify an analyser's readings."""
    rows = columns_of(readings)
    valid, over, value = classify(rows, table_of(point))
    return Results(rows.ts, value, valid, over)


def blocks_of(point: SimPoint, readings: Sequence[Delivery]) -> list[tuple[int, MinuteBlock]]:
    """Average readings into minutes and shelve them by hours."""
    found = minutes_of(columns_of(readings), table_of(point), 0)
    blocks: dict[int, MinuteBlock] = {}
    for turn, at in enumerate(found.at.tolist()):
        block = blocks.setdefault(at // HOUR_MS * HOUR_MS, MinuteBlock.empty())
        for name in ("had", "valid", "over", "mean", "low", "high", "bound"):
            getattr(block, name)[at % HOUR_MS // MINUTE_MS] = getattr(found, name)[turn]
    return list(blocks.items())


def the_day(
    analyser: SimPoint, results: Sequence[Delivery], flow: Sequence[Delivery], on: date = ON
) -> tuple[WaterMeasured, truth.TrueWater]:
    """Measure a day by the program and by the truth, from all flow there is before it."""
    start, end = truth.day_edges(on)
    whole = flow_of(blocks_of(FLOW, flow), start - LOOK_BACK_MS, end + 2 * analyser.interval_ms)
    known_from = min([one.ts_ms // MINUTE_MS * MINUTE_MS for one in flow] + [start])
    return (
        flow_weighted_day(point_of(analyser), RULES, start, end, results_of(analyser, results), whole),
        truth.flow_weighted_day(analyser, results, FLOW, flow, on, known_from_ms=known_from),
    )


def flowing(*spans: tuple[float, float, float | None], until_h: float = 26) -> list[Delivery]:
    """Send one flow a minute, 0 outside the spans (from hour, to hour, m3/h); None sends nothing."""
    sent = []
    for minute in range(round(until_h * 60)):
        inside = [flow for start, end, flow in spans if start <= minute / 60 < end]
        if (flow := inside[-1] if inside else 0.0) is not None:
            sent.append(Delivery(0, START + minute * MINUTE_MS, FLOW.id, flow, "N"))
    return sent


def hourly(
    usual: float, special: dict[int, Any] | None = None, phase_h: float = 0, until_h: int = 26
) -> list[Delivery]:
    """Send one COD an hour; `special` has another value, (value, flag), or None for nothing, by hour."""
    sent = []
    for hour in range(until_h):
        given = (special or {}).get(hour, usual)
        if given is not None:
            value, flag = given if isinstance(given, tuple) else (given, "N")
            sent.append(Delivery(0, START + round((hour + phase_h) * HOUR_MS), COD.id, value, flag))
    return sent


def test_helpers_agree_on_the_hour() -> None:
    """Shelving by UTC hours fits the local day, which begins on a full hour in Shanghai."""
    assert START % HOUR_MS == 0


@dataclass(frozen=True)
class Day:
    """A day worked by hand: the mean and the lower bound, slots due and had, whether a verdict may stand on it."""

    results: list[Delivery]
    flow: list[Delivery]
    mean: Fraction | int | None
    due: int = 24
    valid: int = 24
    bound: Fraction | int | None = None
    over: bool = False
    analyser: SimPoint = COD


ALWAYS = flowing((0, 26, 10.0))
FOUR_HOURLY = replace(COD, interval_ms=4 * HOUR_MS)
DAYS = {
    "constant": Day(hourly(50.0), flowing((0, 9, 3.0), (9, 26, 17.0)), 50),
    # 12 h x 10 m3/h at 100 mg/L, 12 h x 30 m3/h at 20 mg/L: (12000 + 7200) / 480
    "two levels": Day(hourly(20.0, dict.fromkeys(range(12), 100.0)), flowing((0, 12, 10.0), (12, 26, 30.0)), 40),
    # what the analyser repeats at night neither weighs nor is due
    "zero-flow night": Day(hourly(500.0, dict.fromkeys(range(8, 16), 50.0)), flowing((8, 16, 9.0)), 50, 8, 8),
    # 10:00 weighs 20 m3: (200 x 20 + 50 x 220) / 240
    "one missing": Day(hourly(50.0, {10: 200.0, 11: None}), ALWAYS, Fraction(125, 2), valid=23),
    "flagged is missing": Day(hourly(50.0, {10: 200.0, 11: (900.0, "M")}), ALWAYS, Fraction(125, 2), valid=23),
    "below range is missing": Day(hourly(50.0, {10: 200.0, 11: -99.0}), ALWAYS, Fraction(125, 2), valid=23),
    # at most two intervals: 12:00-13:00 is uncovered, (200 x 20 + 50 x 210) / 230
    "two missing": Day(hourly(50.0, {10: 200.0, 11: None, 12: None}), ALWAYS, Fraction(1450, 23), valid=22),
    # what flowed before the day's first result is yesterday's: (50 x 220) / 220
    "first missing": Day(hourly(50.0, {0: None, 1: None}), ALWAYS, 50, valid=22),
    # results at half past; the last weighs 5 m3 before midnight and 25 after: (20 x 230 + 80 x 30) / 260
    "over midnight": Day(
        hourly(20.0, {23: 80.0, 24: 999.0}, 0.5), flowing((0, 24, 10.0), (24, 26, 50.0)), Fraction(7000, 260)
    ),
    # tomorrow's 00:00 is flagged, so 23:00 weighs until 01:00: (20 x 230 + 80 x 20) / 250
    "two intervals over midnight": Day(hourly(20.0, {23: 80.0, 24: (20.0, "C")}), ALWAYS, Fraction(124, 5)),
    # 00:30:30 cuts the minute: 00:00 weighs 30.5 min, 00:30:30 89.5 min until 02:00
    "cut minute": Day(
        [Delivery(0, START, COD.id, 100.0, "N"), Delivery(0, START + 1_830_000, COD.id, 40.0, "N")],
        flowing((0, 2, 60.0)), (100 * Fraction(61, 2) + 40 * Fraction(179, 2)) / 120, 2, 1,
    ),
    "a result sent twice is one": Day(
        [*hourly(50.0, dict.fromkeys(range(17, 26))), Delivery(0, START + 59_400_000, COD.id, 50.0, "N")],
        ALWAYS, 50, valid=17,
    ),
    # 10-12 takes the mean of the two hours before it, 20: (100 x 40 + 10 x 240) / 280
    "flow filled": Day(
        hourly(10.0, {10: 100.0, 11: 100.0}), flowing((0, 26, 10.0), (8, 10, 20.0), (10, 12, None)), Fraction(160, 7)
    ),
    # 12-15 takes the mean of the three known hours before it, 20, 8 and 30, not of 10-11, which was filled with 8:
    # 10 + 90 x (58 / 3) / 294
    "flow filled across an earlier gap": Day(
        hourly(10.0, {12: 100.0}),
        flowing((0, 26, 10.0), (8, 9, 30.0), (9, 10, 8.0), (10, 11, None), (11, 12, 20.0), (12, 15, None)),
        Fraction(780, 49),
    ),
    "flow unknown all day": Day(hourly(50.0), [], None, valid=0),
    # before the flow first spoke volumes are not known: those results neither weigh nor count
    "flow begins late": Day(
        hourly(50.0, dict.fromkeys(range(6), 900.0)), flowing((0, 6, None), (6, 26, 10.0)), 50, valid=18
    ),
    "no discharge": Day(hourly(900.0, {3: (2000.0, "T")}), flowing(), None, 0, 0),
    "discharge of one minute": Day(hourly(50.0, {7: 70.0}), flowing((7.5, 7.51, 4.0)), 70, 1, 1),
    # a minute of unknown flow at rest may have discharged; filled with rest it weighs nothing
    "one unknown minute at rest": Day(hourly(50.0), flowing((3.5, 3.51, None)), None, 1, 1),
    "17 of 24": Day(hourly(50.0, dict.fromkeys(range(1, 14, 2))), ALWAYS, 50, valid=17),
    "18 of 24": Day(hourly(50.0, dict.fromkeys(range(1, 12, 2))), ALWAYS, 50, valid=18),
    # (2000 x 10 + 50 x 230) / 240; without it 09:00 weighs two hours
    "over range": Day(hourly(50.0, {10: (2000.0, "T")}), ALWAYS, 50, 24, 23, Fraction(525, 4), True),
    "above range without a flag": Day(hourly(50.0, {10: 2500.0}), ALWAYS, 50, 24, 23, Fraction(525, 4), True),
    "over range at rest": Day(hourly(50.0, {3: (2000.0, "T")}), flowing((6, 24, 10.0)), 50, 18, 18),
    # 05:00 weighs 06:30-07:00, since 06:00 is missing: (2000 x 5 + 50 x 170) / 175
    "over range reaching into discharge": Day(
        hourly(50.0, {5: (2000.0, "T"), 6: None}), flowing((6.5, 24, 10.0)), 50, 18, 17, Fraction(740, 7), True
    ),
    "over range, too little besides": Day(
        hourly(50.0, {10: (2000.0, "T")} | dict.fromkeys(range(11, 18))), ALWAYS, 50, 24, 16, None, True
    ),
    "four-hourly": Day(
        [Delivery(0, START + turn * 4 * HOUR_MS, COD.id, value, "N") for turn, value in enumerate([10, 20, 30, 40])],
        # 12:00 weighs two intervals, 20:00-24:00 is uncovered: (10 + 20 + 30 + 40 x 2) / 5
        flowing((0, 34, 6.0), until_h=34), 28, 6, 4, analyser=FOUR_HOURLY,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAYS)
def test_day_by_hand(name: str) -> None:
    """The day's mean by volume, its bound and its counts are those worked by hand, in program and truth."""
    case = DAYS[name]
    found, true = the_day(case.analyser, case.results, case.flow)
    got = found.measured
    assert (true.value, true.lower_bound, true.due, true.valid, true.is_over_range) == (
        case.mean, case.bound, case.due, case.valid, case.over
    )  # fmt: skip
    assert got.mean == (None if case.mean is None else pytest.approx(float(case.mean), rel=1e-11))
    assert got.lower_bound == (None if case.bound is None else pytest.approx(float(case.bound), rel=1e-11))
    assert (found.due, got.parts, got.is_over_range) == (case.due, case.valid, case.over)
    assert found.no_discharge == (case.due == 0)


PERMIT = a_limit(point_of(COD), window="1d", maximum=100.0)


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("constant", Outcome.OK, None),
        ("17 of 24", Outcome.NOT_JUDGED, Reason.HOURS),
        ("18 of 24", Outcome.OK, None),
        ("over range", Outcome.EXCEED_AT_LEAST, None),
        ("over range, too little besides", Outcome.NOT_JUDGED, Reason.OVER_RANGE),
        ("flow unknown all day", Outcome.NOT_JUDGED, Reason.NO_DATA),
        ("one unknown minute at rest", Outcome.NOT_JUDGED, Reason.NO_DATA),
        ("four-hourly", Outcome.NOT_JUDGED, Reason.HOURS),
        ("no discharge", Outcome.NOT_JUDGED, Reason.STOPPED),  # the caller says no discharge instead
    ],
)
def test_day_judged(name: str, outcome: Outcome, reason: Reason | None) -> None:
    """A day is judged as any window is, and one without discharge is not, even by a caller that forgets to ask."""
    case = DAYS[name]
    found, _ = the_day(case.analyser, case.results, case.flow)
    judged = judge(PERMIT, point_of(COD), found.measured)
    assert (judged.outcome, judged.reason) == (outcome, reason)


def test_day_tells_its_range_and_volume() -> None:
    """The day shows the range of its values and the volume its mean stands for, not what nothing covers."""
    case = DAYS["two missing"]
    found, true = the_day(COD, case.results, case.flow)
    assert (found.minimum, found.maximum, found.volume_m3) == (50.0, 200.0, pytest.approx(230.0))
    assert (true.minimum, true.maximum) == (50.0, 200.0)


def test_fill_reaches_back_before_midnight() -> None:
    """A flow lost over midnight is filled with as many minutes as are lacking, from before it was lost."""
    before = [replace_time(one, -DAY_MS) for one in flowing((0, 20, 99.0), (20, 22, 6.0), (22, 24, None), until_h=24)]
    found, true = the_day(COD, hourly(50.0), before + flowing((0, 2, None), (2, 26, 6.0)))
    # four hours before 22:00: two at 99, two at 6
    assert found.volume_m3 == pytest.approx(2 * (99 + 6) / 2 + 22 * 6)
    assert true.value == 50


def replace_time(delivery: Delivery, shift_ms: int) -> Delivery:
    """Move a delivery in time."""
    return delivery._replace(ts_ms=delivery.ts_ms + shift_ms)


def test_flow_unit_is_a_factor() -> None:
    """Flow in L/s is 3.6 m3/h, and a minute that is over range only is unknown."""
    block = MinuteBlock.empty()
    block.had[:] = 1
    block.valid[:59] = 1
    block.mean[:59] = 5.0
    block.over[59] = 1
    flow = flow_of([(START + HOUR_MS, block)], START, START + 2 * HOUR_MS, 3.6)
    assert np.isnan(flow.m3_h[:60]).all()
    assert (flow.m3_h[60:119] == 18.0).all()
    assert np.isnan(flow.m3_h[119])


# pH


def each_minute(point: SimPoint, values: Sequence[Any]) -> list[Delivery]:
    """Send one value a minute from the day's start: a number, (value, flag), or None for nothing."""
    sent = []
    for minute, given in enumerate(values):
        if given is not None:
            value, flag = given if isinstance(given, tuple) else (given, "N")
            sent.append(Delivery(0, START + minute * MINUTE_MS, point.id, value, flag))
    return sent


def the_hour(
    ph: Sequence[Delivery], flow: Sequence[Delivery], start: int = START
) -> tuple[WaterMeasured, truth.TrueWater]:
    """Measure an hour by the program and by the truth."""
    block = dict(blocks_of(PH, ph)).get(start)
    found = ph_hour(point_of(PH), RULES, start, block, flow_of(blocks_of(FLOW, flow), start, start + HOUR_MS))
    return found, truth.ph_hour(PH, ph, FLOW, flow, start)


FULL, REST = [5.0] * 60, [0.0] * 60
HALF = [5.0] * 30 + [0.0] * 30
HOURS = {
    # values, flow, median, bound, due, valid, needed
    "half acid, half alkaline": ([6.0] * 30 + [8.0] * 30, FULL, 7, None, 60, 60, 45),
    "a spike moves no median": ([7.0] * 31 + [2.0] * 29, FULL, 7, None, 60, 60, 45),
    "odd": ([6.0] * 22 + [6.5] + [9.5] * 22 + [None] * 15, FULL, Fraction(13, 2), None, 60, 45, 45),
    "44 of 60": ([7.0] * 44, FULL, 7, None, 60, 44, 45),
    "23 of 30": ([7.0] * 23, HALF, 7, None, 30, 23, 23),
    "22 of 30": ([7.0] * 22, HALF, 7, None, 30, 22, 23),
    "at rest it may show anything": ([7.0] * 30 + [1.0] * 30, HALF, 7, None, 30, 30, 23),
    "no discharge": ([3.0] * 60, REST, None, None, 0, 0, 1),
    "unknown flow is due": ([7.0] * 60, [0.0] * 50 + [None] * 10, 7, None, 10, 10, 8),
    "no flow at all is due": ([7.0] * 60, [], 7, None, 60, 60, 45),
    "one minute of discharge": ([7.0] * 60, [0.0] * 59 + [1.0], 7, None, 1, 1, 1),
    "nothing measured": ([], FULL, None, None, 60, 0, 45),
    "flagged says nothing": ([(3.0, "M")] * 60, FULL, None, None, 60, 0, 45),
    "over range in most": ([7.0] * 25 + [(14.0, "T")] * 35, FULL, 7, 14, 60, 25, 45),
    "over range in few": ([7.0] * 55 + [14.5] * 5, FULL, 7, 7, 60, 55, 45),
    "over range, too little besides": ([7.0] * 20 + [(14.0, "T")] * 20, FULL, 7, None, 60, 20, 45),
    "over range at rest": ([7.0] * 30 + [(14.0, "T")] * 30, HALF, 7, None, 30, 30, 23),
}


@pytest.mark.parametrize("name", HOURS)
def test_hour_of_ph_by_hand(name: str) -> None:
    """The hour's median while there was discharge, its bound and its counts are those worked by hand."""
    values, flows, median, bound, due, valid, needed = HOURS[name]
    found, true = the_hour(each_minute(PH, values), each_minute(FLOW, flows))
    got = found.measured
    assert (got.mean, got.lower_bound, found.due, got.parts, got.needed) == (median, bound, due, valid, needed)
    assert (true.value, true.lower_bound, true.due, true.valid) == (median, bound, due, valid)
    assert found.no_discharge == (due == 0)
    assert got.is_over_range == true.is_over_range == ("over range" in name and "rest" not in name)


def test_hour_of_ph_tells_its_range() -> None:
    """The hour shows the lowest and highest valid reading while there was discharge, not those at rest."""
    found, true = the_hour(each_minute(PH, [6.5] * 10 + [7.0] * 19 + [9.9] + [1.0] * 30), each_minute(FLOW, HALF))
    assert (found.minimum, found.maximum, found.measured.mean) == (6.5, 9.9, 7.0)
    assert (true.minimum, true.maximum) == (6.5, 9.9)


BOTH_ENDS = a_limit(point_of(PH), basis=Basis.LEVEL, minimum=6.0, maximum=9.0)


@pytest.mark.parametrize(
    ("values", "outcome", "reason"),
    [
        pytest.param([6.0] * 60, Outcome.OK, None, id="equal complies"),
        pytest.param([5.9] * 60, Outcome.EXCEED, None, id="acid"),
        pytest.param([9.1] * 60, Outcome.EXCEED, None, id="alkaline"),
        # an arithmetic mean of pH would be 7.5
        pytest.param([5.0] * 31 + [10.2] * 29, Outcome.EXCEED, None, id="no mean hides two breaches"),
        pytest.param([7.0] * 25 + [(14.0, "T")] * 35, Outcome.EXCEED_AT_LEAST, None, id="over range"),
        pytest.param([7.0] * 55 + [(14.0, "T")] * 5, Outcome.NOT_JUDGED, Reason.OVER_RANGE, id="over range in few"),
        pytest.param([5.0] * 44, Outcome.NOT_JUDGED, Reason.MINUTES, id="too few"),
        pytest.param([], Outcome.NOT_JUDGED, Reason.NO_DATA, id="nothing"),
    ],
)
def test_hour_of_ph_judged(values: list[Any], outcome: Outcome, reason: Reason | None) -> None:
    """The median is held against both ends."""
    found, _ = the_hour(each_minute(PH, values), each_minute(FLOW, FULL))
    judged = judge(BOTH_ENDS, point_of(PH), found.measured)
    assert (judged.outcome, judged.reason) == (outcome, reason)


@pytest.mark.parametrize(("count", "is_enough"), [(3, True), (2, False)])
def test_slow_ph_needs_its_share_of_values(count: int, is_enough: bool) -> None:
    """A pH of a quarter hour's interval has four slots in the hour and needs three of them."""
    slow = replace(point_of(PH), interval_ms=15 * MINUTE_MS)
    block = dict(blocks_of(PH, each_minute(PH, ([7.0] + [None] * 14) * count)))[START]
    flow = flow_of(blocks_of(FLOW, each_minute(FLOW, ([0.0] * 14 + [3.0]) * 4)), START, START + HOUR_MS)
    found = ph_hour(slow, RULES, START, block, flow)
    assert (found.due, found.measured.parts, found.measured.mean) == (4, count, 7.0)
    assert (found.measured.parts >= found.measured.needed) == is_enough


# A week against the truth

WEEK = [ON + timedelta(days=turn) for turn in range(7)]


def at(day: int, hour: float) -> int:
    """Give an instant of the week; 0 is Monday."""
    return START + day * DAY_MS + round(hour * HOUR_MS)


FAULTS: list[Fault] = [
    OutOfOrder("DW001.flow", at(0, 0), at(7, 0)),
    Silent("DW001.flow", at(0, 22), at(1, 9.3)),  # over a night and midnight
    Silent("DW001.flow", at(1, 13.01), at(1, 13.4)),
    Flagged("DW001.flow", at(2, 9), at(2, 11), "M"),
    OverRange("DW001.flow", at(2, 15), at(2, 15.5)),
    Silent("DW001.flow", at(6, 3), at(6, 5)),  # Sunday, at rest
    Silent("DW001.cod", at(1, 10), at(1, 13)),
    Flagged("DW001.cod", at(2, 23), at(3, 2), "C"),
    OverRange("DW001.cod", at(3, 10), at(3, 11)),
    OverRange("DW001.cod", at(4, 2), at(4, 4), "N", 50.0),  # at rest
    Silent("DW001.nh3n", at(3, 7), at(3, 12)),
    Exceedance("DW001.tss", at(4, 0), at(5, 0), 3.7),
    OverRange("DW001.tss", at(5, 9), at(5, 16)),
    Silent("DW001.tss", at(0, 8), at(0, 9)),
    Silent("DW001.ph", at(0, 10.2), at(0, 10.5)),
    Flagged("DW001.ph", at(1, 14), at(1, 14.2), "D"),
    OverRange("DW001.ph", at(2, 12.3), at(2, 13.1)),
    OverRange("DW001.ph", at(3, 3), at(3, 4)),  # at rest
    Exceedance("DW001.ph", at(4, 8), at(4, 12), offset=-2.0),
]


@pytest.fixture(scope="module")
def delivered() -> dict[str, list[Delivery]]:
    """Give what stands of DW001 over a week with faults, from a day before it to a day after."""
    shifted = SimulatedPlant(seed=5, phase_ms={"DW001.nh3n": 1_234_567, "DW001.flow": 17_000})
    sent = list(deliveries(shifted, at(-1, 0), at(8, 0), FAULTS, points=[
        f"DW001.{name}" for name in ("cod", "nh3n", "tss", "ph", "flow")]))  # fmt: skip
    return {point: truth.accepted(sent, point) for point in {one.point for one in sent}}


def assert_close(found: float | None, true: Fraction | None) -> None:
    """Hold a value against the truth at 1e-9."""
    assert (found is None) == (true is None)
    if found is not None and true is not None:
        assert found == pytest.approx(float(true), rel=1e-9)


def assert_true(found: WaterMeasured, true: truth.TrueWater) -> None:
    """Hold a window against the truth."""
    got = found.measured
    assert_close(got.mean, true.value)
    assert_close(got.lower_bound, true.lower_bound)
    assert (found.due, got.parts, got.is_over_range) == (true.due, true.valid, true.is_over_range)
    assert (found.no_discharge, found.minimum, found.maximum) == (true.no_discharge, true.minimum, true.maximum)
    is_valid = got.mean is not None and not got.is_over_range and got.parts >= got.needed
    assert is_valid == true.is_valid


@pytest.mark.parametrize("name", ["cod", "nh3n", "tss"])
def test_week_of_days(delivered: dict[str, list[Delivery]], name: str) -> None:
    """A week of days with gaps, flags, over-range results and nights at rest is the truth, at 1e-9."""
    analyser = PLANT.point(f"DW001.{name}")
    seen = set()
    for on in WEEK:
        found, true = the_day(analyser, delivered[analyser.id], delivered[FLOW.id], on)
        assert_true(found, true)
        seen.add((true.due, true.is_over_range))
    assert len(seen) > 1


def test_week_of_ph(delivered: dict[str, list[Delivery]]) -> None:
    """A week of hours of pH is the truth, at 1e-9; some are at rest, some valid, some over range, some too thin."""
    blocks, flows = dict(blocks_of(PH, delivered[PH.id])), blocks_of(FLOW, delivered[FLOW.id])
    seen = set()
    for turn in range(7 * 24):
        start = START + turn * HOUR_MS
        near = {id: [one for one in delivered[id] if start <= one.ts_ms < start + HOUR_MS] for id in (PH.id, FLOW.id)}
        found = ph_hour(point_of(PH), RULES, start, blocks.get(start), flow_of(flows, start, start + HOUR_MS))
        true = truth.ph_hour(PH, near[PH.id], FLOW, near[FLOW.id], start)
        assert_true(found, true)
        seen.add((true.no_discharge, true.is_valid, true.is_over_range))
    assert {(True, False, False), (False, True, False), (False, False, True), (False, False, False)} <= seen
