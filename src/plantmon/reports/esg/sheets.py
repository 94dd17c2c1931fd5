"""This module writes the sheets beside the figures: months, targets, permitted quantities, meters, sources."""

from __future__ import annotations

from typing import Any

from plantmon.reports.esg import beside, tables
from plantmon.reports.esg.charts import energy
from plantmon.reports.esg.material import counted, ledger_lines
from plantmon.reports.esg.paper import (
    NAME,
    NARROW,
    NUMBER,
    PERCENT,
    UNIT,
    WIDE,
    Book,
    cell,
    decimals,
    guarded,
    of_amount,
    of_intensity,
    unit_of,
)
from plantmon.reports.esg.words import Speech

_PARTS = ("#1D5FA8", "#E0A030", "#2F7D6B", "#7FB2D9", "#C4602B", "#8A6FA8", "#9AA6B2", "#D5C95A")


def months(book: Book) -> None:
    """Write the months of each figure, with the energy of each month as a chart."""
    material, speech = book.material, book.speech
    names = material.month_names
    lines = [line for line in material.annual.lines if len(line.figure.months) == len(names)]
    if len(names) < 2 or not lines:
        return
    sheet = book.sheet("months")
    first = 2 + len(speech.languages)
    named = [Speech(one).say("column.indicator") for one in speech.languages]
    heads = [speech.say("column.id"), *named, speech.say("column.unit"), *names, material.annual.period]
    book.heads(sheet, 0, heads, range(first, len(heads)))
    for row, line in enumerate(lines, start=1):
        figure, metric = line.figure, line.figure.metric
        book.text(sheet, row, 0, metric.id, font_color="#5B6875")
        for place, language in enumerate(speech.languages, start=1):
            book.text(sheet, row, place, Speech(language).title(metric.name))
        book.text(sheet, row, first - 1, unit_of(speech, metric.unit))
        for place, value in enumerate(figure.months, start=first):
            book.value(sheet, row, place, value, of_amount(value, metric.decimals))
        last = first + len(names)
        book.value(sheet, row, last, figure.value, of_amount(figure.value, metric.decimals), bold=True)
    book.widen(sheet, 0, 0, 24)
    book.widen(sheet, 1, len(speech.languages), NAME + 4)
    book.widen(sheet, first - 1, first - 1, UNIT)
    book.widen(sheet, first, first + len(names), 13)
    sheet.freeze_panes(1, first)
    _energy_chart(book, sheet, len(lines) + 3)


def _energy_chart(book: Book, sheet: Any, row: int) -> None:
    """Draw the energy of each month by carrier below the months, from numbers that stand beside it."""
    drawing = energy(book.material, book.speech)
    if drawing is None:
        return
    first = 2 + len(book.speech.languages)
    book.text(sheet, row, 1, drawing.title, bold=True)
    for place, name in enumerate(drawing.months, start=first):
        book.text(sheet, row, place, name, align="right")
    chart = book.book.add_chart({"type": "column", "subtype": "stacked"})
    for turn, (name, values) in enumerate(drawing.parts, start=row + 1):
        book.text(sheet, turn, 1, name)
        for place, value in enumerate(values, start=first):
            sheet.write_number(turn, place, value, book.number(decimals(1)))
        last = first + len(values) - 1
        chart.add_series(
            {
                "name": [sheet.get_name(), turn, 1],
                "categories": [sheet.get_name(), row, first, row, last],
                "values": [sheet.get_name(), turn, first, turn, last],
                "gap": 50,
                "fill": {"color": _PARTS[(turn - row - 1) % len(_PARTS)]},
            }
        )
    chart.set_title({"name": drawing.title, "name_font": {"size": 12}})
    chart.set_y_axis({"major_gridlines": {"visible": True, "line": {"color": "#E4E7EB"}}, "line": {"none": True}})
    chart.set_size({"width": 980, "height": 320})
    sheet.insert_chart(row + len(drawing.parts) + 2, 1, chart)


def targets(book: Book) -> None:
    """Write the targets against what was reached."""
    speech = book.speech
    lines = [(line, target) for line in book.material.annual.lines for target in line.targets]
    if not lines:
        return
    sheet = book.sheet("targets")
    columns = [speech.say(f"column.{name}") for name in ("id", "indicator", "unit")]
    book.heads(sheet, 0, [*columns, "≥", "≤", speech.say("column.reached"), speech.say("column.state")])
    for row, (line, target) in enumerate(lines, start=1):
        book.text(sheet, row, 0, line.figure.metric.id, font_color="#5B6875")
        book.text(sheet, row, 1, speech.title(line.figure.metric.name))
        book.text(sheet, row, 2, tables.target_unit(book.material, target).replace("\n", " / "))
        for place, value in enumerate((target.minimum, target.maximum), start=3):
            if value is not None:
                sheet.write_number(row, place, float(value), book.number("#,##0.######"))
        book.value(sheet, row, 5, target.reached, of_intensity(target.reached), bold=True)
        book.text(sheet, row, 6, tables.state_of(book.material, target)[0])
    book.widen(sheet, 0, 1, NAME)
    book.widen(sheet, 2, 6, NUMBER)


def caps(book: Book) -> None:
    """Write the permitted quantities against what was emitted."""
    speech = book.speech
    if not book.material.caps:
        return
    sheet = book.sheet("caps")
    names = ("outlet", "name", "pollutant", "period", "unit", "used", "cap", "used_pct", "passed")
    book.heads(sheet, 0, [speech.say(f"column.{name}") for name in names])
    for row, cap in enumerate(book.material.caps, start=1):
        said = (
            cap.outlet,
            speech.name(cap.outlet_name),
            speech.name(cap.pollutant),
            cap.period,
            unit_of(speech, cap.unit),
        )
        for place, word in enumerate(said):
            book.text(sheet, row, place, word)
        book.value(sheet, row, 5, cap.used, of_intensity(cap.used), bold=True)
        book.value(sheet, row, 6, cap.maximum, "#,##0.######")
        used, most = cell(row, 5), cell(row, 6)
        book.formula(sheet, row, 7, guarded(used, most, f"{used}/{most}"), cap.share, PERCENT)
        book.text(sheet, row, 8, cap.passed or "")
    book.widen(sheet, 0, 0, NARROW)
    book.widen(sheet, 1, 2, NAME)
    book.widen(sheet, 3, 8, NUMBER)
    sheet.freeze_panes(1, 0)


def meters(book: Book) -> None:
    """Write the meter trees."""
    speech, annual = book.speech, book.material.annual
    if not book.material.meters:
        return
    sheet = book.sheet("meters")
    heads = [speech.say("column.meter"), speech.say("column.name"), speech.say("column.unit"), annual.period]
    book.heads(sheet, 0, [*heads, annual.previous or "", speech.say("column.share")])
    for row, meter in enumerate(book.material.meters, start=1):
        book.text(sheet, row, 0, meter.id, indent=meter.depth)
        book.text(sheet, row, 1, speech.name(meter.name))
        book.text(sheet, row, 2, unit_of(speech, meter.unit))
        book.value(sheet, row, 3, meter.value, decimals(2), bold=True)
        book.value(sheet, row, 4, meter.previous, decimals(2))
        if meter.depth:
            book.value(sheet, row, 5, meter.share, PERCENT)
    book.widen(sheet, 0, 1, NAME)
    book.widen(sheet, 2, 5, NUMBER)
    sheet.freeze_panes(1, 0)


def sources(book: Book) -> None:
    """Write one sheet of sources: factors with their documents, ledger lines, meters and outlets."""
    material, speech = book.material, book.speech
    sheet = book.sheet("sources")
    names = ("kind", "id", "name", "value", "unit", "data_year", "issued", "source", "certainty", "own")
    book.heads(sheet, 0, [speech.say(f"column.{name}") for name in names])
    row = 1
    for factor in material.annual.factors:
        said = (speech.say("column.factor"), factor.id, speech.name(factor.name))
        for place, word in enumerate(said):
            book.text(sheet, row, place, word)
        book.value(sheet, row, 3, factor.value, "#,##0.##########")
        certainty = speech.code("certainty", factor.certainty)
        own = speech.say("yes") if factor.is_own else ""
        rest = (unit_of(speech, factor.unit), factor.data_year, factor.published, factor.source, certainty, own)
        for place, word in enumerate(rest, start=4):
            book.text(sheet, row, place, word)
        row += 1
    for term in [*ledger_lines(material.annual), *counted(material.annual)]:
        kind = speech.say("basis.ledger" if term.kind == "ledger" else f"kind.{term.kind}")
        for place, word in enumerate((kind, term.id, speech.name(term.name))):
            book.text(sheet, row, place, word)
        book.value(sheet, row, 3, term.value, "#,##0.######")
        book.text(sheet, row, 4, unit_of(speech, term.unit))
        book.text(sheet, row, 7, term.source or beside.origin(speech, term))
        row += 1
    book.widen(sheet, 0, 0, NUMBER)
    book.widen(sheet, 1, 2, NAME)
    book.widen(sheet, 3, 6, NUMBER)
    book.widen(sheet, 7, 7, WIDE)
    book.widen(sheet, 8, 9, NUMBER)
    sheet.freeze_panes(1, 0)


def restated(book: Book) -> None:
    """Write what a published report had otherwise."""
    speech = book.speech
    if not book.material.restated:
        return
    sheet = book.sheet("restated")
    names = ("id", "indicator", "unit", "old", "new", "why", "when")
    book.heads(sheet, 0, [speech.say(f"column.{name}") for name in names])
    for row, one in enumerate(book.material.restated, start=1):
        for place, word in enumerate((one.metric, speech.name(one.name), unit_of(speech, one.unit))):
            book.text(sheet, row, place, word)
        book.value(sheet, row, 3, one.old, decimals(one.decimals))
        book.value(sheet, row, 4, one.new, decimals(one.decimals), bold=True)
        book.text(sheet, row, 5, one.reason)
        book.text(sheet, row, 6, book.material.time.show(one.at_ms))
    book.widen(sheet, 0, 1, NAME)
    book.widen(sheet, 2, 4, NUMBER)
    book.widen(sheet, 5, 5, WIDE)
    book.widen(sheet, 6, 6, 20)


ALL = (restated, months, targets, caps, meters, sources)  # in the order of the workbook
