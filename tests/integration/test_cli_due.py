"""This module proves `plantmon due` and `plantmon reported` as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from plantmon.plant.load import load_plant
from plantmon.store import declarations, points
from plantmon.store.database import Store
from plantmon.times import PlantTime
from simulators.service import Service, plant_clock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
TEXT = """\
plant: {id: due, name: {en: Due plant, zh: 期限工厂}, timezone: Asia/Shanghai}
outlets:
  DA001:
    name: Stack
    kind: air
    points:
      nox: {quantity: nox, unit: mg/m3, interval: 60s, calibration: 7d}
reporting: {quarterly: 15d}
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Give a stopped service on the 10th of April, whose store knows a calibration and a reading of March."""
    service = Service(tmp_path, TEXT, 9, **plant_clock("2026-04-10T08:00:00"))
    store, plant = Store(service.store), load_plant(service.plant_file)
    march = TIME.parse("2026-03-20 07:00")
    numbers = store.write(lambda connection: points.register_points(connection, plant, march))
    number = numbers["DA001.nox"]
    store.write(lambda connection: points.note_spoken(connection, [(number, march, march, march)]))
    store.write(
        lambda connection: declarations.add_calibration(
            connection, plant.time, number, TIME.parse("2026-04-04 07:00"), 0.3, 98.7, "pass", "li", None, march
        )
    )
    store.close()
    yield service
    service.stop()


def test_due_lists_what_runs(service: Service) -> None:
    """Each deadline has its beginning, the time it is warned from, and its end, in both languages."""
    rows = json.loads(service.run("due", "--format", "json").stdout)
    assert [tuple(row.values()) for row in rows] == [
        ("calibrate", "DA001.nox", "2026-04-04 07:00:00", "2026-04-10 14:12:00", "2026-04-11 07:00:00", "runs"),
        ("hand in the execution report", "2026-Q1", "2026-01-01 00:00:00", "2026-04-06 00:00:00",
         "2026-04-16 00:00:00", "due soon"),
    ]  # fmt: skip
    assert "提交执行报告" in service.run("--lang", "zh", "due").stdout


def test_a_report_is_handed_in(service: Service) -> None:
    """Once it is noted the report is asked for no more; in small letters the quarter is the same."""
    done = service.run("reported", "2026-q1", "--at", "2026-04-09", "--by", "Li", "--note", "platform")
    assert (done.returncode, done.stdout.strip()) == (
        0, "entry 1: the report of 2026-Q1 was handed in at 2026-04-09 00:00:00",
    )  # fmt: skip
    assert [row["of"] for row in json.loads(service.run("due", "--format", "json").stdout)] == ["DA001.nox"]
    assert service.query("SELECT period, by, note FROM handed_in") == [("2026-Q1", "Li", "platform")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2026-Q5", "--at", "2026-04-09"), "2026-Q5 is no period"),
        (("2026-Q1", "--at", "soon"), "soon is no time"),
        (("2026-Q1", "--at", "2026-04-11"), "lies ahead"),
        (("2026-Q1", "--at", "2026-03-31"), "before the end of 2026-Q1"),
    ],
)
def test_what_is_refused(service: Service, arguments: tuple[str, ...], said: str) -> None:
    """A wrong period or time is refused with its reason and exit code 1."""
    done = service.run("reported", *arguments, "--by", "Li")
    assert done.returncode == 1
    assert said in done.stderr
