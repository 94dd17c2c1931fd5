"""This module proves the register, the fault clock and the reports as a person types them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from story import Story

from plantmon.plant import load_plant_text
from plantmon.times import HOUR_MS, MINUTE_MS
from simulators.service import Service, plant_clock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

TEXT = """\
plant:
  id: p
  name: {en: Works, zh: 一厂}
  timezone: Asia/Shanghai
  permit: 91500000EXAMPLE001P
feeds:
  - {topic: "p/{outlet}/{point}", format: json, qos: 1}
outlets:
  DA001:
    name: {en: Boiler stack, zh: 锅炉排气筒}
    kind: air
    points:
      nox: {quantity: nox, unit: mg/m3, interval: 60s, range: [-5, 500]}
    limits:
      - {pollutant: nox, basis: concentration, max: 50 mg/m3, window: 1h, standard: permit}
alarms:
  recipients:
    ehs: {email: [ehs@example.com], severity: [breach]}
  fault_clock: {report_within: 12h, repair_within: 5 workdays}
calendar: {holidays: [2020-03-03]}
"""
PLANT = load_plant_text(TEXT, "plant.yaml")
MONDAY = PLANT.time.parse("2020-03-02")
LIMIT = "DA001/nox/concentration/1h/permit/-"
SPAN = ("--from", "2020-03-02", "--to", "2020-03-03")
CLOSED_PORT = 1  # no broker is needed


def a_service(folder: Path) -> Service:
    """Give a service after a Monday with two hours in breach and three without the monitor."""
    one = Service(folder, TEXT, CLOSED_PORT, **plant_clock("2020-03-03T09:00:00+08:00"))
    story = Story(folder, PLANT)
    for hour in range(24):
        flag = "D" if 14 <= hour < 17 else "N"
        story.hour("DA001.nox", MONDAY + hour * HOUR_MS, 60.0 if hour in (9, 10) else 40.0, flag)
    story.settle(MONDAY + 24 * HOUR_MS + 2 * MINUTE_MS)
    story.close()
    return one


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Give a service that does not run."""
    return a_service(tmp_path_factory.mktemp("still"))


@pytest.fixture(scope="module", params=["running", "stopped"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give a service, running or stopped, to write to."""
    one = a_service(tmp_path_factory.mktemp("reports"))
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


def test_exceedances_are_listed_and_noted(service: Service) -> None:
    """`register` lists the breach; notes are kept by the daemon or, without one, by the command; newest first."""
    [before] = json.loads(told(service, "register", *SPAN, "--format", "json"))
    assert (before["limit"], before["windows"], before["cause"]) == (LIMIT, 2, None)
    for cause, at in (("燃烧器故障", "2020-03-02 09:30"), ("=1+1", "2020-03-02 10:30")):
        answer = told(
            service, "register", "note", "nox", "--at", at, "--cause", cause, "--action", "检修", "--by", "王工"
        )
        assert LIMIT in answer
    [entry] = json.loads(told(service, "register", "list", *SPAN, "--format", "json"))
    assert (entry["cause"], entry["by"]) == ("=1+1", "王工")
    assert "燃烧器故障" in entry["earlier_notes"]
    assert "已登记说明" in told(service, "--lang", "zh", "register", "note", "nox", "--at", "2020-03-02 09:30",
                           "--cause", "again", "--action", "again", "--by", "li")  # fmt: skip
    assert told(service, "register", "--withdrawn").strip() == "No exceedance of that time was taken back."


@pytest.mark.parametrize(
    ("language", "words"), [("en", "no window at 2020-03-02 11:00:00 is exceeded"), ("zh", "没有超标时段")]
)
def test_a_note_to_nothing_is_refused(still: Service, language: str, words: str) -> None:
    """Where nothing was exceeded the command ends with 1 and one sentence."""
    done = still.run("--lang", language, "register", "note", "nox", "--at", "2020-03-02 11:00", "--cause", "x",
                       "--action", "y", "--by", "li")  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr


def test_faults_are_listed_and_reported(service: Service) -> None:
    """`faults` has the outage with its deadlines, the Tuesday being a holiday; `faults report` notes the report."""
    answer = told(
        service, "faults", "report", "DA001.nox", "--at", "2020-03-02 15:10", "--by", "li", "--note", "bureau"
    )
    assert "outage of DA001.nox since 2020-03-02 14:00:00" in answer
    [fault] = json.loads(told(service, "faults", *SPAN, "--format", "json"))
    assert (fault["from"], fault["lasted_h"]) == ("2020-03-02T14:00:00+08:00", 3)
    assert (fault["report_by"], fault["repair_by"]) == ("2020-03-03T02:00:00+08:00", "2020-03-11T00:00:00+08:00")
    assert (fault["reported_at"], fault["reported_by"]) == ("2020-03-02T15:10:00+08:00", "li")


def test_compliance_counts_verdicts_unless_told(still: Service) -> None:
    """Table and CSV count the windows of each limit; JSON has every part."""
    head, row = csv.reader(io.StringIO(told(still, "compliance", *SPAN, "--format", "csv")))
    counted = dict(zip(head, row, strict=True))
    assert [counted[name] for name in ("windows", "ok", "exceed", "not judged", "no data")] == [
        "24",
        "19",
        "2",
        "3",
        "3",
    ]
    assert LIMIT in told(still, "compliance", *SPAN)
    found = json.loads(told(still, "compliance", *SPAN, "--format", "json"))
    assert {"limits", "register", "withdrawn", "capture", "amounts", "caps", "declarations", "outages"} <= found.keys()


def test_reports_are_written_to_files(still: Service, tmp_path: Path) -> None:
    """`--output` writes a workbook and a page; what somebody typed is no formula and no markup."""
    for command in (("compliance", *SPAN), ("execution-report", "2020-03")):
        for form in ("xlsx", "html"):
            file = tmp_path / f"{command[0]}.{form}"
            done = still.run(*command, "--format", form, "--output", str(file), "--lang", "zh")
            assert (done.returncode, done.stdout) == (0, "")
            assert str(file) in done.stderr
    book = openpyxl.load_workbook(tmp_path / "compliance.xlsx")
    assert book.sheetnames[1:3] == ["限值判定统计", "超标台账"]
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert "<h1>排污许可证执行报告（月报）</h1>" in (tmp_path / "execution-report.html").read_text("utf-8")


def test_execution_report_of_a_month(still: Service) -> None:
    """The month's tables: nothing to weigh without a flow, one exceedance, one outage, and that it is not over."""
    found = json.loads(told(still, "execution-report", "2020-03", "--format", "json"))
    assert found["emitted"] == []
    assert [row["measured_value"] for row in found["exceedance_list"]] == [60.0]
    assert [row["what"] for row in found["downtime"]] == ["DA001.nox"]
    assert found["notices"]
    printed = told(still, "--lang", "zh", "execution-report", "2020-03")
    assert "达标判定分析" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("execution-report", "March"), "March is no period"),
        (("compliance", "--format", "xlsx"), "--output"),
        (("compliance", "--format", "html", "--output", "/nowhere/at/all.html"), "cannot be written"),
        (("register", "note", "nox", "--at", "soon", "--cause", "x", "--action", "y", "--by", "li"), "soon is no time"),
        (("faults", "report", "DA001.so2", "--at", "2020-03-02", "--by", "li", "--note", "x"), "no point DA001.so2"),
    ],
)
def test_what_is_refused(still: Service, arguments: tuple[str, ...], words: str) -> None:
    """A wrong request ends with 1 and one sentence."""
    done = still.run(*arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
