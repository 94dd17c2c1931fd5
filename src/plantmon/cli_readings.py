"""This module is `plantmon export` and `plantmon import`: readings out of the store, and files of readings into it."""

from __future__ import annotations

import difflib
import getpass
from pathlib import Path
from typing import Annotated

import typer

from plantmon.cli_context import Context, Format, From, Style, To, ask, begin_store, fail, reading, show, span
from plantmon.cli_progress import Bar, Progress, of_import, read_share
from plantmon.daemon import clock_of
from plantmon.errors import ArchiveError, TableError
from plantmon.exporting import Form, Wanted, bytes_needed, export
from plantmon.importing import intake, read
from plantmon.importing.read import Manner, Read
from plantmon.importing.staging import Staged
from plantmon.importing.take import compare, numbers_of, refusal
from plantmon.model.plant import Plant
from plantmon.reports.tabular import Cell
from plantmon.settings import Settings
from plantmon.store import imports, points
from plantmon.store.database import Readers
from plantmon.texts import text

IMPORT_S = 7 * 86_400.0  # how long one waits for many years
MOST_SKIPPED = 50  # named
STORED_BYTES = 80  # a reading takes in the store, with its windows

readings_app = typer.Typer()


def _say(here: Context, key: str, **values: object) -> str:
    return text(f"import.{key}", here.language, **values)


@readings_app.command("export")
def export_command(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "--output", help="The file to write.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="[POINT]...", help="Points; without any, all.")] = None,
    start: From = None,
    end: To = None,
    style: Annotated[Form, typer.Option("--format", help="Parquet or CSV.")] = Form.PARQUET,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write the readings of a span to a file, from the store and its archive as one; without --from, the last day."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    if out.exists() and not force:
        fail(_say(here, "file_there", file=out))
    now_ms = clock_of(settings, plant).now()
    with reading(here, settings) as connection:
        lives = points.lives(connection)
        chosen = None if not names else {_life_of(here, lives, name).id for name in names}
        newest = max((life.spoken_ms for life in lives.values() if life.spoken_ms is not None), default=now_ms)
        start_ms, end_ms = span(here, plant, start, end, newest)
        wanted = Wanted(start_ms, end_ms, chosen)
        needed = bytes_needed(connection, plant, wanted, style, now_ms)
    _check_room(here, out.absolute().parent, needed)
    readers = Readers(settings.store.path)
    try:
        with Bar() as bar:
            count = export(
                readers, plant, wanted, style, out,
                lambda at_ms: bar.tell((at_ms - start_ms) / max(1, end_ms - start_ms), plant.time.show(at_ms)[:10]),
            )  # fmt: skip
    except ArchiveError as error:
        fail(_say(here, "not_exported", reason=error))
    finally:
        readers.close()
    span_words = {"start": plant.time.show(start_ms), "end": plant.time.show(end_ms)}
    size = f"{out.stat().st_size:,}"
    typer.echo(_say(here, "exported", file=out, count=f"{count:,}", bytes=size, **span_words), err=True)


def _life_of(here: Context, lives: dict[str, points.PointLife], name: str) -> points.PointLife:
    life = lives.get(name)
    if life is None:
        near = difflib.get_close_matches(name, lives, 1)
        fail(here.say("unknown_point", point=name, hint=here.say("did_you_mean", nearest=near[0]) if near else ""))
    return life


def _check_room(here: Context, folder: Path, needed: int) -> None:
    """Refuse to begin what the disk cannot hold."""
    try:
        words = intake.no_room_words(folder, needed + intake.SPARE_BYTES, here.language)
    except OSError as error:
        fail(_say(here, "no_folder", folder=folder, reason=error.strerror or error))
    if words is not None:
        fail(words)


@readings_app.command("import")
def import_command(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, Parquet, or a log of HJ 212 frames.")],
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would become of it; store nothing.")] = False,
    skips: Annotated[
        bool, typer.Option("--skip-unknown", help="Pass over points and columns that are not in the plant file.")
    ] = False,
    keeps: Annotated[
        bool, typer.Option("--keep-arrival", help="Keep the arrivals of an export, instead of the time of the import.")
    ] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who takes it in, else who is logged in.")] = None,
) -> None:
    """Take files of readings in, each whole or not at all; what stands already is passed over."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    begin_store(settings)
    refused = 0
    for file in files:
        found = _read(here, settings, plant, file, Manner(keeps, skips))
        if found is None or found.staged is None:
            refused += 1
        elif dry:
            refused += not _compare(here, settings, plant, found.staged)
        else:
            _store(here, settings, plant, found.staged, by or getpass.getuser())
    if refused:
        raise typer.Exit(1)


def _read(here: Context, settings: Settings, plant: Plant, file: Path, manner: Manner) -> Read | None:
    """Read and check a file; say what is wrong with it, and what is passed over."""
    folder = settings.store.path.absolute().parent
    now_ms = clock_of(settings, plant).now()
    try:
        _check_room(here, folder, read.bytes_needed(file))
        with Bar() as bar:
            found = read.stage(
                file, plant, settings.store.path, now_ms, manner, lambda share: bar.tell(read_share(share), file.name)
            )
    except intake.NoRoom:
        typer.echo(intake.no_room_words(folder, 1 << 62, here.language), err=True)
        return None
    except TableError as error:
        typer.echo(_say(here, "unreadable", file=file, reason=error), err=True)
        return None
    for name, count in found.skipped.most_common(MOST_SKIPPED):
        typer.echo(_say(here, "skipped", file=file.name, point=name, count=f"{count:,}"), err=True)
    if found.staged is None:
        lines = [*found.problems.words(file.name, here.language),
                 _say(here, "refused", file=file.name, wrong=found.problems.count)]  # fmt: skip
        typer.echo("\n".join(lines), err=True)
    return found


def _compare(here: Context, settings: Settings, plant: Plant, folder: Path) -> bool:
    """Say what would become of a staged file; say whether it would be taken."""
    staged = Staged(folder)
    readers = Readers(settings.store.path)
    try:
        with readers.snapshot() as connection:
            numbers = points.numbers(connection)
        total = max(1, staged.head.rows)
        with Bar() as bar:
            found = compare(
                readers, staged, numbers_of(staged, numbers),
                lambda count: bar.tell(read_share(1.0) + 0.7 * count / total, staged.head.file),
            )  # fmt: skip
    except ArchiveError as error:
        fail(str(error))
    finally:
        readers.close()
        staged.discard()
    if found.conflicts.count:
        typer.echo(refusal(staged, found, plant, here.language), err=True)
        return False
    head = staged.head
    fresh = head.rows + head.reported - found.known
    typer.echo(_say(here, "dry", fresh=f"{fresh:,}", **_counts(plant, staged, found.known)))
    return True


def _store(here: Context, settings: Settings, plant: Plant, folder: Path, by: str) -> None:
    staged = Staged(folder)
    _check_room(here, folder.parent, staged.head.rows * STORED_BYTES)
    body = {"staged": folder.name, "language": here.language}
    with Progress(settings, of_import(staged.head.file, folder.name)):
        try:
            answer = ask(here, settings, plant, "import", body, IMPORT_S, by)
        except typer.Exit:
            staged.discard()
            raise
    staged.discard()
    said = _counts(plant, staged, answer["known"])
    typer.echo(_say(here, "stored", fresh=f"{answer['fresh']:,}", id=answer["id"], **said))
    if answer["conflicts"]:
        typer.echo(_say(here, "conflicts_meanwhile", count=answer["conflicts"]), err=True)


def _counts(plant: Plant, staged: Staged, known: int) -> dict[str, str]:
    head = staged.head
    first, last = (plant.time.show(at) if at is not None else "-" for at in (head.first_ms, head.last_ms))
    return {"file": head.file, "total": f"{head.rows + head.reported:,}", "known": f"{known:,}",
            "repeats": f"{head.repeats:,}", "first": first, "last": last}  # fmt: skip


@readings_app.command("imports")
def imports_command(context: typer.Context, style: Style = Format.TABLE) -> None:
    """List the files of readings that were taken in, and those that are being taken in."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        courses = sorted([*imports.ended(connection), *imports.open_ones(connection)], key=lambda one: one.id)
    headings = ["id", "file", "by", "at", "first", "last", "readings", "new", "conflicts", "done", "sha256"]
    rows: list[list[Cell]] = [
        [one.id, one.file, one.asked_by, plant.time.show(one.begun_ms),
         plant.time.show(one.first_ms) if one.first_ms is not None else None,
         plant.time.show(one.last_ms) if one.last_ms is not None else None,
         one.total, one.fresh, one.conflicts,
         plant.time.show(one.ended_ms) if one.ended_ms is not None else f"{one.done / max(1, one.total):.0%}",
         one.sha256]
        for one in courses
    ]  # fmt: skip
    show(here, headings, rows, style, "no_imports")
