"""This module proves that the contract's files, kept here byte for byte, and those of config/ load as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from plantmon.ledger.sheet import read_sheet
from plantmon.ledger.take import TAKES
from plantmon.plant import load_plant
from plantmon.settings import load_settings
from plantmon.store import ledger
from plantmon.store.database import Store

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLANTMON_CONFIG", "PLANTMON_LANG", "PLANTMON_SECRETS_DIR", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("folder", [HERE, ROOT / "config"], ids=["contract", "config"])
def test_plant_file_loads(folder: Path) -> None:
    """The plant file loads with all its outlets, meters, limits and feeds."""
    plant = load_plant(folder / "plant.yaml")
    assert list(plant.outlets) == ["DA001", "DA002", "DW001", "N1"]
    assert [id for id, point in plant.points.items() if point.register] == [
        "E-MAIN",
        "E-PAINT",
        "E-PV",
        "W-MAIN",
        "W-NORTH",
        "G-MAIN",
        "LINE-1",
    ]
    assert len(plant.points) == 21
    assert len(plant.limits) == 16
    assert [feed.format for feed in plant.feeds] == ["json", "json", "json", "json-batch", "hj212"]


@pytest.mark.parametrize("folder", [HERE, ROOT / "config"], ids=["contract", "config"])
def test_settings_load(folder: Path) -> None:
    """The settings load, and their paths lie in the settings file's folder."""
    settings = load_settings(folder / "plantmon.toml")
    assert settings.plant.file == folder / "plant.yaml"
    assert settings.store.path == folder / "plantmon.db"
    assert settings.mqtt.client_id == "plantmon-cq-truck"
    assert settings.web.port == 8460
    assert settings.influx is None


def test_ledger_is_taken_in(tmp_path: Path) -> None:
    """The ledger file is taken in whole for the contract's plant, each line in its item's unit."""
    plant = load_plant(HERE / "plant.yaml")
    sheet = read_sheet("ledger.csv", (HERE / "ledger.csv").read_bytes(), "en")
    rows = [{"line": line.number, "cells": line.cells, "extra": line.extra} for line in sheet.lines]
    body = {"file": "ledger.csv", "sha256": sheet.sha256, "rows": rows, "dry": False, "language": "en"}
    now_ms = plant.time.parse("2021-01-01")
    store = Store(tmp_path / "plantmon.db")
    answer = store.write(lambda connection: TAKES["ledger_import"](connection, plant, {}, body, "li", now_ms))
    assert (answer["new"], answer["notes"]) == (5, [])
    kept = ledger.standing(store.readers.connection(), 0, now_ms)
    assert [(line.period, line.item, str(line.value), line.unit) for line in kept] == [
        ("2020", "diesel", "1389259", "L"),
        ("2020", "gasoline", "86964.15", "L"),
        ("2020", "packing.wood", "916.38", "m3"),
        ("2020-01", "waste.hazardous", "60.21", "t"),
        ("2020-02-14", "lab.DA002.nmhc", "11.8", "mg/m3"),
    ]
    store.close()
