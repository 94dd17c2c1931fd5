"""This module says what a verdict is: what one limit made of one window."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The five things a limit can say of a window."""

    OK = "ok"
    WARN = "warn"  # complies, but above the limit's warning share
    EXCEED = "exceed"
    EXCEED_AT_LEAST = "exceed_at_least"  # the value is a lower bound: readings were over range
    NOT_JUDGED = "not_judged"

    @property
    def is_exceedance(self) -> bool:
        """Whether the window is in breach."""
        return self in (Outcome.EXCEED, Outcome.EXCEED_AT_LEAST)


class Reason(StrEnum):
    """Why a window was not judged; when several fit, the first of this list holds (settled choices)."""

    STOPPED = "stopped"
    NO_DISCHARGE = "no_discharge"  # waste water: nothing flowed, so nothing was due
    OVER_RANGE = "over_range"
    NO_DATA = "no_data"
    MINUTES = "minutes"  # of an hour, or values of a slow point: too few valid
    HOURS = "hours"  # of a day, or of an amount: too few valid
    DAYS = "days"  # of a month: too few valid
    RUNNING = "running"  # a month or year of amounts goes on; its sum does not exceed yet
    RULE_NOT_AVAILABLE = "rule_not_available"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One limit's finding on the window [start, end); `value` and `bound` in the limit's unit."""

    limit_key: str
    start: int
    end: int
    outcome: Outcome
    reason: Reason | None = None
    value: float | None = None
    bound: float | None = None
    detail: str | None = None
