"""This module measures export and import: a day of 300 points at 10 s, out of a store and into an empty one.

`python -m benchmarks.transfer [--rounds 3]`. Medians of the rounds; each form is written, then read, compared and
stored by the same functions the commands use, in one process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.archive import START_MS, Bench
from benchmarks.report import show
from plantmon.exporting import Form, Wanted, export
from plantmon.importing.read import Manner, stage
from plantmon.pipeline import Pipeline
from plantmon.store.database import Store
from plantmon.times import DAY_MS

PARTS = ("written", "read", "stored", "known")


def main() -> None:
    """Measure, and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(folder)
        count = bench.into_sqlite(bench.day(START_MS))
        rows: list[tuple[object, ...]] = []
        figures: dict[str, object] = {"readings": count}
        for form in Form:
            out = folder / f"day.{form}"
            speeds = [_once(bench, form, out, folder / f"{form}{turn}", count) for turn in range(rounds)]
            found = [round(median(each)) for each in zip(*speeds, strict=True)]
            size = round(out.stat().st_size / count, 1)
            rows.append((form, size, *(f"{one:,}" for one in found)))
            figures |= {f"{form}_bytes": size}
            figures |= {f"{form}_{part}": one for part, one in zip(PARTS, found, strict=True)}
        show("transfer", ["form", "bytes a reading", *(f"{part}/s" for part in PARTS)], rows, figures)


def _once(bench: Bench, form: Form, out: Path, folder: Path, count: int) -> tuple[float, ...]:
    """Write a file and take it in; give readings a second of each part."""
    began = time.perf_counter()
    wanted = Wanted(START_MS, START_MS + DAY_MS, None)
    export(bench.store.readers, bench.pipeline.plant, wanted, form, out, lambda _: None)
    return (count / (time.perf_counter() - began), *_take(bench, out, folder, count))


def _take(bench: Bench, path: Path, folder: Path, count: int) -> tuple[float, float, float]:
    """Take a file into an empty store, and again; give readings a second of reading, storing, and storing again."""
    folder.mkdir()
    store = Store(folder / "plantmon.db")
    now_ms = START_MS + 2 * DAY_MS
    pipeline = Pipeline(bench.pipeline.plant, store, now_ms, "plant.example")
    speeds = []
    for turn in range(2):
        began = time.perf_counter()
        found = stage(path, bench.pipeline.plant, store.path, now_ms, Manner(), lambda _: None)
        assert found.staged is not None
        if turn == 0:
            speeds.append(count / (time.perf_counter() - began))
        began = time.perf_counter()
        done, answer = pipeline.importing.run(found.staged, "bench", "en", lambda: now_ms)
        assert done
        assert answer["fresh" if turn == 0 else "known"] == count
        speeds.append(count / (time.perf_counter() - began))
    store.close()
    return speeds[0], speeds[1], speeds[2]


if __name__ == "__main__":
    main()
