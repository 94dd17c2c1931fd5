"""This module writes the plant file that belongs to a simulated plant, whatever its size.

Outlets and meters are those of the example plant file; what the simulated plant has beyond them are more boilers and
sub-meters.
"""

from __future__ import annotations

from collections.abc import Sequence

from simulators.plant import COUNTER, PLANT_ID, SimPoint, SimulatedPlant

_HEAD = """\
plant:
  id: {plant_id}
  name: {{en: Chongqing truck plant, zh: 重庆卡车工厂}}
  timezone: {timezone}
  permit: 91500000EXAMPLE001P

feeds:
  - {{topic: "plant/{plant_id}/{{outlet}}/{{point}}", format: json, qos: 1}}
  - {{topic: "plant/{plant_id}/meter/{{meter}}", format: json, qos: 1}}
  - {{topic: "plant/{plant_id}/batch", format: json-batch, qos: 1}}

outlets:
"""

_BOILER_HEAD = """\
  {outlet}:
    name: {{en: "Gas boiler stack {number}", zh: "燃气锅炉排气筒{number}"}}
    kind: air
    reference_oxygen: 3.5
    running: {{point: o2, max: 19 %}}
    points:
"""

_BOILER_LIMITS = {
    "nox": ["{pollutant: nox, basis: concentration, max: 50 mg/m3, window: 1h, standard: permit, warn_at: 0.9}"],
    "pm": ["{pollutant: pm, basis: concentration, max: 20 mg/m3, window: 1h, standard: permit}"],
    "so2": ["{pollutant: so2, basis: concentration, max: 50 mg/m3, window: 1h, standard: permit}"],
    "flow": ["{pollutant: nox, basis: mass, max: 12.5 t, window: 1y, standard: permit}"],  # a mass needs a flow
}

_NMHC_LIMIT = "{{pollutant: nmhc, basis: concentration, max: {}, window: 1h, standard: {}, {}}}"

_OTHER_OUTLETS = {
    "DA002": (
        """\
  DA002:
    name: {en: Coating line RTO stack, zh: 涂装RTO排气筒}
    kind: air
    running: {point: flow, min: 5000 m3/h}
    points:
""",
        [
            _NMHC_LIMIT.format("60 mg/m3", "permit 2020", "from: 2020-01-01, to: 2024-12-31"),
            _NMHC_LIMIT.format("50 mg/m3", "permit 2025", "from: 2025-01-01"),
            "{pollutant: nmhc, basis: rate, max: 8.0 kg/h, window: 1h, standard: permit}",
            "{pollutant: nmhc, basis: mass, max: 35 t, window: 1y, standard: permit}",
            "{point: rto_temperature, basis: level, min: 760 degC, window: reading, hold: 60s, standard: process rule}",
        ],
    ),
    "DW001": (
        """\
  DW001:
    name: {en: Coating waste water station, zh: 涂装废水处理站}
    kind: water
    discharge: direct
    points:
""",
        [
            "{pollutant: cod, basis: concentration, max: 100 mg/L, window: 1d, standard: permit}",
            "{pollutant: ammonia_nitrogen, basis: concentration, max: 15 mg/L, window: 1d, standard: permit}",
            "{pollutant: tss, basis: concentration, max: 70 mg/L, window: 1d, standard: permit}",
            "{point: ph, basis: level, min: 6, max: 9, window: 1h, standard: permit}",
            "{pollutant: cod, basis: mass, max: 6.0 t, window: 1y, standard: permit}",
        ],
    ),
    "N1": (
        """\
  N1:
    name: {en: North boundary, zh: 厂界北侧}
    kind: noise
    points:
""",
        [
            "{point: leq, basis: level, max: 65 dB, window: day-period, standard: GB 12348}",
            "{point: leq, basis: level, max: 55 dB, window: night-period, standard: GB 12348}",
        ],
    ),
}

_METERS = {
    "E-MAIN": "role: purchased, ratio: 1, wraps_at: 1000000000, max_rate: 20000 kWh/h",
    "E-PAINT": "role: sub, parent: E-MAIN",
    "E-PV": "role: generated",
    "W-MAIN": "role: purchased",
    "W-NORTH": "role: sub, parent: W-MAIN",
    "G-MAIN": "state: 0degC, role: purchased",
    "LINE-1": "product: vehicle, role: output",
}

_TAIL = """\

balances:
  - {{parent: W-MAIN, warn_above: 8 %, window: 1d, night_minimum: 3 m3/h}}

alarms:
  recipients:
    ehs: {{email: [{ehs}], severity: [warning, breach, data]}}
    manager: {{email: [{manager}], severity: [breach], after: 30min}}
  repeat: 4h
  deadband: 0.02
"""

_INTERVALS = ((3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def plant_file(
    plant: SimulatedPlant,
    timezone: str = "Asia/Shanghai",
    ehs: str = "ehs@example.com",
    manager: str = "manager@example.com",
    more: str = "",
) -> str:
    """Write the plant file (YAML) of a simulated plant; `more` is added at its end."""
    points = plant.points()
    outlets: dict[str, list[SimPoint]] = {}
    for point in points:
        if point.outlet is not None:
            outlets.setdefault(point.outlet, []).append(point)
    text = _HEAD.format(plant_id=PLANT_ID, timezone=timezone)
    text += "".join(_outlet(name, members) for name, members in outlets.items())
    text += "\nmeters:\n" + "".join(_meter(point) for point in points if point.kind == COUNTER)
    return text + _TAIL.format(ehs=ehs, manager=manager) + more


def _outlet(name: str, points: Sequence[SimPoint]) -> str:
    if name in _OTHER_OUTLETS:
        head, limits = _OTHER_OUTLETS[name]
    else:
        head = _BOILER_HEAD.format(outlet=name, number=int(name.removeprefix("DA")))
        ids = [point.id.partition(".")[2] for point in points]
        limits = [limit for point_id in ids for limit in _BOILER_LIMITS.get(point_id, [])]
    text = head + "".join(_monitor(point) for point in points)
    if limits:
        text += "    limits:\n" + "".join(f"      - {limit}\n" for limit in limits)
    return text


def _monitor(point: SimPoint) -> str:
    name = point.id.partition(".")[2]
    unit = f'"{point.unit}"' if point.unit == "%" else point.unit
    span = f"range: [{point.range_low:g}, {point.range_high:g}]"
    limit = ", detection_limit: 3" if name in ("nox", "so2") else ""
    interval = interval_text(point.interval_ms)
    return f"      {name}: {{quantity: {point.quantity}, unit: {unit}, interval: {interval}, {span}{limit}}}\n"


def _meter(point: SimPoint) -> str:
    rest = _METERS.get(point.id, "role: sub, parent: E-MAIN")
    what = f"quantity: {point.quantity}, kind: counter, unit: {point.unit}"
    return f"  {point.id}: {{{what}, {rest}, interval: {interval_text(point.interval_ms)}}}\n"


def interval_text(interval_ms: int) -> str:
    """Write an interval in its largest whole unit.

    >>> interval_text(10_000), interval_text(900_000), interval_text(3_600_000)
    ('10s', '15min', '1h')
    """
    for size, unit in _INTERVALS:
        if interval_ms % size == 0:
            return f"{interval_ms // size}{unit}"
    return f"{interval_ms}ms"
