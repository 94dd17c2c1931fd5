"""This module proves forwarding against a real InfluxDB and a real VictoriaMetrics, with every fault they can have."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from esg_store import EsgStore

from benchmarks.forwarding import NOW_MS, Fed, Point, drain, in_influx, in_victoria, kill_story, running, writer_of
from plantmon.errors import DeliveryError
from plantmon.esg.freeze import publish, restate
from plantmon.esg.sent import SentAgain
from plantmon.forward.check import Finding, check
from plantmon.forward.reader import InfluxReader
from plantmon.forward.sender import InfluxWriter
from plantmon.forward.stage import Forwarder
from plantmon.model.reading import Columns
from plantmon.store import refused, resend, spool
from plantmon.store.database import Store
from plantmon.store.spool import What
from simulators.brokers import Mosquitto, free_port
from simulators.influx import Influx, Sink, Victoria
from simulators.loadgen import Loadgen
from simulators.messages import BATCH_TOPIC
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "plantmon.json"
DAY_MS = 86_400_000


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[Influx]:
    """Run a real InfluxDB with a bucket that keeps all for ever."""
    (tmp_path / "influx").mkdir()
    with Influx(tmp_path / "influx") as server:
        server.create()
        yield server


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Fed]:
    """Give a store with a spool."""
    store = Fed(tmp_path)
    yield store
    store.close()


def refused_lines(fed: Fed) -> list[refused.Kept]:
    """Give what was set aside."""
    with fed.store.readers.snapshot() as connection:
        return refused.newest(connection, 1000)


def readings_of(sink: Sink) -> list[str]:
    """Give the readings a sink took."""
    return [line for line in sink.lines if line.startswith("reading,")]


def alarms_of(sink: Sink) -> list[str]:
    """Give the alarms it took."""
    return [line for line in sink.lines if line.startswith("alarm,")]


def test_a_killed_influxdb_has_the_same_points(influx: Influx, tmp_path: Path) -> None:
    """200,000 readings, an InfluxDB killed without warning ten times: the same points as in the store, one by one."""
    stored = kill_story(tmp_path, influx, writer_of(influx), 200_000, 10)
    assert len(stored) == 200_000
    assert in_influx(influx) == stored


def test_a_killed_victoria_has_the_same_points(tmp_path: Path) -> None:
    """The same with a VictoriaMetrics, which forgets in a kill what it had accepted in the seconds before."""
    with Victoria(tmp_path / "victoria") as victoria:
        stored = kill_story(tmp_path, victoria, InfluxWriter(victoria.url, "p", "p", None), 200_000, 10)
        assert len(stored) == 200_000
        assert eventually(lambda: len(in_victoria(victoria)) == 200_000, 30, 0.5)
        assert in_victoria(victoria) == stored


def test_a_server_that_was_back_before_the_next_batch(fed: Fed, tmp_path: Path) -> None:
    """A VictoriaMetrics killed and started again between two batches, which no request met, has all readings too."""
    with Victoria(tmp_path / "victoria") as victoria:
        forwarder = fed.forwarder(InfluxWriter(victoria.url, "p", "p", None))
        fed.feed(1000)
        drain(forwarder)
        victoria.kill9()
        victoria.start()
        fed.feed(100, NOW_MS - 2 * DAY_MS)
        assert all(turn.fault is None for turn in drain(forwarder))
        assert eventually(lambda: in_victoria(victoria) == fed.stored(), 30, 0.5)


def test_victoria_is_written_to_and_not_read(tmp_path: Path) -> None:
    """A VictoriaMetrics, which answers every InfluxQL alike, is no empty store: reading it is an error that says so."""
    with Victoria(tmp_path / "victoria") as victoria:
        reader = InfluxReader(victoria.url, "p", "p", None)
        with pytest.raises(DeliveryError, match="knows no InfluxQL"):
            reader.rows("reading", ("value", "flag"), {"point": "DA001.nox"}, 0, NOW_MS)


@pytest.mark.parametrize("manner", ["500 no space left on device", "429 slow down", "401 who"])
def test_a_server_that_only_says_no_gets_nothing_twice(fed: Fed, manner: str) -> None:
    """What was accepted goes out again when the server went away, and not when it only refused."""
    with Sink(keeps=True) as sink:
        forwarder = fed.forwarder(InfluxWriter(sink.url, "plant", "plant", "t", 0.3))
        fed.feed(1000)
        drain(forwarder)
        sink.manner = manner
        fed.feed(100, NOW_MS - 2 * DAY_MS)
        assert drain(forwarder)[-1].fault is not None
        sink.manner = "accept"
        drain(forwarder)
        assert len(readings_of(sink)) == len(fed.stored()) == 1100


def test_what_is_held_is_taken_out_in_time(fed: Fed) -> None:
    """Accepted readings stay for a minute, do not count as waiting, and then are gone."""
    with Sink() as sink:
        forwarder = fed.forwarder(InfluxWriter(sink.url, "plant", "plant", "t"))
        fed.feed(1000)

        def held() -> tuple[int, int]:
            with fed.store.readers.snapshot() as connection:
                return len(spool.waiting(connection, 0, 10**9)), spool.total(connection).rows

        assert forwarder.run(NOW_MS, 100.0).rows >= 1000
        assert held()[0] >= 10
        assert held()[1] == 0
        forwarder.run(NOW_MS, 159.0)
        assert held()[0] >= 10
        forwarder.run(NOW_MS, 160.0)
        assert held() == (0, 0)


def test_twice_changes_nothing(fed: Fed, influx: Influx) -> None:
    """A span that is sent again makes no new point; a bucket that was emptied has all of it again."""
    fed.feed(5000)
    forwarder = fed.forwarder(writer_of(influx))
    drain(forwarder)
    before = in_influx(influx)
    assert before == fed.stored()
    for is_emptied in (False, True):
        if is_emptied:
            influx.query('DROP MEASUREMENT "reading"')
            assert in_influx(influx) == []
        fed.store.write(lambda connection: resend.ask(connection, NOW_MS - 2 * DAY_MS, NOW_MS, "li", NOW_MS))
        drain(forwarder)
        assert in_influx(influx) == before


METERS = """
meters:
  E-MAIN: {quantity: electricity, unit: kWh, role: purchased, interval: 15min}
  LINE-1: {quantity: production, product: vehicle, unit: pcs, role: output, interval: 5min}
esg: {denominators: {vehicle: {quantity: production, product: vehicle}}}
"""


def test_published_metrics_arrive(influx: Influx, tmp_path: Path) -> None:
    """A published year stands in the copy; its restatement replaces it; sending the span again makes no new point."""
    plant = EsgStore(tmp_path, METERS)
    plant.write(lambda c: spool.set_limit(c, 10_000_000))
    plant.count("E-MAIN", 1000)
    plant.count("LINE-1", 10)
    forwarder = Forwarder(plant.store, plant.plant, writer_of(influx), SentAgain(plant.plant.time))
    new_year = 1_577_808_000_000

    def there() -> dict[tuple[str, str], tuple[Any, ...]]:
        assert drain(forwarder)[-1].fault is None
        names = ("metric", "denominator", "value", "known", "version", "measured", "period", "unit")
        found = list(influx.points("metric", *names))
        assert {(row[0], row[7]) for row in found} == {(new_year, "2020")}
        assert len({(row[1], row[2]) for row in found}) == len(found)
        return {(row[1], row[2] or ""): row[3:7] for row in found}

    plant.write(lambda c: publish(c, plant.plant, plant.numbers, "2020", "li", plant.now_ms))
    first = there()
    assert first["electricity.purchased", ""] == (1000, 1, 1, 1)
    assert first["electricity.purchased", "vehicle"] == (100, 1, 1, 1)
    assert first["diesel", ""] == (None, 0, 1, 0)
    plant.line("2020", "diesel", "120.5", "L")
    plant.write(lambda c: restate(c, plant.plant, plant.numbers, "2020", "a bill", "li", plant.now_ms + 1))
    second = there()
    assert second["diesel", ""] == (120.5, 1, 2, 0)
    assert set(second) == set(first)
    for is_emptied in (False, True):
        if is_emptied:
            influx.query('DROP MEASUREMENT "metric"')
        plant.write(lambda c: resend.ask(c, new_year, new_year + 1, "li", plant.now_ms))
        assert there() == second
    plant.close()


def test_a_span_sent_again_goes_on_after_a_restart(fed: Fed, influx: Influx) -> None:
    """A request to send again that is broken off half way is finished by the next start, without the half again."""
    fed.feed(25_000)
    with fed.store.readers.snapshot() as connection:
        numbers = [blob.seq for blob in spool.waiting(connection, 0, 10**9)]
    fed.store.write(lambda connection: spool.remove(connection, numbers))
    fed.store.write(lambda connection: resend.ask(connection, NOW_MS - 2 * DAY_MS, NOW_MS, "li", NOW_MS))
    assert fed.forwarder(writer_of(influx)).run(NOW_MS, time.monotonic()).rows == 10_000
    turns = drain(fed.forwarder(writer_of(influx)))
    assert sum(turn.rows for turn in turns) == 15_000
    assert in_influx(influx) == fed.stored()


FAULTS = {
    "bad token": "401: the token is not accepted: unauthorized access",
    "no bucket": '404: there is no bucket elsewhere: database not found: "elsewhere"',
    "away": "502: the server cannot write: 502 Bad Gateway",
    "hangs": "no answer within 1 s",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_server_lose_nothing(fed: Fed, influx: Influx, fault: str) -> None:
    """A wrong token, a missing bucket, a server away and one that hangs: named in one line, and all arrives later."""
    fed.feed(300)
    changes = {"bad token": {"token": "other"}, "no bucket": {"bucket": "elsewhere"}}.get(fault, {})
    forwarder = fed.forwarder(writer_of(influx, 1.0, **changes))
    if fault == "away":
        influx.kill9()
    elif fault == "hangs":
        influx.freeze()
    said = [forwarder.run(NOW_MS, time.monotonic()) for _ in range(3)]
    assert all(FAULTS[fault] in str(turn.fault) and "\n" not in str(turn.fault) for turn in said)
    assert [turn.wait_s for turn in said] == [1.0, 2.0, 4.0]
    assert (fed.waiting(What.READING), refused_lines(fed)) == (300, [])
    influx.thaw()
    influx.start()
    assert drain(fed.forwarder(writer_of(influx)))[-1].fault is None
    assert in_influx(influx) == fed.stored()


def test_beyond_the_retention_is_set_aside(fed: Fed, tmp_path: Path) -> None:
    """Readings older than the bucket keeps are refused line by line with the answer; the others arrive."""
    (tmp_path / "influx").mkdir()
    with Influx(tmp_path / "influx") as influx:
        influx.create("365d")
        now_ms = time.time_ns() // 1_000_000
        ages = np.array([0, 400, 1, 2, 500, 3, 600, 4] * 10, np.int64)
        place = np.arange(len(ages), dtype=np.int64)
        columns = Columns(now_ms - ages * DAY_MS + place, np.full(len(ages), 1), place * 0.5, place * 0)
        fed.store.write(lambda connection: spool.add_readings(connection, columns))
        assert drain(fed.forwarder(writer_of(influx)))[-1].fault is None
        assert sorted(at for _, at, _, _ in in_influx(influx)) == sorted(columns.ts[ages < 365].tolist())
        kept = refused_lines(fed)
        assert sorted(int(one.refused.line.rsplit(" ", 1)[1]) for one in kept) == sorted(
            columns.ts[ages > 365].tolist()
        )
        assert {one.refused.answer.partition("dropped")[0] for one in kept} == {
            "400: partial write: points beyond retention policy "
        }


def test_another_type_there_is_set_aside(fed: Fed, influx: Influx) -> None:
    """Where somebody else wrote a flag as text, the lines that meet it are set aside; those of other days arrive."""
    fed.feed(100, NOW_MS - 20 * DAY_MS)
    fed.feed(100, NOW_MS - DAY_MS)
    influx.write(f'reading,point=other flag="text" {NOW_MS - DAY_MS}')
    assert drain(fed.forwarder(writer_of(influx)))[-1].fault is None
    kept = refused_lines(fed)
    assert len(kept) == 100
    assert "field type conflict" in kept[0].refused.answer
    assert all(int(one.refused.line.rsplit(" ", 1)[1]) >= NOW_MS - DAY_MS for one in kept)
    assert fed.waiting() == 0


def test_a_full_disk_behind_it(fed: Fed, tmp_path: Path) -> None:
    """A server whose disk is full makes readings wait, with its word; room makes them arrive."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(disk)], check=False, capture_output=True
    ).returncode  # fmt: skip
    if not mounted:
        pytest.skip(
            "a small disk can be mounted by root alone; test_what_a_server_says_waits has a server that says so"
        )
    try:
        (tmp_path / "influx").mkdir()
        with Influx(tmp_path / "influx", data=disk) as influx:
            influx.create()
            free = os.statvfs(disk)
            (disk / "filler").write_bytes(b"\1" * (free.f_bavail * free.f_frsize - 4096))
            fed.feed(2000)
            turns = drain(fed.forwarder(writer_of(influx, 2.0)))
            # 1.6 says so of a small write and never answers a large one.
            assert re.search("no space left|no answer within 2 s", str(turns[-1].fault))
            assert fed.waiting() > 0
            (disk / "filler").unlink()
            influx.kill9()  # 1.6 does not come to itself by room alone
            influx.start()
            with running(fed.forwarder(writer_of(influx))):
                assert eventually(lambda: fed.waiting() == 0, 30)
            assert in_influx(influx) == fed.stored()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("manner", ["500 no space left on device", "503 busy", "429 slow down", "507 full", "hang"])
def test_what_a_server_says_waits(fed: Fed, manner: str) -> None:
    """What speaks of the server and not of the lines makes them wait, in their order, and refuses none."""
    fed.feed(500)
    with Sink(keeps=True) as sink:
        sink.manner = manner
        forwarder = fed.forwarder(InfluxWriter(sink.url, "plant", "plant", "t", 0.5))
        turn = forwarder.run(NOW_MS, time.monotonic())
        assert (manner.partition(" ")[2] or "no answer within 0.5 s") in str(turn.fault)
        assert (fed.waiting(What.READING), sink.lines) == (500, [])
        sink.manner = "accept"
        drain(forwarder)
        assert sink.headers["Content-Encoding"] == "gzip"
        assert len(readings_of(sink)) == 500
        assert refused_lines(fed) == []


def test_too_much_at_once_is_halved(fed: Fed) -> None:
    """A server that takes at most 130 lines a request gets them all, in order."""
    fed.feed(1000)
    with Sink(keeps=True, most_lines=130) as sink:
        drain(fed.forwarder(InfluxWriter(sink.url, "plant", "plant", "t")))
        assert len(readings_of(sink)) == len(set(sink.lines)) - len(alarms_of(sink)) == 1000
        assert refused_lines(fed) == []


def test_bad_lines_are_found_and_the_rest_goes_on(fed: Fed) -> None:
    """Of a batch refused as a whole exactly the bad lines are set aside, also when the server goes away in between."""
    fed.feed(1000)
    with Sink(keeps=True) as sink:
        forwarder = fed.forwarder(InfluxWriter(sink.url, "plant", "plant", "t"))
        sink.bad = lambda line: line.endswith("37000")
        drain(forwarder)
        bad = [one.refused.line for one in refused_lines(fed)]
        assert len(bad) == sum(ts % 100_000 == 37_000 for _, ts, _, _ in fed.stored())
        assert all(line.endswith("37000") for line in bad)
        assert len(set(readings_of(sink))) == 1000 - len(bad)


def test_a_spool_that_is_full_can_be_made_good(tmp_path: Path, influx: Influx) -> None:
    """With the spool at its bound the oldest is dropped and named; sending that span again completes the copy."""
    folder = tmp_path / "small"
    folder.mkdir()
    fed = Fed(folder, spool_max=20_000)
    try:
        fed.feed(40_000)
        with fed.store.readers.snapshot() as connection:
            [gone] = [one for one in spool.dropped(connection) if one.kind is What.READING]
        assert gone.rows > 0
        forwarder = fed.forwarder(writer_of(influx))
        drain(forwarder)
        assert len(in_influx(influx)) == 40_000 - gone.rows
        fed.store.write(lambda connection: resend.ask(connection, gone.start_ms, gone.end_ms, "li", NOW_MS))
        drain(forwarder)
        assert in_influx(influx) == fed.stored()
        with fed.store.readers.snapshot() as connection:
            assert What.READING not in {one.kind for one in spool.dropped(connection)}
    finally:
        fed.close()


def reader_of(influx: Influx, **changes: str) -> InfluxReader:
    """Make the reading side of a simulated server."""
    given = {"bucket": influx.bucket, "token": influx.token} | changes
    return InfluxReader(influx.url, "plant", given["bucket"], given["token"], 5.0)


def test_check_names_what_is_wrong(influx: Influx, tmp_path: Path) -> None:
    """The check finds a wrong token, a missing bucket, a short retention, a wrong clock, a server away, or nothing."""
    now_ms = time.time_ns() // 1_000_000

    def look(at_ms: int = now_ms, **changes: str) -> Finding:
        return check(reader_of(influx, **changes), writer_of(influx, **changes), at_ms)

    assert look() == Finding(True, "well", {"version": "1.6.7~rc0"})
    assert look(token="other").key == "bad_token"
    assert look(bucket="elsewhere").key == "no_bucket"
    assert look(now_ms + 3_600_000) == Finding(False, "clock_off", look(now_ms + 3_600_000).values)
    assert abs(int(str(look(now_ms + 3_600_000).values["seconds"])) + 3600) < 30
    influx.query('CREATE DATABASE "short" WITH DURATION 365d')
    assert look(bucket="short") == Finding(False, "short_retention", {"days": 365, "years": 5})
    influx.query('CREATE DATABASE "long" WITH DURATION 1827d')
    assert look(bucket="long").is_well
    influx.kill9()
    assert look().key == "away"
    with Victoria(tmp_path / "victoria") as victoria:
        found = check(
            InfluxReader(victoria.url, "plant", "plant", None),
            InfluxWriter(victoria.url, "plant", "plant", None),
            now_ms,
        )
        assert (found.is_well, found.key) == (True, "writes_only")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Influx]]:
    """Run the daemon beside a broker and an InfluxDB; it heard a day of a plant, and was killed in the middle of it."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "influx").mkdir()
    now_ms = time.time_ns() // 60_000_000_000 * 60_000
    levels = {"DA002.nmhc": 180.5, "DA002.flow": 20_000.0, "DA001.nox": 30.25, "DA001.o2": 4.0}
    plant = SimulatedPlant()
    points = {point.id: point for point in plant.points()}
    messages = []
    for hour in range(30, 0, -1):
        count = 100 if hour == 20 else 360  # one hour with too few for a verdict
        for name, level in levels.items():
            body = {
                "point": name,
                "unit": points[name].unit,
                "ts": [now_ms - hour * 3_600_000 + 10_000 * place for place in range(count)],
                "values": [level + hour / 4 for _ in range(count)],
            }
            messages.append((BATCH_TOPIC, json.dumps(body).encode()))
    meter = next(point for point in plant.points() if "/meter/" in point.topic)
    for quarter in range(48 * 4):
        at = now_ms - (48 * 4 - quarter) * 900_000
        messages.append((meter.topic, json.dumps({"ts": at, "value": 1000.0 + quarter * 2.5}).encode()))
    half = len(messages) // 2
    with (
        Mosquitto("fast") as broker, Influx(folder / "influx") as influx,
        Service(
            folder, plant_file(plant), broker.port, INFLUX__URL=influx.url, INFLUX__ORG="plant",
            INFLUX__BUCKET=influx.bucket, INFLUX__TOKEN=influx.token,
        ) as service,
    ):  # fmt: skip
        influx.create()
        Loadgen("127.0.0.1", broker.port, messages[:half]).run(limit_s=20)
        assert eventually(lambda: service.count() > 1000, 20)
        service.kill9()
        service.start()
        Loadgen("127.0.0.1", broker.port, messages[half:]).run(limit_s=20)
        assert eventually(
            lambda: service.query("SELECT count(*) FROM verdict WHERE outcome LIKE 'exceed%'")[0][0] > 0, 60
        )
        assert eventually(lambda: service.query("SELECT rows - held FROM spool_total") == [(0,)], 60, 0.5)
        for words in (
            "ledger add diesel --period 2020-01 --value 115.2 --unit L --source invoice --by Li",
            "report --year 2020 --publish --by Li",
        ):
            done = service.run(*words.split())
            assert done.returncode == 0, done.stderr
        assert eventually(lambda: influx.query('SELECT * FROM "metric"'), 20, 0.2)
        yield service, influx


def everything(service: Service) -> list[Point]:
    """Give every reading of a running service."""
    return service.query(
        "SELECT name, ts, value, flag FROM reading JOIN point ON id = point"
        " UNION ALL SELECT name, ts, value, flag FROM register JOIN point ON id = point ORDER BY 1, 2"
    )


def test_the_daemon_copies_everything(live: tuple[Service, Influx]) -> None:
    """After kill -9 of the daemon the copy has the store's readings, windows, verdicts and alarms, and no others."""
    service, influx = live

    def is_same() -> bool:
        return in_influx(influx) == everything(service) and verdicts_there() == verdicts_here()

    def verdicts_there() -> set[tuple[Any, ...]]:
        return {(key, ts, outcome) for ts, key, outcome in influx.points("verdict", "limit", "outcome")}

    def verdicts_here() -> set[tuple[Any, ...]]:
        codes = {"ok": 0, "warn": 1, "exceed": 2, "exceed_at_least": 3, "not_judged": -1}
        rows = service.query("SELECT limit_key, start, outcome FROM verdict")
        return {(key, start, codes[outcome]) for key, start, outcome in rows}

    assert eventually(is_same, 30, 1.0)
    windows = service.query('SELECT name, level, start, mean, amount FROM "window" JOIN point ON id = point')
    there = {
        (point, level, ts): (mean if known else None, amount if known else None)
        for ts, point, level, mean, amount, known in influx.points(
            "window", "point", "level", "mean", "amount", "known"
        )
    }
    assert there == {
        (name, level, start): (mean, None if amount is None else amount / 1e6)
        for name, level, start, mean, amount in windows
    }
    assert len(list(influx.points("alarm", "alarm"))) == service.query("SELECT count(*) FROM alarm_event")[0][0]


def test_query_reads_the_copy(live: tuple[Service, Influx]) -> None:
    """`query --store influx` prints the readings and the hours that `query` prints from the store."""
    service, _ = live

    def rows(*arguments: str) -> list[dict[str, str]]:
        done = service.run("query", "DA002.nmhc", "--format", "csv", *arguments)
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    [(newest,)] = service.query("SELECT max(spoken_ms) FROM point")
    span = ("--from", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(newest / 1000 - 7200)), "--to",
            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(newest / 1000 + 1)))  # fmt: skip
    for more, columns in (
        ((), ("time", "value", "flag")),
        (("--window", "1h"), ("time", "mean", "min", "max", "valid")),
    ):
        ours = [[row[name] for name in columns] for row in rows(*span, *more)]
        copied = [[row[name] for name in columns] for row in rows(*span, *more, "--store", "influx")]
        assert ours
        assert [row for row in copied if row[0] >= ours[0][0]] == ours


def test_commands_say_how_it_stands(live: tuple[Service, Influx]) -> None:
    """`forward check`, `status` and `refused` say that all is well; `forward --from --to` is done by the daemon."""
    service, _ = live
    assert "it takes what is sent: InfluxDB 1.6.7" in service.run("forward", "check").stdout
    assert "nothing was refused" in service.run("forward", "refused").stdout
    done = service.run("forward", "--from", "2020-01-01", "--to", "2100-01-01")
    assert (done.returncode, "will be sent again" in done.stdout) == (0, True)
    assert eventually(lambda: "nothing waits" in service.run("forward", "status").stdout, 30, 0.5)
    assert eventually(lambda: service.query("SELECT count(*) FROM resend") == [(0,)], 30)
    assert "expected" not in service.run("forward").stdout


def test_health_names_the_cause(tmp_path: Path) -> None:
    """A daemon whose InfluxDB is away goes on, and says why nothing is forwarded, in one line."""
    port = free_port()
    with (
        Mosquitto("fast") as broker,
        forwarding_to(tmp_path, broker, f"http://127.0.0.1:{port}") as service,
    ):  # fmt: skip
        hear(broker, service)
        assert eventually(lambda: service.query("SELECT 1 FROM health WHERE component = 'forward'"), 15)
        said = service.run("forward", "status").stdout
        assert "waiting: " in said
        assert f"http://127.0.0.1:{port}: [Errno 111] Connection refused" in said
        assert service.run("forward", "check").returncode == 1
        assert service.count() >= 1


def hear(broker: Mosquitto, service: Service, readings: int = 1) -> None:
    """Have a service store so many readings of now, or more; what it had not yet subscribed to is gone."""

    def is_heard() -> bool:
        body = json.dumps({"ts": time.time_ns() // 1_000_000, "value": 12.0}).encode()
        Loadgen("127.0.0.1", broker.port, [("plant/cq-truck/DA001/nox", body)]).run(limit_s=10)
        return service.count() >= readings

    assert eventually(is_heard, 30, 0.2)


def forwarding_to(folder: Path, broker: Mosquitto, url: str, **more: object) -> Service:
    """Make a service that forwards to an address."""
    return Service(
        folder, plant_file(SimulatedPlant()), broker.port, INFLUX__URL=url, INFLUX__ORG="plant", INFLUX__BUCKET="plant",
        INFLUX__TOKEN="s3cret", **more,
    )  # fmt: skip


def test_killed_between_acceptance_and_its_note(influx: Influx, tmp_path: Path) -> None:
    """A daemon killed after the server accepted and before that was taken out sends again: the same points, once."""
    with Mosquitto("fast") as broker, forwarding_to(tmp_path / "plant", broker, influx.url) as service:
        hear(broker, service, 3)
        assert eventually(lambda: in_influx(influx) == everything(service), 20, 0.1)
        service.kill9()
        assert service.query("SELECT count(*) > 0 FROM spool") == [(1,)]
        service.start()
        assert eventually(lambda: service.query("SELECT rows - held FROM spool_total") == [(0,)], 20, 0.1)
        assert in_influx(influx) == everything(service)
        service.kill9()
        influx.query('DROP MEASUREMENT "reading"')  # that they are sent twice is seen where they are gone
        service.start()
        assert eventually(lambda: in_influx(influx) == everything(service), 20, 0.1)


def test_a_hanging_server_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """A daemon whose InfluxDB hangs ends in good order when told to, however long its answer may take."""
    with (
        Mosquitto("fast") as broker, Sink() as sink,
        forwarding_to(tmp_path, broker, sink.url, INFLUX__TIMEOUT_S=300) as service,
    ):  # fmt: skip
        sink.manner = "hang"
        before = sink.requests
        hear(broker, service)
        assert eventually(lambda: sink.requests > before, 15)
        assert service.stop() == 0
        assert service.events("stopped")


def test_refused_lines_are_shown_with_the_answer(tmp_path: Path) -> None:
    """`plantmon forward refused` lists each refused line and what the server said of it."""
    with Mosquitto("fast") as broker, Sink() as sink:
        sink.bad = lambda line: line.startswith("reading,")
        with forwarding_to(tmp_path, broker, sink.url) as service:
            hear(broker, service)
            assert eventually(lambda: service.query("SELECT count(*) FROM refused_line")[0][0], 15)
            row, *_ = csv.DictReader(io.StringIO(service.run("forward", "refused", "--format", "csv").stdout))
            assert row["answer"] == "400: unable to parse"
            assert row["line"].startswith("reading,outlet=DA001,plant=cq-truck,point=DA001.nox,")
            assert "refused for good: " in service.run("forward", "status").stdout


def test_a_filling_spool_is_an_alarm(tmp_path: Path) -> None:
    """From four fifths of the limit on there is an alarm, while nothing is dropped yet."""
    with (
        Mosquitto("fast") as broker,
        forwarding_to(tmp_path, broker, f"http://127.0.0.1:{free_port()}", INFLUX__SPOOL_MAX="1MB") as service,
    ):
        service.stop()
        store = Store(service.store)
        noise = np.random.default_rng(3).uniform(0, 60, 125_000)
        place = np.arange(len(noise), dtype=np.int64)
        columns = Columns(NOW_MS - DAY_MS + place, place * 0 + 1, noise, place * 0)
        store.write(lambda connection: spool.add_readings(connection, columns))
        with store.readers.snapshot() as connection:
            total = spool.total(connection)
            assert 0.8 < total.bytes / total.most < 1
            assert spool.dropped(connection) == []
        store.close()
        assert "spool_filling" not in service.standing()
        service.start()
        assert eventually(lambda: "spool_filling" in service.standing(), 15)


def queries() -> list[str]:
    """Give every query of the dashboard, those of its variables too."""
    board = json.loads(DASHBOARD.read_text("utf-8"))
    found = [target["query"] for panel in board["panels"] for target in panel["targets"]]
    return found + [one["query"] for one in board["templating"]["list"] if one["type"] == "query"]


@pytest.mark.parametrize("query", queries())
def test_the_dashboard_finds_its_data(live: tuple[Service, Influx], query: str) -> None:
    """Each query of the Grafana dashboard runs at a real server and finds what the plant sent; none averages."""
    _, influx = live
    chosen = {"$plant": "cq-truck", "$point": "DA002.nmhc", "$outlet": "DA002", "$timeFilter": "time > now() - 40d"}
    text = query
    for name, value in chosen.items():
        text = text.replace(name, value)
    assert "$" not in text
    assert not re.search(r"\b(mean|sum|median|percentile|integral)\(", text, re.IGNORECASE)
    assert influx.query(text), text
