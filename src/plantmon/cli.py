"""This module is the command line: `plantmon run`, and what people ask of a running or stopped plantmon.

Reading commands open the store read-only. Changing ones take the lock and do the work themselves when no daemon runs,
and go through the inbox when one does.
"""

from __future__ import annotations

import difflib
import getpass
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import structlog
import typer

import plantmon
from plantmon.daemon import Daemon, clock_of, mail_server_of
from plantmon.errors import AlreadyRunning, PlantFileError, PlantmonError
from plantmon.logs import configure
from plantmon.model.plant import Kind, Plant
from plantmon.notify import facts as mail_facts
from plantmon.notify.compose import compose
from plantmon.notify.smtp import send
from plantmon.pipeline import Pipeline
from plantmon.plant.check import describe
from plantmon.plant.load import load_plant
from plantmon.reports import compliance as report
from plantmon.reports.query import rows_of
from plantmon.reports.tabular import Cell, render
from plantmon.requests import Requests
from plantmon.settings import Settings, load_settings
from plantmon.store import alarms as alarm_rows
from plantmon.store import inbox, points, rejected
from plantmon.store.database import Lock, Readers, Store
from plantmon.texts import text
from plantmon.times import DAY_MS

log = structlog.get_logger()

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Stores a plant's readings, judges them against its permit, and mails in time.")  # fmt: skip
alarm_app = typer.Typer(help="Alarms: list, show, acknowledge.")
app.add_typer(alarm_app, name="alarms")

DEFAULT_DAYS = 31  # of day windows, without --from
ASK_S = 30.0  # how long a command waits for a running daemon


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Level(StrEnum):
    """Windows one can look at."""

    MINUTE = "1min"
    HOUR = "1h"
    DAY = "1d"


From = Annotated[str | None, typer.Option("--from", help="Start, ISO date or date-time in plant time.")]
To = Annotated[str | None, typer.Option("--to", help="End, not included.")]
Style = Annotated[Format, typer.Option("--format", help="How to write the rows.")]


class Context:
    """What a command knows: settings and plant file, loaded when first needed, and the language to speak."""

    def __init__(self, config: Path | None, language: str) -> None:
        self.config = config
        self.language = language

    @property
    def settings(self) -> Settings:
        """The service settings."""
        return load_settings(self.config)

    def plant(self, settings: Settings) -> Plant:
        """Load the plant file the settings name."""
        return load_plant(settings.plant.file, self.language)

    def say(self, key: str, **values: object) -> str:
        """Give a sentence of the command line."""
        return text(f"cli.{key}", self.language, **values)


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
        _fail(here.say("unknown_point", point=point, hint=hint))
    if window is Level.MINUTE and (chosen.is_slow or chosen.kind is Kind.COUNTER):
        _fail(here.say("no_minutes", point=point))
    with _reading(here, settings) as connection:
        life = points.lives(connection).get(point)
        newest = life.spoken_ms if life and life.spoken_ms is not None else clock_of(settings, plant).now()
        # A day that holds the newest reading is not over: a useful default shows more of them.
        days = DEFAULT_DAYS if window is Level.DAY else 1
        start_ms, end_ms = _span(here, plant, start, end, newest, days)
        if window is Level.HOUR:
            start_ms = plant.time.hour_start(start_ms)
        elif window is Level.DAY:
            start_ms = plant.time.day_start(start_ms)
        rows = rows_of(connection, plant, chosen, life.id, start_ms, end_ms, window) if life else ([], [])
    typer.echo(render(*rows, style))


@app.command()
def recompute(context: typer.Context, start: From = None, end: To = None) -> None:
    """Compute windows and verdicts of a span again; changes nothing when nothing changed."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    start_ms, end_ms = _span(here, plant, start, end, clock_of(settings, plant).now())
    answer = _ask(here, settings, plant, "recompute", {"start": start_ms, "end": end_ms}, wait_s=3600)
    typer.echo(here.say("recomputed", windows=answer["windows_changed"], verdicts=answer["verdicts_changed"]))


@app.command()
def compliance(
    context: typer.Context,
    start: From = None,
    end: To = None,
    register: Annotated[bool, typer.Option("--register", help="List the exceedances instead of counts.")] = False,
    style: Style = Format.TABLE,
) -> None:
    """Count each limit's windows by verdict, or list the exceedances; without --from and --to, of the last 30 days."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    start_ms, end_ms = _span(here, plant, start, end, clock_of(settings, plant).now(), days=30)
    with _reading(here, settings) as connection:
        headings, rows = (report.register if register else report.summary)(connection, plant, start_ms, end_ms)
    _show(here, headings, rows, style, "no_exceedances" if register else "no_verdicts")


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
    with _reading(here, settings) as connection:
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
    _show(here, headings, rows, style, "nothing_rejected")


@alarm_app.callback(invoke_without_command=True)
def alarms_main(context: typer.Context) -> None:
    """List alarms when nothing else is asked."""
    if context.invoked_subcommand is None:
        alarms_list(context)


@alarm_app.command("list")
def alarms_list(
    context: typer.Context,
    most: Annotated[int, typer.Option(help="How many at most.")] = 50,
    style: Style = Format.TABLE,
) -> None:
    """List alarms, those that stand first."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with _reading(here, settings) as connection:
        found = alarm_rows.newest(connection, most)
    rows: list[list[Cell]] = []
    for alarm in found:
        facts = alarm.facts
        what = alarm.key.partition(":")[2] or alarm.kind
        peak, bound, unit = facts.get("peak"), facts.get("bound"), facts.get("unit") or ""
        worst = f"{peak:.6g} {unit}".strip() if isinstance(peak, int | float) else None
        limit = f"{bound:.6g} {unit}".strip() if isinstance(bound, int | float) else None
        until = plant.time.show(alarm.until_ms) if alarm.until_ms is not None else None
        rows.append(
            [alarm.id, str(alarm.state), str(alarm.severity), alarm.kind, what, worst, limit,
             plant.time.show(alarm.since_ms), until, alarm.acked_by]
        )  # fmt: skip
    headings = ["id", "state", "severity", "kind", "what", "peak", "limit", "since", "until", "acknowledged by"]
    _show(here, headings, rows, style, "no_alarms")


@alarm_app.command("ack")
def alarms_ack(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="The alarm's number.")],
    by: Annotated[str, typer.Option(help="Who acknowledges.")],
    note: Annotated[str, typer.Option(help="What was seen or done.")],
) -> None:
    """Acknowledge an alarm: somebody has seen it and reminders stop."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    answer = _ask(here, settings, plant, "ack", {"alarm": number, "by": by, "note": note}, ASK_S, by)
    typer.echo(here.say("acknowledged", alarm=answer["alarm"], by=answer["by"]))


@app.command("test-mail")
def test_mail(context: typer.Context) -> None:
    """Send a test mail to every recipient of the plant file, and show what the mail server answers."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    if not plant.alarms.recipients:
        _fail(here.say("no_recipients"))
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


def _show(here: Context, headings: list[str], rows: list[list[Cell]], style: Format, nothing: str) -> None:
    """Print rows; an empty table says so in words, while CSV and JSON stay what a program expects."""
    if not rows and style is Format.TABLE:
        typer.echo(here.say(nothing))
    else:
        typer.echo(render(headings, rows, style))


def _reading(here: Context, settings: Settings) -> Any:
    """Open the store read-only."""
    if not settings.store.path.exists():
        _fail(here.say("no_store", path=settings.store.path))
    return Readers(settings.store.path).snapshot()


def _span(
    here: Context, plant: Plant, start: str | None, end: str | None, newest_ms: int, days: int = 1
) -> tuple[int, int]:
    """Read --from and --to; without them so many days up to the newest reading."""

    def moment(given: str | None, default: int) -> int:
        if given is None:
            return default
        try:
            return plant.time.parse(given)
        except (ValueError, OverflowError):
            _fail(here.say("bad_moment", given=given))

    end_ms = moment(end, newest_ms + 1)
    start_ms = moment(start, end_ms - days * DAY_MS)
    if start_ms > end_ms:
        _fail(here.say("backwards"))
    return start_ms, end_ms


def _ask(
    here: Context, settings: Settings, plant: Plant, kind: str, body: dict[str, Any], wait_s: float,
    by: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Have a request done by the daemon, or do it here when none runs."""
    if not settings.store.path.exists():
        _fail(here.say("no_store", path=settings.store.path))
    lock = Lock(settings.store.path)
    who = by or getpass.getuser()
    try:
        lock.take()
    except AlreadyRunning:
        done, answer = inbox.ask(inbox.path_beside(settings.store.path), kind, body, who, wait_s)
    else:
        try:
            done, answer = _do_here(settings, plant, lambda requests: requests.handle(kind, body, who))
        finally:
            lock.release()
    if not done:
        _fail(str(answer.get("error")))
    return answer


def _do_here(
    settings: Settings, plant: Plant, act: Callable[[Requests], tuple[bool, dict[str, Any]]]
) -> tuple[bool, dict[str, Any]]:
    clock = clock_of(settings, plant)
    store = Store(settings.store.path)
    try:
        pipeline = Pipeline(plant, store, clock.now(), settings.smtp.sender.rpartition("@")[2])
        return act(Requests(pipeline, clock.now))
    finally:
        store.close()


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
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
