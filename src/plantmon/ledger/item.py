"""This module finds what a line speaks of, by the table of items and the plant file, and brings amounts to its unit.

Outlets, pollutants and meters must be the plant file's. A product need not be: where no counter counts it, the ledger
is the only place that knows it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction

from plantmon import units
from plantmon.errors import UnitError
from plantmon.ledger.problem import LineError, Said
from plantmon.model.plant import Plant, Point
from plantmon.tables import ledger as table
from plantmon.tables.factors import ids
from plantmon.tables.load import Quantity, quantities

_EXACT = Context(prec=28)
# What is counted comes in whole numbers.
COUNTS = ("pcs", "people")
# What a laboratory's result may be: a concentration, a pH, a sound level.
RESULTS = ("mass/volume", "pH", "sound level")


@dataclass(frozen=True, slots=True)
class Item:
    """What a line may speak of: its one name, the units it is kept in, one a dimension, what must be known of it."""

    id: str
    units: tuple[str, ...]
    is_result: bool = False
    across: Mapping[str, Fraction] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    notes: tuple[Said, ...] = ()

    def amount(self, value: Decimal, unit: str) -> tuple[Decimal, str]:
        """Give an amount in the item's own unit of its dimension, exact to 28 digits. Raises LineError."""
        try:
            given = units.canonical(unit)
        except UnitError:
            raise LineError(Said("unit", "unknown_unit", self._units(unit), unit, units.known())) from None
        if given in self.refused:
            raise LineError(Said("unit", "unclear_unit", self._units(given)))
        for own in self.units:
            if units.dimension(own) == units.dimension(given):
                return _times(value, units.ratio(given, own)), own
        for other, factor in self.across.items():
            if units.dimension(other) == units.dimension(given):
                return _times(value, units.ratio(given, other) * factor), self.units[0]
        raise LineError(Said("unit", "foreign_unit", self._units(given)))

    def _units(self, given: str) -> dict[str, str]:
        allowed = ", ".join(dict.fromkeys([*self.units, *self.across]))
        return {"given": given[:40], "item": self.id, "allowed": allowed}


def resolve(given: str, plant: Plant) -> Item:
    """Find the item a line names: by its name, in English or in Chinese. Raises LineError."""
    plain = unicodedata.normalize("NFKC", given).strip()
    id = table.names().get(plain.lower(), plain)
    found = table.find(id)
    if found is None:
        raise LineError(Said("item", "unknown_item", {"given": given[:60]}, plain, _known(plant)))
    if found.pattern == "lab.*.*":
        return _result(id, plant)
    if found.pattern == "bill.*":
        return _bill(id, plant)
    if found.pattern == "production.*":
        return _production(id, found, plant)
    notes = _unknown_gas(id, plant) if found.pattern == "refrigerant.*" else ()
    return Item(id, found.units, found.is_result, found.across, found.refused, notes)


def is_result(given: str) -> bool:
    """Whether an item, right or wrong, is meant to be a laboratory's result."""
    return unicodedata.normalize("NFKC", given).strip().startswith("lab.")


def _unknown_gas(id: str, plant: Plant) -> tuple[Said, ...]:
    """Say that a refrigerant has no global warming potential, in the factor table or of the plant's own."""
    (gas,) = table.member(id)
    known = {name.rpartition(".")[2] for name in (*ids(), *plant.esg.factors) if name.startswith("gwp.")}
    return () if gas in known else (Said("item", "unknown_gas", {"gas": gas}, gas, tuple(sorted(known))),)


def _result(id: str, plant: Plant) -> Item:
    """Give a laboratory's result: of an outlet of the plant, and of what can be measured in such an outlet."""
    name, pollutant = table.member(id)
    outlet = plant.outlets.get(name)
    if outlet is None:
        shape = f"lab.{{}}.{pollutant}"
        raise LineError(Said("item", "unknown_outlet", {"given": name}, name, tuple(plant.outlets), shape))
    quantity = quantities().get(pollutant)
    if quantity is None or not _is_result(quantity, outlet.kind):
        own = {one.id.partition(".")[2]: one.quantity for one in _points(plant) if one.outlet == name}
        near = own.get(pollutant, pollutant)  # somebody may have written the point's id for its quantity
        values = {"given": pollutant, "outlet": name}
        raise LineError(Said("item", "unknown_pollutant", values, near, _measured(outlet.kind), f"lab.{name}.{{}}"))
    return Item(id, quantity.units, is_result=True)


def _bill(id: str, plant: Plant) -> Item:
    (name,) = table.member(id)
    meters = {one.id: one for one in _points(plant) if one.outlet is None}
    if name not in meters:
        raise LineError(Said("item", "unknown_meter", {"given": name}, name, tuple(meters), "bill.{}"))
    meter = meters[name]
    across = {}
    if meter.quantity == "water" and units.dimension(meter.unit) == units.dimension("m3"):
        t_a_m3 = table.ledger_items()["water"].across["m3"]
        across = {"t": units.ratio("m3", meter.unit) / t_a_m3}
    return Item(id, (meter.unit,), across=across)


def _production(id: str, found: table.LedgerItem, plant: Plant) -> Item:
    (product,) = table.member(id)
    counted = {one.register.product: one for one in _points(plant) if one.register and one.register.product}
    if product in counted:
        return Item(id, (counted[product].unit,))
    known = [rule.product for rule in plant.esg.denominators if rule.product]
    if product in known:
        return Item(id, found.units)
    spelt = tuple(dict.fromkeys([*map(str, counted), *known]))
    note = Said("item", "new_product", {"product": product}, product, spelt)
    return Item(id, found.units, notes=(note,))


def _points(plant: Plant) -> list[Point]:
    return list(plant.points.values())


def _measured(kind: str) -> tuple[str, ...]:
    return tuple(name for name, one in quantities().items() if _is_result(one, kind))


def _is_result(quantity: Quantity, kind: str) -> bool:
    return kind in quantity.places and units.dimension(quantity.units[0]) in RESULTS


def _known(plant: Plant) -> tuple[str, ...]:
    """List names to compare a wrong one with: items, families, and their members in this plant."""
    items = table.ledger_items()
    own = [f"bill.{one.id}" for one in _points(plant) if one.outlet is None]
    own += [f"production.{one.register.product}" for one in _points(plant) if one.register and one.register.product]
    own += [f"lab.{one.outlet}.{one.quantity}" for one in _points(plant) if one.outlet is not None]
    return (*items, *own)


def _times(value: Decimal, factor: Fraction) -> Decimal:
    return _EXACT.divide(_EXACT.multiply(value, Decimal(factor.numerator)), Decimal(factor.denominator))
