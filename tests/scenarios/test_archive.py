"""This module holds that an archived store computes the same bits as one that keeps every reading in SQLite."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable
from pathlib import Path

from archive_store import MakesHere, run_all
from builders import a_limit, a_plant, a_point
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from quarter_story import COMPUTED, rows_of
from story import FEEDS, Row, Story

from plantmon.archive.stage import Archivist
from plantmon.model.plant import Kind, Plant, Register
from plantmon.sealed.reader import READER
from plantmon.store import archive

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
DAY_0 = 20_000 * DAY_MS
DAYS = 4
FAST, SLOW, METER = "DA001.nox", "DA001.so2", "E-MAIN"


def plant() -> Plant:
    """Give a plant with an hourly, a daily and a single-reading limit on fast and slow points, and a meter."""
    fast = a_point(FAST, interval_ms=60_000)
    slow = a_point(SLOW, quantity="so2", interval_ms=HOUR_MS)
    meter = a_point(METER, outlet=None, quantity="electricity", unit="kWh", kind=Kind.COUNTER, interval_ms=900_000,
                    range_low=None, range_high=None, register=Register((), None, None, None, None, None))  # fmt: skip
    limits = (
        a_limit(fast),
        a_limit(fast, window="1d", key="DA001/nox/concentration/1d/permit/-"),
        a_limit(fast, window="reading", maximum=90.0, key="DA001/nox/concentration/reading/permit/-"),
        a_limit(slow),
        a_limit(slow, window="reading", maximum=90.0, key="DA001/so2/concentration/reading/permit/-"),
    )
    return a_plant((fast, slow, meter), limits, feeds=FEEDS)


def rows_from(seed: int, share: float) -> list[Row]:
    """Make some readings of each point over the days: some missing, some flagged, some beyond their limit."""
    rng = random.Random(seed)
    rows: list[Row] = []
    total = 0.0
    for name, step in ((FAST, 300_000), (SLOW, HOUR_MS), (METER, 1_800_000)):
        for ts in range(DAY_0, DAY_0 + DAYS * DAY_MS, step):
            total += rng.uniform(0, 3)
            value = round(total, 2) if name == METER else rng.choice([round(rng.uniform(20, 99), 1), rng.gauss(50, 20)])
            if rng.random() < share:
                rows.append((ts + rng.randrange(0, 60_000), name, value, rng.choice(["N"] * 8 + ["D", "T"])))
    return rows


def told(folder: Path, early: list[Row], late: list[Row], raw_days: int | None, sealed: set[int]) -> Story:
    """Tell the readings, seal some days between the early and the late ones, and recompute everything."""
    story = Story(folder, plant(), now_ms=DAY_0)
    now_ms = DAY_0 + (DAYS + 1) * DAY_MS
    _send(story, early, now_ms)
    story.settle(now_ms)
    for day in sealed if raw_days is not None else ():
        story.store.write(lambda connection, day=day: archive.begin(connection, DAY_0 + day * DAY_MS))
    if raw_days is not None:
        archivist = Archivist(story.store, MakesHere(), 365 * DAY_MS, raw_days * DAY_MS)
        run_all(archivist, now_ms)
    _send(story, late, now_ms)
    story.settle(now_ms)
    if raw_days is not None:
        run_all(archivist, now_ms + HOUR_MS)
        story.settle(now_ms)
    story.pipeline.recompute(DAY_0 - DAY_MS, now_ms, now_ms)
    return story


def _send(story: Story, rows: Iterable[Row], now_ms: int) -> None:
    rows = list(rows)
    for first in range(0, len(rows), 500):
        story.send(rows[first : first + 500], now_ms)


def computed(story: Story) -> dict[str, list[tuple[object, ...]]]:
    """Give all that was computed."""
    with story.store.readers.snapshot() as connection:
        return {table: rows_of(connection, table) for table in COMPUTED}


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=some.integers(0, 1 << 30),
    share=some.sampled_from([0.3, 0.9]),
    late_share=some.sampled_from([0.0, 0.1, 0.5]),
    sealed=some.sets(some.integers(0, DAYS - 1), min_size=1),
    raw_days=some.integers(0, DAYS + 1),
)
def test_any_days_sealed_give_the_same_bits(
    seed: int, share: float, late_share: float, sealed: set[int], raw_days: int
) -> None:
    """Whatever days are sealed or let go of, and whatever comes late: windows and verdicts are the same bytes."""
    rows = rows_from(seed, share)
    rng = random.Random(seed)
    is_late = [rng.random() < late_share for _ in rows]
    early = [row for row, late in zip(rows, is_late, strict=True) if not late]
    late = [row for row, late in zip(rows, is_late, strict=True) if late]
    again = rng.sample(early, 20)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        plain = told(Path(one), early, late + again, None, sealed)
        archived = told(Path(other), early, late + again, raw_days, sealed)
        assert computed(archived) == computed(plain)
        plain.store.close()
        archived.store.close()


def test_a_missing_file_holds_up_its_own_day_alone(tmp_path: Path) -> None:
    """What needs a file that is away waits and says so; the rest is computed, and all of it once the file is back."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "archived").mkdir()
    rows = rows_from(7, 0.9)
    plain = told(tmp_path / "plain", rows, [], None, set())
    archived = told(tmp_path / "archived", rows, [], 0, {0, 1})
    now_ms = DAY_0 + (DAYS + 1) * DAY_MS
    late = [(DAY_0 + at, FAST, 99.5, "N") for at in (1, DAY_MS + 1, 3 * DAY_MS + 1)]
    path = next((tmp_path / "archived" / "archive").rglob("2024-10-04.parquet"))
    path.rename(path.with_suffix(".away"))
    READER.close()  # it has the file open
    for story in (plain, archived):
        story.send(late, now_ms)
        story.settle(now_ms)
    assert archived.pipeline.unreadable == f"{path}: No such file or directory"
    assert computed(archived) != computed(plain)
    later, expected = (
        [row for row in computed(story)["window"] if row[0] == "1h" and row[1] >= DAY_0 + DAY_MS]
        for story in (archived, plain)
    )
    assert later == expected
    path.with_suffix(".away").rename(path)
    archived.settle(now_ms + 600_000)
    plain.settle(now_ms + 600_000)
    assert archived.pipeline.unreadable is None
    assert computed(archived) == computed(plain)
    plain.store.close()
    archived.store.close()
