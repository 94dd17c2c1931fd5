"""This module measures the archive: 300 points at 10 s, bytes a reading, sealing, looking, computing a span again.

`python -m benchmarks.archive [--days 8]`. One day goes the whole way from SQLite into its file and out of SQLite. The
further days are written as files by the same writer and entered in the manifest, since filling SQLite with them would
take the longest part; from then on nothing tells them from days that were sealed. Values are those of the simulated
plant, arrivals 40 to 400 ms later, another delay for each message of an instant.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.report import show
from plantmon.archive.job import SealingChild
from plantmon.archive.stage import Archivist, Turn, Work
from plantmon.model.reading import Rows
from plantmon.pipeline import Pipeline
from plantmon.plant.load import load_plant
from plantmon.sealed import manifest
from plantmon.sealed.digest import sha256_of
from plantmon.sealed.head import PointHead, groups_of
from plantmon.sealed.reader import READER
from plantmon.sealed.writing import DayWriter
from plantmon.store import archive, readings, windows
from plantmon.store.database import Store
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file
from simulators.publish import moment_ms

POINTS = 300
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
START_MS = moment_ms("2026-03-01T00:00") // DAY_MS * DAY_MS
INSERT = "INSERT INTO {} (ts, point, value, flag, arrival_ms) VALUES (?, ?, ?, ?, ?)"
LOOKED_AT = "DA003.nox"


class Bench:
    """A store, its pipeline, and the simulated plant that fills it."""

    def __init__(self, folder: Path) -> None:
        self.plant = SimulatedPlant(size=POINTS)
        file = folder / "plant.yaml"
        file.write_text(plant_file(self.plant), encoding="utf-8")
        self.store = Store(folder / "plantmon.db")
        self.pipeline = Pipeline(load_plant(file), self.store, START_MS, "plant.example")
        self.numbers = self.pipeline.numbers
        loaded = self.pipeline.plant.points
        self.sparse = {self.numbers[name] for name, point in loaded.items() if point.is_sparse}
        self.units = {name: point.reading_unit for name, point in loaded.items()}
        self.names = sorted(point.id for point in self.plant.points())

    def day(self, start_ms: int) -> list[tuple[str, Rows]]:
        """Make a day's readings of each point, by name."""
        rng = np.random.default_rng(start_ms % (1 << 32))
        found = []
        for name in self.names:
            ts, values = self.plant.series(name, start_ms, start_ms + DAY_MS)
            number = np.full(len(ts), self.numbers[name])
            arrival = ts + rng.integers(40, 400, len(ts))
            found.append((name, Rows(ts, number, values, np.zeros(len(ts), np.int64), arrival)))
        return found

    def into_sqlite(self, day: list[tuple[str, Rows]]) -> int:
        """Store a day's readings in SQLite; give how many."""
        everything = Rows.join([rows for _, rows in day]).by_time()
        is_sparse = np.isin(everything.point, sorted(self.sparse))
        for start in range(0, len(everything), 200_000):
            part = slice(start, start + 200_000)
            for table, chosen in (("reading", ~is_sparse[part]), ("register", is_sparse[part])):
                rows = tuples(everything.take(part).take(chosen))
                self.store.write(lambda c, rows=rows, table=table: c.executemany(INSERT.format(table), rows))  # type: ignore[misc]
        return len(everything)

    def as_file(self, start_ms: int, day: list[tuple[str, Rows]]) -> int:
        """Write a day's file as the sealing child would, and enter it as released; give how many readings it has."""
        with self.store.readers.snapshot() as connection:
            folder = archive.folder(connection)
        path = folder / manifest.name_of(start_ms, 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = DayWriter(path)
        for group in groups_of([len(rows) for _, rows in day]):
            heads = [PointHead(name, self.numbers[name], self.units[name], len(rows)) for name, rows in
                     (day[place] for place in group)]  # fmt: skip
            writer.add(heads, Rows.join([day[place][1] for place in group]))
        writer.close(manifest.day_text(start_ms), 0, [])
        count = sum(len(rows) for _, rows in day)

        def write(connection: sqlite3.Connection) -> None:
            archive.begin(connection, start_ms)
            archive.add_file(connection, start_ms, 0, count, path.stat().st_size, sha256_of(path), start_ms)
            archive.note_sealed(connection, start_ms, start_ms)
            archive.release(connection, start_ms, start_ms)
            connection.execute("UPDATE archive_day SET emptied_ms = 0 WHERE day = ?", (start_ms,))
            for name, rows in day:
                if self.numbers[name] in self.sparse:
                    connection.executemany(INSERT.format("register"), tuples(rows))

        self.store.write(write)
        return count

    def close_until(self, end_ms: int) -> None:
        """Say that all windows up to an instant are closed, so that they are made."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE point SET first_ms = ?, spoken_ms = ?, heard_ms = ?", (START_MS, end_ms, end_ms))
            for level in ("1h", "1d"):
                first = self.pipeline.plant.time.day_start(START_MS + DAY_MS - 1) if level == "1d" else START_MS
                windows.close(connection, level, dict.fromkeys(self.numbers.values(), (first, end_ms)))

        self.store.write(write)


def tuples(rows: Rows) -> list[tuple[int, int, float, int, int]]:
    """Give readings as rows."""
    columns = (rows.ts, rows.point, rows.value, rows.flag, rows.arrival)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def seal_one(bench: Bench, now_ms: int) -> dict[str, float]:
    """Seal and let go of what is due; give seconds, bytes a reading and the longest transaction of letting go."""
    child = SealingChild()
    archivist = Archivist(bench.store, child, 7 * DAY_MS, 8 * DAY_MS)
    found: dict[str, float] = {}
    slices = []
    while True:
        began = time.perf_counter()
        turn: Turn | None = archivist.run(now_ms)
        took = time.perf_counter() - began
        if turn is None:
            break
        if turn.work is Work.SEALED:
            found |= {"seal_s": round(took, 2), "bytes_a_reading": round(turn.bytes / turn.rows, 3), "rows": turn.rows}
        if turn.work is Work.EMPTIED:
            slices.append(took * 1e3)
    assert child._process is not None
    found["child_mb"] = round(memory_mb(child._process.pid, "VmHWM"))
    child.close()
    found |= {"let_go_s": round(sum(slices) / 1e3, 2), "slice_ms_median": round(median(slices), 1),
              "slice_ms_p99": round(float(np.percentile(slices, 99)), 1)}  # fmt: skip
    return found


def look(bench: Bench, days: int) -> dict[str, float]:
    """Read one point's day and span, first with a child that must be started, then with one that is warm."""
    number = bench.numbers[LOOKED_AT]
    found = {}
    for name, start, end in (
        ("day_first_ms", START_MS + DAY_MS, START_MS + 2 * DAY_MS),
        ("day_ms", START_MS + 2 * DAY_MS, START_MS + 3 * DAY_MS),
        ("month_ms" if days > 31 else "span_ms", START_MS, START_MS + min(31, days) * DAY_MS),
    ):
        with bench.store.readers.snapshot() as connection:
            began = time.perf_counter()
            rows = readings.of(connection, number, start, end)
            found[name] = round((time.perf_counter() - began) * 1e3, 1)
            assert len(rows.ts) == (end - start) // 10_000
    return found


def recompute(folder: Path, end_ms: int, is_profiled: bool) -> dict[str, float]:
    """Compute the span again twice, the first time into empty tables; give the seconds, the rows that changed, memory.

    In a process of its own: what filling took is not to be seen in its memory.
    """
    bench = Bench(folder)
    pipeline, found = bench.pipeline, {}
    profile = cProfile.Profile()
    idle_mb = memory_mb("self", "VmRSS")
    for name in ("made", "again"):
        if is_profiled and name == "again":
            profile.enable()
        began = time.perf_counter()
        changed = pipeline.windows.recompute(START_MS, end_ms, end_ms)
        windows_s = time.perf_counter()
        profile.disable()
        pipeline.amounts.mark(START_MS, end_ms)
        while pipeline.amounts.run()[1]:
            pass
        amounts_s = time.perf_counter()
        verdicts = pipeline.compliance.recompute(START_MS, end_ms, end_ms)
        ended_s = time.perf_counter()
        found |= {
            f"{name}_windows_s": round(windows_s - began, 1), f"{name}_amounts_s": round(amounts_s - windows_s, 1),
            f"{name}_verdicts_s": round(ended_s - amounts_s, 1), f"{name}_s": round(ended_s - began, 1),
            f"{name}_changed": changed + verdicts,
        }  # fmt: skip
    assert READER._process is not None
    found |= {"idle_mb": round(idle_mb), "peak_mb": round(memory_mb("self", "VmHWM")),
              "reader_mb": round(memory_mb(READER._process.pid, "VmHWM"))}  # fmt: skip
    if is_profiled:
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
    READER.close()
    bench.store.close()
    return found


def memory_mb(pid: int | str, what: str) -> float:
    """Give a process's resident memory, present (VmRSS) or highest (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1000
    return 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.archive", description=__doc__)
    parser.add_argument("--days", type=int, default=8, help="at least 3")
    parser.add_argument("--profile", action="store_true", help="print where computing again spends its time")
    parser.add_argument("--recompute", metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    end_ms = START_MS + asked.days * DAY_MS
    if asked.recompute:
        print(json.dumps(recompute(Path(asked.recompute), end_ms, asked.profile)))
        return
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.close_until(end_ms)
        stored = bench.into_sqlite(bench.day(START_MS))
        sealed = seal_one(bench, START_MS + 9 * DAY_MS)
        assert sealed["rows"] == stored
        count = stored
        for day in range(1, asked.days):
            count += bench.as_file(START_MS + day * DAY_MS, bench.day(START_MS + day * DAY_MS))
        looked = look(bench, asked.days)
        READER.close()
        bench.store.close()
        command = [sys.executable, "-m", "benchmarks.archive", "--days", str(asked.days), "--recompute", folder]
        told = subprocess.run([*command, *(["--profile"] if asked.profile else [])], check=True, stdout=subprocess.PIPE)
        *profiled, last = told.stdout.decode().splitlines()
        print("\n".join(profiled))
    again = json.loads(last)
    figures = {**sealed, **looked, "days": asked.days, "readings": count, **again,
               "year_min": round(again["again_s"] * 365 / asked.days / 60, 1)}  # fmt: skip
    show("archive (targets: under 3 bytes a reading; a year again in minutes)",
         ["what", "figure"], [[name, value] for name, value in figures.items()], figures)  # fmt: skip


if __name__ == "__main__":
    main()
