"""This module holds two years of a truck plant, lived through a real broker and daemon, against the independent truth.

The totals of 2020 are those of a published environmental table; its intensities are expected as printed there. What is
not in that table comes from `simulators/year_truth.py`, in integers and fractions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from simulators.year import YearRun
from simulators.year_papers import ledger_rows
from simulators.year_plant import METERS, YEARS, Registers, YearMeter, YearPlant, at, months
from simulators.year_truth import YearTruth

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]  # the first test lives the years
LAST, BEFORE = 2020, 2019
MICRO = 1_000_000

# The published table of 2020: total, and per vehicle as it is printed.
PUBLISHED = {
    "electricity.purchased": ("39525934", "814.97"),
    "water.purchased": ("693180", "14.29"),
    "natural_gas": ("5035480", "103.82"),
    "gasoline": ("86964.15", "1.79"),
    "diesel": ("1389259", "28.64"),
    "waste.hazardous": ("719.72", "1.48×10⁻²"),
}
VEHICLES = 48_500
SCOPE_1_T = Decimal("14705.68")
# metric: the monitor, and whether hours below detection count as 0 in it
RELEASED = {
    "air.nox": "DA001.nox",
    "air.so2": "DA001.so2",
    "air.pm": "DA001.pm",
    "air.vocs": "DA002.nmhc",
    "water.cod": "DW001.cod",
    "water.ammonia_nitrogen": "DW001.nh3n",
    "water.tss": "DW001.tss",
}
HAPPENED = {
    "E-MAIN": ["roll_over"],
    "E-PAINT": ["reset"],
    "E-WELD": ["reset", "reset"],
    "G-MAIN": ["brief_zero"],
    "W-NORTH": ["changed"],
    "W-PAINT": ["slight_fall", "slight_fall"],
}


@pytest.fixture(scope="module")
def plant() -> YearPlant:
    """Give the simulated years."""
    return YearPlant()


@pytest.fixture(scope="module")
def truth(plant: YearPlant) -> YearTruth:
    """Give their right figures."""
    return YearTruth(plant)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YearRun]:
    """Live the years from an empty database and enter the ledger."""
    with YearRun(tmp_path_factory.mktemp("year")) as lived:
        lived.live()
        lived.enter_ledger()
        yield lived


@pytest.fixture(scope="module")
def report(run: YearRun) -> dict[str, Any]:
    """Give the annual report as the command writes it to standard output."""
    found = json.loads(run.report("--format", "json").stdout, parse_float=Decimal, parse_int=Decimal)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def metrics(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the report's metrics by their id."""
    return {one["id"]: one for one in report["metrics"]}


# What is simulated


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.id)
def test_hours_are_apportioned_without_a_rest(meter: YearMeter, plant: YearPlant, truth: YearTruth) -> None:
    """A simulated meter's hours are never negative and add up to what each of its spans is to count."""
    assert len(plant.ticks(meter)) == len(plant.hours)
    assert min(plant.ticks(meter)) >= 0
    for span in meter.spans:
        assert truth.counted(meter, at(span.start), at(span.end)) == Fraction(span.total)


def test_the_simulated_year_is_the_published_one(truth: YearTruth) -> None:
    """The truth of 2020 is the published table: meters and ledger alike."""
    assert truth.total("production", "output", LAST) == VEHICLES
    for metric, quantity in (("electricity.purchased", "electricity"), ("water.purchased", "water"),
                             ("natural_gas", "natural_gas")):  # fmt: skip
        assert truth.total(quantity, "purchased", LAST) == Fraction(PUBLISHED[metric][0])
    for item in ("gasoline", "diesel", "waste.hazardous"):
        assert truth.entered(item, LAST) == Fraction(PUBLISHED[item][0])


def test_registers_do_fall(plant: YearPlant) -> None:
    """The simulated registers fall as often as things befall them that make a register fall."""
    falls = {
        meter.id: sum(after < before for (_, before), (_, after) in pairwise(shown))
        for meter in METERS
        for shown in [Registers(plant).shown(meter)]
    }
    assert {name: count for name, count in falls.items() if count} == {
        name: len(kinds) for name, kinds in HAPPENED.items()
    }


# Meters


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.id)
@pytest.mark.parametrize("level", ["1h", "1d"])
def test_months_of_meters_are_true(meter: YearMeter, level: str, run: YearRun, truth: YearTruth) -> None:
    """Each month of each meter is true to the last digit of its register, by its hours and by its days."""
    wrong = []
    for name, start, end in months(BEFORE, LAST):
        counted = _amount(run, meter, level, start, end)
        if counted != truth.counted(meter, start, end):
            wrong.append((name, counted))
    assert wrong == []


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.id)
@pytest.mark.parametrize("year", YEARS)
def test_years_of_meters_are_true(meter: YearMeter, year: int, run: YearRun, truth: YearTruth) -> None:
    """Each year of each meter is true to the last digit of its register."""
    span = at(f"{year}-01-01"), at(f"{year + 1}-01-01")
    assert _amount(run, meter, "1d", *span) == truth.counted(meter, *span)


def test_the_report_lists_the_tree_of_meters(report: dict[str, Any], truth: YearTruth) -> None:
    """The report lists every meter that has a parent or parts, with its true total of both years."""
    below = {meter.id: meter.more.partition("parent: ")[2] for meter in METERS}
    listed = {one["id"]: one for one in report["meters"]}
    assert listed.keys() >= {name for name, parent in below.items() if parent} | set(below.values()) - {""}
    for meter in METERS:
        for key, year in (("value", LAST), ("previous", BEFORE)) if meter.id in listed else ():
            counted = truth.counted(meter, at(f"{year}-01-01"), at(f"{year + 1}-01-01"))
            assert Fraction(listed[meter.id][key]) == counted, meter.id


def test_every_happening_is_told(run: YearRun) -> None:
    """Resets, roll-over, brief zero, slight falls and the declared change stand in the record, and nothing else."""
    rows = run.service.query(
        "SELECT point.name, kind FROM meter_event JOIN point ON point.id = meter_event.point ORDER BY point.name, ts"
    )
    found: dict[str, list[str]] = {}
    for name, kind in rows:
        found.setdefault(name, []).append(kind)
    assert found == HAPPENED


def test_nothing_was_refused(run: YearRun) -> None:
    """Every reading published is stored, and none was refused."""
    assert run.service.stored() == sum(
        len(Registers(run.plant).shown(meter)) for meter in METERS
    ) + len(run.plant.hours) * 11  # fmt: skip
    assert run.service.count("rejected") == 0


# The annual report


def test_the_report_is_of_these_years(report: dict[str, Any]) -> None:
    """The report names the plant and the year, and counts what was made."""
    assert (report["plant"], report["year"]) == ("cq-truck", LAST)
    [vehicle] = [one for one in report["denominators"] if one["id"] == "vehicle"]
    assert (vehicle["value"], vehicle["previous"]) == (VEHICLES, 28_000 + 17_120)


@pytest.mark.parametrize("metric", PUBLISHED)
def test_published_totals(metric: str, metrics: dict[str, dict[str, Any]]) -> None:
    """The report's totals of 2020 are the published ones, digit for digit."""
    assert metrics[metric]["value"] == Decimal(PUBLISHED[metric][0])


@pytest.mark.parametrize("metric", PUBLISHED)
def test_published_intensities(metric: str, metrics: dict[str, dict[str, Any]]) -> None:
    """What the report gives per vehicle is the published total by the vehicles, in full."""
    exact = Fraction(PUBLISHED[metric][0]) / VEHICLES
    assert abs(Fraction(metrics[metric]["per"]["vehicle"]) - exact) <= exact / 10**20


def test_intensities_as_they_are_printed(run: YearRun) -> None:
    """The printed table shows the published intensities."""
    printed = run.report("--format", "table", "--lang", "en").stdout
    for total, intensity in PUBLISHED.values():
        [line] = [one for one in printed.splitlines() if f" {Decimal(total):,}" in one and f" {intensity} " in one]
        assert line


@pytest.mark.parametrize("metric", ["electricity.purchased", "water.purchased", "natural_gas", "electricity.generated"])
def test_the_year_before(metric: str, metrics: dict[str, dict[str, Any]], truth: YearTruth) -> None:
    """The year before stands beside, true to the last digit."""
    quantity, _, role = metric.partition(".")
    assert Fraction(metrics[metric]["previous"]) == truth.total(quantity, role or "purchased", BEFORE)


def test_months_of_the_report(metrics: dict[str, dict[str, Any]], truth: YearTruth) -> None:
    """The months of purchased electricity are those of both incomers, and add up to the year."""
    mains = [meter for meter in METERS if meter.quantity == "electricity" and "role: purchased" in meter.more]
    found = metrics["electricity.purchased"]["months"]
    for name, start, end in months(LAST, LAST):
        assert Fraction(found[name]) == sum(truth.counted(meter, start, end) for meter in mains)
    assert sum(found.values()) == metrics["electricity.purchased"]["value"]


@pytest.mark.parametrize("metric", RELEASED)
@pytest.mark.parametrize(("key", "year"), [("value", LAST), ("previous", BEFORE)])
def test_emissions_are_true(
    metric: str, key: str, year: int, metrics: dict[str, dict[str, Any]], truth: YearTruth
) -> None:
    """Tonnes of air and water pollutants are true to 1e-9, missing hours substituted, hours below detection at 0."""
    true_t = truth.released(RELEASED[metric], year, below_detection="zero") / 1000
    assert abs(Fraction(metrics[metric][key]) - true_t) <= true_t / 10**9


@pytest.mark.parametrize("metric", RELEASED)
def test_amounts_against_permits_keep_what_is_below_detection(metric: str, run: YearRun, truth: YearTruth) -> None:
    """The months that caps are held against are true to 1e-9, hours below detection as measured."""
    point = RELEASED[metric]
    for (name, start, end), true_kg in zip(months(LAST, LAST), truth.released_by_month(point, LAST), strict=True):
        [(kg,)] = run.service.query(
            """
            SELECT sum(measured_kg + substituted_kg) FROM emission_day JOIN point ON point.id = emission_day.point
            WHERE point.name = ? AND start >= ? AND start < ?
            """,
            (point, start, end),
        )
        assert kg == pytest.approx(float(true_kg), rel=1e-9), name


def test_hours_below_detection_are_named(metrics: dict[str, dict[str, Any]], truth: YearTruth) -> None:
    """Sulphur dioxide says how many hours lay below detection, as many as the truth has."""
    assert f"below_detection:{truth.below_detection('DA001.so2', LAST)}" in metrics["air.so2"]["notes"]


def test_what_was_substituted_is_said(metrics: dict[str, dict[str, Any]], truth: YearTruth) -> None:
    """The share of running time that another hour stands in for is the true one, the rest is measured."""
    coverage = metrics["air.nox"]["coverage"]
    missing, ran = truth.substituted("DA001.nox", LAST)
    assert missing == 13
    assert float(coverage["substituted"]) == pytest.approx(missing / ran, rel=1e-9)
    assert float(coverage["measured"]) == pytest.approx(1 - missing / ran, rel=1e-9)


def test_waste_water_is_true(metrics: dict[str, dict[str, Any]], truth: YearTruth) -> None:
    """The discharge is the sum of the hours' flow."""
    for key, year in (("value", LAST), ("previous", BEFORE)):
        assert abs(Fraction(metrics["waste_water"][key]) - truth.discharged(year)) <= truth.discharged(year) / 10**9


def test_scope_1_of_the_published_report(metrics: dict[str, dict[str, Any]]) -> None:
    """Scope 1 lies within 0.2 % of the published figure."""
    assert abs(metrics["ghg.scope1"]["value"] / SCOPE_1_T - 1) < Decimal("0.002")


def test_ledger_items_are_reported(metrics: dict[str, dict[str, Any]], truth: YearTruth) -> None:
    """What only the ledger knows is reported as it was entered, for both years."""
    items = {row[1] for row in ledger_rows()} & metrics.keys() - {"production.vehicle"}
    assert len(items) >= 14
    for item in items:
        for key, year in (("value", LAST), ("previous", BEFORE)):
            assert Fraction(metrics[item][key]) == truth.entered(item, year), item


def test_nothing_known_is_null(metrics: dict[str, dict[str, Any]]) -> None:
    """What is neither metered nor entered is null with a reason, never 0."""
    for metric in ("kerosene", "heat.purchased", "electricity.green"):
        assert metrics[metric]["value"] is None
        assert metrics[metric]["reason"]


def test_parts_never_exceed_their_meter(run: YearRun) -> None:
    """Each month the meters below a meter count less than it, and the rest is what is unexplained."""
    parents = {meter.id: meter for meter in METERS}
    for name, start, end in months(YEARS[0], YEARS[-1]):
        below: dict[str, Fraction] = {}
        for meter in METERS:
            _, has_parent, parent = meter.more.partition("parent: ")
            if has_parent:
                below[parent] = below.get(parent, Fraction(0)) + _amount(run, meter, "1d", start, end)
        for parent, amount in below.items():
            assert amount <= _amount(run, parents[parent], "1d", start, end), (name, parent)


def _amount(run: YearRun, meter: YearMeter, level: str, start_ms: int, end_ms: int) -> Fraction:
    """Add up a meter's windows of a span, in its unit."""
    [(amount,)] = run.service.query(
        """
        SELECT sum(amount) FROM window WHERE level = ? AND start >= ? AND start < ?
        AND point = (SELECT id FROM point WHERE name = ?)
        """,
        (level, start_ms, end_ms, meter.id),
    )
    return Fraction(amount, MICRO)
