"""This module reads what a period's figures are made of, each thing once: meters, outlets, the ledger, month by month.

Everything is kept by the period's parts (its months), so that a figure of the whole is the sum of its months, exactly.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from plantmon.esg.amount import total
from plantmon.esg.detection import Below, below_detection
from plantmon.esg.tax import TaxYear
from plantmon.esg.taxes import taxes
from plantmon.esg.volumes import Volume, Waters
from plantmon.model.emission import EmissionDay
from plantmon.model.plant import Plant, Point
from plantmon.store import annual, emissions, ledger
from plantmon.store.ledger import LedgerLine
from plantmon.times import DAY_MS

QUANTUM = Decimal("0.000001")  # of a counter's integers


@dataclass(frozen=True, slots=True)
class Counted:
    """What a meter counted in a part, in its unit (None: nothing known), and for how many milliseconds."""

    value: Decimal | None
    covered_ms: int
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class Released:
    """What an outlet released of a pollutant in a part, kg, and how its days are known."""

    measured_kg: Decimal
    substituted_kg: Decimal
    days: int
    ran_minutes: int
    substituted_minutes: int
    unknown_minutes: int
    is_at_least: bool
    is_provisional: bool
    below: int  # hours (results of waste water) below the detection limit

    @property
    def kg(self) -> Decimal:
        """The known sum."""
        return self.measured_kg + self.substituted_kg


class Book:
    """The data of [edges[0], edges[-1]), by the parts between neighbouring edges, up to `now_ms`."""

    def __init__(
        self, connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], edges: Sequence[int], now_ms: int,
        waters: Waters | None = None,
    ) -> None:  # fmt: skip
        self.plant = plant
        self.edges = list(edges)
        self.now_ms = now_ms
        self._today_ms = plant.time.day_start(now_ms)
        self._connection = connection
        self._numbers = numbers
        self._waters = waters or Waters(connection, plant, numbers)
        self._emission_days: dict[str, list[EmissionDay]] = {}
        self._below_of: dict[str, dict[str, dict[int, Below]]] = {}
        self._released: dict[str, list[Released | None]] = {}

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return len(self.edges) - 1

    @property
    def is_running(self) -> bool:
        """Whether the span is not over."""
        return self.now_ms < self.edges[-1]

    def elapsed_ms(self, first: int, until: int) -> int:
        """Give how much of parts [first, until) has passed."""
        return max(0, min(self.edges[until], self.now_ms) - self.edges[first])

    def due_ms(self, first: int, until: int) -> int:
        """Give how much of parts [first, until) is over by whole days: windows of a day that goes on are not due."""
        return max(0, min(self.edges[until], self._today_ms) - self.edges[first])

    def due_days(self, first: int, until: int) -> int:
        """Count the whole days of parts [first, until) that are over."""
        return round(self.due_ms(first, until) / DAY_MS)

    # meters

    def meters(self, quantity: str, role: str, product: str = "") -> list[Point]:
        """List the meters of a quantity and role; not those that another of them stands above."""
        found = {
            id: point
            for id, point in self.plant.points.items()
            if point.register is not None
            and point.quantity == quantity
            and point.register.role == role
            and (not product or point.register.product == product)
        }
        return [point for point in found.values() if not self._is_below(point, found)]

    def _is_below(self, point: Point, others: dict[str, Point]) -> bool:
        seen: set[str] = set()
        parent = point.register.parent if point.register is not None else None
        while parent is not None and parent not in seen:
            if parent in others:
                return True
            seen.add(parent)
            above = self.plant.points.get(parent)
            parent = above.register.parent if above is not None and above.register is not None else None
        return False

    def counted(self, meter: str, part: int) -> Counted:
        """Give what a meter counted in a part."""
        amount, covered, is_estimated = self._counted[part].get(self._numbers.get(meter, -1), (None, 0, False))
        value = None if amount is None else Decimal(amount) * QUANTUM
        return Counted(value, covered, is_estimated)

    @cached_property
    def _counted(self) -> list[dict[int, annual.Counted]]:
        meters = [self._numbers[id] for id, one in self.plant.points.items() if one.register and id in self._numbers]
        return [
            annual.counted(self._connection, meters, start, end)
            for start, end in zip(self.edges, self.edges[1:], strict=False)
        ]

    # outlets

    def released(self, point: Point, part: int) -> Released | None:
        """Give what an outlet released of a pollutant in a part, None where nothing is known."""
        if point.id not in self._released:
            self._released[point.id] = self._read_released(point)
        return self._released[point.id][part]

    def _days(self, point: Point) -> list[EmissionDay]:
        """Give the days of a pollutant's amounts in the span, read once."""
        if point.id not in self._emission_days:
            number = self._numbers.get(point.id)
            days = [] if number is None else emissions.days(self._connection, number, self.edges[0], self.edges[-1])
            self._emission_days[point.id] = days
        return self._emission_days[point.id]

    def _read_released(self, point: Point) -> list[Released | None]:
        days = self._days(point)
        below = self._below(point.quantity).get(point.id, {})
        found: list[list[EmissionDay]] = [[] for _ in range(self.parts)]
        part = 0
        for day in days:
            while day.start >= self.edges[part + 1]:
                part += 1
            found[part].append(day)
        return [_released(some, below) for some in found]

    def _below(self, quantity: str) -> dict[str, dict[int, Below]]:
        """Give what lies below detection of one pollutant, all its points read together, by point and day."""
        if quantity not in self._below_of:
            points = [self.plant.points[name] for outlet in self.plant.outlets.values() for name in outlet.points]
            chosen = [one for one in points if one.quantity == quantity and one.detection_limit is not None]
            days = {point.id: self._days(point) for point in chosen}
            self._below_of[quantity] = below_detection(self._connection, self.plant, self._numbers, days)
        return self._below_of[quantity]

    def volume(self, outlet: str, part: int) -> Volume:
        """Give the waste water of an outlet in a part, m3."""
        return self._volumes[outlet][part]

    @cached_property
    def _volumes(self) -> dict[str, list[Volume]]:
        outlets = [id for id, outlet in self.plant.outlets.items() if outlet.kind == "water"]
        found = {id: self._waters.course(id, self.edges[0], self.edges[-1]) for id in outlets}
        return {id: [course.between(*part) for part in itertools.pairwise(self.edges)] for id, course in found.items()}

    @cached_property
    def taxes(self) -> list[TaxYear]:
        """The environmental tax of each part."""
        return taxes(self._connection, self.plant, self._numbers, self.edges, self._days)

    # ledger

    @cached_property
    def lines(self) -> dict[str, list[LedgerLine]]:
        """The ledger's lines that lie wholly in the span, by item."""
        return _by_item(ledger.standing(self._connection, self.edges[0], self.edges[-1]))

    @cached_property
    def overlapping(self) -> dict[str, list[LedgerLine]]:
        """The lines that lie partly in it, by item."""
        return _by_item(ledger.overlapping(self._connection, self.edges[0], self.edges[-1]))

    @cached_property
    def items_ever(self) -> frozenset[str]:
        """Every item there was ever a line of."""
        return annual.items_ever(self._connection)


def _by_item(lines: list[LedgerLine]) -> dict[str, list[LedgerLine]]:
    found: dict[str, list[LedgerLine]] = {}
    for line in lines:
        found.setdefault(line.item, []).append(line)
    return found


def _released(days: list[EmissionDay], below: dict[int, Below]) -> Released | None:
    if not days:
        return None
    measured = [below[day.start].kg if day.start in below else Decimal(repr(day.measured_kg)) for day in days]
    return Released(
        total(measured),
        total([Decimal(repr(day.substituted_kg)) for day in days]),
        len(days),
        sum(day.ran_minutes for day in days),
        sum(day.substituted_minutes for day in days),
        sum(day.unknown_minutes for day in days),
        any(day.at_least for day in days),
        any(day.provisional for day in days),
        sum(below[day.start].count for day in days if day.start in below),
    )
