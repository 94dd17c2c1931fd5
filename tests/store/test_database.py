"""This module proves what the store promises: durable, versioned, locked, never half seen, and whole on a full disk."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from builders import a_plant, a_point

from plantmon.errors import AlreadyRunning, PlantFileError, StoreCorrupt, StoreUnavailable
from plantmon.store import database, dirty, inbox, points, rejected
from plantmon.store.database import Lock, Readers, Store
from plantmon.store.rejected import KEPT_BYTES, KEPT_PAYLOADS, KEPT_TOPICS, OTHER_TOPICS, Rejected, Why


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty store."""
    opened = Store(tmp_path / "plantmon.db")
    yield opened
    opened.close()


# Opening


def test_newer_schema_is_refused(tmp_path: Path) -> None:
    """A store of a newer plantmon is refused with what to do, and stays as it was."""
    Store(tmp_path / "plantmon.db").close()
    with sqlite3.connect(tmp_path / "plantmon.db") as connection:
        connection.execute("PRAGMA user_version = 999")
    before = (tmp_path / "plantmon.db").read_bytes()
    with pytest.raises(StoreCorrupt, match=r"schema 999.*upgrade plantmon"):
        Store(tmp_path / "plantmon.db")
    assert (tmp_path / "plantmon.db").read_bytes() == before


def test_something_else_is_refused(tmp_path: Path) -> None:
    """A file that is no database is refused, and stays as it was."""
    (tmp_path / "plantmon.db").write_bytes(b"meter readings, by hand\n" * 100)
    with pytest.raises(StoreCorrupt):
        Store(tmp_path / "plantmon.db")
    assert (tmp_path / "plantmon.db").read_bytes() == b"meter readings, by hand\n" * 100


def test_opening_again_keeps_everything(tmp_path: Path, store: Store) -> None:
    """A store that is opened again has what was written, and its schema is not applied twice."""
    store.write(lambda c: c.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')"))
    again = Store(tmp_path / "plantmon.db")
    with again.readers.snapshot() as connection:
        assert connection.execute("SELECT value FROM meta").fetchone() == ("b",)
    again.close()


def test_durable_settings(store: Store) -> None:
    """Every commit is synced: write-ahead log, synchronous FULL, checkpoints only by the writer."""
    found = store.write(
        lambda c: [
            c.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "wal_autocheckpoint")
        ]
    )
    assert found == ["wal", 2, 0]


def test_reading_before_there_is_a_store(tmp_path: Path) -> None:
    """Who reads a store that is not there yet is told so, and does not make one."""
    with pytest.raises(StoreUnavailable):
        Readers(tmp_path / "plantmon.db").connection()
    assert list(tmp_path.iterdir()) == []


def test_readers_cannot_write(store: Store) -> None:
    """A reader's connection refuses to change anything."""
    with store.readers.snapshot() as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')")


def test_readers_see_nothing_half_written(tmp_path: Path, store: Store) -> None:
    """While a change runs readers see what was before; after it, all of it; a snapshot stays what it was."""
    other = Readers(tmp_path / "plantmon.db")

    def seen() -> int:
        with other.snapshot() as connection:
            return int(connection.execute("SELECT count(*) FROM meta").fetchone()[0])

    def write(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO meta (key, value) VALUES ('a', '1')")
        assert seen() == 0
        connection.execute("INSERT INTO meta (key, value) VALUES ('b', '2')")
        assert seen() == 0

    with store.readers.snapshot() as held:
        assert held.execute("SELECT count(*) FROM meta").fetchone() == (0,)
        store.write(write)
        assert seen() == 2
        assert held.execute("SELECT count(*) FROM meta").fetchone() == (0,)
    other.close()


def test_a_failed_change_is_undone(store: Store) -> None:
    """A change that raises leaves nothing, and the next one works."""

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO meta (key, value) VALUES ('a', '1')")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        store.write(fail)
    assert store.write(lambda c: c.execute("SELECT count(*) FROM meta").fetchone()[0]) == 0


def test_checkpoint_moves_the_log(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the log has grown the writer moves it into the file."""
    monkeypatch.setattr(database, "CHECKPOINT_PAGES", 10)
    store.write(lambda c: c.execute("INSERT INTO meta (key, value) VALUES ('a', ?)", ("x" * 200_000,)))
    assert (tmp_path / "plantmon.db").stat().st_size > 200_000


# The lock


def test_second_taker_is_refused(tmp_path: Path) -> None:
    """A second daemon on the same store is told that it is one; after the first let go it may."""
    first, second = Lock(tmp_path / "plantmon.db"), Lock(tmp_path / "plantmon.db")
    first.take()
    with pytest.raises(AlreadyRunning, match=r"plantmon\.db\.lock"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_lock_ends_with_its_process(tmp_path: Path) -> None:
    """A daemon that was killed holds no lock."""
    code = (
        "import os, pathlib, sys; from plantmon.store.database import Lock;"
        "Lock(pathlib.Path(sys.argv[1])).take(); os.kill(os.getpid(), 9)"
    )
    child = subprocess.run([sys.executable, "-c", code, str(tmp_path / "plantmon.db")], check=False)
    assert child.returncode == -9
    Lock(tmp_path / "plantmon.db").take()


# Points


def test_changed_unit_is_refused(store: Store) -> None:
    """A point that changes its unit would change what its readings mean: the plant file is refused, by its name."""
    point = a_point("DA001.nox")
    store.write(lambda c: points.register_points(c, a_plant((point,)), 0))
    changed = a_plant((replace(point, unit="g/m3"),))
    with pytest.raises(PlantFileError, match=r"DA001\.nox: unit changed from mg/m3 to g/m3"):
        store.write(lambda c: points.register_points(c, changed, 1))


def test_points_keep_their_numbers(store: Store) -> None:
    """A point that leaves the plant file and comes back has its old number; new ones get new numbers."""
    one, two = a_point("DA001.nox"), a_point("DA001.so2", quantity="so2")
    first = store.write(lambda c: points.register_points(c, a_plant((one,)), 0))
    store.write(lambda c: points.register_points(c, a_plant((two,)), 1))
    both = store.write(lambda c: points.register_points(c, a_plant((one, two)), 2))
    assert both["DA001.nox"] == first["DA001.nox"]
    assert len(set(both.values())) == 2


def test_plant_versions_are_kept(store: Store) -> None:
    """Each plant file that was loaded is kept whole, once for each change."""
    for version, text in (("a", "one"), ("a", "one"), ("b", "two"), ("a", "one")):
        store.write(lambda c, v=version, t=text: points.register_points(c, a_plant(version=v, text=t), 0))  # type: ignore[misc]
    kept = store.write(lambda c: c.execute("SELECT hash, text FROM plant_version ORDER BY id").fetchall())
    assert kept == [("a", "one"), ("b", "two"), ("a", "one")]


# Refusals are bounded


def refusals(count: int, topic: str = "t", size: int = 10) -> list[Rejected]:
    """Make refusals."""
    return [Rejected(Why.UNDECODABLE, topic, turn, "no", b"x" * size) for turn in range(count)]


def test_payloads_are_bounded(store: Store) -> None:
    """Of a reason and topic every refusal is counted and the first payloads are kept, over many batches."""
    for _ in range(3):
        store.write(lambda c: rejected.add(c, refusals(KEPT_PAYLOADS - 10)))
    with store.readers.snapshot() as connection:
        assert rejected.totals(connection) == [("undecodable", "t", 3 * (KEPT_PAYLOADS - 10), 0, KEPT_PAYLOADS - 11)]
        assert len(rejected.payloads(connection, None, 1000)) == KEPT_PAYLOADS


def test_a_large_payload_is_cut(store: Store) -> None:
    """A payload is kept up to a size, and its true size beside it."""
    store.write(lambda c: rejected.add(c, refusals(1, size=KEPT_BYTES + 5)))
    with store.readers.snapshot() as connection:
        (row,) = rejected.payloads(connection, "undecodable", 10)
    assert (row[6], len(row[7])) == (KEPT_BYTES + 5, KEPT_BYTES)


def test_topics_are_bounded(store: Store) -> None:
    """Beyond a number of topics a flood of made-up ones is counted together, and nothing is lost of the count."""
    flood = [one for turn in range(KEPT_TOPICS + 500) for one in refusals(1, f"made/up/{turn}")]
    store.write(lambda c: rejected.add(c, flood))
    with store.readers.snapshot() as connection:
        found = rejected.totals(connection)
        kept = len(rejected.payloads(connection, None, 10_000))
    assert len(found) == KEPT_TOPICS + 1
    assert sum(row[2] for row in found) == KEPT_TOPICS + 500
    assert next(row for row in found if row[1] == OTHER_TOPICS)[2] == 500
    assert kept <= KEPT_TOPICS + KEPT_PAYLOADS


# Marks


def test_touched_mark_that_changed_meanwhile_stays(store: Store) -> None:
    """A mark that got another minute after it was read is not wiped; the same mark read again is."""
    store.write(lambda c: dirty.touch(c, [(0, 1, 0b01)]))
    (read,) = store.write(lambda c: dirty.touched(c, 10))
    store.write(lambda c: dirty.touch(c, [(0, 1, 0b10)]))
    store.write(lambda c: dirty.wipe_touched(c, [(read, 0b01)]))
    (again,) = store.write(lambda c: dirty.touched(c, 10))
    assert again.minutes == 0b11
    store.write(lambda c: dirty.wipe_touched(c, [(again, 0b11)]))
    assert store.write(lambda c: dirty.touched(c, 10)) == []


def test_mark_loses_only_the_minutes_done(store: Store) -> None:
    """Minutes that still run keep their mark."""
    store.write(lambda c: dirty.touch(c, [(0, 1, 0b11)]))
    (read,) = store.write(lambda c: dirty.touched(c, 10))
    store.write(lambda c: dirty.wipe_touched(c, [(read, 0b01)]))
    assert [mark.minutes for mark in store.write(lambda c: dirty.touched(c, 10))] == [0b10]


def test_the_same_minute_touched_meanwhile_stays(store: Store) -> None:
    """A second reading of the very minute that was read keeps the mark, though its mask is the same."""
    store.write(lambda c: dirty.touch(c, [(0, 1, 1)]))
    (read,) = store.write(lambda c: dirty.touched(c, 10))
    store.write(lambda c: dirty.touch(c, [(0, 1, 1)]))
    store.write(lambda c: dirty.wipe_touched(c, [(read, 1)]))
    assert len(store.write(lambda c: dirty.touched(c, 10))) == 1


def test_unjudged_mark_that_changed_meanwhile_stays(store: Store) -> None:
    """A window that changed after it was read for judging is judged again."""
    store.write(lambda c: dirty.unjudge(c, [("1h", 0, 1), ("1h", 1, 1)]))
    read = store.write(lambda c: dirty.unjudged(c, 10))
    store.write(lambda c: dirty.unjudge(c, [("1h", 1, 1)]))
    store.write(lambda c: dirty.wipe_unjudged(c, read))
    assert [mark.start for mark in store.write(lambda c: dirty.unjudged(c, 10))] == [1]


# A full disk

FULL_DISK = textwrap.dedent(
    """
    import resource, signal, sys
    from pathlib import Path
    from plantmon.errors import StoreUnavailable
    from plantmon.store.database import Store
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = Store(Path(sys.argv[1]))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in Path(sys.argv[1]).parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 400_000, limits[1]))
    acknowledged = 0
    def put(number):
        store.write(lambda c: c.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (str(number), "x" * 5000)))
    try:
        for number in range(1000):
            put(number)
            acknowledged += 1
    except StoreUnavailable as error:
        print("refused", error)
    for _ in range(3):
        try:
            put(-1)
        except StoreUnavailable:
            print("refused again")
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    put(acknowledged)
    print("acknowledged", acknowledged + 1)
    """
)


def test_two_may_make_an_inbox_at_once(tmp_path: Path) -> None:
    """Whoever opens an inbox while others make it finds it whole, and leaves no lock behind."""
    paths = [tmp_path / f"{number}.db" for number in range(10)]

    def open_and_look(path: Path) -> tuple[int, bool]:
        connection = inbox.open_inbox(path)
        try:
            (count,) = connection.execute("SELECT count(*) FROM request").fetchone()
            return count, connection.in_transaction
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = [one for path in paths for one in pool.map(open_and_look, [path] * 4)]
    assert found == [(0, False)] * 40


def test_an_earlier_inbox_is_taken_over(tmp_path: Path) -> None:
    """An inbox that was made with the store's tables and their number opens, with what was asked in it."""
    path = tmp_path / "old.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.executescript((files("plantmon.store") / "schema" / "inbox_0001.sql").read_text("utf-8"))
        connection.execute("INSERT INTO request (kind, body, asked_by, asked_ms) VALUES ('ack', '{}', 'me', 1)")
    connection.close()
    for _ in range(2):
        opened = inbox.open_inbox(path)
        assert inbox.serve(opened, lambda kind, body, by: (False, {}), lambda kind: kind == "recompute") == 0
        assert opened.execute("SELECT kind FROM request WHERE answered_ms IS NULL").fetchall() == [("ack",)]
        opened.close()


def test_full_disk_is_waited_out(tmp_path: Path) -> None:
    """When no byte more can be written the store says unavailable; what it took stands, and it goes on by itself."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "plantmon.db")], check=True, capture_output=True, text=True
    )
    told = child.stdout.splitlines()
    assert told[0].startswith("refused ")
    assert told[1:4] == ["refused again"] * 3
    acknowledged = int(told[4].split()[1])
    assert acknowledged > 10
    store = Store(tmp_path / "plantmon.db")
    with store.readers.snapshot() as connection:
        keys = {row[0] for row in connection.execute("SELECT key FROM meta")}
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert keys == {str(number) for number in range(acknowledged)}
    store.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (sqlite3.OperationalError("database or disk is full"), StoreUnavailable),
        (sqlite3.OperationalError("disk I/O error"), StoreUnavailable),
        (sqlite3.OperationalError("database is locked"), StoreUnavailable),
        (sqlite3.OperationalError("attempt to write a readonly database"), StoreUnavailable),
        (sqlite3.OperationalError("unable to open database file"), StoreUnavailable),
        (sqlite3.DatabaseError("database disk image is malformed"), StoreCorrupt),
        (sqlite3.DatabaseError("file is not a database"), StoreCorrupt),
        (sqlite3.OperationalError("no such table: x"), sqlite3.OperationalError),
    ],
)
def test_who_must_act(error: sqlite3.Error, expected: type[Exception]) -> None:
    """A fault that can pass is StoreUnavailable, damage is StoreCorrupt, a mistake of ours stays what it is."""
    assert type(database.store_error(error)) is expected
