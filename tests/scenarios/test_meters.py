"""This module tells what happens to meters, through the whole pipeline: each story with its total worked by hand.

Every story is told in several orders of arrival; amounts are in 1e-6 unit, so that nothing is rounded away. The day is
the 2nd of March 2026 in Shanghai; readings are a quarter of an hour apart unless said.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meter_story import MICRO, MONDAY, NOON, ONE, QUARTER_MS, TIME, Meters, meter, plant
from story import Row

from plantmon.model.plant import Point, RatioSpan
from plantmon.reports.meters import tree, used
from plantmon.store import points, windows
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS


@dataclass(frozen=True)
class Tale:
    """Registers at times (minutes after noon), what was declared (minute, final, initial), and what must come out."""

    readings: Sequence[tuple[float, float]]
    amount: str
    events: Sequence[str] = ()
    changes: Sequence[tuple[float, float, float]] = ()
    point: Point = meter()  # noqa: RUF009 - frozen


RATED = meter(max_rate_per_h=1000.0)
WRAPS = meter(wraps_at=10_000.0, max_rate_per_h=1000.0)
NEW_CT = meter(ratios=(RatioSpan(40.0, None, MONDAY + DAY_MS // 2), RatioSpan(60.0, MONDAY + DAY_MS // 2, None)))

TALES = {
    "reset: from 0 again": Tale([(0, 500), (15, 510), (30, 4), (45, 9)], "19", ["reset"]),
    "roll-over: 9990 - 10000 - 7": Tale([(0, 9980), (15, 9990), (30, 7), (45, 17)], "37", ["roll_over"], (), WRAPS),
    # 8000 to 5000 is more than 1000 an hour explains from 0: nothing is counted for it.
    "replaced, undeclared": Tale([(0, 7990), (15, 8000), (30, 5000), (45, 5010)], "20", ["replaced"], (), RATED),
    # 10 to 8000, 6 to the final 8006, 4 from the initial 4996, 10 after.
    "replaced, declared": Tale([(0, 7990), (15, 8000), (30, 5000), (45, 5010)], "30", ["changed"],
                               [(20, 8006, 4996)], RATED),
    # Without declaration the rise to 9000 would count 1000.
    "replaced by a higher register, declared": Tale([(0, 7990), (15, 8000), (30, 9000), (45, 9010)], "26",
                                                    ["changed"], [(20, 8002, 8996)]),
    "brief zero": Tale([(0, 500), (15, 510), (30, 0), (45, 0), (60, 530), (75, 540)], "40", ["brief_zero"]),
    "slight fall": Tale([(0, 1000), (15, 1010), (30, 1005), (45, 1008), (60, 1013)], "13", ["slight_fall"]),
    # Silent from 12:15 to 15:15; it was reset to 0, counted 60, was reset again and stands at 25: 25 are proven.
    "two resets within one outage": Tale([(0, 500), (15, 510), (195, 25), (210, 30)], "40", ["reset"]),
    # The same with both declared: 540 at 13:00, then 60 at 14:00, then 25: 30 + 60 + 25.
    "two changes within one outage": Tale([(0, 500), (15, 510), (195, 25), (210, 30)], "130",
                                          ["changed", "changed"], [(60, 540, 0), (120, 60, 0)]),
    # 10 x 40 before noon, 10 x 60 after; between them no jump is counted.
    "ratio change at noon": Tale([(-15, 100), (0, 110), (15, 120)], "1000", [], (), NEW_CT),
    # 15 register units from 11:50 to 12:05: 10 x 40 + 5 x 60.
    "ratio change between readings": Tale([(-25, 90), (-10, 100), (5, 115), (20, 115)], "1100", [], (), NEW_CT),
    "pulses": Tale([(0, 99), (15, 10), (30, 0), (45, 25)], "3.5", [], (),
                   meter(counts="pulse", ratios=(RatioSpan(0.1, None, None),))),
    # 60 kW for a quarter, 20 for half an hour (two intervals), nothing known from 12:45 to 13:00, 40 for half an hour.
    "a rate": Tale([(0, 60), (15, 20), (60, 40)], "45", [], (), meter(counts="rate", reading_unit="kW")),
}  # fmt: skip


def tell(folder: Path, tale: Tale, order: str, *, late: bool) -> Meters:
    """Tell a story; `late`: everything but the first and last reading arrives after the day was closed."""
    story = Meters(folder, plant(tale.point), now_ms=MONDAY)
    rows: list[Row] = [(NOON + round(minute * MINUTE_MS), "E-MAIN", value, "N") for minute, value in tale.readings]
    if order == "backward":
        rows.reverse()
    if order == "shuffled":
        random.Random(len(rows)).shuffle(rows)
    ends = sorted(rows)[:: len(rows) - 1]
    first, rest = (ends, [row for row in rows if row not in ends]) if late else (rows, [])
    story.send(first, MONDAY + DAY_MS)
    story.settle(MONDAY + DAY_MS + HOUR_MS)
    for row in rest:
        story.send([row], story.now_ms + 1000)
        story.settle(story.now_ms)
    for minute, final, initial in tale.changes:
        story.change(NOON + round(minute * MINUTE_MS), final, initial)
        story.settle(story.now_ms)
    return story


@pytest.mark.parametrize("order", ["as sent", "backward", "shuffled", "late"])
@pytest.mark.parametrize("name", TALES)
def test_what_a_day_counts(tmp_path: Path, name: str, order: str) -> None:
    """Each story has its total and its events, in whatever order it arrives; the hours add up to the day."""
    tale = TALES[name]
    story = tell(tmp_path, tale, order, late=order == "late")
    assert story.events() == list(tale.events)
    assert story.day().amount == Fraction(tale.amount) * MICRO
    assert sum(one or 0 for one in story.hours()) == story.day().amount
    assert story.pipeline.recompute(MONDAY, MONDAY + DAY_MS, story.now_ms)[0] == 0
    story.close()


def test_rate_says_what_it_covers(tmp_path: Path) -> None:
    """Of the rate's time three quarters and two more are known: 75 minutes of the day."""
    story = tell(tmp_path, TALES["a rate"], "as sent", late=False)
    assert story.day().valid == 75 * MINUTE_MS
    story.close()


# Declared changes


@pytest.fixture
def replaced(tmp_path: Path) -> Meters:
    """Give a plant whose meter was replaced, with the alarm that says so."""
    story = tell(tmp_path, TALES["replaced, undeclared"], "as sent", late=False)
    assert story.standing() == [f"meter_event:E-MAIN:{NOON + 30 * MINUTE_MS}"]
    return story


def test_a_declared_change_ends_the_alarm(replaced: Meters) -> None:
    """What a person explains is no fault any more: the alarm ends, and says so."""
    replaced.change(NOON + 20 * MINUTE_MS, 8006, 4996)
    replaced.settle(replaced.now_ms)
    assert (replaced.events(), replaced.standing()) == (["changed"], [])
    assert replaced.told() == [("raised", "meter_event"), ("cleared", "meter_event")]
    replaced.close()


def test_a_change_that_is_withdrawn_counts_no_longer(replaced: Meters) -> None:
    """Taken back, everything is as it looked before, the alarm too; twice is refused, and a number there is not."""
    number = replaced.change(NOON + 20 * MINUTE_MS, 8006, 4996)
    replaced.settle(replaced.now_ms)
    assert replaced.ask("meter_withdraw", change=number)[0]
    replaced.settle(replaced.now_ms)
    assert (replaced.day().amount, replaced.events()) == (20 * MICRO, ["replaced"])
    assert replaced.standing() == [f"meter_event:E-MAIN:{NOON + 30 * MINUTE_MS}"]
    assert replaced.ask("meter_withdraw", change=number) == (False, {"error": f"change {number} was withdrawn already"})
    assert replaced.ask("meter_withdraw", change=99) == (False, {"error": "there is no declared change 99"})
    replaced.close()


def test_a_later_entry_for_the_same_instant_stands(replaced: Meters) -> None:
    """A slip is put right by declaring again; withdrawing that brings the first one back."""
    replaced.change(NOON + 20 * MINUTE_MS, 8001, 4999)
    second = replaced.change(NOON + 20 * MINUTE_MS, 8006, 4996)
    replaced.settle(replaced.now_ms)
    assert replaced.day().amount == 30 * MICRO
    replaced.ask("meter_withdraw", change=second)
    replaced.settle(replaced.now_ms)
    assert replaced.day().amount == (10 + 1 + 1 + 10) * MICRO
    replaced.close()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"meter": "E-SUB"}, "has no meter E-SUB, expected one of E-MAIN"),
        ({"at": NOON + 9 * DAY_MS}, "lies ahead"),
        ({"final": "7000"}, "--final: 7000 does not follow from 8000 kWh, read at 2026-03-02 12:15:00"),
        ({"final": "9000"}, "--final: 9000 does not follow"),
        ({"initial": "5100"}, "--initial: 5000 kWh, read at 2026-03-02 12:30:00 after the change, does not follow"),
        ({"initial": "-1"}, "--initial: -1 is no register reading"),
        ({"final": "8 m3"}, "--final: 8 m3 is no register reading"),
        ({"serial": " "}, "--serial must not be empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(replaced: Meters, changed: dict[str, object], said: str) -> None:
    """A change that contradicts the readings around it, or names what there is not, is refused and changes nothing."""
    body = {"meter": "E-MAIN", "at": NOON + 20 * MINUTE_MS, "final": "8006", "initial": "4996", "serial": "SN-2"}
    done, answer = replaced.ask("meter_change", **(body | changed))
    assert not done
    assert said in answer["error"]
    assert replaced.events() == ["replaced"]
    replaced.close()


@pytest.mark.parametrize("counts", ["pulse", "rate"])
def test_only_a_register_is_changed(tmp_path: Path, counts: str) -> None:
    """Increments and rates have no register readings to declare."""
    story = Meters(tmp_path, plant(meter(counts=counts)), now_ms=NOON)
    done, answer = story.ask("meter_change", meter="E-MAIN", at=MONDAY, final="1", initial="0", serial="SN")
    assert (done, "has no register of its own" in answer["error"]) == (False, True)
    story.close()


def test_a_change_in_another_unit(replaced: Meters) -> None:
    """A final reading may be given in MWh."""
    replaced.ask(
        "meter_change", meter="E-MAIN", at=NOON + 20 * MINUTE_MS, final="8.006 MWh", initial="4996", serial="S"
    )
    replaced.settle(replaced.now_ms)
    assert replaced.day().amount == 30 * MICRO
    replaced.close()


# Virtual meters

VIRTUAL = (
    meter("E-MAIN"),
    meter("E-PAINT", unit="MWh", parent="E-MAIN"),
    meter("E-PV", counts="rate", reading_unit="kW", role="generated"),
    meter("E-USE", terms=((ONE, "E-MAIN"), (ONE, "E-PV"))),
    meter("E-REST", terms=((ONE, "E-USE"), (Fraction(-1000), "E-PAINT")), parent=None),
)


def virtual_rows(start: int, quarters: int, main: float = 10.0, paint: float = 4.0, sun: float = 8.0) -> list[Row]:
    """Give readings: so many kWh a quarter on the main and the paint shop's meter (in MWh), and so many kW of sun."""
    rows: list[Row] = []
    for turn in range(quarters + 1):
        at = start + turn * QUARTER_MS
        rows += [(at, "E-MAIN", turn * main, "N"), (at, "E-PAINT", turn * paint / 1000, "N"), (at, "E-PV", sun, "N")]
    return rows


@pytest.mark.parametrize("late", [False, True])
def test_virtual_meters_follow_their_parts(tmp_path: Path, late: bool) -> None:
    """Use is purchase plus sun, 40 + 8 an hour; without the paint shop's 16 there are 32; late readings change both."""
    story = Meters(tmp_path, plant(*VIRTUAL), now_ms=MONDAY)
    rows = virtual_rows(MONDAY, 100)
    kept_back = {NOON + QUARTER_MS * turn for turn in range(9)} if late else set()
    story.send([row for row in rows if row[0] not in kept_back], MONDAY + DAY_MS + HOUR_MS)
    story.settle(MONDAY + DAY_MS + 2 * HOUR_MS)
    if late:
        # The sun is unknown from 12:15 (two intervals after 11:45) to 14:15: a sum of the rest, and no difference.
        assert story.hours("E-USE")[13] == 40 * MICRO
        assert story.hours("E-REST")[12:14] == [None, None]
        story.send([row for row in rows if row[0] in kept_back], story.now_ms)
        story.settle(story.now_ms)
    assert story.hours("E-USE") == [48 * MICRO] * 24
    assert story.hours("E-REST") == [32 * MICRO] * 24
    assert (story.day("E-USE").amount, story.day("E-REST").amount) == (1152 * MICRO, 768 * MICRO)
    assert story.day("E-REST").is_valid
    assert story.pipeline.recompute(MONDAY, MONDAY + DAY_MS, story.now_ms)[0] == 0
    story.close()


def test_a_corrected_part_changes_the_whole(tmp_path: Path) -> None:
    """What is declared of a part reaches the virtual meter, and holes are found there too."""
    story = Meters(tmp_path, plant(*VIRTUAL), now_ms=MONDAY)
    story.send(virtual_rows(MONDAY, 100), MONDAY + DAY_MS + HOUR_MS)
    story.settle(MONDAY + DAY_MS + 2 * HOUR_MS)
    done, answer = story.ask("correct", point="E-PV", at=NOON, value="16", reason="typed wrong")
    assert done, answer
    story.settle(story.now_ms)
    assert story.hours("E-USE")[12] == 50 * MICRO
    with story.store.readers.snapshot() as connection:
        before = windows.span(connection, "1h", story.pipeline.numbers["E-USE"], MONDAY, MONDAY + DAY_MS)
    story.store.write(lambda connection: connection.execute(
        "DELETE FROM \"window\" WHERE level = '1h' AND point = ?", (story.pipeline.numbers["E-USE"],)
    ))  # fmt: skip
    assert story.pipeline.windows.find_holes() > 0
    story.settle(story.now_ms)
    with story.store.readers.snapshot() as connection:
        assert windows.span(connection, "1h", story.pipeline.numbers["E-USE"], MONDAY, MONDAY + DAY_MS) == before
    story.close()


def test_a_virtual_meter_takes_no_readings(tmp_path: Path) -> None:
    """What is sent for it is refused: it is made of others."""
    story = Meters(tmp_path, plant(*VIRTUAL), now_ms=MONDAY)
    story.send([(MONDAY, "E-USE", 5.0, "N")])
    with story.store.readers.snapshot() as connection:
        assert points.lives(connection)["E-USE"].first_ms is None
    story.close()


# Whole and parts, exactly

NEW_YEAR = TIME.parse("2026-01-01")
SIX_HOURS = 6 * HOUR_MS
KINDS = (
    meter("MAIN", SIX_HOURS, ratios=(RatioSpan(37.123, None, None),)),
    meter("PULSE", SIX_HOURS, parent="MAIN", counts="pulse", ratios=(RatioSpan(0.1, None, None),)),
    meter("RATE", SIX_HOURS, parent="MAIN", counts="rate", reading_unit="kW"),
    meter("BLEND", terms=((ONE, "MAIN"), (Fraction(1, 3), "PULSE"))),
)
SERIES = st.lists(st.decimals(0, 900, places=3).map(float), min_size=16, max_size=16)


@given(SERIES, SERIES, SERIES, st.integers(0, 5 * HOUR_MS))
@settings(max_examples=8, deadline=None)
def test_parts_and_whole_agree(main: list[float], pulse: list[float], rate: list[float], shift: int) -> None:
    """Over a new year hours add up to days, days to months, months to years, children and rest to the parent."""
    with TemporaryDirectory() as folder:
        story = Meters(Path(folder), plant(*KINDS), now_ms=NEW_YEAR - 3 * DAY_MS)
        begins = NEW_YEAR - 2 * DAY_MS + shift
        rows: list[Row] = []
        for turn, values in enumerate(zip(main, pulse, rate, strict=True)):
            at, level = begins + turn * SIX_HOURS, round(sum(main[: turn + 1]), 3)
            rows += [(at, "MAIN", level, "N"), (at, "PULSE", values[1], "N"), (at, "RATE", values[2], "N")]
        story.send(rows, NEW_YEAR + 3 * DAY_MS)
        story.settle(NEW_YEAR + 3 * DAY_MS)
        names = [point.id for point in KINDS]
        with story.store.readers.snapshot() as connection:
            spans = {
                "old": (TIME.parse("2025-12-01"), NEW_YEAR),
                "new": (NEW_YEAR, TIME.parse("2026-02-01")),
                "all": (TIME.parse("2025-01-01"), TIME.parse("2027-01-01")),
                "odd": (NEW_YEAR - 5 * HOUR_MS, NEW_YEAR + 29 * HOUR_MS),
            }
            found = {
                key: used(connection, story.pipeline.plant, story.pipeline.numbers, names, span)
                for key, span in spans.items()
            }
            for name in names:
                number = story.pipeline.numbers[name]
                hours = windows.span(connection, "1h", number, 0, 1 << 60)
                amounts = {key: sum(one.amount or 0 for one in hours if span[0] <= one.start < span[1])
                           for key, span in spans.items()}  # fmt: skip
                assert amounts == {key: of_span[name].amount or 0 for key, of_span in found.items()}
                assert amounts["old"] + amounts["new"] == amounts["all"]
                for day in windows.span(connection, "1d", number, 0, 1 << 60):
                    inside = [one.amount for one in hours if day.start <= one.start < day.end]
                    assert sum(one or 0 for one in inside) == (day.amount or 0)
            for node in tree(connection, story.pipeline.plant, story.pipeline.numbers, spans["all"]):
                if node.children is not None:
                    assert node.unexplained is not None
                    assert node.children + node.unexplained == node.used.amount
        story.close()
