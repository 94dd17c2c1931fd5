"""This module says what a message knows: the JSON object that an alarm event leaves in the outbox.

Whoever writes the event fills in what applies; what is missing is unknown and left out of the mail. Names stand in the
plant file and are looked up when the mail is composed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

KINDS = (
    "breach",
    "warning",
    "outlook",
    "over_range",
    "silent",
    "outlet_silent",
    "broker_away",
    "broker_dropped",
    "clock_wrong",
    "meter_event",
    "stuck",
    "jump",
    "device_clock",
    "reported_differs",
    "cap_share",
    "cap_pace",
    "fault_report",
    "fault_repair",
    "calibration_due",
    "report_due",
    "balance",
    "night_minimum",
    "store_unavailable",
    "feed_stalled",
    "spool_filling",
    "archive_failing",
    "corrected",
    "storm",
    "test",
)
EVENTS = (
    "raised",
    "again",  # it came back soon: the same incident
    "reminded",
    "escalated",
    "forgotten",  # acknowledged long ago, and it stands
    "unshelved",
    "cleared",
    "unacknowledged",  # it is over, and nobody acknowledged it
    "corrected",
    "storm",
    "test",
)


class Correction(msgspec.Struct, frozen=True):
    """One window that late data, a declaration or another permit put over its limit, or took back from there.

    `why`: found; complies, not_judged, no_limit of one taken back, with what is said of it now.
    """

    limit: str
    start: int
    end: int
    value: float | None
    bound: float | None
    unit: str
    side: str = "max"
    at_least: bool = False
    why: str = "found"
    now_value: float | None = None
    now_reason: str | None = None


class StormLine(msgspec.Struct, frozen=True):
    """One alarm of a storm."""

    alarm: int
    kind: str
    severity: str
    since: int
    until: int | None = None
    outlet: str | None = None
    point: str | None = None
    limit: str | None = None
    window: str | None = None
    value: float | None = None
    peak: float | None = None
    bound: float | None = None
    side: str | None = None
    unit: str | None = None
    at_least: bool | None = None
    detail: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """What a message knows. Instants are UTC ms; `unit` is that of value, bound, peak and mean."""

    kind: str
    alarm: int | None = None
    outlet: str | None = None
    point: str | None = None  # full id
    limit: str | None = None  # the limit's key
    window: str | None = None
    start: int | None = None
    end: int | None = None
    value: float | None = None
    bound: float | None = None
    side: str | None = None  # max, min
    unit: str | None = None
    at_least: bool | None = None  # the value is a lower bound of the true one
    since: int | None = None
    until: int | None = None
    peak: float | None = None
    mean: float | None = None
    windows: int | None = None
    standard: str | None = None
    reported: float | None = None  # what the device says, and what our readings give
    own: float | None = None
    reached: str | None = None  # the local date a permitted quantity is used up at the present pace
    projected: float | None = None  # of a window that still runs: its mean if the recent one goes on
    allowed: float | None = None  # and the highest mean the rest may have, of a minimum the lowest
    exhausted: bool | None = None  # nothing that comes can keep it within the limit
    share: float | None = None  # how much of it is in, 0 to 1
    left_ms: int | None = None  # how long it goes on
    by: int | None = None  # the last instant at which what is to be done is in time
    overdue: bool | None = None  # it has passed
    period: str | None = None  # of a report, 2026-Q1
    began: int | None = None  # when a monitor's outage did
    last: int | None = None  # when a point was last calibrated and passed
    detail: str | None = None
    acked_by: str | None = None
    breaches: tuple[Correction, ...] = ()
    about: str | None = None  # what happened to the alarms of a storm: raised, cleared ...
    lines: tuple[StormLine, ...] = ()


def read(facts: Mapping[str, Any], alarm: int | None = None) -> Facts:
    """Read the stored object; `alarm` is the outbox row's, for facts that do not repeat it.

    Raises ValueError (msgspec.ValidationError) where a known key has a value of the wrong type. Other keys are ignored.
    """
    known = dict(facts)
    if known.get("alarm") is None:
        known["alarm"] = alarm
    return msgspec.convert(known, Facts)
