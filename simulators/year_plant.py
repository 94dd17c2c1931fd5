"""This module is two years of a truck plant, hour by hour: 30 meters in whole ticks of their registers, 11 monitors.

What a meter counts in a span is given, and apportioned to the hours in integers, so that every register is exact to its
last digit. 2020 adds up to a published environmental table (39,525,934 kWh, 693,180 t of water, 5,035,480 m3 of gas,
48,500 vehicles). The registers then do what registers do: they are reset, roll over, fall back, are changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from simulators.noise import Instants, Noise, Values
from simulators.shifts import HOUR_MS, UTC_OFFSET_MS, local_day, since_midnight_ms, summer, weekday

PLANT_ID = "cq-truck"
TOPIC = f"plant/{PLANT_ID}/batch"
YEARS = (2019, 2020)
_EPOCH = datetime(1970, 1, 1)


def at(text: str) -> int:
    """Give the instant of a local date and time, `2020-05-01 08:00`; a date alone is its midnight.

    >>> at("2020-01-01")
    1577808000000
    """
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1) - UTC_OFFSET_MS


def months(first_year: int, last_year: int) -> list[tuple[str, int, int]]:
    """List the months of years: `2020-05`, its start, its end."""
    firsts = [date(year, month, 1) for year in range(first_year, last_year + 1) for month in range(1, 13)]
    edges = [*firsts, date(last_year + 1, 1, 1)]
    return [(f"{start:%Y-%m}", at(start.isoformat()), at(end.isoformat())) for start, end in pairwise(edges)]


# What is counted


@dataclass(frozen=True, slots=True)
class Span:
    """What a meter counts from one local date to another: `total` in its unit, one tick being `ratio` last digits."""

    start: str
    end: str
    total: Decimal
    ratio: int = 1


@dataclass(frozen=True, slots=True)
class Happening:
    """What befalls a register; `at` is the local hour. `silent` lasts `hours`; `changed` has its papers."""

    kind: str  # reset, brief_zero, slight_fall, silent, changed
    at: str
    hours: int = 1


@dataclass(frozen=True, slots=True)
class YearMeter:
    """A meter. `begins` is its register at the start, `wraps` where it begins anew, both in last digits."""

    id: str
    quantity: str
    unit: str
    decimals: int
    shape: str
    spans: tuple[Span, ...]
    more: str = ""  # the rest of its line in the plant file
    begins: int = 0
    wraps: int | None = None
    happenings: tuple[Happening, ...] = ()


def _by_year(in_2019: str, in_2020: str) -> tuple[Span, ...]:
    return (
        Span("2019-01-01", "2020-01-01", Decimal(in_2019)),
        Span("2020-01-01", "2021-01-01", Decimal(in_2020)),
    )


def _electricity(name: str, spans: tuple[Span, ...], more: str, decimals: int = 1, **rest: Any) -> YearMeter:
    return YearMeter(name, "electricity", "kWh", decimals, "power", spans, more, **rest)


def _parts(parent: YearMeter, shares: dict[str, str], **happening: tuple[Happening, ...]) -> list[YearMeter]:
    """Give the meters below a meter, each with its share of what that counts."""
    found = []
    for place, (name, share) in enumerate(shares.items()):
        digit = Decimal(1).scaleb(-parent.decimals)
        sums = [
            sum((span.total for span in parent.spans if span.start.startswith(str(year))), Decimal(0)) for year in YEARS
        ]
        totals = [str((one * Decimal(share)).quantize(digit)) for one in sums]
        state = "state: 20degC, " if "20degC" in parent.more else ""
        found.append(
            YearMeter(
                name, parent.quantity, parent.unit, parent.decimals, parent.shape, _by_year(totals[0], totals[1]),
                f"{state}role: sub, parent: {parent.id}", 1_000_000 * (place + 1),
                happenings=happening.get(name.replace("-", "_"), ()),
            )
        )  # fmt: skip
    return found


_E_MAIN = _electricity(
    "E-MAIN", _by_year("23118310", "22005934"),
    "role: purchased, wraps_at: 100000000, max_rate: 20000 kWh/h",
    begins=698_816_900, wraps=1_000_000_000,
)  # fmt: skip
# Its current transformers were changed on 2020-07-01: until then a last digit is 0.8 kWh, then 1.2 kWh.
_E_MAIN2 = _electricity(
    "E-MAIN2",
    (
        Span("2019-01-01", "2020-01-01", Decimal(18_090_000), 80),
        Span("2020-01-01", "2020-07-01", Decimal(8_640_000), 80),
        Span("2020-07-01", "2021-01-01", Decimal(8_880_000), 120),
    ),
    "role: purchased, ratio: [{value: 80, to: 2020-06-30}, {value: 120, from: 2020-07-01}]", 2,
    begins=4_000_000,
)  # fmt: skip
_W_MAIN = YearMeter(
    "W-MAIN", "water", "m3", 2, "water", _by_year("699210", "661904"), "role: purchased", 123_456_78,
    happenings=(Happening("silent", "2020-10-14 09:00", 5),),
)  # fmt: skip
_G_MAIN = YearMeter(
    "G-MAIN", "natural_gas", "m3", 1, "gas", _by_year("4726801", "4489180"), "state: 0degC, role: purchased",
    55_000_000, happenings=(Happening("brief_zero", "2020-03-18 10:00"),),
)  # fmt: skip
# At 20 degC; multiples of 5863 make whole cubic metres at 0 degC: 273.15 / 293.15 = 5463 / 5863.
_G_DORM = YearMeter(
    "G-DORM", "natural_gas", "m3", 1, "dormitory", _by_year("574574", "586300"), "state: 20degC, role: purchased",
    9_000_000,
)  # fmt: skip
METERS: tuple[YearMeter, ...] = (
    _E_MAIN,
    *_parts(
        _E_MAIN,
        {"E-PAINT": "0.34", "E-WELD": "0.17", "E-ASSY": "0.15", "E-PRESS": "0.12", "E-HVAC": "0.13",
         "E-OFFICE": "0.05"},
        E_PAINT=(Happening("reset", "2020-02-12 10:00"),),
        E_WELD=(Happening("reset", "2019-09-03 14:00"), Happening("reset", "2020-08-20 07:00")),
    ),
    _E_MAIN2,
    *_parts(
        _E_MAIN2,
        {
            "E-COMP": "0.30", "E-ENGINE": "0.33", "E-TEST": "0.14", "E-WWT": "0.09", "E-BOILER": "0.05",
            "E-LOGIS": "0.02", "E-CANTEEN": "0.02",
        },
    ),
    YearMeter("E-PV1", "electricity", "kWh", 2, "sun", _by_year("708252", "752586"), "role: generated"),
    YearMeter("E-PV2", "electricity", "kWh", 2, "sun", _by_year("472168", "501724"), "role: generated"),
    _W_MAIN,
    *_parts(
        _W_MAIN,
        {"W-NORTH": "0.38", "W-SOUTH": "0.27", "W-PAINT": "0.20", "W-COOL": "0.11"},
        W_NORTH=(Happening("changed", "2020-05-20 09:00"),),
        W_PAINT=(Happening("slight_fall", "2019-06-11 11:00"), Happening("slight_fall", "2020-11-05 13:00")),
    ),
    YearMeter("W-DORM", "water", "m3", 2, "dormitory", _by_year("32255", "31276"), "role: purchased"),
    _G_MAIN,
    *_parts(_G_MAIN, {"G-PAINT": "0.55", "G-BOILER": "0.42"}),
    _G_DORM,
    *_parts(_G_DORM, {"G-CANTEEN": "0.4"}),
    YearMeter("LINE-1", "production", "pcs", 0, "line", _by_year("28000", "30100"), "product: vehicle, role: output"),
    YearMeter("LINE-2", "production", "pcs", 0, "line", _by_year("17120", "18400"), "product: vehicle, role: output"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a load spreads: at rest, in the season, by chance of the hour; working hours are 1."""

    rest: float
    season: float
    chance: float


_SHAPES = {
    "power": _Shape(0.18, 0.12, 0.05),
    "water": _Shape(0.06, 0.10, 0.08),
    "gas": _Shape(0.03, -0.35, 0.05),
    "dormitory": _Shape(0.45, -0.15, 0.10),
    "sun": _Shape(0.0, 0.35, 0.45),
    "line": _Shape(0.0, 0.0, 0.06),
}


def works(ts_ms: Instants) -> Values:
    """Say of clock hours how much is worked: 1 in the two shifts of a weekday, 0.8 on a Saturday morning, else 0."""
    hour, day = since_midnight_ms(ts_ms) // HOUR_MS, weekday(local_day(ts_ms))
    workday = (day < 5) & (hour >= 6) & (hour < 22)
    saturday = (day == 5) & (hour >= 6) & (hour < 14)
    return np.asarray(np.where(workday, 1.0, np.where(saturday, 0.8, 0.0)))


def _weights(shape: str, ts_ms: Instants) -> list[int]:
    spread = _SHAPES[shape]
    level = works(ts_ms)
    hour = since_midnight_ms(ts_ms) / HOUR_MS
    if shape == "sun":
        level = np.maximum(np.sin((hour - 6.0) / 13.0 * np.pi), 0.0) * (hour < 19)
    if shape == "dormitory":
        level = np.where((hour >= 17) & (hour < 23), 1.0, spread.rest)
    chance = 1 + spread.chance * np.clip(Noise(1, "year").white(shape, ts_ms, HOUR_MS), -2, 2)
    weight = np.maximum(level, spread.rest) * (1 + spread.season * summer(ts_ms)) * chance
    return [int(one) for one in np.floor(10_000 * weight).tolist()]


@dataclass
class YearPlant:
    """The years one after the other; `ticks` is what each meter counts in each hour, in last digits of its register."""

    years: tuple[int, ...] = YEARS
    _ticks: dict[str, list[int]] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """When the first year begins."""
        return at(f"{self.years[0]}-01-01")

    @property
    def end(self) -> int:
        """When the last year ends."""
        return at(f"{self.years[-1] + 1}-01-01")

    @cached_property
    def hours(self) -> Instants:
        """The hours' starts."""
        return np.arange(self.start, self.end, HOUR_MS, dtype=np.int64)

    def spans(self, meter: YearMeter) -> list[Span]:
        """Give the meter's spans of these years."""
        return [span for span in meter.spans if self.start <= at(span.start) < self.end]

    def ticks(self, meter: YearMeter) -> list[int]:
        """Give what a meter counts in each hour; spans add up to their totals exactly."""
        if meter.id not in self._ticks:
            self._ticks[meter.id] = [one for span in self.spans(meter) for one in _apportioned(meter, span)]
        return self._ticks[meter.id]


def _apportioned(meter: YearMeter, span: Span) -> Iterator[int]:
    """Divide a span's total into whole ticks by the hours' weights: each hour ends at its share, rounded down."""
    total = span.total.scaleb(meter.decimals) / span.ratio
    whole = int(total)
    if whole != total:
        raise ValueError(f"{meter.id}: {span.total} {meter.unit} is not a whole number of ticks")
    hours = np.arange(at(span.start), at(span.end), HOUR_MS, dtype=np.int64)
    sums = list(accumulate(_weights(meter.shape, hours)))
    before = 0
    for weight in sums:
        reached = whole * weight // sums[-1]
        yield reached - before
        before = reached


# What the registers show


@dataclass(frozen=True, slots=True)
class MeterChange:
    """A meter that was replaced: what the old showed last, the new first, in last digits."""

    meter: YearMeter
    at_ms: int
    final: int
    initial: int
    serial: str


CHANGED_AFTER_MS = 20 * 60_000  # into its hour, between two readings
CHANGED_SERIAL = "WN-2020-0417"
CHANGED_INITIAL = 25  # the new meter was tried before it was built in


class Registers:
    """What the meters' registers show at the edges of the hours."""

    def __init__(self, plant: YearPlant) -> None:
        self._plant = plant

    def shown(self, meter: YearMeter) -> list[tuple[int, int]]:
        """Give a meter's readings: the instant, and the register in last digits."""
        ticks, plant = self._plant.ticks(meter), self._plant
        told = {at(one.at): one for one in meter.happenings}
        register = before = meter.begins
        readings = [(plant.start, register)]
        silent_until = 0
        for hour, counted in zip(plant.hours.tolist(), ticks, strict=True):
            happening = told.get(hour)
            kind = happening.kind if happening else ""
            before, register = register, register + counted
            shown = None
            if kind == "reset":
                register = counted
            elif kind == "changed":
                register = CHANGED_INITIAL + counted - _before_change(counted)
            elif kind == "brief_zero":
                shown = 0
            elif kind == "slight_fall":
                shown = before - max(before // 2000, 1)
            elif kind == "silent" and happening is not None:
                silent_until = hour + happening.hours * HOUR_MS
            if meter.wraps is not None:
                register %= meter.wraps
            if hour >= silent_until:
                readings.append((hour + HOUR_MS, register if shown is None else shown))
        return readings

    def changes(self) -> list[MeterChange]:
        """List the meters that were replaced in these years, with what their papers say."""
        found = []
        for meter in METERS:
            for one in meter.happenings:
                place = (at(one.at) - self._plant.start) // HOUR_MS
                if one.kind != "changed" or not 0 <= place < len(self._plant.hours):
                    continue
                ticks = self._plant.ticks(meter)
                final = meter.begins + sum(ticks[:place]) + _before_change(ticks[place])
                found.append(MeterChange(meter, at(one.at) + CHANGED_AFTER_MS, final, CHANGED_INITIAL, CHANGED_SERIAL))
        return found


def _before_change(counted: int) -> int:
    """Give what of its hour the old meter still counted."""
    return counted // 3


# Monitors


@dataclass(frozen=True, slots=True)
class YearGauge:
    """An hourly monitor: it shows `level` while the plant works and `rest` else, spread by chance."""

    id: str
    quantity: str
    unit: str
    decimals: int
    level: float
    rest: float
    chance: float
    more: str = ""
    invalid: tuple[tuple[str, int], ...] = ()  # local hours, and how many of them its readings are flagged D


GAUGES: tuple[YearGauge, ...] = (
    YearGauge("DA001.o2", "oxygen", "%", 2, 3.5, 20.6, 0.1, "range: [0, 25]"),
    YearGauge("DA001.nox", "nox", "mg/m3", 1, 33, 0.4, 4, "range: [-5, 2000], detection_limit: 3",
              (("2019-07-16 09:00", 6), ("2020-03-10 08:00", 5), ("2020-10-22 12:00", 8))),
    YearGauge("DA001.so2", "so2", "mg/m3", 1, 4, 0.1, 2, "range: [-5, 2000], detection_limit: 3"),
    YearGauge("DA001.pm", "pm", "mg/m3", 2, 5, 0.2, 1, "range: [-2, 500]"),
    YearGauge("DA001.flow", "gas_flow", "m3/h", 0, 38_000, 1_200, 1_500, "range: [0, 200000]"),
    YearGauge("DA002.nmhc", "nmhc", "mg/m3", 1, 18, 0.5, 3, "range: [-5, 1000]", (("2020-06-17 10:00", 3),)),
    YearGauge("DA002.flow", "gas_flow", "m3/h", 0, 96_000, 800, 2_500, "range: [0, 500000]"),
    YearGauge("DW001.cod", "cod", "mg/L", 1, 58, 41, 5, "range: [0, 2000]",
              (("2019-04-02 10:00", 4), ("2020-09-15 09:00", 4))),
    YearGauge("DW001.nh3n", "ammonia_nitrogen", "mg/L", 2, 4.1, 2.6, 0.5, "range: [0, 300]"),
    YearGauge("DW001.tss", "tss", "mg/L", 1, 21, 14, 3, "range: [0, 2000]"),
    YearGauge("DW001.flow", "water_flow", "m3/h", 1, 46, 12, 3, "range: [0, 500]"),
)  # fmt: skip
LOWEST = {"DA001.flow": 0, "DA002.flow": 0, "DW001.flow": 0, "DA001.o2": 0}  # what cannot be negative


class Monitors:
    """What the monitors measure, in last digits, an hour each."""

    def __init__(self, plant: YearPlant) -> None:
        self._hours = plant.hours
        self._works = works(plant.hours) > 0
        # On Sundays nothing is discharged.
        self._is_dry = weekday(local_day(plant.hours)) == 6

    def measured(self, gauge: YearGauge) -> list[int]:
        """Give a monitor's values, the invalid ones too."""
        noise = Noise(1, "year").white(gauge.id, self._hours, HOUR_MS)
        value = np.where(self._works, gauge.level, gauge.rest)
        value = value + np.where(self._works, gauge.chance, min(gauge.chance, gauge.rest / 10)) * noise
        if gauge.id == "DW001.flow":
            value = np.where(self._is_dry, 0.0, value)
        value = np.maximum(value, LOWEST.get(gauge.id, -2.0))
        return [int(one) for one in np.rint(value * 10**gauge.decimals).tolist()]

    def invalid(self, gauge: YearGauge) -> set[int]:
        """Give the hours whose reading is flagged as invalid."""
        return {at(first) + turn * HOUR_MS for first, many in gauge.invalid for turn in range(many)}
