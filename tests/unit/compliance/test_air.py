"""This module proves converted means and rates on hours one can work out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from builders import a_point, some_rules

from plantmon.compliance.air import converted_hours, rate_hours
from plantmon.compliance.judge import Measured
from plantmon.model.minutes import MINUTES, Grid, MinuteBlock
from plantmon.model.plant import Point, Rules

NOX = a_point("DA001.nox", quantity="nox", unit="mg/m3", range_low=-5.0, range_high=2000.0)
ALL = np.ones(MINUTES, bool)


def block(values: dict[range, float], over: dict[range, float] | None = None) -> MinuteBlock:
    """Give an hour with these minute means; `over` are minutes over range with their bound."""
    made = MinuteBlock.empty()
    for minutes, value in values.items():
        made.had[minutes] = made.valid[minutes] = 1
        made.mean[minutes] = made.low[minutes] = made.high[minutes] = value
    for minutes, value in (over or {}).items():
        made.had[minutes] = made.over[minutes] = 1
        made.bound[minutes] = value
    return made


def converted_hour(
    point: Point, rules: Rules, hour: MinuteBlock, oxygen: MinuteBlock, reference: float, ran: np.ndarray
) -> Measured:
    """Measure one hour at reference oxygen."""
    return converted_hours(point, rules, Grid.of([hour]), Grid.of([oxygen]), reference, ran[np.newaxis]).one(0)


def rate_hour(
    point: Point, rules: Rules, hour: MinuteBlock, flow: MinuteBlock, factor: float, ran: np.ndarray
) -> Measured:
    """Measure one hour's rate."""
    return rate_hours(point, rules, Grid.of([hour]), Grid.of([flow]), factor, ran[np.newaxis]).one(0)


NOX_HOUR = block({range(30): 40.0, range(30, 60): 20.0})
OXYGEN_HOUR = block({range(30): 3.5, range(30, 60): 12.25})


def test_minutes_are_converted_and_then_averaged() -> None:
    """40 at 3.5 % stays 40, 20 at 12.25 % becomes 40: each minute with its own oxygen, the mean is 40."""
    found = converted_hour(NOX, some_rules(), NOX_HOUR, OXYGEN_HOUR, 3.5, ALL)
    assert (found.mean, found.parts) == (40.0, 60)


def test_hour_means_are_converted_where_the_rule_says_so() -> None:
    """With `oxygen_conversion: hour` the mean 30 is converted at the mean oxygen 7.875 %: 30 x 17.5 / 13.125 = 40."""
    rules = some_rules(oxygen_conversion="hour")
    oxygen = block({range(20): 3.5, range(20, 60): 12.25})
    found = converted_hour(NOX, rules, NOX_HOUR, oxygen, 3.5, ALL)
    mean_oxygen = (20 * 3.5 + 40 * 12.25) / 60
    assert found.mean == pytest.approx(30 * 17.5 / (21 - mean_oxygen), rel=1e-11)
    assert converted_hour(NOX, rules, NOX_HOUR, OXYGEN_HOUR, 3.5, ALL).mean == 40.0


def test_air_in_the_stack_drops_minutes() -> None:
    """Minutes at 21 % oxygen drop out: 44 are too few, 45 are enough, and air alone is no mean."""
    rules = some_rules()
    for count, is_enough in ((44, False), (45, True)):
        oxygen = block({range(count): 3.5, range(count, 60): 21.0})
        found = converted_hour(NOX, rules, NOX_HOUR, oxygen, 3.5, ALL)
        assert (found.parts, found.parts >= found.needed) == (count, is_enough)
    air = block({range(60): 20.95 + 0.05})
    assert converted_hour(NOX, rules, NOX_HOUR, air, 3.5, ALL).mean is None


def test_over_range_proves_at_its_own_oxygen() -> None:
    """Six minutes at 2000 mg/m3 and 12.25 % count as 4000 in the lower bound; in air they prove nothing."""
    nox = block({range(6, 60): 40.0}, over={range(6): 2000.0})
    proven = converted_hour(NOX, some_rules(), nox, block({range(6): 12.25, range(6, 60): 3.5}), 3.5, ALL)
    assert proven.lower_bound == pytest.approx((6 * 4000 + 54 * 40) / 60)
    in_air = converted_hour(NOX, some_rules(), nox, block({range(6): 21.0, range(6, 60): 3.5}), 3.5, ALL)
    assert (in_air.is_over_range, in_air.mean) == (False, 40.0)
    unknown = converted_hour(NOX, some_rules(), nox, block({range(6, 60): 3.5}), 3.5, ALL)
    assert (unknown.is_over_range, unknown.lower_bound) == (True, None)


def test_rate_is_mean_times_mean() -> None:
    """30 mg/m3 times 100,000 m3/h are 3 kg/h; 44 minutes of flow are too few."""
    flow = block({range(60): 100_000.0})
    assert rate_hour(NOX, some_rules(), NOX_HOUR, flow, 1e-6, ALL).mean == 3.0
    short = rate_hour(NOX, some_rules(), NOX_HOUR, block({range(44): 100_000.0}), 1e-6, ALL)
    assert short.parts < short.needed


def test_rate_takes_running_minutes_alone() -> None:
    """Minutes of a resting source are in neither mean."""
    ran = np.arange(MINUTES) >= 10
    nox = block({range(10): 0.0, range(10, 60): 30.0})
    flow = block({range(10): 0.0, range(10, 60): 100_000.0})
    assert rate_hour(NOX, some_rules(), nox, flow, 1e-6, ran).mean == 3.0


def test_rate_over_range_is_a_lower_bound() -> None:
    """Over-range concentration makes the rate at least the product with the range's end."""
    nox = block({range(6, 60): 20.0}, over={range(6): 2000.0})
    found = rate_hour(NOX, some_rules(), nox, block({range(60): 100_000.0}), 1e-6, ALL)
    assert found.is_over_range
    assert found.lower_bound == pytest.approx((6 * 2000 + 54 * 20) / 60 * 0.1)
