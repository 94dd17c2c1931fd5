"""This module proves what the spool promises: a batch and its blob together, in order, bounded, nothing lost unseen."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.model.metric import SentMetric
from plantmon.model.reading import Columns
from plantmon.model.verdict import Outcome, Verdict
from plantmon.model.window import Window
from plantmon.store import blobs, refused, resend, spool, verdicts, windows
from plantmon.store.database import Store
from plantmon.store.refused import Refused
from plantmon.store.spool import What

NUMBERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.one_of(
    st.floats(allow_nan=False), st.integers(-(10**6), 10**6).map(lambda one: one / 1000), st.just(-0.0)
)  # fmt: skip
ROWS = st.lists(st.tuples(NUMBERS, st.integers(1, 2**40), VALUES, st.integers(0, 2**48)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store that spools up to ten megabytes."""
    opened = Store(tmp_path / "plantmon.db")
    opened.write(lambda connection: spool.set_limit(connection, 10_000_000))
    yield opened
    opened.close()


def some_readings(count: int, start_ms: int = 0) -> Columns:
    """Give so many readings of three points, a second apart."""
    place = np.arange(count, dtype=np.int64)
    return Columns(start_ms + place * 1000, place % 3 + 1, place * 0.1, np.zeros(count, np.int64))


def waiting(store: Store) -> list[spool.Blob]:
    """Give all that waits."""
    with store.readers.snapshot() as connection:
        return spool.waiting(connection, 0, 10**9)


def total(store: Store) -> spool.Total:
    """Give the spool's own count."""
    with store.readers.snapshot() as connection:
        return spool.total(connection)


def readings_in(found: list[spool.Blob]) -> list[tuple[int, int, float, int]]:
    """Give the readings of blobs, in their order."""
    return [
        row
        for blob in found
        if blob.kind is What.READING
        for row in rows_of(blobs.unpack_readings(blob.data))
    ]  # fmt: skip


def rows_of(columns: Columns) -> list[tuple[int, int, float, int]]:
    """Give columns as rows."""
    names = (columns.ts, columns.point, columns.value, columns.flag)
    return list(zip(*(one.tolist() for one in names), strict=True))


@given(ROWS)
def test_every_bit_comes_back(rows: list[tuple[int, int, float, int]]) -> None:
    """What is packed is unpacked bit for bit: any times, values of three decimals and any others, minus zero too."""
    kinds = (np.int64, np.int64, np.float64, np.int64)
    given = [np.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    found = blobs.unpack_readings(blobs.pack_readings(Columns(*given)))
    for before, after in zip(given, (found.ts, found.point, found.value, found.flag), strict=True):
        assert before.tobytes() == after.tobytes()


def test_a_reading_takes_few_bytes() -> None:
    """Ten-second readings of three hundred points with two decimals take under four bytes each."""
    place = np.arange(30_000, dtype=np.int64)
    value = np.round(np.random.default_rng(5).uniform(10, 60, 30_000), 2)
    found = blobs.pack_readings(Columns(place // 300 * 10_000, place % 300, value, np.zeros(30_000, np.int64)))
    assert len(found) < 4 * 30_000


def test_nothing_is_spooled_where_no_influxdb_is_set(tmp_path: Path) -> None:
    """A store without an InfluxDB beside it spools nothing."""
    store = Store(tmp_path / "plantmon.db")
    store.write(lambda connection: spool.add_readings(connection, some_readings(5)))
    assert waiting(store) == []
    store.close()


def test_a_blob_goes_with_its_transaction(store: Store) -> None:
    """A transaction that is undone leaves no blob, and no count of one."""
    store.write(lambda connection: spool.add_readings(connection, some_readings(5)))

    def fail(connection: object) -> None:
        spool.add_readings(connection, some_readings(7))  # type: ignore[arg-type]
        raise RuntimeError

    before = total(store)
    with suppress(RuntimeError):
        store.write(fail)
    assert (len(waiting(store)), total(store)) == (1, before)


def test_windows_and_verdicts_are_spooled_where_they_are_written(store: Store) -> None:
    """A window written, a verdict that changes and one that is withdrawn are each a row; one unchanged is not."""
    window = Window("1h", 0, 3_600_000, 1, mean=2.5, due=60, had=60, valid=60, readings=360, is_valid=True)
    verdict = Verdict("DA001/nox/concentration/1h/permit/-", 0, 3_600_000, Outcome.EXCEED, None, 61.0, 50.0)
    store.write(lambda connection: windows.write(connection, [window]))
    store.write(lambda connection: verdicts.write_changed(connection, [verdict], 0))
    store.write(lambda connection: verdicts.write_changed(connection, [verdict], 0))
    store.write(lambda connection: verdicts.withdraw(connection, [verdict], 0))
    found = [(blob.kind, blobs.unpack_rows(blob.data)) for blob in waiting(store)]
    assert [kind for kind, _ in found] == [What.WINDOW, What.VERDICT, What.VERDICT]
    assert found[0][1][0][:5] == ["1h", 0, 3_600_000, 1, 2.5]
    assert [rows[0][3] for _, rows in found[1:]] == ["exceed", "withdrawn"]


def test_numbers_are_never_given_twice(store: Store) -> None:
    """When all was taken out, the next blob has a higher number: what took the last ones out cannot hit it."""
    store.write(lambda connection: spool.add_readings(connection, some_readings(5)))
    [first] = waiting(store)
    store.write(lambda connection: spool.remove(connection, [first.seq]))
    store.write(lambda connection: spool.add_readings(connection, some_readings(5)))
    [second] = waiting(store)
    assert second.seq > first.seq


def test_counts_follow(store: Store) -> None:
    """Bytes and rows count what is there, and are nothing when all is gone."""
    for count in (5, 50, 500):
        store.write(lambda connection, count=count: spool.add_readings(connection, some_readings(count)))
    assert total(store).rows == 555
    assert total(store).bytes >= sum(len(blob.data) for blob in waiting(store))
    store.write(lambda connection: spool.remove(connection, [blob.seq for blob in waiting(store)]))
    assert (total(store).rows, total(store).bytes) == (0, 0)


def test_a_full_spool_drops_the_oldest_and_says_which(store: Store) -> None:
    """Past the limit the oldest blobs go; rows and span of what went are kept until that span was sent again."""
    store.write(lambda connection: spool.set_limit(connection, 20_000))
    for place in range(100):
        store.write(
            lambda connection, place=place: spool.add_readings(connection, some_readings(100, place * 100_000))
        )  # fmt: skip
    left = readings_in(waiting(store))
    assert total(store).bytes <= 20_000
    assert total(store).rows == len(left)
    with store.readers.snapshot() as connection:
        [gone] = spool.dropped(connection)
    oldest_left = min(ts for ts, *_ in left)
    assert (gone.kind, gone.start_ms, gone.end_ms) == (What.READING, 0, oldest_left - 1000 + 1)
    assert gone.rows + len(left) == 10_000
    assert left[-1][0] == 9_999_000
    store.write(lambda connection: spool.note_sent_again(connection, 0, gone.end_ms - 1))
    with store.readers.snapshot() as connection:
        assert spool.dropped(connection) == [gone]
    store.write(lambda connection: spool.note_sent_again(connection, 0, gone.end_ms))
    with store.readers.snapshot() as connection:
        assert spool.dropped(connection) == []


def test_a_lowered_limit_is_reached_in_short_transactions(store: Store) -> None:
    """A limit that was lowered is kept after some batches, of which none drops many; what went is counted."""

    def fill(connection: sqlite3.Connection) -> None:
        for place in range(1000):
            spool.add_readings(connection, some_readings(100, place * 100_000))

    store.write(fill)
    before = len(waiting(store))
    store.write(lambda connection: spool.set_limit(connection, total(store).bytes // 2))
    counts = [before]
    for _ in range(10):
        store.write(lambda connection: spool.add_readings(connection, some_readings(1)))
        counts.append(len(waiting(store)))
    assert all(one - other < 101 for one, other in pairwise(counts))
    assert total(store).bytes <= total(store).most
    with store.readers.snapshot() as connection:
        [gone] = spool.dropped(connection)
    assert gone.rows + total(store).rows == 100_010


def test_what_was_accepted_waits_no_more_and_is_not_missed(store: Store) -> None:
    """Accepted blobs count as bytes alone; nothing is said of them when room is made; going back they wait again."""
    for place in range(10):
        store.write(lambda connection, place=place: spool.add_readings(connection, some_readings(100, place * 100_000)))
    first = waiting(store)[0].seq
    store.write(lambda connection: spool.accept(connection, first + 3, 400))
    assert (total(store).rows, total(store).accepted) == (600, first + 3)
    store.write(lambda connection: spool.remove(connection, [first]))
    assert total(store).rows == 600
    store.write(spool.go_back)
    assert (total(store).rows, total(store).accepted) == (900, 0)
    store.write(lambda connection: spool.accept(connection, first + 3, 300))
    size = total(store).bytes
    store.write(lambda connection: spool.set_limit(connection, size))
    store.write(lambda connection: spool.add_readings(connection, some_readings(1)))
    with store.readers.snapshot() as connection:
        assert spool.dropped(connection) == []
    assert total(store).rows == 601


def test_small_blobs_are_put_together_and_stay_in_order(store: Store) -> None:
    """A thousand blobs of a live plant become a few: the same readings in the same order, in far fewer bytes."""

    def fill(connection: object) -> None:
        for place in range(spool.PACK_BLOBS + 300):
            spool.add_readings(connection, some_readings(2, place * 2000))  # type: ignore[arg-type]
        spool.add_windows(connection, [Window("1h", 0, 3_600_000, 1)])  # type: ignore[arg-type]

    store.write(fill)
    before, size = readings_in(waiting(store)), total(store).bytes
    until = store.write(lambda connection: spool.pack(connection, 0))
    assert readings_in(waiting(store)) == before
    assert len(waiting(store)) == 1 + 300 + 1
    assert total(store).rows == len(before) + 1
    assert total(store).bytes < size / 2
    assert store.write(lambda connection: spool.pack(connection, until)) == until
    store.write(lambda connection: spool.remove(connection, [blob.seq for blob in waiting(store)]))
    assert (total(store).rows, total(store).bytes) == (0, 0)


def test_a_thousand_refused_lines_are_kept(store: Store) -> None:
    """Of what is refused the newest thousand lines stay, and all are counted."""
    for start in (0, 700, 1400):
        lines = [Refused(f"line {start + place}", 400, "no") for place in range(700)]
        store.write(lambda connection, lines=lines: refused.add(connection, lines, 5))
    with store.readers.snapshot() as connection:
        kept = refused.newest(connection, 5000)
    assert [one.refused.line for one in kept] == [f"line {place}" for place in range(2099, 1099, -1)]
    assert total(store).refused == 2100


def two_years(_: object, start_ms: int, end_ms: int, after: str) -> tuple[list[SentMetric], str | None]:
    """Give two published periods, a point each, the way `store.resend` asks for them."""
    for period in ("2020", "2021"):
        if period > after:
            return [SentMetric("waste", start_ms, period, "t", "", 1.5, 1.0, 0.0, 0.0, 0.0, False, False, 1)], period
    return [], None


def test_a_span_comes_again_piece_by_piece(store: Store) -> None:
    """A span asked for comes whole, each row once, whatever the size of the pieces, and then is done."""

    def fill(connection: object) -> None:
        execute = connection.execute  # type: ignore[attr-defined]
        for ts in range(100):
            for point in (1, 2):
                execute("INSERT INTO reading VALUES (?, ?, ?, 0, 0)", (ts, point, ts + point / 10))
            for point in (3, 9):
                execute("INSERT INTO register (point, ts, value, flag, arrival_ms) VALUES (?, ?, ?, 0, 0)",
                        (point, ts, float(ts)))  # fmt: skip
        windows.write(
            connection,  # type: ignore[arg-type]
            [Window(level, start, start + 10, point) for level in ("1h", "1d") for start in range(0, 100, 10)
             for point in (1, 2, 3)],
        )  # fmt: skip
        for key in ("a/b", "c/d"):
            verdicts.write_changed(
                connection,  # type: ignore[arg-type]
                [Verdict(key, start, start + 10, Outcome.OK) for start in range(0, 100, 10)], 0,
            )  # fmt: skip

    store.write(fill)
    wanted_readings = {(ts, point) for ts in range(20, 60) for point in (1, 2, 3, 9)}
    wanted_windows = {(lv, s, p) for lv in ("1h", "1d") for s in (20, 30, 40, 50) for p in (1, 2, 3)}
    wanted_verdicts = {(key, s) for key in ("a/b", "c/d") for s in (20, 30, 40, 50)}
    for most in (1, 7, 40, 10_000):
        store.write(lambda connection: resend.ask(connection, 20, 60, "li", 0))
        found: dict[What, list[tuple[object, ...]]] = {what: [] for what in What}
        while True:
            with store.readers.snapshot() as connection:
                waiting_spans = resend.asked(connection)
                if not waiting_spans:
                    break
                piece = resend.next_piece(connection, waiting_spans[0], most, two_years)
            if piece.readings is not None:
                found[What.READING] += [row[:2] for row in rows_of(piece.readings)]
            else:
                found[piece.kind] += [tuple(row) for row in piece.rows]
            store.write(lambda connection, one=waiting_spans[0], piece=piece: resend.note_sent(connection, one, piece))
        assert sorted(found[What.READING]) == sorted(wanted_readings)
        assert sorted((row[0], row[1], row[3]) for row in found[What.WINDOW]) == sorted(wanted_windows)
        assert sorted(row[:2] for row in found[What.VERDICT]) == sorted(wanted_verdicts)
        assert [row[2] for row in found[What.METRIC]] == ["2020", "2021"]
