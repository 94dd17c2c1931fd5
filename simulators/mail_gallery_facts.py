"""This module makes up what the mails of the gallery tell: a bad morning of the example plant, and what else is mailed.

Facts have the shape in which alarms and digests leave them in the outbox. Hourly means are those of the series that
charts draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from plantmon import __version__
from plantmon.model.plant import Plant
from plantmon.notify import digest_facts, wording
from plantmon.notify.digest_facts import (
    AlarmLine,
    CapLine,
    Compared,
    Digest,
    DueLine,
    EntryLine,
    ExceedanceLine,
    FaultLine,
    FrequentAlarm,
    GapLine,
    HeldLine,
    LimitLine,
    OutlookLine,
    Service,
    What,
    WithdrawnLine,
    Words,
)
from plantmon.notify.facts import Facts
from plantmon.plant import load_plant
from plantmon.store.outbox import Delivery, Message
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

PLANT: Plant = load_plant(Path(__file__).resolve().parent.parent / "config" / "plant.yaml")
FULL = "/archive/2026: 912 MB free, sealing 2026-02-24.parquet needs 1204 MB"  # as the archive says it
UNKNOWN = "of_another_version"  # facts that no mail is known for go out as text
_TRIP_MIN, _TRIP_OVER_MIN = 36, 62  # of the burner, after 08:00
_AGAIN_MIN = 74
_OUT_OF_RANGE_MIN = 68


def at(clock: str) -> int:
    """Give an instant of 2026-03-03, or of another day where one is named: `08:30`, `2026-03-02 08:30`."""
    return PLANT.time.parse(clock if "-" in clock else f"2026-03-03 {clock}")


@dataclass(frozen=True, slots=True)
class Mail:
    """What one mail of the gallery tells, and on which sheet it stands."""

    name: str
    sheet: str
    event: str
    severity: str
    created: int
    facts: dict[str, Any] = field(default_factory=dict)

    def message(self, language: str) -> Message:
        """Give it as it stands in the outbox."""
        alarm = self.facts.get("alarm")
        to = Delivery("ehs@example.com", "ehs", "queued", 0, 0, None, None)
        return Message(1, f"<{self.name}@example.com>", alarm, self.event, self.severity, language, self.created,
                       self.created, self.facts, None, False, (to,))  # fmt: skip


# what the points measured


def series(point: str, start_ms: int, end_ms: int) -> tuple[list[int], list[float]]:
    """Give a point's minutes; the coating line's burner trips at 08:36, the boiler runs rich from 03:00."""
    times = list(range(start_ms, end_ms, MINUTE_MS))
    return times, [_VALUES.get(point, _steady)((one - at("08:00")) / MINUTE_MS) for one in times]


def mean(point: str, start_ms: int, end_ms: int) -> float:
    """Give the mean of a point's minutes."""
    return float(np.mean(series(point, start_ms, end_ms)[1]))


def _wander(minute: float) -> float:
    return math.sin(minute / 140) + 0.4 * math.sin(minute / 11) + 0.3 * math.sin(minute * 2.1)


def _step(minute: float) -> float:
    """Rise smoothly from 0 to 1."""
    return 0.5 + 0.5 * math.tanh(minute / 2)


def _steady(minute: float) -> float:
    return 20 + _wander(minute)


def _nmhc(minute: float) -> float:
    calm = 22 + 2.5 * _wander(minute)
    return calm + 128 * (_step(minute - _TRIP_MIN - 3) - _step(minute - _TRIP_OVER_MIN))


def _nox(minute: float) -> float:
    return 41 + 1.5 * _wander(minute) + 17 * _step((minute + 300) / 6)


def _pm(minute: float) -> float:
    return 6 + _wander(minute) if minute < _OUT_OF_RANGE_MIN else 500.0


def _rto(minute: float) -> float:
    is_out = _TRIP_MIN < minute < _TRIP_OVER_MIN or minute >= _AGAIN_MIN
    return 812 + 4 * _wander(minute) - (95 if is_out else 0)


_VALUES: dict[str, Callable[[float], float]] = {
    "DA002.nmhc": _nmhc, "DA001.nox": _nox, "DA002.rto_temperature": _rto, "DA001.pm": _pm,
}  # fmt: skip


# what the mails tell


def of_limit(key: str, start: int, end: int, value: float, **more: Any) -> dict[str, Any]:
    """Give the facts of a window of a limit."""
    limit = wording.find_limit(PLANT, key)
    assert limit is not None
    bound = limit.maximum if limit.maximum is not None else limit.minimum
    return {
        "kind": "breach", "limit": key, "outlet": limit.outlet, "point": limit.point, "window": limit.window,
        "start": start, "end": end, "since": start, "value": value, "bound": bound, "unit": limit.unit,
        "side": "min" if limit.maximum is None else "max", "standard": limit.standard, "at_least": False,
        "peak": value, "mean": value, "windows": 1,
    } | more  # fmt: skip


NMHC = "DA002/nmhc/concentration/1h/permit 2025/2025-01-01"
NOX = "DA001/nox/concentration/1h/permit/-"
RTO = "DA002/rto_temperature/level/reading/process rule/-"
COD, COD_YEAR = "DW001/cod/concentration/1d/permit/-", "DW001/cod/mass/1y/permit/-"
NOX_YEAR, NMHC_YEAR = "DA001/nox/mass/1y/permit/-", "DA002/nmhc/mass/1y/permit/-"
RATE, NIGHT_LEQ = "DA002/nmhc/rate/1h/permit/-", "N1/leq/level/night-period/GB 12348/-"


def _limits() -> list[Mail]:
    """Make the life of breaches, from the warning ahead to their end."""
    nmhc = of_limit(NMHC, at("08:00"), at("09:00"), mean("DA002.nmhc", at("08:00"), at("09:00")), alarm=41)
    boiler = _hours_of_nox("04:00", alarm=38)
    rto = of_limit(RTO, at("08:37"), at("08:39"), 717.4, alarm=40, peak=716.2, mean=717.1, windows=3)
    over = {"until": at("09:00"), "value": mean("DA002.nmhc", at("09:00"), at("10:00")), "acked_by": "王工 Wang"}
    warned = {"kind": "warning", "alarm": 36}
    return [
        Mail("outlook", "limits", "raised", "warning", at("08:46"), _outlook(at("08:46"), 150.0)),
        Mail("outlook-lost", "limits", "raised", "warning", at("08:55"), _outlook(at("08:55"), 150.0)),
        Mail("warning", "limits", "raised", "warning", at("03:00") + 5 * SECOND_MS,
             of_limit(NOX, at("02:00"), at("03:00"), 47.21, **warned)),
        Mail("breach", "limits", "raised", "breach", at("09:00") + 5 * SECOND_MS, nmhc),
        Mail("breach-reading", "limits", "raised", "breach", at("08:39"), rto),
        Mail("again", "limits", "again", "breach", at("09:15"),
             rto | {"value": 741.0, "since": at("08:37"), "start": at("09:14"), "end": at("09:15"), "windows": 31}),
        Mail("escalated", "limits", "escalated", "breach", at("04:30"), boiler),
        Mail("reminded", "limits", "reminded", "breach", at("08:00"), _hours_of_nox("08:00", alarm=38)),
        Mail("forgotten", "limits", "forgotten", "breach", at("2026-03-04 04:30"),
             _hours_of_nox("2026-03-04 04:00", alarm=38, acked_by="Li")),
        Mail("unshelved", "limits", "unshelved", "breach", at("09:00"), _hours_of_nox("09:00", alarm=38)),
        Mail("cleared", "limits", "cleared", "breach", at("10:00") + 5 * SECOND_MS, nmhc | over),
        Mail("unacknowledged", "limits", "unacknowledged", "breach", at("2026-03-04 09:00"),
             nmhc | over | {"acked_by": None}),
    ]  # fmt: skip


def _hours_of_nox(until: str, **more: Any) -> dict[str, Any]:
    hours = [mean("DA001.nox", one, one + HOUR_MS) for one in range(at("03:00"), at(until), HOUR_MS)]
    account = {"since": at("03:00"), "peak": max(hours), "mean": float(np.mean(hours)), "windows": len(hours)}
    return of_limit(NOX, at(until) - HOUR_MS, at(until), hours[-1], **account, **more)


def _outlook(now_ms: int, recent: float) -> dict[str, Any]:
    start, end = at("08:00"), at("09:00")
    so_far, share = mean("DA002.nmhc", start, now_ms), (now_ms - start) / HOUR_MS
    allowed = (50 - so_far * share) / (1 - share)
    return of_limit(
        NMHC, start, end, so_far, kind="outlook", alarm=39, since=now_ms, share=share, left_ms=end - now_ms,
        allowed=allowed if allowed >= 0 else None, projected=so_far * share + recent * (1 - share),
        exhausted=allowed < 0, peak=None, mean=None, windows=0,
    )  # fmt: skip


def _others() -> list[Mail]:
    return [
        *(Mail(one["kind"], "data", "raised", "warning" if one["kind"] == "over_range" else "data", at("09:12"),
               {"alarm": 50 + number} | one)
          for number, one in enumerate(_of_data())),
        *(Mail(one["kind"] + ("-overdue" if one.get("overdue") else ""), "others", "raised", severity, at("09:12"),
               {"alarm": 70 + number, "since": at("08:00")} | one)
          for number, (severity, one) in enumerate(_of_deadlines())),
        *(Mail(one["kind"], "others", "raised", "warning", at("09:12"), {"alarm": 80 + number} | one)
          for number, one in enumerate(_of_amounts())),
        Mail("silent-cleared", "data", "cleared", "data", at("09:40"), {
            "kind": "silent", "alarm": 50, "outlet": "DA001", "point": "DA001.so2", "start": at("08:55"),
            "end": at("09:40"), "since": at("08:55"), "until": at("09:39:20")}),
        *_of_lists(),
        Mail("test", "others", "test", "data", at("09:12"), {"kind": "test"}),
        Mail("unknown", "others", "raised", "data", at("09:12"), {"kind": UNKNOWN, "point": "DA001.so2"}),
    ]  # fmt: skip


def _of_data() -> list[dict[str, Any]]:
    """Give the facts of alarms about data, as the rooms that watch them leave them."""

    def since(clock: str, **facts: Any) -> dict[str, Any]:
        return {"outlet": None, "point": None, "start": at(clock), "end": at("09:12"), "since": at(clock)} | facts

    so2 = {"outlet": "DA001", "point": "DA001.so2", "unit": "mg/m3"}
    return [
        since("08:55", kind="silent", outlet="DA001", point="DA001.so2"),
        since("08:58:40", kind="outlet_silent", outlet="DA002"),
        since("09:11:30", kind="broker_away", detail="Keep alive timeout"),
        since("09:12", kind="broker_dropped", detail="1284"),
        since("09:12", kind="clock_wrong", detail=""),
        since("09:00", kind="meter_event", point="W-NORTH", end=at("09:00"), detail="replaced: 48211.6 -> 0.4"),
        since("05:00", kind="stuck", value=12.4, **so2),
        since("08:00", kind="jump", detail="12.4 -> 371 mg/m3", **so2),
        since("08:20", kind="device_clock", outlet="DW001", detail="DW001.cod, DW001.ph: behind by 27min"),
        since("08:00", kind="reported_differs", end=at("09:00"), window="1h", reported=14.82, own=12.43, **so2),
        since("09:08", kind="over_range", outlet="DA001", point="DA001.pm", window="reading", value=500.0, bound=500.0,
              side="max", unit="mg/m3", at_least=True),
        since("09:12", kind="store_unavailable", detail="database or disk is full"),
        since("09:12", kind="feed_stalled", detail=""),
        since("09:12", kind="spool_filling", detail="84 %"),
        since("09:12", kind="archive_failing", detail=FULL),
    ]  # fmt: skip


def _of_deadlines() -> list[tuple[str, dict[str, Any]]]:
    nox = {"outlet": "DA001", "point": "DA001.nox"}
    fault = nox | {"kind": "fault_report", "by": at("13:00"), "began": at("01:00"), "overdue": False}
    return [
        ("data", fault),
        ("data", fault | {"overdue": True, "by": at("09:00"), "began": at("2026-03-02 21:00")}),
        ("data", {"kind": "fault_repair", "outlet": "DA001", "by": at("2026-03-10"), "began": at("01:00"),
                  "detail": "DA001.nox, DA001.o2"}),
        ("warning", nox | {"kind": "calibration_due", "by": at("2026-03-04 07:00"), "last": at("2026-02-25 07:00")}),
        ("warning", {"kind": "report_due", "period": "2025-Q4", "by": at("2026-03-16")}),
    ]  # fmt: skip


def _of_amounts() -> list[dict[str, Any]]:
    year = (at("2026-01-01"), at("2027-01-01"))
    water = {"point": "W-MAIN", "side": "max", "outlet": None}
    return [
        of_limit(NOX_YEAR, *year, 11.43, kind="cap_share", since=at("00:00"), peak=None),
        of_limit(NMHC_YEAR, *year, 8.214, kind="cap_pace", since=at("00:00"), peak=None, reached="2026-09-27"),
        water | {"kind": "balance", "start": at("2026-03-02"), "end": at("00:00"), "since": at("2026-03-02"),
                 "value": 14.375, "bound": 8.0, "unit": "%", "detail": "W-MAIN 320 - (W-NORTH 274) = 46 m3"},
        water | {"kind": "night_minimum", "start": at("00:00"), "end": at("05:00"), "since": at("00:00"),
                 "value": 4.6, "bound": 3.0, "unit": "m3/h"},
    ]  # fmt: skip


def _of_lists() -> list[Mail]:
    lines = [
        _listed(90, of_limit(NMHC, at("08:00"), at("09:00"), 58.84)),
        _listed(91, of_limit(RTO, at("09:00"), at("09:02"), 716.2)),
        _listed(92, of_limit(RATE, at("08:00"), at("09:00"), 9.13)),
        _listed(93, {"kind": "over_range", "outlet": "DA001", "point": "DA001.pm", "value": 500.0, "bound": 500.0,
                     "side": "max", "unit": "mg/m3", "at_least": True, "since": at("09:01")}, "warning"),
        *(_listed(94 + number, {"kind": "silent", "point": point, "since": at("09:01")}, "data")
          for number, point in enumerate(("DW001.ph", "DW001.flow", "N1.leq", "E-MAIN", "G-MAIN"))),
    ]  # fmt: skip
    storm = {"kind": "storm", "about": "raised", "since": at("08:00"), "lines": lines}
    over = [one | {"until": at("10:00"), "peak": one.get("value")} for one in lines[1:5]]
    late = [_correction(NMHC, f"2026-02-{day:02} {hour:02}:00", value)
            for day, hour, value in ((26, 21, 54.7), (26, 22, 63.12), (27, 6, 50.004))]  # fmt: skip
    changed = [
        late[1],
        _correction(NOX, "2026-02-27 14:00", 52.4, why="complies", now_value=48.26),
        _correction(NOX, "2026-02-27 15:00", 51.3, why="not_judged", now_reason="minutes"),
        _correction(COD, "2026-02-28 00:00", 104.0, why="no_limit"),
    ]
    return [
        Mail("storm", "others", "storm", "breach", at("09:02"), storm),
        Mail("storm-cleared", "others", "storm", "breach", at("10:01"), storm | {"about": "cleared", "lines": over}),
        Mail("corrected", "others", "corrected", "breach", at("09:12"), {"kind": "corrected", "breaches": changed}),
        Mail("late-summary", "others", "corrected", "breach", at("09:12"), {"kind": "corrected", "breaches": late}),
    ]


def _listed(alarm: int, facts: dict[str, Any], severity: str = "breach") -> dict[str, Any]:
    kept = ("kind", "outlet", "point", "limit", "window", "value", "peak", "bound", "side", "unit", "at_least", "since")
    return {"alarm": alarm, "severity": severity} | {key: facts[key] for key in kept if facts.get(key) is not None}


def _correction(key: str, start: str, value: float, **more: Any) -> dict[str, Any]:
    limit = wording.find_limit(PLANT, key)
    assert limit is not None
    length = DAY_MS if limit.window == "1d" else HOUR_MS
    return {"limit": key, "start": at(start), "end": at(start) + length, "value": value, "bound": limit.maximum,
            "unit": limit.unit, "why": "found"} | more  # fmt: skip


# the digests


def _both(say: Callable[[str], str | None]) -> Words:
    return Words(say("en") or "", say("zh") or "")


def _what(key: str) -> What:
    facts = Facts("breach", limit=key)
    limit = wording.find_limit(PLANT, key)
    return What(
        _both(lambda one: wording.outlet(facts, PLANT, one)), _both(lambda one: wording.parameter(facts, PLANT, one)),
        _both(lambda one: wording.window(limit.window if limit else None, one)),
    )  # fmt: skip


def _name(point: str) -> Words:
    name = PLANT.points[point].name
    return Words(name.en, name.zh)


def _limit_line(key: str, worst: float, windows: int, start: int, **more: Any) -> LimitLine:
    limit = wording.find_limit(PLANT, key)
    assert limit is not None
    bound = limit.minimum if limit.maximum is None else limit.maximum
    assert bound is not None
    shown = wording.quantity(wording.exact(bound), wording.shown_unit(limit.unit))
    given: dict[str, Any] = {
        "what": _what(key), "allowed": f"{'≥' if limit.maximum is None else '≤'} {shown}", "unit": limit.unit,
        "windows": windows, "exceeded": 0, "warned": 0, "not_judged": 0, "rested": 0, "worst": worst, "bound": bound,
        "share": bound / worst if limit.maximum is None else worst / bound,
        "has_percent": limit.minimum is None and wording.has_percent(limit.unit), "start": start,
        "end": start + HOUR_MS,
    }  # fmt: skip
    return LimitLine(**(given | more))


def _day() -> Digest:
    """Give yesterday, on which a good deal happened."""
    begin, end = at("00:00"), at("2026-03-04")
    nmhc = of_limit(NMHC, at("08:00"), at("09:00"), mean("DA002.nmhc", at("08:00"), at("09:00")), alarm=41)
    no_data = Words("no data 2", "无数据 2")
    return Digest(
        "daily", begin, end, at("2026-03-04 08:00"),
        {"exceedances": 2, "outlook": 1, "outages": 1, "caps": 1, "due": 1, "alarms": 1, "service": 1}, (),
        (
            _limit_line(NOX, 59.2, 24, at("05:00"), exceeded=6, warned=2),
            _limit_line(NMHC, nmhc["value"], 24, at("08:00"), exceeded=1, rested=4),
            _limit_line(RTO, 716.2, 8640, at("08:37"), exceeded=1, end=at("09:02")),
            _limit_line(NIGHT_LEQ, 53.8, 1, at("2026-03-02 22:00"), warned=1, end=at("06:00")),
            _limit_line(RATE, 5.11, 24, at("08:00"), rested=4),
            _limit_line(COD, 58.3, 1, begin, end=end, not_judged=0),
            _limit_line("DA001/so2/concentration/1h/permit/-", 12.9, 24, at("13:00"), not_judged=2, why=no_data),
        ),
        (
            ExceedanceLine(_what(NMHC), at("08:00"), at("09:00"), nmhc["value"], 50.0, "mg/m3", 1,
                           cause="燃烧器熄火 burner out", action="重新点火 relit"),
            ExceedanceLine(_what(NOX), at("03:00"), None, 59.2, 50.0, "mg/m3", 6),
        ),
        (WithdrawnLine(_what(NOX), at("2026-02-27 14:00"), at("2026-02-27 15:00"), 52.4, 50.0, "mg/m3",
                       Words("complies, 48.3 mg/m³", "达标，48.3 mg/m³")),),
        (OutlookLine(_what(NIGHT_LEQ), 56.4, 55.0, "dB", "max", 53.1, False, 95 * MINUTE_MS),),
        (
            AlarmLine(38, "breach", "breach", "acknowledged", at("03:00"), None, "Li", None, _hours_of_nox("09:00")),
            AlarmLine(82, "balance", "warning", "shelved", at("2026-03-02"), None, None, at("2026-03-05 08:00"),
                      _of_amounts()[2]),
            AlarmLine(41, "breach", "breach", "unclosed", at("08:00"), at("09:00"), "王工 Wang", None, nmhc),
        ),
        (
            GapLine(None, "DA001.so2", _name("DA001.so2"), 22 / 24, ((at("08:00"), at("10:00"), "missing"),)),
            GapLine(None, "W-NORTH", _name("W-NORTH"), None, ((at("09:00"), at("11:00"), "estimated"),)),
        ),
        (FaultLine("DA001.so2", _name("DA001.so2"), at("08:00"), None, at("20:00"), at("11:30"), False,
                   at("2026-03-11"), False),),
        (EntryLine(Words("Calibration", "校准"), "DA001.nox",
                   Words("passed (zero 0.3, span 98.7)", "合格（零点 0.3，量程 98.7）"), "王工 Wang", at("07:00")),),
        (EntryLine(Words("Mark", "标记"), "DA001.pm", Words("maintenance", "维护"), "王工 Wang", at("09:00"),
                   at("11:00"), "filter changed 更换滤膜"),),
        (DueLine(Words("Calibration", "校准"), "DA002.nmhc", at("2026-03-04 18:00"), False),),
        (
            CapLine(_what(NOX_YEAR), "2026", 11.43, 12.5, "t", 11.43 / 12.5, 0.9, "2026-04-09", None, True,
                    Words("62 of 62 days", "62 天中 62 天有数据")),
            CapLine(_what(COD_YEAR), "2026", 0.612, 6.0, "t", 0.102, 0.1, None, None, False),
        ),
        (), (),
        Service(__version__, 1_216_480, 3, (("wrong_unit", 2), ("future", 1)), 0, 0, 14, 0, 83_300_000_000,
                271_000_000_000, False, ((at("10:02"), "9f31c0de"),), ()),
        (
            HeldLine("raised", "data", at("02:10"), _of_data()[0] | {"start": at("02:00"), "since": at("02:00")}),
            HeldLine("cleared", "data", at("02:40"), {"kind": "silent", "point": "DA001.so2", "outlet": "DA001",
                                                     "since": at("02:00"), "until": at("02:40")}),
        ),
    )  # fmt: skip


def _longer(edition: str, start: str, end: str) -> Digest:
    """Give a quiet week or month beside the one before it."""
    begin, until = at(start), at(end)
    hours = (until - begin) // HOUR_MS
    worst = at("2026-02-26 22:00")
    return Digest(
        edition, begin, until, until + 8 * HOUR_MS, {"exceedances": 1, "caps": 1}, (),
        (
            _limit_line(NMHC, 63.12, hours, worst, exceeded=1, rested=hours // 3),
            _limit_line(NOX, 47.2, hours, worst + 7 * HOUR_MS, warned=2, not_judged=3,
                        why=Words("maintenance 3", "维护 3")),
            _limit_line(COD, 71.2, hours // 24, at("2026-02-24"), end=at("2026-02-25")),
        ),
        (ExceedanceLine(_what(NMHC), worst, worst + HOUR_MS, 63.12, 50.0, "mg/m3", 1, late=True),),
        (), (), (),
        (GapLine(None, "DA001.nox", _name("DA001.nox"), 1 - 3 / hours,
                 ((at("2026-02-25 09:00"), at("2026-02-25 12:00"), "invalid"),)),),
        (), (), (), (),
        (CapLine(_what(NOX_YEAR), "2026", 11.02, 12.5, "t", 0.8816, 0.834, "2026-04-12", None, True),),
        (
            Compared(Words("Windows exceeded", "超标时段数"), "", 1.0, 4.0),
            Compared(Words("Alarms raised", "报警数"), "", 12.0, 31.0),
            Compared(Words("Capture rate, DA001.nox nitrogen oxides (as NO2)", "捕集率，DA001.nox 氮氧化物"), "%",
                     100 - 300 / hours, 99.4),
            Compared(Words("Emitted, DA001.nox nitrogen oxides (as NO2)", "排放量，DA001.nox 氮氧化物"), "kg",
                     hours * 7.41, hours * 7.12),
        ),
        (
            FrequentAlarm("silent", 7, {"kind": "silent", "point": "N1.leq", "outlet": "N1"}),
            FrequentAlarm("warning", 3, of_limit(NOX, worst, worst + HOUR_MS, 47.2, kind="warning")),
        ),
        Service(__version__, 50_685 * hours, 0, (), 0, 0, hours // 8, 0, 83_300_000_000, 271_000_000_000, False, (),
                ()),
    )  # fmt: skip


def _digests() -> list[Mail]:
    made = (_day(), _longer("weekly", "2026-02-23", "2026-03-02"), _longer("monthly", "2026-02-01", "2026-03-01"))
    return [
        Mail(f"digest-{one.edition}", "digests", "digest", "data", one.made, digest_facts.written(one)) for one in made
    ]


def mails() -> list[Mail]:
    """Give every mail of the gallery."""
    return [*_limits(), *_others(), *_digests()]
