"""This module proves what a declared change of a meter counts: the old register to its end, the new from its beginning.

Readings are a quarter of an hour apart from a local midnight; changes lie between them unless said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from plantmon.model.plant import RatioSpan, Register
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, to_ms
from plantmon.windows.counter import QUANTUM, Change, Course, Edges, course

START = to_ms(datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai")))
QUARTER_MS = 15 * MINUTE_MS


def at(minute: float) -> int:
    """Give an instant."""
    return START + round(minute * MINUTE_MS)


def follow(
    values: Sequence[float], changes: Sequence[Change], ratio: float = 1.0, wraps_at: float | None = None,
    max_rate: float | None = None,
) -> Course:  # fmt: skip
    """Follow readings with changes declared."""
    register = Register((RatioSpan(ratio, None, None),), wraps_at, max_rate, None, None, None)
    ts = np.array([START + turn * QUARTER_MS for turn in range(len(values))], np.int64)
    return course(ts, np.array(values, np.float64), register, QUARTER_MS, changes)


def total(way: Course, start: int = START - DAY_MS, end: int = START + DAY_MS) -> int | None:
    """Give what a span counted, in micro-units."""
    return Edges(way).amount(start, end).amount


def kinds(way: Course) -> list[str]:
    """Name the events."""
    return [str(one.event) for one in way.happenings]


@pytest.mark.parametrize(
    ("values", "changes", "events", "amount"),
    [
        pytest.param([9000, 9010, 50, 60], [Change(at(20), 9014, 44)], ["changed"], 10 + 4 + 6 + 10, id="between"),
        pytest.param([9000, 9010, 9500, 9510], [Change(at(20), 9014, 9499)], ["changed"], 10 + 4 + 1 + 10,
                     id="to a higher register: no detection could tell"),
        pytest.param([9000, 9010, 50, 60], [Change(at(30), 9018, 50)], ["changed"], 10 + 8 + 10,
                     id="at a reading, which then is not used"),
        pytest.param([9000, 9010], [Change(at(20), 9014, 0)], ["changed"], 10 + 4, id="nothing from the new one yet"),
        pytest.param([50, 60], [Change(at(-10), 9014, 44)], [], 6 + 10, id="nothing from the old one"),
        pytest.param([9000, 9010, 3, 7, 11], [Change(at(17), 9011, 1), Change(at(32), 4, 5)],
                     ["changed", "changed"], 10 + 1 + 2 + 1 + 2 + 4, id="two changes"),
        pytest.param([9000, 9010, 3], [Change(at(16), 9011, 0), Change(at(17), 2, 1)], ["changed", "changed"],
                     10 + 1 + 2 + 2, id="two changes between readings"),
        pytest.param([9000, 8950, 50], [Change(at(20), 8960, 45)], ["slight_fall", "changed"], 0 + 0 + 5,
                     id="after a slight fall only what rises above the old level counts"),
    ],
)  # fmt: skip
def test_what_a_change_counts(values: list[float], changes: list[Change], events: list[str], amount: float) -> None:
    """Up to the final reading the old register counts, from the initial one the new, whatever it looks like."""
    way = follow(values, changes)
    assert kinds(way) == events
    assert total(way) == round(amount * QUANTUM)


def test_the_old_register_may_have_rolled_over() -> None:
    """From 9990 over 10000 to a final 5 are 15, then 2 of the new one."""
    assert total(follow([9980, 9990, 3], [Change(at(20), 5, 1)], wraps_at=1e4)) == (10 + 15 + 2) * QUANTUM


def test_a_final_reading_beyond_max_rate_is_not_believed() -> None:
    """A final reading 1000 above the last in five minutes at 100 an hour counts 0 and asks a person to look."""
    way = follow([9000, 9010, 50], [Change(at(20), 10010, 45)], max_rate=100.0)
    assert (kinds(way), total(way)) == (["too_fast"], (10 + 5) * QUANTUM)


def test_ratio_holds_for_both() -> None:
    """Behind transformers of 40 all counts 40 times."""
    assert total(follow([9000, 9010, 50], [Change(at(20), 9014, 44)], ratio=40.0)) == 20 * 40 * QUANTUM


def test_a_change_is_at_its_instant() -> None:
    """The hour that ends with the change takes the old register's rest, the next the new one's; they add up."""
    way = follow([0, 10, 20, 30, 40, 4, 8], [Change(at(60), 40, 0)])
    edges = Edges(way)
    assert edges.amount(START, START + HOUR_MS).amount == 40 * QUANTUM
    assert edges.amount(START + HOUR_MS, START + 2 * HOUR_MS).amount == 8 * QUANTUM
    happened = way.happenings[0]
    assert (happened.ts_ms, happened.before, happened.after) == (START + HOUR_MS, 40, 0)


def test_readings_reach_to_the_change() -> None:
    """A final reading is a reading: time up to it is covered, beyond it is not."""
    found = Edges(follow([0, 10], [Change(at(20), 12, 0)])).amount(START, START + HOUR_MS)
    assert (found.amount, found.covered_ms) == (12 * QUANTUM, 20 * MINUTE_MS)
