"""This module is what all commands share: settings, plant file and language, printing rows, asking the daemon.

Reading commands open the store read-only. Changing ones take the lock and do the work themselves when no daemon runs,
and go through the inbox when one does.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from plantmon.daemon import clock_of
from plantmon.errors import AlreadyRunning
from plantmon.model.plant import Plant
from plantmon.pipeline import Pipeline
from plantmon.plant.load import load_plant
from plantmon.reports.tabular import Cell, render
from plantmon.requests import Requests
from plantmon.settings import Settings, load_settings
from plantmon.store import inbox
from plantmon.store.database import Lock, Readers, Store
from plantmon.texts import text
from plantmon.times import DAY_MS

ASK_S = 30.0  # how long a command waits for a running daemon


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


From = Annotated[str | None, typer.Option("--from", help="Start, ISO date or date-time in plant time.")]
To = Annotated[str | None, typer.Option("--to", help="End, not included.")]
Style = Annotated[Format, typer.Option("--format", help="How to write the rows.")]


class Context:
    """What a command knows: settings and plant file, loaded when first needed, and the language to speak."""

    def __init__(self, config: Path | None, language: str) -> None:
        self.config = config
        self.language = language

    @property
    def settings(self) -> Settings:
        """The service settings."""
        return load_settings(self.config)

    def plant(self, settings: Settings) -> Plant:
        """Load the plant file the settings name."""
        return load_plant(settings.plant.file, self.language)

    def say(self, key: str, **values: object) -> str:
        """Give a sentence of the command line."""
        return text(f"cli.{key}", self.language, **values)


def show(here: Context, headings: list[str], rows: list[list[Cell]], style: Format, nothing: str) -> None:
    """Print rows; an empty table says so in words (`nothing`), while CSV and JSON stay what a program expects."""
    if not rows and style is Format.TABLE:
        typer.echo(here.say(nothing))
    else:
        typer.echo(render(headings, rows, style))


def reading(here: Context, settings: Settings) -> Any:
    """Open the store read-only."""
    if not settings.store.path.exists():
        fail(here.say("no_store", path=settings.store.path))
    return Readers(settings.store.path).snapshot()


def span(
    here: Context, plant: Plant, start: str | None, end: str | None, newest_ms: int, days: int = 1
) -> tuple[int, int]:
    """Read --from and --to; without them so many days up to the newest reading."""

    def moment(given: str | None, default: int) -> int:
        if given is None:
            return default
        try:
            return plant.time.parse(given)
        except (ValueError, OverflowError):
            fail(here.say("bad_moment", given=given))

    end_ms = moment(end, newest_ms + 1)
    start_ms = moment(start, end_ms - days * DAY_MS)
    if start_ms > end_ms:
        fail(here.say("backwards"))
    return start_ms, end_ms


def ask(
    here: Context, settings: Settings, plant: Plant, kind: str, body: dict[str, Any], wait_s: float,
    by: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Have a request done by the daemon, or do it here when none runs."""
    if not settings.store.path.exists():
        fail(here.say("no_store", path=settings.store.path))
    lock = Lock(settings.store.path)
    who = by or getpass.getuser()
    try:
        lock.take()
    except AlreadyRunning:
        done, answer = inbox.ask(inbox.path_beside(settings.store.path), kind, body, who, wait_s)
    else:
        try:
            done, answer = _do_here(settings, plant, lambda requests: requests.handle(kind, body, who))
        finally:
            lock.release()
    if not done:
        fail(str(answer.get("error")))
    return answer


def begin_store(settings: Settings) -> None:
    """Begin the store where there is none yet: what is taken in may come before the daemon's first run."""
    if settings.store.path.exists():
        return
    lock = Lock(settings.store.path)
    try:
        lock.take()
    except AlreadyRunning:
        return  # the daemon is about to begin it
    Store(settings.store.path).close()
    lock.release()


def _do_here(
    settings: Settings, plant: Plant, act: Callable[[Requests], tuple[bool, dict[str, Any]]]
) -> tuple[bool, dict[str, Any]]:
    clock = clock_of(settings, plant)
    store = Store(settings.store.path)
    try:
        pipeline = Pipeline(plant, store, clock.now(), settings.smtp.sender.rpartition("@")[2])
        return act(Requests(pipeline, clock.now))
    finally:
        store.close()


def fail(message: str) -> NoReturn:
    """End the command with a message and exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
