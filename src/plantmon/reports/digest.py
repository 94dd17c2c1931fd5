"""This module gathers what a digest says: all that happened in its time, how things stand, and how plantmon is doing.

Pure but for the store it reads; what the store cannot know - running outlooks, free disk - is handed in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from msgspec import structs

from plantmon import __version__, deadlines
from plantmon.alarms import due as due_kinds
from plantmon.averages.rounding import significant_one
from plantmon.compliance.exceedances import points_of
from plantmon.compliance.faults import limited_points
from plantmon.compliance.outlook import Outlook
from plantmon.compliance.permit import Permit
from plantmon.model.alarm import Alarm, State
from plantmon.model.plant import Plant
from plantmon.notify.digest_facts import (
    AlarmLine,
    Compared,
    Digest,
    DueLine,
    EntryLine,
    FrequentAlarm,
    Service,
    Words,
)
from plantmon.reports import digest_lines as lines
from plantmon.reports.digest_edition import DAILY, Edition
from plantmon.reports.digest_lines import both
from plantmon.reports.document import Missing, Scope
from plantmon.reports.notices import notices
from plantmon.reports.parts import amounts
from plantmon.reports.parts.limits import judged_of
from plantmon.reports.words import figure, limit_subject, percent
from plantmon.store import alarms, health, outbox, points, tally
from plantmon.store import digest as rows
from plantmon.store.database import Disk
from plantmon.tables.states import states
from plantmon.texts import text
from plantmon.times import HOUR_MS

LIMITS_SHOWN, LINES_SHOWN = 40, 25  # what is left out is counted
FREQUENT_SHOWN, REASONS_SHOWN = 10, 3
LOW_DISK = 0.1  # of its size
COMPUTED_MS = 3 * HOUR_MS  # an hour that began so long ago is closed and should be computed
_OF_LIMIT = frozenset({"breach", "warning", "outlook"})
_OF_CAP = frozenset({"cap_share", "cap_pace"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Around:
    """What the store does not know: where running windows are heading, and the disk it lies on (None: unknown)."""

    outlooks: Sequence[Outlook] = ()
    disk: Disk | None = None


def scope_of(
    connection: Any, plant: Plant, permit: Permit, numbers: dict[str, int], edition: Edition, now_ms: int
) -> Scope:
    """Give the scope of an edition."""
    return Scope(connection, plant, permit, numbers, *edition.span(plant.time), now_ms, "en")


def is_complete(scope: Scope) -> bool:
    """Whether all hours of a scope are closed, computed and judged."""
    return not notices(scope) and rows.is_computed(scope.connection, set(scope.numbers.values()), scope.end)


def build(scope: Scope, edition: Edition, around: Around) -> Digest:
    """Gather an edition, without what quiet hours held."""
    exceedances, exceeded = lines.exceedance_lines(scope)
    outlook, heading = lines.outlook_lines(scope, around.outlooks)
    gaps = lines.gap_lines(scope)
    faults, out = lines.fault_lines(scope)
    caps, near = lines.cap_lines(scope)
    due = _due(scope)
    service = _service(scope, around.disk)
    standing = _standing(scope)
    told = {("limit", key) for key in exceeded | heading} | {("cap", key) for key in near}
    told |= {("point", name) for name in out} | ({("due", "")} if due else set())
    concerns = {
        "exceedances": len(exceedances),
        "outlook": len(heading - exceeded),
        "outages": len(out | {gap.point for gap in gaps if gap.never}),
        "caps": len(near),
        "due": len(due),
        "service": _troubles(service),
        "alarms": sum(not _is_told(alarm, told, scope.plant) for alarm in standing),
    }
    calibrations, entries = _entries(scope)
    digest = Digest(
        edition.name, scope.start, scope.end, scope.now_ms,
        {name: count for name, count in concerns.items() if count},
        tuple(_notices(scope)), tuple(lines.limit_lines(scope)), tuple(exceedances),
        tuple(lines.withdrawn_lines(scope)), tuple(outlook), tuple(map(_alarm, standing)), tuple(gaps),
        tuple(faults) if scope.plant.alarms.fault_clock is not None else (), tuple(calibrations), tuple(entries),
        tuple(due), tuple(caps), () if edition.name == DAILY else tuple(_compared(scope, edition)),
        () if edition.name == DAILY else tuple(_frequent(scope)), service,
    )  # fmt: skip
    return shortened(digest)


def shortened(digest: Digest) -> Digest:
    """Cut lists that nobody would read to their end, and count what is left out."""
    kept: dict[str, Any] = {}
    left_out = dict(digest.left_out)
    for name in ("limits", "exceedances", "withdrawn", "outlook", "alarms", "gaps", "faults", "calibrations",
                 "entries", "due", "caps", "held"):  # fmt: skip
        found, most = getattr(digest, name), LIMITS_SHOWN if name == "limits" else LINES_SHOWN
        if len(found) > most:
            kept[name], left_out[name] = found[:most], left_out.get(name, 0) + len(found) - most
    return structs.replace(digest, left_out=left_out, **kept)


def _notices(scope: Scope) -> list[Words]:
    said = zip(notices(scope), notices(replace(scope, language="zh")), strict=True)
    return [Words(*pair) for pair in said]


# alarms


def _standing(scope: Scope) -> list[Alarm]:
    """List the alarms somebody has to do with: wrong, not acknowledged, shelved, or a breach not closed."""
    found = {alarm.id: alarm for alarm in alarms.all_open(scope.connection) if alarm.state is not State.NORMAL}
    found |= {alarm.id: alarm for alarm in alarms.unclosed(scope.connection)}
    grave = {"breach": 0, "warning": 1}
    return sorted(found.values(), key=lambda alarm: (not alarm.is_bad, grave.get(alarm.severity, 2), alarm.id))


def _alarm(alarm: Alarm) -> AlarmLine:
    state = "unclosed" if alarm.needs_closing and alarm.state is State.NORMAL else str(alarm.state)
    return AlarmLine(
        alarm.id, alarm.kind, str(alarm.severity), state, alarm.since_ms, alarm.until_ms, alarm.acked_by,
        alarm.shelved_until_ms, alarm.facts | {"kind": alarm.kind},
    )  # fmt: skip


def _is_told(alarm: Alarm, told: set[tuple[str, str]], plant: Plant) -> bool:
    """Whether something else that is counted speaks of the same."""
    facts = alarm.facts
    if alarm.kind in _OF_LIMIT:
        return ("limit", facts.get("limit")) in told
    if alarm.kind in _OF_CAP:
        return ("cap", facts.get("limit")) in told
    if alarm.kind in due_kinds.KINDS:
        return ("due", "") in told or any(kind == "point" for kind, _ in told)
    outlet = plant.outlets.get(facts.get("outlet") or "")
    named = [facts["point"]] if facts.get("point") else list(outlet.points) if outlet else []
    return alarm.kind in ("silent", "outlet_silent") and any(("point", name) in told for name in named)


def _frequent(scope: Scope) -> list[FrequentAlarm]:
    found = rows.most_raised(scope.connection, scope.start, scope.end, FREQUENT_SHOWN)
    return [FrequentAlarm(one.kind, one.count, json.loads(one.facts) | {"kind": one.kind}) for one in found]


# what people entered, and what they have to do


def _entries(scope: Scope) -> tuple[list[EntryLine], list[EntryLine]]:
    """Give the calibrations and all else that was entered in the time."""
    found = rows.entered(scope.connection, scope.start, scope.end)
    names = {number: name for name, number in scope.numbers.items()}

    def kind(key: str) -> Words:
        return Words(*(text(f"digest.kind_{key}", language) for language in ("en", "zh")))

    calibrations = [
        EntryLine(
            kind("calibration"), names.get(one.point, ""), _calibrated(scope, one.result, one.zero, one.span), one.by,
            one.at_ms, None, one.note,
        )
        for one in found.calibrations
    ]  # fmt: skip
    entries = [
        EntryLine(
            kind("mark"), one.point or one.outlet or "",
            both(scope, lambda other: states()[one.state].name.in_language(other.language)),  # noqa: B023
            one.by, one.start, one.end, one.reason,
        )
        for one in found.marks
    ]  # fmt: skip
    entries += [
        EntryLine(
            kind("correction"), names.get(one.point, ""),
            both(scope, lambda other: other.say("corrected", value=figure(one.value, one.was), was=figure(one.was))),  # noqa: B023
            one.by, one.ts, None, one.reason,
        )
        for one in found.corrections
    ]  # fmt: skip
    known, limits = points_of(scope.plant, scope.permit), scope.permit.limits()
    for note in found.notes:
        limit = limits.get(note.limit_key)
        what = note.limit_key if limit is None else f"{limit.outlet} {limit_subject(scope, limit, known)}"
        said = f"{note.cause} / {note.action}"
        entries.append(EntryLine(kind("note"), what, Words(said, said), note.by, note.start))
    entries += [
        EntryLine(
            kind("fault_report"), names.get(one.point, ""),
            Words(*(text("digest.reported_at", language, at=scope.plant.time.show(one.at_ms)[:16])
                    for language in ("en", "zh"))),
            one.by, one.start, None, one.note,
        )
        for one in found.fault_reports
    ]  # fmt: skip
    return calibrations, entries


def _calibrated(scope: Scope, result: str, zero: float, span: float) -> Words:
    return both(scope, lambda one: one.say(f"result.{result}", zero=figure(zero), span=figure(span)))


def _due(scope: Scope) -> list[DueLine]:
    """List the calibrations and reports that people are reminded of by now; faults have their own lines."""
    found = deadlines.read(scope.connection, scope.plant, scope.permit, scope.numbers, scope.now_ms)
    return [
        DueLine(
            Words(*(text(f"digest.{one.kind}", language) for language in ("en", "zh"))),
            ", ".join(one.points) or one.what, one.by_ms, one.is_overdue(scope.now_ms),
        )
        for one in found
        if one.kind in (due_kinds.CALIBRATION, due_kinds.REPORT) and scope.now_ms >= one.warn_ms
    ]  # fmt: skip


# beside the time before


def _compared(scope: Scope, edition: Edition) -> Iterable[Compared]:
    """Give the figures of the time beside those of the time before it."""
    earlier = replace(scope, start=scope.plant.time.midnight(edition.before()), end=scope.start)
    yield _figure("exceeding", "", scope, earlier, _exceeding)
    yield _figure("raised", "", scope, earlier, lambda one: rows.count_raised(one.connection, one.start, one.end))
    limited = limited_points(scope.plant, scope.permit)
    now, before = (
        {name: percent(one.capture.rate) for name, one in lines.kept(span, limited).items()}
        for span in (scope, earlier)
    )
    for name, rate in now.items():
        point = scope.plant.points[name]
        words = _with_name("captured", name, Words(point.name.en, point.name.zh))
        yield Compared(words, "%", rate, before.get(name))
    for point in amounts.pollutants(scope):
        kg = [amounts.amount(one, amounts.total(one, point, one.start, one.end), "kg") for one in (scope, earlier)]
        words = _with_name("emitted", point.id, Words(point.name.en, point.name.zh))
        yield Compared(words, "kg", *(_number(one) for one in kg))


def _figure(key: str, unit: str, scope: Scope, earlier: Scope, count: Callable[[Scope], int]) -> Compared:
    words = Words(*(text(f"digest.compared_{key}", language) for language in ("en", "zh")))
    return Compared(words, unit, float(count(scope)), float(count(earlier)) if _is_known(earlier) else None)


def _is_known(scope: Scope) -> bool:
    """Whether anything was measured before the end of a scope."""
    lives = points.lives(scope.connection).values()
    return any(life.first_ms is not None and life.first_ms < scope.end for life in lives)


def _with_name(key: str, name: str, words: Words) -> Words:
    return Words(
        text(f"digest.compared_{key}", "en", point=name, name=words.en),
        text(f"digest.compared_{key}", "zh", point=name, name=words.zh),
    )


def _number(cell: object) -> float | None:
    return significant_one(float(cell)) if isinstance(cell, int | float) and not isinstance(cell, Missing) else None


def _exceeding(scope: Scope) -> int:
    return sum(verdict.outcome.is_exceedance for _, found in judged_of(scope) for verdict in found)


# plantmon itself


def _service(scope: Scope, disk: Disk | None) -> Service:
    connection, span = scope.connection, (scope.start, scope.end)
    arrived = tally.total(connection, *span)
    refused = {
        what.removeprefix(tally.REJECTED): count for what, count in arrived.items() if what.startswith(tally.REJECTED)
    }
    frequent = sorted(refused.items(), key=lambda one: (-one[1], one[0]))[:REASONS_SHOWN]
    sent = rows.deliveries(connection, *span)
    readings = arrived.get(tally.READINGS, 0) if _was_counted(scope) else None
    waiting = rows.waiting(connection, scope.now_ms - COMPUTED_MS)
    return Service(
        __version__, readings, sum(refused.values()), tuple(frequent), waiting,
        sent[outbox.QUEUED], sent[outbox.ACCEPTED], sent[outbox.REFUSED],
        None if disk is None else disk.free, None if disk is None else disk.size,
        disk is not None and disk.free < LOW_DISK * disk.size,
        tuple((at, hash[:8]) for at, hash in rows.versions(connection, *span)),
        tuple((component, since, why) for component, since, _, why in health.failing(connection)),
    )  # fmt: skip


def _was_counted(scope: Scope) -> bool:
    """Whether what arrived in the time was counted: not in a store that is older than the count."""
    began_ms = tally.began_ms(scope.connection)
    return not _is_known(scope) if began_ms is None else began_ms < scope.end


def _troubles(service: Service) -> int:
    is_idle = service.readings == 0
    return len(service.failing) + is_idle + (service.rejected > 0) + (service.refused > 0) + service.is_disk_low
