"""This module measures closing a minute and an hour of 300 points against how much lies in the store.

`python -m benchmarks.windows`. The stages run as in the daemon, without its threads. The store grows from hours to
days; at each size the next hours are fed minute by minute, and the turn after each minute, and the longest of an hour,
which closes the one before, are timed. What they cost must follow what arrived, not what is stored.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.memory import value_at
from benchmarks.report import show
from plantmon.feed.check import Message
from plantmon.pipeline import Pipeline
from plantmon.plant.load import load_plant
from plantmon.store.database import Store
from simulators.plant import COUNTER, SimulatedPlant
from simulators.plantfile import plant_file
from simulators.publish import moment_ms

POINTS = 300
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
START_MS = moment_ms("2026-03-01T00:00")

HOURS_STORED = (4, 24, 96)
MEASURED_HOURS = 5
_A_MESSAGE = Message("benchmark", b"", 0)


class Bench:
    """A pipeline over a store of its own, fed with rows as a batch would leave them."""

    def __init__(self, folder: Path) -> None:
        self.plant = SimulatedPlant(size=POINTS)
        file = folder / "plant.yaml"
        file.write_text(plant_file(self.plant), encoding="utf-8")
        self.store = Store(folder / "plantmon.db")
        self.pipeline = Pipeline(load_plant(file), self.store, START_MS, "plant.example")
        self.at_ms = START_MS
        self.stored = 0

    def feed(self, until_ms: int) -> int:
        """Store the readings of [at, until) through the ingest; give how many."""
        from_ms, self.at_ms = self.at_ms, until_ms
        batch = self.pipeline.checker.check([])
        for number, point in enumerate(self.plant.points()):
            first = -(-from_ms // point.interval_ms) * point.interval_ms
            instants = range(first, until_ms, point.interval_ms)
            batch.ts += instants
            batch.point += [self.pipeline.numbers[point.id]] * len(instants)
            if point.kind == COUNTER:
                batch.value += [value_at(point, number, ts_ms) for ts_ms in instants]
            else:
                level = value_at(point, number, from_ms)
                batch.value += np.round(level * (1 + 0.001 * np.sin(np.array(instants) / 1e5)), 2).tolist()
        count = len(batch.ts)
        batch.flag, batch.arrival, batch.source = [0] * count, [until_ms] * count, [0] * count
        message = _A_MESSAGE._replace(arrival_ms=until_ms)
        self.store.write(lambda connection: self.pipeline.take(connection, batch, [message], until_ms))
        self.stored += count
        return count

    def turn(self, now_ms: int) -> float:
        """Run the stages until nothing is left to do; give the seconds."""
        began = time.perf_counter()
        self.pipeline.settle(now_ms)
        return time.perf_counter() - began

    def grow(self, hours: int) -> None:
        """Fill the store up to so many hours of plant time, windows and all."""
        while self.at_ms < START_MS + hours * HOUR_MS:
            self.feed(self.at_ms + HOUR_MS)
            self.turn(self.at_ms)


def measure(bench: Bench) -> tuple[float, float, int, int]:
    """Give the median seconds of a minute and of the hour's close, and the readings that came in each."""
    minutes, hours, in_minute, in_hour = [], [], 0, 0
    for _ in range(MEASURED_HOURS):
        in_hour = 0
        closing = 0.0
        for _ in range(60):
            in_minute = bench.feed(bench.at_ms + MINUTE_MS)
            in_hour += in_minute
            took = bench.turn(bench.at_ms)
            minutes.append(took)
            closing = max(closing, took)
        hours.append(closing)
    return median(minutes), median(hours), in_minute, in_hour


def main() -> None:
    """Measure at each size and print the costs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.windows", description=__doc__)
    parser.parse_args()
    rows, sizes = [], []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for hours in HOURS_STORED:
            bench.grow(hours)
            stored = bench.stored
            minute_s, hour_s, in_minute, in_hour = measure(bench)
            sizes.append({"stored": stored, "minute_ms": round(minute_s * 1e3, 1), "hour_ms": round(hour_s * 1e3, 1)})
            rows.append([f"{stored:,}", in_minute, f"{minute_s * 1e3:.1f}", in_hour, f"{hour_s * 1e3:.1f}"])
        bench.store.close()
    growth = {
        "stored_growth": round(sizes[-1]["stored"] / sizes[0]["stored"], 1),
        "minute_growth": round(sizes[-1]["minute_ms"] / sizes[0]["minute_ms"], 2),
        "hour_growth": round(sizes[-1]["hour_ms"] / sizes[0]["hour_ms"], 2),
    }
    show("windows (target: cost follows what arrived)",
         ["readings stored", "in a minute", "minute ms", "in an hour", "closing hour ms"], rows,
         {**growth, "sizes": sizes})  # fmt: skip


if __name__ == "__main__":
    main()
