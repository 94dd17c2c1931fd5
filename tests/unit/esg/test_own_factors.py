"""This module proves which factor a report takes: the one it was published with, the plant's own, or the table's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from plantmon.esg.factors import Factors, told
from plantmon.model.metric import TermKind
from plantmon.model.plant import EsgRules, OwnFactor
from plantmon.tables.factors import Factor, NoFactor, factor


def _own(value: str, unit: str) -> OwnFactor:
    return OwnFactor(Decimal(value), unit, "contract 7")


def _taken(factors: Factors, id: str) -> Factor:
    found = factors.take(id)
    assert isinstance(found, Factor), found
    return found


def test_the_tables_factor() -> None:
    """Without one of its own a plant takes the table's, and the report can name its document."""
    factors = Factors(EsgRules(), 2021)
    assert _taken(factors, "grid.location").value == Decimal("0.5568")
    (used,) = factors.used
    assert (used.id, used.data_year, used.published, used.is_own) == ("grid.location", "2021", "2024-04-12", False)
    assert "notice 2024 no. 12" in used.source


def test_the_plants_own_in_the_tables_unit() -> None:
    """A plant's own factor wins, is brought to the table's unit, and says that it is the plant's."""
    factors = Factors(EsgRules(factors={"grid.location": _own("581.0", "gCO2/kWh")}), 2020)
    found = _taken(factors, "grid.location")
    assert (found.value, found.unit, found.certainty) == (Decimal("0.581"), "kgCO2/kWh", "plant file")
    assert [(one.id, one.source, one.is_own) for one in factors.used] == [("grid.location", "contract 7", True)]


def test_a_named_region_and_data_year() -> None:
    """The plant file names another year's grid factor deliberately, of its region."""
    found = _taken(Factors(EsgRules(grid_region="chongqing", grid_data_year=2022), 2020), "grid.location")
    assert (found.value, found.data_year, found.region) == (Decimal("0.5227"), "2022", "chongqing")


def test_a_missing_factor_says_how_to_name_one() -> None:
    """A year without factor is missing with the years there are and the key that names one; nothing was used."""
    factors = Factors(EsgRules(), 2020)
    missing = factors.take("grid.location")
    assert isinstance(missing, NoFactor)
    said = told(missing)
    for language in (said.en, said.zh):
        assert all(part in language for part in ("2020", "2021", "2022", "2023", "esg.grid_factor.data_year"))
    assert factors.used == ()


def test_terms() -> None:
    """A factor is a leaf with its document; a missing one a leaf without value that carries its reason."""
    factors = Factors(EsgRules(), 2021)
    leaf, missing = factors.term("grid.market"), Factors(EsgRules(), 2020).term("grid.location")
    assert (leaf.kind, leaf.value, leaf.unit, leaf.certainty) == (
        TermKind.FACTOR, Decimal("0.5942"), "kgCO2/kWh", "verified",
    )  # fmt: skip
    assert (missing.kind, missing.value, missing.unit) == (TermKind.MISSING, None, "kgCO2/kWh")
    assert missing.reason == (
        "no_factor:grid.location national 2020 [2021, 2022, 2023: esg.grid_factor.data_year, esg.factors]"
    )


def test_gases_follow_the_plants_report() -> None:
    """A gas takes the assessment report the plant names; its own potential wins under any of the gas's names."""
    assert _taken(Factors(EsgRules(gwp="AR5"), 2020), "gwp.R134a").value == 1300
    assert _taken(Factors(EsgRules(gwp="AR6"), 2020), "gwp.HFC-134a").value == 1530
    assert _taken(Factors(EsgRules(gwp="AR6"), 2020), "gwp.AR5.HFC-134a").value == 1300
    for name in ("gwp.R134a", "gwp.HFC-134a", "gwp.AR6.R-134a"):
        own = EsgRules(factors={name: _own("1430", "kgCO2e/kg")})
        assert _taken(Factors(own, 2020), "gwp.HFC-134a").value == 1430


def test_a_gas_the_table_does_not_have() -> None:
    """A new gas is missing until the plant names its potential."""
    assert isinstance(Factors(EsgRules(), 2020).take("gwp.R507A"), NoFactor)
    own = EsgRules(factors={"gwp.R507A": _own("3985", "1")})
    found = _taken(Factors(own, 2020), "gwp.R507A")
    assert (found.value, found.unit) == (3985, "tCO2e/t")


def test_published_years_keep_theirs() -> None:
    """A published year takes what it was published with, though the plant file says otherwise by now."""
    first = Factors(EsgRules(factors={"grid.location": _own("0.5810", "kgCO2/kWh")}, gwp="AR5"), 2020)
    published = [_taken(first, id) for id in ("grid.location", "gwp.CH4", "fuel.diesel.co2")]
    later = Factors(EsgRules(factors={"fuel.diesel.co2": _own("3.2", "t/t")}, gwp="AR6"), 2020, first.used)
    for one in published:
        again = _taken(later, one.id if not one.id.startswith("gwp") else "gwp.CH4")
        assert (again.value, again.unit, again.source) == (one.value, one.unit, one.source)
    assert later.used == first.used
    assert _taken(later, "fuel.gasoline.co2") == factor("fuel.gasoline.co2", 2020)


@pytest.mark.parametrize("reason", ["unknown", "no_value", "region", "year", "data_year"])
def test_every_reason_has_words(reason: str) -> None:
    """Whatever keeps a factor away is said in both languages."""
    said = told(NoFactor(reason, "grid.location", 2020, "national", ("2021",)))
    assert "grid.location" in said.en
    assert "grid.location" in said.zh
