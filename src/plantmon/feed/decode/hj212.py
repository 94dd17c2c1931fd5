"""This module decodes format `hj212`: frames of the Chinese standard HJ 212, editions 2005, 2017 and (plain) 2025.

    ##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80

A payload holds one frame or several. Good frames are given even where their neighbours are bad; each bad one comes with
what is wrong with it. Parts of a split packet are frames of their own and are given as they come: no pollutant is cut
in two (HJ 212-2017 Tables C.49, C.50), and a part that never comes takes nothing from the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from plantmon.errors import DecodeError
from plantmon.feed.decode import hj212_items, hj212_moment, hj212_segment, hj212_stream
from plantmon.feed.decode.hj212_items import Content, Item, ItemFault
from plantmon.feed.decode.hj212_segment import Edition, Reason, Refused
from plantmon.feed.decode.hj212_stream import Taken
from plantmon.tables.hj212 import find_code
from plantmon.times import HOUR_MS, MINUTE_MS

CHINA = ZoneInfo("Asia/Shanghai")  # HJ 212-2017 Table 4: times are local time
MINUTE_DATA_MS = 10 * MINUTE_MS  # HJ 212-2017 Table 9, CN 2051: ten minutes unless set otherwise
MOST_FAULTS = 50  # of a payload; then the rest is not read: a hostile one must not keep us, and the raw one is kept
_BLANK = b" \t\r\n\0"


class Kind(StrEnum):
    """What a frame brings, by its command code (HJ 212-2017 Table 9)."""

    REAL_TIME = "2011"
    MINUTE = "2051"
    HOUR = "2061"
    DAY = "2031"
    STATE = "2021"
    OTHER = "other"  # requests, answers, parameters: passed over, its CN tells what it was


_KINDS = {kind.value: kind for kind in Kind if kind is not Kind.OTHER}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. The password is not kept; None where a field is missing.

    `data_time_ms` is the moment of acquisition, of minute, hour and day data the start of the period; None only for
    kind other, which has no items either. `crc_matched` is `off` where no check sum was asked for and none is right.
    """

    qn: str | None
    st: str | None
    cn: str
    mn: str | None
    edition: Edition | None
    needs_answer: bool
    is_resent: bool
    pnum: int | None
    pno: int | None
    crc_matched: str
    kind: Kind
    data_time_ms: int | None
    items: tuple[Item, ...]
    faults: tuple[ItemFault, ...]


class FrameFault(NamedTuple):
    """A stretch of the payload that gave no frame: where it begins, and why."""

    at: int
    reason: Reason
    what: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.what} (at byte {self.at})"


class Decoded(NamedTuple):
    """The frames of a payload in their order, and what of it was none."""

    frames: list[Frame]
    faults: list[FrameFault]


class MeasuredAt(StrEnum):
    """Which of a frame's times a reading carries."""

    DATA_TIME = "DataTime"
    SAMPLE_TIME = "SampleTime"


class RealTime(NamedTuple):
    """A real-time value; `flag` None when missing, `quantity` and `unit` None when the table knows none."""

    code: str
    quantity: str | None
    ts_ms: int
    value: float
    flag: str | None
    unit: str | None
    measured_at: MeasuredAt


@dataclass(frozen=True, slots=True)
class _Habits:
    """How a device deviates from the standard (plant file, `hj212`)."""

    crc: str
    stamp: str
    zone: ZoneInfo
    minute_ms: int


def decode(
    payload: bytes, crc: str = "hj212", stamp: str = "start", zone: ZoneInfo = CHINA, minute_ms: int = MINUTE_DATA_MS
) -> Decoded:
    """Decode a payload's frames.

    `crc` is hj212, modbus, modbus_swapped or off; `stamp` says whether period data carry the start or the end of their
    period, `minute_ms` is the length of minute data. Raises DecodeError when there is no good frame, with all reasons.
    """
    habits = _Habits(crc, stamp, zone, minute_ms)
    frames: list[Frame] = []
    faults: list[FrameFault] = []
    place, is_lost = 0, False  # lost: after a bad frame, whose remains are not reported a second time
    while (at := hj212_stream.next_head(payload, place)) is not None and len(faults) < MOST_FAULTS:
        faults += [] if is_lost else _stray(payload, place, at)
        found = _frame_at(payload, at, habits)
        is_lost = isinstance(found, Refused)
        if isinstance(found, Refused):
            faults.append(FrameFault(at, *found))
            place = at + 2
        else:
            frames.append(found[0])
            place = found[1]
    if at is not None:
        faults.append(FrameFault(at, Reason.TOO_MANY, f"after {MOST_FAULTS} faults the rest is not read"))
    elif not is_lost:
        faults += _stray(payload, place, len(payload))
    if not frames:
        raise DecodeError(_all_reasons(payload, faults))
    return Decoded(frames, faults)


def _stray(payload: bytes, start: int, end: int) -> list[FrameFault]:
    """Report bytes between frames that are more than blank."""
    between = payload[start:end].strip(_BLANK)
    what = f"{len(between)} bytes are no frame: {between[:40]!r}"
    return [FrameFault(start, Reason.NOT_HJ212, what)] if between else []


def _all_reasons(payload: bytes, faults: list[FrameFault]) -> str:
    if not payload.strip(_BLANK):
        return f"{Reason.NOT_HJ212}: the payload is empty"
    shown = "; ".join(map(str, faults[:3]))
    return shown if len(faults) <= 3 else f"{shown}; and {len(faults) - 3} more"


def _frame_at(payload: bytes, at: int, habits: _Habits) -> tuple[Frame, int] | Refused:
    """Read the frame at a head; give it with the place behind it."""
    taken = hj212_stream.take(payload, at, habits.crc)
    if isinstance(taken, Refused):
        return taken
    frame = _frame(taken, habits)
    return frame if isinstance(frame, Refused) else (frame, taken.end)


def _frame(taken: Taken, habits: _Habits) -> Frame | Refused:
    segment = hj212_segment.split(taken.segment)
    if isinstance(segment, Refused):
        return segment
    fields = segment.fields
    cn = fields.get("CN", "")
    if hj212_segment.whole(cn) is None:
        return Refused(Reason.NO_CN, f"CN is {cn[:20]!r}" if cn else "there is no CN")
    faults: list[ItemFault] = []
    bits = hj212_segment.read_bits(_whole_or_fault("Flag", fields, faults) or 0)
    kind = _KINDS.get(cn, Kind.OTHER)
    content = Content({}, (), ())
    if kind is not Kind.OTHER:
        read_moment = partial(hj212_moment.moment_ms, zone=habits.zone)
        content = hj212_items.read(segment.cp, read_moment, has_sentinels=bits.edition is Edition.OF_2025)
    named = content.fields | fields
    at_ms = _data_time(kind, content, habits)
    if isinstance(at_ms, Refused):
        return at_ms
    return Frame(
        qn=fields.get("QN") or None,
        st=fields.get("ST") or None,
        cn=cn,
        mn=fields.get("MN") or None,
        edition=bits.edition,
        needs_answer=bits.needs_answer,
        is_resent=named.get("RF") == "1",
        pnum=_whole_or_fault("PNUM", named, faults),
        pno=_whole_or_fault("PNO", named, faults),
        crc_matched=taken.crc,
        kind=Kind.OTHER if at_ms is None else kind,
        data_time_ms=at_ms,
        items=content.items,
        faults=(*faults, *content.faults),
    )


def _whole_or_fault(name: str, fields: dict[str, str], faults: list[ItemFault]) -> int | None:
    """Read a field that should be a whole number; None where it is missing, or not one, which is a fault."""
    text = fields.get(name.upper(), "")
    number = hj212_segment.whole(text)
    if text and number is None:
        faults.append(ItemFault(name, f"{text[:20]!r} is not a whole number"))
    return number


def _data_time(kind: Kind, content: Content, habits: _Habits) -> int | Refused | None:
    """Give the time of a data frame; None where it is none: a host asks for data with the same CN, without time."""
    text = content.fields.get("DATATIME", "")
    if kind is Kind.OTHER or not (text or content.items or content.faults):
        return None
    if not text:
        return Refused(Reason.DATA_TIME, "there are values but no DataTime")
    try:
        at_ms = hj212_moment.moment_ms(text, habits.zone)
        return at_ms if habits.stamp == "start" else _period_start(kind, at_ms, habits)
    except DecodeError as error:
        return Refused(Reason.DATA_TIME, str(error))


def _period_start(kind: Kind, end_ms: int, habits: _Habits) -> int:
    if kind is Kind.DAY:
        return hj212_moment.start_of_ended_day(end_ms, habits.zone)
    if kind in (Kind.MINUTE, Kind.HOUR):
        length_ms = habits.minute_ms if kind is Kind.MINUTE else HOUR_MS
        return hj212_moment.start_of_ended(end_ms, length_ms, habits.zone)
    return end_ms


def readings_of(frame: Frame, units: Mapping[str, str] | None = None) -> list[RealTime]:
    """List the real-time values of a frame; none of other kinds, whose figures cover a period.

    `units` are the plant's own by code, where a device does not send the table's. A value with `SampleTime` was
    measured then: an analyser repeats its last result in every frame until it has another.
    """
    if frame.kind is not Kind.REAL_TIME or frame.data_time_ms is None:
        return []
    own = units or {}
    return [_real_time(item, frame.data_time_ms, own.get(item.code)) for item in frame.items if "rtd" in item.values]


def _real_time(item: Item, data_time_ms: int, unit: str | None) -> RealTime:
    known = find_code(item.code)
    sampled = item.sample_time_ms
    is_own = sampled is not None and sampled != data_time_ms
    return RealTime(
        code=item.code,
        quantity=known.quantity if known else None,
        ts_ms=data_time_ms if sampled is None else sampled,
        value=item.values["rtd"],
        flag=item.flag,
        unit=unit or (known.unit if known else None),
        measured_at=MeasuredAt.SAMPLE_TIME if is_own else MeasuredAt.DATA_TIME,
    )
