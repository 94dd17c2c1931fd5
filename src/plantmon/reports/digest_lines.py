"""This module makes the lines of a digest that speak of measurement: limits, exceedances, gaps, faults, permitted sums.

Each line stands whole in both languages, so that it can be read however the plant file changes until it is mailed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from msgspec import structs

from plantmon.amounts.caps import TELLING_DAYS, Cap, cap_of, caps_in_force
from plantmon.averages.capture import Capture, capture_of
from plantmon.averages.rounding import significant_one
from plantmon.compliance.exceedances import exceedances, points_of, withdrawals
from plantmon.compliance.outlook import Outlook
from plantmon.compliance.permit import BEGINNING_MS, END_MS
from plantmon.model.plant import Kind, Limit, Point
from plantmon.model.verdict import Outcome, Verdict
from plantmon.model.window import Window
from plantmon.notify.digest_facts import (
    CapLine,
    ExceedanceLine,
    FaultLine,
    GapLine,
    LimitLine,
    OutlookLine,
    What,
    WithdrawnLine,
    Words,
)
from plantmon.notify.wording import has_percent
from plantmon.reports.document import Missing, Scope
from plantmon.reports.exceeded import exceeded
from plantmon.reports.parts import amounts
from plantmon.reports.parts.limits import REST, judged_of, why
from plantmon.reports.parts.outages import found_in
from plantmon.reports.parts.register import now_said
from plantmon.reports.words import limit_bounds, limit_subject, limit_window, outlet_name
from plantmon.store import digest as rows
from plantmon.store import emissions, points, windows
from plantmon.times import DAY_MS

MISSING, INVALID, ESTIMATED = "missing", "invalid", "estimated"
SPANS_SHOWN = 6
_YEAR_MS = 366 * DAY_MS


def both(scope: Scope, say: Callable[[Scope], str]) -> Words:
    """Say something in both languages."""
    return Words(say(replace(scope, language="en")), say(replace(scope, language="zh")))


def outlet_of(scope: Scope, outlet: str) -> Words:
    """Give an outlet's id and name."""
    return both(scope, lambda one: f"{outlet} {outlet_name(one.plant, outlet, one.language)}".strip())


def what_of(scope: Scope, limit: Limit) -> What:
    """Say what a limit is on."""
    known = points_of(scope.plant, scope.permit)
    return What(
        outlet_of(scope, limit.outlet),
        both(scope, lambda one: limit_subject(one, limit, known)),
        both(scope, lambda one: limit_window(one, limit)),
    )


# limits


def limit_lines(scope: Scope) -> list[LimitLine]:
    """Say what became of each limit's windows, the worst first; sums of months and years stand with the caps."""
    lines = [_limit(scope, limit, found) for limit, found in judged_of(scope) if limit.window not in ("1mo", "1y")]
    return sorted(lines, key=lambda line: (-line.exceeded, -line.warned, -(line.share or 0.0)))


def _limit(scope: Scope, limit: Limit, found: Sequence[Verdict]) -> LimitLine:
    rested = sum(verdict.reason in REST for verdict in found)
    unjudged = [one for one in found if one.outcome is Outcome.NOT_JUDGED and one.reason not in REST]
    worst, bound, share = _worst(limit, found)
    return LimitLine(
        what_of(scope, limit), limit_bounds(limit), limit.unit, len(found),
        sum(verdict.outcome.is_exceedance for verdict in found),
        sum(verdict.outcome is Outcome.WARN for verdict in found),
        len(unjudged), rested,
        both(scope, lambda one: why(one, unjudged)) if unjudged else None,
        None if worst is None else worst.value, bound, share,
        limit.minimum is None and has_percent(limit.unit),
        worst is not None and worst.outcome is Outcome.EXCEED_AT_LEAST,
        None if worst is None else worst.start, None if worst is None else worst.end,
    )  # fmt: skip


def _worst(limit: Limit, found: Iterable[Verdict]) -> tuple[Verdict | None, float | None, float | None]:
    """Give the verdict whose value is furthest on the way to its bound or beyond, that bound, and how far."""
    worst: tuple[Verdict | None, float | None, float | None] = (None, None, None)
    for verdict in found:
        if verdict.value is not None:
            bound, share = nearness(limit, verdict.value)
            if worst[2] is None or share > worst[2]:
                worst = (verdict, bound, share)
    return worst


def nearness(limit: Limit, value: float) -> tuple[float, float]:
    """Give the end of a limit a value is nearer to, and how far on the way to it: 1 at the end, more beyond.

    Of a limit with one end that is value / maximum, or minimum / value; with two, counted from their middle.
    """
    low, high = limit.minimum, limit.maximum
    if low is not None and high is not None:
        middle, half = (low + high) / 2, (high - low) / 2
        return (high if value >= middle else low), abs(value - middle) / half if half else 1.0
    if high is not None:
        return high, max(0.0, value / high) if high > 0 else float(value > high) + 1.0
    assert low is not None
    if low <= 0 or value <= 0:
        return low, 2.0 if value < low else 1.0
    return low, low / value


# exceedances


def exceedance_lines(scope: Scope) -> tuple[list[ExceedanceLine], set[str]]:
    """List the register's entries of the time, and older ones that were found in it; with the limits they are of."""
    lines, keys = [], set()
    for one in exceeded(scope):
        note = one.entry.notes[0] if one.entry.notes else None
        keys.add(one.limit.key)
        lines.append(
            ExceedanceLine(
                what_of(scope, one.limit), one.first, one.last, one.entry.peak, one.entry.bound, one.limit.unit,
                one.entry.windows, one.entry.at_least, False, note.cause if note else None,
                note.action if note else None,
            )
        )  # fmt: skip
    return [*lines, *_late(scope)], keys


def _late(scope: Scope) -> list[ExceedanceLine]:
    found = {}
    for key, start in rows.found_late(scope.connection, scope.start, scope.end):
        entries = exceedances(scope.connection, scope.plant, scope.permit, scope.numbers, start, start + 1)
        for limit, entry in entries:
            if limit.key == key and entry.end <= scope.start:  # else it is among those of the time
                found[limit.key, entry.start] = ExceedanceLine(
                    what_of(scope, limit), entry.first_ms, entry.last_ms, entry.peak, entry.bound, limit.unit,
                    entry.windows, entry.at_least, True,
                )  # fmt: skip
    return list(found.values())


def withdrawn_lines(scope: Scope) -> list[WithdrawnLine]:
    """List the exceedances that were taken back in the time and do not stand again, whenever they had been."""
    lines = {}
    for one in withdrawals(scope.connection, scope.permit, BEGINNING_MS, END_MS):
        was, limit = one.withdrawn, one.limit
        if one.stands_again or not scope.start <= was.withdrawn_ms < scope.end:
            continue
        what = What(Words("", ""), Words(was.limit_key, was.limit_key)) if limit is None else what_of(scope, limit)
        said = both(scope, lambda other: now_said(other, was, limit))  # noqa: B023 - said at once
        lines[was.limit_key, was.start] = WithdrawnLine(
            what, was.start, was.end, was.value, was.bound, limit.unit if limit else "", said
        )
    return list(lines.values())


def outlook_lines(scope: Scope, outlooks: Iterable[Outlook]) -> tuple[list[OutlookLine], set[str]]:
    """List the running windows that will be beyond their limit, with the limits they are of."""
    chosen = [one for one in outlooks if one.is_enough and one.is_beyond]
    return [
        OutlookLine(
            what_of(scope, one.limit), one.expected, one.bound, one.limit.unit, one.side, one.allowed, one.exhausted,
            one.left_ms,
        )
        for one in chosen
    ], {one.limit.key for one in chosen}  # fmt: skip


# gaps and faults


@dataclass(slots=True)
class Kept:
    """What a point kept of a time: its hours due, had and valid, and the spans [start, end) it lacks, by kind."""

    capture: Capture = field(default_factory=lambda: Capture(0, 0, 0))
    spans: list[tuple[int, int, str]] = field(default_factory=list)


def kept(scope: Scope, names: Iterable[str]) -> dict[str, Kept]:
    """Say what points kept of the time, as far as their hours are closed; those with none are left out.

    Read day by day, so that the month of a large plant needs no more memory than a day.
    """
    closed, time = windows.closed(scope.connection, "1h"), scope.plant.time
    numbers = {scope.numbers[name]: name for name in names if scope.numbers.get(name) in closed}
    found: dict[str, Kept] = {}
    for day in time.days(scope.start, scope.end) if numbers else []:
        start, end = max(day, scope.start), min(time.next_day(day), scope.end)
        hours = windows.between(scope.connection, "1h", start, end, set(numbers))
        for number, name in numbers.items():
            first, until = max(closed[number][0], start), min(closed[number][1], end)
            if first < until:
                one = found.setdefault(name, Kept())
                own = hours.get(number, [])
                one.capture = _sum(one.capture, capture_of(own, first, until))
                _join(one.spans, own, is_counter=scope.plant.points[name].kind is Kind.COUNTER)
    return found


def _sum(one: Capture, other: Capture) -> Capture:
    return Capture(one.due + other.due, one.had + other.had, one.valid + other.valid)


def gap_lines(scope: Scope) -> list[GapLine]:
    """Say of each measured point which hours of the time lack readings or valid values; points without any first."""
    lives = points.lives(scope.connection)
    measured = {name: point for name, point in scope.plant.points.items() if point.formula is None and name in lives}
    lines = [
        _gap(scope, point, None, [], never=True)
        for name, point in measured.items()
        if lives[name].first_ms is None and lives[name].since_ms < scope.end
    ]
    for name, one in kept(scope, measured).items():
        if one.spans:
            point = measured[name]
            lines.append(_gap(scope, point, None if point.kind is Kind.COUNTER else one.capture.rate, one.spans))
    return sorted(lines, key=lambda line: (not line.never, 1.0 if line.captured is None else line.captured))


def _gap(
    scope: Scope, point: Point, captured: float | None, spans: list[tuple[int, int, str]], *, never: bool = False
) -> GapLine:
    outlet = None if point.outlet is None else outlet_of(scope, point.outlet)
    return GapLine(
        outlet, point.id, Words(point.name.en, point.name.zh), captured, tuple(spans[:SPANS_SHOWN]), never,
        max(0, len(spans) - SPANS_SHOWN),
    )  # fmt: skip


def _join(spans: list[tuple[int, int, str]], hours: Iterable[Window], *, is_counter: bool) -> None:
    """Add hours to spans, neighbours of one kind as one; hours in which the source stood still are none."""
    for hour in hours:
        kind = _lack(hour, is_counter=is_counter)
        if kind is None:
            continue
        if spans and spans[-1][1:] == (hour.start, kind):
            spans[-1] = (spans[-1][0], hour.end, kind)
        else:
            spans.append((hour.start, hour.end, kind))


def _lack(hour: Window, *, is_counter: bool) -> str | None:
    if is_counter:
        return MISSING if hour.amount is None else ESTIMATED if hour.estimated else None
    if hour.ran == 0 or hour.is_valid:
        return None
    return INVALID if hour.had else MISSING


def fault_lines(scope: Scope) -> tuple[list[FaultLine], set[str]]:
    """List the monitors out of order with their fault clocks, with the points they are of."""
    found = found_in(scope)
    lines = [
        FaultLine(
            name, Words(scope.plant.points[name].name.en, scope.plant.points[name].name.zh), fault.outage.start,
            fault.outage.end, fault.report_by_ms, fault.reported_ms, fault.is_report_overdue, fault.repair_by_ms,
            fault.is_repair_overdue,
        )
        for name, fault, _ in found
    ]  # fmt: skip
    return lines, {name for name, _, _ in found}


# permitted quantities


def cap_lines(scope: Scope) -> tuple[list[CapLine], set[str]]:
    """Say what of each month's and year's permitted quantity is used at the end of the time; and which are near."""
    lines, near = [], set()
    for limit, (start, end) in caps_in_force(scope.plant, scope.end - 1):
        number, until = scope.numbers.get(limit.point, -1), min(end, scope.end)
        days = emissions.days(scope.connection, number, start - _YEAR_MS, until)
        cap = cap_of(limit, days, start, end, scope.plant.time)
        line = _cap(scope, limit, cap)
        if scope.start > start and line.share is not None:
            earlier = cap_of(limit, [day for day in days if day.start < scope.start], start, end, scope.plant.time)
            line = structs.replace(line, before=significant_one(earlier.used_share))
        lines.append(line)
        if line.is_near:
            near.add(limit.key)
    return sorted(lines, key=lambda line: -(line.share or 0.0)), near


def _cap(scope: Scope, limit: Limit, cap: Cap) -> CapLine:
    assert limit.maximum is not None
    used = amounts.amount(scope, cap.used, limit.unit)
    share = None if isinstance(used, Missing) or not limit.maximum else significant_one(cap.used_share)
    pace = next(pace for pace in cap.paces if pace.days == TELLING_DAYS)
    warn_at = scope.plant.rules.cap_warn_at if limit.warn_at is None else limit.warn_at
    days = len(scope.plant.time.days(cap.start, min(cap.end, scope.end)))
    remark = both(scope, lambda one: amounts.state(one, cap.used, days) or "")
    return CapLine(
        what_of(scope, limit), scope.plant.time.date_of(cap.start).isoformat()[: 4 if limit.window == "1y" else 7],
        None if isinstance(used, Missing) else used, limit.maximum, limit.unit, share, None,
        None if pace.reached is None else pace.reached.isoformat(),
        None if cap.passed is None else cap.passed.isoformat(),
        bool(cap.passed or pace.reached or (share is not None and share > warn_at)), remark if remark.en else None,
    )  # fmt: skip
