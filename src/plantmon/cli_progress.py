"""This module shows on a terminal how far something long is, whoever does it."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import typer

from plantmon.cli_context import Context
from plantmon.errors import StoreUnavailable
from plantmon.model.plant import Plant
from plantmon.settings import Settings
from plantmon.store import imports, recomputing
from plantmon.store.database import Readers
from plantmon.store.recomputing import Course, Part

EVERY_S = 0.5
WIDTH = 30
_SHARES = {Part.WINDOWS: (0.0, 0.6), Part.AMOUNTS: (0.6, 0.15), Part.VERDICTS: (0.75, 0.25)}  # of the whole
_READ_SHARE, _CHECKED_SHARE = 0.3, 0.2  # of taking a file in; the rest is storing

Line = Callable[[sqlite3.Connection], str | None]


class Bar:
    """A bar that is told how far one is; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._shown_s = 0.0
        self._is_shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_shown:
            typer.echo("\r\x1b[K", err=True, nl=False)

    def tell(self, share: float, words: str) -> None:
        """Show a share of the whole, 0 to 1, and what is at hand; not too often."""
        if self._is_shown and time.monotonic() - self._shown_s >= EVERY_S:
            self._shown_s = time.monotonic()
            typer.echo(f"\r{drawn(share)}  {words}\x1b[K", err=True, nl=False)


class Progress:
    """A bar that follows the store in a thread of its own: whoever does it, the store says how far it is."""

    def __init__(self, settings: Settings, line: Line) -> None:
        self._path = settings.store.path
        self._line = line
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
            typer.echo("\r\x1b[K", err=True, nl=False)

    def _run(self) -> None:
        readers = Readers(self._path)
        while not self._ending.wait(EVERY_S):
            with suppress(StoreUnavailable), readers.snapshot() as connection:
                line = self._line(connection)
                if line is not None:
                    typer.echo(f"\r{line}\x1b[K", err=True, nl=False)
        readers.close()


def drawn(share: float) -> str:
    """Draw a share of the whole."""
    share = min(1.0, max(0.0, share))
    return f"{'█' * round(share * WIDTH):░<{WIDTH}} {share:4.0%}"


def of_recompute(here: Context, plant: Plant) -> Line:
    """Say how far computing a span again is."""

    def line(connection: sqlite3.Connection) -> str | None:
        course = recomputing.newest(connection)
        if course is None:
            return None
        what = here.say(f"recompute_{course.part}")
        return f"{drawn(done_share(course))}  {what} {plant.time.show(course.at_ms)[:10]}"

    return line


def of_import(words: str, staged: str) -> Line:
    """Say how far taking a staged file in is; `words` name the file."""

    def line(connection: sqlite3.Connection) -> str | None:
        course = next((one for one in imports.open_ones(connection) if one.staged == staged), None)
        if course is None or not course.total:
            return None
        share = _READ_SHARE + _CHECKED_SHARE * course.checked / course.total
        if course.done:
            done = _READ_SHARE + _CHECKED_SHARE
            share = done + (1 - done) * course.done / course.total
        return f"{drawn(share)}  {words}"

    return line


def read_share(share: float) -> float:
    """Give the share of taking a file in that reading a share of it is."""
    return _READ_SHARE * share


def done_share(course: Course) -> float:
    """Give how much of a span is done, 0 to 1: windows take most of the time, amounts are done in one go."""
    begun, share = _SHARES[course.part]
    length = max(1, course.end_ms - course.start_ms)
    return begun + share * min(1.0, max(0.0, (course.at_ms - course.start_ms) / length))
