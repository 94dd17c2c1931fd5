"""This module proves that the simulated plant is a pure function of time that complies with its permit."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from simulators.plant import COUNTER, SimulatedPlant
from simulators.plantfile import plant_file

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def at_ms(text: str) -> int:
    """Read a local time."""
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


MONDAY = at_ms("2026-03-02T00:00")
SUNDAY = at_ms("2026-03-01T00:00")
PLANT = SimulatedPlant()
METERS = [point.id for point in PLANT.points() if point.kind == COUNTER]


def test_same_seed_gives_same_readings() -> None:
    """Two plants of one seed say the same, reading by reading."""
    span = MONDAY + 7 * HOUR_MS, MONDAY + 7 * HOUR_MS + 120_000
    assert list(SimulatedPlant(seed=7).readings(*span)) == list(SimulatedPlant(seed=7).readings(*span))


def test_other_seed_gives_other_readings() -> None:
    """Another seed is another plant."""
    span = MONDAY + 7 * HOUR_MS, MONDAY + 7 * HOUR_MS + 120_000
    assert list(SimulatedPlant(seed=7).readings(*span)) != list(SimulatedPlant(seed=8).readings(*span))


@pytest.mark.parametrize("point", [point.id for point in PLANT.points()])
def test_a_part_of_a_span_is_the_same_alone(point: str) -> None:
    """A slice asked for alone equals that slice of a longer span, for every kind of point."""
    whole_ts, whole = PLANT.series(point, MONDAY, MONDAY + DAY_MS)
    part_ts, part = PLANT.series(point, MONDAY + 5 * HOUR_MS, MONDAY + 9 * HOUR_MS)
    chosen = (whole_ts >= MONDAY + 5 * HOUR_MS) & (whole_ts < MONDAY + 9 * HOUR_MS)
    assert np.array_equal(whole_ts[chosen], part_ts)
    assert np.array_equal(whole[chosen], part)


def test_readings_are_the_series_in_time_order() -> None:
    """The readings' iterator holds each point's series, and its times never fall."""
    span = MONDAY + 6 * HOUR_MS, MONDAY + 8 * HOUR_MS + 30_000
    readings = list(PLANT.readings(*span))
    assert all(before.ts_ms <= after.ts_ms for before, after in pairwise(readings))
    for point in PLANT.points():
        ts_ms, values = PLANT.series(point, *span)
        mine = [(one.ts_ms, one.value) for one in readings if one.point == point.id]
        assert mine == list(zip(ts_ms.tolist(), values.tolist(), strict=True))


def test_values_have_the_decimals_of_their_instrument() -> None:
    """A value written with its point's decimals is the value."""
    for reading in PLANT.readings(MONDAY + 8 * HOUR_MS, MONDAY + 8 * HOUR_MS + 60_000):
        assert float(f"{reading.value:.{PLANT.point(reading.point).decimals}f}") == reading.value


@pytest.mark.parametrize("meter", METERS)
def test_registers_never_fall(meter: str) -> None:
    """A meter's register never falls over three weeks, midnights and week-ends inside."""
    _, register = PLANT.series(meter, MONDAY, MONDAY + 21 * DAY_MS)
    assert np.all(np.diff(register) >= 0)


@given(at=st.integers(at_ms("2016-01-01T00:00"), at_ms("2045-01-01T00:00")), later=st.integers(1, 40 * DAY_MS))
@settings(max_examples=60, deadline=None)
def test_registers_never_fall_anywhere(at: int, later: int) -> None:
    """Of any two instants of thirty years the later has no lower register."""
    for meter in METERS:
        assert PLANT.value(meter, at) <= PLANT.value(meter, at + later)


@given(day=st.integers(0, 3000))
@settings(max_examples=40, deadline=None)
def test_parents_count_at_least_their_children(day: int) -> None:
    """A main meter counts its sub-meter's amount and a small unexplained share, on any day."""
    start = at_ms("2018-01-01T00:00") + day * DAY_MS
    for parent, child in (("E-MAIN", "E-PAINT"), ("W-MAIN", "W-NORTH")):
        assert PLANT.true_total(parent, start, start + DAY_MS) > PLANT.true_total(child, start, start + DAY_MS)
    water = PLANT.true_total("W-MAIN", start, start + DAY_MS)
    assert 0.02 < 1 - PLANT.true_total("W-NORTH", start, start + DAY_MS) / water < 0.08


def test_totals_are_the_integral_of_the_load() -> None:
    """A day's true total equals the sum of its seconds, taken as differences of the register."""
    shown = PLANT.value("E-MAIN", MONDAY + DAY_MS) - PLANT.value("E-MAIN", MONDAY)
    assert shown == pytest.approx(PLANT.true_total("E-MAIN", MONDAY, MONDAY + DAY_MS), abs=0.11)
    parts = sum(
        PLANT.true_total("E-MAIN", MONDAY + hour * HOUR_MS, MONDAY + (hour + 1) * HOUR_MS) for hour in range(24)
    )
    assert parts == pytest.approx(PLANT.true_total("E-MAIN", MONDAY, MONDAY + DAY_MS), rel=1e-9)


def test_normal_operation_complies() -> None:
    """Over a working week no hour's NOx, NMHC, RTO temperature or sound level is near its limit while running."""
    week = MONDAY, MONDAY + 7 * DAY_MS
    _, oxygen = PLANT.series("DA001.o2", *week)
    _, nox = PLANT.series("DA001.nox", *week)
    burning = oxygen <= 18
    converted = nox[burning] * (21 - 3.5) / (21 - oxygen[burning])
    assert 30 < converted.mean() < 42
    assert converted.max() < 47
    _, flow = PLANT.series("DA002.flow", *week)
    _, chamber = PLANT.series("DA002.rto_temperature", *week)
    assert chamber[flow >= 5000].min() > 790
    _, nmhc = PLANT.series("DA002.nmhc", *week)
    assert nmhc.max() < 40
    ts_ms, level = PLANT.series("N1.leq", *week)
    hour = (ts_ms + 8 * HOUR_MS) % DAY_MS // HOUR_MS
    is_night = (hour >= 22) | (hour < 6)
    assert level[is_night].max() < 55
    assert level[~is_night].max() < 65


def test_sunday_is_rest() -> None:
    """On a Sunday the boiler shows air, the RTO stack no flow, the line no vehicle, the waste water no discharge."""
    noon = SUNDAY + 12 * HOUR_MS
    assert PLANT.value("DA001.o2", noon) > 20
    assert PLANT.value("DA002.flow", noon) < 100
    assert PLANT.value("DA002.rto_temperature", noon) < 300
    assert PLANT.value("DW001.flow", noon) == 0
    assert PLANT.true_total("LINE-1", SUNDAY, SUNDAY + DAY_MS) == 0


def test_phase_moves_readings_off_the_hour() -> None:
    """A phase shifts a point's readings within their interval."""
    moved = SimulatedPlant(phase_ms={"E-MAIN": 137_000})
    ts_ms, _ = moved.series("E-MAIN", MONDAY, MONDAY + HOUR_MS)
    assert [int(one - MONDAY) for one in ts_ms] == [137_000 + 900_000 * turn for turn in range(4)]


@pytest.mark.parametrize("size", [21, 22, 60, 300])
def test_plant_file_names_every_point(size: int) -> None:
    """The plant file of a plant of any size holds its points, with their units, and no others."""
    plant = SimulatedPlant(size=size)
    loaded = YAML(typ="safe").load(plant_file(plant))
    written = {f"{name}.{point}": spec["unit"] for name, outlet in loaded["outlets"].items()
               for point, spec in outlet["points"].items()}  # fmt: skip
    written |= {name: spec["unit"] for name, spec in loaded["meters"].items()}
    assert written == {point.id: point.unit for point in plant.points()}
    assert len(plant.points()) == size


def test_extra_meters_stay_below_their_parent() -> None:
    """All sub-meters of a large plant together count less than the main meter."""
    plant = SimulatedPlant(size=300)
    subs = [point.id for point in plant.points() if point.id.startswith("E-SUB")]
    total = sum(plant.true_total(meter, MONDAY, MONDAY + DAY_MS) for meter in [*subs, "E-PAINT"])
    assert 0.8 < total / plant.true_total("E-MAIN", MONDAY, MONDAY + DAY_MS) < 1
