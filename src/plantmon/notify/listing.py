"""This module makes the table of a mail that lists: what changed in the register, or the alarms of a storm."""

from __future__ import annotations

from plantmon.model.plant import Plant
from plantmon.notify import wording
from plantmon.notify.facts import Correction, Facts, StormLine
from plantmon.notify.wording import one_line
from plantmon.texts import text

MOST = 100  # a mail with more lines is read by nobody; the register and the command line have them all
NOTHING = "–"

Table = list[tuple[str, ...]]


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


def bound(bound: float | None, side: str | None, language: str, unit: str | None) -> str | None:
    """Write a limit: at most, or at least, so much."""
    if bound is None:
        return None
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
    one = Facts(
        kind="corrected", limit=given.limit, value=given.value, bound=given.bound, side=given.side, unit=given.unit,
        at_least=given.at_least,
    )  # fmt: skip
    unit = wording.shown_unit(given.unit)
    when = wording.span(plant.time, given.start, None if known and known.window == "reading" else given.end)
    now = NOTHING if given.now_value is None else wording.quantity(wording.figure(given.now_value, given.bound), unit)
    reason = "" if given.now_reason is None else text(f"report.column.{given.now_reason}", language)
    return (
        _joined(wording.outlet(one, plant, language), wording.parameter(one, plant, language)) or one_line(given.limit),
        _joined(wording.short_window(known.window if known else None, language), when),
        wording.value_of(one, given.value, language, unit=unit) or NOTHING,
        bound(given.bound, given.side, language, unit) or NOTHING,
        text(f"mail.why_{given.why}", language, value=now, reason=reason),
    )


def _storm(facts: Facts, plant: Plant, language: str) -> Table:
    lines = _head(language, "row_alarm", "row_what", "row_outlet", "row_value", "row_since")
    return lines + [_storm_line(one, plant, language) for one in facts.lines[:MOST]]


def _storm_line(given: StormLine, plant: Plant, language: str) -> tuple[str, ...]:
    one = Facts(
        kind=given.kind, outlet=given.outlet, point=given.point, limit=given.limit, value=given.value,
        bound=given.bound, side=given.side, unit=given.unit, at_least=given.at_least,
    )  # fmt: skip
    unit = wording.shown_unit(given.unit)
    value = given.peak if given.until is not None and given.peak is not None else given.value
    against = [wording.value_of(one, value, language, unit=unit), bound(given.bound, given.side, language, unit)]
    place = _joined(wording.outlet(one, plant, language), wording.parameter(one, plant, language))
    return (
        str(given.alarm),
        text(f"mail.kind_{given.kind}", language),
        place or plant.name.in_language(language) or plant.id,
        _joined(", ".join(word for word in against if word)) or one_line(given.detail or "") or NOTHING,
        wording.span(plant.time, given.since, given.until),
    )
