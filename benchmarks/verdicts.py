"""This module measures how long judging a year again takes: 300 points, 100 limits, from minute windows, one core.

`python -m benchmarks.verdicts [--days 365]`. The store is filled with minute, hour and day windows as the windows stage
leaves them (readings would make it 30 times as large and are not read). Then the year is judged twice: once into an
empty verdict table, and once more, when nothing may change. Amounts are weighed and judged too, and timed apart.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.report import show
from plantmon.averages.mean import means_of
from plantmon.averages.validity import hour_due, hour_needed
from plantmon.model.minutes import MINUTES, Grid, MinuteBlock
from plantmon.model.plant import Kind, Plant, Point
from plantmon.model.window import Window
from plantmon.pipeline import Pipeline
from plantmon.plant.load import load_plant
from plantmon.store import minutes, windows
from plantmon.store.database import Store
from plantmon.windows.day import day_of_hours
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.publish import moment_ms

POINTS, LIMITS = 300, 100
START_MS = moment_ms("2026-01-01T00:00")
HOUR_MS = 3_600_000
SHAPES = 24  # different hours a point has; they come again, the work on each is the same


def blocks_of(point: Point, rng: np.random.Generator) -> list[MinuteBlock]:
    """Make a point's hours: all minutes there, a few invalid in some, around half of its limit."""
    high = point.range_high if point.range_high is not None else 100.0
    found = []
    for _ in range(SHAPES):
        block = MinuteBlock.empty()
        chosen = np.flatnonzero(rng.random(MINUTES) > 0.02)
        if point.is_slow:
            chosen = np.arange(0, MINUTES, max(1, point.interval_ms // 60_000))
        block.had[chosen] = block.valid[chosen] = 1 if point.is_slow else 6
        mean = np.round(high * (0.02 + 0.01 * rng.random(len(chosen))), 3)
        block.mean[chosen], block.low[chosen], block.high[chosen] = mean, mean - 0.1, mean + 0.1
        found.append(block)
    return found


def fill(store: Store, plant: Plant, numbers: dict[str, int], days: int) -> int:
    """Write the windows of so many days; give how many hours."""
    rng = np.random.default_rng(1)
    end = START_MS + days * 24 * HOUR_MS
    count = 0
    for point in plant.points.values():
        if point.kind is Kind.COUNTER:
            continue
        number, needed = numbers[point.id], hour_needed(point, plant.rules)
        shapes = blocks_of(point, rng)
        packed = [block.pack() for block in shapes]
        found = means_of(Grid.of(shapes), point.kind is Kind.ENERGY, point.is_slow, needed)
        has_running = point.outlet is not None and plant.outlets[point.outlet].running is not None
        made = [
            Window(
                "1h", 0, HOUR_MS, number, one.mean, one.minimum, one.maximum, one.lower_bound, None, hour_due(point),
                one.had, one.valid, one.readings, one.over_range, (1 << MINUTES) - 1 if has_running else None,
                one.valid >= needed,
            )
            for one in map(found.one, range(SHAPES))
        ]  # fmt: skip
        hours = range(START_MS, end, HOUR_MS)
        rows = [(hour, number, packed[place % SHAPES]) for place, hour in enumerate(hours)]
        year = [replace(made[place % SHAPES], start=hour, end=hour + HOUR_MS) for place, hour in enumerate(hours)]
        daily = [
            day_of_hours(point, number, plant.rules, day, day + 24 * HOUR_MS, year[24 * place : 24 * place + 24])
            for place, day in enumerate(range(START_MS, end, 24 * HOUR_MS))
        ]

        def write(connection, rows=rows, year=year, daily=daily, number=number) -> None:  # type: ignore[no-untyped-def]
            minutes.write(connection, rows)
            windows.write(connection, [*year, *daily])
            for level in ("1h", "1d"):
                windows.close(connection, level, {number: (START_MS, end)})
            connection.execute(
                "UPDATE point SET first_ms = ?, spoken_ms = ?, heard_ms = ? WHERE id = ?",
                (START_MS, end - 1, end - 1, number),
            )

        store.write(write)
        count += len(year)
    return count


def weigh(pipeline: Pipeline, end_ms: int) -> None:
    """Weigh the amounts of all hours."""
    pipeline.amounts.mark(START_MS, end_ms)
    while pipeline.amounts.run()[1]:
        pass


def main() -> None:
    """Fill a store, judge its year twice, print the seconds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    end = START_MS + chosen.days * 24 * HOUR_MS
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plant.yaml"
        file.write_text(plant_file(SimulatedPlant(size=POINTS)), encoding="utf-8")
        whole = load_plant(file)
        plant = replace(whole, limits=whole.limits[:LIMITS])
        store = Store(Path(folder) / "plantmon.db")
        pipeline = Pipeline(plant, store, START_MS, "plant.example")
        hours = fill(store, plant, pipeline.numbers, chosen.days)
        began = time.perf_counter()
        weigh(pipeline, end)
        amounts_s = time.perf_counter() - began
        took, changed = [], []
        profile = cProfile.Profile()
        for attempt in range(2):
            if chosen.profile and attempt:
                profile.enable()
            began = time.perf_counter()
            changed.append(pipeline.compliance.recompute(START_MS, end, end))
            took.append(time.perf_counter() - began)
            profile.disable()
        store.close()
    if chosen.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(35)
    rows = [
        ["weighing amounts", "", f"{amounts_s:.1f}"],
        ["judging, all new", f"{changed[0]:,}", f"{took[0]:.1f}"],
        ["judging again", f"{changed[1]:,}", f"{took[1]:.1f}"],
    ]
    show(f"verdicts of {chosen.days} days, {POINTS} points, {LIMITS} limits, one core (target: a year in 60 s)",
         ["step", "verdicts changed", "s"], rows,
         {"hours": hours, "amounts_s": round(amounts_s, 1), "first_s": round(took[0], 1), "again_s": round(took[1], 1),
          "verdicts": changed[0], "changed_again": changed[1]})  # fmt: skip


if __name__ == "__main__":
    main()
