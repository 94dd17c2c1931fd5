"""This module makes the register of exceedances of a limit's verdicts.

Neighbouring exceeding windows are one entry; a window that complies, was not judged or in which the source stood
still ends it (settled choices, Register). The multiple over the limit is (C - C0) / C0.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from plantmon.averages.rounding import significant_one
from plantmon.model.plant import Kind, Point
from plantmon.model.verdict import Outcome, Verdict
from plantmon.store.register import Behind, Note

Average = Callable[[Sequence[float]], float]
NOTHING = Behind()


@dataclass(frozen=True, slots=True)
class Excursion:
    """A run of single readings beyond their limit: first and last instant, worst value, mean and number of readings.

    `at_least`: the worst value is a lower bound.
    """

    first_ms: int
    last_ms: int
    peak: float
    mean: float
    readings: int
    at_least: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One exceedance: windows [start, end), the worst value with the bound it passed, the mean of the windows' values.

    `excursions` are those of a limit on single readings, whose mean is that of the breaching readings. `behind` says
    what was measured in the windows, `notes` are what people wrote to them, newest first; the register fills them in.
    """

    limit_key: str
    start: int
    end: int
    peak: float
    mean: float
    bound: float
    windows: int
    at_least: bool
    excursions: tuple[Excursion, ...] = ()
    behind: Behind = NOTHING
    notes: tuple[Note, ...] = ()

    @property
    def multiple(self) -> float | None:
        """How many times its bound the worst value lies beyond it; None for a bound of 0."""
        return abs(self.peak - self.bound) / abs(self.bound) if self.bound else None

    @property
    def first_ms(self) -> int:
        """When the exceedance began: its first reading's instant, else its first window."""
        return self.excursions[0].first_ms if self.excursions else self.start

    @property
    def last_ms(self) -> int:
        """When it ended: its last reading's instant, else the end of its last window."""
        return max(one.last_ms for one in self.excursions) if self.excursions else self.end


def average_of(point: Point | None) -> Average:
    """Give how values of a point are averaged: by energy for sound, the median for pH, else the arithmetic mean."""
    if point is not None and point.kind is Kind.ENERGY:
        return lambda levels: 10 * math.log10(math.fsum(10 ** (level / 10) for level in levels) / len(levels))
    if point is not None and point.quantity == "ph":
        return statistics.median
    return statistics.fmean


def entries(verdicts: Iterable[Verdict], average: Average = statistics.fmean, interval_ms: int = 0) -> list[Entry]:
    """Give the entries of one limit's verdicts, which come in time order; `average` makes the mean of their values.

    `interval_ms` is the point's, to tell whether a run of single readings goes on in the next hour.
    """
    runs: list[list[Verdict]] = []
    for verdict in verdicts:
        if not verdict.outcome.is_exceedance or verdict.value is None or verdict.bound is None:
            continue
        if runs and runs[-1][-1].end == verdict.start:
            runs[-1].append(verdict)
        else:
            runs.append([verdict])
    return [_entry(run, average, interval_ms) for run in runs]


def _entry(run: Sequence[Verdict], average: Average, interval_ms: int) -> Entry:
    worst = max(run, key=_excess)
    values = [verdict.value for verdict in run if verdict.value is not None]
    assert worst.value is not None
    assert worst.bound is not None
    excursions = _excursions(run, interval_ms)
    mean = _mean(excursions) if excursions else average(values)
    return Entry(
        run[0].limit_key, run[0].start, run[-1].end, worst.value, significant_one(mean), worst.bound, len(run),
        any(verdict.outcome is Outcome.EXCEED_AT_LEAST for verdict in run), excursions,
    )  # fmt: skip


def _excess(verdict: Verdict) -> float:
    """How far beyond its bound a value lies, in multiples of the bound, so that both ends of a limit compare."""
    assert verdict.value is not None
    assert verdict.bound is not None
    return abs(verdict.value - verdict.bound) / (abs(verdict.bound) or 1.0)


def _excursions(run: Iterable[Verdict], interval_ms: int) -> tuple[Excursion, ...]:
    """Read the excursions of limits on single readings.

    Verdicts cut them at the hour; parts so close that no reading can lie between are one again.
    """
    found: list[Excursion] = []
    for verdict in run:
        told = json.loads(verdict.detail) if verdict.detail else None
        for one in told if isinstance(told, list) else ():
            new = Excursion(one["first"], one["last"], one["peak"], one["mean"], one["readings"], one["at_least"])
            if found and new.first_ms - found[-1].last_ms < 2 * interval_ms:
                found[-1] = _joined(found[-1], new, verdict.bound or 0.0)
            else:
                found.append(new)
    return tuple(found)


def _joined(before: Excursion, after: Excursion, bound: float) -> Excursion:
    return Excursion(
        before.first_ms,
        after.last_ms,
        max(before.peak, after.peak, key=lambda peak: abs(peak - bound)),
        _mean((before, after)),
        before.readings + after.readings,
        before.at_least or after.at_least,
    )


def _mean(excursions: Sequence[Excursion]) -> float:
    """Give the mean of the readings of several excursions."""
    return math.fsum(one.mean * one.readings for one in excursions) / sum(one.readings for one in excursions)
