"""This module feeds the simulated quarter hour by hour, with a restart every day: the same register, bit for bit."""

from __future__ import annotations

import pytest
from quarter_story import COMPUTED, QuarterRun

from simulators.quarter import Quarter


def test_hour_by_hour_with_restarts(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fed live, a new pipeline each day and people declaring in due time, it ends as if fed by the day."""
    quarter = Quarter()
    runs = []
    for name in ("by_day", "by_hour"):
        run = QuarterRun(tmp_path_factory.mktemp(name), quarter)
        batches = quarter.in_order() if name == "by_day" else quarter.hour_by_hour()
        run.feed(batches, declaring=True, restart_every=0 if name == "by_day" else 24)
        run.finish()
        runs.append(run.computed())
    for table in COMPUTED:
        assert runs[0][table] == runs[1][table], table
