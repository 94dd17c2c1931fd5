"""This module takes a staged file into the store: compared whole with what stands, then stored slice by slice.

Nothing is stored of a file that contradicts what stands. Once storing has begun it goes on to the end, over kills and
restarts: how far it is stands in the transaction of each slice. The readings go the way of the feed - windows,
verdicts, alarms, an InfluxDB - but nobody counts as having spoken through them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plantmon.errors import ArchiveError, StoreUnavailable, TableError
from plantmon.feed.check import Batch, Message
from plantmon.feed.ingest import Stored
from plantmon.importing.problem import Problem, Problems
from plantmon.importing.staging import UNKNOWN_ARRIVAL, Rows, Staged
from plantmon.model.plant import Plant
from plantmon.store import imports, reported
from plantmon.store.database import Readers, Store
from plantmon.store.imports import Course
from plantmon.store.inbox import Answer
from plantmon.store.reported import Reported
from plantmon.store.standing import values_at
from plantmon.texts import text

ROWS_A_SLICE = 2_000  # in one transaction: the feed's own batches wait for it
REPORTED_A_SLICE = 500
ABSENT = -1  # a point of the file that the store has not had yet

Take = Callable[[sqlite3.Connection, Batch, list[Message], int], Stored]
Forget = Callable[[sqlite3.Connection, int], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """What of a file stands already, and what contradicts it."""

    known: int
    conflicts: Problems


class Importing:
    """Takes files in for one plant; `take` stores a batch, `forget` forgets what an undone one left in memory."""

    def __init__(self, plant: Plant, numbers: dict[str, int], store: Store, take: Take, forget: Forget) -> None:
        self._plant = plant
        self._numbers = numbers
        self._store = store
        self._take = take
        self._forget = forget
        self._has_failed = False

    def run(self, folder: Path, by: str, language: str, now: Callable[[], int]) -> Answer:
        """Take a staged file in, or go on with it; give how many of its readings are new, or why it is refused.

        Raises StoreUnavailable; it then goes on when it is asked for again.
        """
        now_ms = now()
        try:
            staged = Staged(folder)
        except TableError as error:
            with self._store.readers.snapshot() as connection:
                ended = imports.ended_as(connection, folder.name)
            return (False, {"error": str(error)}) if ended is None else _answer(ended)
        if (fault := self._fault_of(staged, language)) is not None:
            return False, {"error": fault}
        head = staged.head
        if self._has_failed:
            self._store.write(lambda connection: self._forget(connection, now_ms))
            self._has_failed = False
        span = None if head.first_ms is None or head.last_ms is None else (head.first_ms, head.last_ms)
        course = self._store.write(
            lambda connection: imports.begin(
                connection, head.file, head.sha256, folder.name, by, span, head.rows + head.reported, now_ms
            )
        )
        number_of = numbers_of(staged, self._numbers)
        if not course.done:
            try:
                found = compare(self._store.readers, staged, number_of, self._noting(course))
            except ArchiveError as error:
                self._store.write(lambda connection: imports.forget(connection, course.id))
                return False, {"error": str(error)}
            if found.conflicts.count:
                self._store.write(lambda connection: imports.forget(connection, course.id))
                staged.discard()
                return False, {"error": refusal(staged, found, self._plant, language)}
        try:
            self._store_rows(staged, number_of, course, now_ms)
            self._store_reported(staged, number_of, course, now_ms)
        except StoreUnavailable:
            self._has_failed = True
            raise
        ended = self._store.write(lambda connection: imports.end(connection, course.id, now()))
        staged.discard()
        return _answer(ended)

    def go_on(self, folder: Path, now: Callable[[], int]) -> bool:
        """Go on with files that were interrupted, in `folder`; say whether there were any. Raises TableError too."""
        with self._store.readers.snapshot() as connection:
            courses = imports.open_ones(connection)
        for course in courses:
            done, answer = self.run(folder / course.staged, course.asked_by, "en", now)
            if not done:
                raise TableError(f"import of {course.file} does not go on: {answer['error']}")
        return bool(courses)

    def _fault_of(self, staged: Staged, language: str) -> str | None:
        """Say why the points of a file are not those of the plant as this process knows it."""
        for place in staged.head.used:
            name, unit = staged.head.points[place]
            point = self._plant.points.get(name)
            if name not in self._numbers or (point is not None and point.reading_unit != unit):
                return text("import.other_plant_file", language, point=name)
        return None

    def _noting(self, course: Course) -> Callable[[int], None]:
        return lambda count: self._store.write(lambda connection: imports.note_checked(connection, course.id, count))

    def _store_rows(self, staged: Staged, number_of: NDArray[np.int64], course: Course, now_ms: int) -> None:
        for begin in range(course.done, staged.head.rows, ROWS_A_SLICE):
            end = min(begin + ROWS_A_SLICE, staged.head.rows)
            rows = staged.rows(begin, end)[~staged.known(begin, end)]
            batch = _batch(rows, number_of, course.begun_ms)
            self._store_batch(batch, course, end, now_ms)

    def _store_reported(self, staged: Staged, number_of: NDArray[np.int64], course: Course, now_ms: int) -> None:
        done = max(course.done, staged.head.rows)
        rest = staged.reported(done - staged.head.rows)
        while some := list(islice(rest, REPORTED_A_SLICE)):
            done += len(some)
            mine = [one._replace(point=int(number_of[one.point]), arrival_ms=course.begun_ms) for one in some]
            batch = Batch(reported=[(0, one) for one in mine], is_import=True)
            self._store_batch(batch, course, done, now_ms)

    def _store_batch(self, batch: Batch, course: Course, done: int, now_ms: int) -> None:
        # As retained ones do, it proves of nobody that he speaks now.
        message = Message(f"import/{course.file}", b"", course.begun_ms, retain=True)

        def write(connection: sqlite3.Connection) -> None:
            stored = self._take(connection, batch, [message], now_ms) if batch.ts or batch.reported else None
            if stored is None:
                imports.note_done(connection, course.id, done, 0, 0)
                return
            new_periods = len(batch.reported) - stored.repeats - stored.rejected if batch.reported else 0
            imports.note_done(connection, course.id, done, stored.readings + new_periods, stored.rejected)

        self._store.write(write)


def _answer(ended: Course) -> Answer:
    known = ended.total - ended.fresh - ended.conflicts
    return True, {"id": ended.id, "fresh": ended.fresh, "known": known, "conflicts": ended.conflicts}


def _batch(rows: Rows, number_of: NDArray[np.int64], begun_ms: int) -> Batch:
    arrival = np.where(rows["arrival"] == UNKNOWN_ARRIVAL, begun_ms, rows["arrival"])
    return Batch(
        rows["ts"].tolist(), number_of[rows["point"]].tolist(), rows["value"].tolist(), rows["flag"].tolist(),
        arrival.tolist(), [0] * len(rows), is_import=True,
    )  # fmt: skip


def numbers_of(staged: Staged, numbers: dict[str, int]) -> NDArray[np.int64]:
    """Give the store's number of each point of a staging, `ABSENT` where it has none."""
    return np.array([numbers.get(name, ABSENT) for name, _ in staged.head.points], np.int64)


def compare(readers: Readers, staged: Staged, number_of: NDArray[np.int64], tell: Callable[[int], None]) -> Compared:
    """Compare a staging with what stands, an hour at a time; `tell` hears how many readings were compared.

    Notes in the staging which readings stand already. Raises ArchiveError where a sealed file cannot be read.
    """
    conflicts, known = Problems(), 0
    for begin, rows in staged.hours():
        numbers = number_of[rows["point"]]
        asked = np.flatnonzero(numbers != ABSENT)
        stands = np.zeros(len(rows), bool)
        with readers.snapshot() as connection:
            value, is_there = values_at(connection, rows["ts"][asked], numbers[asked])
        same = is_there & (value == rows["value"][asked])
        stands[asked] = same
        for place in np.flatnonzero(is_there & ~same).tolist():
            row = rows[asked[place]]
            values = {"point": staged.head.points[row["point"]][0], "ts": int(row["ts"]),
                      "value": f"{row['value']:.12g}", "stands": f"{value[place]:.12g}"}  # fmt: skip
            conflicts.add(Problem(int(row["line"]), "conflict", values))
        staged.note_known(begin, stands)
        known += int(stands.sum())
        tell(begin + len(rows))
    with readers.snapshot() as connection:
        for one in staged.reported():
            number = int(number_of[one.point])
            found = None if number == ABSENT else reported.read(connection, number, one.start, one.level)
            if found is not None and found.figures == one.figures:
                known += 1
            elif found is not None:
                conflicts.add(_reported_conflict(one, staged.head.points[one.point][0]))
    return Compared(known, conflicts)


def _reported_conflict(one: Reported, point: str) -> Problem:
    return Problem(0, "reported_conflict", {"point": point, "ts": one.start, "level": one.level})


def refusal(staged: Staged, found: Compared, plant: Plant, language: str) -> str:
    """Say why a file is refused: what contradicts what stands, by line."""
    for one in found.conflicts.named:
        one.values["at"] = plant.time.show(one.values["ts"])
    words = found.conflicts.words(staged.head.file, language)
    end = text("import.refused", language, file=staged.head.file, wrong=found.conflicts.count)
    return "\n".join([*words, end])
