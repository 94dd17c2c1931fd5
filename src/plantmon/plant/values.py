"""This module reads the single values of a plant file as a person writes them: `50 mg/m3`, `8 %`, `4h`, `22:00`.

Each reader takes what YAML gave and returns the value or raises `Mistake`; the types below are what the schema uses.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Strict

from plantmon import units
from plantmon.errors import UnitError
from plantmon.plant.problems import Mistake
from plantmon.times import DAY_MS, parse_duration_ms

_LONGEST_MS = 3660 * DAY_MS
_EARLIEST, _LATEST = date(1970, 1, 1), date(2200, 1, 1)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_WORKDAYS = re.compile(r"\s*(\d{1,3})\s*workdays?\s*")
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_METER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_METRIC_ID = re.compile(r"[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]{1,31}){0,3}")
_PLANT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MN = re.compile(r"[0-9A-Za-z]{6,25}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}$)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_NUMBER_AND_WORD = re.compile(r"\s*[-+.\d][-+.\deE]*\s*([^-+.\d\s].*?)\s*")
_FLAG = re.compile(r"[A-Za-z0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit, or without one (None): then it is in the unit of the point it speaks of.

    `decimals` are those it was written with, for limits that are compared rounded.
    """

    value: float
    unit: str | None
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class WorkTime:
    """A span in hours and days (`milliseconds`) or in working days of the plant's calendar; one of them is None."""

    milliseconds: int | None
    workdays: int | None


@dataclass(frozen=True, slots=True)
class ClockSpan:
    """From one local clock time to another, over midnight when the end comes first."""

    start: time
    end: time

    def minutes(self) -> set[int]:
        """Give the minutes of the day that belong to it."""
        first, last = (moment.hour * 60 + moment.minute for moment in (self.start, self.end))
        return {minute % 1440 for minute in range(first, last if last > first else last + 1440)}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _decimals(text: str) -> int:
    """Count the decimals a number at the beginning of a text is written with."""
    match = re.match(r"\s*[+-]?\d+\.(\d+)", text)
    return len(match[1]) if match else 0


def read_amount(value: object) -> Amount:
    """Read `50 mg/m3` or a bare number."""
    if isinstance(value, Amount):
        return value
    if isinstance(value, int | float) and _is_number(value):
        return Amount(float(value), None, _decimals(repr(value)))
    if isinstance(value, str):
        try:
            number, unit = units.parse_quantity(value)
            return Amount(number, unit, _decimals(value))
        except UnitError as error:
            match = _NUMBER_AND_WORD.fullmatch(value)
            raise unknown_unit(match[1]) if match else Mistake("amount", given=value) from error
    raise Mistake("amount", given=value)


def unknown_unit(unit: str) -> Mistake:
    """Give the mistake of a unit that is in no table."""
    return Mistake("unknown_unit", given=unit, allowed=units.known())


def read_share(value: object) -> float:
    """Read `75 %` or 0.75 as 0.75."""
    if isinstance(value, str) and (match := _SHARE.fullmatch(value)):
        value = float(match[1]) / 100
    if isinstance(value, int | float) and _is_number(value) and 0 < value <= 1:
        return float(value)
    raise Mistake("share", given=value)


def read_percent(value: object) -> float:
    """Read `3.5` or `3.5 %` as 3.5."""
    if isinstance(value, str) and (match := _SHARE.fullmatch(value)):
        value = float(match[1])
    if isinstance(value, int | float) and _is_number(value):
        return float(value)
    raise Mistake("percent", given=value)


def read_unit(value: object) -> str:
    """Read a unit; it comes back in its one spelling."""
    word = value if isinstance(value, str) else repr(value)
    try:
        return units.canonical(word)
    except UnitError as error:
        raise unknown_unit(word) from error


def read_duration(value: object) -> int:
    """Read `10s`, `15min`, `4h`, `35d` as milliseconds; a bare number has no unit and is none."""
    if not isinstance(value, str):
        raise Mistake("duration", given=value)
    try:
        milliseconds = parse_duration_ms(value)
    except (ValueError, OverflowError) as error:
        raise Mistake("duration", given=value) from error
    if milliseconds > _LONGEST_MS:
        raise Mistake("duration_too_long", given=value)
    return milliseconds


def _read_delay(value: object) -> int:
    """Read a duration that may be nothing at all."""
    if value == 0 or (isinstance(value, str) and re.fullmatch(r"\s*0\s*(s|min|h|d)?\s*", value)):
        return 0
    return read_duration(value)


def read_work_time(value: object) -> WorkTime:
    """Read `12h` or `5 workdays`."""
    if isinstance(value, str) and (match := _WORKDAYS.fullmatch(value)) and int(match[1]) > 0:
        return WorkTime(None, int(match[1]))
    try:
        return WorkTime(read_duration(value), None)
    except Mistake as error:
        raise Mistake("work_time", given=value) from error


def read_date(value: object) -> date:
    """Read `2020-01-31`."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is not None and _EARLIEST <= day <= _LATEST:
            return day
    raise Mistake("date", given=value)


def read_clock(value: object) -> time:
    """Read `22:00`."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Mistake("clock", given=value)
    return time(int(match[1]), int(match[2]))


def read_clock_span(value: object) -> ClockSpan:
    """Read `08:00-12:00`."""
    start, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    try:
        span = ClockSpan(read_clock(start.strip()), read_clock(end.strip()))
    except Mistake as error:
        raise Mistake("clock_span", given=value) from error
    if not dash or span.start == span.end:
        raise Mistake("clock_span", given=value)
    return span


def read_timezone(value: object) -> ZoneInfo:
    """Read an IANA name such as `Asia/Shanghai`."""
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (KeyError, ValueError, OSError) as error:
        raise Mistake("timezone", given=str(value), allowed=tuple(sorted(available_timezones()))) from error


def _matching(pattern: re.Pattern[str], key: str) -> AfterValidator:
    """Make the check that a text has the form of a pattern; `key` is the sentence when it has not."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise Mistake(key, given=value)
        return value

    return AfterValidator(check)


def _filled(value: str) -> str:
    if not value.strip() or any(ord(letter) < 32 for letter in value):
        raise Mistake("blank", given=value)
    return value


Text = Annotated[str, Strict(), AfterValidator(_filled)]
Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]
AmountField = Annotated[Amount, BeforeValidator(read_amount)]
Share = Annotated[float, BeforeValidator(read_share)]
Percent = Annotated[float, BeforeValidator(read_percent)]
Unit = Annotated[str, BeforeValidator(read_unit)]
Duration = Annotated[int, BeforeValidator(read_duration)]
Delay = Annotated[int, BeforeValidator(_read_delay)]
WorkTimeField = Annotated[WorkTime, BeforeValidator(read_work_time)]
Day = Annotated[date, BeforeValidator(read_date)]
ClockTime = Annotated[time, BeforeValidator(read_clock)]
ClockSpanField = Annotated[ClockSpan, BeforeValidator(read_clock_span)]
Zone = Annotated[ZoneInfo, BeforeValidator(read_timezone)]
Id = Annotated[str, Strict(), _matching(_ID, "id")]
MeterId = Annotated[str, Strict(), _matching(_METER_ID, "meter_id")]
MetricId = Annotated[str, Strict(), _matching(_METRIC_ID, "metric_id")]
PlantId = Annotated[str, Strict(), _matching(_PLANT_ID, "plant_id")]
Mn = Annotated[str, Strict(), _matching(_MN, "mn")]
Email = Annotated[str, Strict(), _matching(_EMAIL, "email")]
FlagLetters = Annotated[str, Strict(), _matching(_FLAG, "flag")]
