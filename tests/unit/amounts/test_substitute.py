"""This module proves what stands in for missing hours of air: by hand at the edges, and against the simulators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from builders import some_rules
from hypothesis import given
from hypothesis import strategies as st

from plantmon.amounts.substitute import Quarter, look_back, substitutes
from plantmon.amounts.sums import day_of, total_kg
from plantmon.averages.periods import Period, period_around, periods_between
from plantmon.model.emission import Course, Substitute
from plantmon.times import HOUR_MS, PlantTime
from simulators.truth_amounts import INVALID, MEASURED, STOPPED, TrueHour, air_sum, substituted

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
TABLE = some_rules().substitution
QUARTER = TIME.midnight(date(2020, 4, 1))
NEXT = TIME.midnight(date(2020, 7, 1))
POINT = 7

Hour = tuple[int, float | None, float | None]  # running minutes, kg, kg proven


def course(hours: Sequence[Hour], start_ms: int = QUARTER) -> Course:
    """Lay hours end to end."""
    ran, kg, proven = zip(*hours, strict=True)
    return Course(
        start_ms + np.arange(len(hours), dtype=np.int64) * HOUR_MS,
        np.array(ran, np.int64),
        np.array(kg, np.float64),
        np.array(proven, np.float64),
    )


def quarters(hours: Course) -> list[Quarter]:
    """Count the quarters of hours that end with the newest closed one."""
    end = int(hours.start[-1]) + HOUR_MS
    found = []
    for start, until in periods_between(Period.QUARTER, int(hours.start[0]), end, TIME):
        inside = hours.rows((hours.start >= start) & (hours.start < until))
        counts = (len(inside.start), int(inside.is_stopped.sum()), int(inside.is_missing.sum()))
        found.append(Quarter(start, until, *counts, is_over=end >= until))
    return found


def stand_in(hours: Sequence[Hour], start_ms: int = QUARTER) -> list[Substitute]:
    """Substitute all missing hours of a course."""
    laid = course(hours, start_ms)
    return substitutes(POINT, laid, int(laid.start[0]), quarters(laid), TABLE)


def measured(kg: float, minutes: int = 60) -> Hour:
    """Give a measured hour."""
    return minutes, kg, None


MISSING: Hour = (60, None, None)
STILL: Hour = (0, 0.0, None)


@pytest.mark.parametrize(
    ("capture", "hours", "many"),
    [
        (0.9, 24, 180), (0.9, 25, 720), (1.0, 1, 180), (0.8999, 1, 2160), (0.75, 1, 2160), (0.75, 5000, 2160),
        (0.7499, 1, None), (None, 1, None),
    ],
)  # fmt: skip
def test_the_table(capture: float | None, hours: int, many: int | None) -> None:
    """From 90 % on 180 measured hours for gaps of 24 hours and 720 for longer; from 75 % on 2160; below nothing."""
    assert look_back(TABLE, capture, hours) == many


@pytest.mark.parametrize(("after", "method"), [(24, "max_180"), (25, "max_720")])
def test_a_gap_of_24_hours_looks_back_180(after: int, method: str) -> None:
    """All 24 hours of a gap take the maximum of 180; all 25 of a longer one that of 720."""
    found = stand_in([measured(9.0), *[measured(1.0)] * 400, *[MISSING] * after, *[measured(1.0)] * 100])
    assert {one.method for one in found} == {method}
    assert {one.kg for one in found} == {1.0 if after == 24 else 9.0}
    assert len(found) == after


@pytest.mark.parametrize(("before", "kg"), [(179, 9.0), (180, 1.0), (181, 1.0)])
def test_180_measured_hours_are_looked_back_on(before: int, kg: float) -> None:
    """The hour of 9 kg is seen while at most 179 measured ones lie between it and the gap, not counting stops."""
    hours = [measured(9.0), STILL, *[measured(1.0)] * before, *[STILL] * 5, MISSING, *[measured(1.0)] * 100]
    assert [one.kg for one in stand_in(hours)] == [kg]


def test_the_running_time_counts() -> None:
    """1 kg in 20 running minutes is 3 kg/h, the largest rate; half an hour of it missing is 1.5 kg."""
    found = stand_in([measured(2.0), measured(1.0, 20), (30, None, None), *[measured(1.0)] * 20])
    assert [(one.kg, one.minutes) for one in found] == [(1.5, 30)]


def test_a_proven_amount_is_a_rate_too() -> None:
    """An hour measured as 1 kg with 5 kg proven gives 5 kg/h to look back on."""
    assert [one.kg for one in stand_in([(60, 1.0, 5.0), MISSING, *[measured(1.0)] * 20])] == [5.0]


def test_nothing_measured_before_is_unknown() -> None:
    """A gap at the very beginning has nothing to look back on."""
    found = stand_in([MISSING, MISSING, *[measured(1.0)] * 100])
    assert [(one.kg, one.method) for one in found] == [(None, "unknown")] * 2


def test_a_stop_ends_a_gap() -> None:
    """20 missing hours, a stopped one and 20 more are two short gaps, and not one of 40."""
    hours = [measured(9.0), *[measured(1.0)] * 500, *[MISSING] * 20, STILL, *[MISSING] * 20]
    assert {one.method for one in stand_in(hours)} == {"max_180"}
    del hours[-21]
    assert {one.method for one in stand_in(hours)} == {"max_720"}


@pytest.mark.parametrize(("missing", "method"), [(10, "max_180"), (11, "max_2160"), (25, "max_2160"), (26, "unknown")])
def test_capture_at_its_edges(missing: int, method: str) -> None:
    """Of 100 running hours 10 may miss for 90 % and 25 for 75 %; stopped hours are in neither number."""
    gaps = [part for _ in range(missing) for part in (measured(1.0), MISSING)]
    hours = [*gaps, *[measured(1.0)] * (100 - 2 * missing), *[STILL] * 50]
    found = stand_in(hours)
    assert {one.method for one in found} == {method}
    assert {one.capture for one in found} == {(100 - missing) / 100}


def test_a_gap_over_the_edge_of_a_quarter() -> None:
    """A gap of 30 hours, 20 of them in an old quarter with all else measured, takes each hour by its own quarter."""
    start = NEXT - 220 * HOUR_MS
    hours = [*[measured(2.0)] * 200, *[MISSING] * 30, *[measured(1.0)] * 20]
    found = stand_in(hours, start)
    assert [one.method for one in found] == ["max_720"] * 20 + ["unknown"] * 10
    assert [one.capture for one in found] == pytest.approx([200 / 220] * 20 + [20 / 30] * 10)
    assert [one.provisional for one in found] == [False] * 20 + [True] * 10


def test_provisional_until_the_quarter_is_closed() -> None:
    """What stands in is provisional while an hour of the quarter is open, and final with its last one."""
    whole = (NEXT - QUARTER) // HOUR_MS
    hours = [measured(1.0), MISSING, *[measured(1.0)] * (whole - 3)]
    assert [one.provisional for one in stand_in(hours)] == [True]
    assert [one.provisional for one in stand_in([*hours, measured(1.0)])] == [False]


def test_only_what_is_asked_for() -> None:
    """From an instant inside a gap on, the gap's whole length still picks the line."""
    laid = course([*[measured(1.0)] * 500, *[MISSING] * 25])
    since = QUARTER + 510 * HOUR_MS
    found = substitutes(POINT, laid, since, quarters(laid), TABLE)
    assert [one.start for one in found] == list(range(since, QUARTER + 525 * HOUR_MS, HOUR_MS))
    assert {one.method for one in found} == {"max_720"}


def test_a_day_adds_up() -> None:
    """Of hours measured and proven, stood in for and proven, and unknown, each counts as the larger figure."""
    hours = course([measured(2.0), (60, 1.5, 3.0), MISSING, (60, None, 6.0), (30, None, 0.5), STILL])
    first = int(hours.start[0])
    subs = {
        first + 2 * HOUR_MS: Substitute(POINT, "1h", first + 2 * HOUR_MS, 4.0, "max_180", 0.95, False, 60),
        first + 3 * HOUR_MS: Substitute(POINT, "1h", first + 3 * HOUR_MS, 4.0, "max_180", 0.95, True, 60),
        first + 4 * HOUR_MS: Substitute(POINT, "1h", first + 4 * HOUR_MS, None, "unknown", 0.6, False, 30),
    }
    day = day_of(POINT, first, hours, subs)
    assert (day.measured_kg, day.substituted_kg) == (2 + 3 + 0.5, 4 + 6)
    assert (day.ran_minutes, day.substituted_minutes, day.unknown_minutes) == (270, 120, 30)
    assert (day.at_least, day.provisional, day.end) == (True, True, first + 6 * HOUR_MS)


def test_sums_are_rounded_and_leave_no_residue() -> None:
    """0.1 + 0.2 is 0.3, and what cancels out is 0."""
    assert total_kg([0.1, 0.2]) == 0.3
    assert total_kg([0.1, 0.2, -0.3]) == 0.0
    assert total_kg([]) == 0.0


def _true(start_ms: int, hour: Hour) -> TrueHour:
    ran, kg, proven = hour
    if not ran:
        return TrueHour(start_ms, 0, STOPPED, 0.0, None, False)
    is_larger = proven is not None and (kg is None or proven > kg)
    return TrueHour(start_ms, ran, INVALID if kg is None else MEASURED, proven if is_larger else kg, proven, is_larger)


KG = st.integers(1, 9).map(float)
STRETCH = st.tuples(
    st.one_of(
        st.tuples(st.sampled_from([60, 60, 20]), KG, st.one_of(st.none(), st.none(), KG)),
        st.tuples(st.sampled_from([60, 35]), st.none(), st.one_of(st.none(), st.none(), KG)),
        st.just(STILL),
    ),
    st.sampled_from([1, 2, 3, 23, 24, 25, 26, 179, 180, 181, 400]),
)


@given(st.lists(STRETCH, min_size=1, max_size=12), st.sampled_from([QUARTER, NEXT - 300 * HOUR_MS]))
def test_gaps_agree_with_the_simulators(parts: list[tuple[Hour, int]], start_ms: int) -> None:
    """Whatever is measured, missing or stopped for however long, across quarters, the simulators find the same."""
    hours = [hour for hour, many in parts for _ in range(many)]
    laid = course(hours, start_ms)
    truth = substituted([_true(start, hour) for start, hour in zip(laid.start.tolist(), hours, strict=True)])
    found = {one.start: one for one in stand_in(hours, start_ms)}
    for true, hour in zip(truth, hours, strict=True):
        one = found.get(true.start_ms)
        assert (one is None) == (true.method in (MEASURED, STOPPED))
        if one is not None:
            assert (one.method, one.provisional) == (true.method, true.is_provisional)
            known = [kg for kg in (one.kg, hour[2]) if kg is not None]
            assert (max(known) if known else None) == (None if true.kg is None else pytest.approx(true.kg, rel=1e-9))
    day = day_of(POINT, start_ms, laid, found)
    total = air_sum(truth, 0, 1 << 60)
    assert day.measured_kg + day.substituted_kg == pytest.approx(total.kg, rel=1e-9)
    assert (day.ran_minutes, day.at_least, day.provisional) == (total.minutes, total.at_least, total.is_provisional)
    if total.minutes:
        assert day.unknown_minutes / total.minutes == pytest.approx(total.unknown)
        assert day.substituted_minutes / total.minutes == pytest.approx(total.substituted)


def test_quarters_of_plant_time() -> None:
    """A quarter begins at local midnight of its first day; a year has four."""
    assert period_around(Period.QUARTER, NEXT - 1, TIME) == (QUARTER, NEXT)
    year = period_around(Period.YEAR, NEXT, TIME)
    assert len(periods_between(Period.QUARTER, *year, TIME)) == 4
    assert len(periods_between(Period.MONTH, *year, TIME)) == 12
    assert len(periods_between(Period.DAY, *year, TIME)) == 366
