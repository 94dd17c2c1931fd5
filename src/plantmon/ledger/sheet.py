"""This module reads a ledger file, CSV or Excel, into lines of texts by field; what they mean is looked at elsewhere.

A CSV may be parted by commas, semicolons or tabs, and be UTF-8 or GB18030 as Excel in China saves it. Headings are
English or Chinese; lines above them, such as a title, are passed over. What cannot be understood is refused: a column
left out in silence would be an amount left out.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import openpyxl

from plantmon.errors import DeclarationError
from plantmon.tables.ledger import FIELDS, field_names, headings
from plantmon.texts import text

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
SEPARATORS = (",", ";", "\t")
SEARCHED = 20  # lines from the top among which the headings are looked for
_LITERAL = re.compile(r"\"[^\"]*\"|\\.|\[[^\]]*\]")
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its number, its texts by field, and what stands in a column without a heading, if anything."""

    number: int
    cells: dict[str, str]
    extra: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's lines that are not empty; `sha256` is the file's."""

    sha256: str
    lines: tuple[Line, ...]


def read_sheet(file: str, content: bytes, language: str) -> Sheet:
    """Read a file's bytes; lines without any text are passed over. Raises DeclarationError."""
    tables = _workbook(file, content, language) if content.startswith(ZIP) else [_text(file, content, language)]
    headed = [found for table in tables if (found := _headed(table)) is not None]
    if not headed:
        names = ", ".join(name.in_language(language) for name in field_names().values())
        raise _refused("no_headings", language, file=file, names=names)
    if len(headed) > 1:
        raise _refused("several_sheets", language, file=file)
    heading, rows = headed[0]
    fields = _fields(file, heading, language)
    lines = tuple(_line(number, cells, fields) for number, cells in rows if any(map(str.strip, cells)))
    if not lines:
        raise _refused("no_lines", language, file=file)
    return Sheet(hashlib.sha256(content).hexdigest(), lines)


def _text(file: str, content: bytes, language: str) -> list[Row]:
    if content.startswith(OLD_EXCEL):
        raise _refused("old_excel", language, file=file)
    written = _decoded(content)
    if written is None or "\0" in written:
        raise _refused("no_text", language, file=file)
    tables = [_parted(written, separator) for separator in SEPARATORS]
    for table in tables:
        if not isinstance(table, csv.Error) and _headed(table) is not None:
            return table
    for table in tables:
        if isinstance(table, csv.Error):
            line, reason = table.args
            raise _refused("bad_csv", language, file=file, line=line, reason=reason)
    return []


def _decoded(content: bytes) -> str | None:
    """Read text as UTF-8, with a mark of UTF-16 as that, else as GB18030, which holds GBK and GB 2312."""
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _parted(written: str, separator: str) -> list[Row] | csv.Error:
    """Part a text into rows, each with the number of its first line; the error where quotes are open."""
    reader = csv.reader(io.StringIO(written, newline=""), delimiter=separator, strict=True)
    rows: list[Row] = []
    first = 1
    try:
        for cells in reader:
            rows.append((first, cells))
            first = reader.line_num + 1
    except csv.Error as error:
        return csv.Error(first, str(error))
    return rows


def _workbook(file: str, content: bytes, language: str) -> list[list[Row]]:
    """Read every sheet of a workbook: values as Excel computed them; where it did not, the formula as it stands."""
    try:
        computed, written = (openpyxl.load_workbook(io.BytesIO(content), data_only=only) for only in (True, False))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError) as error:  # XML errors are SyntaxErrors
        raise _refused("no_workbook", language, file=file, reason=error) from None
    return [
        [
            (line, [_cell(cell, formula.value) for cell, formula in zip(cells, formulas, strict=True)])
            for line, (cells, formulas) in enumerate(
                zip(sheet.iter_rows(), written[sheet.title].iter_rows(), strict=True), 1
            )
        ]
        for sheet in computed.worksheets
    ]


def _cell(cell: Any, formula: object) -> str:
    """Write a cell as text. Excel computes with 15 digits; a date is a month where its format shows no day."""
    value = formula if cell.value is None else cell.value
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime) and (value.hour, value.minute, value.second) == (0, 0, 0):
        is_month = value.day == 1 and "d" not in _LITERAL.sub("", str(cell.number_format)).lower()
        return f"{value:%Y-%m}" if is_month else f"{value:%Y-%m-%d}"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _headed(table: list[Row]) -> tuple[list[str], list[Row]] | None:
    """Find the headings among the first rows: the first that names a period and an item; give them and what follows."""
    known = headings()
    for place, (_, cells) in enumerate(table[:SEARCHED]):
        if {"period", "item"} <= {known.get(_plain(cell)) for cell in cells}:
            return cells, table[place + 1 :]
    return None


def _fields(file: str, heading: list[str], language: str) -> list[str | None]:
    """Give the field of each column, None for one without a heading."""
    known, names = headings(), field_names()
    fields = [known.get(_plain(cell)) for cell in heading]
    for cell, field in zip(heading, fields, strict=True):
        if cell.strip() and field is None:
            near = difflib.get_close_matches(_plain(cell), known, 1)
            hint = text("cli.did_you_mean", language, nearest=near[0]) if near else ""
            raise _refused("unknown_heading", language, file=file, given=cell.strip()[:40], hint=hint)
    for field in FIELDS:
        if fields.count(field) > 1:
            raise _refused("heading_twice", language, file=file, name=names[field].in_language(language))
        if field not in fields and field != "note":
            raise _refused("no_heading", language, file=file, name=names[field].in_language(language))
    return fields


def _line(number: int, cells: list[str], fields: list[str | None]) -> Line:
    found = dict.fromkeys(FIELDS, "")
    extra = ""
    for place, cell in enumerate(cells):
        field = fields[place] if place < len(fields) else None
        if field is not None:
            found[field] = cell
        else:
            extra = extra or cell.strip()
    return Line(number, found, extra)


def _plain(heading: str) -> str:
    return heading.strip().lower()


def _refused(key: str, language: str, **values: object) -> DeclarationError:
    return DeclarationError(text(f"ledger.{key}", language, **values))
