"""This module makes stores with an archive: readings put in, days sealed in this process, everything read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from builders import a_plant, a_point

from plantmon.archive.job import Job, Made
from plantmon.archive.making import make
from plantmon.archive.stage import Archivist, Turn
from plantmon.model.plant import Kind, Plant, Point
from plantmon.sealed import manifest
from plantmon.store import archive, readings
from plantmon.store.database import Store
from plantmon.store.late import Inserted
from plantmon.store.points import register_points

DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
DAY_0 = 20_000 * DAY_MS  # 2024-10-04 of UTC
AFTER_MS, RAW_MS = 7 * DAY_MS, 60 * DAY_MS

FAST, OTHER, SLOW, METER = "DA001.nox", "DA001.so2", "DW001.cod", "E-MAIN"

Row = tuple[int, int, float, int, int]


def points_of() -> tuple[Point, ...]:
    """Give two fast gauges, a slow one, and a meter."""
    return (
        a_point(FAST),
        a_point(OTHER),
        a_point(SLOW, quantity="cod", unit="mg/L", interval_ms=HOUR_MS, range_high=None, range_low=None),
        a_point(METER, outlet=None, quantity="electricity", unit="kWh", kind=Kind.COUNTER, interval_ms=900_000),
    )


class MakesHere:
    """Makes the files in this process, telling of each step."""

    def __init__(self, on_step: Callable[[str], None] = lambda _: None) -> None:
        self._on_step = on_step

    def make(self, job: Job) -> Made:
        """Make one."""
        return make(job, self._on_step)


class ArchiveStore:
    """A store with the points above and an archive beside it."""

    def __init__(self, folder: Path, plant: Plant | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.store = Store(folder / "plantmon.db")
        self.folder = folder / "archive"
        self.plant = plant or a_plant(points_of(), ())
        self.numbers = self.store.write(lambda connection: register_points(connection, self.plant, DAY_0))

    def put(self, rows: list[Row]) -> Inserted:
        """Store rows of one table, as a batch brings them."""
        sparse = {self.numbers[point.id] for point in self.plant.points.values() if point.is_sparse}
        table = "register" if rows[0][1] in sparse else "reading"
        rows = sorted(rows, key=lambda row: (row[1], row[0]) if table == "register" else row[:2])

        def write(connection: Any) -> Inserted:
            for point in {row[1] for row in rows}:
                first = min(row[0] for row in rows if row[1] == point)
                connection.execute(
                    "UPDATE point SET first_ms = min(coalesce(first_ms, ?), ?) WHERE id = ?", (first, first, point)
                )
            return readings.insert(connection, table, rows)

        return self.store.write(write)

    def archivist(self, on_step: Callable[[str], None] = lambda _: None, raw_ms: int = RAW_MS) -> Archivist:
        """Give the stage over this store."""
        return Archivist(self.store, MakesHere(on_step), AFTER_MS, raw_ms, on_step)

    def seal(self, now_ms: int, raw_ms: int = RAW_MS) -> list[Turn]:
        """Do everything that is to be done at an instant."""
        return run_all(self.archivist(raw_ms=raw_ms), now_ms)

    def entries(self) -> list[manifest.Entry]:
        """Give the manifest."""
        with self.store.readers.snapshot() as connection:
            return archive.entries(connection)

    def count(self, table: str) -> int:
        """Count a table's rows."""
        with self.store.readers.snapshot() as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def run_all(archivist: Archivist, now_ms: int) -> list[Turn]:
    """Run the stage until it has nothing more to do."""
    turns = []
    while (turn := archivist.run(now_ms)) is not None:
        turns.append(turn)
    return turns


def everything(store: Store, start_ms: int = DAY_0 - DAY_MS, end_ms: int = DAY_0 + 400 * DAY_MS) -> list[Row]:
    """Read all readings of a store, wherever they are, by time and point."""
    with store.readers.snapshot() as connection:
        found = readings.span(connection, start_ms, end_ms)
    columns = (found.ts, found.point, found.value, found.flag, found.arrival)
    return list(zip(*(column.tolist() for column in columns), strict=True))
