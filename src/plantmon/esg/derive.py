"""This module works out derivations: from what a book holds and the factors, a figure with its terms and its coverage.

What a plant does not have (no such meter, never a ledger line) is left out of sums. What it has and does not know is a
part that is missing: the sum is that of the rest, with its coverage, and unknown only where nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from plantmon.errors import UnitError
from plantmon.esg.amount import EXACT, into, plain, quotient, scaled, times, total
from plantmon.esg.book import Book, Counted, Released
from plantmon.esg.factors import Factors
from plantmon.esg.tax import TaxLine
from plantmon.esg.volumes import flow_point
from plantmon.model.metric import Coverage, Figure, Look, Metric, Term, TermKind
from plantmon.model.plant import Name, Point
from plantmon.store.ledger import LedgerLine
from plantmon.tables import ledger as items
from plantmon.tables.derivation import Combined, Node, Source, parse
from plantmon.tables.factors import rows_of
from plantmon.tables.load import quantities
from plantmon.times import MINUTE_MS
from plantmon.units import ratio

VOCS = "nmhc"
# What happens now and then: a month without a line of these is no gap.
NOW_AND_THEN = ("refrigerant.", "training.", "incidents", "lab.", "acetylene", "welding_co2")
BURNT = "factor(fuel."  # in the derivation of what greenhouse gases a fuel makes
OF_LINES = ("line", "period")  # notes by which a ledger line is found again
CH4_N2O = "ch4_n2o"
MEDIA = ("air", "water")  # whose tax names every line, what is not taxed, too
_KINDS = {
    "sum": TermKind.SUM, "difference": TermKind.DIFFERENCE, "product": TermKind.PRODUCT, "quotient": TermKind.QUOTIENT,
}  # fmt: skip
LEAVES = frozenset(TermKind) - frozenset(_KINDS.values())
MISSING = Coverage()
NOTHING = Name("", "")


@dataclass(frozen=True, slots=True)
class Result:
    """What a part of a derivation comes to.

    `is_absent`: the plant has no such thing. `is_whole` False: some of it is a longer period's, so that the month has
    no figure of its own. `is_factor`: it has no coverage of its own.
    """

    term: Term
    coverage: Coverage = MISSING
    is_absent: bool = False
    is_whole: bool = True
    is_factor: bool = False

    @property
    def value(self) -> Decimal | None:
        """Its amount."""
        return self.term.value


def absent(reason: str) -> Result:
    """Say that the plant has no such thing."""
    return Result(Term(TermKind.MISSING, NOTHING, None, "", reason=reason), is_absent=True)


class Derivation:
    """Works out metrics over parts [first, until) of a book; each once."""

    def __init__(
        self, book: Book, factors: Factors, metrics: Mapping[str, Metric], first: int = 0, until: int | None = None
    ) -> None:
        self._book = book
        self._factors = factors
        self._metrics = metrics
        self._first = first
        self._until = book.parts if until is None else until
        self._found: dict[str, Result] = {}
        self._tax_terms: dict[int, Term] = {}
        self._sources: dict[str, Callable[..., Result]] = {
            "meters": self._meters,
            "meter": self._one_meter,
            "released": self._one_outlet,
            "ledger": self._ledger,
            "each": self._each,
            "emissions": self._emissions,
            "discharge": self._discharge,
            "factor": self._factor,
            "metric": self.result,
            "quantity": _quantity,
            "tax": self._tax,
        }

    @property
    def span(self) -> tuple[int, int]:
        """The instants it speaks of."""
        return self._book.edges[self._first], self._book.edges[self._until]

    @property
    def _is_whole(self) -> bool:
        """Whether it speaks of all parts."""
        return self._until - self._first == self._book.parts

    def result(self, id: str) -> Result:
        """Work out a metric, in its unit."""
        if id not in self._found:
            metric = self._metrics[id]
            self._found[id] = self._as_metric(metric, self._of(parse(metric.derive)))
        return self._found[id]

    def value(self, id: str) -> Decimal | None:
        """Give a metric's value alone, None where it has none of its own."""
        found = self.result(id)
        return found.value if found.is_whole else None

    def figure(self, id: str) -> Figure:
        """Give a metric's figure, without its months."""
        metric, found = self._metrics[id], self.result(id)
        value = self.value(id)
        reason = None if value is not None else found.term.reason or "no_data"
        return Figure(metric, value, found.coverage, found.term, reason=reason, notes=_notes(found.term))

    def _as_metric(self, metric: Metric, found: Result) -> Result:
        """Put a result into a metric's unit, under its name."""
        term = found.term
        notes: tuple[str, ...] = () if term.kind in LEAVES or term.id else term.notes
        is_co2_only = CH4_N2O not in metric.derive or not self._book.plant.esg.ch4_n2o
        if metric.group == "ghg" and BURNT in metric.derive and is_co2_only and not found.is_absent:
            notes = (*notes, "co2_only")
        if term.kind is TermKind.MISSING:
            return replace(found, term=replace(term, name=metric.name, unit=metric.unit, id=metric.id, notes=notes))
        if term.kind in LEAVES or term.id:
            term = Term(TermKind.SUM, NOTHING, term.value, term.unit, (term,), reason=term.reason)
        try:
            value = None if term.value is None else into(term.value, term.unit, metric.unit)
        except UnitError:
            value, term = None, replace(term, reason=f"unit:{term.unit}")
        term = replace(term, name=metric.name, value=value, unit=metric.unit, id=metric.id, notes=notes)
        return replace(found, term=term)

    def _of(self, node: Node) -> Result:
        if isinstance(node, Source):
            return self._sources[node.name](*node.arguments)
        return self._combined(node)

    # combined

    def _combined(self, node: Combined) -> Result:
        if node.name == "when":
            return self._of(node.parts[0]) if self._holds(node.rule) else absent("not_configured")
        parts = [self._of(part) for part in node.parts]
        if node.name == "first":
            return _first(parts)
        if node.name == "sum":
            return summed(parts)
        left, right = parts
        if node.name == "difference":
            return _difference(left, right)
        if left.is_absent or right.is_absent:
            return left if left.is_absent else right
        return _product(left, right) if node.name == "product" else _quotient(left, right)

    def _holds(self, rule: str) -> bool:
        esg = self._book.plant.esg
        return esg.ch4_n2o if rule == CH4_N2O else esg.grid_method == rule

    # sources

    def _factor(self, id: str) -> Result:
        return Result(self._factors.term(id), is_factor=True)

    def _meters(self, quantity: str, role: str, product: str = "") -> Result:
        meters = self._book.meters(quantity, role, product)
        return summed([self._meter(meter) for meter in meters]) if meters else absent("no_meter")

    def _one_meter(self, id: str) -> Result:
        point = self._book.plant.points.get(id)
        return absent("no_meter") if point is None or point.register is None else self._meter(point)

    def _one_outlet(self, id: str) -> Result:
        point = self._book.plant.points.get(id)
        return absent("no_monitor") if point is None or point.outlet is None else self._outlet(point)

    def _meter(self, meter: Point) -> Result:
        parts = [self._book.counted(meter.id, part) for part in range(self._first, self._until)]
        value = _sum_known([part.value for part in parts])
        start, end = self.span
        term = Term(
            TermKind.METER, meter.name, value, meter.unit, look=Look(TermKind.METER, meter.id, start, end),
            reason=None if value is not None else "no_data", notes=_meter_notes(parts), id=meter.id,
        )  # fmt: skip
        found = Result(term, self._counted_coverage(sum(part.covered_ms for part in parts)))
        if meter.register is not None and meter.register.state == "20degC":
            return _product(found, self._factor("gas.state.20degC"))
        return found

    def _counted_coverage(self, covered_ms: int) -> Coverage:
        due = self._book.due_ms(self._first, self._until)
        share = min(1.0, covered_ms / due) if due > 0 else 0.0
        return Coverage(measured=share, missing=1.0 - share)

    # the ledger

    def _ledger(self, item: str) -> Result:
        lines, outside = self._lines(item)
        reason = f"ledger_outside:{item} {outside[0].period}" if outside else "no_ledger"
        is_whole = self._is_whole or not outside  # a month that shares a line with others has no figure of its own
        if not lines:
            if item not in self._book.items_ever:
                return absent("no_ledger")
            term = Term(TermKind.MISSING, items.named(item), None, "", reason=reason, id=item)
            return Result(term, is_whole=is_whole)
        unit = self._own_unit(item, lines)
        found = summed([self._line(line, unit) for line in lines])
        share = self._ledger_share(item, lines)
        notes = (*found.term.notes, reason) if outside else found.term.notes
        return replace(
            found, term=replace(found.term, notes=notes), coverage=Coverage(ledger=share, missing=1.0 - share),
            is_whole=is_whole,
        )  # fmt: skip

    def _own_unit(self, item: str, lines: Sequence[LedgerLine]) -> str:
        """Give the unit an item is reckoned in: of a fuel the ledger's first for it, else that of its lines."""
        known = items.find(item)
        if known is not None and rows_of(f"fuel.{item}.density"):
            return known.units[0]
        return lines[0].unit

    def _lines(self, item: str) -> tuple[list[LedgerLine], list[LedgerLine]]:
        """Give an item's lines that lie in the parts, and those that stick out of them."""
        start, end = self.span
        lines = self._book.lines.get(item, [])
        inside = [line for line in lines if line.start_ms >= start and line.end_ms <= end]
        rest = [*self._book.overlapping.get(item, []), *(line for line in lines if line not in inside)]
        return inside, [line for line in rest if line.start_ms < end and line.end_ms > start]

    def _line(self, line: LedgerLine, unit: str) -> Result:
        term = Term(
            TermKind.LEDGER, items.named(line.item), line.value, line.unit, source=_document(line),
            notes=(f"line:{line.id}", f"period:{line.period}"), id=line.item,
        )  # fmt: skip
        found = Result(term, Coverage(ledger=1.0, missing=0.0))
        if plain(line.unit) == plain(unit) or not _needs_density(line.unit, unit):
            return found
        density = self._factor(f"fuel.{line.item}.density")
        is_volume = plain(line.unit) == "L"
        return _product(found, density) if is_volume else _quotient(found, density, unit)

    def _ledger_share(self, item: str, lines: Sequence[LedgerLine]) -> float:
        """Give the share of the months that have passed in which there is a line."""
        if item.startswith(NOW_AND_THEN):
            return 1.0
        edges = self._book.edges
        parts = [part for part in range(self._first, self._until) if self._book.elapsed_ms(part, part + 1) > 0]
        touched = [
            part for part in parts if any(one.start_ms < edges[part + 1] and one.end_ms > edges[part] for one in lines)
        ]
        return len(touched) / len(parts) if parts else 1.0

    def _each(self, pattern: str, factor: str) -> Result:
        prefix, family = pattern.removesuffix("*"), factor.removesuffix("*")
        chosen = sorted(item for item in self._book.items_ever if item.startswith(prefix))
        found = []
        for item in chosen:
            lines = self._ledger(item)
            if lines.value is not None or not lines.is_whole:
                found.append(_product(lines, self._factor(f"{family}{item.removeprefix(prefix)}")))
        return summed(found) if found else absent("no_ledger")

    # outlets

    def _emissions(self, kind: str, pollutant: str) -> Result:
        found = []
        for outlet in self._book.plant.outlets.values():
            if outlet.kind != kind:
                continue
            points = [self._book.plant.points[name] for name in outlet.points]
            point = next((point for point in points if point.quantity == pollutant), None)
            if point is not None:
                found.append(self._outlet(point))
            elif kind == "water":
                by_hand = self._laboratory(outlet.id, pollutant)
                if not by_hand.is_absent:
                    found.append(by_hand)
        if not found:
            return absent("no_monitor")
        whole = summed(found)
        if pollutant == VOCS:
            whole = replace(whole, term=replace(whole.term, notes=(*whole.term.notes, "as_carbon")))
        return whole

    def _outlet(self, point: Point) -> Result:
        parts = [self._book.released(point, part) for part in range(self._first, self._until)]
        known = [part for part in parts if part is not None]
        value = total([part.kg for part in known]) if known else None
        start, end = self.span
        name = self._outlet_name(point.outlet or "", quantities()[point.quantity].name)
        term = Term(
            TermKind.EMISSION, name, value, "kg", look=Look(TermKind.EMISSION, point.id, start, end),
            reason=None if value is not None else "no_data", notes=_emission_notes(known), id=point.id,
        )  # fmt: skip
        monitored = Result(term, self._emission_coverage(known))
        if not self._book.plant.esg.lab_fills or point.outlet is None:
            return monitored
        gaps = [self._first + place for place, part in enumerate(parts) if part is None]
        filled = self._laboratory(point.outlet, point.quantity, gaps) if gaps else absent("no_ledger")
        if filled.is_absent or filled.value is None:
            return monitored
        share = len(gaps) / len(parts)
        both = summed([monitored, filled]) if value is not None else filled
        scale = monitored.coverage
        return replace(
            both, coverage=Coverage(scale.measured, scale.substituted, min(share, scale.missing),
                                    max(0.0, scale.missing - share)),
        )  # fmt: skip

    def _outlet_name(self, outlet: str, what: Name) -> Name:
        return Name(f"{outlet} {what.en}", f"{outlet} {what.zh}")

    def _emission_coverage(self, known: Sequence[Released]) -> Coverage:
        due = self._book.due_days(self._first, self._until)
        days = sum(part.days for part in known)
        there = min(1.0, days / due) if due else 0.0
        ran = sum(part.ran_minutes for part in known)
        stood_in = sum(part.substituted_minutes for part in known) / ran if ran else 0.0
        unknown = sum(part.unknown_minutes for part in known) / ran if ran else 0.0
        measured = there * max(0.0, 1.0 - stood_in - unknown)
        return Coverage(measured, there * stood_in, 0.0, max(0.0, 1.0 - measured - there * stood_in))

    def _volume(self, outlet: str, first: int, until: int) -> Result:
        parts = [self._book.volume(outlet, part) for part in range(first, until)]
        value = _sum_known([part.m3 for part in parts])
        point = flow_point(self._book.plant, outlet)
        edges = self._book.edges
        look = None if point is None else Look(TermKind.VOLUME, point.id, edges[first], edges[until])
        name = self._outlet_name(outlet, Name("waste water", "废水"))
        reason = None if value is not None else "no_data"
        term = Term(TermKind.VOLUME, name, value, "m3", look=look, reason=reason, id=outlet)
        due = self._book.due_ms(first, until) // MINUTE_MS
        measured = min(1.0, sum(part.known_minutes for part in parts) / due) if due else 0.0
        stood_in = min(1.0 - measured, sum(part.filled_minutes for part in parts) / due) if due else 0.0
        return Result(term, Coverage(measured, stood_in, 0.0, max(0.0, 1.0 - measured - stood_in)))

    def _discharge(self) -> Result:
        plant = self._book.plant
        chosen = [id for id, one in plant.outlets.items() if one.kind == "water" and flow_point(plant, id) is not None]
        return summed([self._volume(id, self._first, self._until) for id in chosen]) if chosen else absent("no_monitor")

    def _laboratory(self, outlet: str, pollutant: str, only: Sequence[int] | None = None) -> Result:
        """Weigh waste water with laboratory results: each month's mean times its volume.

        A month without a result takes the mean of the months that have one, weighted by their volume (settled). `only`
        names the parts it is wanted for.
        """
        item = f"lab.{outlet}.{pollutant}"
        book = self._book
        lines = book.lines.get(item, [])
        if not lines:
            return absent("no_ledger") if item not in book.items_ever else _no_result(item)
        if flow_point(book.plant, outlet) is None:
            return _no_result(item, "no_data")
        wanted = list(range(self._first, self._until)) if only is None else list(only)
        policy = book.plant.esg.below_detection
        means = _monthly_means(lines, book.edges, policy)
        weighed = [(part, mean, book.volume(outlet, part).m3) for part, mean in means.items()]
        known = [(mean, m3) for _, mean, m3 in weighed if m3]
        if not known:
            return _no_result(item, "no_data")
        overall = EXACT.divide(total([EXACT.multiply(mean, m3) for mean, m3 in known]), total([m3 for _, m3 in known]))
        parts = []
        for part in wanted:
            volume = self._volume(outlet, part, part + 1)
            mean = means.get(part, overall)
            taken = tuple(_result_term(line, policy) for line in lines if _touches(line, book.edges, part))
            value = None if volume.value is None else EXACT.divide(EXACT.multiply(mean, volume.value), Decimal(1000))
            if value is None:
                continue
            concentration = Term(
                TermKind.QUOTIENT if taken else TermKind.LEDGER, items.named(item), mean, "mg/L", taken,
                notes=("mean_of_results",) if taken else ("other_months",), id=item,
            )  # fmt: skip
            parts.append(
                Result(Term(TermKind.PRODUCT, items.named(item), value, "kg", (concentration, volume.term)),
                       Coverage(0.0, 0.0, 1.0, 0.0))
            )  # fmt: skip
        if not parts:
            return _no_result(item, "no_data")
        whole = summed(parts)
        below = sum(line.below is not None for line in lines)
        notes = (*whole.term.notes, "laboratory", *((f"below_detection:{below}",) if below else ()))
        return replace(whole, term=replace(whole.term, name=items.named(item), notes=notes))

    # tax

    def _tax(self, what: str) -> Result:
        """Add up the tax of months: of air or water, its equivalents, or what reductions come to."""
        medium = what if what in MEDIA else None
        months = self._book.taxes[self._first : self._until]
        lines = [line for month in months for line in month.of(medium)]
        if not lines:
            return absent("no_monitor")
        values = [_tax_value(line, what) for line in lines]
        known = [value for value in values if value is not None]
        term = Term(
            TermKind.SUM,
            NOTHING,
            total(known) if known else None,
            "1" if what == "equivalents" else "CNY",
            tuple(self._tax_line(line, what) for line in lines if what in MEDIA or _tax_value(line, what))
            if self._is_whole
            else (),  # nobody looks at a month's own derivation
            reason=None if known else "no_data",
            notes=tuple(dict.fromkeys(note for month in months for note in month.notes if note != "incomplete")),
        )
        covered = [
            MISSING if value is None else line.release.coverage for value, line in zip(values, lines, strict=True)
        ]
        return Result(term, _mean_of(covered))

    def _tax_line(self, line: TaxLine, what: str) -> Term:
        """Give an outlet's month of a pollutant, with what its tax is made of made once."""
        if id(line) not in self._tax_terms:
            self._tax_terms[id(line)] = _tax_term(line)
        term, value = self._tax_terms[id(line)], _tax_value(line, what)
        return term if what in MEDIA else replace(term, value=value, unit="1" if what == "equivalents" else "CNY")


def _tax_value(line: TaxLine, what: str) -> Decimal | None:
    """Give what a line adds: money, equivalents that are taxed, or what is not paid."""
    if line.cny is None:
        return None
    if what == "equivalents":
        return line.equivalents if line.is_counted else Decimal(0)
    return line.reduction if what == "reduction" else line.cny


def _tax_term(line: TaxLine) -> Term:
    """Give an outlet's month of a pollutant with its tax and what that is made of."""
    release = line.release
    title = line.taxed.name if line.taxed is not None else Name(release.pollutant, release.pollutant)
    where = f"{release.outlet} {release.month}"
    parts = [
        Term(TermKind.EMISSION, title, release.kg, "kg", look=Look(TermKind.EMISSION, release.point, release.start_ms,
             release.end_ms, TermKind.MONTH), reason=None if release.kg is not None else "no_data", id=release.point)
    ]  # fmt: skip
    if line.taxed is not None:
        name = Name("kg an equivalent", "污染当量值")
        parts.append(Term(TermKind.FACTOR, name, line.taxed.equivalent_kg, "kg", source=line.taxed.source,
                          certainty=line.taxed.certainty, id=f"tax.{release.medium}.{release.pollutant}"))  # fmt: skip
    if line.rate is not None:
        name = Name("CNY an equivalent", "单位税额")
        parts.append(Term(TermKind.FACTOR, name, line.rate.cny, "CNY", source=line.rate.source,
                          certainty=line.rate.certainty, id=f"tax.rate.{release.medium}"))  # fmt: skip
    pays = f"pays:{line.pays}" if line.pays != 1 else ""
    notes = tuple(filter(None, (line.reason, pays, *line.blocked_by, *release.notes)))
    return Term(
        TermKind.TAX, Name(f"{where} {title.en}", f"{where} {title.zh}"), line.cny, "CNY", tuple(parts),
        reason=None if line.cny is not None else line.reason,
        notes=tuple(f"tax:{note}" for note in notes), id=release.point,
    )  # fmt: skip


# Parts taken together


def summed(parts: Iterable[Result]) -> Result:
    """Add up what is known of parts the plant has; one alone is itself."""
    some = list(parts)
    there = [part for part in some if not part.is_absent]
    if not there:
        return some[0] if len(some) == 1 else absent("no_source")
    if len(there) == 1 and there[0].term.kind is not TermKind.MISSING:
        return there[0]
    known = [part for part in there if part.value is not None]
    unit = known[0].term.unit if known else there[0].term.unit
    value = total([into(part.value, part.term.unit, unit) for part in known if part.value is not None])
    term = Term(
        TermKind.SUM, NOTHING, value if known else None, unit, tuple(part.term for part in there),
        reason=None if known else next((part.term.reason for part in there if part.term.reason), None),
    )  # fmt: skip
    return Result(term, _mean(there), is_whole=all(part.is_whole for part in there))


def _mean(parts: Sequence[Result]) -> Coverage:
    """Give the coverage of parts together, each weighing alike; of what is unknown nothing is covered."""
    return _mean_of([part.coverage if part.value is not None else MISSING for part in parts])


def _mean_of(shares: Sequence[Coverage]) -> Coverage:
    count = len(shares)
    return Coverage(
        sum(one.measured for one in shares) / count,
        sum(one.substituted for one in shares) / count,
        sum(one.ledger for one in shares) / count,
        sum(one.missing for one in shares) / count,
    )


def _first(parts: Sequence[Result]) -> Result:
    """Give the first part that is known; a later one that says otherwise is noted."""
    known = [part for part in parts if part.value is not None or not part.is_whole]
    if known:
        chosen = known[0]
        beside = [part for part in known[1:] if part.value is not None and _differ(chosen, part)]
        if beside and chosen.is_whole and chosen.value is not None:
            note = f"ledger_differs:{beside[0].value:f} {beside[0].term.unit}"
            chosen = replace(chosen, term=replace(chosen.term, notes=(*chosen.term.notes, note)))
        return chosen
    return next((part for part in parts if not part.is_absent), absent("no_source"))


def _differ(one: Result, other: Result) -> bool:
    assert one.value is not None
    assert other.value is not None
    try:
        return into(other.value, other.term.unit, one.term.unit) != one.value
    except UnitError:
        return True


def _difference(left: Result, right: Result) -> Result:
    """Subtract what is known; a subtrahend the plant does not have takes nothing away."""
    if left.is_absent or right.is_absent or left.value is None:
        return left
    taken = Decimal(0) if right.value is None else into(right.value, right.term.unit, left.term.unit)
    term = Term(
        TermKind.DIFFERENCE, NOTHING, EXACT.subtract(left.value, taken), left.term.unit, (left.term, right.term)
    )
    return Result(term, _mean([left, right]), is_whole=left.is_whole and right.is_whole)


def _product(left: Result, right: Result) -> Result:
    if left.is_factor and not right.is_factor:
        left, right = right, left
    terms = (*_flat(left.term), right.term)
    unknown = next((one for one in (left, right) if one.value is None), None)
    whole = left.is_whole and right.is_whole
    if unknown is not None or left.value is None or right.value is None:
        reason = unknown.term.reason if unknown is not None else "no_data"
        return Result(Term(TermKind.PRODUCT, NOTHING, None, left.term.unit, terms, reason=reason), is_whole=whole)
    try:
        value, unit = times(left.value, left.term.unit, right.value, right.term.unit)
    except UnitError:
        units = f"unit:{left.term.unit} x {right.term.unit}"
        return Result(Term(TermKind.PRODUCT, NOTHING, None, left.term.unit, terms, reason=units), is_whole=whole)
    coverage = left.coverage if right.is_factor else _mean([left, right])
    return Result(Term(TermKind.PRODUCT, NOTHING, value, unit, terms), coverage, is_whole=whole)


def _flat(term: Term) -> tuple[Term, ...]:
    """Give the terms of a product that has no name of its own, else the term itself."""
    return term.terms if term.kind is TermKind.PRODUCT and not term.id else (term,)


def _quotient(left: Result, right: Result, wanted: str | None = None) -> Result:
    """Divide; with `wanted` the divisor is a density and that the unit that comes out."""
    terms = (left.term, right.term)
    whole = left.is_whole and right.is_whole
    if left.value is None or not right.value:
        reason = left.term.reason or right.term.reason or "zero_denominator"
        return Result(Term(TermKind.QUOTIENT, NOTHING, None, left.term.unit, terms, reason=reason), is_whole=whole)
    if wanted is None:
        value, unit = quotient(left.value, left.term.unit, right.value, right.term.unit)
    else:
        top, _, bottom = right.term.unit.partition("/")
        value = EXACT.divide(into(left.value, left.term.unit, top), right.value)
        value, unit = into(value, bottom, wanted), wanted
    coverage = left.coverage if right.is_factor else _mean([left, right])
    return Result(Term(TermKind.QUOTIENT, NOTHING, value, unit, terms), coverage, is_whole=whole)


def _quantity(text: str) -> Result:
    """Give a fixed quantity, by definition."""
    number, _, unit = text.partition(" ")
    term = Term(TermKind.FACTOR, Name(text, text), Decimal(number), unit, certainty="definition", source="definition")
    return Result(term, is_factor=True)


# What terms say besides


def _notes(term: Term) -> tuple[str, ...]:
    """Gather the notes of a derivation that its figure carries, each once; counts of hours are added up."""
    found: dict[str, None] = {}
    below = 0
    for node in walk(term):
        if node.kind is TermKind.TAX:
            continue  # what a line says of itself
        if node.certainty == "plant file":
            found[f"own_factor:{node.id}"] = None
        for note in node.notes:
            code, _, detail = note.partition(":")
            if code == "below_detection":
                below += int(detail)
            elif code not in OF_LINES:
                found[note] = None
    return (*found, *((f"below_detection:{below}",) if below else ()))


def walk(term: Term) -> Iterable[Term]:
    """Give a derivation's terms, each before its own."""
    yield term
    for part in term.terms:
        yield from walk(part)


def _meter_notes(parts: Sequence[Counted]) -> tuple[str, ...]:
    """Note a split that is a guess: only the first part's begin and the last one's end are edges of the whole."""
    return ("estimated",) if parts and any(part.is_estimated for part in (parts[0], parts[-1])) else ()


def _emission_notes(known: Sequence[Released]) -> tuple[str, ...]:
    notes = []
    if any(part.is_at_least for part in known):
        notes.append("at_least")
    if any(part.is_provisional for part in known):
        notes.append("provisional")
    below = sum(part.below for part in known)
    if below:
        notes.append(f"below_detection:{below}")
    return tuple(notes)


def _sum_known(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return total(known) if known else None


def _needs_density(unit: str, wanted: str) -> bool:
    try:
        ratio(plain(unit), plain(wanted))
    except UnitError:
        return True
    return False


def _document(line: LedgerLine) -> str:
    """Name a line's document."""
    return line.source or line.file


def _no_result(item: str, reason: str = "no_ledger") -> Result:
    return Result(Term(TermKind.MISSING, items.named(item), None, "kg", reason=reason, id=item))


def _result_term(line: LedgerLine, policy: str) -> Term:
    return Term(
        TermKind.LEDGER, items.named(line.item), _mg_l(line, policy), "mg/L", source=_document(line),
        notes=(f"line:{line.id}", f"period:{line.period}"), id=line.item,
    )  # fmt: skip


def _mg_l(line: LedgerLine, policy: str) -> Decimal:
    """Give a result; one below the detection limit as the policy counts it, 0 where it only says "below"."""
    value = line.value if line.below is None or policy != "half" else line.below / 2
    return scaled(value, ratio(line.unit, "mg/L"))


def _touches(line: LedgerLine, edges: Sequence[int], part: int) -> bool:
    return line.start_ms < edges[part + 1] and line.end_ms > edges[part]


def _monthly_means(lines: Sequence[LedgerLine], edges: Sequence[int], policy: str) -> dict[int, Decimal]:
    """Give the mean of the results of each part that has any."""
    means = {}
    for part in range(len(edges) - 1):
        values = [_mg_l(line, policy) for line in lines if _touches(line, edges, part)]
        if values:
            means[part] = EXACT.divide(total(values), Decimal(len(values)))
    return means
