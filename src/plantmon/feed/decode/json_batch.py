"""This module decodes format `json-batch`: many points at one time, or one point at many times.

`{"ts": ..., "values": {"DA001.nox": 41.2, ...}}` or
`{"point": "DA001.nox", "unit": ..., "ts": [...], "values": [...], "flags": [...]}`.
Good values are given even where their neighbours are bad; each bad one comes with what is wrong with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec

from plantmon.errors import DecodeError
from plantmon.feed.decode.instant import MILLISECONDS_FROM, instant_ms
from plantmon.feed.decode.json import FAULTS, Moment


class Snapshot(NamedTuple):
    """Many points at one time (None: not named); `faults` are (point, what is wrong)."""

    ts_ms: int | None
    values: dict[str, float]
    faults: list[tuple[str, str]]


class Series(NamedTuple):
    """One point at many times, three lists of one length; `faults` are (place, what is wrong)."""

    point: str
    unit: str | None
    ts_ms: list[int]
    values: list[float]
    flags: list[str] | None
    faults: list[tuple[int, str]]


class _Snapshot(msgspec.Struct, gc=False):
    ts: Moment
    values: dict[str, float]


class _Series(msgspec.Struct, gc=False):
    point: str
    ts: list[int]
    values: list[float]
    unit: str | None = None
    flags: list[str] | None = None


_snapshot = msgspec.json.Decoder(_Snapshot)
_series = msgspec.json.Decoder(_Series)
_any = msgspec.json.Decoder(dict[str, Any])
_AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]


def decode(payload: bytes) -> Snapshot | Series:
    """Decode either shape. Raises DecodeError when the message as a whole cannot be understood."""
    for attempt in (_fast_snapshot, _fast_series):
        found = attempt(payload)
        if found is not None:
            return found
    return _piece_by_piece(payload)


def _fast_snapshot(payload: bytes) -> Snapshot | None:
    try:
        message = _snapshot.decode(payload)
    except FAULTS:
        return None
    return Snapshot(instant_ms(message.ts), message.values, [])


def _fast_series(payload: bytes) -> Series | None:
    """Read the usual series: whole epoch numbers, all seconds or all milliseconds, lists of one length."""
    try:
        message = _series.decode(payload)
    except FAULTS:
        return None
    ts, values, flags = message.ts, message.values, message.flags
    if len(ts) != len(values) or (flags is not None and len(flags) != len(ts)) or not ts:
        return None
    if min(ts) >= MILLISECONDS_FROM and max(ts) < 10 * MILLISECONDS_FROM * 100:
        return Series(message.point, message.unit, ts, values, flags, [])
    if min(ts) >= 0 and max(ts) < MILLISECONDS_FROM:
        return Series(message.point, message.unit, [one * 1000 for one in ts], values, flags, [])
    return None


def _piece_by_piece(payload: bytes) -> Snapshot | Series:
    """Read a message whose parts are not all good, or whose times are texts."""
    try:
        tree = _any.decode(payload)
    except FAULTS as error:
        raise DecodeError(str(error)[:300]) from None
    values = tree.get("values")
    if isinstance(values, dict):
        return _mixed_snapshot(tree, values)
    if isinstance(values, list):
        return _mixed_series(tree, values)
    raise DecodeError("`values` is neither an object of points nor a list")


def _mixed_snapshot(tree: dict[str, Any], values: dict[str, Any]) -> Snapshot:
    moment = tree.get("ts")
    ts_ms = None if moment is None else _moment(moment)
    good, faults = {}, []
    for name, value in values.items():
        number = _number(value)
        if number is None:
            faults.append((name, f"value {str(value)[:40]!r} is not a number"))
        else:
            good[name] = number
    return Snapshot(ts_ms, good, faults)


def _mixed_series(tree: dict[str, Any], values: list[Any]) -> Series:
    point, unit, moments, flags = tree.get("point"), tree.get("unit"), tree.get("ts"), tree.get("flags")
    if not isinstance(point, str):
        raise DecodeError("`values` is a list, but `point` is not a text")
    if unit is not None and not isinstance(unit, str):
        raise DecodeError("`unit` is not a text")
    if not isinstance(moments, list) or len(moments) != len(values):
        raise DecodeError(f"`ts` is not a list as long as `values` ({len(values)})")
    if flags is not None and (not isinstance(flags, list) or len(flags) != len(values)):
        raise DecodeError(f"`flags` is not a list as long as `values` ({len(values)})")
    good = Series(point, unit, [], [], None if flags is None else [], [])
    for place, (moment, value) in enumerate(zip(moments, values, strict=True)):
        number = _number(value)
        flag = flags[place] if flags else None
        try:
            if number is None:
                raise DecodeError(f"value {str(value)[:40]!r} is not a number")
            if flags and not isinstance(flag, str):
                raise DecodeError(f"flag {str(flag)[:40]!r} is not a text")
            good.ts_ms.append(_moment(moment))
        except DecodeError as error:
            good.faults.append((place, str(error)))
            continue
        good.values.append(number)
        if good.flags is not None:
            good.flags.append(str(flag))
    return good


def _number(value: Any) -> float | None:
    try:
        return msgspec.convert(value, float) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except FAULTS:
        return None


def _moment(value: Any) -> int:
    if isinstance(value, bool) or value is None:
        raise DecodeError("a value without its time")
    try:
        moment = msgspec.convert(value, _AwareTime) if isinstance(value, str) else msgspec.convert(value, int | float)
    except FAULTS as error:
        raise DecodeError(f"time {str(value)[:40]!r}: {error}") from None
    return instant_ms(moment)
