"""This module says what a version of the plant file judges otherwise than the one before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date

from plantmon.model.plant import Limit, Name, Plant
from plantmon.times import format_duration

# As the plant file calls them.
_KEYS = {"maximum": "max", "minimum": "min", "valid_from": "from", "valid_to": "to"}
_NAMES = {"key", "outlet", "id"}  # what a thing is known by is no change of it


@dataclass(frozen=True, slots=True)
class Change:
    """A limit that came (`added`) or went (`removed`), or one key of something that differs (`changed`).

    `subject` is the limit's key, an outlet, a point or `rules`; the values are texts, `-` where there is none. Of a
    limit that came or went `after` or `before` is what it demands.
    """

    kind: str
    subject: str
    field: str = ""
    before: str = "-"
    after: str = "-"


def changes(before: Plant, after: Plant) -> list[Change]:
    """List what judges otherwise: limits added, removed, changed; rules, and outlets and points both files have."""
    found = list(_of_limits(before.limits, after.limits))
    found += _fields("rules", before.rules, after.rules)
    for id in before.outlets.keys() & after.outlets.keys():
        found += _fields(id, before.outlets[id], after.outlets[id], skip={"points"})
    for id in before.points.keys() & after.points.keys():
        found += _fields(id, before.points[id], after.points[id])
    order = {"added": 0, "removed": 1, "changed": 2}
    return sorted(found, key=lambda one: (order[one.kind], one.subject))


def demand(limit: Limit) -> str:
    """Write what a limit demands: `min 6 max 9 pH`, with its days."""
    parts = [f"{word} {_shown(value)}" for word, value in (("min", limit.minimum), ("max", limit.maximum))
             if value is not None]  # fmt: skip
    days = [f"{word} {day.isoformat()}" for word, day in (("from", limit.valid_from), ("to", limit.valid_to)) if day]
    return ", ".join([f"{' '.join(parts)} {limit.unit}", *days])


def _of_limits(before: Iterable[Limit], after: Iterable[Limit]) -> Iterator[Change]:
    old = {limit.key: limit for limit in before}
    new = {limit.key: limit for limit in after}
    pairs = [(old[key], new[key]) for key in old.keys() & new.keys()]
    pairs += _moved([old[key] for key in old.keys() - new.keys()], [new[key] for key in new.keys() - old.keys()])
    paired = {limit.key for pair in pairs for limit in pair}
    for one, other in pairs:
        yield from _fields(other.key, one, other)
    for key in new.keys() - paired:
        yield Change("added", key, after=demand(new[key]))
    for key in old.keys() - paired:
        yield Change("removed", key, before=demand(old[key]))


def _moved(gone: list[Limit], come: list[Limit]) -> list[tuple[Limit, Limit]]:
    """Pair limits that differ in their `from` alone of what they are known by, where only one can be meant."""
    stems: dict[tuple[str, ...], tuple[list[Limit], list[Limit]]] = defaultdict(lambda: ([], []))
    for side, limits in enumerate((gone, come)):
        for limit in limits:
            stem = (limit.outlet, limit.subject, limit.basis, limit.window, limit.standard)
            stems[stem][side].append(limit)
    return [(old[0], new[0]) for old, new in stems.values() if len(old) == len(new) == 1]


def _fields(subject: str, before: object, after: object, skip: Iterable[str] = ()) -> Iterator[Change]:
    """List the fields in which two of a kind differ."""
    for name, one in _values(before):
        other = getattr(after, name)
        if name not in _NAMES and name not in skip and not isinstance(one, Name) and one != other:
            yield Change("changed", subject, _key(name), _shown(one, name), _shown(other, name))


def _values(thing: object) -> Iterator[tuple[str, object]]:
    assert is_dataclass(thing)
    for field in fields(thing):
        yield field.name, getattr(thing, field.name)


def _key(name: str) -> str:
    return _KEYS.get(name, name.removesuffix("_ms").removesuffix("_pct"))


def _shown(value: object, name: str = "") -> str:
    """Write a value: numbers to 12 digits, durations with their unit, what has parts by its parts."""
    match value:
        case None:
            return "-"
        case bool() | str():
            return str(value)
        case int() if name.endswith("_ms"):
            return format_duration(value)
        case int() | float():
            return f"{value:.12g}"
        case date():
            return value.isoformat()
        case tuple() | frozenset():
            return ", ".join(_shown(one) for one in value) or "-"
    if is_dataclass(value):
        return " ".join(f"{_key(key)} {_shown(one, key)}" for key, one in _values(value) if one is not None)
    return str(value)
