"""This module publishes a period's figures: freezes them with their derivations and factors, and restates them.

What was frozen is what a report of that period prints from then on, whatever the store, the factor table or the plant
file say later. A restatement is worked out anew, with the factors the period was published with, and lists what it
changed and why. Parts of a published year (its months) take its factors, too.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from decimal import Decimal

from plantmon.errors import DeclarationError
from plantmon.esg import document, sent
from plantmon.esg.figures import DENOMINATOR, Figures, figures_of
from plantmon.esg.periods import Span, span_of
from plantmon.esg.volumes import Waters
from plantmon.model.metric import FactorUsed
from plantmon.model.plant import Plant
from plantmon.store import published, spool
from plantmon.store.published import Published
from plantmon.tables.metrics import catalogue_hash
from plantmon.texts import text
from plantmon.times import PlantTime


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that comes out otherwise than it was published; None: not known."""

    metric: str
    unit: str
    old: Decimal | None
    new: Decimal | None


def said(told: Published, time: PlantTime) -> str:
    """Say when a report was published and with which hash."""
    return f"{time.show(told.published_ms)} sha256:{told.sha256}"


def standing(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], span: Span, now_ms: int,
    only: str | None = None, waters: Waters | None = None,
) -> tuple[Figures, Published | None]:  # fmt: skip
    """Give a period's figures: as published, else worked out now, of one metric alone where one is named."""
    told = published.newest(connection, span.name)
    if told is not None:
        return document.read(Figures, published.document(connection, told.id)), told
    return figures_of(connection, plant, numbers, span, now_ms, _factors_of_year(connection, span), only, waters), None


def publish(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], period: str, by: str, now_ms: int,
    language: str = "en",
) -> Published:  # fmt: skip
    """Freeze a period's figures, inside the caller's transaction; give what was kept.

    Raises DeclarationError, with a sentence in the language, where the period is not over or was published before;
    ValueError for no such period.
    """
    span = span_of(period, plant.time)
    if now_ms < span.edges[-1]:
        raise DeclarationError(text("esg.not_over", language, period=span.name))
    told = published.newest(connection, span.name)
    if told is not None:
        when = plant.time.show(told.published_ms)
        raise DeclarationError(text("esg.was_published", language, period=span.name, when=when))
    made = figures_of(connection, plant, numbers, span, now_ms, _factors_of_year(connection, span))
    return _keep(connection, plant, made, by, now_ms)


def changes(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], period: str, now_ms: int,
    language: str = "en",
) -> tuple[Change, ...]:  # fmt: skip
    """List what comes out otherwise today than it was published, with the factors it was published with.

    Raises DeclarationError where the period was not published.
    """
    _, old, new = _both(connection, plant, numbers, period, now_ms, language)
    return _differences(old, new)


def restate(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], period: str, reason: str, by: str,
    now_ms: int, language: str = "en",
) -> tuple[Published, tuple[Change, ...]]:  # fmt: skip
    """Publish a period again with what is known now, inside the caller's transaction; give it and what changed.

    Raises DeclarationError where the period was not published, where nothing changed, and without a reason.
    """
    if not reason.strip():
        raise DeclarationError(text("esg.needs_reason", language))
    told, old, new = _both(connection, plant, numbers, period, now_ms, language)
    found = _differences(old, new)
    if not found:
        raise DeclarationError(text("esg.nothing_changed", language, period=told.period))
    kept = _keep(connection, plant, new, by, now_ms, reason, told.id)
    published.add_restated(connection, kept.id, [(one.metric, one.unit, one.old, one.new) for one in found])
    return kept, found


def _both(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], period: str, now_ms: int,
    language: str,
) -> tuple[Published, Figures, Figures]:  # fmt: skip
    """Give what was published, its figures, and what they would be today."""
    span = span_of(period, plant.time)
    told = published.newest(connection, span.name)
    if told is None:
        raise DeclarationError(text("esg.not_published", language, period=span.name))
    old = document.read(Figures, published.document(connection, told.id))
    return told, old, figures_of(connection, plant, numbers, span, now_ms, old.factors)


def _differences(old: Figures, new: Figures) -> tuple[Change, ...]:
    found = []
    for id in dict.fromkeys([*old.figures, *new.figures]):
        before, after = old.figures.get(id), new.figures.get(id)
        one = before or after
        assert one is not None
        was, now = before.value if before else None, after.value if after else None
        if was != now:
            found.append(Change(id.removeprefix(DENOMINATOR), one.metric.unit, was, now))
    # A denominator that is also a metric of its own is told of once.
    return tuple({one.metric: one for one in found}.values())


def _keep(
    connection: sqlite3.Connection, plant: Plant, made: Figures, by: str, now_ms: int, reason: str = "",
    supersedes: int | None = None,
) -> Published:  # fmt: skip
    written = document.write(made)
    spool.add_metrics(connection, lambda: sent.rows_of([*sent.versions(connection, made.span.name), made]))
    published.add(
        connection, made.span.name, written, document.digest(written), plant.version, catalogue_hash(), by, now_ms,
        reason, supersedes,
    )  # fmt: skip
    kept = published.newest(connection, made.span.name)
    assert kept is not None
    return kept


def _factors_of_year(connection: sqlite3.Connection, span: Span) -> tuple[FactorUsed, ...]:
    """Give the factors the year of a period was published with, none where it was not."""
    told = published.newest(connection, f"{span.year}")
    return () if told is None else document.read(Figures, published.document(connection, told.id)).factors
