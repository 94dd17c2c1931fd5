"""This module proves how gas is brought to the dry standard state, by hand and by exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.averages.gas import helpers, to_standard
from plantmon.model.plant import Gas

FLOW = Gas(moisture="A.h2o", temperature="A.t", pressure="A.p", atmospheric_kpa=98.2)


def factor(gas: Gas, **means: float) -> float:
    """Give the factor of one minute."""
    (found,) = to_standard(gas, {f"A.{name}": np.array([value]) for name, value in means.items()}).tolist()
    return float(found)


@pytest.mark.parametrize(("moisture", "expected"), [(0.0, 1.0), (20.0, 1.25), (7.5, 1 / 0.925), (-0.5, 1 / 1.005)])
def test_wet_to_dry(moisture: float, expected: float) -> None:
    """A concentration in wet gas is divided by the dry share: C / (1 - X)."""
    assert factor(Gas(moisture="A.h2o"), h2o=moisture) == pytest.approx(expected, rel=1e-15)


def test_ppm_of_wet_gas() -> None:
    """100 ppm of SO2 in gas of 10 % moisture: 100 x 64/22.4 / 0.9 = 317.46 mg/m3."""
    assert 100 * factor(Gas(factor=64 / 22.4, moisture="A.h2o"), h2o=10.0) == pytest.approx(317.4603174603)


def test_actual_to_standard_by_hand() -> None:
    """120 degC, -1.2 kPa below 98.2 kPa, 8 % moisture: 273.15/393.15 x 97/101.325 x 0.92 = 0.611910..."""
    expected = 273.15 / 393.15 * 97.0 / 101.325 * 0.92
    assert factor(FLOW, h2o=8.0, t=120.0, p=-1.2) == pytest.approx(expected, rel=1e-14)
    assert expected == pytest.approx(0.6119, abs=1e-4)


@given(st.integers(0, 99), st.integers(-50, 900), st.integers(-50, 50), st.integers(60, 110))
def test_actual_to_standard(moisture: int, temperature: int, pressure: int, atmospheric: int) -> None:
    """The factor is the product of temperature, pressure and dry share (HJ 212-2017 App. D eq. 30, 31)."""
    gas = Gas(moisture="A.h2o", temperature="A.t", pressure="A.p", atmospheric_kpa=float(atmospheric))
    exact = (
        Fraction(27315, 100) / (Fraction(27315, 100) + temperature)
        * (atmospheric + pressure) / Fraction(101325, 1000)
        * (1 - Fraction(moisture, 100))
    )  # fmt: skip
    assert factor(gas, h2o=float(moisture), t=float(temperature), p=float(pressure)) == pytest.approx(float(exact))


def test_helpers_in_other_units() -> None:
    """Helper points may be in any unit of their dimension: 393.15 K, -1200 Pa, a bare share."""
    other = Gas(
        moisture="A.h2o", temperature="A.t", pressure="A.p", atmospheric_kpa=98.2,
        temperature_unit="K", pressure_unit="Pa", moisture_unit="1",
    )  # fmt: skip
    same = factor(FLOW, h2o=8.0, t=120.0, p=-1.2)
    assert factor(other, h2o=0.08, t=393.15, p=-1200.0) == pytest.approx(same, rel=1e-12)


@pytest.mark.parametrize(
    "means",
    [
        {"h2o": 100.0, "t": 120.0, "p": 0.0},
        {"h2o": 130.0, "t": 120.0, "p": 0.0},
        {"h2o": float("nan"), "t": 120.0, "p": 0.0},
        {"h2o": 8.0, "t": float("nan"), "p": 0.0},
        {"h2o": 8.0, "t": 120.0},
        {"h2o": 8.0, "t": -273.15, "p": 0.0},
        {"h2o": 8.0, "t": 120.0, "p": -98.2},
    ],
)
def test_not_computable(means: dict[str, float]) -> None:
    """A missing or impossible helper value makes no factor rather than a wrong one."""
    assert np.isnan(factor(FLOW, **means))


def test_minutes_are_their_own() -> None:
    """Each minute takes its own helper values; without helpers one factor stands for all."""
    found = to_standard(Gas(moisture="A.h2o"), {"A.h2o": np.array([0.0, np.nan, 50.0])})
    assert found.tolist()[::2] == [1.0, 2.0]
    assert np.isnan(found[1])
    assert to_standard(Gas(factor=1.25), {}).tolist() == [1.25]


def test_helpers_are_named() -> None:
    """The points a gas needs besides its own."""
    assert helpers(FLOW) == ("A.h2o", "A.t", "A.p")
    assert helpers(Gas(factor=2.0)) == ()
