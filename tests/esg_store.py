"""This module fills a store with what annual figures are made of, as the stages and the ledger leave it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from plantmon.esg.engine import annual
from plantmon.ledger.period import read_period
from plantmon.model.emission import EmissionDay
from plantmon.model.metric import Annual, Line
from plantmon.model.plant import Plant
from plantmon.model.window import Window
from plantmon.plant.load import load_plant_text
from plantmon.store import emissions, ledger, points, windows
from plantmon.store.database import Store

T = TypeVar("T")

HEAD = "plant: {id: p, name: P, timezone: Asia/Shanghai}\n"
QUANTUM = 10**6


class EsgStore:
    """A store with points of a plant file, filled day by day; `now` is a month after the end of 2020."""

    def __init__(self, folder: Path, text: str, now: str = "2021-02-01") -> None:
        self.plant: Plant = load_plant_text(text if text.startswith("plant:") else HEAD + text, "plant.yaml")
        self.now_ms = self.plant.time.parse(now)
        self.store = Store(folder / "plantmon.db")
        self.numbers = self.store.write(lambda connection: points.register_points(connection, self.plant, self.now_ms))

    def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run a change in one transaction."""
        return self.store.write(change)

    def read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Run a question over one view of the store."""
        with self.store.readers.snapshot() as connection:
            return ask(connection)

    def days(self, start: str, end: str) -> list[tuple[int, int]]:
        """List the local days [start, end) as instants."""
        time = self.plant.time
        return [(day, time.next_day(day)) for day in time.days(time.parse(start), time.parse(end))]

    def count(self, meter: str, units: int, start: str = "2020-01-01", end: str = "2021-01-01") -> None:
        """Write day windows of a meter that come to so many units, spread over the days in whole quanta."""
        days = self.days(start, end)
        total, many = units * QUANTUM, len(days)
        self.count_days(meter, [total * (n + 1) // many - total * n // many for n in range(many)], start)

    def count_days(self, meter: str, amounts: Iterable[int], start: str) -> None:
        """Write day windows of a meter with these amounts, 1e-6 of its unit."""
        time, number, rows = self.plant.time, self.numbers[meter], []
        day = time.parse(start)
        for amount in amounts:
            end = time.next_day(day)
            long = end - day
            rows.append(Window("1d", day, end, number, amount=amount, due=long, had=long, valid=long, is_valid=True))
            day = end
        self.write(lambda connection: windows.write(connection, rows))

    def release(self, point: str, days: Iterable[tuple[int, int]], **fields: object) -> None:
        """Write day sums of a pollutant, each alike."""
        number = self.numbers[point]
        usual = {"measured_kg": 0.0, "substituted_kg": 0.0, "ran_minutes": 1440, "substituted_minutes": 0}
        usual |= {"unknown_minutes": 0, "at_least": False, "provisional": False}
        rows = [EmissionDay(number, start, end, **usual | fields) for start, end in days]  # type: ignore[arg-type]
        self.write(lambda connection: emissions.write_days(connection, rows))

    def line(self, period: str, item: str, value: str, unit: str, below: str | None = None) -> int:
        """Write a line of the ledger; give its number."""
        start, end = read_period(period).span(self.plant.time)
        new = ledger.NewLine(
            period, start, end, item, Decimal(value), unit, f"{value} {unit}", "a document", "",
            below=None if below is None else Decimal(below),
        )  # fmt: skip
        return self.write(lambda connection: ledger.add(connection, new, "reporter", self.now_ms))

    def annual(self, period: str = "2020", previous: str | None = None, now: str | None = None) -> Annual:
        """Make a report."""
        now_ms = self.now_ms if now is None else self.plant.time.parse(now)
        return self.read(lambda connection: annual(connection, self.plant, self.numbers, period, previous, now_ms))

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def line_of(report: Annual, id: str) -> Line:
    """Give a report's line of a metric."""
    return next(line for line in report.lines if line.figure.metric.id == id)
