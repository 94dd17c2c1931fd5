"""This module says what an alarm is, and what makes it change."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where an alarm stands."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class Severity(StrEnum):
    """Who is told: recipients choose severities in the plant file."""

    BREACH = "breach"
    WARNING = "warning"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known just now about one thing that can be wrong.

    `key` names it for good (`breach:<limit>`, `silent:<point>`). `is_bad` None means unknown: nothing changes.
    `since_ms` and `until_ms` are event times; `quiet` clears without a mail, because another alarm speaks for it.
    """

    key: str
    kind: str
    severity: Severity
    is_bad: bool | None
    since_ms: int
    until_ms: int
    facts: dict[str, Any] = field(default_factory=dict)
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """One stored alarm; `facts` is what a mail about it needs."""

    id: int
    key: str
    kind: str
    severity: Severity
    state: State
    raised_ms: int
    since_ms: int
    cleared_ms: int | None
    until_ms: int | None
    acked_ms: int | None
    acked_by: str | None
    note: str | None
    reminded_ms: int | None
    facts: dict[str, Any]
