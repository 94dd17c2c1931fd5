"""This module compares new lines with those that stand, so that nothing counts twice.

Amounts of one item add up over periods that lie beside one another, and over documents of the same period (two
manifests of a month). A period within another, or another value from the same document, would count twice or
contradict: that is refused. Laboratory results stand for themselves; several of a day are as many.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from plantmon.ledger.entry import Entry
from plantmon.ledger.problem import Said
from plantmon.store.ledger import Kept, LedgerLine, NewLine
from plantmon.tables.ledger import find

Span = tuple[int, int]


class Fate(StrEnum):
    """What becomes of a line."""

    NEW = "new"
    KNOWN = "known"  # it stands already, to the letter
    SUPERSEDED = "superseded"  # it was entered, and corrected or withdrawn since
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class _Known:
    """A line there is: `where` names it, by its number or by its place in the file."""

    where: int
    is_stored: bool
    period: str
    value: Decimal
    unit: str
    source: str
    identity: tuple[object, ...]


@dataclass(slots=True)
class _Shelf:
    """The lines of one item that count, by span; spans of amounts lie beside one another."""

    spans: list[Span] = field(default_factory=list)
    lines: dict[Span, list[_Known]] = field(default_factory=lambda: defaultdict(list))

    def add(self, span: Span, known: _Known) -> None:
        if span not in self.lines:
            bisect.insort(self.spans, span)
        self.lines[span].append(known)

    def across(self, span: Span) -> list[_Known]:
        """Give the lines whose span overlaps another without being the same."""
        place = bisect.bisect_left(self.spans, span)
        found: list[Span] = []
        for other in self.spans[max(0, place - 1) :]:
            if other[0] >= span[1]:
                break
            if other != span and other[1] > span[0]:
                found.append(other)
        return [known for other in found for known in self.lines[other]]


class Book:
    """The lines there are, and those of one file as they are looked at, in its order.

    `but` is a line that is about to be superseded, and does not count. `is_file` says whether lines that were corrected
    or withdrawn are passed over, or taken for new: who types one again means it.
    """

    def __init__(self, kept: Iterable[Kept], but: int | None = None, *, is_file: bool = False) -> None:
        self._shelves: dict[str, _Shelf] = defaultdict(_Shelf)
        self._standing: dict[tuple[object, ...], _Known] = {}
        self._gone: dict[tuple[object, ...], tuple[int, int]] = {}
        for one in kept:
            if one.is_withdrawn or one.line.id == but:
                continue
            identity = _identity(one.line)
            if one.superseded_by is not None:
                if is_file:
                    self._gone[identity] = (one.line.id, one.superseded_by)
                continue
            known = _Known(one.line.id, True, one.line.period, one.line.value, one.line.unit, one.line.source, identity)
            self._add(one.line.item, (one.line.start_ms, one.line.end_ms), known)

    def place(self, entry: Entry) -> tuple[Fate, list[Said]]:
        """Say what becomes of a line, and why or what must be known; a new one counts for those that follow."""
        new = entry.new
        identity, span = _identity(new), (new.start_ms, new.end_ms)
        if identity in self._standing:
            twin = self._standing[identity]
            if twin.is_stored:
                return Fate.KNOWN, [Said(None, "known_line", {"line": twin.where})]
            return Fate.REFUSED, [Said(None, "repeated_line", {"line": twin.where})]
        if identity in self._gone:
            was, by = self._gone[identity]
            return Fate.SUPERSEDED, [Said(None, "superseded_line", {"line": was, "by": by})]
        shelf = self._shelves[new.item]
        notes: list[Said] = []
        if not entry.is_result:
            wrong = [_about("overlap", other, new) for other in shelf.across(span)]
            beside = shelf.lines.get(span, [])
            wrong += [_about("contradicts", one, new) for one in beside if _same(one.source, new.source)]
            if wrong:
                return Fate.REFUSED, wrong[:1]
            notes = [_about(_key(one, new), one, new) for one in beside[:1]]
        assert new.value is not None
        known = _Known(new.line or 0, False, new.period, new.value, new.unit, new.source, identity)
        self._add(new.item, span, known)
        return Fate.NEW, notes

    def _add(self, item: str, span: Span, known: _Known) -> None:
        self._standing.setdefault(known.identity, known)
        self._shelves[item].add(span, known)


def _key(one: _Known, new: NewLine) -> str:
    return "same_value" if (one.value, one.unit) == (new.value, new.unit) else "adds_up"


def _about(key: str, one: _Known, new: NewLine) -> Said:
    """Speak of a line there is: by its number where it is stored, else by its place in the file."""
    values = {"line": one.where, "item": new.item, "period": one.period, "value": f"{one.value:f} {one.unit}",
              "own": new.period}  # fmt: skip
    return Said(None, f"{key}_{'stored' if one.is_stored else 'beside'}", values)


def _same(one: str, other: str) -> bool:
    return _letters(one) == _letters(other)


def _letters(text: str) -> str:
    return "".join(text.split()).casefold()


def _identity(line: NewLine | LedgerLine) -> tuple[object, ...]:
    """Give what makes two lines the same line. Of results the note may tell two apart: one report, two samples."""
    found = find(line.item)
    own = _letters(line.note) if found is not None and found.is_result else ""
    return (line.start_ms, line.end_ms, line.item, line.value, line.below, line.unit, _letters(line.source), own)
