"""This module holds what outlets add to the annual figures, through the whole pipeline.

Detection limits, volumes, laboratory results, and the look into a figure down to its readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from esg_store import line_of
from hypothesis import given, settings
from hypothesis import strategies as st
from story import Row, Story

from plantmon.esg.engine import annual
from plantmon.esg.look import look_into
from plantmon.esg.volumes import volumes
from plantmon.ledger.period import read_period
from plantmon.model.metric import Annual, Term, TermKind
from plantmon.model.plant import Plant
from plantmon.plant.load import load_plant_text
from plantmon.store import declarations, ledger
from plantmon.times import HOUR_MS, MINUTE_MS

FEEDS = """
plant: {id: p, name: P, timezone: Asia/Shanghai}
feeds: [{topic: "p/{outlet}/{point}", format: json, qos: 1}, {topic: "p/meter/{meter}", format: json, qos: 1}]
"""
STACK = """
outlets:
  DA001:
    name: Stack
    kind: air
    points:
      nox: {quantity: nox, unit: mg/m3, interval: 30min, range: [-5, 2000], detection_limit: 3}
      flow: {quantity: gas_flow, unit: m3/h, interval: 30min, range: [0, 100000]}
"""
WORKS = """
outlets:
  DW001:
    name: Works
    kind: water
    discharge: direct
    points:
      cod: {quantity: cod, unit: mg/L, interval: 1h, range: [0, 2000], detection_limit: 5}
      flow: {quantity: water_flow, unit: m3/h, interval: 60s, range: [0, 500]}
"""
METER = """
meters:
  E-MAIN: {quantity: electricity, unit: kWh, role: purchased, interval: 15min}
"""
HALF_HOUR = 30 * MINUTE_MS
FLOW = 20_000.0
# Above the limit all day; below it all day; partly: 6 hours at 2 mg/m3, one at 0, one below zero, 16 at 10.
DAYS = ([10.0] * 24, [2.0] * 24, [2.0] * 6 + [0.0, -1.0] + [10.0] * 16)


def told(folder: Path, text: str, days: tuple[str, str] = ("2020-03-01", "2020-03-04")) -> tuple[Story, Plant, int]:
    """Open a story of a plant file; give it with the plant and the instant it begins."""
    plant = load_plant_text(FEEDS + text, "plant.yaml")
    start = plant.time.parse(days[0])
    return Story(folder, plant, now_ms=start), plant, start


def of_stack(start: int) -> list[Row]:
    """Give what the stack sends in three days, and on a fourth, on which nothing flows."""
    rows: list[Row] = []
    for at in range(start + 72 * HOUR_MS, start + 96 * HOUR_MS, HALF_HOUR):
        rows += [(at, "DA001.flow", 0.0, "N"), (at, "DA001.nox", 10.0, "N")]
    for place, value in enumerate(value for day in DAYS for value in day):
        for at in (start + place * HOUR_MS, start + place * HOUR_MS + HALF_HOUR):
            rows += [(at, "DA001.flow", FLOW, "N"), (at, "DA001.nox", value, "N")]
    return rows


def report(story: Story, plant: Plant, period: str = "2020") -> Annual:
    """Make a report."""
    now = plant.time.parse("2021-02-01")
    with story.store.readers.snapshot() as connection:
        return annual(connection, plant, story.pipeline.numbers, period, None, now)


def looked(story: Story, plant: Plant, term: Term) -> tuple[Term, ...]:
    """Look into a term."""
    with story.store.readers.snapshot() as connection:
        return look_into(connection, plant, story.pipeline.numbers, term)


def leaf(term: Term, kind: TermKind) -> Term:
    """Give the first term of a kind in a derivation."""
    if term.kind is kind:
        return term
    for part in term.terms:
        found = next((one for one in [part] if one.kind is kind), None)
        if found is not None:
            return found
    return leaf(term.terms[0], kind)


@pytest.fixture(params=["zero", "half", "measured"])
def policy(request: pytest.FixtureRequest) -> str:
    """Go through the policies below detection."""
    return str(request.param)


def counted(value: float, policy: str) -> Decimal:
    """Say in mg/m3 with what an hour counts, by hand."""
    if policy == "measured" or value >= 3:
        return Decimal(repr(value))
    return Decimal("1.5") if policy == "half" else Decimal(0)


def test_below_detection_of_air(tmp_path: Path, policy: str) -> None:
    """Hours below 3 mg/m3 count nothing, 1.5 or as measured; the report says how many; each level adds up."""
    story, plant, start = told(tmp_path, f"{STACK}\nesg: {{below_detection: {policy}}}\n")
    story.send(of_stack(start))
    story.settle(plant.time.parse("2020-03-05T01:30"))
    by_day = [sum(counted(value, policy) for value in day) * Decimal("0.02") for day in DAYS]
    figure = line_of(report(story, plant), "air.nox").figure
    assert figure.value == sum(by_day) / 1000
    assert figure.months[2] == figure.value
    below = {"zero": ("below_detection:32",), "half": ("below_detection:32",), "measured": ()}
    assert tuple(note for note in figure.notes if note.startswith("below")) == below[policy]

    march = next(one for one in looked(story, plant, leaf(figure.term, TermKind.EMISSION)) if one.value is not None)
    days = looked(story, plant, march)
    assert (len(days), [one.value for one in days[:3]]) == (31, by_day)
    for day, values in zip(days[:3], DAYS, strict=True):
        hours = looked(story, plant, day)
        assert [hour.value for hour in hours] == [counted(value, policy) * Decimal("0.02") for value in values]
    story.store.close()


def test_permit_quantities_take_what_is_measured(tmp_path: Path) -> None:
    """The stored amounts, which permit and tax go by, are the measured, signed ones under any policy."""
    story, plant, start = told(tmp_path, STACK)
    story.send(of_stack(start))
    story.settle(plant.time.parse("2020-03-05T01:30"))
    with story.store.readers.snapshot() as connection:
        (kg,) = connection.execute("SELECT total(measured_kg) FROM emission_day").fetchone()
    assert kg == pytest.approx(sum(value for day in DAYS for value in day) * 0.02, rel=1e-12)
    story.store.close()


def test_readings_of_an_hour(tmp_path: Path) -> None:
    """An hour shows concentration and flow with their readings; a corrected one says what it was."""
    story, plant, start = told(tmp_path, STACK)
    story.send(of_stack(start))
    number = story.pipeline.numbers["DA001.nox"]
    story.store.write(
        lambda connection: declarations.add_correction(
            connection, plant.time, number, start, 12.0, "li", "wrong by a digit", start + HOUR_MS
        )
    )
    story.settle(plant.time.parse("2020-03-05T01:30"))
    figure = line_of(report(story, plant, "2020-03"), "air.nox").figure
    day = looked(story, plant, leaf(figure.term, TermKind.EMISSION))[0]
    hour = looked(story, plant, day)[0]
    assert hour.value == Decimal("0.22")
    nox, flow = looked(story, plant, hour)
    assert (nox.value, flow.value) == (Decimal(11), Decimal(20_000))
    assert [one.value for one in nox.terms] == [Decimal(12), Decimal(10)]
    arrived = plant.time.show(start + 96 * HOUR_MS - HALF_HOUR)  # one batch, at its newest instant
    assert nox.terms[0].notes == (f"arrived:{arrived}", "correction:1", "was:10")
    assert nox.terms[1].notes == (f"arrived:{arrived}",)
    story.store.close()


def works(folder: Path, text: str = "") -> tuple[Story, Plant, int]:
    """Tell four days of a waste-water outlet: 10 m3/h and 50 mg/L, six results of 2 mg/L, two hours of unknown flow.

    On the fourth nothing flows.
    """
    story, plant, start = told(folder, WORKS + text)
    rows: list[Row] = []
    for hour in range(97):
        at = start + hour * HOUR_MS
        rows.append((at, "DW001.cod", 2.0 if 30 <= hour < 36 else 50.0, "N"))
        if hour not in (50, 51):
            rows += [(at + minute * MINUTE_MS, "DW001.flow", 10.0 if hour < 72 else 0.0, "N") for minute in range(60)]
    story.send(rows)
    story.settle(plant.time.parse("2020-03-05T01:30"))
    return story, plant, start


def test_waste_water(tmp_path: Path) -> None:
    """The volume is 700 m3 measured and 20 filled; COD below 5 mg/L counts nothing; hours make days make the month."""
    story, plant, _ = works(tmp_path)
    found = report(story, plant, "2020-03")
    figure = line_of(found, "waste_water").figure
    assert figure.value == 720
    assert figure.coverage.measured == pytest.approx((94 + 1) / 744)
    assert figure.coverage.substituted == pytest.approx(2 / 744)
    cod = line_of(found, "water.cod").figure
    assert cod.value == (Decimal(66) * 50 * 10 / 1000) / 1000
    assert "below_detection:6" in cod.notes
    days = looked(story, plant, leaf(figure.term, TermKind.VOLUME))
    assert [one.value for one in days[:4]] == [Decimal(240), Decimal(240), Decimal(240), Decimal(0)]
    hours = looked(story, plant, days[2])
    assert sum(one.value for one in hours if one.value is not None) == 240
    assert hours[2].notes == ("part_substituted:100.0",)
    readings = looked(story, plant, hours[0])
    assert (len(readings), readings[0].value, readings[0].unit) == (60, Decimal(10), "m3/h")
    of_cod = looked(story, plant, leaf(cod.term, TermKind.EMISSION))
    assert [one.value for one in of_cod[:3]] == [Decimal(12), Decimal(9), Decimal(12)]
    results, flows = looked(story, plant, of_cod[1])
    assert (len(results.terms), len(flows.terms)) == (24, 1440)
    story.store.close()


def test_laboratory_results(tmp_path: Path) -> None:
    """Nobody monitors nickel: the month's mean result, 0.3 mg/L, weighs its 720 m3; `half` counts what lies below."""
    story, plant, _ = works(tmp_path)

    def enter(period: str, item: str, value: str, below: str | None = None) -> None:
        start, end = read_period(period).span(plant.time)
        new = ledger.NewLine(period, start, end, item, Decimal(value), "mg/L", value, "report 7", "",
                             below=None if below is None else Decimal(below))  # fmt: skip
        story.store.write(lambda connection: ledger.add(connection, new, "li", story.now_ms))

    assert line_of(report(story, plant), "water.total_nickel").figure.reason == "no_monitor"
    enter("2020-03-01", "lab.DW001.total_nickel", "0.2")
    enter("2020-03-20", "lab.DW001.total_nickel", "0.4")
    figure = line_of(report(story, plant), "water.total_nickel").figure
    assert figure.value == Decimal("0.216")
    assert figure.coverage.ledger == 1.0
    assert "laboratory" in figure.notes
    # A month without discharge measured adds nothing and is not known; April has a result and no volume.
    assert figure.months[3] is None
    enter("2020-03-02", "lab.DW001.phosphate", "0", "0.6")
    assert line_of(report(story, plant), "water.phosphate").figure.value == 0
    half = load_plant_text(f"{plant.text}\nesg: {{below_detection: half}}\n", "plant.yaml")
    assert line_of(report(story, half), "water.phosphate").figure.value == Decimal("0.216")
    story.store.close()


def test_readings_of_a_meter(tmp_path: Path) -> None:
    """A register's month, day and hour add up; its hour shows the readings around its edges."""
    story, plant, start = told(tmp_path, METER)
    rows: list[Row] = [(start + at * 15 * MINUTE_MS, "E-MAIN", 1000.0 + at * 0.25, "N") for at in range(4 * 48 + 1)]
    story.send(rows)
    story.settle(plant.time.parse("2020-03-04"))
    figure = line_of(report(story, plant), "electricity.purchased").figure
    assert figure.value == 48
    meter = leaf(figure.term, TermKind.METER)
    months = looked(story, plant, meter)
    assert [one.value for one in months] == [None, None, Decimal(48), *[None] * 9]
    days = looked(story, plant, months[2])
    assert [one.value for one in days[:3]] == [Decimal(24), Decimal(24), None]
    hours = looked(story, plant, days[1])
    assert [one.value for one in hours] == [Decimal(1)] * 24
    readings = looked(story, plant, hours[5])
    assert [one.value for one in readings] == [Decimal(repr(1000 + (116 - 1 + at) * 0.25)) for at in range(6)]
    assert looked(story, plant, readings[0]) == ()
    story.store.close()


def test_corrected_ledger_line(tmp_path: Path) -> None:
    """A line that took the place of another leads to it, with the reason."""
    story, plant, _ = told(tmp_path, METER)
    start, end = read_period("2020").span(plant.time)

    def enter(value: str, supersedes: int | None = None, reason: str = "") -> int:
        new = ledger.NewLine("2020", start, end, "diesel", Decimal(value), "L", f"{value} L", "depot", "")
        return story.store.write(
            lambda connection: ledger.add(connection, new, "li", 1, supersedes=supersedes, reason=reason)
        )

    enter("10", enter("9", None), "misread")  # the first argument's line is made first
    figure = line_of(report(story, plant), "diesel").figure
    assert figure.value == 10
    line = leaf(figure.term, TermKind.LEDGER)
    assert line.source == "depot"
    (old,) = looked(story, plant, line)
    assert (old.value, old.notes[-1]) == (Decimal(9), "superseded:misread")
    story.store.close()


def test_half_the_limit_of_waste_water(tmp_path: Path) -> None:
    """Six results of 2 mg/L below a limit of 5 weigh 2.5 mg/L each: 66 x 0.5 kg and 6 x 0.025 kg."""
    story, plant, _ = works(tmp_path, "esg: {below_detection: half}\n")
    found = line_of(report(story, plant), "water.cod").figure.value
    assert found == Decimal("33.15") / 1000
    story.store.close()


def test_laboratory_fills_a_silent_monitor(tmp_path: Path) -> None:
    """A monitor that never spoke has no amount; with `lab_fills` 720 m3 at the laboratory's 40 mg/L are 28.8 kg."""
    story, plant, start = told(tmp_path, WORKS + "esg: {lab_fills: true}\n")
    rows: list[Row] = [(start + at * MINUTE_MS, "DW001.flow", 10.0, "N") for at in range(72 * 60)]
    rows += [(start + at * MINUTE_MS, "DW001.flow", 0.0, "N") for at in range(72 * 60, 97 * 60)]
    story.send(rows)
    story.settle(plant.time.parse("2020-03-05T01:30"))
    first, last = read_period("2020-03").span(plant.time)
    new = ledger.NewLine("2020-03", first, last, "lab.DW001.cod", Decimal(40), "mg/L", "40", "report 8", "")
    story.store.write(lambda connection: ledger.add(connection, new, "li", story.now_ms))
    figure = line_of(report(story, plant, "2020-03"), "water.cod").figure
    assert figure.value == Decimal("0.0288")
    assert (figure.coverage.ledger, figure.coverage.measured) == (1.0, 0.0)
    strict = load_plant_text(plant.text.replace("lab_fills: true", "lab_fills: false"), "plant.yaml")
    assert line_of(report(story, strict, "2020-03"), "water.cod").figure.value is None
    story.store.close()


@pytest.fixture(scope="module")
def flowing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, Plant, int]]:
    """Give two days of a flow that changes each minute, with gaps."""
    story, plant, start = told(tmp_path_factory.mktemp("flow"), WORKS)
    rows: list[Row] = [
        (start + at * MINUTE_MS, "DW001.flow", round(7.3 + at % 97 * 0.137, 3), "N")
        for at in range(48 * 60)
        if at == 0 or (at % 61 and not 900 < at < 1100)
    ]
    story.send(rows)
    story.settle(plant.time.parse("2020-03-03T00:30"))
    yield story, plant, start
    story.store.close()


@settings(max_examples=40, deadline=None)
@given(edges=st.lists(st.integers(1, 47), unique=True, max_size=8))
def test_volumes_split_anywhere(flowing: tuple[Story, Plant, int], edges: list[int]) -> None:
    """However a time is cut at hours, the parts' volumes add up to the whole exactly."""
    story, plant, start = flowing
    cuts = [start, *(start + hour * HOUR_MS for hour in sorted(edges)), start + 48 * HOUR_MS]
    with story.store.readers.snapshot() as connection:
        numbers = story.pipeline.numbers
        parts = volumes(connection, plant, numbers, ["DW001"], cuts)["DW001"]
        (whole,) = volumes(connection, plant, numbers, ["DW001"], [cuts[0], cuts[-1]])["DW001"]
    assert sum(part.measured_m3 for part in parts) == whole.measured_m3
    assert sum(part.known_minutes + part.filled_minutes for part in parts) == 48 * 60
    assert sum(part.m3 for part in parts if part.m3 is not None) == whole.m3
