"""This module proves the reference answers against examples small enough to work by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from simulators import truth
from simulators.faults import Delivery, Fault, MeterReset, Silent, deliveries
from simulators.plant import SimPoint, SimulatedPlant
from simulators.truth import MICRO, Ratio, RegisterRules, TrueCounter

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
ON = date(2026, 3, 2)
START, END = truth.day_edges(ON)
PLANT = SimulatedPlant()
NOX = PLANT.point("DA001.nox")
LEQ = PLANT.point("N1.leq")
COD = PLANT.point("DW001.cod")


def reading(point: SimPoint, ts_ms: int, value: float, flag: str = "N") -> Delivery:
    """Make a delivery that arrives at once."""
    return Delivery(ts_ms, ts_ms, point.id, value, flag)


def each_minute(point: SimPoint, values: Sequence[float], start_ms: int = START, flag: str = "N") -> list[Delivery]:
    """Make one reading a minute."""
    return [reading(point, start_ms + turn * MINUTE_MS, value, flag) for turn, value in enumerate(values)]


def test_first_value_in_order_of_arrival_stands() -> None:
    """Of two values of one instant the first that arrived stands, whatever it says."""
    sent = [reading(NOX, START + 10_000, 3), reading(NOX, START, 1), reading(NOX, START, 2), reading(LEQ, START, 60)]
    assert [one.value for one in truth.accepted(sent, NOX.id)] == [1, 3]


def test_minute_counts_due_had_valid() -> None:
    """A minute of six due readings with one flagged, one below and one above range means the three others."""
    sent = [reading(NOX, START + turn * 10_000, value, flag) for turn, (value, flag) in
            enumerate([(10, "N"), (20, "N"), (31, "N"), (99, "M"), (-99, "N"), (2001, "N")])]  # fmt: skip
    found = truth.minute(NOX, sent, START)
    assert (found.due, found.had, found.valid) == (6, 6, 3)
    assert found.mean == Fraction(61, 3)
    assert (found.minimum, found.maximum) == (10, 31)
    assert found.lower_bound == Fraction(61 + 2000, 4)


def test_minute_with_over_range_only_has_a_bound_and_no_mean() -> None:
    """Flag T alone gives no mean, but proves the range's end."""
    found = truth.minute(NOX, [reading(NOX, START, 2000, "T")], START)
    assert (found.mean, found.is_valid, found.lower_bound) == (None, False, 2000)


def test_flag_d_is_not_over_range() -> None:
    """A fault's high value proves nothing."""
    found = truth.minute(NOX, [reading(NOX, START, 5000, "D")], START)
    assert (found.mean, found.lower_bound, found.had) == (None, None, 1)


@pytest.mark.parametrize(("minutes", "is_valid"), [(44, False), (45, True), (60, True)])
def test_hour_needs_45_valid_minutes(minutes: int, is_valid: bool) -> None:
    """44 valid minutes do not make a valid hour, 45 do; the mean is given either way."""
    found = truth.hour(NOX, each_minute(NOX, [10.0] * (minutes - 1) + [10.0 + minutes]), START)
    assert (found.is_valid, found.valid, found.mean) == (is_valid, minutes, 11)


def test_hour_means_minutes_not_readings() -> None:
    """A minute with six readings weighs as much as one with a single reading."""
    sent = each_minute(NOX, [10.0] * 45) + [reading(NOX, START + 1 + turn * 10_000, 40) for turn in range(6)]
    assert truth.hour(NOX, truth.accepted(sent, NOX.id), START).mean == Fraction(44 * 10, 45) + Fraction(250, 7) / 45


def test_hour_bound_needs_45_minutes_valid_or_over_range() -> None:
    """40 valid minutes and 5 over range make a bound though no valid hour; 39 and 5 do not."""
    sent = each_minute(NOX, [10.0] * 40) + each_minute(NOX, [2000.0] * 5, START + 50 * MINUTE_MS, "T")
    found = truth.hour(NOX, sent, START)
    assert not found.is_valid
    assert found.lower_bound == Fraction(40 * 10 + 5 * 2000, 45)
    assert truth.hour(NOX, sent[1:], START).lower_bound is None


def test_slow_point_needs_75_percent_of_due() -> None:
    """An hourly analyser's hour is its one value; one of four quarter-hours due is not enough, three are."""
    assert truth.hour(COD, [reading(COD, START, 50)], START).is_valid
    assert not truth.hour(COD, [], START).is_valid
    quarter = replace(COD, interval_ms=900_000)
    sent = [reading(COD, START + turn * 900_000, 50 + turn) for turn in range(3)]
    assert truth.hour(quarter, sent, START).is_valid
    assert truth.hour(quarter, sent, START).mean == 51
    assert not truth.hour(quarter, sent[:2], START).is_valid


@pytest.mark.parametrize(("ran", "needed"), [(24, 20), (16, 12), (8, 6), (3, Fraction(9, 4)), (0, 0)])
def test_valid_day_rule(ran: int, needed: int) -> None:
    """A valid day needs max(75 % of the hours ran, hours ran - 4)."""
    assert truth.needed_hours(ran) == needed


@pytest.mark.parametrize(("hours", "is_valid"), [(19, False), (20, True)])
def test_day_means_valid_hours(hours: int, is_valid: bool) -> None:
    """A day is the mean of its valid hours; an hour of 44 minutes is not among them."""
    sent = [one for turn in range(hours) for one in each_minute(NOX, [float(turn)] * 60, START + turn * HOUR_MS)]
    sent += each_minute(NOX, [500.0] * 44, START + 23 * HOUR_MS)
    found = truth.day(NOX, sent, ON)
    assert (found.is_valid, found.valid, found.had, found.due) == (is_valid, hours, hours + 1, 24)
    assert found.mean == Fraction(sum(range(hours)), hours)


def test_day_of_a_two_shift_source() -> None:
    """Of 16 hours ran, 12 valid ones make a valid day; hours at rest are not due."""
    sent = [one for turn in range(6, 18) for one in each_minute(NOX, [30.0] * 60, START + turn * HOUR_MS)]
    found = truth.day(NOX, sent, ON, ran=lambda hour: START + 6 * HOUR_MS <= hour < START + 22 * HOUR_MS)
    assert (found.is_valid, found.due, found.valid) == (True, 16, 12)


def test_energy_mean_of_60_and_70_db() -> None:
    """60 dB and 70 dB for half the time each are 67.4036 dB."""
    found = truth.hour(LEQ, each_minute(LEQ, [60.0, 70.0] * 30), START)
    assert found.mean == pytest.approx(67.40362689494244, abs=1e-12)
    assert 10 * math.log10((1e6 + 1e7) / 2) == pytest.approx(67.40362689494244)


def test_energy_day_runs_over_minutes() -> None:
    """A sound level's day weighs each minute alike, though one of its hours has half the minutes."""
    sent = each_minute(LEQ, [60.0] * 60) + each_minute(LEQ, [70.0] * 30, START + HOUR_MS)
    assert truth.day(LEQ, sent, ON).mean == pytest.approx(10 * math.log10((60 * 1e6 + 30 * 1e7) / 90))


def test_night_period_spans_two_dates_and_needs_75_percent() -> None:
    """A night runs from 22:00 to 06:00 of the next date; 360 of its 480 minutes make it valid."""
    start, end = truth.period_edges(ON, "night")
    assert (start, end) == (START + 22 * HOUR_MS, START + 30 * HOUR_MS)
    sent = each_minute(LEQ, [50.0] * 360, start)
    assert truth.period(LEQ, sent, ON, "night").is_valid
    assert not truth.period(LEQ, sent[1:], ON, "night").is_valid


def test_local_days_have_23_to_25_hours() -> None:
    """A local day in Berlin has 23 hours when summer time begins and 25 when it ends."""
    berlin = ZoneInfo("Europe/Berlin")
    lengths = [len(truth.hour_edges(date(2026, *day), berlin)) for day in ((3, 29), (6, 1), (10, 25))]
    assert lengths == [23, 24, 25]


O2 = PLANT.point("DA001.o2")
FLOW = PLANT.point("DA001.flow")


def found_minutes(point: SimPoint, values: Sequence[float]) -> list[truth.TrueWindow]:
    """Give the minutes of an hour with one reading each."""
    return truth.minutes(point, each_minute(point, values), START, START + HOUR_MS)


def test_running_bounds_are_inclusive_and_unknown_runs() -> None:
    """19 % runs, 19.01 % does not, a minute without oxygen runs."""
    ran = truth.ran_minutes(O2, each_minute(O2, [19.0, 19.01]), START, START + 3 * MINUTE_MS, maximum=19)
    assert ran == [True, False, True]


def test_conversion_goes_before_the_mean() -> None:
    """Half an hour of 40 mg/m3 at 3.5 % and half of 20 at 12.25 % are 40 converted, though 30 measured."""
    oxygen = found_minutes(O2, [3.5] * 30 + [12.25] * 30)
    found = truth.converted_hour(found_minutes(NOX, [40.0] * 30 + [20.0] * 30), oxygen, [True] * 60, 3.5)
    assert (found.value, found.is_valid, found.valid) == (Fraction(40), True, 60)


def test_stopped_minutes_and_air_drop_out_of_the_converted_mean() -> None:
    """Minutes at rest and minutes at 21 % are not converted; 44 left are not enough."""
    oxygen = found_minutes(O2, [3.5] * 44 + [21.0] * 8 + [20.5] * 8)
    ran = truth.ran_minutes(
        O2, each_minute(O2, [3.5] * 44 + [18.0] * 8 + [20.5] * 8), START, START + HOUR_MS, maximum=19
    )
    found = truth.converted_hour(found_minutes(NOX, [40.0] * 44 + [1.0] * 16), oxygen, ran, 3.5)
    assert (found.value, found.is_valid, found.valid, found.ran) == (Fraction(40), False, 44, 52)


def test_rate_is_mean_times_mean_while_running() -> None:
    """20 mg/m3 at 100000 m3/h for the 45 minutes that ran are 2 kg/h; each of the two needs 45 minutes."""
    ran = [True] * 45 + [False] * 15
    amounts = found_minutes(NOX, [10.0, 30.0, 20.0] * 15 + [0.0] * 15)
    flow = found_minutes(FLOW, [100_000.0] * 45 + [0.0] * 15)
    assert truth.rate_hour(amounts, flow, ran).value == 2
    assert truth.rate_hour(amounts, flow, ran).is_valid
    assert not truth.rate_hour(amounts, found_minutes(FLOW, [100_000.0] * 44), ran).is_valid


# Counters: readings every 15 minutes unless said otherwise

QUARTER_MS = 900_000
RULES = RegisterRules(interval_ms=QUARTER_MS)


def register(values: Sequence[float], start_ms: int = START, step_ms: int = QUARTER_MS) -> list[Delivery]:
    """Make register readings at even steps."""
    return [Delivery(0, start_ms + turn * step_ms, "E", value, "N") for turn, value in enumerate(values)]


def kinds(counter: TrueCounter) -> list[str]:
    """Name what was found in a register."""
    return [event.kind for event in counter.events]


def test_hour_is_the_difference_at_its_edges() -> None:
    """With readings on the edges an hour is their difference."""
    counter = TrueCounter(RULES, register([100, 110, 120, 130, 145.5]))
    found = counter.window(START, START + HOUR_MS)
    assert (found.micro, found.coverage, found.is_estimated) == (45_500_000, Fraction(1), False)


def test_edges_are_interpolated_and_quantised() -> None:
    """An edge a third between two readings takes a third of the rise, to 1e-6, so that parts add up exactly."""
    counter = TrueCounter(RULES, register([0, 1], START - 300_000))
    before, after = counter.window(START - HOUR_MS, START), counter.window(START, START + HOUR_MS)
    assert (before.micro, after.micro) == (333_333, 666_667)
    assert before.coverage == Fraction(1, 12)


def test_half_goes_to_even() -> None:
    """An edge on half a millionth goes to the even one."""
    counter = TrueCounter(RULES, register([0, 0.000001, 0.000004], START - QUARTER_MS // 2))
    assert counter.edge_micro(START) == 0
    assert counter.edge_micro(START + QUARTER_MS) == 2


def test_reset_counts_from_zero() -> None:
    """100, 110, 3: after the reset 3 counts."""
    counter = TrueCounter(RULES, register([100, 110, 3, 5, 6]))
    assert kinds(counter) == ["reset"]
    assert counter.window(START, START + HOUR_MS).total == 10 + 3 + 2 + 1


def test_roll_over_counts_around() -> None:
    """999990, 5 with a wrap at 1000000 counts 15."""
    rules = RegisterRules(QUARTER_MS, wraps_at=1e6, max_rate_per_h=1000)
    counter = TrueCounter(rules, register([999_980, 999_990, 5, 15, 20]))
    assert kinds(counter) == ["roll_over"]
    assert counter.window(START, START + HOUR_MS).total == 40


def test_roll_over_beyond_max_rate_is_a_reset() -> None:
    """Where going around would be absurdly much, the register was reset."""
    rules = RegisterRules(QUARTER_MS, wraps_at=1e6, max_rate_per_h=1000)
    counter = TrueCounter(rules, register([500_000, 500_010, 5]))
    assert kinds(counter) == ["reset"]
    assert counter.window(START, START + HOUR_MS).total == 15


def test_slight_fall_counts_only_above_the_old_level() -> None:
    """1000, 995, 998, 1004: only the 4 above the old level count, and it is one event."""
    counter = TrueCounter(RULES, register([1000, 995, 998, 1004]))
    assert kinds(counter) == ["slight_fall"]
    assert counter.window(START, START + HOUR_MS).total == 4


@pytest.mark.parametrize(
    ("zeros", "found", "total"), [(1, ["brief_zero"], 20), (3, ["brief_zero"], 20), (4, ["reset"], 120)]
)
def test_at_most_three_zeros_are_brief(zeros: int, found: list[str], total: int) -> None:
    """Three zeros between readings that fit together are nothing; four are a reset, and the register counts again."""
    values = [100, 110, *[0] * zeros, 120]
    counter = TrueCounter(RULES, register(values))
    assert kinds(counter) == found
    assert counter.window(START, START + 3 * HOUR_MS).total == (total if zeros < 4 else 10 + 120)


def test_replaced_without_declaration_counts_nothing() -> None:
    """A fall to a register that could not have been counted since is another meter: 0 and an event."""
    rules = RegisterRules(QUARTER_MS, max_rate_per_h=1000)
    counter = TrueCounter(rules, register([90_000, 90_010, 5_000, 5_010]))
    assert kinds(counter) == ["replaced"]
    assert counter.window(START, START + HOUR_MS).total == 20


def test_rise_above_max_rate_counts_nothing() -> None:
    """A rise that the connection cannot carry counts 0 and is an event; the next rise counts from there."""
    rules = RegisterRules(QUARTER_MS, max_rate_per_h=1000)
    counter = TrueCounter(rules, register([100, 110, 9_000, 9_010]))
    assert kinds(counter) == ["too_fast"]
    assert counter.window(START, START + HOUR_MS).total == 20


def test_max_rate_is_compared_after_the_ratio() -> None:
    """A rise of 20 in a quarter of an hour at ratio 20 is 1600 an hour: above 1000."""
    rules = RegisterRules(QUARTER_MS, (Ratio(20.0),), max_rate_per_h=1000)
    assert kinds(TrueCounter(rules, register([100, 120]))) == ["too_fast"]
    assert kinds(TrueCounter(replace(rules, max_rate_per_h=1600.0), register([100, 120]))) == []


def test_ratio_change_splits_by_time() -> None:
    """An interval across a ratio's midnight counts each part at its own ratio."""
    rules = RegisterRules(QUARTER_MS, (Ratio(1.0, None, END), Ratio(10.0, END, None)))
    counter = TrueCounter(rules, register([0, 9], END - 300_000))
    assert counter.day(ON).total == 3
    assert counter.window(END, END + HOUR_MS).total == 60


def test_late_reading_leaves_a_part_uncovered() -> None:
    """A window whose next reading is not there yet ends at the last one."""
    found = TrueCounter(RULES, register([0, 10, 20])).window(START, START + HOUR_MS)
    assert (found.micro, found.coverage) == (20_000_000, Fraction(1, 2))


def test_gap_is_estimated_where_it_is_split() -> None:
    """Windows that hold part of a gap over three intervals are estimated; the day that holds it whole is not."""
    counter = TrueCounter(RULES, [*register([0, 1, 2]), *register([12, 13], START + 3 * HOUR_MS)])
    found = [one.is_estimated for one in counter.hours(ON)]
    assert found[:4] == [True, True, True, False]
    assert not counter.day(ON).is_estimated
    assert counter.day(ON).total == 13


def test_flagged_meter_readings_are_not_used() -> None:
    """A flagged register is as if it were not there."""
    sent = register([0, 10, 20])
    sent[1] = sent[1]._replace(value=5000.0, flag="M")
    counter = TrueCounter(RULES, sent)
    assert counter.events == []
    assert counter.window(START, START + HOUR_MS).total == 20


def test_hours_add_up_to_the_day_through_faults() -> None:
    """With a reset, a silence and readings off the hour, the hours' millionths are the day's."""
    plant = SimulatedPlant(phase_ms={"E-MAIN": 137_000})
    faults: list[Fault] = [
        MeterReset("E-MAIN", START + 10 * HOUR_MS),
        Silent("E-MAIN", START + 13 * HOUR_MS, START + 16 * HOUR_MS),
    ]
    sent = list(deliveries(plant, START - HOUR_MS, END + HOUR_MS, faults, ["E-MAIN"]))
    counter = truth.counters(plant.points(), sent)["E-MAIN"]
    whole = counter.day(ON)
    assert kinds(counter) == ["reset"]
    assert sum(one.micro or 0 for one in counter.hours(ON)) == whole.micro
    lost = plant.true_total("E-MAIN", START + 10 * HOUR_MS - 763_000, START + 10 * HOUR_MS)
    assert float(whole.total or 0) == pytest.approx(plant.true_total("E-MAIN", START, END) - lost, abs=60)


def test_totals_agree_with_the_plant() -> None:
    """Every meter's day by its readings is what its load really was, to the register's resolution."""
    sent = list(deliveries(PLANT, START - HOUR_MS, END + HOUR_MS, points=["E-MAIN", "E-PV", "W-NORTH", "G-MAIN"]))
    found = truth.counters(PLANT.points(), sent)
    for meter in ("E-MAIN", "E-PV", "W-NORTH", "G-MAIN"):
        resolution = 1.01 * 10 ** -PLANT.point(meter).decimals
        total = (found[meter].day(ON).micro or 0) / MICRO
        assert total == pytest.approx(PLANT.true_total(meter, START, END), abs=resolution)
