"""This module proves that declarations are kept for good, and what readings they make of the stored ones."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_plant, a_point
from hypothesis import given
from hypothesis import strategies as st

from plantmon.model.plant import Kind, Register
from plantmon.model.reading import NORMAL, Columns, State, declared_code, flag_code
from plantmon.store import declarations, dirty, points, readings
from plantmon.store.database import Store, transaction
from plantmon.store.declarations import ALWAYS, FAIL, FOREVER, PASS
from plantmon.times import HOUR_MS, MINUTE_MS

HOUR = 1_772_380_800_000
NOW = HOUR + 10 * HOUR_MS
METER = a_point("E-MAIN", kind=Kind.COUNTER, quantity="electricity", unit="kWh", interval_ms=15 * MINUTE_MS,
                register=Register((), None, None, None, None, None))  # fmt: skip
POINTS = (a_point("DA001.nox"), a_point("DA001.so2", quantity="so2"), a_point("DA0010.nox"), METER)
PLANT = a_plant(POINTS, ())
Entry = tuple[str | None, str | None, int, int, State]  # outlet, point, first and last minute, state


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give a store inside a transaction, with a reading of each minute of two hours of the first two points."""
    store = Store(tmp_path / "plantmon.db")
    store.write(lambda writer: points.register_points(writer, PLANT, HOUR))
    assert store._writer is not None
    with transaction(store._writer) as writer:
        numbers = points.numbers(writer)
        for place, name in enumerate(("DA001.nox", "DA001.so2")):
            rows = [(HOUR + at * MINUTE_MS, numbers[name], at + place / 10, 0, HOUR) for at in range(120)]
            readings.insert(writer, "reading", rows)
            points.note_spoken(writer, [(numbers[name], HOUR, rows[-1][0], HOUR)])
        yield writer
    store.close()


def mark(connection: sqlite3.Connection, *entries: Entry) -> None:
    """Declare marks in this order."""
    for outlet, point, first, last, state in entries:
        span = (HOUR + first * MINUTE_MS, HOUR + last * MINUTE_MS)
        declarations.add_mark(connection, PLANT.time, outlet, point, span, state, "Li", "test", NOW)


def calibrate(connection: sqlite3.Connection, point: str, *entries: tuple[int, str]) -> list[int]:
    """Enter calibrations (minute, result) in this order; give how many hours each touched."""
    number = points.numbers(connection)[point]
    return [
        declarations.add_calibration(
            connection, PLANT.time, number, HOUR + at * MINUTE_MS, 0.0, 1.0, result, "Li", None, NOW
        )[1]
        for at, result in entries
    ]


def states(connection: sqlite3.Connection, point: str = "DA001.nox") -> list[int]:
    """Give the flag of each minute's reading of a point, as it counts."""
    number = points.numbers(connection)[point]
    return declarations.applied(connection, readings.of(connection, number, HOUR, HOUR + 2 * HOUR_MS)).flag.tolist()


def touched(connection: sqlite3.Connection) -> dict[tuple[int, str], int]:
    """Give the marked minutes by hour (0, 1, ...) and point, and forget them."""
    names = {number: name for name, number in points.numbers(connection).items()}
    found = dirty.touched(connection, 1000)
    dirty.wipe_touched(connection, [(one, one.minutes) for one in found])
    return {((one.hour - HOUR) // HOUR_MS, names[one.point]): one.minutes for one in found}


@pytest.mark.parametrize("table", ["mark", "correction", "calibration"])
@pytest.mark.parametrize("change", ['UPDATE {} SET by = "x"', "DELETE FROM {}"], ids=["update", "delete"])
def test_entries_stay(connection: sqlite3.Connection, table: str, change: str) -> None:
    """Nobody changes or deletes a mark, a correction or a calibration."""
    number = points.numbers(connection)["DA001.nox"]
    mark(connection, ("DA001", None, 0, 10, State.FAULT))
    declarations.add_correction(connection, PLANT.time, number, HOUR, 5.0, "Li", "test", NOW)
    calibrate(connection, "DA001.nox", (0, PASS))
    with pytest.raises(sqlite3.IntegrityError, match="declarations"):
        connection.execute(change.format(table))


def test_nothing_declared_changes_nothing(connection: sqlite3.Connection) -> None:
    """Without declarations readings are given back as they are, the very same object."""
    rows = readings.of(connection, points.numbers(connection)["DA001.nox"], HOUR, HOUR + HOUR_MS)
    assert declarations.applied(connection, rows) is rows
    empty = Columns(*(column[:0] for column in (rows.ts, rows.point, rows.value, rows.flag)))
    mark(connection, ("DA001", None, 0, 10, State.FAULT))
    assert declarations.applied(connection, empty) is empty


def test_a_mark_covers_its_span_and_points(connection: sqlite3.Connection) -> None:
    """A mark takes start <= ts < end, of its point alone or of all points of its outlet and of no other outlet."""
    mark(connection, ("DA001", None, 10, 20, State.MAINTENANCE), ("DA001", "DA001.so2", 30, 31, State.FAULT))
    maintenance, fault = declared_code(State.MAINTENANCE), declared_code(State.FAULT)
    assert states(connection) == [NORMAL] * 10 + [maintenance] * 10 + [NORMAL] * 100
    assert states(connection, "DA001.so2") == (
        [NORMAL] * 10 + [maintenance] * 10 + [NORMAL] * 10 + [fault] + [NORMAL] * 89
    )
    assert {name for _, name in touched(connection)} == {"DA001.nox", "DA001.so2"}


ENTRY = st.tuples(
    st.sampled_from([("DA001", None), ("DA001", "DA001.nox"), ("DA001", "DA001.so2"), ("DA0010", None)]),
    st.integers(0, 119),
    st.integers(1, 60),
    st.sampled_from([State.NORMAL, State.MAINTENANCE, State.FAULT, State.STOPPED]),
)


@given(st.lists(ENTRY, max_size=6))
def test_the_latest_mark_wins(tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[object, ...]]) -> None:
    """Of all marks over a reading the newest decides; normal gives the reading back as it was flagged."""
    store = Store(tmp_path_factory.mktemp("marks") / "plantmon.db")
    store.write(lambda writer: points.register_points(writer, PLANT, HOUR))
    number = points.numbers(store.readers.connection())["DA001.nox"]
    expected = [flag_code("M") if at % 7 == 0 else NORMAL for at in range(120)]
    rows = [(HOUR + at * MINUTE_MS, number, 1.0, flag, HOUR) for at, flag in enumerate(expected)]
    store.write(lambda writer: readings.insert(writer, "reading", rows))
    raw = list(expected)
    for (outlet, point), first, length, state in entries:  # type: ignore[misc]
        store.write(lambda writer, one=(outlet, point, first, first + length, state): mark(writer, one))  # type: ignore[misc]
        if outlet == "DA001" and point in (None, "DA001.nox"):
            for at in range(first, min(first + length, 120)):
                expected[at] = raw[at] if state is State.NORMAL else declared_code(state)
    assert states(store.readers.connection()) == expected
    store.close()


def test_a_correction_counts_as_normal(connection: sqlite3.Connection) -> None:
    """A corrected value stands as flagged N, the newest of several; a mark over it decides its state."""
    number = points.numbers(connection)["DA001.nox"]
    readings.insert(connection, "reading", [(HOUR + 1, number, 999.0, flag_code("D"), HOUR)])
    for value in (40.0, 41.5):
        declarations.add_correction(connection, PLANT.time, number, HOUR + 1, value, "Li", "typing", NOW)
    (first, second) = declarations.corrections(connection, HOUR, HOUR + 2)
    assert ((first.value, first.was), (second.value, second.was)) == ((40.0, 999.0), (41.5, 40.0))
    found = declarations.applied(connection, readings.of(connection, number, HOUR + 1, HOUR + 2))
    assert (found.value.tolist(), found.flag.tolist()) == ([41.5], [NORMAL])
    mark(connection, ("DA001", "DA001.nox", 0, 1, State.FAULT))
    found = declarations.applied(connection, readings.of(connection, number, HOUR + 1, HOUR + 2))
    assert (found.value.tolist(), found.flag.tolist()) == ([41.5], [declared_code(State.FAULT)])
    with pytest.raises(LookupError):
        declarations.add_correction(connection, PLANT.time, number, HOUR + 2, 1.0, "Li", "typing", NOW)


@pytest.mark.parametrize(
    ("entries", "spans"),
    [
        pytest.param([(10, PASS), (40, PASS)], [], id="always passed"),
        pytest.param([(10, PASS), (40, FAIL), (50, PASS), (90, PASS)], [(10, 50)], id="passed before and after"),
        pytest.param([(40, FAIL)], [(None, None)], id="never passed"),
        pytest.param([(40, FAIL), (50, PASS)], [(None, 50)], id="none before"),
        pytest.param([(10, PASS), (40, FAIL)], [(10, None)], id="none since"),
        pytest.param([(10, PASS), (40, FAIL), (45, FAIL), (50, PASS)], [(10, 50)], id="failed twice"),
        pytest.param([(40, FAIL), (50, PASS), (60, FAIL), (70, PASS)], [(None, 50), (50, 70)], id="two failures"),
        pytest.param([(10, PASS), (40, FAIL), (40, PASS)], [], id="the newest entry of one instant stands"),
    ],
)
def test_out_of_control(
    connection: sqlite3.Connection, entries: list[tuple[int, str]], spans: list[tuple[int | None, int | None]]
) -> None:
    """A failed calibration reaches from the last passed one to the next, in whatever order they were entered."""
    if len({at for at, _ in entries}) == len(entries):
        calibrate(connection, "DA001.so2", *entries[::-1])
        assert states(connection, "DA001.so2") == _expected(spans)
    calibrate(connection, "DA001.nox", *entries)
    assert states(connection) == _expected(spans)
    number = points.numbers(connection)["DA001.nox"]
    whole = declarations.out_of_control(connection, ALWAYS, FOREVER, number).get(number, [])
    wanted = [(ALWAYS if first is None else HOUR + first * MINUTE_MS,
               FOREVER if last is None else HOUR + last * MINUTE_MS) for first, last in spans]  # fmt: skip
    assert whole == wanted
    for at in range(0, 120, 5):  # a slice of time sees the whole of what overlaps it
        start, end = HOUR + at * MINUTE_MS, HOUR + (at + 5) * MINUTE_MS
        inside = [span for span in wanted if span[0] < end and span[1] > start]
        assert declarations.out_of_control(connection, start, end).get(number, []) == inside


def _expected(spans: list[tuple[int | None, int | None]]) -> list[int]:
    code = declared_code(State.OUT_OF_CONTROL)
    return [
        code if any((first or 0) <= at < (120 if last is None else last) for first, last in spans) else NORMAL
        for at in range(120)
    ]


def test_out_of_control_lies_under_marks_and_over_corrections(connection: sqlite3.Connection) -> None:
    """A corrected value of a point out of control does not count, nor does `normal` lift it; another mark shows."""
    number = points.numbers(connection)["DA001.nox"]
    declarations.add_correction(connection, PLANT.time, number, HOUR, 5.0, "Li", "test", NOW)
    calibrate(connection, "DA001.nox", (1, FAIL))
    mark(connection, ("DA001", None, 1, 2, State.STOPPED), ("DA001", None, 2, 3, State.NORMAL))
    code = declared_code(State.OUT_OF_CONTROL)
    assert states(connection)[:3] == [code, declared_code(State.STOPPED), code]


def test_what_entries_touch(connection: sqlite3.Connection) -> None:
    """An entry marks the minutes it bears on, from the point's first reading to now, and says how many hours."""
    mark(connection, ("DA001", "DA001.nox", -90, 65, State.FAULT))
    assert touched(connection) == {(0, "DA001.nox"): (1 << 60) - 1, (1, "DA001.nox"): 0b11111}
    mark(connection, ("DA001", "DA001.nox", 9 * 60 + 58, 90 * 60, State.MAINTENANCE))
    assert touched(connection) == {(9, "DA001.nox"): 0b11 << 58, (10, "DA001.nox"): (1 << 60) - 1}
    mark(connection, ("DA0010", None, 0, 60, State.FAULT))
    assert touched(connection) == {}
    number = points.numbers(connection)["DA001.nox"]
    declarations.add_correction(connection, PLANT.time, number, HOUR + 61 * MINUTE_MS, 5.0, "Li", "test", NOW)
    assert touched(connection) == {(1, "DA001.nox"): 0b10}
    assert calibrate(connection, "DA001.nox", (30, PASS), (600, FAIL)) == [0, 11]
    assert list(touched(connection)) == [(hour, "DA001.nox") for hour in range(11)]
    assert calibrate(connection, "DA001.nox", (150, PASS), (400, PASS)) == [3, 5]  # 0:30 to 2:30, 2:30 to 6:40


def test_stopped_minutes(connection: sqlite3.Connection) -> None:
    """A minute is stopped when the newest mark of its whole outlet that covers its start says so."""
    span = (HOUR + 10 * MINUTE_MS + 1, HOUR + 12 * MINUTE_MS + 1)
    declarations.add_mark(connection, PLANT.time, "DA001", None, span, State.STOPPED, "Li", "weekend", NOW)
    assert declarations.stopped(connection, HOUR) == {"DA001": 0b11 << 11}
    mark(connection, ("DA001", "DA001.nox", 0, 60, State.FAULT), ("DA0010", None, -30, 90, State.STOPPED))
    assert declarations.stopped(connection, HOUR) == {"DA001": 0b11 << 11, "DA0010": (1 << 60) - 1}
    mark(connection, ("DA001", None, 12, 13, State.NORMAL), ("DA0010", None, 0, 59, State.MAINTENANCE))
    assert declarations.stopped(connection, HOUR) == {"DA001": 1 << 11, "DA0010": 1 << 59}
    assert declarations.stopped(connection, HOUR + HOUR_MS) == {"DA0010": (1 << 30) - 1}
    assert declarations.stopped(connection, HOUR + 2 * HOUR_MS) == {}


@pytest.mark.parametrize(("first", "last"), [(0, 100), (5, 9), (20, 60), (0, 40), (50, 100), (10, 11)])
def test_register_reads_past_what_is_marked(connection: sqlite3.Connection, first: int, last: int) -> None:
    """A counter's neighbours are the nearest readings that count, however many marked ones lie between."""
    number = points.numbers(connection)["E-MAIN"]
    step = 15 * MINUTE_MS
    flags = [flag_code("M") if at % 10 == 3 else 0 for at in range(100)]
    readings.insert(
        connection, "register", [(HOUR + at * step, number, 10.0 * at, flags[at], HOUR) for at in range(100)]
    )
    span = (HOUR + first * step, HOUR + last * step)
    declarations.add_mark(connection, PLANT.time, None, "E-MAIN", span, State.FAULT, "Li", "test", NOW)
    declarations.add_correction(connection, PLANT.time, number, HOUR + 13 * step, 131.0, "Li", "test", NOW)
    counting = [at for at in range(100) if (flags[at] == 0 or at == 13) and not first <= at < last]
    for start, end, before, after in itertools.product((0, 12, 30, 99), (30, 44, 100), (0, 3, 8), (0, 5)):
        if start < end:
            inside = [at for at in counting if start <= at < end]
            earlier, later = [at for at in counting if at < start], [at for at in counting if at >= end]
            wanted = earlier[len(earlier) - min(before, len(earlier)) :] + inside + later[:after]
            found = declarations.register(connection, number, HOUR + start * step, HOUR + end * step, before, after)
            assert found.ts.tolist() == [HOUR + at * step for at in wanted]
            assert found.value.tolist() == [131.0 if at == 13 else 10.0 * at for at in wanted]
