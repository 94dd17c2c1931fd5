"""This module leads the frames of HJ 212 devices to the plant's points: real-time values, and figures of periods.

A device is an outlet's (`mn`); a code's quantity, or the point named like the code, is the point; the table's unit is
converted into the point's. What does not fit is refused item by item, so that the rest of a frame is stored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from plantmon import units
from plantmon.errors import UnitError
from plantmon.feed.decode import hj212
from plantmon.feed.decode.hj212 import Frame, Kind
from plantmon.feed.decode.hj212_items import Item
from plantmon.model.plant import Hj212, Outlet, Plant, Point
from plantmon.model.reading import flag_code
from plantmon.store.rejected import Why
from plantmon.store.reported import Reported
from plantmon.tables.hj212 import find_code
from plantmon.times import format_duration

_MN = re.compile(rb"(?<![A-Za-z])MN\s*=\s*([0-9A-Za-z]{1,40})")
IS_CALCULATED = "is calculated and takes no readings"
_PERIODS = (Kind.MINUTE, Kind.HOUR, Kind.DAY)
# A period's figures by the store's names; noise monitors send `data` for the mean (HJ 212-2017 Table 4).
_FIGURES = {
    "mean": "avg",
    "minimum": "min",
    "maximum": "max",
    "converted_mean": "zsavg",
    "converted_minimum": "zsmin",
    "converted_maximum": "zsmax",
    "amount": "cou",
    "converted_amount": "zscou",
}


class Value(NamedTuple):
    """One real-time value, in its point's unit."""

    point: int
    ts_ms: int
    value: float
    flag: int


class Refusal(NamedTuple):
    """Why a frame, or an item of one, is not stored."""

    why: Why
    detail: str
    point: str | None = None
    ts_ms: int | None = None


@dataclass(slots=True)
class Found:
    """What a payload brought; `passed` counts frames that carry no measurements, such as answers and heartbeats."""

    values: list[Value] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    passed: int = 0


class Devices:
    """The HJ 212 devices of a plant file."""

    def __init__(self, plant: Plant, numbers: dict[str, int]) -> None:
        self._zone = plant.time.zone
        self._numbers = numbers
        self._missing_flag = flag_code(plant.rules.missing_flag)
        self._outlets = {outlet.mn.casefold(): outlet for outlet in plant.outlets.values() if outlet.mn}
        self._points = {outlet.id: [plant.points[id] for id in outlet.points] for outlet in plant.outlets.values()}

    def read(self, payload: bytes, mn: str | None, arrival_ms: int) -> Found:
        """Read a payload; `mn` is the device its topic names, None where the frames say it.

        Raises DecodeError where there is no good frame.
        """
        found = Found()
        named = mn if mn is not None else _named_in(payload)
        outlet = None if named is None else self._outlets.get(named.casefold())
        if outlet is None and mn is not None:
            found.refused.append(_unknown_device(mn))
            return found
        habits = outlet.hj212 if outlet is not None else Hj212()
        decoded = hj212.decode(payload, habits.crc, habits.stamp, self._zone, habits.minute_ms)
        found.refused += [Refusal(Why.UNDECODABLE, str(fault)) for fault in decoded.faults]
        for frame in decoded.frames:
            owner = self._owner(frame, mn, habits)
            if isinstance(owner, Refusal):
                found.refused.append(owner)
            else:
                self._frame(frame, owner, arrival_ms, found)
        return found

    def _owner(self, frame: Frame, mn: str | None, habits: Hj212) -> Outlet | Refusal:
        """Give the outlet a frame belongs to, or why there is none."""
        if mn is not None and frame.mn is not None and frame.mn.casefold() != mn.casefold():
            return Refusal(Why.UNDECODABLE, f"MN {frame.mn[:40]!r} is not {mn[:40]!r}, the device of the topic")
        named = frame.mn or mn
        if named is None:
            return Refusal(Why.UNDECODABLE, "neither the frame nor the topic says which device it is of")
        outlet = self._outlets.get(named.casefold())
        if outlet is None:
            return _unknown_device(named)
        if outlet.hj212 != habits:
            what = f"MN {named[:40]!r} has other hj212 options than the first device of the message"
            return Refusal(Why.UNDECODABLE, what)
        return outlet

    def _frame(self, frame: Frame, outlet: Outlet, arrival_ms: int, found: Found) -> None:
        found.refused += [Refusal(Why.UNDECODABLE, f"{fault.code or 'CP'}: {fault.what}") for fault in frame.faults]
        if frame.kind is Kind.REAL_TIME:
            self._real_time(frame, outlet, found)
        elif frame.kind in _PERIODS:
            self._period(frame, outlet, arrival_ms, found)
        else:
            found.passed += 1

    def _real_time(self, frame: Frame, outlet: Outlet, found: Found) -> None:
        faulty = {fault.code for fault in frame.faults}
        found.refused += [
            Refusal(Why.UNDECODABLE, f"{item.code}: there is no Rtd")
            for item in frame.items
            if "rtd" not in item.values and item.code not in faulty
        ]
        values = hj212.readings_of(frame)
        points = self._points_of(outlet, [value.code for value in values], found)
        for one in values:
            point = points.get(one.code)
            conversion = None if point is None else _conversion(one.code, point, one.ts_ms, found)
            if point is None or conversion is None:
                continue
            if point.formula is not None:
                what = f"{one.code}: {point.id} {IS_CALCULATED}"
                found.refused.append(Refusal(Why.UNKNOWN_POINT, what, point.id, one.ts_ms))
                continue
            value = one.value * conversion[0] + conversion[1]
            if not math.isfinite(value):
                found.refused.append(Refusal(Why.UNDECODABLE, f"{one.code}: the value is too large", point.id))
                continue
            found.values.append(Value(self._numbers[point.id], one.ts_ms, value, self._flag(one.flag)))

    def _period(self, frame: Frame, outlet: Outlet, arrival_ms: int, found: Found) -> None:
        assert frame.data_time_ms is not None
        faulty = {fault.code for fault in frame.faults}
        level = {Kind.HOUR: "1h", Kind.DAY: "1d"}.get(frame.kind) or format_duration(outlet.hj212.minute_ms)
        points = self._points_of(outlet, [item.code for item in frame.items], found)
        for item in frame.items:
            point = points.get(item.code)
            conversion = None if point is None else _conversion(item.code, point, frame.data_time_ms, found)
            if point is None or conversion is None:
                continue
            figures = _figures(item, conversion)
            if any(figure is not None for figure in figures.values()):
                known = find_code(item.code)
                found.reported.append(
                    Reported(
                        self._numbers[point.id], frame.data_time_ms, level, **figures,
                        amount_unit=known.cou_unit if known else None, flag=self._flag(item.flag),
                        arrival_ms=arrival_ms,
                    )
                )  # fmt: skip
            elif item.code not in faulty:
                what = f"{item.code}: there is neither Avg, Min, Max nor Cou"
                found.refused.append(Refusal(Why.UNDECODABLE, what, point.id, frame.data_time_ms))

    def _points_of(self, outlet: Outlet, codes: Iterable[str], found: Found) -> dict[str, Point]:
        """Give the point of each code; of two codes for one point that goes which is named like it, else the first."""
        points: dict[str, Point] = {}
        taken: dict[str, str] = {}
        for code in sorted(codes, key=lambda code: self._named(outlet, code) is None):
            point = self._named(outlet, code) or self._measuring(outlet, code)
            if isinstance(point, str):
                found.refused.append(Refusal(Why.UNKNOWN_POINT, f"{code}: {point}"))
            elif taken.setdefault(point.id, code) != code:
                found.refused.append(Refusal(Why.UNKNOWN_POINT, f"{code}: {point.id} takes {taken[point.id]}"))
            else:
                points[code] = point
        return points

    def _named(self, outlet: Outlet, code: str) -> Point | None:
        wanted = f"{outlet.id}.{code}".casefold()
        return next((point for point in self._points[outlet.id] if point.id.casefold() == wanted), None)

    def _measuring(self, outlet: Outlet, code: str) -> Point | str:
        """Give the outlet's one point of a code's quantity, or why there is none."""
        known = find_code(code)
        if known is None or known.quantity is None:
            name = "no known code" if known is None else known.name.en
            return f"{name}; {outlet.id} has no point of this name"
        fitting = [point for point in self._points[outlet.id] if point.quantity == known.quantity]
        if len(fitting) > 1:
            return f"{outlet.id} has several points of {known.quantity} and none of this name"
        return fitting[0] if fitting else f"{outlet.id} has no point of {known.quantity}"

    def _flag(self, letters: str | None) -> int:
        return self._missing_flag if letters is None else flag_code(letters)


def _named_in(payload: bytes) -> str | None:
    """Give the first device number of a payload, whose options its frames are read with."""
    match = _MN.search(payload)
    return None if match is None else match[1].decode("ascii")


def _unknown_device(mn: str) -> Refusal:
    return Refusal(Why.UNKNOWN_POINT, f"no outlet of the plant file has the device number {mn[:40]!r}")


def _conversion(code: str, point: Point, ts_ms: int, found: Found) -> tuple[float, float] | None:
    """Give how a code's unit, the point's where the table has none, becomes the point's; None when refused."""
    known = find_code(code)
    unit = known.unit if known is not None and known.unit is not None else point.unit
    try:
        return units.conversion(unit, point.unit)
    except UnitError:
        what = f"{code}: unit {unit!r} does not convert to {point.unit}"
        found.refused.append(Refusal(Why.WRONG_UNIT, what, point.id, ts_ms))
        return None


def _figures(item: Item, conversion: tuple[float, float]) -> dict[str, float | None]:
    """Give a period's figures by the store's names; those of the value in the point's unit, amounts as they are."""
    values = {"avg": item.values["data"]} | item.values if "data" in item.values else item.values
    factor, offset = conversion
    figures: dict[str, float | None] = {}
    for name, suffix in _FIGURES.items():
        value = values.get(suffix, math.nan)
        value = value if suffix.endswith("cou") else value * factor + offset
        figures[name] = value if math.isfinite(value) else None
    return figures
