"""This module writes a group's plants into its workbook: a sheet a plant, and one a period that adds them up.

Every total of the group is a formula over the plants' columns, which lead to the plants' own sheets: whoever changes a
share or a figure there sees what the group's becomes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from plantmon.esg.amount import into, quotient
from plantmon.esg.figures import DENOMINATOR
from plantmon.group.adding import Ratio, ratio_of
from plantmon.group.sums import product
from plantmon.model.metric import Figure, Metric, TermKind
from plantmon.reports.esg import plants, tables
from plantmon.reports.esg.material import Grouped, Material, Part, nodes
from plantmon.reports.esg.paper import (
    NAME,
    NARROW,
    NUMBER,
    PERCENT,
    UNIT,
    WIDE,
    Book,
    Formulas,
    cell,
    of_amount,
    unit_of,
)
from plantmon.reports.esg.words import DASH
from plantmon.reports.workbook import sheet_name

_SHARES = 2  # rows of the sheet that adds up: names, ids, shares, then the figures
_FIRST = 3
_ID, _TITLE, _UNIT, _TOTAL, _PLANTS = range(5)  # its columns
_LONGEST = 31  # signs Excel takes for a sheet's name
_VALUE, _BEFORE = 3, 4  # columns of a plant's sheet


@dataclass(frozen=True)
class _Layout:
    """Where a group's figures stand; all its sheets have them in the same rows."""

    material: Material
    group: Grouped

    @cached_property
    def metrics(self) -> list[tuple[str, Metric]]:
        """The denominators and metrics, by the id they are known by here."""
        found = [(f"{DENOMINATOR}{one.id}", one.figure.metric) for one in self.material.annual.denominators]
        return found + [(line.figure.metric.id, line.figure.metric) for line in self.material.annual.lines]

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each."""
        return {id: _FIRST + place for place, (id, _) in enumerate(self.metrics)}

    @cached_property
    def parts(self) -> list[Part]:
        """The plants, a column and a sheet each."""
        return self.group.parts

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of each plant's sheet: its id as far as Excel takes it, with a number where two are alike."""
        found: dict[str, str] = {}
        for part in self.parts:
            name = sheet_name(part.member.id)
            turn = 2
            while name.lower() in {other.lower() for other in found.values()} | self._others:
                name = f"{sheet_name(part.member.id)[: _LONGEST - 4]}~{turn}"
                turn += 1
            found[part.member.id] = name
        return found

    @cached_property
    def _others(self) -> set[str]:
        words = ("cover", "figures", "months", "targets", "caps", "meters", "sources", "restated")
        said = [" ".join(self.material.speech.say(f"sheet.{word}").split("\n")) for word in words]
        return {sheet_name(one).lower() for one in said} | {
            self.sum_sheet(previous=one).lower() for one in (True, False)
        }

    def sum_sheet(self, *, previous: bool) -> str:
        """Name the sheet that adds a period up."""
        period = self.material.annual.previous if previous else self.material.annual.period
        said = " ".join(self.material.speech.say("sheet.consolidation").split("\n"))
        return sheet_name(f"{said} {period}")

    @cached_property
    def periods(self) -> list[bool]:
        """The periods there are: this one, and the one before."""
        return [False] if self.material.annual.previous is None else [False, True]

    def across(self, row: int, *, previous: bool) -> str:
        """Name the plants' cells of a row of the sheet that adds a period up."""
        first, last = cell(row, _PLANTS), cell(row, _PLANTS + len(self.parts) - 1)
        return f"'{self.sum_sheet(previous=previous)}'!{first}:{last}"

    def total(self, id: str, *, previous: bool) -> str:
        """Name the group's cell of a row."""
        return f"'{self.sum_sheet(previous=previous)}'!{cell(self.rows[id], _TOTAL)}"

    def summed(self, id: str, *, previous: bool) -> str:
        """Give the formula that adds up shares times figures; texts in it count as nothing there."""
        figures, shares = self.across(self.rows[id], previous=previous), self.across(_SHARES, previous=previous)
        return f'=IF(COUNT({figures})=0,"{DASH}",SUMPRODUCT({shares},{figures}))'

    def divided(self, top: str, bottom: str, scale: Decimal, *, previous: bool) -> str:
        """Give the formula of a quotient of two sums over the plants that know both."""
        above, below = (self.across(self.rows[id], previous=previous) for id in (top, bottom))
        shares = self.across(_SHARES, previous=previous)
        over = f"SUMPRODUCT({shares},{above},--ISNUMBER({below}))"
        under = f"SUMPRODUCT({shares},{below},--ISNUMBER({above}))"
        return f'=IF({under}=0,"{DASH}",{_times(scale)}{over}/{under})'


def formulas(material: Material) -> Formulas:
    """Give the formulas of the sheet of figures, which lead to those that add up; none for a plant's own report."""
    if material.group is None:
        return Formulas()
    layout = _Layout(material, material.group)
    totals = {
        (id, previous): f"={layout.total(id, previous=previous)}"
        for id, _ in layout.metrics
        for previous in layout.periods
    }
    per = {
        (line.figure.metric.id, name, previous): layout.divided(
            line.figure.metric.id, f"{DENOMINATOR}{name}", Decimal(1), previous=previous
        )
        for line in material.annual.lines
        for name in line.per
        for previous in layout.periods
        # What may not be added has no intensity either, whatever its plants' columns hold.
        if (line.previous_per if previous else line.per).get(name) is not None
    }
    return Formulas(totals, per)


def write(book: Book) -> None:
    """Write the sheets that add up and a sheet a plant; nothing for a plant's own report."""
    if book.material.group is None:
        return
    layout = _Layout(book.material, book.material.group)
    for previous in layout.periods:
        _sum(book, layout, previous=previous)
    for part in layout.parts:
        _plant(book, layout, part)


def _sum(book: Book, layout: _Layout, *, previous: bool) -> None:
    speech = book.speech
    sheet = book.named(layout.sum_sheet(previous=previous))
    heads = [
        speech.say("column.id"),
        speech.say("column.indicator"),
        speech.say("column.unit"),
        speech.say("group_total"),
    ]
    names = [speech.title(part.member.name) for part in layout.parts]
    book.heads(sheet, 0, [*heads, *names], range(_TOTAL, _PLANTS + len(names)))
    book.text(sheet, _SHARES, _TITLE, speech.say("column.holding").replace("\n", " "), bold=True)
    for column, part in enumerate(layout.parts, start=_PLANTS):
        book.text(sheet, 1, column, part.member.id, font_color="#5B6875", align="right")
        holding = part.holding(previous=previous)
        book.value(sheet, _SHARES, column, None if holding is None else holding.share, "0.#########%", bold=True)
    figures = dict(_figures(book.material, previous=previous))
    for id, metric in layout.metrics:
        row, figure = layout.rows[id], figures.get(id)
        book.text(sheet, row, _ID, id, font_color="#5B6875")
        book.text(sheet, row, _TITLE, speech.title(metric.name))
        book.text(sheet, row, _UNIT, unit_of(speech, metric.unit))
        for column, part in enumerate(layout.parts, start=_PLANTS):
            stated = part.figure(id, previous=previous)
            source = f"='{layout.names[part.member.id]}'!{cell(row, _BEFORE if previous else _VALUE)}"
            value = None if stated is None else stated.value
            book.formula(sheet, row, column, source, value, of_amount(value, metric.decimals))
        _total(book, sheet, layout, metric, id, figure, previous=previous)
    book.widen(sheet, _ID, _ID, 24)
    book.widen(sheet, _TITLE, _TITLE, NAME)
    book.widen(sheet, _UNIT, _UNIT, UNIT)
    book.widen(sheet, _TOTAL, _PLANTS + len(layout.parts), NUMBER)
    sheet.freeze_panes(_FIRST, _PLANTS)


def _figures(material: Material, *, previous: bool) -> Iterator[tuple[str, Decimal | None]]:
    """Give the group's amounts of a period."""
    for one in material.annual.denominators:
        yield f"{DENOMINATOR}{one.id}", one.previous if previous else one.value
    for line in material.annual.lines:
        figure = line.previous if previous else line.figure
        yield line.figure.metric.id, None if figure is None else figure.value


def _total(
    book: Book, sheet: Any, layout: _Layout, metric: Metric, id: str, value: Decimal | None, *, previous: bool
) -> None:  # fmt: skip
    row, pattern = layout.rows[id], of_amount(value, metric.decimals)
    ratio = ratio_of(metric)
    if value is None:
        book.value(sheet, row, _TOTAL, None, pattern)  # also where the plants' figures are no one sum
    elif ratio is not None:
        book.formula(sheet, row, _TOTAL, _ratio(layout, metric, ratio, previous=previous), value, pattern, bold=True)
    else:
        book.formula(sheet, row, _TOTAL, layout.summed(id, previous=previous), value, pattern, bold=True)


def _ratio(layout: _Layout, metric: Metric, ratio: Ratio, *, previous: bool) -> str:
    """Give the formula of a ratio: a share of the whole of the two totals, another of the plants that know both."""
    units = dict(layout.metrics)
    scale = _scale(metric, units[ratio.top].unit, units[ratio.bottom].unit)
    if metric.unit != "%":
        return layout.divided(ratio.top, ratio.bottom, scale, previous=previous)
    top, bottom = (layout.total(id, previous=previous) for id in (ratio.top, ratio.bottom))
    return f"={_times(scale)}{top}/{bottom}"


def _scale(metric: Metric, top: str, bottom: str) -> Decimal:
    value, unit = quotient(Decimal(1), top, Decimal(1), bottom)
    return into(value, unit, metric.unit)


def _times(scale: Decimal) -> str:
    return "" if scale == 1 else f"{scale.normalize():f}*"


def _plant(book: Book, layout: _Layout, part: Part) -> None:
    """Write a plant's sheet: what it states, what of it counts, how it is known."""
    speech, annual = book.speech, book.material.annual
    sheet = book.named(layout.names[part.member.id])
    now, then = annual.period, annual.previous
    names = ("id", "indicator", "unit")
    heads = [*(speech.say(f"column.{name}") for name in names), now, then or ""]
    counted = speech.say("column.consolidated")
    heads += [f"{counted}\n{now}", f"{counted}\n{then}" if then else ""]
    heads += [
        speech.say(f"column.{name}") for name in ("measured", "substituted", "ledger", "missing", "notes", "factors")
    ]
    told = part.now.statement if part.now is not None else None
    state = plants.state_words(speech, part).replace("\n", " ")
    sheet.write_string(0, 0, speech.title(part.member.name).replace("\n", " "), book.format(bold=True))
    origin = "" if told is None else told.origin
    sheet.write_string(0, _VALUE, f"{state}  {origin}", book.format(font_color="#5B6875"))
    book.heads(sheet, _FIRST - 1, heads, range(_VALUE, 11))
    column = _PLANTS + layout.parts.index(part)
    for id, metric in layout.metrics:
        row = layout.rows[id]
        book.text(sheet, row, 0, id, font_color="#5B6875")
        book.text(sheet, row, 1, speech.title(metric.name))
        book.text(sheet, row, 2, unit_of(speech, metric.unit))
        for previous in layout.periods:
            place = _BEFORE if previous else _VALUE
            stated, holding = part.figure(id, previous=previous), part.holding(previous=previous)
            value = None if stated is None else stated.value
            pattern = of_amount(value, metric.decimals)
            book.value(sheet, row, place, value, pattern, bold=not previous)
            if ratio_of(metric) is None:
                share = f"'{layout.sum_sheet(previous=previous)}'!{cell(_SHARES, column)}"
                own = cell(row, place)
                part_of = None if value is None or holding is None else product(holding.share, value)
                formula = f'=IF(AND(ISNUMBER({own}),ISNUMBER({share})),{own}*{share},"{DASH}")'
                book.formula(sheet, row, place + 2, formula, part_of, pattern)
        _known(book, sheet, row, part.figure(id))
    book.widen(sheet, 0, 0, 24)
    book.widen(sheet, 1, 1, NAME)
    book.widen(sheet, 2, 2, UNIT)
    book.widen(sheet, _VALUE, _BEFORE + 2, NUMBER)
    book.widen(sheet, 7, 10, NARROW)
    book.widen(sheet, 11, 12, WIDE)
    sheet.freeze_panes(_FIRST, _VALUE)


def _known(book: Book, sheet: Any, row: int, figure: Figure | None) -> None:
    """Write how a plant's figure is known: coverage, notes, factors."""
    speech = book.speech
    if figure is None:
        return
    shares = figure.coverage
    if figure.metric.group != "denominator":
        for place, share in enumerate((shares.measured, shares.substituted, shares.ledger, shares.missing), start=7):
            sheet.write_number(row, place, share, book.number(PERCENT))
    book.text(sheet, row, 11, "; ".join(tables.remarks(speech, figure)).replace("\n", " "))
    factors = [term for term in nodes(figure.term) if term.kind is TermKind.FACTOR and term.value is not None]
    said = [f"{term.id} {term.value:f} {speech.unit(term.unit)}".replace("\n", "/") for term in factors]
    book.text(sheet, row, 12, "; ".join(dict.fromkeys(said)))
