"""This module tells of permitted quantities that run out: each thing is said once, while something can be done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point
from story import FEEDS, Story

from plantmon.model.plant import Basis
from plantmon.model.verdict import Outcome
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
FEBRUARY = TIME.parse("2026-02-01")
HALF_HOUR = 30 * MINUTE_MS
NOX = a_point(interval_ms=HALF_HOUR)
FLOW = a_point("DA001.flow", quantity="gas_flow", unit="m3/h", interval_ms=HALF_HOUR, range_low=0.0, range_high=1e6)
CAP = a_limit(NOX, basis=Basis.MASS, window="1mo", maximum=2.8, unit="t", warn_at=0.8, key="cap")
PLANT = a_plant((NOX, FLOW), (CAP,), feeds=FEEDS)


@pytest.fixture(params=[False, True], ids=["", "restarted before every step"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """Give a stack with 2.8 t of NOx permitted in a month."""
    told = Story(tmp_path, PLANT, restarts=request.param)
    yield told
    told.close()


def days(story: Story, first: int, last: int, t_d: float) -> list[tuple[str, str]]:
    """Emit so many tonnes a day from one day of February to another; look every day; give what was said."""
    before = len(story.mails())
    for turn in range(first, last + 1):
        start = FEBRUARY + (turn - 1) * DAY_MS
        flow = t_d * 1e9 / 24 / 1000.0  # at 1000 mg/m3
        rows = [(at, name, value, "N") for at in range(start, start + DAY_MS, HALF_HOUR)
                for name, value in (("DA001.nox", 1000.0), ("DA001.flow", flow))]  # fmt: skip
        story.send(rows, start + DAY_MS)
        story.settle(start + DAY_MS + HOUR_MS + 2 * MINUTE_MS)
        story.pipeline.watch_caps(story.now_ms)
        story.settle(story.now_ms)
    return story.told()[before:]


def test_quantity_that_is_nearly_used_is_said_once(story: Story) -> None:
    """0.09 t a day come to 2.52 of 2.8 t: beyond 80 % on the 25th; at the month's end nothing more is said."""
    assert days(story, 1, 24, 0.09) == []  # 2.16 t; 80 % are 2.24
    assert days(story, 25, 25, 0.09) == [("raised", "cap_share")]
    assert days(story, 26, 31, 0.09) == []  # three days of March too
    verdict = story.verdict("cap", FEBRUARY)
    assert verdict is not None
    assert verdict.outcome is Outcome.WARN
    assert story.standing() == []


def test_quantity_that_is_exceeded(story: Story) -> None:
    """0.2 t a day: the pace is told on the first day, the share on the 12th, the breach when it is there, and alone."""
    assert days(story, 1, 11, 0.2) == [("raised", "cap_pace")]
    assert story.messages()[-1].facts["reached"] == "2026-02-15"  # 2.8 / 0.2 = 14 days
    assert days(story, 12, 12, 0.2) == [("raised", "cap_share")]
    assert days(story, 13, 15, 0.2) == [("raised", "breach")]
    assert story.standing() == ["breach:cap"]


def test_pace_that_is_slowed_in_time(story: Story) -> None:
    """A first week at 0.11 t a day points past 2.8 t; at 0.05 the warning ends once it points 2 % short of it."""
    assert days(story, 1, 7, 0.11) == [("raised", "cap_pace")]
    assert days(story, 8, 12, 0.05)[-1] == ("cleared", "cap_pace")
