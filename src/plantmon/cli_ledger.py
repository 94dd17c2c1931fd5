"""This module is `plantmon ledger`: what no sensor knows, taken in from files or line by line, listed and corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from plantmon.cli_context import ASK_S, Context, Format, From, Style, To, ask, begin_store, fail, reading
from plantmon.daemon import clock_of
from plantmon.ledger.sheet import read_sheet
from plantmon.model.plant import Plant
from plantmon.reports import ledger as report
from plantmon.reports.tabular import render
from plantmon.settings import Settings
from plantmon.store.waste import waste_stock
from plantmon.texts import text

ledger_app = typer.Typer(no_args_is_help=True, help="The ledger: import, add, list, correct, withdraw, stock.")

By = Annotated[str, typer.Option("--by", help="Who enters it.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="The line's number, as `ledger list` shows it.")]


@ledger_app.command("import")
def import_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV or Excel (.xlsx): period, item, value, unit, source, note.")],
    by: By,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only look at it; nothing is kept.")] = False,
) -> None:
    """Take in a whole file, or refuse it with every wrong line named; lines that stand already are passed over."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    try:
        content = file.read_bytes()
    except OSError as error:
        fail(text("ledger.no_file", here.language, file=file, reason=error.strerror or error))
    sheet = read_sheet(file.name, content, here.language)
    rows = [{"line": line.number, "cells": line.cells, "extra": line.extra} for line in sheet.lines]
    body = {"file": file.name, "sha256": sheet.sha256, "rows": rows, "dry": dry}
    answer = _ask(here, settings, plant, "ledger_import", body, by)
    _tell(answer["notes"])
    typer.echo(_imported(file.name, answer, here.language, is_dry=dry))


@ledger_app.command("add")
def add_command(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="Such as diesel, waste.hazardous, lab.DA002.nmhc, bill.E-MAIN.")],
    period: Annotated[str, typer.Option("--period", help="2020-02-14, 2020-01, 2020-Q1 or 2020.")],
    value: Annotated[str, typer.Option("--value", help="A number; of a laboratory also <0.05.")],
    unit: Annotated[str, typer.Option("--unit", help="The item's unit, or one that converts to it.")],
    source: Annotated[str, typer.Option("--source", help="The document it comes from.")],
    by: By,
    note: Annotated[str, typer.Option("--note", help="What else is to be known.")] = "",
) -> None:
    """Enter one line."""
    here: Context = context.obj
    settings = here.settings
    cells = {"period": period, "item": item, "value": value, "unit": unit, "source": source, "note": note}
    answer = _ask(here, settings, here.plant(settings), "ledger_add", {"cells": cells}, by)
    _tell(answer.pop("notes"))
    typer.echo(text("ledger.added", here.language, **answer))


@ledger_app.command("correct")
def correct_command(
    context: typer.Context,
    number: Number,
    by: By,
    reason: Why,
    value: Annotated[str | None, typer.Option("--value", help="The right value.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Its unit, else that the line is listed with.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="The right period.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="The right document.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Another note.")] = None,
) -> None:
    """Put a right line in the place of a wrong one, which stays readable."""
    here: Context = context.obj
    settings = here.settings
    cells = {"period": period, "value": value, "unit": unit, "source": source, "note": note}
    body = {"id": number, "cells": cells, "reason": reason}
    answer = _ask(here, settings, here.plant(settings), "ledger_correct", body, by)
    _tell(answer.pop("notes"))
    typer.echo(text("ledger.corrected", here.language, **answer))


@ledger_app.command("withdraw")
def withdraw_command(context: typer.Context, number: Number, by: By, reason: Why) -> None:
    """Take a line back: it counts no more, and stays readable."""
    here: Context = context.obj
    settings = here.settings
    body = {"id": number, "reason": reason}
    answer = _ask(here, settings, here.plant(settings), "ledger_withdraw", body, by)
    typer.echo(text("ledger.withdrawn", here.language, **answer))


@ledger_app.command("list")
def list_command(
    context: typer.Context,
    start: From = None,
    end: To = None,
    item: Annotated[str | None, typer.Option("--item", help="One item, or a pattern such as 'lab.*'.")] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Also what was corrected or withdrawn.")] = False,
    style: Style = Format.TABLE,
) -> None:
    """List the lines that count and whose period overlaps a time; without --from and --to, all."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    start_ms, end_ms = _moment(here, plant, start), _moment(here, plant, end)
    with reading(here, settings) as connection:
        table = report.listing(connection, plant, start_ms, end_ms, item, is_all=is_all)
    is_empty = not table[1] and style is Format.TABLE
    typer.echo(text("ledger.nothing", here.language) if is_empty else render(*table, style))


@ledger_app.command("stock")
def stock_command(
    context: typer.Context,
    at: Annotated[str | None, typer.Option("--at", help="ISO date-time in plant time, else now.")] = None,
    style: Style = Format.TABLE,
) -> None:
    """Show the hazardous waste in store: put in, handed over by manifest, left, and for how many days."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    moment = _moment(here, plant, at)
    at_ms = clock_of(settings, plant).now() if moment is None else moment
    with reading(here, settings) as connection:
        found = waste_stock(connection, plant.time, at_ms)
    if found is None:
        fail(text("ledger.no_stock", here.language))
    headings, rows = report.stock(found, plant, here.language)
    if rows or style is not Format.TABLE:
        typer.echo(render(headings, rows, style))
    for words in report.stock_words(found, here.language):
        typer.echo(words, err=style is not Format.TABLE)


def _ask(here: Context, settings: Settings, plant: Plant, kind: str, body: dict[str, Any], by: str) -> dict[str, Any]:
    """Have it done; a ledger may be the first thing that a store is begun for."""
    begin_store(settings)
    return ask(here, settings, plant, kind, body | {"language": here.language}, ASK_S, by)


def _imported(file: str, answer: dict[str, Any], language: str, *, is_dry: bool) -> str:
    values = {"file": file, "new": answer["new"], "passed": answer["passed"]}
    if not answer["new"]:
        return text("ledger.nothing_new", language, file=file, passed=answer["passed"])
    if is_dry:
        return text("ledger.would_import", language, **values)
    entered = answer["entered"]
    return text("ledger.imported", language, **values, first=entered[0], last=entered[-1])


def _tell(notes: list[str]) -> None:
    """Say what must be known beside the result."""
    for words in notes:
        typer.echo(words, err=True)


def _moment(here: Context, plant: Plant, given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return plant.time.parse(given)
    except (ValueError, OverflowError):
        fail(here.say("bad_moment", given=given))
