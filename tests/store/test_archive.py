"""This module proves sealing, letting go and late readings on real files, read through the real reading child."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from archive_store import (
    AFTER_MS,
    DAY_0,
    DAY_MS,
    FAST,
    HOUR_MS,
    METER,
    OTHER,
    RAW_MS,
    SLOW,
    ArchiveStore,
    Row,
    everything,
)
from builders import a_plant, a_point

from plantmon.archive.stage import Work
from plantmon.errors import ArchiveError
from plantmon.model.reading import flag_code
from plantmon.sealed import manifest
from plantmon.store import readings, rejected, resend
from plantmon.store.points import register_points

SEALED_MS = DAY_0 + DAY_MS + AFTER_MS
RELEASED_MS = DAY_0 + DAY_MS + RAW_MS


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[ArchiveStore]:
    """Give a store with four points."""
    one = ArchiveStore(tmp_path)
    yield one
    one.store.close()


def fill(kept: ArchiveStore, day: int = DAY_0, count: int = 300) -> list[Row]:
    """Put some readings of every point into a day; give them all, by time and point."""
    rng = random.Random(day)
    rows: list[Row] = []
    for name, step in ((FAST, 10_000), (OTHER, 10_000), (SLOW, HOUR_MS), (METER, 900_000)):
        number = kept.numbers[name]
        some = [
            (ts, number, round(rng.uniform(0, 90), 1), rng.choice([0, 0, 0, flag_code("D")]), ts + rng.randrange(900))
            for ts in range(day, min(day + count * step, day + DAY_MS), step)
        ]
        rows += some
        kept.put(some)
    return sorted(rows)


def test_a_day_is_sealed_at_its_age_and_not_before(kept: ArchiveStore) -> None:
    """A day of UTC is sealed when it is over for `after`; SQLite lets go of it when it is over for raw_days."""
    rows = fill(kept)
    assert kept.seal(SEALED_MS - 1) == []
    assert [turn.work for turn in kept.seal(SEALED_MS)] == [Work.SEALED, Work.LISTED]
    assert kept.count("reading") == 600
    assert [turn.work for turn in kept.seal(RELEASED_MS - 1)] == []
    assert [turn.work for turn in kept.seal(RELEASED_MS)] == [Work.RELEASED, Work.EMPTIED]
    assert (kept.count("reading"), kept.count("register")) == (0, 24 + 96)
    assert everything(kept.store) == rows


def test_a_day_is_let_go_of_at_once_where_raw_days_are_fewer(kept: ArchiveStore) -> None:
    """With raw_days within `after` a sealed day leaves SQLite in the same run."""
    rows = fill(kept)
    turns = kept.seal(SEALED_MS, raw_ms=DAY_MS)
    assert [turn.work for turn in turns] == [Work.SEALED, Work.LISTED, Work.RELEASED, Work.EMPTIED]
    assert everything(kept.store) == rows


def test_the_file_opens_with_any_reader_of_parquet(kept: ArchiveStore) -> None:
    """Name, unit, instant, value, flag and arrival of each reading stand in the file's columns, sorted."""
    rows = fill(kept)
    kept.seal(SEALED_MS)
    names = {number: name for name, number in kept.numbers.items()}
    table = pq.read_table(kept.folder / "2024" / "2024-10-04.parquet").to_pylist()
    found = [
        (
            one["point"], int(one["ts"].timestamp() * 1000),
            one["value"] if one["scaled"] is None else one["scaled"] / 10 ** one["decimals"],
            one["flag"], one["delay_ms"], one["unit"],
        )
        for one in table
    ]  # fmt: skip
    letters = {0: "N", flag_code("D"): "D"}
    units = {name: point.reading_unit for name, point in kept.plant.points.items()}
    assert found == sorted(
        (names[point], ts, value, letters[flag], arrival - ts, units[names[point]])
        for ts, point, value, flag, arrival in rows
    )
    head = json.loads(pq.read_metadata(kept.folder / "2024" / "2024-10-04.parquet").metadata[b"plantmon"])
    assert (head["day"], head["supplement"], head["plant_files"]) == ("2024-10-04", 0, [kept.plant.version])


@pytest.mark.parametrize(
    "value", [0.1, 0.30000000000000004, 1e37, 5e-324, 1.7976931348623157e308, 9007199254740993.0, -2.5, 1 / 3]
)
def test_every_value_comes_back_bit_for_bit(kept: ArchiveStore, value: float) -> None:
    """A value that is no whole number of a power of ten is kept as the double it is, beside others that are."""
    number = kept.numbers[FAST]
    rows = [(DAY_0 + at * 10_000, number, shown, 0, DAY_0) for at, shown in enumerate([1.5, value, 2.25, value])]
    kept.put(rows)
    kept.seal(RELEASED_MS)
    assert kept.count("reading") == 0
    assert [row[2].hex() for row in everything(kept.store)] == [row[2].hex() for row in rows]


def test_one_point_and_a_slice_of_time_read_alike(kept: ArchiveStore) -> None:
    """What `of`, `gauges`, `of_point`, `nearest` and `following` give does not change when days are let go of."""
    for day in range(3):
        fill(kept, DAY_0 + day * DAY_MS)
    number, slow = kept.numbers[FAST], kept.numbers[SLOW]
    spans = [(DAY_0 + 500_000, DAY_0 + DAY_MS + 500_000), (DAY_0, DAY_0 + 3 * DAY_MS), (DAY_0 + 5, DAY_0 + 6)]

    def look() -> list[object]:
        with kept.store.readers.snapshot() as connection:
            found: list[object] = [readings.nearest(connection, number, DAY_0 + at) for at in (5, 10_000, HOUR_MS)]
            for start, end in spans:
                found += [readings.of_point(connection, one, start, end) for one in kept.numbers.values()]
                for one in kept.numbers.values():
                    part = readings.of(connection, one, start, end)
                    found.append((part.ts.tolist(), part.value.tolist(), part.flag.tolist()))
                part = readings.gauges(connection, start, end, [slow])
                found.append(sorted(zip(part.ts.tolist(), part.point.tolist(), part.value.tolist(), strict=True)))
            part = readings.following(connection, (DAY_0 + 500_000, number), DAY_0 + 2 * DAY_MS, 77)
            return [*found, part.ts.tolist(), part.point.tolist()]

    before = look()
    kept.seal(RELEASED_MS + DAY_MS)
    assert 0 < kept.count("reading") < 3 * 600
    assert look() == before
    hours = list(readings.slices(kept.store.readers, DAY_0, DAY_0 + 3 * DAY_MS, [number]))
    assert [len(hour) for hour in hours] == [300] * 3


def test_a_late_reading_goes_into_a_supplement(kept: ArchiveStore) -> None:
    """What comes for a sealed day is read with it at once, and stands in a numbered file of its own later."""
    rows = fill(kept)
    kept.seal(SEALED_MS)
    day_file = (kept.folder / "2024" / "2024-10-04.parquet").read_bytes()
    late = [(DAY_0 + 7 * HOUR_MS, kept.numbers[FAST], 12.5, 0, SEALED_MS)]
    meter = [(DAY_0 + 3_600_001, kept.numbers[METER], 99.0, 0, SEALED_MS)]
    assert (kept.put(late).fresh, kept.put(meter).fresh) == (1, 1)
    assert everything(kept.store) == sorted(rows + late + meter)
    turns = kept.seal(SEALED_MS + 1)
    assert [(turn.work, turn.rows) for turn in turns] == [(Work.SUPPLEMENTED, 2), (Work.LISTED, 0)]
    assert everything(kept.store) == sorted(rows + late + meter)
    kept.seal(RELEASED_MS)
    assert (kept.count("reading"), kept.count("late_reading")) == (0, 0)
    assert everything(kept.store) == sorted(rows + late + meter)
    later = [(DAY_0 + 8 * HOUR_MS, kept.numbers[OTHER], 3.5, 0, RELEASED_MS)]
    kept.put(later)
    kept.seal(RELEASED_MS + 1)
    assert [one.name for one in kept.entries()] == [
        "2024/2024-10-04.parquet", "2024/2024-10-04.1.parquet", "2024/2024-10-04.2.parquet"
    ]  # fmt: skip
    assert kept.count("late_reading") == 0
    assert everything(kept.store) == sorted(rows + late + meter + later)
    assert (kept.folder / "2024" / "2024-10-04.parquet").read_bytes() == day_file


@pytest.mark.parametrize("now_ms", [SEALED_MS, RELEASED_MS])
@pytest.mark.parametrize("name", [FAST, SLOW, METER])
def test_a_late_reading_is_told_from_what_is_sealed(kept: ArchiveStore, now_ms: int, name: str) -> None:
    """An equal value is a redelivery, a different one a conflict with the sealed value; neither is kept."""
    rows = fill(kept)
    kept.seal(now_ms)
    row = next(one for one in rows if one[1] == kept.numbers[name])
    came = kept.put([row])
    assert (came.fresh, came.conflicts, came.again) == (0, {}, [0])
    came = kept.put([(*row[:2], row[2] + 1, 0, now_ms)])
    assert (came.fresh, came.conflicts, came.again) == (0, {0: row[2]}, [])
    assert kept.count("late_reading") == 0
    assert everything(kept.store) == rows


def test_a_late_reading_is_kept_where_its_files_cannot_be_read(kept: ArchiveStore) -> None:
    """A missing file holds nobody up; when it is back the late ones are told apart, the conflict is rejected."""
    rows = fill(kept)
    kept.seal(RELEASED_MS)
    path = kept.folder / "2024" / "2024-10-04.parquet"
    path.rename(path.with_suffix(".away"))
    mine = [one for one in rows if one[1] == kept.numbers[FAST]]
    kept.put([mine[0], (*mine[1][:2], 77.0, 0, 0), (mine[1][0] + 1, mine[1][1], 78.0, 0, 0)])
    with pytest.raises(ArchiveError, match="No such file"):
        everything(kept.store)
    path.with_suffix(".away").rename(path)
    now = sorted([*rows, (mine[1][0] + 1, mine[1][1], 78.0, 0, 0)])
    assert everything(kept.store) == now
    assert [turn.rows for turn in kept.seal(RELEASED_MS + 1) if turn.work is Work.SUPPLEMENTED] == [1]
    assert everything(kept.store) == now
    with kept.store.readers.snapshot() as connection:
        assert [(row[0], row[2]) for row in rejected.totals(connection)] == [("conflict", 1)]


def test_a_damaged_file_is_found_before_sqlite_lets_go(kept: ArchiveStore) -> None:
    """A file that changed since it was sealed keeps its readings in SQLite, and says which it is."""
    rows = fill(kept)
    kept.seal(SEALED_MS)
    path = kept.folder / "2024" / "2024-10-04.parquet"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"2024-10-04\.parquet: its sha256 is"):
        kept.seal(RELEASED_MS)
    assert kept.count("reading") == 600
    assert everything(kept.store) == rows


def test_a_restored_store_overwrites_nothing(kept: ArchiveStore, tmp_path: Path) -> None:
    """With a store older than its archive, files and manifest that it does not know are put aside, not replaced."""
    fill(kept)
    kept.seal(SEALED_MS)
    folder = kept.folder / "2024"
    files = {path.name: path.read_bytes() for path in (folder / "2024-10-04.parquet", kept.folder / manifest.NAME)}
    older = ArchiveStore(tmp_path / "older")
    number = older.numbers[FAST]
    older.put([(DAY_0, number, 1.0, 0, DAY_0)])
    kept.folder.rename(older.folder)
    older.seal(SEALED_MS)
    assert everything(older.store) == [(DAY_0, number, 1.0, 0, DAY_0)]
    aside = {path.name.split(".unlisted-")[0]: path.read_bytes() for path in older.folder.rglob("*.unlisted-*")}
    assert aside == files
    older.store.close()


def test_a_full_disk_is_seen_before_sealing(kept: ArchiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for the file, and for the store to go on, nothing is begun to be written."""
    fill(kept)
    monkeypatch.setattr("plantmon.archive.making.SPARE_BYTES", 1 << 60)
    with pytest.raises(ArchiveError, match=r"MB free, sealing 2024-10-04\.parquet needs"):
        kept.seal(SEALED_MS)
    assert [path for path in kept.folder.rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    kept.seal(SEALED_MS)
    assert len(kept.entries()) == 1


def test_the_chain_shows_every_change(kept: ArchiveStore) -> None:
    """The manifest's file is that of the store; changed files and entries are named."""
    for day in range(3):
        fill(kept, DAY_0 + day * DAY_MS, count=5)
    kept.seal(SEALED_MS + 2 * DAY_MS)
    entries = manifest.read(kept.folder)
    assert entries == kept.entries()
    assert manifest.faults_of_chain(entries) == []
    assert [manifest.fault_of_file(kept.folder, one) for one in entries] == [None] * 3
    forged = [entries[0], manifest.Entry(*[*_fields(entries[1])[:4], 1, *_fields(entries[1])[5:]]), entries[2]]
    assert [name for name, _ in manifest.faults_of_chain(forged)] == ["2024/2024-10-05.parquet"]
    assert [name for name, _ in manifest.faults_of_chain(entries[1:])] != []
    (kept.folder / "2024" / "2024-10-06.parquet").unlink()
    assert manifest.fault_of_file(kept.folder, entries[2]) == "No such file or directory"
    (kept.folder / manifest.NAME).unlink()
    kept.seal(SEALED_MS + 2 * DAY_MS)
    assert manifest.read(kept.folder) == entries


def _fields(entry: manifest.Entry) -> list[object]:
    return [getattr(entry, name) for name in entry.__struct_fields__]


def test_a_point_may_become_slow_and_fast_again(kept: ArchiveStore) -> None:
    """A point whose interval crosses the minute is read as one series, whatever of it is sealed, late or let go of."""
    rows = fill(kept) + fill(kept, DAY_0 + 2 * DAY_MS)
    kept.seal(RELEASED_MS)  # the first day let go of, the second sealed
    number = kept.numbers[FAST]

    def late(at: int) -> None:
        for day in (DAY_0, DAY_0 + 2 * DAY_MS, DAY_0 + 4 * DAY_MS):
            row = (day + 20 * HOUR_MS + at, number, 5.5, 0, RELEASED_MS)
            assert kept.put([row]).fresh == 1
            rows.append(row)
            assert kept.put([row]).fresh == 0

    def change(interval_ms: int) -> None:
        others = [point for point in kept.plant.points.values() if point.id != FAST]
        kept.plant = a_plant((a_point(FAST, interval_ms=interval_ms), *others), ())
        kept.store.write(lambda connection: register_points(connection, kept.plant, RELEASED_MS))

    late(1)
    assert everything(kept.store) == sorted(rows)
    change(HOUR_MS)
    assert everything(kept.store) == sorted(rows)
    late(2)
    assert everything(kept.store) == sorted(rows)
    kept.seal(RELEASED_MS + 1)
    late(3)
    change(10_000)
    assert everything(kept.store) == sorted(rows)
    late(4)
    kept.seal(RELEASED_MS + 3 * DAY_MS)
    assert everything(kept.store) == sorted(rows)
    with kept.store.readers.snapshot() as connection:
        found = readings.of(connection, number, DAY_0, DAY_0 + 9 * DAY_MS)
    assert found.ts.tolist() == [row[0] for row in sorted(rows) if row[1] == number]


def test_sending_again_reads_sealed_days_too(kept: ArchiveStore) -> None:
    """A span sent to an InfluxDB again holds each reading once, those of files in their order among the others."""
    rows = fill(kept) + fill(kept, DAY_0 + DAY_MS)
    kept.seal(RELEASED_MS)
    kept.store.write(lambda c: resend.ask(c, DAY_0, DAY_0 + 2 * DAY_MS, "me", 0))
    dense = {kept.numbers[FAST], kept.numbers[OTHER]}
    found: list[tuple[int, int]] = []
    while True:
        with kept.store.readers.snapshot() as connection:
            asked = resend.asked(connection)[0]
            if asked.part != "reading":
                break
            piece = resend.next_piece(connection, asked, 97, lambda *_: ([], None))
        assert piece.readings is not None
        found += zip(piece.readings.ts.tolist(), piece.readings.point.tolist(), strict=True)
        kept.store.write(lambda c, asked=asked, piece=piece: resend.note_sent(c, asked, piece))
    assert found == sorted(row[:2] for row in rows if row[1] in dense)
