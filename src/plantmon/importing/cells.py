"""This module reads the cells of a table of readings: moments, numbers, flags; each distinct text once."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from plantmon.errors import DecodeError
from plantmon.feed.decode.instant import instant_ms
from plantmon.model.reading import flag_code
from plantmon.model.table import Column, Moments, Numbers, Texts
from plantmon.times import PlantTime, to_ms

_QUARTER_MS = 900_000  # no zone changes its offset within one
NONE_MS = -(1 << 62)  # where a cell is no moment
_WRITTEN = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?"
)
_DIGITS = re.compile(r"\d{14}")  # 20260301080000, as HJ 212 writes moments
_EPOCH = re.compile(r"\d{10}(?:\.\d+)?|\d{13}")


def moments(column: Column, time: PlantTime) -> NDArray[np.int64]:
    """Read a column as instants in ms; `NONE_MS` where a cell is none. Times without zone are the plant's."""
    if isinstance(column, Moments):
        ms = _from_local(column.ms, time) if column.is_local else column.ms
        return np.where(column.is_there, ms, NONE_MS)
    if isinstance(column, Numbers):
        distinct, places = np.unique(column.values, return_inverse=True)
        return np.array([_epoch(one) for one in distinct.tolist()], np.int64)[places]
    return np.array([moment(one.strip(), time) for one in column.known], np.int64)[column.places]


def moment(text: str, time: PlantTime) -> int:
    """Read one moment; `NONE_MS` where it is none.

    ISO date-times with or without zone, `2026/3/1 8:00`, `20260301080000`, epoch seconds or milliseconds.
    """
    try:
        if found := _WRITTEN.fullmatch(text):
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
            micros = int((found[7] or "0").ljust(6, "0"))
            return to_ms(datetime(year, month, day, hour, minute, second, micros, tzinfo=time.zone))
        if _DIGITS.fullmatch(text):
            return to_ms(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=time.zone))
        if _EPOCH.fullmatch(text):
            return instant_ms(float(text) if "." in text else int(text))
        return time.parse(text) if len(text) > len("2026-03-01") else NONE_MS
    except (ValueError, OverflowError, DecodeError):
        return NONE_MS


def numbers(column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read a column as numbers, NaN where a cell is none; and say which cells are empty."""
    if isinstance(column, Numbers):
        return np.where(np.isfinite(column.values), column.values, np.nan), np.isnan(column.values)
    if isinstance(column, Moments):
        return np.full(len(column.ms), np.nan), ~column.is_there
    values = np.array([_number(one) for one in column.known], np.float64)
    empty = np.array([not one.strip() for one in column.known], bool)
    return values[column.places], empty[column.places]


def flags(column: Column, missing: int) -> NDArray[np.int64]:
    """Read a column as flags' codes; -1 where a cell is none, `missing` where it is empty."""
    if not isinstance(column, Texts):
        count = len(column.values) if isinstance(column, Numbers) else len(column.ms)
        if isinstance(column, Numbers):
            return flags(Texts.of([_plain(one) for one in column.values.tolist()]), missing)
        return np.full(count, -1, np.int64)
    return np.array([_flag(one.strip(), missing) for one in column.known], np.int64)[column.places]


def texts(column: Column) -> Texts:
    """Give a column as texts."""
    if isinstance(column, Texts):
        return column
    cells = column.values.tolist() if isinstance(column, Numbers) else column.ms.tolist()
    return Texts.of([_plain(one) for one in cells])


def shown(column: Column, row: int) -> str:
    """Write a cell for a person, cut where it is long."""
    found = texts(column)
    return found.known[int(found.places[row])][:40]


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) and "_" not in text else math.nan


def _flag(text: str, missing: int) -> int:
    try:
        return flag_code(text) if text else missing
    except ValueError:
        return -1


def _plain(number: float) -> str:
    return "" if math.isnan(number) else f"{number:.12g}"


def _epoch(number: float) -> int:
    try:
        return NONE_MS if math.isnan(number) else instant_ms(number)
    except DecodeError:
        return NONE_MS


def _from_local(ms: NDArray[np.int64], time: PlantTime) -> NDArray[np.int64]:
    """Turn what the plant's clock shows into instants; where it shows a time twice, into the first."""
    quarters, places = np.unique(ms // _QUARTER_MS, return_inverse=True)
    starts = quarters * _QUARTER_MS
    shown = [datetime.fromtimestamp(one / 1000, UTC).replace(tzinfo=time.zone) for one in starts.tolist()]
    return ms + (np.array([to_ms(one) for one in shown], np.int64) - starts)[places]
