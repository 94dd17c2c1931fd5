"""This module proves `plantmon import` and `export` as a person types them: beside a daemon, alone, killed."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plantmon.times import HOUR_MS, MINUTE_MS
from simulators.faults import Delivery
from simulators.messages import hj212_means, hj212_message
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

CONTRACT = (Path(__file__).parents[1] / "contract" / "plant.yaml").read_text(encoding="utf-8")
CLOSED_PORT = 1  # no broker is needed
BEGIN = 1_790_812_800_000  # 2026-10-01 08:00 in Chongqing
BY = ("--by", "li")
MN = "A12345678901234567890001"


@pytest.fixture(params=["running", "stopped"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Give the contract's plant: its daemon runs, or it has not even a store yet."""
    one = Service(tmp_path / "plant", CONTRACT, CLOSED_PORT, CLOCK__START="2026-11-01 08:00")
    if request.param == "running":
        one.start(is_connected=False)
    try:
        yield one
    finally:
        if one.is_running:
            one.stop()


def a_csv(path: Path, rows: list[tuple[object, ...]]) -> Path:
    """Write a CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("time", "point", "value"), *rows])
    return path


def stored(service: Service) -> list[tuple[int, str, float]]:
    """Give all readings of the tables, by time and point."""
    rows = [
        row
        for table in ("reading", "register", "late_reading")
        for row in service.query(f"SELECT r.ts, p.name, r.value FROM {table} r JOIN point p ON p.id = r.point")
    ]
    return sorted(rows)


def test_a_file_is_tried_taken_and_taken_again(service: Service, tmp_path: Path) -> None:
    """A dry run stores nothing; the file is taken; taken again it changes nothing; the export brings it back."""
    rows = [(BEGIN + at * 10_000, "DA001.nox", float(at % 50)) for at in range(400)]
    rows += [(BEGIN + at * 900_000, "E-MAIN", 1000.0 + at) for at in range(5)]
    path = a_csv(tmp_path / "one.csv", list(rows))
    span = "405 readings from 2026-10-01 08:00:00 to 2026-10-01 09:06:30"
    done = service.run("import", str(path), *BY, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"one.csv: {span}: 405 would be stored, 0 are stored already, 0 repeat others of the file; nothing was stored\n"
    )
    assert stored(service) == []
    for fresh, known in ((405, 0), (0, 405)):
        done = service.run("import", str(path), *BY)
        assert (done.returncode, done.stderr) == (0, "")
        number = 1 if fresh else 2
        assert done.stdout == (
            f"one.csv: import {number}: {span}: {fresh} stored, {known} were stored already, "
            "0 repeat others of the file\n"
        )
    assert stored(service) == sorted(rows)
    listed = json.loads(service.run("imports", "--format", "json").stdout)
    assert [(one["file"], one["by"], one["readings"], one["new"]) for one in listed] == [
        ("one.csv", "li", 405, 405), ("one.csv", "li", 405, 0),
    ]  # fmt: skip
    out = tmp_path / "out.csv"
    arguments = ("--from", "2026-10-01", "--to", "2026-10-02", "--format", "csv", "--out", str(out))
    done = service.run("export", "E-MAIN", *arguments)
    assert done.stderr.startswith(f"{out}: 5 readings from 2026-10-01 00:00:00 to 2026-10-02 00:00:00")
    with out.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [(row["ts"], float(row["value"]), row["unit"]) for row in found][:2] == [
        ("2026-10-01T08:00:00.000+08:00", 1000.0, "kWh"), ("2026-10-01T08:15:00.000+08:00", 1001.0, "kWh"),
    ]  # fmt: skip
    done = service.run("--lang", "zh", "export", *arguments)
    assert (done.returncode, done.stderr) == (1, f"{out} 已存在；用 --force 可覆盖\n")
    done = service.run("export", "E-MAINE", "--out", str(tmp_path / "x"))
    assert (done.returncode, "did you mean E-MAIN?" in done.stderr) == (1, True)
    assert [path.name for path in (service.folder / "plantmon.import").iterdir()] == []


def test_a_wrong_file_is_refused_whole_and_the_next_is_taken(service: Service, tmp_path: Path) -> None:
    """Of several files each stands alone: what is wrong is said, the exit code tells that something was."""
    bad = a_csv(tmp_path / "bad.csv", [(BEGIN, "DA001.nox", 1), ("gestern", "DA001.nox", 2)])
    good = a_csv(tmp_path / "good.csv", [(BEGIN, "DA001.nox", 3)])
    done = service.run("import", str(bad), str(tmp_path / "none.csv"), str(good), *BY)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "bad.csv:3: gestern is no time, expected one such as 2026-03-01 08:00:00",
        "bad.csv: faults: 1; nothing of it was stored",
        f"{tmp_path / 'none.csv'}: cannot be read: No such file or directory",
    ]
    assert stored(service) == [(BEGIN, "DA001.nox", 3.0)]
    again = a_csv(tmp_path / "again.csv", [(BEGIN + 10_000, "DA001.nox", 1), (BEGIN, "DA001.nox", 4)])
    for dry in ((), ("--dry-run",)):
        done = service.run("--lang", "zh", "import", str(again), *BY, *dry)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines() == [
            "again.csv:3：DA001.nox 2026-10-01 08:00:00：4 与已存储的 3 矛盾", "again.csv：1 处有误；未存入任何数据",
        ]  # fmt: skip
    assert stored(service) == [(BEGIN, "DA001.nox", 3.0)]


@pytest.mark.parametrize("is_daemon", [True, False], ids=["daemon", "command"])
def test_a_kill_in_the_middle_loses_and_doubles_nothing(tmp_path: Path, is_daemon: bool) -> None:
    """Killed while it stores, the daemon goes on by itself when it comes back - also with what a command began."""
    rows = [(BEGIN + at * 1_000, "DA001.nox", float(at % 997)) for at in range(150_000)]
    random.Random(3).shuffle(rows)
    path = a_csv(tmp_path / "many.csv", list(rows))
    service = Service(tmp_path / "plant", CONTRACT, CLOSED_PORT, CLOCK__START="2026-11-01 08:00")
    service.start(is_connected=False)
    if not is_daemon:
        service.stop()
    for kill in range(3):
        if kill == 0 or not is_daemon:
            command = service.command("import", str(path), *BY)
            asked = subprocess.Popen(command, env=service.environment, stdout=subprocess.DEVNULL)
        done = service.query("SELECT coalesce(max(done), 0) FROM import")[0][0]
        assert eventually(
            lambda before=done: service.query("SELECT coalesce(max(done), 0) FROM import")[0][0] > before, 60
        )
        if is_daemon:
            service.kill9()
            service.start(is_connected=False)
        else:
            asked.kill()
            asked.wait()
    if not is_daemon:
        service.start(is_connected=False)
    assert eventually(lambda: service.query("SELECT 1 FROM import WHERE ended_ms IS NOT NULL"), 60)
    if is_daemon:
        assert asked.wait(60) == 0
    assert stored(service) == sorted(rows)
    course = service.query("SELECT total, done, fresh, conflicts FROM import")
    assert course == [(150_000, 150_000, 150_000, 0)]
    service.stop()


def test_a_log_of_frames_is_taken(tmp_path: Path) -> None:
    """Each line's frame is read whatever stands around it; what devices say of an hour is kept; a torn one is named."""
    plant = SimulatedPlant()
    text = plant_file(plant).replace("  DA001:\n", f"  DA001:\n    mn: {MN}\n", 1)
    hour = time.time_ns() // MINUTE_MS // 1_000_000 * MINUTE_MS // HOUR_MS * HOUR_MS - 2 * HOUR_MS
    points = [point.id for point in plant.points() if point.outlet == "DA001"]
    readings = [one for one in plant.readings(hour, hour + HOUR_MS, points) if one.ts_ms % MINUTE_MS == 0]
    deliveries = [Delivery(one.ts_ms, *one) for one in readings]
    frames = [
        hj212_message(plant, MN, at, [one for one in deliveries if one.ts_ms == at])[1]
        for at in sorted({one.ts_ms for one in deliveries})
    ]
    frames.append(hj212_means(plant, MN, hour, {"DA001.nox": 41.5})[1])
    log = tmp_path / "recv.log"
    log.write_bytes(
        b"# receiver started\r\n" + b"".join(b"[12:00:00] RECV " + one.strip() + b" OK\r\n" for one in frames)
    )
    service = Service(tmp_path / "plant", text, CLOSED_PORT)
    done = service.run("import", str(log), *BY)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(readings) + 1} stored" in done.stdout
    found = stored(service)
    expected = sorted((one.ts_ms, one.point, one.value) for one in readings)
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected], rel=1e-9)
    assert service.query("SELECT level, start, mean FROM reported") == [("1h", hour, 41.5)]
    assert "0 stored" in service.run("import", str(log), *BY).stdout
    torn = tmp_path / "torn.log"
    torn.write_bytes(frames[0].strip() + b"\n" + frames[1].strip()[:-9] + b"\n" + frames[2].strip()[10:] + b"\n")
    done = service.run("import", str(torn), *BY)
    assert done.returncode == 1
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["torn.log:2", "torn.log:3", "torn.log"]
