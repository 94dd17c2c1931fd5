"""This module is `plantmon archive`: what is sealed, whether it is what was sealed, sealing now."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from plantmon import archiving
from plantmon.archive.stage import Turn, Work
from plantmon.archiving import Archiving
from plantmon.cli_context import ASK_S, Context, fail, reading
from plantmon.daemon import clock_of
from plantmon.errors import AlreadyRunning, ArchiveError
from plantmon.sealed import manifest
from plantmon.settings import Settings
from plantmon.store import archive, health, inbox
from plantmon.store.database import Lock, Store
from plantmon.texts import text
from plantmon.times import DAY_MS, to_ms

archive_app = typer.Typer(no_args_is_help=True, help="The archive: sealed days, their chain, sealing now.")
Folder = Annotated[Path | None, typer.Option(help="Check this folder by its MANIFEST, without a store.")]


def _say(here: Context, key: str, **values: object) -> str:
    return text(f"archive.{key}", here.language, **values)


@archive_app.command("status")
def archive_status(context: typer.Context) -> None:
    """Say what is sealed, how large it is, the chain's head, and what is wrong."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        folder, total, entries = archive.folder(connection), archive.totals(connection), archive.entries(connection)
        failing = [one for one in health.failing(connection) if one[0] == archiving.COMPONENT]
        open_day = archive.open_day(connection)
    lines = [_say(here, "folder", path=folder)]
    if entries:
        days = sorted({one.day for one in entries})
        last = entries[-1]
        lines += [
            _say(here, "sealed", days=total.days, first=days[0], last=days[-1], released=total.released),
            _say(here, "size", files=total.files, rows=f"{total.rows:,}", bytes=f"{total.bytes:,}",
                 each=f"{total.bytes / total.rows:.2f}"),
            _say(here, "newest", name=last.name, at=plant.time.show(last.sealed_ms)),
            _say(here, "head", seq=last.seq, chain=last.chain),
        ]  # fmt: skip
    else:
        lines.append(_say(here, "nothing"))
    lines += [_say(here, "open", day=archive.day_text(open_day))] if open_day is not None else []
    lines += [_say(here, "waiting", count=total.waiting)] if total.waiting else []
    lines += [_say(here, "failing", since=plant.time.show(since), why=why) for _, since, _, why in failing]
    typer.echo("\n".join(lines))


@archive_app.command("verify")
def archive_verify(context: typer.Context, folder: Folder = None) -> None:
    """Read every sealed file and compare its hash and the chain; name what is wrong."""
    here: Context = context.obj
    faults: list[tuple[str, str]] = []
    if folder is not None:
        entries = manifest.read(folder)
    else:
        with reading(here, here.settings) as connection:
            folder, entries = archive.folder(connection), archive.entries(connection)
        faults += _faults_of_copy(here, folder, entries)
    faults += manifest.faults_of_chain(entries)
    for place, entry in enumerate(entries):
        if sys.stderr.isatty():
            typer.echo(f"\r{place + 1}/{len(entries)} {entry.name}\x1b[K", err=True, nl=False)
        fault = manifest.fault_of_file(folder, entry)
        faults += [(entry.name, fault)] if fault is not None else []
    if sys.stderr.isatty() and entries:
        typer.echo("\r\x1b[K", err=True, nl=False)
    for name, fault in faults:
        typer.echo(f"{name}: {fault}")
    if faults:
        fail(_say(here, "wrong", count=len(faults)))
    head = entries[-1].chain if entries else manifest.BEGINNING
    typer.echo(_say(here, "right", files=len(entries), chain=head))


def _faults_of_copy(here: Context, folder: Path, entries: list[manifest.Entry]) -> list[tuple[str, str]]:
    """Say what is wrong with the MANIFEST beside the files."""
    if not entries:
        return []
    try:
        found = manifest.read(folder)
    except ArchiveError as error:
        return [(manifest.NAME, str(error))]
    return [] if found == entries else [(manifest.NAME, _say(here, "copy_differs"))]


@archive_app.command("seal")
def archive_seal(
    context: typer.Context,
    until: Annotated[
        str | None, typer.Option(help="Last day of UTC to seal, however young; without it, what is due.")
    ] = None,
) -> None:
    """Seal what is due now, and with --until every day up to that one which is over."""
    here: Context = context.obj
    settings = here.settings
    until_ms = 0 if until is None else _day(here, until) + DAY_MS
    if not settings.store.path.exists():
        fail(here.say("no_store", path=settings.store.path))
    lock = Lock(settings.store.path)
    try:
        lock.take()
    except AlreadyRunning:
        path = inbox.path_beside(settings.store.path)
        done, answer = inbox.ask(path, "archive_seal", {"until": until_ms}, "", ASK_S)
        if not done:
            fail(str(answer.get("error")))
        typer.echo(_say(here, "asked"))
        return
    try:
        _seal_here(here, settings, until_ms)
    finally:
        lock.release()


def _seal_here(here: Context, settings: Settings, until_ms: int) -> None:
    """Seal in this process, a line a file."""
    store = Store(settings.store.path)
    count = 0

    def tell(turn: Turn) -> None:
        nonlocal count
        if turn.work in (Work.SEALED, Work.SUPPLEMENTED) and turn.day is not None:
            count += 1
            each = f"{turn.bytes / turn.rows:.2f}" if turn.rows else "-"
            day = archive.day_text(turn.day)
            key = "made" if turn.work is Work.SEALED else "supplemented"
            typer.echo(_say(here, key, day=day, rows=f"{turn.rows:,}", bytes=f"{turn.bytes:,}", each=each))

    try:
        keeper = Archiving(settings, store)
        now_ms = clock_of(settings, here.plant(settings)).now()
        keeper.run(now_ms, until_ms, lambda: True, tell)
    finally:
        store.close()
    typer.echo(_say(here, "done", count=count))


def _day(here: Context, given: str) -> int:
    try:
        day = datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        fail(_say(here, "bad_day", given=given))
    return to_ms(day)
