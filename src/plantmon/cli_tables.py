"""This module is what the commands of the annual tables share: periods, forms, languages, how a report is put out."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from plantmon.cli_context import Context, fail
from plantmon.errors import CannotPrint
from plantmon.model.metric import Annual, Denominator, Line
from plantmon.reports.esg import plain
from plantmon.reports.esg.charts import charts
from plantmon.reports.esg.material import Material
from plantmon.reports.esg.page import page
from plantmon.reports.esg.pdf import PACKAGES, pdf
from plantmon.reports.esg.workbook import workbook
from plantmon.reports.period import before, parse_period
from plantmon.texts import text

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
Previous = Annotated[
    str | None, typer.Option("--previous", help="What to compare with: a period, or none; else a year before.")
]
Style = Annotated[Form, typer.Option("--format", help="xlsx, html and json are the full editions.")]
Out = Annotated[Path | None, typer.Option("--out", "--output", help="The file to write.")]


def period_of(here: Context, year: int | None, period: str | None) -> str:
    """Read --year or --period, of which one must be given."""
    given = period if period is not None else None if year is None else f"{year:04}"
    if given is None:
        fail(text("esg.no_period", here.language))
    return parsed(here, given)


def parsed(here: Context, given: str) -> str:
    """Give a period in its one spelling."""
    try:
        return parse_period(given).name
    except ValueError:
        fail(text("esg.bad_period", here.language, given=given))


def previous_of(here: Context, chosen: str, given: str | None) -> str | None:
    """Give what to compare with: what was named, else the same period a year before."""
    if given is None:
        return before(chosen)
    return None if given == NO_PREVIOUS else parsed(here, given)


def line_of(here: Context, found: Annual, metric: str) -> Line:
    """Find a metric's line; fail with the nearest right spelling."""
    lines = {line.figure.metric.id: line for line in found.lines}
    if metric not in lines:
        near = difflib.get_close_matches(metric, lines, 1)
        hint = here.say("did_you_mean", nearest=near[0]) if near else ""
        fail(text("esg.no_metric", here.language, metric=metric, hint=hint))
    return lines[metric]


def denominator_of(here: Context, found: Annual, per: str | None) -> Denominator | None:
    """Find a denominator of the report; fail with those there are."""
    if per is None:
        return None
    known = {one.id: one for one in found.denominators}
    if per not in known:
        fail(text("esg.no_denominator", here.language, per=per, known=", ".join(known)))
    return known[per]


def written(here: Context, contents: Material, style: Form) -> bytes:
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


def check_out(here: Context, style: Form, out: Path | None) -> None:
    """Refuse to write a workbook or a PDF to a terminal."""
    if style in _BINARY and out is None and sys.stdout.isatty():
        fail(text("esg.to_terminal", here.language, form=style.value))


def print_json(found: Any) -> None:
    """Print an object as JSON."""
    typer.echo(plain.json_text(found))


def put(here: Context, out: Path | None, content: bytes) -> None:
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
