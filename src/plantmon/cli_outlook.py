"""This module is `plantmon outlook`: where the windows that run are heading."""

from __future__ import annotations

import typer

from plantmon.averages.rounding import DIGITS
from plantmon.cli_context import Context, Format, Style, fail, show
from plantmon.compliance.outlook_stage import OutlookStage
from plantmon.daemon import clock_of
from plantmon.permits import permit_of
from plantmon.reports.outlook import table_of
from plantmon.store import points
from plantmon.store.database import Readers

outlook_app = typer.Typer()

READABLE_DIGITS = 6  # in a terminal; programs get all


@outlook_app.command()
def outlook(context: typer.Context, style: Style = Format.TABLE) -> None:
    """Show where each running hour, day and period is heading, and what its rest may have; the worst first."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    if not settings.store.path.exists():
        fail(here.say("no_store", path=settings.store.path))
    readers = Readers(settings.store.path)
    with readers.snapshot() as connection:
        permit, numbers = permit_of(connection, plant), points.numbers(connection)
    found = OutlookStage(plant, permit, numbers, readers).run(clock_of(settings, plant).now())
    digits = READABLE_DIGITS if style is Format.TABLE else DIGITS
    show(here, *table_of(found, plant.time, digits), style, "nothing_runs")
