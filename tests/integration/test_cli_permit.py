"""This module proves `plantmon permit` as a person types it, beside a running daemon and without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import partial

import pytest

from plantmon.plant import load_plant_text
from plantmon.store.database import Store
from plantmon.store.points import register_points
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

RIGHT = plant_file(SimulatedPlant())
WRONG = RIGHT.replace("max: 60 mg/m3", "max: 600 mg/m3")
TIME = load_plant_text(RIGHT, "plant.yaml").time
JANUARY, MARCH = TIME.midnight(date(2020, 1, 1)), TIME.midnight(date(2020, 3, 1))
CLOSED_PORT = 1  # no broker is needed
WORDS = ("--reason", "typing mistake", "--by", "li")


@pytest.fixture(scope="module", params=["running", "stopped"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give a service, running or stopped, that knows a version with a typing mistake and its correction."""
    one = Service(tmp_path_factory.mktemp("permit"), RIGHT, CLOSED_PORT)
    store = Store(one.store)
    for loaded_ms, text in ((JANUARY, WRONG), (MARCH, RIGHT)):
        plant = load_plant_text(text, "plant.yaml")
        store.write(partial(register_points, plant=plant, now_ms=loaded_ms))
    store.close()
    if request.param == "running":
        one.start(is_connected=False)
    try:
        yield one
    finally:
        if one.is_running:
            one.stop()


def _history(service: Service) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(service.run("permit", "history", "--format", "json").stdout)
    return found


@pytest.mark.parametrize(
    ("language", "arguments", "words"),
    [
        ("en", ("9", "--from", "2020-02-01", *WORDS), "no version 9"),
        ("zh", ("1", "--from", "2020-02-01", *WORDS), "首个版本"),
        ("en", ("new", "--from", "2020-02-01", *WORDS), "new is no version"),
        ("zh", ("2", "--from", "01.02.2020", *WORDS), "01.02.2020 不是日期"),
        ("en", ("2", "--from", "2020-02-01", "--reason", " ", "--by", "li"), "needs a reason"),
    ],
    ids=["unknown", "first", "no number", "no date", "no reason"],
)
def test_what_is_refused(service: Service, language: str, arguments: tuple[str, ...], words: str) -> None:
    """A wrong adoption ends with 1 and one sentence in the language asked for."""
    done = service.run("--lang", language, "permit", "adopt", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_correction_is_adopted_and_told(service: Service) -> None:
    """`adopt` puts the corrected version in force from a local day, and `history` says so, in every form."""
    told = [(row["version"], row["in force from"], row["adopted by"]) for row in _history(service)]
    assert told == [(1, None, None), (2, "2020-03-01 00:00:00", None)]
    done = service.run("permit", "adopt", "latest", "--from", "2020-02-01", *WORDS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("version 2 is in force from 2020-02-01; ")
    first, second = _history(service)
    assert (first["state"], first["until"]) == ("past", "2020-02-01 00:00:00")
    assert (second["state"], second["in force from"], second["adopted by"]) == ("in_force", "2020-02-01 00:00:00", "li")
    assert second["changes"] == "DA002/nmhc/concentration/1h/permit 2020/2020-01-01: max 600 -> 60"
    done = service.run("--lang", "zh", "permit", "history")
    assert "max 由 600 改为 60" in done.stdout
    assert service.run("permit", "history", "--format", "csv").stdout.count("\n") == 3


def test_latest_is_the_file_that_was_changed(service: Service) -> None:
    """A file changed since: a running daemon has not loaded it and says so; without one the command loads it first."""
    service.plant_file.write_text(RIGHT.replace("max: 60 mg/m3", "max: 61 mg/m3"), encoding="utf-8")
    assert "was changed" in service.run("permit", "history").stderr
    done = service.run("permit", "adopt", "latest", "--from", "2020-02-01", *WORDS)
    if service.is_running:
        assert done.returncode == 1
        assert "restart" in done.stderr
    else:
        assert done.stdout.startswith("version 3 is in force from 2020-02-01; ")
