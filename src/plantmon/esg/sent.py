"""This module gives published figures as what is sent of them to an InfluxDB: a point a metric, and one an intensity.

What a later publication of the period no longer has goes out once more as not known, so that it does not stand there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from plantmon.esg import document
from plantmon.esg.derive import walk
from plantmon.esg.factors import PLANT_FILE
from plantmon.esg.figures import DENOMINATOR, Figures, intensity
from plantmon.esg.periods import span_of
from plantmon.model.metric import SENT_BASES, SENT_REASONS, Coverage, Figure, SentMetric, TermKind
from plantmon.store import published
from plantmon.times import PlantTime

_PROVISIONAL = {"provisional", "running"}


class SentAgain:
    """Gives the points of published periods once more, for `store.resend`."""

    def __init__(self, time: PlantTime) -> None:
        self._time = time

    def __call__(
        self, connection: sqlite3.Connection, start_ms: int, end_ms: int, after: str
    ) -> tuple[list[SentMetric], str | None]:
        """Give the first period behind `after`, by name, that begins in [start, end): its points and its name."""
        for period in published.periods(connection):
            if period > after and start_ms <= span_of(period, self._time).edges[0] < end_ms:
                return rows_of(versions(connection, period)), period
        return [], None


def versions(connection: sqlite3.Connection, period: str) -> list[Figures]:
    """Read every publication of a period, the oldest first."""
    return [
        document.read(Figures, published.document(connection, one.id)) for one in published.history(connection, period)
    ]


def rows_of(published: Sequence[Figures]) -> list[SentMetric]:
    """Give the points of a period's newest publication, and as not known those that only an older one has.

    `published` are all of them, the oldest first; the newest one's place, from 1, is the version of every point.
    """
    version = len(published)
    stands = {_series(row): row for row in _rows(published[-1], version)}
    gone: dict[tuple[str, ...], SentMetric] = {}
    for old in published[:-1]:
        for row in _rows(old, version):
            if _series(row) not in stands:
                gone[_series(row)] = replace(
                    row, value=None, measured=0.0, substituted=0.0, ledger=0.0, missing=1.0, at_least=False,
                    provisional=False, digits=None,
                )  # fmt: skip
    return [*stands.values(), *gone.values()]


def _series(row: SentMetric) -> tuple[str, ...]:
    return row.metric, row.denominator, row.unit, row.factor


def _rows(made: Figures, version: int) -> Iterator[SentMetric]:
    divisors = [
        (id.removeprefix(DENOMINATOR), figure) for id, figure in made.figures.items() if id.startswith(DENOMINATOR)
    ]
    for id, figure in made.figures.items():
        yield _row(made, version, id, figure, figure.value)
        yield from _factors(made, version, id, figure)
        if not figure.metric.is_intensive or id.startswith(DENOMINATOR):
            continue
        for name, divisor in divisors:
            value = intensity(figure.value, divisor.value)
            yield _row(made, version, id, figure, value, name, divisor)


def _factors(made: Figures, version: int, id: str, figure: Figure) -> Iterator[SentMetric]:
    """Give the factors a figure was computed with; one used with two values stands with the last."""
    found = {
        node.id: node for node in walk(figure.term)
        if node.kind is TermKind.FACTOR and node.id and node.value is not None
    }  # fmt: skip
    for node in found.values():
        assert node.value is not None
        yield SentMetric(
            id, made.span.edges[0], made.span.name, node.unit, "", float(node.value), 0.0, 0.0, 0.0, 0.0,
            provisional=False, at_least=False, version=version, digits=str(node.value), factor=node.id,
            own=node.certainty == PLANT_FILE,
        )  # fmt: skip


def _reason(figure: Figure, value: Decimal | None, divisor: Figure | None) -> int:
    if value is not None:
        return 0
    said = figure.reason or ("" if divisor is None else "zero_denominator" if divisor.value else "no_denominator")
    return SENT_REASONS.get(said.partition(":")[0], SENT_REASONS["not_known"])


def _row(
    made: Figures, version: int, id: str, figure: Figure, value: Decimal | None, denominator: str = "",
    divisor: Figure | None = None,
) -> SentMetric:  # fmt: skip
    notes = {*figure.notes, *(divisor.notes if divisor is not None else ())}
    shares: Coverage = figure.coverage
    return SentMetric(
        id, made.span.edges[0], made.span.name,
        f"{figure.metric.unit}/{divisor.metric.unit}" if divisor is not None else figure.metric.unit, denominator,
        None if value is None else float(value), shares.measured, shares.substituted, shares.ledger, shares.missing,
        bool(notes & _PROVISIONAL), "at_least" in figure.notes, version, None if value is None else str(value),
        sum(number for note, number in SENT_BASES.items() if note in figure.notes), _reason(figure, value, divisor),
    )  # fmt: skip
