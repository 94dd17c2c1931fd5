"""This module checks an outlet's limits: that each has the points and the unit it needs, and stands once a day."""

from __future__ import annotations

import itertools

from plantmon import units
from plantmon.plant import schema
from plantmon.plant.compile import limit_point, own_unit
from plantmon.plant.document import Mapping
from plantmon.plant.fitting import check_bounds, check_period, may_measure, names_in, overlap, say
from plantmon.plant.problems import Problems
from plantmon.tables.load import molar_masses

_FLOW = {"air": "gas_flow", "water": "water_flow"}
_CONCENTRATION = "mass/volume"
_OF_BASIS = {"rate": "mass/h", "mass": "mass"}
_WINDOWS = {
    "concentration": ("reading", "1h", "1d", "1mo", "1y"),
    "level": ("reading", "1h", "1d", "1mo", "1y", "day-period", "night-period"),
    "rate": ("1h", "1d", "1mo", "1y"),
    "mass": ("1h", "1d", "1mo", "1y"),
    "interlock": ("reading",),
}


def check_limit(outlet: schema.Outlet, limit: schema.Limit, written: Mapping, problems: Problems) -> None:
    """Note what is wrong with a limit: its dates, its window, its subject, its basis and bounds."""
    is_damaged = limit.path() in problems.damaged
    check_period(problems, limit)
    if limit.window not in _WINDOWS[limit.basis]:
        say(problems, limit, "window", "window", basis=limit.basis, given=limit.window, allowed=_WINDOWS[limit.basis])
    if limit.hold is not None and limit.window != "reading":
        say(problems, limit, "hold", "hold", window=limit.window)
    if limit.min is None and limit.max is None and not is_damaged:
        say(problems, limit, None, "min_or_max")
    elif limit.warn_at is not None and limit.max is None and not is_damaged:
        say(problems, limit, "warn_at", "warn_without_max")
    if limit.basis == "interlock" and limit.while_ is None and not is_damaged:
        say(problems, limit, None, "interlock_while")
    if limit.basis != "interlock" and limit.while_ is not None:
        say(problems, limit, "while", "only_for_basis", basis="interlock")
    if limit.basis == "interlock" and limit.pollutant is not None:
        say(problems, limit, "pollutant", "interlock_point")
        return
    if (limit.pollutant is None) == (limit.point is None):
        if not is_damaged:
            say(problems, limit, None, "pollutant_or_point")
        return
    short_id = limit_point(outlet, limit)
    if short_id is None:
        _check_subject(outlet, limit, written, problems)
    elif not _is_told(outlet.points[short_id], problems):
        _check_basis(outlet, limit, outlet.points[short_id], written, problems)


def _is_told(point: schema.Point, problems: Problems) -> bool:
    """Whether a point's quantity or unit is known to be wrong, so that no limit can be held against it."""
    return problems.is_wrong(point.path("quantity")) or problems.is_wrong(point.path("unit"))


def _check_subject(outlet: schema.Outlet, limit: schema.Limit, written: Mapping, problems: Problems) -> None:
    """Note a limit whose pollutant or point is nowhere in its outlet, unless it stands there with a mistake."""
    if limit.point is not None:
        if limit.point not in (known := names_in(written, "points")):
            say(problems, limit, "point", "no_such_point", given=limit.point, allowed=known)
    elif any(problems.is_wrong(point.path("quantity")) for point in outlet.points.values()):
        return  # the pollutant's point is most likely that one
    elif limit.pollutant in outlet.points:
        quantity = outlet.points[limit.pollutant].quantity
        say(problems, limit, "pollutant", "pollutant_is_point", given=limit.pollutant, quantity=quantity)
    elif not may_measure(written, limit.pollutant):
        measured = tuple(dict.fromkeys(point.quantity for point in outlet.points.values()))
        say(problems, limit, "pollutant", "no_such_pollutant", given=limit.pollutant, allowed=measured)


def _check_basis(
    outlet: schema.Outlet, limit: schema.Limit, point: schema.Point, written: Mapping, problems: Problems
) -> None:
    """Note a basis its point cannot answer, and bounds in a unit the basis has not."""
    if limit.window in ("day-period", "night-period") and point.quantity != "sound_level":
        say(problems, limit, "window", "period_of_sound", given=limit.window, quantity=point.quantity)
    is_concentration = units.dimension(point.unit) == _CONCENTRATION or point.quantity in molar_masses()
    if limit.basis not in ("level", "interlock") and not is_concentration:
        say(problems, limit, "basis", "basis_of_concentration", basis=limit.basis, quantity=point.quantity)
        return
    if limit.basis not in _OF_BASIS:
        check_bounds(problems, limit, own_unit(limit, point.unit))
        return
    flow = _FLOW.get(outlet.kind)
    if flow is not None and not may_measure(written, flow):
        say(problems, limit, "basis", "needs_flow", basis=limit.basis, quantity=flow)
    _check_own_unit(limit, point, problems)


def _check_own_unit(limit: schema.Limit, point: schema.Point, problems: Problems) -> None:
    """Note a rate or mass without its unit or with a foreign one."""
    dimension, is_right = _OF_BASIS[limit.basis], True
    for field, amount in (("min", limit.min), ("max", limit.max)):
        if amount is not None and (amount.unit is None or units.dimension(amount.unit) != dimension):
            is_right = False
            fitting = tuple(units.units_of(dimension))
            say(problems, limit, field, "unit_of_basis", basis=limit.basis, fitting=fitting)
    if is_right and (limit.min or limit.max):
        check_bounds(problems, limit, own_unit(limit, point.unit))


def check_overlaps(outlet: schema.Outlet, problems: Problems) -> None:
    """Note a limit that stands twice for one day; two standards for one thing are two limits."""
    for one, other in itertools.combinations(outlet.limits, 2):
        same = [
            (limit_point(outlet, limit) or limit.pollutant, limit.basis, limit.window, limit.standard)
            for limit in (one, other)
        ]
        if same[0] == same[1] and same[0][0] is not None and overlap(one, other):
            say(problems, other, None, "limits_overlap", other=one.line())
