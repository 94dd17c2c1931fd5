"""This module proves that a plant file's factors, regions, rates, metrics and ledger items lead somewhere."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from plantmon.errors import PlantFileError
from plantmon.model.plant import OwnFactor, OwnTaxRate
from plantmon.plant import load_plant_text

HEAD = "plant: {id: x, name: X, timezone: Asia/Shanghai}\nesg:\n"


def _mistakes(esg: str) -> list[str]:
    try:
        load_plant_text(HEAD + esg, "plant.yaml")
    except PlantFileError as error:
        return str(error).splitlines()
    return []


def test_own_factors_and_rates() -> None:
    """Factors keep the digits they are written with; a data year, a region and rates reach the model."""
    plant = load_plant_text(
        HEAD
        + "  grid_factor: {region: chongqing, data_year: 2022}\n"
        + "  factors:\n"
        + "    fuel.diesel.density: {value: 0.8375, unit: kg/L, source: supplier 2020}\n"
        + "    gwp.R507A: {value: 3985, unit: '1', source: AR4}\n"
        + "    own.sludge: {value: 0.3, unit: t/m3, source: weighed}\n"
        + "    fuel.lpg.density: {value: 540, unit: kg/m3, source: supplier}\n"
        + "  tax:\n"
        + "    region: chongqing\n"
        + "    air: [{value: 2.4, to: 2020-12-31}, {value: 3.5, from: 2021-01-01}]\n"
        + "    water: 3.0\n",
        "plant.yaml",
    )
    assert plant.esg.factors["fuel.diesel.density"] == OwnFactor(Decimal("0.8375"), "kg/L", "supplier 2020")
    assert (plant.esg.grid_region, plant.esg.grid_data_year, plant.esg.tax_region) == ("chongqing", 2022, "chongqing")
    assert plant.esg.tax_rates == (
        OwnTaxRate("air", Decimal("2.4"), None, date(2020, 12, 31)),
        OwnTaxRate("air", Decimal("3.5"), date(2021, 1, 1), None),
        OwnTaxRate("water", Decimal("3.0"), None, None),
    )


@pytest.mark.parametrize(
    ("esg", "place", "said"),
    [
        ("  factors: {fuel.diesel.co: {value: 3, unit: t/t, source: s}}\n", ":3: esg.factors.fuel.diesel.co:",
         "did you mean fuel.diesel.co2?"),
        ("  factors: {grid.locations: {value: 1, unit: kgCO2/kWh, source: s}}\n", ":3: esg.factors.grid.locations:",
         "did you mean grid.location?"),
        ("  factors:\n    grid.location:\n      value: 0.581\n      unit: kgCO2/m3\n      source: s\n",
         ":6: esg.factors.grid.location.unit:", "kgCO2/m3 is no unit of grid.location"),
        ("  factors: {grid.location: {value: 1, unit: kgC/kWh, source: s}}\n", ":3: esg.factors.grid.location.unit:",
         "expected one such as kgCO2/kWh"),
        ("  factors: {own.thing: {value: 1, unit: kg/foo, source: s}}\n", ":3: esg.factors.own.thing.unit:", "kg/foo"),
        ("  grid_factor: {region: chongqin}\n", ":3: esg.grid_factor.region:", "did you mean chongqing?"),
        ("  grid_factor: {region: chongqing, data_year: 2021}\n", ":3: esg.grid_factor.data_year:",
         "expected one of: 2022, 2023"),
        ("  tax: {region: chongqin}\n", ":3: esg.tax.region:", "did you mean chongqing?"),
        ("  tax:\n    air:\n    - {value: 2, to: 2020-12-31}\n    - {value: 3, from: 2020-12-31}\n",
         ":6: esg.tax.air[2]:", "the rate in line 5 holds on the same days"),
        ("  tax: {air: [{value: 2, from: 2021-01-01, to: 2020-01-01}]}\n", ":3: esg.tax.air[1].to:", "lies before"),
        ("  tax: {air: 0}\n", ":3: esg.tax.air", "> 0"),
        ("  targets: [{metric: electricity.purchase, max: 1 kWh, year: 2021}]\n", ":3: esg.targets[1].metric:",
         "did you mean electricity.purchased?"),
        ("  targets: [{metric: electricity.purchased, max: 1 t, year: 2021}]\n", ":3: esg.targets[1].max:",
         "t is no unit of electricity.purchased"),
        ("  denominators: {output: {ledger: outputvalue, unit: 10k CNY}}\n", ":3: esg.denominators.output.ledger:",
         "did you mean output_value?"),
        ("  denominators: {output: {ledger: output_value, unit: kWh}}\n", ":3: esg.denominators.output.unit:",
         "kWh does not fit here"),
    ],
)  # fmt: skip
def test_mistakes(esg: str, place: str, said: str) -> None:
    """Each mistake is told once, with its line and the nearest right word."""
    (told,) = _mistakes(esg)
    assert place in told
    assert said in told


@pytest.mark.parametrize(
    "esg",
    [
        "  grid_factor: {region: zhejiang}\n  factors: {grid.location: {value: 0.5, unit: kgCO2/kWh, source: s}}\n",
        "  tax: {region: zhejiang, air: 1.2, water: 1.4}\n",
        "  targets: [{metric: ghg.total, max: 5000, year: 2021}, {metric: waste.hazardous, max: 700 t, year: 2021}]\n",
        "  targets: [{metric: production.vehicle, min: 1000 pcs, year: 2021}]\n",
        "  denominators: {coated: {ledger: production.coated, unit: m2}}\n",
        "  metrics: {own.x: {name: X, unit: kWh, derive: 'ledger(electricity)'}}\n  targets: [{metric: own.x, max: 3 MWh, year: 2021}]\n",  # noqa: E501
    ],
)
def test_what_is_right(esg: str) -> None:
    """A plant with figures of its own needs no region of the table; families and own metrics are metrics."""
    assert _mistakes(esg) == []
