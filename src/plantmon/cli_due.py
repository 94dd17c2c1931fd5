"""This module is `plantmon due` and `plantmon reported`: what is to be done by when, and reports handed in."""

from __future__ import annotations

from typing import Annotated

import typer

from plantmon import deadlines
from plantmon.alarms.due import Deadline
from plantmon.cli_context import ASK_S, Context, Format, Style, ask, fail, reading, show
from plantmon.daemon import clock_of
from plantmon.permits import permit_of
from plantmon.reports.period import parse_period
from plantmon.reports.tabular import Cell
from plantmon.store import points
from plantmon.texts import text
from plantmon.times import PlantTime

due_app = typer.Typer()
HEADINGS = ("what", "of", "since", "warned from", "due by", "state")


@due_app.command()
def due(context: typer.Context, style: Style = Format.TABLE) -> None:
    """Show every deadline that runs or has passed: faults, calibrations, execution reports."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    now_ms = clock_of(settings, plant).now()
    with reading(here, settings) as connection:
        found = deadlines.read(connection, plant, permit_of(connection, plant), points.numbers(connection), now_ms)
    rows = [_row(one, plant.time, now_ms, here.language) for one in found]
    show(here, list(HEADINGS), rows, style, "nothing_due")


@due_app.command()
def reported(
    context: typer.Context,
    period: Annotated[str, typer.Argument(help="The report's period: 2026-03, 2026-Q1 or 2026.")],
    at: Annotated[str, typer.Option("--at", help="When it was handed in, ISO date-time in plant time.")],
    by: Annotated[str, typer.Option("--by", help="Who says so.")],
    note: Annotated[str | None, typer.Option("--note", help="How, and what was answered.")] = None,
) -> None:
    """Note that the execution report of a period was handed in; nobody is reminded of it any more."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    try:
        chosen = parse_period(period)
    except ValueError:
        fail(here.say("bad_period", given=period))
    try:
        at_ms = plant.time.parse(at)
    except (ValueError, OverflowError):
        fail(here.say("bad_moment", given=at))
    body = {"period": chosen.name, "end": chosen.span(plant.time)[1], "at": at_ms, "note": note,
            "language": here.language}  # fmt: skip
    answer = ask(here, settings, plant, "handed_in", body, ASK_S, by)
    typer.echo(text("due.handed_in", here.language, **answer))


def _row(one: Deadline, time: PlantTime, now_ms: int, language: str) -> list[Cell]:
    state = "overdue" if one.is_overdue(now_ms) else "warned" if now_ms >= one.warn_ms else "runs"
    return [
        text(f"due.{one.kind}", language), one.period or ", ".join(one.points),
        None if one.since_ms is None else time.show(one.since_ms), time.show(one.warn_ms), time.show(one.by_ms),
        text(f"due.{state}", language),
    ]  # fmt: skip
