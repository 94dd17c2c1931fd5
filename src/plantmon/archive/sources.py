"""This module gives what goes into a sealed file: a day's readings from the store, or those that came late for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Protocol

import numpy as np

from plantmon.model.reading import Rows
from plantmon.store import late
from plantmon.store.database import Readers
from plantmon.times import DAY_MS, HOUR_MS

Key = tuple[int, int]  # ts, point
Conflict = tuple[int, int, float]  # with the value that stands
_FIELDS = "ts, point, value, flag, arrival_ms"
_UNLATE = "NOT EXISTS (SELECT 1 FROM late_reading AS late WHERE late.ts = register.ts AND late.point = register.point)"


class Source(Protocol):
    """What a file is made of; asked twice it gives the same."""

    def counts(self) -> dict[int, int]:
        """Count the readings of each point."""
        ...

    def rows(self, points: Collection[int]) -> Rows:
        """Give the readings of some points, in any order."""
        ...

    @property
    def told(self) -> tuple[list[Key], list[Conflict]]:
        """Give the keys that are left out: with an equal value sealed, with another one."""
        ...


class DaySource:
    """A day's readings: those in `reading`, and those of sparse points without what came late for it."""

    def __init__(self, readers: Readers, day: int) -> None:
        self._readers = readers
        self._day = day
        self._counts: dict[int, int] | None = None

    @property
    def told(self) -> tuple[list[Key], list[Conflict]]:
        """Nothing: there is no file before the first."""
        return [], []

    def counts(self) -> dict[int, int]:
        """Count the readings of each point."""
        found: Counter[int] = Counter()
        for hour in self._hours():
            with self._readers.snapshot() as connection:
                found.update(dict(connection.execute(
                    "SELECT point, count(*) FROM reading WHERE ts >= ? AND ts < ? GROUP BY point", hour
                )))  # fmt: skip
        with self._readers.snapshot() as connection:
            span = (self._day, self._day + DAY_MS)
            for (point,) in connection.execute("SELECT id FROM point WHERE sparse").fetchall():
                (count,) = connection.execute(
                    f"SELECT count(*) FROM register WHERE point = ? AND ts >= ? AND ts < ? AND {_UNLATE}",  # noqa: S608
                    (point, *span),
                ).fetchone()
                found[point] += count
        self._counts = {point: count for point, count in found.items() if count}
        return self._counts

    def rows(self, points: Collection[int]) -> Rows:
        """Give the readings of some points."""
        parts = []
        chosen = np.array(sorted(points), np.int64)
        is_all = self._counts is not None and len(points) == len(self._counts)
        for hour in self._hours():
            with self._readers.snapshot() as connection:
                found = late.rows_of(
                    connection.execute(f"SELECT {_FIELDS} FROM reading WHERE ts >= ? AND ts < ?", hour)  # noqa: S608
                )
            parts.append(found if is_all else found.take(np.isin(found.point, chosen)))
        with self._readers.snapshot() as connection:
            sparse = {row[0] for row in connection.execute("SELECT id FROM point WHERE sparse")}
            for point in sorted(sparse & set(points)):
                select = f"SELECT {_FIELDS} FROM register WHERE point = ? AND ts >= ? AND ts < ? AND {_UNLATE}"  # noqa: S608
                parts.append(late.rows_of(connection.execute(select, (point, self._day, self._day + DAY_MS))))
        return Rows.join(parts)

    def _hours(self) -> list[tuple[int, int]]:
        return [(at, at + HOUR_MS) for at in range(self._day, self._day + DAY_MS, HOUR_MS)]


class LateSource:
    """A day's late readings with numbers in (after, until], without those that the day's files have already."""

    def __init__(self, readers: Readers, day: int, after: int, until: int) -> None:
        with readers.snapshot() as connection:
            found = late.waiting(connection, (day, day + DAY_MS), after, until=until)
            keys = list(zip(found.ts.tolist(), found.point.tolist(), strict=True))
            sealed = late.in_files(connection, day, keys)
        values = found.value.tolist()
        self._again = [key for key, value in zip(keys, values, strict=True) if sealed.get(key) == value]
        self._conflicts = [
            (*key, sealed[key]) for key, value in zip(keys, values, strict=True) if sealed.get(key, value) != value
        ]
        self._rows = found.take(np.array([key not in sealed for key in keys], bool))

    @property
    def told(self) -> tuple[list[Key], list[Conflict]]:
        """Give the keys that are left out: with an equal value sealed, with another one."""
        return self._again, self._conflicts

    def counts(self) -> dict[int, int]:
        """Count the readings of each point."""
        return dict(Counter(self._rows.point.tolist()))

    def rows(self, points: Collection[int]) -> Rows:
        """Give the readings of some points."""
        return self._rows.take(np.isin(self._rows.point, sorted(points)))
