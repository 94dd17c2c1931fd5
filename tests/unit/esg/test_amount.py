"""This module holds the arithmetic of amounts with units."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.errors import UnitError
from plantmon.esg.amount import into, quotient, times, total

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=6, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "unit", "factor", "factor_unit", "expected", "expected_unit"),
    [
        ("1389259", "L", "0.84", "kg/L", "1166977.56", "kg"),
        ("1166977.56", "kg", "3.09591", "tCO2/t", "3612.8574977796", "tCO2"),
        ("5035480", "m3", "21.6219", "tCO2/10k m3", "10887.6645012", "tCO2"),
        ("2", "kg", "1530", "tCO2e/t", "3.06", "tCO2e"),
        ("1000", "kWh", "3.6", "MJ/kWh", "3600", "MJ"),
        ("7", "m3", "0.5", "1", "3.5", "m3"),
    ],
)
def test_times(value: str, unit: str, factor: str, factor_unit: str, expected: str, expected_unit: str) -> None:
    """An amount times a factor is the hand's product, in the unit above the factor's line."""
    found = times(Decimal(value), unit, Decimal(factor), factor_unit)
    assert (found[0], found[1]) == (Decimal(expected), expected_unit)


def test_a_factor_for_something_else_is_refused() -> None:
    """Litres do not go through a factor for kilowatt hours, nor through a bare kilogram."""
    with pytest.raises(UnitError):
        times(Decimal(1), "L", Decimal(1), "kgCO2/kWh")
    with pytest.raises(UnitError):
        times(Decimal(1), "L", Decimal(1), "kg")


def test_quotients() -> None:
    """Of one dimension a bare ratio comes out, of two a quotient of units."""
    assert quotient(Decimal(1), "tce", Decimal(250), "kgce") == (Decimal(4), "1")
    assert quotient(Decimal(6), "tce", Decimal(3), "10k CNY") == (Decimal(2), "tce/10k CNY")


@given(st.lists(AMOUNTS, min_size=1, max_size=30), st.integers(0, 29))
def test_split_anywhere(values: list[Decimal], place: int) -> None:
    """A sum is that of its two parts, wherever it is split, and in any order."""
    whole = total(values)
    assert total([total(values[:place]), total(values[place:])]) == whole
    assert total(values[::-1]) == whole


@given(AMOUNTS)
def test_there_and_back(value: Decimal) -> None:
    """Kilograms to tonnes and back are the same kilograms."""
    assert into(into(value, "kg", "tCO2e"), "tCO2", "kg") == value
