"""This module proves a group's figures: exact sums of share times figure, each with its plants, and nothing as zero."""

# ruff: noqa: E501 - a case a line reads as a table

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from group_story import a_factor, a_group, a_holding, a_statement
from hypothesis import given
from hypothesis import strategies as st

from plantmon.group.annual import annual, derivation
from plantmon.group.sums import Sums
from plantmon.model.metric import Line, TermKind
from plantmon.model.plant import TargetRule

POWER = "electricity.purchased"


def _line(now: Sums, id: str, before: Sums | None = None, targets: tuple[TargetRule, ...] = ()) -> Line:
    group = a_group([one.member for one in now.holdings], targets)
    found = annual(group, "2020", now, "2019" if before is not None else None, before)
    return next(line for line in found.lines if line.figure.metric.id == id)


def _sums(*stated: tuple[str, str, dict[str, str | None] | None]) -> Sums:
    return Sums([a_holding(id, share, None if values is None else a_statement(id, values, "10"))
                 for id, share, values in stated])  # fmt: skip


numbers = st.decimals(min_value="-1e12", max_value="1e12", allow_nan=False, places=15)
shares = st.decimals(min_value=0, max_value=100, allow_nan=False, places=9)


@given(st.lists(st.tuples(numbers, shares), min_size=1, max_size=20), st.randoms())
def test_a_figure_is_the_exact_sum(parts: list[tuple[Decimal, Decimal]], order: object) -> None:
    """Whatever the digits, a figure is share times figure added up without rounding, in any order of plants."""
    stated = [(f"p{place}", f"{share:f}", {POWER: f"{value:f}"}) for place, (value, share) in enumerate(parts)]
    wanted = sum((Fraction(share) / 100 * Fraction(value) for value, share in parts), Fraction(0))
    found = _sums(*stated).figure(POWER).value
    order.shuffle(stated)  # type: ignore[attr-defined]
    assert found is not None
    assert Fraction(found) == wanted
    assert _sums(*stated).figure(POWER).value == found


def test_a_figure_explains_itself_by_plant() -> None:
    """60 % of 100 kWh and 30 % of 200 kWh are 120 kWh; each product stands with figure, share, coverage, publication."""
    sums = Sums([
        a_holding("a", "60", a_statement("a", {POWER: "100"}, factors={POWER: [a_factor("fuel.x", "2")]})),
        a_holding("b", "30", a_statement("b", {POWER: "200"}, published=None)),
    ])  # fmt: skip
    line = _line(sums, POWER)
    assert line.figure.value == 120
    tree = derivation(line, None, sums)
    assert tree.kind is TermKind.SUM
    first, second = tree.terms
    assert (first.id, first.value, first.kind) == ("a", 60, TermKind.PRODUCT)
    assert [(one.kind, one.value) for one in first.terms] == [(TermKind.PLANT, 100), (TermKind.SHARE, 60)]
    assert first.terms[0].terms[0].id == "fuel.x"
    assert first.terms[0].source == "a.json"
    assert first.terms[0].notes[0].startswith("published:2021-01-20")
    assert "rests_on_measured:100.0" in first.terms[0].notes
    assert second.terms[0].notes[0] == "not_published"
    assert line.figure.notes[0] == "plants_provisional:b"


def test_what_lacks_is_named_and_not_zero() -> None:
    """A missing plant, an unknown figure and a plant without such a thing are named; coverage counts the first two."""
    sums = Sums([
        a_holding("a", "100", a_statement("a", {POWER: "100"})),
        a_holding("b", "100", None),
        a_holding("c", "100", a_statement("c", {POWER: None})),
        a_holding("d", "100", a_statement("d", {POWER: None}, reason="no_meter")),
    ])  # fmt: skip
    figure = sums.figure(POWER)
    assert figure.value == 100
    assert figure.notes == ("plants_missing:b", "plants_unknown:c", "plants_without:d")
    assert figure.coverage.measured == pytest.approx(1 / 3)
    assert figure.coverage.missing == pytest.approx(2 / 3)
    assert [term.value for term in figure.term.terms] == [100, None, None, None]


def test_nothing_known_is_no_figure() -> None:
    """Where no plant knows a figure the group has none, with the reason; a zero that is known stays a zero."""
    assert _sums(("a", "100", {POWER: None}), ("b", "100", {POWER: None})).figure(POWER).reason == "no_data"
    missing = Sums([a_holding("a", "100", a_statement("a", {POWER: None}, reason="no_meter")),
                    a_holding("b", "40", None)])  # fmt: skip
    assert (missing.figure(POWER).value, missing.figure(POWER).reason) == (None, "plants_missing:b")
    assert _sums(("a", "100", {POWER: "0"})).figure(POWER).value == 0


def test_a_plant_without_a_share_adds_nothing() -> None:
    """A share of 0 % adds exactly nothing, and takes nothing from the coverage."""
    figure = _sums(("a", "0", {POWER: "1e9"}), ("b", "50", {POWER: "2"})).figure(POWER)
    assert (figure.value, figure.coverage.measured) == (1, 1.0)


def test_an_intensity_is_of_sums() -> None:
    """(0.6 x 100 + 0.3 x 200) kWh over (0.6 x 10 + 0.3 x 50) vehicles, which no mean of intensities gives."""
    sums = Sums([a_holding("a", "60", a_statement("a", {POWER: "100"}, "10")),
                 a_holding("b", "30", a_statement("b", {POWER: "200"}, "50"))])  # fmt: skip
    line = _line(sums, POWER)
    assert line.per["vehicle"] is not None
    assert Fraction(line.per["vehicle"]).limit_denominator(1000) == Fraction(120, 21)
    assert derivation(line, "vehicle", sums).terms[1].value == 21


def test_an_intensity_is_of_plants_that_know_both() -> None:
    """A plant without vehicles is in the sum and not in the intensity, and the figure says so."""
    sums = Sums([a_holding("a", "100", a_statement("a", {POWER: "100"}, "10")),
                 a_holding("b", "100", a_statement("b", {POWER: "900"}, None)),
                 a_holding("c", "100", a_statement("c", {POWER: None}, "70"))])  # fmt: skip
    line = _line(sums, POWER)
    assert (line.figure.value, line.per["vehicle"]) == (1000, 10)
    assert "intensity_of:vehicle: a" in line.figure.notes


def test_shares_of_the_energy_are_of_sums() -> None:
    """Diesel is 1 of 4 and 9 of 12 tce: together 10 of 16, and with half of the second plant 5.5 of 10."""
    one = {"energy.diesel": "1", "energy.total": "4", "energy.share.diesel": "25"}
    two = {"energy.diesel": "9", "energy.total": "12", "energy.share.diesel": "75"}
    assert _sums(("a", "100", one), ("b", "100", two)).figure("energy.share.diesel").value == Decimal("62.5")
    assert _sums(("a", "100", one), ("b", "50", two)).figure("energy.share.diesel").value == 55


def test_an_own_ratio_is_never_added() -> None:
    """A metric of a plant's own that is a quotient, or has a ratio's unit, is refused with its reason."""
    changes = {"own.rate": {"unit": "%"}}
    sums = Sums([a_holding("a", "100", a_statement("a", {"own.rate": "3"}, changes=changes))])
    assert (sums.figure("own.rate").value, sums.figure("own.rate").reason) == (None, "not_additive")
    assert _sums(("a", "100", {"own.mass": "3"}), ("b", "50", {"own.mass": "2"})).figure("own.mass").value == 4


@pytest.mark.parametrize(
    ("id", "one", "two", "reason"),
    [
        ("own.mass", {"changes": {"own.mass": {"unit": "t"}}}, {"changes": {"own.mass": {"unit": "kg"}}},
         "units_differ:t (a); kg (b)"),
        ("own.mass", {"changes": {"own.mass": {"derive": "ledger(a)"}}}, {"changes": {"own.mass": {"derive": "ledger(b)"}}},
         "definitions_differ:ledger(a) (a); ledger(b) (b)"),
        ("ghg.diesel", {"notes": {"ghg.diesel": ("co2_only",)}},
         {"factors": {"ghg.diesel": [a_factor("fuel.diesel.road.ch4", "3.9")]}}, "bases_differ:CO2 (a); CO2, CH4, N2O (b)"),
        ("ghg.refrigerants", {"factors": {"ghg.refrigerants": [a_factor("gwp.R410A", "1924")]}},
         {"factors": {"ghg.refrigerants": [a_factor("gwp.R410A", "2256")]}}, "bases_differ:gwp.R410A 1924 1 (a); 2256 1 (b)"),
        ("ghg.total", {"factors": {"ghg.total": [a_factor("grid.location", "0.5")]}},
         {"factors": {"ghg.total": [a_factor("grid.market", "0.5")]}}, "bases_differ:scope 2 location (a); market (b)"),
        ("energy.electricity", {"factors": {"energy.electricity": [a_factor("coal.electricity", "0.1229")]}},
         {"factors": {"energy.electricity": [a_factor("coal.electricity", "0.302")]}},
         "bases_differ:coal.electricity 0.1229 1 (a); 0.302 1 (b)"),
    ],
)  # fmt: skip
def test_different_bases_are_not_added_in_silence(id: str, one: dict, two: dict, reason: str) -> None:
    """Figures of other units, definitions, gases, potentials, methods or conventions are no sum: who has which is named."""
    sums = Sums([a_holding("a", "100", a_statement("a", {id: "3"}, "1", **one)),
                 a_holding("b", "100", a_statement("b", {id: "4"}, "1", **two))])  # fmt: skip
    line = _line(sums, id)
    assert (line.figure.value, line.figure.reason) == (None, reason)
    assert set(line.per.values()) <= {None}
    assert [term.value for term in line.figure.term.terms] == [3, 4]


def test_grids_of_plants_may_differ() -> None:
    """Each plant takes the factor of its own grid, which is no other basis."""
    sums = Sums([
        a_holding(id, "100", a_statement(id, {"ghg.total": "4"}, factors={"ghg.total": [a_factor("grid.location", value)]}))
        for id, value in (("a", "0.5227"), ("b", "0.2268"))
    ])  # fmt: skip
    assert sums.figure("ghg.total").value == 8
    assert [factor.value for factor in sums.factors] == [Decimal("0.2268"), Decimal("0.5227")]


def test_a_change_is_of_like_sums() -> None:
    """The change is of the two sums; where a plant lacks in one of them there is none, and it says which."""
    now = _sums(("a", "60", {POWER: "100"}), ("b", "30", {POWER: "200"}))
    line = _line(now, POWER, _sums(("a", "50", {POWER: "100"}), ("b", "25", {POWER: "200"})))
    assert line.change == Decimal("0.2")
    line = _line(now, POWER, _sums(("a", "50", {POWER: "100"}), ("b", "25", None)))
    assert (line.figure.value, line.change) == (120, None)
    assert "change_unlike:b" in line.figure.notes


def test_notices_of_the_whole_report() -> None:
    """Missing plants, drafts and shares that moved, plants that came among them, stand at the top."""
    now = Sums([a_holding("a", "60", a_statement("a", {POWER: "1"}, published=None)), a_holding("b", "30", None)])
    before = Sums([a_holding("a", "51.5", a_statement("a", {POWER: "1"}))])
    found = annual(a_group([]), "2020", now, "2019", before)
    assert found.notes == ("group_missing:b", "group_provisional:a", "group_shares:a 51.5 % → 60 %, b – → 30 %")


def test_a_target_is_not_met_by_plants_that_lack() -> None:
    """A maximum that the rest has passed is missed; one it has not passed is not met while a plant is missing."""

    def target(most: str) -> tuple[TargetRule, ...]:
        return (TargetRule(POWER, None, None, None, Decimal(most), None, 2020),)

    whole = _sums(("a", "100", {POWER: "100"}))
    lacking = _sums(("a", "100", {POWER: "100"}), ("b", "100", None))
    assert [_line(whole, POWER, None, target(most)).targets[0].is_met for most in ("100", "99")] == [True, False]
    assert [_line(lacking, POWER, None, target(most)).targets[0].is_met for most in ("100", "99")] == [None, False]


def test_months_add_up() -> None:
    """The months of a sum are the sums of the plants' months."""
    figure = _sums(("a", "60", {POWER: "80"}), ("b", "50", {POWER: "16"})).figure(POWER)
    assert figure.months == (7,) * 8


def test_products_stand_where_the_catalogue_has_them() -> None:
    """A family's metrics stand in the catalogue's place, own ones last; a plant that has no such metric is named."""
    sums = _sums(("a", "100", {"own.x": "1", POWER: "1"}), ("b", "100", {"production.bus": "3", POWER: "1"}))
    assert list(sums.metrics) == ["production.bus", POWER, "own.x"]
    assert sums.figure("production.bus").notes == ("plants_without:a",)
