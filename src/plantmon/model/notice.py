"""This module says what the second channel tells: an event in words, and the fact that its mail is stuck."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Notice:
    """What a template can name. Times are plant time, ISO 8601 with the distance from UTC; None: there is none."""

    id: str  # the same in each try; also the header Idempotency-Key
    plant: str
    plant_name: str
    event: str  # raised, escalated, again, corrected, storm
    severity: str
    kind: str
    alarm: int | None
    outlet: str | None
    point: str | None
    limit: str | None
    since: str | None  # event time at which it began
    created: str  # when the mail was queued
    language: str
    title: str  # the mail's subject
    notice: str  # that the mail is stuck, and why
    text: str  # the notice and the mail's text


FIELDS = tuple(field.name for field in fields(Notice))
