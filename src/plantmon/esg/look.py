"""This module looks into a figure: from a span to its months, days and hours, and to the readings they were made of.

Each level adds up to the one above it, as the figure counts it. A reading says when it arrived, with which flag, and
what it was before somebody corrected it; a ledger line says which lines it took the place of.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from plantmon.esg.amount import scaled, total
from plantmon.esg.book import QUANTUM
from plantmon.esg.detection import below_detection, hours_below
from plantmon.esg.volumes import volumes
from plantmon.model.emission import Substitute
from plantmon.model.metric import Look, Term, TermKind
from plantmon.model.plant import Name, Plant, Point
from plantmon.model.reading import declared_state, flag_letters
from plantmon.store import annual, declarations, emissions, ledger, readings
from plantmon.store.emissions import DAY, HOUR
from plantmon.times import HOUR_MS

AROUND = 1  # readings beside an hour of a counter: its edges lie between them


def look_into(connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], term: Term) -> tuple[Term, ...]:
    """Give what a term is made of in the store, nothing where it cannot be looked into further."""
    if term.kind is TermKind.LEDGER:
        return _taken_place_of(connection, term)
    look = term.look
    point = None if look is None else plant.points.get(look.point)
    if look is None or point is None:
        return ()
    return _Sight(connection, plant, numbers, point, look).parts()


class _Sight:
    """Looks into one point over one span."""

    def __init__(
        self, connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], point: Point, look: Look
    ) -> None:
        self._connection = connection
        self._plant = plant
        self._numbers = numbers
        self._point = point
        self._number = numbers.get(point.id, -1)
        self._look = look
        self._time = plant.time

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
            return TermKind.DAY, [*self._time.days(start, end), end]
        is_water = look.kind is TermKind.EMISSION and self._kind == "water"
        if level is TermKind.DAY and not is_water:
            return TermKind.HOUR, [*range(start, end, HOUR_MS), end]
        return TermKind.READING, []

    @property
    def _kind(self) -> str:
        outlet = self._point.outlet
        return "" if outlet is None else self._plant.outlets[outlet].kind

    def _months(self, start: int, end: int) -> list[int]:
        days = self._time.days(start, end)
        return [start, *(day for day in days[1:] if self._time.date_of(day).day == 1), end]

    def _name(self, level: TermKind, at_ms: int) -> Name:
        local = self._time.local(at_ms)
        form = {TermKind.MONTH: "%Y-%m", TermKind.DAY: "%Y-%m-%d", TermKind.HOUR: "%Y-%m-%d %H:%M"}
        shown = local.strftime(form.get(level, "%Y-%m-%d %H:%M:%S"))
        return Name(shown, shown)

    def _term(
        self, level: TermKind, start: int, end: int, value: Decimal | None, unit: str, *notes: str,
        terms: tuple[Term, ...] = (),
    ) -> Term:  # fmt: skip
        look = Look(self._look.kind, self._point.id, start, end, level)
        reason = None if value is not None else "no_data"
        return Term(level, self._name(level, start), value, unit, terms, look, reason=reason, notes=notes)

    # meters

    def _meters(self) -> tuple[Term, ...]:
        """Give the meters a virtual one is made of, over the same span, with the factor that each counts with."""
        found = []
        register = self._point.register
        for factor, id in register.terms if register is not None else ():
            part = self._plant.points[id]
            look = replace(self._look, point=id)
            counted = annual.counts_at(
                self._connection, DAY, self._numbers[id], self._time.days(look.start_ms, look.end_ms)
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
        starts = list(edges[:-1]) if level is not TermKind.MONTH else self._time.days(edges[0], edges[-1])
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
        days = emissions.days(self._connection, self._number, edges[0], edges[-1])
        found = below_detection(self._connection, self._plant, self._numbers, {self._point.id: days})
        below = found.get(self._point.id, {})
        terms = []
        for start, end in itertools.pairwise(edges):
            mine = [day for day in days if start <= day.start < end]
            measured = [below[day.start].kg if day.start in below else Decimal(repr(day.measured_kg)) for day in mine]
            kg = total([*measured, *(Decimal(repr(day.substituted_kg)) for day in mine)])
            notes = []
            ran, stood_in, unknown = (
                sum(getattr(day, name) for day in mine)
                for name in ("ran_minutes", "substituted_minutes", "unknown_minutes")
            )
            if mine and not ran:
                notes.append("stopped")
            if stood_in:
                notes.append(f"part_substituted:{_pct(stood_in / ran)}")
            if unknown:
                notes.append(f"part_missing:{_pct(unknown / ran)}")
            lower = sum(below[day.start].count for day in mine if day.start in below)
            notes += [f"below_detection:{lower}"] if lower else []
            notes += [name for name in ("at_least", "provisional") if any(getattr(day, name) for day in mine)]
            terms.append(self._term(level, start, end, kg if mine else None, "kg", *notes))
        return tuple(terms)

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
        outlet = self._point.outlet or ""
        found = volumes(self._connection, self._plant, self._numbers, [outlet], edges)[outlet]
        terms = []
        for start, end, volume in zip(edges, edges[1:], found, strict=False):
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
                Term(TermKind.READING, self._name(TermKind.READING, one.ts_ms), known, point.reading_unit,
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
