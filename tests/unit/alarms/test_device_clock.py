"""This module proves whose clock is called wrong, and when it is called right again."""

from __future__ import annotations

from typing import Any

from builders import a_plant, a_point, some_rules

from plantmon.alarms.device_clock import DeviceClocks, Spoken
from plantmon.model.alarm import Condition
from plantmon.model.plant import Kind
from plantmon.times import HOUR_MS, MINUTE_MS

NOX, O2 = a_point("DA001.nox", interval_ms=MINUTE_MS), a_point("DA001.o2", quantity="oxygen", interval_ms=MINUTE_MS)
COD = a_point("DW001.cod", quantity="cod", interval_ms=HOUR_MS)
METER = a_point("E-MAIN", kind=Kind.COUNTER, interval_ms=MINUTE_MS)
PLANT = a_plant((NOX, O2, COD, METER))
NOW = 1_000 * HOUR_MS
OFF = 10 * MINUTE_MS


class Watch:
    """The clocks of the plant, looked at every minute."""

    def __init__(self, **changes: Any) -> None:
        self.clocks = DeviceClocks(a_plant((NOX, O2, COD, METER), rules=some_rules(**changes)) if changes else PLANT)
        self.now_ms = NOW

    def look(self, minutes: int, lag_ms: dict[str, int | None], ahead: tuple[str, ...] = ()) -> dict[str, Condition]:
        """Let so many minutes pass in which points speak with a lag (None: are silent); give the last look."""
        for _ in range(minutes):
            self.now_ms += MINUTE_MS
            spoken = {
                name: Spoken(self.now_ms - lag, self.now_ms)
                for name, lag in (dict.fromkeys(PLANT.points, 0) | lag_ms).items()
                if lag is not None
            }
            spoken |= {name: Spoken(None, None, self.now_ms) for name in ahead}
            found = {one.key: one for one in self.clocks.conditions(spoken, self.now_ms)}
        return found


def state(found: dict[str, Condition], key: str = "device_clock:DA001") -> bool | None:
    """Give how a device stands."""
    return found[key].is_bad


def test_every_device_once() -> None:
    """The points of an outlet are one device, a meter is its own; right clocks are right."""
    found = Watch().look(1, {})
    assert {key: one.is_bad for key, one in found.items()} == {
        "device_clock:DA001": False, "device_clock:DW001": False, "device_clock:E-MAIN": False,
    }  # fmt: skip


def test_behind_for_longer_than_the_setting() -> None:
    """An hour behind is told after ten minutes of speaking so, not before; and ends with the first right value."""
    watch = Watch()
    assert state(watch.look(11, {NOX.id: HOUR_MS})) is None
    found = watch.look(1, {NOX.id: HOUR_MS})["device_clock:DA001"]
    assert (found.is_bad, found.facts["point"], found.facts["detail"]) == (True, NOX.id, "behind by 1h")
    assert found.since_ms == NOW + MINUTE_MS
    assert state(watch.look(1, {})) is False


def test_the_setting_and_two_intervals_are_allowed() -> None:
    """Twelve minutes behind are right for a one-minute point, more are not; an hourly analysis may take two hours."""
    assert state(Watch().look(30, {NOX.id: OFF + 2 * MINUTE_MS})) is False
    assert state(Watch().look(30, {NOX.id: OFF + 2 * MINUTE_MS + 1})) is True
    assert state(Watch().look(30, {COD.id: 2 * HOUR_MS + OFF}), "device_clock:DW001") is False
    assert state(Watch(clock_off_ms=30 * MINUTE_MS).look(60, {NOX.id: 32 * MINUTE_MS})) is False


def test_a_gateway_that_catches_up() -> None:
    """What was sent late after a pause is no wrong clock."""
    watch = Watch()
    watch.look(5, {NOX.id: None, O2.id: None})
    assert state(watch.look(8, {NOX.id: HOUR_MS, O2.id: HOUR_MS})) is None
    assert state(watch.look(1, {})) is False


def test_silence_says_nothing() -> None:
    """Who was off and fell silent is not right yet; who was never off is unknown."""
    watch = Watch()
    watch.look(15, {NOX.id: HOUR_MS})
    silent = {name: Spoken(watch.now_ms - HOUR_MS, watch.now_ms) for name in PLANT.points}
    later = watch.now_ms + HOUR_MS
    found = {one.key: one for one in watch.clocks.conditions(silent, later)}
    assert state(found) is None
    others = {name: Spoken(later, later) for name in PLANT.points} | {NOX.id: silent[NOX.id]}
    assert state({one.key: one for one in watch.clocks.conditions(others, later)}) is None
    watch.now_ms = later
    assert state(watch.look(1, {NOX.id: HOUR_MS})) is True
    assert state(watch.look(1, {})) is False


def test_a_whole_outlet_is_one_alarm() -> None:
    """Two points of an outlet that are off are one alarm that names both."""
    found = Watch().look(20, {NOX.id: HOUR_MS, O2.id: 2 * HOUR_MS})["device_clock:DA001"]
    assert (found.facts["point"], found.facts["outlet"]) == (None, "DA001")
    assert found.facts["detail"] == "DA001.nox, DA001.o2: behind by 2h"


def test_the_way_into_the_store_is_allowed_for() -> None:
    """What a reading may take on its way is added to what is allowed."""
    clocks = DeviceClocks(PLANT)
    for minute in range(30):
        now_ms = NOW + minute * MINUTE_MS
        spoken = {name: Spoken(now_ms - OFF - 4 * MINUTE_MS, now_ms) for name in PLANT.points}
        found = clocks.conditions(spoken, now_ms, slack_ms=2 * MINUTE_MS)
    assert {one.is_bad for one in found} == {False}


def test_ahead() -> None:
    """Readings that were refused as future are a clock ahead at once; ten minutes without one end it."""
    watch = Watch()
    found = watch.look(1, {}, ahead=(METER.id,))["device_clock:E-MAIN"]
    assert (found.is_bad, found.facts["point"], found.facts["detail"]) == (True, METER.id, "ahead by more than 5min")
    refused_ms = watch.now_ms
    spoken = {METER.id: Spoken(refused_ms + OFF, refused_ms + OFF, refused_ms)}
    for later, expected in ((OFF, True), (OFF + 1, False)):
        found = {one.key: one for one in watch.clocks.conditions(spoken, refused_ms + later)}
        assert state(found, "device_clock:E-MAIN") is expected


def test_calculated_points_have_no_clock() -> None:
    """A calculated point never speaks and is not waited for."""
    formula = a_point("DA001.sum", formula="nox + o2", parts=(NOX.id, O2.id))
    clocks = DeviceClocks(a_plant((NOX, O2, formula)))
    (found,) = clocks.conditions({name: Spoken(NOW, NOW) for name in (NOX.id, O2.id)}, NOW)
    assert found.is_bad is False
