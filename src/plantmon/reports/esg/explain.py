"""This module shows where a figure comes from: its derivation as a tree, as text or JSON, as deep as is asked.

Terms and factors are in the figure itself; months, days, hours and readings are looked up where a meter's or an
outlet's time stands in it. What is looked up may be bounded to a span: a year has hundreds of thousands of readings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from plantmon.model.metric import Denominator, Line, Term, TermKind
from plantmon.model.plant import Name
from plantmon.reports.esg import words
from plantmon.reports.esg.words import Speech, plain
from plantmon.times import PlantTime

_BRANCH, _LAST, _PIPE, _BLANK = "├─ ", "└─ ", "│  ", "   "
_JOINTS = {TermKind.SUM: "+", TermKind.DIFFERENCE: "−", TermKind.PRODUCT: "×", TermKind.QUOTIENT: "÷"}


class Depth(StrEnum):
    """How deep a derivation is shown."""

    FIGURE = "figure"
    TERM = "term"
    MONTH = "month"
    DAY = "day"
    HOUR = "hour"
    READING = "reading"


_LEVELS = (TermKind.MONTH, TermKind.DAY, TermKind.HOUR, TermKind.READING)
LookInto = Callable[[Term], tuple[Term, ...]]


@dataclass(frozen=True, slots=True)
class Within:
    """The span whose months, days, hours and readings are shown, half-open."""

    start_ms: int
    end_ms: int

    def holds(self, term: Term) -> bool:
        """Tell whether a looked-up term touches the span; what has no time of its own does."""
        look = term.look
        return look is None or (look.start_ms < self.end_ms and look.end_ms > self.start_ms)


def deepened(term: Term, depth: Depth, look_into: LookInto, within: Within | None = None) -> Term:
    """Give a derivation down to a depth; ledger lines with those they took the place of."""
    if depth is Depth.FIGURE:
        return replace(term, terms=())
    return term if depth is Depth.TERM else _deepened(term, TermKind(depth), look_into, within)


def _deepened(term: Term, depth: TermKind, look_into: LookInto, within: Within | None) -> Term:
    parts = term.terms
    if not parts and _goes_on(term, depth):
        parts = tuple(part for part in look_into(term) if within is None or within.holds(part))
    return replace(term, terms=tuple(_deepened(part, depth, look_into, within) for part in parts))


def _goes_on(term: Term, depth: TermKind) -> bool:
    if term.look is None:
        return term.kind is TermKind.LEDGER
    level = term.look.level
    return level is None or _LEVELS.index(level) < _LEVELS.index(depth)


def of_line(line: Line, per: Denominator | None) -> Term:
    """Give the derivation of a figure, or of what it is per unit of a denominator."""
    figure = line.figure
    top = replace(figure.term, id=figure.metric.id, value=figure.value, reason=figure.reason)
    if per is None:
        return top
    divisor = replace(per.figure.term, name=per.name, value=per.value)
    name = Name(f"{figure.metric.name.en} per {per.name.en}", f"每{per.name.zh}{figure.metric.name.zh}")
    value = line.per.get(per.id)
    reason = None if value is not None else figure.reason or per.figure.reason or "zero_denominator"
    unit = f"{figure.metric.unit}/{per.unit}"
    return Term(TermKind.QUOTIENT, name, value, unit, (top, divisor), reason=reason, id=f"{figure.metric.id}/{per.id}")


def as_text(term: Term, speech: Speech) -> str:
    """Write a derivation as an indented tree."""
    return "\n".join(_lines(term, speech, "", "", ""))


def _lines(term: Term, speech: Speech, lead: str, branch: str, joint: str) -> Iterator[str]:
    yield f"{lead}{branch}{joint}{_said(term, speech)}"
    below = lead + ("" if not branch else _BLANK if branch == _LAST else _PIPE)
    sign = _JOINTS.get(term.kind, "")
    for place, part in enumerate(term.terms):
        ending = _LAST if place == len(term.terms) - 1 else _BRANCH
        # A minus or a division sign belongs to the parts after the first.
        is_signed = bool(sign) and (place > 0 or term.kind in (TermKind.SUM,))
        yield from _lines(part, speech, below, ending, f"{sign} " if is_signed and len(term.terms) > 1 else "")


def _said(term: Term, speech: Speech) -> str:
    named = _one_line(speech.name(term.name)) or term.id or _one_line(speech.say(f"term.{term.kind}"))
    value = (
        words.DASH if term.value is None else f"{words.shown(term.value)} {_one_line(speech.unit(term.unit))}".rstrip()
    )
    asides = []
    if term.id and term.id != named and term.kind is not TermKind.READING:
        asides.append(term.id)
    if term.source:
        asides.append(term.source)
    if term.certainty:
        asides.append(speech.code("certainty", term.certainty))
    if term.reason:
        asides.append(speech.code("reason", term.reason))
    asides += [speech.code("note", note) for note in term.notes]
    return f"{named}: {value}" + (f"  [{_one_line('; '.join(asides))}]" if asides else "")


def _one_line(said: str) -> str:
    return said.replace("\n", " ")


def as_object(term: Term, time: PlantTime) -> dict[str, Any]:
    """Give a derivation for JSON: numbers with all their digits, instants with their distance from UTC."""
    found: dict[str, Any] = {
        "kind": str(term.kind),
        "id": term.id,
        "name": {"en": term.name.en, "zh": term.name.zh},
        "value": None if term.value is None else plain(term.value),
        "unit": term.unit,
    }
    if term.look is not None:
        found["point"] = term.look.point
        found["from"] = _iso(term.look.start_ms, time)
        found["to"] = _iso(term.look.end_ms, time)
    for key, said in (("source", term.source), ("certainty", term.certainty), ("reason", term.reason)):
        if said:
            found[key] = said
    if term.notes:
        found["notes"] = list(term.notes)
    if term.terms:
        found["terms"] = [as_object(part, time) for part in term.terms]
    return found


def _iso(at_ms: int, time: PlantTime) -> str:
    return time.local(at_ms).isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")
