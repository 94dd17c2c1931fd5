"""This module makes one valid object of each plant type; a test changes what matters to it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from plantmon.model.plant import AlarmRules, Basis, Kind, Limit, Name, Outlet, Plant, Point, Recipient, Rules
from plantmon.plant.version import version_of
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime


def a_point(id: str = "DA001.nox", **changes: Any) -> Point:
    """Give a ten-second NOx monitor; the outlet is the id's first part."""
    outlet = id.partition(".")[0] if "." in id else None
    given: dict[str, Any] = {
        "outlet": outlet,
        "name": Name("NOx", "氮氧化物"),
        "quantity": "nox",
        "unit": "mg/m3",
        "kind": Kind.GAUGE,
        "interval_ms": 10_000,
        "range_low": -5.0,
        "range_high": 2000.0,
    }
    return Point(id=id, **given | changes)


def a_limit(point: Point | None = None, **changes: Any) -> Limit:
    """Give an hourly limit of 50 on a point, judged."""
    point = point or a_point()
    given: dict[str, Any] = {
        "key": f"{point.outlet}/{point.quantity}/concentration/1h/permit/-",
        "outlet": point.outlet,
        "subject": point.quantity,
        "point": point.id,
        "basis": Basis.CONCENTRATION,
        "window": "1h",
        "minimum": None,
        "maximum": 50.0,
        "unit": point.unit,
        "standard": "permit",
        "warn_at": None,
        "hold_ms": 0,
        "valid_from": None,
        "valid_to": None,
        "unavailable": None,
    }
    return Limit(**given | changes)


def an_outlet(id: str = "DA001", points: tuple[Point, ...] = (), **changes: Any) -> Outlet:
    """Give a stack with these points that always runs."""
    given: dict[str, Any] = {
        "name": Name("Stack", "排气筒"),
        "kind": "air",
        "points": tuple(point.id for point in points),
        "running": None,
        "reference_oxygen_pct": None,
        "mn": None,
    }
    return Outlet(id=id, **given | changes)


def some_rules(**changes: Any) -> Rules:
    """Give the default rules of averaging."""
    given: dict[str, Any] = {
        "valid_hour_minutes": 45,
        "valid_day_hours": 20,
        "valid_share": 0.75,
        "compare": "full",
        "oxygen_conversion": "minute",
        "mass": "hour",
        "lateness_ms": 35 * DAY_MS,
        "future_ms": 5 * MINUTE_MS,
        "missing_flag": "N",
        "reported_difference": 0.1,
    }
    return Rules(**given | changes)


def some_alarm_rules(**changes: Any) -> AlarmRules:
    """Give alarm rules with one recipient of everything, at once."""
    everything = frozenset({"warning", "breach", "data"})
    given: dict[str, Any] = {
        "recipients": (Recipient("ehs", ("ehs@example.com",), everything, 0, "both"),),
        "repeat_ms": 4 * HOUR_MS,
        "deadband": 0.02,
        "quiet_hours": None,
        "digest": None,
    }
    return AlarmRules(**given | changes)


def a_plant(points: tuple[Point, ...] | None = None, limits: tuple[Limit, ...] | None = None, **changes: Any) -> Plant:
    """Give a plant in Shanghai with these points and limits; each outlet the points name is a stack."""
    points = (a_point(),) if points is None else points
    limits = (a_limit(points[0]),) if limits is None and points else limits or ()
    outlets = dict.fromkeys(point.outlet for point in points if point.outlet is not None)
    given: dict[str, Any] = {
        "id": "test-plant",
        "name": Name("Test plant", "试验工厂"),
        "time": PlantTime(ZoneInfo("Asia/Shanghai")),
        "permit": None,
        "version": version_of(repr((points, limits))),
        "text": "",
        "feeds": (),
        "rules": some_rules(),
        "outlets": {id: an_outlet(id, tuple(point for point in points if point.outlet == id)) for id in outlets},
        "points": {point.id: point for point in points},
        "limits": limits,
        "alarms": some_alarm_rules(),
    }
    return Plant(**given | changes)
