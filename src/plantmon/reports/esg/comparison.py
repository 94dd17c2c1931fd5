"""This module tells what a comparison of two times found: what was taken, per what, and what was saved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from plantmon.esg.compare import Comparison, Days
from plantmon.model.metric import Figure
from plantmon.reports.esg import words
from plantmon.reports.esg.plain import coverage_of, text_table
from plantmon.reports.esg.tables import Cell, Heading, Table, per_words, remarks
from plantmon.reports.esg.words import DASH, Speech, plain


def as_text(found: Comparison, speech: Speech) -> str:
    """Write a comparison as a small table and a sentence."""
    metric, made = found.metric, found.denominator
    headings = [Heading(speech.say("span")), Heading(speech.say("days"), "number")]
    headings.append(Heading(f"{speech.title(metric.name)} ({speech.unit(metric.unit)})", "number"))
    if made is not None:
        headings += [Heading(f"{speech.title(made.name)} ({speech.unit(made.unit)})", "number")]
        headings += [Heading(per_words(speech, made), "number")]
    headings.append(Heading(speech.say("column.basis")))
    rows = []
    notes: dict[str, int] = {}
    sides = (("before", found.before_days, found.before, found.before_per, made.previous if made else None),
             ("after", found.after_days, found.after, found.after_per, made.value if made else None))  # fmt: skip
    for name, days, figure, per, count in sides:
        said = remarks(speech, figure) if figure.value is None else []
        marks = ",".join(str(notes.setdefault(note, len(notes) + 1)) for note in said)
        cells = [
            Cell(f"{speech.say(name)} {_days(days)}"),
            Cell(str(_count(days)), "number"),
            Cell(words.of_metric(figure.value, metric), "number", marks),
        ]
        if made is not None:
            cells.append(Cell(DASH if count is None else words.of_metric(count, made.figure.metric), "number"))
            cells.append(Cell(DASH if per is None else words.intensity(per), "number"))
        rows.append((*cells, Cell(speech.coverage(figure.coverage))))
    lines = [text_table(Table("compare", speech.title(metric.name), tuple(headings), tuple(rows), tuple(notes)))]
    lines.append(f"{speech.say('column.change')}: {words.change_pct(found.change)}".replace("\n", " "))
    if found.saved is not None:
        key = "saved" if found.saved >= 0 else "used_more"
        amount = words.of_metric(abs(found.saved), metric)
        lines.append(speech.say(key, value=amount, unit=speech.unit(metric.unit)))
    return "\n".join(lines)


def as_object(found: Comparison) -> dict[str, Any]:
    """Give a comparison for JSON: numbers with all their digits, null for what is not known."""
    made = found.denominator
    return {
        "subject": found.metric.id,
        "unit": found.metric.unit,
        "per": None if made is None else made.id,
        "before": _side(found.before_days, found.before, found.before_per, None if made is None else made.previous),
        "after": _side(found.after_days, found.after, found.after_per, None if made is None else made.value),
        "change": _number(found.change),
        "saved": _number(found.saved),
    }


def _side(days: Days, figure: Figure, per: Decimal | None, made: Decimal | None) -> dict[str, Any]:
    return {
        "from": days[0].isoformat(),
        "to": days[1].isoformat(),
        "value": _number(figure.value),
        "reason": figure.reason,
        "denominator": _number(made),
        "per": _number(per),
        "coverage": coverage_of(figure.coverage),
        "notes": list(figure.notes),
    }


def parse_days(text: str) -> Days:
    """Read `2020-01-01..2020-06-30`, both days inclusive. Raises ValueError where the text is no such span.

    >>> parse_days("2020-01-01..2020-06-30")[1]
    datetime.date(2020, 6, 30)
    """
    first, dots, last = text.partition("..")
    if not dots:
        raise ValueError(f"{text!r} is no span of days")
    return date.fromisoformat(first.strip()), date.fromisoformat(last.strip())


def _days(days: Days) -> str:
    return f"{days[0]}..{days[1]}"


def _count(days: Days) -> int:
    return (days[1] - days[0]).days + 1


def _number(value: Decimal | None) -> Decimal | None:
    return None if value is None else plain(value)
