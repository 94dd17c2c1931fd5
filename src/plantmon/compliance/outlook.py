"""This module looks ahead: what a running window may still become, and when people are warned of it.

A mean of parts that weigh alike (minutes, hours, volumes) stays within a limit L while the rest stays below
(L x (in + to come) - sum of what is in) / to come; sound levels likewise in energy. L is taken as the verdict compares
it: equal complies, and where values are rounded before the comparison the rest may have what rounds to the limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from plantmon.averages.mean import to_energy, to_level
from plantmon.averages.rounding import DIGITS, significant_one, without_residue
from plantmon.compliance.judge import compared
from plantmon.model.alarm import Alarm, Condition, Severity
from plantmon.model.plant import Basis, Kind, Limit, Point

KIND = "outlook"
HIGH, LOW = "max", "min"


@dataclass(frozen=True, slots=True)
class Known:
    """What of a running window is known; `weight` and `rest` (in, to come) count minutes, hours or m3 alike.

    `mean` is of what is in, in the limit's unit, over-range readings at the range's end (`at_least`); None: nothing.
    `recent` is what is taken to go on. `parts`, `to_come` and `due` count what validity counts. `can_judge` False: too
    little can still come for a verdict. `is_simple` False: the rest cannot be told from a mean (a median, few values).
    """

    mean: float | None
    weight: float
    rest: float
    recent: float | None
    parts: int
    to_come: int
    due: int
    at_least: bool = False
    can_judge: bool = True
    is_simple: bool = True


@dataclass(frozen=True, slots=True)
class Outlook:
    """A running window [start, end) against its limit, known up to `at_ms`; values in the limit's unit.

    `side` is the end of the limit it is nearer to, `bound` its value. `allowed` is the highest mean the rest may have
    (for a minimum the lowest), None where it cannot be told or nothing helps any more. `exhausted`: beyond the limit
    whatever comes. `projected` is the window's mean if the `recent` one goes on. `is_enough`: so much is in that people
    may be warned.
    """

    limit: Limit
    point: Point
    start: int
    end: int
    at_ms: int
    value: float | None
    parts: int
    to_come: int
    due: int
    side: str
    bound: float
    allowed: float | None
    exhausted: bool
    recent: float | None
    projected: float | None
    at_least: bool
    is_enough: bool

    @property
    def share(self) -> float:
        """How much of the window is in, 0 to 1."""
        return self.parts / self.due if self.due else 0.0

    @property
    def left_ms(self) -> int:
        """How long the window goes on."""
        return self.end - self.at_ms

    @property
    def expected(self) -> float | None:
        """The projected value, without one the value so far."""
        return self.value if self.projected is None else self.projected

    @property
    def is_beyond(self) -> bool:
        """Whether the window will be beyond its limit unless something changes."""
        return self.exhausted or (self.projected is not None and _is_beyond(self, self.projected))


def outlook_of(
    limit: Limit, point: Point, start: int, end: int, at_ms: int, known: Known, *, is_enough: bool
) -> Outlook:
    """Look ahead from what is known. Edges: of a limit with two ends the nearer one is told of.

    Exhausted: even 0 for the rest (concentrations, rates) or the end of the instrument's range does not help.
    """
    is_told = known.is_simple and known.can_judge
    projected = _together(point, known) if is_told else None
    side = _side(limit, known.mean if projected is None else projected)
    bound = limit.maximum if side == HIGH else limit.minimum
    assert bound is not None
    exhausted = is_told and _is_exhausted(limit, point, side, known)
    allowed = allowed_rest(limit, point, side, known) if is_told and not exhausted else None
    return Outlook(
        limit, point, start, end, at_ms, known.mean, known.parts, known.to_come, known.due, side, bound, allowed,
        exhausted, known.recent, projected, known.at_least, is_enough,
    )  # fmt: skip


def allowed_rest(limit: Limit, point: Point, side: str, known: Known) -> float | None:
    """Give the highest mean (`min`: the lowest) the rest may have for the window to comply, to 12 digits.

    Where the last digit that the mean so far was rounded to could tip the verdict, the answer keeps clear of it, as far
    as the rest can be so. None: no rest, or not even silence would do (sound).
    """
    found, end = _safe_rest(limit, point, side, known), _end_of_range(limit, point, side)
    if found is None or end is None:
        return found
    return max(found, end) if side == HIGH else min(found, end)


def complying_edge(limit: Limit, point: Point, side: str) -> float:
    """Give the last value that complies, as the verdict compares: beyond the limit where values are rounded before.

    Half goes to the even digit: 64.5 dB complies with 64, 65.5 dB does not with 65 (GB/T 8170-2008; GB 12348-2008).
    """
    bound = limit.maximum if side == HIGH else limit.minimum
    assert bound is not None
    decimals = 0 if point.kind is Kind.ENERGY else limit.decimals
    if decimals is None:
        return bound
    sign, step = (1 if side == HIGH else -1), Decimal(1).scaleb(-decimals)
    last = (sign * Decimal(repr(bound)) / step).to_integral_value(ROUND_FLOOR)
    half = float((last + Decimal("0.5")) * step)
    return sign * (half if last % 2 == 0 else significant_one(half - last_digit(half)))


def last_digit(value: float) -> float:
    """Give what the last of 12 significant digits of a value is worth; 0 of 0."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - DIGITS + 1) if value else 0.0


def is_bad(outlook: Outlook, deadband: float) -> bool | None:
    """Say whether people must be warned, None where nothing changes: too little in, or within the deadband."""
    if not outlook.is_enough:
        return None
    if outlook.is_beyond:
        return True
    if outlook.projected is None:
        return None
    room = outlook.bound - outlook.projected if outlook.side == HIGH else outlook.projected - outlook.bound
    return False if room >= abs(outlook.bound) * deadband else None


def conditions(
    outlooks: Iterable[Outlook], standing: Mapping[str, Alarm], warned: frozenset[str], deadband: float
) -> list[Condition]:
    """Say which warnings begin and end; `standing` are the alarms by key, `warned` those told of in this window.

    A breach that stands for the limit speaks alone. With its window a warning ends quietly: then the verdict speaks. A
    window that was warned of and cleared is warned of again only when nothing can save it.
    """
    found: list[Condition] = []
    seen = set()
    for one in outlooks:
        key = key_of(one.limit.key)
        seen.add(key)
        alarm, has_breach = standing.get(key), f"breach:{one.limit.key}" in standing
        if alarm is not None and (has_breach or alarm.facts.get("start") != one.start):
            found.append(_end(alarm))
            alarm = None
        bad = None if has_breach else is_bad(one, deadband)
        if alarm is None:
            if bad and (one.exhausted or key not in warned):
                found.append(_condition(one, bad))
        elif bad is False:
            found.append(_condition(one, bad))
    return found + [_end(alarm) for key, alarm in standing.items() if alarm.kind == KIND and key not in seen]


def key_of(limit_key: str) -> str:
    """Give the key of a limit's warning ahead."""
    return f"{KIND}:{limit_key}"


def _end(alarm: Alarm) -> Condition:
    """End a warning without a mail."""
    until_ms = alarm.facts.get("end", alarm.since_ms)
    return Condition(alarm.key, KIND, alarm.severity, False, alarm.since_ms, until_ms, {}, quiet=True)


def _condition(one: Outlook, bad: bool) -> Condition:
    limit = one.limit
    facts = {
        "limit": limit.key, "outlet": limit.outlet, "point": limit.point, "window": limit.window,
        "start": one.start, "end": one.end, "at": one.at_ms, "value": one.value, "bound": one.bound,
        "side": one.side, "unit": limit.unit, "standard": limit.standard, "basis": str(limit.basis),
        "at_least": one.at_least, "share": one.share, "left_ms": one.left_ms, "allowed": one.allowed,
        "projected": one.projected, "exhausted": one.exhausted,
        # No account of windows is kept: this one is not over.
        "peak": None, "total": 0.0, "windows": 0,
    }  # fmt: skip
    return Condition(key_of(limit.key), KIND, Severity.WARNING, bad, one.at_ms, one.at_ms, facts)


def _side(limit: Limit, value: float | None) -> str:
    if limit.maximum is None or limit.minimum is None:
        return LOW if limit.maximum is None else HIGH
    return LOW if value is not None and value - limit.minimum < limit.maximum - value else HIGH


def _is_beyond(one: Outlook, value: float) -> bool:
    shown = compared(value, one.point, one.limit.decimals)
    return shown > one.bound if one.side == HIGH else shown < one.bound


def _is_exhausted(limit: Limit, point: Point, side: str, known: Known) -> bool:
    """Whether nothing that may still come helps; the mean so far is taken as low as it may have been rounded from."""
    if known.mean is None:
        return False
    sign, edge = (1 if side == HIGH else -1), complying_edge(limit, point, side)
    if known.rest <= 0:
        return sign * (known.mean - edge) > 0
    least = _rest(point, edge, known.mean - sign * last_digit(known.mean) / 2, known.weight, known.rest)
    end = _end_of_range(limit, point, side)
    return least is None or (end is not None and sign * (least - end) < 0)


def _end_of_range(limit: Limit, point: Point, side: str) -> float | None:
    """Give the best a rest can be: 0 of concentrations and rates, of levels the instrument's range; None unknown."""
    if limit.basis is not Basis.LEVEL:
        return 0.0 if side == HIGH else None
    return point.range_low if side == HIGH else point.range_high


def _safe_rest(limit: Limit, point: Point, side: str, known: Known) -> float | None:
    sign = 1 if side == HIGH else -1
    edge = complying_edge(limit, point, side)
    weight, mean = (0.0, edge) if known.mean is None else (known.weight, known.mean)
    hidden = sign * last_digit(mean) / 2
    found = None
    for slack in (0.0, hidden):
        nearest = _rest(point, edge, mean + slack, weight, known.rest)
        if nearest is None:
            return None
        for found in (nearest, significant_one(nearest - sign * last_digit(nearest))):
            worst = _mean(point, mean + hidden, weight, found, known.rest)
            if sign * (worst - edge) <= 0:
                return found
    return found


def _rest(point: Point, edge: float, mean: float, weight: float, rest: float) -> float | None:
    """Give the mean of the rest that brings the whole to an edge; None without rest, or where energy is used up."""
    if rest <= 0:
        return None
    whole, total = _work(point, edge) * (weight + rest), _work(point, mean) * weight
    room = float(without_residue(np.array([whole - total]), np.array([abs(whole) + abs(total)]))[0])
    if point.kind is Kind.ENERGY and room <= 0:
        return None
    return significant_one(_shown(point, room / rest))


def _together(point: Point, known: Known) -> float | None:
    """Give the window's mean if the recent one goes on."""
    if known.mean is None:
        return None
    if known.rest <= 0:
        return known.mean
    return None if known.recent is None else _mean(point, known.mean, known.weight, known.recent, known.rest)


def _mean(point: Point, mean: float, weight: float, other: float, rest: float) -> float:
    total = _work(point, mean) * weight + _work(point, other) * rest
    return significant_one(_shown(point, total / (weight + rest)))


def _work(point: Point, value: float) -> float:
    """Give what is added up: the value, of a sound level its energy."""
    return float(to_energy(np.array(value))) if point.kind is Kind.ENERGY else value


def _shown(point: Point, work: float) -> float:
    return float(to_level(np.array(work))) if point.kind is Kind.ENERGY else work
