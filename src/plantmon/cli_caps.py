"""This module is `plantmon caps`: what of each month's and year's permitted quantity is used, and how long it lasts."""

from __future__ import annotations

import typer

from plantmon.amounts.caps import read_caps
from plantmon.cli_context import Context, Format, Style, reading, show
from plantmon.daemon import clock_of
from plantmon.reports.caps import table_of
from plantmon.store import points

caps_app = typer.Typer()


@caps_app.command()
def caps(context: typer.Context, style: Style = Format.TABLE) -> None:
    """Show what of each cap is used, at what pace, when it is reached, and how much is measured."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        found = read_caps(connection, plant, points.numbers(connection), clock_of(settings, plant).now())
    show(here, *table_of(found, plant.time), style, "no_caps")
