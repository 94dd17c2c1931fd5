"""This module proves the minutes of calculated points from those of their parts, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from builders import a_point

from plantmon.averages.calculated import calculated_block
from plantmon.averages.formula import parse
from plantmon.model.minutes import MINUTES, MinuteBlock
from plantmon.times import MINUTE_MS

ALL = (1 << MINUTES) - 1
THC = a_point("A.thc", interval_ms=MINUTE_MS)
CH4 = a_point("A.ch4", interval_ms=MINUTE_MS)
NMHC = parse("thc - ch4", "A")


def block(means: dict[int, float], over: dict[int, float] | None = None, had: tuple[int, ...] = ()) -> MinuteBlock:
    """Make an hour with valid means, over-range bounds, and minutes that only had readings."""
    made = MinuteBlock.empty()
    for minute, value in means.items():
        made.had[minute] = made.valid[minute] = 6
        made.mean[minute] = made.low[minute] = made.high[minute] = value
    for minute, bound in (over or {}).items():
        made.had[minute] += 1
        made.over[minute], made.bound[minute] = 1, bound
    for minute in had:
        made.had[minute] += 1
    return made


def nmhc(thc: MinuteBlock, ch4: MinuteBlock, over: int = ALL) -> MinuteBlock:
    """Make THC - CH4."""
    return calculated_block(NMHC, {"A.thc": THC, "A.ch4": CH4}, {"A.thc": [thc], "A.ch4": [ch4]}, over)


def values(column: np.ndarray) -> dict[int, float]:  # type: ignore[type-arg]
    """Give what a column has, by minute."""
    return {int(minute): float(column[minute]) for minute in np.flatnonzero(~np.isnan(column))}


def test_a_minute_is_the_formula_of_the_means() -> None:
    """Each minute is worked out by itself and counts once; a result below zero stays."""
    made = nmhc(block({0: 39.0, 1: 2.0, 2: 5.0}), block({0: 1.45, 1: 2.25, 3: 1.0}))
    assert values(made.mean) == {0: 37.55, 1: -0.25}
    assert values(made.low) == values(made.high) == values(made.mean)
    assert np.flatnonzero(made.valid).tolist() == np.flatnonzero(made.had).tolist() == [0, 1]
    assert not made.over.any()


def test_a_minute_had_readings_when_all_parts_had() -> None:
    """Readings that do not count are readings that came."""
    made = nmhc(block({0: 39.0}), block({}, had=(0, 1)))
    assert (made.had[0], made.valid[0], made.had[1]) == (1, 0, 0)


def test_over_range_part_that_raises_the_result() -> None:
    """THC at 1000 or more with CH4 at 3 makes NMHC at least 997; its valid readings make the mean besides."""
    made = nmhc(block({1: 980.0}, over={0: 1000.0, 1: 990.0}), block({0: 3.0, 1: 3.0}))
    assert made.over[:2].tolist() == [1, 1]
    assert made.valid[:2].tolist() == [0, 1]
    assert values(made.bound) == {0: 997.0, 1: 987.0}
    assert values(made.mean) == {1: 977.0}


def test_over_range_part_that_lowers_the_result() -> None:
    """CH4 over range makes the minute over range without a bound, and so does THC while CH4 is missing."""
    made = nmhc(block({0: 40.0}, over={1: 1000.0}), block({}, over={0: 50.0}))
    assert made.over[:2].tolist() == made.had[:2].tolist() == [1, 1]
    assert values(made.bound) == {}


def test_minutes_that_still_run_stay_empty() -> None:
    """What is not over yet is not made."""
    made = nmhc(block({0: 39.0, 1: 39.0}), block({0: 1.0, 1: 1.0}), over=1)
    assert np.flatnonzero(made.had).tolist() == [0]


def test_a_slow_part_stands_for_two_intervals() -> None:
    """A value every ten minutes stands for twenty, also into the next hour, and until its next."""
    slow = a_point("A.ch4", interval_ms=10 * MINUTE_MS)
    thc = block(dict.fromkeys(range(60), 10.0))
    rows = {"A.thc": [thc], "A.ch4": [block({55: 1.0}), block({30: 2.0, 35: 4.0})]}
    made = calculated_block(NMHC, {"A.thc": THC, "A.ch4": slow}, rows, ALL)
    assert values(made.mean) == (
        dict.fromkeys(range(15), 9.0) | dict.fromkeys(range(30, 35), 8.0) | dict.fromkeys(range(35, 55), 6.0)
    )


def test_a_slow_part_over_range_stands_too() -> None:
    """An over-range value of a slow part is what holds until the next that counts."""
    slow = a_point("A.thc", interval_ms=10 * MINUTE_MS)
    rows = {
        "A.thc": [MinuteBlock.empty(), block({0: 10.0, 20: 12.0}, over={10: 1000.0})],
        "A.ch4": [block(dict.fromkeys(range(60), 1.0))],
    }
    made = calculated_block(NMHC, {"A.thc": slow, "A.ch4": CH4}, rows, ALL)
    assert np.flatnonzero(made.over).tolist() == list(range(10, 20))
    assert set(values(made.bound).values()) == {999.0}
    assert values(made.mean) == dict.fromkeys(range(10), 9.0) | dict.fromkeys(range(20, 40), 11.0)


def test_division_by_zero_is_not_valid() -> None:
    """A removal efficiency without anything to remove had its readings and is no value."""
    efficiency = parse("(thc - ch4) / thc * 100", "A")
    rows = {"A.thc": [block({0: 0.0, 1: 8.0})], "A.ch4": [block({0: 0.0, 1: 2.0})]}
    made = calculated_block(efficiency, {"A.thc": THC, "A.ch4": CH4}, rows, ALL)
    assert (made.had[:2].tolist(), made.valid[:2].tolist()) == ([1, 1], [0, 1])
    assert values(made.mean) == {1: pytest.approx(75.0)}
