"""This module is `plantmon digest`: one edition of the digest, printed and not sent."""

from __future__ import annotations

from datetime import date, time, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from msgspec import structs

from plantmon.cli_context import Context, fail
from plantmon.compliance.outlook_stage import OutlookStage
from plantmon.daemon import clock_of
from plantmon.notify.digest import write
from plantmon.permits import permit_of
from plantmon.reports.digest import Around, build, scope_of, shortened
from plantmon.reports.digest_edition import DAILY, around
from plantmon.reports.digest_stage import held_line
from plantmon.store import outbox, points
from plantmon.store.database import Readers, disk_of

digest_app = typer.Typer()


class EditionName(StrEnum):
    """The editions there are."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Language(StrEnum):
    """The languages of a digest."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


class Form(StrEnum):
    """The two forms of the mail."""

    TEXT = "text"
    HTML = "html"


@digest_app.command()
def digest(
    context: typer.Context,
    day: Annotated[str | None, typer.Option("--date", help="A day of the time it is of; without, yesterday.")] = None,
    edition: Annotated[EditionName, typer.Option(help="Of the day, or of the week or month that holds it.")] = (
        EditionName.DAILY
    ),
    lang: Annotated[Language | None, typer.Option("--lang", help="Its language, else that of messages.")] = None,
    style: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TEXT,
) -> None:
    """Print a digest as it would be mailed, without sending it; what stands, stands now."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    if not settings.store.path.exists():
        fail(here.say("no_store", path=settings.store.path))
    now_ms = clock_of(settings, plant).now()
    chosen = plant.time.date_of(now_ms) - timedelta(days=1)
    if day is not None:
        try:
            chosen = date.fromisoformat(day)
        except ValueError:
            fail(here.say("bad_day", given=day))
    found = around(str(edition), chosen, plant.alarms.digest or time(), plant.time)
    readers = Readers(settings.store.path)
    with readers.snapshot() as connection:
        permit, numbers = permit_of(connection, plant), points.numbers(connection)
    outlooks = OutlookStage(plant, permit, numbers, readers).run(now_ms)
    with readers.snapshot() as connection:
        scope = scope_of(connection, plant, permit, numbers, found, now_ms)
        whole = build(scope, found, Around(outlooks, disk_of(settings.store.path)))
        if found.name == DAILY and day is None:
            daily = {address for one in plant.alarms.recipients if DAILY in one.digest for address in one.email}
            whole = shortened(structs.replace(whole, held=tuple(map(held_line, outbox.held(connection, daily)))))
    written = write(whole, plant, str(lang or here.language))
    typer.echo(written.html if style is Form.HTML else f"{written.subject}\n\n{written.text}")
