"""This module is `plantmon forward`: what waits for the InfluxDB, what it refused, what is wrong, sending again."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from plantmon.cli_context import Context, Format, From, Style, To, ask, fail, reading, show, span
from plantmon.daemon import clock_of
from plantmon.errors import DeliveryError
from plantmon.forward.check import check
from plantmon.model.plant import Kind, Plant, Point
from plantmon.model.reading import flag_letters
from plantmon.outward import influx_reader_of, influx_writer_of
from plantmon.reports.tabular import Cell
from plantmon.settings import Influx, Settings
from plantmon.store import health, refused, resend, spool
from plantmon.texts import text

forward_app = typer.Typer(help="The InfluxDB beside the store: send a span again, see what waits, what was refused.")

GAUGE_FIELDS = ("mean", "min", "max", "due", "had", "valid", "over_range", "lower_bound", "is_valid", "known")
FLOATS = ("value", "mean", "min", "max", "lower_bound", "amount")
COUNTER_FIELDS = ("amount", "due", "valid", "estimated", "readings", "known")


def _say(here: Context, key: str, **values: object) -> str:
    return text(f"forward.{key}", here.language, **values)


def _section(here: Context, settings: Settings) -> Influx:
    if settings.influx is None:
        fail(_say(here, "none"))
    return settings.influx


@forward_app.callback(invoke_without_command=True)
def forward_main(context: typer.Context, start: From = None, end: To = None) -> None:
    """Send a span again from the store, when nothing else is asked."""
    if context.invoked_subcommand is not None:
        return
    here: Context = context.obj
    settings = here.settings
    _section(here, settings)
    plant = here.plant(settings)
    if start is None or end is None:
        fail(_say(here, "needs_span"))
    start_ms, end_ms = span(here, plant, start, end, 0)
    answer = ask(here, settings, plant, "forward", {"start": start_ms, "end": end_ms}, wait_s=60)
    typer.echo(
        _say(here, "asked", start=plant.time.show(start_ms), end=plant.time.show(end_ms), id=answer["id"])
    )  # fmt: skip


@forward_app.command("status")
def forward_status(context: typer.Context) -> None:
    """Say what waits, why, what was dropped or refused, and what is being sent again."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        total = spool.total(connection)
        failing = [one for one in health.failing(connection) if one[0] == "forward"]
        gone, asked = spool.dropped(connection), resend.asked(connection)
    if not total.most and not total.rows:
        typer.echo(_say(here, "off"))
        return
    shown = plant.time.show
    lines = [
        _say(here, "waiting", rows=total.rows, bytes=total.bytes, share=f"{total.bytes / (total.most or 1):.1%}")
        if total.rows
        else _say(here, "nothing_waits")
    ]
    lines += [_say(here, "failing", since=shown(since), why=why) for _, since, _, why in failing]
    lines += [
        _say(here, "dropped", rows=one.rows, kind=one.kind, start=shown(one.start_ms), end=shown(one.end_ms))
        for one in gone
    ]  # fmt: skip
    lines += [
        _say(here, "again", id=one.id, start=shown(one.start_ms), end=shown(one.end_ms), rows=one.rows, part=one.part)
        for one in asked
    ]
    lines += [_say(here, "refused", count=total.refused)] if total.refused else []
    typer.echo("\n".join(lines))


@forward_app.command("refused")
def forward_refused(
    context: typer.Context,
    most: Annotated[int, typer.Option(help="How many at most.")] = 50,
    style: Style = Format.TABLE,
) -> None:
    """List the lines that were refused for good, newest first, with the answers."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        rows: list[list[Cell]] = [
            [plant.time.show(kept.refused_ms), kept.refused.answer, kept.refused.line]
            for kept in refused.newest(connection, most)
        ]
    if rows or style is not Format.TABLE:
        show(here, ["time", "answer", "line"], rows, style, "")
    else:
        typer.echo(_say(here, "nothing_refused"))


@forward_app.command("check")
def forward_check(context: typer.Context) -> None:
    """Say in one line whether the InfluxDB takes what is sent, or what is wrong with it."""
    here: Context = context.obj
    section = _section(here, here.settings)
    found = check(influx_reader_of(section), influx_writer_of(section), int(time.time() * 1000))
    typer.echo(f"{section.url}: {_say(here, found.key, **found.values)}")
    if not found.is_well:
        raise typer.Exit(1)


def read_influx(
    here: Context,
    settings: Settings,
    plant: Plant,
    point: Point,
    window: str | None,
    start: str | None,
    end: str | None,
) -> tuple[list[str], list[list[Cell]]]:
    """Read a point's readings or windows from the InfluxDB, as `plantmon query` shows them."""
    section = _section(here, settings)
    if window == "1min":
        fail(_say(here, "no_minutes"))
    days = 31 if window == "1d" else 1
    start_ms, end_ms = span(here, plant, start, end, clock_of(settings, plant).now(), days)
    if window is not None:
        start_ms = plant.time.hour_start(start_ms) if window == "1h" else plant.time.day_start(start_ms)
    tags = {"plant": plant.id, "point": point.id} | ({"level": window} if window else {})
    fields = ("value", "flag") if window is None else COUNTER_FIELDS if point.kind is Kind.COUNTER else GAUGE_FIELDS
    try:
        found = influx_reader_of(section).rows("window" if window else "reading", fields, tags, start_ms, end_ms)
    except DeliveryError as error:
        fail(_say(here, "not_there", answer=error))
    return ["time", *fields], [[_moment(plant, row[0]), *_cells(fields, row[1:])] for row in found]


def _cells(fields: tuple[str, ...], values: list[Any]) -> list[Cell]:
    """Give values as the store's own query shows them: flags in letters, and none that is left over from before."""
    # JSON has one kind of number: a float without a fraction comes as an integer.
    given = {
        name: float(value) if name in FLOATS and value is not None else value
        for name, value in zip(fields, values, strict=True)
    }
    if "flag" in given:
        given["flag"] = flag_letters(int(given["flag"]))
    if given.get("known") == 0:
        given |= {name: None for name in ("mean", "min", "max", "amount") if name in given}
    return list(given.values())


def _moment(plant: Plant, at_ms: int) -> str:
    return plant.time.local(at_ms).isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")
