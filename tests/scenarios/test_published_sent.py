"""This module holds what an InfluxDB gets of published figures: every figure and intensity, and what replaced them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from esg_store import EsgStore

from plantmon.esg.figures import Figures
from plantmon.esg.freeze import publish, restate
from plantmon.esg.sent import SentAgain, rows_of, versions
from plantmon.model.metric import SentMetric
from plantmon.store import blobs, spool
from plantmon.store.spool import What

PLANT = """
meters:
  E-MAIN: {quantity: electricity, unit: kWh, role: purchased, interval: 15min}
  LINE-1: {quantity: production, product: vehicle, unit: pcs, role: output, interval: 5min}
esg: {denominators: {vehicle: {quantity: production, product: vehicle}}}
"""
NEW_YEAR = 1_577_808_000_000  # 2020-01-01 in Shanghai is 2019-12-31T16:00Z

Key = tuple[str, str]


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[EsgStore]:
    """Give a plant with a year of power and vehicles, which spools."""
    store = EsgStore(tmp_path, PLANT)
    store.write(lambda c: spool.set_limit(c, 10_000_000))
    store.count("E-MAIN", 1000)
    store.count("LINE-1", 10)
    yield store
    store.close()


def spooled(plant: EsgStore) -> list[SentMetric]:
    """Give the metrics that wait and their factors, oldest first."""
    found = plant.read(lambda c: spool.waiting(c, 0, 10**9))
    return [SentMetric(*row) for blob in found if blob.kind is What.METRIC for row in blobs.unpack_rows(blob.data)]


def by_series(rows: list[SentMetric]) -> dict[Key, SentMetric]:
    """Give rows by metric and denominator, of which each is there once; factors are left out."""
    metrics = [row for row in rows if not row.factor]
    found = {(row.metric, row.denominator): row for row in metrics}
    assert len(found) == len(metrics)
    return found


def publishes(plant: EsgStore, period: str = "2020") -> None:
    """Publish a period."""
    plant.write(lambda c: publish(c, plant.plant, plant.numbers, period, "li", plant.now_ms))


def test_figures_and_intensities_are_sent(plant: EsgStore) -> None:
    """A published year is a point a figure and one an intensity, at its start, with how much of it is measured."""
    publishes(plant)
    found = by_series(spooled(plant))
    assert {(row.start_ms, row.period, row.version, row.provisional) for row in found.values()} == {
        (NEW_YEAR, "2020", 1, False)
    }
    power, per_vehicle = found["electricity.purchased", ""], found["electricity.purchased", "vehicle"]
    assert (power.value, power.unit, power.measured, power.missing) == (1000.0, "kWh", 1.0, 0.0)
    assert (per_vehicle.value, per_vehicle.unit) == (100.0, "kWh/pcs")
    assert (found["denominator.vehicle", ""].value, found["denominator.vehicle", ""].unit) == (10.0, "pcs")
    assert ("denominator.vehicle", "vehicle") not in found


def test_what_is_not_known_is_no_zero(plant: EsgStore) -> None:
    """A figure nobody measured is sent as not known, its intensity too."""
    publishes(plant)
    found = by_series(spooled(plant))
    for denominator in ("", "vehicle"):
        diesel = found["diesel", denominator]
        assert (diesel.value, diesel.missing) == (None, 1.0)


def test_a_restatement_takes_the_same_places(plant: EsgStore) -> None:
    """A restated year has the same series and time, the new values and the next version."""
    publishes(plant)
    before = spooled(plant)
    plant.line("2020", "diesel", "120", "L")
    plant.write(lambda c: restate(c, plant.plant, plant.numbers, "2020", "a bill", "li", plant.now_ms + 1))
    after = spooled(plant)[len(before) :]
    assert set(by_series(after)) == set(by_series(before))
    assert {(row.start_ms, row.period, row.version) for row in after} == {(NEW_YEAR, "2020", 2)}
    assert by_series(after)["diesel", ""].value == 120.0
    assert by_series(after)["diesel", "vehicle"].value == 12.0


def test_what_a_restatement_lacks_is_not_known_any_more(plant: EsgStore) -> None:
    """A figure only an older publication has, and one whose unit changed, stand as not known under their old series."""
    publishes(plant)
    [first] = plant.read(lambda c: versions(c, "2020"))
    power = first.figures["electricity.purchased"]
    megawatts = replace(power, metric=replace(power.metric, unit="MWh"), value=Decimal(1))
    figures = {id: one for id, one in first.figures.items() if id != "diesel"}
    second = replace(first, figures={**figures, "electricity.purchased": megawatts})
    rows = {(row.metric, row.denominator, row.unit): row for row in rows_of([first, second])}
    assert {row.version for row in rows.values()} == {2}
    assert rows["electricity.purchased", "", "MWh"].value == 1.0
    for gone in (("electricity.purchased", "", "kWh"), ("electricity.purchased", "vehicle", "kWh/pcs")):
        assert (rows[gone].value, rows[gone].missing, rows[gone].measured) == (None, 1.0, 0.0)
    assert rows["diesel", "", "L"].value is None


def test_notes_are_told(plant: EsgStore) -> None:
    """A provisional figure and one that is a lower bound say so; an intensity is provisional with its denominator."""
    publishes(plant)
    [made] = plant.read(lambda c: versions(c, "2020"))

    def noted(id: str, note: str) -> dict[Key, SentMetric]:
        figure = replace(made.figures[id], notes=(note,))
        changed: Figures = replace(made, figures={**made.figures, id: figure})
        return by_series(rows_of([changed]))

    rows = noted("denominator.vehicle", "provisional")
    assert rows["electricity.purchased", "vehicle"].provisional
    assert not rows["electricity.purchased", ""].provisional
    rows = noted("electricity.purchased", "at_least")
    assert [rows["electricity.purchased", per].at_least for per in ("", "vehicle")] == [True, True]


def test_published_periods_come_again(plant: EsgStore) -> None:
    """A span gives every period that begins in it, one at a time, as it was sent first; nothing else."""
    for period in ("2020", "2020-Q1", "2020-02"):
        publishes(plant, period)
    again, first = SentAgain(plant.plant.time), spooled(plant)
    found, names, after = [], [], ""
    while True:
        rows, name = plant.read(lambda c, after=after: again(c, NEW_YEAR, NEW_YEAR + 1, after))  # type: ignore[misc]
        if name is None:
            break
        found += rows
        names.append(name)
        after = name
    assert names == ["2020", "2020-Q1"]
    assert sorted(found, key=repr) == sorted((row for row in first if row.period != "2020-02"), key=repr)


def test_nothing_is_made_where_nothing_is_spooled(plant: EsgStore) -> None:
    """A plant without an InfluxDB publishes as before and spools nothing."""
    plant.write(lambda c: spool.set_limit(c, 0))
    publishes(plant)
    assert spooled(plant) == []


def test_factors_are_sent_beside_their_metric(plant: EsgStore) -> None:
    """1000 kWh times 0.1229 kgce/kWh are 122.9 kgce: the factor goes out with the metric."""
    publishes(plant)
    found = {(row.metric, row.factor): row for row in spooled(plant) if row.factor}
    row = found["energy.electricity", "coal.electricity"]
    assert (row.value, row.digits, row.unit, row.own, row.denominator) == (0.1229, "0.1229", "kgce/kWh", False, "")
    digits = by_series(spooled(plant))["energy.electricity", ""].digits
    assert digits is not None
    assert Decimal(digits) == Decimal("0.1229")
