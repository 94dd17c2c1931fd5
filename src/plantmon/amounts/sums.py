"""This module adds up hours of air to days; longer periods are sums of days (`store.emissions.total`).

A day carries how much of its running time was measured, substituted and unknown. Sums are exact before they are
rounded, so that no order can show.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from plantmon.averages.rounding import significant_one, without_residue
from plantmon.model.emission import Course, EmissionDay, Substitute
from plantmon.times import HOUR_MS


def total_kg(parts: list[float]) -> float:
    """Add up amounts, to 12 significant digits; 0 for none.

    >>> total_kg([0.1, 0.2, -0.3])
    0.0
    """
    sums = np.array([math.fsum(parts)])
    return significant_one(float(without_residue(sums, np.array([math.fsum(map(abs, parts))]))[0]))


def day_of(point: int, start_ms: int, hours: Course, stand_in: Mapping[int, Substitute]) -> EmissionDay:
    """Add up the hours of a local day, at least one, and what stands in for them, by the hour's instant.

    An amount is never less than what is proven. Of an unknown hour only that counts, as measured, and its time is
    still unknown; where the proof is what counts the day is "at least".
    """
    measured: list[float] = []
    substituted: list[float] = []
    minutes = {"substituted": 0, "unknown": 0}
    at_least = provisional = False
    rows = zip(hours.start.tolist(), hours.ran.tolist(), hours.kg.tolist(), hours.proven.tolist(), strict=True)
    for start, ran, kg, proven in rows:
        one = stand_in.get(start)
        if one is None:
            known, parts = kg, measured
        else:
            provisional |= one.provisional
            minutes["unknown" if one.kg is None else "substituted"] += ran
            known, parts = (math.nan, measured) if one.kg is None else (one.kg, substituted)
        if not math.isnan(proven) and not proven <= known:
            known, at_least = proven, True
        if not math.isnan(known):
            parts.append(known)
    return EmissionDay(
        point,
        start_ms,
        int(hours.start[-1]) + HOUR_MS,
        total_kg(measured),
        total_kg(substituted),
        int(hours.ran.sum()),
        minutes["substituted"],
        minutes["unknown"],
        at_least,
        provisional,
    )
