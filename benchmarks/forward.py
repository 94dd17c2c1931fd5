"""This module measures forwarding: what it costs the ingest, and how fast a backlog drains.

`python -m benchmarks.forward`. The ingest runs as in `benchmarks.ingest`, in pairs: without an InfluxDB, and with a
sink that answers at once, a process of its own beside the broker. The backlog is a week of 300 points at 10 s as the
spool holds it, drained into the sink by a forwarder alone; a tenth of it goes into a real InfluxDB and VictoriaMetrics.
Last, each of the two is killed ten times while 200,000 readings are on their way, and compared point by point.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.forwarding import NOW_MS, Fed, drain, in_influx, in_victoria, kill_story, writer_of
from benchmarks.ingest import BROKER_CPU, READINGS_IN_A_BATCH, daemon_seconds, series_messages, single_messages
from benchmarks.report import show
from plantmon.forward.sender import InfluxWriter
from plantmon.forward.stage import Writer
from plantmon.model.reading import Columns
from plantmon.store import spool
from simulators.influx import Influx, Sink, Victoria
from simulators.plant import SimulatedPlant

POINTS, INTERVAL_MS, WEEK_MS = 300, 10_000, 7 * 86_400_000
WEEK = POINTS * WEEK_MS // INTERVAL_MS
_IN_A_BLOB = 4800  # what blobs of a live plant are put together to, in whole instants


def _serve(said: Connection) -> None:
    os.sched_setaffinity(0, {BROKER_CPU})
    with Sink() as sink:
        said.send(sink.url)
        said.recv()


@contextmanager
def sink_apart() -> Iterator[str]:
    """Run a sink in a process of its own; give its address."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_serve, args=(its,))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def ingest_pairs(rounds: int, messages: int, batches: int, url: str) -> dict[str, list[tuple[float, float]]]:
    """Time the ingest without and with forwarding, of single readings and of batches; the order changes each round."""
    plant = SimulatedPlant(size=POINTS)
    influx = {"INFLUX__URL": url, "INFLUX__ORG": "plant", "INFLUX__BUCKET": "plant", "INFLUX__TOKEN": "t"}
    singles, series = single_messages(plant, messages), series_messages(plant, batches)
    kinds = {"singles": (singles, len(singles)), "batches": (series, len(series) * READINGS_IN_A_BATCH)}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for number in range(rounds):
        for name, (sent, readings) in kinds.items():
            took = {}
            for is_on in (number % 2 == 0, number % 2 == 1):
                took[is_on] = daemon_seconds(plant, sent, readings, **(influx if is_on else {}))
            found[name].append((took[False], took[True]))
            print(f"round {number + 1}, {name}: off {took[False]:.2f} s, on {took[True]:.2f} s", flush=True)
    return found


def backlog(folder: Path, readings: int) -> Fed:
    """Make a store in whose spool so many readings wait."""
    folder.mkdir()
    fed = Fed(folder, size=POINTS)
    with fed.store.readers.snapshot() as connection:
        numbers = np.array(
            [row[0] for row in connection.execute("SELECT id FROM point ORDER BY id LIMIT ?", (POINTS,))]
        )
    random = np.random.default_rng(7)
    for start in range(0, readings, _IN_A_BLOB):
        place = np.arange(start, min(start + _IN_A_BLOB, readings), dtype=np.int64)
        columns = Columns(
            NOW_MS - WEEK_MS + place // len(numbers) * INTERVAL_MS, numbers[place % len(numbers)],
            np.round(random.uniform(10, 60, len(place)), 2), place * 0,
        )  # fmt: skip
        fed.store.write(lambda connection, columns=columns: spool.add_readings(connection, columns))
    return fed


def drain_per_s(folder: Path, writer: Writer, readings: int) -> tuple[float, float]:
    """Give how many readings a second drain, and how many bytes one took in the spool."""
    fed = backlog(folder, readings)
    try:
        with fed.store.readers.snapshot() as connection:
            size = spool.total(connection).bytes
        began = time.monotonic()
        turns = drain(fed.forwarder(writer))
        took = time.monotonic() - began
    finally:
        fed.close()
    if turns[-1].fault or fed.waiting():
        raise RuntimeError(f"not all was taken: {turns[-1].fault}")
    return readings / took, size / readings


def killed(folder: Path, kind: str, readings: int, kills: int) -> tuple[bool, float]:
    """Tell whether a server that was killed has the same points as the store, and how long that took."""
    folder.mkdir()
    began = time.monotonic()
    with ExitStack() as stack:
        if kind == "influxdb":
            influx = stack.enter_context(Influx(folder))
            influx.create()
            server: Influx | Victoria = influx
            writer = writer_of(influx)
            there: Callable[[], object] = lambda: in_influx(influx)  # noqa: E731
        else:
            victoria = stack.enter_context(Victoria(folder / "victoria"))
            server, writer = victoria, InfluxWriter(victoria.url, "plant", "plant", None)
            there = lambda: in_victoria(victoria)  # noqa: E731
        stored = kill_story(folder, server, writer, readings, kills)
        time.sleep(2)  # VictoriaMetrics shows what it took a second later
        return len(stored) == readings and there() == stored, time.monotonic() - began


def main() -> None:
    """Measure, and print ratios, rates and whether anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forward", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--batches", type=int, default=1_000)
    parser.add_argument("--backlog", type=int, default=WEEK)
    parser.add_argument("--readings", type=int, default=200_000, help="with the servers that are killed")
    parser.add_argument("--kills", type=int, default=10)
    chosen = parser.parse_args()
    rows: list[list[object]] = []
    figures: dict[str, object] = {"backlog": chosen.backlog}
    everywhere = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as name, sink_apart() as url:
        folder = Path(name)
        if chosen.rounds:
            os.sched_setaffinity(0, {BROKER_CPU})
            for kind, pairs in ingest_pairs(chosen.rounds, chosen.messages, chosen.batches, url).items():
                ratios = [on / off for off, on in pairs]
                figures[f"ratio_{kind}"] = round(median(ratios), 3)
                figures[f"ratios_{kind}"] = [round(ratio, 3) for ratio in ratios]
                rows.append([f"ingest of {kind}, with over without", figures[f"ratio_{kind}"], "", "at most 1.15"])
            os.sched_setaffinity(0, everywhere)
        if chosen.backlog:
            sinks: dict[str, Callable[[ExitStack], Writer]] = {
                "sink": lambda _: InfluxWriter(url, "plant", "plant", "t"),
                "influxdb": lambda stack: _into_influx(stack, folder / "influx"),
                "victoria": lambda stack: InfluxWriter(
                    stack.enter_context(Victoria(folder / "victoria")).url, "plant", "plant", None, 60.0
                ),
            }
            for kind, writer in sinks.items():
                with ExitStack() as stack:
                    count = chosen.backlog if kind == "sink" else chosen.backlog // 10
                    per_s, size = drain_per_s(folder / f"store-{kind}", writer(stack), count)
                figures[f"drain_{kind}_per_s"] = round(per_s)
                figures["bytes_a_reading"] = round(size, 2)
                target = "over 200000" if kind == "sink" else ""
                rows.append([f"backlog of {count} into {kind}", round(per_s), "readings/s", target])
        for kind in ("influxdb", "victoria") if chosen.kills else ():
            is_same, took = killed(folder / f"killed-{kind}", kind, chosen.readings, chosen.kills)
            figures[f"killed_{kind}_same"] = is_same
            what = f"{chosen.readings} readings, {kind} killed {chosen.kills} times, {took:.0f} s"
            rows.append([what, "the same" if is_same else "NOT the same", "", "the same"])
    show("forward", ["what", "measured", "unit", "target"], rows, figures)


def _into_influx(stack: ExitStack, folder: Path) -> Writer:
    folder.mkdir()
    influx = stack.enter_context(Influx(folder))
    influx.create()
    return writer_of(influx, 60.0)


if __name__ == "__main__":
    main()
