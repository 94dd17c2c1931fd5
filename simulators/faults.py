"""This module breaks the true plant on demand: what instruments, gateways and networks do to readings.

A fault alters one delivery at a time and keeps no state, so faults compose in a list, each working on what the ones
before it left. What a fault must know of its point (the stuck value, the register before a reset) it asks of the
plant through the faults before it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from math import exp
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from simulators.noise import key, uniform
from simulators.plant import SimPoint, SimReading, SimulatedPlant
from simulators.shifts import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

RTO_FALL_MS = 8 * MINUTE_MS  # time constant of a combustion chamber without its burner, fans running
RTO_COLD_DEGC = 300.0
NMHC_RISE_MS = 2 * MINUTE_MS


class Delivery(NamedTuple):
    """A reading on its way: sent at `send_ms`, of the instant `ts_ms`, `flag` as letters."""

    send_ms: int
    ts_ms: int
    point: str
    value: float
    flag: str


class Source(NamedTuple):
    """What a fault may ask: the points, and a point's value at an instant as the faults before it show it."""

    point: Callable[[str], SimPoint]
    value: Callable[[str, int], float]


class Fault(Protocol):
    """Turns one delivery into none, one or several; a delivery may be sent later, never earlier."""

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Give what becomes of a delivery."""
        ...


def _matches(pattern: str, point: str) -> bool:
    """Whether a pattern names a point: its id, its outlet, `*`, or a shell pattern such as `*.flow`."""
    return fnmatchcase(point, pattern) or point.partition(".")[0] == pattern


@dataclass(frozen=True, slots=True)
class Exceedance:
    """A point's values times `factor` plus `offset` over a span."""

    point: str
    start_ms: int
    end_ms: int
    factor: float = 1.0
    offset: float = 0.0

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Raise the values in the span."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        return (_with(delivery, delivery.value * self.factor + self.offset, source),)


@dataclass(frozen=True, slots=True)
class RtoTrip:
    """The burner trips: the chamber falls towards 300 degC, NMHC rises by `nmhc_rise`; at the end it is lit again."""

    start_ms: int
    end_ms: int
    outlet: str = "DA002"
    nmhc_rise: float = 245.0

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Let the temperature fall and the NMHC rise, and both come back after the end."""
        if delivery.ts_ms < self.start_ms:
            return (delivery,)
        if delivery.point == f"{self.outlet}.rto_temperature":
            share = self._depth(delivery.ts_ms, RTO_FALL_MS)
            value = delivery.value + share * min(RTO_COLD_DEGC - delivery.value, 0)
        elif delivery.point == f"{self.outlet}.nmhc":
            value = delivery.value + self.nmhc_rise * self._depth(delivery.ts_ms, NMHC_RISE_MS)
        else:
            return (delivery,)
        return (_with(delivery, value, source),)

    def _depth(self, ts_ms: int, constant_ms: int) -> float:
        tripped_ms = min(ts_ms, self.end_ms) - self.start_ms
        recovering_ms = max(ts_ms - self.end_ms, 0)
        return (1 - exp(-tripped_ms / constant_ms)) * exp(-recovering_ms / constant_ms)


@dataclass(frozen=True, slots=True)
class OverRange:
    """A point at (or, with `excess`, beyond) its range's end; flagged T, or N for an analyser that does not say so."""

    point: str
    start_ms: int
    end_ms: int
    flag: str = "T"
    excess: float = 0.0

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Send the range's end. Raises ValueError for a point without a range."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and delivery.point == self.point):
            return (delivery,)
        high = source.point(self.point).range_high
        if high is None:
            raise ValueError(f"{self.point} has no range")
        return (delivery._replace(value=high + self.excess, flag=self.flag),)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A point keeps the value it had when the span began."""

    point: str
    start_ms: int
    end_ms: int

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Repeat the first value of the span."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        return (_with(delivery, source.value(delivery.point, self.start_ms), source),)


@dataclass(frozen=True, slots=True)
class Silent:
    """A point, an outlet (`DA001`) or everything (`*`) sends nothing."""

    point: str
    start_ms: int
    end_ms: int

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Drop the readings of the span."""
        hit = self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)
        return () if hit else (delivery,)


@dataclass(frozen=True, slots=True)
class Spike:
    """One reading of a point, the first at or after `at_ms`, shows something absurd."""

    point: str
    at_ms: int
    value: float

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Replace the one reading."""
        first = self.at_ms <= delivery.ts_ms < self.at_ms + source.point(delivery.point).interval_ms
        return (delivery._replace(value=self.value),) if first and delivery.point == self.point else (delivery,)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Each reading of a span is sent `times` times more, `apart_ms` apart."""

    point: str
    start_ms: int
    end_ms: int
    times: int = 1
    apart_ms: int = 0

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Repeat the readings of the span."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        return [delivery._replace(send_ms=delivery.send_ms + turn * self.apart_ms) for turn in range(self.times + 1)]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Each reading of a span is sent once more with a value that differs by `offset`."""

    point: str
    start_ms: int
    end_ms: int
    offset: float = 1.0

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Send the contradiction after the reading."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        return (delivery, _with(delivery, delivery.value + self.offset, source))


@dataclass(frozen=True, slots=True)
class Late:
    """The readings of a span are sent `delay_ms` later; their time stays."""

    point: str
    start_ms: int
    end_ms: int
    delay_ms: int

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Put the sending off."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        return (delivery._replace(send_ms=delivery.send_ms + self.delay_ms),)


@dataclass(frozen=True, slots=True)
class OutOfOrder:
    """The readings of each `window_ms` inside a span are sent in an order of chance, within that window."""

    point: str
    start_ms: int
    end_ms: int
    window_ms: int = 5 * MINUTE_MS
    seed: int = 1

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Send at a time of chance between the reading and its window's end."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        window_end = min((delivery.ts_ms // self.window_ms + 1) * self.window_ms, self.end_ms)
        draw = float(uniform(key(self.seed, delivery.point), np.array([delivery.ts_ms], dtype=np.int64))[0])
        return (delivery._replace(send_ms=delivery.send_ms + int(draw * (window_end - delivery.ts_ms))),)


@dataclass(frozen=True, slots=True)
class WrongClock:
    """The clock of a point or outlet is wrong by `shift_ms` over a span (of true time)."""

    point: str
    start_ms: int
    end_ms: int
    shift_ms: int

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Shift the reading's time; it is sent when it was."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        return (delivery._replace(ts_ms=delivery.ts_ms + self.shift_ms),)


@dataclass(frozen=True, slots=True)
class Flagged:
    """The readings of a span carry a flag: M maintenance, C calibration, D fault, S by hand."""

    point: str
    start_ms: int
    end_ms: int
    flag: str

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Flag the readings of the span."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        return (delivery._replace(flag=self.flag),)


@dataclass(frozen=True, slots=True)
class Drift:
    """A point drifts by `per_hour` over a span and is right again after it."""

    point: str
    start_ms: int
    end_ms: int
    per_hour: float

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Add what has drifted so far."""
        if not (self.start_ms <= delivery.ts_ms < self.end_ms and _matches(self.point, delivery.point)):
            return (delivery,)
        drifted = self.per_hour * (delivery.ts_ms - self.start_ms) / HOUR_MS
        return (_with(delivery, delivery.value + drifted, source),)


@dataclass(frozen=True, slots=True)
class Leak:
    """A meter's load is larger by `rate_per_h` over a span; its register keeps what it counted."""

    meter: str
    start_ms: int
    end_ms: int
    rate_per_h: float

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Add what has leaked since the start."""
        if delivery.point != self.meter or delivery.ts_ms < self.start_ms:
            return (delivery,)
        leaked = self.rate_per_h * (min(delivery.ts_ms, self.end_ms) - self.start_ms) / HOUR_MS
        return (_with(delivery, delivery.value + leaked, source),)


@dataclass(frozen=True, slots=True)
class MeterReset:
    """A register falls to 0 at an instant and counts on from there."""

    meter: str
    at_ms: int

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Count from the instant of the reset."""
        if delivery.point != self.meter or delivery.ts_ms < self.at_ms:
            return (delivery,)
        return (_with(delivery, delivery.value - source.value(self.meter, self.at_ms), source),)


@dataclass(frozen=True, slots=True)
class MeterReplaced:
    """Another meter counts from an instant on, from `first_register`."""

    meter: str
    at_ms: int
    first_register: float

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Show the new meter's register."""
        if delivery.point != self.meter or delivery.ts_ms < self.at_ms:
            return (delivery,)
        counted = delivery.value - source.value(self.meter, self.at_ms)
        return (_with(delivery, self.first_register + counted, source),)


@dataclass(frozen=True, slots=True)
class RollOver:
    """A register reaches `wraps_at` at an instant and shows 0 there; before it, it shows what was left to count."""

    meter: str
    at_ms: int
    wraps_at: float

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Show the register that wraps at the instant."""
        if delivery.point != self.meter:
            return (delivery,)
        decimals = source.point(self.meter).decimals
        counted = round(delivery.value - source.value(self.meter, self.at_ms), decimals)
        return (_with(delivery, counted % self.wraps_at, source),)


@dataclass(frozen=True, slots=True)
class SlightFall:
    """A register falls by `amount` at an instant and counts on (a gateway restored an old value)."""

    meter: str
    at_ms: int
    amount: float

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Lower the register."""
        if delivery.point != self.meter or delivery.ts_ms < self.at_ms:
            return (delivery,)
        return (_with(delivery, delivery.value - self.amount, source),)


@dataclass(frozen=True, slots=True)
class BriefZero:
    """A register reads 0 over a span (the gateway lost its meter) and is as before after it."""

    meter: str
    start_ms: int
    end_ms: int

    def alter(self, delivery: Delivery, source: Source) -> Iterable[Delivery]:
        """Send 0."""
        hit = delivery.point == self.meter and self.start_ms <= delivery.ts_ms < self.end_ms
        return (delivery._replace(value=0.0),) if hit else (delivery,)


def _with(delivery: Delivery, value: float, source: Source) -> Delivery:
    """Give the delivery with another value, rounded as the point's instrument rounds."""
    return delivery._replace(value=round(value, source.point(delivery.point).decimals) + 0.0)


def _source(plant: SimulatedPlant, faults: Sequence[Fault]) -> Source:
    """Give the view through faults: the value the first delivery of an instant would carry."""

    def value(point: str, ts_ms: int) -> float:
        shown = Delivery(ts_ms, ts_ms, point, plant.value(point, ts_ms), "N")
        for number, fault in enumerate(faults):
            altered = next(iter(fault.alter(shown, _source(plant, faults[:number]))), shown)
            shown = shown._replace(value=altered.value)
        return shown.value

    cached: dict[tuple[str, int], float] = {}

    def value_once(point: str, ts_ms: int) -> float:
        if (point, ts_ms) not in cached:
            cached[point, ts_ms] = value(point, ts_ms)
        return cached[point, ts_ms]

    return Source(plant.point, value_once)


def deliver(readings: Iterable[SimReading], plant: SimulatedPlant, faults: Sequence[Fault] = ()) -> Iterator[Delivery]:
    """Give the deliveries of readings (in time order) after faults, ordered by `send_ms`.

    Deliveries of one `send_ms` keep the order of the readings. Only those put off are held in memory.
    """
    sources = [_source(plant, faults[:number]) for number in range(len(faults))]
    waiting: list[tuple[int, int, Delivery]] = []
    number = 0
    for reading in readings:
        while waiting and waiting[0][0] < reading.ts_ms:
            yield heapq.heappop(waiting)[2]
        deliveries: list[Delivery] = [Delivery(reading.ts_ms, *reading)]
        for fault, source in zip(faults, sources, strict=True):
            deliveries = [altered for one in deliveries for altered in fault.alter(one, source)]
        for one in deliveries:
            heapq.heappush(waiting, (one.send_ms, number, one))
            number += 1
    while waiting:
        yield heapq.heappop(waiting)[2]


def deliveries(
    plant: SimulatedPlant,
    start_ms: int,
    end_ms: int,
    faults: Sequence[Fault] = (),
    points: Iterable[str | SimPoint] | None = None,
) -> Iterator[Delivery]:
    """Give the plant's deliveries of [start, end) after faults, ordered by `send_ms`."""
    return deliver(plant.readings(start_ms, end_ms, points), plant, faults)


_SPANS: dict[str, Callable[[str, float, int, int], Fault]] = {
    "exceedance": lambda point, number, start, end: Exceedance(point, start, end, factor=number or 1.5),
    "over_range": lambda point, number, start, end: OverRange(point, start, end),
    "over_range_unflagged": lambda point, number, start, end: OverRange(point, start, end, flag="N", excess=1),
    "stuck": lambda point, number, start, end: Stuck(point, start, end),
    "silent": lambda point, number, start, end: Silent(point or "*", start, end),
    "duplicate": lambda point, number, start, end: Duplicate(point or "*", start, end, times=int(number or 1)),
    "late": lambda point, number, start, end: Late(point or "*", start, end, int((number or 300) * SECOND_MS)),
    "out_of_order": lambda point, number, start, end: OutOfOrder(point or "*", start, end),
    "wrong_clock": lambda point, number, start, end: WrongClock(point, start, end, int((number or 3600) * SECOND_MS)),
    "maintenance": lambda point, number, start, end: Flagged(point, start, end, "M"),
    "calibration": lambda point, number, start, end: Flagged(point, start, end, "C"),
    "fault": lambda point, number, start, end: Flagged(point, start, end, "D"),
    "drift": lambda point, number, start, end: Drift(point, start, end, number or 1.0),
    "leak": lambda point, number, start, end: Leak(point or "W-MAIN", start, end, number or 5.0),
    "brief_zero": lambda point, number, start, end: BriefZero(point, start, end),
    "rto_trip": lambda point, number, start, end: RtoTrip(start, end, point or "DA002"),
    "spike": lambda point, number, start, end: Spike(point, start, number),
    "meter_reset": lambda point, number, start, end: MeterReset(point, start),
    "meter_replaced": lambda point, number, start, end: MeterReplaced(point, start, number),
    "roll_over": lambda point, number, start, end: RollOver(point, start, number or 1e9),
    "slight_fall": lambda point, number, start, end: SlightFall(point, start, number or 1.0),
}
_UNITS_MS = {"s": SECOND_MS, "min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


def parse_fault(text: str, day: date, zone: ZoneInfo) -> Fault:
    """Read a fault as typed: `name[:point][*number]@when[+duration]`.

    `when` is a local time of `day` or an ISO date-time; the number is the factor, value, delay in s or rate of that
    fault. Examples: `rto_trip@08:03+30min`, `exceedance:DA001.nox*1.6@09:00+70min`, `meter_reset:E-MAIN@10:07`.
    Raises ValueError where the text is no fault.
    """
    what, _, when = text.partition("@")
    what, _, number = what.partition("*")
    name, _, point = what.partition(":")
    if name not in _SPANS or not when:
        raise ValueError(f"{text!r} is no fault such as rto_trip@08:03+30min; known are {', '.join(_SPANS)}")
    start_text, _, duration = when.partition("+")
    if "T" in start_text:
        moment = datetime.fromisoformat(start_text)
    else:
        moment = datetime.fromisoformat(f"{day.isoformat()}T{start_text}")
    start_ms = int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
    return _SPANS[name](point, float(number or 0), start_ms, start_ms + _duration_ms(duration or "10min"))


def _duration_ms(text: str) -> int:
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    if text[len(digits) :] not in _UNITS_MS:
        raise ValueError(f"{text!r} is not a duration such as 90s, 30min, 2h or 3d")
    return int(float(digits) * _UNITS_MS[text[len(digits) :]])
