"""This module proves the commands people type, as real processes, beside a running daemon and without one."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

# A limit that judges each reading alone raises its alarm with the first one.
TEXT = plant_file(SimulatedPlant()).replace("window: reading, hold: 60s", "window: reading")
TEMPERATURE = "DA002.rto_temperature"
STATES = ("running", "stopped")


@dataclass(slots=True)
class Told:
    """A service that heard of three readings, one of them a breach, and of two bad messages."""

    service: Service
    alarm: int
    is_running: bool


@pytest.fixture(scope="module", params=STATES)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Give a service with something to tell, running or stopped."""
    folder = tmp_path_factory.mktemp("cli")
    now_ms = time.time_ns() // 1_000_000
    topic = "plant/cq-truck/DA002/rto_temperature"
    messages = [(topic, json.dumps({"ts": now_ms - 10_000 * (3 - place), "value": value}).encode())
                for place, value in enumerate((820.5, 815.25, 640.0))]  # fmt: skip
    messages += [(topic, b"{"), ("plant/cq-truck/DA009/nox", json.dumps({"ts": now_ms, "value": 1}).encode())]
    with Mosquitto("fast") as broker, Service(folder, TEXT, broker.port) as service:
        Loadgen("127.0.0.1", broker.port, messages).run(limit_s=10)
        assert eventually(lambda: "breach" in service.standing() and service.count("rejected") == 2)
        # What a point newest said is noted every few seconds; the default span of a query ends there.
        assert eventually(lambda: service.query("SELECT max(spoken_ms) FROM point") == [(now_ms - 10_000,)], 15)
        [(alarm,)] = service.query("SELECT id FROM alarm WHERE kind = 'breach'")
        if request.param == "stopped":
            assert service.stop() == 0
        yield Told(service, alarm, request.param == "running")


def test_check_tells_what_will_happen(told: Told) -> None:
    """`check` of a good plant file ends with 0 and says so in the language asked for."""
    for language, sentence in (("en", "no mistakes"), ("zh", "没有错误")):
        done = told.service.run("--lang", language, "check")
        assert done.returncode == 0
        assert sentence in done.stdout
        assert TEMPERATURE in done.stdout


def test_caps_without_amounts(told: Told) -> None:
    """`caps` names every cap of the year, and shows nothing rather than 0 where nothing was weighed."""
    rows = json.loads(told.service.run("caps", "--format", "json").stdout)
    assert {row["limit"] for row in rows} >= {"DA001/nox/mass/1y/permit/-"}
    assert all(row["used"] is None and row["unit"] == "t" for row in rows)


def test_check_names_every_mistake(told: Told, tmp_path: Path) -> None:
    """`check` of a bad plant file ends with 1, with each mistake's line, in both languages."""
    bad = tmp_path / "bad.yaml"
    bad.write_text(TEXT.replace("kind: air", "kind: sky", 1).replace("quantity: so2", "quantity: so3", 1), "utf-8")
    lines = {number for number, line in enumerate(bad.read_text("utf-8").splitlines(), 1)
             if "kind: sky" in line or "quantity: so3" in line}  # fmt: skip
    for language, sentence in (("en", "mistakes"), ("zh", "处错误")):
        done = told.service.run("--lang", language, "check", str(bad))
        assert done.returncode == 1
        assert sentence in done.stderr
        named = {int(line.split(":")[1]) for line in done.stdout.splitlines() if line.startswith(f"{bad}:")}
        assert lines <= named


def test_query_prints_readings(told: Told) -> None:
    """`query` gives the point's readings, oldest first, as table, CSV and JSON."""
    rows = list(csv.reader(io.StringIO(told.service.run("query", TEMPERATURE, "--format", "csv").stdout)))
    assert [float(row[rows[0].index("value")]) for row in rows[1:]] == [820.5, 815.25, 640.0]
    read = json.loads(told.service.run("query", TEMPERATURE, "--format", "json").stdout)
    assert [row["value"] for row in read] == [820.5, 815.25, 640.0]
    assert "815.25" in told.service.run("query", TEMPERATURE).stdout


def test_query_refuses_what_it_does_not_know(told: Told) -> None:
    """A misspelt point ends with 1 and the nearest right name, in both languages; so does a bad time."""
    for language, sentence in (("en", "did you mean"), ("zh", "是否应为")):
        done = told.service.run("--lang", language, "query", "DA002.rto_temprature")
        assert done.returncode == 1
        assert sentence in done.stderr
        assert TEMPERATURE in done.stderr
    assert told.service.run("query", TEMPERATURE, "--from", "yesterday").returncode == 1


def test_rejected_lists_reasons_and_payloads(told: Told) -> None:
    """`rejected` counts what was not stored by reason and topic, and shows the payloads of one reason."""
    rows = json.loads(told.service.run("rejected", "--format", "json").stdout)
    assert {(row["reason"], row["topic"], row["count"]) for row in rows} == {
        ("undecodable", "plant/cq-truck/DA002/rto_temperature", 1),
        ("unknown_point", "plant/cq-truck/DA009/nox", 1),
    }
    [kept] = json.loads(told.service.run("rejected", "--reason", "undecodable", "--format", "json").stdout)
    assert kept["payload"] == "{"


def test_alarms_are_listed_and_acknowledged(told: Told) -> None:
    """`alarms` shows the breach; `alarms ack` acknowledges it through a running daemon or, without one, itself."""
    service = told.service
    assert str(told.alarm) in service.run("alarms").stdout
    done = service.run("--lang", "zh", "alarms", "ack", str(told.alarm), "--by", "王工", "--note", "已检查")
    assert (done.returncode, "已由 王工 确认" in done.stdout) == (0, True)
    [row] = [row for row in json.loads(service.run("alarms", "list", "--format", "json").stdout)
             if row["id"] == told.alarm]  # fmt: skip
    assert (row["state"], row["acknowledged by"]) == ("acknowledged", "王工")
    assert service.run("alarms", "ack", "999", "--by", "x", "--note", "y").returncode == 1


def test_alarms_are_shelved_shown_and_counted(told: Told) -> None:
    """An alarm goes on the shelf and off it; what cannot be is refused in the language asked for, with its reason."""
    service, number = told.service, str(told.alarm)
    shelf = ("alarms", "shelve", number, "--reason", "known", "--by", "Li")
    done = service.run(*shelf, "--for", "2h")
    assert (done.returncode, "shelved by Li until" in done.stdout) == (0, True)
    assert "已搁置" in service.run("--lang", "zh", "alarms").stdout
    for arguments, sentence in (
        ((*shelf, "--for", "25h"), "最长可搁置 1d"),
        (shelf, "--until"),
        ((*shelf, "--for", "long"), "不是时长"),
        ((*shelf, "--until", "soon"), "不是时间"),
        (("alarms", "close", number, "--cause", "x", "--action", "y", "--by", "Li"), "仍未解除"),
    ):
        refused = service.run("--lang", "zh", *arguments)
        assert (refused.returncode, sentence in refused.stderr) == (1, True), refused.stderr
    assert service.run("alarms", "unshelve", number, "--by", "Li").returncode == 0
    shown = service.run("alarms", "show", number)
    assert "taken off the shelf" in shown.stdout
    history = json.loads(service.run("alarms", "show", number, "--format", "json").stdout)
    assert [(row["event"], row["by"]) for row in history][-2:] == [("shelve", "Li"), ("unshelve", "Li")]
    assert history[0]["said"] == "raised"
    counted = json.loads(service.run("alarms", "stats", "--format", "json").stdout)
    figures = {row["figure"]: row["value"] for row in counted}
    assert figures["standing"] >= 1
    assert figures["raised"] >= 1
    assert "确认用时中位数" in service.run("--lang", "zh", "alarms", "stats").stdout


def test_recompute_changes_nothing_where_nothing_changed(told: Told) -> None:
    """`recompute` of a settled span answers that no window and no verdict came out differently, in both languages."""
    told.service.run("recompute")
    for language, sentence in (("en", "0 windows and 0 verdicts"), ("zh", "0 个窗口、0 个判定")):
        done = told.service.run("--lang", language, "recompute")
        assert done.returncode == 0, done.stderr
        assert sentence in done.stdout


def test_declarations_are_kept_and_shown(told: Told) -> None:
    """What people declare is kept through a running daemon or without one, listed, and shown beside the readings."""
    service = told.service
    read = json.loads(service.run("query", TEMPERATURE, "--format", "json").stdout)
    at, said = read[2]["time"], ("--by", "王工", "--reason", "校准前后")
    done = service.run("correct", TEMPERATURE, "--at", at, "--value", "914.15 K", *said)
    assert (done.returncode, f"{TEMPERATURE} is 641 degC" in done.stdout) == (0, True), done.stderr
    span = ("--from", at, "--to", "2099-01-01")
    done = service.run("--lang", "zh", "mark", "DA002", *span, "--as", "maintenance", *said)
    assert (done.returncode, "小时" in done.stdout) == (0, True), done.stderr
    done = service.run("calibration", "add", TEMPERATURE, "--at", read[0]["time"], "--zero", "0.1", "--span", "1001",
                       "--result", "pass", "--by", "王工", "--note", "季度")  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = json.loads(service.run("query", TEMPERATURE, "--format", "json").stdout)
    assert [(row["value"], row["state"]) for row in shown] == [
        (820.5, "normal"), (815.25, "normal"), (641.0, "maintenance")]  # fmt: skip
    assert "640" in shown[2]["declared"]
    assert "王工" in shown[2]["declared"]
    rows = json.loads(service.run("declarations", "--format", "json").stdout)
    kept = [("correction", TEMPERATURE), ("mark", "DA002"), ("calibration", TEMPERATURE)]
    assert [(row["kind"], row["what"]) for row in rows] == kept
    assert {row["by"] for row in rows} == {"王工"}
    assert json.loads(service.run("declarations", "--to", "2000-01-01", "--format", "json").stdout) == []
    [row] = json.loads(service.run("calibration", "list", "--format", "json").stdout)
    assert (row["point"], row["span"], row["result"], row["note"]) == (TEMPERATURE, 1001.0, "pass", "季度")


def test_declarations_with_a_slip_are_refused(told: Told) -> None:
    """A declaration that cannot be meant ends with 1 and names its option in the language asked for."""
    said = ("--by", "x", "--reason", "y")
    for language, sentence in (("en", "expected one of"), ("zh", "应为以下之一")):
        done = told.service.run(
            "--lang", language, "mark", "DA002", "--from", "2020-01-01", "--to", "2020-01-02", "--as", "idle", *said
        )
        assert (done.returncode, "--as" in done.stderr, sentence in done.stderr) == (1, True, True)
    done = told.service.run("correct", TEMPERATURE, "--at", "yesterday", "--value", "1", *said)
    assert (done.returncode, "--at" in done.stderr) == (1, True)


def test_commands_without_a_store_say_so(tmp_path: Path) -> None:
    """Before the first run of the daemon, reading and changing commands end with 1 and one sentence."""
    service = Service(tmp_path, TEXT, 1)
    for command in (["query", TEMPERATURE], ["rejected"], ["alarms"], ["recompute"]):
        for language, sentence in (("en", "there is no store"), ("zh", "还没有数据库")):
            done = service.run("--lang", language, *command)
            assert (done.returncode, sentence in done.stderr) == (1, True)


def test_a_misspelt_setting_is_one_clear_sentence(tmp_path: Path) -> None:
    """A setting that does not exist ends every command with 1, its name and the nearest right one."""
    done = Service(tmp_path, TEXT, 1, MQTT__PROT=1).run("check")
    assert done.returncode == 1
    assert "PLANTMON_MQTT__PROT" in done.stderr
    assert "PLANTMON_MQTT__PORT" in done.stderr
    assert "Traceback" not in done.stderr
