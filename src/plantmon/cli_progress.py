"""This module shows on a terminal how far computing a span again is, whoever does it: the store says so."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

import typer

from plantmon.cli_context import Context
from plantmon.errors import StoreUnavailable
from plantmon.model.plant import Plant
from plantmon.settings import Settings
from plantmon.store import recomputing
from plantmon.store.database import Readers
from plantmon.store.recomputing import Course, Part

EVERY_S = 0.5
WIDTH = 30
_SHARES = {Part.WINDOWS: (0.0, 0.6), Part.AMOUNTS: (0.6, 0.15), Part.VERDICTS: (0.75, 0.25)}  # of the whole


class Progress:
    """A bar that follows the store in a thread of its own; nothing where standard error is no terminal."""

    def __init__(self, here: Context, settings: Settings, plant: Plant) -> None:
        self._here = here
        self._path = settings.store.path
        self._time = plant.time
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
                course = recomputing.newest(connection)
                if course is not None:
                    typer.echo(f"\r{self._line(course)}\x1b[K", err=True, nl=False)
        readers.close()

    def _line(self, course: Course) -> str:
        share = done_share(course)
        bar = ("█" * round(share * WIDTH)).ljust(WIDTH, "░")
        what = self._here.say(f"recompute_{course.part}")
        return f"{bar} {share:4.0%}  {what} {self._time.show(course.at_ms)[:10]}"


def done_share(course: Course) -> float:
    """Give how much of a span is done, 0 to 1: windows take most of the time, amounts are done in one go."""
    begun, share = _SHARES[course.part]
    length = max(1, course.end_ms - course.start_ms)
    return begun + share * min(1.0, max(0.0, (course.at_ms - course.start_ms) / length))
