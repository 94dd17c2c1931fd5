"""This module proves when single readings make an excursion that has lasted long enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from builders import a_limit, a_point

from plantmon.compliance.excursions import Reading, Run, beyond, extend

POINT = a_point("DA002.rto_temperature", quantity="temperature", unit="degC", range_low=0.0, range_high=1200.0)
COLD = a_limit(POINT, minimum=760.0, maximum=None, window="reading", hold_ms=60_000)
HOT = a_limit(POINT, minimum=None, maximum=900.0, window="reading", hold_ms=60_000)


def a_reading(second: float, value: float, **changes: Any) -> Reading:
    """Give a usable reading of a running source."""
    given: dict[str, Any] = {"usable": True, "over_range": False, "ran": True}
    return Reading(int(second * 1000), value, **given | changes)


def follow(readings: Sequence[Reading], limit: Any = COLD) -> Run | None:
    """Take readings into a run, one by one."""
    run = None
    for reading in readings:
        run = extend(run, limit, POINT, reading)
    return run


@pytest.mark.parametrize(
    ("seconds", "exceeded"),
    [
        pytest.param([0, 10, 20, 30, 40, 50, 59], False, id="59 s"),
        pytest.param([0, 10, 20, 30, 40, 50, 60], True, id="60 s"),
        pytest.param([0], False, id="one reading"),
        pytest.param([0, 30, 60], True, id="three intervals apart is no silence"),
        pytest.param([0, 31, 62], False, id="more than three intervals is: each is a run of its own"),
    ],
)
def test_hold(seconds: list[int], exceeded: bool) -> None:
    """A run is exceeded when first and last breaching reading lie at least `hold` apart without a silence between."""
    run = follow([a_reading(second, 700.0) for second in seconds])
    assert run is not None
    assert run.is_exceeded(60_000) == exceeded


def test_without_hold_one_reading_is_enough() -> None:
    """A limit without hold is exceeded by its first breaching reading."""
    run = follow([a_reading(0, 700.0)])
    assert run is not None
    assert run.is_exceeded(0)


@pytest.mark.parametrize(
    ("between", "goes_on"),
    [
        pytest.param(a_reading(10, 760.0), False, id="a complying reading ends it, equal complies"),
        pytest.param(a_reading(10, 20.0, ran=False), False, id="a source at rest ends it"),
        pytest.param(a_reading(10, 700.0, ran=False), False, id="a breach at rest is none"),
        pytest.param(a_reading(10, 800.0, usable=False), True, id="a flagged reading says nothing"),
        pytest.param(a_reading(10, 1200.0, usable=False, over_range=True), True, id="over range proves no low value"),
    ],
)
def test_what_ends_a_run(between: Reading, goes_on: bool) -> None:
    """Only what says something ends a run: compliance or rest, not a flag."""
    run = follow([a_reading(0, 700.0), between, a_reading(20, 690.0)])
    assert run is not None
    assert (run.first_ms == 0) == goes_on


def test_run_keeps_its_worst_and_its_mean() -> None:
    """A run knows its peak (lowest below a lower end), sum and number."""
    assert follow([a_reading(0, 700.0), a_reading(10, 650.0), a_reading(20, 720.0)]) == Run(
        0, 20_000, 650.0, 2070.0, 3, False
    )
    high = follow([a_reading(0, 910.0), a_reading(10, 950.0), a_reading(20, 920.0)], HOT)
    assert high is not None
    assert high.peak == 950.0


def test_over_range_breaches_at_least() -> None:
    """A reading over range breaches an upper end by its range's end, and says at least."""
    run = follow([a_reading(0, 1200.0, usable=False, over_range=True)], HOT)
    assert run is not None
    assert (run.peak, run.at_least) == (1200.0, True)


@pytest.mark.parametrize(
    ("values", "expected"), [([], False), ([760.0], False), ([760.0, 759.9], True), ([900.1], False)]
)
def test_quick_look(values: list[float], expected: bool) -> None:
    """The quick look over a batch finds any value beyond the limit's ends."""
    assert beyond(COLD, np.array(values)) == expected
