"""This module checks readings as they come out of a file, and stages what is good; what is not is named by its line."""

from __future__ import annotations

import difflib
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plantmon.errors import TableError
from plantmon.importing.problem import Problem, Problems
from plantmon.importing.staging import ROW, UNKNOWN_ARRIVAL, Stager
from plantmon.model.plant import Plant
from plantmon.model.reading import flag_code
from plantmon.store.reported import Reported
from plantmon.texts import text

EARLIEST_MS = 946_684_800_000  # 2000-01-01 UTC: what is older is a number that is no time
SPARE_BYTES = 200_000_000  # of the disk, left to the store: it must go on whatever is taken in
_LOOK_EVERY = 1_000_000  # readings


class NoRoom(TableError):
    """The disk is too small for what a file holds."""


class Intake:
    """Takes the readings of one file of a plant; times are checked against `now_ms`."""

    def __init__(self, plant: Plant, stager: Stager, folder: Path, now_ms: int, *, skips_unknown: bool) -> None:
        self.plant = plant
        self.problems = Problems()
        self.skipped: Counter[str] = Counter()  # readings by the point that the plant file does not have
        self.missing_flag = flag_code(plant.rules.missing_flag)
        self.points = list(plant.points.values())
        self.numbers = {point.id: place for place, point in enumerate(self.points)}
        self._names = _by_name(plant)
        self._stager = stager
        self._folder = folder
        self._now_ms = now_ms
        self._latest_ms = now_ms + plant.rules.future_ms
        self.skips_unknown = skips_unknown
        self._looked = 0

    def find(self, name: str) -> int | None:
        """Give the place of the point that an id, or a name only one has, stands for; None where there is none."""
        place = self.numbers.get(name)
        return place if place is not None else self._names.get(name.casefold())

    def refuse(self, line: int, key: str, **values: object) -> None:
        """Note what is wrong with a line."""
        self.problems.add(Problem(line, key, values))

    def refuse_point(self, line: int, name: str, readings: int) -> None:
        """Note readings of a point that the plant file does not have, or pass them over where that is wanted."""
        if self.skips_unknown:
            self.skipped[name] += readings
        else:
            near = difflib.get_close_matches(name, self.numbers, 1)
            self.refuse(line, "unknown_point", point=name[:80], nearest=near[0] if near else "")

    def add(
        self, ts: NDArray[np.int64], point: NDArray[np.int64], value: NDArray[np.float64], flag: NDArray[np.int64],
        line: NDArray[np.int64], arrival: NDArray[np.int64] | None = None,
    ) -> None:  # fmt: skip
        """Take readings; `point` are places in `points`. Raises NoRoom."""
        wrong = (ts < EARLIEST_MS) | (ts > self._latest_ms)
        for place in np.flatnonzero(wrong).tolist():
            self._refuse_time(int(line[place]), int(ts[place]))
        kept = ~wrong
        rows = np.empty(int(kept.sum()), ROW)
        rows["ts"], rows["point"], rows["value"], rows["flag"] = ts[kept], point[kept], value[kept], flag[kept]
        rows["line"] = line[kept]
        rows["arrival"] = UNKNOWN_ARRIVAL if arrival is None else arrival[kept]
        if not self.problems.count:  # of a file that is refused nothing is needed but what is wrong
            self._stager.add(rows)
            self._look_for_room()

    def add_reported(self, one: Reported, line: int) -> None:
        """Take what a device says of a period."""
        if not EARLIEST_MS <= one.start <= self._latest_ms:
            self._refuse_time(line, one.start)
            return
        problem = self._stager.add_reported(one._replace(arrival_ms=UNKNOWN_ARRIVAL), line)
        if problem is not None:
            self.problems.add(problem)

    def _refuse_time(self, line: int, ts_ms: int) -> None:
        if ts_ms > self._latest_ms:
            self.refuse(line, "future", at=_shown(self.plant, ts_ms), now=self.plant.time.show(self._now_ms))
        else:
            self.refuse(line, "too_early", at=_shown(self.plant, ts_ms))

    def _look_for_room(self) -> None:
        if self._stager.count - self._looked >= _LOOK_EVERY:
            self._looked = self._stager.count
            check_room(self._folder, SPARE_BYTES)


def check_room(folder: Path, needed: int) -> None:
    """Raise NoRoom where the disk of a folder has less free than is needed."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(f"{folder}: {free / 1e6:.0f} MB < {needed / 1e6:.0f} MB")


def no_room_words(folder: Path, needed: int, language: str) -> str | None:
    """Say that a disk has less free than is needed; None where it has enough."""
    free = shutil.disk_usage(folder).free
    if free >= needed:
        return None
    return text("import.no_room", language, folder=folder, free=f"{free / 1e6:.0f}", needed=f"{needed / 1e6:.0f}")


def _shown(plant: Plant, ts_ms: int) -> str:
    try:
        return plant.time.show(ts_ms)
    except (OverflowError, ValueError):
        return str(ts_ms)


def _by_name(plant: Plant) -> dict[str, int]:
    """Give the places of points by their names in both languages, and by ids in another case; of unique ones alone."""
    found: dict[str, set[int]] = {}
    for place, point in enumerate(plant.points.values()):
        for name in (point.id, point.name.en, point.name.zh):
            found.setdefault(name.casefold(), set()).add(place)
    return {name: places.pop() for name, places in found.items() if name and len(places) == 1}
