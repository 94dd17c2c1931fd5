"""This module converts concentrations to a reference oxygen content (折算).

C = C' x (21 - reference) / (21 - O2), both in volume percent of dry gas (GB 13271-2014 5.2 eq. 1; HJ 212-2017 App. D
eq. 28; HJ 75-2017 App. C eq. C8). A concentration is converted with the oxygen of the same minute, never of another
moment, and converted before it is averaged: the formula is not linear in oxygen. At or above 21 % nothing can be
computed. Amounts never use converted values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

AIR_OXYGEN_PCT = 21.0  # the formula's own constant, GB 13271-2014 5.2


def converted(concentration: Floats, oxygen_pct: Floats, reference_pct: float) -> Floats:
    """Convert concentrations, NaN where either is unknown or the oxygen is at or above 21 %.

    >>> converted(np.array([40.0, 40.0]), np.array([3.5, 21.0]), 3.5).tolist()
    [40.0, nan]
    """
    room = np.where(oxygen_pct < AIR_OXYGEN_PCT, AIR_OXYGEN_PCT - oxygen_pct, np.nan)
    return np.asarray(concentration * (AIR_OXYGEN_PCT - reference_pct) / room)
