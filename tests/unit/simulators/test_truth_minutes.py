"""This module proves the reference minutes, the running mask and the conversions against hand arithmetic."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest

from simulators import truth, truth_minutes
from simulators.faults import Delivery, Flagged, OverRange, Silent, deliveries
from simulators.plant import SimulatedPlant
from simulators.truth_declared import Mark
from simulators.truth_minutes import EMPTY, Minute

PLANT = SimulatedPlant(seed=3)
START = truth.day_edges(date(2026, 3, 2))[0] + 8 * 3_600_000
END = START + 2 * 3_600_000
MINUTE = 60_000


@pytest.mark.parametrize("point", ["DA001.nox", "N1.leq", "DW001.ph"])
def test_minutes_are_those_of_the_exact_fractions(point: str) -> None:
    """Two hours with over-range, flagged and missing readings give the minutes that exact fractions give."""
    faults = [
        OverRange(point, START + 5 * MINUTE, START + 9 * MINUTE),
        Flagged(point, START + 20 * MINUTE, START + 25 * MINUTE, "M"),
        Silent(point, START + 40 * MINUTE, START + 45 * MINUTE),
    ]
    sent = truth.accepted(deliveries(PLANT, START, END, faults, [point]), point)
    found = truth_minutes.minutes_of(PLANT.point(point), sent, START, END)
    exact = truth_minutes.minutes_from(truth.minutes(PLANT.point(point), sent, START, END))
    assert len(found) == len(exact) == 120
    for one, true in zip(found, exact, strict=True):
        for value, right in ((one.mean, true.mean), (one.bound, true.bound), (one.had, true.had)):
            assert value == (None if right is None else pytest.approx(right, rel=1e-14))
    assert sum(one.bound is not None for one in found) == 4
    assert sum(one is EMPTY for one in found) == 5


def test_minute_with_valid_and_over_range_readings_has_both() -> None:
    """10 and 2500 in a range to 2000: the mean is 10, the bound the mean of 10 and 2000."""
    point = replace(PLANT.point("DA001.nox"), interval_ms=30_000)
    sent = [Delivery(0, START, point.id, 10.0, "N"), Delivery(0, START + 30_000, point.id, 2500.0, "N")]
    assert truth_minutes.minutes_of(point, sent, START, START + MINUTE) == [Minute(10.0, 1005.0, 2)]


def test_running_minutes_know_bounds_unknown_and_marks() -> None:
    """Within inclusive bounds and unknown is running; a minute that begins in a stopped span is not."""
    oxygen = [Minute(19.0, None, 1), Minute(19.1, None, 1), EMPTY, Minute(3.5, None, 1), EMPTY]
    marks = [Mark("DA001", START + 3 * MINUTE, START + 5 * MINUTE, "stopped"), Mark("DA002", START, END, "stopped")]
    found = truth_minutes.running_minutes(START, 5, "DA001", marks, oxygen, maximum=19.0)
    assert found == [True, False, True, False, False]
    assert truth_minutes.running_minutes(START, 2, "DA001") == [True, True]


def test_ppm_follow_the_molar_masses() -> None:
    """1 ppm is M / 22.4 mg/m3, NOx as NO2."""
    masses = {"nox": 46, "no2": 46, "no": 30, "so2": 64, "co": 28}
    found = {name: truth_minutes.mg_m3_of_ppm(22.4, name) for name in masses}
    assert found == pytest.approx(masses, rel=1e-15)


def test_flow_is_brought_to_dry_standard_state() -> None:
    """100000 m3/h at 120 degC, -2.5 kPa in a duct under 98.5 kPa with 8 % moisture are 60559.9 m3/h."""
    by_hand = 100_000 * (273.15 / 393.15) * (96 / 101.325) * 0.92
    assert truth_minutes.standard_flow(100_000, 120, -2.5, 98.5, 8) == pytest.approx(by_hand, rel=1e-14)
    assert math.isclose(by_hand, 60_559.9, rel_tol=1e-5)


def test_conversion_takes_the_same_minute() -> None:
    """Wet 45 at 10 % is 50 dry, also of a bound; a minute without moisture is nothing."""
    wet = [Minute(45.0, 90.0, 1), Minute(45.0, None, 1)]
    found = truth_minutes.with_bounds(truth_minutes.dry_of_wet, wet, [Minute(10.0, None, 1), EMPTY])
    assert found == [Minute(50.0, 100.0, 1), Minute(None, None, 1)]


def test_calculated_point_needs_all_its_parts() -> None:
    """THC - CH4, minute by minute; where one of the two is missing there is nothing, below zero is a value."""
    thc = [Minute(39.0, None, 6), Minute(1.0, None, 6), EMPTY]
    ch4 = [Minute(1.5, None, 5), Minute(1.5, None, 6), Minute(1.5, None, 6)]
    found = truth_minutes.calculated(lambda total, methane: total - methane, thc, ch4)
    assert found == [Minute(37.5, None, 5), Minute(-0.5, None, 6), EMPTY]


def test_energy_mean_of_equal_halves() -> None:
    """60 dB and 70 dB for half the time each are 67.4036 dB."""
    assert truth_minutes.energy([60.0, 70.0]) == pytest.approx(10 * math.log10((1e6 + 1e7) / 2), rel=1e-15)
