"""This module is `plantmon alarms`: list, show, acknowledge, shelve, close, and their statistics."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from plantmon.alarms.history import read_statistics
from plantmon.alarms.statistics import Statistics
from plantmon.cli_context import ASK_S, Context, Format, From, Style, To, ask, fail, reading, span
from plantmon.daemon import clock_of
from plantmon.model.alarm import Alarm, State
from plantmon.model.plant import Plant
from plantmon.reports.tabular import Cell, render
from plantmon.store import alarms
from plantmon.store.alarms import Happening
from plantmon.texts import text
from plantmon.times import PlantTime, format_duration, parse_duration_ms

alarm_app = typer.Typer(help="Alarms: list, show, acknowledge, shelve, close, count.")

DEFAULT_DAYS = 30
Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="The alarm's number.")]
By = Annotated[str, typer.Option("--by", help="Who says so.")]
_LISTED = ("id", "state", "severity", "kind", "what", "peak", "limit", "since", "until", "acknowledged_by", "times")
_HISTORY = ("at", "event", "by", "state", "said", "reason")


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
    """List alarms: those that stand first, then those to be acknowledged or closed, then the newest."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        found = alarms.newest(connection, most)
    rows = [_row(alarm, plant.time, here.language, style) for alarm in found]
    _show(here, _LISTED, rows, style)


@alarm_app.command("show")
def alarms_show(context: typer.Context, number: Number, style: Style = Format.TABLE) -> None:
    """Show one alarm with its whole history: what happened, who did what, and what was mailed."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    with reading(here, settings) as connection:
        alarm = alarms.get(connection, number)
        if alarm is None:
            fail(text("alarms.no_alarm", here.language, alarm=number))
        spans, history = alarms.spans(connection, number), alarms.history(connection, number)
    rows = [_happening(one, plant, here.language, style) for one in history]
    if style is Format.TABLE:
        typer.echo("\n".join(_about(alarm, spans, plant, here.language)) + "\n")
    _show(here, _HISTORY, rows, style)


@alarm_app.command("ack")
def alarms_ack(
    context: typer.Context,
    number: Number,
    by: By,
    note: Annotated[str, typer.Option(help="What was seen or done.")],
) -> None:
    """Acknowledge an alarm: somebody has seen it and reminders stop."""
    _ask(context, "ack", {"alarm": number, "note": note}, by)


@alarm_app.command("shelve")
def alarms_shelve(
    context: typer.Context,
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    by: By,
    until: Annotated[str | None, typer.Option("--until", help="ISO date-time in plant time.")] = None,
    how_long: Annotated[str | None, typer.Option("--for", help="Such as 30min, 8h or 2d.")] = None,
) -> None:
    """Keep an alarm quiet for a limited time; a breach that gets worse comes back at once."""
    here: Context = context.obj
    if (until is None) == (how_long is None):
        fail(text("alarms.shelf_end", here.language))
    body: dict[str, Any] = {"alarm": number, "reason": reason}
    if how_long is not None:
        try:
            body["for_ms"] = parse_duration_ms(how_long)
        except ValueError:
            fail(text("alarms.bad_duration", here.language, field="--for", given=how_long))
    else:
        try:
            body["until_ms"] = here.plant(here.settings).time.parse(until or "")
        except (ValueError, OverflowError):
            fail(text("alarms.bad_moment", here.language, field="--until", given=until))
    _ask(context, "shelve", body, by)


@alarm_app.command("unshelve")
def alarms_unshelve(context: typer.Context, number: Number, by: By) -> None:
    """Take an alarm off the shelf; what still stands is told anew."""
    _ask(context, "unshelve", {"alarm": number}, by)


@alarm_app.command("close")
def alarms_close(
    context: typer.Context,
    number: Number,
    cause: Annotated[str, typer.Option("--cause", help="Why it happened.")],
    action: Annotated[str, typer.Option("--action", help="What was done.")],
    by: By,
) -> None:
    """Close an alarm that is over; a breach's cause and action go into the exceedance register."""
    _ask(context, "close", {"alarm": number, "cause": cause, "action": action}, by)


@alarm_app.command("stats")
def alarms_stats(context: typer.Context, start: From = None, end: To = None, style: Style = Format.TABLE) -> None:
    """Count alarms: a day, standing, chattering, floods, most frequent, time to acknowledge; by default of 30 days."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    start_ms, end_ms = span(here, plant, start, end, clock_of(settings, plant).now(), DEFAULT_DAYS)
    with reading(here, settings) as connection:
        found = read_statistics(connection, plant.time, start_ms, end_ms)
    if style is Format.TABLE:
        shown = {"start": plant.time.show(start_ms), "end": plant.time.show(end_ms)}
        typer.echo(text("alarms.stats.span", here.language, **shown))
    _show(here, ("figure", "value"), _figures(found, plant.time, here.language, style), style)


def _ask(context: typer.Context, kind: str, body: dict[str, Any], by: str) -> None:
    here: Context = context.obj
    settings = here.settings
    answer = ask(here, settings, here.plant(settings), kind, body | {"language": here.language}, ASK_S, by)
    typer.echo(text(f"alarms.said_{kind}", here.language, **answer))


def _show(here: Context, columns: tuple[str, ...], rows: list[list[Cell]], style: Format) -> None:
    """Print rows; a table in the reader's language, CSV and JSON with words that programs know."""
    if not rows and style is Format.TABLE:
        typer.echo(text("alarms.none", here.language))
        return
    language = here.language if style is Format.TABLE else "en"
    typer.echo(render([text(f"alarms.head.{name}", language) for name in columns], rows, style))


def _word(table: str, word: str | None, language: str, style: Format) -> str | None:
    """Give a word in the reader's language for a table, as it is for programs."""
    return text(f"alarms.{table}.{word}", language) if word and style is Format.TABLE else word


def _row(alarm: Alarm, time: PlantTime, language: str, style: Format) -> list[Cell]:
    facts = alarm.facts
    peak, bound, unit = facts.get("peak"), facts.get("bound"), facts.get("unit") or ""
    state = "unclosed" if alarm.needs_closing and alarm.state is State.NORMAL else str(alarm.state)
    kind = text(f"mail.kind_{alarm.kind}", language) if style is Format.TABLE and language == "zh" else alarm.kind
    return [
        alarm.id,
        _word("state", state, language, style),
        _word("severity", str(alarm.severity), language, style),
        kind,
        alarm.key.partition(":")[2] or alarm.kind,
        f"{peak:.6g} {unit}".strip() if isinstance(peak, int | float) else None,
        f"{bound:.6g} {unit}".strip() if isinstance(bound, int | float) else None,
        time.show(alarm.since_ms),
        None if alarm.until_ms is None else time.show(alarm.until_ms),
        alarm.acked_by,
        alarm.times,
    ]


def _about(alarm: Alarm, spans: list[tuple[int, int | None]], plant: Plant, language: str) -> list[str]:
    time = plant.time
    row = _row(alarm, time, language, Format.TABLE)
    names = [text(f"alarms.head.{name}", language) for name in _LISTED]
    lines = [f"{name}: {cell}" for name, cell in zip(names, row, strict=True) if cell is not None]
    for name, words in (("detail", alarm.facts.get("detail")), ("note", alarm.note)):
        if words:
            lines.append(f"{text(f'alarms.show.{name}', language)}: {words}")
    if alarm.storm is not None:
        lines.append(text("alarms.show.storm", language))
    if alarm.shelved_until_ms is not None:
        values = {"until": time.show(alarm.shelved_until_ms), "by": alarm.shelved_by, "reason": alarm.shelf_reason}
        lines.append(text("alarms.show.shelved", language, **values))
    if alarm.closed_ms is not None and alarm.cause is not None:
        values = {"at": time.show(alarm.closed_ms), "by": alarm.closed_by, "cause": alarm.cause, "action": alarm.action}
        lines.append(text("alarms.show.closed", language, **values))
    for since_ms, until_ms in spans:
        until = text("alarms.show.now", language) if until_ms is None else time.show(until_ms)
        lines.append(text("alarms.show.span", language, since=time.show(since_ms), until=until))
    return lines


def _happening(one: Happening, plant: Plant, language: str, style: Format) -> list[Cell]:
    detail = one.detail
    words = [detail.get(name) for name in ("note", "cause", "action")]
    if one.event == "shelve":
        words = [f"{detail['reason']} ({plant.time.show(detail['until_ms'])})"]
    elif not any(words):
        words = [detail.get("reason")]
    return [
        plant.time.show(one.at_ms),
        _word("event", one.event, language, style),
        one.by,
        _word("state", detail.get("state"), language, style),
        _word("said", detail.get("said"), language, style),
        "; ".join(word for word in words if word) or None,
    ]


def _figures(found: Statistics, time: PlantTime, language: str, style: Format) -> list[list[Cell]]:
    waits = [None if wait is None else format_duration(wait) for wait in (found.median_ms, found.ninety_ms)]
    plain: list[tuple[str, Cell]] = [
        ("raised", found.total),
        ("a_day", None if found.a_day is None else round(found.a_day, 2)),
        ("most_a_day", max(found.days.values(), default=None)),
        ("standing", found.standing),
        ("shelved", found.shelved),
        ("unclosed", found.unclosed),
        ("acknowledged", found.acknowledged),
        ("median", waits[0]),
        ("ninety", waits[1]),
        ("chattering", len(found.chattering)),
        ("floods", len(found.floods)),
    ]
    rows: list[list[Cell]] = [[_word("stats", name, language, style), value] for name, value in plain]
    rows += [[f"  {key}", count] for key, count in sorted(found.chattering.items(), key=lambda item: -item[1])]
    for flood in found.floods:
        values = {"start": time.show(flood.start_ms), "end": time.show(flood.end_ms), "count": flood.count}
        rows.append([f"  {text('alarms.stats.flood', language, **values)}", flood.count])
    rows.append([_word("stats", "top", language, style), None])
    return rows + [[f"  {key}", count] for key, count in found.top]
