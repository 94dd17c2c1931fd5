"""This module proves when a deadline is warned of, when it is overdue, and that an outlet's are one alarm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from builders import a_point, some_rules
from hypothesis import given
from hypothesis import strategies as st

from plantmon.alarms import due
from plantmon.alarms.due import Deadline, conditions
from plantmon.averages.periods import Period
from plantmon.model.alarm import Alarm, Condition, Severity, State
from plantmon.model.plant import Reporting
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
RULES = some_rules()
BEGAN = TIME.parse("2026-03-02 08:00")
NOX, SO2, COD = a_point(), a_point("DA001.so2"), a_point("DW001.cod")


def standing(*found: Condition) -> dict[str, Alarm]:
    """Give conditions as the alarms they raised."""
    return {
        one.key: Alarm(
            id=1, key=one.key, kind=one.kind, severity=one.severity, state=State.UNACK, raised_ms=0,
            since_ms=one.since_ms, cleared_ms=None, until_ms=None, acked_ms=None, acked_by=None, note=None,
            reminded_ms=None, facts=one.facts,
        )
        for one in found
    }  # fmt: skip


def moved(found: Sequence[Condition]) -> list[tuple[str, bool | None, bool]]:
    """Give key, state and whether nothing is said."""
    return [(one.key, one.is_bad, one.quiet) for one in found]


def test_a_fault_is_to_be_reported() -> None:
    """Of 12 hours to report, 9 pass in silence; from then on it is warned of, and again when the 12 are over."""
    fault = due.fault_report(NOX, BEGAN, BEGAN + 12 * HOUR_MS, RULES)
    assert conditions([fault], {}, BEGAN + 9 * HOUR_MS - 1) == []
    (first,) = conditions([fault], {}, BEGAN + 9 * HOUR_MS)
    assert (first.key, first.kind, first.severity, first.is_bad) == (
        "fault_report:DA001", "fault_report", Severity.DATA, True,
    )  # fmt: skip
    assert [first.facts[name] for name in ("began", "by", "overdue", "point", "detail")] == [
        BEGAN, BEGAN + 12 * HOUR_MS, False, "DA001.nox", None,
    ]  # fmt: skip
    at = BEGAN + 12 * HOUR_MS
    assert moved(conditions([fault], standing(first), at)) == [("fault_report:DA001", True, False)]
    found = conditions([fault], standing(first), at + 1)
    assert moved(found) == [("fault_report:DA001", False, True), ("fault_report_overdue:DA001", True, False)]
    assert found[1].facts["overdue"] is True


def test_a_kept_deadline_ends_its_alarm_with_a_word() -> None:
    """When nothing is to be done any more, what stands ends, and that is said once."""
    fault = due.fault_report(NOX, BEGAN, BEGAN + 12 * HOUR_MS, RULES)
    late = BEGAN + 13 * HOUR_MS
    found = conditions([fault], {}, late)
    assert moved(conditions([], standing(*found), late)) == [("fault_report_overdue:DA001", False, False)]


def test_the_end_of_a_fault_is_said_once() -> None:
    """A monitor that works again ends what was to be reported and what was to be repaired: one mail says so."""
    report = due.fault_report(NOX, BEGAN, BEGAN + 12 * HOUR_MS, RULES)
    repair = due.fault_repair(NOX, BEGAN, BEGAN + DAY_MS, RULES, None)
    both = conditions([report, repair], {}, BEGAN + 20 * HOUR_MS)
    assert [one.key for one in both] == ["fault_report_overdue:DA001", "fault_repair:DA001"]
    assert moved(conditions([], standing(*both), BEGAN + 21 * HOUR_MS)) == [
        ("fault_report_overdue:DA001", False, True), ("fault_repair:DA001", False, False),
    ]  # fmt: skip


def test_a_repair_within_working_days() -> None:
    """The instant at which one working day is left is told by the calendar."""
    friday, tuesday = TIME.parse("2026-03-06"), TIME.parse("2026-03-10")
    repair = due.fault_repair(NOX, BEGAN, tuesday, RULES, friday)
    assert conditions([repair], {}, friday - 1) == []
    assert [one.kind for one in conditions([repair], {}, friday)] == ["fault_repair"]


def test_an_outlet_is_one_alarm() -> None:
    """Two monitors of one stack are one alarm, due when the first of them is; another outlet is another."""
    by = BEGAN + 12 * HOUR_MS
    found = conditions(
        [
            due.fault_report(SO2, BEGAN + HOUR_MS, by + HOUR_MS, RULES),
            due.fault_report(NOX, BEGAN, by, RULES),
            due.fault_report(COD, BEGAN, by, RULES),
        ],
        {},
        by - HOUR_MS,
    )
    assert [(one.key, one.facts["point"], one.facts.get("detail"), one.facts["by"]) for one in found] == [
        ("fault_report:DA001", None, "DA001.nox, DA001.so2", by),
        ("fault_report:DW001", "DW001.cod", None, by),
    ]


WEEK = 7 * DAY_MS


@pytest.mark.parametrize(
    ("passed_days_ago", "known_days_ago", "keys"),
    [
        (6.29, 100, []),
        (6.31, 100, ["calibration_due:DA001"]),  # a tenth of a week is 0.7 days: from 6.3 days on
        (7.0, 100, ["calibration_due:DA001"]),
        (7.01, 100, ["calibration_due_overdue:DA001"]),
        (None, 6.0, []),
        (None, 8.0, ["calibration_due_overdue:DA001"]),  # never one since plantmon knows the point
    ],
)
def test_a_calibration_falls_due(passed_days_ago: float | None, known_days_ago: float, keys: list[str]) -> None:
    """An interval after the last passed one; warned of a tenth of it before."""
    point = a_point(calibration_ms=WEEK)
    passed = None if passed_days_ago is None else BEGAN - int(passed_days_ago * DAY_MS)
    deadline = due.calibration(point, passed, BEGAN - int(known_days_ago * DAY_MS), RULES)
    assert deadline is not None
    found = conditions([deadline], {}, BEGAN)
    assert [one.key for one in found] == keys
    assert all((one.severity, one.facts["last"]) == (Severity.WARNING, passed) for one in found)


def test_without_interval_nobody_is_reminded() -> None:
    """A point without `calibration` has no deadline."""
    assert due.calibration(NOX, None, BEGAN, RULES) is None


REPORTING = Reporting(None, 15, 31)


def of_reports(at: str, *done: str, first: str | None = "2025-06-01", since: str | None = None) -> list[Deadline]:
    """Give the deadlines of reports at a local time."""
    return due.reports(
        REPORTING, TIME, RULES, None if first is None else TIME.parse(first), done, TIME.parse(at),
        None if since is None else TIME.parse(since),
    )  # fmt: skip


def test_reports_fall_due() -> None:
    """The first quarter's report is due by the end of 15 April, the year's by the end of 31 January."""
    quarter, year = of_reports("2026-04-02")
    assert (quarter.period, TIME.show(quarter.by_ms)) == ("2026-Q1", "2026-04-16 00:00:00")
    assert TIME.show(quarter.warn_ms) == "2026-04-06 00:00:00"
    assert (year.period, TIME.show(year.by_ms)) == ("2025", "2026-02-01 00:00:00")
    assert [one.period for one in of_reports("2026-04-02", "2025")] == ["2026-Q1"]
    assert of_reports("2026-04-02", "2025", "2026-Q1") == []


def test_reports_of_time_without_plantmon_are_not_asked_for() -> None:
    """A period before the first reading, or without any, has no report."""
    assert [one.period for one in of_reports("2026-04-02", first="2026-03-31")] == ["2026-Q1"]
    assert of_reports("2026-04-02", first="2026-04-01") == []
    assert of_reports("2026-04-02", first=None) == []


def test_a_report_that_was_warned_of_is_not_forgotten() -> None:
    """When the next quarter ends the older report is still asked for, until it is handed in."""
    assert [one.period for one in of_reports("2026-07-02", "2025")] == ["2026-Q2"]
    assert [one.period for one in of_reports("2026-07-02", "2025", since="2026-01-01")] == ["2026-Q1", "2026-Q2"]
    assert [one.period for one in of_reports("2026-07-02", "2025", "2026-Q1", since="2026-01-01")] == ["2026-Q2"]


def test_report_that_is_overdue() -> None:
    """Warned of in its last ten days, overdue after the last."""
    deadlines = [one for one in of_reports("2026-04-15 12:00") if one.period == "2026-Q1"]
    assert moved(conditions(deadlines, {}, TIME.parse("2026-04-05 23:59"))) == []
    (first,) = conditions(deadlines, {}, TIME.parse("2026-04-15 23:59"))
    assert (first.key, first.facts["period"], first.facts["outlet"]) == ("report_due:2026-Q1", "2026-Q1", None)
    assert first.facts["period_start"] == TIME.parse("2026-01-01")
    (end, overdue) = conditions(deadlines, standing(first), TIME.parse("2026-04-16 00:01"))
    assert (end.quiet, overdue.key) == (True, "report_due_overdue:2026-Q1")


def test_names_of_periods() -> None:
    """Months, quarters and years are named as their reports are."""
    names = [due.period_name(period, date(2026, 10, 1)) for period in (Period.MONTH, Period.QUARTER, Period.YEAR)]
    assert names == ["2026-10", "2026-Q4", "2026"]


@given(
    st.lists(
        st.tuples(st.sampled_from([NOX, SO2, COD]), st.integers(0, 40), st.integers(1, 60), st.booleans()), max_size=6
    ),
    st.lists(st.integers(0, 120), min_size=1, max_size=12),
)
def test_each_deadline_is_said_at_most_twice(faults: list[tuple[Any, int, int, bool]], hours: list[int]) -> None:
    """However often it is looked at, at most one alarm stands an outlet and kind; nothing is left at the end."""
    deadlines = [
        (due.fault_report if is_report else repair)(
            point, BEGAN + start * HOUR_MS, BEGAN + (start + span) * HOUR_MS, RULES
        )
        for point, start, span, is_report in faults
    ]
    stands: dict[str, Alarm] = {}
    for hour in sorted(hours):
        for one in conditions(deadlines, stands, BEGAN + hour * HOUR_MS + MINUTE_MS):
            if one.is_bad:
                stands |= standing(one)
            else:
                del stands[one.key]
        bases = [key.replace("_overdue", "") for key in stands]
        assert len(bases) == len(set(bases))
    ends = conditions([], stands, BEGAN + 1000 * HOUR_MS)
    assert {one.key for one in ends} == set(stands)


def repair(point: Any, began: int, by: int, rules: Any) -> Deadline:
    """Give a deadline to repair within hours."""
    return due.fault_repair(point, began, by, rules, None)
