"""This module proves converted means, rates and sound periods against the truth of two faulty days."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from replay import Replay, topics_of

from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.permits import permit_of
from plantmon.plant.load import load_plant_text
from plantmon.reports import compliance
from plantmon.reports.document import Scope
from plantmon.reports.forms import part_as
from plantmon.store import verdicts
from simulators import truth
from simulators.faults import Delivery, Flagged, OverRange, Silent, Stuck, deliveries
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file

SIM = SimulatedPlant(seed=11)
MONDAY = date(2020, 3, 2)
START, END = truth.day_edges(MONDAY)[0], truth.day_edges(MONDAY + timedelta(days=1))[1]
HOUR = 3_600_000
MINUTE = 60_000
CLOSE = 1e-9


def at(hour: float) -> int:
    """Give an instant of Monday by its local hour."""
    return START + int(hour * HOUR)


FAULTS = (
    Flagged("DA001.o2", at(8), at(8) + 15 * MINUTE, "C"),  # 45 minutes are left: just enough
    Flagged("DA001.o2", at(9), at(9) + 16 * MINUTE, "C"),  # 44: too few
    Stuck("DA001.nox", at(10), at(11)),
    OverRange("DA001.so2", at(12), at(12) + 5 * MINUTE),
    Silent("DA002.flow", at(13), at(13.5)),
    Silent("N1.leq", at(22.5), at(25)),  # 5.5 of 8 hours: the night is not valid
    Flagged("DA002.nmhc", at(14), at(14.2), "M"),
)


@pytest.fixture(scope="module")
def plant_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Replay, list[Delivery]]:
    """Two days through the pipeline."""
    plant = load_plant_text(plant_file(SIM), "plant.yaml")
    sent = list(deliveries(SIM, START, END, FAULTS))
    replay = Replay(tmp_path_factory.mktemp("judged"), plant, START)
    replay.feed(sent, topics_of(SIM))
    replay.settle(END + 12 * HOUR)
    return replay, sent


def _of(replay: Replay, start: str) -> dict[int, Verdict]:
    (key,) = (limit.key for limit in replay.plant.limits if limit.key.startswith(start) and limit.covers(MONDAY))
    with replay.store.readers.snapshot() as connection:
        return {one.start: one for one in verdicts.span(connection, key, START - 24 * HOUR, END)}


def _minutes(sent: list[Delivery], point: str, start: int) -> list[truth.TrueWindow]:
    return truth.minutes(SIM.point(point), truth.accepted(sent, point), start, start + HOUR)


def _agree(found: Verdict, true: truth.TrueJudged) -> bool:
    """Compare one hour; give whether it was judged."""
    if true.ran == 0:
        assert found.reason is Reason.STOPPED
        return False
    if not true.is_valid:
        assert found.outcome is Outcome.NOT_JUDGED
        return False
    assert found.value == pytest.approx(float(true.value or 0), rel=CLOSE)
    return True


@pytest.mark.parametrize("pollutant", ["nox", "pm"])
def test_converted_hours_are_true(plant_days: tuple[Replay, list[Delivery]], pollutant: str) -> None:
    """Each hour at reference oxygen is the mean of its minutes, each converted with its own oxygen."""
    replay, sent = plant_days
    found = _of(replay, f"DA001/{pollutant}/concentration/1h")
    judged = 0
    for start in range(START, END, HOUR):
        oxygen = _minutes(sent, "DA001.o2", start)
        ran = [one.mean is None or one.mean <= 19 for one in oxygen]
        true = truth.converted_hour(_minutes(sent, f"DA001.{pollutant}", start), oxygen, ran, 3.5)
        judged += _agree(found[start], true)
    assert judged >= 28
    assert found[at(8)].outcome is not Outcome.NOT_JUDGED
    assert (found[at(9)].outcome, found[at(9)].reason) == (Outcome.NOT_JUDGED, Reason.MINUTES)


def test_over_range_hour_at_reference_oxygen(plant_days: tuple[Replay, list[Delivery]]) -> None:
    """Five minutes at the range's end prove an exceedance, at least the mean with them at their own oxygen."""
    replay, sent = plant_days
    verdict = _of(replay, "DA001/so2/concentration/1h")[at(12)]
    oxygen, sulphur = _minutes(sent, "DA001.o2", at(12)), _minutes(sent, "DA001.so2", at(12))
    values = [
        float((one.lower_bound if one.lower_bound is not None else one.mean) or 0) * 17.5 / (21 - float(air.mean or 0))
        for one, air in zip(sulphur, oxygen, strict=True)
    ]
    assert verdict.outcome is Outcome.EXCEED_AT_LEAST
    assert verdict.value == pytest.approx(sum(values) / 60, rel=CLOSE)


def test_rates_are_true(plant_days: tuple[Replay, list[Delivery]]) -> None:
    """Each hour's kg/h is its mean concentration times its mean flow, each over 45 running minutes at least."""
    replay, sent = plant_days
    found = _of(replay, "DA002/nmhc/rate/1h")
    judged = 0
    for start in range(START, END, HOUR):
        flow = _minutes(sent, "DA002.flow", start)
        ran = [one.mean is None or one.mean >= 5000 for one in flow]
        judged += _agree(found[start], truth.rate_hour(_minutes(sent, "DA002.nmhc", start), flow, ran))
    assert judged >= 28
    assert found[at(13)].outcome is Outcome.NOT_JUDGED


@pytest.mark.parametrize(("name", "first_hour", "hours"), [("day", 6, 16), ("night", 22, 8)])
def test_sound_periods_are_true(
    plant_days: tuple[Replay, list[Delivery]], name: str, first_hour: int, hours: int
) -> None:
    """A day or night period is the energy mean of its valid minutes, and belongs to the date it begins on."""
    replay, sent = plant_days
    found = _of(replay, f"N1/leq/level/{name}-period")
    true = truth.period(SIM.point("N1.leq"), truth.accepted(sent, "N1.leq"), MONDAY, name)
    verdict = found[at(first_hour)]
    assert verdict.end - verdict.start == hours * HOUR
    assert verdict.value == pytest.approx(float(true.mean or 0), rel=CLOSE)
    assert (verdict.outcome is Outcome.NOT_JUDGED) == (not true.is_valid)
    assert true.is_valid == (name == "day")


def test_compliance_report_counts_what_was_judged(plant_days: tuple[Replay, list[Delivery]]) -> None:
    """Each limit's windows are counted by verdict and reason, and the register lists the over-range hour."""
    replay, _ = plant_days
    with replay.store.readers.snapshot() as connection:
        permit, numbers = permit_of(connection, replay.plant), replay.pipeline.numbers
        scope = Scope(connection, replay.plant, permit, numbers, START, END, replay.now_ms, "en")
        limits, register = (
            json.loads(part_as(compliance.PARTS[name](scope), scope, "json")) for name in ("limits", "register")
        )
    sulphur = next(row for row in limits if "so2" in row["limit"])
    assert (sulphur["windows"], sulphur["exceed_at_least"]) == (48, 1)
    assert sum(sulphur[name] for name in ("ok", "warn", "exceed", "exceed_at_least", "not_judged")) == 48
    assert [row["limit"] for row in register] == ["DA001/so2/concentration/1h/permit/-"]


def test_judging_again_changes_nothing(plant_days: tuple[Replay, list[Delivery]]) -> None:
    """Recompute of the two days gives the same windows and verdicts."""
    replay, _ = plant_days
    assert replay.pipeline.recompute(START, END, replay.now_ms) == (0, 0)
    assert replay.pipeline.windows.find_holes() == 0
    assert replay.pipeline.compliance.find_holes() == 0


@pytest.mark.parametrize(("pollutant", "point"), [("cod", "DW001.cod"), ("ammonia_nitrogen", "DW001.nh3n")])
def test_water_days_are_true(plant_days: tuple[Replay, list[Delivery]], pollutant: str, point: str) -> None:
    """A day of waste water weighs each result with the volume that flowed until the next."""
    replay, sent = plant_days
    found = _of(replay, f"DW001/{pollutant}/concentration/1d")
    flow = truth.accepted(sent, "DW001.flow")
    for day in (MONDAY, MONDAY + timedelta(days=1)):
        true = truth.flow_weighted_day(
            SIM.point(point), truth.accepted(sent, point), SIM.point("DW001.flow"), flow, day, known_from_ms=START
        )
        assert found[truth.day_edges(day)[0]].value == pytest.approx(float(true.value or 0), rel=CLOSE)


def test_ph_hours_are_true(plant_days: tuple[Replay, list[Delivery]]) -> None:
    """An hour of pH is the median of its minutes with discharge; without any, it is not judged."""
    replay, sent = plant_days
    found = _of(replay, "DW001/ph/level/1h")
    acid, flow = truth.accepted(sent, "DW001.ph"), truth.accepted(sent, "DW001.flow")
    judged = 0
    for start in range(START, END, HOUR):
        true = truth.ph_hour(SIM.point("DW001.ph"), acid, SIM.point("DW001.flow"), flow, start)
        verdict = found[start]
        assert (verdict.reason is Reason.NO_DISCHARGE) == true.no_discharge
        if true.is_valid:
            judged += 1
            assert verdict.value == pytest.approx(float(true.value or 0), rel=CLOSE)
    assert judged >= 24
