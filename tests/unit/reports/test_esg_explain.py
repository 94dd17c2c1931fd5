"""This module proves how a derivation is shown: its tree, as deep as asked, as text and JSON."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from annual_tables import MEASURED, TIME, a_line, a_material, denominators

from plantmon.model.metric import Look, Term, TermKind
from plantmon.model.plant import Name
from plantmon.reports.esg.explain import Depth, Within, as_object, as_text, deepened, of_line
from plantmon.reports.esg.plain import json_text
from plantmon.reports.esg.words import Speech
from plantmon.times import DAY_MS, HOUR_MS

START = TIME.parse("2020-03-01")
METER = Term(
    TermKind.METER, Name("main meter", "总表"), Decimal(48), "kWh", id="E-MAIN",
    look=Look(TermKind.METER, "E-MAIN", START, START + 2 * DAY_MS),
)  # fmt: skip
LEVELS = {None: (TermKind.MONTH, 1), TermKind.MONTH: (TermKind.DAY, 2), TermKind.DAY: (TermKind.HOUR, 24)}


def _look_into(term: Term) -> tuple[Term, ...]:
    """Cut a term's span into equal parts: one month, two days, 24 hours a day, then one reading."""
    if term.look is None:
        return ()
    if term.look.level is TermKind.HOUR:
        return (Term(TermKind.READING, Name("reading", "读数"), Decimal(7), "kWh", notes=("arrived:later",)),)
    level, count = LEVELS[term.look.level]
    assert term.value is not None
    step = (term.look.end_ms - term.look.start_ms) // count
    starts = [term.look.start_ms + turn * step for turn in range(count)]
    return tuple(
        Term(level, Name(f"{level}", f"{level}"), term.value / count, "kWh",
             look=Look(TermKind.METER, "E-MAIN", start, start + step, level))
        for start in starts
    )  # fmt: skip


def _kinds(term: Term) -> list[str]:
    return [str(term.kind)] + [kind for part in term.terms for kind in _kinds(part)]


@pytest.mark.parametrize(
    ("depth", "counts"),
    [
        (Depth.TERM, {}),
        (Depth.MONTH, {"month": 1}),
        (Depth.DAY, {"month": 1, "day": 2}),
        (Depth.HOUR, {"month": 1, "day": 2, "hour": 48}),
        (Depth.READING, {"month": 1, "day": 2, "hour": 48, "reading": 48}),
    ],
)
def test_each_depth_shows_its_levels(depth: Depth, counts: dict[str, int]) -> None:
    """A depth shows every level down to its own and none below."""
    top = Term(TermKind.SUM, Name("all", "合计"), Decimal(48), "kWh", (METER,))
    kinds = _kinds(deepened(top, depth, _look_into))
    assert {kind: kinds.count(kind) for kind in ("month", "day", "hour", "reading") if kind in kinds} == counts


def test_the_figure_alone() -> None:
    """Depth figure shows the value without what it is made of."""
    top = of_line(a_line("ghg.scope1", "14686.218417", "1", MEASURED), None)
    shown = deepened(top, Depth.FIGURE, _look_into)
    assert (shown.value, shown.terms) == (Decimal("14686.218417"), ())


def test_a_span_bounds_what_is_looked_up() -> None:
    """Only the days and hours that touch the span asked for are shown."""
    within = Within(START + 3 * HOUR_MS, START + 5 * HOUR_MS)
    kinds = _kinds(deepened(METER, Depth.HOUR, _look_into, within))
    assert (kinds.count("day"), kinds.count("hour")) == (1, 2)


def test_ledger_lines_show_what_they_replaced() -> None:
    """A ledger line is looked into beyond the terms, for the lines it took the place of."""
    line = Term(TermKind.LEDGER, Name("diesel", "柴油"), Decimal(5), "L", notes=("line:7",), id="diesel")
    old = Term(
        TermKind.LEDGER, Name("diesel", "柴油"), Decimal(6), "L", notes=("line:3", "superseded:typo"), id="diesel"
    )
    shown = deepened(line, Depth.DAY, lambda term: (old,) if term is line else ())
    assert [part.value for part in shown.terms] == [Decimal(6)]
    assert "replaced: typo" in as_text(shown, Speech("en"))


def test_per_unit_is_a_quotient() -> None:
    """Per vehicle, the tree begins with the quotient of the figure's own tree and the denominator's."""
    line = a_material().line("ghg.scope1")
    assert line is not None
    top = of_line(line, denominators()[0])
    assert top.kind is TermKind.QUOTIENT
    assert [part.value for part in top.terms] == [Decimal("14686.218417"), Decimal(48_500)]
    assert top.value == Decimal("14686.218417") / Decimal(48_500)


def test_the_tree_reads_as_a_tree() -> None:
    """The text has a line a term, with value, unit, and where it is from."""
    line = a_material().line("ghg.scope2.location")
    assert line is not None
    source = "grid.location; notice of the ministry, no. 111 of 2022; plant file"
    assert as_text(of_line(line, None), Speech("en")).splitlines() == [
        "greenhouse gases, scope 2, location-based: 22,964.567654 tCO₂e  [ghg.scope2.location]",
        "├─ purchased electricity: 39,525,934 kWh  [electricity.purchased]",
        "│  └─ Main meter: 39,525,934 kWh  [E-MAIN]",
        f"└─ × grid factor, national: 0.581 kgCO₂/kWh  [{source}]",
    ]


def test_the_object_has_every_digit() -> None:
    """JSON has kind, value, unit and source of every term, and the span of what can be looked into."""
    month = _look_into(METER)[0]
    found = json.loads(json_text(as_object(month, TIME)), parse_float=Decimal)
    assert (found["kind"], found["value"], found["unit"], found["point"]) == ("month", 48, "kWh", "E-MAIN")
    assert found["from"] == "2020-03-01T00:00:00+08:00"
    lacking = as_object(Term(TermKind.MISSING, Name("x", "x"), None, "", reason="no_ledger"), TIME)
    assert (lacking["value"], lacking["reason"]) == (None, "no_ledger")
