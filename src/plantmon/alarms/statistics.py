"""This module counts alarms as ISA-18.2 and EEMUA 191 look at an alarm system: rates, chattering, floods, answers.

Pure: the history of alarms goes in. What comes counts, an incident that came back too, for it rang again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from plantmon.model.alarm import Alarm, State
from plantmon.tables.load import default
from plantmon.times import MINUTE_MS, PlantTime

CHATTERING_TIMES = int(default("chattering_times"))
CHATTERING_MS = MINUTE_MS
FLOOD_ALARMS = int(default("flood_alarms"))
FLOOD_MS = 10 * MINUTE_MS
TOP = 10


@dataclass(frozen=True, slots=True)
class Coming:
    """That an alarm came, at plant time."""

    alarm: int
    key: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Flood:
    """Plant time from a flood's first alarm to its last, and how many came."""

    start_ms: int
    end_ms: int
    count: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known of the alarms of a time; spans in milliseconds of plant time, None where there is nothing."""

    days: dict[date, int]  # every local day of the time
    standing: int  # wrong just now, shelved ones too
    shelved: int
    unclosed: int  # breaches that are over and lack cause and action
    chattering: dict[str, int]  # by key: how often it came in its worst minute
    floods: tuple[Flood, ...]
    top: tuple[tuple[str, int], ...]  # key, how often
    acknowledged: int
    median_ms: int | None
    ninety_ms: int | None

    @property
    def total(self) -> int:
        """How many alarms came."""
        return sum(self.days.values())

    @property
    def a_day(self) -> float | None:
        """How many came on a day, in the mean."""
        return self.total / len(self.days) if self.days else None


def statistics(
    comings: Iterable[Coming], answers: Mapping[int, tuple[int, int]], now: Iterable[Alarm], time: PlantTime,
    start_ms: int, end_ms: int,
) -> Statistics:  # fmt: skip
    """Count what came in [start, end).

    `answers` are (came, first acknowledged) by alarm, `now` the alarms that are not over or not closed.
    """
    found = sorted((one for one in comings if start_ms <= one.at_ms < end_ms), key=lambda one: (one.at_ms, one.alarm))
    counts = Counter(time.date_of(one.at_ms) for one in found)
    often = Counter(one.key for one in found)
    waits = sorted(max(0, acked - came) for came, acked in answers.values())
    current = list(now)
    return Statistics(
        days={time.date_of(day): counts[time.date_of(day)] for day in time.days(start_ms, end_ms)},
        standing=sum(one.is_bad for one in current),
        shelved=sum(one.state is State.SHELVED for one in current),
        unclosed=sum(one.needs_closing for one in current),
        chattering=chattering(found),
        floods=tuple(floods([one.at_ms for one in found])),
        top=tuple(sorted(often.items(), key=lambda item: (-item[1], item[0]))[:TOP]),
        acknowledged=len(waits),
        median_ms=quantile(waits, 0.5),
        ninety_ms=quantile(waits, 0.9),
    )


def chattering(comings: Iterable[Coming]) -> dict[str, int]:
    """Give the alarms that came three times and more within a minute, with the most times in one."""
    times: dict[str, list[int]] = {}
    for one in comings:
        times.setdefault(one.key, []).append(one.at_ms)
    most = {key: _most_within(sorted(found), CHATTERING_MS) for key, found in times.items()}
    return {key: count for key, count in most.items() if count >= CHATTERING_TIMES}


def floods(times_ms: Sequence[int]) -> list[Flood]:
    """Give the floods among instants in order: runs in which ten and more came within ten minutes."""
    found: list[tuple[int, int]] = []  # places of first and last
    first = 0
    for last, at_ms in enumerate(times_ms):
        while at_ms - times_ms[first] >= FLOOD_MS:
            first += 1
        if last - first + 1 >= FLOOD_ALARMS:
            if found and first <= found[-1][1]:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
    return [Flood(times_ms[start], times_ms[end], end - start + 1) for start, end in found]


def quantile(ordered: Sequence[int], share: float) -> int | None:
    """Give the least value that at least a share of all do not exceed; None of nothing.

    >>> quantile([10, 20, 30, 40], 0.5), quantile([10, 20, 30, 40], 0.9)
    (20, 40)
    """
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def _most_within(times_ms: Sequence[int], within_ms: int) -> int:
    most = first = 0
    for last, at_ms in enumerate(times_ms):
        while at_ms - times_ms[first] >= within_ms:
            first += 1
        most = max(most, last - first + 1)
    return most
