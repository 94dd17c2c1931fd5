"""This module is what people declare from the command line: marks, corrected values, the calibration register."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from plantmon.cli_context import ASK_S, Context, Format, From, Style, To, ask, fail, reading
from plantmon.model.plant import Plant
from plantmon.reports import declarations as report
from plantmon.reports.tabular import Cell, render
from plantmon.store.declarations import ALWAYS, FOREVER
from plantmon.texts import text

declare_app = typer.Typer()
calibration_app = typer.Typer(no_args_is_help=True, help="The calibration register: add, list.")

At = Annotated[str, typer.Option("--at", help="ISO date-time in plant time.")]
By = Annotated[str, typer.Option("--by", help="Who declares it.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]
PointId = Annotated[str, typer.Argument(help="Point id, such as DA001.nox or E-MAIN.")]


@declare_app.command("mark")
def mark(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="Outlet or point, such as DA001 or DA001.nox.")],
    start: Annotated[str, typer.Option("--from", help="Start, ISO date or date-time in plant time.")],
    end: Annotated[str, typer.Option("--to", help="End, not included; may lie ahead.")],
    state: Annotated[str, typer.Option("--as", metavar="STATE", help="Such as maintenance, stopped, normal.")],
    by: By,
    reason: Why,
) -> None:
    """Declare what an outlet or point was doing over a time; normal takes its readings as they were flagged."""
    here: Context = context.obj
    plant = here.plant(here.settings)
    body = {"target": target, "start": _moment(here, plant, "--from", start), "end": _moment(here, plant, "--to", end),
            "state": state, "reason": reason}  # fmt: skip
    _declare(here, plant, "mark", body, by, "marked")


@declare_app.command("correct")
def correct(
    context: typer.Context,
    point: PointId,
    at: At,
    value: Annotated[str, typer.Option("--value", help="A number in the point's unit, or with its own unit.")],
    by: By,
    reason: Why,
) -> None:
    """Correct the value of one reading; what the device sent stays readable."""
    here: Context = context.obj
    plant = here.plant(here.settings)
    body = {"point": point, "at": _moment(here, plant, "--at", at), "value": value, "reason": reason}
    _declare(here, plant, "correct", body, by, "corrected")


@calibration_app.command("add")
def calibration_add(
    context: typer.Context,
    point: PointId,
    at: At,
    zero: Annotated[str, typer.Option("--zero", help="What the instrument showed of zero gas.")],
    span: Annotated[str, typer.Option("--span", help="What it showed of span gas.")],
    result: Annotated[str, typer.Option("--result", help="pass or fail.")],
    by: By,
    note: Annotated[str | None, typer.Option("--note", help="What was seen or done.")] = None,
) -> None:
    """Enter a calibration; a failed one puts the point out of control from the last passed to the next passed one."""
    here: Context = context.obj
    plant = here.plant(here.settings)
    body = {"point": point, "at": _moment(here, plant, "--at", at), "zero": zero, "span": span, "result": result,
            "note": note}  # fmt: skip
    _declare(here, plant, "calibrate", body, by, "calibrated")


@calibration_app.command("list")
def calibration_list(context: typer.Context, style: Style = Format.TABLE) -> None:
    """List the calibration register, with the time each failed one put its point out of control."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        headings, rows = report.calibrations(connection, plant)
    _show(here, headings, rows, style, "no_calibrations")


@declare_app.command("declarations")
def declarations_command(
    context: typer.Context, start: From = None, end: To = None, style: Style = Format.TABLE
) -> None:
    """List what was declared for a time, all of it without --from and --to: marks, corrections, calibrations."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    start_ms = ALWAYS if start is None else _moment(here, plant, "--from", start)
    end_ms = FOREVER if end is None else _moment(here, plant, "--to", end)
    with reading(here, settings) as connection:
        headings, rows = report.listing(connection, plant, start_ms, end_ms)
    _show(here, headings, rows, style, "nothing")


def _declare(here: Context, plant: Plant, kind: str, body: dict[str, Any], by: str, said: str) -> None:
    """Have a declaration kept, and say what it will compute again."""
    answer = ask(here, here.settings, plant, kind, body | {"language": here.language}, ASK_S, by)
    typer.echo(text(f"declare.{said}", here.language, **answer))


def _moment(here: Context, plant: Plant, field: str, given: str) -> int:
    try:
        return plant.time.parse(given)
    except (ValueError, OverflowError):
        fail(text("declare.bad_moment", here.language, field=field, given=given))


def _show(here: Context, headings: list[str], rows: list[list[Cell]], style: Format, nothing: str) -> None:
    is_empty = not rows and style is Format.TABLE
    typer.echo(text(f"declare.{nothing}", here.language) if is_empty else render(headings, rows, style))
