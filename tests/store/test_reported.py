"""This module proves that a device's own figures are kept once and compared again when our window changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from plantmon.model.window import Window
from plantmon.store import reported
from plantmon.store.database import Store
from plantmon.store.reported import Compared, Newest, Reported
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

HOUR = 1_772_380_800_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty store."""
    opened = Store(tmp_path / "plantmon.db")
    yield opened
    opened.close()


def a_row(start: int = HOUR, level: str = "1h", mean: float | None = 41.5, point: int = 1) -> Reported:
    """Give a period with its mean."""
    return Reported(point, start, level, mean, *[None] * 7, None, 0, HOUR)  # type: ignore[arg-type]


def keep(store: Store, *rows: Reported) -> None:
    """Store rows."""
    store.write(lambda connection: [reported.insert(connection, row) for row in rows])


def settle(store: Store, *rows: Reported, compared: Compared = Compared.AGREES) -> None:
    """Note a comparison of each."""
    for row in rows:
        store.write(lambda connection, row=row: reported.note_compared(connection, row[:3], compared, 40.0))  # type: ignore[misc]


def waiting(store: Store) -> list[tuple[int, int, str]]:
    """Give what is not compared."""
    with store.readers.snapshot() as connection:
        return reported.waiting(connection, 100)


def test_first_stands(store: Store) -> None:
    """The first row of a key stands and is given back; what is read is what was written."""
    keep(store, a_row())
    assert store.write(lambda connection: reported.insert(connection, a_row(mean=50.0))) == a_row()
    with store.readers.snapshot() as connection:
        assert reported.read(connection, 1, HOUR, "1h") == a_row()
        assert reported.read(connection, 1, HOUR, "1d") is None


def test_span_is_of_one_point_and_level(store: Store) -> None:
    """A span gives one level of one point, its end left out."""
    rows = [a_row(), a_row(HOUR + HOUR_MS), a_row(level="10min"), a_row(point=2)]
    keep(store, *rows)
    with store.readers.snapshot() as connection:
        assert reported.span(connection, 1, "1h", HOUR, HOUR + HOUR_MS) == {HOUR: rows[0]}


def test_waiting_oldest_first(store: Store) -> None:
    """What is not compared waits in the order of time, and no longer once it is."""
    late, early = a_row(HOUR + HOUR_MS), a_row()
    keep(store, late, early)
    assert waiting(store) == [early[:3], late[:3]]
    settle(store, early)
    assert waiting(store) == [late[:3]]


@pytest.mark.parametrize(
    ("level", "length", "again"),
    [
        pytest.param("1h", HOUR_MS, [(HOUR, "1h"), (HOUR + 50 * MINUTE_MS, "10min")], id="an hour and its minutes"),
        pytest.param("1d", DAY_MS, [(HOUR, "1d")], id="a day alone"),
    ],
)
def test_changed_window_is_compared_again(store: Store, level: str, length: int, again: list[tuple[int, str]]) -> None:
    """A window that came out differently has its own period compared again, and no other."""
    rows = [a_row(), a_row(level="1d"), a_row(HOUR + HOUR_MS), a_row(HOUR + HOUR_MS, "10min"), a_row(point=2)]
    rows += [a_row(HOUR + 50 * MINUTE_MS, "10min")]
    keep(store, *rows)
    settle(store, *rows)
    window = Window(level, HOUR, HOUR + length, 1)
    store.write(lambda connection: reported.compare_again(connection, [window]))
    assert [(start, name) for _, start, name in waiting(store)] == again


def test_newest_of_each_level(store: Store) -> None:
    """Each level gives its newest comparison; what could not be compared says nothing."""
    old, new, minutes = a_row(), a_row(HOUR + HOUR_MS, mean=44.0), a_row(level="10min")
    keep(store, old, new, minutes, a_row(HOUR + 2 * HOUR_MS))
    settle(store, old, minutes)
    settle(store, new, compared=Compared.DIFFERS)
    settle(store, a_row(HOUR + 2 * HOUR_MS), compared=Compared.NOT_COMPARABLE)
    with store.readers.snapshot() as connection:
        assert sorted(reported.newest(connection, 1, HOUR)) == [
            Newest("10min", HOUR, 41.5, 40.0, Compared.AGREES),
            Newest("1h", HOUR + HOUR_MS, 44.0, 40.0, Compared.DIFFERS),
        ]
        assert reported.newest(connection, 1, HOUR + 2 * HOUR_MS) == []


def test_older_store_gains_the_table(tmp_path: Path) -> None:
    """A store of the first schema is brought up to date with what is in it."""
    first = (files("plantmon.store") / "schema" / "0001.sql").read_text("utf-8")
    with closing(sqlite3.connect(tmp_path / "plantmon.db")) as old:
        old.executescript(f"{first} INSERT INTO meta VALUES ('kept', 'yes'); PRAGMA user_version = 1;")
    opened = Store(tmp_path / "plantmon.db")
    keep(opened, a_row())
    with opened.readers.snapshot() as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'kept'").fetchone() == ("yes",)
        assert reported.read(connection, 1, HOUR, "1h") == a_row()
    opened.close()
