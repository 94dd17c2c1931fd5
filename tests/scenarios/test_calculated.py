"""This module proves calculated points end to end: by hand, in any order, late, again; and that they never speak.

Readings are multiples of 1/8, so that their means and differences are exact and can be worked out as fractions.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from builders import a_limit, a_plant, a_point
from replay import Replay
from story import FEEDS, Row, Story

from plantmon.averages.rounding import significant_one
from plantmon.model.plant import Plant
from plantmon.model.reading import State
from plantmon.model.window import Window
from plantmon.store import declarations, minutes, rejected, windows
from plantmon.times import HOUR_MS, MINUTE_MS
from simulators.faults import Delivery

START = 1_583_020_800_000  # 2020-03-01 08:00 in Shanghai
HOURS = 4
AFTER = START + (HOURS + 1) * HOUR_MS

THC = a_point("DA002.thc", quantity="thc", interval_ms=30_000, range_low=-5.0, range_high=1000.0)
CH4 = a_point("DA002.ch4", quantity="ch4", interval_ms=MINUTE_MS, range_low=-5.0, range_high=1000.0)
NMHC = a_point(
    "DA002.nmhc", quantity="nmhc", interval_ms=MINUTE_MS, range_low=None, range_high=None,
    formula="thc - ch4", parts=("DA002.thc", "DA002.ch4"),
)  # fmt: skip
SLOW = a_point("DA003.thc", quantity="thc", interval_ms=10 * MINUTE_MS, range_low=-5.0, range_high=1000.0)
REMOVED = a_point(
    "DA003.removed", quantity="temperature", unit="%", interval_ms=MINUTE_MS, range_low=None, range_high=None,
    formula="(thc - DA002.nmhc) / thc * 100", parts=("DA003.thc", "DA002.nmhc"),
)  # fmt: skip
LIMIT = a_limit(NMHC, key="nmhc-1h", maximum=20.0)
PLANT = a_plant((THC, CH4, NMHC, SLOW, REMOVED), (LIMIT,), feeds=FEEDS)
TOPICS = {point: f"p/{point.replace('.', '/')}" for point in PLANT.points}


def value_of(point: str, at_ms: int) -> float:
    """Give what a monitor shows: eighths that go up and down, NMHC partly below zero."""
    turn = (at_ms - START) // 30_000
    if point == CH4.id:
        return 2.0 + (turn % 16) / 8
    return (80.0 if point == SLOW.id else 0.0) + (turn % 48) / 8


def rows(holes: bool = True) -> list[Row]:
    """Give all readings in time order; of the second hour CH4 misses 20 minutes, of the third one minute is flagged."""
    made = []
    for point in (THC, CH4, SLOW):
        for at in range(START, START + HOURS * HOUR_MS, point.interval_ms):
            minute = (at - START) // MINUTE_MS
            if point is CH4 and holes and 70 <= minute < 90:
                continue
            flag = "M" if point is THC and holes and minute == 130 else "N"
            made.append((at, point.id, value_of(point.id, at), flag))
    return sorted(made)


def minute_of_nmhc(minute: int) -> Fraction | None:
    """Work a minute of NMHC out by other means: two readings of THC, one of CH4; None where one is missing."""
    if 70 <= minute < 90 or minute == 130:
        return None
    at = START + minute * MINUTE_MS
    thc = sum(Fraction(value_of(THC.id, at + half)) for half in (0, 30_000)) / 2
    return thc - Fraction(value_of(CH4.id, at))


def minute_of_removed(minute: int) -> Fraction | None:
    """Work a minute of the removal efficiency out: the slow THC stands until its next value."""
    nmhc = minute_of_nmhc(minute)
    if nmhc is None:
        return None
    raw = Fraction(value_of(SLOW.id, START + minute // 10 * 10 * MINUTE_MS))
    return (raw - nmhc) / raw * 100


def hour_of(minute: Callable[[int], Fraction | None], hour: int) -> tuple[float, float, float, int]:
    """Give mean, minimum, maximum and number of an hour's valid minutes."""
    found = [value for place in range(hour * 60, hour * 60 + 60) if (value := minute(place)) is not None]
    return float(sum(found) / len(found)), float(min(found)), float(max(found)), len(found)


def replay(folder: Path, plant: Plant = PLANT) -> Replay:
    """Begin a replay; every store of it has the points' numbers in the file's order."""
    folder.mkdir(exist_ok=True)
    return Replay(folder, plant, START)


def fed(made: Replay, found: list[Row], piece: int = 10_000) -> Replay:
    """Deliver rows in their order in pieces, the stages running after each."""
    for first in range(0, len(found), piece):
        part = [Delivery(row[0], *row) for row in found[first : first + piece]]
        made.feed(part, TOPICS)
        made.settle()
    made.settle(AFTER)
    return made


def hours(made: Replay, point: str) -> list[Window]:
    """Give a point's hours."""
    with made.store.readers.snapshot() as connection:
        return windows.span(connection, "1h", made.pipeline.numbers[point], START, AFTER)


def derived(made: Replay) -> dict[str, object]:
    """Give everything derived, to be compared bit for bit."""
    tables: dict[str, object] = dict(made.dump(["minutes", "window", "closed"]))
    with made.store.readers.snapshot() as connection:
        select = 'SELECT limit_key, start, "end", outcome, reason, value, bound FROM verdict ORDER BY 1, 2'
        tables["verdict"] = connection.execute(select).fetchall()
        tables["touched"] = connection.execute("SELECT * FROM touched").fetchall()
    return tables


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Give the readings delivered in order, half an hour at a time."""
    return fed(replay(tmp_path_factory.mktemp("in_order")), rows(), 105)


@pytest.mark.parametrize(("point", "minute"), [(NMHC.id, minute_of_nmhc), (REMOVED.id, minute_of_removed)])
def test_hours_by_fractions(in_order: Replay, point: str, minute: Callable[[int], Fraction | None]) -> None:
    """Each hour is the mean of its minutes' formulas, negative ones among them; 40 valid minutes are no valid hour."""
    made = hours(in_order, point)
    assert [window.start for window in made] == [START + hour * HOUR_MS for hour in range(HOURS)]
    for place, window in enumerate(made):
        mean, low, high, valid = hour_of(minute, place)
        found = (window.mean, window.minimum, window.maximum, window.lower_bound)
        assert found == (pytest.approx(mean, rel=1e-11), pytest.approx(low), pytest.approx(high), None)
        assert (window.due, window.valid, window.is_valid) == (60, valid, valid >= 45)
    assert [window.valid for window in made] == [60, 40, 59, 60]
    assert [window.had for window in made] == [60, 40, 60, 60]
    assert point != NMHC.id or min(window.minimum or 0 for window in made) < 0


def test_a_mean_below_zero_is_kept(in_order: Replay) -> None:
    """One minute's value is exact: THC at 0 and 1/8, CH4 at 2 make -1.9375."""
    with in_order.store.readers.snapshot() as connection:
        block = minutes.read(connection, START, [in_order.pipeline.numbers[NMHC.id]]).popitem()[1]
    assert block.mean[0] == significant_one(-1.9375)


def shuffled(found: list[Row]) -> list[Row]:
    """Give readings in another order."""
    mixed = list(found)
    random.Random(7).shuffle(mixed)
    return mixed


def one_part_late(found: list[Row]) -> list[Row]:
    """Give methane after everything else."""
    return sorted(found, key=lambda row: (row[1] == CH4.id, row))


def slow_part_late(found: list[Row]) -> list[Row]:
    """Give the slow monitor after everything else, newest first."""
    return sorted(found, key=lambda row: (row[1] == SLOW.id, -row[0] if row[1] == SLOW.id else row[0], row[1]))


@pytest.mark.parametrize("order", [sorted, shuffled, one_part_late, slow_part_late, lambda found: found[::-1]])
@pytest.mark.parametrize("piece", [90, 10_000])
def test_any_order_gives_the_same_bits(
    in_order: Replay, tmp_path: Path, order: Callable[[list[Row]], list[Row]], piece: int
) -> None:
    """In whatever order and in whatever pieces the readings come, minutes, windows and verdicts are the same bits."""
    assert derived(fed(replay(tmp_path / "other"), order(rows()), piece)) == derived(in_order)


def test_recompute_changes_nothing(in_order: Replay) -> None:
    """Computing everything again comes out the same."""
    before = derived(in_order)
    assert in_order.pipeline.recompute(START, AFTER, in_order.now_ms) == (0, 0)
    assert in_order.pipeline.windows.find_holes() == 0
    assert derived(in_order) == before


def test_late_part_reopens(tmp_path: Path, in_order: Replay) -> None:
    """Methane that was missing and comes later makes the hour valid, and its verdict with it."""
    made = fed(replay(tmp_path / "late"), rows())
    assert derived(made) == derived(in_order)
    whole = fed(replay(tmp_path / "whole"), rows(holes=False))
    missing = [row for row in rows(holes=False) if row not in rows() and row[1] == CH4.id]
    assert len(missing) == 20
    fed(made, missing)
    assert hours(made, NMHC.id)[1].valid == 60
    assert hours(made, NMHC.id)[1] == hours(whole, NMHC.id)[1]
    assert hours(made, REMOVED.id)[1] == hours(whole, REMOVED.id)[1]
    assert made.pipeline.recompute(START, AFTER, made.now_ms) == (0, 0)


def test_windows_begin_with_the_latest_part(tmp_path: Path) -> None:
    """Two hours of one part alone make no windows; when the other's older readings come they do."""
    made = replay(tmp_path / "first")
    late = [row for row in rows() if row[1] == CH4.id and row[0] < START + 2 * HOUR_MS]
    fed(made, [row for row in rows() if row not in late])
    assert [window.start for window in hours(made, NMHC.id)] == [START + 2 * HOUR_MS, START + 3 * HOUR_MS]
    fed(made, late)
    assert derived(made) == derived(fed(replay(tmp_path / "all"), rows()))


def test_over_range_part(tmp_path: Path) -> None:
    """With THC over range for five minutes the hour is over range and bounded; with CH4 it is not judged."""
    for place, (part, outcome) in enumerate(((THC, "exceed_at_least"), (CH4, "not_judged"))):
        made = replay(tmp_path / str(place))
        top = START + 5 * MINUTE_MS
        fed(made, [(*row[:2], 2000.0, "N") if row[1] == part.id and row[0] < top else row for row in rows()])
        first = hours(made, NMHC.id)[0]
        assert first.over_range == 5
        if part is THC:
            known = [1000 - Fraction(value_of(CH4.id, START + minute * MINUTE_MS)) for minute in range(5)]
            known += [value for minute in range(5, 60) if (value := minute_of_nmhc(minute)) is not None]
            assert first.lower_bound == pytest.approx(float(sum(known) / 60), rel=1e-11)
        else:
            assert first.lower_bound is None
        with made.store.readers.snapshot() as connection:
            said = connection.execute("SELECT outcome, reason FROM verdict WHERE start = ?", (START,)).fetchone()
        assert said == (outcome, None if part is THC else "over_range")


def test_a_mark_of_the_calculated_point(tmp_path: Path, in_order: Replay) -> None:
    """What is declared of a calculated point takes its minutes out, and leaves its parts alone."""
    made = fed(replay(tmp_path / "marked"), rows())
    span = (START + 10 * MINUTE_MS, START + 30 * MINUTE_MS)
    said = ("DA002", NMHC.id, span, State.MAINTENANCE, "li", "compared", AFTER)
    made.store.write(lambda connection: declarations.add_mark(connection, PLANT.time, *said))
    made.settle()
    assert (hours(made, NMHC.id)[0].valid, hours(made, THC.id)[0].valid) == (40, 60)
    assert hours(made, NMHC.id)[1:] == hours(in_order, NMHC.id)[1:]


def test_a_message_for_it_is_rejected(tmp_path: Path) -> None:
    """A calculated point takes no readings, of any format, and the reason says so."""
    story = Story(tmp_path, PLANT)
    story.send([(START, NMHC.id, 5.0, "N"), (START, THC.id, 5.0, "N")])
    with story.store.readers.snapshot() as connection:
        ((reason, _, _, point, _, detail, _, _),) = rejected.payloads(connection, None, 10)
    assert (reason, point, detail) == ("unknown_point", NMHC.id, "DA002.nmhc is calculated and takes no readings")
    story.close()


def test_it_is_never_silent(tmp_path: Path) -> None:
    """While all its parts speak nothing is silent; when they all fall silent the outlet is, without it."""
    story = Story(tmp_path, PLANT)
    story.send([(START, point.id, 5.0, "N") for point in (THC, CH4, SLOW)])
    story.listen(START + 1_000, START)
    assert story.standing() == []
    story.send([(START + 10 * MINUTE_MS, SLOW.id, 5.0, "N")])
    story.listen(START + 10 * MINUTE_MS + 1_000, START)
    assert story.standing() == ["silent_outlet:DA002"]
    story.close()
