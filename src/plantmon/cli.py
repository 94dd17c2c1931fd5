"""This module is the command line: `plantmon run`, and what people ask of a running or stopped plantmon.

Reading commands open the store read-only. Changing ones take the lock and do the work themselves when no daemon runs,
and go through the inbox when one does.
"""

from __future__ import annotations

import difflib
import os
import sqlite3
import sys
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import structlog
import typer

import plantmon
from plantmon.cli_alarms import alarm_app
from plantmon.cli_archive import archive_app
from plantmon.cli_caps import caps_app
from plantmon.cli_context import Context, Format, From, Style, To, ask, fail, reading, show, span
from plantmon.cli_declare import calibration_app, declare_app
from plantmon.cli_digest import digest_app
from plantmon.cli_due import due_app
from plantmon.cli_esg import esg_app
from plantmon.cli_forward import forward_app, read_influx
from plantmon.cli_group import group_app
from plantmon.cli_ledger import ledger_app
from plantmon.cli_messages import messages_app, second_app
from plantmon.cli_meter import meter_app, meters_app
from plantmon.cli_outlook import outlook_app
from plantmon.cli_permit import permit_app
from plantmon.cli_progress import Progress, of_recompute
from plantmon.cli_readings import readings_app
from plantmon.cli_register import faults_app, register_app
from plantmon.cli_reports import reports_app
from plantmon.daemon import Daemon, clock_of, mail_server_of
from plantmon.errors import PlantFileError, PlantmonError
from plantmon.logs import configure
from plantmon.model.plant import Kind
from plantmon.notify import facts as mail_facts
from plantmon.notify.compose import compose
from plantmon.notify.smtp import send
from plantmon.plant.check import describe
from plantmon.plant.load import load_plant
from plantmon.reports.query import Table, rows_of
from plantmon.reports.tabular import Cell, render
from plantmon.settings import Settings
from plantmon.store import points, rejected

log = structlog.get_logger()

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Stores a plant's readings, judges them against its permit, and mails in time.")  # fmt: skip
app.add_typer(alarm_app, name="alarms")
app.add_typer(archive_app, name="archive")
app.add_typer(forward_app, name="forward")
app.add_typer(messages_app, name="messages")
app.add_typer(second_app)
app.add_typer(permit_app, name="permit")
app.add_typer(register_app, name="register")
app.add_typer(faults_app, name="faults")
app.add_typer(readings_app)
app.add_typer(reports_app)
app.add_typer(declare_app)
app.add_typer(outlook_app)
app.add_typer(caps_app)
app.add_typer(digest_app)
app.add_typer(due_app)
app.add_typer(esg_app)
app.add_typer(group_app, name="group")
app.add_typer(calibration_app, name="calibration")
app.add_typer(ledger_app, name="ledger")
app.add_typer(meter_app, name="meter")
app.add_typer(meters_app, name="meters")

RECOMPUTE_S = 86_400.0  # how long one waits for many years
DEFAULT_DAYS = 31  # of day windows, without --from


class Level(StrEnum):
    """Windows one can look at."""

    MINUTE = "1min"
    HOUR = "1h"
    DAY = "1d"


class Where(StrEnum):
    """Where readings and windows are read from."""

    SQLITE = "sqlite"
    INFLUX = "influx"


def _language(named: str | None) -> str:
    chosen = named or os.environ.get("PLANTMON_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    return "zh" if chosen.lower().startswith("zh") else "en"


@app.callback()
def _main(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="The settings file (plantmon.toml).")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of messages: zh or en.")] = None,
) -> None:
    context.obj = Context(config, _language(lang))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(plantmon.__version__)


@app.command()
def run(context: typer.Context) -> None:
    """Run the daemon until it is told to stop."""
    settings: Settings = context.obj.settings
    configure(settings.log.level, settings.log.format)
    Daemon(settings, context.obj.plant(settings)).run()


@app.command()
def check(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A plant file; without it, the one the settings name.")] = None,
) -> None:
    """Check a plant file: every mistake with its line, or what will happen."""
    here: Context = context.obj
    path = file if file is not None else here.settings.plant.file
    try:
        plant = load_plant(path, here.language)
    except PlantFileError as error:
        for problem in error.problems:
            typer.echo(problem)
        typer.echo(here.say("check_bad", count=len(error.problems)), err=True)
        raise typer.Exit(1) from None
    today = plant.time.date_of(int(time.time() * 1000))
    typer.echo(describe(plant, today, here.language))
    typer.echo(here.say("check_good", file=path))


@app.command()
def query(
    context: typer.Context,
    point: Annotated[str, typer.Argument(help="Point id, such as DA001.nox or E-MAIN.")],
    start: From = None,
    end: To = None,
    window: Annotated[Level | None, typer.Option(help="Windows instead of single readings.")] = None,
    store: Annotated[Where, typer.Option(help="The plant's own store, or the InfluxDB beside it.")] = Where.SQLITE,
    style: Style = Format.TABLE,
) -> None:
    """Print a point's readings or windows; without --from and --to, its last day, of days the last month."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    chosen = plant.points.get(point)
    if chosen is None:
        near = difflib.get_close_matches(point, plant.points, 1)
        hint = here.say("did_you_mean", nearest=near[0]) if near else ""
        fail(here.say("unknown_point", point=point, hint=hint))
    if store is Where.INFLUX:
        typer.echo(render(*read_influx(here, settings, plant, chosen, window, start, end), style))
        return
    if chosen.formula is not None and window is None:
        window = Level.HOUR if chosen.is_virtual else Level.MINUTE  # it has no readings of its own
    if window is Level.MINUTE and (chosen.is_slow or chosen.kind is Kind.COUNTER):
        fail(here.say("no_minutes", point=point))
    with reading(here, settings) as connection:
        life = points.lives(connection).get(point)
        newest = life.spoken_ms if life and life.spoken_ms is not None else clock_of(settings, plant).now()
        # A day that holds the newest reading is not over: a useful default shows more of them.
        days = DEFAULT_DAYS if window is Level.DAY else 1
        start_ms, end_ms = span(here, plant, start, end, newest, days)
        if window is Level.HOUR:
            start_ms = plant.time.hour_start(start_ms)
        elif window is Level.DAY:
            start_ms = plant.time.day_start(start_ms)
        rows: Table = ([], [])
        if life:
            rows = rows_of(connection, plant, chosen, life.id, start_ms, end_ms, window, here.language)
    typer.echo(render(*rows, style))


@app.command()
def recompute(context: typer.Context, start: From = None, end: To = None) -> None:
    """Compute windows and verdicts of a span again; changes nothing when nothing changed.

    Interrupted, it goes on where it was when asked for the same --from again.
    """
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    start_ms, end_ms = span(here, plant, start, end, clock_of(settings, plant).now())
    with Progress(settings, of_recompute(here, plant)):
        answer = ask(here, settings, plant, "recompute", {"start": start_ms, "end": end_ms}, wait_s=RECOMPUTE_S)
    typer.echo(here.say("recomputed", windows=answer["windows_changed"], verdicts=answer["verdicts_changed"]))


@app.command("rejected")
def rejected_command(
    context: typer.Context,
    reason: Annotated[rejected.Why | None, typer.Option(help="Only this reason, with its payloads.")] = None,
    payloads: Annotated[bool, typer.Option("--payloads", help="List kept payloads instead of counts.")] = False,
    most: Annotated[int, typer.Option(help="How many payloads at most.")] = 50,
    style: Style = Format.TABLE,
) -> None:
    """Count what was not stored, by reason and topic; or list the kept payloads."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        if payloads or reason:
            headings = ["reason", "topic", "arrived", "point", "detail", "bytes", "payload"]
            rows: list[list[Cell]] = [
                [why, topic, plant.time.show(at), name, detail, size, payload[:200].decode("utf-8", "backslashreplace")]
                for why, topic, at, name, _, detail, size, payload in rejected.payloads(connection, reason, most)
            ]
        else:
            headings = ["reason", "topic", "count", "first", "last"]
            rows = [
                [why, topic, count, plant.time.show(first), plant.time.show(last)]
                for why, topic, count, first, last in rejected.totals(connection)
            ]
    show(here, headings, rows, style, "nothing_rejected")


@app.command("test-mail")
def test_mail(context: typer.Context) -> None:
    """Send a test mail to every recipient of the plant file, and show what the mail server answers."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    if not plant.alarms.recipients:
        fail(here.say("no_recipients"))
    now_ms = clock_of(settings, plant).now()
    sender = settings.smtp.sender
    is_good = True
    for recipient in plant.alarms.recipients:
        mail = compose(
            mail_facts.read({"kind": "test", "start": now_ms, "end": now_ms, "since": now_ms}),
            plant, recipient.language, None,
            event="test", severity="data", created_ms=now_ms, sender=sender, addresses=recipient.email,
            message_id=f"<test-{now_ms}-{recipient.name}@{sender.rpartition('@')[2]}>", date=datetime.now(UTC),
            thread=None,
        )  # fmt: skip
        mime = mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))
        replies = send(mail_server_of(settings), mime, sender, recipient.email)
        for address, reply in replies.items():
            is_good &= reply.state == "accepted"
            typer.echo(here.say("test_mail", address=address, state=reply.state, answer=reply.answer))
    if not is_good:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; what plantmon cannot go on with is one clear message and exit code 1."""
    try:
        app()
    except PlantmonError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except sqlite3.Error as error:
        log.exception("store_error")
        typer.echo(f"store: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)
