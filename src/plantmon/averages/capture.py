"""This module counts how much of a monitor's time was captured: hours valid, had and due, stopped ones taken out.

Capture rate: valid hours of those due. Transfer rate: hours with any reading of those due. Valid rate: valid hours of
those with any reading. Effective transfer rate (传输有效率): transfer rate x valid rate. An hour is due when its source
ran in any minute of it; unknown is running (HJ 75-2017; settled choices, Running).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from plantmon.averages.periods import Period, periods_between
from plantmon.model.window import Window
from plantmon.times import HOUR_MS, PlantTime


@dataclass(frozen=True, slots=True)
class Capture:
    """Hours of a point in a period, stopped ones taken out; rates are 0..1, None where nothing was due."""

    due: int
    had: int
    valid: int

    @property
    def rate(self) -> float | None:
        """The capture rate."""
        return self.valid / self.due if self.due else None

    @property
    def transfer(self) -> float | None:
        """The transfer rate."""
        return self.had / self.due if self.due else None

    @property
    def valid_rate(self) -> float | None:
        """The valid rate; None too where no hour had a reading."""
        return self.valid / self.had if self.had else None

    @property
    def effective_transfer(self) -> float | None:
        """The effective transfer rate; 0 where nothing came of what was due."""
        if self.transfer is None:
            return None
        return self.transfer * (self.valid_rate or 0.0)


def capture_of(hours: Iterable[Window], start_ms: int, end_ms: int) -> Capture:
    """Count a gauge's hour windows of [start, end); hours of that span without a window are due and had nothing.

    The span is what can be due: from the point's first hour to its newest closed one, inside the period.
    """
    due = max(0, end_ms - start_ms) // HOUR_MS
    had = valid = 0
    for hour in hours:
        if not start_ms <= hour.start < end_ms:
            continue
        if hour.ran == 0:
            due -= 1
            continue
        had += hour.had > 0
        valid += hour.is_valid
    return Capture(due, had, valid)


def captures(
    hours: Iterable[Window], period: Period, start_ms: int, end_ms: int, time: PlantTime
) -> list[tuple[int, int, Capture]]:
    """Count by calendar period: (start, end, capture), the first and last as far as they lie in [start, end)."""
    rows = list(hours)
    return [
        (start, end, capture_of(rows, max(start, start_ms), min(end, end_ms)))
        for start, end in periods_between(period, start_ms, end_ms, time)
    ]
