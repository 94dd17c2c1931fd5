"""This module proves the tree of meters, tariff periods, shifts and demand, from stored plants worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from meter_story import MICRO, MONDAY, ONE, QUARTER_MS, TIME, Meters, meter, plant
from story import Row

from plantmon.model.plant import ClockSpan
from plantmon.reports.meter_clock import FLAT, PEAK, REST, VALLEY, by_clock, demands, labels_of
from plantmon.reports.meters import Node, spans_of, table_of, tree
from plantmon.reports.tabular import Cell
from plantmon.store import ledger
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

METERS = (
    meter("E-MAIN", role="purchased"),
    meter("E-PAINT", parent="E-MAIN", unit="MWh"),
    meter("E-HALL", parent="E-MAIN", counts="rate", reading_unit="kW"),
    meter("E-HOURLY", HOUR_MS, role="generated"),
    meter("E-REST", terms=((ONE, "E-MAIN"), (Fraction(-1000), "E-PAINT"), (-ONE, "E-HALL"))),
    meter("E-SILENT"),
)
TARIFF = {
    PEAK: (ClockSpan(time(8), time(12)), ClockSpan(time(17, 10), time(21))),
    VALLEY: (ClockSpan(time(23), time(7)),),
}
SHIFTS = {"early": (ClockSpan(time(6), time(14)),), "night": (ClockSpan(time(22), time(6)),)}
DAY = (MONDAY, MONDAY + DAY_MS)


def load(turn: int) -> int:
    """Give the kWh on the main meter in a quarter of the day: 10, 30 from 8 to 16, and 50 from 17:00 to 17:15."""
    return 50 if turn == 68 else 30 if 32 <= turn < 64 else 10


def rows(days: int) -> list[Row]:
    """Give days of readings; a tenth of the main's load goes to the paint shop's meter, 20 kW to the hall."""
    found: list[Row] = []
    total = 0
    for turn in range(96 * days + 1):
        at = MONDAY + turn * QUARTER_MS
        found += [(at, "E-MAIN", float(total), "N"), (at, "E-PAINT", total / 10_000, "N"), (at, "E-HALL", 20.0, "N")]
        if turn % 4 == 0:
            found.append((at, "E-HOURLY", turn * 2.5, "N"))
        total += load(turn % 96)
    return found


DAILY = 63 * 10 + 32 * 30 + 50  # kWh


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meters]:
    """Give a plant after three days and a half hour."""
    folder: Path = tmp_path_factory.mktemp("meters")
    told = Meters(folder, plant(*METERS), now_ms=MONDAY)
    told.send(rows(3), MONDAY + 3 * DAY_MS)
    told.settle(MONDAY + 3 * DAY_MS + 2 * HOUR_MS)
    yield told
    told.close()


def nodes(story: Meters, span: tuple[int, int] = DAY) -> dict[str, Node]:
    """Give the tree by meter."""
    with story.store.readers.snapshot() as connection:
        return {node.point.id: node for node in tree(connection, story.pipeline.plant, story.pipeline.numbers, span)}


def test_tree(story: Meters) -> None:
    """Of 1640 kWh a day the paint shop has 164 and the hall 480; 996 are unexplained, as the rest meter says."""
    found = nodes(story)
    main = found["E-MAIN"]
    assert (main.used.amount, main.children, main.unexplained) == (DAILY * MICRO, 644 * MICRO, 996 * MICRO)
    assert [(name, node.depth) for name, node in found.items()][:3] == [("E-MAIN", 0), ("E-PAINT", 1), ("E-HALL", 1)]
    assert found["E-REST"].used.amount == 996 * MICRO
    assert (found["E-SILENT"].used.amount, found["E-SILENT"].children) == (None, None)


def test_spans_of_hours_and_days_are_sums_of_both(story: Meters) -> None:
    """From Monday 22:00 to Wednesday 09:00: 2 hours of 40, a day, 8 of 40 and one of 120."""
    found = nodes(story, (MONDAY + 22 * HOUR_MS, MONDAY + 57 * HOUR_MS))["E-MAIN"].used
    assert (found.amount, found.covered_ms) == ((80 + DAILY + 320 + 120) * MICRO, 35 * HOUR_MS)


def test_what_lies_ahead_is_not_covered(story: Meters) -> None:
    """Of a week three days are covered."""
    found = nodes(story, (MONDAY, MONDAY + 7 * DAY_MS))["E-MAIN"].used
    assert (found.amount, found.covered_ms, found.due_ms) == (3 * DAILY * MICRO, 3 * DAY_MS, 7 * DAY_MS)


def written(story: Meters, style: str, language: str = "en") -> list[dict[str, Cell]]:
    """Give the tree's rows of Monday."""
    with story.store.readers.snapshot() as connection:
        headings, found = table_of(connection, story.pipeline.plant, story.pipeline.numbers, [DAY], style, language)
    return [dict(zip(headings, row, strict=True)) for row in found]


def test_rows_of_the_tree(story: Meters) -> None:
    """Rows hold units, shares in percent and what is missing; for a terminal children are indented."""
    main = written(story, "json")[0]
    assert (main["meter"], main["role"], main["amount"], main["unit"]) == ("E-MAIN", "purchased", 1640.0, "kWh")
    assert (main["unexplained_pct"], main["coverage_pct"], main["estimated_pct"]) == (60.73, 100.0, 0.0)
    silent = written(story, "json")[-1]
    assert (silent["amount"], silent["note"]) == (None, "no readings")
    assert [row["计量表"] for row in written(story, "table", "zh")][:2] == ["E-MAIN", "  E-PAINT"]


@pytest.mark.parametrize(
    ("billed", "share", "said"), [("1600", 2.5, True), ("1640", 0.0, False), ("1610", 1.86, False)]
)
def test_bill(tmp_path: Path, billed: str, share: float, said: bool) -> None:
    """What the meter counted is compared with the bills inside the span; beyond 2 % the note says so."""
    told = Meters(tmp_path, plant(*METERS), now_ms=MONDAY)
    told.send(rows(2), MONDAY + 2 * DAY_MS)
    told.settle(MONDAY + 2 * DAY_MS + 2 * HOUR_MS)
    for start, value in ((MONDAY, billed), (MONDAY - DAY_MS, "7")):
        line = ledger.NewLine("2026-03-02", start, MONDAY + DAY_MS, "bill.E-MAIN", Decimal(value), "kWh", value, "", "")
        told.store.write(lambda connection, line=line: ledger.add(connection, line, "li", told.now_ms))  # type: ignore[misc]
    main = written(told, "json")[0]
    assert (main["bill"], main["bill_pct"]) == (float(billed), share)
    assert (main["note"] == "differs from the bill by more than 2 %") is said
    told.close()


def test_gap_is_told_as_estimated(tmp_path: Path) -> None:
    """Over a gap from 3:30 to 6:30 the hours 3 to 6 hold part of it: 160 of 1640 kWh."""
    told = Meters(tmp_path, plant(*METERS), now_ms=MONDAY)
    gap = (MONDAY + 14 * QUARTER_MS, MONDAY + 26 * QUARTER_MS)
    told.send([row for row in rows(1) if not gap[0] < row[0] < gap[1]], MONDAY + DAY_MS)
    told.settle(MONDAY + DAY_MS + 2 * HOUR_MS)
    assert nodes(told)["E-MAIN"].estimated == 160 * MICRO
    assert nodes(told)["E-MAIN"].used.amount == DAILY * MICRO
    told.close()


def amounts(story: Meters, name: str, named: dict[str, tuple[ClockSpan, ...]], rest: str) -> dict[str, object]:
    """Give what a meter counted by the clock on Monday, in micro-units."""
    with story.store.readers.snapshot() as connection:
        works, numbers = story.pipeline.plant, story.pipeline.numbers
        found = by_clock(connection, works, numbers, name, DAY, labels_of(named, rest))
    assert sum(one.due_ms for one in found.values()) == DAY_MS
    return {key: one.amount for key, one in found.items()}


def test_tariff(story: Meters) -> None:
    """Peak is 8-12 and 17:10-21:00: 16 x 30, a third of the 50 of 17:00, and 15 x 10; valley 32 x 10; flat the rest."""
    found = amounts(story, "E-MAIN", TARIFF, FLAT)
    third = 16_666_667  # 50 / 3 in micro-units: what is left of the quarter at 17:10, which is quantised to 33,333,333
    assert found == {
        PEAK: (480 + 150) * MICRO + third,
        VALLEY: 320 * MICRO,
        FLAT: (DAILY - 480 - 150 - 320) * MICRO - third,
    }


def test_tariff_of_a_virtual_meter(story: Meters) -> None:
    """The rest's peak is the main's less the paint shop's tenth and the hall's 20 kW: 7:50 h of 20 is 156.666667."""
    found = amounts(story, "E-REST", TARIFF, FLAT)
    exact = (Fraction(630) + Fraction(50, 3)) * Fraction(9, 10) - 20 * (4 + Fraction(23, 6))
    peak = found[PEAK]
    assert isinstance(peak, int)
    # An edge of a part in MWh is known to 1e-6 MWh, which is 1e-3 kWh.
    assert abs(peak - exact * MICRO) <= 1000
    assert sum(amount for amount in found.values() if isinstance(amount, int)) == 996 * MICRO


def test_shifts(story: Meters) -> None:
    """Early is 6-14: 8 x 10 and 24 x 30; the night 22-6: 32 x 10; the rest is no shift."""
    assert amounts(story, "E-MAIN", SHIFTS, REST) == {
        "early": 800 * MICRO, "night": 320 * MICRO, REST: (DAILY - 1120) * MICRO,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "at_ms", "length"),
    [
        ("E-MAIN", 200.0, MONDAY + 17 * HOUR_MS, QUARTER_MS),  # 50 kWh in a quarter
        ("E-HALL", 20.0, MONDAY, QUARTER_MS),
        ("E-REST", 160.0, MONDAY + 17 * HOUR_MS, QUARTER_MS),  # 200 - 20 - 20
        ("E-HOURLY", 10.0, MONDAY, HOUR_MS),
    ],
)
def test_demand(story: Meters, name: str, value: float, at_ms: int, length: int) -> None:
    """The highest quarter of the month, of a meter read hourly the highest hour; of equal ones the first."""
    with story.store.readers.snapshot() as connection:
        [(_, found)] = demands(
            connection, story.pipeline.plant, story.pipeline.numbers, name, (MONDAY, MONDAY + DAY_MS)
        )
    assert found is not None
    assert (found.value, found.at_ms, found.length_ms) == (pytest.approx(value, abs=1e-2), at_ms, length)


def test_demand_without_readings_is_unknown(story: Meters) -> None:
    """A silent meter has no demand."""
    with story.store.readers.snapshot() as connection:
        works, numbers = story.pipeline.plant, story.pipeline.numbers
        assert [one for _, one in demands(connection, works, numbers, "E-SILENT", DAY)] == [None]


def test_spans() -> None:
    """A time is widened to full hours and cut at local midnights or months."""
    works = plant(*METERS)
    start, end = TIME.parse("2026-03-30T10:20"), TIME.parse("2026-04-01T08:00") + MINUTE_MS
    wide = (TIME.parse("2026-03-30T10:00"), TIME.parse("2026-04-01T09:00"))
    april = TIME.parse("2026-04-01")
    assert spans_of(works, start, end, None) == [wide]
    assert spans_of(works, start, end, "1mo") == [(wide[0], april), (april, wide[1])]
    assert len(spans_of(works, start, end, "1d")) == 3
    assert spans_of(works, start, start, "1d") == []
