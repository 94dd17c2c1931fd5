"""This module proves the tables of the environmental tax: equivalents, bands of pH, rates and what lowers the tax."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from plantmon.tables.load import quantities
from plantmon.tables.tax import counted, free_ph, lowerings, ph_bands, rates, taxed


@pytest.mark.parametrize(
    ("medium", "pollutant", "kg"),
    [
        ("air", "so2", "0.95"), ("air", "nox", "0.95"), ("air", "co", "16.7"), ("air", "pm.smoke", "2.18"),
        ("air", "pm.dust", "4"), ("air", "benzene", "0.05"), ("air", "xylene", "0.27"), ("air", "formaldehyde", "0.09"),
        ("water", "cod", "1"), ("water", "tss", "4"), ("water", "ammonia_nitrogen", "0.8"),
        ("water", "total_phosphorus", "0.25"), ("water", "total_nickel", "0.025"), ("water", "total_zinc", "0.2"),
        ("water", "petroleum", "0.1"), ("water", "bod5", "0.5"), ("water", "toc", "0.49"),
    ],
)  # fmt: skip
def test_equivalents(medium: str, pollutant: str, kg: str) -> None:
    """The pollutants a plant measures have the law's equivalent values."""
    assert taxed()[medium, pollutant].equivalent_kg == Decimal(kg)


@pytest.mark.parametrize(
    ("medium", "pollutant"), [("water", "total_nitrogen"), ("air", "nmhc"), ("water", "phosphate")]
)
def test_what_is_not_taxed(medium: str, pollutant: str) -> None:
    """Total nitrogen and hydrocarbons as a sum stand in no table of the law."""
    assert (medium, pollutant) not in taxed()


def test_classes() -> None:
    """Water has two classes, air none; heavy metals are of the first, one group is taxed once."""
    assert {one.rank_class for (medium, _), one in taxed().items() if medium == "air"} == {""}
    assert {one.rank_class for (medium, _), one in taxed().items() if medium == "water"} == {"1", "2"}
    assert taxed()["water", "total_nickel"].rank_class == "1"
    assert taxed()["water", "total_zinc"].rank_class == "2"
    assert {pollutant for (_, pollutant), one in taxed().items() if one.group} == {"cod", "bod5", "toc"}


def test_quantities_are_spelt_alike() -> None:
    """Every pollutant that can be measured and that the law taxes has one name in both tables."""
    measured = set(quantities()) | {"pm.smoke", "pm.dust"}
    for medium, pollutant in (("air", "so2"), ("air", "nh3"), ("air", "styrene"), ("water", "hexavalent_chromium")):
        assert (medium, pollutant) in taxed()
        assert pollutant in measured


def test_rows_are_whole() -> None:
    """Each pollutant and rate has its source and says how sure it is."""
    for one in (*taxed().values(), *rates()):
        assert one.source
        assert one.certainty in ("verified", "recalled")


@pytest.mark.parametrize(
    ("ph", "tonnes"),
    [
        ("0.5", "0.06"), ("1", "0.125"), ("4", "1"), ("4.99", "1"), ("5", "5"), ("5.99", "5"), ("6", None), ("7", None),
        ("9", None), ("9.01", "1"), ("10", "1"), ("10.01", "0.5"), ("12.5", "0.125"), ("13", "0.125"), ("14", "0.06"),
    ],
)  # fmt: skip
def test_bands_of_ph(ph: str, tonnes: str | None) -> None:
    """The end of a band that is nearer to 7 does not belong to an acid one, the further end to an alkaline one."""
    held = [band.equivalent_t for band in ph_bands() if band.holds(Decimal(ph))]
    assert held == ([] if tonnes is None else [Decimal(tonnes)])


def test_rates_of_chongqing() -> None:
    """Air cost 2.4 CNY an equivalent to the end of 2020 and 3.5 since, water 3."""

    def on(medium: str, day: date) -> list[Decimal]:
        return [one.cny for one in rates() if one.region == "chongqing" and one.medium == medium and one.covers(day)]

    assert on("air", date(2020, 12, 31)) == [Decimal("2.4")]
    assert on("air", date(2021, 1, 1)) == [Decimal("3.5")]
    assert on("water", date(2019, 6, 1)) == on("water", date(2023, 6, 1)) == [Decimal("3.0")]
    assert on("air", date(2017, 12, 31)) == []


def test_rules() -> None:
    """30 % below the limit pays 75 %, 50 % below pays half; three count of air, five and three of water."""
    assert [(one.below, one.pays) for one in lowerings()] == [
        (Decimal("0.5"), Decimal("0.5")), (Decimal("0.3"), Decimal("0.75")),
    ]  # fmt: skip
    assert [counted("air", ""), counted("water", "1"), counted("water", "2")] == [3, 5, 3]
    assert free_ph() == (Decimal(6), Decimal(9))
