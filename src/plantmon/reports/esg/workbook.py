"""This module writes the annual tables as an Excel workbook: figures as numbers, intensities and changes as formulas.

Each formula is written with the value it has now, so that a viewer that computes nothing shows it. Texts are written
as texts, whatever sign they begin with. What is not known is a dash, which the formulas carry on as one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from plantmon.esg.figures import DENOMINATOR
from plantmon.model.metric import Denominator, Line
from plantmon.reports.esg import consolidation, sheets, tables
from plantmon.reports.esg.material import Material
from plantmon.reports.esg.paper import (
    CODE,
    NAME,
    NARROW,
    NUMBER,
    PERCENT,
    UNIT,
    WIDE,
    Book,
    cell,
    guarded,
    of_amount,
    of_intensity,
    unit_of,
)
from plantmon.reports.esg.plain import CODES
from plantmon.reports.esg.words import Speech

A3 = 8  # Excel's number for the paper
_HEAD_ROW = 3  # of the sheet of figures
_SETTINGS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_CHANGE = '+0.0%;"−"0.0%;0.0%'


def workbook(material: Material) -> bytes:
    """Write the workbook: cover, figures, months, targets, permitted quantities, meters, sources."""
    out = io.BytesIO()
    made = datetime.fromtimestamp(material.now_ms / 1000, UTC).replace(tzinfo=None)
    inner = xlsxwriter.Workbook(out, _SETTINGS)
    title = tables.title(material).replace("\n", " ")
    inner.set_properties({"title": title, "subject": material.annual.period, "created": made})
    book = Book(inner, material, {}, consolidation.formulas(material))
    _cover(book, title)
    _figures(book)
    consolidation.write(book)
    for write in sheets.ALL:
        write(book)
    book.fit()
    inner.close()
    return out.getvalue()


def _cover(book: Book, title: str) -> None:
    sheet = book.sheet("cover")
    book.widen(sheet, 0, 0, 26)
    book.widen(sheet, 1, 1, 90)
    sheet.write_string(0, 0, f"{title} {book.material.annual.period}", book.format(bold=True, font_size=18))
    notice = book.speech.say("fact.notice")
    rows = [*tables.facts(book.material), *((notice, said) for said in tables.notices(book.material))]
    for row, (label, said) in enumerate(rows, start=2):
        book.text(sheet, row, 0, label, font_color="#5B6875")
        book.text(sheet, row, 1, said)
    book.text(sheet, len(rows) + 3, 1, "\n".join(tables.legend(book.material)), font_color="#5B6875")


def _figures(book: Book) -> None:
    """Write the main table: above it the denominators, to which the formulas of the intensities lead."""
    material, speech, annual = book.material, book.speech, book.material.annual
    sheet = book.sheet("figures")
    sheet.write_string(0, 0, f"{speech.name(material.plant_name)} {annual.period}".replace("\n", " "),
                       book.format(bold=True, font_size=14))  # fmt: skip
    columns = _Columns(len(speech.languages), annual.denominators, has_previous=annual.previous is not None)
    where = _denominators(book, sheet, columns)
    head = _HEAD_ROW + len(annual.denominators)
    headings = columns.headings(speech, annual.period, annual.previous)
    book.heads(sheet, head, headings, range(columns.value, columns.coverage + 4))
    columns.widen(book, sheet)
    sheet.set_paper(A3)
    row = head + 1
    for name, lines in material.groups():
        book.band(sheet, row, len(headings), speech.group(name).replace("\n", " "))
        row += 1
        for line in lines:
            _line(book, sheet, row, line, columns, where)
            row += 1
    sheet.freeze_panes(head + 1, 1 + len(speech.languages))
    sheet.repeat_rows(head)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where things stand in the sheet of figures."""

    names: int
    denominators: tuple[Denominator, ...]
    has_previous: bool

    @property
    def unit(self) -> int:
        return 1 + self.names

    @property
    def value(self) -> int:
        return self.unit + 1

    @property
    def previous(self) -> int:
        return self.value + 1

    @property
    def first_per(self) -> int:
        return self.value + (3 if self.has_previous else 1)

    @property
    def per_width(self) -> int:
        return 2 if self.has_previous else 1

    @property
    def coverage(self) -> int:
        return self.first_per + self.per_width * len(self.denominators)

    def headings(self, speech: Speech, period: str, previous: str | None) -> list[str]:
        """Give the headings in order."""
        names = [Speech(one).say("column.indicator") for one in speech.languages]
        found = [speech.say("column.id"), *names, speech.say("column.unit"), period]
        if previous:
            found += [previous, speech.say("column.change")]
        for one in self.denominators:
            found += [f"{tables.per_words(speech, one)}\n{when}" for when in (period, previous) if when]
        found += [speech.say(f"column.{name}") for name in ("measured", "substituted", "ledger", "missing", "notes")]
        return found + [speech.say(f"column.{code}") for code in CODES]

    def widen(self, book: Book, sheet: Any) -> None:
        """Set the widths."""
        book.widen(sheet, 0, 0, 24)
        book.widen(sheet, 1, self.names, NAME)
        book.widen(sheet, self.unit, self.unit, UNIT)
        book.widen(sheet, self.value, self.coverage - 1, NUMBER)
        book.widen(sheet, self.coverage, self.coverage + 3, NARROW)
        book.widen(sheet, self.coverage + 4, self.coverage + 4, WIDE)
        book.widen(sheet, self.coverage + 5, self.coverage + 4 + len(CODES), CODE)


def _denominators(book: Book, sheet: Any, columns: _Columns) -> dict[str, tuple[str, str]]:
    """Write the denominators above the table; give the cells of each, this period's and the previous one's."""
    where = {}
    speech = book.speech
    for row, one in enumerate(columns.denominators, start=2):
        book.text(sheet, row, 0, speech.say("column.denominator").replace("\n", " "), font_color="#5B6875")
        for place, language in enumerate(speech.languages, start=1):
            book.text(sheet, row, place, Speech(language).name(one.name))
        book.text(sheet, row, columns.unit, unit_of(speech, one.unit))
        pattern = of_amount(one.value, one.figure.metric.decimals)
        id = f"{DENOMINATOR}{one.id}"
        book.total(sheet, row, columns.value, (id, False), one.value, pattern, bold=True)
        if columns.has_previous:
            book.total(sheet, row, columns.previous, (id, True), one.previous, pattern)
        where[one.id] = (cell(row, columns.value), cell(row, columns.previous))
    return where


def _line(
    book: Book, sheet: Any, row: int, line: Line, columns: _Columns, where: dict[str, tuple[str, str]]
) -> None:  # fmt: skip
    speech, figure, metric = book.speech, line.figure, line.figure.metric
    book.text(sheet, row, 0, metric.id, font_color="#5B6875")
    for place, language in enumerate(speech.languages, start=1):
        book.text(sheet, row, place, Speech(language).title(metric.name))
    book.text(sheet, row, columns.unit, unit_of(speech, metric.unit))
    pattern = of_amount(figure.value, metric.decimals)
    book.total(sheet, row, columns.value, (metric.id, False), figure.value, pattern, bold=True)
    now, then = cell(row, columns.value), cell(row, columns.previous)
    if columns.has_previous:
        before = line.previous.value if line.previous else None
        book.total(sheet, row, columns.previous, (metric.id, True), before, of_amount(before, metric.decimals))
        if line.is_comparable:
            formula = guarded(now, then, f"({now}-{then})/ABS({then})")
            book.formula(sheet, row, columns.previous + 1, formula, line.change, _CHANGE)
        else:
            book.value(sheet, row, columns.previous + 1, None, _CHANGE)
    for place, one in enumerate(columns.denominators):
        if one.id not in line.per:
            continue
        column = columns.first_per + place * columns.per_width
        this, last = where[one.id]
        value = line.per[one.id]
        per = book.formulas.per
        formula = per.get((metric.id, one.id, False)) or guarded(now, this, f"{now}/{this}")
        book.formula(sheet, row, column, formula, value, of_intensity(value))
        if columns.has_previous:
            value = line.previous_per.get(one.id)
            formula = per.get((metric.id, one.id, True)) or guarded(then, last, f"{then}/{last}")
            book.formula(sheet, row, column + 1, formula, value, of_intensity(value))
    coverage = figure.coverage
    shares = (coverage.measured, coverage.substituted, coverage.ledger, coverage.missing)
    for place, share in enumerate(shares):
        sheet.write_number(row, columns.coverage + place, share, book.number(PERCENT))
    said = list(dict.fromkeys(tables.remarks(speech, figure)))
    if line.previous is not None and line.previous.value is None and line.previous.reason != figure.reason:
        said.append(f"{book.material.annual.previous}: {tables.why(speech, line.previous)}")
    book.text(sheet, row, columns.coverage + 4, "\n".join(said), align="left", indent=1)
    for place, code in enumerate(CODES, start=columns.coverage + 5):
        book.text(sheet, row, place, metric.codes.get(code, ""))
