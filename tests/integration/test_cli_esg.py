"""This module proves `plantmon report`, `explain` and `compare` as a person types them, published figures too."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from story import Story

from plantmon.plant import load_plant_text
from plantmon.times import HOUR_MS
from simulators.service import Service, plant_clock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

TEXT = """\
plant: {id: p, name: {en: Works, zh: 一厂}, timezone: Asia/Shanghai}
feeds:
  - {topic: "p/meter/{meter}", format: json, qos: 1}
meters:
  E-MAIN: {quantity: electricity, unit: kWh, role: purchased, interval: 1h}
  E-PAINT: {quantity: electricity, unit: kWh, role: sub, parent: E-MAIN, interval: 1h}
esg:
  denominators:
    vehicle: {ledger: production.vehicle, unit: pcs, name: {en: vehicle, zh: 辆}}
  targets:
    - {metric: electricity.purchased, per: vehicle, max: 100 kWh, year: 2020}
"""
PLANT = load_plant_text(TEXT, "plant.yaml")
FIRST = PLANT.time.parse("2020-03-02")
HOURS = 96  # four days: 100 kWh an hour on two of them, then 80; the paint shop takes a quarter
LEDGER = """\
period,item,value,unit,source,note
2020-03-02,production.vehicle,30,pcs,line report 1,
2020-03-03,production.vehicle,20,pcs,line report 2,
2020-03-04,production.vehicle,30,pcs,line report 3,
2020-03-05,production.vehicle,20,pcs,line report 4,
2020-03,diesel,1000,L,fuel depot ledger,
"""
TOTAL = 48 * 100 + 48 * 80
CLOSED_PORT = 1  # no broker is needed
MARCH = ("--period", "2020-03")


def a_service(folder: Path) -> Service:
    """Give a service that stands still, in April, after four days of March and their ledger."""
    one = Service(folder, TEXT, CLOSED_PORT, **plant_clock("2020-04-02T09:00:00+08:00"))
    story = Story(folder, PLANT)
    shown, rows = 5000.0, []
    for hour in range(HOURS + 1):
        rows += [(FIRST + hour * HOUR_MS, "E-MAIN", shown, "N"), (FIRST + hour * HOUR_MS, "E-PAINT", shown / 4, "N")]
        shown += 100 if hour < HOURS // 2 else 80
    story.send(rows, FIRST + HOURS * HOUR_MS)
    story.settle(FIRST + (HOURS + 3) * HOUR_MS)
    story.close()
    file = folder / "ledger.csv"
    file.write_text(LEDGER, encoding="utf-8")
    told(one, "ledger", "import", str(file), "--by", "Li")
    return one


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Give a service to read from."""
    return a_service(tmp_path_factory.mktemp("still"))


@pytest.fixture(params=["running", "stopped"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Give a service, running or stopped, to publish at."""
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
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(service: Service, *arguments: str) -> dict[str, Any]:
    """Give what a command prints as JSON, its numbers exact."""
    found: dict[str, Any] = json.loads(told(service, *arguments, "--format", "json"), parse_float=Decimal)
    return found


def metric(found: dict[str, Any], id: str) -> dict[str, Any]:
    """Find a metric of a report."""
    return next(one for one in found["metrics"] if one["id"] == id)


def test_a_month_as_json(still: Service) -> None:
    """A monthly edition has exact sums, intensities by the ledger's vehicles, and reasons for what nobody measured."""
    done = still.run("report", *MARCH, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout, parse_float=Decimal)
    assert (found["plant"], found["year"], found["period"], found["previous_period"]) == ("p", 2020, "2020-03", None)
    power = metric(found, "electricity.purchased")
    assert (power["value"], power["unit"], power["per"]["vehicle"]) == (TOTAL, "kWh", Decimal("86.4"))
    assert power["coverage"]["measured"] == pytest.approx(Decimal(4) / 31)
    assert power["targets"][0]["met"] is True
    diesel = metric(found, "energy.diesel")
    # 1000 L x 0.84 kg/L x 1.4571 kgce/kg
    assert diesel["value"] == Decimal("1.223964")
    assert {one["id"] for one in diesel["factors"]} == {"fuel.diesel.density", "coal.diesel"}
    assert (metric(found, "steel")["value"], metric(found, "steel")["reason"]) == (None, "no_ledger")
    assert [meter["id"] for meter in found["meters"]] == ["E-MAIN", "E-PAINT", ""]
    assert [meter["value"] for meter in found["meters"]] == [TOTAL, TOTAL // 4, TOTAL * 3 // 4]


def test_previous_is_shown_where_there_is_one(still: Service) -> None:
    """A period that is asked for is beside the figures though nothing is known of it; `none` leaves it out."""
    assert read(still, "report", *MARCH, "--previous", "2019-03")["previous_period"] == "2019-03"
    assert read(still, "report", *MARCH, "--previous", "none")["previous_period"] is None
    beside = read(still, "report", "--period", "2020-04", "--previous", "2020-03")
    assert metric(beside, "electricity.purchased")["previous"] == TOTAL


@pytest.mark.parametrize(
    ("form", "begins"), [("xlsx", b"PK\x03\x04"), ("html", b"<!DOCTYPE html>"), ("pdf", b"%PDF-"), ("csv", b"id,")]
)
def test_files_are_written_whole(still: Service, tmp_path: Path, form: str, begins: bytes) -> None:
    """Each form is written to a file that is whole when it is there, with nothing beside it."""
    out = tmp_path / f"march.{form}"
    out.write_bytes(b"earlier")
    done = still.run("report", *MARCH, "--format", form, "--lang", "both", "--out", str(out))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert str(out) in done.stderr
    assert out.read_bytes().startswith(begins)
    assert [file.name for file in tmp_path.iterdir()] == [out.name]


def test_every_form_has_the_same_figure(still: Service, tmp_path: Path) -> None:
    """Text, page, CSV and workbook say one value and one unit, each as its readers need it."""
    assert "8,640" in told(still, "report", *MARCH)
    assert "8,640" in told(still, "report", *MARCH, "--format", "html", "--lang", "zh")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(told(still, "report", *MARCH, "--format", "csv")))}
    power = rows["electricity.purchased"]
    assert (power["value"], power["unit"], power["per.vehicle"]) == ("8640", "kWh", "86.4")
    out = tmp_path / "march.xlsx"
    told(still, "report", *MARCH, "--format", "xlsx", "--out", str(out))
    sheet = openpyxl.load_workbook(out)["Figures"]
    assert [row[3].value for row in sheet.iter_rows() if row[0].value == "electricity.purchased"] == [8640]


def test_a_binary_form_is_not_put_on_a_terminal(still: Service) -> None:
    """A workbook without a file is refused where a person would see it, with the way out."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        still.command("report", *MARCH, "--format", "xlsx"),
        env=still.environment, stdout=theirs, stderr=subprocess.PIPE, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 1
    assert b"--out" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report",), "--year 2020"),
        (("report", "--period", "2020-13"), "2020-13 is no period"),
        (("explain", "ghg.scope", *MARCH), "no metric ghg.scope"),
        (("explain", "diesel", *MARCH, "--per", "engine"), "no denominator engine; there are: vehicle"),
        (("compare", "E-MAIN", "--before", "2020", "--after", "2020-03-04..2020-03-05"), "2020 is no span of days"),
        (("compare", "E-NONE", "--before", "2020-03-02..2020-03-03", "--after", "2020-03-04..2020-03-05"), "E-NONE"),
        (("report", *MARCH, "--publish"), "--by"),
        (("report", *MARCH, "--format", "csv", "--out", "/nonexistent/x.csv"), "/nonexistent/x.csv"),
    ],
)
def test_what_cannot_be_done_is_said(still: Service, arguments: tuple[str, ...], words: str) -> None:
    """A wrong period, metric, denominator, span or file is one sentence and exit code 1."""
    done = still.run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_figure_explains_itself_down_to_its_readings(still: Service) -> None:
    """Days add up to the figure, hours to their day, and the readings around an hour say when they arrived."""
    days = read(still, "explain", "electricity.purchased", *MARCH, "--depth", "day")["derivation"]
    (meter,) = [term for term in flat(days) if term["kind"] == "meter"]
    assert [term["value"] for term in meter["terms"] if term["value"]] == [2400, 2400, 1920, 1920]
    span = ("--from", "2020-03-04 07:00", "--to", "2020-03-04 08:00")
    deep = read(still, "explain", "electricity.purchased", *MARCH, "--depth", "reading", *span)["derivation"]
    (hour,) = [term for term in flat(deep) if term["kind"] == "hour"]
    assert (hour["from"], hour["value"]) == ("2020-03-04T07:00:00+08:00", 80)
    values = [term["value"] for term in hour["terms"]]
    assert values[-1] - values[-2] == 80 or values[1] - values[0] == 80
    assert all(any(note.startswith("arrived:") for note in term["notes"]) for term in hour["terms"])


def flat(term: dict[str, Any]) -> list[dict[str, Any]]:
    """Give all terms of a derivation."""
    return [term, *(one for part in term.get("terms", ()) for one in flat(part))]


def test_a_derivation_reads_as_a_tree(still: Service) -> None:
    """The text names terms, factors with their documents, and ledger lines with theirs; in Chinese too."""
    text = told(still, "explain", "energy.diesel", *MARCH)
    assert text.splitlines()[0].startswith("diesel in standard coal: 1.223964 tce")
    assert "fuel depot ledger" in text
    assert "coal.diesel" in text
    assert "柴油折标准煤" in told(still, "--lang", "zh", "explain", "energy.diesel", *MARCH, "--per", "vehicle")


def test_before_and_after_a_saving_project(still: Service) -> None:
    """Per vehicle 96 and 76.8 kWh: 50 vehicles would have taken 960 kWh more at the earlier intensity."""
    spans = ("--before", "2020-03-02..2020-03-03", "--after", "2020-03-04..2020-03-05", "--per", "vehicle")
    found = read(still, "compare", "E-MAIN", *spans)
    assert (found["before"]["value"], found["after"]["value"]) == (4800, 3840)
    assert (found["before"]["per"], found["after"]["per"]) == (96, Decimal("76.8"))
    assert (found["change"], found["saved"]) == (Decimal("-0.2"), 960)
    text = told(still, "compare", "electricity.purchased", *spans)
    assert "−20.0 %" in text
    assert "Saved after: 960 kWh" in text


def test_a_published_month_keeps_its_figures(service: Service) -> None:
    """What was published is printed again whatever is entered later; a restatement says what changed and why."""
    done = service.run("report", *MARCH, "--publish", "--by", "Zhang", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert "2020-03 is published" in done.stderr
    first = json.loads(done.stdout)
    assert "sha256:" in first["published"]
    late = ("--period", "2020-03", "--value", "12.5", "--unit", "t", "--source", "late bill", "--by", "Li")
    told(service, "ledger", "add", "steel", *late)
    again = read(service, "report", *MARCH)
    assert metric(again, "steel")["value"] is None
    assert again["published"] == first["published"]
    refused = service.run("report", *MARCH, "--publish", "--by", "Zhang")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--reason" in refused.stderr
    done = service.run(
        "report", *MARCH, "--publish", "--by", "Zhang", "--reason", "steel came late", "--format", "json"
    )
    assert done.returncode == 0, done.stderr
    assert "1 figures changed" in done.stderr
    restated = json.loads(done.stdout, parse_float=Decimal)
    assert metric(restated, "steel")["value"] == Decimal("12.5")
    (one,) = restated["restated"]
    assert (one["metric"], one["old"], one["new"], one["reason"]) == ("steel", None, Decimal("12.5"), "steel came late")
    assert "steel came late" in told(service, "report", *MARCH, "--format", "html")
