"""This module proves that the contract's files, kept here byte for byte, and those of config/ load as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from plantmon.plant import load_plant
from plantmon.settings import load_settings

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
