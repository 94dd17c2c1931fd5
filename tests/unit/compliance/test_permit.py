"""This module proves which version of the plant file judges an instant, and which limits a window."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point, some_alarm_rules, some_rules
from hypothesis import given
from hypothesis import strategies as st

from plantmon.compliance.permit import BEGINNING_MS, Permit, judges_alike, timeline
from plantmon.model.plant import Limit, Plant
from plantmon.times import DAY_MS, HOUR_MS, PlantTime

DAY0 = date(2020, 3, 20)  # Berlin's clocks change nine days later
TIMES = [PlantTime(ZoneInfo(name)) for name in ("Asia/Shanghai", "Europe/Berlin")]
DAYS = 30


def a_line(name: str, maximum: float, since: date | None = None, until: date | None = None) -> Limit:
    """Give a limit known by a name."""
    return a_limit(key=name, maximum=maximum, valid_from=since, valid_to=until)


def a_file(*limits: Limit, time: PlantTime = TIMES[0], **changes: object) -> Plant:
    """Give a plant file with these limits."""
    return a_plant((a_point(),), limits, time=time, **changes)


days = st.none() | st.integers(0, DAYS).map(lambda days: DAY0 + timedelta(days=days))


@st.composite
def limits(draw: st.DrawFn) -> tuple[Limit, ...]:
    """Draw a file's limits: up to three lines of the permit, each with days that may be open or empty."""
    names = draw(st.lists(st.sampled_from("ABC"), unique=True))
    return tuple(a_line(name, float(draw(st.integers(10, 12))), draw(days), draw(days)) for name in names)


@given(
    time=st.sampled_from(TIMES),
    files=st.lists(st.tuples(st.integers(0, DAYS * 24), limits()), min_size=1, max_size=6),
    adopted=st.lists(st.tuples(st.integers(0, 5), st.integers(-5, DAYS + 5)), max_size=6),
)
def test_the_limits_in_force_are_those_of_a_naive_reading_of_the_rule(
    time: PlantTime, files: list[tuple[int, tuple[Limit, ...]]], adopted: list[tuple[int, int]]
) -> None:
    """Hour by hour: of the versions that have started the newest, of its limits those that cover the local date."""
    origin = time.midnight(DAY0)
    loaded = {number: origin + hours * HOUR_MS for number, (hours, _) in enumerate(sorted(files, key=lambda f: f[0]))}
    plants = {number: a_file(*lines, time=time) for number, (_, lines) in enumerate(files)}
    said = {version: time.midnight(DAY0 + timedelta(days=day)) for version, day in adopted if version in loaded}
    permit = Permit([(start, plants[version]) for start, version in timeline(loaded, said)])

    def naive(at: int) -> Plant:
        started = [version for version in loaded if version == 0 or said.get(version, loaded[version]) <= at]
        return plants[max(started)]

    for hour in range(-6 * 24, (DAYS + 6) * 24, 5):
        at = origin + hour * HOUR_MS
        plant = naive(at)
        expected = tuple(limit for limit in plant.limits if limit.covers(time.date_of(at)))
        assert permit.in_force(at) == expected
        assert judges_alike(permit.at(at), plant)
        for name in "ABC":
            assert permit.is_in_force(name, at) == next((one for one in expected if one.key == name), None)
    parts = permit.spans(origin, origin + DAYS * DAY_MS)
    assert [start for start, _, _ in parts] == [origin, *(end for _, end, _ in parts[:-1])]
    assert parts[-1][1] == origin + DAYS * DAY_MS
    for start, end, plant in parts:
        assert start < end
        assert judges_alike(plant, naive(start))
        assert judges_alike(plant, naive(end - 1))


def test_a_version_is_in_force_from_its_loading() -> None:
    """The first version judges all earlier time too, a later one from the millisecond it was loaded."""
    assert timeline({1: 1000, 2: 2000}, {}) == [(BEGINNING_MS, 1), (2000, 2)]
    old, new = a_file(a_line("A", 50.0)), a_file(a_line("A", 40.0))
    permit = Permit([(BEGINNING_MS, old), (2000, new)])
    assert [permit.at(at) for at in (-(10**15), 0, 1999, 2000, 10**15)] == [old, old, old, new, new]


@pytest.mark.parametrize(
    ("adopted", "expected"),
    [
        ({3: 1500}, [(BEGINNING_MS, 1), (1500, 3)]),
        ({3: 2000}, [(BEGINNING_MS, 1), (2000, 3)]),
        ({3: 2500}, [(BEGINNING_MS, 1), (2000, 2), (2500, 3)]),
        ({3: 9000}, [(BEGINNING_MS, 1), (2000, 2), (9000, 3)]),
        ({2: 500}, [(BEGINNING_MS, 1), (500, 2), (3000, 3)]),
        ({2: 3500}, [(BEGINNING_MS, 1), (3000, 3)]),
        ({2: 500, 3: 700}, [(BEGINNING_MS, 1), (500, 2), (700, 3)]),
    ],
    ids=["over all of 2", "from where 2 began", "within 2", "later", "2 before its loading", "2 after 3", "both"],
)
def test_an_adopted_version_is_in_force_from_its_day(adopted: dict[int, int], expected: list[tuple[int, int]]) -> None:
    """Of the versions that have started the newest is in force, whichever way an adoption moved a start."""
    assert timeline({1: 1000, 2: 2000, 3: 3000}, adopted) == expected


def test_a_renewal_in_one_file_changes_at_local_midnight() -> None:
    """A line to 2024-12-31 and a line from 2025-01-01: the last hour of the year has the old, the first the new."""
    old, new = a_line("A", 60.0, None, date(2024, 12, 31)), a_line("B", 50.0, date(2025, 1, 1))
    permit = Permit([(BEGINNING_MS, a_file(old, new))])
    midnight = TIMES[0].midnight(date(2025, 1, 1))
    assert (permit.in_force(midnight - 1), permit.in_force(midnight)) == ((old,), (new,))


def test_a_night_has_the_limits_of_its_evening() -> None:
    """A period that begins on the last day of a line is judged by that line, though it ends on the next day."""
    old, new = a_line("A", 60.0, None, date(2024, 12, 31)), a_line("B", 50.0, date(2025, 1, 1))
    permit = Permit([(BEGINNING_MS, a_file(old, new))])
    evening = TIMES[0].parse("2024-12-31T22:00")
    assert permit.in_force(evening) == (old,)


def test_the_last_day_there_is() -> None:
    """A line to 9999-12-31 has no end."""
    line = a_line("A", 60.0, date(2020, 1, 1), date.max)
    permit = Permit([(BEGINNING_MS, a_file(line))])
    assert permit.in_force(TIMES[0].midnight(date.max)) == (line,)
    assert permit.in_force(TIMES[0].midnight(date(2019, 12, 31))) == ()


def test_versions_that_judge_alike_are_one() -> None:
    """A changed mail address divides nothing; the newer file stands for both. A changed rule or limit divides."""
    first = a_file(a_line("A", 50.0))
    mail = replace(first, version="b", text="b", alarms=some_alarm_rules(repeat_ms=1))
    rule = replace(mail, version="c", rules=some_rules(valid_hour_minutes=40))
    permit = Permit([(BEGINNING_MS, first), (1000, mail), (2000, rule)])
    assert permit.plants == (mail, rule)
    assert permit.spans(0, 3000) == [(0, 2000, mail), (2000, 3000, rule)]


def test_spans_of_nothing() -> None:
    """An empty span has no parts."""
    permit = Permit([(BEGINNING_MS, a_file()), (1000, a_file(a_line("A", 1.0)))])
    assert permit.spans(1000, 1000) == []
    assert permit.spans(500, 400) == []


def test_every_limit_ever_known_has_its_newest_line() -> None:
    """Reports find removed limits and those of superseded versions; of one key the newest line counts."""
    gone, kept, newer = a_line("GONE", 1.0), a_line("A", 50.0), a_line("A", 40.0)
    typo = a_line("TYPO", 4.0)
    permit = Permit([(BEGINNING_MS, a_file(gone, kept)), (2000, a_file(newer))], [a_file(typo, a_line("A", 9.0))])
    assert permit.limits() == {"GONE": gone, "A": newer, "TYPO": typo}
