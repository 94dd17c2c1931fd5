"""This module is `plantmon report`, `explain` and `compare`: the annual tables, and where their figures come from."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from plantmon.cli_context import Context, From, To, ask, fail, reading, span
from plantmon.daemon import clock_of
from plantmon.errors import CannotPrint, DeclarationError
from plantmon.esg import compare as weigh
from plantmon.esg.engine import annual
from plantmon.esg.look import look_into
from plantmon.model.metric import Annual, Denominator, Line, Term
from plantmon.permits import permit_of
from plantmon.reports.esg import comparison, explain, plain
from plantmon.reports.esg.charts import charts
from plantmon.reports.esg.explain import Depth, Within
from plantmon.reports.esg.gather import material, restatements
from plantmon.reports.esg.material import Material
from plantmon.reports.esg.page import page
from plantmon.reports.esg.pdf import PACKAGES, pdf
from plantmon.reports.esg.words import Speech
from plantmon.reports.esg.workbook import workbook
from plantmon.reports.period import before, parse_period
from plantmon.store import points
from plantmon.texts import text

esg_app = typer.Typer()

PUBLISH_S = 600.0
NO_PREVIOUS = "none"


class Form(StrEnum):
    """How the tables are written."""

    TABLE = "table"
    XLSX = "xlsx"
    HTML = "html"
    PDF = "pdf"
    CSV = "csv"
    JSON = "json"


_BINARY = frozenset({Form.XLSX, Form.PDF})


class Plain(StrEnum):
    """How a derivation or comparison is written."""

    TEXT = "text"
    JSON = "json"


class Language(StrEnum):
    """The languages of the tables."""

    EN = "en"
    ZH = "zh"
    BOTH = "both"


Year = Annotated[int | None, typer.Option("--year", help="The year, such as 2020.")]
PeriodName = Annotated[str | None, typer.Option("--period", help="A quarter or month instead: 2020-Q3, 2020-07.")]
Lang = Annotated[Language | None, typer.Option("--lang", help="Language, else that of messages.")]
Per = Annotated[str | None, typer.Option("--per", help="A denominator of the plant file, such as vehicle.")]


@esg_app.command()
def report(
    context: typer.Context,
    year: Year = None,
    period: PeriodName = None,
    previous: Annotated[
        str | None, typer.Option("--previous", help="What to compare with: a period, or none; else a year before.")
    ] = None,
    style: Annotated[Form, typer.Option("--format", help="xlsx, html and json are the full editions.")] = Form.TABLE,
    lang: Lang = None,
    out: Annotated[Path | None, typer.Option("--out", "--output", help="The file to write.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Freeze the figures; if frozen before, restate.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who publishes.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why a published period is published again.")] = None,
) -> None:
    """Give the annual environmental and social tables of a year, or those of a quarter or month."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    chosen = _period(here, year, period)
    other = _previous(here, chosen, previous)
    if style in _BINARY and out is None and sys.stdout.isatty():
        fail(text("esg.to_terminal", here.language, form=style.value))
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
    _put(here, out, _written(here, contents, style))


def _written(here: Context, contents: Material, style: Form) -> bytes:
    """Write a report in one of its forms."""
    if style is Form.XLSX:
        return workbook(contents)
    if style is Form.PDF:
        try:
            return pdf(page(contents, charts(contents)))
        except CannotPrint as error:
            key = "no_printer" if error.is_missing else "not_printed"
            fail(text(f"esg.{key}", here.language, packages=PACKAGES, reason=error))
    ways: dict[Form, Callable[[Material], str]] = {
        Form.TABLE: plain.as_table, Form.CSV: plain.as_csv, Form.JSON: plain.as_json,
    }  # fmt: skip
    words = page(contents, charts(contents)) if style is Form.HTML else ways[style](contents)
    return (words.rstrip("\n") + "\n").encode()


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
    chosen = _period(here, year, period)
    now_ms = clock_of(settings, plant).now()
    within = None
    if start is not None or end is not None:
        first_ms, last_ms = parse_period(chosen).span(plant.time)
        first_ms, last_ms = span(here, plant, start or plant.time.local(first_ms).isoformat(), end, last_ms)
        within = Within(first_ms, last_ms)
    with reading(here, settings) as connection:
        numbers = points.numbers(connection)
        found = annual(connection, plant, numbers, chosen, None, now_ms, only=metric)
        line, denominator = _line(here, found, metric), _denominator(here, found, per)

        def look(term: Term) -> tuple[Term, ...]:
            return look_into(connection, plant, numbers, term)

        tree = explain.deepened(explain.of_line(line, denominator), depth, look, within)
    if style is Plain.JSON:
        _print_json({"plant": plant.id, "metric": metric, "per": per, "period": found.period, "depth": str(depth),
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
        _print_json({"plant": plant.id, **comparison.as_object(found)})
    else:
        typer.echo(comparison.as_text(found, Speech(str(lang or here.language))))


def _period(here: Context, year: int | None, period: str | None) -> str:
    given = period if period is not None else None if year is None else f"{year:04}"
    if given is None:
        fail(text("esg.no_period", here.language))
    return _parsed(here, given)


def _parsed(here: Context, given: str) -> str:
    try:
        return parse_period(given).name
    except ValueError:
        fail(text("esg.bad_period", here.language, given=given))


def _previous(here: Context, chosen: str, given: str | None) -> str | None:
    """Give what to compare with: what was named, else the same period a year before."""
    if given is None:
        return before(chosen)
    return None if given == NO_PREVIOUS else _parsed(here, given)


def _line(here: Context, found: Annual, metric: str) -> Line:
    lines = {line.figure.metric.id: line for line in found.lines}
    if metric not in lines:
        near = difflib.get_close_matches(metric, lines, 1)
        hint = here.say("did_you_mean", nearest=near[0]) if near else ""
        fail(text("esg.no_metric", here.language, metric=metric, hint=hint))
    return lines[metric]


def _denominator(here: Context, found: Annual, per: str | None) -> Denominator | None:
    if per is None:
        return None
    known = {one.id: one for one in found.denominators}
    if per not in known:
        fail(text("esg.no_denominator", here.language, per=per, known=", ".join(known)))
    return known[per]


def _print_json(found: Any) -> None:
    typer.echo(plain.json_text(found))


def _put(here: Context, out: Path | None, content: bytes) -> None:
    """Write to standard output, or to a file that is whole whenever it is there."""
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    kept = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        try:
            with kept.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            kept.replace(out)
        finally:
            kept.unlink(missing_ok=True)
    except OSError as error:
        fail(here.say("cannot_write", file=out, reason=error.strerror or error))
    typer.echo(here.say("written", file=out), err=True)
