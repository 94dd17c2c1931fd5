"""This module knows the units: which there are, how they are spelt, and how a value goes from one to another.

The table is `tables/units.csv`: base = value x factor + offset within a dimension. A rate's dimension is its amount's
with `/h`, and its base the amount's base per hour. Factors are worked out in fractions, once for each pair. What has
no common dimension is not converted: ppm is no mg/m3 without a molar mass, tce no GJ without a carrier's factor.
"""

from __future__ import annotations

import csv
import difflib
import math
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib import resources

from plantmon.errors import UnitError

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


@dataclass(frozen=True, slots=True)
class _Unit:
    name: str
    dimension: str
    factor: Fraction
    offset: Fraction


def _fraction(text: str) -> Fraction:
    """Read `5/9`, `1000/3.6` or `0.001` exactly."""
    top, _, bottom = text.partition("/")
    return Fraction(top) / Fraction(bottom or 1)


def _plain(spelling: str) -> str:
    """Bring a spelling to the form the table is searched in: m³ as m3, ℃ as °C, one sign for micro, no blanks."""
    return unicodedata.normalize("NFKC", spelling).replace(" ", "")


@lru_cache(maxsize=1)
def _table() -> dict[str, _Unit]:
    """Give every unit by each of its spellings."""
    text = (resources.files("plantmon") / "tables" / "units.csv").read_text(encoding="utf-8")
    table: dict[str, _Unit] = {}
    for row in csv.DictReader(text.splitlines()):
        unit = _Unit(row["unit"], row["dimension"], _fraction(row["factor"]), _fraction(row["offset"]))
        for spelling in (unit.name, *filter(None, row["spellings"].split(";"))):
            if table.setdefault(_plain(spelling), unit) is not unit:
                raise UnitError(f"tables/units.csv: {spelling!r} stands twice")
    return table


@lru_cache(maxsize=1024)
def _find(unit: str) -> _Unit:
    found = _table().get(_plain(unit))
    if found is None:
        raise UnitError(f"unknown unit {unit[:40]!r}, expected {_nearest(unit)}")
    return found


def _nearest(unit: str) -> str:
    """Name the known units most like a misspelt one."""
    near = difflib.get_close_matches(_plain(unit[:40]), _table(), n=3, cutoff=0.5)
    names = dict.fromkeys(_table()[spelling].name for spelling in near)
    return " or ".join(names) or "one such as mg/m3, m3/h, degC, kWh, %"


def canonical(unit: str) -> str:
    """Give the one spelling under which a unit is stored. Raises UnitError when it is unknown.

    >>> canonical("mg/Nm³"), canonical("℃"), canonical("kWh/h")
    ('mg/m3', 'degC', 'kW')
    """
    return _find(unit).name


def dimension(unit: str) -> str:
    """Give a unit's dimension, such as `mass/volume`. Raises UnitError when the unit is unknown."""
    return _find(unit).dimension


def units_of(dimension: str) -> list[str]:
    """List the units of a dimension, in the table's order."""
    return list(dict.fromkeys(unit.name for unit in _table().values() if unit.dimension == dimension))


@lru_cache(maxsize=1)
def known() -> tuple[str, ...]:
    """List every unit by its one spelling, in the table's order."""
    return tuple(dict.fromkeys(unit.name for unit in _table().values()))


@lru_cache(maxsize=1024)
def conversion(from_unit: str, to_unit: str) -> tuple[float, float]:
    """Give (factor, offset) with value_to = value_from x factor + offset.

    Raises UnitError when a unit is unknown or the dimensions differ.

    >>> conversion("g/m3", "mg/m3"), conversion("degC", "K")
    ((1000.0, 0.0), (1.0, 273.15))
    """
    source, target = _find(from_unit), _find(to_unit)
    if source.dimension != target.dimension:
        raise UnitError(
            f"{source.name} is a unit of {source.dimension}, expected {target.dimension} such as {target.name}"
        )
    return float(source.factor / target.factor), float((source.offset - target.offset) / target.factor)


@lru_cache(maxsize=1024)
def ratio(from_unit: str, to_unit: str) -> Fraction:
    """Give the exact factor from one unit to another. Raises UnitError as `conversion` does, and for an offset.

    >>> ratio("MJ", "kWh")
    Fraction(5, 18)
    """
    source, target = _find(from_unit), _find(to_unit)
    if source.dimension != target.dimension:
        raise UnitError(
            f"{source.name} is a unit of {source.dimension}, expected {target.dimension} such as {target.name}"
        )
    if source.offset != target.offset:
        raise UnitError(f"{source.name} has another zero than {target.name}: they have no ratio")
    return source.factor / target.factor


def convert(value: float, from_unit: str, to_unit: str) -> float:
    """Convert one value. Raises UnitError as `conversion` does."""
    factor, offset = conversion(from_unit, to_unit)
    return value * factor + offset


def per_hour(value: float, rate_unit: str, amount_unit: str) -> float:
    """Give a rate in `amount_unit` per hour. Raises UnitError when the rate is of another thing than the amount.

    >>> per_hour(2.0, "MW", "kWh")
    2000.0
    """
    rate, amount = _find(rate_unit), _find(amount_unit)
    if rate.dimension != f"{amount.dimension}/h":
        raise UnitError(f"{rate.name} is a unit of {rate.dimension}, expected {amount.dimension}/h: {amount.name}/h")
    return value * float(rate.factor / amount.factor)


def parse_quantity(text: str) -> tuple[float, str]:
    """Read a number with its unit; the unit comes back in its one spelling. Raises UnitError.

    >>> parse_quantity("50 mg/m³"), parse_quantity("8%")
    ((50.0, 'mg/m3'), (8.0, '%'))
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or not match[2]:
        raise UnitError(f"{text[:40]!r} is no quantity, expected a number and a unit such as 50 mg/m3")
    value = float(match[1])
    if not math.isfinite(value):
        raise UnitError(f"{text[:40]!r} is too large a number")
    return value, canonical(match[2])


def format_quantity(value: float, unit: str) -> str:
    """Write a value with its unit, at most 12 significant digits and no needless zeros.

    >>> format_quantity(50.0, "mg/m3")
    '50 mg/m3'
    """
    return f"{value:.12g} {unit}"
