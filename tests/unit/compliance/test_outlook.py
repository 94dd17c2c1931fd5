"""This module proves what a running window may still become, and when people are warned of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import a_limit, a_point, some_rules
from hypothesis import assume, given
from hypothesis import strategies as st

from plantmon.averages.water_flow import Flow
from plantmon.averages.weighing import Results
from plantmon.compliance.judge import Measured, judge
from plantmon.compliance.measured import MeasuredHours, measured_day, measured_hours
from plantmon.compliance.outlook import Known, Outlook, complying_edge, conditions, is_bad, outlook_of
from plantmon.compliance.periods import measured_period
from plantmon.compliance.water import flow_weighted_day
from plantmon.model.alarm import Alarm, Severity, State
from plantmon.model.minutes import Grid, MinuteBlock
from plantmon.model.plant import Basis, Kind, Limit, Point
from plantmon.model.verdict import Outcome
from plantmon.times import HOUR_MS, MINUTE_MS

POINT = a_point(interval_ms=MINUTE_MS)
LIMIT = a_limit(POINT)
SOUND = a_point("N1.leq", kind=Kind.ENERGY, unit="dB", quantity="sound_level", interval_ms=MINUTE_MS)
RULES = some_rules()
START = 1_772_380_800_000
ALWAYS = np.ones((1, 60), bool)


def known(mean: float | None, parts: float, to_come: float, recent: float | None = None, **changes: Any) -> Known:
    """Give what is known of an hour of minutes."""
    whole = {"parts": int(parts), "to_come": int(to_come), "due": 60}
    return replace(Known(mean, parts, to_come, recent, **whole), **changes)


def ahead(so_far: Known, limit: Limit = LIMIT, point: Point = POINT, **changes: Any) -> Outlook:
    """Look ahead in an hour."""
    at_ms = START + HOUR_MS - int(so_far.rest) * MINUTE_MS
    return outlook_of(limit, point, START, START + HOUR_MS, at_ms, so_far, **({"is_enough": True} | changes))


def minutes_of(values: list[float]) -> Grid:
    """Give an hour whose first minutes have these means."""
    block = MinuteBlock.empty()
    count = len(values)
    block.had[:count] = block.valid[:count] = 1
    block.mean[:count] = block.low[:count] = block.high[:count] = values
    return Grid.of([block])


def hour(values: list[float]) -> Measured:
    """Measure an hour as its verdict does."""
    return measured_hours(POINT, RULES, minutes_of(values), ALWAYS).one(0)


# By hand


def test_the_rest_may_have_61_for_23_minutes() -> None:
    """With 1597 mg/m3 minutes in 37 minutes, 23 minutes at 61 make the hour's 3000: 50 mg/m3 on the whole."""
    found = ahead(known(1597 / 37, 37, 23, recent=80.0))
    assert found.allowed == pytest.approx(61.0, rel=1e-12)
    assert found.projected == pytest.approx((1597 + 23 * 80) / 60, rel=1e-12)
    assert (found.exhausted, found.is_beyond, found.left_ms) == (False, True, 23 * MINUTE_MS)
    assert found.share == pytest.approx(37 / 60)


def test_nothing_in_leaves_the_limit_itself() -> None:
    """At an hour's beginning the rest may have the limit, and nobody knows where it is heading."""
    found = ahead(known(None, 0, 60))
    assert (found.value, found.allowed, found.projected, found.is_beyond) == (None, 50.0, None, False)


@pytest.mark.parametrize(("parts", "is_lost"), [(37, False), (38, True)])
def test_exhausted_when_zero_would_not_help(parts: int, is_lost: bool) -> None:
    """37 minutes at 80 leave 40 for the rest; 38 of them are 3040, more than 60 at 50."""
    found = ahead(known(80.0, parts, 60 - parts))
    assert found.exhausted is is_lost
    assert found.allowed == (None if is_lost else pytest.approx(40 / 23, rel=1e-11))


def test_zero_for_the_rest_complies() -> None:
    """30 minutes at twice the limit are not lost: with 0 for the rest the hour is equal to the limit."""
    found = ahead(known(100.0, 30, 30))
    assert (found.allowed, found.exhausted) == (0.0, False)


def test_levels_may_go_below_zero() -> None:
    """A temperature is lost only where the instrument's range ends."""
    point = a_point("DA001.t", quantity="temperature", unit="degC", range_low=-40.0)
    limit = a_limit(point, basis=Basis.LEVEL, maximum=10.0)
    assert ahead(known(20.0, 40, 20), limit, point).allowed == -10.0
    assert ahead(known(40.0, 50, 10), limit, point).exhausted


def test_minimum_is_mirrored() -> None:
    """Of a minimum the lowest mean the rest may have is told; beyond the range's end nothing helps."""
    point = a_point("DA001.t", quantity="temperature", unit="degC", range_high=1200.0)
    limit = a_limit(point, basis=Basis.LEVEL, minimum=760.0, maximum=None)
    found = ahead(known(740.0, 40, 20, recent=740.0), limit, point)
    assert (found.side, found.bound, found.allowed, found.is_beyond) == ("min", 760.0, 800.0, True)
    assert ahead(known(640.0, 50, 10), limit, point).exhausted


def test_sound_is_counted_in_energy() -> None:
    """Half an hour at 60 dB leaves 67.85 dB for the other half of 65 dB, which rounds from just below 65.5."""
    found = ahead(known(60.0, 30, 30), a_limit(SOUND, basis=Basis.LEVEL, maximum=65.0), SOUND)
    assert found.allowed == pytest.approx(10 * math.log10(2 * 10**6.55 - 10**6), abs=1e-8)


@pytest.mark.parametrize(
    ("changes", "point", "side", "edge"),
    [
        pytest.param({}, POINT, "max", 50.0, id="full value"),
        pytest.param({"decimals": 0}, POINT, "max", 50.5, id="half goes to the even 50"),
        pytest.param({"decimals": 0, "maximum": 51.0}, POINT, "max", 51.4999999999, id="half goes away from 51"),
        pytest.param({"decimals": 1, "maximum": 0.3}, POINT, "max", 0.349999999999, id="one decimal"),
        pytest.param({"decimals": 0, "minimum": 6.0}, POINT, "min", 5.5, id="half goes up to the even 6"),
        pytest.param({"decimals": 0, "minimum": 7.0}, POINT, "min", 6.50000000001, id="half goes away from 7"),
        pytest.param({"maximum": 64.0}, SOUND, "max", 64.5, id="whole decibels, even"),
        pytest.param({"maximum": 65.0}, SOUND, "max", 65.4999999999, id="whole decibels, odd"),
    ],
)
def test_limit_as_the_verdict_compares_it(changes: dict[str, Any], point: Point, side: str, edge: float) -> None:
    """The last value that complies is the limit, or what still rounds to it, half to even."""
    assert complying_edge(a_limit(point, **changes), point, side) == edge


def test_what_cannot_be_judged_is_not_told() -> None:
    """Of a median, of few values, and where too little can come, only the value so far is told."""
    for changes in ({"is_simple": False}, {"can_judge": False}):
        found = ahead(known(80.0, 40, 4, recent=80.0, **changes))
        assert (found.value, found.allowed, found.exhausted, found.projected) == (80.0, None, False, None)


def test_two_ends_tell_of_the_nearer() -> None:
    """Of a limit with two ends the one is told of that the value is nearer to."""
    limit = a_limit(POINT, minimum=6.0, maximum=9.0, basis=Basis.LEVEL)
    assert [ahead(known(value, 30, 30), limit).side for value in (6.5, 8.5)] == ["min", "max"]


# Exactly the allowed mean complies, a little more does not

VALUES = st.integers(-5_000, 400_000).map(lambda value: value / 1000)
LIMITS = st.sampled_from([50.0, 8.5, 120.0, 0.35, 9.99])


@given(st.lists(VALUES, min_size=1, max_size=59), LIMITS)
def test_an_hour_at_the_allowed_mean_complies(values: list[float], maximum: float) -> None:
    """Through the measuring of the verdict: the allowed mean is OK, a ten-millionth more is not."""
    limit, rest = a_limit(POINT, maximum=maximum), 60 - len(values)
    so_far = hour(values)
    found = ahead(known(so_far.mean, len(values), rest), limit)
    if found.exhausted:
        assert judge(limit, POINT, hour(values + [0.0] * rest)).outcome is Outcome.EXCEED
        return
    assert found.allowed is not None
    assert judge(limit, POINT, hour(values + [found.allowed] * rest)).outcome is Outcome.OK
    more = found.allowed + 1e-7 * maximum * 60 / rest
    assert judge(limit, POINT, hour(values + [more] * rest)).outcome is Outcome.EXCEED


@given(st.lists(VALUES, min_size=1, max_size=59))
def test_an_hour_at_the_least_allowed_mean_complies(values: list[float]) -> None:
    """The same of a minimum."""
    point = a_point(interval_ms=MINUTE_MS, range_high=None)
    limit, rest = a_limit(point, minimum=76.0, maximum=None, basis=Basis.LEVEL), 60 - len(values)
    found = ahead(known(hour(values).mean, len(values), rest), limit, point)
    assert found.allowed is not None
    assert judge(limit, point, hour(values + [found.allowed] * rest)).outcome is Outcome.OK
    less = found.allowed - 1e-7 * 76 * 60 / rest
    assert judge(limit, point, hour(values + [less] * rest)).outcome is Outcome.EXCEED


@given(st.lists(st.integers(300, 900).map(lambda level: level / 10), min_size=1, max_size=59), st.integers(50, 70))
def test_sound_at_the_allowed_level_complies(levels: list[float], maximum: int) -> None:
    """The same of sound levels, which are judged in whole decibels: a billionth more energy is one too many."""
    limit, rest = a_limit(SOUND, maximum=float(maximum), basis=Basis.LEVEL), 60 - len(levels)

    def period(values: list[float]) -> Measured:
        return measured_period(SOUND, RULES, minutes_of(values))

    found = ahead(known(period(levels).mean, len(levels), rest), limit, SOUND)
    if found.exhausted:
        assert judge(limit, SOUND, period(levels + [-100.0] * rest)).outcome is Outcome.EXCEED
        return
    assert found.allowed is not None
    assert judge(limit, SOUND, period(levels + [found.allowed] * rest)).outcome is Outcome.OK
    more = 10 ** (found.allowed / 10) + 1e-8 * 10 ** ((maximum + 0.5) / 10) * 60 / rest
    assert judge(limit, SOUND, period(levels + [10 * math.log10(more)] * rest)).outcome is Outcome.EXCEED


def day(means: list[float]) -> Measured:
    """Measure a day of hours as its verdict does."""
    values = np.array(means)
    count = len(means)
    nothing, whole = np.full(count, np.nan), np.full(count, 60)
    hours = MeasuredHours(values, nothing, np.zeros(count, bool), whole, 45, np.ones(count, bool))
    return measured_day(POINT, RULES, hours)


@given(st.lists(VALUES, min_size=1, max_size=23))
def test_a_day_at_the_allowed_mean_complies(means: list[float]) -> None:
    """The running hour and those to come weigh as much each as one that is in."""
    limit, rest = a_limit(POINT, window="1d"), 24 - len(means)
    found = ahead(known(day(means).mean, len(means), rest, due=24), limit)
    if found.exhausted:
        return
    assert found.allowed is not None
    assert judge(limit, POINT, day(means + [found.allowed] * rest)).outcome is Outcome.OK
    more = found.allowed + 1e-7 * 50 * 24 / rest
    assert judge(limit, POINT, day(means + [more] * rest)).outcome is Outcome.EXCEED


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), min_size=1, max_size=23),
    st.integers(1, 40),
)
def test_a_water_day_at_the_allowed_mean_complies(past: list[tuple[int, int]], m3_h: int) -> None:
    """Hourly results to come weigh the discharge that goes on; what is in weighs what flowed."""
    point = a_point("DW001.cod", quantity="cod", unit="mg/L", interval_ms=HOUR_MS)
    limit = a_limit(point, window="1d", maximum=100.0)
    count, rest = len(past), 24 - len(past)
    flows = np.repeat([float(flow) for _, flow in past] + [float(m3_h)] * (rest + 2), 60)

    def measured(values: list[float], flow: np.ndarray[Any, Any]) -> Any:
        if len(values) == 24:  # the next day's first result ends what the last one weighs
            values = [*values, 0.0]
        ts = START + HOUR_MS * np.arange(len(values))
        valid = np.ones(len(values), bool)
        results = Results(ts, np.array(values), valid, ~valid)
        return flow_weighted_day(point, RULES, START, START + 24 * HOUR_MS, results, Flow(START, flow))

    so_far = [float(value) for value, _ in past]
    stopped = np.where(np.arange(len(flows)) < count * 60, flows, 0.0)
    found_so_far = measured(so_far, stopped)
    weight, expected = found_so_far.volume_m3, float(m3_h * rest)
    found = ahead(known(found_so_far.measured.mean, weight, expected), limit, point)
    assume(not found.exhausted)
    assert found.allowed is not None
    assert judge(limit, point, measured(so_far + [found.allowed] * rest, flows).measured).outcome is Outcome.OK
    more = found.allowed + 1e-7 * 100 * (weight + expected) / expected
    assert judge(limit, point, measured(so_far + [more] * rest, flows).measured).outcome is Outcome.EXCEED


# Warnings

HEADING = ahead(known(45.0, 20, 40, recent=60.0))  # 55
RECOVERED = ahead(known(45.0, 20, 40, recent=30.0))  # 35
LOST = ahead(known(90.0, 40, 20, recent=0.0))
KEY = f"outlook:{LIMIT.key}"
NOBODY: frozenset[str] = frozenset()


def alarm(key: str = KEY, **facts: Any) -> Alarm:
    """Give a standing alarm of this hour."""
    whole = {"start": START, "end": START + HOUR_MS} | facts
    kind = key.partition(":")[0]
    return Alarm(1, key, kind, Severity.WARNING, State.UNACK, START, START, *([None] * 6), whole)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("recent", "bad"),
    [
        pytest.param(52.6, True, id="above"),
        pytest.param(52.5, None, id="equal complies, but lies within the deadband"),
        pytest.param(51.1, None, id="within the deadband"),
        pytest.param(51.0, False, id="below the deadband"),
        pytest.param(None, None, id="unknown"),
    ],
)
def test_deadband(recent: float | None, bad: bool | None) -> None:
    """40 minutes at r after 20 at 45 project (900 + 40 r) / 60; a warning ends at 49, 2 % below 50."""
    assert is_bad(ahead(known(45.0, 20, 40, recent=recent)), 0.02) is bad


def test_too_little_in_changes_nothing() -> None:
    """Before enough is in nobody is warned."""
    assert is_bad(ahead(known(90.0, 10, 50, recent=90.0), is_enough=False), 0.02) is None


def test_warning_begins_once_and_carries_what_a_mail_needs() -> None:
    """A window heading over its limit begins a warning, with figures, that is not begun again while it stands."""
    (one,) = conditions([HEADING], {}, NOBODY, 0.02)
    assert (one.key, one.kind, one.severity, one.is_bad) == (KEY, "outlook", Severity.WARNING, True)
    told = {"value": 45.0, "projected": 55.0, "allowed": 52.5, "bound": 50.0, "left_ms": 40 * MINUTE_MS,
            "exhausted": False, "unit": "mg/m3", "window": "1h", "start": START, "end": START + HOUR_MS}  # fmt: skip
    assert {name: one.facts[name] for name in told} == told
    assert one.facts["share"] == pytest.approx(1 / 3)
    assert conditions([HEADING], {KEY: alarm()}, NOBODY, 0.02) == []


def test_warning_ends_with_a_mail_when_the_window_recovers() -> None:
    """Back below the limit it ends, and those who were told are told."""
    (one,) = conditions([RECOVERED], {KEY: alarm()}, NOBODY, 0.02)
    assert (one.is_bad, one.quiet) == (False, False)
    assert conditions([RECOVERED], {}, NOBODY, 0.02) == []


def test_warning_ends_quietly_with_its_window() -> None:
    """When the next window runs, or none, the verdict speaks; the next window's own warning is another."""
    earlier = alarm(start=START - HOUR_MS, end=START)
    ended, begun = conditions([HEADING], {KEY: earlier}, NOBODY, 0.02)
    assert (ended.is_bad, ended.quiet, ended.until_ms, begun.is_bad) == (False, True, START, True)
    (gone,) = conditions([], {KEY: earlier}, NOBODY, 0.02)
    assert (gone.is_bad, gone.quiet) == (False, True)


def test_breach_speaks_alone() -> None:
    """Where a breach of the limit stands nobody is warned of the next, and a warning ends quietly."""
    breach = alarm(f"breach:{LIMIT.key}")
    assert conditions([HEADING], {breach.key: breach}, NOBODY, 0.02) == []
    (ended,) = conditions([HEADING], {breach.key: breach, KEY: alarm()}, NOBODY, 0.02)
    assert (ended.key, ended.is_bad, ended.quiet) == (KEY, False, True)


def test_a_window_is_warned_of_once() -> None:
    """After a warning ended within its window only a window that is lost is told of again."""
    assert conditions([HEADING], {}, frozenset({KEY}), 0.02) == []
    (one,) = conditions([LOST], {}, frozenset({KEY}), 0.02)
    assert (one.is_bad, one.facts["exhausted"]) == (True, True)
