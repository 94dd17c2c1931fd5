"""This module notices silence: points, whole outlets, the broker - one cause, one alarm (design rule 9).

A point is silent when nothing of it has arrived for three intervals, counted from the daemon's start when it has
never spoken. When every point of an outlet is silent that is one alarm, when every point of the plant is, one too.
While the broker is away nobody else is accused, and what stood before stays as it is. Calculated points are never
accused: their parts are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plantmon.model.alarm import Condition, Severity
from plantmon.model.plant import Plant, Point

INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Heard:
    """When something of a point last arrived live, None when never; plant time."""

    at_ms: int | None


def silent_after_ms(point: Point) -> int:
    """Give how long a point may be quiet."""
    return INTERVALS * point.interval_ms


def conditions(
    plant: Plant, heard: Mapping[str, Heard], listening_since_ms: int, now_ms: int, *, broker_is_away: bool,
    slack_ms: int = 0,
) -> list[Condition]:  # fmt: skip
    """Give for the plant, every outlet and every point whether it is silent; the smaller ones quiet behind the larger.

    `listening_since_ms` is when the daemon began to hear (start, or the broker's return); `slack_ms` is what a reading
    may take on its way into the store.
    """
    if broker_is_away:
        return []
    since: dict[str, int] = {}
    silent: set[str] = set()
    speaking: set[str] = set()  # who is neither has not been heard, but we do not listen for long enough yet
    measured = {name: point for name, point in plant.points.items() if point.formula is None}
    for name, point in measured.items():
        last = heard.get(name, Heard(None)).at_ms
        since[name] = listening_since_ms if last is None else last
        allowed_ms = silent_after_ms(point) + slack_ms
        if now_ms - max(since[name], listening_since_ms) > allowed_ms:
            silent.add(name)
        elif last is not None and now_ms - last <= allowed_ms:
            speaking.add(name)
    found = []
    everything = bool(measured) and len(silent) == len(measured) and len(measured) > 1
    found.append(
        _condition(
            "silent:*", "outlet_silent", _known(everything, measured, speaking), measured.keys(), since, now_ms,
            outlet=None,
        )
    )  # fmt: skip
    for outlet in plant.outlets.values():
        own = measured.keys() & outlet.points
        whole = len(own) > 1 and silent.issuperset(own)
        key = f"silent_outlet:{outlet.id}"
        found.append(
            _condition(
                key, "outlet_silent", _known(whole and not everything, own, speaking, everything),
                own, since, now_ms,
                outlet=outlet.id, quiet=everything,
            )
        )  # fmt: skip
    for name, point in measured.items():
        outlet_points = measured.keys() & plant.outlets[point.outlet].points if point.outlet else ()
        covered = everything or (len(outlet_points) > 1 and silent.issuperset(outlet_points))
        found.append(
            _condition(
                f"silent:{name}", "silent", _known(name in silent and not covered, [name], speaking, covered),
                [name], since, now_ms,
                outlet=point.outlet, quiet=covered, point=name,
            )
        )  # fmt: skip
    return found


def _known(is_bad: bool, names: Iterable[str], speaking: set[str], covered: bool = False) -> bool | None:
    """Say whether silence is known to be so or not so: it ends when somebody speaks, not when we begin to listen."""
    return is_bad if is_bad or covered or not speaking.isdisjoint(names) else None


def _condition(
    key: str, kind: str, is_bad: bool | None, names: object, since: Mapping[str, int], now_ms: int, *,
    outlet: str | None, quiet: bool = False, point: str | None = None,
) -> Condition:  # fmt: skip
    began = max((since[name] for name in names), default=now_ms)  # type: ignore[attr-defined]
    facts = {"outlet": outlet, "point": point, "start": began, "end": now_ms}
    return Condition(key, kind, Severity.DATA, is_bad, began, now_ms, facts, quiet=quiet)
