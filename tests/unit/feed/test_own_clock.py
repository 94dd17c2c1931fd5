"""This module proves when our own clock is suspected."""

from __future__ import annotations

from builders import some_rules

from plantmon.feed.check import Batch
from plantmon.feed.own_clock import QUIET_S, WAIT_S, Finding, OwnClock
from plantmon.times import DAY_MS, HOUR_MS

NOW = 1_583_035_200_000
FUTURE_MS = some_rules().future_ms


def batch(*readings: tuple[int, int]) -> Batch:
    """Make a batch of (point, ms after now)."""
    return Batch(ts=[NOW + ms for _, ms in readings], point=[point for point, _ in readings])


def clock() -> OwnClock:
    """Give a clock nobody has vouched for."""
    return OwnClock(FUTURE_MS)


def test_three_points_ahead_hold() -> None:
    """Three points in the future, and nobody else right, mean that we are wrong."""
    assert clock().judge(batch((1, HOUR_MS), (2, HOUR_MS), (3, HOUR_MS)), NOW, 0) is Finding.CLOCK_WRONG


def test_one_point_ahead_waits_and_goes_on() -> None:
    """One point in the future waits a moment for more, and is then left to be refused."""
    judge = clock()
    assert judge.judge(batch((1, HOUR_MS)), NOW, 0) is Finding.WAIT
    assert judge.judge(batch((1, HOUR_MS)), NOW, WAIT_S - 0.1) is Finding.WAIT
    assert judge.judge(batch((1, HOUR_MS), (1, HOUR_MS + 1)), NOW, WAIT_S) is Finding.GO_ON


def test_one_right_point_vouches() -> None:
    """Where one point is at our time the three others are wrong, now and for a minute."""
    judge = clock()
    assert judge.judge(batch((1, HOUR_MS), (2, HOUR_MS), (3, HOUR_MS), (4, -1000)), NOW, 0) is Finding.GO_ON
    ahead = batch((1, HOUR_MS), (2, HOUR_MS), (3, HOUR_MS))
    assert judge.judge(ahead, NOW, QUIET_S) is Finding.GO_ON
    assert judge.judge(ahead, NOW, QUIET_S + 0.1) is Finding.CLOCK_WRONG


def test_old_readings_vouch_for_nothing() -> None:
    """A backlog from yesterday does not show that our clock is right."""
    judge = clock()
    assert judge.judge(batch((4, -DAY_MS)), NOW, 0) is Finding.GO_ON
    assert judge.judge(batch((4, -DAY_MS), *((point, HOUR_MS) for point in (1, 2, 3))), NOW, 1) is Finding.CLOCK_WRONG


def test_the_horizon_is_not_the_future() -> None:
    """Readings up to the allowed lead are right, and vouch."""
    judge = clock()
    assert judge.judge(batch(*((point, FUTURE_MS) for point in (1, 2, 3))), NOW, 0) is Finding.GO_ON
    assert judge.judge(batch(*((point, HOUR_MS) for point in (1, 2, 3))), NOW, 1) is Finding.GO_ON


def test_nothing_to_judge() -> None:
    """A batch of refusals alone goes on."""
    assert clock().judge(Batch(), NOW, 0) is Finding.GO_ON


def test_waiting_ends_when_the_clock_is_right_again() -> None:
    """After our clock was set a held batch goes on."""
    judge = clock()
    ahead = batch(*((point, HOUR_MS) for point in (1, 2, 3)))
    assert judge.judge(ahead, NOW, 0) is Finding.CLOCK_WRONG
    assert judge.judge(ahead, NOW + HOUR_MS, 1) is Finding.GO_ON
