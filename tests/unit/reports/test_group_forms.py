"""This module proves a group's report in its forms; the workbook's formulas are computed by other arithmetic."""

# ruff: noqa: E501 - a case a line reads as a table

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import openpyxl
import pytest
from group_story import a_factor, a_group, a_holding, a_statement

from plantmon.group.annual import annual
from plantmon.group.sums import Sums
from plantmon.reports.esg import plain, plants, tables
from plantmon.reports.esg.charts import Charts, energy
from plantmon.reports.esg.material import Grouped, Material
from plantmon.reports.esg.page import page
from plantmon.reports.esg.workbook import workbook

POWER = "electricity.purchased"
ONE = {POWER: "100.5", "energy.diesel": "1", "energy.total": "4", "energy.share.diesel": "25", "own.rate": "3",
       "output_value": "50", "energy.per_output": "0.08"}  # fmt: skip
TWO = {POWER: "200", "energy.diesel": "9", "energy.total": "12", "energy.share.diesel": "75", "output_value": None,
       "ghg.total": None}  # fmt: skip
NUMBER = r"[-+]?\d+(?:\.\d+)?"


def a_material(language: str = "en") -> Material:
    """Give the report of three plants, one of which is missing this year and one the year before."""
    now = (
        a_holding("a", "60", a_statement("a", ONE, "10", factors={POWER: [a_factor("fuel.x", "2")]},
                                         changes={"own.rate": {"unit": "%"}})),
        a_holding("b", "75.5", a_statement("b", TWO, "50", published=None)),
        a_holding("gone", "10", None),
    )  # fmt: skip
    before = (
        a_holding("a", "50", a_statement("a", {POWER: "90", "energy.total": "5"}, "9", period="2019")),
        a_holding("b", "75.5", None),
    )
    group = a_group([one.member for one in now])
    found = annual(group, "2020", Sums(now), "2019", Sums(before))
    return Material(
        annual=found, kind="year", plant_id=group.id, plant_name=group.name, permit=None, time=group.time,
        month_names=tuple(f"2020-{month:02}" for month in range(1, 9)), now_ms=group.time.parse("2021-02-01"),
        language=language, group=Grouped(group.approach, now, before),
    )  # fmt: skip


def test_json_names_the_plants_of_each_figure() -> None:
    """The object has the group, its approach, its plants' shares and states, and of each figure what each plant adds."""
    found = json.loads(plain.as_json(a_material()), parse_float=Decimal)
    assert (found["group"], found["approach"], found["name"]["zh"]) == ("trucks", "equity", "卡车集团")
    assert "plant" not in found
    assert [(one["id"], one["share"], one["previous_share"], one["state"]) for one in found["plants"]] == [
        ("a", Decimal("0.6"), Decimal("0.5"), "published"), ("b", Decimal("0.755"), Decimal("0.755"), "provisional"),
        ("gone", Decimal("0.1"), None, "missing"),
    ]  # fmt: skip
    power = next(one for one in found["metrics"] if one["id"] == POWER)
    assert power["value"] == Decimal("100.5") * Decimal("0.6") + 151
    assert [(one["plant"], one["value"], one["amount"], one["reason"]) for one in power["plants"]] == [
        ("a", Decimal("100.5"), Decimal("60.3"), None), ("b", 200, 151, None), ("gone", None, None, "plant_missing"),
    ]  # fmt: skip
    assert power["plants"][0]["factors"][0]["id"] == "fuel.x"
    assert power["plants"][0]["coverage"]["measured"] == 1.0
    assert "plants_missing:gone" in power["notes"]
    assert "plants_provisional:b" in power["notes"]


def test_csv_has_a_column_a_plant() -> None:
    """Behind the usual columns stands what each plant states, empty where it states none."""
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(plain.as_csv(a_material())))}
    assert [rows[POWER][f"plant.{id}"] for id in ("a", "b", "gone")] == ["100.5", "200", ""]
    assert rows[POWER]["value"] == "211.3"


@pytest.mark.parametrize("language", ["en", "zh", "both"])
def test_page_and_terminal(language: str) -> None:
    """Approach, missing plants and drafts stand at the head, the plants with their shares in a table."""
    material = a_material(language)
    words = page(material, Charts([]))
    said = plain.as_table(material)
    for form in (words, said):
        assert "gone" in form
        assert "75.5 %" in form
    assert ("equity share" if language == "en" else "股权比例法") in words
    assert ("No report of these plants" if language == "en" else "无本期报告") in said
    assert plants.by_plant(material) is not None
    assert tables.title(material).split("\n")[0] in words


def test_the_chart_of_energy_is_by_carrier() -> None:
    """A group's total is a sum of plants, its chart shows carriers all the same."""
    drawn = energy(a_material(), a_material().speech)
    assert drawn is not None
    # (0.6 x 1 + 0.755 x 9) tce, an eighth of it in each of the months
    assert [(name, values[0]) for name, values in drawn.parts] == [
        ("Diesel in standard coal", pytest.approx((0.6 + 0.755 * 9) / 8))
    ]


class _Sheets:
    """Computes the workbook's formulas from what is typed into it, as a spreadsheet does."""

    def __init__(self, book: Any) -> None:
        self.book = book

    def cell(self, sheet: str, name: str) -> Fraction | str:
        """Give a cell's value."""
        value = self.book[sheet][name.replace("$", "")].value
        if isinstance(value, str) and value.startswith("="):
            return self.compute(sheet, value[1:])
        return value if isinstance(value, str) or value is None else Fraction(str(value))

    def across(self, area: str) -> list[Fraction | str]:
        """Give the values of a row of cells."""
        sheet, _, span = area.replace("'", "").rpartition("!")
        return [self.cell(sheet, cell.coordinate) for row in self.book[sheet][span.replace("$", "")] for cell in row]

    def compute(self, here: str, formula: str) -> Fraction | str:
        """Compute a formula of the kinds there are."""
        if match := re.fullmatch(r"'([^']+)'!(\$[A-Z]+\$\d+)", formula):
            return self.cell(match[1], match[2])
        if match := re.fullmatch(r'IF\(COUNT\(([^)]+)\)=0,"–",(SUMPRODUCT\([^)]+\))\)', formula):
            known = [one for one in self.across(match[1]) if isinstance(one, Fraction)]
            return self.product(match[2]) if known else "–"
        if match := re.fullmatch(rf'IF\((SUMPRODUCT\(.+?\)\))=0,"–",({NUMBER}\*)?(SUMPRODUCT\(.+?\)\))/\1\)', formula):
            bottom = self.product(match[1])
            return Fraction((match[2] or "1*")[:-1]) * self.product(match[3]) / bottom if bottom else "–"
        if match := re.fullmatch(rf"({NUMBER}\*)?('[^']+'!\$[A-Z]+\$\d+)/('[^']+'!\$[A-Z]+\$\d+)", formula):
            top, bottom = self.compute(here, match[2]), self.compute(here, match[3])
            return Fraction((match[1] or "1*")[:-1]) * top / bottom  # type: ignore[operator]
        if match := re.fullmatch(r'IF\(AND\(ISNUMBER\((.+?)\),ISNUMBER\((.+?)\)\),(.+),"–"\)', formula):
            one, two = (
                self.cell(here, name) if "!" not in name else self.compute(here, name) for name in match.groups()[:2]
            )
            if isinstance(one, str) or isinstance(two, str):
                return "–"
            if "*" in match[3]:
                return one * two
            change = match[3].startswith("IF") and "ABS" in match[3]
            return "–" if not two else (one - two) / abs(two) if change else one / two
        raise AssertionError(formula)

    def product(self, formula: str) -> Fraction:
        """Compute a sum of products, in which a text counts as nothing."""
        rows = []
        for area in formula.removeprefix("SUMPRODUCT(").removesuffix(")").split(","):
            if area.startswith("--ISNUMBER("):
                rows.append([Fraction(isinstance(one, Fraction)) for one in self.across(area[11:-1].rstrip(")"))])
            else:
                rows.append([one if isinstance(one, Fraction) else Fraction(0) for one in self.across(area)])
        total = Fraction(0)
        for values in zip(*rows, strict=True):
            found = Fraction(1)
            for value in values:
                found *= value
            total += found
        return total


@pytest.fixture(scope="module")
def books() -> tuple[Any, Any]:
    """Give the workbook, its formulas and its values."""
    content = workbook(a_material())
    return openpyxl.load_workbook(io.BytesIO(content)), openpyxl.load_workbook(io.BytesIO(content), data_only=True)


def test_every_formula_leads_to_the_plants(books: tuple[Any, Any]) -> None:
    """Each total, intensity, share and change computes from the plants' sheets to the value it is stored with."""
    book, values = books
    sheets = _Sheets(book)
    count = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith("="):
                    found, cached = (
                        sheets.compute(sheet.title, cell.value[1:]),
                        values[sheet.title][cell.coordinate].value,
                    )
                    assert cached == (found if isinstance(found, str) else pytest.approx(float(found), rel=1e-12)), cell
                    count += 1
    assert count > 100


def test_the_workbook_has_a_sheet_a_plant(books: tuple[Any, Any]) -> None:
    """Figures lead to a sheet a period, that to a sheet a plant, where figure, coverage and factors stand."""
    book, values = books
    assert book.sheetnames[:7] == ["Report", "Figures", "Plants 2020", "Plants 2019", "a", "b", "gone"]
    row = next(row for row in book["Figures"].iter_rows() if row[0].value == POWER)
    assert row[3].value.startswith("='Plants 2020'!")
    assert values["Figures"][row[3].coordinate].value == pytest.approx(211.3)
    own = next(row for row in values["a"].iter_rows() if row[0].value == POWER)
    assert [cell.value for cell in own[3:8]] == [100.5, 90, 60.3, 45, 1]
    assert "fuel.x 2" in own[12].value
    assert values["Plants 2020"]["E3"].value == 0.6
    assert own[3].data_type == "n"


def test_what_is_refused_is_no_formula(books: tuple[Any, Any]) -> None:
    """A ratio of a plant's own stands in the plant's sheet, and the group's cell is a dash with its reason."""
    book, _ = books
    row = next(row for row in book["Figures"].iter_rows() if row[0].value == "own.rate")
    assert row[3].value == "–"
    assert any("cannot be added up" in str(cell.value) for cell in row)
    own = next(row for row in book["a"].iter_rows() if row[0].value == "own.rate")
    assert own[3].value == 3
