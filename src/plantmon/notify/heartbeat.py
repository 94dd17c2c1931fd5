"""This module is the heartbeat: it tells others that plantmon is well, so that its silence is noticed elsewhere.

A request goes out only while plantmon is well: who waits for it misses it otherwise. A retained MQTT message says how
it is, also that it is not; the broker's Last Will says that it is gone. A beat that fails is tried again sooner than
the next would come, and stops nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from plantmon.notify.web_call import Answer, Endpoint, call
from plantmon.times import SECOND_MS

log = structlog.get_logger("plantmon.notify")

ONLINE, UNWELL, OFFLINE = "online", "unwell", "offline"
_SOONER_S = 10.0  # after a failure


def status(plant: str, state: str, real_ms: int | None = None, faults: Sequence[str] = ()) -> bytes:
    """Give the status as JSON; without a time where it is written beforehand, as the Last Will is."""
    said: dict[str, Any] = {"plant": plant, "status": state, "faults": list(faults)}
    if real_ms is not None:
        moment = datetime.fromtimestamp(real_ms // SECOND_MS, UTC)
        said["time"] = moment.isoformat().replace("+00:00", "Z")
    return json.dumps(said, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Beat:
    """What one run did: whether it called somebody, and why that failed; None where it did not."""

    is_called: bool = False
    fault: str | None = None


class Heartbeat:
    """Beats over HTTP (`endpoint`), MQTT (`publish`, which says whether the message left), or both.

    One thread runs it, about once a second. `every_s` and all instants are real seconds on the monotonic clock.
    """

    def __init__(
        self,
        plant: str,
        every_s: float,
        endpoint: Endpoint | None = None,
        method: str = "GET",
        publish: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._plant = plant
        self._every_s = every_s
        self._endpoint = endpoint
        self._method = method
        self._publish = publish
        self._call_due_s = 0.0
        self._publish_due_s = 0.0
        self._published: tuple[str, ...] | None = None  # the faults that were last published
        self._link: object = None
        self._said: tuple[str, ...] = ()  # the faults that were last logged

    def run(self, faults: Sequence[str], link: object, now_s: float, real_ms: int) -> Beat:
        """Beat where it is due. `faults` are what keeps plantmon from its work; `link` changes with each connection."""
        found = tuple(faults)
        self._say(found)
        if self._publish is not None:
            self._publish_status(found, link, now_s, real_ms)
        if self._endpoint is None or found or now_s < self._call_due_s:
            return Beat()
        answer = self._call(self._endpoint, real_ms)
        is_good = answer.is_success
        self._call_due_s = now_s + (self._every_s if is_good else min(self._every_s, _SOONER_S))
        return Beat(True, None if is_good else f"{self._endpoint.where}: {answer.words}")

    def _say(self, found: tuple[str, ...]) -> None:
        """Log that the heartbeat stops, and why, and that it goes on."""
        if found == self._said:
            return
        if found:
            log.warning("heartbeat_held", faults=list(found))
        else:
            log.info("heartbeat_goes_on")
        self._said = found

    def _publish_status(self, found: tuple[str, ...], link: object, now_s: float, real_ms: int) -> None:
        """Publish when it is due, something changed, or the connection is another: there the Last Will was said."""
        assert self._publish is not None
        if found == self._published and link == self._link and now_s < self._publish_due_s:
            return
        if self._publish(status(self._plant, UNWELL if found else ONLINE, real_ms, found)):
            self._published, self._link = found, link
            self._publish_due_s = now_s + self._every_s

    def _call(self, endpoint: Endpoint, real_ms: int) -> Answer:
        headers = {"User-Agent": "plantmon"}
        if self._method != "POST":
            return call(endpoint, self._method, None, headers)
        headers["Content-Type"] = "application/json"
        return call(endpoint, "POST", status(self._plant, ONLINE, real_ms), headers)
