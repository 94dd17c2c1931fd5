"""This module says which points of a plant have amounts: pollutants of air and water outlets with a flow."""

from __future__ import annotations

from dataclasses import dataclass

from plantmon import units
from plantmon.averages.gas import helpers
from plantmon.model.plant import Kind, Plant, Point

FLOWS = {"air": "gas_flow", "water": "water_flow"}
CONCENTRATION = "mass/volume"


@dataclass(frozen=True, slots=True)
class Source:
    """An outlet with amounts: its pollutants, the flow that carries them, and all points its amounts depend on."""

    outlet: str
    kind: str  # air, water
    flow: Point
    pollutants: tuple[Point, ...]
    points: tuple[str, ...]


def sources(plant: Plant) -> list[Source]:
    """Give every outlet of air or water that has a flow point and pollutants, limits or not."""
    found = []
    for outlet in plant.outlets.values():
        points = [plant.points[name] for name in outlet.points]
        flow = next((point for point in points if point.quantity == FLOWS.get(outlet.kind)), None)
        pollutants = tuple(point for point in points if is_pollutant(point))
        if flow is not None and pollutants:
            found.append(Source(outlet.id, outlet.kind, flow, pollutants, outlet.points))
    return found


def is_pollutant(point: Point) -> bool:
    """Whether a point measures a concentration that has a mass: in mg/m3, mg/L, or in ppm with its molar mass."""
    if point.kind is not Kind.GAUGE:
        return False
    return units.dimension(point.unit) == CONCENTRATION or is_by_volume(point)


def is_by_volume(point: Point) -> bool:
    """Whether a point is in ppm, which its gas brings to mg/m3."""
    return point.gas is not None and point.gas.factor != 1.0


def factor_to(point: Point, unit: str) -> float:
    """Give what brings a point, after its gas, to mg/m3, mg/L or m3/h."""
    return 1.0 if is_by_volume(point) else units.conversion(point.unit, unit)[0]


def helper_points(point: Point) -> tuple[str, ...]:
    """Name the points whose minutes bring a gas point to dry gas at standard state."""
    return helpers(point.gas) if point.gas is not None else ()
