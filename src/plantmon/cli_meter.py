"""This module is what people ask of meters from the command line: declared changes, tree, tariff, shifts, demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from plantmon.cli_context import ASK_S, Context, Format, From, Style, To, ask, fail, reading, span
from plantmon.daemon import clock_of
from plantmon.model.plant import ClockSpan, Plant
from plantmon.reports import meter_clock, meters
from plantmon.reports.tabular import Cell, render
from plantmon.store import points
from plantmon.texts import text

meter_app = typer.Typer(no_args_is_help=True, help="Declared changes of meters: change, withdraw, list.")
meters_app = typer.Typer(invoke_without_command=True, help="What meters counted: the tree; by tariff, shift; demand.")

DAYS = 31  # without --from
ELECTRICITY = "electricity"

By = Annotated[str, typer.Option("--by", help="Who declares it.")]
Note = Annotated[str | None, typer.Option("--note", help="What was seen or done.")]
MeterIds = Annotated[list[str] | None, typer.Argument(help="Meters; without any, those it makes sense of.")]


class Window(StrEnum):
    """What the tree is cut into."""

    DAY = "1d"
    MONTH = "1mo"


Cut = Annotated[Window | None, typer.Option("--window", help="A row for each of these instead of one for the time.")]


@meter_app.command("change")
def change(
    context: typer.Context,
    meter: Annotated[str, typer.Argument(help="Meter id, such as W-NORTH.")],
    at: Annotated[str, typer.Option("--at", help="When it was changed, ISO date-time in plant time.")],
    final: Annotated[str, typer.Option("--final", help="What the old register showed last, before its ratio.")],
    initial: Annotated[str, typer.Option("--initial", help="What the new register showed first.")],
    serial: Annotated[str, typer.Option("--serial", help="Serial number of the new meter.")],
    by: By,
    note: Note = None,
) -> None:
    """Declare that a meter was changed; it beats what the readings look like."""
    here: Context = context.obj
    plant = here.plant(here.settings)
    try:
        at_ms = plant.time.parse(at)
    except (ValueError, OverflowError):
        fail(text("declare.bad_moment", here.language, field="--at", given=at))
    body = {"meter": meter, "at": at_ms, "final": final, "initial": initial, "serial": serial, "note": note}
    _declare(here, plant, "meter_change", body, by, "changed")


@meter_app.command("withdraw")
def withdraw(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="CHANGE", help="Number of the declared change.")],
    by: By,
    note: Note = None,
) -> None:
    """Take a declared change back; both entries stay readable."""
    here: Context = context.obj
    plant = here.plant(here.settings)
    _declare(here, plant, "meter_withdraw", {"change": number, "note": note}, by, "withdrawn")


@meter_app.command("list")
def list_changes(context: typer.Context, style: Style = Format.TABLE) -> None:
    """List the declared changes, with the serial number of the meter that counted from each on."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        found = meters.changes(connection, plant, points.numbers(connection), style, here.language)
    _show(here, *found, style, "no_changes")


@meters_app.callback()
def tree(
    context: typer.Context, start: From = None, end: To = None, window: Cut = None, style: Style = Format.TABLE
) -> None:
    """Show what each meter counted, what those below it explain, and how it agrees with the bill."""
    if context.invoked_subcommand is not None:
        return
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    asked = _span(here, plant, start, end)
    with reading(here, settings) as connection:
        spans = meters.spans_of(plant, *asked, window)
        found = meters.table_of(connection, plant, points.numbers(connection), spans, style, here.language)
    _show(here, *found, style, "no_meters")


@meters_app.command("tariff")
def tariff(
    context: typer.Context,
    names: MeterIds = None,
    start: From = None,
    end: To = None,
    window: Cut = None,
    style: Style = Format.TABLE,
) -> None:
    """Show what meters counted in peak, flat and valley time of the tariff; electricity unless meters are named."""
    here: Context = context.obj
    plant = here.plant(here.settings)
    if plant.tariff is None:
        fail(text("meters.no_tariff", here.language))
    named = {meter_clock.PEAK: plant.tariff.peak, meter_clock.VALLEY: plant.tariff.valley}
    _by_clock(
        here, plant, _chosen(here, plant, names, ELECTRICITY), (start, end, window), named, meter_clock.FLAT, style
    )


@meters_app.command("shifts")
def shifts(
    context: typer.Context,
    names: MeterIds = None,
    start: From = None,
    end: To = None,
    window: Cut = None,
    style: Style = Format.TABLE,
) -> None:
    """Show what meters counted in each shift; all meters unless some are named."""
    here: Context = context.obj
    plant = here.plant(here.settings)
    if not plant.shifts:
        fail(text("meters.no_shifts", here.language))
    named = {name: (clock,) for name, clock in plant.shifts.items()}
    _by_clock(here, plant, _chosen(here, plant, names, None), (start, end, window), named, meter_clock.REST, style)


@meters_app.command("demand")
def demand(
    context: typer.Context, names: MeterIds = None, start: From = None, end: To = None, style: Style = Format.TABLE
) -> None:
    """Show the highest quarter-hour mean of each month; electricity unless meters are named."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    chosen = _chosen(here, plant, names, ELECTRICITY)
    asked = _span(here, plant, start, end)
    with reading(here, settings) as connection:
        numbers = points.numbers(connection)
        spans = meters.spans_of(plant, *asked, None)
        rows: list[list[Cell]] = []
        headings: list[str] = []
        for whole in spans:
            headings, rows = meter_clock.demand_table(connection, plant, numbers, chosen, whole, style, here.language)
    _show(here, headings, rows, style, "no_meters")


def _by_clock(
    here: Context, plant: Plant, names: Sequence[str], asked: tuple[str | None, str | None, Window | None],
    named: Mapping[str, Sequence[ClockSpan]], rest: str, style: Format,
) -> None:  # fmt: skip
    start, end, window = asked
    spans = meters.spans_of(plant, *_span(here, plant, start, end), window)
    with reading(here, here.settings) as connection:
        found = meter_clock.clock_table(
            connection, plant, points.numbers(connection), names, spans, named, rest, style, here.language
        )
    _show(here, *found, style, "no_meters")


def _chosen(here: Context, plant: Plant, names: list[str] | None, quantity: str | None) -> list[str]:
    """Give the meters named, or all of a quantity."""
    known = meters.meters_of(plant)
    for name in names or ():
        if name not in known:
            fail(text("meters.unknown_meter", here.language, given=name, known=", ".join(known)))
    return names or [name for name, point in known.items() if quantity in (None, point.quantity)]


def _span(here: Context, plant: Plant, start: str | None, end: str | None) -> tuple[int, int]:
    """Read --from and --to; without them the last month of days up to now."""
    start_ms, end_ms = span(here, plant, start, end, clock_of(here.settings, plant).now(), DAYS)
    return plant.time.day_start(start_ms) if start is None else start_ms, end_ms


def _declare(here: Context, plant: Plant, kind: str, body: dict[str, Any], by: str, said: str) -> None:
    answer = ask(here, here.settings, plant, kind, body | {"language": here.language}, ASK_S, by)
    typer.echo(text(f"meters.{said}", here.language, **answer))


def _show(here: Context, headings: list[str], rows: list[list[Cell]], style: Format, nothing: str) -> None:
    is_empty = not rows and style is Format.TABLE
    typer.echo(text(f"meters.{nothing}", here.language) if is_empty else render(headings, rows, style))
