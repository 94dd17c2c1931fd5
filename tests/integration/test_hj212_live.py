"""This module proves that HJ 212 frames reach the store through a real broker and the real daemon."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from plantmon.times import HOUR_MS, MINUTE_MS
from simulators.brokers import Mosquitto
from simulators.faults import Delivery
from simulators.loadgen import Loadgen
from simulators.messages import hj212_means, hj212_message
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

MN = "A12345678901234567890001"
PLANT = SimulatedPlant()
TEXT = plant_file(PLANT).replace("outlets:\n", '  - {topic: "hj212/{mn}", format: hj212, qos: 1}\n\noutlets:\n', 1)
TEXT = TEXT.replace("  DA001:\n", f"  DA001:\n    mn: {MN}\n", 1)
MINUTES = 70


def test_frames_are_read_stored_and_compared(tmp_path: Path) -> None:
    """Every simulated reading stands in the store as it was measured; the hour's own mean raises its alarm."""
    now_ms = time.time_ns() // MINUTE_MS // 1_000_000 * MINUTE_MS
    hour = now_ms // HOUR_MS * HOUR_MS - 2 * HOUR_MS
    points = [point.id for point in PLANT.points() if point.outlet == "DA001"]
    readings = [one for one in PLANT.readings(hour, hour + MINUTES * MINUTE_MS, points) if one.ts_ms % MINUTE_MS == 0]
    deliveries = [Delivery(one.ts_ms, *one) for one in readings]
    frames = [
        hj212_message(PLANT, MN, at, [one for one in deliveries if one.ts_ms == at])
        for at in sorted({one.ts_ms for one in deliveries})
    ]
    means = hj212_means(PLANT, MN, hour, {"DA001.nox": 1_000.0})
    broken = (frames[0][0], frames[0][1].replace(b"a21002-Rtd", b"a21002-Rtx"))
    with Mosquitto("fast") as broker, Service(tmp_path, TEXT, broker.port) as service:
        assert Loadgen("127.0.0.1", broker.port, [*frames, frames[-1], means, broken]).run(limit_s=30).acknowledged
        assert eventually(lambda: service.stored() >= len(readings) and service.count("rejected"), 20)
        stored = service.query(
            "SELECT r.ts, p.name, r.value, r.flag FROM reading r JOIN point p ON p.id = r.point ORDER BY 1, 2"
        )
        expected = sorted((one.ts_ms, one.point, one.value) for one in readings)
        assert [row[:2] for row in stored] == [row[:2] for row in expected]
        assert [row[2] for row in stored] == pytest.approx([row[2] for row in expected], rel=1e-9)
        assert {row[3] for row in stored} == {0}
        assert (service.count("repeats"), service.count("rejected")) == (len(points), 1)
        assert service.query("SELECT reason FROM rejected") == [("undecodable",)]
        assert eventually(lambda: "reported_differs" in service.standing(), 20)
        done = service.run("query", "DA001.nox", "--window", "1h", "--from", "2020-01-01", "--format", "json")
        rows = [row for row in json.loads(done.stdout) if row["reported"] is not None]
        assert [row["reported"] for row in rows] == [1000.0]
