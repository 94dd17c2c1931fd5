"""This module is `plantmon register` and `plantmon faults`: exceedances with their causes, monitors out of order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from plantmon.cli_context import ASK_S, Context, Format, From, Style, To, ask, fail, reading, span
from plantmon.daemon import clock_of
from plantmon.permits import permit_of
from plantmon.reports.document import Part, Scope
from plantmon.reports.forms import part_as
from plantmon.reports.parts.outages import outages
from plantmon.reports.parts.register import register, withdrawn
from plantmon.store import points
from plantmon.texts import text

register_app = typer.Typer(help="The register of exceedances: list, note.")
faults_app = typer.Typer(help="Monitors out of order, under the fault clock: list, report.")

DEFAULT_DAYS = 30
By = Annotated[str, typer.Option("--by", help="Who says so.")]
Withdrawn = Annotated[bool, typer.Option("--withdrawn", help="Those taken back, with what is said instead.")]


@register_app.callback(invoke_without_command=True)
def register_main(
    context: typer.Context,
    start: From = None,
    end: To = None,
    taken_back: Withdrawn = False,
    style: Style = Format.TABLE,
) -> None:
    """List the exceedances when nothing else is asked."""
    if context.invoked_subcommand is None:
        register_list(context, start, end, taken_back, style)


@register_app.command("list")
def register_list(
    context: typer.Context,
    start: From = None,
    end: To = None,
    taken_back: Withdrawn = False,
    style: Style = Format.TABLE,
) -> None:
    """List the exceedances that overlap a time, whole; without --from and --to, the last 30 days."""
    _print(context, withdrawn if taken_back else register, start, end, style)


@register_app.command("note")
def register_note(
    context: typer.Context,
    limit: Annotated[str, typer.Argument(help="The limit's key, or a part of it that no other exceeded one has.")],
    at: Annotated[str, typer.Option("--at", help="Any instant of the exceedance, ISO date-time in plant time.")],
    cause: Annotated[str, typer.Option("--cause", help="Why it happened.")],
    action: Annotated[str, typer.Option("--action", help="What was done.")],
    by: By,
) -> None:
    """Write cause and action to an exceeding window; a later note stands before earlier ones, which stay readable."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    body = {"limit": limit, "at": _moment(here, plant.time.parse, at), "cause": cause, "action": action,
            "language": here.language}  # fmt: skip
    answer = ask(here, settings, plant, "note", body, ASK_S, by)
    typer.echo(text("register.noted", here.language, **answer))


@faults_app.callback(invoke_without_command=True)
def faults_main(context: typer.Context, start: From = None, end: To = None, style: Style = Format.TABLE) -> None:
    """List the outages when nothing else is asked."""
    if context.invoked_subcommand is None:
        faults_list(context, start, end, style)


@faults_app.command("list")
def faults_list(context: typer.Context, start: From = None, end: To = None, style: Style = Format.TABLE) -> None:
    """List the outages that overlap a time, with their deadlines; without --from and --to, the last 30 days."""
    _print(context, outages, start, end, style)


@faults_app.command("report")
def faults_report(
    context: typer.Context,
    point: Annotated[str, typer.Argument(help="Point id, such as DA001.nox.")],
    at: Annotated[str, typer.Option("--at", help="When the authority was told, ISO date-time in plant time.")],
    by: By,
    note: Annotated[str, typer.Option("--note", help="To whom, and what was said.")],
) -> None:
    """Note that the authority was told of the newest outage of a point that had begun by then."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    body = {"point": point, "at": _moment(here, plant.time.parse, at), "note": note, "language": here.language}
    answer = ask(here, settings, plant, "fault_report", body, ASK_S, by)
    typer.echo(text("register.reported", here.language, **answer))


def _print(
    context: typer.Context, make: Callable[[Scope], Part], start: str | None, end: str | None, style: Format
) -> None:
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    now_ms = clock_of(settings, plant).now()
    start_ms, end_ms = span(here, plant, start, end, now_ms, DEFAULT_DAYS)
    with reading(here, settings) as connection:
        permit, numbers = permit_of(connection, plant), points.numbers(connection)
        scope = Scope(connection, plant, permit, numbers, start_ms, end_ms, now_ms, here.language)
        part = make(scope)
    typer.echo(part_as(part, scope, style))


def _moment(here: Context, parse: Callable[[str], int], given: str) -> int:
    try:
        return parse(given)
    except (ValueError, OverflowError):
        fail(text("register.bad_moment", here.language, field="--at", given=given))
