"""This module keeps the archive by the settings: once a day of UTC all that is due, by the daemon or by a command."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import structlog

from plantmon.archive.job import SealingChild
from plantmon.archive.stage import Archivist, Turn, Work
from plantmon.errors import ArchiveError
from plantmon.settings import Settings
from plantmon.store import archive, health, values
from plantmon.store.database import Store
from plantmon.times import DAY_MS

log = structlog.get_logger()

AGAIN_S = 600.0  # after a failure
COMPONENT = "archive"  # in health


class Archiving:
    """An archivist with its sealing child, over a store whose writer this process owns."""

    def __init__(self, settings: Settings, store: Store) -> None:
        assert settings.archive.path is not None  # resolved when the settings were loaded
        folder = settings.archive.path
        store.write(lambda connection: archive.set_folder(connection, folder))
        self._store = store
        self._child = SealingChild()
        self._archivist = Archivist(
            store, self._child, int(settings.archive.after.total_seconds() * 1000), settings.store.raw_days * DAY_MS
        )
        self._failed: tuple[float, ArchiveError] | None = None

    def daily(self, now_ms: int, real_s: float, may_go_on: Callable[[], bool]) -> None:
        """Do what is due when a new day of UTC has begun or somebody asked; `may_go_on` is asked before each step.

        What was left is found at the next call. Raises ArchiveError, also while a failure is not tried again yet.
        """
        if self._failed is not None:
            if real_s - self._failed[0] < AGAIN_S:
                raise self._failed[1]
            self._failed = None
        today = archive.day_of(now_ms)
        with self._store.readers.snapshot() as connection:
            done, until = values.number(connection, "archived_day"), values.number(connection, "archive_until")
        if done == today and not until:
            return
        try:
            is_done = self.run(now_ms, until, may_go_on, _log)
        except ArchiveError as error:
            self._failed = real_s, error
            raise
        if is_done:
            self._store.write(lambda connection: _note_done(connection, today, until, now_ms))

    def run(
        self, now_ms: int, until_ms: int, may_go_on: Callable[[], bool], tell: Callable[[Turn], None]
    ) -> bool:  # fmt: skip
        """Do everything that is due, telling of each step; say whether nothing is left. Raises ArchiveError."""
        while may_go_on():
            turn = self._archivist.run(now_ms, until_ms)
            if turn is None:
                return True
            tell(turn)
        return False

    def close(self) -> None:
        """End a child that works, at once: what it began is begun again."""
        self._child.close()


def ask(connection: sqlite3.Connection, until_ms: int) -> None:
    """Have the daemon seal now what is due, and all days that end by an instant."""
    values.set_number(connection, "archive_until", max(until_ms, 1))


def _note_done(connection: sqlite3.Connection, today: int, until: int, now_ms: int) -> None:
    values.set_number(connection, "archived_day", today)
    if values.number(connection, "archive_until") == until:
        values.set_number(connection, "archive_until", 0)
    health.note_well(connection, COMPONENT, now_ms)  # also what an earlier daemon noted


def _log(turn: Turn) -> None:
    if turn.work in (Work.SEALED, Work.SUPPLEMENTED, Work.RELEASED) and turn.day is not None:
        log.info("archive", work=str(turn.work), day=archive.day_text(turn.day), rows=turn.rows, bytes=turn.bytes)
