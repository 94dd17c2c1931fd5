"""This module proves that each fault does what it says to the stream, and nothing else."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from simulators.faults import (
    BriefZero,
    Conflict,
    Delivery,
    Drift,
    Duplicate,
    Exceedance,
    Fault,
    Flagged,
    Late,
    Leak,
    MeterReplaced,
    MeterReset,
    OutOfOrder,
    OverRange,
    RollOver,
    RtoTrip,
    Silent,
    SlightFall,
    Spike,
    Stuck,
    WrongClock,
    deliveries,
    parse_fault,
)
from simulators.plant import SimulatedPlant

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
START = int(datetime(2026, 3, 2, 8, tzinfo=SHANGHAI).timestamp() * 1000)
FROM, TO = START + 10 * MINUTE_MS, START + 20 * MINUTE_MS
PLANT = SimulatedPlant()


def stream(faults: list[Fault], *points: str, hours: float = 1) -> list[Delivery]:
    """Give the deliveries of points from 08:00 on, after faults."""
    return list(deliveries(PLANT, START, START + int(hours * HOUR_MS), faults, points))


def values(found: list[Delivery]) -> dict[int, float]:
    """Give the values by their time."""
    return {one.ts_ms: one.value for one in found}


def test_without_faults_everything_arrives_at_its_time() -> None:
    """A plant without faults delivers each reading once, unflagged, when it is made."""
    found = stream([], "DA001.nox", "E-MAIN")
    assert len(found) == 360 + 4
    assert all(one.send_ms == one.ts_ms and one.flag == "N" for one in found)


def test_exceedance_multiplies_inside_its_span_only() -> None:
    """An exceedance raises the span's values by its factor and leaves the others."""
    plain, raised = (
        values(stream([], "DA001.nox")),
        values(stream([Exceedance("DA001.nox", FROM, TO, 1.6)], "DA001.nox")),
    )
    assert all(raised[ts] == plain[ts] for ts in plain if not FROM <= ts < TO)
    assert all(raised[ts] == pytest.approx(plain[ts] * 1.6, abs=0.051) for ts in plain if FROM <= ts < TO)


def test_rto_trip_cools_the_chamber_and_raises_nmhc() -> None:
    """In a trip the chamber falls below 760 degC within a minute and a half, towards 300, and NMHC passes 250."""
    trip = RtoTrip(START + 3 * MINUTE_MS, START + 43 * MINUTE_MS)
    chamber = values(stream([trip], "DA002.rto_temperature"))
    nmhc = values(stream([trip], "DA002.nmhc"))
    assert chamber[trip.start_ms] > 800
    assert chamber[trip.start_ms + 90_000] < 760
    assert 300 < chamber[trip.end_ms - 10_000] < 320
    assert max(nmhc.values()) > 250
    assert nmhc[START + 59 * MINUTE_MS] < 40


def test_over_range_sends_the_end_of_the_range() -> None:
    """Over range is the range's end with T, or a value beyond it unflagged."""
    flagged = [one for one in stream([OverRange("DA002.nmhc", FROM, TO)], "DA002.nmhc") if FROM <= one.ts_ms < TO]
    assert {(one.value, one.flag) for one in flagged} == {(1000.0, "T")}
    silent = stream([OverRange("DA002.nmhc", FROM, TO, flag="N", excess=1)], "DA002.nmhc")
    assert {(one.value, one.flag) for one in silent if FROM <= one.ts_ms < TO} == {(1001.0, "N")}


def test_stuck_repeats_one_value() -> None:
    """A stuck point shows the span's first value throughout the span."""
    found = values(stream([Stuck("DA001.nox", FROM, TO)], "DA001.nox"))
    assert {found[ts] for ts in found if FROM <= ts < TO} == {PLANT.value("DA001.nox", FROM)}


@pytest.mark.parametrize(
    ("pattern", "left"), [("DA001.nox", {"DA001.so2", "E-MAIN"}), ("DA001", {"E-MAIN"}), ("*", set())]
)
def test_silent_drops_point_outlet_or_all(pattern: str, left: set[str]) -> None:
    """Silence takes a point, an outlet or everything, for its span."""
    found = stream([Silent(pattern, FROM, TO)], "DA001.nox", "DA001.so2", "E-MAIN")
    assert {one.point for one in found if FROM <= one.ts_ms < TO} == left
    assert {one.point for one in found if one.ts_ms < FROM} == {"DA001.nox", "DA001.so2", "E-MAIN"}


def test_spike_is_one_reading() -> None:
    """A spike replaces exactly the first reading at or after its time."""
    found = values(stream([Spike("DA001.nox", FROM + 1, 999.0)], "DA001.nox"))
    assert [ts for ts, value in found.items() if value == 999.0] == [FROM + 10_000]


def test_duplicate_sends_the_same_again() -> None:
    """A duplicate is the same reading, as often as asked."""
    found = [one for one in stream([Duplicate("DA001.nox", FROM, TO, times=2, apart_ms=3)], "DA001.nox")
             if FROM <= one.ts_ms < TO]  # fmt: skip
    assert len(found) == 180
    assert len({(one.ts_ms, one.value) for one in found}) == 60


def test_conflict_contradicts_after_the_first_value() -> None:
    """The contradiction of a reading arrives after it."""
    found = [one for one in stream([Conflict("DA001.nox", FROM, TO, 5)], "DA001.nox") if one.ts_ms == FROM]
    assert found[1].value == pytest.approx(found[0].value + 5)


def test_late_changes_the_order_not_the_time() -> None:
    """A late reading is sent after younger ones, under its own time."""
    found = stream([Late("DA001.nox", FROM, TO, 2 * HOUR_MS)], "DA001.nox")
    assert [one.ts_ms for one in found[-60:]] == list(range(FROM, TO, 10_000))
    assert all(one.send_ms == one.ts_ms + 2 * HOUR_MS for one in found[-60:])
    assert values(found) == values(stream([], "DA001.nox"))


def test_out_of_order_shuffles_and_loses_nothing() -> None:
    """Out of order means: the same readings, sent in time order no more, each inside its window."""
    found = stream([OutOfOrder("DA001", FROM, TO)], "DA001.nox", "DA001.so2")
    assert sorted(one[1:] for one in found) == sorted(one[1:] for one in stream([], "DA001.nox", "DA001.so2"))
    assert any(before.ts_ms > after.ts_ms for before, after in pairwise(found))
    assert all(before.send_ms <= after.send_ms for before, after in pairwise(found))
    assert all(0 <= one.send_ms - one.ts_ms <= 5 * MINUTE_MS for one in found)


def test_wrong_clock_shifts_the_time() -> None:
    """With a wrong clock readings carry another time than that of their sending."""
    found = stream([WrongClock("DA001", FROM, TO, -HOUR_MS)], "DA001.nox")
    assert {one.ts_ms - one.send_ms for one in found if FROM <= one.send_ms < TO} == {-HOUR_MS}


def test_flagged_marks_the_span() -> None:
    """A flag stands on the span's readings and no others."""
    found = stream([Flagged("DA001.nox", FROM, TO, "C")], "DA001.nox")
    assert {one.ts_ms for one in found if one.flag == "C"} == set(range(FROM, TO, 10_000))


def test_drift_grows_evenly() -> None:
    """A drift adds its rate times the time since its start."""
    found = values(stream([Drift("DA001.nox", START, START + HOUR_MS, 12)], "DA001.nox"))
    assert found[START + HOUR_MS // 2] - PLANT.value("DA001.nox", START + HOUR_MS // 2) == pytest.approx(6)


def test_leak_raises_the_register_and_stays() -> None:
    """A leak adds its rate to the register, which keeps what leaked."""
    found = values(stream([Leak("W-MAIN", START, START + HOUR_MS, 5)], "W-MAIN", hours=3))
    after = START + 2 * HOUR_MS
    assert found[after] - PLANT.value("W-MAIN", after) == pytest.approx(5)


def test_reset_falls_to_zero_and_goes_on() -> None:
    """After a reset the register is what was counted since."""
    at = START + HOUR_MS
    found = values(stream([MeterReset("E-MAIN", at)], "E-MAIN", hours=2))
    assert found[at] == 0
    assert found[at + HOUR_MS // 2] == pytest.approx(PLANT.true_total("E-MAIN", at, at + HOUR_MS // 2), abs=0.11)
    assert found[at - HOUR_MS // 4] == PLANT.value("E-MAIN", at - HOUR_MS // 4)


def test_faults_compose() -> None:
    """A second reset counts from where the first left the register."""
    first, second = START + HOUR_MS, START + 2 * HOUR_MS
    found = values(stream([MeterReset("E-MAIN", first), MeterReset("E-MAIN", second)], "E-MAIN", hours=3))
    assert found[second] == 0
    assert found[second - 900_000] > 0
    assert found[second + 900_000] == pytest.approx(PLANT.true_total("E-MAIN", second, second + 900_000), abs=0.11)


def test_roll_over_wraps_at_its_end() -> None:
    """A register that rolls over shows what was left before the instant, and 0 at it."""
    at = START + HOUR_MS
    found = values(stream([RollOver("E-MAIN", at, 1e9)], "E-MAIN", hours=2))
    counted = PLANT.true_total("E-MAIN", at - 900_000, at)
    assert found[at] == 0
    assert 1e9 - found[at - 900_000] == pytest.approx(counted, abs=0.11)


def test_replaced_meter_starts_at_its_own_register() -> None:
    """A new meter goes on from its first register."""
    at = START + HOUR_MS
    found = values(stream([MeterReplaced("E-MAIN", at, 500.0)], "E-MAIN", hours=2))
    assert found[at] == 500.0
    assert found[at + 900_000] == pytest.approx(500 + PLANT.true_total("E-MAIN", at, at + 900_000), abs=0.11)


def test_slight_fall_and_brief_zero() -> None:
    """A slight fall lowers the register for good, a brief zero for its span."""
    at = START + HOUR_MS
    fallen = values(stream([SlightFall("W-MAIN", at, 0.5)], "W-MAIN", hours=2))
    assert fallen[at] == pytest.approx(PLANT.value("W-MAIN", at) - 0.5)
    zero = values(stream([BriefZero("W-MAIN", at, at + 1)], "W-MAIN", hours=2))
    assert [ts for ts, value in zero.items() if value == 0] == [at]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rto_trip@08:03+30min", RtoTrip(START + 3 * MINUTE_MS, START + 33 * MINUTE_MS)),
        (
            "exceedance:DA001.nox*1.6@09:00+70min",
            Exceedance("DA001.nox", START + HOUR_MS, START + 130 * MINUTE_MS, 1.6),
        ),
        ("silent:*@2026-03-02T08:00+1h", Silent("*", START, START + HOUR_MS)),
        ("silent:DA001@08:00+90s", Silent("DA001", START, START + 90_000)),
        ("meter_reset:E-MAIN@08:10", MeterReset("E-MAIN", FROM)),
        ("late:DA001*600@08:10+10min", Late("DA001", FROM, TO, 600_000)),
    ],
)
def test_faults_are_read_as_typed(text: str, fault: Fault) -> None:
    """The command line's spelling gives the fault it names."""
    assert parse_fault(text, date(2026, 3, 2), SHANGHAI) == fault


@pytest.mark.parametrize("text", ["explosion@08:00", "rto_trip", "rto_trip@08:00+30", "rto_trip@late"])
def test_other_spellings_are_refused(text: str) -> None:
    """What names no fault or no time is an error, not a guess."""
    with pytest.raises(ValueError):
        parse_fault(text, date(2026, 3, 2), SHANGHAI)
