"""This module proves that the tables of the field are whole: each name, its units, its source."""

from __future__ import annotations

from dataclasses import MISSING, fields

import pytest

from plantmon import units
from plantmon.model.plant import Kind, Rules
from plantmon.plant import load_plant_text
from plantmon.tables.load import default, molar_masses, quantities, rules, substitution

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
    assert [default(rule) for rule in ("valid_month_days", "valid_february_days", "amount_share")] == [
        "25",
        "23",
        "75 %",
    ]


def test_rules_stand_once() -> None:
    """The defaults that the model repeats are those of the tables."""
    (written,) = {load_plant_text("plant: {id: x, name: X, timezone: UTC}\n", "p").rules}
    repeated = {field.name: field.default for field in fields(Rules) if field.default is not MISSING}
    assert repeated
    assert {name: getattr(written, name) for name in repeated} == repeated


def test_substitution_table() -> None:
    """From 90 % captured on the last 180 hours for up to a day and 720 beyond, from 75 % on 2160; below nothing."""
    assert [(gap.capture_from, gap.hours_to, gap.look_back) for gap in substitution()] == [
        ("90 %", 24, 180), ("90 %", None, 720), ("75 %", None, 2160),
    ]  # fmt: skip
    assert all(gap.source for gap in substitution())


@pytest.mark.parametrize(
    ("name", "mg_m3"), [("so2", 2.857), ("no2", 2.054), ("nox", 2.054), ("co", 1.25), ("no", 1.339)]
)
def test_one_ppm_in_mg_m3(name: str, mg_m3: float) -> None:
    """Molar masses give the field's factors from ppm, three digits after the point."""
    assert round(molar_masses()[name] / float(default("molar_volume")), 3) == mg_m3


def test_molar_masses_are_of_gases() -> None:
    """Every molar mass is of a quantity measured in air by mass in a volume."""
    for name in molar_masses():
        assert quantities()[name].places == {"air"}
        assert units.dimension(quantities()[name].units[0]) == "mass/volume"
