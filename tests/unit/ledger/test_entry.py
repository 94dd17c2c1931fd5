"""This module holds what a line of the ledger may say: items, units, values, and what is wrong with others."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from plantmon.ledger.entry import Entry, look_at
from plantmon.ledger.problem import Said
from plantmon.plant.load import load_plant

PLANT = load_plant(Path(__file__).parents[2] / "contract" / "plant.yaml")
NOW = PLANT.time.midnight(date(2021, 3, 1))


def cells(**changes: str) -> dict[str, str]:
    """Give a line's cells that can be meant."""
    return {
        "period": "2020-01",
        "item": "diesel",
        "value": "12.5",
        "unit": "L",
        "source": "book 3",
        "note": "",
    } | changes


def entry(**changes: str) -> Entry:
    """Look at a line that is right."""
    found = look_at(cells(**changes), PLANT, NOW)
    assert isinstance(found, Entry), [said.words("en") for said in found]
    return found


def wrong(**changes: str) -> list[Said]:
    """Look at a line that is wrong."""
    found = look_at(cells(**changes), PLANT, NOW)
    assert not isinstance(found, Entry)
    return found


@pytest.mark.parametrize(
    ("item", "value", "unit", "kept", "own"),
    [
        ("diesel", "1389259", "L", "1389259", "L"),
        ("diesel", "1389259", "l", "1389259", "L"),
        ("diesel", "1.5", "m3", "1500", "L"),
        ("diesel", "2500", "kg", "2.5", "t"),
        ("柴油", "3", "升", "3", "L"),
        ("Diesel", "3", "L", "3", "L"),
        ("lpg", "3", "L", "3", "L"),
        ("water", "693180", "m3", "693180", "t"),
        ("water", "5", "10k t", "50000", "t"),
        ("waste_water", "1000", "L", "1", "t"),
        ("heat", "1000", "kWh", "3.6", "GJ"),
        ("green_power", "1.2", "GWh", "1200000", "kWh"),
        ("green_power", "3", "万度", "30000", "kWh"),
        ("refrigerant.HFC-134a", "12.5", "kg", "12.5", "kg"),
        ("welding_co2", "1.2", "t", "1200", "kg"),
        ("acetylene", "7", "kg", "7", "kg"),
        ("steel", "650", "kg", "0.65", "t"),
        ("packing.wood", "916.38", "m3", "916.38", "m3"),
        ("packing.paper", "12", "m2", "12", "m2"),
        ("packing.iron", "12", "件", "12", "pcs"),
        ("waste.domestic", "1.5", "吨", "1.5", "t"),
        ("waste.wood", "1.5", "t", "1.5", "t"),
        ("waste.hazardous", "60.21", "t", "60.21", "t"),
        ("waste.hazardous.generated", "60.21", "t", "60.21", "t"),
        ("production.vehicle", "48500", "台", "48500", "pcs"),
        ("output_value", "3", "亿元", "30000", "10k CNY"),
        ("bill.E-MAIN", "1.5", "MWh", "1500", "kWh"),
        ("bill.W-MAIN", "4", "t", "4", "m3"),
        ("lab.DA002.nmhc", "11.8", "mg/m3", "11.8", "mg/m3"),
        ("lab.DW001.total_nickel", "120", "µg/L", "0.12", "mg/L"),
        ("lab.DW001.phosphate", "0.4", "mg/L", "0.4", "mg/L"),
        ("lab.DW001.ph", "7.4", "pH", "7.4", "pH"),
        ("training.sessions", "12", "场", "12", "pcs"),
        ("training.hours", "90", "min", "1.5", "h"),
        ("training.people", "240", "人次", "240", "people"),
        ("incidents", "0", "起", "0", "pcs"),
    ],
)
def test_amounts_come_in_the_items_unit(item: str, value: str, unit: str, kept: str, own: str) -> None:
    """Each item has its unit, another is converted exactly where it can be, and what was written stays."""
    new = entry(item=item, value=value, unit=unit).new
    assert (new.value, new.unit) == (Decimal(kept), own)
    assert new.written == f"{value} {unit}"
    assert new.below is None


def test_a_result_below_detection_is_kept_with_its_limit() -> None:
    """Below detection is neither 0 nor the limit: the value is 0 and the limit stands beside it."""
    new = entry(item="lab.DW001.total_nickel", value="<50", unit="µg/L").new
    assert (new.value, new.below, new.unit) == (Decimal(0), Decimal("0.05"), "mg/L")


@pytest.mark.parametrize(
    ("changes", "field", "key", "hint"),
    [
        ({"item": "disel"}, "item", "unknown_item", "diesel"),
        ({"item": "packing.wod"}, "item", "unknown_item", "packing.wood"),
        ({"item": "waste.hazardos"}, "item", "unknown_item", "waste.hazardous"),
        ({"item": "refrigerant."}, "item", "unknown_item", "refrigerant.*"),
        ({"item": "lab.DA02.nox", "unit": "mg/m3"}, "item", "unknown_outlet", "lab.DA002.nox"),
        ({"item": "lab.DA002.tss", "unit": "mg/L"}, "item", "unknown_pollutant", ""),
        ({"item": "lab.DA002.nmch", "unit": "mg/m3"}, "item", "unknown_pollutant", "lab.DA002.nmhc"),
        ({"item": "lab.DW001.nh3n", "unit": "mg/L"}, "item", "unknown_pollutant", "lab.DW001.ammonia_nitrogen"),
        ({"item": "lab.DA001.gas_flow", "unit": "m3/h"}, "item", "unknown_pollutant", ""),
        ({"item": "bill.E-MIAN", "unit": "kWh"}, "item", "unknown_meter", "bill.E-MAIN"),
        ({"item": ""}, "item", "empty", ""),
        ({"value": ""}, "value", "empty", ""),
        ({"value": "1,389"}, "value", "ambiguous_number", ""),
        ({"value": "-5"}, "value", "negative", ""),
        ({"value": "<5"}, "value", "bad_number", ""),
        ({"item": "incidents", "value": "1.5", "unit": "pcs"}, "value", "not_whole", ""),
        ({"unit": ""}, "unit", "empty", ""),
        ({"unit": "kwhh"}, "unit", "unknown_unit", "kWh"),
        ({"unit": "kWh"}, "unit", "foreign_unit", ""),
        ({"item": "steel", "unit": "m3"}, "unit", "foreign_unit", ""),
        ({"item": "packing.wood", "unit": "t"}, "unit", "foreign_unit", ""),
        ({"item": "lng", "unit": "m3"}, "unit", "unclear_unit", ""),
        ({"item": "lab.DW001.cod", "unit": "kg"}, "unit", "foreign_unit", ""),
        ({"item": "bill.E-MAIN", "unit": "m3"}, "unit", "foreign_unit", ""),
        ({"source": " "}, "source", "empty", ""),
        ({"note": "x" * 501}, "note", "too_long", ""),
        ({"period": "Jan-20"}, "period", "bad_period", ""),
        ({"period": ""}, "period", "empty", ""),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, str], field: str, key: str, hint: str) -> None:
    """A wrong line says its field, what is wrong, and the nearest right spelling, in both languages."""
    (said,) = wrong(**changes)
    assert (said.field, said.key) == (field, key)
    for language in ("en", "zh"):
        words = said.words(language)
        assert "{" not in words
        assert (hint in words) if hint else ("did you mean" not in words)


def test_all_that_is_wrong_is_named_at_once() -> None:
    """A line with several mistakes tells them all."""
    said = wrong(period="", item="disel", value="x", unit="", source="")
    assert [one.field for one in said] == ["period", "item", "value", "unit", "source"]


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, []),
        ({"item": "production.vehicel", "unit": "pcs"}, ["new_product"]),
        ({"item": "production.cab", "unit": "m2"}, ["new_product"]),
        ({"item": "refrigerant.HFC-134", "unit": "kg"}, ["unknown_gas"]),
        ({"item": "refrigerant.HFC-134a", "unit": "kg"}, []),
        ({"period": "2021"}, ["period_runs"]),
        ({"period": "2021-03"}, ["period_runs"]),
        ({"period": "2021-02"}, []),
        ({"period": "2021-04"}, ["period_ahead"]),
    ],
)
def test_what_should_be_known(changes: dict[str, str], keys: list[str]) -> None:
    """A product the plant file does not know, a gas without potential, a period that is not over: taken, and noted."""
    found = entry(**({"value": "12"} | changes))
    assert [said.key for said in found.notes] == keys
    for said in found.notes:
        assert said.words("zh") != said.words("en")
