"""This module proves `plantmon ledger` as a person types it, beside a running daemon and without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from simulators.service import Service

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

CONTRACT = Path(__file__).parents[1] / "contract"
PLANT = (CONTRACT / "plant.yaml").read_text(encoding="utf-8")
CLOSED_PORT = 1  # no broker is needed
CSV = CONTRACT / "ledger.csv"
BY = ("--by", "li")


@pytest.fixture(params=["running", "stopped"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Give the contract's plant: its daemon runs, or it has not even a store yet."""
    one = Service(tmp_path / "plant", PLANT, CLOSED_PORT)
    if request.param == "running":
        one.start(is_connected=False)
    try:
        yield one
    finally:
        if one.is_running:
            one.stop()


@pytest.fixture
def stopped(tmp_path: Path) -> Service:
    """Give the contract's plant without a daemon."""
    return Service(tmp_path / "plant", PLANT, CLOSED_PORT)


def listed(service: Service, *arguments: str) -> list[dict[str, Any]]:
    """List lines as a program reads them."""
    found: list[dict[str, Any]] = json.loads(service.run("ledger", "list", "--format", "json", *arguments).stdout)
    return found


def test_a_ledgers_life(service: Service) -> None:
    """A file is looked at, taken in, taken in again, listed, corrected, and a line of it withdrawn."""
    done = service.run("ledger", "import", str(CSV), *BY, "--dry-run")
    assert (done.returncode, done.stdout) == (
        0, "ledger.csv: 5 lines would be entered, 0 passed over; nothing was kept\n",
    )  # fmt: skip
    assert listed(service) == []
    done = service.run("ledger", "import", str(CSV), *BY)
    assert (done.returncode, done.stdout) == (0, "ledger.csv: 5 lines entered, as 1 to 5; 0 passed over\n"), done.stderr
    done = service.run("ledger", "import", str(CSV), *BY)
    assert (done.returncode, done.stdout) == (0, "ledger.csv: nothing new; all 5 lines were entered before\n")
    assert "ledger.csv:6: stands already as line 5" in done.stderr
    told = [
        (row["period"], row["item"], row["value"], row["unit"], row["file"], row["line"]) for row in listed(service)
    ]
    assert told == [
        ("2020", "diesel", 1389259, "L", "ledger.csv", 2),
        ("2020", "gasoline", 86964.15, "L", "ledger.csv", 3),
        ("2020", "packing.wood", 916.38, "m3", "ledger.csv", 6),
        ("2020-01", "waste.hazardous", 60.21, "t", "ledger.csv", 4),
        ("2020-02-14", "lab.DA002.nmhc", 11.8, "mg/m3", "ledger.csv", 5),
    ]
    done = service.run("ledger", "correct", "1", "--value", "1389.3", "--unit", "m3", "--reason", "typing", *BY)
    assert done.stdout == "line 6: diesel of 2020 is 1389300 L; line 1 said 1389259 L\n"
    done = service.run("--lang", "zh", "ledger", "withdraw", "2", "--reason", "twice", *BY)
    assert done.stdout == "第 7 条：2020 的 gasoline（86964.15 L）已撤销（第 2 条）\n"
    assert [row["value"] for row in listed(service, "--item", "diesel")] == [1389300]
    states = [(row["id"], row["state"], row["superseded by"]) for row in listed(service, "--all", "--item", "*[le]")]
    assert (1, "corrected", 6) in states
    done = service.run("ledger", "add", "lab.DW001.total_nickel", "--period", "2020-03-02", "--value", "<0.05",
                       "--unit", "mg/L", "--source", "report 7", *BY)  # fmt: skip
    assert done.stdout == "line 8: lab.DW001.total_nickel of 2020-03-02 is <0.05 mg/L\n"
    assert [row["value"] for row in listed(service, "--from", "2020-03-02", "--item", "lab.*")] == ["<0.05"]
    assert listed(service, "--to", "2020-01-01") == []


WRONG = """\
period,item,value,unit,source,note
2020,disel,1389259,L,depot,
2020-13,gasoline,"1,389",L,,
2020,steel,5,t,store,
2020-02,steel,1,t,store,
"""


def test_a_wrong_file_is_refused_whole(service: Service, tmp_path: Path) -> None:
    """Every wrong line is named with file, line, field and reason, in the language asked for; nothing is kept."""
    file = tmp_path / "wrong.csv"
    file.write_text(WRONG, encoding="utf-8")
    done = service.run("ledger", "import", str(file), *BY)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "wrong.csv:2: item: disel is no item of the ledger; did you mean diesel?"
    assert [line.split(": ")[:2] for line in lines[1:4]] == [
        ["wrong.csv:3", "period"], ["wrong.csv:3", "value"], ["wrong.csv:3", "source"],
    ]  # fmt: skip
    assert lines[4] == "wrong.csv:5: steel of 2020-02 would count twice: line 4 of the file says 5 t for 2020"
    assert lines[5] == "wrong.csv: 3 of 4 lines are wrong; nothing was entered"
    done = service.run("--lang", "zh", "ledger", "import", str(file), *BY)
    assert "wrong.csv:2：项目：disel 不是台账项目；是否应为 diesel？" in done.stderr
    assert listed(service) == []


def test_what_spreadsheets_save(stopped: Service, tmp_path: Path) -> None:
    """A workbook with Chinese headings, and the same lines as Excel in China saves them, are one ledger."""
    book = openpyxl.Workbook()
    rows = [["期间", "项目", "数值", "单位", "来源", "备注"], [2020, "柴油", 1389259, "升", "加油台账", None],
            ["2020年1月", "waste.hazardous", 60.21, "吨", "联单 2020-01", None]]  # fmt: skip
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "台账.xlsx")
    text = "\r\n".join(";".join("" if cell is None else str(cell) for cell in row) for row in rows)
    (tmp_path / "台账.csv").write_bytes(text.encode("gb18030"))
    assert "2 lines entered" in stopped.run("ledger", "import", str(tmp_path / "台账.xlsx"), *BY).stdout
    assert "nothing new" in stopped.run("ledger", "import", str(tmp_path / "台账.csv"), *BY).stdout
    assert [(row["item"], row["value"], row["unit"]) for row in listed(stopped)] == [
        ("diesel", 1389259, "L"), ("waste.hazardous", 60.21, "t"),
    ]  # fmt: skip


def test_waste_in_store(stopped: Service) -> None:
    """The store of hazardous waste says what is left of which month, for how many days, and what is there too long."""
    done = stopped.run("ledger", "import", str(CSV), *BY)
    assert done.returncode == 0
    assert "not known: no waste.hazardous.generated" in stopped.run("ledger", "stock").stdout
    for period, value in (("2018-12", "70"), ("2020-01", "5.5")):
        done = stopped.run("ledger", "add", "waste.hazardous.generated", "--period", period, "--value", value,
                           "--unit", "t", "--source", "waste book", *BY)  # fmt: skip
        assert done.returncode == 0, done.stderr
    done = stopped.run("ledger", "stock", "--at", "2020-02-01", "--format", "json")
    # 70 t of December 2018 less the 60.21 t of January's manifest; from 2018-12-01 to 2020-02-01 are 427 days.
    assert [tuple(row.values()) for row in json.loads(done.stdout)] == [
        ("2018-12-01", "2018-12", 70, 9.79, 427, "waste book", 6, "stored longer than 365d"),
        ("2020-01-01", "2020-01", 5.5, 5.5, 31, "waste book", 7, None),
    ]
    done = stopped.run("--lang", "zh", "ledger", "stock", "--at", "2020-02-01")
    assert "产生 75.5 t，转移 60.21 t，贮存 15.29 t" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "no-such.csv", *BY), "no-such.csv cannot be read"),
        (("import", str(CONTRACT / "plant.yaml"), *BY), "has no headings"),
        (("import", str(CSV), "--by", " "), "--by must not be empty"),
        (("correct", "1", "--value", "5", "--reason", "x", *BY), "has no line 1"),
        (("list", "--from", "yesterday"), "yesterday is no time"),
        (("stock",), "says nothing of waste.hazardous"),
    ],
)
def test_what_is_refused(stopped: Service, arguments: tuple[str, ...], words: str) -> None:
    """A request that cannot be meant ends with 1 and one clear sentence."""
    if arguments[0] in ("list", "stock"):
        stopped.run("ledger", "withdraw", "1", "--reason", "x", *BY)  # begins the store
    done = stopped.run("ledger", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
