"""This module proves each form of a report: table, CSV, JSON, workbook and page, whatever a cell holds."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from html.parser import HTMLParser

import openpyxl
import pytest
from builders import a_plant
from hypothesis import given
from hypothesis import strategies as st

from plantmon.compliance.permit import BEGINNING_MS, Permit
from plantmon.model.plant import Name
from plantmon.reports.document import Against, Cell, Column, Document, Missing, Moment, Part, Scope
from plantmon.reports.forms import part_as, report_as_json, report_as_table
from plantmon.reports.page import page
from plantmon.reports.workbook import sheet_name, workbook
from plantmon.times import DAY_MS

PLANT = a_plant(name=Name("Works <1> & Co", "一厂"), permit="=HYPERLINK(1)")
AT = PLANT.time.parse("2020-03-01 08:00")
COLUMNS = (
    Column("outlet", "outlet"),
    Column("from", "from"),
    Column("peak", "peak"),
    Column("amount", "amount"),
    Column("at_least", "at least"),
    Column("cause", "cause"),
    Column("limit", "limit", on_page=False),
    Column("bounds", "permitted", in_table=False),
)
ROW: list[Cell] = [
    "DA001", Moment(AT), Against.of(50.0000004, 50.0), Missing("unknown", "not measured"), True, "=1+1", "DA001/nox/1h",
    "≤ 50 mg/m³",
]  # fmt: skip


def a_scope(language: str = "en") -> Scope:
    """Give a scope of a day; no part here reads its store."""
    permit = Permit([(BEGINNING_MS, PLANT)])
    return Scope(sqlite3.connect(":memory:"), PLANT, permit, {}, AT, AT + DAY_MS, AT + DAY_MS, language)


def a_part(*rows: list[Cell], name: str = "register") -> Part:
    """Give a part with these rows."""
    return Part(name, "Register: a/b", COLUMNS, list(rows), "Nothing was exceeded.", "A remark.")


def a_document(*rows: list[Cell], language: str = "en") -> Document:
    """Give a report of one part."""
    return Document("compliance", "Report", "2020-03-01", a_scope(language), ("Not over.",), (a_part(*rows),))


def sheets(document: Document) -> openpyxl.Workbook:
    """Read the workbook back."""
    return openpyxl.load_workbook(io.BytesIO(workbook(document)))


def test_table_and_csv_have_words() -> None:
    """A table and CSV show plant time, a dash with its reason, and no column that is for the page alone."""
    [head, row] = csv.reader(io.StringIO(part_as(a_part(ROW), a_scope(), "csv")))
    assert head == ["outlet", "from", "peak", "amount", "at least", "cause", "limit"]
    assert row == ["DA001", "2020-03-01 08:00:00", "50.0000004", "– (not measured)", "yes", "=1+1", "DA001/nox/1h"]
    assert "2020-03-01 08:00:00" in part_as(a_part(ROW), a_scope(), "table")
    assert part_as(a_part(ROW), a_scope("zh"), "csv").splitlines()[1].split(",")[4] == "是"


def test_an_empty_table_says_so() -> None:
    """Without rows a table says so in words; CSV and JSON stay what a program expects."""
    assert part_as(a_part(), a_scope(), "table") == "Nothing was exceeded."
    assert part_as(a_part(), a_scope(), "csv") == "outlet,from,peak,amount,at least,cause,limit"
    assert json.loads(part_as(a_part(), a_scope(), "json")) == []


def test_json_is_for_programs() -> None:
    """Every column is there, numbers are numbers, instants have their distance from UTC, what is missing is null."""
    told = json.loads(report_as_json(a_document(ROW)))
    assert told["plant"] == {"id": "test-plant", "name": "Works <1> & Co", "permit": "=HYPERLINK(1)"}
    assert (told["from"], told["notices"]) == ("2020-03-01T08:00:00+08:00", ["Not over."])
    assert told["register"] == [
        {
            "outlet": "DA001", "from": "2020-03-01T08:00:00+08:00", "peak": 50.0000004, "amount": None,
            "at_least": True, "cause": "=1+1", "limit": "DA001/nox/1h", "bounds": "≤ 50 mg/m³",
            "missing": {"amount": "unknown"},
        }
    ]  # fmt: skip


def test_whole_report_as_tables() -> None:
    """All parts stand under their titles, the notices first."""
    lines = report_as_table(a_document(ROW)).splitlines()
    assert lines[:2] == ["Report  2020-03-01", "Not over."]
    assert "Register: a/b" in lines


def test_workbook_keeps_numbers_and_texts_apart() -> None:
    """Numbers are numbers with all their digits; texts are texts, also where they begin like a formula."""
    sheet = sheets(a_document(ROW))["Register  a b"]
    assert [cell.value for cell in sheet[1]] == ["outlet", "from", "peak", "amount", "at least", "cause", "limit"]
    cells = sheet[2]
    assert [cell.value for cell in cells] == [
        "DA001", "2020-03-01 08:00:00", 50.0000004, "– (not measured)", "yes", "=1+1", "DA001/nox/1h"
    ]  # fmt: skip
    assert [cell.data_type for cell in cells] == ["s", "s", "n", "s", "s", "s", "s"]
    assert sheet.freeze_panes == "A2"
    assert sheet.page_setup.orientation == "landscape"
    assert all(sheet.column_dimensions[letter].width >= 8 for letter in "ABCDEFG")


def test_workbook_begins_with_what_it_is() -> None:
    """The first sheet names plant, permit, period and notices, none of it a formula."""
    book = sheets(a_document(ROW))
    cover = book[book.sheetnames[0]]
    told = {row[0].value: row[1] for row in cover.iter_rows(min_row=3, max_col=2)}
    assert told["Discharge permit"].value == "=HYPERLINK(1)"
    assert {cell.data_type for cell in told.values()} == {"s"}
    assert told["Note"].value == "Not over."


def test_an_empty_sheet_says_so() -> None:
    """A part without rows has its head and a sentence."""
    sheet = sheets(a_document())["Register  a b"]
    assert sheet["A2"].value == "Nothing was exceeded."


@given(st.text(max_size=50))
def test_every_title_is_a_sheet_name(title: str) -> None:
    """A sheet's name has at most 31 signs, none that Excel refuses, no quote at its edges."""
    name = sheet_name(title)
    assert len(name) <= 31
    assert not set(name) & set("[]:*?/\\")
    assert name == name.strip("' ")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_whatever_somebody_typed_comes_back_from_the_workbook_as_text(words: str) -> None:
    """A typed text, control characters and all, is a text cell and never a formula."""
    row: list[Cell] = [*ROW[:5], words, *ROW[6:]]
    cell = sheets(a_document(row))["Register  a b"].cell(2, 6)
    assert cell.data_type in ("s", "inlineStr") or (not words and cell.value is None)


class _Reader(HTMLParser):
    """Reads a page: its tags, what they load, its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loaded: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loaded += [
            value or "" for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")
        ]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(text: str) -> _Reader:
    """Read a page."""
    reader = _Reader()
    reader.feed(text)
    return reader


def test_page_escapes_what_people_wrote() -> None:
    """Markup in a name or a cause is shown, not obeyed."""
    row: list[Cell] = [*ROW[:5], "<script>alert('1')</script>", *ROW[6:]]
    text = page(a_document(row))
    assert "<script" not in text
    reader = read(text)
    assert "<script>alert('1')</script>" in reader.words
    assert "Works <1> & Co" in reader.words


def test_page_needs_nothing_else() -> None:
    """The page holds no script and loads nothing, from here or elsewhere."""
    text = page(a_document(ROW))
    reader = read(text)
    assert reader.tags <= {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "small", "dl", "div", "dt", "dd", "p",
        "nav", "a", "section", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    assert reader.loaded == []
    assert not re.search(r"url\(|@import|https?:", text)


@pytest.mark.parametrize(("language", "lang", "yes"), [("en", "en", "yes"), ("zh", "zh-CN", "是")])
def test_page_shows_each_kind_of_cell(language: str, lang: str, yes: str) -> None:
    """Times are short, numbers have the digits that tell them from their limit, a dash has its reason beside it."""
    text = page(a_document(ROW, language=language))
    words = read(text).words
    assert f'<html lang="{lang}">' in text
    assert {"2020-03-01 08:00", "50.0000004", "–", "not measured", yes, "≤ 50 mg/m³"} <= set(words)
    assert "DA001/nox/1h" not in words
    assert "Nothing was exceeded." in read(page(a_document(language=language))).words
