"""This module rounds results to 12 significant digits, so that the order of arrival cannot show in the last bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

DIGITS = 12  # settled choices, Verdicts; design rule 2
LARGEST_POWER = 22  # 10**22 is the largest power of ten that a double holds exactly


def significant(values: ArrayLike) -> NDArray[np.float64]:
    """Round to 12 significant digits, half to even; NaN and 0 stay.

    >>> significant([60.000000000000014, 0.1 + 0.2]).tolist()
    [60.0, 0.3]
    """
    values = np.asarray(values, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = DIGITS - 1 - np.floor(np.log10(np.abs(values)))
    power = np.clip(np.where(np.isfinite(power), power, 0), -LARGEST_POWER, LARGEST_POWER)
    up, down = 10.0 ** np.maximum(power, 0), 10.0 ** np.maximum(-power, 0)
    return np.asarray(np.rint(values * up / down) / up * down)


def significant_one(value: float) -> float:
    """Round one value to 12 significant digits."""
    return float(significant(value))


def without_residue(sums: NDArray[np.float64], magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take a sum that lies below the last kept digit of its terms for the 0 it is; `magnitude` sums their sizes.

    >>> without_residue(np.array([0.1 + 0.2 - 0.3, 0.5]), np.array([0.6, 0.5])).tolist()
    [0.0, 0.5]
    """
    return np.where(np.abs(sums) <= magnitude * 10.0**-DIGITS, 0.0, sums)
