"""This module proves that reports handed in are kept for good, and when monitors last passed a calibration."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_plant, a_point

from plantmon.store import declarations, due, points
from plantmon.store.database import Store, transaction
from plantmon.times import DAY_MS

NOW = 1_772_380_800_000
PLANT = a_plant((a_point(), a_point("DA001.so2", quantity="so2")), ())


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give a store inside a transaction."""
    store = Store(tmp_path / "plantmon.db")
    store.write(lambda writer: points.register_points(writer, PLANT, NOW))
    assert store._writer is not None
    with transaction(store._writer) as writer:
        yield writer
    store.close()


def test_the_first_time_counts(connection: sqlite3.Connection) -> None:
    """Of two entries to one period the one that was handed in first counts, in whatever order they were entered."""
    due.add_handed_in(connection, "2026-Q1", NOW + DAY_MS, "li", None, NOW + 5 * DAY_MS)
    due.add_handed_in(connection, "2026-Q1", NOW, "wang", "by post", NOW + 6 * DAY_MS)
    due.add_handed_in(connection, "2026", NOW + 2 * DAY_MS, "li", None, NOW + 6 * DAY_MS)
    found = due.handed_in(connection)
    assert {period: (one.at_ms, one.by, one.note) for period, one in found.items()} == {
        "2026-Q1": (NOW, "wang", "by post"), "2026": (NOW + 2 * DAY_MS, "li", None),
    }  # fmt: skip


@pytest.mark.parametrize("change", ["UPDATE handed_in SET by = 'x'", "DELETE FROM handed_in"])
def test_entries_are_never_changed(connection: sqlite3.Connection, change: str) -> None:
    """What was entered can be neither changed nor deleted."""
    due.add_handed_in(connection, "2026-Q1", NOW, "li", None, NOW)
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        connection.execute(change)


def test_last_passed_calibration(connection: sqlite3.Connection) -> None:
    """The newest passed one up to now; failed ones, those superseded and those to come do not count."""
    number = points.numbers(connection)["DA001.nox"]

    def enter(at_ms: int, result: str) -> None:
        declarations.add_calibration(connection, PLANT.time, number, at_ms, 0.0, 100.0, result, "li", None, NOW)

    assert due.last_passed(connection, NOW) == {}
    enter(NOW - 20 * DAY_MS, declarations.PASS)
    enter(NOW - 10 * DAY_MS, declarations.PASS)
    enter(NOW - 5 * DAY_MS, declarations.FAIL)
    enter(NOW + DAY_MS, declarations.PASS)
    assert due.last_passed(connection, NOW) == {number: NOW - 10 * DAY_MS}
    enter(NOW - 10 * DAY_MS, declarations.FAIL)  # a slip put right: the newest entry of a moment stands
    assert due.last_passed(connection, NOW) == {number: NOW - 20 * DAY_MS}
