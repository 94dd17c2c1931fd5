"""This module holds a quarter's verdicts and amounts against the independent truth: the careful inspector's result."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest
from quarter_story import QuarterRun

from plantmon.averages.capture import capture_of
from plantmon.model.verdict import Outcome, Reason
from plantmon.store import emissions, verdicts, windows
from simulators.quarter import COATING_START, END, FIRST, LAST, LIMITS, START, Quarter, QuarterLimit, at
from simulators.quarter_truth import QuarterTruth
from simulators.truth import day_edges

HOUR_MS = 3_600_000
MEAN_LIMITS = [limit for limit in LIMITS if limit.basis != "mass" and limit.window != "reading"]
SINGLE_LIMITS = [limit for limit in LIMITS if limit.window == "reading"]
POLLUTANTS = ("DA001.nox", "DA002.nmhc", "DW001.cod")
TO_KG = {"t": 1000.0, "kg": 1.0}


@pytest.fixture(scope="module")
def quarter() -> Quarter:
    """Give the quarter's readings."""
    return Quarter()


@pytest.fixture(scope="module")
def answers(quarter: Quarter) -> QuarterTruth:
    """Give the quarter's true answers."""
    return QuarterTruth(quarter)


@pytest.fixture(scope="module")
def run(quarter: Quarter, tmp_path_factory: pytest.TempPathFactory) -> QuarterRun:
    """Feed the quarter as it was sent, people declaring in due time."""
    run = QuarterRun(tmp_path_factory.mktemp("quarter"), quarter)
    run.feed(quarter.in_order(), declaring=True)
    run.finish(LAST + 3 * HOUR_MS)
    return run


@pytest.mark.parametrize("limit", MEAN_LIMITS, ids=lambda limit: limit.key)
def test_verdicts_are_the_inspectors(limit: QuarterLimit, run: QuarterRun, answers: QuarterTruth) -> None:
    """Each hour, day, month and period has the true outcome and reason, and its value to 1e-9."""
    # Of June the quarter holds two days: what that says of the month, nobody has settled.
    first = START if limit.window == "1mo" else FIRST
    true = {start: one for start, one in answers.findings(limit).items() if first <= start < END}
    with run.replay.store.readers.snapshot() as connection:
        found = {one.start: one for one in verdicts.span(connection, limit.key, FIRST, END)}
    assert found.keys() >= true.keys()
    extra = {start for start in found.keys() - true.keys() if start >= START}
    assert not extra
    for start, expected in sorted(true.items()):
        got = found[start]
        said = (str(got.outcome), str(got.reason) if got.reason else None)
        assert said == (expected.outcome, expected.reason), run.replay.plant.time.show(start)
        if expected.outcome != "not_judged":
            assert got.value == pytest.approx(float(expected.value), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("limit", SINGLE_LIMITS, ids=lambda limit: limit.key)
def test_excursions_are_the_inspectors(limit: QuarterLimit, run: QuarterRun, answers: QuarterTruth) -> None:
    """The runs of breaching readings that lasted as long as their hold are the true ones, with their peaks."""
    with run.replay.store.readers.snapshot() as connection:
        hours = [one for one in verdicts.span(connection, limit.key, FIRST, END) if one.outcome.is_exceedance]
    found: list[tuple[int, int, float]] = []
    worst = max if limit.maximum is not None else min
    for part in (part for hour in hours for part in json.loads(hour.detail or "[]")):
        if found and part["first"] == found[-1][1] + 60_000:  # a run that goes on into the next hour
            first, _, peak = found.pop()
            found.append((first, part["last"], worst(peak, part["peak"])))
        else:
            found.append((part["first"], part["last"], part["peak"]))
    assert found == [(one.first_ms, one.last_ms, float(one.peak)) for one in answers.breaches(limit)]
    assert found


@pytest.mark.parametrize("point", POLLUTANTS[:2])
def test_hourly_amounts(point: str, run: QuarterRun, answers: QuarterTruth) -> None:
    """Each hour's kilograms, measured, proven, substituted by the right method or unknown, are the true ones."""
    number = run.replay.pipeline.numbers[point]
    with run.replay.store.readers.snapshot() as connection:
        course = emissions.hours(connection, number, FIRST, END)
        stand_in = emissions.substitutes(connection, number, "1h", FIRST, END)
    measured = dict(zip(course.start.tolist(), course.amount.tolist(), strict=True))
    methods = set()
    true = [one for one in answers.emissions(point) if one.start_ms < END]
    assert len(true) == len(measured)
    for one in true:
        substitute = stand_in.get(one.start_ms)
        got = measured[one.start_ms]
        if substitute is not None and substitute.kg is not None:
            got = float(np.fmax(substitute.kg, got))  # never below what is proven
        when = run.replay.plant.time.show(one.start_ms)
        if one.kg is not None:
            assert got == pytest.approx(float(one.kg), rel=1e-9, abs=1e-12), when
        assert (substitute.method if substitute else None) == _method(one.method), when
        methods.add(one.method)
    assert len(methods) >= 4


def _method(name: str | None) -> str | None:
    """Give the product's name of a method; hours that were measured or stood still have no substitute."""
    return None if name in (None, "measured", "stopped") else name


@pytest.mark.parametrize("limit", [one for one in LIMITS if one.basis == "mass"], ids=lambda limit: limit.key)
def test_amounts_against_their_caps(limit: QuarterLimit, run: QuarterRun, answers: QuarterTruth) -> None:
    """Hours, days, months and the year so far have their true sums; beyond the cap they exceed, whatever is unknown."""
    assert limit.maximum is not None
    point = f"{limit.outlet}.{limit.subject}"
    with run.replay.store.readers.snapshot() as connection:
        found = verdicts.span(connection, limit.key, at("01-01 00:00"), END)
    assert found
    if limit.window == "1h":
        true = {one.start_ms: one for one in answers.emissions(point)}
        sums = {start: float(one.kg or 0.0) for start, one in true.items()}
    else:
        sums = {}
        for one in found:
            first = max(_date(one.start), date(2020, 6, 29))
            last = _date(one.end - 1) + timedelta(days=1) if limit.window != "1y" else date(2020, 10, 2)
            sums[one.start] = float(answers.total(point, first, last).kg)
    for one in found:
        if limit.window != "1h" and one.start == at("10-01 00:00"):
            continue
        assert one.value is not None
        assert one.value * TO_KG[limit.unit] == pytest.approx(sums[one.start], rel=1e-9, abs=1e-9)
        assert one.outcome.is_exceedance == (one.value > limit.maximum)
        assert one.outcome.is_exceedance or one.outcome is Outcome.OK or one.reason in (Reason.HOURS, Reason.RUNNING)


def _date(at_ms: int) -> date:
    return date(1970, 1, 1) + timedelta(milliseconds=at_ms + 8 * HOUR_MS)


@pytest.mark.parametrize("point", POLLUTANTS)
def test_shares_of_the_quarter(point: str, run: QuarterRun, answers: QuarterTruth) -> None:
    """How much of the quarter was measured, substituted and unknown is carried to its total."""
    true = answers.total(point, date(2020, 7, 1), date(2020, 10, 1))
    with run.replay.store.readers.snapshot() as connection:
        total = emissions.total(connection, run.replay.pipeline.numbers[point], START, END)
    assert total.kg == pytest.approx(float(true.kg), rel=1e-9)
    assert (total.at_least, total.provisional) == (true.at_least, true.is_provisional)
    for got, expected in (
        (total.measured_share, true.measured), (total.substituted_share, true.substituted),
        (total.unknown_share, true.unknown),
    ):  # fmt: skip
        assert got == pytest.approx(float(expected), abs=1e-12)


@pytest.mark.parametrize("point", [*POLLUTANTS, "DA001.o2", "DW001.flow", "N1.leq"])
@pytest.mark.parametrize(("first", "last"), [("2020-07-08", "2020-07-09"), ("2020-08-01", "2020-09-01"),
                                              ("2020-07-01", "2020-10-01")])  # fmt: skip
def test_capture_rates(point: str, first: str, last: str, run: QuarterRun, answers: QuarterTruth) -> None:
    """Capture rate and effective transfer rate of a day, a month, the quarter, stopped time taken out."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    true = answers.capture(point, start, end)
    with run.replay.store.readers.snapshot() as connection:
        number = run.replay.pipeline.numbers[point]
        span = max(day_edges(start)[0], windows.closed(connection, "1h")[number][0]), day_edges(end)[0]
        hours = windows.span(connection, "1h", number, *span)
    got = capture_of(hours, *span)
    for ours, theirs in ((got.rate, true.rate), (got.transfer, true.transfer),
                         (got.effective_transfer, true.effective_transfer)):  # fmt: skip
        assert ours == (None if theirs is None else pytest.approx(float(theirs), abs=1e-12))


def test_the_edges_the_rules_speak_of(run: QuarterRun, quarter: Quarter) -> None:
    """44 valid minutes fail and 45 pass; gaps after 179 and 181 measured hours; an RTO trip exceeds at least."""

    def of(key: str, when: str) -> tuple[Outcome, Reason | None]:
        with run.replay.store.readers.snapshot() as connection:
            found = verdicts.read(connection, key, at(when))
        assert found is not None
        return found.outcome, found.reason

    nox, nmhc = "DA001/nox/concentration/1h/permit/-", "DA002/nmhc/concentration/1h/permit 2018/-"
    assert of(nox, "07-08 10:00")[0] in (Outcome.OK, Outcome.WARN)
    assert of(nox, "07-08 14:00") == (Outcome.NOT_JUDGED, Reason.MINUTES)
    assert of(nmhc, "07-31 10:00")[0] is Outcome.EXCEED_AT_LEAST
    number = run.replay.pipeline.numbers["DA002.nmhc"]
    with run.replay.store.readers.snapshot() as connection:
        course = emissions.hours(connection, number, COATING_START, END)
        one, other = (
            emissions.substitutes(connection, number, "1h", gap, gap + HOUR_MS)[gap] for gap in quarter.fresh_gaps
        )
    kg_h = course.kg[course.is_measured] / (course.ran[course.is_measured] / 60)
    starts = course.start[course.is_measured]
    before = [kg_h[starts < gap] for gap in quarter.fresh_gaps]
    assert [len(some) for some in before] == [179, 181]
    ran = {int(start): int(minutes) for start, minutes in zip(course.start, course.ran, strict=True)}
    assert one.kg == pytest.approx(before[0].max() * ran[one.start] / 60, rel=1e-9)
    assert other.kg == pytest.approx(before[1][1:].max() * ran[other.start] / 60, rel=1e-9)
    assert before[1][1:].max() < before[1].max()  # the oldest hour, the largest, is the 181st
