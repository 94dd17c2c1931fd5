"""This module proves what the annual tables say as JSON, CSV, text and page, from an annual report made by hand."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from annual_tables import CAPS, MEASURED, TOTALS, VEHICLES, a_line, a_material, an_annual

from plantmon.model.metric import Term, TermKind
from plantmon.model.plant import Name
from plantmon.reports.esg import beside, plain, tables
from plantmon.reports.esg.charts import Bars, Charts, Stack, caps, charts, energy, years
from plantmon.reports.esg.material import Restated, uneven_totals
from plantmon.reports.esg.page import page
from plantmon.reports.esg.words import Speech, amount, change_pct, intensity, share_pct

NO_CHARTS = Charts([])


def _json(**changes: Any) -> dict[str, Any]:
    return json.loads(plain.as_json(a_material(**changes)), parse_float=Decimal, parse_int=Decimal)


def _metric(found: dict[str, Any], id: str) -> dict[str, Any]:
    return next(one for one in found["metrics"] if one["id"] == id)


def test_json_has_the_published_shape() -> None:
    """The object and each of its metrics have the keys that programs were promised, and plant and year as they are."""
    found = _json()
    assert (found["plant"], found["year"]) == ("cq-truck", 2020)
    assert {one["id"] for one in found["metrics"]} == {*TOTALS, "paint"}
    for one in found["metrics"]:
        assert {"id", "unit", "value", "previous", "per", "coverage", "factors", "codes"} <= set(one)
        assert set(one["coverage"]) == {"measured", "substituted", "ledger", "missing"}


def test_json_is_not_rounded() -> None:
    """Values keep every digit they were computed with, as numbers and not as texts."""
    found = _json()
    assert _metric(found, "energy.total")["value"] == Decimal("13348.7564222095")
    assert _metric(found, "electricity.purchased")["value"] == Decimal(39_525_934)
    per = _metric(found, "electricity.purchased")["per"]["vehicle"]
    assert abs(per * VEHICLES - Decimal(39_525_934)) < Decimal("1e-15")
    assert "e+" not in plain.as_json(a_material()).lower()


def test_json_of_what_is_not_measured() -> None:
    """What is not known is null with its reason, never 0; what is 0 is 0."""
    found = _json()
    steel, incidents = _metric(found, "steel"), _metric(found, "incidents")
    assert (steel["value"], steel["reason"], steel["per"]["vehicle"], steel["change"]) == (
        None,
        "no_ledger",
        None,
        None,
    )
    assert steel["previous"] == Decimal("60123.5")
    assert incidents["value"] == 0
    assert incidents["reason"] is None


def test_json_names_the_factors_of_a_figure() -> None:
    """Each figure has the factors it was computed with, those of its parts too, with source and certainty."""
    found = _json()
    assert [one["id"] for one in _metric(found, "ghg.scope1")["factors"]] == ["fuel.diesel.co2"]
    grid = _metric(found, "ghg.total")["factors"][1]
    assert (grid["id"], grid["value"], grid["own"]) == ("grid.location", Decimal("0.581"), True)
    assert grid["source"] == "notice of the ministry, no. 111 of 2022"
    assert _metric(found, "steel")["factors"] == []


def test_json_has_months_by_name() -> None:
    """The months of a figure stand by their names and add up to it."""
    months = _metric(_json(), "diesel")["months"]
    assert list(months) == [f"2020-{month:02}" for month in range(1, 13)]
    assert sum(months.values()) == Decimal(1_389_259)


def test_csv_is_a_row_a_metric() -> None:
    """The plain table has every digit; what is not known is an empty cell with its reason beside it."""
    rows = list(csv.DictReader(io.StringIO(plain.as_csv(a_material()))))
    by_id = {row["id"]: row for row in rows}
    assert len(rows) == len(TOTALS) + 1
    assert Decimal(by_id["gasoline"]["value"]) == Decimal("86964.15")
    assert by_id["energy.total"]["value"] == "13348.7564222095"
    assert (by_id["steel"]["value"], by_id["steel"]["reason"]) == ("", "no line in the ledger")
    assert by_id["air.nox"]["substituted"] == "0.038"
    assert by_id["waste.hazardous"]["hkex"] == "KPI A1.3"


def test_csv_in_both_languages_has_two_names() -> None:
    """With both languages a name stands in each of two columns."""
    row = next(csv.DictReader(io.StringIO(plain.as_csv(a_material(language="both")))))
    assert (row["name_zh"], row["name_en"]) == ("整车产量", "Vehicles")


@pytest.mark.parametrize(
    ("id", "total", "per_vehicle"),
    [
        ("electricity.purchased", "39,525,934", "814.97"),
        ("water.purchased", "693,180", "14.29"),
        ("natural_gas", "5,035,480", "103.82"),
        ("gasoline", "86,964.15", "1.79"),
        ("diesel", "1,389,259.00", "28.64"),
        ("waste.hazardous", "719.72", "1.48×10⁻²"),
    ],
)
def test_published_intensities(id: str, total: str, per_vehicle: str) -> None:
    """Totals of a printed table give the intensities it printed: 48,500 vehicles."""
    line = a_material().line(id)
    assert line is not None
    assert line.figure.value is not None
    assert amount(line.figure.value, line.figure.metric.decimals) == total
    assert intensity(line.figure.value / VEHICLES) == per_vehicle


@pytest.mark.parametrize("language", ["en", "zh", "both"])
def test_the_page_says_why_there_is_a_dash(language: str) -> None:
    """Every reason, note and share behind a figure is on the page, in the language asked for."""
    written = page(a_material(language=language), NO_CHARTS)
    said = {
        "en": ("no line in the ledger", "not monitored", "no factor for this year: grid.market",
               "hours below the detection limit: 1204", "3.8 % of the time is substituted",
               "the sum of what is known; 0.7 % is missing", "2019: no data in this period"),
        "zh": ("台账无记录", "未监测", "该年份无适用因子：grid.market", "低于检出限的小时数：1204",
               "3.8 % 的时段为替代数据", "为已知部分之和，缺失 0.7 %", "2019: 该时段无数据"),
    }  # fmt: skip
    for one in ("en", "zh") if language == "both" else (language,):
        for sentence in said[one]:
            assert sentence in written
    assert "<script" not in written
    assert not re.search(r"""(src|href)=["']?(https?:|//)""", written)


def test_the_page_and_the_table_print_the_same() -> None:
    """A key figure, its table row and the terminal's table print one value and one unit."""
    material = a_material()
    tile = next(one for one in tables.tiles(material) if one.label.startswith("Greenhouse gases"))
    row = next(
        row for table in tables.groups(material) for row in table.rows if row[0].words.endswith("scopes 1 and 2")
    )
    assert (tile.value, tile.unit) == ("37,650.79", "tCO₂e") == (row[2].words, row[1].words)
    assert "37,650.79" in plain.as_table(material)
    assert page(material, NO_CHARTS).count("37,650.79") == 3  # of the months' table, too


def test_names_cannot_break_the_page() -> None:
    """A name that looks like markup or a formula is printed as it is."""
    written = page(a_material(plant_name=Name('<b>Works</b> & "Sons"', "厂")), NO_CHARTS)
    assert "<b>Works" not in written
    assert "&lt;b&gt;Works&lt;/b&gt;" in written
    assert "=paint &amp; &lt;thinner&gt;" in written


def test_what_the_plant_does_not_have_is_said_in_one_line() -> None:
    """A figure computed from a carrier the plant never had takes no row; one that should be measured does."""
    line = a_line("energy.kerosene", None, None, MEASURED)
    assert line.previous is not None
    lacking = replace(
        line, figure=replace(line.figure, reason="no_ledger"), previous=replace(line.previous, reason="no_ledger")
    )
    assert tables.is_folded(lacking)
    assert not tables.is_folded(a_line("kerosene", None, None, MEASURED))
    table = tables.groups(a_material(annual=an_annual(lines=(lacking, a_line("steel", None, None, MEASURED)))))
    assert [len(one.rows) for one in table] == [0, 1]
    assert table[0].below == "– kerosene in standard coal: no line in the ledger"


def test_a_metric_without_previous_period() -> None:
    """A report of one period alone has neither previous columns nor changes."""
    lines = tuple(replace(line, previous=None, previous_per={}) for line in (a_line("diesel", "10", None, MEASURED),))
    annual = an_annual(previous=None, lines=lines)
    (table,) = tables.groups(a_material(annual=annual))
    assert [heading.words for heading in table.headings] == ["Indicator", "Unit", "2020", "2020", "2020", "Basis"]
    assert _json(annual=annual)["metrics"][0]["previous"] is None


def test_totals_whose_parts_print_otherwise_are_named() -> None:
    """Rounding is in print alone: where the parts printed add up to another last digit, the page says so."""
    annual = an_annual()
    total = next(line for line in annual.lines if line.figure.metric.id == "ghg.total")
    # 14686.22 + 22964.57 = 37650.79 as printed, and the total prints 37650.79.
    assert total not in uneven_totals(annual)
    moved = [replace(line, figure=replace(line.figure, value=Decimal("37650.784999"))) if line is total else line
             for line in annual.lines]  # fmt: skip
    uneven = an_annual(lines=tuple(moved))
    assert [line.figure.metric.id for line in uneven_totals(uneven)] == ["ghg.total"]
    assert "differ in the last digit" in page(a_material(annual=uneven), NO_CHARTS)


def test_targets_and_caps() -> None:
    """Targets say what was reached in their own unit and whether that is enough; an exceeded quantity its day."""
    material = a_material()
    targets, used = tables.targets(material), beside.caps(material)
    assert targets is not None
    assert used is not None
    assert [cell.words for cell in targets.rows[0]] == [
        "Purchased electricity",
        "kWh/vehicle",
        "≤ 800",
        "814.97",
        "not met",
    ]
    assert [cell.words for cell in targets.rows[1]][3:] == ["719.72", "met"]
    assert [row[6].words for row in used.rows] == ["26.7 %", "103.4 %", "–"]
    assert used.rows[1][7].words == "2020-12-11"


def test_a_years_target_in_a_month() -> None:
    """A month against a year's amount says how much of it is used; per vehicle it is met or not as in a year."""
    month = a_material(kind="month", month_names=("2020-07",))
    targets = tables.targets(month)
    assert targets is not None
    # 719.72 t of 750 t.
    assert [row[4].words for row in targets.rows] == ["not met", "96.0 % of the year's"]


def test_restated_figures_are_listed() -> None:
    """A restated report lists old and new values with the reason."""
    one = Restated("diesel", Name("diesel", "柴油"), "L", 2, Decimal(1_389_000), Decimal(1_389_259), "late bill", 0)
    written = page(a_material(restated=(one,)), NO_CHARTS)
    assert "1,389,000.00" in written
    assert "late bill" in written
    assert _json(restated=(one,))["restated"][0]["old"] == 1_389_000


def test_the_meter_tree_says_what_nobody_counted() -> None:
    """Meters stand under their parents, with shares, and what is unexplained is named."""
    (table,) = beside.meters(a_material())
    assert table.title == "Electricity by workshop"
    assert [row[0].words for row in table.rows] == ["E-MAIN", "E-PAINT", "Unexplained"]
    assert [row[0].marks for row in table.rows] == ["Main meter", "Paint shop", ""]
    assert [row[-1].words for row in table.rows] == ["", "40.0 %", "60.0 %"]


def test_ledger_lines_are_added_up_by_document() -> None:
    """Lines of one item and document are one row of the page with their count and time; equal lines count each."""
    metric = a_line("diesel", "30", "1", MEASURED).figure.metric
    lines = tuple(
        Term(TermKind.LEDGER, metric.name, Decimal(10), "L", source="depot", id="diesel",
             notes=(f"line:{number}", f"period:2020-0{number}"))
        for number in (1, 2, 3)
    )  # fmt: skip
    line = a_line("diesel", "30", "1", MEASURED)
    line = replace(line, figure=replace(line.figure, term=replace(line.figure.term, terms=lines)))
    table = beside.ledger(a_material(annual=an_annual(lines=(line,))))
    assert table is not None
    assert [cell.words for cell in table.rows[0]] == ["Diesel", "30", "L", "3", "2020-01 … 2020-03", "depot"]


# Charts


def test_energy_is_stacked_by_carrier() -> None:
    """Each month's parts add up to the total's own month, small carriers drawn together."""
    drawing = energy(a_material(), Speech("en"))
    assert isinstance(drawing, Stack)
    assert [name for name, _ in drawing.parts] == ["Purchased electricity", "Natural gas (0 °C)", "Diesel", "Other"]
    january = sum(values[0] for _, values in drawing.parts)
    assert january == pytest.approx(13348.7564222095 * 0.092, rel=1e-9)
    assert drawing.months[0] == "01"


def test_charts_show_caps_and_changes() -> None:
    """The fullest quantity comes first, unknown ones not at all; a change is drawn with its own words."""
    used = caps(a_material(), Speech("en"))
    assert isinstance(used, Bars)
    assert [bar.label for bar in used.bars] == ["DA002 NMHC", "DA001 NOx"]
    assert used.bars[0].beside == "36.20 / 35 t"
    moved = years(a_material(), Speech("en"))
    assert moved is not None
    assert moved.bars[0].beside == "−1.5 %"
    assert caps(a_material(caps=CAPS[2:]), Speech("en")) is None


def test_a_month_alone_has_no_chart_of_months() -> None:
    """A monthly edition has no energy by month and no table of months."""
    material = a_material(kind="month", month_names=("2020-07",))
    assert energy(material, Speech("en")) is None
    assert beside.months(material) is None


def test_charts_are_drawn_alike_each_time() -> None:
    """The child draws one picture each, the same bytes every time, and none of them names a font or an address."""
    one, other = charts(a_material()), charts(a_material())
    assert len(one.pictures) == 3
    assert one == other
    assert one.is_wide == [True, False, False]
    for picture in one.pictures:
        assert picture.startswith("<svg")
        assert "font-family" not in picture
        assert "<image" not in picture


def test_a_page_without_the_drawing_library_says_so() -> None:
    """Where charts cannot be drawn the page is whole without them and says why."""
    drawn = charts(a_material(), drawer="/nonexistent/python")
    assert drawn == Charts([], remark="no_charts")
    assert "drawing library (matplotlib) is not installed" in page(a_material(), drawn)


# Words


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "0"), (1.0, "100"), (0.98123, "98.1"), (0.9999, "> 99.9"), (0.0001, "< 0.1")]
)
def test_shares_do_not_print_as_all_or_nothing(share: float, said: str) -> None:
    """A share that is not quite all or nothing never prints as that."""
    assert share_pct(share) == said


def test_changes_have_their_sign() -> None:
    """A change prints with its sign; one from nothing has none to print."""
    assert change_pct(Decimal("0.0421")) == "+4.2 %"
    assert change_pct(Decimal("-0.00001")) == "0.0 %"
    assert change_pct(None) == "–"


def test_a_code_without_a_sentence_stands_as_it_is() -> None:
    """A reason that has no sentence yet is printed by its code; a tax reason by the tax's own sentence."""
    assert Speech("en").code("reason", "brand_new:x") == "brand_new:x"
    assert Speech("en").code("note", "tax:lowered").startswith("lowered")


def test_the_kinds_of_sources_have_words() -> None:
    """Every kind of term can be named, in both languages."""
    for kind in TermKind:
        assert Speech("both").say(f"term.{kind}")
