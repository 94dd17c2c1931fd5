"""This module is the true plant: a seeded, pure function of time for every point of the example plant file.

Any span can be asked for alone, in any order, and comes out the same; a larger plant is the same one with more
outlets and meters, for benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from simulators.meters import ASSEMBLY, METERS, Meter, Registers
from simulators.monitors import SIGNALS
from simulators.noise import Instants, Noise, Values
from simulators.shifts import HOUR_MS

PLANT_ID = "cq-truck"
GAUGE, ENERGY, COUNTER = "gauge", "energy", "counter"
_METER_EVERY = 20  # one extra point in so many is a meter
_METERED_SHARE = 0.9  # of the assembly hall's electricity, spread over the extra meters


class SimReading(NamedTuple):
    """What an instrument says, as it says it: `value` rounded to the point's decimals, `flag` as letters."""

    ts_ms: int
    point: str
    value: float
    flag: str


@dataclass(frozen=True, slots=True)
class SimPoint:
    """One simulated series. Readings are due at phase_ms + k x interval_ms of UTC."""

    id: str
    topic: str
    unit: str
    interval_ms: int
    phase_ms: int
    kind: str  # gauge, energy (sound level) or counter
    decimals: int
    quantity: str
    signal: str = ""  # which function of `monitors`; empty for a counter
    range_low: float | None = None
    range_high: float | None = None
    wraps_at: float | None = None
    max_rate_per_h: float | None = None

    @property
    def outlet(self) -> str | None:
        """The outlet a monitor belongs to, None for a meter."""
        return None if self.kind == COUNTER else self.id.partition(".")[0]


def _monitor(outlet: str, name: str, source: str, interval_s: int, decimals: int, quantity: str, unit: str,
             span: tuple[float, float]) -> SimPoint:  # fmt: skip
    return SimPoint(
        id=f"{outlet}.{name}",
        topic=f"plant/{PLANT_ID}/{outlet}/{name}",
        unit=unit,
        interval_ms=interval_s * 1000,
        phase_ms=0,
        kind=ENERGY if quantity == "sound_level" else GAUGE,
        decimals=decimals,
        quantity=quantity,
        signal=f"{source}.{name}",
        range_low=span[0],
        range_high=span[1],
    )


def _meter(name: str, quantity: str, unit: str, decimals: int, interval_min: int = 15) -> SimPoint:
    return SimPoint(
        id=name,
        topic=f"plant/{PLANT_ID}/meter/{name}",
        unit=unit,
        interval_ms=interval_min * 60_000,
        phase_ms=0,
        kind=COUNTER,
        decimals=decimals,
        quantity=quantity,
    )


def _boiler(outlet: str) -> list[SimPoint]:
    return [
        _monitor(outlet, "o2", "boiler", 10, 2, "oxygen", "%", (0, 25)),
        _monitor(outlet, "nox", "boiler", 10, 1, "nox", "mg/m3", (-5, 2000)),
        _monitor(outlet, "so2", "boiler", 10, 1, "so2", "mg/m3", (-5, 2000)),
        _monitor(outlet, "pm", "boiler", 10, 2, "pm", "mg/m3", (-2, 500)),
        _monitor(outlet, "flow", "boiler", 10, 0, "gas_flow", "m3/h", (0, 200000)),
    ]


def _example_points() -> list[SimPoint]:
    return [
        *_boiler("DA001"),
        _monitor("DA002", "nmhc", "coating", 60, 1, "nmhc", "mg/m3", (-5, 1000)),
        _monitor("DA002", "flow", "coating", 10, 0, "gas_flow", "m3/h", (0, 500000)),
        _monitor("DA002", "rto_temperature", "coating", 10, 1, "temperature", "degC", (0, 1200)),
        _monitor("DW001", "cod", "water", 3600, 1, "cod", "mg/L", (0, 2000)),
        _monitor("DW001", "nh3n", "water", 3600, 2, "ammonia_nitrogen", "mg/L", (0, 300)),
        _monitor("DW001", "tss", "water", 3600, 1, "tss", "mg/L", (0, 2000)),
        _monitor("DW001", "ph", "water", 60, 2, "ph", "pH", (0, 14)),
        _monitor("DW001", "flow", "water", 60, 2, "water_flow", "m3/h", (0, 500)),
        _monitor("N1", "leq", "boundary", 60, 1, "sound_level", "dB", (20, 140)),
        replace(_meter("E-MAIN", "electricity", "kWh", 1), wraps_at=1e9, max_rate_per_h=20_000),
        _meter("E-PAINT", "electricity", "kWh", 1),
        _meter("E-PV", "electricity", "kWh", 2),
        _meter("W-MAIN", "water", "m3", 2),
        _meter("W-NORTH", "water", "m3", 2),
        _meter("G-MAIN", "natural_gas", "m3", 1),
        _meter("LINE-1", "production", "pcs", 0, interval_min=5),
    ]


def _extra_points(count: int) -> list[SimPoint]:
    meters = [_meter(f"E-SUB{number:03d}", "electricity", "kWh", 2) for number in range(1, count // _METER_EVERY + 1)]
    monitors: list[SimPoint] = []
    outlet = 3
    while len(monitors) + len(meters) < count:
        monitors += _boiler(f"DA{outlet:03d}")
        outlet += 1
    return monitors[: count - len(meters)] + meters


class SimulatedPlant:
    """The true plant. `size` is the number of points, None for those of the example plant file.

    `phase_ms` moves the readings of the named points within their interval, so that a meter does not always report on
    the edge of an hour.
    """

    def __init__(self, seed: int = 1, size: int | None = None, phase_ms: Mapping[str, int] | None = None) -> None:
        self.seed = seed
        points = _example_points()
        if size is not None and size < len(points):
            raise ValueError(f"a plant has at least the {len(points)} points of the example plant file")
        extra = _extra_points(size - len(points)) if size is not None else []
        self._meters = dict(METERS)
        subs = [point.id for point in extra if point.kind == COUNTER]
        self._meters |= {name: Meter(((ASSEMBLY, _METERED_SHARE / len(subs)),)) for name in subs}
        phases = phase_ms or {}
        self._points = {point.id: _moved(point, phases.get(point.id, 0)) for point in points + extra}
        self._registers = Registers(seed)

    def points(self) -> list[SimPoint]:
        """List the points: those of the example first, in its order."""
        return list(self._points.values())

    def point(self, point_id: str) -> SimPoint:
        """Give a point by its id. Raises KeyError."""
        return self._points[point_id]

    def at(self, point: str | SimPoint, ts_ms: Instants) -> Values:
        """Give what a point's instrument shows at any instants, rounded as it rounds."""
        spec = self._point(point)
        if spec.kind == COUNTER:
            return self._registers.shown(self._meters[spec.id], ts_ms, spec.decimals)
        noise = Noise(self.seed, spec.outlet or "")
        # + 0.0 turns the -0.0 of rounding into 0.0
        return np.round(SIGNALS[spec.signal](noise, ts_ms, spec.interval_ms), spec.decimals) + 0.0

    def value(self, point: str | SimPoint, ts_ms: int) -> float:
        """Give what a point's instrument shows at one instant."""
        return float(self.at(point, np.array([ts_ms], dtype=np.int64))[0])

    def series(self, point: str | SimPoint, start_ms: int, end_ms: int) -> tuple[Instants, Values]:
        """Give a point's readings due in [start, end): their instants and values, in time order."""
        spec = self._point(point)
        first = -((spec.phase_ms - start_ms) // spec.interval_ms) * spec.interval_ms + spec.phase_ms
        ts_ms = np.arange(first, end_ms, spec.interval_ms, dtype=np.int64)
        return ts_ms, self.at(spec, ts_ms)

    def readings(
        self, start_ms: int, end_ms: int, points: Iterable[str | SimPoint] | None = None
    ) -> Iterator[SimReading]:
        """Give the readings due in [start, end), in time order, points of one instant in the plant's order."""
        specs = [self._point(point) for point in points] if points is not None else self.points()
        for slice_ms in range(start_ms, end_ms, HOUR_MS):
            series = [self.series(spec, slice_ms, min(slice_ms + HOUR_MS, end_ms)) for spec in specs]
            ts_ms = np.concatenate([ts for ts, _ in series])
            values = np.concatenate([values for _, values in series])
            owner = np.repeat(np.arange(len(specs)), [len(ts) for ts, _ in series])
            order = np.lexsort((owner, ts_ms))
            for at, who, value in zip(
                ts_ms[order].tolist(), owner[order].tolist(), values[order].tolist(), strict=True
            ):
                yield SimReading(at, specs[who].id, value, "N")

    def true_total(self, meter: str, start_ms: int, end_ms: int) -> float:
        """Give what a meter's load really was over [start, end), from the integral, not from its rounded register."""
        ends = self._registers.exact(self._meters[meter], np.array([start_ms, end_ms], dtype=np.int64))
        return float(ends[1] - ends[0])

    def _point(self, point: str | SimPoint) -> SimPoint:
        return point if isinstance(point, SimPoint) else self._points[point]


def _moved(point: SimPoint, phase_ms: int) -> SimPoint:
    if not 0 <= phase_ms < point.interval_ms:
        raise ValueError(f"the phase of {point.id} lies in [0, {point.interval_ms})")
    return replace(point, phase_ms=phase_ms)
