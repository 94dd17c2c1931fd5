"""This module proves how far a device's mean is from ours, and which means are compared at all."""

from __future__ import annotations

from math import log10

import pytest
from builders import a_plant, a_point, an_outlet

from plantmon.model.plant import Kind, Point
from plantmon.times import HOUR_MS
from plantmon.windows.reported import difference, is_comparable

NOX = a_point("DA001.nox", range_low=0.0, range_high=1000.0)
COD = a_point("DW001.cod", quantity="cod", unit="mg/L", interval_ms=HOUR_MS)
PH = a_point("DW001.ph", quantity="ph", unit="pH")
LEQ = a_point("N1.leq", quantity="sound_level", unit="dB", kind=Kind.ENERGY)
PLANT = a_plant((NOX, COD, PH), (), outlets={"DA001": an_outlet(), "DW001": an_outlet("DW001", kind="water")})


@pytest.mark.parametrize(
    ("point", "own", "said", "expected"),
    [
        pytest.param(NOX, 50.0, 55.0, 0.1, id="a share of ours"),
        pytest.param(NOX, 50.0, 45.0, 0.1, id="either way"),
        pytest.param(NOX, -50.0, -55.0, 0.1, id="below zero"),
        pytest.param(NOX, 1.0, 2.0, 0.1, id="near zero against a hundredth of the range"),
        pytest.param(a_point(detection_limit=4.0), 1.0, 3.0, 0.5, id="or the detection limit"),
        pytest.param(a_point(range_low=None, range_high=None), 1.0, 2.0, 1.0, id="no range"),
        pytest.param(a_point(range_low=None, range_high=None), 0.0, 2.0, 1.0, id="nothing to compare with"),
        pytest.param(a_point(range_low=None, range_high=None), 0.0, 0.0, 0.0, id="both zero"),
        pytest.param(LEQ, 60.0, 60.0 + 10 * log10(1.1), 0.1, id="energy of sound"),
        pytest.param(LEQ, 60.0 + 10 * log10(1.1), 60.0, 0.1, id="energy of sound, either way"),
        pytest.param(LEQ, 0.0, 1e300, 10.0**300, id="absurd level"),
    ],
)
def test_difference(point: Point, own: float, said: float, expected: float) -> None:
    """Differences are shares of our own mean, never of something next to zero."""
    assert difference(point, own, said) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("point", "level", "expected"),
    [
        (NOX, "1h", True), (NOX, "1d", True), (NOX, "10min", True),
        (COD, "1h", True), (COD, "10min", False), (COD, "1d", False), (PH, "1d", True),
    ],
)  # fmt: skip
def test_what_is_compared(point: Point, level: str, expected: bool) -> None:
    """Days of waste water are weighted by flow, and slow points have no minutes: these are left alone."""
    assert is_comparable(PLANT, point, level) is expected
