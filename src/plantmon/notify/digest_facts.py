"""This module says what a digest knows: the JSON object that stands in the outbox for it, whole in both languages.

It is made once, when the digest is queued (`reports/digest.py`); nothing but the names of alarms and of what quiet
hours held is looked up in the plant file when the mail is composed. Instants are UTC ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

EVENT = "digest"
EDITIONS = ("daily", "weekly", "monthly")
# What one may have to look at, in the order it is told.
CONCERNS = ("exceedances", "outlook", "alarms", "outages", "caps", "due", "service")


class Words(msgspec.Struct, frozen=True):
    """A text in both languages."""

    en: str
    zh: str

    def of(self, language: str) -> str:
        """Give it in `zh`, or in English for any other language."""
        return self.zh if language == "zh" else self.en


class What(msgspec.Struct, frozen=True):
    """What a line is about: outlet (id and name), pollutant or point, averaging window."""

    outlet: Words
    subject: Words
    window: Words | None = None


class LimitLine(msgspec.Struct, frozen=True):
    """What became of a limit's windows. `worst` is the value nearest to, or furthest beyond, its `bound`.

    `share` is how far that is on the way to the bound, 1 at the bound. `why` says why windows were not judged.
    """

    what: What
    allowed: str
    unit: str
    windows: int
    exceeded: int
    warned: int
    not_judged: int
    rested: int  # the source stood still, nothing was to be judged
    why: Words | None = None
    worst: float | None = None
    bound: float | None = None
    share: float | None = None
    has_percent: bool = True
    at_least: bool = False
    start: int | None = None
    end: int | None = None


class ExceedanceLine(msgspec.Struct, frozen=True):
    """An entry of the register; `end` None while it stands. `late`: it was found in old data."""

    what: What
    start: int
    end: int | None
    peak: float
    bound: float
    unit: str
    windows: int
    at_least: bool = False
    late: bool = False
    cause: str | None = None
    action: str | None = None


class WithdrawnLine(msgspec.Struct, frozen=True):
    """An exceedance that was taken back, and why."""

    what: What
    start: int
    end: int
    value: float | None
    bound: float | None
    unit: str
    said: Words


class AlarmLine(msgspec.Struct, frozen=True):
    """An alarm that stands; `facts` are those of its mails."""

    number: int
    kind: str
    severity: str
    state: str
    since: int
    until: int | None
    acked_by: str | None
    shelved_until: int | None
    facts: dict[str, Any]


class GapLine(msgspec.Struct, frozen=True):
    """What a point lacks: hours without a reading (`missing`) or without a valid value (`invalid`) as [start, end).

    `captured` is the share of valid hours of those due; a point that never spoke has no spans.
    """

    outlet: Words | None
    point: str
    name: Words
    captured: float | None
    spans: tuple[tuple[int, int, str], ...]
    never: bool = False
    left_out: int = 0


class FaultLine(msgspec.Struct, frozen=True):
    """A monitor out of order under the fault clock; `end` None while it is."""

    point: str
    name: Words
    start: int
    end: int | None
    report_by: int | None
    reported: int | None
    report_overdue: bool
    repair_by: int | None
    repair_overdue: bool


class EntryLine(msgspec.Struct, frozen=True):
    """What somebody declared or noted."""

    kind: Words
    what: str
    says: Words
    by: str
    start: int
    end: int | None = None
    reason: str | None = None


class DueLine(msgspec.Struct, frozen=True):
    """What is to be done by an instant: a calibration of points, the report of a period."""

    kind: Words
    what: str
    by: int
    overdue: bool


class CapLine(msgspec.Struct, frozen=True):
    """What of a month's or year's permitted quantity is used, and when all of it is at the pace of the last 30 days."""

    what: What
    period: str
    used: float | None
    cap: float
    unit: str
    share: float | None
    before: float | None  # the share at the beginning of the digest's time
    reached: str | None
    passed: str | None
    is_near: bool
    remark: Words | None = None


class OutlookLine(msgspec.Struct, frozen=True):
    """A window that runs and will be beyond its limit unless something changes."""

    what: What
    expected: float | None
    bound: float
    unit: str
    side: str
    allowed: float | None
    exhausted: bool
    left_ms: int


class HeldLine(msgspec.Struct, frozen=True):
    """A message that quiet hours held, and that this digest tells instead."""

    event: str
    severity: str
    at: int
    facts: dict[str, Any]


class Compared(msgspec.Struct, frozen=True):
    """A figure of the digest's time beside that of the time before it; None: there is none."""

    what: Words
    unit: str
    now: float | None
    before: float | None


class FrequentAlarm(msgspec.Struct, frozen=True):
    """An alarm with how often it was raised."""

    kind: str
    count: int
    facts: dict[str, Any]


class Service(msgspec.Struct, frozen=True):
    """How plantmon itself is doing. `reasons` are the most frequent ones of what was rejected, with their numbers.

    `readings` None: they were not counted yet in that time.
    """

    version: str
    readings: int | None
    rejected: int
    reasons: tuple[tuple[str, int], ...]
    working: int  # hours and windows that wait to be computed
    queued: int
    accepted: int
    refused: int
    disk_free: int | None  # bytes
    disk_size: int | None
    is_disk_low: bool
    plant_files: tuple[tuple[int, str], ...]
    failing: tuple[tuple[str, int, str], ...]  # component, since, why


class Digest(msgspec.Struct, frozen=True):
    """Everything of one edition. `concerns` counts what one has to look at, `left_out` the lines cut off."""

    edition: str
    start: int
    end: int
    made: int
    concerns: dict[str, int]
    notices: tuple[Words, ...]
    limits: tuple[LimitLine, ...]
    exceedances: tuple[ExceedanceLine, ...]
    withdrawn: tuple[WithdrawnLine, ...]
    outlook: tuple[OutlookLine, ...]
    alarms: tuple[AlarmLine, ...]
    gaps: tuple[GapLine, ...]
    faults: tuple[FaultLine, ...]
    calibrations: tuple[EntryLine, ...]
    entries: tuple[EntryLine, ...]
    due: tuple[DueLine, ...]
    caps: tuple[CapLine, ...]
    compared: tuple[Compared, ...]
    frequent: tuple[FrequentAlarm, ...]
    service: Service
    held: tuple[HeldLine, ...] = ()
    left_out: dict[str, int] = {}
    kind: str = EVENT

    @property
    def count(self) -> int:
        """How many things one has to look at."""
        return sum(self.concerns.values())


def written(digest: Digest) -> dict[str, Any]:
    """Give the object as it is stored."""
    found: dict[str, Any] = msgspec.to_builtins(digest)
    return found


def read(facts: Mapping[str, Any]) -> Digest:
    """Read the stored object. Raises ValueError (msgspec.ValidationError) where it is none."""
    return msgspec.convert(dict(facts), Digest)
