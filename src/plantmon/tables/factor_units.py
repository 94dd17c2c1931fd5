"""This module converts the units of factors: a unit per unit, each of `tables/units.csv`, of a substance.

`kgCO2/kWh` is a mass of CO2 per energy, `GJ/10k m3` an energy per volume. CO2 and CO2e count as one substance, for a
factor's id says which gases it holds; carbon is another, and so is each other gas. A substance that is not named fits.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from plantmon import units
from plantmon.errors import UnitError

_SUBSTANCE = re.compile(r"(.+?) ?(CO2-?eq?|CO2当量|CO2|CH4|N2O|C)")
_TIMES = re.compile(r"(\d+e\d+|10\^\d+|\d+) ?(.+)")


@dataclass(frozen=True, slots=True)
class FactorUnit:
    """`times` x `top` per `bottom`, both of the table of units; `bottom` is None for a bare ratio."""

    top: str
    bottom: str | None
    substance: str
    times: Fraction


@lru_cache(maxsize=256)
def read(unit: str) -> FactorUnit:
    """Read a factor's unit. Raises UnitError where a part of it is unknown.

    >>> read("tCO2/MWh").substance, read("GJ/1e4 Nm3").times
    ('CO2', Fraction(1, 10000))
    """
    plain = unicodedata.normalize("NFKC", unit).strip()
    top, slash, bottom = plain.partition("/")
    top_times, top_unit, substance = _part(top.strip())
    if not slash:
        return FactorUnit(top_unit, None, substance, top_times)
    bottom_times, bottom_unit, _ = _part(bottom.strip())
    return FactorUnit(top_unit, bottom_unit, substance, top_times / bottom_times)


def _part(text: str) -> tuple[Fraction, str, str]:
    """Read one side of the stroke as how often, which unit, and of which substance."""
    if (found := _known(text)) is not None:
        return Fraction(1), found, ""
    if (match := _SUBSTANCE.fullmatch(text)) and (found := _known(match[1])) is not None:
        return Fraction(1), found, "CO2" if match[2].startswith("CO2") else match[2]
    if match := _TIMES.fullmatch(text):
        times, found, substance = _part(match[2])
        base, _, power = match[1].partition("^")
        return times * (Fraction(base) ** int(power or 1)), found, substance
    return Fraction(1), units.canonical(text), ""


def _known(text: str) -> str | None:
    try:
        return units.canonical(text)
    except UnitError:
        return None


def ratio(from_unit: str, to_unit: str) -> Fraction:
    """Give the exact factor from one factor's unit to another.

    Raises UnitError where a unit is unknown, or where the two are of different things.

    >>> ratio("tCO2/MWh", "kgCO2/kWh"), ratio("kg/kg", "tCO2e/t"), ratio("kgce/kWh", "tce/10k kWh")
    (Fraction(1, 1), Fraction(1, 1), Fraction(10, 1))
    """
    one, other = read(from_unit), read(to_unit)
    if one.substance and other.substance and one.substance != other.substance:
        raise UnitError(f"{from_unit} counts {one.substance}, expected {other.substance}: {to_unit}")
    if one.bottom is not None and other.bottom is not None:
        of_parts = units.ratio(one.top, other.top) / units.ratio(one.bottom, other.bottom)
    elif one.bottom is other.bottom:
        of_parts = units.ratio(one.top, other.top)
    else:
        of_parts = _bare(one) / _bare(other)
    return of_parts * one.times / other.times


def _bare(unit: FactorUnit) -> Fraction:
    """Give what one of a unit without dimension is. Raises UnitError for units with one."""
    return units.ratio(unit.top, "1" if unit.bottom is None else unit.bottom)
