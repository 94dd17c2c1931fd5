"""This module proves the workbook of the annual tables, read back and its formulas computed by other arithmetic."""

from __future__ import annotations

import io
import re
from fractions import Fraction
from typing import Any

import openpyxl
import pytest
from annual_tables import TOTALS, a_material

from plantmon.reports.esg.workbook import workbook

FORMULA = re.compile(r'=IF\(AND\(ISNUMBER\((\$[A-Z]+\$\d+)\),ISNUMBER\((\$[A-Z]+\$\d+)\)\),IF\(\2=0,"–",(.+)\),"–"\)')


def _book(material: Any, *, values: bool = False) -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(material)), data_only=values)


def _computed(sheet: Any, formula: str) -> Fraction | str:
    """Compute a guarded quotient or change the way Excel does, with fractions."""
    match = FORMULA.fullmatch(formula)
    assert match is not None, formula
    top, bottom = (sheet[name.replace("$", "")].value for name in match.groups()[:2])
    if isinstance(top, str) or isinstance(bottom, str) or top is None or bottom is None or bottom == 0:
        return "–"
    exact_top, exact_bottom = Fraction(top), Fraction(bottom)
    is_change = match[3].startswith("(")
    return (exact_top - exact_bottom) / abs(exact_bottom) if is_change else exact_top / exact_bottom


@pytest.fixture(scope="module")
def figures() -> tuple[Any, Any]:
    """Give the sheet of figures, its formulas and its values."""
    material = a_material()
    return _book(material)["Figures"], _book(material, values=True)["Figures"]


def test_every_formula_gives_its_cached_value(figures: tuple[Any, Any]) -> None:
    """Intensities and changes are formulas on cells of the sheet, and the value stored with each is what they give."""
    sheet, values = figures
    count = 0
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and cell.value.startswith("=") and cell.column > 3:
                found, cached = _computed(sheet, cell.value), values[cell.coordinate].value
                assert cached == (found if isinstance(found, str) else pytest.approx(float(found), rel=1e-14))
                count += 1
    assert count > 150


def test_intensities_follow_the_denominators(figures: tuple[Any, Any]) -> None:
    """A per-vehicle cell divides its row's total by the cell of the vehicles above the table."""
    sheet, _ = figures
    row = next(row for row in sheet.iter_rows() if row[0].value == "electricity.purchased")
    made = next(row for row in sheet.iter_rows() if row[1].value == "vehicle")
    assert made[3].value == 48_500
    formula = row[6].value
    assert f"$D${row[0].row}/$D${made[0].row}" in formula
    assert float(_computed(sheet, formula)) == pytest.approx(814.967711, abs=5e-7)


def test_missing_figures_are_dashes_with_reasons(figures: tuple[Any, Any]) -> None:
    """What is not known is a dash, in formulas on it too, and its reason stands in the row."""
    _, values = figures
    row = next(row for row in values.iter_rows() if row[0].value == "steel")
    assert [row[3].value, row[5].value, row[6].value] == ["–", "–", "–"]
    assert "no line in the ledger" in [cell.value for cell in row]
    assert all(cell.value != 0 for cell in row[3:10])


def test_numbers_are_numbers_with_their_decimals(figures: tuple[Any, Any]) -> None:
    """Totals are unrounded numbers, shown with the catalogue's decimals; a tiny one keeps its digits."""
    sheet, _ = figures
    rows = {row[0].value: row for row in sheet.iter_rows()}
    assert rows["energy.total"][3].value == 13348.7564222095
    assert rows["energy.total"][3].number_format == "#,##0.00"
    assert rows["electricity.purchased"][3].number_format == "#,##0"
    assert rows["air.so2"][3].number_format == "0.00E+00"
    assert set(TOTALS) <= set(rows)


def test_names_never_become_formulas() -> None:
    """A metric whose name begins with = is text in every sheet."""
    book = _book(a_material())
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == "=paint & <thinner>"]
    assert len(cells) == 2
    assert all(cell.data_type == "s" for cell in cells)


def test_sheets_in_each_language() -> None:
    """The sheets are named in the language asked for; with both, names stand in two columns."""
    assert _book(a_material()).sheetnames == [
        "Report", "Figures", "Months", "Targets", "Permitted quantities", "Meters", "Sources",
    ]  # fmt: skip
    assert _book(a_material(language="zh")).sheetnames[1] == "绩效数据"
    both = _book(a_material(language="both")).worksheets[1]
    row = next(row for row in both.iter_rows() if row[0].value == "diesel")
    assert [row[1].value, row[2].value] == ["柴油", "Diesel"]


def test_sources_are_one_sheet() -> None:
    """Factors stand with value, unit, year, document and certainty; ledger lines and meters where they are from."""
    sheet = _book(a_material())["Sources"]
    rows = {row[1].value: [cell.value for cell in row] for row in sheet.iter_rows(min_row=2)}
    assert rows["grid.location"][3:] == [
        0.581, "kgCO₂/kWh", "2021", "2022-03-15", "notice of the ministry, no. 111 of 2022", "plant file", "yes",
    ]  # fmt: skip
    assert rows["diesel"][0] == "ledger"
    assert rows["diesel"][7] == "fuel depot ledger, no. 7"
    assert rows["E-MAIN"][3] == 39_525_934


def test_months_add_up_in_the_sheet() -> None:
    """The months of a figure stand beside one another and add up to its total."""
    sheet = _book(a_material())["Months"]
    row = next(row for row in sheet.iter_rows() if row[0].value == "diesel")
    assert sum(cell.value for cell in row[3:15]) == pytest.approx(row[15].value, rel=1e-12)
    assert row[15].value == 1_389_259


def test_caps_have_their_share_as_a_formula() -> None:
    """What is used of a permitted quantity is a formula too; an unknown amount a dash."""
    sheet = _book(a_material(), values=True)["Permitted quantities"]
    rows = {row[0].value: [cell.value for cell in row] for row in sheet.iter_rows(min_row=2)}
    assert rows["DA002"][7] == pytest.approx(36.2 / 35)
    assert (rows["DW001"][5], rows["DW001"][7]) == ("–", "–")


def test_rows_are_as_high_as_their_texts() -> None:
    """No text of several lines lies over the next row where a viewer does not fit rows by itself."""
    checked = 0
    for sheet in _book(a_material(language="both")):
        for row in sheet.iter_rows():
            lines = max(str(cell.value or "").count("\n") + 1 for cell in row)
            if lines > 1:
                checked += 1
                assert (sheet.row_dimensions[row[0].row].height or 15) >= min(lines, 5) * 15, row[0].coordinate
    assert checked > 20
