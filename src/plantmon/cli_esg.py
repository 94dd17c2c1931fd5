"""This module is `plantmon report`, `explain` and `compare`: the annual tables, and where their figures come from."""

from __future__ import annotations

from typing import Annotated

import typer

from plantmon.cli_context import Context, From, To, ask, fail, reading, span
from plantmon.cli_tables import (
    Form,
    Lang,
    Out,
    Per,
    PeriodName,
    Plain,
    Previous,
    Style,
    Year,
    check_out,
    denominator_of,
    line_of,
    period_of,
    previous_of,
    print_json,
    put,
    written,
)
from plantmon.daemon import clock_of
from plantmon.errors import DeclarationError
from plantmon.esg import compare as weigh
from plantmon.esg.engine import annual
from plantmon.esg.look import Looker
from plantmon.esg.volumes import Waters
from plantmon.permits import permit_of
from plantmon.reports.esg import comparison, explain
from plantmon.reports.esg.explain import Depth, Within
from plantmon.reports.esg.gather import material, restatements
from plantmon.reports.esg.words import Speech
from plantmon.reports.period import parse_period
from plantmon.store import points
from plantmon.texts import text

esg_app = typer.Typer()

PUBLISH_S = 600.0


@esg_app.command()
def report(
    context: typer.Context,
    year: Year = None,
    period: PeriodName = None,
    previous: Previous = None,
    style: Style = Form.TABLE,
    lang: Lang = None,
    out: Out = None,
    publish: Annotated[bool, typer.Option("--publish", help="Freeze the figures; if frozen before, restate.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who publishes.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why a published period is published again.")] = None,
) -> None:
    """Give the annual environmental and social tables of a year, or those of a quarter or month."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    chosen = period_of(here, year, period)
    other = previous_of(here, chosen, previous)
    check_out(here, style, out)
    if publish:
        if by is None or not by.strip():
            fail(text("esg.no_author", here.language))
        body = {"period": chosen, "reason": reason or "", "language": here.language}
        answer = ask(here, settings, plant, "publish", body, PUBLISH_S, by.strip())
        key = "frozen" if answer["changed"] is None else "restated"
        typer.echo(text(f"esg.{key}", here.language, **answer), err=True)
    now_ms = clock_of(settings, plant).now()
    with reading(here, settings) as connection:
        numbers = points.numbers(connection)
        found = annual(connection, plant, numbers, chosen, other, now_ms)
        if previous is None and not any(line.previous and line.previous.value is not None for line in found.lines):
            found = annual(connection, plant, numbers, chosen, None, now_ms)  # nothing is known of the year before
        contents = material(
            connection, plant, permit_of(connection, plant), numbers, found, now_ms, str(lang or here.language),
            restatements(connection, found),
        )  # fmt: skip
    put(here, out, written(here, contents, style))


@esg_app.command("explain")
def explain_command(
    context: typer.Context,
    metric: Annotated[str, typer.Argument(help="A metric, such as ghg.scope1.")],
    year: Year = None,
    period: PeriodName = None,
    per: Per = None,
    depth: Annotated[Depth, typer.Option("--depth", help="How deep to look.")] = Depth.TERM,
    start: From = None,
    end: To = None,
    style: Annotated[Plain, typer.Option("--format", help="How to write it.")] = Plain.TEXT,
    lang: Lang = None,
) -> None:
    """Show where a figure comes from: terms, factors, months, days, hours, readings, ledger lines.

    --from and --to show only the months, days, hours and readings of a span.
    """
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    chosen = period_of(here, year, period)
    now_ms = clock_of(settings, plant).now()
    within = None
    if start is not None or end is not None:
        first_ms, last_ms = parse_period(chosen).span(plant.time)
        first_ms, last_ms = span(here, plant, start or plant.time.local(first_ms).isoformat(), end, last_ms)
        within = Within(first_ms, last_ms)
    with reading(here, settings) as connection:
        numbers = points.numbers(connection)
        waters = Waters(connection, plant, numbers)
        found = annual(connection, plant, numbers, chosen, None, now_ms, metric, waters)
        line, denominator = line_of(here, found, metric), denominator_of(here, found, per)
        look = Looker(connection, plant, numbers, waters).into
        tree = explain.deepened(explain.of_line(line, denominator), depth, look, within)
    if style is Plain.JSON:
        print_json({"plant": plant.id, "metric": metric, "per": per, "period": found.period, "depth": str(depth),
                     "published": found.published, "derivation": explain.as_object(tree, plant.time)})  # fmt: skip
    else:
        typer.echo(explain.as_text(tree, Speech(str(lang or here.language))))


@esg_app.command("compare")
def compare_command(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="A metric, a meter, or a pollutant's point.")],
    earlier: Annotated[str, typer.Option("--before", metavar="A..B", help="Days before the change, inclusive.")],
    later: Annotated[str, typer.Option("--after", metavar="C..D", help="Days after it, inclusive.")],
    per: Per = None,
    style: Annotated[Plain, typer.Option("--format", help="How to write it.")] = Plain.TEXT,
    lang: Lang = None,
) -> None:
    """Weigh the time before a change against the time after it, per unit of what was made."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    spans = []
    for given in (earlier, later):
        try:
            spans.append(comparison.parse_days(given))
        except ValueError:
            fail(text("esg.bad_span", here.language, given=given))
    now_ms = clock_of(settings, plant).now()
    with reading(here, settings) as connection:
        numbers = points.numbers(connection)
        try:
            found = weigh.compare(connection, plant, numbers, subject, spans[0], spans[1], per, now_ms, here.language)
        except DeclarationError as error:
            fail(str(error))
    if style is Plain.JSON:
        print_json({"plant": plant.id, **comparison.as_object(found)})
    else:
        typer.echo(comparison.as_text(found, Speech(str(lang or here.language))))
