"""This module proves `import` and `export`: what is written out comes back bit for bit, whatever way it lay."""

from __future__ import annotations

import csv
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from archive_store import AFTER_MS, DAY_0, FAST, METER, OTHER, SLOW, ArchiveStore, points_of
from builders import a_limit, a_plant
from hypothesis import given, settings
from hypothesis import strategies as st
from import_store import DAY_MS, HOUR_MS, everything, read, take, write
from replay import Replay

from plantmon.errors import TableError
from plantmon.exporting import Form
from plantmon.feed.check import Batch, Message
from plantmon.importing.problem import MOST_NAMED
from plantmon.model.plant import Point, RatioSpan, Register
from plantmon.model.reading import State, flag_code
from plantmon.store import declarations, imports, windows
from plantmon.store.rejected import totals

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NOW_MS = DAY_0 + 100 * DAY_MS
ZONE = ZoneInfo("Asia/Shanghai")
MADE = ("window", "minutes", "meter_event", "verdict", "reading", "register")


@pytest.fixture
def kept(tmp_path: Path) -> Replay:
    """Give an empty store of two fast gauges, a slow one and a meter."""
    return a_store(tmp_path / "kept")


def measured() -> tuple[Point, ...]:
    """Give the archive's points, the meter with what is known of its register."""
    *gauges, meter = points_of()
    return (*gauges, replace(meter, register=Register((RatioSpan(1, None, None),), None, None, None, None, None)))


def a_store(folder: Path, now_ms: int = NOW_MS) -> Replay:
    """Make one, with a limit on a fast gauge's hours."""
    folder.mkdir(parents=True)
    points = measured()
    return Replay(folder, a_plant(points, (a_limit(points[0]),)), now_ms)


def a_csv(path: Path, rows: list[tuple[object, ...]], *headings: str) -> Path:
    """Write a CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([headings or ("time", "point", "value"), *rows])
    return path


def local(at_ms: int) -> str:
    """Write an instant as the plant's clock shows it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def an_archive(folder: Path) -> tuple[ArchiveStore, list[tuple[int, str, float, int, int]]]:
    """Make a store of three days: the first in the archive alone with a supplement, the second sealed."""
    one = ArchiveStore(folder)
    values = random.Random(5)
    rows: list[tuple[int, str, float, int, int]] = []
    for day in range(3):
        for name, step in ((FAST, 10_000), (OTHER, 60_000), (SLOW, HOUR_MS), (METER, 900_000)):
            flags = [0, 0, 0, flag_code("T"), flag_code("Sd")]
            mine = [
                (DAY_0 + day * DAY_MS + at, name, round(values.uniform(0, 90), 3), values.choice(flags),
                 DAY_0 + day * DAY_MS + at + values.randrange(900))
                for at in range(0, 6 * HOUR_MS, step)
            ]  # fmt: skip
            rows += mine
            one.put([(ts, one.numbers[name], *rest) for ts, name, *rest in mine])  # type: ignore[misc]
    one.seal(DAY_0 + 2 * DAY_MS + AFTER_MS)
    late = (DAY_0 + 5, FAST, 1 / 3, 0, NOW_MS)
    one.put([(late[0], one.numbers[FAST], *late[2:])])  # type: ignore[list-item]
    one.seal(DAY_0 + 2 * DAY_MS + AFTER_MS, raw_ms=AFTER_MS)
    assert len(one.entries()) == 3
    return one, sorted([*rows, late])


@pytest.mark.parametrize("form", list(Form))
def test_a_round_trip_gives_every_bit_back(tmp_path: Path, form: Form) -> None:
    """What store and archive hold, written out and taken into an empty store, is there to the last bit and arrival."""
    one, rows = an_archive(tmp_path / "one")
    out = tmp_path / f"all.{form}"
    assert write(one.store, one.plant, form, out) == len(rows)
    kept = a_store(tmp_path / "kept")
    answer = take(out, kept, keeps_arrival=True)
    assert (answer["fresh"], answer["known"], answer["conflicts"]) == (len(rows), 0, 0)
    assert everything(kept.store) == rows == everything(one.store)
    assert take(out, kept)["known"] == len(rows)
    assert everything(kept.store) == rows


def test_the_archives_own_files_are_taken(tmp_path: Path) -> None:
    """A sealed day and its supplement come back from their files, whatever numbers their store gave the points."""
    one, rows = an_archive(tmp_path / "one")
    (tmp_path / "kept").mkdir()
    kept = Replay(tmp_path / "kept", a_plant(points_of()[::-1], ()), NOW_MS)
    for entry in one.entries():
        take(one.folder / entry.name, kept, keeps_arrival=True)
    assert everything(kept.store) == [row for row in rows if row[0] < DAY_0 + 2 * DAY_MS]


def test_what_stands_in_the_archive_is_known_and_guarded(tmp_path: Path) -> None:
    """Into the store it came from nothing comes twice; one other value, and nothing of the file is stored."""
    one, rows = an_archive(tmp_path / "one")
    out = tmp_path / "all.csv"
    write(one.store, one.plant, Form.CSV, out)
    one.store.close()
    kept = Replay(tmp_path / "one", one.plant, NOW_MS)
    assert take(out, kept)["known"] == len(rows)
    text = out.read_text().splitlines()
    fresh = f'"{FAST}","{local(DAY_0 + 7 * HOUR_MS)}",5,"mg/m3","N","{local(NOW_MS)}",5,"normal",,'
    place = next(number for number, line in enumerate(text) if "DA001.so2" in line)
    cells = text[place].split(",")
    cells[2] = "99.5"
    out.write_text("\n".join([*text[:place], ",".join(cells), *text[place + 1 :], fresh]))
    found = read(out, kept)
    assert found.staged is not None
    done, answer = kept.pipeline.importing.run(found.staged, "li", "en", lambda: NOW_MS)
    assert not done
    assert f"all.csv:{place + 1}: DA001.so2 at " in answer["error"]
    assert "99.5 contradicts" in answer["error"]
    assert everything(kept.store) == rows
    assert not found.staged.exists()
    with kept.store.readers.snapshot() as connection:
        assert (imports.open_ones(connection), len(imports.ended(connection))) == ([], 1)


def test_readings_of_a_sealed_day_go_into_its_supplement(tmp_path: Path) -> None:
    """A file of a day that is in the archive alone adds what was missing, in the numbered way."""
    one, rows = an_archive(tmp_path / "one")
    missing = [(DAY_0 + 8 * HOUR_MS + at * 10_000, name, 3.5, 0, NOW_MS) for at in range(50) for name in (FAST, METER)]
    out = a_csv(tmp_path / "gap.csv", [(ts, name, value) for ts, name, value, *_ in missing])
    kept = Replay(tmp_path / "one", one.plant, NOW_MS)
    assert take(out, kept)["fresh"] == 100
    assert everything(kept.store) == sorted(rows + missing)
    one.seal(DAY_0 + 2 * DAY_MS + AFTER_MS, raw_ms=AFTER_MS)
    assert [entry.name for entry in one.entries()][-1] == "2024/2024-10-04.2.parquet"
    assert everything(kept.store) == sorted(rows + missing)


def feed(kept: Replay, rows: list[tuple[int, str, float]]) -> None:
    """Store readings as a message brings them."""
    numbers = kept.pipeline.numbers
    batch = Batch(
        [ts for ts, _, _ in rows], [numbers[name] for _, name, _ in rows], [value for _, _, value in rows],
        [0] * len(rows), [kept.now_ms] * len(rows), [0] * len(rows),
    )  # fmt: skip
    message = Message("p/all", b"", kept.now_ms)
    kept.store.write(lambda connection: kept.pipeline.take(connection, batch, [message], kept.now_ms))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1 << 30), st.booleans())
def test_windows_are_those_of_the_feed(tmp_path_factory: pytest.TempPathFactory, seed: int, is_wide: bool) -> None:
    """The same readings, fed or taken from a file in any order, make the same windows, verdicts and rows."""
    folder, order = tmp_path_factory.mktemp("same"), random.Random(seed)
    rows = [(DAY_0 + at * 10_000, FAST, round(order.uniform(20, 90), 2)) for at in range(800)]
    rows += [(DAY_0 + at * 900_000, METER, float(at * 7)) for at in range(9)]
    stores = [a_store(folder / name, DAY_0 + DAY_MS) for name in ("fed", "kept")]
    fed, kept = stores
    feed(fed, rows)
    shuffled = order.sample(rows, len(rows))
    if is_wide:
        by_time: dict[int, dict[str, float]] = {}
        for ts, name, value in shuffled:
            by_time.setdefault(ts, {})[name] = value
        cells: list[tuple[object, ...]] = [(ts, one.get(FAST, ""), one.get(METER, "")) for ts, one in by_time.items()]
        path = a_csv(folder / "rows.csv", cells, "time", FAST, f"{METER} (kWh)")
    else:
        path = a_csv(folder / "rows.csv", list(shuffled))
    assert take(path, kept)["fresh"] == len(rows)
    for one in stores:
        one.settle()
    assert fed.dump(MADE) == kept.dump(MADE)
    with kept.store.readers.snapshot() as connection:
        for table in ("window", "verdict"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
        heard = connection.execute("SELECT count(*) FROM point WHERE heard_ms IS NOT NULL").fetchone()
    assert heard == (0,), "nobody speaks through a file"
    for one in stores:
        one.store.close()


def test_everything_wrong_is_named_and_nothing_stored(kept: Replay, tmp_path: Path) -> None:
    """Each wrong line has its sentence; the right ones of such a file are not stored either."""
    rows = [
        (local(DAY_0), FAST, "1", "mg/m3", "N"),
        ("2024-13-01 08:00", FAST, "1", "", ""),
        (local(DAY_0), "DA001.nux", "1", "", ""),
        (local(NOW_MS + DAY_MS), FAST, "1", "", ""),
        (local(DAY_0), FAST, "1,5", "", ""),
        (local(DAY_0), FAST, "1", "kg", ""),
        (local(DAY_0), FAST, "", "", ""),
        (local(DAY_0), FAST, "1", "", "?"),
        (local(DAY_0), "", "1", "", ""),
        ("1990-01-01 08:00", FAST, "1", "", ""),
        (local(DAY_0), OTHER, "1", "", "", "what is this"),
    ]
    found = read(a_csv(tmp_path / "bad.csv", rows, "时间", "测点", "数值", "单位", "标记"), kept)
    assert found.staged is None
    said = found.problems.words("bad.csv", "en")
    assert [one.partition(": ")[0] for one in said] == [f"bad.csv:{line}" for line in range(3, 13)]
    for part, sentence in zip(
        ("is no time", "did you mean DA001.nox", "in the future", "1,5 is no number", "kg does not convert to mg/m3",
         "has no value", "? is no flag", "names no point", "before 2000", "more than the 5 cells"), said, strict=True,
    ):  # fmt: skip
        assert part in sentence
    assert all("：" in one for one in found.problems.words("bad.csv", "zh"))
    assert everything(kept.store) == []
    assert list(kept.store.path.with_name("plantmon.import").iterdir()) == []


def test_only_the_first_problems_are_named(kept: Replay, tmp_path: Path) -> None:
    """A file without one right line is told of in fifty sentences and a count."""
    found = read(a_csv(tmp_path / "bad.csv", [(local(DAY_0), FAST, "x")] * 1000), kept)
    said = found.problems.words("bad.csv", "en")
    assert (len(said), said[-1]) == (MOST_NAMED + 1, f"… and {1000 - MOST_NAMED} more")


def test_a_file_must_not_contradict_itself(kept: Replay, tmp_path: Path) -> None:
    """Equal lines count once; another value for the same point and time refuses the file and names both lines."""
    rows = [(local(DAY_0), FAST, 1.0), (local(DAY_0), OTHER, 2.0), (local(DAY_0), FAST, 1.0)]
    assert take(a_csv(tmp_path / "twice.csv", list(rows)), kept)["fresh"] == 2
    found = read(a_csv(tmp_path / "contra.csv", [*rows, (local(DAY_0), OTHER, 2.5)]), kept)
    assert found.problems.words("contra.csv", "en") == [
        "contra.csv:5: has another value for the point and time of line 3"
    ]


@pytest.mark.parametrize(
    ("headings", "said"),
    [
        (("moment", "point", "value"), "no column is headed time"),
        (("time", "point", "amount"), "no column is headed value"),
        (("time", "value", "unit"), "no column names a point"),
        (("time", "point", "value", "remark"), "column remark is none of"),
        (("time", "DA001.nox", "DA001.nox (mg/m3)"), "two columns stand for"),
        (("time", "DA001.nux"), "no point DA001.nux"),
    ],
)
def test_headings_that_do_not_fit_are_named(
    kept: Replay, tmp_path: Path, headings: tuple[str, ...], said: str
) -> None:  # fmt: skip
    """What the columns mean is never guessed."""
    row = (local(DAY_0), *["1"] * (len(headings) - 1))
    found = read(a_csv(tmp_path / "heads.csv", [row], *headings), kept)
    assert said in "\n".join(found.problems.words("heads.csv", "en"))
    assert found.staged is None


def test_unknown_points_are_passed_over_where_that_is_wanted(kept: Replay, tmp_path: Path) -> None:
    """With the option the rest is taken, and what was passed over is counted by name."""
    rows: list[tuple[object, ...]] = [(local(DAY_0), FAST, 1.0), (local(DAY_0), "X1", 2.0), (local(DAY_0), "X1", 3.0)]
    found = read(a_csv(tmp_path / "more.csv", rows), kept, skips_unknown=True)
    assert (found.staged is not None, found.skipped) == (True, {"X1": 2})
    cells: list[tuple[object, ...]] = [(local(DAY_0 + 10_000), 1.0, 2.0, "")]
    found = read(a_csv(tmp_path / "wide.csv", cells, "time", FAST, "X2", "X3"), kept, skips_unknown=True)
    assert (found.staged is not None, found.skipped) == (True, {"X2": 1, "X3": 0})


def test_values_come_in_their_points_units(kept: Replay, tmp_path: Path) -> None:
    """Units are converted as the feed's are: by row, or by the heading of a point's column; GB18030 is read too."""
    path = tmp_path / "units.csv"
    path.write_text(
        "厂区记录\n时间;测点;数值;单位\n2024/10/4 8:00;E-MAIN;2.5;MWh\n2024/10/4 8:15;E-MAIN;2600;\n", "gb18030"
    )
    assert take(path, kept)["fresh"] == 2
    wide = a_csv(tmp_path / "wide.csv", [("2024-10-04 08:30", "2.7", "0.5")], "时间", "E-MAIN（MWh）", f"{FAST} [g/m3]")
    assert take(wide, kept)["fresh"] == 2
    assert [(name, value) for _, name, value, *_ in everything(kept.store)] == [
        (METER, 2500.0), (METER, 2600.0), (FAST, 500.0), (METER, 2700.0)
    ]  # fmt: skip


def test_an_analysts_parquet_is_taken(kept: Replay, tmp_path: Path) -> None:
    """Times without zone are the plant's clock, as a data frame has them; integers are numbers too."""
    at = np.array(["2024-10-04T08:00:00", "2024-10-04T08:00:10"], "datetime64[us]")
    table = pa.table({"time": at, FAST: pa.array([5, None], pa.int32()), OTHER: [1.5, 2.5]})
    pq.write_table(table, tmp_path / "wide.parquet")
    assert take(tmp_path / "wide.parquet", kept)["fresh"] == 3
    assert [row[:3] for row in everything(kept.store)] == [
        (DAY_0, FAST, 5.0), (DAY_0, OTHER, 1.5), (DAY_0 + 10_000, OTHER, 2.5)
    ]  # fmt: skip


def test_a_damaged_parquet_is_refused(kept: Replay, tmp_path: Path) -> None:
    """One changed byte in the middle, and the file is refused whole."""
    path = tmp_path / "one.parquet"
    pq.write_table(
        pa.table({"time": np.arange(5000) * 10_000 + DAY_0, FAST: np.random.default_rng(1).random(5000)}), path,
        write_page_checksum=True, use_dictionary=False, compression="none",
    )  # fmt: skip
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(TableError):
        read(path, kept)
    assert list(kept.store.path.with_name("plantmon.import").iterdir()) == []


def test_declared_states_and_corrections_are_written_out(tmp_path: Path) -> None:
    """An export says of each reading what was sent, and how it counts after marks and corrections."""
    kept = a_store(tmp_path / "kept")
    take(a_csv(tmp_path / "a.csv", [(DAY_0 + at * 10_000, FAST, at + 1) for at in range(3)]), kept)
    number = kept.pipeline.numbers[FAST]

    def declare(connection: Any) -> None:
        declarations.add_correction(connection, kept.plant.time, number, DAY_0, 7.5, "li", "drift", NOW_MS)
        span = (DAY_0 + 10_000, DAY_0 + 20_000)
        declarations.add_mark(
            connection, kept.plant.time, "DA001", FAST, span, State.MAINTENANCE, "li", "filter", NOW_MS
        )

    kept.store.write(declare)
    out = tmp_path / "out.parquet"
    assert write(kept.store, kept.plant, Form.PARQUET, out) == 3
    columns = pq.read_table(out).select(["value", "counted", "state", "mark", "correction"]).to_pydict()
    assert {name: list(values) for name, values in columns.items()} == {
        "value": [1.0, 2.0, 3.0], "counted": [7.5, 2.0, 3.0], "state": ["normal", "maintenance", "normal"],
        "mark": [None, 1, None], "correction": [1, None, None],
    }  # fmt: skip
    assert pq.read_schema(out).field("ts").type == pa.timestamp("ms", tz="Asia/Shanghai")


def test_what_arrives_meanwhile_stands(tmp_path: Path) -> None:
    """A reading that comes after the comparison and says otherwise stands; the file's is kept among the rejected."""
    kept = a_store(tmp_path / "kept")
    found = read(a_csv(tmp_path / "a.csv", [(NOW_MS - 60_000, FAST, 1), (NOW_MS - 50_000, FAST, 2)]), kept)
    assert found.staged is not None
    store_rows = kept.pipeline.importing._store_rows

    def meanwhile(*arguments: Any) -> None:
        feed(kept, [(NOW_MS - 60_000, FAST, 9.0)])
        store_rows(*arguments)

    kept.pipeline.importing._store_rows = meanwhile  # type: ignore[method-assign]
    done, answer = kept.pipeline.importing.run(found.staged, "li", "en", lambda: NOW_MS)
    assert (done, answer["fresh"], answer["known"], answer["conflicts"]) == (True, 1, 0, 1)
    assert [row[2] for row in everything(kept.store)] == [9.0, 2.0]
    with kept.store.readers.snapshot() as connection:
        assert [row[:3] for row in totals(connection)] == [("conflict", "import/a.csv", 1)]


def test_readings_older_than_anything_make_windows(kept: Replay, tmp_path: Path) -> None:
    """Weeks before the first reading windows begin with the file's; the feed's lateness is not a file's."""
    old = DAY_0 - 20 * DAY_MS  # at NOW_MS far beyond the lateness of the feed
    take(a_csv(tmp_path / "now.csv", [(DAY_0 + at * 900_000, METER, 1000 + at) for at in range(9)]), kept)
    kept.settle()
    take(a_csv(tmp_path / "old.csv", [(old + at * 900_000, METER, at) for at in range(9)]), kept)
    kept.settle()
    with kept.store.readers.snapshot() as connection:
        found = windows.span(connection, "1h", kept.pipeline.numbers[METER], old, old + 2 * HOUR_MS)
    assert [one.amount for one in found] == [4_000_000, 4_000_000]
