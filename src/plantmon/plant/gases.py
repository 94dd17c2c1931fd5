"""This module checks in what state a gas is measured: ppm, wet or dry, actual or standard, and what that needs."""

from __future__ import annotations

from plantmon import units
from plantmon.plant import schema
from plantmon.plant.compile import GAS_HELPERS
from plantmon.plant.document import Mapping
from plantmon.plant.fitting import check_amount, may_measure, say
from plantmon.plant.problems import Problems
from plantmon.tables.load import quantities

_OF_CONCENTRATION, _OF_FLOW = ("dry", "wet"), ("standard", "actual")


def check_gases(outlet: schema.Outlet, written: Mapping, problems: Problems) -> None:
    """Note states that a quantity cannot have, or whose helper points are missing, and a wrong air pressure."""
    for point in outlet.points.values():
        if point.state is not None:
            _check_state(outlet, point, written, problems)
    if outlet.atmospheric_pressure is None:
        return
    if outlet.kind != "air":
        say(problems, outlet, "atmospheric_pressure", "only_for_kind", kind="air")
    pressure = check_amount(problems, outlet, "atmospheric_pressure", outlet.atmospheric_pressure, "kPa")
    if pressure is not None and pressure <= 0:
        say(problems, outlet, "atmospheric_pressure", "not_positive", given=f"{pressure:.12g}")


def _check_state(outlet: schema.Outlet, point: schema.Point, written: Mapping, problems: Problems) -> None:
    if outlet.kind != "air":
        say(problems, point, "state", "only_for_kind", kind="air")
        return
    allowed = _states_of(point.quantity)
    if point.state not in allowed:
        say(problems, point, "state", "state_of_quantity", state=point.state, quantity=point.quantity, allowed=allowed)
        return
    for quantity in GAS_HELPERS.get(point.state or "", ()):
        if not may_measure(written, quantity):
            say(problems, point, "state", "needs_point", quantity=quantity)


def _states_of(quantity: str) -> tuple[str, ...]:
    if quantity == "gas_flow":
        return _OF_FLOW
    is_share_of_gas = units.dimension(quantities()[quantity].units[0]) == "mass/volume" or quantity == "oxygen"
    return _OF_CONCENTRATION if is_share_of_gas else ()
