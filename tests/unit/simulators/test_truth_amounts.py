"""This module proves the reference amounts: hours of air, substitution, waste water, sums, all by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from simulators import truth, truth_amounts
from simulators.faults import Delivery
from simulators.plant import SimulatedPlant
from simulators.truth_amounts import INVALID, MEASURED, STOPPED, TrueEmission, TrueHour
from simulators.truth_judged import FilledFlow
from simulators.truth_minutes import EMPTY, Minute

MINUTE, HOUR = 60_000, 3_600_000
ALL = [True] * 60
START = truth.day_edges(date(2020, 7, 1))[0]
COD = SimulatedPlant().point("DW001.cod")


def known(*values: float) -> list[Minute]:
    """Make valid minutes."""
    return [Minute(value, None, 1) for value in values]


def over(count: int, end: float = 200.0) -> list[Minute]:
    """Make minutes with over-range readings only."""
    return [Minute(None, end, 1)] * count


FLOW = known(*[1e5] * 60)


def emission(concentration: Sequence[Minute], flow: Sequence[Minute] = FLOW, ran: Sequence[bool] = ALL) -> TrueHour:
    """Give an hour's amount; missing minutes are filled up at the end."""
    filled = [[*series, *[EMPTY] * (60 - len(series))] for series in (concentration, flow)]
    return truth_amounts.true_emission_hour(0, *filled, ran)


# Hours of air


def test_whole_hour_is_mean_times_mean() -> None:
    """20 mg/m3 at 100000 m3/h are 2 kg."""
    assert emission(known(*[10.0, 30.0] * 30)) == TrueHour(0, 60, MEASURED, 2.0, None, False)


def test_part_running_hour_counts_its_running_time() -> None:
    """The same while the source ran for 20 minutes is 2/3 kg, though 20 minutes are no valid hour."""
    hour = emission(known(*[20.0] * 20, *[0.1] * 40), ran=[True] * 20 + [False] * 40)
    assert (hour.kg, hour.ran, hour.state, hour.kg_h) == (pytest.approx(2 / 3), 20, MEASURED, pytest.approx(2))


@pytest.mark.parametrize(("count", "state"), [(44, INVALID), (45, MEASURED)])
def test_hour_is_measured_with_three_quarters_of_both(count: int, state: str) -> None:
    """45 of 60 running minutes of concentration and of flow make an amount, 44 of either do not."""
    assert emission(known(*[20.0] * count)).state == state
    assert emission(known(*[20.0] * 60), known(*[1e5] * count)).state == state


@pytest.mark.parametrize(("count", "state"), [(14, INVALID), (15, MEASURED)])
def test_three_quarters_are_of_the_minutes_that_ran(count: int, state: str) -> None:
    """Of 20 running minutes 15 make an amount."""
    assert emission(known(*[20.0] * count), ran=[True] * 20 + [False] * 40).state == state


def test_hour_at_rest_has_no_amount_and_is_not_missing() -> None:
    """A source that did not run in any minute released 0 kg."""
    assert emission([], [], [False] * 60) == TrueHour(0, 0, STOPPED, 0.0, None, False)


def test_over_range_minutes_prove_more_than_the_mean() -> None:
    """45 minutes of 20 and 15 at 200: measured 2 kg, proven (45 x 20 + 15 x 200) / 60 x 0.1 = 6.5 kg."""
    hour = emission(known(*[20.0] * 45) + over(15))
    assert hour == TrueHour(0, 60, MEASURED, pytest.approx(6.5), pytest.approx(6.5), True)


def test_trip_that_leaves_too_few_valid_minutes_is_proven_and_invalid() -> None:
    """20 minutes of 20 and 40 at 200 prove 14 kg."""
    hour = emission(known(*[20.0] * 20) + over(40))
    assert hour == TrueHour(0, 60, INVALID, pytest.approx(14), pytest.approx(14), True)


def test_proof_of_few_minutes_counts_their_time_alone() -> None:
    """Ten minutes of 20 and ten at 200, then nothing: 110 mg/m3 at 100000 m3/h for 20 minutes are 11/3 kg."""
    assert emission(known(*[20.0] * 10) + over(10)).kg == pytest.approx(11 / 3)


def test_over_range_flow_proves_too() -> None:
    """20 mg/m3 at half an hour of 100000 and half beyond 300000 m3/h are at least 4 kg."""
    assert emission(known(*[20.0] * 60), known(*[1e5] * 30) + over(30, 3e5)).kg == pytest.approx(4)


def test_nothing_is_proven_without_a_flow() -> None:
    """Over-range readings without one known minute of flow prove no amount."""
    assert emission(over(60), []) == TrueHour(0, 60, INVALID, None, None, False)


def test_over_range_at_rest_proves_nothing() -> None:
    """Only running minutes are looked at."""
    ran = [True] * 50 + [False] * 10
    assert emission(known(*[20.0] * 50) + over(10), ran=ran).floor_kg is None


def test_bound_below_the_mean_changes_nothing() -> None:
    """An hour at 250 with minutes whose proof is 200 keeps its mean."""
    hour = emission(known(*[250.0] * 50) + over(10))
    assert (hour.at_least, hour.kg, hour.floor_kg) == (False, pytest.approx(25), pytest.approx((50 * 250 + 2000) / 600))


# Substitution


def hours(*parts: tuple[str, int], start_ms: int = START, kg: float = 1.0) -> list[TrueHour]:
    """Make hours: so many measured (m), invalid (i) or stopped (s) in a row."""
    states = [letter for letter, count in parts for _ in range(count)]
    made = {"m": (60, MEASURED, kg), "i": (60, INVALID, None), "s": (0, STOPPED, 0.0)}
    return [TrueHour(start_ms + turn * HOUR, *made[letter], None, False) for turn, letter in enumerate(states)]


def with_kg(made: list[TrueHour], turn: int, kg: float) -> list[TrueHour]:
    """Give one measured hour another amount."""
    one = made[turn]
    return [*made[:turn], TrueHour(one.start_ms, one.ran, one.state, kg, None, False), *made[turn + 1 :]]


def gap(found: Sequence[TrueEmission]) -> list[TrueEmission]:
    """Give the hours that were filled, or could not be."""
    return [one for one in found if one.gap_hours]


@pytest.mark.parametrize(("before", "kg"), [(179, 9.0), (180, 9.0), (181, 1.0)])
def test_short_gap_looks_back_180_measured_hours(before: int, kg: float) -> None:
    """The largest hour is the first: a gap after 179 or 180 measured hours still sees it, one after 181 does not."""
    (one,) = gap(truth_amounts.substituted(with_kg(hours(("m", before), ("i", 1)), 0, 9.0)))
    assert (one.method, one.kg) == ("max_180", kg)


@pytest.mark.parametrize(("length", "method", "kg"), [(24, "max_180", 1.0), (25, "max_720", 9.0)])
def test_long_gap_looks_back_720(length: int, method: str, kg: float) -> None:
    """24 hours without a break look back 180, 25 look back 720, all of them."""
    found = gap(truth_amounts.substituted(with_kg(hours(("m", 500), ("i", length)), 0, 9.0)))
    assert len(found) == length
    assert {(one.method, one.kg, one.gap_hours) for one in found} == {(method, kg, length)}


@pytest.mark.parametrize("breaker", ["s", "m"])
def test_stopped_or_measured_hour_parts_a_gap(breaker: str) -> None:
    """13 hours, one stopped or measured, and 12 more are two short gaps; the second looks back past the first."""
    found = gap(truth_amounts.substituted(hours(("m", 500), ("i", 13), (breaker, 1), ("i", 12))))
    assert [one.gap_hours for one in found] == [13] * 13 + [12] * 12
    assert {one.method for one in found} == {"max_180"}


def test_stopped_hours_are_not_looked_at() -> None:
    """180 measured hours lie further back where the source rested in between."""
    made = with_kg(hours(("m", 179), ("s", 200), ("i", 1)), 0, 9.0)
    assert gap(truth_amounts.substituted(made))[0].kg == 9


@pytest.mark.parametrize(
    ("measured", "invalid", "method"),
    [(90, 10, "max_180"), (89, 11, "max_2160"), (75, 25, "max_2160"), (74, 26, "unknown")],
)
def test_capture_rate_picks_the_column(measured: int, invalid: int, method: str) -> None:
    """90 % is enough for 180, 75 % for 2160, and below there is no substitute; single hours are missing."""
    parts = [("m", measured - invalid)] + [("i", 1), ("m", 1)] * invalid
    found = gap(truth_amounts.substituted(hours(*parts)))
    assert {one.method for one in found} == {method}
    assert {one.kg for one in found} == ({None} if method == "unknown" else {1.0})


def test_each_hour_follows_its_own_quarter() -> None:
    """A gap across midnight of 1 July: June's quarter measured 60 %: its hours are unknown, July's are not."""
    made = hours(("m", 15), ("i", 20), ("m", 300), start_ms=START - 25 * HOUR)
    found = gap(truth_amounts.substituted(made))
    assert [one.method for one in found] == ["unknown"] * 10 + ["max_180"] * 10
    assert [one.is_provisional for one in found] == [False] * 10 + [True] * 10


def test_quarter_that_ended_is_final() -> None:
    """With the last hour of September closed nothing of the quarter is provisional any more, before it is."""
    length = 92 * 24
    for count, is_provisional in ((length, False), (length - 1, True)):
        (one,) = gap(truth_amounts.substituted(hours(("m", 500), ("i", 1), ("m", count - 501))))
        assert one.is_provisional == is_provisional


def test_substitute_counts_running_time_and_rates() -> None:
    """The best measured hour ran 15 minutes at 4 kg/h; an invalid one that ran 30 minutes is 2 kg."""
    made = hours(("m", 20), ("i", 1))
    made[3] = TrueHour(made[3].start_ms, 15, MEASURED, 1.0, None, False)
    made[20] = TrueHour(made[20].start_ms, 30, INVALID, None, None, False)
    assert gap(truth_amounts.substituted(made))[0].kg == 2


def test_substitute_is_never_below_what_is_proven() -> None:
    """A trip that proves 14 kg keeps them, at least; one that proves 0.5 kg takes the maximum of 1."""
    made = hours(("m", 30), ("i", 1), ("m", 30), ("i", 1))
    for turn, kg in ((30, 14.0), (61, 0.5)):
        made[turn] = TrueHour(made[turn].start_ms, 60, INVALID, kg, kg, True)
    found = gap(truth_amounts.substituted(made))
    assert [(one.kg, one.at_least, one.method) for one in found] == [(14, True, "max_180"), (1, False, "max_180")]


def test_nothing_measured_before_is_unknown() -> None:
    """A gap at the very beginning has nothing to look back to."""
    found = gap(truth_amounts.substituted(hours(("i", 2), ("m", 100))))
    assert [(one.method, one.kg) for one in found] == [("unknown", None)] * 2


# Waste water

DAY = date(2020, 7, 1)


def results(values: Sequence[float | None]) -> list[Delivery]:
    """Make hourly results; None is a failed one."""
    return [
        Delivery(0, START + turn * HOUR, COD.id, -99.0 if value is None else value, "N")
        for turn, value in enumerate(values)
    ]


def water(values: Sequence[float | None], flow: Sequence[Minute]) -> dict[date, truth_amounts.TrueWaterDay]:
    """Give the days' amounts of hourly results with a flow from the same start."""
    filled = FilledFlow(START, flow)
    return truth_amounts.true_water_days(COD, results(values), filled, START, filled.end_ms)


def test_water_is_the_sum_of_value_times_volume() -> None:
    """50 mg/L with 10 m3 and 100 mg/L with 20 m3 are 2.5 kg."""
    found = water([50.0, 100.0], known(*[10.0] * 60, *[20.0] * 60))[DAY]
    assert (found.kg, found.measured, found.substituted, found.unknown) == (pytest.approx(2.5), 120, 0, 0)


def test_value_stands_for_two_intervals_at_most() -> None:
    """60, 40 and three hours without: 40 covers one of them, the two uncovered take the mean of the two before, 50."""
    found = water([60.0, 40.0, None, None, None, 10.0], known(*[10.0] * 360))[DAY]
    assert found.kg == pytest.approx((60 + 40 + 40 + 50 + 50 + 10) * 10 / 1000)
    assert (found.measured, found.substituted) == (240, 120)


def test_uncovered_stretch_takes_all_values_where_there_are_fewer() -> None:
    """One value before three uncovered hours stands in for all of them."""
    assert water([60.0, None, None, None, None], known(*[10.0] * 300))[DAY].kg == pytest.approx(60 * 50 / 1000)


def test_discharge_before_the_first_value_is_unknown() -> None:
    """Two hours before the first result are not 0 but unknown; the known part is told."""
    found = water([None, None, 50.0], known(*[10.0] * 180))[DAY]
    assert (found.kg, found.measured, found.substituted, found.unknown) == (pytest.approx(0.5), 60, 0, 120)


def test_unknown_flow_is_filled_and_counts_as_substituted() -> None:
    """Half an hour of unknown flow takes the mean of the half hour before."""
    found = water([50.0], [*known(*[10.0] * 30), *[EMPTY] * 30])[DAY]
    assert (found.kg, found.measured, found.substituted) == (pytest.approx(0.5), 30, 30)


def test_no_discharge_is_no_amount_and_nothing_due() -> None:
    """Without flow there is 0 kg and no time to have a share of."""
    found = water([50.0, None, None, None], known(*[0.0] * 240))[DAY]
    assert (found.kg, found.measured + found.substituted + found.unknown) == (0, 0)
    assert truth_amounts.water_sum([found], DAY, date(2020, 7, 2)).measured is None


def test_value_belongs_to_its_day_and_a_stretch_to_the_days_of_its_minutes() -> None:
    """The result of 23:00 covers until 01:00 for its own day; the uncovered hours after are the next day's."""
    found = water([10.0] * 24 + [None] * 4, known(*[10.0] * 28 * 60))
    assert found[DAY].kg == pytest.approx(25 * 0.1)
    assert found[date(2020, 7, 2)].kg == pytest.approx(3 * 0.1)
    assert (found[DAY].measured, found[date(2020, 7, 2)].measured, found[date(2020, 7, 2)].substituted) == (
        24 * 60, 60, 180,
    )  # fmt: skip


def test_stretch_longer_than_whole_intervals_is_rounded_up() -> None:
    """After 60 and 40 an uncovered hour and a half takes the mean of both."""
    sent = [*results([60.0, 40.0]), Delivery(0, START + 4 * HOUR + 30 * MINUTE, COD.id, 0.0, "N")]
    flow = FilledFlow(START, known(*[10.0] * 330))
    found = truth_amounts.true_water_days(COD, sent, flow, START, flow.end_ms)[DAY]
    assert found.kg == pytest.approx((60 + 40 + 40 + 1.5 * 50) * 10 / 1000)


# Sums


def test_sum_tells_the_shares_of_running_time() -> None:
    """Two measured hours, half an hour substituted, half unknown with a proof, one at rest."""
    parts = [
        TrueEmission(START, 60, 1.0, "measured", False, False),
        TrueEmission(START + HOUR, 60, 2.0, "measured", False, False),
        TrueEmission(START + 2 * HOUR, 30, 4.0, "max_720", False, True, 1),
        TrueEmission(START + 3 * HOUR, 30, 0.5, "unknown", True, False, 1),
        TrueEmission(START + 4 * HOUR, 0, 0.0, "stopped", False, False),
    ]
    found = truth_amounts.air_sum(parts, START, START + 5 * HOUR)
    assert (found.kg, found.minutes, found.at_least, found.is_provisional) == (7.5, 180, True, True)
    assert (found.measured, found.substituted, found.unknown) == pytest.approx((2 / 3, 1 / 6, 1 / 6))
    assert truth_amounts.air_sum(parts, START + 4 * HOUR, START + 5 * HOUR).measured is None
