"""This module reads the times of HJ 212: fourteen digits of local time, and where the period they name begins.

HJ 212-2017 Table 4: `DataTime` of minute, hour and day data is the start of the period, of real-time data the moment
of acquisition. Some devices stamp a period with its end.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from plantmon.errors import DecodeError
from plantmon.feed.decode.instant import instant_ms
from plantmon.times import PlantTime

_MOMENT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{3})?")


def moment_ms(text: str, zone: ZoneInfo) -> int:
    """Read yyyyMMddHHmmss, of 2005 senders with milliseconds behind, as epoch milliseconds.

    Raises DecodeError where the text is no such time, or one before 1970.

    >>> moment_ms("19700101080001250", ZoneInfo("Asia/Shanghai"))
    1250
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise DecodeError(f"{text[:24]!r} is not a time of 14 or 17 digits")
    *parts, thousandths = match.groups()
    try:
        moment = datetime(*map(int, parts), tzinfo=zone)  # type: ignore[arg-type, misc]
        return instant_ms(moment) + int(thousandths or 0)
    except (ValueError, OverflowError) as error:
        raise DecodeError(f"{text!r}: {error}") from None


def start_of_ended(end_ms: int, length_ms: int, zone: ZoneInfo) -> int:
    """Give the start of the period of so many ms whose end was stamped, be the stamp early or late by less than half.

    Periods lie on the edges of local time. Raises DecodeError beyond the years that a time can have.
    """
    try:
        offset = PlantTime(zone).offset_ms(end_ms)
    except (ValueError, OverflowError) as error:
        raise DecodeError(str(error)) from None
    edge = (end_ms + offset + length_ms // 2) // length_ms * length_ms - offset
    return _not_before_1970(edge - length_ms)


def start_of_ended_day(end_ms: int, zone: ZoneInfo) -> int:
    """Give the local midnight at which the day began whose end was stamped, be it 23:59:59 or 00:00:00 or later.

    Raises DecodeError beyond the years that a time can have.
    """
    plant = PlantTime(zone)
    try:
        nearest = (plant.local(end_ms) + timedelta(hours=12)).date()

        return _not_before_1970(plant.midnight(nearest - timedelta(days=1)))
    except (ValueError, OverflowError) as error:
        raise DecodeError(str(error)) from None


def _not_before_1970(at_ms: int) -> int:
    if at_ms < 0:
        raise DecodeError("the period begins before 1970")
    return at_ms
