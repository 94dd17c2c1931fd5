"""This module makes the hours of virtual meters from the hours of the meters they are made of, in exact integers.

A sum whose part is missing is the sum of the rest and says how much of its parts' time is known; a difference is known
where all its parts are, wholly: a missing subtrahend would make it too large. Its sign is kept, so that parts and
whole agree. Days are sums of hours, as of any meter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction

from plantmon.model.plant import Plant
from plantmon.model.window import Window
from plantmon.times import HOUR_MS


class Virtuals:
    """The virtual meters of a plant file, by their numbers in the store."""

    def __init__(self, plant: Plant, numbers: Mapping[str, int]) -> None:
        self._grace = {numbers[name]: point.grace_ms for name, point in plant.points.items()}
        self._terms: dict[int, tuple[tuple[Fraction, int], ...]] = {}
        self._users: dict[int, set[int]] = defaultdict(set)
        for name, point in plant.points.items():
            if point.is_virtual and point.register is not None:
                own = numbers[name]
                self._terms[own] = tuple((factor, numbers[part]) for factor, part in point.register.terms)
                for _, part in self._terms[own]:
                    self._users[part].add(own)
        self.order: tuple[int, ...] = tuple(self._ordered())

    def _ordered(self) -> list[int]:
        """List them so that each comes after those it is made of; the plant file has no circles."""
        order: list[int] = []
        waiting = sorted(self._terms)
        while waiting:
            ready = [number for number in waiting if not {part for _, part in self._terms[number]} & set(waiting)]
            order += ready
            waiting = [number for number in waiting if number not in ready]
        return order

    def __contains__(self, number: int) -> bool:
        """Whether a point is a virtual meter."""
        return number in self._terms

    def is_sum(self, number: int) -> bool:
        """Whether nothing is subtracted, in it or in the virtual meters it is made of."""
        return all(factor > 0 and (part not in self or self.is_sum(part)) for factor, part in self._terms[number])

    def measured_parts(self, number: int) -> set[int]:
        """Give the measured meters it is made of in the end; a measured one is its own."""
        if number not in self._terms:
            return {number}
        return set().union(*(self.measured_parts(part) for _, part in self._terms[number]))

    def grace_ms(self, number: int) -> int:
        """How long after a window's end it stays open: as long as the slowest part's."""
        return max(self._grace[part] for part in self.measured_parts(number))

    def first_ms(self, number: int, firsts: Mapping[int, int | None]) -> int | None:
        """Give where windows begin: a sum's with the first of its parts to speak, a difference's with the last."""
        known = [firsts.get(part) for part in self.measured_parts(number)]
        spoken = [first for first in known if first is not None]
        if self.is_sum(number):
            return min(spoken, default=None)
        return max(spoken) if spoken and None not in known else None

    def due(self, chosen: Iterable[int], changed: Iterable[int]) -> list[int]:
        """List those to make again, parts before wholes: the chosen ones, and those of which a part has changed."""
        wanted = set(chosen)
        waiting = list(changed)
        while waiting:
            fresh = self._users.get(waiting.pop(), set()) - wanted
            wanted |= fresh
            waiting += fresh
        return [number for number in self.order if number in wanted]

    def hour(self, number: int, start: int, parts: Mapping[int, Window]) -> Window:
        """Make an hour of its parts' windows; those that are not there are missing."""
        terms = self._terms[number]
        found = [(factor, parts.get(part)) for factor, part in terms]
        amount = blended(
            [(factor, None if one is None or one.amount is None else one.amount) for factor, one in found],
            is_whole=all(one is not None and one.is_valid for _, one in found),
        )
        covered = sum(one.valid for _, one in found if one is not None) // len(terms) if amount is not None else 0
        cut = 0
        for _, one in found:
            cut |= 0 if one is None else one.estimated
        return Window(
            "1h", start, start + HOUR_MS, number,
            amount=amount, due=HOUR_MS, had=covered, valid=covered,
            readings=sum(one.readings for _, one in found if one is not None),
            is_valid=covered == HOUR_MS, estimated=cut,
        )  # fmt: skip


def blended(terms: Iterable[tuple[Fraction, int | None]], *, is_whole: bool) -> int | None:
    """Add amounts (1e-6 unit) by their factors, rounded once, half to even; None where that says nothing.

    Of a sum the known amounts are added, whatever is missing; a difference needs all of them, `is_whole`.
    """
    listed = list(terms)
    known = [(factor, amount) for factor, amount in listed if amount is not None]
    if not known or (not is_whole and any(factor < 0 for factor, _ in listed)):
        return None
    return round(sum((factor * amount for factor, amount in known), Fraction(0)))
