"""This module writes readings as the plant's gateways send them: JSON, one reading or many in a message.

The shapes are those of the example plant file: `json` (one reading on the point's topic), `json-batch` (points of one
instant, or a column of one point).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from simulators.faults import Delivery
from simulators.plant import PLANT_ID, SimPoint, SimulatedPlant

Message = tuple[str, bytes]  # topic, payload

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


def _number(point: SimPoint, value: float) -> float | int:
    return int(value) if point.decimals == 0 and value.is_integer() else value


def _encode(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
