"""This module reckons with decimal amounts and their units: `1389259 L x 0.84 kg/L = 1167 t`, never by feeling.

A factor's unit is a quotient; its denominator must be of the amount's dimension, its numerator is what comes out. What
a mass is of (`tCO2e`, `kgCH4`) is kept for the reader and left aside when units are converted.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, localcontext
from fractions import Fraction

from plantmon import units
from plantmon.errors import UnitError

EXACT = Context(prec=28)
_OF = re.compile(r"^(kg|g|t|10k t) ?(CO2e|CO2|CH4|N2O|C)$")


def plain(unit: str) -> str:
    """Give a unit without what it is of, in its one spelling; one that no table has stays as it is.

    >>> plain("tCO2e"), plain("t CO2e"), plain("Nm3"), plain("kWh/pcs")
    ('t', 't', 'm3', 'kWh/pcs')
    """
    match = _OF.match(unit.strip())
    unit = match[1] if match else unit.strip()
    try:
        return units.canonical(unit)
    except UnitError:
        return unit


def scaled(value: Decimal, by: Fraction) -> Decimal:
    """Multiply a decimal with a fraction, exactly where the result is a decimal of 28 digits."""
    return EXACT.divide(EXACT.multiply(value, Decimal(by.numerator)), Decimal(by.denominator))


def into(value: Decimal, unit: str, wanted: str) -> Decimal:
    """Give an amount in another unit. Raises UnitError where it is of another dimension.

    >>> into(Decimal("1500"), "kg", "tCO2e")
    Decimal('1.5')
    """
    own, other = plain(unit), plain(wanted)
    return value if own == other else scaled(value, units.ratio(own, other))


def total(values: list[Decimal]) -> Decimal:
    """Add up decimals with 28 digits."""
    with localcontext(EXACT):
        return sum(values, Decimal(0))


def times(value: Decimal, unit: str, factor: Decimal, factor_unit: str) -> tuple[Decimal, str]:
    """Multiply an amount with a factor. Raises UnitError where the factor is for something else.

    >>> times(Decimal(1000), "L", Decimal("0.84"), "kg/L")
    (Decimal('840.00'), 'kg')
    """
    top, slash, bottom = factor_unit.partition("/")
    if not slash:
        if plain(factor_unit) not in ("1", ""):
            raise UnitError(f"{factor_unit} is no factor for an amount in {unit}")
        return EXACT.multiply(value, factor), unit
    return EXACT.multiply(into(value, unit, bottom.strip()), factor), top.strip()


def quotient(value: Decimal, unit: str, divisor: Decimal, divisor_unit: str) -> tuple[Decimal, str]:
    """Divide one amount by another; of one dimension they make a bare ratio. The divisor is not 0.

    >>> quotient(Decimal(3), "MJ", Decimal(1), "kWh")
    (Decimal('0.8333333333333333333333333333'), '1')
    """
    try:
        return EXACT.divide(into(value, unit, divisor_unit), divisor), "1"
    except UnitError:
        return EXACT.divide(value, divisor), f"{unit}/{divisor_unit}"
