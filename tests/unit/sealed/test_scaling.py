"""This module proves that values written as whole numbers come back as the bits they were."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from plantmon.sealed.scaling import scale, unscale


@given(some.lists(some.floats(allow_nan=True) | some.decimals(-1000, 1000, places=3).map(float), max_size=30))
def test_what_fits_comes_back_bit_for_bit(values: list[float]) -> None:
    """Of any doubles those that are said to fit are given back exactly; infinities, NaN and -0.0 never fit."""
    decimals, whole, fits = scale(np.array(values, np.float64))
    back = unscale(whole, np.int64(decimals))
    for place in np.flatnonzero(fits).tolist():
        assert struct.pack("<d", back[place]) == struct.pack("<d", values[place])
        near = Fraction(int(whole[place]), 10**decimals)
        assert float(near) == values[place]


@pytest.mark.parametrize(
    ("values", "decimals", "whole", "fits"),
    [
        ([1.5, 2.25, -3.0], 2, [150, 225, -300], [True] * 3),
        ([7.0, 8.0], 0, [7, 8], [True] * 2),
        ([0.1, 0.2, 1e300], 1, [1, 2, 0], [True, True, False]),
        ([1 / 3, 2 / 3, 0.5], 0, [0, 0, 0], [False] * 3),
        ([0.0, -0.0, 1.0], 0, [0, 0, 1], [True, False, True]),
        ([], 0, [], []),
    ],
)
def test_the_fewest_decimals_that_fit_are_taken(
    values: list[float], decimals: int, whole: list[int], fits: list[bool]
) -> None:
    """A series has as many decimals as it needs; what does not fit the others stays a double."""
    found = scale(np.array(values, np.float64))
    assert (found[0], found[1].tolist(), found[2].tolist()) == (decimals, whole, fits)
