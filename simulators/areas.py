"""This module is plants, or parts of one huge plant, that share a broker: each takes its own level of the topics.

An area is a daemon's: whole outlets with their process signals, whole trees of meters. Its topics are
`site/AREA/OUTLET/POINT` and `meters/AREA/METER`, so that no daemon gets what another stores.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from simulators.messages import Message
from simulators.service import Service

INTERVAL_MS = 10_000
_GAUGES = {
    "nox": ("nox", "mg/m3", 31.0), "pm": ("pm", "mg/m3", 6.0), "so2": ("so2", "mg/m3", 9.0),
    "o2": ("oxygen", "%", 4.5), "flow": ("gas_flow", "m3/h", 20_000.0), "rto": ("temperature", "degC", 800.0),
}  # fmt: skip
_METERS = 2  # an outlet: one of its power, and one below it
_OUTLET = """\
  {outlet}:
    name: Stack {outlet}
    kind: air
    running: {{point: o2, max: 19 %}}
    points:"""
_POINT = '      {}: {{quantity: {}, unit: "{}", interval: 10s}}'
_LIMIT = "    limits: [{pollutant: nox, basis: concentration, max: 60 mg/m3, window: 1h, standard: permit}]"
_METER = """\
  E-{outlet}: {{quantity: electricity, unit: kWh, role: purchased, interval: 10s}}
  S-{outlet}: {{quantity: electricity, unit: kWh, role: sub, parent: E-{outlet}, interval: 10s}}"""


class Area:
    """A part with so many outlets, each with six gauges, a main meter and a meter below it."""

    def __init__(self, name: str, outlets: int) -> None:
        self.name = name
        self.outlets = [f"DA{number:03}" for number in range(1, outlets + 1)]

    @property
    def plant_file(self) -> str:
        """Its plant file."""
        lines = [
            f"plant: {{id: {self.name}, name: Area {self.name}, timezone: Asia/Shanghai}}", "feeds:",
            f'  - {{topic: "site/{self.name}/{{outlet}}/{{point}}", format: json, qos: 1}}',
            f'  - {{topic: "meters/{self.name}/{{meter}}", format: json, qos: 1}}', "outlets:",
        ]  # fmt: skip
        for outlet in self.outlets:
            lines += [_OUTLET.format(outlet=outlet)]
            lines += [_POINT.format(name, *kind) for name, kind in _GAUGES.items()]
            lines += [_LIMIT]
        lines += ["meters:", *(_METER.format(outlet=outlet) for outlet in self.outlets), ""]
        return "\n".join(lines)

    @property
    def points(self) -> int:
        """How many points it has."""
        return len(self.outlets) * (len(_GAUGES) + _METERS)

    def messages(self, at_ms: int) -> Iterator[Message]:
        """Give one reading of every point, of one instant."""
        turn = at_ms // INTERVAL_MS
        for place, outlet in enumerate(self.outlets):
            for name, (_, _, usual) in _GAUGES.items():
                yield _message(
                    f"site/{self.name}/{outlet}/{name}", at_ms, round(usual * (1 + (turn + place) % 7 / 100), 2)
                )
            yield _message(f"meters/{self.name}/E-{outlet}", at_ms, round(turn % 10**7 * 0.4, 1))
            yield _message(f"meters/{self.name}/S-{outlet}", at_ms, round(turn % 10**7 * 0.2, 1))

    def service(self, folder: Path, broker_port: int, **settings: object) -> Service:
        """Give its daemon: a folder, a store and a client id of its own."""
        given = {"MQTT__CLIENT_ID": f"plantmon-{self.name}"} | settings
        return Service(folder / self.name, self.plant_file, broker_port, **given)


def _message(topic: str, at_ms: int, value: float) -> Message:
    return topic, json.dumps({"ts": at_ms, "value": value}, separators=(",", ":")).encode()
