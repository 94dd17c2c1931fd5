"""This module looks into a figure: from a span to its months, days and hours, and to the readings they were made of.

Each level adds up to the one above it, as the figure counts it. A reading says when it arrived, with which flag, and
what it was before somebody corrected it; a ledger line says which lines it took the place of.
"""

from __future__ import annotations

import bisect
import itertools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from plantmon.esg.amount import scaled, total
from plantmon.esg.book import QUANTUM
from plantmon.esg.detection import Below, below_detection, hours_below
from plantmon.esg.volumes import Waters
from plantmon.model.emission import EmissionDay, Substitute
from plantmon.model.metric import Look, Term, TermKind
from plantmon.model.plant import Name, Plant, Point
from plantmon.model.reading import declared_state, flag_letters
from plantmon.store import annual, declarations, emissions, ledger, readings
from plantmon.store.emissions import DAY, HOUR
from plantmon.times import HOUR_MS

AROUND = 1  # readings beside an hour of a counter: its edges lie between them


class Looker:
    """Looks into the terms of a figure, all in one snapshot: what several ask of the same span is worked out once."""

    def __init__(
        self, connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], waters: Waters | None = None
    ) -> None:
        self.connection = connection
        self.plant = plant
        self.numbers = numbers
        self._names: dict[tuple[TermKind, int], Name] = {}
        self._days: dict[tuple[int, int], list[int]] = {}
        self.waters = waters or Waters(connection, plant, numbers)
        self._released: dict[str, _Released] = {}

    def into(self, term: Term) -> tuple[Term, ...]:
        """Give what a term is made of in the store, nothing where it cannot be looked into further."""
        if term.kind is TermKind.LEDGER:
            return _taken_place_of(self.connection, term)
        look = term.look
        point = None if look is None else self.plant.points.get(look.point)
        if look is None or point is None:
            return ()
        return _Sight(self, point, look).parts()

    def days(self, start_ms: int, end_ms: int) -> list[int]:
        """Give the starts of the days that overlap [start, end)."""
        key = (start_ms, end_ms)
        if key not in self._days:
            self._days[key] = self.plant.time.days(start_ms, end_ms)
        return self._days[key]

    def name(self, level: TermKind, at_ms: int) -> Name:
        """Name a part by when it begins, as exactly as its level asks."""
        if (level, at_ms) not in self._names:
            form = {TermKind.MONTH: "%Y-%m", TermKind.DAY: "%Y-%m-%d", TermKind.HOUR: "%Y-%m-%d %H:%M"}
            shown = self.plant.time.local(at_ms).strftime(form.get(level, "%Y-%m-%d %H:%M:%S"))
            self._names[level, at_ms] = Name(shown, shown)
        return self._names[level, at_ms]

    def released(self, point: Point, start_ms: int, end_ms: int) -> tuple[list[EmissionDay], Mapping[int, Below]]:
        """Give a pollutant's days of a span, and by their start those with anything below the detection limit."""
        known = self._released.get(point.id)
        if known is None or start_ms < known.start_ms or known.end_ms < end_ms:
            days = emissions.days(self.connection, self.numbers.get(point.id, -1), start_ms, end_ms)
            below = below_detection(self.connection, self.plant, self.numbers, {point.id: days})
            known = _Released(start_ms, end_ms, days, [day.start for day in days], below.get(point.id, {}))
            self._released[point.id] = known
        first, last = (bisect.bisect_left(known.starts, edge) for edge in (start_ms, end_ms))
        return known.days[first:last], known.below


@dataclass(frozen=True, slots=True)
class _Released:
    """A pollutant's days of a span, with their starts, and those of them with anything below the detection limit."""

    start_ms: int
    end_ms: int
    days: list[EmissionDay]
    starts: list[int]
    below: Mapping[int, Below]


class _Sight:
    """Looks into one point over one span."""

    def __init__(self, looker: Looker, point: Point, look: Look) -> None:
        self._looker = looker
        self._connection = looker.connection
        self._plant = looker.plant
        self._numbers = looker.numbers
        self._point = point
        self._number = looker.numbers.get(point.id, -1)
        self._look = look
        self._time = looker.plant.time

    def parts(self) -> tuple[Term, ...]:
        """Give the next level's terms."""
        if self._point.is_virtual:
            return self._meters()
        level, edges = self._next()
        if level is TermKind.READING:
            return self._last()
        ways: dict[TermKind, Callable[[TermKind, Sequence[int]], tuple[Term, ...]]] = {
            TermKind.METER: self._counts, TermKind.EMISSION: self._amounts, TermKind.VOLUME: self._volumes,
        }  # fmt: skip
        way = ways.get(self._look.kind)
        return way(level, edges) if way is not None else ()

    def _next(self) -> tuple[TermKind, list[int]]:
        """Give the level below, and the edges of its parts."""
        look = self._look
        start, end, level = look.start_ms, look.end_ms, look.level
        if level is None:
            months = self._months(start, end)
            if len(months) > 2:
                return TermKind.MONTH, months
            level = TermKind.MONTH
        if level is TermKind.MONTH:
            return TermKind.DAY, [*self._looker.days(start, end), end]
        is_water = look.kind is TermKind.EMISSION and self._kind == "water"
        if level is TermKind.DAY and not is_water:
            return TermKind.HOUR, [*range(start, end, HOUR_MS), end]
        return TermKind.READING, []

    @property
    def _kind(self) -> str:
        outlet = self._point.outlet
        return "" if outlet is None else self._plant.outlets[outlet].kind

    def _months(self, start: int, end: int) -> list[int]:
        days = self._looker.days(start, end)
        return [start, *(day for day in days[1:] if self._time.date_of(day).day == 1), end]

    def _term(
        self, level: TermKind, start: int, end: int, value: Decimal | None, unit: str, *notes: str,
        terms: tuple[Term, ...] = (),
    ) -> Term:  # fmt: skip
        look = Look(self._look.kind, self._point.id, start, end, level)
        reason = None if value is not None else "no_data"
        return Term(level, self._looker.name(level, start), value, unit, terms, look, reason=reason, notes=notes)

    # meters

    def _meters(self) -> tuple[Term, ...]:
        """Give the meters a virtual one is made of, over the same span, with the factor that each counts with."""
        found = []
        register = self._point.register
        for factor, id in register.terms if register is not None else ():
            part = self._plant.points[id]
            look = replace(self._look, point=id)
            counted = annual.counts_at(
                self._connection, DAY, self._numbers[id], self._looker.days(look.start_ms, look.end_ms)
            )
            amounts = [amount for amount, *_ in counted.values() if amount is not None]
            value = Decimal(sum(amounts)) * QUANTUM if amounts else None
            if look.level is TermKind.HOUR:
                one = annual.counts_at(self._connection, HOUR, self._numbers[id], [look.start_ms])
                value = next((Decimal(a) * QUANTUM for a, *_ in one.values() if a is not None), None)
            weighed = None if value is None else scaled(value, factor)
            own = Term(TermKind.METER, part.name, value, part.unit, look=look, id=id,
                       reason=None if value is not None else "no_data")  # fmt: skip
            if factor == 1:
                found.append(own)
            else:
                by = Term(TermKind.FACTOR, self._point.name, scaled(Decimal(1), factor), "1", certainty="plant file")
                found.append(Term(TermKind.PRODUCT, part.name, weighed, self._point.unit, (own, by), id=id))
        return tuple(found)

    def _counts(self, level: TermKind, edges: Sequence[int]) -> tuple[Term, ...]:
        stored = HOUR if level is TermKind.HOUR else DAY
        starts = list(edges[:-1]) if level is not TermKind.MONTH else self._looker.days(edges[0], edges[-1])
        found = annual.counts_at(self._connection, stored, self._number, starts)
        terms = []
        for start, end in itertools.pairwise(edges):
            mine = [found[at] for at in starts if start <= at < end and at in found]
            amounts = [amount for amount, *_ in mine if amount is not None]
            value = Decimal(sum(amounts)) * QUANTUM if amounts else None
            guessed = bool(mine) and bool((mine[0][3] & 1) | (mine[-1][3] & 2))
            covered = sum(covered for _, covered, *_ in mine)
            notes = ("estimated",) if guessed else ()
            if value is not None and covered < end - start:
                notes = (*notes, "part_covered:" + _pct(covered / (end - start)))
            terms.append(self._term(level, start, end, value, self._point.unit, *notes))
        return tuple(terms)

    # outlets

    def _amounts(self, level: TermKind, edges: Sequence[int]) -> tuple[Term, ...]:
        if level is TermKind.HOUR:
            return self._air_hours(edges)
        days, below = self._looker.released(self._point, edges[0], edges[-1])
        terms, place = [], 0
        for start, end in itertools.pairwise(edges):
            first = place
            while place < len(days) and days[place].start < end:
                place += 1
            terms.append(self._amount(level, (start, end), days[first:place], below))
        return tuple(terms)

    def _amount(
        self, level: TermKind, span: tuple[int, int], mine: Sequence[EmissionDay], below: Mapping[int, Below]
    ) -> Term:  # fmt: skip
        if not mine:
            return self._term(level, *span, None, "kg")
        kilograms, lower, ran, stood_in, unknown = [], 0, 0, 0, 0
        for day in mine:
            counted = below.get(day.start)
            kilograms.append(Decimal(repr(day.measured_kg)) if counted is None else counted.kg)
            lower += 0 if counted is None else counted.count
            ran += day.ran_minutes
            stood_in += day.substituted_minutes
            unknown += day.unknown_minutes
        notes = [] if ran else ["stopped"]
        if stood_in:
            notes.append(f"part_substituted:{_pct(stood_in / ran)}")
        if unknown:
            notes.append(f"part_missing:{_pct(unknown / ran)}")
        notes += [f"below_detection:{lower}"] if lower else []
        notes += ["at_least"] if any(day.at_least for day in mine) else []
        notes += ["provisional"] if any(day.provisional for day in mine) else []
        kilograms += [Decimal(repr(day.substituted_kg)) for day in mine]
        return self._term(level, *span, total(kilograms), "kg", *notes)

    def _air_hours(self, edges: Sequence[int]) -> tuple[Term, ...]:
        course = emissions.hours(self._connection, self._number, edges[0], edges[-1])
        stood_in = emissions.substitutes(self._connection, self._number, HOUR, edges[0], edges[-1])
        below = hours_below(self._connection, self._plant, self._numbers, self._point, course, stood_in)
        rows = {
            start: (ran, kg, proven)
            for start, ran, kg, proven in zip(
                course.start.tolist(), course.ran.tolist(), course.kg.tolist(), course.proven.tolist(), strict=True
            )
        }
        terms = []
        for start, end in itertools.pairwise(edges):
            if start not in rows:
                terms.append(self._term(TermKind.HOUR, start, end, None, "kg"))
                continue
            value, notes = _hour(rows[start], stood_in.get(start))
            if start in below:
                value, notes = below[start], ["below_detection:1"]
            terms.append(self._term(TermKind.HOUR, start, end, value, "kg", *notes))
        return tuple(terms)

    def _volumes(self, level: TermKind, edges: Sequence[int]) -> tuple[Term, ...]:
        course = self._looker.waters.course(self._point.outlet or "", edges[0], edges[-1])
        terms = []
        for start, end in itertools.pairwise(edges):
            volume = course.between(start, end)
            minutes = (end - start) // 60_000
            notes = [f"part_substituted:{_pct(volume.filled_minutes / minutes)}"] if volume.filled_minutes else []
            terms.append(self._term(level, start, end, volume.m3, "m3", *notes))
        return tuple(terms)

    # readings

    def _last(self) -> tuple[Term, ...]:
        look = self._look
        if look.kind is TermKind.EMISSION:
            outlet = self._plant.outlets[self._point.outlet or ""]
            flow = "water_flow" if outlet.kind == "water" else "gas_flow"
            points = [self._point, *(p for name in outlet.points if (p := self._plant.points[name]).quantity == flow)]
            return tuple(self._series(point) for point in points)
        return self._readings(self._point)

    def _series(self, point: Point) -> Term:
        """Give a point's mean over the span, with its readings below it."""
        look, number = self._look, self._numbers.get(point.id, -1)
        level = HOUR if look.level is TermKind.HOUR else DAY
        mean = annual.mean_at(self._connection, level, number, look.start_ms)
        value = None if mean is None else Decimal(repr(mean))
        inner = Look(TermKind.READING, point.id, look.start_ms, look.end_ms, look.level)
        return Term(
            TermKind.SUM if value is None else look.level or TermKind.DAY, point.name, value, point.unit,
            self._readings(point), inner, reason=None if value is not None else "no_data", notes=("mean",), id=point.id,
        )  # fmt: skip

    def _readings(self, point: Point) -> tuple[Term, ...]:
        look, number = self._look, self._numbers.get(point.id, -1)
        start, end = look.start_ms, look.end_ms
        if point.register is not None:
            near = readings.register(self._connection, number, start, end, AROUND, AROUND)
            if len(near.ts):
                start, end = min(start, int(near.ts[0])), max(end, int(near.ts[-1]) + 1)
        raw = readings.of_point(self._connection, number, start, end)
        if not raw:
            return ()
        counted = declarations.explained(
            self._connection, readings.columns((one.ts_ms, number, one.value, one.flag) for one in raw)
        )
        terms = []
        for place, one in enumerate(raw):
            value, flag = float(counted.readings.value[place]), int(counted.readings.flag[place])
            notes = [f"arrived:{self._time.show(one.arrival_ms)}"]
            if flag:
                notes.append(f"flag:{flag_letters(flag) if flag > 0 else declared_state(flag)}")
            if counted.correction[place]:
                notes.append(f"correction:{int(counted.correction[place])}")
                notes.append(f"was:{one.value:.12g}")
            if counted.mark[place]:
                notes.append(f"mark:{int(counted.mark[place])}")
            known = None if np.isnan(value) else Decimal(repr(value))
            terms.append(
                Term(TermKind.READING, self._looker.name(TermKind.READING, one.ts_ms), known, point.reading_unit,
                     notes=tuple(notes), id=point.id)
            )  # fmt: skip
        return tuple(terms)


def _hour(row: tuple[int, float, float], stand_in: Substitute | None) -> tuple[Decimal | None, list[str]]:
    """Give what an hour counts with, and why."""
    ran, kg, proven = row
    if stand_in is None:
        amount = np.fmax(kg, proven)
        notes = ["stopped"] if not ran else ["at_least"] if not np.isnan(proven) and not proven <= kg else []
        return (None if np.isnan(amount) else Decimal(repr(float(amount)))), notes
    known = np.fmax(np.nan if stand_in.kg is None else stand_in.kg, proven)
    notes = ["unknown"] if stand_in.kg is None else [f"method:{stand_in.method}"]
    return (None if np.isnan(known) else Decimal(repr(float(known)))), notes


def _taken_place_of(connection: sqlite3.Connection, term: Term) -> tuple[Term, ...]:
    """Give the lines a ledger line took the place of, the newest first."""
    number = next((int(note.partition(":")[2]) for note in term.notes if note.startswith("line:")), None)
    found = []
    kept = None if number is None else ledger.by_number(connection, number)
    while kept is not None and kept.line.supersedes is not None:
        reason = kept.line.reason
        kept = ledger.by_number(connection, kept.line.supersedes)
        if kept is not None:
            line = kept.line
            notes = (f"line:{line.id}", f"period:{line.period}", f"superseded:{reason}")
            found.append(
                Term(TermKind.LEDGER, term.name, line.value, line.unit, source=line.source, notes=notes, id=line.item)
            )
    return tuple(found)


def _pct(share: float) -> str:
    return f"{100 * share:.1f}"
