"""This module proves that limits on single readings say the same live and by the hour."""

from __future__ import annotations

import tempfile
from pathlib import Path

from builders import a_limit, a_plant, a_point, an_outlet
from hypothesis import given, settings
from hypothesis import strategies as st
from story import FEEDS, Story

from plantmon.model.plant import Basis, Gas, Running
from plantmon.store import verdicts
from plantmon.times import HOUR_MS, MINUTE_MS

RTO = a_point("DA002.rto", quantity="temperature", unit="degC", range_low=0.0, range_high=1200.0)
FLOW = a_point("DA002.flow", quantity="gas_flow", unit="m3/h", range_low=0.0, range_high=500_000.0)
HOLD = a_limit(RTO, key="hold", window="reading", minimum=760.0, maximum=None, hold_ms=60_000)
ENDS = a_limit(RTO, key="ends", window="reading", minimum=None, maximum=1100.0, warn_at=0.9)
PLANT = a_plant((RTO,), (HOLD, ENDS), feeds=FEEDS)
HOUR = 1_772_380_800_000

STEP = st.tuples(
    st.sampled_from([1_000, 10_000, 10_000, 10_000, 20_000, 30_000, 31_000, 59_000]),
    st.sampled_from([700.0, 700.0, 700.0, 759.9, 760.0, 820.0, 1000.0, 1101.0, 1200.5, -1.0]),
    st.sampled_from("NNNNNNTMD"),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=60), st.lists(st.integers(1, 12), min_size=1, max_size=20))
def test_live_path_agrees_with_the_hour(steps: list[tuple[int, float, str]], sizes: list[int]) -> None:
    """With readings in order, in batches of any size, an alarm is raised exactly where an hour's verdict exceeds."""
    rows, at = [], HOUR - 3 * MINUTE_MS
    for gap_ms, value, flag in steps:
        at += gap_ms
        rows.append((at, "DA002.rto", value, flag))
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder), PLANT)
        place = turn = 0
        while place < len(rows):
            size = sizes[turn % len(sizes)]
            story.send(rows[place : place + size])
            place, turn = place + size, turn + 1
        story.settle(at + 2 * HOUR_MS)
        raised = {alarm.key for alarm in story.alarms() if alarm.kind == "breach"}
        with story.store.readers.snapshot() as connection:
            exceeding = {
                f"breach:{key}"
                for key in ("hold", "ends")
                for verdict in verdicts.span(connection, key, HOUR - HOUR_MS, at + HOUR_MS)
                if verdict.outcome.is_exceedance
            }
        assert raised == exceeding
        assert [mail for mail in story.told() if mail[0] == "corrected"] == []
        story.close()


def test_batches_cut_anywhere_raise_at_the_same_reading(tmp_path: Path) -> None:
    """An excursion is known from the same reading on, whether its readings come one by one or all at once."""
    rows = [(HOUR + turn * 10_000, "DA002.rto", 700.0, "N") for turn in range(9)]
    for size in (1, 2, 4, 9):
        (tmp_path / str(size)).mkdir()
        story = Story(tmp_path / str(size), PLANT)
        for place in range(0, 9, size):
            story.send(rows[place : place + size])
        (alarm,) = story.alarms()
        assert (alarm.since_ms, alarm.facts["windows"], alarm.facts["peak"]) == (HOUR, 9, 700.0)
        story.close()


def test_old_readings_are_left_to_their_hour(tmp_path: Path) -> None:
    """Readings older than the newest of their point do not move the live alarm."""
    story = Story(tmp_path, PLANT)
    story.send([(HOUR + 10 * MINUTE_MS, "DA002.rto", 820.0, "N")])
    story.send([(HOUR + turn * 10_000, "DA002.rto", 700.0, "N") for turn in range(9)], HOUR + 10 * MINUTE_MS)
    assert story.alarms() == []
    story.close()


def test_cold_rto_at_rest_is_no_breach(tmp_path: Path) -> None:
    """While its source stands still a temperature below its limit raises nothing, live or by the hour."""
    outlet = an_outlet("DA002", (RTO, FLOW), running=Running("DA002.flow", 5000.0, None))
    story = Story(tmp_path, a_plant((RTO, FLOW), (HOLD,), feeds=FEEDS, outlets={"DA002": outlet}))
    for start, flow, standing in ((HOUR, 80.0, []), (HOUR + 10 * MINUTE_MS, 80_000.0, ["breach:hold"])):
        for turn in range(12):
            story.send([
                (start + turn * 10_000, "DA002.flow", flow, "N"), (start + turn * 10_000, "DA002.rto", 300.0, "N"),
            ])  # fmt: skip
        assert story.standing() == standing
    story.close()


FAN = a_point("DA003.fan", quantity="pressure", unit="Pa", interval_ms=MINUTE_MS)
INTERLOCK = a_limit(
    RTO, key="interlock", basis=Basis.INTERLOCK, window="reading", minimum=760.0, maximum=None, hold_ms=60_000,
    unit="degC", running=Running("DA003.fan", 200.0, None),
)  # fmt: skip


def test_an_interlock_has_its_own_condition(tmp_path: Path) -> None:
    """A cold RTO is a breach while the fan of another outlet runs, whatever its own outlet does, and not at rest.

    The fan reports once a minute and its value stands for two; when it is silent for longer it counts as running.
    """
    outlets = {
        "DA002": an_outlet("DA002", (RTO, FLOW), running=Running("DA002.flow", 5000.0, None)),
        "DA003": an_outlet("DA003", (FAN,)),
    }
    story = Story(tmp_path, a_plant((RTO, FLOW, FAN), (INTERLOCK,), feeds=FEEDS, outlets=outlets))

    def cold(first: int, end: int) -> list[str]:
        for at in range(HOUR + first * 10_000, HOUR + end * 10_000, 10_000):
            story.send([(at, "DA002.flow", 0.0, "N"), (at, "DA002.rto", 702.0, "N")])
        return story.standing()

    story.send([(HOUR, "DA003.fan", 20.0, "N")])
    assert cold(0, 12) == []
    story.send([(HOUR + 120_000, "DA003.fan", 250.0, "N")])
    assert cold(12, 18) == []
    assert cold(18, 20) == ["breach:interlock"]
    story.send([(HOUR + 200_000, "DA003.fan", 30.0, "N")])
    assert cold(20, 32) == []
    assert cold(33, 40) == ["breach:interlock"]
    (one,) = story.alarms()
    assert (one.facts["basis"], one.facts["value"], one.facts["bound"]) == ("interlock", 702.0, 760.0)
    assert (one.since_ms, one.times) == (HOUR + 120_000, 2)
    assert story.told() == [("raised", "breach")]
    story.close()


def test_limits_of_a_monitor_in_ppm(tmp_path: Path) -> None:
    """20 ppm of SO2 are 57.1 mg/m3: below a limit of 60; 22 ppm are 62.9 and above."""
    so2 = a_point("DA001.so2", quantity="so2", unit="ppm", gas=Gas(factor=64 / 22.4, unit="mg/m3"))
    limit = a_limit(so2, key="so2", window="reading", maximum=60.0, unit="mg/m3")
    story = Story(tmp_path, a_plant((so2,), (limit,), feeds=FEEDS))
    story.send([(HOUR, so2.id, 20.0, "N")])
    assert story.standing() == []
    story.send([(HOUR + 10_000, so2.id, 22.0, "N")])
    assert story.standing() == ["breach:so2"]
    (alarm,) = story.alarms()
    assert (alarm.facts["unit"], alarm.facts["value"]) == ("mg/m3", 22.0 * 64 / 22.4)
    story.close()


def test_rest_ends_an_excursion(tmp_path: Path) -> None:
    """When the source stops during an excursion the alarm ends: at rest there is nothing to breach."""
    outlet = an_outlet("DA002", (RTO, FLOW), running=Running("DA002.flow", 5000.0, None))
    story = Story(tmp_path, a_plant((RTO, FLOW), (HOLD,), feeds=FEEDS, outlets={"DA002": outlet}))
    for turn, flow in enumerate([80_000.0] * 8 + [0.0]):
        at = HOUR + turn * 10_000
        story.send([(at, "DA002.flow", flow, "N"), (at, "DA002.rto", 300.0, "N")])
    assert (story.standing(), story.told()) == ([], [("raised", "breach")])
    story.settle(HOUR + 80_000 + HOUR_MS)
    assert story.told() == [("raised", "breach"), ("cleared", "breach")]
    story.close()


def test_warning_on_readings(tmp_path: Path) -> None:
    """A reading above the warning share warns at once; one beyond the limit is a breach in the warning's place."""
    story = Story(tmp_path, PLANT)
    story.send([(HOUR, "DA002.rto", 990.1, "N")])
    assert story.standing() == ["warning:ends"]
    story.send([(HOUR + 10_000, "DA002.rto", 1100.1, "N")])
    assert story.standing() == ["breach:ends"]
    story.send([(HOUR + 20_000, "DA002.rto", 1000.0, "N")])
    assert story.standing() == ["warning:ends"]
    assert story.told() == [("raised", "warning"), ("raised", "breach"), ("again", "warning")]
    story.close()


def test_rest_is_known_though_the_running_point_came_first(tmp_path: Path) -> None:
    """A cold RTO at rest is no breach, also when the flow's column was stored long before the temperature's."""
    outlet = an_outlet("DA002", (RTO, FLOW), running=Running("DA002.flow", 5000.0, None))
    story = Story(tmp_path, a_plant((RTO, FLOW), (HOLD,), feeds=FEEDS, outlets={"DA002": outlet}))
    rest = [(HOUR + turn * 10_000, "DA002.flow", 0.0, "N") for turn in range(60)]
    work = [(HOUR + 10 * MINUTE_MS + turn * 10_000, "DA002.flow", 9000.0, "N") for turn in range(60)]
    story.send(rest + work)
    story.send([(HOUR + turn * 10_000, "DA002.rto", 500.0, "N") for turn in range(60)])
    assert story.alarms() == []
    story.close()
