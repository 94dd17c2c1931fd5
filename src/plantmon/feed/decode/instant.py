"""This module reads the time of a message: an ISO date-time with zone, or epoch seconds or milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from plantmon.errors import DecodeError

MILLISECONDS_FROM = 100_000_000_000  # a number from here on is milliseconds (contract of the json format)
_LATEST_MS = 253_402_300_800_000  # year 10000; anything beyond is no time, and must not reach a 64-bit column
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def instant_ms(moment: datetime | int | float) -> int:
    """Give a message's time as epoch milliseconds; fractions of one are dropped from dates, rounded in numbers.

    Raises DecodeError for a time before 1970 or beyond year 9999.

    >>> instant_ms(1_583_020_800), instant_ms(1_583_020_800_000), instant_ms(1_583_020_800.25)
    (1583020800000, 1583020800000, 1583020800250)
    """
    if isinstance(moment, datetime):
        milliseconds = (moment - _EPOCH) // _MILLISECOND
    elif not -_LATEST_MS < moment < _LATEST_MS:
        raise DecodeError("the time is beyond year 9999")
    else:
        milliseconds = round(moment if abs(moment) >= MILLISECONDS_FROM else moment * 1000)
    if not 0 <= milliseconds < _LATEST_MS:
        raise DecodeError("the time is before 1970 or beyond year 9999")
    return milliseconds
