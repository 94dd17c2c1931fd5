"""This module proves that units convert as pint does, are found by every spelling, and never mix dimensions."""

from __future__ import annotations

import itertools
import math

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon import units
from plantmon.errors import UnitError

PINT: pint.UnitRegistry[float] = pint.UnitRegistry()
# pint reads pH as picohenry and knows no mg/m3, tce, NTU or dBA, so what it is asked is written out for it
SAID_TO_PINT = {
    "mg/m3": "mg/m**3",
    "µg/m3": "ug/m**3",
    "ng/m3": "ng/m**3",
    "g/m3": "g/m**3",
    "kg/m3": "kg/m**3",
    "mg/L": "mg/L",
    "µg/L": "ug/L",
    "g/L": "g/L",
    "m3/h": "m**3/hour",
    "m3/s": "m**3/s",
    "m3/min": "m**3/min",
    "m3/d": "m**3/day",
    "L/s": "L/s",
    "L/min": "L/min",
    "L/h": "L/hour",
    "m3": "m**3",
    "L": "L",
    "mL": "mL",
    "kWh": "kWh",
    "Wh": "Wh",
    "MWh": "MWh",
    "GWh": "GWh",
    "J": "J",
    "kJ": "kJ",
    "MJ": "MJ",
    "GJ": "GJ",
    "TJ": "TJ",
    "kW": "kW",
    "W": "W",
    "MW": "MW",
    "kJ/h": "kJ/hour",
    "MJ/h": "MJ/hour",
    "GJ/h": "GJ/hour",
    "kg": "kg",
    "g": "g",
    "mg": "mg",
    "t": "metric_ton",
    "kg/h": "kg/hour",
    "g/h": "g/hour",
    "g/s": "g/s",
    "mg/s": "mg/s",
    "kg/d": "kg/day",
    "t/h": "metric_ton/hour",
    "t/d": "metric_ton/day",
    "degC": "degC",
    "K": "kelvin",
    "degF": "degF",
    "Pa": "Pa",
    "hPa": "hPa",
    "kPa": "kPa",
    "MPa": "MPa",
    "bar": "bar",
    "m/s": "m/s",
    "m/min": "m/min",
    "µS/cm": "uS/cm",
    "mS/cm": "mS/cm",
    "s": "s",
    "min": "min",
    "h": "hour",
    "d": "day",
}
PAIRS = [
    (one, other)
    for one, other in itertools.permutations(SAID_TO_PINT, 2)
    if units.dimension(one) == units.dimension(other)
]


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=[f"{a}-{b}" for a, b in PAIRS])
def test_conversion_agrees_with_pint(source: str, target: str) -> None:
    """A value goes from one unit to another of its dimension as pint, another's work, has it."""
    expected = PINT.Quantity(123.25, SAID_TO_PINT[source]).to(SAID_TO_PINT[target]).magnitude
    assert units.convert(123.25, source, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("one", SAID_TO_PINT)
def test_dimensions_agree_with_pint(one: str) -> None:
    """Two units share a dimension here exactly when they do for pint."""
    for other in SAID_TO_PINT:
        same = PINT.Unit(SAID_TO_PINT[one]).dimensionality == PINT.Unit(SAID_TO_PINT[other]).dimensionality
        assert (units.dimension(one) == units.dimension(other)) == same, other


SPELLINGS = [
    ("mg/m³", "mg/m3"),
    ("mg/Nm3", "mg/m3"),
    ("mg/Nm³", "mg/m3"),
    ("㎎/㎥", "mg/m3"),
    ("μg/L", "µg/L"),
    ("ug/l", "µg/L"),
    ("Nm3/h", "m3/h"),
    ("Nm³/h", "m3/h"),
    ("°C", "degC"),
    ("℃", "degC"),
    ("dB(A)", "dB"),
    ("dBA", "dB"),
    ("kWh/h", "kW"),
    ("kW·h", "kWh"),
    ("万元", "10k CNY"),
    ("10kCNY", "10k CNY"),
    (" % ", "%"),
    ("％", "%"),
]


@pytest.mark.parametrize(("written", "stored"), SPELLINGS)
def test_spellings(written: str, stored: str) -> None:
    """Every usual spelling of a unit leads to the one it is stored under."""
    assert units.canonical(written) == stored


@pytest.mark.parametrize("unit", units.known())
def test_every_unit_is_its_own_spelling(unit: str) -> None:
    """A unit's stored spelling leads to itself, and to itself it converts by 1."""
    assert units.canonical(unit) == unit
    assert units.conversion(unit, unit) == (1.0, 0.0)


APART = [("ppm", "mg/m3"), ("tce", "GJ"), ("%", "ppm"), ("kW", "kWh"), ("kg", "m3"), ("dB", "%"), ("pH", "1")]


@pytest.mark.parametrize(("one", "other"), APART)
def test_dimensions_stay_apart(one: str, other: str) -> None:
    """What only looks alike is refused, and the message names the unit that was expected."""
    with pytest.raises(UnitError, match="expected"):
        units.conversion(one, other)


def test_unknown_unit_names_the_nearest() -> None:
    """A misspelt unit is refused with the nearest right one."""
    with pytest.raises(UnitError, match="unknown unit 'mg/m4', expected mg/m3"):
        units.canonical("mg/m4")


@pytest.mark.parametrize("unit", ["Mg/m3", "mwh", "PH2", "", "picohenry", "pint", "1/"])
def test_units_are_not_guessed(unit: str) -> None:
    """A spelling that is in no table is refused, also where only its case is off."""
    with pytest.raises(UnitError):
        units.canonical(unit)


QUANTITIES = [
    ("50 mg/m3", 50.0, "mg/m3"),
    ("50mg/Nm³", 50.0, "mg/m3"),
    ("-1.5e3 kWh", -1500.0, "kWh"),
    ("8 %", 8.0, "%"),
    (".5 t", 0.5, "t"),
    ("3 10k CNY", 3.0, "10k CNY"),
    ("  760   degC ", 760.0, "degC"),
]


@pytest.mark.parametrize(("text", "value", "unit"), QUANTITIES)
def test_parse_quantity(text: str, value: float, unit: str) -> None:
    """A number with its unit is read, the unit in its one spelling."""
    assert units.parse_quantity(text) == (value, unit)


@pytest.mark.parametrize("text", ["50", "mg/m3", "", "50 mg/m4", "1e999 kg", "nan kg", "5,0 kg", "- 5 kg", "5 kg kg"])
def test_parse_quantity_refuses(text: str) -> None:
    """What is no finite number with a known unit is refused."""
    with pytest.raises(UnitError):
        units.parse_quantity(text)


@given(st.text(max_size=30))
def test_parse_quantity_raises_nothing_else(text: str) -> None:
    """Whatever the text, it is a quantity or a UnitError."""
    try:
        value, unit = units.parse_quantity(text)
    except UnitError:
        return
    assert math.isfinite(value)
    assert units.canonical(unit) == unit


PER_HOUR = [
    (20000.0, "kWh/h", "kWh", 20000.0),
    (2.0, "MW", "kWh", 2000.0),
    (1.0, "L/s", "m3", 3.6),
    (1.0, "GJ/h", "kWh", 277.7777777777778),
    (2.0, "pcs/min", "pcs", 120.0),
    (1.0, "t/h", "kg", 1000.0),
    (1.0, "MW", "10k kWh", 0.1),
]


@pytest.mark.parametrize(("rate", "rate_unit", "amount_unit", "expected"), PER_HOUR)
def test_per_hour(rate: float, rate_unit: str, amount_unit: str, expected: float) -> None:
    """A rate is given in its amount's unit per hour."""
    assert units.per_hour(rate, rate_unit, amount_unit) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(("rate_unit", "amount_unit"), [("kWh", "kWh"), ("m3/h", "kWh"), ("kg/h", "m3"), ("dB", "pcs")])
def test_per_hour_of_another_thing(rate_unit: str, amount_unit: str) -> None:
    """An amount is no rate, and the rate of another thing is refused."""
    with pytest.raises(UnitError, match="expected"):
        units.per_hour(1.0, rate_unit, amount_unit)


@pytest.mark.parametrize("dimension", ["volume", "energy", "mass", "count"])
def test_rates_stand_on_their_amounts(dimension: str) -> None:
    """The base of a rate's dimension is the base of its amount's per hour, which `per_hour` relies on."""
    amount, rate = units.units_of(dimension)[0], units.units_of(f"{dimension}/h")[0]
    base = next(unit for unit in units.units_of(dimension) if units.conversion(unit, amount) == (1.0, 0.0))
    expected = {"kWh": "kW"}.get(base, f"{base}/h")
    assert units.canonical(expected) == rate


def test_format_quantity() -> None:
    """A value is written with at most 12 digits, no needless zeros, and its unit."""
    assert units.format_quantity(0.1 + 0.2, "t") == "0.3 t"
    assert units.format_quantity(1_000_000.0, "m3") == "1000000 m3"
