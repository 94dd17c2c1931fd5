"""This module proves who is called silent, and that one cause makes one alarm."""

from __future__ import annotations

import pytest
from builders import a_plant, a_point

from plantmon.alarms.silence import Heard, conditions, silent_after_ms
from plantmon.model.plant import Kind
from plantmon.times import HOUR_MS, MINUTE_MS

NOX, O2 = a_point("DA001.nox"), a_point("DA001.o2", quantity="oxygen", unit="%")
LEQ = a_point("N1.leq", kind=Kind.ENERGY, interval_ms=MINUTE_MS)
METER = a_point("E-MAIN", kind=Kind.COUNTER, interval_ms=15 * MINUTE_MS)
PLANT = a_plant((NOX, O2, LEQ, METER))
NOW = 100 * HOUR_MS
LONG_AGO = NOW - 10 * HOUR_MS


def bad(heard: dict[str, int | None], since: int = LONG_AGO, *, away: bool = False) -> list[str]:
    """Name what is wrong when points were last heard at these instants; the others speak now."""
    everybody = dict.fromkeys(PLANT.points, NOW) | heard
    found = conditions(PLANT, {k: Heard(v) for k, v in everybody.items()}, since, NOW, broker_is_away=away)
    return [one.key for one in found if one.is_bad]


@pytest.mark.parametrize(
    ("interval_ms", "silent_ms"),
    [(1_000, 3_000), (10_000, 30_000), (MINUTE_MS, 3 * MINUTE_MS), (15 * MINUTE_MS, 45 * MINUTE_MS)],
)
def test_three_intervals(interval_ms: int, silent_ms: int) -> None:
    """A point may be quiet for three of its intervals."""
    assert silent_after_ms(a_point(interval_ms=interval_ms)) == silent_ms


@pytest.mark.parametrize(
    ("heard", "since", "expected"),
    [
        pytest.param({}, LONG_AGO, [], id="everybody speaks"),
        pytest.param({"DA001.nox": NOW - 30_000}, LONG_AGO, [], id="three intervals are not yet silence"),
        pytest.param({"DA001.nox": NOW - 30_001}, LONG_AGO, ["silent:DA001.nox"], id="more are"),
        pytest.param({"DA001.nox": None}, LONG_AGO, ["silent:DA001.nox"], id="never spoken"),
        pytest.param({"DA001.nox": None}, NOW - 30_000, [], id="never spoken, listening only now"),
        pytest.param({"DA001.nox": LONG_AGO}, NOW - 30_000, [], id="spoke before we began to listen"),
        pytest.param({"DA001.nox": LONG_AGO, "DA001.o2": LONG_AGO}, LONG_AGO, ["silent_outlet:DA001"], id="outlet"),
        pytest.param({"N1.leq": LONG_AGO}, LONG_AGO, ["silent:N1.leq"], id="an outlet of one point is its point"),
        pytest.param(dict.fromkeys(PLANT.points, LONG_AGO), LONG_AGO, ["silent:*"], id="whole plant"),
        pytest.param({"E-MAIN": NOW - 44 * MINUTE_MS}, LONG_AGO, [], id="a meter has longer intervals"),
    ],
)
def test_who_is_silent(heard: dict[str, int | None], since: int, expected: list[str]) -> None:
    """One point, one outlet or the whole plant: always exactly one alarm for one cause."""
    assert bad(heard, since) == expected


@pytest.mark.parametrize(("quiet_ms", "is_silent"), [(35_000, False), (35_001, True)])
def test_the_way_into_the_store_is_allowed_for(quiet_ms: int, is_silent: bool) -> None:
    """What a reading may take on its way is added to the three intervals."""
    heard = dict.fromkeys(PLANT.points, Heard(NOW)) | {NOX.id: Heard(NOW - quiet_ms)}
    found = conditions(PLANT, heard, LONG_AGO, NOW, broker_is_away=False, slack_ms=5_000)
    assert any(one.is_bad for one in found) == is_silent


def test_calculated_points_are_not_accused() -> None:
    """A point that is calculated speaks through its parts: silent parts are the outlet, one of them is itself."""
    summed = a_point("DA001.sum", formula="nox + o2", parts=(NOX.id, O2.id))
    plant = a_plant((NOX, O2, summed, METER))
    for quiet, expected in (([NOX.id], ["silent:DA001.nox"]), ([NOX.id, O2.id], ["silent_outlet:DA001"])):
        heard = {name: Heard(LONG_AGO if name in quiet else NOW) for name in (NOX.id, O2.id, METER.id)}
        found = conditions(plant, heard, LONG_AGO, NOW, broker_is_away=False)
        assert [one.key for one in found if one.is_bad] == expected
        away = conditions(plant, heard, LONG_AGO, NOW, broker_is_away=True)
        assert "silent:DA001.sum" not in {one.key for one in [*found, *away]}


def test_broker_away_accuses_nobody_else() -> None:
    """While the broker is away nothing is known of anybody: nothing begins, and nothing ends."""
    assert conditions(PLANT, {}, LONG_AGO, NOW, broker_is_away=True) == []


def test_points_behind_an_outlet_end_quietly() -> None:
    """When the second point of an outlet falls silent the first one's alarm ends without a mail."""
    heard = {name: Heard(LONG_AGO if name.startswith("DA001") else NOW) for name in PLANT.points}
    quiet = {one.key: one.quiet for one in conditions(PLANT, heard, LONG_AGO, NOW, broker_is_away=False)}
    assert quiet["silent:DA001.nox"]
    assert not quiet["silent:N1.leq"]


def test_silence_begins_with_the_last_word() -> None:
    """The alarm's beginning is when something was last heard."""
    heard = {name: Heard(NOW) for name in PLANT.points} | {"DA001.nox": Heard(LONG_AGO)}
    (found,) = [one for one in conditions(PLANT, heard, 0, NOW, broker_is_away=False) if one.is_bad]
    assert found.since_ms == LONG_AGO
