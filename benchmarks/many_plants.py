"""This module measures many daemons on one machine: plants over one mosquitto into one InfluxDB, and a plant in parts.

`python -m benchmarks.many_plants`. First all plants run for a while at the pace of a plant, each point once in ten
seconds: processor time and memory a daemon, of the broker, of the InfluxDB. Then the same readings come as a backlog,
for one daemon, two, four and so on: how many a second are committed by all of them together. Every daemon has a store,
a client id and topics of its own; at the end each must have what was sent to it, and nothing else.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import mean

from benchmarks.ingest import processor_s, wait_until_idle
from benchmarks.memory import memory_mb
from benchmarks.report import show
from simulators.areas import INTERVAL_MS, Area
from simulators.brokers import Mosquitto
from simulators.influx import Influx
from simulators.loadgen import Loadgen
from simulators.messages import Message
from simulators.service import Service, eventually

LIMIT_S = 300.0
POLL_S = 0.02


@contextmanager
def daemons(areas: Sequence[Area], folder: Path, broker: Mosquitto, influx: Influx | None) -> Iterator[list[Service]]:
    """Run a daemon an area, all over one broker, all forwarding to one InfluxDB where one is given."""
    settings = {} if influx is None else {
        "INFLUX__URL": influx.url, "INFLUX__ORG": "plant", "INFLUX__BUCKET": influx.bucket,
        "INFLUX__TOKEN": influx.token,
    }  # fmt: skip
    services = [area.service(folder, broker.port, **settings) for area in areas]
    with ExitStack() as stack:
        for service in services:
            stack.enter_context(service)
        for service in services:
            wait_until_idle(service.pid)
        yield services


def interleaved(areas: Sequence[Area], start_ms: int, instants: int) -> list[Message]:
    """Give the readings of all areas, instant by instant."""
    return [
        message
        for turn in range(instants)
        for area in areas
        for message in area.messages(start_ms + turn * INTERVAL_MS)
    ]  # fmt: skip


def check(areas: Sequence[Area], services: Sequence[Service], instants: int) -> None:
    """Raise RuntimeError where a daemon has not exactly what was sent to it."""
    for area, service in zip(areas, services, strict=True):
        found, rejected = service.stored(), service.count("rejected")
        if (found, rejected) != (area.points * instants, 0):
            raise RuntimeError(f"{area.name}: {found} of {area.points * instants} readings, {rejected} rejected")


def at_pace(areas: Sequence[Area], seconds: int) -> dict[str, float]:
    """Run all daemons at the pace of a plant; give what each takes, and what the InfluxDB has."""
    with (
        tempfile.TemporaryDirectory() as name, Mosquitto("fast") as broker, _influx(Path(name)) as influx,
        daemons(areas, Path(name), broker, influx) as services,
    ):  # fmt: skip
        instants = seconds * 1000 // INTERVAL_MS
        messages = interleaved(areas, time.time_ns() // 1_000_000 - INTERVAL_MS, instants)
        assert broker.pid is not None
        assert influx.pid is not None
        servers = {"broker": broker.pid, "influx": influx.pid}
        used = {place: processor_s(one.pid) for place, one in enumerate(services)}
        before = {server: processor_s(pid) for server, pid in servers.items()}
        began = time.monotonic()
        Loadgen("127.0.0.1", broker.port, messages, rate_per_s=len(messages) / seconds).run(limit_s=LIMIT_S)
        took = time.monotonic() - began
        daemon = [100 * (processor_s(one.pid) - used[place]) / took for place, one in enumerate(services)]
        server = {name: 100 * (processor_s(pid) - before[name]) / took for name, pid in servers.items()}
        eventually(lambda: _points(influx) >= len(messages), 60, 0.5)
        check(areas, services, instants)
        memory = [memory_mb(one.pid) for one in services]
        return {
            "readings_per_s": len(messages) / took,
            "cpu_pct_a_daemon": mean(daemon), "cpu_pct_broker": server["broker"],
            "cpu_pct_influx": server["influx"], "memory_mb_a_daemon": mean(memory), "memory_mb_most": max(memory),
            "memory_mb_influx": memory_mb(influx.pid), "in_influx": _points(influx), "series": _series(influx),
            "influx_mb": _size_mb(Path(name) / "influx"),
        }  # fmt: skip


def backlog(areas: Sequence[Area], readings: int, *, forwards: bool) -> float:
    """Send readings as fast as they are taken; give how many a second all daemons together have committed."""
    each = sum(area.points for area in areas)
    instants = max(1, readings // each)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Mosquitto("fast"))
        influx = stack.enter_context(_influx(folder)) if forwards else None
        services = stack.enter_context(daemons(areas, folder, broker, influx))
        messages = interleaved(areas, time.time_ns() // 1_000_000 - instants * INTERVAL_MS, instants)
        generator = Loadgen("127.0.0.1", broker.port, messages, window=1000)
        thread = threading.Thread(target=generator.run, kwargs={"limit_s": LIMIT_S})
        began = time.monotonic()
        thread.start()
        if not eventually(lambda: sum(one.count() for one in services) >= len(messages), LIMIT_S, POLL_S):
            raise RuntimeError("the readings did not all arrive")
        took = time.monotonic() - began
        thread.join()
        check(areas, services, instants)
        return len(messages) / took


@contextmanager
def _influx(folder: Path) -> Iterator[Influx]:
    (folder / "influx").mkdir()
    with Influx(folder / "influx") as influx:
        influx.create()
        yield influx


def _points(influx: Influx) -> int:
    found = influx.query('SELECT count("value") FROM "reading"')
    return int(found[0]["values"][0][1]) if found else 0


def _series(influx: Influx) -> int:
    return sum(len(one["values"]) for one in influx.query("SHOW SERIES"))


def _size_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def main() -> None:
    """Measure, and print what a daemon takes and what all of them take in."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_plants", description=__doc__)
    parser.add_argument("--plants", type=int, default=20)
    parser.add_argument("--outlets", type=int, default=10, help="a plant; eight points each")
    parser.add_argument("--seconds", type=int, default=120, help="at the pace of a plant")
    parser.add_argument("--readings", type=int, default=100_000, help="of the backlog, all daemons together")
    parser.add_argument("--daemons", type=int, nargs="*", default=[1, 2, 4, 10, 20], help="of the backlog")
    chosen = parser.parse_args()
    plants = [Area(f"plant-{number}", chosen.outlets) for number in range(chosen.plants)]
    pace = at_pace(plants, chosen.seconds) if chosen.seconds else {}
    rows: list[list[object]] = [[name, round(value, 1)] for name, value in pace.items()]
    figures: dict[str, object] = {"plants": chosen.plants, "points": chosen.outlets * 8, "pace": pace}
    for forwards in (False, True):
        rates = backlogs(chosen.daemons, chosen.readings, forwards=forwards)
        where = ", InfluxDB" if forwards else ""
        rows += [[f"backlog, {count} daemons{where}", f"{rate}/s"] for count, rate in rates.items()]
        figures["backlog_influx" if forwards else "backlog"] = rates
    show("many_plants", ["what", "measured"], rows, figures)


def backlogs(daemons: Sequence[int], readings: int, *, forwards: bool) -> dict[int, int]:
    """Take in one plant in as many parts as there are daemons, for each count of them; give readings a second."""
    outlets = max(daemons, default=0) * 2
    found = {}
    for count in daemons:
        parts = [Area(f"part-{number}", outlets // count) for number in range(count)]
        found[count] = round(backlog(parts, readings, forwards=forwards))
        print(f"{count} daemons, {'InfluxDB' if forwards else 'alone'}: {found[count]} readings/s", flush=True)
    return found


if __name__ == "__main__":
    main()
