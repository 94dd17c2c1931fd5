"""This module is `plantmon permit`: which version of the plant file judges which time, and how that is put right."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from plantmon.cli_context import Context, Format, Style, ask, fail, reading
from plantmon.daemon import clock_of
from plantmon.permits import LATEST
from plantmon.reports.permit import history, lines
from plantmon.reports.tabular import render
from plantmon.store.permit import versions
from plantmon.texts import text

permit_app = typer.Typer(no_args_is_help=True, help="The permit: versions of the plant file, and which judges when.")

ADOPT_S = 3600.0  # years of a large plant may have to be judged again
_JOINT = {Format.TABLE: "\n"}


@permit_app.command("history")
def permit_history(context: typer.Context, style: Style = Format.TABLE) -> None:
    """List the versions of the plant file: when each is in force, and what it changed."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    joint = _JOINT.get(style, "; ")
    with reading(here, settings) as connection:
        headings, rows = history(connection, plant.time, clock_of(settings, plant).now(), here.language, joint)
        known = versions(connection)
    if style is Format.TABLE:
        rows = lines(rows, joint)
    is_empty = not rows and style is Format.TABLE
    typer.echo(text("permit.no_versions", here.language) if is_empty else render(headings, rows, style))
    if known and known[-1].hash != plant.version:
        typer.echo(text("permit.file_is_newer", here.language), err=True)


@permit_app.command("adopt")
def permit_adopt(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="A version's number, or latest.")],
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="The local day it is in force from.")],
    reason: Annotated[str, typer.Option(help="Why, such as a typing mistake put right.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
) -> None:
    """Put a version of the plant file in force from a day, and judge what that touches again."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    if version != LATEST and not version.isdecimal():
        fail(text("permit.bad_version", here.language, given=version))
    if not reason.strip() or not by.strip():
        fail(text("permit.no_reason", here.language))
    try:
        day = date.fromisoformat(start)
    except ValueError:
        fail(text("permit.bad_day", here.language, given=start))
    body = {
        "version": version if version == LATEST else int(version), "from": plant.time.midnight(day),
        "reason": reason.strip(), "hash": plant.version, "language": here.language,
    }  # fmt: skip
    answer = ask(here, settings, plant, "adopt", body, ADOPT_S, by.strip())
    said = {"version": answer["version"], "day": day, "verdicts": answer["verdicts_changed"]}
    typer.echo(text("permit.adopted", here.language, **said))
