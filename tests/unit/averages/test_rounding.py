"""This module proves that results keep 12 significant digits, half to even, and nothing below."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.averages.rounding import significant, significant_one, without_residue


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        pytest.param(60.000000000000014, 60.0, id="exact 60"),
        pytest.param(59.99999999999999, 60.0, id="60 from below"),
        pytest.param(60.0000000001, 60.0000000001, id="the twelfth digit stays"),
        pytest.param(60.00000000001, 60.0, id="the thirteenth goes"),
        pytest.param(0.1 + 0.2, 0.3, id="binary dust"),
        pytest.param(-0.1 - 0.2, -0.3, id="negative"),
        pytest.param(0.0, 0.0, id="zero"),
        pytest.param(1.234567890123e-11, 1.23456789012e-11, id="very small"),
        pytest.param(123456789012345.0, 123456789012000.0, id="larger than 12 digits"),
        pytest.param(1000000000005.0, 1000000000000.0, id="half to even, down"),
        pytest.param(1000000000015.0, 1000000000020.0, id="half to even, up"),
    ],
)
def test_twelve_digits(value: float, rounded: float) -> None:
    """A value is rounded to 12 significant digits."""
    assert significant_one(value) == rounded


def test_nan_stays() -> None:
    """What is unknown stays unknown."""
    assert math.isnan(significant_one(math.nan))


@given(st.floats(1e-9, 1e15, allow_nan=False) | st.floats(-1e15, -1e-9, allow_nan=False))
def test_rounding_again_changes_nothing(value: float) -> None:
    """Rounding is idempotent and moves a value by at most half its twelfth digit."""
    once = significant_one(value)
    assert significant_one(once) == once
    assert abs(once - value) <= 5.000001e-12 * abs(value)


@given(st.lists(st.floats(-1e9, 1e9, allow_nan=False), max_size=20))
def test_arrays_round_as_single_values(values: list[float]) -> None:
    """An array is rounded value by value."""
    assert significant(values).tolist() == [significant_one(value) for value in values]


def test_residue_of_a_sum_is_zero() -> None:
    """A sum below the twelfth digit of its terms is 0; a real one, however small its terms, stays."""
    sums, sizes = np.array([5.6e-17, 1e-30, 0.0]), np.array([0.6, 1e-30, 0.0])
    assert without_residue(sums, sizes).tolist() == [0.0, 1e-30, 0.0]
