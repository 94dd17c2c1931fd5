"""This module is the writer thread: the one place that changes the store, batch by batch and job by job.

Batches of messages and jobs of the stages take turns, so that neither a flood of readings nor a long recompute
stops the other. A full disk stops nothing for good: the batch stays, unacknowledged, and is tried again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog

from plantmon.store import database

log = structlog.get_logger()

T = TypeVar("T")

IDLE_S = 0.25


class Writer:
    """Owns the writing connection. `pump` writes waiting messages and says whether there were any."""

    def __init__(self, path: Path, arrived: threading.Event) -> None:
        self._path = path
        self._arrived = arrived
        self._connection = database.open_writer(path)
        self._jobs: deque[tuple[Callable[[sqlite3.Connection], Any], Future[Any]]] = deque()
        self._pump: Callable[[sqlite3.Connection], bool] | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.turned_s = time.monotonic()  # when it last came round; the watchdog looks at it
        self.failure: BaseException | None = None  # what ended the thread; the daemon stops loudly on it

    def start(self, pump: Callable[[sqlite3.Connection], bool]) -> None:
        """Begin to write."""
        self._pump = pump
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def run(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run a change in one transaction on the writer's thread and wait for it. Raises what the change raises."""
        if self.failure is not None:
            raise self.failure
        future: Future[T] = Future()
        self._jobs.append((change, future))
        self._arrived.set()
        return future.result()

    def stop(self, timeout_s: float) -> bool:
        """Write what is waiting and end; say whether that was done in time."""
        self._stopping = True
        self._arrived.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._turn()
        except BaseException as error:
            log.exception("writer_ended")
            self.failure = error
            while self._jobs:
                self._jobs.popleft()[1].set_exception(error)

    def _turn(self) -> None:
        assert self._pump is not None
        while True:
            self.turned_s = time.monotonic()
            busy = self._pump(self._connection)
            busy = self._one_job() or busy
            if busy:
                self._checkpoint()
            elif self._stopping:
                break
            else:
                self._arrived.wait(IDLE_S)
        with suppress(sqlite3.Error):  # the WAL is durable as it stands
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def _checkpoint(self) -> None:
        try:
            database.checkpoint(self._connection, self._path)
        except sqlite3.Error as error:
            log.warning("checkpoint_failed", error=str(error))

    def _one_job(self) -> bool:
        if not self._jobs:
            return False
        change, future = self._jobs.popleft()
        try:
            with database.transaction(self._connection) as connection:
                answer = change(connection)
        except BaseException as error:  # handed to whoever asked
            future.set_exception(error)
        else:
            future.set_result(answer)
        return True
