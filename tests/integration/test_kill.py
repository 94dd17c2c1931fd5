"""This module proves the delivery over kills; `benchmarks/kill.py` runs the same with 200,000 readings."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kill import run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

READINGS = 6_000
RATE_PER_S = 1_000


def test_every_reading_is_stored_once_over_kills_of_the_daemon(tmp_path: Path) -> None:
    """With the daemon killed 4 times, also while it catches up, each numbered reading is in the store exactly once."""
    course = run(tmp_path, READINGS, together=1, daemon_kills=4, rate_per_s=RATE_PER_S)
    assert course.kills == 4
    assert course.kills_behind >= 1
    assert (course.stored, course.rows, course.wrong, course.rejected) == (READINGS, READINGS, 0, 0)
    assert not course.missing


def test_only_what_the_broker_forgot_is_missing_over_its_kill(tmp_path: Path) -> None:
    """With the broker killed, at most the one message is missing that it acknowledged and had not saved."""
    course = run(tmp_path, READINGS, together=1, broker_kills=1, rate_per_s=RATE_PER_S)
    assert course.kills == 1
    assert len(course.missing - course.lost_plain) <= course.kills
    assert course.wrong == 0
    assert course.rows == course.stored
