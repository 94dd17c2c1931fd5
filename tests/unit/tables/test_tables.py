"""This module proves that the tables of the field are whole: each name, its units, its source."""

from __future__ import annotations

import pytest

from plantmon import units
from plantmon.model.plant import Kind
from plantmon.tables.load import default, quantities, rules

NAMES = [
    "nox", "so2", "pm", "co", "nmhc", "thc", "ch4", "benzene", "toluene", "xylene", "nh3", "oxygen", "gas_flow",
    "velocity", "gas_temperature", "gas_pressure", "moisture", "temperature", "pressure", "cod",
    "ammonia_nitrogen", "total_nitrogen", "total_phosphorus", "phosphate", "tss", "ph", "petroleum",
    "total_nickel", "total_zinc", "hexavalent_chromium", "water_flow", "sound_level", "electricity", "water",
    "natural_gas", "steam", "compressed_air", "heat", "production",
]  # fmt: skip
PLACES = {"air", "water", "noise", "meter"}


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name: str) -> None:
    """Every quantity a plant file may name has a row."""
    assert name in quantities()


@pytest.mark.parametrize("name", quantities())
def test_rows_are_whole(name: str) -> None:
    """A quantity has both names, known units in their stored spelling, and places there are."""
    quantity = quantities()[name]
    assert quantity.name.en
    assert quantity.name.zh
    assert [units.canonical(unit) for unit in quantity.units] == list(quantity.units)
    assert quantity.places
    assert quantity.places <= PLACES


def test_kinds() -> None:
    """Sound is averaged by energy, meters count, and everything else is a gauge."""
    kinds = {name: quantity.kind for name, quantity in quantities().items()}
    assert [name for name, kind in kinds.items() if kind == Kind.ENERGY] == ["sound_level"]
    counters = {name for name, kind in kinds.items() if kind == Kind.COUNTER}
    assert counters == {name for name, quantity in quantities().items() if "meter" in quantity.places}


def test_codes_are_one_quantity_each() -> None:
    """Within air, water or noise a code of HJ 212 means one quantity."""
    for place in PLACES:
        codes = [code for quantity in quantities().values() if place in quantity.places for code in quantity.hj212]
        assert len(codes) == len(set(codes)), place


@pytest.mark.parametrize("name", rules())
def test_rules_name_their_source(name: str) -> None:
    """A default of the field has a value, a meaning and a source."""
    rule = rules()[name]
    assert rule.value
    assert rule.meaning
    assert rule.source


def test_defaults_of_the_standards() -> None:
    """45 minutes make an hour, 20 hours a day, 75 % of what is due suffices."""
    assert [default(rule) for rule in ("valid_hour_minutes", "valid_day_hours", "valid_share")] == ["45", "20", "75 %"]
