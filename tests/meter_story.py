"""This module tells stories of meters: readings, changes that people declare, and what hours and days count.

The day is the 2nd of March 2026 in Shanghai; amounts are in 1e-6 unit, so that nothing is rounded away.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from builders import a_plant, a_point
from story import FEEDS, Story

from plantmon.model.plant import Kind, Plant, Point, Register
from plantmon.model.window import Window
from plantmon.requests import Requests
from plantmon.store import windows
from plantmon.store.inbox import Answer
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
MONDAY = TIME.parse("2026-03-02")
NOON = MONDAY + 12 * HOUR_MS
QUARTER_MS = 15 * MINUTE_MS
ONE = Fraction(1)
MICRO = 1_000_000


def meter(name: str = "E-MAIN", interval_ms: int = QUARTER_MS, unit: str = "kWh", **known: Any) -> Point:
    """Give an electricity meter; `known` is what its register has beyond the usual."""
    terms = known.get("terms", ())
    register = replace(Register((), None, None, None, None, None), **known)
    return a_point(name, quantity="electricity", unit=unit, kind=Kind.COUNTER, interval_ms=interval_ms, range_low=None,
                   range_high=None, register=register, formula=" + ".join(part for _, part in terms) or None,
                   parts=tuple(part for _, part in terms))  # fmt: skip


def plant(*meters: Point) -> Plant:
    """Give a plant of meters."""
    return a_plant(meters, (), feeds=FEEDS)


class Meters(Story):
    """A story of meters; people declare their changes."""

    def ask(self, kind: str, by: str = "li", **body: object) -> Answer:
        """Ask something of the running plant."""
        requests = Requests(self.pipeline, lambda: self.now_ms)
        return requests.handle(kind, {"language": "en", "note": None, **body}, by)

    def change(self, at_ms: int, final: float, initial: float, name: str = "E-MAIN") -> int:
        """Declare a change that must be taken; give its number."""
        done, answer = self.ask("meter_change", meter=name, at=at_ms, final=str(final), initial=str(initial),
                                serial="SN-2")  # fmt: skip
        assert done, answer
        return int(answer["change"])

    def day(self, name: str = "E-MAIN", at_ms: int = MONDAY) -> Window:
        """Give a day of a meter."""
        with self.store.readers.snapshot() as connection:
            found = windows.read(connection, "1d", at_ms, self.pipeline.numbers[name])
        assert found is not None
        return found

    def hours(self, name: str = "E-MAIN") -> list[int | None]:
        """Give the hours of Monday."""
        with self.store.readers.snapshot() as connection:
            found = windows.span(connection, "1h", self.pipeline.numbers[name], MONDAY, MONDAY + DAY_MS)
        return [one.amount for one in found]

    def events(self, name: str = "E-MAIN") -> list[str]:
        """Name what the register did."""
        with self.store.readers.snapshot() as connection:
            return [kind for _, kind in windows.events(connection, self.pipeline.numbers[name], 0, 1 << 60)]
