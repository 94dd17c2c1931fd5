"""This module holds a plant file's limits by the points their values depend on: what to judge when a window changed."""

from __future__ import annotations

from collections import defaultdict

from plantmon.averages.gas import helpers
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS
from plantmon.compliance.excursions import look_back_ms
from plantmon.compliance.in_force import AMOUNT
from plantmon.model.plant import Basis, Limit, Plant


class Book:
    """The limits of one version of the plant file. `numbers` are the points' in the store."""

    def __init__(self, plant: Plant, numbers: dict[str, int]) -> None:
        self.plant = plant
        self.numbers = numbers
        self.limits: dict[str, Limit] = {limit.key: limit for limit in plant.limits}
        self._others: dict[str, tuple[str, ...]] = {}
        self._touching: dict[tuple[bool, int], list[Limit]] = defaultdict(list)
        for limit in plant.limits:
            others = self._needed_beside(limit)
            self._others[limit.key] = others
            is_amount = limit.basis is Basis.MASS
            for name in {limit.point} if is_amount else {limit.point, *others}:
                self._touching[is_amount, numbers[name]].append(limit)

    def touched_by(self, level: str, point: int) -> list[Limit]:
        """List the limits whose value a changed window (`1h`, `1d`) or amount (`amount`) of a point can change."""
        return self._touching.get((level == AMOUNT, point), [])

    def others(self, limit: Limit) -> tuple[str, ...]:
        """Name the points a limit's value needs besides its own."""
        return self._others[limit.key]

    def helper(self, limit: Limit, quantity: str) -> str | None:
        """Name the point of a limit's outlet that measures a quantity it needs: oxygen, gas_flow, water_flow."""
        points = self.plant.points
        return next((name for name in self._others[limit.key] if points[name].quantity == quantity), None)

    def is_water(self, limit: Limit) -> bool:
        """Whether a limit is judged by the volume of waste water, or by whether any flowed."""
        if self.plant.outlets[limit.outlet].kind != "water" or limit.window == "reading":
            return False
        return limit.basis is Basis.CONCENTRATION or self.plant.points[limit.point].quantity == "ph"

    def is_filled_by(self, limit: Limit, point: int) -> bool:
        """Whether a point is the flow that weighs a limit's results, and that fills its own gaps from before."""
        name = self.helper(limit, "water_flow") if self.is_water(limit) else None
        return name is not None and self.numbers[name] == point

    def reach_ms(self, limit: Limit) -> int:
        """Give how far a reading can move verdicts beyond its own window: `windows_of` says in which direction."""
        point = self.plant.points[limit.point]
        if limit.window == "reading":
            return look_back_ms(limit, point)
        is_weighted = self.is_water(limit) and limit.basis is Basis.CONCENTRATION
        return WEIGHS_FOR_INTERVALS * point.interval_ms if is_weighted else 0

    def _needed_beside(self, limit: Limit) -> tuple[str, ...]:
        plant, outlet = self.plant, self.plant.outlets[limit.outlet]
        own = plant.points[limit.point]
        if limit.basis is Basis.MASS:
            return tuple(name for name in outlet.points if name != limit.point)
        wanted = set()
        if limit.basis is Basis.CONCENTRATION and outlet.reference_oxygen_pct is not None and own.quantity != "oxygen":
            wanted.add("oxygen")
        if limit.basis is Basis.RATE:
            wanted.add("gas_flow")
        if self.is_water(limit):
            wanted.add("water_flow")
        found = {name for name in outlet.points if plant.points[name].quantity in wanted}
        for name in (limit.point, *found):
            gas = plant.points[name].gas
            if gas is not None:
                found |= set(helpers(gas))
        if limit.basis is Basis.INTERLOCK and limit.running is not None:
            found.add(limit.running.point)
        found.discard(limit.point)
        return tuple(sorted(found))
