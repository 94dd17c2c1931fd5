"""This module is twenty plants of a group, large and small, each with a store of its own and two years behind it.

A plant's amounts follow from its number alone and are spread over days in whole quanta of its registers, as the stages
leave them: day windows of meters, day sums of emissions, ledger lines. What the plants then publish is their own
program's work; nothing of a group is computed here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Self

from plantmon.esg.engine import annual
from plantmon.esg.freeze import publish
from plantmon.ledger.period import read_period
from plantmon.model.emission import EmissionDay
from plantmon.model.window import Window
from plantmon.permits import permit_of
from plantmon.plant import load_plant_text
from plantmon.reports.esg.gather import material
from plantmon.reports.esg.plain import as_json
from plantmon.store import emissions, ledger, points, spool, windows
from plantmon.store.database import Store

YEARS = (2021, 2022)
NOW = "2023-02-01"
COUNT = 20
BUSES = (3, 8, 14)  # plants that make buses, and no trucks
NO_GAS = (2, 5, 11, 17)
LATE = 13  # its stack's last day is not closed when it publishes
BLIND = 6  # its water meter was dead all through 2022
QUANTUM = 10**6  # of a register
_REGIONS = ("national", "chongqing", "southwest", "central")
_SPOOL_BYTES = 50_000_000
_TEXT = """\
plant: {{id: {id}, name: {{en: "Works {number}", zh: "{number} 号工厂"}}, timezone: Asia/Shanghai}}
meters:
  E-MAIN: {{quantity: electricity, unit: kWh, role: purchased, interval: 1h}}
  W-MAIN: {{quantity: water, unit: m3, role: purchased, interval: 1h}}
{gas}
  LINE: {{quantity: production, product: {product}, unit: pcs, role: output, interval: 1h}}
outlets:
  DA001:
    name: Boiler stack
    kind: air
    points:
      nox: {{quantity: nox, unit: mg/m3, interval: 60s}}
esg:
  grid_factor: {{region: {region}, data_year: 2022}}
  denominators:
    {product}: {{quantity: production, product: {product}, name: {{en: {product}, zh: 辆}}}}
    output: {{ledger: output_value, unit: 10k CNY, name: {{en: output value, zh: 产值}}}}
"""
_GAS = "  G-MAIN: {quantity: natural_gas, unit: m3, role: purchased, interval: 1h}"


class Works:
    """One plant with its store; `number` from 1 says how large it is and what it has."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self.id = f"works-{number:02}"
        self.product = "bus" if number in BUSES else "truck"
        has_gas = number not in NO_GAS
        text = _TEXT.format(
            id=self.id, number=number, product=self.product, gas=_GAS if has_gas else "",
            region=_REGIONS[number % len(_REGIONS)],
        )  # fmt: skip
        self.plant = load_plant_text(text, "plant.yaml")
        self.now_ms = self.plant.time.parse(NOW)
        folder.mkdir(parents=True, exist_ok=True)
        self.store = Store(folder / "plantmon.db")
        self._numbers = self.store.write(lambda c: points.register_points(c, self.plant, self.now_ms))
        self.store.write(lambda c: spool.set_limit(c, _SPOOL_BYTES))
        for year in YEARS:
            self._live(year)

    @property
    def share(self) -> str:
        """The group's share in it, as the group file writes it."""
        return ("100", "51.5", "33.333333", "75.25")[self.number % 4]

    def _live(self, year: int) -> None:
        """Fill a year: what it takes and makes grows with its number, and a little with the year."""
        size = self.number**2 * 10 + (year - YEARS[0]) * self.number
        days = self._days(year)
        amounts = {
            "E-MAIN": size * 8_123_457_001 + self.number, "W-MAIN": size * 213_457_003, "G-MAIN": size * 1_543_217_011,
            "LINE": size * 7 * QUANTUM,
        }  # fmt: skip
        if self.number == BLIND and year == YEARS[-1]:
            del amounts["W-MAIN"]
        rows = [
            row
            for meter, amount in amounts.items()
            if meter in self._numbers
            for row in self._counted(meter, amount, days)
        ]
        nox = [self._released(size, place, day, is_last=place == len(days) - 1) for place, day in enumerate(days)]

        def write(connection: sqlite3.Connection) -> None:
            windows.write(connection, rows)
            emissions.write_days(connection, nox)
            for month in range(1, 13):
                self._line(connection, f"{year}-{month:02}", "diesel", Decimal(size * 3 + month) / 7, "L")
            self._line(connection, f"{year}", "output_value", Decimal(size) * Decimal("1.37"), "10k CNY")

        self.store.write(write)

    def _days(self, year: int) -> list[tuple[int, int]]:
        time = self.plant.time
        span = time.parse(f"{year}-01-01"), time.parse(f"{year + 1}-01-01")
        return [(day, time.next_day(day)) for day in time.days(*span)]

    def _counted(self, meter: str, amount: int, days: list[tuple[int, int]]) -> Iterator[Window]:
        """Spread an amount over days so that they add up to it, in quanta."""
        many, point = len(days), self._numbers[meter]
        for place, (start, end) in enumerate(days):
            part = amount * (place + 1) // many - amount * place // many
            long = end - start
            yield Window("1d", start, end, point, amount=part, due=long, had=long, valid=long, is_valid=True)

    def _released(self, size: int, place: int, day: tuple[int, int], *, is_last: bool) -> EmissionDay:
        kg = (size * 7919 + place * 104_729) % 99_991 / 1000
        is_open = self.number == LATE and is_last
        return EmissionDay(self._numbers["DA001.nox"], *day, kg, 0.0, 1440, 0, 0, at_least=False, provisional=is_open)

    def _line(self, connection: sqlite3.Connection, period: str, item: str, value: Decimal, unit: str) -> None:
        kept = value.quantize(Decimal("0.0001"))
        start, end = read_period(period).span(self.plant.time)
        new = ledger.NewLine(period, start, end, item, kept, unit, f"{kept} {unit}", "the works' books", "")
        ledger.add(connection, new, "reporter", self.now_ms)

    def publish(self, year: int) -> None:
        """Publish a year."""
        self.store.write(lambda c: publish(c, self.plant, self._numbers, f"{year}", "reporter", self.now_ms))

    def report(self, year: int) -> str:
        """Give the year's report as JSON, as `plantmon report --format json` writes it: published or a draft."""
        with self.store.readers.snapshot() as connection:
            found = annual(connection, self.plant, self._numbers, f"{year}", None, self.now_ms)
            permit = permit_of(connection, self.plant)
            return as_json(material(connection, self.plant, permit, self._numbers, found, self.now_ms, "en"))

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def group_file(plants: dict[str, str], source: str, approach: str = "equity") -> str:
    """Write a group file: shares by plant, and where each is read, `{}` being its id."""
    rows = [
        f"  - {{id: {id}, name: {{en: {id}, zh: {id}}}, share: {share} %, from: {source.format(id)}}}"
        for id, share in plants.items()
    ]
    head = f"group: {{id: trucks, name: {{en: Truck group, zh: 卡车集团}}, approach: {approach}}}"
    return "\n".join([head, "plants:", *rows, ""])
