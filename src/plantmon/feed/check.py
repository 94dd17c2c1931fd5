"""This module turns decoded messages into columns of readings, in the points' units, and refuses the rest one by one.

Nothing here touches the store; what it makes is a `Batch` that `ingest` writes in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from plantmon import units
from plantmon.errors import DecodeError, UnitError
from plantmon.feed.decode import json, json_batch
from plantmon.feed.hj212 import IS_CALCULATED, Devices
from plantmon.feed.topics import Route, Routes
from plantmon.model.plant import Plant, Point
from plantmon.model.reading import NORMAL, flag_code
from plantmon.store.rejected import Rejected, Why
from plantmon.store.reported import Reported

log = structlog.get_logger()

LARGEST_PAYLOAD = 8_000_000  # bytes; a message beyond is refused before it is parsed
OVERLAP_MS = 2_000  # copies of one message for overlapping subscriptions follow each other closely
REMEMBERED_UNITS = 5_000


class Message(NamedTuple):
    """One MQTT message as it came; `arrival_ms` in plant time, `subscription` the MQTT 5 identifier or 0."""

    topic: str
    payload: bytes
    arrival_ms: int
    retain: bool = False
    dup: bool = False
    subscription: int = 0
    token: tuple[int, int] | None = None  # connection generation and packet id, for the acknowledgement


@dataclass(slots=True)
class Batch:
    """What a number of messages brought: columns of one length, `source` being the message's place; and refusals."""

    ts: list[int] = field(default_factory=list)
    point: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    flag: list[int] = field(default_factory=list)
    arrival: list[int] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repeats: int = 0  # dropped: delivered again where arrival is the time, or once per subscription
    reported: list[tuple[int, Reported]] = field(default_factory=list)  # (the message's place, a device's own figures)
    passed: int = 0  # HJ 212 frames that carry no measurements
    is_import: bool = False  # taken from a file: as old as it may be

    def cut(self, length: int) -> None:
        """Take out of every column what a message put in before it turned out to be bad."""
        for column in (self.ts, self.point, self.value, self.flag, self.arrival, self.source):
            del column[length:]


class Checker:
    """Decodes messages for one plant file. Remembers topics, units and, where arrival is the time, last values."""

    def __init__(self, plant: Plant, numbers: dict[str, int]) -> None:
        self._plant = plant
        self._numbers = numbers
        self.routes = Routes(plant)
        self._missing_flag = _code_or_none(plant.rules.missing_flag) or NORMAL
        self._devices = Devices(plant, numbers)
        self._units: dict[tuple[str, str], tuple[float, float] | None] = {}
        self._last: dict[int, tuple[int, float, int]] = {}
        self._before: dict[int, tuple[int, float, int] | None] = {}  # of `_last`, what the newest check overwrote
        self.sparse = frozenset(numbers[point.id] for point in plant.points.values() if point.is_sparse)

    def check(self, messages: Iterable[Message]) -> Batch:
        """Decode messages in order; every one ends in the columns, `reported`, `rejected`, `repeats` or `passed`."""
        batch = Batch()
        self._before.clear()
        for place, message in enumerate(messages):
            before = len(batch.ts)
            try:
                self._one(batch, place, message, self.routes.find(message.topic))
            except DecodeError as error:
                batch.cut(before)
                batch.rejected.append(_reject(Why.UNDECODABLE, message, str(error)))
            except Exception as error:  # whatever one message does, the others are stored
                log.exception("message_not_checked", topic=message.topic)
                batch.cut(before)
                batch.rejected.append(_reject(Why.UNDECODABLE, message, f"not understood: {error!r}"))
        return batch

    def put_back(self) -> None:
        """Forget the values the newest check remembered: its messages were not stored and will be checked again."""
        for number, last in self._before.items():
            if last is None:
                del self._last[number]
            else:
                self._last[number] = last
        self._before.clear()

    def _one(self, batch: Batch, place: int, message: Message, route: Route | None) -> None:
        if len(message.payload) > LARGEST_PAYLOAD:
            raise DecodeError(f"{len(message.payload)} bytes are more than {LARGEST_PAYLOAD}")
        if route is None:
            batch.rejected.append(_reject(Why.UNKNOWN_POINT, message, "no feed of the plant file matches the topic"))
        elif route.feed.format == "json":
            self._single(batch, place, message, route)
        elif route.feed.format == "hj212":
            self._frames(batch, place, message, route)
        else:
            self._many(batch, place, message, route)

    def _single(self, batch: Batch, place: int, message: Message, route: Route) -> None:
        feed, point = route.feed, route.point
        if feed.field_ts == "ts" and feed.field_value == "value" and feed.field_unit == "unit":
            item = json.decode(message.payload)
        else:
            item = json.decode_named(message.payload, feed.field_ts, feed.field_value, feed.field_unit, feed.field_flag)
        if point is None:
            batch.rejected.append(_reject(Why.UNKNOWN_POINT, message, f"the plant file has no point {route.named!r}"))
            return
        if point.formula is not None:
            batch.rejected.append(_calculated(message, point))
            return
        ts_ms, value = item.ts_ms, item.value
        flag = self._missing_flag if item.flag is None else _code(item.flag)
        if item.unit is not None and item.unit != point.reading_unit:
            converted = self._convert(value, item.unit, point)
            if converted is None:
                batch.rejected.append(self._wrong_unit(message, item.unit, point, ts_ms))
                return
            value = converted
        number = self._numbers[point.id]
        if ts_ms is None:
            if not feed.arrival_as_time:
                batch.rejected.append(_reject(Why.NO_TIME, message, f"no time in field {feed.field_ts!r}", point.id))
                return
            ts_ms = message.arrival_ms
            if self._is_repeat(message, number, value, ts_ms, point):
                batch.repeats += 1
                return
            self._before.setdefault(number, self._last.get(number))
            self._last[number] = (ts_ms, value, message.subscription)
        batch.ts.append(ts_ms)
        batch.point.append(number)
        batch.value.append(value)
        batch.flag.append(flag)
        batch.arrival.append(message.arrival_ms)
        batch.source.append(place)

    def _is_repeat(self, message: Message, number: int, value: float, ts_ms: int, point: Point) -> bool:
        """Say whether an equal value without a time of its own came before: sent again, or once per subscription."""
        last_ms, last_value, subscription = self._last.get(number, (0, None, 0))
        if last_value != value:
            return False
        if message.dup:
            return ts_ms - last_ms <= point.interval_ms
        return message.subscription != subscription and ts_ms - last_ms <= OVERLAP_MS

    def _frames(self, batch: Batch, place: int, message: Message, route: Route) -> None:
        found = self._devices.read(message.payload, route.mn, message.arrival_ms)
        count = len(found.values)
        batch.ts += [one.ts_ms for one in found.values]
        batch.point += [one.point for one in found.values]
        batch.value += [one.value for one in found.values]
        batch.flag += [one.flag for one in found.values]
        batch.arrival += [message.arrival_ms] * count
        batch.source += [place] * count
        batch.reported += [(place, one) for one in found.reported]
        batch.passed += found.passed
        batch.rejected += [
            Rejected(one.why, message.topic, message.arrival_ms, one.detail, message.payload, one.point, one.ts_ms)
            for one in found.refused
        ]

    def _many(self, batch: Batch, place: int, message: Message, route: Route) -> None:
        found = json_batch.decode(message.payload)
        if isinstance(found, json_batch.Series):
            self._series(batch, place, message, found)
            return
        ts_ms = found.ts_ms
        if ts_ms is None and not route.feed.arrival_as_time:
            batch.rejected.append(_reject(Why.NO_TIME, message, "no time in field 'ts'"))
            return
        numbers, known = self._numbers, self._plant.points
        faults = list(found.faults)
        names = [name for name in found.values if name in known and known[name].formula is None]
        if len(names) < len(found.values):
            for name in found.values:
                if name in known and known[name].formula is not None:
                    batch.rejected.append(_calculated(message, known[name]))
                elif name not in known:
                    batch.rejected.append(
                        _reject(Why.UNKNOWN_POINT, message, f"the plant file has no point {name[:80]!r}", name[:80])
                    )
        batch.ts += [message.arrival_ms if ts_ms is None else ts_ms] * len(names)
        batch.point += [numbers[name] for name in names]
        batch.value += [found.values[name] for name in names]
        batch.flag += [self._missing_flag] * len(names)
        batch.arrival += [message.arrival_ms] * len(names)
        batch.source += [place] * len(names)
        batch.rejected += [
            _reject(Why.UNDECODABLE, message, f"{name[:80]}: {what}", name[:80]) for name, what in faults
        ]

    def _series(self, batch: Batch, place: int, message: Message, found: json_batch.Series) -> None:
        point = self._plant.points.get(found.point)
        if point is None:
            batch.rejected.append(
                _reject(Why.UNKNOWN_POINT, message, f"the plant file has no point {found.point[:80]!r}")
            )
            return
        if point.formula is not None:
            batch.rejected.append(_calculated(message, point))
            return
        values = found.values
        if found.unit is not None and found.unit != point.reading_unit:
            conversion = self._conversion(found.unit, point)
            if conversion is None:
                batch.rejected.append(self._wrong_unit(message, found.unit, point, None))
                return
            factor, offset = conversion
            values = [value * factor + offset for value in values]
        count, faults = len(values), [f"value {place}: {what}" for place, what in found.faults]
        flags = [self._missing_flag] * count
        keep = range(count)
        if found.flags is not None:
            codes = {flag: _code_or_none(flag) for flag in set(found.flags)}
            faults += [f"value {at}: flag {found.flags[at][:20]!r}" for at in keep if codes[found.flags[at]] is None]
            keep = [at for at in keep if codes[found.flags[at]] is not None]  # type: ignore[assignment]
            flags = [codes[flag] or NORMAL for flag in found.flags]
        whole = len(keep) == count
        batch.ts += found.ts_ms if whole else [found.ts_ms[at] for at in keep]
        batch.value += values if whole else [values[at] for at in keep]
        batch.flag += flags if whole else [flags[at] for at in keep]
        batch.point += [self._numbers[point.id]] * len(keep)
        batch.arrival += [message.arrival_ms] * len(keep)
        batch.source += [place] * len(keep)
        batch.rejected += [_reject(Why.UNDECODABLE, message, what, point.id) for what in faults]

    def _conversion(self, unit: str, point: Point) -> tuple[float, float] | None:
        key = (unit, point.reading_unit)
        if key not in self._units:
            if len(self._units) >= REMEMBERED_UNITS:
                self._units.clear()
            try:
                self._units[key] = units.conversion(unit, point.reading_unit)
            except UnitError:
                self._units[key] = None
        return self._units[key]

    def _convert(self, value: float, unit: str, point: Point) -> float | None:
        conversion = self._conversion(unit, point)
        return None if conversion is None else value * conversion[0] + conversion[1]

    @staticmethod
    def _wrong_unit(message: Message, unit: str, point: Point, ts_ms: int | None) -> Rejected:
        detail = f"unit {unit[:40]!r} does not convert to {point.reading_unit}"
        return Rejected(Why.WRONG_UNIT, message.topic, message.arrival_ms, detail, message.payload, point.id, ts_ms)


def _code(flag: str) -> int:
    try:
        return flag_code(flag)
    except ValueError as error:
        raise DecodeError(str(error)) from None


def _code_or_none(flag: str) -> int | None:
    try:
        return flag_code(flag)
    except ValueError:
        return None


def _calculated(message: Message, point: Point) -> Rejected:
    return _reject(Why.UNKNOWN_POINT, message, f"{point.id} {IS_CALCULATED}", point.id)


def _reject(why: Why, message: Message, detail: str, point: str | None = None) -> Rejected:
    return Rejected(why, message.topic, message.arrival_ms, detail, message.payload, point)
