"""This module keeps a plant's calculated points: in which order they are made, of what, and when they close.

A calculated point's windows begin with the latest of its parts, and close with the slowest. Where a part is slower than
a minute its values stand on into later hours, so those are made again when it changes (`later`).
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from plantmon.averages.calculated import calculated_block
from plantmon.averages.formula import Formula, parse
from plantmon.averages.running import hours_of_influence
from plantmon.model.minutes import MINUTES, MinuteBlock
from plantmon.model.plant import Plant, Point
from plantmon.model.reading import NORMAL, Columns
from plantmon.store import declarations, minutes
from plantmon.times import HOUR_MS, MINUTE_MS


class Calculations:
    """The calculated points of a plant file, by their numbers in the store."""

    def __init__(self, plant: Plant, numbers: Mapping[str, int]) -> None:
        self._points = {numbers[name]: point for name, point in plant.points.items()}
        self._numbers = numbers
        self._formulas: dict[int, Formula] = {}
        self._users: dict[int, set[int]] = defaultdict(set)
        for name, point in plant.points.items():
            if point.formula is not None and point.outlet is not None:
                self._formulas[numbers[name]] = parse(point.formula, point.outlet)
                for part in point.parts:
                    self._users[numbers[part]].add(numbers[name])
        self.order: tuple[int, ...] = tuple(self._ordered())

    def _ordered(self) -> list[int]:
        """List the calculated points so that each comes after those it is made of; the plant file has no circles."""
        order: list[int] = []
        waiting = sorted(self._formulas)
        while waiting:
            ready = [number for number in waiting if not set(self._parts(number)).intersection(waiting)]
            order += ready
            waiting = [number for number in waiting if number not in ready]
        return order

    def _parts(self, number: int) -> list[int]:
        return [self._numbers[name] for name in self._formulas[number].parts]

    def __contains__(self, number: int) -> bool:
        """Whether a point is calculated."""
        return number in self._formulas

    def users(self, number: int) -> set[int]:
        """Give the points that are made of one, directly or by others."""
        found: set[int] = set()
        waiting = [number]
        while waiting:
            fresh = self._users.get(waiting.pop(), set()) - found
            found |= fresh
            waiting += fresh
        return found

    def measured_parts(self, number: int) -> set[int]:
        """Give the measured points a point is made of in the end; a measured one is its own."""
        if number not in self._formulas:
            return {number}
        return set().union(*(self.measured_parts(part) for part in self._parts(number)))

    def grace_ms(self, number: int) -> int:
        """How long after a window's end it stays open: as long as the slowest part's."""
        return max(self._points[part].grace_ms for part in self.measured_parts(number))

    def first_ms(self, number: int, firsts: Mapping[int, int | None]) -> int | None:
        """Give where windows begin, the latest of the parts' first readings; None while one has not spoken."""
        known = [firsts.get(part) for part in self.measured_parts(number)]
        return None if None in known else max(first for first in known if first is not None)

    def due(self, chosen: Iterable[int], changed: Iterable[int]) -> list[int]:
        """List what to make again, parts before what is made of them: those chosen, and those with a changed part."""
        wanted = set(chosen) | set().union(*(self.users(number) for number in changed))
        return [number for number in self.order if number in wanted]

    def later(self, hour: int, changed: Iterable[int], until: int) -> list[tuple[int, int]]:
        """List (hour, point) after an hour, up to one, that the changed minutes of slow parts can change."""
        return sorted(
            (hour + back * HOUR_MS, user)
            for number in changed
            for user in self._users.get(number, ())
            for back in range(1, hours_of_influence(self._points[number]) + 1)
            if hour + back * HOUR_MS <= until
        )

    def block(
        self, connection: sqlite3.Connection, number: int, hour: int, over: int, blocks: Mapping[int, MinuteBlock]
    ) -> MinuteBlock:
        """Make an hour's minutes; `over` is the mask of those that are over, `blocks` has what is newer than stored."""
        formula = self._formulas[number]
        points: dict[str, Point] = {name: self._points[self._numbers[name]] for name in formula.parts}
        rows: dict[str, list[MinuteBlock]] = {}
        for name, point in points.items():
            part = self._numbers[name]
            hours = [hour - back * HOUR_MS for back in range(hours_of_influence(point), 0, -1)]
            earlier = [minutes.read(connection, one, [part]).get(part) or MinuteBlock.empty() for one in hours]
            own = blocks.get(part) or minutes.read(connection, hour, [part]).get(part) or MinuteBlock.empty()
            rows[name] = [*earlier, own]
        block = calculated_block(formula, points, rows, over)
        _declare(connection, number, hour, block)
        return block


def _declare(connection: sqlite3.Connection, number: int, hour: int, block: MinuteBlock) -> None:
    """Take out the minutes for which something else than normal is declared of the calculated point itself."""
    places = np.flatnonzero(block.had)
    if not len(places) or not declarations.is_any(connection, hour, hour + MINUTES * MINUTE_MS):
        return
    each = np.zeros(len(places), np.int64)
    said = declarations.applied(
        connection, Columns(hour + places * MINUTE_MS, each + number, block.mean[places], each + NORMAL)
    )
    out = places[said.flag != NORMAL]
    block.valid[out] = block.over[out] = 0
    for column in (block.mean, block.low, block.high, block.bound):
        column[out] = np.nan
