"""This module proves what people type about meters, beside a running daemon and without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from story import Story

from plantmon.plant import load_plant_text
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS
from simulators.service import Service, eventually, plant_clock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

TEXT = """\
plant: {id: p, name: {en: Works, zh: 一厂}, timezone: Asia/Shanghai}
feeds:
  - {topic: "p/meter/{meter}", format: json, qos: 1}
meters:
  W-MAIN: {quantity: water, unit: m3, role: purchased, interval: 1h}
  W-NORTH: {quantity: water, unit: m3, parent: W-MAIN, interval: 1h, max_rate: 50 m3/h}
  W-REST: {quantity: water, unit: m3, formula: W-MAIN - W-NORTH}
  E-MAIN: {quantity: electricity, kind: rate, unit: kW, interval: 15min}
tariff: {peak: ["08:00-12:00"], valley: ["23:00-07:00"]}
shifts: {day: "08:00-20:00"}
"""
PLANT = load_plant_text(TEXT, "plant.yaml")
MONDAY = PLANT.time.parse("2020-03-02")
SPAN = ("--from", "2020-03-02", "--to", "2020-03-03", "--format", "json")
CLOSED_PORT = 1  # no broker is needed


def a_service(tmp_path: Path) -> Service:
    """Give a service after a Monday on which the northern meter was replaced at 10:30."""
    one = Service(tmp_path, TEXT, CLOSED_PORT, **plant_clock("2020-03-03T09:00:00+08:00"))
    story = Story(tmp_path, PLANT)
    rows = [(MONDAY + hour * HOUR_MS, "W-MAIN", 10.0 * hour, "N") for hour in range(26)]
    rows += [
        (MONDAY + hour * HOUR_MS, "W-NORTH", (9000 if hour <= 10 else 700) + 4.0 * hour, "N") for hour in range(26)
    ]
    rows += [(MONDAY + quarter * 15 * MINUTE_MS, "E-MAIN", 8.0, "N") for quarter in range(100)]
    story.send(rows, MONDAY + DAY_MS + HOUR_MS)
    story.settle(MONDAY + DAY_MS + 4 * HOUR_MS)
    story.close()
    return one


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Give a service that does not run."""
    return a_service(tmp_path_factory.mktemp("still"))


@pytest.fixture(params=["running", "stopped"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Give a service, running or stopped, to write to."""
    one = a_service(tmp_path)
    if request.param == "running":
        one.start(is_connected=False)
    try:
        yield one
    finally:
        if one.is_running:
            one.stop()


def told(service: Service, *arguments: str) -> str:
    """Give what a command prints."""
    done = service.run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def north(service: Service) -> float:
    """Give what the northern meter counted on Monday."""
    return next(row["amount"] for row in json.loads(told(service, "meters", *SPAN)) if row["meter"] == "W-NORTH")


def settled(service: Service) -> None:
    """Let what was declared be computed; without a daemon a recompute does it."""
    if not service.is_running:
        told(service, "recompute", "--from", "2020-03-02", "--to", "2020-03-04")


def test_a_change_is_declared_listed_and_withdrawn(service: Service) -> None:
    """Undeclared 92 m3 are counted; declared the hour of the change counts its 4 (2 to 9042, 2 from 742), too."""
    assert north(service) == 92
    words = (
        "W-NORTH",
        "--at",
        "2020-03-02 10:30",
        "--final",
        "9042",
        "--initial",
        "742",
        "--serial",
        "SN-7",
        "--by",
        "Li",
    )
    assert "serial number SN-7" in told(service, "meter", "change", *words)
    settled(service)
    assert eventually(lambda: north(service) == 96)
    [entry] = json.loads(told(service, "meter", "list", "--format", "json"))
    assert (entry["meter"], entry["serial"], entry["state"], entry["by"]) == ("W-NORTH", "SN-7", "standing", "Li")
    assert "换表 1" in told(service, "--lang", "zh", "meter", "withdraw", "1", "--by", "Li")
    settled(service)
    assert eventually(lambda: north(service) == 92)
    states = [entry["state"] for entry in json.loads(told(service, "meter", "list", "--format", "json"))]
    assert states == ["withdrawn", "withdrawal"]


def test_what_cannot_be_meant_is_refused(still: Service) -> None:
    """The command ends with 1 and one sentence that names what is wrong; nothing is kept."""
    words = ("W-NORTH", "--at", "noon", "--final", "1", "--initial", "0", "--serial", "S", "--by", "Li")
    done = still.run("meter", "change", *words)
    assert (done.returncode, "--at: noon is no time" in done.stderr) == (1, True)
    assert "no change" in told(still, "meter", "list")


def test_what_meters_counted(still: Service) -> None:
    """The tree, the tariff, the shifts and the demand, as JSON and as a table in Chinese."""
    rows = {row["meter"]: row for row in json.loads(told(still, "meters", *SPAN))}
    assert (rows["W-MAIN"]["amount"], rows["W-MAIN"]["children"], rows["W-MAIN"]["unexplained"]) == (240, 92, 148)
    assert rows["W-NORTH"]["events"] == "replaced 1"
    assert rows["W-REST"]["amount"] == 148
    [tariff] = json.loads(told(still, "meters", "tariff", *SPAN))
    assert (tariff["meter"], tariff["peak"], tariff["valley"], tariff["flat"]) == ("E-MAIN", 32, 64, 96)
    shifts = {row["meter"]: row for row in json.loads(told(still, "meters", "shifts", "W-MAIN", *SPAN))}
    assert (shifts["W-MAIN"]["day"], shifts["W-MAIN"]["no shift"]) == (120, 120)
    [demand] = json.loads(told(still, "meters", "demand", *SPAN))
    assert (demand["demand"], demand["unit"], demand["length"]) == (8, "kW", "15min")
    assert "差额" in told(still, "--lang", "zh", "meters", "--from", "2020-03-02", "--window", "1d")
    assert "time" in told(still, "query", "W-REST")
