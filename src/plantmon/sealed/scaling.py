"""This module writes values as whole numbers of 10^-decimals where that gives every bit of them back.

A value that was read from text with few decimals is the double nearest to a whole number over a power of ten, and
division gives just that double (IEEE 754: division rounds correctly, powers of ten up to 10^22 are exact).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_DECIMALS = 9
_POWERS = np.array([float(10**decimals) for decimals in range(MOST_DECIMALS + 1)])
_LARGEST = float(1 << 53)  # beyond it not every whole number is a double


def scale(value: NDArray[np.float64]) -> tuple[int, NDArray[np.int64], NDArray[np.bool_]]:
    """Give the decimals that fit a series best, its whole numbers, and which of them give their value back.

    Where they fit less than half of the values none is taken: doubles then pack as well.
    """
    best = 0, np.zeros(len(value), np.int64), np.zeros(len(value), bool)
    most = (len(value) - 1) // 2
    for decimals in range(MOST_DECIMALS + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.rint(value * _POWERS[decimals])
            is_small = np.abs(near) < _LARGEST
        whole: NDArray[np.int64] = np.where(is_small, near, 0.0).astype(np.int64)
        # Compared as bits: 0.0 is not -0.0.
        fits = is_small & (unscale(whole, np.int64(decimals)).view(np.int64) == value.view(np.int64))
        count = int(np.count_nonzero(fits))
        if count > most:
            best, most = (decimals, np.where(fits, whole, 0), fits), count
        if count == len(value):
            break
    return best


def unscale(whole: NDArray[np.int64], decimals: NDArray[np.int64] | np.int64) -> NDArray[np.float64]:
    """Give the values back; `decimals` are one for all or one each."""
    return np.asarray(whole / _POWERS[decimals])
