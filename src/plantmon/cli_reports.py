"""This module is `plantmon compliance` and `plantmon execution-report`: reports as tables, CSV, JSON, Excel, HTML."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from plantmon.cli_context import Context, From, To, fail, reading, span
from plantmon.daemon import clock_of
from plantmon.permits import permit_of
from plantmon.reports import compliance as compliance_report
from plantmon.reports import execution as execution_report_of
from plantmon.reports.document import Document, Scope
from plantmon.reports.forms import part_as, report_as_json, report_as_table
from plantmon.reports.page import page
from plantmon.reports.period import parse_period
from plantmon.reports.workbook import workbook
from plantmon.store import points

reports_app = typer.Typer()

DEFAULT_DAYS = 30
CompliancePart = StrEnum("CompliancePart", {name: name for name in compliance_report.PARTS})  # type: ignore[misc]
ExecutionPart = StrEnum("ExecutionPart", {name: name for name in execution_report_of.PARTS})  # type: ignore[misc]


class Form(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    XLSX = "xlsx"
    HTML = "html"
    JSON = "json"


class Language(StrEnum):
    """The languages of reports."""

    ZH = "zh"
    EN = "en"


Style = Annotated[Form, typer.Option("--format", help="How to write it; html and xlsx hold the whole report.")]
Output = Annotated[Path | None, typer.Option("--output", help="The file to write; xlsx needs one.")]
Lang = Annotated[Language | None, typer.Option("--lang", help="Language of the report, else that of messages.")]


@reports_app.command()
def compliance(
    context: typer.Context,
    start: From = None,
    end: To = None,
    part: Annotated[CompliancePart | None, typer.Option("--part", help="One table alone.")] = None,
    style: Style = Form.TABLE,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """Report what became of each limit's windows; without --from and --to, of the last 30 days.

    A table or CSV counts verdicts unless --part names another; json, xlsx and html have all parts.
    """
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    now_ms = clock_of(settings, plant).now()
    start_ms, end_ms = span(here, plant, start, end, now_ms, DEFAULT_DAYS)
    language = str(lang or here.language)
    if part is None and style in (Form.TABLE, Form.CSV):
        part = CompliancePart("limits")
    with reading(here, settings) as connection:
        permit, numbers = permit_of(connection, plant), points.numbers(connection)
        scope = Scope(connection, plant, permit, numbers, start_ms, end_ms, now_ms, language)
        document = compliance_report.document(scope, [str(part)] if part else None)
        _write(here, document, style, output, is_one=part is not None)


@reports_app.command("execution-report")
def execution_report(
    context: typer.Context,
    period: Annotated[str, typer.Argument(help="A month, quarter or year: 2026-03, 2026-Q1, 2026.")],
    part: Annotated[
        ExecutionPart | None, typer.Option("--part", help="One table alone; CSV: emitted unless said.")
    ] = None,
    style: Style = Form.TABLE,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """Give the tables of the permit's execution report for a period."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    try:
        chosen = parse_period(period)
    except ValueError:
        fail(here.say("bad_period", given=period))
    now_ms = clock_of(settings, plant).now()
    if part is None and style is Form.CSV:
        part = ExecutionPart("emitted")
    with reading(here, settings) as connection:
        permit, numbers = permit_of(connection, plant), points.numbers(connection)
        scope = Scope(connection, plant, permit, numbers, *chosen.span(plant.time), now_ms, str(lang or here.language))
        document = execution_report_of.document(scope, chosen, [str(part)] if part else None)
        _write(here, document, style, output, is_one=part is not None)


def _write(here: Context, document: Document, style: Form, output: Path | None, *, is_one: bool) -> None:
    """Write a report to a file or print it; `is_one`: its one part, without what stands around it."""
    if style is Form.XLSX:
        if output is None:
            fail(here.say("xlsx_output"))
        _save(here, output, workbook(document))
        return
    if style is Form.HTML:
        words = page(document)
    elif is_one:
        words = part_as(document.parts[0], document.scope, style)
    else:
        words = report_as_json(document) if style is Form.JSON else report_as_table(document)
    if output is None:
        typer.echo(words)
    else:
        _save(here, output, (words.rstrip("\n") + "\n").encode())


def _save(here: Context, output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        fail(here.say("cannot_write", file=output, reason=error.strerror or error))
    typer.echo(here.say("written", file=output), err=True)
