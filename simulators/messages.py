"""This module writes readings as the plant's gateways send them: JSON, one reading or many in a message, or HJ 212.

The shapes are those of the example plant file: `json` (one reading on the point's topic), `json-batch` (points of one
instant, or a column of one point), `hj212` (a frame of an outlet's data logger).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from simulators.faults import Delivery
from simulators.plant import PLANT_ID, SimPoint, SimulatedPlant

Message = tuple[str, bytes]  # topic, payload

# What a data logger calls a quantity, and how many of the point's units one of its own is (HJ 212-2017 App. B).
_HJ212 = {
    "oxygen": ("a19001", 1.0),
    "nox": ("a21002", 1.0),
    "so2": ("a21026", 1.0),
    "pm": ("a34013", 1.0),
    "nmhc": ("a24088", 1.0),
    "gas_flow": ("a00000", 3600.0),  # m3/s, of m3/h
    "cod": ("w01018", 1.0),
    "ammonia_nitrogen": ("w21003", 1.0),
    "tss": ("w01012", 1.0),
    "ph": ("w01001", 1.0),
    "water_flow": ("w00000", 3.6),  # L/s, of m3/h
    "sound_level": ("Leq", 1.0),
}
BATCH_TOPIC = f"plant/{PLANT_ID}/batch"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def iso(ts_ms: int, zone: ZoneInfo = SHANGHAI) -> str:
    """Write an instant with its offset; milliseconds only where there are some.

    >>> iso(1583020800000)
    '2020-03-01T08:00:00+08:00'
    """
    moment = datetime.fromtimestamp(ts_ms // 1000, zone).replace(microsecond=ts_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds" if ts_ms % 1000 else "seconds")


def json_message(point: SimPoint, delivery: Delivery, epoch_ms: bool = False) -> Message:
    """Write one reading on its point's topic; its time in ISO, or as epoch milliseconds."""
    body: dict[str, object] = {
        "ts": delivery.ts_ms if epoch_ms else iso(delivery.ts_ms),
        "value": _number(point, delivery.value),
        "unit": point.unit,
    }
    if delivery.flag != "N":
        body["flag"] = delivery.flag
    return point.topic, _encode(body)


def instant_message(
    plant: SimulatedPlant, ts_ms: int, deliveries: Iterable[Delivery], epoch_ms: bool = False
) -> Message:
    """Write readings of one instant; this shape carries no flags."""
    values = {one.point: _number(plant.point(one.point), one.value) for one in deliveries}
    return BATCH_TOPIC, _encode({"ts": ts_ms if epoch_ms else iso(ts_ms), "values": values})


def column_message(point: SimPoint, deliveries: Iterable[Delivery]) -> Message:
    """Write many readings of one point, with epoch milliseconds and their flags."""
    rows = list(deliveries)
    body = {
        "point": point.id,
        "unit": point.unit,
        "ts": [one.ts_ms for one in rows],
        "values": [_number(point, one.value) for one in rows],
        "flags": [one.flag for one in rows],
    }
    return BATCH_TOPIC, _encode(body)


def column_messages(plant: SimulatedPlant, deliveries: Iterable[Delivery], most: int = 360) -> Iterator[Message]:
    """Write a stretch of deliveries as columns of at most `most` readings a message, each point in its order."""
    columns: dict[str, list[Delivery]] = {}
    for one in deliveries:
        column = columns.setdefault(one.point, [])
        column.append(one)
        if len(column) == most:
            yield column_message(plant.point(one.point), column)
            columns[one.point] = []
    for name, column in columns.items():
        if column:
            yield column_message(plant.point(name), column)


def batch_messages(plant: SimulatedPlant, deliveries: Iterable[Delivery], epoch_ms: bool = False) -> Iterator[Message]:
    """Write the deliveries of one sending: a message an instant, flagged and repeated ones in columns of their own."""
    instants: dict[int, dict[str, Delivery]] = {}
    apart: list[Delivery] = []
    for one in deliveries:
        instant = instants.setdefault(one.ts_ms, {})
        if one.flag == "N" and one.point not in instant:
            instant[one.point] = one
        else:
            apart.append(one)
    for ts_ms, instant in instants.items():
        if instant:
            yield instant_message(plant, ts_ms, instant.values(), epoch_ms)
    yield from column_messages(plant, apart)


def hj212_message(plant: SimulatedPlant, mn: str, data_ms: int, deliveries: Iterable[Delivery]) -> Message:
    """Write an outlet's real-time frame; a reading of another instant carries it as `SampleTime`.

    A quantity without a code goes under its point's name.
    """
    items = []
    for one in deliveries:
        code, size = _hj212_code(plant.point(one.point))
        sampled = f",{code}-SampleTime={_digits(one.ts_ms)}" if one.ts_ms != data_ms else ""
        items.append(f"{code}-Rtd={one.value / size:.12g},{code}-Flag={one.flag}{sampled}")
    return _hj212_frame(mn, "2011", data_ms, items)


def hj212_means(plant: SimulatedPlant, mn: str, start_ms: int, means: Mapping[str, float], cn: str = "2061") -> Message:
    """Write what an outlet's data logger says of an hour, or of the minutes (2051) or day (2031) that begin then."""
    items = []
    for point, mean in means.items():
        code, size = _hj212_code(plant.point(point))
        items.append(f"{code}-Avg={mean / size:.12g},{code}-Flag=N")
    return _hj212_frame(mn, cn, start_ms, items)


def _hj212_code(point: SimPoint) -> tuple[str, float]:
    return _HJ212.get(point.quantity, (point.id.rpartition(".")[2], 1.0))


def _hj212_frame(mn: str, cn: str, data_ms: int, items: list[str]) -> Message:
    """Frame items: head, length, segment, check sum, tail (HJ 212-2017 Table 2)."""
    system = "32" if any(item.startswith("w") for item in items) else "31"
    cp = ";".join([f"DataTime={_digits(data_ms)}", *items])
    text = f"QN={_digits(data_ms)}{data_ms % 1000:03d};ST={system};CN={cn};PW=123456;MN={mn};Flag=5;CP=&&{cp}&&"
    segment = text.encode("ascii")
    return f"hj212/{mn}", b"##%04d%s%04X\r\n" % (len(segment), segment, hj212_check_sum(segment))


def hj212_check_sum(segment: bytes) -> int:
    """Compute the check sum bit by bit, as HJ 212-2017 Appendix A prints it."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    return register


def _digits(ts_ms: int) -> str:
    return datetime.fromtimestamp(ts_ms // 1000, SHANGHAI).strftime("%Y%m%d%H%M%S")


def _number(point: SimPoint, value: float) -> float | int:
    return int(value) if point.decimals == 0 and value.is_integer() else value


def _encode(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
