"""This module holds the annual figures: from windows, amounts and ledger lines to tables, worked out by hand beside."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from esg_store import EsgStore, line_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plantmon.model.metric import Annual, Term, TermKind

PLANT = """
meters:
  E-MAIN: {quantity: electricity, unit: kWh, role: purchased, interval: 15min}
  E-PAINT: {quantity: electricity, unit: kWh, role: sub, parent: E-MAIN, interval: 15min}
  W-MAIN: {quantity: water, unit: m3, role: purchased, interval: 15min}
  G-MAIN: {quantity: natural_gas, unit: m3, state: 0degC, role: purchased, interval: 15min}
  LINE-1: {quantity: production, product: vehicle, unit: pcs, role: output, interval: 5min}
esg:
  denominators: {vehicle: {quantity: production, product: vehicle}, output: {ledger: output_value, unit: 10k CNY}}
  targets: [{metric: electricity.purchased, per: vehicle, max: 800 kWh, year: 2020}]
"""


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[EsgStore]:
    """Give an empty store of the truck plant."""
    store = EsgStore(tmp_path, PLANT)
    yield store
    store.close()


@pytest.fixture
def truck(plant: EsgStore) -> EsgStore:
    """Give the truck plant with the totals it published."""
    plant.count("E-MAIN", 39_525_934)
    plant.count("E-PAINT", 9_000_000)
    plant.count("W-MAIN", 693_180)
    plant.count("G-MAIN", 5_035_480)
    plant.count("LINE-1", 48_500)
    plant.line("2020", "diesel", "1389259", "L")
    plant.line("2020", "gasoline", "86964.15", "L")
    plant.line("2020", "waste.hazardous", "719.72", "t")
    return plant


def value(report: Annual, id: str) -> Decimal | None:
    """Give a metric's figure."""
    return line_of(report, id).figure.value


@pytest.mark.parametrize(
    ("id", "total", "per_vehicle", "digits"),
    [
        ("electricity.purchased", "39525934", "814.97", "0.01"),
        ("water.purchased", "693180", "14.29", "0.01"),
        ("natural_gas", "5035480", "103.82", "0.01"),
        ("gasoline", "86964.15", "1.79", "0.01"),
        ("diesel", "1389259", "28.64", "0.01"),
        ("waste.hazardous", "719.72", "0.0148", "0.0001"),
    ],
)
def test_published_table(truck: EsgStore, id: str, total: str, per_vehicle: str, digits: str) -> None:
    """Totals and intensities are those the plant printed."""
    line = line_of(truck.annual(), id)
    assert line.figure.value == Decimal(total)
    intensity = line.per["vehicle"]
    assert intensity is not None
    assert intensity.quantize(Decimal(digits)) == Decimal(per_vehicle)
    assert line.per["output"] is None


def test_published_scope_1(truck: EsgStore) -> None:
    """Scope 1 is within 0.2 % of what the plant printed, and exactly the hand's sum of the table's factors."""
    report = truck.annual()
    by_hand = (
        Decimal("503.548") * Decimal("21.6219")
        + Decimal("1389.259") * Decimal("0.84") * Decimal("3.09591")
        + Decimal("86.96415") * Decimal("0.73") * Decimal("2.92506")
    )
    found = line_of(report, "ghg.scope1").figure
    assert found.value == by_hand
    assert abs(by_hand / Decimal("14705.68") - 1) < Decimal("0.002")
    assert "co2_only" in found.notes
    assert {"fuel.diesel.density", "fuel.natural_gas.co2"} <= {one.id for one in report.factors}
    assert "fuel.kerosene.co2" not in {one.id for one in report.factors}


def test_a_target(truck: EsgStore) -> None:
    """814.97 kWh a vehicle miss a target of 800."""
    (check,) = line_of(truck.annual(), "electricity.purchased").targets
    assert (check.per, check.maximum, check.is_met) == ("vehicle", Decimal(800), False)


def test_no_grid_factor_of_the_year(truck: EsgStore) -> None:
    """2020 has no grid factor of its own: scope 2 is missing and says why, the total is the rest with its coverage."""
    report = truck.annual()
    scope2 = line_of(report, "ghg.scope2.location").figure
    assert scope2.value is None
    assert scope2.reason is not None
    assert scope2.reason.startswith("no_factor:")
    whole = line_of(report, "ghg.total").figure
    assert whole.value == value(report, "ghg.scope1")
    assert whole.coverage.missing == 0.5


def test_energy(truck: EsgStore) -> None:
    """Standard coal, megajoules and HKEX's thousand kilowatt hours are the hand's; shares add up to 100 %."""
    report = truck.annual()
    diesel_kg, gasoline_kg = Decimal(1389259) * Decimal("0.84"), Decimal("86964.15") * Decimal("0.73")
    coal = (
        Decimal(39525934) * Decimal("0.1229") + Decimal(5035480) * Decimal("1.33") + diesel_kg * Decimal("1.4571")
        + gasoline_kg * Decimal("1.4714")
    ) / 1000  # fmt: skip
    assert value(report, "energy.total") == coal
    shares = [
        line.figure.value for line in report.lines
        if line.figure.metric.id.startswith("energy.share.") and line.figure.value is not None
    ]  # fmt: skip
    assert len(shares) == 4
    assert abs(sum(shares) - 100) < Decimal("1e-20")
    heat = (
        Decimal(39525934) * Decimal("3.6") + Decimal("503.548") * Decimal(389310)
        + diesel_kg / 1000 * Decimal(42652) + gasoline_kg / 1000 * Decimal(43070)
    )  # fmt: skip
    assert value(report, "energy.mj") == heat
    thousand_kwh = value(report, "energy.kwh")
    assert thousand_kwh is not None
    assert abs(thousand_kwh - heat / 3600) < Decimal("1e-15")


def test_own_grid_factor_and_green_power(tmp_path: Path) -> None:
    """A plant's own factors count for its year and are named; green power lowers the market-based figure alone."""
    text = PLANT.replace("esg:\n", "esg:\n  factors:\n"
        "    grid.location: {value: 0.6, unit: kgCO2/kWh, source: the supplier}\n"
        "    grid.market: {value: 0.7, unit: kgCO2/kWh, source: the supplier}\n")  # fmt: skip
    plant = EsgStore(tmp_path, text)
    plant.count("E-MAIN", 1_000_000)
    plant.line("2020", "green_power", "400000", "kWh")
    report = plant.annual()
    assert value(report, "ghg.scope2.location") == 600
    assert value(report, "ghg.scope2.market") == 420
    assert value(report, "ghg.avoided.green") == 280
    assert "own_factor:grid.location" in line_of(report, "ghg.scope2.location").figure.notes
    (own,) = [one for one in report.factors if one.id == "grid.location"]
    assert (own.is_own, own.value, own.source) == (True, Decimal("0.6"), "the supplier")
    plant.close()


def test_gas_at_20_degrees(tmp_path: Path) -> None:
    """A meter that counts at 20 degC is brought to 0 degC; one that counts at 0 degC beside it is added as it is."""
    text = """
meters:
  G1: {quantity: natural_gas, unit: m3, state: 20degC, role: purchased, interval: 15min}
  G2: {quantity: natural_gas, unit: m3, role: purchased, interval: 15min}
"""
    plant = EsgStore(tmp_path, text)
    plant.count("G1", 29_315)
    plant.count("G2", 100)
    found = value(plant.annual(), "natural_gas")
    assert found is not None
    assert abs(found - (27_315 + 100)) < Decimal("1e-18")
    plant.close()


def test_sub_meters_count_once(tmp_path: Path) -> None:
    """A purchased meter below another purchased one, even through a sub-meter, is part of it."""
    text = """
meters:
  A: {quantity: water, unit: m3, role: purchased, interval: 15min}
  B: {quantity: water, unit: m3, role: sub, parent: A, interval: 15min}
  C: {quantity: water, unit: m3, role: purchased, parent: B, interval: 15min}
  D: {quantity: water, unit: L, role: purchased, interval: 15min}
"""
    plant = EsgStore(tmp_path, text)
    for meter, units in (("A", 50), ("B", 20), ("C", 10), ("D", 3000)):
        plant.count(meter, units)
    assert value(plant.annual(), "water.purchased") == 53
    plant.close()


def test_not_measured_is_never_zero(plant: EsgStore) -> None:
    """An empty store has no figures: each is unknown with its reason, and nothing is covered."""
    for line in plant.annual().lines:
        assert line.figure.value is None, line.figure.metric.id
        assert line.figure.reason, line.figure.metric.id
        assert line.figure.coverage.missing == 1.0


def test_coverage_of_a_gap(plant: EsgStore) -> None:
    """A meter that was read in 183 of 366 days covers half of the year, and the sum is of what is known."""
    plant.count("E-MAIN", 1000, "2020-01-01", "2020-07-02")
    figure = line_of(plant.annual(), "electricity.purchased").figure
    assert figure.value == 1000
    assert (figure.coverage.measured, figure.coverage.missing) == (0.5, 0.5)
    assert figure.months[7:] == (None,) * 5


def test_a_running_year(plant: EsgStore) -> None:
    """A year that goes on says so, and what has not passed is not missing."""
    plant.count("E-MAIN", 91, "2020-01-01", "2020-04-01")
    report = plant.annual(now="2020-04-01T12:00")
    figure = line_of(report, "electricity.purchased").figure
    assert figure.coverage.measured == 1.0
    assert "running" in figure.notes
    assert "running" in report.notes


def test_ledger_lines_that_stick_out(plant: EsgStore) -> None:
    """A quarter's line counts in the year and its quarter, in no month; a month's report names it, no more."""
    plant.line("2020-Q1", "diesel", "300", "L")
    plant.line("2020-05", "diesel", "50", "L")
    year = line_of(plant.annual(), "diesel").figure
    assert year.value == 350
    assert year.months == (None, None, None, None, Decimal(50), *(None,) * 7)
    assert value(plant.annual("2020-Q1"), "diesel") == 300
    plant.line("2020-02-14", "gasoline", "7", "L")
    plant.line("2020", "gasoline", "90", "L")  # an import would refuse it: it counts twice
    quarter = line_of(plant.annual("2020-Q1"), "gasoline").figure
    assert (quarter.value, quarter.notes) == (Decimal(7), ("ledger_outside:gasoline 2020",))
    march = line_of(plant.annual("2020-03"), "diesel").figure
    assert (march.value, march.reason) == (None, "ledger_outside:diesel 2020-Q1")


def test_ledger_coverage(plant: EsgStore) -> None:
    """Four of twelve months with lines are a third; a part the plant never had is not missing from a sum."""
    for month in ("01", "02", "03", "04"):
        plant.line(f"2020-{month}", "diesel", "10", "L")
    report = plant.annual()
    assert line_of(report, "diesel").figure.coverage.ledger == pytest.approx(4 / 12)
    assert line_of(report, "ghg.scope1").figure.coverage.missing == pytest.approx((8 / 12 + 1) / 2)


def test_fuel_in_tonnes(plant: EsgStore) -> None:
    """Diesel bought by weight goes through its density to litres, and from there to the CO2 of its weight."""
    plant.line("2020", "diesel", "84", "t")
    report = plant.annual()
    assert value(report, "diesel") == 100_000
    carbon = value(report, "ghg.diesel")
    assert carbon is not None
    assert abs(carbon - Decimal(84) * Decimal("3.09591")) < Decimal("1e-20")


def test_refrigerants_and_processes(plant: EsgStore) -> None:
    """What was topped up counts with its potential (AR6), shielding gas as it is, acetylene as 88 g of CO2 for 26 g."""
    plant.line("2020-06-01", "refrigerant.HFC-134a", "12", "kg")
    plant.line("2020-07-01", "refrigerant.R410A", "2", "kg")
    plant.line("2020", "welding_co2", "5000", "kg")
    plant.line("2020", "acetylene", "26", "kg")
    report = plant.annual()
    assert value(report, "ghg.refrigerants") == Decimal("0.012") * 1530 + Decimal("0.002") * Decimal("2255.5")
    assert value(report, "ghg.welding_co2") == 5
    acetylene = value(report, "ghg.acetylene")
    assert acetylene is not None
    assert abs(acetylene - Decimal("0.088")) < Decimal("1e-20")
    plant.line("2020-08-01", "refrigerant.R999", "1", "kg")
    report = plant.annual()
    partly = line_of(report, "ghg.refrigerants").figure
    assert partly.value == Decimal("22.871")
    assert partly.coverage.missing == pytest.approx(1 / 3)


def test_methane_and_nitrous_oxide_on_request(tmp_path: Path) -> None:
    """With ch4_n2o gas counts 1 kg CH4 and 0.1 kg N2O a TJ beside its CO2, with the potentials of AR5 where asked."""
    plant = EsgStore(tmp_path, PLANT.replace("esg:\n", "esg:\n  ch4_n2o: true\n  gwp: AR5\n"))
    plant.count("G-MAIN", 10_000)
    terajoule = Decimal("0.38931")
    by_hand = Decimal("21.6219") + terajoule * (28 + Decimal("0.1") * 265) / 1000
    report = plant.annual()
    assert value(report, "ghg.natural_gas") == by_hand
    assert "co2_only" not in line_of(report, "ghg.natural_gas").figure.notes
    plant.close()


def test_counter_and_ledger_production(plant: EsgStore) -> None:
    """The counter counts; a ledger that says otherwise is a note. Without a counter's data the ledger counts."""
    plant.line("2020", "production.vehicle", "48600", "pcs")
    report = plant.annual()
    assert report.denominators[0].value == 48_600
    plant.count("LINE-1", 48_500)
    report = plant.annual()
    assert report.denominators[0].value == 48_500
    assert report.notes == ("denominator_differs:vehicle 48600 pcs",)
    assert value(report, "production.vehicle") == 48_500


def test_previous_year(plant: EsgStore) -> None:
    """A year stands beside the one before with its own denominator; the change is a share of the earlier one."""
    plant.count("E-MAIN", 900, "2020-01-01", "2021-01-01")
    plant.count("LINE-1", 10, "2020-01-01", "2021-01-01")
    plant.count("E-MAIN", 1000, "2019-01-01", "2020-01-01")
    plant.count("LINE-1", 8, "2019-01-01", "2020-01-01")
    line = line_of(plant.annual(previous="2019"), "electricity.purchased")
    assert line.previous is not None
    assert (line.previous.value, line.change) == (Decimal(1000), Decimal("-0.1"))
    assert (line.per["vehicle"], line.previous_per["vehicle"]) == (Decimal(90), Decimal(125))


def test_own_metric(tmp_path: Path) -> None:
    """A plant's own metric stands in the report, derived in the catalogue's language."""
    text = PLANT.replace("esg:\n", "esg:\n  metrics:\n"
        "    own.paint_share: {name: share of the paint shop, unit: '%',"
        " derive: meter('E-PAINT') / metric(electricity.purchased)}\n")  # fmt: skip
    plant = EsgStore(tmp_path, text)
    plant.count("E-MAIN", 400)
    plant.count("E-PAINT", 100)
    line = line_of(plant.annual(), "own.paint_share")
    assert (line.figure.value, line.figure.metric.source) == (Decimal(25), "plant file")
    plant.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(0, 10**13), min_size=366, max_size=366))
def test_months_make_the_year(plant: EsgStore, amounts: list[int]) -> None:
    """Months add up to the year exactly, of a meter and of what is derived from it; quarters too."""
    plant.count_days("E-MAIN", amounts, "2020-01-01")
    report = plant.annual()
    for id in ("electricity.purchased", "energy.electricity", "energy.total", "energy.mj"):
        figure = line_of(report, id).figure
        assert figure.value == sum(month for month in figure.months if month is not None)
    assert value(report, "electricity.purchased") == Decimal(sum(amounts)) / 10**6
    quarters = [value(plant.annual(f"2020-Q{number}"), "electricity.purchased") for number in (1, 2, 3, 4)]
    assert sum(one for one in quarters if one is not None) == value(report, "electricity.purchased")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gas=st.integers(0, 10**8),
    power=st.integers(0, 10**9),
    diesel=st.decimals(min_value=0, max_value=10**7, places=3),
    gasoline=st.decimals(min_value=0, max_value=10**7, places=3),
)
def test_terms_make_the_figure(plant: EsgStore, gas: int, power: int, diesel: Decimal, gasoline: Decimal) -> None:
    """Every sum of a derivation is that of its terms, down to the leaves, each in its own unit."""
    plant.count("G-MAIN", gas)
    plant.count("E-MAIN", power)
    for item, litres in (("diesel", diesel), ("gasoline", gasoline)):
        plant.line("2020", item, str(litres), "L")
    for line in plant.annual().lines:
        _check(line.figure.term)


def _check(term: Term) -> None:
    if term.kind is TermKind.SUM and term.value is not None and {part.unit for part in term.terms} == {term.unit}:
        assert term.value == sum(part.value for part in term.terms if part.value is not None)
    for part in term.terms:
        _check(part)
