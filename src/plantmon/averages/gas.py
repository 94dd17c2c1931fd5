"""This module brings what a gas monitor measures to dry gas at 0 degC and 101.325 kPa, minute by minute.

Concentrations: C = M/22.4 x Cv for ppm (the factor is worked out with the plant file), and C / (1 - X) for a monitor in
wet gas (HJ 212-2017 App. D eq. 19). Oxygen likewise. Flows: Q x 273.15/(273.15 + t) x (Ba + Ps)/101.325 x (1 - X), with
the gauge pressure Ps of the duct above the air's Ba (HJ 212-2017 App. D eq. 30, 31). X is the share of water vapour.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from plantmon import units
from plantmon.model.plant import Gas

Floats = NDArray[np.float64]

ZERO_CELSIUS_K = 273.15  # of the standard state, GB 13271-2014 clause 3.5
STANDARD_KPA = 101.325
WHOLE_PCT = 100.0


def helpers(gas: Gas) -> tuple[str, ...]:
    """Name the points whose values a gas point needs besides its own."""
    return tuple(name for name in (gas.moisture, gas.temperature, gas.pressure) if name is not None)


def to_standard(gas: Gas, means: Mapping[str, Floats]) -> Floats:
    """Give what each minute's value is multiplied with; `means` are the helper points' minute means, in their units.

    NaN where a helper's value is missing (NaN, or its id not there) or impossible: moisture of 100 % and more, a
    temperature at or below absolute zero, a pressure that leaves nothing. Without helpers one factor for all: its
    array has one element.

    >>> to_standard(Gas(moisture="A.h2o"), {"A.h2o": np.array([0.0, 20.0, 100.0])}).tolist()
    [1.0, 1.25, nan]
    """
    if gas.moisture is None:
        return np.array([gas.factor])
    dry = _dry_share(gas, means)
    if gas.temperature is None or gas.pressure is None:
        return np.asarray(gas.factor / dry)
    kelvin = ZERO_CELSIUS_K + _in(gas.temperature_unit, "degC", _of(means, gas.temperature))
    kpa = gas.atmospheric_kpa + _in(gas.pressure_unit, "kPa", _of(means, gas.pressure))
    kelvin, kpa = np.where(kelvin > 0, kelvin, np.nan), np.where(kpa > 0, kpa, np.nan)
    return np.asarray(gas.factor * (ZERO_CELSIUS_K / kelvin) * (kpa / STANDARD_KPA) * dry)


def _dry_share(gas: Gas, means: Mapping[str, Floats]) -> Floats:
    assert gas.moisture is not None
    moisture = _in(gas.moisture_unit, "%", _of(means, gas.moisture))
    return np.where(moisture < WHOLE_PCT, 1 - moisture / WHOLE_PCT, np.nan)


def _of(means: Mapping[str, Floats], name: str) -> Floats:
    return np.asarray(means.get(name, np.array([np.nan])), np.float64)


def _in(unit: str, wanted: str, values: Floats) -> Floats:
    factor, offset = units.conversion(unit, wanted)
    return values * factor + offset
