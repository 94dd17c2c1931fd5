"""This module says what fits together in a plant file: units with quantities, bounds and days with each other.

Each check notes its mistake at the part of the file it belongs to.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from plantmon import units
from plantmon.errors import UnitError
from plantmon.plant import schema
from plantmon.plant.compile import VOLUME_FRACTION, difference_in, in_unit, rate_in
from plantmon.plant.document import Mapping
from plantmon.plant.problems import Problems
from plantmon.plant.values import Amount
from plantmon.tables.load import molar_masses, quantities


def say(problems: Problems, part: schema.Written, field: str | None, key: str, /, **values: object) -> None:
    """Note a mistake at a key of a part of the file."""
    problems.add(part.line(field), part.path(field) if field else part.path(), key, **values)


def names_in(written: Any, *keys: str) -> tuple[str, ...]:
    """Give the names a table of the document has, right or wrong."""
    for key in keys:
        written = written.get(key) if isinstance(written, Mapping) else None
    return tuple(written) if isinstance(written, Mapping) else ()


def may_measure(written: Mapping, quantity: str | None) -> bool:
    """Whether a point of an outlet has this quantity, or one so wrong that it may have been meant."""
    points = written.get("points")
    written_points = points.values() if isinstance(points, Mapping) else ()
    found = [point.get("quantity") for point in written_points if isinstance(point, Mapping)]
    return quantity in found or any(name not in quantities() for name in found if name is None or isinstance(name, str))


def check_amount(
    problems: Problems, part: schema.Written, field: str, amount: Amount | None, unit: str
) -> float | None:
    """Give an amount in a unit; note the mistake when it is of another dimension."""
    try:
        return in_unit(amount, unit)
    except UnitError:
        _say_dimension(problems, part, field, amount, units.dimension(unit))
        return None


def check_difference(
    problems: Problems, part: schema.Written, field: str, amount: Amount | None, unit: str
) -> float | None:
    """Give a difference in a unit; note the mistake when it is of another dimension."""
    try:
        return difference_in(amount, unit)
    except UnitError:
        _say_dimension(problems, part, field, amount, units.dimension(unit))
        return None


def check_rate(
    problems: Problems, part: schema.Written, field: str, rate: Amount | None, amount_unit: str
) -> float | None:
    """Give a rate per hour in an amount's unit; note the mistake when it is of another thing."""
    try:
        return rate_in(rate, amount_unit)
    except UnitError:
        _say_dimension(problems, part, field, rate, f"{units.dimension(amount_unit)}/h")
        return None


def _say_dimension(problems: Problems, part: schema.Written, field: str, amount: Amount | None, dimension: str) -> None:
    """Note an amount whose unit is of another dimension."""
    given = amount.unit if amount is not None else None
    say(problems, part, field, "dimension", unit=given, fitting=tuple(units.units_of(dimension)))


def check_bounds(problems: Problems, part: schema.Limit | schema.Running, unit: str) -> None:
    """Note bounds of a wrong dimension, or a lower one above the upper one."""
    low = check_amount(problems, part, "min", part.min, unit)
    high = check_amount(problems, part, "max", part.max, unit)
    if low is not None and high is not None and low > high:
        say(problems, part, "min", "min_above_max", low=f"{low:.12g}", high=f"{high:.12g}", unit=unit)


def check_period(problems: Problems, part: schema.Limit | schema.Ratio | schema.TaxRate) -> None:
    """Note a validity that ends before it begins."""
    if part.from_ is not None and part.to is not None and part.from_ > part.to:
        say(problems, part, "to", "to_before_from", start=part.from_, end=part.to)


def overlap(
    one: schema.Limit | schema.Ratio | schema.TaxRate, other: schema.Limit | schema.Ratio | schema.TaxRate
) -> bool:
    """Whether two validities, both ends inclusive, share a day."""
    return (one.from_ or date.min) <= (other.to or date.max) and (other.from_ or date.min) <= (one.to or date.max)


def check_unit(problems: Problems, part: schema.Point | schema.Meter) -> None:
    """Note a unit of another dimension than the quantity's; a gas with a molar mass may be in ppm."""
    allowed = quantities()[part.quantity].units
    if units.dimension(part.unit) == VOLUME_FRACTION and "air" in quantities()[part.quantity].places:
        if part.quantity not in molar_masses():
            say(problems, part, "unit", "needs_molar_mass", quantity=part.quantity, known=tuple(molar_masses()))
        return
    if units.dimension(part.unit) not in {units.dimension(unit) for unit in allowed}:
        fitting = [unit for usual in allowed for unit in units.units_of(units.dimension(usual))]
        say(problems, part, "unit", "unit_of_quantity", unit=part.unit, quantity=part.quantity, fitting=tuple(fitting))
