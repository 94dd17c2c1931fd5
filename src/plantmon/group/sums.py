"""This module adds up one period of a group: each figure the exact sum of share times figure, with its plants named.

Nothing is rounded in a sum. A plant whose figure is unknown is left out of it and named; a group's figure is unknown
where no plant knows one, and where what plants state cannot be one sum. Of an intensity both sums are of the same
plants: those that know both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from functools import cached_property

from plantmon.errors import UnitError
from plantmon.esg.amount import into, quotient
from plantmon.esg.figures import intensity
from plantmon.group.adding import Ratio, is_additive, ratio_of
from plantmon.group.basis import clash
from plantmon.model.group import Holding, Statement
from plantmon.model.metric import Coverage, FactorUsed, Figure, Metric, Term, TermKind
from plantmon.model.plant import Name
from plantmon.tables.metrics import catalogue, find
from plantmon.texts import text

_EXACT = Context(prec=250)  # shares of 11 digits times figures between 1e-60 and 1e60: no sum of these is rounded
_NONE = frozenset({"no_meter", "no_monitor", "no_source", "not_configured", "no_ledger"})  # the plant has no such thing
_OWN = ("ledger_differs", "ledger_outside")  # notes that speak of one plant's ledger
_WHOLE = Coverage(missing=0.0)
_PARTS_OF_A_WHOLE = "%"


@dataclass(frozen=True, slots=True)
class Count:
    """The plants of a figure, by id: who knows it, who does not, who has no such thing, who states nothing at all."""

    known: Mapping[str, Decimal]  # share times figure
    unknown: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    provisional: tuple[str, ...] = ()

    @property
    def lacking(self) -> frozenset[str]:
        """The plants whose part is not in the sum."""
        return frozenset((*self.unknown, *self.missing))


def total(values: Iterable[Decimal]) -> Decimal:
    """Add up decimals without rounding."""
    found = Decimal(0)
    for value in values:
        found = _EXACT.add(found, value)
    return found


def product(share: Decimal, value: Decimal) -> Decimal:
    """Multiply without rounding."""
    return _EXACT.multiply(share, value)


class Sums:
    """The figures of a group in one period, each worked out once."""

    def __init__(self, holdings: Sequence[Holding]) -> None:
        self.holdings = holdings
        self._figures: dict[str, Figure] = {}

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The metrics any plant states, in the order of the catalogue, the plants' own behind them."""
        found: dict[str, Figure] = {}
        intensive = set()
        for statement in self._statements():
            for id, figure in statement.figures.items():
                chosen = found.setdefault(id, figure)
                if chosen.value is None and figure.value is not None:
                    found[id] = figure  # its unit is that of a figure
                if figure.metric.is_intensive:
                    intensive.add(id)
        order = {metric.id: place for place, metric in enumerate(catalogue())}
        ids = sorted(found, key=lambda id: _place(id, order))
        return {id: replace(found[id].metric, is_intensive=id in intensive) for id in ids}

    @cached_property
    def denominators(self) -> dict[str, Metric]:
        """What any plant divides its figures by."""
        found: dict[str, Metric] = {}
        for statement in self._statements():
            for id, figure in statement.denominators.items():
                found.setdefault(id, figure.metric)
        return found

    @cached_property
    def factors(self) -> tuple[FactorUsed, ...]:
        """The factors the plants used, each value once."""
        found = {(one.id, one.value, one.source): one for statement in self._statements() for one in statement.factors}
        return tuple(found[key] for key in sorted(found))

    def figure(self, id: str) -> Figure:
        """Give the group's figure of a metric."""
        if id not in self._figures:
            metric = self.metrics[id]
            ratio = ratio_of(metric)
            self._figures[id] = self._ratio(metric, ratio) if ratio is not None else self._sum(metric, self._stated(id))
        return self._figures[id]

    def denominator(self, id: str) -> Figure:
        """Give the group's amount of a denominator."""
        return self._sum(self.denominators[id], self._divided_by(id))

    def count(self, id: str) -> Count:
        """Say which plants a metric's figure is of."""
        ratio = ratio_of(self.metrics[id])
        if ratio is not None and {ratio.top, ratio.bottom} <= set(self.metrics):
            parts = [self.count(ratio.top), self.count(ratio.bottom)]
            return replace(parts[0], unknown=_union(part.unknown for part in parts))
        return self._count(self._stated(id))

    def per(self, id: str, denominator: str) -> tuple[Term, Term, tuple[str, ...]] | None:
        """Give what an intensity is the quotient of, the sums of the plants that know both, and these plants.

        None where no plant knows both, or where the figures are no one sum.
        """
        return self._both(id, self._stated(id), self.denominators.get(denominator), self._divided_by(denominator))

    def intensity(self, id: str, denominator: str) -> Decimal | None:
        """Divide the sums of the plants that know both; None where there are none, or the denominator is 0."""
        found = self.per(id, denominator)
        return None if found is None else intensity(found[0].value, found[1].value)

    # parts

    def _statements(self) -> Iterator[Statement]:
        yield from (holding.statement for holding in self.holdings if holding.statement is not None)

    def _stated(self, id: str) -> list[tuple[Holding, Figure | None]]:
        return [(one, one.statement.figures.get(id) if one.statement is not None else None) for one in self.holdings]

    def _divided_by(self, id: str) -> list[tuple[Holding, Figure | None]]:
        return [(one, one.statement.denominators.get(id) if one.statement is not None else None)
                for one in self.holdings]  # fmt: skip

    def _count(self, stated: Sequence[tuple[Holding, Figure | None]]) -> Count:
        known: dict[str, Decimal] = {}
        others: dict[str, list[str]] = {"unknown": [], "without": [], "missing": [], "provisional": []}
        for holding, figure in stated:
            plant = holding.member.id
            if holding.statement is None:
                others["missing"].append(plant)
            elif figure is None or (figure.value is None and _head(figure.reason) in _NONE):
                others["without"].append(plant)
            elif figure.value is None:
                others["unknown"].append(plant)
            else:
                known[plant] = product(holding.share, figure.value)
                if holding.is_provisional or {"provisional", "running"} & set(figure.notes):
                    others["provisional"].append(plant)
        return Count(known, **{name: tuple(plants) for name, plants in others.items()})

    def _sum(self, metric: Metric, stated: Sequence[tuple[Holding, Figure | None]]) -> Figure:
        count = self._count(stated)
        there = [(holding, figure) for holding, figure in stated if figure is not None]
        why = clash(metric, there)
        value, reason = None, None
        if why is not None:
            reason = why.reason
        elif count.known and metric.group != "denominator" and not is_additive(metric):
            reason = "not_additive"
        elif count.known:
            value = total(count.known.values())
        else:
            reason = _why_unknown(count, [figure for _, figure in there])
        notes = (*_plants(count), *_notes([figure for _, figure in there if figure.value is not None]))
        terms = tuple(_term(holding, figure, metric) for holding, figure in stated)
        term = Term(TermKind.SUM, metric.name, value, metric.unit, terms, reason=reason, notes=notes, id=metric.id)
        months = () if why is not None or value is None else _months(stated)
        return Figure(metric, value, _coverage(stated, count), term, months, reason, notes)

    def _ratio(self, metric: Metric, ratio: Ratio) -> Figure:
        """Work out a ratio: a share of the whole from the sums, another quotient of the plants that know both."""
        if not {ratio.top, ratio.bottom} <= set(self.metrics):
            return _unknown(metric, "no_data")
        top, bottom = self.figure(ratio.top), self.figure(ratio.bottom)
        terms: tuple[Term, Term] | None = (top.term, bottom.term)
        plants: tuple[str, ...] = ()
        if metric.unit != _PARTS_OF_A_WHOLE:
            both = self._both(ratio.top, self._stated(ratio.top), self.metrics[ratio.bottom],
                              self._stated(ratio.bottom))  # fmt: skip
            terms = both[:2] if both is not None else None
            plants = () if both is None or set(both[2]) == set(self.count(ratio.top).known) else both[2]
        value = None if terms is None else _divided(metric, *terms)
        why = top.reason or bottom.reason or ("no_denominator" if terms is None else "zero_denominator")
        reason = None if value is not None else why
        notes = tuple(
            dict.fromkeys((*top.notes, *bottom.notes, *((f"only_of:{', '.join(plants)}",) if plants else ())))
        )
        months = tuple(
            None if one is None or not other else _in_unit(metric, one, top.metric.unit, other, bottom.metric.unit)
            for one, other in zip(top.months, bottom.months, strict=False)
        )
        term = Term(TermKind.QUOTIENT, metric.name, value, metric.unit, terms or (top.term, bottom.term),
                    reason=reason, notes=notes, id=metric.id)  # fmt: skip
        coverage = mean([top.coverage, bottom.coverage])
        return Figure(metric, value, coverage, term, months if value is not None and not plants else (), reason, notes)

    def _both(
        self, id: str, top: Sequence[tuple[Holding, Figure | None]], divisor: Metric | None,
        bottom: Sequence[tuple[Holding, Figure | None]],
    ) -> tuple[Term, Term, tuple[str, ...]] | None:  # fmt: skip
        """Add up numerator and denominator over the plants that know both."""
        if divisor is None:
            return None
        chosen = [
            (one, other) for one, other in zip(top, bottom, strict=True)
            if one[1] is not None and one[1].value is not None and other[1] is not None and other[1].value is not None
        ]  # fmt: skip
        if not chosen:
            return None
        above = self._sum(self.metrics[id], [one for one, _ in chosen])
        below = self._sum(divisor, [other for _, other in chosen])
        if above.value is None or below.value is None:
            return None
        return above.term, below.term, tuple(one[0].member.id for one, _ in chosen)


def _place(id: str, order: Mapping[str, int]) -> int:
    family = find(id)
    key = id if id in order or family is None else f"{id.partition('.')[0]}.*"
    return order.get(key, len(order))


def _head(reason: str | None) -> str:
    return (reason or "").partition(":")[0]


def _union(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plant for part in parts for plant in part))


def _why_unknown(count: Count, figures: Sequence[Figure]) -> str:
    """Say why nothing is known: plants that are missing first, then a plant's own reason."""
    if count.missing:
        return f"plants_missing:{', '.join(count.missing)}"
    said = [figure.reason for figure in figures if figure.reason]
    return next((reason for reason in said if _head(reason) not in _NONE), said[0] if said else "no_data")


def _plants(count: Count) -> tuple[str, ...]:
    """Name the plants that are not in a sum, or in it for the time being."""
    named = {
        "plants_missing": count.missing, "plants_unknown": count.unknown, "plants_without": count.without,
        "plants_provisional": count.provisional,
    }  # fmt: skip
    has_sum = bool(count.known)
    return tuple(f"{code}:{', '.join(plants)}" for code, plants in named.items() if plants and has_sum)


def _notes(figures: Sequence[Figure]) -> tuple[str, ...]:
    """Gather what plants note of their figures, each once; hours below detection are added up."""
    found: dict[str, None] = {}
    below = 0
    for figure in figures:
        for note in figure.notes:
            code, _, detail = note.partition(":")
            if code == "below_detection" and detail.isdecimal():
                below += int(detail)
            elif code not in _OWN:
                found[note] = None
    return (*found, *((f"below_detection:{below}",) if below else ()))


def _term(holding: Holding, figure: Figure | None, metric: Metric) -> Term:
    """Give a plant's part of a figure: what it states, with its factors, times the share in it."""
    member, told = holding.member, holding.statement
    if told is None:
        return Term(TermKind.MISSING, member.name, None, metric.unit, reason="plant_missing", id=member.id)
    if figure is None:
        return Term(TermKind.MISSING, member.name, None, metric.unit, source=told.origin, reason="not_stated",
                    id=member.id)  # fmt: skip
    state = f"published:{told.published}" if told.published is not None else "not_published"
    notes = (state, *_shares(figure.coverage if figure.value is not None else _WHOLE), *figure.notes)
    stated = replace(figure.term, source=told.origin, notes=notes)
    if figure.value is None:
        return replace(stated, name=member.name, id=member.id)
    name = Name(text("esg.term.share", "en"), text("esg.term.share", "zh"))
    share = Term(TermKind.SHARE, name, holding.share.scaleb(2), "%")
    value = product(holding.share, figure.value)
    return Term(TermKind.PRODUCT, member.name, value, figure.metric.unit, (stated, share), id=member.id)


def _shares(coverage: Coverage) -> Iterator[str]:
    """Give a plant's coverage as notes: the shares of its time that are something."""
    for name in ("measured", "substituted", "ledger", "missing"):
        share = getattr(coverage, name)
        if share:
            yield f"rests_on_{name}:{100 * share:.1f}"


def _coverage(stated: Sequence[tuple[Holding, Figure | None]], count: Count) -> Coverage:
    """Give the coverage of plants together, each weighing alike; nothing of those that lack is covered.

    Plants that have no such thing, and those in which the share is 0, are left out.
    """
    shares = []
    for holding, figure in stated:
        plant = holding.member.id
        if plant in count.without or not holding.share:
            continue
        shares.append(figure.coverage if figure is not None and figure.value is not None else Coverage())
    return mean(shares)


def mean(shares: Sequence[Coverage]) -> Coverage:
    """Give the mean of coverages; of none that nothing is covered."""
    many = len(shares)
    if not many:
        return Coverage()
    part: Callable[[str], float] = lambda name: sum(getattr(one, name) for one in shares) / many  # noqa: E731
    return Coverage(part("measured"), part("substituted"), part("ledger"), part("missing"))


def _months(stated: Sequence[tuple[Holding, Figure | None]]) -> tuple[Decimal | None, ...]:
    """Add up the months of the plants that are in a sum; a month that one of them has not is unknown."""
    known = [(holding.share, figure.months) for holding, figure in stated if figure is not None
             and figure.value is not None]  # fmt: skip
    if len({len(months) for _, months in known}) != 1:
        return ()
    found: list[Decimal | None] = []
    for place in range(len(known[0][1])):
        parts = [(share, months[place]) for share, months in known]
        values = [product(share, value) for share, value in parts if value is not None]
        found.append(total(values) if len(values) == len(parts) else None)
    return tuple(found)


def _divided(metric: Metric, top: Term, bottom: Term) -> Decimal | None:
    if top.value is None or not bottom.value:
        return None
    return _in_unit(metric, top.value, top.unit, bottom.value, bottom.unit)


def _in_unit(metric: Metric, top: Decimal, unit: str, bottom: Decimal, other: str) -> Decimal | None:
    try:
        value, found = quotient(top, unit, bottom, other)
        return into(value, found, metric.unit)
    except UnitError:
        return None


def _unknown(metric: Metric, reason: str) -> Figure:
    term = Term(TermKind.MISSING, metric.name, None, metric.unit, reason=reason, id=metric.id)
    return Figure(metric, None, Coverage(), term, (), reason)
