"""This module proves `plantmon outlook` as a person types it, and that a running daemon warns by itself."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from replay import Replay

from plantmon.feed.check import Message
from plantmon.plant import load_plant_text
from plantmon.store import alarms
from plantmon.store.database import Readers
from plantmon.times import MINUTE_MS
from simulators.service import Service, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

TEXT = """\
plant: {id: stack, name: Stack, timezone: Asia/Shanghai}
feeds: [{topic: "p/{outlet}/{point}", format: json}]
outlets:
  DA001:
    name: Stack
    kind: air
    points:
      nox: {quantity: nox, unit: mg/m3, interval: 60s, range: [0, 1000]}
      so2: {quantity: so2, unit: mg/m3, interval: 60s, range: [0, 1000]}
    limits:
      - {pollutant: so2, basis: concentration, max: 50 mg/m3, window: 1h, standard: permit}
      - {pollutant: nox, basis: concentration, max: 50 mg/m3, window: 1h, standard: permit}
"""
PLANT = load_plant_text(TEXT, "plant.yaml")
EIGHT = PLANT.time.parse("2026-03-03T08:00")
NOW = EIGHT + 37 * MINUTE_MS
CLOSED_PORT = 1  # no broker is needed


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give a stopped service at 08:37:20, with 37 minutes of NOx at 60 and SO2 at 40."""
    folder: Path = tmp_path_factory.mktemp("outlook")
    replay = Replay(folder, PLANT, EIGHT)
    replay.now_ms = NOW
    replay.take([
        Message(f"p/DA001/{name}", json.dumps({"ts": at, "value": value}).encode(), NOW)
        for at in range(EIGHT, NOW, MINUTE_MS)
        for name, value in (("nox", 60.0), ("so2", 40.0))
    ])  # fmt: skip
    replay.settle()
    replay.store.close()
    one = Service(folder, TEXT, CLOSED_PORT, CLOCK__START="2026-03-03T08:37:20")
    yield one
    if one.is_running:
        one.stop()


def test_worst_comes_first(service: Service) -> None:
    """NOx, heading for 60, stands before SO2; the rest may have (3000 - 37 x 60) / 23 and (3000 - 37 x 40) / 23."""
    nox, so2 = json.loads(service.run("outlook", "--format", "json").stdout)
    assert [str(one["limit"]).split("/")[1] for one in (nox, so2)] == ["nox", "so2"]
    assert (nox["state"], so2["state"]) == ("heading_over", "within")
    assert (nox["so far"], nox["projected"], nox["bound"], nox["unit"]) == (60.0, 60.0, 50.0, "mg/m3")
    assert (nox["from"], nox["to"]) == ("2026-03-03 08:00:00", "2026-03-03 09:00:00")
    assert nox["allowed for the rest"] == pytest.approx(780 / 23, rel=1e-11)
    assert so2["allowed for the rest"] == pytest.approx(1520 / 23, rel=1e-11)
    assert (nox["% in"], nox["minutes left"]) == (61.7, 23)


def test_other_formats_say_the_same(service: Service) -> None:
    """CSV has a line a window; a terminal gets six digits."""
    lines = list(csv.DictReader(io.StringIO(service.run("outlook", "--format", "csv").stdout)))
    assert [line["state"] for line in lines] == ["heading_over", "within"]
    assert "33.913 " in service.run("outlook").stdout


def test_running_daemon_warns(service: Service) -> None:
    """The daemon looks ahead by itself, and warns once of the window that is heading over its limit."""
    service.start(is_connected=False)
    with closing(Readers(service.store)) as readers:

        def warned() -> list[str]:
            with readers.snapshot() as connection:
                return [alarm.key for alarm in alarms.all_standing(connection, "outlook:")]

        assert eventually(warned, 20.0)
        assert warned() == ["outlook:DA001/nox/concentration/1h/permit/-"]
    assert service.stop() == 0


def test_no_store_is_said(tmp_path: Path) -> None:
    """Before the daemon ever ran there is nothing to look at, and the command says so."""
    found = Service(tmp_path, TEXT, CLOSED_PORT).run("outlook")
    assert found.returncode == 1
    assert "no store" in found.stderr
