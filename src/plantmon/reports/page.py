"""This module writes a report as one HTML page: no script, nothing loaded from elsewhere, made to be printed on A4."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from plantmon.notify.wording import shown_unit
from plantmon.reports.document import Against, Cell, Document, Missing, Moment, Part, Scope
from plantmon.reports.facts import facts
from plantmon.reports.words import DIGITS, figure

_TEMPLATES = Environment(
    loader=PackageLoader("plantmon.reports", "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_UNITS = "unit"
_TIMES_OVER = frozenset({"multiple", "most_over", "mean_over"})
FEW_DIGITS = 3  # of how many times a value is over its limit
_WRONG = frozenset({"exceed", "exceed_at_least", "exceeded", "report_overdue", "repair_overdue", "passed_on"})
_FREE_TEXT = frozenset({"cause", "action", "earlier_notes", "reason", "measures", "note", "why", "excursions", "state"})


_UNBROKEN = frozenset({"outlet", "outlet_name", "window", "bounds", "unit", "point", "period", "by", "kind"})


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as the page has it: its words, the small print beside them, and how it stands."""

    words: str
    aside: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part as the page has it."""

    name: str
    title: str
    headings: tuple[tuple[str, str], ...]  # words, style
    rows: tuple[tuple[Shown, ...], ...]
    count: str
    nothing: str
    remark: str


def page(document: Document) -> str:
    """Write the page."""
    return _TEMPLATES.get_template("report.html").render(
        language=document.scope.language,
        document=document,
        facts=[(label, words) for label, words in facts(document) if words not in document.notices],
        sections=[_section(part, document.scope) for part in document.parts],
    )


def _section(part: Part, scope: Scope) -> Section:
    columns, rows = part.chosen(on_page=True)
    numeric = [
        any(_is_number(row[place]) for row in rows)
        and all(_is_number(row[place]) or row[place] is None or isinstance(row[place], Missing) for row in rows)
        for place in range(len(columns))
    ]
    headings = tuple(
        (column.heading, _style(column.key, is_numeric=right)) for column, right in zip(columns, numeric, strict=True)
    )
    shown = tuple(
        tuple(
            _shown(cell, column.key, scope, is_numeric=right)
            for cell, column, right in zip(row, columns, numeric, strict=True)
        )
        for row in rows
    )
    count = scope.say("rows", count=len(rows))
    return Section(part.name, part.title, headings, shown, count, part.nothing, part.remark)


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _style(key: str, *, is_numeric: bool) -> str:
    if is_numeric:
        return "number"
    return "free" if key in _FREE_TEXT else "unbroken" if key in _UNBROKEN else ""


def _shown(cell: Cell, key: str, scope: Scope, *, is_numeric: bool) -> Shown:
    style = _style(key, is_numeric=is_numeric)
    if cell is None:
        return Shown("", style=style)
    if isinstance(cell, Missing):
        return Shown("–", cell.reason, f"{style} missing".strip())
    if cell and key in _WRONG:
        style = f"{style} wrong".strip()
    if isinstance(cell, Moment):
        return Shown(scope.plant.time.show(cell.at_ms).removesuffix(":00"), style=f"{style} moment".strip())
    if isinstance(cell, bool):
        return Shown(scope.say("yes" if cell else "no"), style=style if cell else f"{style} quiet".strip())
    if isinstance(cell, int):
        return Shown(str(cell), style=style if cell else f"{style} quiet".strip())
    if isinstance(cell, float):
        bound = cell.bound if isinstance(cell, Against) else None
        return Shown(figure(cell, bound, FEW_DIGITS if key in _TIMES_OVER else DIGITS), style=style)
    return Shown((shown_unit(cell) or "") if key == _UNITS else cell, style=style)
