"""This module proves `plantmon group` as a person types it, over report files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from group_story import a_statement, write_report

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

POWER = "electricity.purchased"
GROUP = """\
group: {id: trucks, name: {zh: 卡车集团, en: Truck group}, approach: equity}
plants:
  - {id: a, name: {zh: 甲厂, en: Works A}, share: 60 %, from: {report: "reports/a-*.json"}}
  - {id: b, name: {zh: 乙厂, en: Works B}, share: 75.5 %, from: {report: "reports/b-2020.json"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a group file and the reports of its plants."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "group.yaml").write_text(GROUP, encoding="utf-8")
    write_report(tmp_path / "reports" / "a-2020.json", a_statement("a", {POWER: "100.123456789012345"}, "10"))
    write_report(tmp_path / "reports" / "a-2019.json", a_statement("a", {POWER: "80"}, "8", period="2019"))
    write_report(tmp_path / "reports" / "b-2020.json", a_statement("b", {POWER: "200"}, "50", published=None))
    return tmp_path


def run(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[bytes]:
    """Run a command of the group; no settings file is needed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLANTMON_")}
    done = subprocess.run(
        [sys.executable, "-m", "plantmon", "group", "--config", str(folder / "group.yaml"), *arguments],
        capture_output=True, check=False, timeout=60, env={**inherited, "LC_ALL": "C.UTF-8"}, cwd=folder,
    )  # fmt: skip
    assert done.returncode == status, done.stderr.decode()
    return done


def test_report_in_every_form(folder: Path) -> None:
    """Each form is written; the JSON has the sum to its last digit, the plants, and no change while one lacks."""
    found = json.loads(run(folder, "report", "--year", "2020", "--format", "json").stdout, parse_float=Decimal)
    power = next(one for one in found["metrics"] if one["id"] == POWER)
    assert power["value"] == Decimal("100.123456789012345") * Decimal("0.6") + 151
    assert (found["group"], found["previous_period"], power["change"]) == ("trucks", "2019", None)
    assert power["previous"] == 48
    none = json.loads(run(folder, "report", "--year", "2020", "--previous", "none", "--format", "json").stdout)
    assert none["previous_period"] is None
    for form, begins in (("xlsx", b"PK"), ("html", b"<!DOCTYPE"), ("csv", b"id,"), ("table", "集团".encode())):
        out = folder / f"out.{form}"
        run(folder, "report", "--year", "2020", "--format", form, "--lang", "zh", "--out", str(out))
        assert out.read_bytes().lstrip().startswith(begins)


def test_explain(folder: Path) -> None:
    """A figure is shown plant by plant with shares and publication; an intensity over the plants that know both."""
    said = run(folder, "explain", POWER, "--year", "2020").stdout.decode()
    for part in ("equity share", "Works A: 60.074074073407407 kWh", "share: 60 %", "published 2021-01-20",
                 "not published", "100.0 % measured"):  # fmt: skip
        assert part in said
    found = json.loads(run(folder, "explain", POWER, "--year", "2020", "--per", "vehicle", "--format", "json").stdout)
    assert [one["plant"] for one in found["plants"]] == ["a", "b"]
    assert found["derivation"]["kind"] == "quotient"
    wrong = run(folder, "explain", "electricity.bought", "--year", "2020", status=1)
    assert b"electricity.purchased" in wrong.stderr


def test_mistakes_are_told(folder: Path) -> None:
    """A wrong group file and a broken report end the command with what is wrong and where."""
    (folder / "group.yaml").write_text(GROUP.replace("share: 60 %", "sahre: 60 %"), encoding="utf-8")
    assert b"group.yaml:3: plants[1].sahre: unknown key" in run(folder, "report", "--year", "2020", status=1).stderr
    (folder / "group.yaml").write_text(GROUP, encoding="utf-8")
    (folder / "reports" / "b-2020.json").write_text("{")
    wrong = run(folder, "report", "--year", "2020", status=1).stderr.decode()
    assert "b-2020.json" in wrong
    assert "Traceback" not in wrong
