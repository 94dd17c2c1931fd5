"""This module writes a report as an Excel workbook: a sheet a part, numbers as numbers, instants as plant time.

Texts are written as texts, whatever sign they begin with: a cause that somebody typed must not become a formula.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from plantmon.reports.document import Cell, Document, Missing, Moment, Part, Scope
from plantmon.reports.facts import facts
from plantmon.reports.tabular import width_of

LONGEST_TEXT = 32_767  # of a cell in Excel
NARROWEST, WIDEST = 8, 48
A4 = 9  # Excel's number for the paper
_ASIDE = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
LONGEST_SHEET_NAME = 31


def workbook(document: Document) -> bytes:
    """Write the workbook; the first sheet says what it is."""
    out = io.BytesIO()
    settings = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, settings)
    scope = document.scope
    made = datetime.fromtimestamp(scope.now_ms / 1000, UTC).replace(tzinfo=None)
    book.set_properties({"title": document.title, "subject": document.period, "created": made})
    forms = {
        "head": book.add_format(
            {"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E8EDF2", "bottom": 1}
        ),
        "title": book.add_format({"bold": True, "font_size": 16}),
        "bold": book.add_format({"bold": True, "valign": "top"}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        "number": book.add_format({"valign": "top"}),
    }
    _cover(book.add_worksheet(scope.say("sheet.cover")), document, forms)
    for part in document.parts:
        _sheet(book.add_worksheet(sheet_name(part.title)), part, scope, forms)
    book.close()
    return out.getvalue()


def sheet_name(title: str) -> str:
    """Give a title as Excel takes it for a sheet: 31 signs, none of those that mean something to it."""
    return title.translate(_ASIDE)[:LONGEST_SHEET_NAME].strip("' ")


def _cover(sheet: Any, document: Document, forms: dict[str, Any]) -> None:
    sheet.write_string(0, 0, document.title, forms["title"])
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    for place, (label, words) in enumerate(facts(document), start=2):
        sheet.write_string(place, 0, label, forms["bold"])
        sheet.write_string(place, 1, words, forms["text"])
    sheet.set_landscape()
    sheet.set_paper(A4)


def _sheet(sheet: Any, part: Part, scope: Scope, forms: dict[str, Any]) -> None:
    columns, rows = part.chosen(on_page=False)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.heading, forms["head"])
        shown = [_text(row[place], scope) for row in rows]
        widest = max((width_of(line) for text in shown for line in text.split("\n")), default=0)
        sheet.set_column(place, place, min(WIDEST, max(NARROWEST, width_of(column.heading) + 2, widest + 2)))
    for line, row in enumerate(rows, start=1):
        for place, cell in enumerate(row):
            _write(sheet, line, place, cell, scope, forms)
    after = len(rows) + 1
    if not rows:
        sheet.write_string(1, 0, part.nothing)
        after = 2
    if part.remark:
        sheet.write_string(after + 1, 0, part.remark)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)


def _write(sheet: Any, line: int, place: int, cell: Cell, scope: Scope, forms: dict[str, Any]) -> None:
    if cell is None:
        return
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        sheet.write_number(line, place, cell, forms["number"])
    else:
        sheet.write_string(line, place, _text(cell, scope), forms["text"])


def _text(cell: Cell, scope: Scope) -> str:
    """Give a cell as text, as wide as it will be."""
    if cell is None:
        return ""
    if isinstance(cell, Moment):
        return scope.plant.time.show(cell.at_ms)
    if isinstance(cell, Missing):
        return f"– ({cell.reason})"
    if isinstance(cell, bool):
        return scope.say("yes" if cell else "no")
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)[:LONGEST_TEXT]
