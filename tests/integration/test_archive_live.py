"""This module proves the archive with the real daemon and the commands people type."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plantmon.sealed import manifest
from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

TEXT = plant_file(SimulatedPlant())
POINT, TOPIC = "DA002.rto_temperature", "plant/cq-truck/DA002/rto_temperature"
DAY_MS, MINUTE_MS = 86_400_000, 60_000
COUNT = 200


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    """Run a broker."""
    with Mosquitto("fast") as one:
        yield one


def send(broker: Mosquitto, rows: list[tuple[int, float]]) -> None:
    """Send readings of the point, one a message."""
    messages = [(TOPIC, json.dumps({"ts": ts, "value": value}).encode()) for ts, value in rows]
    Loadgen("127.0.0.1", broker.port, messages).run(limit_s=20)


def read(service: Service, day: int) -> list[float]:
    """Ask for the point's readings of a day of UTC."""
    edges = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1000)) for at in (day, day + DAY_MS)]
    done = service.run("query", POINT, "--from", edges[0], "--to", edges[1], "--format", "json")
    assert done.returncode == 0, done.stderr
    return [row["value"] for row in json.loads(done.stdout)]


def recomputed(service: Service, day: int) -> str:
    """Have a day computed again; give what is said."""
    edges = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1000)) for at in (day, day + DAY_MS)]
    done = service.run("recompute", "--from", edges[0], "--to", edges[1])
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_settled(service: Service) -> bool:
    """Whether all windows of the days behind us are made and judged."""
    open_ = "SELECT (SELECT count(*) FROM touched), (SELECT count(*) FROM unweighed), (SELECT count(*) FROM unjudged)"
    closed = service.query("SELECT count(*) FROM closed WHERE level = '1d' AND until_ms >= from_ms + 9 * 86400000")
    return closed[0][0] > 0 and service.query(open_) == [(0, 0, 0)]


def is_done(service: Service) -> bool:
    """Whether the daemon has done all that the archive wants for now."""
    return not service.query("SELECT 1 FROM archive_day WHERE emptied_ms IS NULL") and bool(
        service.query("SELECT 1 FROM archive_day")
    )


def test_the_daemon_archives_by_itself(broker: Mosquitto, tmp_path: Path) -> None:
    """A day older than a week leaves the store for a file; it reads, judges and takes late readings as before."""
    day = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS - 10 * DAY_MS
    rows = [(day + at * MINUTE_MS, 800 + at / 10) for at in range(COUNT)]
    with Service(tmp_path, TEXT, broker.port, STORE__RAW_DAYS=1, LOG__LEVEL="debug") as service:
        send(broker, rows)
        assert eventually(lambda: service.count() == COUNT)
        assert eventually(lambda: is_settled(service), 30)
        recomputed(service, day)  # verdicts of months and years that are not over are made by it
        # What is due was looked for when it started; a command asks for it before tomorrow.
        assert service.run("archive", "seal").returncode == 0
        assert eventually(lambda: is_done(service), 40)
        assert service.query("SELECT count(*) FROM reading") == [(0,)]
        assert read(service, day) == [value for _, value in rows]
        assert recomputed(service, day).startswith("recomputed: 0 windows and 0 verdicts")
        send(broker, [rows[3], (rows[4][0], 1.0), (rows[5][0] + 1, 810.25)])
        assert eventually(lambda: service.count("repeats") == 1 and service.count("rejected") == 1)
        assert eventually(lambda: service.count() == COUNT + 1)
        service.kill9()
        service.start()
        assert service.run("archive", "seal").returncode == 0
        assert eventually(lambda: service.query("SELECT count(*) FROM archive_file") == [(2,)], 40)
        told = service.run("archive", "status").stdout
        assert "1 days sealed" in told
        assert f"{COUNT + 1:,} readings in 2 files" in told
        assert service.standing() & {"archive_failing", "store_unavailable"} == set()
        assert service.stop() == 0
        assert read(service, day)[:7] == [800.0, 800.1, 800.2, 800.3, 800.4, 800.5, 810.25]
        verified = service.run("archive", "verify")
        assert verified.returncode == 0, verified.stdout
        assert service.query("SELECT chain FROM archive_file WHERE seq = 2")[0][0] in verified.stdout


def test_seal_and_verify_without_a_daemon(broker: Mosquitto, tmp_path: Path) -> None:
    """`archive seal --until` seals days that are over at once; `verify` names what was changed, without a store too."""
    day = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS - 2 * DAY_MS
    text = time.strftime("%Y-%m-%d", time.gmtime(day / 1000))
    with Service(tmp_path, TEXT, broker.port) as service:
        send(broker, [(day + at * MINUTE_MS, 800 + at / 10) for at in range(COUNT)])
        assert eventually(lambda: service.count() == COUNT)
        assert service.stop() == 0
        assert "files made: 0" in service.run("archive", "seal").stdout
        assert service.run("archive", "seal", "--until", "yesterday").returncode == 1
        told = service.run("archive", "seal", "--until", text).stdout.splitlines()
        assert told[0].startswith(f"{text}: {COUNT} readings, ")
        assert told[1] == "files made: 1"
        assert service.run("--lang", "zh", "archive", "verify").stdout.startswith("1 个文件均与封存时一致")
        path = tmp_path / "archive" / text[:4] / f"{text}.parquet"
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(tmp_path / "archive", elsewhere)
        content = path.read_bytes()
        path.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
        wrong = service.run("archive", "verify")
        assert wrong.returncode == 1
        assert wrong.stdout.startswith(f"{text[:4]}/{text}.parquet: its sha256 is ")
        assert service.run("archive", "verify", "--folder", str(elsewhere)).returncode == 0
        (elsewhere / manifest.NAME).write_text((elsewhere / manifest.NAME).read_text().replace('"rows":', '"rows":1'))
        forged = service.run("archive", "verify", "--folder", str(elsewhere))
        assert forged.returncode == 1
        assert "its chain is not that of the entries before it" in forged.stdout


def test_a_failing_archive_is_an_alarm(broker: Mosquitto, tmp_path: Path) -> None:
    """Where no file can be made readings stay in the store, and people hear of it; it ends by itself."""
    day = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS - 10 * DAY_MS
    (tmp_path / "archive").write_text("no folder")
    with Service(tmp_path, TEXT, broker.port, STORE__RAW_DAYS=1) as service:
        send(broker, [(day, 800.0)])
        assert eventually(lambda: service.count() == 1)
        service.run("archive", "seal")
        assert eventually(lambda: "archive_failing" in service.standing(), 30)
        assert service.query("SELECT count(*) FROM reading") == [(1,)]
        assert "Not a directory" in service.run("archive", "status").stdout
        service.stop()
        (tmp_path / "archive").unlink()
        service.start()
        assert eventually(lambda: "archive_failing" not in service.standing(), 30)
        assert service.query("SELECT count(*) FROM archive_file") == [(1,)]


def test_the_daemon_loads_no_parquet_library() -> None:
    """What takes tens of megabytes is loaded in children alone."""
    code = "import sys, plantmon.cli, plantmon.daemon; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
