"""This module says what an emission amount is: of an hour, of a day, of any period, and how it is known.

An amount is measured, substituted or unknown. It is never less than what over-range readings prove; where that is
what counts, it is an amount "at least".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "unknown"  # method of a substitute that is none
MEAN_BEFORE = "mean_before"


@dataclass(frozen=True, slots=True)
class Course:
    """Hours of a pollutant in air as measured, oldest first: arrays of one length.

    `start` is the hour's instant, `ran` its running minutes, `kg` what was measured (NaN: not measured, 0: stopped),
    `proven` what over-range readings prove (NaN without any).
    """

    start: NDArray[np.int64]
    ran: NDArray[np.int64]
    kg: NDArray[np.float64]
    proven: NDArray[np.float64]

    @property
    def is_stopped(self) -> NDArray[np.bool_]:
        """Hours without a running minute."""
        return np.asarray(self.ran == 0)

    @property
    def is_missing(self) -> NDArray[np.bool_]:
        """Hours that ran and were not measured."""
        return np.isnan(self.kg)

    @property
    def is_measured(self) -> NDArray[np.bool_]:
        """Hours that ran and were measured."""
        return ~self.is_missing & ~self.is_stopped

    @property
    def amount(self) -> NDArray[np.float64]:
        """What is known of each hour without substitution, kg; NaN where nothing is."""
        return np.fmax(self.kg, self.proven)

    def rows(self, chosen: NDArray[np.bool_] | slice) -> Course:
        """Give some of the hours."""
        return Course(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Emission:
    """What measurement says of an hour of air (`1h`) or a local day of waste water (`1d`), known until `end`.

    `kg` None: not measured; `proven_kg` is what over-range readings prove, None without any.
    """

    point: int
    level: str
    start: int
    end: int
    ran_minutes: int
    kg: float | None
    proven_kg: float | None = None


@dataclass(frozen=True, slots=True)
class Substitute:
    """What stands in for an hour of air, or for the parts of a day of waste water that were not measured.

    `kg` None: unknown. `capture` (0..1) is the capture rate of the hour's quarter, None for waste water.
    """

    point: int
    level: str
    start: int
    kg: float | None
    method: str
    capture: float | None
    provisional: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class EmissionDay:
    """A local day's amount of a pollutant, known until `end`; minutes are running (air) or discharging (water) ones."""

    point: int
    start: int
    end: int
    measured_kg: float
    substituted_kg: float
    ran_minutes: int
    substituted_minutes: int
    unknown_minutes: int
    at_least: bool
    provisional: bool


@dataclass(frozen=True, slots=True)
class Total:
    """The amount of a period: what is known of it, and of how much of its time. `parts` counts its days (hours).

    Unknown time adds nothing but what over-range readings prove, so a total with unknown time is a lower bound too.
    `until_ms` is until when it is known, None without any part.
    """

    measured_kg: float = 0.0
    substituted_kg: float = 0.0
    ran_minutes: int = 0
    substituted_minutes: int = 0
    unknown_minutes: int = 0
    at_least: bool = False
    provisional: bool = False
    parts: int = 0
    until_ms: int | None = None

    @classmethod
    def of(cls, days: Sequence[EmissionDay]) -> Total:
        """Add up days, in any order."""
        return cls(
            math.fsum(day.measured_kg for day in days),
            math.fsum(day.substituted_kg for day in days),
            sum(day.ran_minutes for day in days),
            sum(day.substituted_minutes for day in days),
            sum(day.unknown_minutes for day in days),
            any(day.at_least for day in days),
            any(day.provisional for day in days),
            len(days),
            max((day.end for day in days), default=None),
        )

    @property
    def kg(self) -> float:
        """The known sum."""
        return self.measured_kg + self.substituted_kg

    @property
    def measured_share(self) -> float | None:
        """The share of running or discharging time that was measured, 0..1; None where there was none."""
        return self._share(self.ran_minutes - self.substituted_minutes - self.unknown_minutes)

    @property
    def substituted_share(self) -> float | None:
        """The share for which something stands in."""
        return self._share(self.substituted_minutes)

    @property
    def unknown_share(self) -> float | None:
        """The share of which nothing is known."""
        return self._share(self.unknown_minutes)

    def _share(self, minutes: int) -> float | None:
        return minutes / self.ran_minutes if self.ran_minutes else None


EMISSION_FIELDS = tuple(field.name for field in fields(Emission))
SUBSTITUTE_FIELDS = tuple(field.name for field in fields(Substitute))
DAY_FIELDS = tuple(field.name for field in fields(EmissionDay))
