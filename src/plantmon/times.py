"""This module speaks of time: instants as UTC epoch milliseconds, and the plant's local edges of hour and day.

Arithmetic on instants is on integers. The time zone enters only where an hour, a day or a night begins
(design rule 1), and nothing here asks the system for the time: that is the daemon's `Clock`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)\s*")
_DURATION_MS = {"ms": 1, "s": SECOND_MS, "min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_duration_ms(text: str) -> int:
    """Read `10s`, `15min`, `4h`, `35d` as milliseconds.

    Raises ValueError where the text is no such duration or is zero.

    >>> parse_duration_ms("15min")
    900000
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 10s, 15min, 4h or 35d")
    milliseconds = float(match[1]) * _DURATION_MS[match[2]]
    if milliseconds < 1 or milliseconds != int(milliseconds):
        raise ValueError(f"{text!r} is not a whole number of milliseconds above zero")
    return int(milliseconds)


def format_duration(milliseconds: int) -> str:
    """Write a duration with its largest fitting units, at most two.

    >>> format_duration(5_430_000), format_duration(45_000)
    ('1h 30min', '45s')
    """
    rest, parts = abs(milliseconds), []
    for size, unit in ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min"), (SECOND_MS, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def to_ms(moment: datetime) -> int:
    """Give the instant of an aware datetime, exact, microseconds rounded down. Raises ValueError when naive."""
    if moment.tzinfo is None:
        raise ValueError("a time without zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class PlantTime:
    """The plant's time zone, and where its hours and days begin."""

    zone: ZoneInfo

    def local(self, at_ms: int) -> datetime:
        """Show an instant in plant time."""
        return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(self.zone)

    def offset_ms(self, at_ms: int) -> int:
        """Give the zone's offset from UTC at an instant."""
        offset = self.local(at_ms).utcoffset()
        assert offset is not None
        return offset // timedelta(milliseconds=1)

    def hour_start(self, at_ms: int) -> int:
        """Give the start of the local clock hour that holds an instant."""
        offset = self.offset_ms(at_ms)
        return (at_ms + offset) // HOUR_MS * HOUR_MS - offset

    def date_of(self, at_ms: int) -> date:
        """Give the local date of an instant."""
        return self.local(at_ms).date()

    def day_start(self, at_ms: int) -> int:
        """Give the local midnight at or before an instant."""
        return self.midnight(self.date_of(at_ms))

    def midnight(self, day: date) -> int:
        """Give the instant a local date begins."""
        return to_ms(datetime(day.year, day.month, day.day, tzinfo=self.zone))

    def next_day(self, day_start_ms: int) -> int:
        """Give the midnight after a local midnight; 23, 24 or 25 hours later."""
        return self.midnight(self.date_of(day_start_ms) + timedelta(days=1))

    def days(self, start_ms: int, end_ms: int) -> list[int]:
        """List the starts of the local days that overlap [start, end)."""
        starts = []
        day = self.day_start(start_ms)
        while day < end_ms:
            starts.append(day)
            day = self.next_day(day)
        return starts

    def parse(self, text: str) -> int:
        """Read a moment a person typed: ISO date or date-time, in plant time unless it names a zone.

        Raises ValueError where the text is neither.
        """
        moment = datetime.fromisoformat(text)
        return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))

    def show(self, at_ms: int) -> str:
        """Write an instant as plant time to the second, `2020-03-01 08:00:00`."""
        return self.local(at_ms).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class Clock:
    """Plant time as a function of real time: `start_ms` at `real_start_ms`, then `rate` times as fast.

    Owned by the daemon; everything below it is told the time (design rule 3).
    """

    start_ms: int = 0
    real_start_ms: int = 0
    rate: float = 1.0

    def now(self) -> int:
        """Give the plant's present instant."""
        return self.at(time.time_ns() // 1_000_000)

    def at(self, real_ms: int) -> int:
        """Give the plant's instant at a real instant."""
        return self.start_ms + int((real_ms - self.real_start_ms) * self.rate)
