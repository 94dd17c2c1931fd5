"""This module is the paper the workbook of the annual tables is written on: its formats, and how a cell is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from plantmon.reports.esg import words
from plantmon.reports.esg.material import Material
from plantmon.reports.esg.words import DASH, Speech
from plantmon.reports.tabular import width_of
from plantmon.reports.workbook import sheet_name

A4 = 9  # Excel's number for the paper
LINE_PT = 15.0  # the height of a row of one line
PERCENT = "0.0%"
WIDE, NAME, NUMBER, NARROW, CODE, UNIT = 48, 36, 15, 11, 16, 16  # widths of columns
_USUAL = 8  # of a column nobody widened
_POWER = "0.00E+00"
_MOST_HEAD_LINES = 5


@dataclass(frozen=True, slots=True)
class Formulas:
    """The formulas of a group's figures, which lead to its plants' sheets; by metric and whether of the period before.

    A metric that cannot be added up has none. A denominator stands under its own prefix.
    """

    totals: Mapping[tuple[str, bool], str] = field(default_factory=dict)
    per: Mapping[tuple[str, str, bool], str] = field(default_factory=dict)  # by metric and denominator


@dataclass(frozen=True, slots=True)
class Book:
    """The workbook in the making: its formats by what they are for."""

    book: Any
    material: Material
    formats: dict[tuple[tuple[str, Any], ...], Any]
    formulas: Formulas = Formulas()
    widths: dict[tuple[str, int], int] = field(default_factory=dict)  # by sheet and column
    texts: dict[tuple[str, int], list[tuple[int, str]]] = field(default_factory=dict)  # by sheet and row

    @property
    def speech(self) -> Speech:
        """Give the language."""
        return self.material.speech

    def format(self, **look: Any) -> Any:
        """Give a format, made once."""
        key = tuple(sorted(look.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format({"valign": "top", **look})
        return self.formats[key]

    def number(self, pattern: str, **look: Any) -> Any:
        """Give a format of numbers."""
        return self.format(num_format=pattern, align="right", **look)

    def sheet(self, name: str) -> Any:
        """Add a sheet, printed on A4 across."""
        return self.named(sheet_name(" ".join(self.speech.say(f"sheet.{name}").split("\n"))))

    def named(self, title: str) -> Any:
        """Add a sheet under a name of its own, printed on A4 across."""
        sheet = self.book.add_worksheet(title)
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        sheet.set_footer("&L&F&R&P / &N")
        return sheet

    def heads(self, sheet: Any, row: int, headings: list[str], numbers: range = range(0)) -> None:
        """Write a row of headings; `numbers` are the columns of numbers, which stand to the right."""
        look = {"bold": True, "text_wrap": True, "bg_color": "#173F5F", "font_color": "#FFFFFF", "valign": "bottom"}
        for place, heading in enumerate(headings):
            align = "right" if place in numbers else "left"
            sheet.write_string(row, place, heading, self.format(**look, align=align))
        lines = [sum(-(-width_of(line) // NARROW) for line in heading.split("\n")) for heading in headings]
        sheet.set_row(row, LINE_PT * min(_MOST_HEAD_LINES, max(lines)) + 6)

    def band(self, sheet: Any, row: int, columns: int, said: str) -> None:
        """Write the title of a group of rows, across the sheet."""
        look = self.format(bold=True, font_color="#173F5F", bg_color="#E8EDF2", valign="vcenter")
        sheet.write_string(row, 0, said, look)
        for place in range(1, columns):
            sheet.write_blank(row, place, None, look)
        sheet.set_row(row, LINE_PT + 3)

    def text(self, sheet: Any, row: int, column: int, said: str, **look: Any) -> None:
        """Write a text."""
        sheet.write_string(row, column, said, self.format(text_wrap=True, **look))
        self.texts.setdefault((sheet.get_name(), row), []).append((column, said))

    def widen(self, sheet: Any, first: int, last: int, width: int) -> None:
        """Set the width of columns, in digits."""
        sheet.set_column(first, last, width)
        self.widths.update({(sheet.get_name(), column): width for column in range(first, last + 1)})

    def fit(self) -> None:
        """Make each row as high as its texts, once all are written: not every viewer fits rows by itself."""
        for (name, row), texts in self.texts.items():
            lines = max(_lines(said, self.widths.get((name, column), _USUAL)) for column, said in texts)
            self.book.get_worksheet_by_name(name).set_row(row, LINE_PT * lines)

    def value(self, sheet: Any, row: int, column: int, value: Decimal | None, pattern: str, **look: Any) -> None:
        """Write a number, a dash where there is none."""
        if value is None:
            sheet.write_string(row, column, DASH, self.format(align="right", font_color="#5B6875"))
        else:
            sheet.write_number(row, column, float(value), self.number(pattern, **look))

    def total(
        self, sheet: Any, row: int, column: int, key: tuple[str, bool], value: Decimal | None, pattern: str, **look: Any
    ) -> None:  # fmt: skip
        """Write a figure: of a group the formula over its plants, else the number."""
        formula = self.formulas.totals.get(key) if value is not None else None
        if formula is None:
            self.value(sheet, row, column, value, pattern, **look)
        else:
            self.formula(sheet, row, column, formula, value, pattern, **look)

    def formula(self, sheet: Any, row: int, column: int, formula: str, now: Decimal | None, pattern: str,
                **look: Any) -> None:  # fmt: skip
        """Write a formula with the value it has now."""
        sheet.write_formula(row, column, formula, self.number(pattern, **look), DASH if now is None else float(now))


def _lines(said: str, width: int) -> int:
    """Count the lines a text takes in a column so wide."""
    return sum(max(1, -(-width_of(part) // width)) for part in said.split("\n"))


def unit_of(speech: Speech, unit: str) -> str:
    """Give a unit on one line."""
    return speech.unit(unit).replace("\n", " / ")


def decimals(count: int) -> str:
    """Give the number format of so many decimals.

    >>> decimals(2), decimals(0)
    ('#,##0.00', '#,##0')
    """
    return "#,##0" + ("." + "0" * count if count else "")


def of_intensity(value: Decimal | None) -> str:
    """Give the format of an intensity, as it is printed elsewhere."""
    if value is None:
        return decimals(2)
    return _POWER if words.is_small(value) else decimals(words.intensity_decimals(value))


def of_amount(value: Decimal | None, count: int) -> str:
    """Give the format of an amount; one that would round away keeps its digits."""
    return _POWER if value and not words.rounded(value, count) else decimals(count)


def cell(row: int, column: int) -> str:
    """Name a cell, fixed."""
    return str(xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True))


def guarded(top: str, bottom: str, quotient: str) -> str:
    """Give a formula that is a dash where either cell is one, or where nothing can be divided by."""
    return f'=IF(AND(ISNUMBER({top}),ISNUMBER({bottom})),IF({bottom}=0,"{DASH}",{quotient}),"{DASH}")'
