"""This module proves the table of factors: whole rows, one factor a year, and figures that agree with one another."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from plantmon.tables.factor_units import read
from plantmon.tables.factors import Factor, NoFactor, factor, gwp_sets, ids, regions, rows, unit_of

FUELS = ["natural_gas", "gasoline", "diesel", "kerosene", "lpg", "lng"]
EVERY_YEAR = [1990, 2019, 2020, 2026]


def _value(id: str, year: int = 2020, region: str = "") -> Decimal:
    found = factor(id, year, region)
    assert isinstance(found, Factor), found
    return found.value


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.id}-{row.factor.data_year if row.factor else ''}")
def test_rows_are_whole(row: object) -> None:
    """A row has both names and a unit that reads; a value has its document and how sure it is."""
    one = next(other for other in rows() if other is row)
    assert one.name.en
    assert one.name.zh
    read(one.unit)
    if one.factor is not None:
        assert one.factor.source
        assert one.factor.certainty in ("verified", "recalled")
        assert one.factor.value >= 0


def test_a_year_has_one_factor() -> None:
    """No year of a region is covered twice, and all rows of a factor have one unit."""
    found: dict[tuple[str, str], list[Factor]] = {}
    for row in rows():
        if row.factor is not None:
            found.setdefault((row.id, row.factor.region), []).append(row.factor)
    for some in found.values():
        assert len({one.unit for one in some}) == 1
        for year in range(1990, 2031):
            assert sum(one.covers(year) for one in some) <= 1, (some[0].id, year)


@pytest.mark.parametrize("fuel", FUELS)
def test_carbon_dioxide_of_fuels(fuel: str) -> None:
    """A fuel's CO2 is its heat x carbon x oxidation x 44/12, to the digits it is written with."""
    ncv, carbon, oxidation, co2 = (_value(f"fuel.{fuel}.{part}") for part in ("ncv", "carbon", "oxidation", "co2"))
    exact = Fraction(ncv) / 1000 * Fraction(carbon) * Fraction(oxidation) * Fraction(44, 12)
    last_digit = Fraction(10) ** int(co2.as_tuple().exponent)
    assert abs(exact - Fraction(co2)) <= last_digit / 2


@pytest.mark.parametrize(
    ("id", "value"),
    [
        ("fuel.natural_gas.co2", "21.6219"), ("fuel.gasoline.co2", "2.92506"), ("fuel.diesel.co2", "3.09591"),
        ("fuel.gasoline.density", "0.73"), ("fuel.diesel.density", "0.84"), ("heat.co2", "0.11"),
        ("coal.electricity", "0.1229"), ("coal.ncv", "29.3076"), ("gwp.AR5.HFC-134a", "1300"),
        ("gwp.AR6.HFC-134a", "1530"), ("gwp.AR5.R410A", "1924"), ("gwp.AR6.CH4", "27.9"), ("gwp.AR5.N2O", "265"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("year", EVERY_YEAR)
def test_constants_cover_all_years(id: str, value: str, year: int) -> None:
    """What physics or an assessment report says holds in every reported year."""
    assert _value(id, year) == Decimal(value)


def test_quotients_are_exact() -> None:
    """20 degC, carbon and acetylene are quotients, with 28 digits and not with the four of a table."""
    assert _value("gas.state.20degC") == Decimal("273.15") / Decimal("293.15")
    assert _value("carbon.co2") == Decimal(44) / Decimal(12)
    assert _value("process.acetylene.co2") == Decimal(88) / Decimal(26)
    assert str(_value("gas.state.20degC")).startswith("0.93177554153163")


@pytest.mark.parametrize(
    ("region", "year", "value"),
    [
        ("national", 2021, "0.5568"), ("national", 2022, "0.5366"), ("", 2023, "0.5306"),
        ("chongqing", 2022, "0.5227"), ("chongqing", 2023, "0.5581"), ("southwest", 2021, "0.2113"),
        ("central", 2012, "0.5257"), ("central", 2023, "0.5271"),
    ],
)  # fmt: skip
def test_the_grid_by_year_and_region(region: str, year: int, value: str) -> None:
    """A year takes the grid factor whose data are of that year, in its own region."""
    assert _value("grid.location", year, region) == Decimal(value)


@pytest.mark.parametrize("year", [2019, 2020, 2024])
def test_no_neighbours_year(year: int) -> None:
    """A year without grid data has no factor, and is told which years there are."""
    assert factor("grid.location", year) == NoFactor(
        "year", "grid.location", year, "national", ("2021", "2022", "2023")
    )


def test_no_neighbours_region() -> None:
    """Chongqing has no factor of 2021, whatever the nation has; an unknown region has none at all."""
    missing = factor("grid.location", 2021, "chongqing")
    assert missing == NoFactor("year", "grid.location", 2021, "chongqing", ("2022", "2023"))
    nowhere = factor("grid.location", 2022, "atlantis")
    assert nowhere == NoFactor("region", "grid.location", 2022, "atlantis", regions())


def test_a_data_year_named_deliberately() -> None:
    """Who names a data year gets it in every reported year; one that is not there stays missing."""
    found = factor("grid.location", 2020, "chongqing", data_year=2022)
    assert isinstance(found, Factor)
    assert (found.value, found.data_year) == (Decimal("0.5227"), "2022")
    assert factor("grid.location", 2022, data_year=2019) == NoFactor(
        "data_year", "grid.location", 2019, "national", ("2021", "2022", "2023")
    )
    assert _value("fuel.diesel.co2", 2020) == Decimal("3.09591"), "fuels have no data year to name"


@pytest.mark.parametrize("region", ["", "national", "chongqing"])
def test_the_market_factor_is_everybodys(region: str) -> None:
    """The average without market-traded non-fossil power is published for the nation and holds in every region."""
    assert _value("grid.market", 2021, region) == Decimal("0.5942")


@pytest.mark.parametrize("id", ["coal.electricity.grid", "fuel.lpg.density"])
def test_factors_nobody_is_sure_of(id: str) -> None:
    """A factor without a value is known by its id and unit, and missing until the plant file names one."""
    assert id in ids()
    assert factor(id, 2020) == NoFactor("no_value", id, 2020, known=(unit_of(id),))


def test_unknown_factors() -> None:
    """An id of no row is no factor."""
    assert factor("fuel.petrol.co2", 2020) == NoFactor("unknown", "fuel.petrol.co2", 2020)
    assert unit_of("fuel.petrol.co2") is None


def test_gases_by_their_other_names() -> None:
    """R134a is HFC-134a; a gas without its assessment report is an id too."""
    assert _value("gwp.AR6.R134a") == _value("gwp.AR6.HFC-134a")
    assert {"gwp.CH4", "gwp.R134a", "gwp.AR5.R32"} <= set(ids())
    assert gwp_sets() == ("AR5", "AR6")


def test_a_gas_of_a_mixture() -> None:
    """R410A is half HFC-32 and half HFC-125, whose potential is 3740 (AR6)."""
    assert _value("gwp.AR6.R410A") == (_value("gwp.AR6.HFC-32") + Decimal(3740)) / 2
