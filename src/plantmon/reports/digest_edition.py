"""This module says which editions of the digest there are at an instant, and of which time each is.

A digest is made each morning at the plant file's `alarms.digest`: of the day before; on Mondays of the week before; on
the first of a month of the month before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from plantmon.times import PlantTime, to_ms

DAILY, WEEKLY, MONTHLY = "daily", "weekly", "monthly"


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition: of the local days [first, after), made on the morning of `after` at `due_ms`."""

    name: str
    first: date
    after: date
    due_ms: int

    def span(self, plant_time: PlantTime) -> tuple[int, int]:
        """Give the instants [start, end) it is of."""
        return plant_time.midnight(self.first), plant_time.midnight(self.after)

    def before(self) -> date:
        """Give the first day of the time before it that it is compared with."""
        return _first(self.name, self.first)


def newest(clock: time, plant_time: PlantTime, now_ms: int) -> Iterator[Edition]:
    """Give the newest edition of each kind whose morning has come; `clock` is the local time of the digest."""
    today = plant_time.date_of(now_ms)
    if _moment(plant_time, today, clock) > now_ms:
        today -= timedelta(days=1)
    for name in (DAILY, WEEKLY, MONTHLY):
        after = _last_morning(name, today)
        yield Edition(name, _first(name, after), after, _moment(plant_time, after, clock))


def around(name: str, day: date, clock: time, plant_time: PlantTime) -> Edition:
    """Give the edition of the day, week or month that holds a day."""
    first = day
    if name == WEEKLY:
        first = day - timedelta(days=day.weekday())
        after = first + timedelta(days=7)
    elif name == MONTHLY:
        first = day.replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
    else:
        after = day + timedelta(days=1)
    return Edition(name, first, after, _moment(plant_time, after, clock))


def _last_morning(name: str, today: date) -> date:
    """Give the last day up to today on whose morning an edition is made."""
    if name == WEEKLY:
        return today - timedelta(days=today.weekday())
    return today.replace(day=1) if name == MONTHLY else today


def _first(name: str, after: date) -> date:
    """Give the first day of the time that ends before a day."""
    if name == WEEKLY:
        return after - timedelta(days=7)
    last = after - timedelta(days=1)
    return last.replace(day=1) if name == MONTHLY else last


def _moment(plant_time: PlantTime, day: date, clock: time) -> int:
    return to_ms(datetime.combine(day, clock, tzinfo=plant_time.zone))
