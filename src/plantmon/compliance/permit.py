"""This module says which plant file judges an instant, and which of its limits a window (design rule 6).

A version of the plant file is in force from its loading, or from the day it was adopted for; the first one also judges
all time before. A window is judged by the version in force at its start, and of that by the limits whose days hold the
window's first local day (settled choices, Limits in force). Windows themselves are always those of the newest file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from plantmon.model.plant import Limit, Plant
from plantmon.times import PlantTime

BEGINNING_MS = -(2**62)  # before every instant there is
END_MS = 2**62


def timeline(loaded_ms: Mapping[int, int], adopted_ms: Mapping[int, int]) -> list[tuple[int, int]]:
    """Give (start, version) of the versions that are ever in force, in time order; each until the next one's start.

    `loaded_ms` holds every version's loading, `adopted_ms` the day's beginning of those adopted. At an instant the
    newest version that has started is in force; the oldest has always been.

    >>> timeline({1: 100, 2: 200, 3: 300}, {3: 150})[1:]
    [(150, 3)]
    """
    found: list[tuple[int, int]] = []
    for version in sorted(loaded_ms):
        start = adopted_ms.get(version, loaded_ms[version]) if found else BEGINNING_MS
        while len(found) > 1 and found[-1][0] >= start:
            found.pop()
        found.append((start, version))
    return found


class Permit:
    """The plant files that judge, each in its time; frozen, made anew when a version comes or is adopted."""

    def __init__(
        self, spans: Sequence[tuple[int, Plant]], superseded: Iterable[Plant] = (), unreadable: Sequence[str] = ()
    ) -> None:
        """Take (start, plant) in time order, at least one; the first judges all time before too.

        `superseded` are files that are in force at no time any more, oldest first; `unreadable` says why a version
        cannot judge.
        """
        starts, plants = _joined(spans)
        self.unreadable = tuple(unreadable)
        self._starts = starts
        self._plants = plants
        self._ends = [*starts[1:], END_MS]
        self._known = {limit.key: limit for plant in (*superseded, *plants) for limit in plant.limits}
        self._piece_starts: list[int] = []
        self._pieces: list[tuple[Limit, ...]] = []
        for start, end, plant in zip(starts, self._ends, plants, strict=True):
            for at, limits in _pieces(plant, start, end):
                self._piece_starts.append(at)
                self._pieces.append(limits)
        self._by_key = [{limit.key: limit for limit in limits} for limits in self._pieces]

    @property
    def plants(self) -> tuple[Plant, ...]:
        """The plant files that judge at some time, in time order; neighbours that judge alike are one, the newer."""
        return tuple(self._plants)

    def at(self, at_ms: int) -> Plant:
        """Give the plant file in force at an instant."""
        return self._plants[max(0, bisect_right(self._starts, at_ms) - 1)]

    def spans(self, start_ms: int, end_ms: int) -> list[tuple[int, int, Plant]]:
        """Give the parts of [start, end) that one plant file each judges, in time order; nothing of an empty span."""
        first = max(0, bisect_right(self._starts, start_ms) - 1)
        found = []
        for start, end, plant in zip(self._starts[first:], self._ends[first:], self._plants[first:], strict=True):
            if start >= end_ms:
                break
            if start_ms < end_ms:
                found.append((max(start, start_ms), min(end, end_ms), plant))
        return found

    def in_force(self, start_ms: int) -> tuple[Limit, ...]:
        """Give the limits that judge the windows beginning at an instant, in the order of their file."""
        return self._pieces[self._piece(start_ms)]

    def is_in_force(self, limit_key: str, start_ms: int) -> Limit | None:
        """Give the limit of a key where it judges the windows beginning at an instant, else None."""
        return self._by_key[self._piece(start_ms)].get(limit_key)

    def limits(self) -> dict[str, Limit]:
        """Give every limit that any readable version ever had, by key; the newest where several had the same key."""
        return dict(self._known)

    def _piece(self, at_ms: int) -> int:
        return max(0, bisect_right(self._piece_starts, at_ms) - 1)


def judges_alike(one: Plant, other: Plant) -> bool:
    """Whether two plant files differ at most in what judges nothing: names, feeds, mails, figures, the text itself."""
    return one == replace(
        other, name=one.name, permit=one.permit, version=one.version, text=one.text, feeds=one.feeds,
        alarms=one.alarms, calendar=one.calendar, balances=one.balances, reporting=one.reporting,
        esg=one.esg, tariff=one.tariff, shifts=one.shifts,
    )  # fmt: skip


def _joined(spans: Sequence[tuple[int, Plant]]) -> tuple[list[int], list[Plant]]:
    """Join neighbours that judge alike, so that a changed mail address divides nothing."""
    starts: list[int] = []
    plants: list[Plant] = []
    for start, plant in spans:
        if plants and judges_alike(plants[-1], plant):
            plants[-1] = plant
        else:
            starts.append(start if starts else BEGINNING_MS)
            plants.append(plant)
    return starts, plants


def _pieces(plant: Plant, start_ms: int, end_ms: int) -> list[tuple[int, tuple[Limit, ...]]]:
    """Cut a plant file's time where a limit begins or ends; give each piece's start and limits."""
    days = [(limit, *_instants(limit, plant.time)) for limit in plant.limits]
    cuts = {at for _, since, until in days for at in (since, until) if start_ms < at < end_ms}
    return [
        (at, tuple(limit for limit, since, until in days if since <= at < until)) for at in sorted({start_ms, *cuts})
    ]


def _instants(limit: Limit, time: PlantTime) -> tuple[int, int]:
    """Give the instants [since, until) of a limit's days."""
    since = BEGINNING_MS if limit.valid_from is None else time.midnight(limit.valid_from)
    last = limit.valid_to
    if last is None or last == date.max:
        return since, END_MS
    return since, time.midnight(last + timedelta(days=1))
