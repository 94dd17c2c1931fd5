"""This module finds leaks: what a parent meter counts more than its children, and what it still counts at night.

Only what is known counts: windows that readings cover whole and whose edges cut through no gap. The state follows the
newest window that is closed for all meters.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from plantmon import units
from plantmon.averages.periods import Period, period_around
from plantmon.averages.rounding import significant_one
from plantmon.model.alarm import Alarm, Condition, Severity
from plantmon.model.plant import Balance, Plant
from plantmon.model.window import Window
from plantmon.store import alarms, windows
from plantmon.store.database import Store
from plantmon.times import HOUR_MS, to_ms

KINDS = ("balance", "night_minimum")
_PARTS = 1e6  # of a unit in a counter's amount
_CUT_START, _CUT_END = 1, 2  # bits of `Window.estimated`
_HOUR, _DAY, _MONTH = "1h", "1d", "1mo"


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What a parent counted in a window, its children together, and the difference as a share of the parent.

    Amounts are in the parent's unit; a parent that counted nothing explains everything.
    """

    parent: float
    children: float
    share: float


def amount_of(found: Sequence[Window], start: int, end: int) -> float | None:
    """Give what a counter counted over [start, end) from its windows inside, oldest first; None where not wholly known.

    In the counter's unit. A gap inside does not matter, its amount is exact; one across an edge does.
    """
    if not found or any(not one.is_valid or one.amount is None for one in found):
        return None
    if sum(one.end - one.start for one in found) != end - start:
        return None
    if found[0].estimated & _CUT_START or found[-1].estimated & _CUT_END:
        return None
    return sum(one.amount or 0 for one in found) / _PARTS


def unexplained(parent: float, children: Sequence[float]) -> Unexplained:
    """Compare a parent with its children, all in its unit."""
    total = significant_one(sum(children))
    return Unexplained(parent, total, significant_one((parent - total) / parent) if parent > 0 else 0.0)


def least_at_night(hours: Sequence[float | None], most: float) -> tuple[bool | None, float | None]:
    """Say whether a meter counts more than it may in every hour of a night, and its least known hour.

    One known hour within is enough to say no; without one, every hour must be known to say yes.
    """
    known = [one for one in hours if one is not None]
    least = min(known, default=None)
    if least is not None and least <= most:
        return False, least
    return (True if hours and len(known) == len(hours) else None), least


class LeakWatch:
    """Watches the balances of a plant."""

    def __init__(self, plant: Plant, numbers: Mapping[str, int], store: Store) -> None:
        self._plant = plant
        self._numbers = numbers
        self._store = store

    def conditions(self) -> list[Condition]:
        """Say of each balance what its newest window and night show; end what the plant file watches no more."""
        found = []
        with self._store.readers.snapshot() as connection:
            standing = [alarm for alarm in alarms.all_standing(connection) if alarm.kind in KINDS and alarm.is_bad]
            for balance in self._plant.balances:
                found += [self._balance(connection, balance), self._night(connection, balance)]
        known = {f"balance:{one.parent}" for one in self._plant.balances}
        known |= {f"night_minimum:{one.parent}" for one in self._plant.balances if one.night_minimum is not None}
        moving = [one for one in found if one is not None and one.is_bad is not None]
        return moving + [_end(alarm) for alarm in standing if alarm.key not in known]

    def _balance(self, connection: sqlite3.Connection, balance: Balance) -> Condition | None:
        names = (balance.parent, *balance.children)
        span = self._newest(connection, balance.window, names)
        if span is None:
            return None
        amounts = [self._amount(connection, balance, name, *span) for name in names]
        known = [amount for amount in amounts if amount is not None]
        if len(known) < len(names):
            return None
        shown = unexplained(known[0], known[1:])
        unit = self._plant.points[balance.parent].unit
        parts = " + ".join(f"{name} {one:.6g}" for name, one in zip(balance.children, known[1:], strict=True))
        facts: dict[str, Any] = {
            "outlet": None, "point": balance.parent, "start": span[0], "end": span[1], "side": "max", "unit": "%",
            "value": significant_one(shown.share * 100), "bound": significant_one(balance.warn_above * 100),
            "detail": f"{balance.parent} {shown.parent:.6g} - ({parts}) = {shown.parent - shown.children:.6g} {unit}",
        }  # fmt: skip
        return _condition("balance", balance.parent, shown.share > balance.warn_above, *span, facts)

    def _night(self, connection: sqlite3.Connection, balance: Balance) -> Condition | None:
        closed = windows.closed(connection, _HOUR).get(self._numbers[balance.parent])
        if balance.night_minimum is None or closed is None:
            return None
        today = self._plant.time.date_of(closed[1])
        start, end = next(
            span for day in (today, today - timedelta(days=1)) if (span := self._night_of(day))[1] <= closed[1]
        )
        hours = {one.start: one for one in self._windows(connection, _HOUR, balance.parent, start, end)}
        amounts = [amount_of([hours[at]] if at in hours else [], at, at + HOUR_MS) for at in range(start, end, HOUR_MS)]
        is_bad, least = least_at_night(amounts, balance.night_minimum)
        facts: dict[str, Any] = {
            "outlet": None, "point": balance.parent, "start": start, "end": end, "side": "max", "value": least,
            "bound": balance.night_minimum, "unit": f"{self._plant.points[balance.parent].unit}/h",
        }  # fmt: skip
        return _condition("night_minimum", balance.parent, is_bad, start, end, facts)

    def _night_of(self, day: date) -> tuple[int, int]:
        rules, zone = self._plant.rules, self._plant.time.zone
        clocks = (rules.leak_night_begins, rules.leak_night_ends)
        begins, ends = (to_ms(datetime.combine(day, clock, tzinfo=zone)) for clock in clocks)
        return begins, ends

    def _newest(self, connection: sqlite3.Connection, window: str, names: Sequence[str]) -> tuple[int, int] | None:
        """Give the newest window [start, end) that is closed for all meters, None while there is none."""
        closed = windows.closed(connection, _HOUR if window == _HOUR else _DAY)
        numbers = [self._numbers[name] for name in names]
        if any(number not in closed for number in numbers):
            return None
        time, until = self._plant.time, min(closed[number][1] for number in numbers)
        if window == _HOUR:
            start, end = until - HOUR_MS, until
        elif window == _DAY:
            start, end = time.day_start(until - 1), until
        else:
            end = period_around(Period.MONTH, until, time)[0]
            start = period_around(Period.MONTH, end - 1, time)[0]
        return (start, end) if start >= max(closed[number][0] for number in numbers) else None

    def _amount(
        self, connection: sqlite3.Connection, balance: Balance, name: str, start: int, end: int
    ) -> float | None:
        level = _HOUR if balance.window == _HOUR else _DAY
        amount = amount_of(self._windows(connection, level, name, start, end), start, end)
        if amount is None:
            return None
        return units.convert(amount, self._plant.points[name].unit, self._plant.points[balance.parent].unit)

    def _windows(self, connection: sqlite3.Connection, level: str, name: str, start: int, end: int) -> list[Window]:
        return windows.span(connection, level, self._numbers[name], start, end)


def _condition(kind: str, meter: str, is_bad: bool | None, start: int, end: int, facts: dict[str, Any]) -> Condition:
    # It clears with the first good window: until when that one began.
    return Condition(f"{kind}:{meter}", kind, Severity.WARNING, is_bad, start, start, facts)


def _end(alarm: Alarm) -> Condition:
    until_ms = alarm.facts.get("end", alarm.since_ms)
    return Condition(alarm.key, alarm.kind, alarm.severity, False, alarm.since_ms, until_ms, {})
