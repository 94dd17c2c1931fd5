"""This module proves that the ledger's table of items is whole, and how items are found in it."""

from __future__ import annotations

import pytest

from plantmon import units
from plantmon.tables.ledger import FIELDS, field_names, find, headings, ledger_items, member, named, names

# The items, each with the unit it is kept in.
WANTED = {
    "diesel": "L", "gasoline": "L", "lpg": "t", "lng": "t", "kerosene": "L", "heat": "GJ", "refrigerant.R410A": "kg",
    "welding_co2": "kg", "acetylene": "kg", "steel": "t", "packing.wood": "m3", "packing.paper": "m2",
    "packing.iron": "pcs", "waste.domestic": "t", "waste.wood": "t", "waste.hazardous": "t", "water": "t",
    "production.vehicle": "pcs", "output_value": "10k CNY", "green_power": "kWh", "training.sessions": "pcs",
    "training.hours": "h", "training.people": "people", "incidents": "pcs",
}  # fmt: skip


@pytest.mark.parametrize("item", WANTED)
def test_every_item_is_there(item: str) -> None:
    """Every item has its own unit."""
    found = find(item)
    assert found is not None
    assert found.units[0] == WANTED[item]


@pytest.mark.parametrize("item", ["bill.E-MAIN", "lab.DW001.total_nickel"])
def test_families_of_the_plant_have_no_unit_of_their_own(item: str) -> None:
    """Of bills and laboratory results the plant file and the quantities decide the unit."""
    found = find(item)
    assert found is not None
    assert found.units == ()


@pytest.mark.parametrize("pattern", ledger_items())
def test_rows_are_whole(pattern: str) -> None:
    """A row has both names, a source, and known units, one a dimension."""
    row = ledger_items()[pattern]
    assert row.name.en
    assert row.name.zh
    assert row.source
    dimensions = [units.dimension(unit) for unit in (*row.units, *row.across)]
    assert len(set(dimensions)) == len(dimensions)
    assert all(units.canonical(unit) == unit for unit in row.refused)


@pytest.mark.parametrize("item", ["", "dies", "refrigerant", "refrigerant.", "refrigerant.a.b", "lab.DW001", "lab..x"])
def test_what_is_no_item(item: str) -> None:
    """A family needs its members' parts, and nothing is guessed."""
    assert find(item) is None


def test_members_and_names() -> None:
    """A family's member is named with what it is of; plain items are found by their names."""
    assert member("lab.DW001.total_nickel") == ("DW001", "total_nickel")
    assert named("production.vehicle").en == "production vehicle"
    assert named("diesel").zh == "柴油"
    assert names()["柴油"] == names()["diesel"] == "diesel"
    with pytest.raises(KeyError):
        named("diesl")


def test_headings() -> None:
    """Each field has a heading in both languages, and each heading is of one field."""
    assert tuple(field_names()) == FIELDS
    assert {headings()[spelt] for spelt in ("期间", "项目", "数值", "单位", "来源", "备注")} == set(FIELDS)
    assert all(headings()[field] == field for field in FIELDS)
