"""This module holds how ledger files are read: encodings, separators, headings, workbooks."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from plantmon.errors import DeclarationError
from plantmon.ledger.sheet import read_sheet

CONTRACT = Path(__file__).parents[2] / "contract" / "ledger.csv"
CHINESE = "期间,项目,数值,单位,来源,备注\n2020-01,柴油,12.5,升,加油台账,冬季\n"


def rows(content: bytes | str, file: str = "book.csv") -> list[tuple[int, dict[str, str]]]:
    """Read a file."""
    data = content.encode() if isinstance(content, str) else content
    return [(line.number, line.cells) for line in read_sheet(file, data, "en").lines]


def refusal(content: bytes | str, language: str = "en") -> str:
    """Read a file that cannot be understood."""
    with pytest.raises(DeclarationError) as error:
        read_sheet("book.csv", content.encode() if isinstance(content, str) else content, language)
    return str(error.value)


def workbook(*sheets: Sequence[Sequence[object]]) -> bytes:
    """Write a workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for place, cells in enumerate(sheets):
        sheet = book.create_sheet(f"S{place}")
        for row in cells:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_contracts_file() -> None:
    """The contract's file has five lines, from its line 2 on, and its sha256."""
    content = CONTRACT.read_bytes()
    sheet = read_sheet("ledger.csv", content, "en")
    assert [line.number for line in sheet.lines] == [2, 3, 4, 5, 6]
    assert sheet.lines[0].cells == {
        "period": "2020", "item": "diesel", "value": "1389259", "unit": "L", "source": "fuel depot ledger", "note": "",
    }  # fmt: skip
    assert sheet.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_csv_reads_the_same(encoding: str, separator: str, newline: str) -> None:
    """Encoding, separator and line ends of spreadsheets change nothing."""
    written = CHINESE.replace(",", separator).replace("\n", newline).encode(encoding)
    assert rows(written) == [
        (2, {"period": "2020-01", "item": "柴油", "value": "12.5", "unit": "升", "source": "加油台账", "note": "冬季"})
    ]


def test_line_numbers_are_those_of_the_file() -> None:
    """Empty lines, a title above the headings and a note over two lines do not shift the numbers."""
    text = 'Ledger 2020\n\nperiod,item,value,unit,source,note\n\n2020,steel,1,t,s,"a\nb"\n,,,,,\n2020,diesel,2,L,s,\n'
    assert [(line, cells["item"]) for line, cells in rows(text)] == [(5, "steel"), (8, "diesel")]


def test_columns_may_stand_in_any_order() -> None:
    """Headings decide, in any letters and either language; a column without heading and text is nothing."""
    text = "备注,Unit,VALUE,Item,期间,source,\nn,L,2,diesel,2020,s,\n"
    assert rows(text) == [
        (2, {"period": "2020", "item": "diesel", "value": "2", "unit": "L", "source": "s", "note": "n"})
    ]


def test_text_beside_the_columns_is_told() -> None:
    """A number with commas and without quotes spills over the columns, and the line says so."""
    (line,) = read_sheet("b.csv", b"period,item,value,unit,source\n2020,diesel,1,389,259,L,s\n", "en").lines
    assert line.extra == "L"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no headings"),
        ("a,b\n1,2\n", "no headings"),
        ("period,item,value,unit,source\n", "no line below"),
        ("period,item,value,unit\n2020,diesel,1,L\n", "no column is headed source"),
        ("period,item,value,unit,source,sourse\n", "did you mean source"),
        ("period,item,value,unit,source,unit\n", "two columns are headed unit"),
        ('period,item,value,unit,source\n2020,"diesel,1,L,s\n', "book.csv:2:"),
        (b"\x00\x01\x02", "neither Excel nor text"),
        (b"\xff\xff\xff", "neither Excel nor text"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"PK\x03\x04rest", "no workbook"),
    ],
)
def test_what_cannot_be_read_is_said(content: bytes | str, words: str) -> None:
    """A file that cannot be understood is refused, naming what is the matter, in both languages."""
    assert words in refusal(content)
    assert refusal(content, "zh") != refusal(content)


def test_a_workbook_reads_as_its_csv_does() -> None:
    """Numbers, texts and dates of Excel become what a person sees there."""
    content = workbook(
        [["2020 台账"], [], ["期间", "项目", "数值", "单位", "来源", "备注"],
         [2020, "diesel", 1389259, "L", "depot", None], ["2020-Q1", "steel", 0.1 + 0.2, "t", "s", "=x"],
         [datetime(2020, 2, 14), "lab.DA002.nmhc", 11.8, "mg/m3", "r", None]],
        [["something else"]],
    )  # fmt: skip
    assert [(line, list(cells.values())) for line, cells in rows(content, "b.xlsx")] == [
        (4, ["2020", "diesel", "1389259", "L", "depot", ""]),
        (5, ["2020-Q1", "steel", "0.3", "t", "s", "=x"]),
        (6, ["2020-02-14", "lab.DA002.nmhc", "11.8", "mg/m3", "r", ""]),
    ]


@pytest.mark.parametrize(
    ("style", "period"),
    [("yyyy-mm", "2020-01"), ("mmm-yy", "2020-01"), ('yyyy"年"m"月"', "2020-01"), ("yyyy-mm-dd", "2020-01-01"),
     ('yyyy"年"m"月"d"日"', "2020-01-01"), ("[$-804]yyyy/m/d;@", "2020-01-01")],
)  # fmt: skip
def test_a_month_typed_into_excel_stays_a_month(style: str, period: str) -> None:
    """Excel makes a date of `2020-01`; where the cell shows no day, the month is meant."""
    book = openpyxl.Workbook()
    book.active.append(["period", "item", "value", "unit", "source"])
    book.active.append([datetime(2020, 1, 1), "steel", 1, "t", "s"])
    book.active["A2"].number_format = style
    out = io.BytesIO()
    book.save(out)
    ((_, cells),) = rows(out.getvalue())
    assert cells["period"] == period


def test_formulas() -> None:
    """A formula counts with what Excel computed; one that was never computed stands as it is written."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["period", "item", "value", "unit", "source"])
    sheet.write_row(1, 0, ["2020", "steel", None, "t", "s"])
    sheet.write_formula(1, 2, "=1+1", None, 2)
    book.close()
    ((_, cells),) = rows(out.getvalue())
    assert cells["value"] == "2"
    content = workbook([["period", "item", "value", "unit", "source"], ["2020", "steel", "=1+1", "t", "s"]])
    ((_, cells),) = rows(content)
    assert cells["value"] == "=1+1"


def test_two_sheets_with_lines_are_refused() -> None:
    """Nobody guesses which of two sheets is meant."""
    sheet = [["period", "item", "value", "unit", "source"], ["2020", "steel", 1, "t", "s"]]
    assert "several sheets" in refusal(workbook(sheet, sheet))
