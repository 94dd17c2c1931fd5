"""This module gives the right answers minute by minute for long spans, where exact fractions would take too long.

A series is a plain list of minutes from an origin on, made once for each point; means are `math.fsum` over a few
numbers, which is right to the last bit or two. Everything above (amounts, verdicts) walks these lists with loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from simulators.faults import Delivery
from simulators.plant import ENERGY, SimPoint
from simulators.truth import MINUTE_MS, TrueWindow, is_over, is_valid
from simulators.truth_declared import Mark, is_stopped


class Minute(NamedTuple):
    """A point's minute: mean of the valid readings, mean with over-range ones at the range's end, readings of any kind.

    `mean` is None where nothing was valid, `bound` where nothing was over range.
    """

    mean: float | None
    bound: float | None
    had: int

    @property
    def proven(self) -> float | None:
        """What the minute was at least: its bound, else its mean."""
        return self.mean if self.bound is None else self.bound


EMPTY = Minute(None, None, 0)


def average(values: Sequence[float]) -> float:
    """Mean numbers.

    >>> average([0.1] * 10)
    0.1
    """
    return math.fsum(values) / len(values)


def energy(values: Sequence[float]) -> float:
    """Mean sound levels by their energy, dB."""
    return 10 * math.log10(math.fsum(10 ** (value / 10) for value in values) / len(values))


def minutes_of(point: SimPoint, readings: Iterable[Delivery], start_ms: int, end_ms: int) -> list[Minute]:
    """Give the minutes of [start, end) of a point that sends at least once a minute. `readings`: once each."""
    shelves: dict[int, list[Delivery]] = {}
    for one in readings:
        if start_ms <= one.ts_ms < end_ms:
            shelves.setdefault((one.ts_ms - start_ms) // MINUTE_MS, []).append(one)
    count = (end_ms - start_ms) // MINUTE_MS
    return [_minute(point, shelves[turn]) if turn in shelves else EMPTY for turn in range(count)]


def _minute(point: SimPoint, readings: Sequence[Delivery]) -> Minute:
    mean = energy if point.kind == ENERGY else average
    valid = [one.value for one in readings if is_valid(one, point)]
    over = [one.value if point.range_high is None else point.range_high for one in readings if is_over(one, point)]
    return Minute(mean(valid) if valid else None, mean(valid + over) if over else None, len(readings))


def minutes_from(windows: Iterable[TrueWindow]) -> list[Minute]:
    """Give exact minutes (`truth.minutes`) in the shape of this module."""
    return [
        Minute(
            None if one.mean is None else float(one.mean),
            None if one.lower_bound is None else float(one.lower_bound),
            one.had,
        )
        for one in windows
    ]


def running_minutes(
    start_ms: int,
    count: int,
    target: str,
    marks: Sequence[Mark] = (),
    condition: Sequence[Minute] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
) -> list[bool]:
    """Tell for each minute from `start_ms` on whether a source ran. `target` is the outlet, or a point for its amounts.

    The condition's mean lies within inclusive bounds or is unknown; a minute that begins in a span marked as stopped
    did not run. Without a condition every minute ran.
    """
    own = [mark for mark in marks if mark.target in (target, target.partition(".")[0])]
    ran = []
    for turn in range(count):
        mean = None if condition is None else condition[turn].mean
        runs = mean is None or ((minimum is None or mean >= minimum) and (maximum is None or mean <= maximum))
        ran.append(runs and not (own and is_stopped(own, target, start_ms + turn * MINUTE_MS)))
    return ran


# Values computed minute by minute: all parts of the same minute

MOLAR_MASS_G = {"nox": 46.0, "so2": 64.0, "co": 28.0, "no": 30.0, "no2": 46.0}  # NOx counts as NO2
MOLAR_VOLUME_L = 22.4  # at 0 degC and 101.325 kPa
ZERO_DEGC_K = 273.15  # the standards' equations print 273; their standard state is 273.15 K
STANDARD_KPA = 101.325


def mg_m3_of_ppm(ppm: float, quantity: str) -> float:
    """Convert a volume share to a concentration at standard state.

    >>> round(mg_m3_of_ppm(1, "so2"), 3), round(mg_m3_of_ppm(1, "nox"), 3), mg_m3_of_ppm(1, "co")
    (2.857, 2.054, 1.25)
    """
    return ppm * MOLAR_MASS_G[quantity] / MOLAR_VOLUME_L


def dry_of_wet(concentration: float, moisture_pct: float) -> float:
    """Convert a wet concentration to the dry gas (HJ 212-2017 App. D eq. 19).

    >>> dry_of_wet(45, 10)
    50.0
    """
    return concentration / (1 - moisture_pct / 100)


def standard_flow(
    flow_m3_h: float, temperature_c: float, gauge_kpa: float, air_kpa: float, moisture_pct: float
) -> float:
    """Convert an actual flow to dry gas at 0 degC and 101.325 kPa (HJ 212-2017 App. D eq. 30, 31), m3/h.

    >>> standard_flow(1000, 273.15, 0, 101.325, 10)
    450.0
    """
    cold = ZERO_DEGC_K / (ZERO_DEGC_K + temperature_c)
    return flow_m3_h * cold * (air_kpa + gauge_kpa) / STANDARD_KPA * (1 - moisture_pct / 100)


def at_reference_oxygen(concentration: float, oxygen_pct: float, reference_pct: float) -> float | None:
    """Convert a dry concentration to reference oxygen (GB 13271-2014 5.2); None from 21 % on.

    >>> at_reference_oxygen(40, 3.5, 3.5), at_reference_oxygen(20, 12.25, 3.5), at_reference_oxygen(1, 21, 3.5)
    (40.0, 40.0, None)
    """
    return concentration * (21 - reference_pct) / (21 - oxygen_pct) if oxygen_pct < 21 else None


def calculated(expression: Callable[..., float | None], *parts: Sequence[Minute]) -> list[Minute]:
    """Compute a point from others, minute by minute: valid where every part is and the expression has a value.

    Over-range parts prove nothing of it. It had a reading where each part had one.
    """
    result = []
    for row in zip(*parts, strict=True):
        means = [one.mean for one in row if one.mean is not None]
        value = expression(*means) if len(means) == len(row) else None
        result.append(Minute(value, None, min(one.had for one in row)))
    return result


def with_bounds(
    expression: Callable[..., float | None], first: Sequence[Minute], *others: Sequence[Minute]
) -> list[Minute]:
    """Convert a point's minutes by others of the same minute (moisture, oxygen, pressure); its bounds too."""
    result = []
    for one, *row in zip(first, *others, strict=True):
        means = [other.mean for other in row if other.mean is not None]
        if len(means) < len(row):
            result.append(Minute(None, None, one.had))
            continue
        value, bound = (None if known is None else expression(known, *means) for known in (one.mean, one.bound))
        result.append(Minute(value, bound, one.had))
    return result
