"""This module proves how meters are read from a plant file: kinds, rates, virtual ones, tariff and shifts."""

from __future__ import annotations

from datetime import time
from fractions import Fraction

import pytest

from plantmon.errors import PlantFileError
from plantmon.model.plant import ClockSpan, Tariff
from plantmon.plant import load_plant_text
from plantmon.times import MINUTE_MS

HEAD = "plant: {id: p, name: P, timezone: Asia/Shanghai}\n"


def load(*meters: str, more: str = "") -> str:
    """Write a plant file of meters."""
    return HEAD + "meters:\n" + "".join(f"  {line}\n" for line in meters) + more


@pytest.mark.parametrize(
    ("written", "amounts", "readings", "per_hour"),
    [
        ("quantity: electricity, unit: kW", "kWh", "kW", 1.0),
        ("quantity: electricity, unit: MW", "kWh", "MW", 1000.0),
        ("quantity: electricity, unit: kWh", "kWh", "kW", 1.0),
        ("quantity: electricity, unit: MWh", "MWh", "MW", 1.0),
        ("quantity: natural_gas, unit: m3/h", "m3", "m3/h", 1.0),
        ("quantity: water, unit: m3", "m3", "m3/h", 1.0),
        ("quantity: steam, unit: kg/h", "t", "kg/h", 0.001),
        ("quantity: steam, unit: GJ/h", "GJ", "GJ/h", 1.0),
    ],
)
def test_units_of_a_rate(written: str, amounts: str, readings: str, per_hour: float) -> None:
    """A rate names its own unit, then amounts are in the quantity's usual one; or that of its amounts."""
    point = load_plant_text(load(f"M: {{{written}, kind: rate, interval: 1min}}"), "p").points["M"]
    assert (point.unit, point.reading_unit) == (amounts, readings)
    assert point.register is not None
    assert point.register.per_hour == pytest.approx(per_hour)


def test_a_largest_rate_is_in_the_unit_of_amounts() -> None:
    """A bare `max_rate` of a meter in kW is kWh an hour, one in MW is brought to it."""
    for written, most in (("500", 500.0), ("2 MW", 2000.0)):
        text = load(f"M: {{quantity: electricity, kind: rate, unit: kW, interval: 1min, max_rate: {written}}}")
        register = load_plant_text(text, "p").points["M"].register
        assert register is not None
        assert register.max_rate_per_h == most


def test_a_virtual_meter() -> None:
    """Its factors are brought to its own unit, exactly; it comes as often as its slowest part."""
    text = load(
        "A: {quantity: electricity, unit: MWh, interval: 15min}",
        "B.1: {quantity: electricity, kind: rate, unit: kW, interval: 1min}",
        "V: {quantity: electricity, unit: kWh, formula: A - 0.1 * B.1}",
        "W: {quantity: electricity, unit: kWh, formula: V + A, interval: 1h, parent: V}",
    )
    points = load_plant_text(text, "p").points
    register = points["V"].register
    assert register is not None
    assert register.terms == ((Fraction(1000), "A"), (Fraction(-1, 10), "B.1"))
    assert (points["V"].interval_ms, points["W"].interval_ms) == (15 * MINUTE_MS, 60 * MINUTE_MS)
    assert (points["V"].is_virtual, points["A"].is_virtual, points["V"].parts) == (True, False, ("A", "B.1"))


A = "A: {quantity: electricity, unit: kWh, interval: 15min}"


@pytest.mark.parametrize(
    ("meters", "said"),
    [
        (["V: {quantity: electricity, unit: kWh, formula: V + A}"], "the formulas run in a circle: V - V"),
        (["V: {quantity: electricity, unit: kWh, formula: U}", "U: {quantity: electricity, unit: kWh, formula: V + A}"],
         "the formulas run in a circle: V - U - V"),
        (["V: {quantity: electricity, unit: kWh, formula: A-B}"], "there is no meter A-B"),
        (["V: {quantity: electricity, unit: kWh, formula: A / 2}"], "/ 2 cannot stand there"),
        (["V: {quantity: water, unit: m3, formula: A}"], "A counts in kWh and this meter in m3"),
        (["V: {quantity: electricity, unit: kWh, formula: A, ratio: 2}"], "takes its amounts from its parts"),
        (["V: {quantity: electricity, unit: kWh, formula: A, kind: pulse}"], "takes its amounts from its parts"),
        (["V: {quantity: electricity, unit: kWh}"], "needs an interval"),
        (["V: {quantity: water, unit: kW, kind: rate, interval: 1min}"], "kW"),
        (["V: {quantity: electricity, unit: kW, interval: 1min}"], "kW"),
        (["V: {quantity: electricity, unit: kWh, kind: pulse, wraps_at: 1000, interval: 1min}"],
         "only a counter's register"),
        (["V: {quantity: production, product: x, unit: m2, kind: rate, interval: 1min}"], "there is no rate of m2"),
    ],
)  # fmt: skip
def test_what_is_refused(meters: list[str], said: str) -> None:
    """Each mistake is told with what was expected, and nothing else falls over."""
    with pytest.raises(PlantFileError) as refused:
        load_plant_text(load(A, *meters), "p")
    assert [said in problem for problem in refused.value.problems].count(True) == 1, refused.value.problems


def test_tariff_and_shifts() -> None:
    """Clock spans are taken as written, over midnight too."""
    more = 'tariff: {peak: ["08:00-12:00"], valley: ["23:00-07:00"]}\n'
    more += 'shifts: {early: "06:00-14:00", night: "22:00-06:00"}\n'
    plant = load_plant_text(load(A, more=more), "p")
    assert plant.tariff == Tariff((ClockSpan(time(8), time(12)),), (ClockSpan(time(23), time(7)),))
    assert plant.shifts == {"early": ClockSpan(time(6), time(14)), "night": ClockSpan(time(22), time(6))}


def test_shifts_share_no_minute() -> None:
    """A minute of two shifts is a mistake of the later one, which names the other."""
    with pytest.raises(PlantFileError) as refused:
        load_plant_text(load(A, more='shifts: {early: "06:00-14:00", late: "13:59-22:00"}\n'), "p")
    assert ["shifts.late" in one and "early" in one for one in refused.value.problems] == [True]
