"""This module proves emission amounts through the whole pipeline: in any order, again and again, the same bits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point, an_outlet
from hypothesis import given, settings
from hypothesis import strategies as st
from story import FEEDS, Row, Story

from plantmon.amounts.caps import CapWatch
from plantmon.averages.periods import Period
from plantmon.model.plant import Basis, Gas, Name, Plant, Point, Running
from plantmon.reports.emissions import by_period, emissions_of
from plantmon.store import dirty, emissions, verdicts
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime
from simulators.truth_amounts import INVALID, MEASURED, STOPPED, TrueHour, air_sum, substituted

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
QUARTER = TIME.midnight(date(2020, 7, 1))
TABLES = ("emission", "substitute", "emission_day")
HALF_HOUR = 30 * MINUTE_MS


def stack(interval_ms: int = HALF_HOUR) -> tuple[Point, ...]:
    """Give a stack's points: two pollutants and the flow, at which it runs; two values an hour, both needed."""
    nox = a_point("DA001.nox", interval_ms=interval_ms)
    so2 = a_point("DA001.so2", quantity="so2", name=Name("SO2", "二氧化硫"), interval_ms=interval_ms)
    flow = a_point(
        "DA001.flow", quantity="gas_flow", unit="m3/h", interval_ms=interval_ms, range_low=0.0, range_high=1e5
    )
    return nox, so2, flow


def a_stack_plant(points: tuple[Point, ...] | None = None, **changes: object) -> Plant:
    """Give a plant with one stack, running from 1000 m3/h on, and a year's cap of 3 t NOx."""
    points = points or stack()
    cap = a_limit(points[0], basis=Basis.MASS, window="1y", maximum=3.0, unit="t", key="DA001/nox/mass/1y/permit/-")
    outlet = an_outlet("DA001", points, running=Running("DA001.flow", 1000.0, None))
    return a_plant(points, (cap,), feeds=FEEDS, outlets={"DA001": outlet}, **changes)


class Amounts(Story):
    """A story whose amounts are looked at."""

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Give all rows about amounts."""
        with self.store.readers.snapshot() as connection:
            return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES}

    def number(self, point: str) -> int:
        """Give a point's number."""
        return self.pipeline.numbers[point]


HourKind = tuple[str, int]  # measured, missing, over, stopped; mg/m3


def readings(start: int, kinds: Sequence[HourKind], point: str = "DA001.nox") -> list[list[Row]]:
    """Give what the stack sends each hour: the pollutant and 20 000 m3/h, or less than it needs to run."""
    hours = []
    for place, (kind, value) in enumerate(kinds):
        rows: list[Row] = []
        for at in (start + place * HOUR_MS, start + place * HOUR_MS + HALF_HOUR):
            rows.append((at, "DA001.flow", 0.0 if kind == "stopped" else 20_000.0, "N"))
            if kind in ("measured", "stopped"):
                rows.append((at, point, float(value), "N"))
            elif kind == "over":
                rows.append((at, point, float(value), "T"))
        hours.append(rows)
    return hours


def true_hours(start: int, kinds: Sequence[HourKind]) -> list[TrueHour]:
    """Give what the simulators' substitution starts from; a value over range stands at 2000 mg/m3."""
    found = []
    for place, (kind, value) in enumerate(kinds):
        at = start + place * HOUR_MS
        if kind == "stopped":
            found.append(TrueHour(at, 0, STOPPED, 0.0, None, False))
        elif kind == "measured":
            found.append(TrueHour(at, 60, MEASURED, value * 20_000 / 1e6, None, False))
        else:
            proven = 2000 * 20_000 / 1e6 if kind == "over" else None
            found.append(TrueHour(at, 60, INVALID, proven, proven, proven is not None))
    return found


KINDS = st.lists(
    st.tuples(
        st.tuples(st.sampled_from(["measured"] * 5 + ["missing", "over", "stopped"]), st.integers(1, 60)),
        st.sampled_from([1, 1, 2, 5, 26]),
    ),
    min_size=2,
    max_size=14,
).map(lambda parts: [kind for kind, many in parts for _ in range(many)])


@settings(max_examples=12, deadline=None)
@given(KINDS, st.randoms(use_true_random=False), st.sampled_from([QUARTER - 30 * HOUR_MS, QUARTER + 9 * HOUR_MS]))
def test_any_order_ends_in_the_same_amounts(kinds: list[HourKind], chance: random.Random, start: int) -> None:
    """Hour by hour, in one batch, or shuffled with turns in between: the same bits, and the simulators'."""
    kinds = [("measured", 7), *kinds, ("measured", 7)]  # both points speak first; at the end nothing stands still
    sent = readings(start, kinds)
    end = start + len(kinds) * HOUR_MS
    now = end + 2 * HOUR_MS
    with TemporaryDirectory() as folder:
        stories = [
            Amounts(Path(folder, str(place)), a_stack_plant())
            for place in range(3)
            if Path(folder, str(place)).mkdir() is None
        ]
        in_order, at_once, shuffled = stories
        for place, rows in enumerate(sent):
            in_order.send(rows, start + place * HOUR_MS + 45 * MINUTE_MS)
            in_order.settle(start + place * HOUR_MS + 45 * MINUTE_MS)
        at_once.send([row for rows in sent for row in rows], now)
        order = sent[:]
        chance.shuffle(order)
        for rows in order:
            shuffled.send(rows, now)
            if chance.random() < 0.4:
                shuffled.settle(now)
        for story in stories:
            story.settle(now)
        dumps = [story.dump() for story in stories]
        assert dumps[0] == dumps[1]
        assert dumps[0] == dumps[2]
        assert stories[2].pipeline.recompute(start - DAY_MS, now, now) == (0, 0)
        assert stories[2].dump() == dumps[0]
        total = _total(in_order, "DA001.nox", TIME.day_start(start), now)
        closed = dumps[0]["emission"][-1][3]
        assert isinstance(closed, int)
        missing = ("missing", 0)  # hours that closed after the last reading: nothing came, the flow is unknown
        kinds = (kinds + [missing] * 3)[: (closed - start) // HOUR_MS]
        truth = air_sum(substituted(true_hours(start, kinds)), 0, 1 << 60)
        assert total.kg == pytest.approx(truth.kg, rel=1e-9)
        assert (total.ran_minutes, total.at_least, total.provisional) == (
            truth.minutes, truth.at_least, truth.is_provisional,
        )  # fmt: skip
        assert total.unknown_share == (None if truth.unknown is None else pytest.approx(truth.unknown))
        for story in stories:
            story.close()


def _total(story: Amounts, point: str, start: int, end: int) -> emissions.Total:
    with story.store.readers.snapshot() as connection:
        return emissions_of(connection, story.pipeline.plant, point, start, end)


def test_a_pollutant_that_speaks_late_has_missing_hours(tmp_path: Path) -> None:
    """SO2 begins 5 hours after its outlet: those hours are missing for it, as if it had been there from the start."""
    story = Amounts(tmp_path, a_stack_plant())
    start = QUARTER
    for rows in readings(start, [("measured", 10)] * 8):
        story.send(rows)
    story.settle(start + 9 * HOUR_MS)
    with story.store.readers.snapshot() as connection:
        assert emissions.newest(connection, story.number("DA001.so2"), "1h") is None
    story.send([(start + 5 * HOUR_MS + at, "DA001.so2", 30.0, "N") for at in range(0, 3 * HOUR_MS, HALF_HOUR)])
    story.settle(start + 9 * HOUR_MS)
    with story.store.readers.snapshot() as connection:
        course = emissions.hours(connection, story.number("DA001.so2"), start, start + 8 * HOUR_MS)
    assert course.is_missing.tolist() == [True] * 5 + [False] * 3
    assert course.kg[5:].tolist() == [0.6] * 3
    assert _total(story, "DA001.so2", start, start + DAY_MS).unknown_minutes == 300
    story.close()


def test_an_hour_waits_for_all_of_its_outlet(tmp_path: Path) -> None:
    """While one point of the outlet has not closed an hour it has no amount; the last to close it brings it about."""
    nox, so2, flow = stack(MINUTE_MS)
    plant = a_stack_plant((nox, replace(so2, interval_ms=HOUR_MS), flow))  # open for two hours
    story = Amounts(tmp_path, plant)
    start = QUARTER
    for point, value in (("DA001.nox", 50.0), ("DA001.flow", 20_000.0)):
        story.hour(point, start, value)
        story.hour(point, start + HOUR_MS, value)
    story.send([(start, "DA001.so2", 5.0, "N"), (start + HOUR_MS, "DA001.so2", 5.0, "N")], start + 2 * HOUR_MS)
    story.settle(start + 2 * HOUR_MS + 5 * MINUTE_MS)
    assert story.dump()["emission"] == []
    story.settle(start + 3 * HOUR_MS + MINUTE_MS)
    with story.store.readers.snapshot() as connection:
        course = emissions.hours(connection, story.number("DA001.nox"), 0, 1 << 60)
    assert course.start.tolist() == [start]
    assert course.kg.tolist() == [1.0]
    story.close()


def test_a_late_reading_moves_the_day_and_is_told(tmp_path: Path) -> None:
    """A missing hour that comes after all ends its substitution; the day is marked for its caps to be judged."""
    story = Amounts(tmp_path, a_stack_plant())
    sent = readings(QUARTER, [("measured", 10)] * 20)
    late = [row for row in sent[7] if row[1] == "DA001.nox"]
    for place, rows in enumerate(sent):
        story.send([row for row in rows if row not in late], QUARTER + place * HOUR_MS + 40 * MINUTE_MS)
    story.settle(QUARTER + 21 * HOUR_MS)
    before = _total(story, "DA001.nox", QUARTER, QUARTER + DAY_MS)
    assert (before.substituted_minutes, before.substituted_kg) == (60, 0.2)
    assert before.provisional
    story.send(late, QUARTER + 21 * HOUR_MS)
    story.pipeline.windows.run(story.now_ms)
    rows, more = story.pipeline.amounts.run()
    assert (rows > 0, more) == (True, False)
    with story.store.readers.snapshot() as connection:
        marks = [(mark.level, mark.start, mark.point) for mark in dirty.unjudged(connection, 100)]
    assert ("amount", QUARTER, story.number("DA001.nox")) in marks
    story.settle(QUARTER + 21 * HOUR_MS)
    after = _total(story, "DA001.nox", QUARTER, QUARTER + DAY_MS)
    assert (after.substituted_minutes, after.kg, after.provisional) == (0, pytest.approx(4.0), False)
    assert story.dump()["substitute"] == []
    story.close()


def test_gas_is_weighed_dry_at_standard_state(tmp_path: Path) -> None:
    """50 ppm NOx x 46 / 22.4 = 102.68 mg/m3; 20 000 m3/h at 273.15 degC with 10 % water are 9000 dry standard ones."""
    nox, _, flow = stack(MINUTE_MS)
    gas = Gas(moisture="DA001.h2o", temperature="DA001.temp", pressure="DA001.press")
    points = (
        replace(nox, unit="ppm", gas=Gas(factor=46 / 22.4)),
        replace(flow, gas=gas),
        replace(nox, id="DA001.h2o", quantity="moisture", unit="%"),
        replace(nox, id="DA001.temp", quantity="gas_temperature", unit="degC"),
        replace(nox, id="DA001.press", quantity="gas_pressure", unit="kPa"),
    )
    story = Amounts(tmp_path, a_stack_plant(points))
    values = {"nox": 50.0, "flow": 20_000.0, "h2o": 10.0, "temp": 273.15, "press": 0.0}
    for name, value in values.items():
        story.hour(f"DA001.{name}", QUARTER, value)
    story.settle(QUARTER + HOUR_MS + 5 * MINUTE_MS)
    total = _total(story, "DA001.nox", QUARTER, QUARTER + DAY_MS)
    assert total.kg == pytest.approx(50 * 46 / 22.4 * 9000 / 1e6, rel=1e-11)
    story.close()


def test_holes_are_found_and_filled(tmp_path: Path) -> None:
    """The daily check makes hours whose amounts are gone again."""
    story = Amounts(tmp_path, a_stack_plant())
    for rows in readings(QUARTER, [("measured", 10)] * 6 + [("missing", 0)] + [("measured", 10)] * 6):
        story.send(rows)
    story.settle(QUARTER + 14 * HOUR_MS)
    whole = story.dump()
    assert story.pipeline.amounts.find_holes() == 0
    story.store.write(
        lambda connection: connection.execute("DELETE FROM emission WHERE start = ?", (QUARTER + 3 * HOUR_MS,))
    )
    assert story.pipeline.amounts.find_holes() == 1
    story.settle(QUARTER + 14 * HOUR_MS)
    assert story.dump() == whole
    story.close()


def test_caps_of_a_year(tmp_path: Path) -> None:
    """10 days of 0.2 t (208 mg/m3 x 40 000 m3/h) use 2 t of 3: at 0.2 t a day the cap is reached 5 days later."""
    story = Amounts(tmp_path, a_stack_plant())
    value, flow = 1000.0, 0.2e9 / 24 / 1000
    rows = [(QUARTER + at, "DA001.nox", value, "N") for at in range(0, 10 * DAY_MS, HALF_HOUR)]
    rows += [(ts, "DA001.flow", flow, "N") for ts, *_ in rows]
    story.send(rows)
    now = QUARTER + 10 * DAY_MS
    story.settle(now + 61 * MINUTE_MS)
    share, pace = CapWatch(story.pipeline.plant, story.pipeline.numbers, story.store).conditions(now)
    assert (share.key, share.is_bad) == ("cap_share:DA001/nox/mass/1y/permit/-", False)
    assert share.facts["value"] == pytest.approx(2.0)
    assert (pace.key, pace.is_bad, pace.facts["reached"]) == ("cap_pace:DA001/nox/mass/1y/permit/-", True, "2020-07-16")
    with story.store.readers.snapshot() as connection:
        parts = by_period(connection, story.pipeline.plant, "DA001.nox", Period.MONTH, QUARTER - DAY_MS, now)
        assert [part.total.parts for part in parts] == [0, 10]
        assert parts[1].total.kg == pytest.approx(2000.0)
        judged = verdicts.span(connection, "DA001/nox/mass/1y/permit/-", 0, now)
    assert [str(one.outcome) for one in judged] in (["not_judged"], [])
    story.close()


def water_plant() -> Plant:
    """Give a waste-water outlet with an hourly analyser and a flow by the minute."""
    cod = a_point("DW001.cod", quantity="cod", unit="mg/L", name=Name("COD", "化学需氧量"), interval_ms=HOUR_MS)
    flow = a_point(
        "DW001.flow", quantity="water_flow", unit="m3/h", interval_ms=MINUTE_MS, range_low=0.0, range_high=500.0
    )
    outlet = an_outlet("DW001", (cod, flow), kind="water")
    return a_plant((cod, flow), (), feeds=FEEDS, outlets={"DW001": outlet})


def water_rows(hours: Sequence[tuple[int | None, int | None]]) -> list[list[Row]]:
    """Give what the outlet sends each hour: a result or none, a flow (every 5 minutes suffices to tell) or none."""
    sent = []
    for place, (value, flow) in enumerate(hours):
        start = QUARTER + place * HOUR_MS
        rows: list[Row] = [] if value is None else [(start, "DW001.cod", float(value), "N")]
        if flow is not None:
            rows += [(at, "DW001.flow", float(flow), "N") for at in range(start, start + HOUR_MS, MINUTE_MS)]
        sent.append(rows)
    return sent


HOURS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(10, 90)), st.one_of(st.none(), st.sampled_from([0, 5, 20]))),
    min_size=30,
    max_size=60,
)


@settings(max_examples=6, deadline=None)
@given(HOURS, st.randoms(use_true_random=False))
def test_water_in_any_order_ends_in_the_same_amounts(
    hours: list[tuple[int | None, int | None]], chance: random.Random
) -> None:
    """Results and flow with gaps over midnights: by the hour or shuffled, the same bits; recomputing changes none."""
    sent = water_rows([(50, 10), *hours, (50, 10)])
    now = QUARTER + (len(sent) + 3) * HOUR_MS
    with TemporaryDirectory() as folder:
        for name in ("a", "b"):
            Path(folder, name).mkdir()
        in_order, shuffled = (Amounts(Path(folder, name), water_plant()) for name in ("a", "b"))
        for place, rows in enumerate(sent):
            in_order.send(rows, QUARTER + (place + 1) * HOUR_MS) if rows else None
            in_order.settle(QUARTER + (place + 1) * HOUR_MS)
        order = sent[:]
        chance.shuffle(order)
        for rows in order:
            if rows:
                shuffled.send(rows, now)
            if chance.random() < 0.2:
                shuffled.settle(now)
        for story in (in_order, shuffled):
            story.settle(now)
        assert in_order.dump() == shuffled.dump()
        assert shuffled.dump()["emission_day"]
        assert shuffled.pipeline.recompute(QUARTER, now, now) == (0, 0)
        assert in_order.dump() == shuffled.dump()
        in_order.close()
        shuffled.close()


def test_a_day_of_waste_water(tmp_path: Path) -> None:
    """24 hours of 40 mg/L at 10 m3/h, 05:00 to 09:00 missing: 4 hours lack, the mean of 4 before fills."""
    story = Amounts(tmp_path, water_plant())
    hours = [(None if 5 <= hour < 10 else 30 + 10 * (hour == 4), 10) for hour in range(30)]
    for place, rows in enumerate(water_rows(hours)):
        story.send(rows, QUARTER + (place + 1) * HOUR_MS)
    story.settle(QUARTER + 33 * HOUR_MS)
    day = _total(story, "DW001.cod", QUARTER, QUARTER + DAY_MS)
    # 04:00 is 40 mg/L and stands until 06:00; 06:00-10:00 lack 4: the mean of 30, 30, 30, 40.
    measured = (4 * 30 + 2 * 40 + 14 * 30) * 10 / 1000
    assert (day.measured_kg, day.substituted_kg) == (pytest.approx(measured), pytest.approx(4 * 32.5 * 10 / 1000))
    assert (day.ran_minutes, day.substituted_minutes, day.unknown_minutes) == (1440, 240, 0)
    assert story.dump()["substitute"][0][:5] == (story.number("DW001.cod"), "1d", QUARTER, 1.3, "mean_before")
    story.close()
