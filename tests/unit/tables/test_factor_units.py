"""This module proves that factors are converted between the units people write them in, and only where they may be."""

from __future__ import annotations

from fractions import Fraction

import pytest

from plantmon.errors import UnitError
from plantmon.tables.factor_units import ratio


@pytest.mark.parametrize(
    ("written", "wanted", "factor"),
    [
        ("tCO2/MWh", "kgCO2/kWh", Fraction(1)),
        ("gCO2/kWh", "kgCO2/kWh", Fraction(1, 1000)),
        ("kg CO₂/kWh", "kgCO2/kWh", Fraction(1)),
        ("kgCO2e/kWh", "kgCO2/kWh", Fraction(1)),
        ("kg/kWh", "kgCO2/kWh", Fraction(1)),
        ("tCO2/万kWh", "kgCO2/kWh", Fraction(1, 10)),
        ("kgCO2/m3", "tCO2/10k m3", Fraction(10)),
        ("tCO2/1e4 Nm3", "tCO2/10k m3", Fraction(1)),
        ("t/10^4 m3", "tCO2/10k m3", Fraction(1)),
        ("MJ/m3", "GJ/10k m3", Fraction(10)),
        ("kJ/kg", "GJ/t", Fraction(1, 1000)),
        ("g/mL", "kg/L", Fraction(1)),
        ("kg/m3", "kg/L", Fraction(1, 1000)),
        ("tC/GJ", "tC/TJ", Fraction(1000)),
        ("tce/t", "kgce/kg", Fraction(1)),
        ("tce/10k kWh", "kgce/kWh", Fraction(1, 10)),
        ("%", "1", Fraction(1, 100)),
        ("1", "tCO2e/t", Fraction(1)),
        ("kgCO2e/kg", "tCO2e/t", Fraction(1)),
        ("kWh", "kWh", Fraction(1)),
        ("MWh", "kWh", Fraction(1000)),
    ],
)
def test_what_converts(written: str, wanted: str, factor: Fraction) -> None:
    """Each side is converted for itself, exactly."""
    assert ratio(written, wanted) == factor


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("kgC/kWh", "kgCO2/kWh"), ("kgCO2/kWh", "kgCO2/m3"), ("kgCO2", "kgCO2/kWh"), ("kWh/kgCO2", "kgCO2/kWh"),
        ("kgCO2/kwhh", "kgCO2/kWh"), ("kgCH4/TJ", "kgN2O/TJ"), ("MJ/kg", "kgce/kg"), ("1", "kgCO2/kWh"), ("", "1"),
    ],
)  # fmt: skip
def test_what_does_not(written: str, wanted: str) -> None:
    """Carbon is no CO2, a volume no energy, and heat no standard coal without its own factor."""
    with pytest.raises(UnitError):
        ratio(written, wanted)
