"""This module is the archive's stage: it seals days, lets SQLite go of them, and adds supplements, step by step.

What is to be done next is found in the store alone, so that a run goes on where the one before it ended or was killed.
A file is in the manifest only after it was read back whole, and readings leave SQLite only while that file is there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from plantmon.archive.job import Job, Made
from plantmon.errors import ArchiveError
from plantmon.sealed import manifest
from plantmon.store import archive, late, rejected, values
from plantmon.store.database import Store

ROWS_A_SLICE = 5_000  # leave SQLite in one transaction


class Work(StrEnum):
    """What a step was."""

    SEALED = "sealed"
    SUPPLEMENTED = "supplemented"
    RELEASED = "released"
    EMPTIED = "emptied"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Turn:
    """What a step did, of which day; `rows` are those of a file that was made."""

    work: Work
    day: int | None = None
    rows: int = 0
    bytes: int = 0


class Maker(Protocol):
    """Who makes a file."""

    def make(self, job: Job) -> Made:
        """Make it. Raises ArchiveError."""
        ...


class Archivist:
    """Keeps a store's archive. `after_ms` is the age at which a day is sealed, `raw_ms` that at which it is let go.

    `on_step` is told of each step when it is done; a test ends its process there.
    """

    def __init__(
        self, store: Store, maker: Maker, after_ms: int, raw_ms: int, on_step: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store = store
        self._maker = maker
        self._after_ms = after_ms
        self._raw_ms = raw_ms
        self._on_step = on_step

    def run(self, now_ms: int, until_ms: int | None = None) -> Turn | None:
        """Do the next step there is at this instant; None when all is done.

        With `until_ms` days that end by it are sealed however young they are. Raises ArchiveError, StoreUnavailable.
        """
        seal_until = max(now_ms - self._after_ms, min(until_ms or 0, now_ms))
        with self._store.readers.snapshot() as connection:
            leaving = archive.leaving_day(connection)
        if leaving is not None:
            return self._empty(leaving, now_ms)
        with self._store.readers.snapshot() as connection:
            folder, entries = archive.folder(connection), archive.entries(connection)
            release = archive.next_release(connection, now_ms - self._raw_ms)
            open_ = archive.open_day(connection)
            late_day = archive.next_supplement(connection)
            unsealed = None if open_ is not None else archive.next_unsealed(connection, seal_until)
        if entries and not _is_listed(folder, entries):
            manifest.write(folder, entries)
            self._on_step("listed")
            return Turn(Work.LISTED)
        if release is not None:
            return self._release(release, now_ms)
        if open_ is not None:
            return self._seal(open_, now_ms)
        if late_day is not None:
            return self._supplement(*late_day, now_ms)
        return None if unsealed is None else self._seal(unsealed, now_ms)

    def _seal(self, day: int, now_ms: int) -> Turn:
        self._store.write(lambda connection: archive.begin(connection, day))
        self._on_step("begun")
        made = self._maker.make(Job(str(self._store.path), day))

        def write(connection: sqlite3.Connection) -> None:
            if made.rows:
                archive.add_file(connection, day, 0, made.rows, made.bytes, made.sha256, now_ms)
            archive.note_sealed(connection, day, now_ms)

        self._store.write(write)
        self._on_step("sealed")
        return Turn(Work.SEALED, day, made.rows, made.bytes)

    def _supplement(self, day: int, until: int, now_ms: int) -> Turn:
        with self._store.readers.snapshot() as connection:
            state = archive.read_day(connection, day)
            number = sum(1 for _ in archive.entries(connection, day))
        assert state is not None
        made = self._maker.make(Job(str(self._store.path), day, max(number, 1), state.late_until, until))

        def write(connection: sqlite3.Connection) -> None:
            if made.rows:
                archive.add_file(connection, day, max(number, 1), made.rows, made.bytes, made.sha256, now_ms)
            self._refuse(connection, made, now_ms)
            archive.note_supplemented(connection, day, until)

        self._store.write(write)
        self._on_step("supplemented")
        return Turn(Work.SUPPLEMENTED, day, made.rows, made.bytes)

    @staticmethod
    def _refuse(connection: sqlite3.Connection, made: Made, now_ms: int) -> None:
        """Take away what turned out to be sealed already, as a redelivery or as a conflict."""
        if made.conflicts:
            names = dict(connection.execute("SELECT id, name FROM point"))
            rejected.add(connection, (
                rejected.Rejected(
                    rejected.Why.CONFLICT, "archive", now_ms,
                    f"{ts}, value {late.value_at(connection, ts, point):.12g}, against sealed {stands:.12g}",
                    b"", names.get(point), ts,
                )
                for ts, point, stands in made.conflicts
            ))  # fmt: skip
        keys = [*made.again, *((ts, point) for ts, point, _ in made.conflicts)]
        if keys:
            late.drop(connection, keys)
            values.add_counts(connection, {"repeats": len(made.again), "rejected": len(made.conflicts),
                                           "readings": -len(keys)})  # fmt: skip

    def _release(self, day: int, now_ms: int) -> Turn:
        """Let SQLite go of a day, if its files are still what was sealed."""
        with self._store.readers.snapshot() as connection:
            folder, entries = archive.folder(connection), archive.entries(connection, day)
        for entry in entries:
            if (fault := manifest.fault_of_file(folder, entry)) is not None:
                raise ArchiveError(f"{folder / entry.name}: {fault}; its readings stay in the store")
        self._store.write(lambda connection: archive.release(connection, day, now_ms))
        self._on_step("released")
        return Turn(Work.RELEASED, day)

    def _empty(self, day: int, now_ms: int) -> Turn:
        """Take one slice of a released day's readings out of SQLite."""
        self._store.write(lambda connection: archive.empty(connection, day, ROWS_A_SLICE, now_ms))
        self._on_step("emptied")
        return Turn(Work.EMPTIED, day)


def _is_listed(folder: Path, entries: list[manifest.Entry]) -> bool:
    """Whether the manifest's file is that of the store."""
    try:
        return (folder / manifest.NAME).read_bytes() == manifest.as_text(entries)
    except OSError:
        return False
