"""This module finds excursions: runs of single readings beyond a limit, and whether they lasted as long as `hold`.

A run is exceeded when its first and last breaching reading lie at least `hold` apart; a reading that complies, a
source that stands still, or a silence over three intervals ends it (settled choices, Verdicts).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plantmon.compliance.judge import compared
from plantmon.model.plant import Limit, Point

SILENCE_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring breaching readings: first and last instant, the worst value, their sum and number."""

    first_ms: int
    last_ms: int
    peak: float
    total: float
    count: int
    at_least: bool

    def is_exceeded(self, hold_ms: int) -> bool:
        """Whether the run lasted as long as the limit's hold."""
        return self.last_ms - self.first_ms >= hold_ms


def look_back_ms(limit: Limit, point: Point) -> int:
    """Give how far before a reading others can decide whether its run has lasted as long as the hold."""
    return limit.hold_ms + (SILENCE_INTERVALS + 1) * point.interval_ms


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading as a limit sees it. `usable` False: flagged or below range, it says nothing either way."""

    ts_ms: int
    value: float
    usable: bool
    over_range: bool
    ran: bool


def breaches(limit: Limit, point: Point, reading: Reading) -> bool:
    """Whether a reading lies beyond the limit; over range only what the range's end proves."""
    if not reading.ran or not (reading.usable or reading.over_range):
        return False
    value = compared(reading.value, point, limit.decimals)
    above = limit.maximum is not None and value > limit.maximum
    below = limit.minimum is not None and value < limit.minimum and not reading.over_range
    return above or below


def extend(run: Run | None, limit: Limit, point: Point, reading: Reading) -> Run | None:
    """Take one more reading into a run: the longer run, a new one, or None where it complies or the source stands.

    A reading that says nothing (flagged, below range, over range short of the limit) leaves the run as it is.
    """
    if run and reading.ts_ms - run.last_ms > SILENCE_INTERVALS * point.interval_ms:
        run = None
    if breaches(limit, point, reading):
        if run is None:
            return Run(reading.ts_ms, reading.ts_ms, reading.value, reading.value, 1, reading.over_range)
        worse = max if limit.maximum is not None and reading.value > limit.maximum else min
        return replace(
            run,
            last_ms=reading.ts_ms,
            peak=worse(run.peak, reading.value),
            total=run.total + reading.value,
            count=run.count + 1,
            at_least=run.at_least or reading.over_range,
        )
    says_something = not reading.ran or reading.usable
    return None if says_something else run


def beyond(limit: Limit, values: NDArray[np.float64]) -> bool:
    """Whether any of many values lies beyond the limit, at once: the usual batch is settled by this."""
    if not len(values):
        return False
    above = limit.maximum is not None and bool((values > limit.maximum).any())
    return above or (limit.minimum is not None and bool((values < limit.minimum).any()))
