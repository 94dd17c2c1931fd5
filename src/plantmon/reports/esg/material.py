"""This module says what a report of the annual tables is made from: the figures, and what stands beside them.

Everything here is data, gathered before; the forms only print it. The sources are taken from the derivations
themselves, so that a report names exactly what its figures were computed from, also one that was frozen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from plantmon.esg.figures import DENOMINATOR
from plantmon.model.group import Approach, Holding, Member
from plantmon.model.metric import Annual, FactorUsed, Figure, Line, Term, TermKind
from plantmon.model.plant import Name
from plantmon.reports.esg.words import Speech, rounded
from plantmon.times import PlantTime

_COUNTED = frozenset({TermKind.METER, TermKind.EMISSION, TermKind.VOLUME})


@dataclass(frozen=True, slots=True)
class CapUse:
    """What was used of a permitted quantity by the end of the period; `passed` is the day it was exceeded."""

    outlet: str
    outlet_name: Name
    pollutant: Name
    period: str
    used: Decimal | None
    maximum: Decimal
    unit: str
    passed: str | None = None

    @property
    def share(self) -> Decimal | None:
        """Give the share used."""
        return None if self.used is None or not self.maximum else self.used / self.maximum


@dataclass(frozen=True, slots=True)
class MeterUse:
    """What a meter of the tree counted in the period and in the one before; the depth is that below its main meter.

    One without an id is what the parent counted and none of its children did.
    """

    id: str
    name: Name
    quantity: str
    unit: str
    depth: int
    value: Decimal | None
    previous: Decimal | None = None
    share: Decimal | None = None  # of its parent


@dataclass(frozen=True, slots=True)
class Restated:
    """A figure that a published report had otherwise."""

    metric: str
    name: Name
    unit: str
    decimals: int
    old: Decimal | None
    new: Decimal | None
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Part:
    """A plant of a group: its shares and what it states, in the period and in the one before; None: none of it."""

    member: Member
    now: Holding | None
    before: Holding | None

    def figure(self, id: str, *, previous: bool = False) -> Figure | None:
        """Give what the plant states of a metric, of a denominator where the id begins so."""
        told = self.holding(previous=previous)
        if told is None or told.statement is None:
            return None
        is_divisor = id.startswith(DENOMINATOR)
        stated = told.statement.denominators if is_divisor else told.statement.figures
        return stated.get(id.removeprefix(DENOMINATOR) if is_divisor else id)

    def holding(self, *, previous: bool) -> Holding | None:
        """Give its share and statement of one of the two periods."""
        return self.before if previous else self.now


@dataclass(frozen=True, slots=True)
class Grouped:
    """What the report of a group has besides: its approach, and the plants of the period and of the one before."""

    approach: Approach
    holdings: tuple[Holding, ...]
    previous: tuple[Holding, ...] = ()

    @property
    def parts(self) -> list[Part]:
        """Give the plants, those of the period first."""
        now, before = ({one.member.id: one for one in some} for some in (self.holdings, self.previous))
        members = {one.member.id: one.member for one in (*self.previous, *self.holdings)}
        return [Part(members[id], now.get(id), before.get(id)) for id in dict.fromkeys([*now, *before])]


@dataclass(frozen=True, slots=True)
class Material:
    """A report's contents. `kind` is year, quarter or month, `month_names` those of the period, such as 2020-07."""

    annual: Annual
    kind: str
    plant_id: str
    plant_name: Name
    permit: str | None
    time: PlantTime
    month_names: tuple[str, ...]
    now_ms: int
    language: str
    caps: tuple[CapUse, ...] = ()
    meters: tuple[MeterUse, ...] = ()
    restated: tuple[Restated, ...] = ()
    group: Grouped | None = None

    @property
    def speech(self) -> Speech:
        """Give the language."""
        return Speech(self.language)

    def line(self, id: str) -> Line | None:
        """Find a metric's line."""
        return next((line for line in self.annual.lines if line.figure.metric.id == id), None)

    def groups(self) -> list[tuple[str, list[Line]]]:
        """Give the lines by table, both in the catalogue's order."""
        found: dict[str, list[Line]] = {}
        for line in self.annual.lines:
            found.setdefault(line.figure.metric.group, []).append(line)
        return list(found.items())


def nodes(term: Term) -> Iterator[Term]:
    """Walk a derivation, the term itself first."""
    yield term
    for part in term.terms:
        yield from nodes(part)


def factors_of(figure: Figure, annual: Annual) -> list[FactorUsed]:
    """Give the factors a figure was computed with, in the order of its derivation."""
    known = {(factor.id, factor.value): factor for factor in annual.factors}
    found: dict[tuple[str, Decimal], FactorUsed] = {}
    for term in nodes(figure.term):
        if term.kind is TermKind.FACTOR and term.value is not None:
            key = (term.id, term.value)
            found.setdefault(key, known.get(key) or _factor_of(term, term.value))
    return list(found.values())


def _factor_of(term: Term, value: Decimal) -> FactorUsed:
    return FactorUsed(term.id, term.name, value, term.unit, "", "", term.source, term.certainty)


def sources(annual: Annual, kinds: frozenset[TermKind]) -> list[Term]:
    """Give the terms of some kinds that the period's figures rest on, each once, in order of first use."""
    found: dict[tuple[object, ...], Term] = {}
    for line in annual.lines:
        for term in nodes(line.figure.term):
            if term.kind in kinds:
                found.setdefault((term.kind, term.id, term.source, term.value, term.look, term.notes), term)
    return list(found.values())


def ledger_lines(annual: Annual) -> list[Term]:
    """Give the ledger lines the period's figures rest on."""
    return sources(annual, frozenset({TermKind.LEDGER}))


def counted(annual: Annual) -> list[Term]:
    """Give the meters and outlets the period's figures rest on, each over the longest time it stands for."""
    found: dict[tuple[TermKind, str], Term] = {}
    for term in sources(annual, _COUNTED):
        key = term.kind, term.id
        if key not in found or _length_ms(found[key]) < _length_ms(term):
            found[key] = term
    return list(found.values())


def _length_ms(term: Term) -> int:
    return 0 if term.look is None else term.look.end_ms - term.look.start_ms


def uneven_totals(annual: Annual) -> list[Line]:
    """Give the totals whose printed parts add up to another last digit: each number is rounded for itself."""
    by_id = {line.figure.metric.id: line for line in annual.lines}
    return [line for line in annual.lines if _is_uneven(line.figure, by_id)]


def _is_uneven(figure: Figure, by_id: dict[str, Line]) -> bool:
    parts = figure.term.terms
    if figure.value is None or figure.term.kind is not TermKind.SUM or not parts:
        return False
    shown = Decimal(0)
    for part in parts:
        line = by_id.get(part.id)
        if line is None or line.figure.metric.unit != figure.metric.unit or line is by_id.get(figure.metric.id):
            return False
        if line.figure.value is not None:
            shown += rounded(line.figure.value, line.figure.metric.decimals)
    return shown != rounded(figure.value, figure.metric.decimals)
