"""This module proves what declarations do to windows and verdicts, whenever they are made."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from builders import a_limit, a_plant, a_point, an_outlet
from hypothesis import given, settings
from hypothesis import strategies as st
from replay import Replay, topics_of
from story import FEEDS, Story

from plantmon.model.plant import Kind, Plant, Register, Running
from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.model.window import Window
from plantmon.plant.load import load_plant_text
from plantmon.reports.query import rows_of
from plantmon.requests import Requests
from plantmon.store import verdicts, windows
from plantmon.store.inbox import Answer
from plantmon.times import HOUR_MS, MINUTE_MS
from simulators import truth
from simulators.faults import Delivery, Flagged, OverRange, Silent, deliveries
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file

HOUR = 1_772_380_800_000
NOX = a_point("DA001.nox", interval_ms=MINUTE_MS)
METER = a_point("E-MAIN", kind=Kind.COUNTER, quantity="electricity", unit="kWh", interval_ms=15 * MINUTE_MS,
                range_low=None, range_high=None, register=Register((), None, None, None, None, None))  # fmt: skip
PLANT = a_plant((NOX, METER), (a_limit(NOX, key="nox"),), feeds=FEEDS)
TOPICS = {"DA001.nox": "p/DA001/nox", "E-MAIN": "p/meter/E-MAIN"}

SIM = SimulatedPlant(seed=5)
START = truth.day_edges(date(2020, 3, 2))[0] + 6 * HOUR_MS
END = START + 5 * HOUR_MS
FAULTS = (
    Flagged("DA001.nox", START + HOUR_MS, START + HOUR_MS + 10 * MINUTE_MS, "C"),
    OverRange("DA001.so2", START + 2 * HOUR_MS, START + 2 * HOUR_MS + 5 * MINUTE_MS),
    Silent("DA002.flow", START + 3 * HOUR_MS, START + 3 * HOUR_MS + 20 * MINUTE_MS),
)
TABLES = {
    "minutes": '"hour", "point", "packed"',
    "window": "*",
    "meter_event": "*",
    "verdict": 'limit_key, start, "end", outcome, reason, value, bound, detail',  # without the number of the change
}


def ask(replay: Replay | Story, kind: str, **body: Any) -> Answer:
    """Ask for something as a command does."""
    requests = Requests(replay.pipeline, lambda: replay.now_ms)
    return requests.handle(kind, {"language": "en", "reason": "test", "note": None} | body, "Li")


def mark(replay: Replay | Story, target: str, start: int, end: int, state: str) -> None:
    """Declare a state, and let the stages follow."""
    done, answer = ask(replay, "mark", target=target, start=start, end=end, state=state)
    assert done, answer
    replay.settle(replay.now_ms)


def results(replay: Replay | Story) -> dict[str, list[tuple[object, ...]]]:
    """Give everything that was computed."""
    with replay.store.readers.snapshot() as connection:
        return {
            table: connection.execute(f'SELECT {columns} FROM "{table}" ORDER BY 1, 2, 3').fetchall()
            for table, columns in TABLES.items()
        }


def verdict(replay: Replay, limit: str, start: int) -> Verdict:
    """Give a limit's verdict."""
    with replay.store.readers.snapshot() as connection:
        found = verdicts.read(connection, limit, start)
    assert found is not None
    return found


def hour(replay: Replay | Story, point: str, start: int) -> Window:
    """Give a point's hour."""
    with replay.store.readers.snapshot() as connection:
        found = windows.read(connection, "1h", start, replay.pipeline.numbers[point])
    assert found is not None
    return found


def sends(point: str, at_ms: int, value: float, flag: str = "N") -> Delivery:
    """Give a reading on its way, sent at once."""
    return Delivery(at_ms, at_ms, point, value, flag)


def nox(folder: Path, values: Sequence[float], plant: Plant = PLANT) -> Replay:
    """Feed a reading of NOx each minute, and let the stages settle two hours later."""
    replay = Replay(folder, plant, HOUR)
    sent = [sends("DA001.nox", HOUR + at * MINUTE_MS, value) for at, value in enumerate(values)]
    replay.feed(sent, TOPICS)
    replay.settle(HOUR + len(values) * MINUTE_MS + 2 * HOUR_MS)
    return replay


# What each declaration does


@pytest.mark.parametrize(
    ("minutes", "outcome", "reason", "value"),
    [
        pytest.param(15, Outcome.EXCEED, None, 62.0, id="45 are left, 40 to 84: just enough"),
        pytest.param(16, Outcome.NOT_JUDGED, Reason.MINUTES, None, id="44 are left: too few"),
        pytest.param(60, Outcome.NOT_JUDGED, Reason.NO_DATA, None, id="none is left"),
    ],
)
@pytest.mark.parametrize("target", ["DA001", "DA001.nox"])
def test_maintenance_takes_its_minutes_out(
    tmp_path: Path, target: str, minutes: int, outcome: Outcome, reason: Reason | None, value: float | None
) -> None:
    """An hour is judged by its minutes outside a declared maintenance; with too few it is not, and says so."""
    replay = nox(tmp_path, [40.0 + at for at in range(60)])
    assert (verdict(replay, "nox", HOUR).outcome, verdict(replay, "nox", HOUR).value) == (Outcome.EXCEED, 69.5)
    mark(replay, target, HOUR + (60 - minutes) * MINUTE_MS, HOUR + HOUR_MS, "maintenance")
    found = verdict(replay, "nox", HOUR)
    assert (found.outcome, found.reason) == (outcome, reason)
    if value is not None:
        assert found.value == value


@pytest.mark.parametrize("running", [None, Running("DA001.nox", 0.0, None)], ids=["always", "by condition"])
def test_stopped_time_is_not_judged(tmp_path: Path, running: Running | None) -> None:
    """Hours in a mark of the whole outlet are stopped; of an hour stopped in part its other minutes are judged."""
    plant = a_plant((NOX,), (a_limit(NOX, key="nox"),), feeds=FEEDS,
                    outlets={"DA001": an_outlet("DA001", (NOX,), running=running)})  # fmt: skip
    replay = nox(tmp_path, [90.0] * 60 + [90.0] * 15 + [20.0] * 45 + [20.0] * 60, plant)
    mark(replay, "DA001", HOUR, HOUR + 75 * MINUTE_MS, "stopped")
    assert verdict(replay, "nox", HOUR).reason is Reason.STOPPED
    found = verdict(replay, "nox", HOUR + HOUR_MS)
    assert (found.outcome, found.value) == (Outcome.OK, 20.0)
    masks = [hour(replay, "DA001.nox", HOUR + turn * HOUR_MS).ran for turn in range(3)]
    whole = (1 << 60) - 1
    assert masks == [0, whole & ~((1 << 15) - 1), whole if running else None]


def test_flag_f_alone_stops_nothing(tmp_path: Path) -> None:
    """An hour of flag F is an hour without data of a running source."""
    replay = Replay(tmp_path, PLANT, HOUR)
    replay.feed([sends("DA001.nox", HOUR + at * MINUTE_MS, 0.0, "F") for at in range(60)], TOPICS)
    replay.settle(HOUR + 2 * HOUR_MS)
    assert hour(replay, "DA001.nox", HOUR).ran is None
    assert verdict(replay, "nox", HOUR).reason is Reason.NO_DATA


def test_a_correction_withdraws_an_exceedance(tmp_path: Path) -> None:
    """(59 x 40 + 700) / 60 = 51 exceeds; with 700 corrected to 40 the hour complies at 40."""
    replay = nox(tmp_path, [40.0] * 59 + [700.0])
    assert (verdict(replay, "nox", HOUR).outcome, verdict(replay, "nox", HOUR).value) == (
        Outcome.EXCEED, pytest.approx(51.0))  # fmt: skip
    done, answer = ask(replay, "correct", point="DA001.nox", at=HOUR + 59 * MINUTE_MS, value="0.04 g/m3")
    assert (done, answer["value"], answer["hours"]) == (True, 40.0, 1)
    replay.settle()
    found = verdict(replay, "nox", HOUR)
    assert (found.outcome, found.value) == (Outcome.OK, 40.0)
    with replay.store.readers.snapshot() as connection:
        headings, rows = rows_of(connection, PLANT, NOX, replay.pipeline.numbers["DA001.nox"], HOUR, HOUR + HOUR_MS,
                                 None, "zh")  # fmt: skip
    shown = [dict(zip(headings, row, strict=True)) for row in rows]
    assert (shown[0]["value"], shown[0]["state"], shown[0]["declared"]) == (40.0, "normal", None)
    assert (shown[59]["value"], shown[59]["flag"], shown[59]["state"]) == (40.0, "N", "normal")
    assert "700" in str(shown[59]["declared"])
    assert "Li" in str(shown[59]["declared"])


def test_a_failed_calibration_takes_its_hours_out(tmp_path: Path) -> None:
    """Hours between the passed calibrations around a failed one are not judged; outside they stay as they were."""
    replay = nox(tmp_path, [40.0] * 240)
    before = results(replay)
    for at, result in ((60, "pass"), (150, "fail")):
        ask(replay, "calibrate", point="DA001.nox", at=HOUR + at * MINUTE_MS, zero="0.1", span="98", result=result)
    replay.settle()
    reasons = [verdict(replay, "nox", HOUR + turn * HOUR_MS).reason for turn in range(4)]
    assert reasons == [None, Reason.NO_DATA, Reason.NO_DATA, Reason.NO_DATA]
    ask(replay, "calibrate", point="DA001.nox", at=HOUR + 180 * MINUTE_MS, zero="0", span="100", result="pass")
    replay.settle()
    reasons = [verdict(replay, "nox", HOUR + turn * HOUR_MS).reason for turn in range(4)]
    assert reasons == [None, Reason.NO_DATA, Reason.NO_DATA, None]
    ask(replay, "calibrate", point="DA001.nox", at=HOUR + 150 * MINUTE_MS, zero="0", span="100", result="pass")
    replay.settle()
    assert results(replay) == before


def test_a_corrected_register(tmp_path: Path) -> None:
    """A spike of a register, 1 kWh a quarter otherwise, is corrected; a flagged reading whose value is known counts."""
    replay = Replay(tmp_path, PLANT, HOUR)
    quarter = 15 * MINUTE_MS
    sent = [sends("E-MAIN", HOUR + at * quarter, 100.0 + at) for at in range(13) if at not in (4, 8)]
    sent += [sends("E-MAIN", HOUR + 4 * quarter, 9100.0), sends("E-MAIN", HOUR + 8 * quarter, 0.0, "D")]
    replay.feed(sorted(sent, key=lambda one: one.ts_ms), TOPICS)
    replay.settle(HOUR + 6 * HOUR_MS)
    assert hour(replay, "E-MAIN", HOUR).amount == 9_000_000_000
    for at, value in ((4, "104"), (8, "0.1085 MWh")):
        done, answer = ask(replay, "correct", point="E-MAIN", at=HOUR + at * quarter, value=value)
        assert done, answer
    replay.settle()
    amounts = [hour(replay, "E-MAIN", HOUR + turn * HOUR_MS).amount for turn in range(3)]
    assert amounts == [4_000_000, 4_500_000, 3_500_000]
    mark(replay, "E-MAIN", HOUR + 4 * quarter, HOUR + 9 * quarter, "maintenance")
    amounts = [hour(replay, "E-MAIN", HOUR + turn * HOUR_MS).amount for turn in range(3)]
    assert amounts == [4_000_000] * 3  # a straight line from 103 to 109 between the readings around it


# Live

RTO = a_point("DA002.rto", quantity="temperature", unit="degC", range_low=0.0, range_high=1200.0)
HOT = a_plant((RTO,), (a_limit(RTO, key="rto", window="reading", minimum=760.0, maximum=None),), feeds=FEEDS)


@pytest.mark.parametrize(("target", "state"), [("DA002.rto", "maintenance"), ("DA002", "stopped")])
def test_an_announced_span_raises_nothing(tmp_path: Path, target: str, state: str) -> None:
    """Readings inside a span declared beforehand raise no alarm, live or by the hour; those behind it do."""
    story = Story(tmp_path, HOT)
    story.send([(HOUR, "DA002.rto", 800.0, "N")])
    ask(story, "mark", target=target, start=HOUR + MINUTE_MS, end=HOUR + 10 * MINUTE_MS, state=state)
    story.send([(HOUR + at * 10_000, "DA002.rto", 100.0, "N") for at in range(6, 60)])
    assert story.alarms() == []
    story.send([(HOUR + 10 * MINUTE_MS, "DA002.rto", 100.0, "N")])
    assert story.standing() == ["breach:rto"]
    story.send([(HOUR + 11 * MINUTE_MS, "DA002.rto", 800.0, "N")])
    story.settle(HOUR + 3 * HOUR_MS)
    found = story.verdict("rto", HOUR)
    assert found is not None
    assert found.outcome is Outcome.EXCEED
    mark(story, target, HOUR + 10 * MINUTE_MS, HOUR + 11 * MINUTE_MS, state)
    found = story.verdict("rto", HOUR)
    assert found is not None
    assert found.outcome is Outcome.OK
    story.close()


# Whenever it is declared


def _simulated(folder: Path) -> Replay:
    plant = load_plant_text(plant_file(SIM), "plant.yaml")
    return Replay(folder, plant, START)


def _feed(replay: Replay, sent: list[Delivery]) -> None:
    replay.feed(sent, topics_of(SIM))
    replay.settle(END + 3 * HOUR_MS)


SPANS = (
    ("DA001", 30, 90, "maintenance"),
    ("DA001.nox", 60, 100, "fault"),
    ("DA001", 80, 95, "stopped"),
    ("DA002", 170, 250, "stopped"),
    ("DA002.flow", 100, 120, "over_range"),
    ("DW001", 100, 230, "lost"),
    ("N1", 200, 260, "stopped"),
    ("E-MAIN", 70, 200, "fault"),
    ("DA001", 85, 90, "normal"),
)


@pytest.fixture(scope="module")
def sent() -> list[Delivery]:
    """Five hours of a plant with faults."""
    return list(deliveries(SIM, START, END, FAULTS))


def test_before_or_after_the_data(tmp_path: Path, sent: list[Delivery]) -> None:
    """The same declarations before, amid and after the readings give the same windows and verdicts, bit for bit."""
    found = []
    for turn in ("before", "amid", "after"):
        (tmp_path / turn).mkdir()
        replay = _simulated(tmp_path / turn)
        cut = {"before": 0, "amid": len(sent) // 2, "after": len(sent)}[turn]
        if cut:
            _feed(replay, sent[:cut])
        replay.now_ms = max(replay.now_ms, END)  # a calibration lies in the past
        for target, first, last, state in SPANS:
            mark(replay, target, START + first * MINUTE_MS, START + last * MINUTE_MS, state)
        for at, result in ((30, "pass"), (110, "fail"), (150, "pass")):
            done, answer = ask(replay, "calibrate", point="DA001.so2", at=START + at * MINUTE_MS, zero="0", span="50",
                               result=result)  # fmt: skip
            assert done, answer
        _feed(replay, sent[cut:])
        found.append(results(replay))
        assert replay.pipeline.recompute(START, END, replay.now_ms) == (0, 0)
    assert found[0] == found[1] == found[2]


def test_normal_takes_a_mark_back(tmp_path: Path, sent: list[Delivery]) -> None:
    """After marks and then `normal` over them everything is as if nobody had ever marked, bit for bit."""
    replay = _simulated(tmp_path)
    _feed(replay, sent)
    before = results(replay)
    for target, first, last, state in SPANS:
        mark(replay, target, START + first * MINUTE_MS, START + last * MINUTE_MS, state)
    assert results(replay) != before
    for target in dict.fromkeys(target for target, *_ in SPANS):
        mark(replay, target, START, END, "normal")
    assert results(replay) == before


RISE = st.sampled_from([0.0, 1.0, 1.0, 1.0, 2.0, 10.0, -1.0, -3.0, -50.0, -1000.0])
SPAN = st.tuples(st.integers(0, 30), st.integers(1, 12))


@settings(max_examples=40, deadline=None)
@given(st.lists(RISE, min_size=3, max_size=30), st.lists(SPAN, min_size=1, max_size=4))
def test_marks_of_a_register_come_and_go(rises: list[float], spans: list[tuple[int, int]]) -> None:
    """Whatever a register did, marks before or after its readings give the same, and taken back leave no trace."""
    level, sent = 1000.0, []
    for at, rise in enumerate(rises):
        level = max(0.0, level + rise)
        sent.append(sends("E-MAIN", HOUR + at * 15 * MINUTE_MS, level))
    until = HOUR + len(sent) * 15 * MINUTE_MS
    ends = [(HOUR + at * 15 * MINUTE_MS, HOUR + (at + length) * 15 * MINUTE_MS) for at, length in spans]
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        after, before = Replay(Path(first), PLANT, HOUR), Replay(Path(second), PLANT, HOUR)
        for start, end in ends:
            mark(before, "E-MAIN", start, end, "fault")
        for replay in (after, before):
            replay.feed(sent, TOPICS)
            replay.settle(until + 3 * HOUR_MS)
        untouched = results(after)
        for start, end in ends:
            mark(after, "E-MAIN", start, end, "fault")
        assert results(after) == results(before)
        for start, end in ends:
            mark(after, "E-MAIN", start, end, "normal")
        assert results(after) == untouched
        after.store.close()
        before.store.close()


# What cannot be meant


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        pytest.param("mark", {"target": "DA001.nxo"}, ("DA001.nox", "工厂文件"), id="no such point"),
        pytest.param("mark", {"state": "resting"}, ("--as", "stopped", "应为"), id="no such state"),
        pytest.param("mark", {"state": "out_of_control"}, ("--as", "应为"), id="a state that is found, not declared"),
        pytest.param("mark", {"end": HOUR}, ("--to", "必须"), id="an empty span"),
        pytest.param("mark", {"target": "DA001.nox", "state": "stopped"}, ("--as stopped", "DA001"), id="half a stop"),
        pytest.param(
            "mark", {"target": "E-MAIN", "state": "stopped"}, ("--as stopped", "E-MAIN"), id="a meter stopped"
        ),
        pytest.param("mark", {"reason": " "}, ("--reason", "不能为空"), id="no reason"),
        pytest.param("correct", {"at": HOUR + 1}, ("--at", "T00:00:00+08:00", "没有读数"), id="no reading there"),
        pytest.param("correct", {"at": HOUR - 9 * HOUR_MS}, ("--at", "没有读数"), id="no reading near"),
        pytest.param("correct", {"value": "41,2"}, ("--value", "mg/m3", "应为"), id="no number"),
        pytest.param("correct", {"value": "41 kWh"}, ("--value", "g/m3", "应为"), id="another dimension"),
        pytest.param("correct", {"value": "nan"}, ("--value", "应为"), id="not a number"),
        pytest.param("calibrate", {"result": "good"}, ("--result", "pass", "应为"), id="no result"),
        pytest.param("calibrate", {"at": HOUR + 30 * HOUR_MS}, ("--at", "尚未"), id="ahead"),
        pytest.param("calibrate", {"span": "full"}, ("--span", "应为"), id="no span"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, kind: str, body: dict[str, Any], said: tuple[str, ...]
) -> None:
    """A declaration with a slip names the option in both languages, and nothing is kept or computed."""
    replay = nox(tmp_path, [40.0] * 60)
    good: dict[str, dict[str, Any]] = {
        "mark": {"target": "DA001", "start": HOUR, "end": HOUR + HOUR_MS, "state": "maintenance"},
        "correct": {"point": "DA001.nox", "at": HOUR, "value": "41"},
        "calibrate": {"point": "DA001.nox", "at": HOUR, "zero": "0", "span": "80 mg/m3", "result": "pass"},
    }
    tables = ("mark", "correction", "calibration", "touched")
    before = replay.dump(tables)
    answers = [ask(replay, kind, **good[kind] | body | {"language": language}) for language in ("en", "zh")]
    assert [done for done, _ in answers] == [False, False]
    assert all(word in answers[0][1]["error"] + answers[1][1]["error"] for word in said)
    assert answers[0][1]["error"] != answers[1][1]["error"]
    assert replay.dump(tables) == before
    assert ask(replay, kind, **good[kind])[0]
