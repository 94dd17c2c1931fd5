"""This module proves the table of declared changes: nothing is edited, the newest stands until taken back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from meter_story import MONDAY, TIME, Meters, meter, plant

from plantmon.store import meter_changes


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    """Open a store with one meter, which never spoke."""
    story = Meters(tmp_path, plant(meter()), now_ms=MONDAY)
    story.close()
    return sqlite3.connect(tmp_path / "plantmon.db")


def declare(connection: sqlite3.Connection, at_ms: int, final: float) -> int:
    """Declare a change of the only meter."""
    return meter_changes.add(connection, TIME, 1, at_ms, final, 0.0, "SN", "li", None, MONDAY)


def finals(connection: sqlite3.Connection) -> list[float | None]:
    """Give the final readings of the changes that stand."""
    return [one.final for one in meter_changes.standing(connection, 1)]


def test_which_entries_stand(connection: sqlite3.Connection) -> None:
    """Of one instant the newest stands; withdrawn, the one before does; all stay readable."""
    declare(connection, MONDAY + 1, 7.0)
    first, second = declare(connection, MONDAY, 5.0), declare(connection, MONDAY, 6.0)
    assert finals(connection) == [6.0, 7.0]
    entries = {one.id: one for one in meter_changes.entries(connection)}
    meter_changes.withdraw(connection, TIME, entries[second], "li", None, MONDAY)
    assert finals(connection) == [5.0, 7.0]
    meter_changes.withdraw(connection, TIME, entries[first], "li", None, MONDAY)
    assert finals(connection) == [7.0]
    assert len(meter_changes.entries(connection)) == 5
    with pytest.raises(sqlite3.IntegrityError):
        meter_changes.withdraw(connection, TIME, entries[first], "li", None, MONDAY)


@pytest.mark.parametrize("statement", ["UPDATE meter_change SET final = 1", "DELETE FROM meter_change"])
def test_entries_are_not_edited(connection: sqlite3.Connection, statement: str) -> None:
    """The store itself refuses to change or delete an entry."""
    declare(connection, MONDAY, 5.0)
    with pytest.raises(sqlite3.IntegrityError, match="added to"):
        connection.execute(statement)
