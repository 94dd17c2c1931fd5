"""This module is a quarter of a small plant with everything that makes a permit hard to judge, as arrays.

Boiler, coating line, waste water and a noise position of the true plant, a reading a minute (COD: an hour), July to
September 2020; with the last two days of June so that a fault can cross the quarter's edge, and the first hours of
October so that its last night and its last results are whole. Faults, stops and repeats are a fixed list, the readings
under them seeded; people's declarations belong to it. No order of arrival holds two different values for one instant,
so all of them must come to the same register.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulators.faults import Delivery
from simulators.messages import BATCH_TOPIC, Message
from simulators.noise import Instants, Values
from simulators.plant import SimPoint, SimulatedPlant
from simulators.shifts import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, UTC_OFFSET_MS
from simulators.truth import accepted
from simulators.truth_declared import Calibration, Correction, Declarations, Mark

YEAR = 2020
MONTH_LATE_MS = 30 * DAY_MS
COATING_MINIMUM_M3_H = 5000.0
_READINGS_A_MESSAGE = 5000

# The ranges end where a trip of the burner or a bad burn leaves them.
_CHANGED = {
    "DA001.nox": {"range_high": 300.0},
    "DA001.o2": {},
    "DA001.flow": {"range_high": 60_000.0},
    "DA002.nmhc": {"range_high": 200.0},
    "DA002.flow": {"range_high": 150_000.0},
    "DA002.rto_temperature": {},
    "DW001.cod": {},
    "DW001.ph": {},
    "DW001.flow": {},
    "N1.leq": {},
}


def at(text: str) -> int:
    """Give the instant of a local "MM-DD HH:MM" or "MM-DD HH:MM:SS" of the quarter's year.

    >>> at("07-01 00:00")
    1593532800000
    """
    layout = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    local = datetime.strptime(f"{YEAR}-{text}", layout).replace(tzinfo=UTC)
    return (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) - UTC_OFFSET_MS


START, END = at("07-01 00:00"), at("10-01 00:00")
FIRST, LAST = at("06-29 00:00"), at("10-01 06:00")  # readings are due in [first, last)
COATING_START = at("07-06 00:00")  # when the coating line's outlet speaks for the first time


class QuarterPlant(SimulatedPlant):
    """The true plant with the quarter's ten points and nothing else."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self._points = {
            name: replace(self._points[name], interval_ms=max(self._points[name].interval_ms, MINUTE_MS), **changed)
            for name, changed in _CHANGED.items()
        }


class _Series:
    """A point's readings while faults are worked in."""

    def __init__(self, point: SimPoint, ts_ms: Instants, value: Values) -> None:
        self.point = point
        self.ts_ms = ts_ms
        self.send_ms = ts_ms.copy()
        self.value = value
        self.flag = np.full(len(ts_ms), "N")

    def inside(self, start_ms: int, end_ms: int) -> NDArray[np.bool_]:
        return (self.ts_ms >= start_ms) & (self.ts_ms < end_ms)

    def keep(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> None:
        self.ts_ms, self.send_ms, self.value, self.flag = (
            column[rows] for column in (self.ts_ms, self.send_ms, self.value, self.flag)
        )

    def raised(self, start_ms: int, end_ms: int, factor: float, offset: float) -> None:
        inside = self.inside(start_ms, end_ms)
        self.value[inside] = np.round(self.value[inside] * factor + offset, self.point.decimals)

    def over_range(self, start_ms: int, end_ms: int, excess: float) -> None:
        """Send the range's end flagged T, or with an excess a value beyond it without a flag."""
        inside = self.inside(start_ms, end_ms)
        assert self.point.range_high is not None
        self.value[inside] = self.point.range_high + excess
        self.flag[inside] = "N" if excess else "T"

    def flagged(self, start_ms: int, end_ms: int, letter: str) -> None:
        self.flag[self.inside(start_ms, end_ms)] = letter

    def silent(self, start_ms: int, end_ms: int) -> None:
        self.keep(~self.inside(start_ms, end_ms))

    def late(self, start_ms: int, end_ms: int, by_ms: int) -> None:
        self.send_ms[self.inside(start_ms, end_ms)] += by_ms

    def repeated(self, every: int, after_ms: int) -> None:
        """Send every so many a reading a second time."""
        again = np.arange(0, len(self.ts_ms), every)
        rows = np.concatenate([np.arange(len(self.ts_ms)), again])
        sent = np.concatenate([self.send_ms, self.send_ms[again] + after_ms])
        self.keep(rows)
        self.send_ms = sent


@dataclass(frozen=True, slots=True)
class _Fault:
    """One thing that happens to a point, or to all points of an outlet, over [start, end)."""

    points: str
    start: str
    end: str
    happens: Callable[[_Series, int, int], None]

    def work(self, series: dict[str, _Series]) -> None:
        names = [name for name in series if name == self.points or name.partition(".")[0] == self.points]
        assert names, self.points
        for name in names:
            self.happens(series[name], at(self.start), at(self.end))


def _flag(letter: str) -> Callable[[_Series, int, int], None]:
    return lambda series, start, end: series.flagged(start, end, letter)


def _raise(factor: float = 1.0, offset: float = 0.0) -> Callable[[_Series, int, int], None]:
    return lambda series, start, end: series.raised(start, end, factor, offset)


def _over(excess: float = 0.0) -> Callable[[_Series, int, int], None]:
    return lambda series, start, end: series.over_range(start, end, excess)


def _late(days: int) -> Callable[[_Series, int, int], None]:
    return lambda series, start, end: series.late(start, end, days * DAY_MS)


_silent = _Series.silent

FAULTS: tuple[_Fault, ...] = (
    # Boiler
    _Fault("DA001", "06-30 12:00", "07-01 08:00", _flag("D")),  # across the quarter's edge, 20 h without a break
    _Fault("DA001.nox", "07-08 10:20", "07-08 10:35", _silent),  # 15 minutes: 45 are left
    _Fault("DA001.nox", "07-08 14:20", "07-08 14:36", _silent),  # 16 minutes: 44 are left
    _Fault("DA001.nox", "07-10 11:07", "07-10 11:08", _raise(0.0, 299.0)),  # a typing mistake, corrected
    _Fault("DA001.nox", "07-13 09:00", "07-13 11:30", _raise(1.8)),  # two hours and a half in breach
    _Fault("DA001.nox", "07-21 06:00", "07-21 22:00", _raise(1.3)),  # a day near its limit
    _Fault("DA001.nox", "07-20 10:00", "07-20 11:00", _flag("D")),
    _Fault("DA001.flow", "07-22 10:10", "07-22 10:20", _over()),
    _Fault("DA001.nox", "07-23 15:10", "07-23 15:13", _over()),  # three minutes prove no breach
    _Fault("DA001.nox", "08-07 10:00", "08-07 10:40", _over(25.0)),  # beyond the range, unflagged
    _Fault("DA001.nox", "08-10 09:00", "08-10 14:00", _flag("D")),
    _Fault("DA001", "08-18 08:00", "08-20 20:00", _flag("D")),  # 60 h, nobody knows whether it burnt
    _Fault("DA001", "08-28 13:00", "08-28 18:00", _silent),
    _Fault("DA001", "09-09 08:00", "09-09 14:00", _flag("F")),  # out for repair: declared as stopped
    _Fault("DA001.nox", "08-14 16:00", "08-14 17:00", _over()),
    _Fault("DA001", "09-21 00:00", "09-23 00:00", _late(3)),
    # Coating line
    _Fault("DA002.nmhc", "07-06 05:45", "07-06 06:00", _raise(1.0, 45.0)),  # its first hour is its largest for long
    _Fault("DA002.nmhc", "07-21 10:00", "07-21 11:00", _flag("D")),
    _Fault("DA002.nmhc", "07-22 10:20", "07-22 10:35", _silent),  # 45 are left
    _Fault("DA002.nmhc", "07-22 14:20", "07-22 14:36", _silent),  # 44 are left
    _Fault("DA002.nmhc", "07-23 09:00", "07-23 14:00", _flag("D")),
    _Fault("DA002", "07-28 08:00", "07-29 14:00", _flag("D")),  # 30 h
    _Fault("DA002.rto_temperature", "07-31 10:02", "07-31 11:10", _raise(0.5)),  # the burner trips, ...
    _Fault("DA002.nmhc", "07-31 10:05", "07-31 10:55", _over()),  # ... its stack is beyond what it can measure
    _Fault("DA002.nmhc", "08-03 10:00", "08-03 12:00", _raise(1.0, 35.0)),  # above the renewed limit, or both
    _Fault("DA002", "08-11 10:00", "08-12 10:00", _flag("D")),  # 24 h, a gap still short
    _Fault("DA002.nmhc", "08-19 10:00", "08-19 12:00", _raise(1.0, 28.0)),
    _Fault("DA002.nmhc", "08-21 09:30", "08-21 09:35", _over()),  # five minutes beyond: nothing proven
    _Fault("DA002.nmhc", "08-21 09:50", "08-21 09:51", _raise(0.0, 160.0)),  # a single reading in breach
    _Fault("DA002.nmhc", "08-27 15:00", "08-27 15:12", _over(40.0)),
    _Fault("DA002.nmhc", "08-25 09:00", "08-25 09:10", _over()),  # 10 minutes beyond, 10 normal, then none
    _Fault("DA002.nmhc", "08-25 09:20", "08-25 10:00", _flag("D")),
    _Fault("DA002.flow", "09-17 09:00", "09-17 09:30", _flag("D")),
    _Fault("DA002.rto_temperature", "09-22 13:00", "09-22 13:01", _raise(0.5)),  # shorter than its hold
    # Waste water
    _Fault("DW001.cod", "06-29 00:00", "06-29 10:00", _silent),  # discharge before any result
    _Fault("DW001.flow", "07-09 10:10", "07-09 10:30", _silent),
    _Fault("DW001.flow", "07-15 09:00", "07-15 14:00", _flag("D")),
    _Fault("DW001.cod", "07-16 10:00", "07-16 13:00", _flag("D")),
    _Fault("DW001.cod", "07-27 06:00", "07-28 00:00", _raise(1.5)),  # a day in breach
    _Fault("DW001.cod", "08-04 08:00", "08-04 18:00", _silent),
    _Fault("DW001.cod", "08-24 08:00", "08-26 20:00", _flag("D")),  # 60 h
    _Fault("DW001.ph", "08-13 12:10", "08-13 12:26", _flag("C")),
    _Fault("DW001.ph", "09-02 10:00", "09-02 13:00", _raise(1.0, -2.2)),
    # Noise
    _Fault("N1.leq", "07-14 22:30", "07-15 04:00", _silent),  # 2.5 of a night's 8 hours are left
    _Fault("N1.leq", "07-24 23:00", "07-25 03:00", _raise(1.0, 12.0)),
    _Fault("N1.leq", "08-06 08:00", "08-06 13:00", _flag("M")),
    _Fault("N1.leq", "08-05 00:00", "08-06 00:00", _late(10)),
    _Fault("N1.leq", "09-08 10:00", "09-08 16:00", _raise(1.0, 9.0)),
)


@dataclass(frozen=True, slots=True)
class _Weekly:
    """A calibration every week: the readings of its minutes are flagged C, the register has its result."""

    point: str
    first: str
    minutes: int
    failed: tuple[str, ...] = ()
    repaired: tuple[tuple[str, bool], ...] = ()  # further calibrations


CALIBRATED: tuple[_Weekly, ...] = (
    # 24 minutes are left of each of these hours. The one of 5 August fails: out of control from 29 July on.
    _Weekly("DA001.nox", "07-08 09:10", 36, ("08-05 09:10",), (("08-06 11:00", True),)),
    _Weekly("DA001.o2", "07-09 10:00", 10),
    _Weekly("DA002.nmhc", "07-13 08:00", 12),
    _Weekly("DW001.cod", "07-03 07:00", 60, ("09-11 07:00",), (("09-12 09:00", True),)),
)
_REGISTERED_AFTER_MS = 30 * SECOND_MS  # between two readings


def _calibrations() -> list[Calibration]:
    found = []
    for plan in CALIBRATED:
        failed = {at(text) for text in plan.failed}
        for start in range(at(plan.first), END, 7 * DAY_MS):
            found.append(Calibration(plan.point, start + _REGISTERED_AFTER_MS, start not in failed))
        found += [Calibration(plan.point, at(text) + _REGISTERED_AFTER_MS, passed) for text, passed in plan.repaired]
    return sorted(found, key=lambda one: (one.ts_ms, one.point))


MARKS: tuple[Mark, ...] = (
    Mark("DA002", at("08-26 13:00"), at("08-26 16:00"), "maintenance"),
    Mark("DA001.nox", at("09-03 10:00"), at("09-03 13:00"), "maintenance"),
    Mark("DA001.nox", at("09-03 12:00"), at("09-03 13:00"), "normal"),  # taken back in part
    Mark("DA001", at("09-09 08:00"), at("09-09 14:00"), "stopped"),
    Mark("DW001.cod", at("09-23 11:00"), at("09-23 14:00"), "fault"),
)
CORRECTIONS: tuple[Correction, ...] = (
    Correction("DA001.nox", at("07-10 11:07"), 39.9),
    Correction("DA001.nox", at("07-10 11:07"), 35.9),  # the later one holds
    Correction("DW001.cod", at("07-30 10:00"), 71.5),
)


# The permit


@dataclass(frozen=True, slots=True)
class QuarterLimit:
    """A line of the permit. `unit` is that of its bounds; `start` and `end` are inclusive days."""

    outlet: str
    subject: str
    basis: str
    window: str
    unit: str
    maximum: float | None = None
    minimum: float | None = None
    warn_at: float | None = None
    hold_s: int = 0
    standard: str = "permit"
    start: date | None = None
    end: date | None = None

    @property
    def key(self) -> str:
        """The limit's name in the program."""
        start = self.start.isoformat() if self.start else "-"
        return "/".join([self.outlet, self.subject, self.basis, self.window, self.standard, start])

    def line(self) -> str:
        """Write the limit as an item of the plant file."""
        who = "point" if self.basis == "level" else "pollutant"
        parts = [f"{who}: {self.subject}", f"basis: {self.basis}"]
        parts += [f"{name}: {value:g} {self.unit}" for name, value in (("min", self.minimum), ("max", self.maximum))
                  if value is not None]  # fmt: skip
        parts += [f"window: {self.window}", f"standard: {self.standard}"]
        parts += [f"warn_at: {self.warn_at:g}"] if self.warn_at is not None else []
        parts += [f"hold: {self.hold_s}s"] if self.hold_s else []
        parts += [f"{name}: {day}" for name, day in (("from", self.start), ("to", self.end)) if day is not None]
        return f"      - {{{', '.join(parts)}}}\n"


RENEWED_FROM = date(2020, 8, 16)
OLD_NMHC = QuarterLimit("DA002", "nmhc", "concentration", "1h", "mg/m3", 60, standard="permit 2018")
NEW_NMHC = replace(OLD_NMHC, maximum=50, standard="permit 2020", start=RENEWED_FROM)
LIMITS: tuple[QuarterLimit, ...] = (
    QuarterLimit("DA001", "nox", "concentration", "1h", "mg/m3", 50, warn_at=0.9),
    QuarterLimit("DA001", "nox", "concentration", "1d", "mg/m3", 45),
    QuarterLimit("DA001", "nox", "concentration", "1mo", "mg/m3", 40),
    QuarterLimit("DA001", "nox", "rate", "1h", "kg/h", 1.2),
    QuarterLimit("DA001", "nox", "rate", "1d", "kg/h", 1.0),
    QuarterLimit("DA001", "nox", "mass", "1h", "kg", 1.2),
    QuarterLimit("DA001", "nox", "mass", "1d", "kg", 16),
    QuarterLimit("DA001", "nox", "mass", "1mo", "t", 0.4),
    QuarterLimit("DA001", "nox", "mass", "1y", "t", 1.0, warn_at=0.8),
    replace(OLD_NMHC, end=RENEWED_FROM - timedelta(days=1)),
    NEW_NMHC,
    QuarterLimit("DA002", "nmhc", "concentration", "reading", "mg/m3", 150, standard="process rule"),
    QuarterLimit("DA002", "nmhc", "concentration", "1d", "mg/m3", 40),
    QuarterLimit("DA002", "nmhc", "concentration", "1mo", "mg/m3", 30),
    QuarterLimit("DA002", "nmhc", "rate", "1h", "kg/h", 4.0, warn_at=0.8),
    QuarterLimit("DA002", "nmhc", "mass", "1mo", "t", 0.9),
    QuarterLimit("DA002", "nmhc", "mass", "1y", "t", 2.2, warn_at=0.8),
    QuarterLimit("DA002", "rto_temperature", "level", "reading", "degC", minimum=760, hold_s=120,
                 standard="process rule"),
    QuarterLimit("DW001", "cod", "concentration", "1d", "mg/L", 65, warn_at=0.9),
    QuarterLimit("DW001", "cod", "concentration", "1mo", "mg/L", 60),
    QuarterLimit("DW001", "cod", "mass", "1d", "kg", 15),
    QuarterLimit("DW001", "cod", "mass", "1mo", "t", 0.4),
    QuarterLimit("DW001", "cod", "mass", "1y", "t", 0.9),
    QuarterLimit("DW001", "ph", "level", "1h", "pH", 9, 6),
    QuarterLimit("N1", "leq", "level", "day-period", "dB", 65, standard="GB 12348"),
    QuarterLimit("N1", "leq", "level", "night-period", "dB", 55, standard="GB 12348"),
    QuarterLimit("N1", "leq", "level", "1h", "dB", 70),
)  # fmt: skip

_HEAD = """\
plant:
  id: cq-truck
  name: {en: Chongqing truck plant, zh: 重庆卡车工厂}
  timezone: Asia/Shanghai
  permit: 91500000EXAMPLE001P

feeds:
  - {topic: "plant/cq-truck/{outlet}/{point}", format: json, qos: 1}
  - {topic: "plant/cq-truck/batch", format: json-batch, qos: 1}

rules:
  lateness: 400d

outlets:
"""
_OUTLETS = {
    "DA001": """\
  DA001:
    name: {en: Gas boiler stack, zh: 燃气锅炉排气筒}
    kind: air
    reference_oxygen: 3.5
    running: {point: o2, max: 19 %}
    points:
""",
    "DA002": """\
  DA002:
    name: {en: Coating line RTO stack, zh: 涂装RTO排气筒}
    kind: air
    running: {point: flow, min: 5000 m3/h}
    points:
""",
    "DW001": """\
  DW001:
    name: {en: Coating waste water station, zh: 涂装废水处理站}
    kind: water
    points:
""",
    "N1": """\
  N1:
    name: {en: North boundary, zh: 厂界北侧}
    kind: noise
    points:
""",
}


def plant_text(is_renewed: bool = True) -> str:
    """Write the quarter's plant file (YAML); not renewed: as it was before the permit of 16 August was known."""
    limits = [one for one in LIMITS if is_renewed or one is not NEW_NMHC]
    if not is_renewed:
        limits = [replace(one, end=None) if one.standard == OLD_NMHC.standard else one for one in limits]
    text = _HEAD
    for outlet, head in _OUTLETS.items():
        text += head + "".join(_point_line(point) for point in QuarterPlant().points() if point.outlet == outlet)
        text += "    limits:\n" + "".join(one.line() for one in limits if one.outlet == outlet)
    return text


def _point_line(point: SimPoint) -> str:
    unit = f'"{point.unit}"' if point.unit == "%" else point.unit
    interval = f"{point.interval_ms // SECOND_MS}s"
    span = f"[{point.range_low:g}, {point.range_high:g}]"
    name = point.id.partition(".")[2]
    return f"      {name}: {{quantity: {point.quantity}, unit: {unit}, interval: {interval}, range: {span}}}\n"


# The readings


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings that arrive together: rows of the quarter in their order, and the instant the last is sent."""

    now_ms: int
    rows: NDArray[np.int64]


class Quarter:
    """The quarter's deliveries as columns, in order of sending; `point` counts through `plant.points()`."""

    def __init__(self, seed: int = 1) -> None:
        self.plant = QuarterPlant(seed)
        self.points = self.plant.points()
        series = [self._series[point.id] for point in self.points]
        send_ms = np.concatenate([one.send_ms for one in series])
        ts_ms = np.concatenate([one.ts_ms for one in series])
        point = np.repeat(np.arange(len(series)), [len(one.ts_ms) for one in series])
        order = np.lexsort((point, ts_ms, send_ms))
        self.send_ms, self.ts_ms, self.point = send_ms[order], ts_ms[order], point[order]
        self.value = np.concatenate([one.value for one in series])[order]
        self.flag = np.concatenate([one.flag for one in series])[order]
        self.declarations = Declarations(MARKS, CORRECTIONS, tuple(_calibrations()))

    def __len__(self) -> int:
        return len(self.ts_ms)

    @cached_property
    def _series(self) -> dict[str, _Series]:
        series = {}
        for point in self.points:
            first = COATING_START if point.outlet == "DA002" else FIRST
            series[point.id] = _Series(point, *self.plant.series(point, first, LAST))
        gaps = _fresh_gaps(series["DA002.flow"])
        for fault in FAULTS:
            fault.work(series)
        for start_ms in gaps:
            series["DA002.nmhc"].silent(start_ms, start_ms + HOUR_MS)
        for plan in CALIBRATED:
            own = [one.ts_ms // MINUTE_MS * MINUTE_MS for one in _calibrations() if one.point == plan.point]
            for start_ms in own:
                inside = series[plan.point].inside(start_ms, start_ms + plan.minutes * MINUTE_MS)
                series[plan.point].flag[inside & (series[plan.point].flag == "N")] = "C"
        series["DW001.cod"].repeated(5, 20 * MINUTE_MS)  # an analyser shows its result until the next
        series["DA002.nmhc"].repeated(211, 3 * MINUTE_MS)
        return series

    @cached_property
    def fresh_gaps(self) -> tuple[int, int]:
        """The two hours without NMHC: after 179 measured hours of the new outlet, and after 181."""
        flow = self.plant.point("DA002.flow")
        return _fresh_gaps(_Series(flow, *self.plant.series(flow, COATING_START, END)))

    def deliveries(self, rows: NDArray[np.int64] | None = None) -> list[Delivery]:
        """List deliveries: of the rows in their order, or all in order of sending."""
        at_rows = slice(None) if rows is None else rows
        names = [point.id for point in self.points]
        return [
            Delivery(send_ms, ts_ms, names[point], value, flag)
            for send_ms, ts_ms, point, value, flag in zip(
                self.send_ms[at_rows].tolist(), self.ts_ms[at_rows].tolist(), self.point[at_rows].tolist(),
                self.value[at_rows].tolist(), self.flag[at_rows].tolist(), strict=True,
            )
        ]  # fmt: skip

    def accepted(self, point: str) -> list[Delivery]:
        """List what stands of a point as its device sent it, in time order; before any declaration."""
        number = [one.id for one in self.points].index(point)
        return accepted(self.deliveries(np.flatnonzero(self.point == number)), point)

    def messages(self, rows: NDArray[np.int64]) -> Iterator[Message]:
        """Write rows as batch messages: each point's columns in the order of the rows."""
        for number, point in enumerate(self.points):
            own = rows[self.point[rows] == number]
            for at_row in range(0, len(own), _READINGS_A_MESSAGE):
                part = own[at_row : at_row + _READINGS_A_MESSAGE]
                columns = {name: getattr(self, source)[part].tolist() for name, source in
                           (("ts", "ts_ms"), ("values", "value"), ("flags", "flag"))}  # fmt: skip
                body = {"point": point.id, "unit": point.unit, **columns}
                yield BATCH_TOPIC, json.dumps(body).encode()

    # Orders of arrival

    def in_order(self, every_ms: int = DAY_MS) -> Iterator[Batch]:
        """Feed as sent, a batch each local day or whatever divides it."""
        yield from self._sliced(self.send_ms, every_ms)

    def hour_by_hour(self) -> Iterator[Batch]:
        """Feed as sent, a batch each clock hour."""
        yield from self._sliced(self.send_ms, HOUR_MS)

    def one_batch(self) -> Iterator[Batch]:
        """Feed everything at once, as sent."""
        yield Batch(int(self.send_ms.max()), np.arange(len(self)))

    def shuffled(self, seed: int = 1, batches: int = 4) -> Iterator[Batch]:
        """Feed in an order of chance, in a few batches."""
        order = np.random.default_rng(seed).permutation(len(self))
        for rows in np.array_split(order, batches):
            yield Batch(int(self.send_ms.max()), rows)

    def outlet_late(self, outlet: str = "DA001", every_ms: int = DAY_MS) -> Iterator[Batch]:
        """Feed as sent, one outlet's readings a month later."""
        own = [number for number, point in enumerate(self.points) if point.outlet == outlet]
        yield from self._sliced(self.send_ms + np.isin(self.point, own) * MONTH_LATE_MS, every_ms)

    def _sliced(self, send_ms: Sequence[int] | NDArray[np.int64], every_ms: int) -> Iterator[Batch]:
        sent = np.asarray(send_ms)
        order = np.argsort(sent, kind="stable")
        turn = (sent[order] + UTC_OFFSET_MS) // every_ms
        for rows in np.split(order, np.flatnonzero(np.diff(turn)) + 1):
            yield Batch(int(sent[rows[-1]]), rows)


def _fresh_gaps(flow: _Series) -> tuple[int, int]:
    """Give the hours after 179 and, with the first of them missing, after 181 hours in which the coating line ran."""
    ran = np.unique(flow.ts_ms[flow.value >= COATING_MINIMUM_M3_H] // HOUR_MS) * HOUR_MS
    return int(ran[179]), int(ran[182])
