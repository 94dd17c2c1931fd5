"""This module makes the list of a mail that lists: what changed in the register, or the alarms of a storm.

As a table for text, and as entries for HTML: a phone has no room for five columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from plantmon.model.plant import Plant
from plantmon.notify import wording
from plantmon.notify.details import detail
from plantmon.notify.facts import Correction, Facts, StormLine
from plantmon.notify.wording import one_line
from plantmon.texts import sentences, text

MOST = 100  # a mail with more lines is read by nobody; the register and the command line have them all
NOTHING = "–"

Table = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is listed: what, how much, beside which bound, details."""

    head: str
    value: str
    against: str
    notes: tuple[str, ...]


def entries(facts: Facts, plant: Plant, language: str) -> list[Entry]:
    """Give the list's entries, at most `MOST`; none where the mail lists nothing."""
    if facts.lines:
        return [_storm_entry(one, plant, language) for one in facts.lines[:MOST]]
    return [_correction_entry(one, plant, language) for one in facts.breaches[:MOST]]


def table(facts: Facts, plant: Plant, language: str) -> Table:
    """Give the table's lines, at most `MOST`, the first its head; none where the mail lists nothing."""
    if facts.lines:
        return _storm(facts, plant, language)
    return _corrections(facts, plant, language) if facts.breaches else []


def intro(facts: Facts, language: str) -> str | None:
    """Give the sentence before the table."""
    if facts.lines:
        return text(f"mail.storm_intro_{facts.about}", language, count=len(facts.lines))
    if not facts.breaches:
        return None
    return text("mail.corrected_intro", language, **counts(facts))


def rest(facts: Facts, language: str) -> str | None:
    """Say how many lines are not in the table, None where all are."""
    if len(facts.lines) > MOST:
        return text("mail.storm_more", language, count=len(facts.lines) - MOST)
    if len(facts.breaches) > MOST:
        return text("mail.corrected_more", language, count=len(facts.breaches) - MOST)
    return None


def summary(facts: Facts, language: str) -> str | None:
    """Say in a few words what is listed, for the subject; None where nothing is."""
    if facts.lines:
        breaches = sum(line.severity == "breach" for line in facts.lines)
        key = "mail.subject_storm_breaches" if breaches else "mail.subject_storm"
        return text(key, language, count=len(facts.lines), breaches=breaches)
    return text("mail.subject_corrected", language, **counts(facts)) if facts.breaches else None


def counts(facts: Facts) -> dict[str, int]:
    """Count the exceedances found and those taken back."""
    added = sum(one.why == "found" for one in facts.breaches)
    return {"added": added, "withdrawn": len(facts.breaches) - added}


def bound(
    bound: float | None, side: str | None, language: str, unit: str | None, *, kind: str = "breach"
) -> str | None:
    """Write a limit: at most, or at least, so much; the end of a measuring range as it is."""
    if bound is None:
        return None
    if kind == "over_range":
        return wording.quantity(wording.exact(bound), unit)
    key = "mail.limit_min" if side == "min" else "mail.limit_max"
    return text(key, language, quantity=wording.quantity(wording.exact(bound), unit))


def _head(language: str, *keys: str) -> Table:
    return [tuple(text(f"mail.{key}", language) for key in keys)]


def _joined(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def _corrections(facts: Facts, plant: Plant, language: str) -> Table:
    lines = _head(language, "row_outlet", "row_window", "row_value", "row_limit", "row_change")
    return lines + [_correction(one, plant, language) for one in facts.breaches[:MOST]]


def _correction(given: Correction, plant: Plant, language: str) -> tuple[str, ...]:
    known = wording.find_limit(plant, given.limit)
    when = wording.span(plant.time, given.start, None if known and known.window == "reading" else given.end)
    return (
        _corrected_place(given, plant, language),
        _joined(wording.short_window(known.window if known else None, language), when),
        _corrected_value(given, language) or NOTHING,
        bound(given.bound, given.side, language, wording.shown_unit(given.unit)) or NOTHING,
        _change(given, language),
    )


def _correction_entry(given: Correction, plant: Plant, language: str) -> Entry:
    known = wording.find_limit(plant, given.limit)
    when = wording.bare_span(plant.time, given.start, None if known and known.window == "reading" else given.end)
    window = wording.window(known.window if known else None, language)
    return Entry(
        _corrected_place(given, plant, language), _corrected_value(given, language),
        _limit(given.bound, language, given.unit), (wording.joined([window, when], language), _change(given, language)),
    )  # fmt: skip


def _corrected_facts(given: Correction) -> Facts:
    return Facts(
        kind="corrected", limit=given.limit, value=given.value, bound=given.bound, side=given.side, unit=given.unit,
        at_least=given.at_least,
    )  # fmt: skip


def _corrected_place(given: Correction, plant: Plant, language: str) -> str:
    one = _corrected_facts(given)
    place = _joined(wording.outlet(one, plant, language), wording.parameter(one, plant, language))
    return place or one_line(given.limit)


def _corrected_value(given: Correction, language: str) -> str:
    unit = wording.shown_unit(given.unit)
    return wording.value_of(_corrected_facts(given), given.value, language, unit=unit) or ""


def _change(given: Correction, language: str) -> str:
    unit = wording.shown_unit(given.unit)
    now = NOTHING if given.now_value is None else wording.quantity(wording.figure(given.now_value, given.bound), unit)
    reason = "" if given.now_reason is None else _reason(given.now_reason, language)
    return text(f"mail.why_{given.why}", language, value=now, reason=reason)


def _reason(reason: str, language: str) -> str:
    own = f"mail.reason_{reason}"
    return text(own if own in sentences() else f"report.column.{reason}", language)


def _limit(bound: float | None, language: str, unit: str | None, kind: str = "limit") -> str:
    """Say a bound under its value."""
    if bound is None:
        return ""
    shown = wording.quantity(wording.exact(bound), wording.shown_unit(unit))
    return text("mail.against_over_range" if kind == "over_range" else "mail.listed_limit", language, limit=shown)


def _storm(facts: Facts, plant: Plant, language: str) -> Table:
    lines = _head(language, "row_alarm", "row_what", "row_outlet", "row_value", "row_since")
    return lines + [_storm_line(one, plant, language) for one in facts.lines[:MOST]]


def _storm_line(given: StormLine, plant: Plant, language: str) -> tuple[str, ...]:
    unit = wording.shown_unit(given.unit)
    against = [_storm_value(given, language), bound(given.bound, given.side, language, unit)]
    if given.kind == "over_range":
        against[1] = _limit(given.bound, language, given.unit, given.kind)
    return (
        str(given.alarm),
        text(f"mail.kind_{given.kind}", language),
        _storm_place(given, plant, language),
        wording.joined(against, language) or _detail(given, plant, language) or NOTHING,
        wording.span(plant.time, given.since, given.until),
    )


def _storm_entry(given: StormLine, plant: Plant, language: str) -> Entry:
    when = wording.bare_span(plant.time, given.since, given.until)
    if given.until is None:
        when = text("mail.listed_since", language, when=when)
    said = _detail(given, plant, language)
    return Entry(
        f"{text(f'mail.kind_{given.kind}', language)} · {_storm_place(given, plant, language)}",
        _storm_value(given, language),
        _limit(given.bound, language, given.unit, given.kind),
        (*([said] if said else []), text("mail.listed_alarm", language, number=given.alarm, when=when)),
    )


def _storm_facts(given: StormLine) -> Facts:
    return Facts(
        kind=given.kind, outlet=given.outlet, point=given.point, limit=given.limit, value=given.value,
        bound=given.bound, side=given.side, unit=given.unit, at_least=given.at_least, detail=given.detail,
    )  # fmt: skip


def _storm_place(given: StormLine, plant: Plant, language: str) -> str:
    one = _storm_facts(given)
    place = _joined(wording.outlet(one, plant, language), wording.parameter(one, plant, language))
    return place or plant.name.in_language(language) or plant.id


def _storm_value(given: StormLine, language: str) -> str:
    value = given.peak if given.until is not None and given.peak is not None else given.value
    return wording.value_of(_storm_facts(given), value, language, unit=wording.shown_unit(given.unit)) or ""


def _detail(given: StormLine, plant: Plant, language: str) -> str:
    return one_line(detail(_storm_facts(given), plant, language) or "")
