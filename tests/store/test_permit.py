"""This module proves that versions and adoptions are kept, and that the permit is read out of them again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from plantmon import permits
from plantmon.errors import PlantFileError
from plantmon.model.plant import Plant
from plantmon.plant import load_plant_text
from plantmon.reports.permit import history, lines
from plantmon.store import health, permit
from plantmon.store.database import Store
from plantmon.store.permit import Adoption, PlantVersion
from plantmon.store.points import register_points
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file

NMHC = "DA002/nmhc/concentration/1h/permit 2020/2020-01-01"
RIGHT = plant_file(SimulatedPlant())
WRONG = RIGHT.replace("max: 60 mg/m3", "max: 600 mg/m3")  # a typing mistake
MAIL = RIGHT.replace("repeat: 4h", "repeat: 5h")
TIME = load_plant_text(RIGHT, "plant.yaml").time
JANUARY, FEBRUARY, MARCH = (TIME.midnight(date(2020, month, 1)) for month in (1, 2, 3))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty store."""
    opened = Store(tmp_path / "plantmon.db")
    yield opened
    opened.close()


def load(store: Store, text: str, now_ms: int) -> Plant:
    """Load a plant file, as the start of the daemon does."""
    plant = load_plant_text(text, "plant.yaml")
    store.write(lambda connection: register_points(connection, plant, now_ms))
    return plant


def adopt(store: Store, version: int | str, from_ms: int, sees: str = RIGHT, language: str = "en") -> permits.Adopted:
    """Adopt a version, as the request does, half a year later."""
    seen = load_plant_text(sees, "plant.yaml").version
    return store.write(
        lambda connection: permits.adopt(
            connection, version, from_ms, "li", "typing mistake", MARCH * 2, seen, language
        )
    )


def bound(store: Store, plant: Plant, at_ms: int) -> float | None:
    """Give the NMHC limit that judges an hour."""
    with store.readers.snapshot() as connection:
        limit = permits.permit_of(connection, plant).is_in_force(NMHC, at_ms)
    return limit.maximum if limit else None


def told(store: Store, now_ms: int, language: str = "en") -> list[dict[str, object]]:
    """Give the history, a mapping a version."""
    with store.readers.snapshot() as connection:
        headings, rows = history(connection, TIME, now_ms, language)
    return [dict(zip(headings, row, strict=True)) for row in rows]


def test_each_loaded_file_is_a_version(store: Store) -> None:
    """Loading the same file again is no version; going back to an older file is a new one."""
    for now_ms, text in enumerate((WRONG, WRONG, RIGHT, WRONG)):
        load(store, text, now_ms)
    with store.readers.snapshot() as connection:
        found = permit.versions(connection)
    assert [(one.id, one.loaded_ms, one.text) for one in found] == [(1, 0, WRONG), (2, 2, RIGHT), (3, 3, WRONG)]
    assert found[0].hash == found[2].hash != found[1].hash


def test_adoptions_are_kept_unchanged(store: Store) -> None:
    """An adoption is one more row with who and why; none can be changed or deleted, and none of no version is taken."""
    load(store, WRONG, 1)
    load(store, RIGHT, 2)
    store.write(lambda connection: permit.adopt(connection, 2, 0, "li", "typing mistake", 5))
    store.write(lambda connection: permit.adopt(connection, 2, 1, "wang", "from the next day", 6))
    with pytest.raises(LookupError):
        store.write(lambda connection: permit.adopt(connection, 3, 0, "li", "no such", 7))
    for change in ("UPDATE adoption SET from_ms = 9", "DELETE FROM adoption"):
        with pytest.raises(sqlite3.IntegrityError, match="an adoption is never"):
            store.write(lambda connection, change=change: connection.execute(change))
    with store.readers.snapshot() as connection:
        assert permit.adoptions(connection) == [
            Adoption(1, 2, 0, "li", "typing mistake", 5),
            Adoption(2, 2, 1, "wang", "from the next day", 6),
        ]


def test_the_file_loaded_at_that_time_judges(store: Store) -> None:
    """Before a corrected file is adopted each time is judged by what was loaded then, the first also all before."""
    load(store, WRONG, FEBRUARY)
    plant = load(store, RIGHT, MARCH)
    hours = (JANUARY, FEBRUARY, MARCH - 1, MARCH)
    assert [bound(store, plant, at) for at in hours] == [600, 600, 600, 60]


def test_an_adopted_correction_judges_from_its_day(store: Store) -> None:
    """After adoption the corrected limit judges from that day; of several adoptions the newest counts."""
    load(store, WRONG, JANUARY)
    plant = load(store, RIGHT, MARCH)
    assert adopt(store, "latest", FEBRUARY) == permits.Adopted(2, FEBRUARY)
    assert [bound(store, plant, at) for at in (FEBRUARY - 1, FEBRUARY, MARCH)] == [600, 60, 60]
    # The days between the old beginning and the new one come out otherwise too.
    assert adopt(store, 2, MARCH) == permits.Adopted(2, FEBRUARY)
    assert [bound(store, plant, at) for at in (FEBRUARY, MARCH - 1, MARCH)] == [600, 600, 60]


def test_what_cannot_be_adopted(store: Store) -> None:
    """Refused, in both languages: an unknown version, the first one, and `latest` while a newer file is not loaded."""
    load(store, WRONG, JANUARY)
    for language, words in (
        ("en", ("no version 7", "the first one", "restart")),
        ("zh", ("没有版本 7", "首个", "重启")),
    ):
        for (version, sees), word in zip(((7, WRONG), (1, WRONG), ("latest", RIGHT)), words, strict=True):
            with pytest.raises(LookupError, match=word):
                adopt(store, version, FEBRUARY, sees, language)
    with store.readers.snapshot() as connection:
        assert permit.adoptions(connection) == []


def test_a_version_that_can_be_read_no_more_does_not_stop_the_others(store: Store) -> None:
    """It is named with its mistake and told in health; its time is judged by the version before, until it is gone."""
    load(store, RIGHT, JANUARY)
    store.write(
        lambda connection: connection.execute(
            "INSERT INTO plant_version (hash, loaded_ms, text) VALUES ('x', ?, ?)",
            (FEBRUARY, WRONG.replace("basis: rate", "basis: haste")),
        )
    )
    plant = load(store, MAIL, MARCH)
    with store.readers.snapshot() as connection:
        found = permits.permit_of(connection, plant)
    assert [bound(store, plant, at) for at in (JANUARY, FEBRUARY, MARCH)] == [60, 60, 60]
    [reason] = found.unreadable
    assert reason.startswith("version 2: plant file:")
    assert "haste" in reason

    def noted(now_ms: int, told: permits.Permit) -> list[tuple[str, int, int, str]]:
        store.write(lambda connection: permits.note_health(connection, told, now_ms))
        with store.readers.snapshot() as connection:
            return health.failing(connection)

    assert [(row[0], row[3]) for row in noted(5, found)] == [("permit", reason[:500])]
    assert noted(6, permits.Permit([(0, plant)])) == []
    assert [row["state"] for row in told(store, MARCH)] == ["past", "unreadable", "in_force"]
    with pytest.raises(LookupError, match="cannot be read any more: version 2"):
        adopt(store, 2, JANUARY)


def test_a_version_names_itself_when_it_cannot_be_read() -> None:
    """PlantFileError of an old text says which version, and where in it."""
    with pytest.raises(PlantFileError, match=r"^version 4: plant file:1: "):
        permits.plant_of(PlantVersion(4, "x", 0, "plant"))


def test_without_a_version_the_plant_judges(store: Store) -> None:
    """A store nothing was loaded into gives the plant file at hand for all time."""
    plant = load_plant_text(RIGHT, "plant.yaml")
    assert [bound(store, plant, at) for at in (JANUARY, MARCH)] == [60, 60]


def test_equal_files_divide_nothing(store: Store) -> None:
    """Versions that differ in their mails alone are one span, and it is the plant at hand itself."""
    load(store, RIGHT, JANUARY)
    plant = load(store, MAIL, FEBRUARY)
    with store.readers.snapshot() as connection:
        found = permits.permit_of(connection, plant)
    assert found.plants == (plant,)
    assert found.at(JANUARY) is plant


def test_history_tells_what_each_version_did(store: Store) -> None:
    """A line a version: when it is in force, by whose word, and what it changed."""
    load(store, WRONG, JANUARY)
    load(store, RIGHT, MARCH)
    load(store, MAIL, MARCH + 60_000)
    adopt(store, 2, FEBRUARY)
    first, second, third = told(store, MARCH + 30_000)
    assert (first["state"], first["in force from"], first["until"]) == ("past", None, "2020-02-01 00:00:00")
    assert first["changes"] == f"the first version: {WRONG.count('basis:')} limits"
    assert (second["state"], second["loaded"]) == ("in_force", "2020-03-01 00:00:00")
    assert (second["in force from"], second["until"]) == ("2020-02-01 00:00:00", "2020-03-01 00:01:00")
    assert (second["adopted by"], second["reason"]) == ("li", "typing mistake")
    assert second["changes"] == f"{NMHC}: max 600 -> 60"
    assert (third["state"], third["until"], third["changes"]) == ("to_come", None, "judges like the version before")
    assert told(store, MARCH, "zh")[1]["changes"] == f"{NMHC}：max 由 600 改为 60"
    json.dumps(told(store, MARCH))


def test_history_of_a_version_that_judges_no_time(store: Store) -> None:
    """A version whose whole time a later one took is superseded, and has no span."""
    load(store, RIGHT, JANUARY)
    load(store, WRONG, FEBRUARY)
    load(store, RIGHT, MARCH)
    adopt(store, 3, FEBRUARY)
    assert [row["state"] for row in told(store, MARCH)] == ["past", "superseded", "in_force"]
    assert bound(store, load_plant_text(RIGHT, "x"), FEBRUARY) == 60


def test_lines_spread_changes() -> None:
    """For a terminal each change has its own line; the version's facts stand on the first."""
    assert lines([[1, None, "a; b"], [2, "x", "c"]], "; ") == [[1, None, "a"], ["", "", "b"], [2, "x", "c"]]
