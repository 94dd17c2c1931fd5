"""This module makes what the tests of mails are about: a small plant, facts of every kind, messages."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from plantmon.model.plant import (
    AlarmRules,
    Basis,
    Kind,
    Limit,
    Name,
    Outlet,
    Plant,
    Point,
    QuietHours,
    Recipient,
    Rules,
)
from plantmon.times import HOUR_MS, MINUTE_MS, PlantTime, to_ms

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
NOW = to_ms(datetime(2020, 3, 1, 9, 0, 5, tzinfo=TIME.zone))
HOUR = to_ms(datetime(2020, 3, 1, 8, 0, tzinfo=TIME.zone))
DATE = datetime(2020, 3, 1, 1, 0, 5, tzinfo=UTC)

NMHC = Point(
    "DA002.nmhc", "DA002", Name("NMHC", "非甲烷总烃"), "nmhc", "mg/m3", Kind.GAUGE, MINUTE_MS, range_high=1000.0
)
RTO = Point(
    "DA002.rto_temperature",
    "DA002",
    Name("RTO chamber temperature", "RTO炉膛温度"),
    "temperature",
    "degC",
    Kind.GAUGE,
    10_000,
)
LEQ = Point("N1.leq", "N1", Name("sound level", "等效声级"), "sound_level", "dB", Kind.ENERGY, MINUTE_MS)
METER = Point("E-MAIN", None, Name("electricity", "电"), "electricity", "kWh", Kind.COUNTER, 15 * MINUTE_MS)


def limit(key: str, outlet: str, point: str, **changes: Any) -> Limit:
    """Give a limit; by default the hourly concentration limit of 60 mg/m3."""
    given: dict[str, Any] = {
        "key": key,
        "outlet": outlet,
        "subject": point.rpartition(".")[2],
        "point": point,
        "basis": Basis.CONCENTRATION,
        "window": "1h",
        "minimum": None,
        "maximum": 60.0,
        "unit": "mg/m3",
        "standard": "permit 2020",
        "warn_at": 0.9,
        "hold_ms": 0,
        "valid_from": None,
        "valid_to": None,
        "unavailable": None,
    }
    return Limit(**(given | changes))


LIMITS = (
    limit("nmhc-1h", "DA002", "DA002.nmhc"),
    limit("nmhc-rate", "DA002", "DA002.nmhc", basis=Basis.RATE, maximum=8.0, unit="kg/h", standard="permit"),
    limit(
        "rto",
        "DA002",
        "DA002.rto_temperature",
        basis=Basis.LEVEL,
        window="reading",
        minimum=760.0,
        maximum=None,
        unit="degC",
        standard="process rule",
    ),
    limit("leq", "N1", "N1.leq", basis=Basis.LEVEL, window="day-period", maximum=65.0, unit="dB", standard="GB 12348"),
)


def recipient(name: str, **changes: Any) -> Recipient:
    """Give a recipient; by default one who gets everything at once in Chinese."""
    given: dict[str, Any] = {
        "name": name,
        "email": (f"{name}@example.com",),
        "severities": frozenset({"warning", "breach", "data"}),
        "after_ms": 0,
        "language": "zh",
    }
    return Recipient(**(given | changes))


def alarm_rules(*recipients: Recipient, quiet: QuietHours | None = None, digest: time | None = None) -> AlarmRules:
    """Give alarm rules with these recipients."""
    return AlarmRules(recipients, 4 * HOUR_MS, 0.02, quiet, digest)


def plant(**changes: Any) -> Plant:
    """Give a plant with a coating stack and a noise position."""
    points = (NMHC, RTO, LEQ, METER)
    given: dict[str, Any] = {
        "id": "cq-truck",
        "name": Name("Chongqing truck plant", "重庆卡车工厂"),
        "time": TIME,
        "permit": "91500000EXAMPLE001P",
        "version": hashlib.sha256(b"").hexdigest(),
        "text": "",
        "feeds": (),
        "rules": Rules(45, 20, 0.75, "full", "minute", "hour", 35 * 24 * HOUR_MS, 10 * MINUTE_MS, "N", 0.1),
        "outlets": {
            "DA002": Outlet(
                "DA002", Name("Coating line RTO stack", "涂装RTO排气筒"), "air", (NMHC.id, RTO.id), None, None, None
            ),
            "N1": Outlet("N1", Name("North boundary", "厂界北侧"), "noise", (LEQ.id,), None, None, None),
        },
        "points": {point.id: point for point in points},
        "limits": LIMITS,
        "alarms": alarm_rules(recipient("ehs")),
    }
    return Plant(**(given | changes))


def breach(**changes: Any) -> dict[str, Any]:
    """Give the facts of a breach of the hourly limit, as an alarm leaves them."""
    given: dict[str, Any] = {
        "kind": "breach",
        "alarm": 12,
        "outlet": "DA002",
        "point": "DA002.nmhc",
        "limit": "nmhc-1h",
        "window": "1h",
        "start": HOUR,
        "end": HOUR + HOUR_MS,
        "value": 78.437,
        "bound": 60.0,
        "side": "max",
        "unit": "mg/m3",
        "at_least": False,
        "since": HOUR,
        "until": None,
        "peak": 78.437,
        "mean": 78.437,
        "windows": 1,
        "standard": "permit 2020",
        "detail": "",
        "acked_by": None,
    }
    return given | changes


def cleared(**changes: Any) -> dict[str, Any]:
    """Give the facts of a breach that ended after three hours."""
    over = {"value": 52.1, "until": HOUR + 3 * HOUR_MS, "peak": 91.26, "mean": 74.8, "windows": 3, "start": HOUR}
    return breach(**(over | changes))


def late(count: int) -> dict[str, Any]:
    """Give the facts of breaches found in old data."""
    found = [
        {
            "limit": "nmhc-1h",
            "start": HOUR - (50 + hours) * HOUR_MS,
            "end": HOUR - (49 + hours) * HOUR_MS,
            "value": 61.0 + hours,
            "bound": 60.0,
            "unit": "mg/m3",
            "side": "max",
            "at_least": False,
        }
        for hours in range(count)
    ]
    return {"kind": "corrected", "alarm": None, "breaches": found}


def plausible_series(point: str, start_ms: int, end_ms: int) -> tuple[list[int], list[float]]:
    """Give 24 h of minutes that wander about 45 and trip before the end, with 40 minutes missing at night."""
    times = [at for at in range(start_ms, end_ms, MINUTE_MS) if not 600 <= (at - start_ms) // MINUTE_MS < 640]
    values = []
    for at in times:
        minute = (at - start_ms) / MINUTE_MS
        calm = 44 + 5 * math.sin(minute / 140) + 2.2 * math.sin(minute / 11) + 1.1 * math.sin(minute * 2.1)
        values.append(calm + 42 / (1 + math.exp(-(minute - 1384) / 7)) - max(0.0, (minute - 1410) * 0.35))
    return times, values
