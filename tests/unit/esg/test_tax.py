"""This module proves the environmental tax of outlets' months against arithmetic by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.esg.tax import Release, TaxLine, TaxYear, rates_of, tax_of_releases
from plantmon.model.plant import EsgRules, OwnTaxRate
from plantmon.tables.tax import TaxRate
from plantmon.texts import sentences

AIR = TaxRate("", "air", None, None, Decimal("2.4"), "by hand", "verified")
WATER = TaxRate("", "water", None, None, Decimal("3"), "by hand", "verified")
EQUIVALENT_KG = {"nox": "0.95", "so2": "0.95", "co": "16.7", "pm.smoke": "2.18", "benzene": "0.05", "toluene": "0.18"}


def _air(pollutant: str, kg: str | None, mean: str | None = None, limit: str | None = None, **more: object) -> Release:
    given = {"outlet": "DA001", "month": "2020-03", "medium": "air", "pollutant": pollutant} | more
    numbers = [None if one is None else Decimal(one) for one in (kg, mean, limit)]
    return Release(**given, kg=numbers[0], mean=numbers[1], limit=numbers[2])  # type: ignore[arg-type]


def _water(pollutant: str, kg: str | None, **more: object) -> Release:
    return _air(pollutant, kg, **{"outlet": "DW001", "medium": "water"} | more)  # type: ignore[arg-type]


def _tax(*releases: Release) -> TaxYear:
    return tax_of_releases(releases, (AIR, WATER))


def _line(year: TaxYear, pollutant: str, outlet: str = "DA001") -> TaxLine:
    (line,) = [one for one in year.lines if (one.release.pollutant, one.release.outlet) == (pollutant, outlet)]
    return line


def test_a_stacks_month_by_hand() -> None:
    """NOx 475 kg / 0.95 = 500, SO2 95 / 0.95 = 100, smoke 21.8 / 2.18 = 10, CO 83.5 / 16.7 = 5 equivalents.

    The first three count. NOx, 60 % below its limit, pays half: 500 x 2.4 x 0.5 = 600 CNY; SO2, 34 % below, 75 %: 180;
    smoke, 5 % below, all of it: 24. Together 804, and 660 less than without reductions.
    """
    year = _tax(
        _air("nox", "475", "20", "50"), _air("so2", "95", "33", "50"), _air("pm.smoke", "21.8", "19", "20"),
        _air("co", "83.5", "1", "100"),
    )  # fmt: skip
    ranked = sorted(year.lines, key=lambda line: line.rank or 0)
    assert [(line.release.pollutant, line.rank, line.cny) for line in ranked] == [
        ("nox", 1, 600), ("so2", 2, 180), ("pm.smoke", 3, 24), ("co", 4, 0),
    ]  # fmt: skip
    assert (year.cny(), year.cny("air"), year.cny("water")) == (804, 804, None)
    assert (year.equivalents(), year.reduction()) == (610, 660)
    assert [_line(year, name).reason for name in ("nox", "so2", "pm.smoke", "co")] == [
        "lowered", "lowered", "not_low_enough", "not_among_first",
    ]  # fmt: skip
    assert "incomplete" not in year.notes


def test_a_water_outlets_month_by_hand() -> None:
    """Of class 1 nickel: 0.05 / 0.025 = 2. Of the others COD 900, SS 400 / 4 = 100, NH3-N 40 / 0.8 = 50.

    BOD5 (800) is of COD's group, phosphorus (20) and zinc (10) come after the first three:
    (2 + 900 + 100 + 50) x 3 = 3156 CNY.
    """
    year = _tax(
        _water("total_nickel", "0.05"), _water("cod", "900"), _water("bod5", "400"), _water("tss", "400"),
        _water("ammonia_nitrogen", "40"), _water("total_phosphorus", "5"), _water("total_zinc", "2"),
    )  # fmt: skip
    assert (year.cny("water"), year.equivalents("water")) == (3156, 1052)
    reasons = {line.release.pollutant: line.reason for line in year.lines if not line.is_counted}
    assert reasons == {"bod5": "one_of_group", "total_phosphorus": "not_among_first", "total_zinc": "not_among_first"}


def test_the_rank_is_by_equivalents() -> None:
    """One kg of benzene (20) stands before 10 kg of NOx (10.5) and 100 kg of CO (6)."""
    year = _tax(_air("co", "100"), _air("nox", "10"), _air("benzene", "1"))
    assert [_line(year, name).rank for name in ("benzene", "nox", "co")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("mean", "pays", "reason"),
    [
        ("50", "1", "not_low_enough"), ("35.0000001", "1", "not_low_enough"), ("35", "0.75", "lowered"),
        ("25.0000001", "0.75", "lowered"), ("25", "0.5", "lowered"), ("-0.4", "0.5", "lowered"),
    ],
)  # fmt: skip
def test_where_the_tax_is_lowered(mean: str, pays: str, reason: str) -> None:
    """The steps stand at exactly 30 % and 50 % below a limit of 50."""
    line = _line(_tax(_air("nox", "95", mean, "50")), "nox")
    assert (line.pays, line.reason, line.cny) == (Decimal(pays), reason, 240 * Decimal(pays))


def test_no_reduction_without_a_limit_or_a_mean() -> None:
    """What cannot be compared is taxed in full, and says why."""
    assert _line(_tax(_air("nox", "95")), "nox").reason == "no_limit"
    assert _line(_tax(_air("nox", "95", None, "50")), "nox").reason == "not_judged"


def test_an_exceedance_anywhere_blocks_its_month() -> None:
    """An hour over the limit at one outlet takes every outlet's reduction of that month, of that month only."""
    low = _air("nox", "95", "10", "50")
    year = _tax(
        low, replace(low, month="2020-04"), replace(low, outlet="DA002", mean=Decimal(20), exceeded=True),
        _water("cod", "10", mean="20", limit="100"),
    )  # fmt: skip
    march, april = (line for line in year.lines if line.release.outlet == "DA001")
    assert (march.reason, march.blocked_by, march.cny) == ("exceeded_elsewhere", ("DA002",), 240)
    assert (april.reason, april.cny) == ("lowered", 120)
    assert _line(year, "nox", "DA002").reason == "exceeded"
    assert _line(year, "cod", "DW001").reason == "exceeded_elsewhere"


def test_what_is_not_taxed_blocks_too() -> None:
    """NMHC has no equivalent value and waste water to a municipal plant no tax: their exceedances count too."""
    year = _tax(
        _air("nox", "95", "10", "50"), _air("nmhc", "500", "70", "60", outlet="DA002", exceeded=True),
        _water("cod", "900", exceeded=True, is_indirect=True),
    )  # fmt: skip
    nox = _line(year, "nox")
    assert (nox.reason, nox.blocked_by) == ("exceeded_elsewhere", ("DA002", "DW001"))
    assert _line(year, "cod", "DW001").reason == "indirect"
    assert (year.cny("water"), year.cny()) == (0, 240)
    assert "not_taxable:nmhc" in year.notes


def test_what_is_not_known_is_not_zero() -> None:
    """Without an amount, or where nobody said whether it is smoke or dust, the line has no tax and the year says so."""
    year = _tax(_air("nox", None), _air("pm", "40"))
    assert [line.reason for line in year.lines] == ["not_measured", "pm_unsaid"]
    assert (year.cny(), year.equivalents(), year.reduction()) == (None, None, None)
    assert "incomplete" in year.notes
    assert _tax(_air("nox", "95"), _air("so2", None)).cny() == 240


def test_a_sum_below_zero_owes_nothing() -> None:
    """A month whose signed sum is negative has no equivalents."""
    assert _tax(_air("so2", "-3.5")).cny() == 0


def test_ph_by_hand() -> None:
    """100 t at pH 5.5 are 100 / 5 = 20 equivalents, 100 t at 9.5 are 100; at 6 and 9 none. 120 x 3 = 360 CNY."""
    waters = tuple((Decimal(ph), Decimal(100)) for ph in ("5.5", "9.5", "6", "9"))
    year = _tax(_water("ph", None, waters=waters))
    assert (year.equivalents(), year.cny()) == (120, 360)


def test_ties_stand_in_the_tables_order() -> None:
    """Of pollutants with as many equivalents those named first in the law's table count, whatever came first."""
    releases = [
        _air(name, kg) for name, kg in (("toluene", "0.18"), ("benzene", "0.05"), ("nox", "0.95"), ("so2", "0.95"))
    ]
    for _ in range(4):
        random.Random(1).shuffle(releases)
        year = _tax(*releases)
        assert {line.release.pollutant for line in year.lines if line.is_counted} == {"so2", "nox", "benzene"}


def test_notes_say_what_is_not_computed() -> None:
    """Noise and solid waste are taxed by law and not here: every result says so."""
    assert {"noise_not_computed", "solid_waste_not_computed"} <= set(_tax().notes)


@pytest.mark.parametrize(("month", "cny"), [("2020-12", "240"), ("2021-01", "350"), ("2017-12", None)])
def test_the_rate_of_the_month(month: str, cny: str | None) -> None:
    """A month takes the rate of its first day; before the first rate there is none, and no tax is known."""
    line = _line(tax_of_releases([_air("nox", "95", month=month)], rates_of(EsgRules())), "nox")
    assert line.cny == (None if cny is None else Decimal(cny))
    assert (line.reason == "no_rate") == (cny is None)


def test_the_plants_own_rate() -> None:
    """A plant file's rate stands before its region's, on its days; of another region nothing is known."""
    own = OwnTaxRate("air", Decimal("1.2"), date(2020, 1, 1), date(2020, 6, 30))
    for month, cny in (("2020-06", 120), ("2020-07", 240)):
        rates = rates_of(EsgRules(tax_rates=(own,)))
        line = _line(tax_of_releases([_air("nox", "95", month=month)], rates), "nox")
        assert line.cny == cny
    assert rates_of(EsgRules(tax_region="elsewhere")) == ()


def test_every_reason_and_note_has_words() -> None:
    """Every code a line or a year may carry is a sentence in both languages."""
    reasons = [
        "indirect", "pm_unsaid", "not_measured", "one_of_group", "not_among_first", "no_rate", "lowered",
        "not_low_enough", "exceeded", "exceeded_elsewhere", "no_limit", "not_judged",
    ]  # fmt: skip
    notes = ["noise_not_computed", "solid_waste_not_computed", "incomplete", "not_taxable", "discharge_unsaid"]
    known = sentences()
    assert all(f"tax.reason.{one}" in known for one in reasons)
    assert all(f"tax.note.{one}" in known for one in notes)


KG = st.decimals(min_value=0, max_value=10**6, places=3)


@given(st.dictionaries(st.sampled_from(sorted(EQUIVALENT_KG)), KG, min_size=1), st.randoms())
def test_the_three_most_are_taxed(amounts: dict[str, Decimal], order: random.Random) -> None:
    """Without reductions the tax is the sum of the three largest equivalents x 2.4, in whatever order they come."""
    releases = [_air(name, str(kg)) for name, kg in amounts.items()]
    order.shuffle(releases)
    year = _tax(*releases)
    equivalents = sorted(Fraction(kg) / Fraction(EQUIVALENT_KG[name]) for name, kg in amounts.items())[-3:]
    assert year.cny() is not None
    assert abs(Fraction(year.cny() or 0) - sum(equivalents) * Fraction("2.4")) < Fraction(1, 10**12)
    assert sum(line.is_counted for line in year.lines) == min(3, len(amounts))
    again = _tax(*sorted(releases, key=lambda one: one.pollutant))
    assert again == year


@given(st.dictionaries(st.sampled_from(sorted(EQUIVALENT_KG)), KG, min_size=1), st.sampled_from(["nox", "co"]), KG)
def test_more_is_never_cheaper(amounts: dict[str, Decimal], pollutant: str, more: Decimal) -> None:
    """Releasing more of one pollutant never lowers the tax."""
    less = _tax(*(_air(name, str(kg)) for name, kg in amounts.items())).cny()
    raised = amounts | {pollutant: amounts.get(pollutant, Decimal(0)) + more}
    now = _tax(*(_air(name, str(kg)) for name, kg in raised.items())).cny()
    assert less is not None
    assert now is not None
    assert now >= less - Decimal("1e-12")
