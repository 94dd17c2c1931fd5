"""This module says what an alarm is, in the terms of ISA-18.2, and what makes it change."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where an alarm stands (ANSI/ISA-18.2-2016; IEC 62682)."""

    NORMAL = "normal"
    UNACK = "unacknowledged"
    ACKED = "acknowledged"
    RTNUN = "returned"  # to normal, and nobody has acknowledged it
    SHELVED = "shelved"


class Told(StrEnum):
    """What people heard last of an alarm; what is wrong stands apart from it."""

    NOTHING = "nothing"
    RAISED = "raised"
    CLEARED = "cleared"  # or another alarm spoke for it


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
    """One stored alarm: an incident, which may come and go; `facts` is what a mail about it needs.

    `since_ms` and `until_ms` are event times, all others plant times; None where it has not come to that.
    """

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
    is_bad: bool = True
    told: Told = Told.RAISED
    times: int = 1  # how often it came within the incident
    clock_ms: int = 0  # from here on its age counts, for escalation
    escalated_ms: int = 0  # the age at which recipients were last looked for
    said_ms: int | None = None  # when it was first told
    again_ms: int | None = None  # when it was last told that it came back
    storm: int | None = None  # the storm it came in: told of in lists
    shelved_ms: int | None = None
    shelved_until_ms: int | None = None
    shelved_by: str | None = None
    shelf_reason: str | None = None
    closed_ms: int | None = None
    closed_by: str | None = None
    cause: str | None = None
    action: str | None = None

    @property
    def needs_closing(self) -> bool:
        """Whether it is a breach that is over and lacks cause and action."""
        return self.severity is Severity.BREACH and not self.is_bad and self.closed_ms is None
