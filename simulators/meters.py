"""This module is the true plant's meters: registers that are analytic integrals of a load over time.

A load is a straight-line profile over the day (one for working days, Saturdays, Sundays), times a factor for each day
(season and chance), plus a ripple. Its integral is a quadratic inside each piece, so a register is exact at any
instant, never falls, and two meters of one load agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulators.noise import Instants, Values, key, uniform
from simulators.shifts import DAY_MS, HOUR_MS, UTC_OFFSET_MS, local_day, since_midnight_ms, summer, weekday

Knots = tuple[tuple[float, float], ...]  # (hour of the day, rate per hour), from 0 to 24

FIRST_DAY = (date(2015, 1, 1) - date(1970, 1, 1)).days
LAST_DAY = (date(2046, 1, 1) - date(1970, 1, 1)).days
_RIPPLE_PERIOD_H = 0.8
_FIRST_MS = FIRST_DAY * DAY_MS - UTC_OFFSET_MS


@dataclass(frozen=True, slots=True)
class Load:
    """A consumption (or production) over time, in units per hour."""

    name: str
    profiles: tuple[Knots, Knots, Knots]  # working day, Saturday, Sunday
    summer: float = 0.0  # share added in mid-July and lacking in mid-January
    chance: float = 0.0  # largest share a day differs by chance
    ripple_per_h: float = 0.0


def _shifts(rest: float, work: float) -> tuple[Knots, Knots, Knots]:
    """Give the three profiles of a load that follows the shifts, with half an hour of start and run-down."""
    noon = ((12.0, work), (12.5, 0.8 * work), (13.0, work))
    return (
        ((0, rest), (5.5, rest), (6, work), *noon, (22, work), (22.5, rest), (24, rest)),
        ((0, rest), (5.5, rest), (6, 0.8 * work), (14, 0.8 * work), (14.5, rest), (24, rest)),
        ((0, rest), (24, rest)),
    )


def _lines(work: float) -> tuple[Knots, Knots, Knots]:
    """Give the three profiles of a load that is exactly 0 outside the shifts."""
    return (
        ((0, 0), (6, 0), (6.25, work), (21.75, work), (22, 0), (24, 0)),
        ((0, 0), (6, 0), (6.25, 0.8 * work), (13.75, 0.8 * work), (14, 0), (24, 0)),
        ((0, 0), (24, 0)),
    )


_SUN: Knots = ((0, 0), (6.5, 0), (9, 420), (12.5, 780), (16, 400), (18.5, 0), (24, 0))

PAINT = Load("paint", _shifts(150, 1250), summer=-0.08, chance=0.05, ripple_per_h=15)
ASSEMBLY = Load("assembly", _shifts(280, 1700), summer=0.12, chance=0.04, ripple_per_h=25)
SUN = Load("sun", (_SUN, _SUN, _SUN), summer=0.35, chance=0.45)
WATER = Load("water", _shifts(1.2, 23), summer=0.1, chance=0.06, ripple_per_h=0.1)
GAS = Load("gas", _shifts(12, 1450), summer=-0.3, chance=0.05, ripple_per_h=2)
VEHICLES = Load("vehicles", _lines(7.5), chance=0.05)


class Integral:
    """The amount a load has made since 2015-01-01, local time."""

    def __init__(self, load: Load, seed: int) -> None:
        self._hours = [np.array([hour for hour, _ in profile], dtype=float) for profile in load.profiles]
        self._rates = [np.array([rate for _, rate in profile], dtype=float) for profile in load.profiles]
        self._amounts = [
            np.concatenate([[0.0], np.cumsum(np.diff(hours) * (rates[1:] + rates[:-1]) / 2)])
            for hours, rates in zip(self._hours, self._rates, strict=True)
        ]
        days = np.arange(FIRST_DAY, LAST_DAY, dtype=np.int64)
        chance = load.chance * (2 * uniform(key(seed, f"load/{load.name}"), days) - 1)
        self._factor = (1 + load.summer * summer(days * DAY_MS)) * (1 + chance)
        totals = np.array([amounts[-1] for amounts in self._amounts])[_kind(days)]
        # A sum in sequence: the amount at a day's end is then the very double the next day starts from.
        self._before = np.concatenate([[0.0], np.cumsum(self._factor * totals)])
        self._ripple_per_h = load.ripple_per_h

    def at(self, ts_ms: Instants) -> Values:
        """Give the amount at each instant. Raises ValueError outside the years 2015 to 2045."""
        day = local_day(ts_ms)
        if len(day) and (day.min() < FIRST_DAY or day.max() >= LAST_DAY):
            raise ValueError("the simulated meters know the years 2015 to 2045 only")
        hour = since_midnight_ms(ts_ms) / HOUR_MS
        kinds, amount = _kind(day), np.zeros(len(ts_ms))
        for kind in range(3):
            chosen = kinds == kind
            amount[chosen] = self._within_day(kind, hour[chosen])
        amount = self._before[day - FIRST_DAY] + self._factor[day - FIRST_DAY] * amount
        return np.asarray(amount + self._ripple(ts_ms))

    def _within_day(self, kind: int, hour: Values) -> Values:
        hours, rates = self._hours[kind], self._rates[kind]
        piece = np.searchsorted(hours, hour, side="right") - 1
        width = hour - hours[piece]
        slope = np.diff(rates) / np.diff(hours)
        return np.asarray(self._amounts[kind][piece] + width * (rates[piece] + slope[piece] * width / 2))

    def _ripple(self, ts_ms: Instants) -> Values:
        if not self._ripple_per_h:
            return np.zeros(len(ts_ms))
        hours = (ts_ms - _FIRST_MS) / HOUR_MS
        turn = 2 * np.pi / _RIPPLE_PERIOD_H
        return np.asarray(self._ripple_per_h * (hours + 0.9 * (1 - np.cos(turn * hours)) / turn))


def _kind(day: Instants) -> Instants:
    """Tell working days (0), Saturdays (1) and Sundays (2) apart."""
    return np.maximum(weekday(day) - 4, 0)


@dataclass(frozen=True, slots=True)
class Meter:
    """What a meter counts: loads with their shares, and how its register shows them."""

    loads: tuple[tuple[Load, float], ...]
    counts_pieces: bool = False  # a piece counts when it is finished: rounded down


UNEXPLAINED_SHARE = 0.04

METERS: dict[str, Meter] = {
    "E-MAIN": Meter(((PAINT, 1 + UNEXPLAINED_SHARE), (ASSEMBLY, 1 + UNEXPLAINED_SHARE))),
    "E-PAINT": Meter(((PAINT, 1.0),)),
    "E-PV": Meter(((SUN, 1.0),)),
    "W-MAIN": Meter(((WATER, 1 + UNEXPLAINED_SHARE),)),
    "W-NORTH": Meter(((WATER, 1.0),)),
    "G-MAIN": Meter(((GAS, 1.0),)),
    "LINE-1": Meter(((VEHICLES, 1.0),), counts_pieces=True),
}


class Registers:
    """The registers of the plant's meters; a load's integral is tabulated once and shared."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._integrals: dict[str, Integral] = {}

    def exact(self, meter: Meter, ts_ms: Instants) -> Values:
        """Give what a meter has counted at each instant, not rounded."""
        total = np.zeros(len(ts_ms))
        for load, share in meter.loads:
            if load.name not in self._integrals:
                self._integrals[load.name] = Integral(load, self._seed)
            total += share * self._integrals[load.name].at(ts_ms)
        return total

    def shown(self, meter: Meter, ts_ms: Instants, decimals: int) -> Values:
        """Give what a meter's register shows at each instant."""
        exact = self.exact(meter, ts_ms)
        return np.asarray(np.floor(exact) if meter.counts_pieces else np.round(exact, decimals))
