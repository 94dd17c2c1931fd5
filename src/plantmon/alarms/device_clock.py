"""This module notices devices whose clocks are wrong: behind, by what they send, or ahead, by what was refused.

Behind: the newest event time of a point lies further behind its arrival than the plant file's `clock_off` (and two of
its intervals, which an analysis may take), and has done so for as long while it kept speaking - what a gateway sends
late after a pause catches up sooner. Ahead: readings were refused as lying in the future. The clocks of an outlet are
one alarm, named for its point where there is only one (design rule 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plantmon.model.alarm import Condition, Severity
from plantmon.model.plant import Plant, Point
from plantmon.times import MINUTE_MS, format_duration

ALLOWED_INTERVALS = 2
SPEAKS_INTERVALS = 3  # who has not been heard for longer says nothing of its clock


@dataclass(frozen=True, slots=True)
class Spoken:
    """A point's newest event time, the arrival of its newest live message, and when one was last refused as future.

    Plant time; None when there was none.
    """

    at_ms: int | None
    heard_ms: int | None
    ahead_ms: int | None = None


class DeviceClocks:
    """Follows the clocks of a plant's devices; remembers since when each is behind, and which are off."""

    def __init__(self, plant: Plant) -> None:
        self._rules = plant.rules
        self._devices: dict[str, list[Point]] = {}
        for point in plant.points.values():
            if point.formula is None:
                self._devices.setdefault(point.outlet or point.id, []).append(point)
        self._behind_since: dict[str, int] = {}
        self._off: set[str] = set()
        self._slack_ms = 0

    def conditions(self, spoken: Mapping[str, Spoken], now_ms: int, *, slack_ms: int = 0) -> list[Condition]:
        """Give for every device whether its clock is off, None while that is not known.

        `slack_ms` is what a reading may take on its way into the store, in plant time.
        """
        self._slack_ms = slack_ms
        return [self._condition(device, points, spoken, now_ms) for device, points in self._devices.items()]

    def _condition(self, device: str, points: list[Point], spoken: Mapping[str, Spoken], now_ms: int) -> Condition:
        known = {point.id: spoken.get(point.id, Spoken(None, None)) for point in points}
        states = {point.id: self._is_off(point, known[point.id], now_ms) for point in points}
        off = [name for name, state in states.items() if state]
        self._off = (self._off - {name for name, state in states.items() if state is False}) | set(off)
        # Whose clock was off and who is silent now may be off still.
        waiting = self._behind_since.keys() | self._off
        is_right = False in states.values() and waiting.isdisjoint(states)
        since_ms = min((self._behind_since.get(name, now_ms) for name in off), default=now_ms)
        facts: dict[str, object] = {
            "outlet": points[0].outlet, "point": off[0] if len(off) == 1 else None, "start": since_ms, "end": now_ms,
        }  # fmt: skip
        if off:
            facts["detail"] = self._detail(off, known)
        is_bad = True if off else False if is_right else None
        return Condition(f"device_clock:{device}", "device_clock", Severity.DATA, is_bad, since_ms, now_ms, facts)

    def _is_off(self, point: Point, said: Spoken, now_ms: int) -> bool | None:
        """Say whether a point's clock is off; None where it is silent, or behind for a short while only."""
        quiet_ms = SPEAKS_INTERVALS * point.interval_ms + self._slack_ms
        if said.ahead_ms is not None and now_ms - said.ahead_ms <= max(self._rules.clock_off_ms, quiet_ms):
            return True
        if said.at_ms is None or said.heard_ms is None or now_ms - said.heard_ms > quiet_ms:
            if point.id not in self._off:
                self._behind_since.pop(point.id, None)
            return None
        allowed_ms = self._rules.clock_off_ms + ALLOWED_INTERVALS * point.interval_ms + self._slack_ms
        if said.heard_ms - said.at_ms <= allowed_ms:
            self._behind_since.pop(point.id, None)
            return False
        since_ms = self._behind_since.setdefault(point.id, said.heard_ms)
        return True if said.heard_ms - since_ms > self._rules.clock_off_ms or point.id in self._off else None

    def _detail(self, off: list[str], known: Mapping[str, Spoken]) -> str:
        """Say by how much, to the minute, and of which points where they are several."""
        names = "" if len(off) == 1 else ", ".join(off) + ": "
        lags = [
            said.heard_ms - said.at_ms
            for said in map(known.__getitem__, self._behind_since.keys() & set(off))
            if said.heard_ms is not None and said.at_ms is not None
        ]
        if not lags:
            return f"{names}ahead by more than {format_duration(self._rules.future_ms)}"
        return f"{names}behind by {format_duration(max(lags) // MINUTE_MS * MINUTE_MS)}"
