"""This module proves that one plant may be taken in by several daemons over one broker, each with its own outlets."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.many_plants import check, daemons, interleaved
from simulators.areas import INTERVAL_MS, Area
from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.service import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

PARTS, OUTLETS, INSTANTS = 4, 2, 30


def test_four_daemons_share_a_broker(tmp_path: Path) -> None:
    """Each of four parts stores every reading of its outlets and meters, and none of another's; one may go away."""
    parts = [Area(f"part-{number}", OUTLETS) for number in range(PARTS)]
    start_ms = time.time_ns() // 1_000_000 - 2 * INSTANTS * INTERVAL_MS
    with Mosquitto("fast") as broker, daemons(parts, tmp_path, broker, None) as services:
        Loadgen("127.0.0.1", broker.port, interleaved(parts, start_ms, INSTANTS)).run(limit_s=30)
        assert eventually(lambda: [one.count() for one in services] == [parts[0].points * INSTANTS] * PARTS)
        services[2].kill9()
        more = interleaved(parts, start_ms + INSTANTS * INTERVAL_MS, INSTANTS)
        Loadgen("127.0.0.1", broker.port, more).run(limit_s=30)
        services[2].start()
        assert eventually(lambda: [one.count() for one in services] == [2 * parts[0].points * INSTANTS] * PARTS)
        check(parts, services, 2 * INSTANTS)
        outlets = {row[0] for row in services[0].query("SELECT name FROM point")}
        assert len(outlets) == parts[0].points
