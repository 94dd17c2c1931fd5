"""This module replays a week of the simulated plant, broken in every way, and compares each window with the truth.

The answers come from `simulators/truth.py`, which shares nothing with the program. Where the two speak of different
things on purpose: a day's window means every valid hour while `valid` and `is_valid` count hours that ran; a brief zero
is dated at its first zero here and at the return there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from replay import Replay, message, topics_of

from plantmon.feed.check import Message
from plantmon.model.plant import Plant
from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.model.window import Window
from plantmon.plant.load import load_plant_text
from plantmon.store import minutes, verdicts, windows
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS
from simulators import truth
from simulators.faults import (
    BriefZero,
    Delivery,
    Drift,
    Exceedance,
    Fault,
    Flagged,
    Leak,
    MeterReplaced,
    MeterReset,
    OverRange,
    RollOver,
    RtoTrip,
    Silent,
    SlightFall,
    Spike,
    Stuck,
    deliveries,
)
from simulators.messages import column_messages
from simulators.plant import COUNTER, SimPoint, SimulatedPlant
from simulators.plantfile import plant_file
from simulators.truth import TrueCounter, TrueWindow

MONDAY = date(2026, 3, 2)
DAYS = [MONDAY + timedelta(days=turn) for turn in range(7)]
START, END = truth.day_edges(DAYS[0])[0], truth.day_edges(DAYS[-1])[1]
TABLES = ("window", "minutes", "meter_event", "closed")
PHASES = {"E-MAIN": 137_000, "E-PV": 431_000, "W-MAIN": 263_000, "W-NORTH": 77_777, "G-MAIN": 600_001, "LINE-1": 11_003}


class SparsePlant(SimulatedPlant):
    """The example plant with three readings a minute where it has six: half the work, the same arithmetic."""

    def __init__(self) -> None:
        super().__init__(phase_ms=PHASES)
        self._points = {
            name: replace(point, interval_ms=20_000) if point.interval_ms == 10_000 else point
            for name, point in self._points.items()
        }


SIMULATED = SparsePlant()
RUNNING = {"DA001": ("DA001.o2", None, 19.0), "DA002": ("DA002.flow", 5000.0, None)}


def at(day: int, hour: int, minute: int = 0) -> int:
    """Give an instant of the week: day 0 is Monday, local time."""
    return START + day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS


FAULTS: list[Fault] = [
    RtoTrip(at(1, 10, 7), at(1, 10, 52)),
    Exceedance("DA001.nox", at(0, 9), at(0, 11, 30), factor=1.7),
    OverRange("DA001.nox", at(1, 13, 10), at(1, 13, 40)),
    OverRange("DA001.so2", at(2, 9, 0), at(2, 9, 50), flag="N", excess=3.0),
    OverRange("DA002.nmhc", at(2, 9, 20), at(2, 9, 35), flag="N", excess=20.0),
    OverRange("DW001.ph", at(4, 3, 0), at(4, 3, 25)),
    OverRange("N1.leq", at(3, 3, 0), at(3, 3, 20)),
    Spike("DA001.so2", at(1, 11, 11), -99.0),
    Flagged("DA001.nox", at(2, 8), at(2, 8, 20), "M"),
    Flagged("DA002", at(3, 14), at(3, 15, 10), "C"),
    Flagged("DW001.ph", at(4, 16), at(4, 16, 50), "D"),
    Flagged("E-PAINT", at(4, 10), at(4, 11), "M"),
    Silent("DA001", at(3, 6, 10), at(3, 6, 40)),
    Silent("DA001.o2", at(2, 0, 30), at(2, 4, 30)),
    Silent("DW001.ph", at(0, 1), at(0, 7)),
    Silent("*", at(5, 2, 20), at(5, 2, 50)),
    Silent("N1.leq", at(5, 8, 44), at(5, 9)),
    Silent("N1.leq", at(5, 10, 45), at(5, 11)),
    Silent("DW001.cod", at(2, 5), at(2, 10)),
    Silent("E-PV", at(2, 9), at(2, 12)),
    Silent("W-MAIN", at(2, 20), at(3, 4)),
    Stuck("DA001.pm", at(1, 8), at(1, 12)),
    Drift("DA001.pm", at(4, 8), at(4, 20), 0.3),
    Leak("W-MAIN", at(4, 1), at(4, 5), 6.0),
    MeterReset("E-PAINT", at(1, 10, 7)),
    RollOver("E-MAIN", at(3, 9, 33), 1e9),
    SlightFall("W-NORTH", at(1, 15, 3), 20.0),
    BriefZero("G-MAIN", at(2, 11), at(2, 11, 40)),
    MeterReplaced("LINE-1", at(4, 12), 500.0),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Week:
    """The week as delivered, and the plant that receives it."""

    plant: Plant
    sent: list[Delivery]


@pytest.fixture(scope="module")
def week() -> Week:
    """Give the week's deliveries, with an hour before and after so that registers reach its edges."""
    plant = load_plant_text(plant_file(SIMULATED), "plant.yaml")
    return Week(plant, list(deliveries(SIMULATED, START - HOUR_MS, END + HOUR_MS, FAULTS)))


def replayed(folder: Path, week: Week, sent: Sequence[Delivery], *, settle_every_ms: int | None) -> Replay:
    """Feed deliveries in the order given, as columns of each point, and settle now and then, and after all."""
    run = Replay(folder, week.plant, START)
    if settle_every_ms is None:
        run.now_ms = END + HOUR_MS
        for start in range(0, len(sent), 20_000):
            run.take(columns(sent[start : start + 20_000], run.now_ms))
    else:
        for part in _slices(sent, settle_every_ms):
            run.now_ms = max(run.now_ms, part[-1].send_ms)
            run.take(columns(part, run.now_ms))
            run.settle()
    run.settle(END + 3 * DAY_MS)
    return run


def columns(sent: Sequence[Delivery], now_ms: int) -> list[Message]:
    """Write deliveries as batch messages, each point's in their order."""
    return [Message(topic, payload, now_ms) for topic, payload in column_messages(SIMULATED, sent)]


def _slices(sent: Sequence[Delivery], every_ms: int) -> Iterator[list[Delivery]]:
    part: list[Delivery] = []
    for one in sent:
        if part and one.send_ms // every_ms != part[0].send_ms // every_ms:
            yield part
            part = []
        part.append(one)
    yield part


@pytest.fixture(scope="module")
def in_order(week: Week, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """Give the week as it is lived: a message a reading, in order, and windows closed every half hour."""
    run = Replay(tmp_path_factory.mktemp("order"), week.plant, START)
    topics = topics_of(SIMULATED)
    for part in _slices(week.sent, HOUR_MS // 2):
        run.now_ms = part[-1].send_ms
        run.take([message(one, topics, one.send_ms) for one in part])
        run.settle()
    run.settle(END + 3 * DAY_MS)
    yield run
    run.store.close()


@pytest.fixture(scope="module")
def accepted(week: Week) -> dict[str, list[Delivery]]:
    """Give each point's readings that stand."""
    return {point.id: truth.accepted(week.sent, point.id) for point in SIMULATED.points()}


def found(run: Replay, point: str, level: str) -> dict[int, Window]:
    """Give a point's windows of the week, by start."""
    with run.store.readers.snapshot() as connection:
        spans = windows.span(connection, level, run.pipeline.numbers[point], START, END)
    return {window.start: window for window in spans}


def agrees(value: float | None, true: Fraction | float | None) -> bool:
    """Whether two means are equal to 1e-9 relative, or both unknown."""
    if value is None or true is None:
        return value is None and true is None
    return abs(Fraction(value) - Fraction(true)) <= abs(Fraction(true)) / 10**9


def differences(window: Window, true: TrueWindow, *names: str) -> list[str]:
    """Name what differs between a window and the truth, beyond what both always state."""
    pairs = {"mean": (window.mean, true.mean), "lower_bound": (window.lower_bound, true.lower_bound)}
    wrong = [name for name, (value, right) in pairs.items() if not agrees(value, right)]
    same = {
        "end": (window.end, true.end_ms), "had": (window.had, true.had), "readings": (window.readings, true.count),
        "minimum": (window.minimum, true.minimum), "maximum": (window.maximum, true.maximum),
        "due": (window.due, true.due), "valid": (window.valid, true.valid),
        "is_valid": (window.is_valid, true.is_valid),
    }  # fmt: skip
    wrong += [name for name, (value, right) in same.items() if value != right and name not in names]
    return [f"{name} of {window}, truth {true}" for name in wrong]


def ran_minutes(point: SimPoint, accepted: dict[str, list[Delivery]], start: int, end: int) -> list[bool] | None:
    """Tell in which minutes the point's source ran, None where it has no running condition."""
    if point.outlet not in RUNNING:
        return None
    name, minimum, maximum = RUNNING[point.outlet]
    inside = [one for one in accepted[name] if start <= one.ts_ms < end]
    return truth.ran_minutes(SIMULATED.point(name), inside, start, end, minimum, maximum)


GAUGES = [point.id for point in SIMULATED.points() if point.kind != COUNTER]
METERS = [point.id for point in SIMULATED.points() if point.kind == COUNTER]


@pytest.mark.parametrize("name", GAUGES)
def test_hours_of_gauges_are_true(name: str, in_order: Replay, accepted: dict[str, list[Delivery]]) -> None:
    """Every hour of every monitor has the true mean, bound, extremes, counts and validity."""
    point, got, wrong = SIMULATED.point(name), found(in_order, name, "1h"), []
    for day in DAYS:
        for true in truth.hours(point, accepted[name], day):
            wrong += differences(got.pop(true.start_ms), true)
    assert wrong == []
    assert got == {}


@pytest.mark.parametrize("name", GAUGES)
def test_days_of_gauges_are_true(name: str, in_order: Replay, accepted: dict[str, list[Delivery]]) -> None:
    """Every day of every monitor has the true mean of its hours, and is valid by the hours its source ran."""
    point, got, wrong = SIMULATED.point(name), found(in_order, name, "1d"), []
    for day in DAYS:
        start, end = truth.day_edges(day)
        ran = ran_minutes(point, accepted, start, end)
        hours_ran = {start + at * MINUTE_MS for at in range(0, len(ran), 60) if any(ran[at : at + 60])} if ran else None
        window = got.pop(start)
        every = truth.day(point, accepted[name], day)
        wrong += differences(window, every, "valid", "is_valid")
        judged = every if hours_ran is None else truth.day(point, accepted[name], day, ran=hours_ran.__contains__)
        if (window.valid, window.is_valid) != (judged.valid, judged.is_valid):
            wrong.append(f"validity of {window}, truth {judged}")
        if window.ran != (None if hours_ran is None else len(hours_ran)):
            wrong.append(f"hours ran of {window}")
    assert wrong == []
    assert got == {}


@pytest.mark.parametrize("outlet", sorted(RUNNING))
def test_running_minutes_are_true(outlet: str, in_order: Replay, accepted: dict[str, list[Delivery]]) -> None:
    """Every hour knows in which of its minutes its source ran, bit for minute."""
    name = next(point for point in GAUGES if point.startswith(outlet))
    for start, window in found(in_order, name, "1h").items():
        ran = ran_minutes(SIMULATED.point(name), accepted, start, start + HOUR_MS)
        assert ran is not None
        assert window.ran == sum(1 << minute for minute, runs in enumerate(ran) if runs)


@pytest.mark.parametrize("name", [name for name in GAUGES if SIMULATED.point(name).interval_ms <= MINUTE_MS])
def test_minutes_of_a_day_are_true(name: str, in_order: Replay, accepted: dict[str, list[Delivery]]) -> None:
    """Every minute of Tuesday, the day of the trip, has the true mean, extremes, bound and counts."""
    point, (start, end) = SIMULATED.point(name), truth.day_edges(DAYS[1])
    with in_order.store.readers.snapshot() as connection:
        blocks = dict(minutes.span(connection, in_order.pipeline.numbers[name], start, end))
    for true in truth.minutes(point, accepted[name], start, end):
        hour, minute = divmod(true.start_ms - start, HOUR_MS)
        block, place = blocks[start + hour * HOUR_MS], minute // MINUTE_MS
        assert (block.had[place], block.valid[place]) == (true.had, true.valid)
        if true.mean is not None:
            assert agrees(float(block.mean[place]), true.mean)
            assert (block.low[place], block.high[place]) == (true.minimum, true.maximum)
        assert agrees(float(block.bound[place]) if block.over[place] else None, true.lower_bound)


@pytest.mark.parametrize("name", METERS)
@pytest.mark.parametrize("level", ["1h", "1d"])
def test_meter_totals_are_true(name: str, level: str, in_order: Replay, accepted: dict[str, list[Delivery]]) -> None:
    """Every hour and day of every meter has the true total to the last micro-unit, its coverage and its estimates."""
    counter = TrueCounter(truth.register_rules(SIMULATED.point(name)), accepted[name])
    got, wrong = found(in_order, name, level), []
    for day in DAYS:
        for true in counter.hours(day) if level == "1h" else [counter.day(day)]:
            window = got.pop(true.start_ms)
            covered = true.coverage * (true.end_ms - true.start_ms)
            same = (window.amount, window.had, window.valid, bool(window.estimated), window.is_valid)
            if same != (true.micro, covered, covered, true.is_estimated, true.coverage == 1):
                wrong.append(f"{window}, truth {true}")
    assert wrong == []
    assert got == {}


@pytest.mark.parametrize("name", METERS)
def test_hours_add_up_to_the_day(name: str, in_order: Replay) -> None:
    """A meter's hours add up to its day exactly, in integers."""
    hours = found(in_order, name, "1h").values()
    for day in found(in_order, name, "1d").values():
        assert sum(hour.amount or 0 for hour in hours if day.start <= hour.start < day.end) == day.amount


@pytest.mark.parametrize("name", METERS)
def test_register_events_are_true(name: str, in_order: Replay, accepted: dict[str, list[Delivery]]) -> None:
    """Every reset, roll-over, slight fall, replacement and brief zero is found once, and nothing else."""
    counter = TrueCounter(truth.register_rules(SIMULATED.point(name)), accepted[name])
    with in_order.store.readers.snapshot() as connection:
        got = windows.events(connection, in_order.pipeline.numbers[name], START - HOUR_MS, END + HOUR_MS)
    assert [kind for _, kind in got] == [event.kind for event in counter.events]
    assert [one for one in got if one[1] != "brief_zero"] == [
        (event.ts_ms, event.kind) for event in counter.events if event.kind != "brief_zero"
    ]


def test_the_week_holds_every_register_event(in_order: Replay) -> None:
    """The faults of the week did happen: four kinds of register events stand in the store."""
    kinds = {row[2] for row in in_order.dump(["meter_event"])["meter_event"]}
    assert kinds == {"reset", "roll_over", "slight_fall", "brief_zero"}


def judged(run: Replay, part: str) -> list[Verdict]:
    """Give the week's verdicts of the limits whose key holds a part."""
    with run.store.readers.snapshot() as connection:
        keys = [limit.key for limit in run.plant.limits if part in limit.key]
        return [one for key in keys for one in verdicts.span(connection, key, START, END)]


def test_hourly_verdicts_follow_the_truth(in_order: Replay, accepted: dict[str, list[Delivery]]) -> None:
    """Each NMHC hour is judged on the minutes its source ran, with the reasons in the settled order."""
    point = SIMULATED.point("DA002.nmhc")
    outcomes = set()
    for verdict in judged(in_order, "nmhc/concentration"):
        ran = ran_minutes(point, accepted, verdict.start, verdict.end)
        assert ran is not None
        parts = truth.minutes(point, accepted[point.id], verdict.start, verdict.end)
        running = [one for one, runs in zip(parts, ran, strict=True) if runs]
        values = [Fraction(one.mean) for one in running if one.mean is not None]
        proving = [
            Fraction(one.mean if one.lower_bound is None else one.lower_bound)  # type: ignore[arg-type]
            for one in running if one.mean is not None or one.lower_bound is not None
        ]  # fmt: skip
        expected: tuple[Outcome, Reason | None]
        if not running:
            expected = Outcome.NOT_JUDGED, Reason.STOPPED
        elif any(one.lower_bound is not None for one in running):
            proves = len(proving) >= 45 and sum(proving) / len(proving) > 50
            expected = (Outcome.EXCEED_AT_LEAST, None) if proves else (Outcome.NOT_JUDGED, Reason.OVER_RANGE)
        elif not values:
            expected = Outcome.NOT_JUDGED, Reason.NO_DATA
        elif len(values) < 45:
            expected = Outcome.NOT_JUDGED, Reason.MINUTES
        else:
            expected = (Outcome.EXCEED if sum(values) / len(values) > 50 else Outcome.OK), None
        assert (verdict.outcome, verdict.reason) == expected
        outcomes.add(expected)
    assert len(outcomes) == 6


def test_days_of_waste_water_are_true(in_order: Replay, accepted: dict[str, list[Delivery]]) -> None:
    """Each COD day weighs its results by the volume they stand for, or is not judged where the truth does not."""
    found = judged(in_order, "cod/concentration")
    assert [one.start for one in found] == [truth.day_edges(day)[0] for day in DAYS]
    cod, flow = SIMULATED.point("DW001.cod"), SIMULATED.point("DW001.flow")
    for day, verdict in zip(DAYS, found, strict=True):
        true = truth.flow_weighted_day(
            cod, accepted["DW001.cod"], flow, accepted["DW001.flow"], day, known_from_ms=START
        )
        if not true.is_valid or true.is_over_range:
            assert verdict.outcome in (Outcome.NOT_JUDGED, Outcome.EXCEED_AT_LEAST)
        else:
            assert verdict.value == pytest.approx(float(true.value or 0), rel=1e-9)


# The same readings in other orders


def contents(run: Replay) -> dict[str, object]:
    """Give everything derived, to be compared bit for bit; verdicts without the number of their writing."""
    tables: dict[str, object] = dict(run.dump(TABLES))
    with run.store.readers.snapshot() as connection:
        tables["verdict"] = connection.execute(
            'SELECT limit_key, start, "end", outcome, reason, value, bound, detail FROM verdict ORDER BY 1, 2'
        ).fetchall()
    return tables


def same(run: Replay, other: Replay) -> None:
    """Compare two stores table by table, so that a failure names the first row that differs."""
    mine, theirs = contents(run), contents(other)
    for table in mine:
        assert mine[table] == theirs[table], table
    run.store.close()


def test_shuffled_week_is_the_same(week: Week, in_order: Replay, tmp_path: Path) -> None:
    """The week's readings in an order of chance, settled once at the end, give the same bits."""
    sent = list(week.sent)
    random.Random(1).shuffle(sent)
    same(replayed(tmp_path, week, sent, settle_every_ms=None), in_order)


def test_week_with_duplicates_is_the_same(week: Week, in_order: Replay, tmp_path: Path) -> None:
    """Every reading twice, some with another flag, and contradictions that come second, change nothing."""
    sent = []
    for turn, one in enumerate(week.sent):
        again = one._replace(send_ms=one.send_ms + turn % 7 * MINUTE_MS)
        again = again._replace(flag="M") if turn % 5 == 0 else again
        sent += [one, again._replace(value=one.value + 1) if turn % 11 == 0 else again]
    sent.sort(key=lambda one: one.send_ms)
    same(replayed(tmp_path, week, sent, settle_every_ms=HOUR_MS), in_order)


def test_week_with_late_hours_is_the_same(week: Week, in_order: Replay, tmp_path: Path) -> None:
    """One hour in ten arrives a day late, after its windows closed: they reopen and come out the same."""
    late = set(random.Random(2).sample(range((START - HOUR_MS) // HOUR_MS, (END + HOUR_MS) // HOUR_MS), 17))
    sent = [one._replace(send_ms=one.send_ms + DAY_MS) if one.ts_ms // HOUR_MS in late else one for one in week.sent]
    sent.sort(key=lambda one: one.send_ms)
    same(replayed(tmp_path, week, sent, settle_every_ms=HOUR_MS), in_order)


def test_late_points_are_the_same(week: Week, in_order: Replay, tmp_path: Path) -> None:
    """One hour in ten of each point alone arrives a day late: its neighbours and its running point change nothing."""
    draw = random.Random(3)
    late = {(p.id, hour) for p in SIMULATED.points() for hour in range(START // HOUR_MS - 1, END // HOUR_MS + 1)
            if draw.random() < 0.1}  # fmt: skip
    sent = [
        one._replace(send_ms=one.send_ms + DAY_MS) if (one.point, one.ts_ms // HOUR_MS) in late else one
        for one in week.sent
    ]
    sent.sort(key=lambda one: one.send_ms)
    same(replayed(tmp_path, week, sent, settle_every_ms=HOUR_MS), in_order)


def test_recompute_changes_nothing(in_order: Replay) -> None:
    """Recomputing the week reports no changed window and no changed verdict, and leaves the same bits."""
    before = contents(in_order)
    assert in_order.pipeline.recompute(START - HOUR_MS, END + HOUR_MS, in_order.now_ms) == (0, 0)
    assert contents(in_order) == before
