"""This module tells of deadlines: a monitor out of order, calibrations and reports, and what ends each reminder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point, some_alarm_rules
from story import FEEDS, Story

from plantmon.model.plant import FaultClock, Reporting, WorkTime
from plantmon.requests import Requests
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
EIGHT = TIME.parse("2026-03-02 08:00")  # a Monday
NOX = a_point(interval_ms=MINUTE_MS)
SO2 = a_point("DA001.so2", quantity="so2", interval_ms=MINUTE_MS)
CLOCK = FaultClock(WorkTime(12 * HOUR_MS, None), WorkTime(None, 5))
PLANT = a_plant((NOX, SO2), (a_limit(NOX, key="nox"), a_limit(SO2, key="so2")), feeds=FEEDS,
                alarms=some_alarm_rules(fault_clock=CLOCK))  # fmt: skip
GRACE_MS = 2 * MINUTE_MS


class Due(Story):
    """A story whose deadlines are looked at."""

    def look(self, at: str | int) -> list[tuple[str, str]]:
        """Let the stages do what is due at a local time and look at the deadlines; give what was said meanwhile."""
        before = len(self.mails())
        self.settle(TIME.parse(at) if isinstance(at, str) else at)
        self.pipeline.watch_deadlines(self.now_ms)
        self.settle(self.now_ms)
        return self.told()[before:]

    def ask(self, kind: str, **body: Any) -> list[tuple[str, str]]:
        """Have somebody ask for something; give what was said of it."""
        before = len(self.mails())
        done, answer = Requests(self.pipeline, lambda: self.now_ms).handle(kind, {"language": "en", **body}, "li")
        assert done, answer
        self.settle(self.now_ms)
        return self.told()[before:]


@pytest.fixture(params=[False, True], ids=["", "restarted before every step"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Due]:
    """Give a stack whose monitors work from seven to eight on a Monday."""
    told = Due(tmp_path, PLANT, restarts=request.param)
    for point in PLANT.points:
        told.hour(point, EIGHT - HOUR_MS, 30.0)
    yield told
    told.close()


def goes_on(story: Due, point: str, start: int, hours: int) -> None:
    """Let a monitor work on, a reading a minute."""
    for turn in range(hours):
        story.hour(point, start + turn * HOUR_MS, 30.0, now_ms=start + hours * HOUR_MS)


def test_fault_is_reported_in_time(story: Due) -> None:
    """NOx is out of order from eight on: at five a reminder, three hours before it is due; reporting it ends that."""
    goes_on(story, "DA001.so2", EIGHT, 8)
    assert story.look("2026-03-02 16:59") == []
    assert story.look("2026-03-02 17:03") == [("raised", "fault_report")]
    facts = story.messages()[-1].facts
    assert (facts["point"], facts["by"], facts["began"]) == ("DA001.nox", TIME.parse("2026-03-02 20:00"), EIGHT)
    assert story.look("2026-03-02 18:03") == []
    said = story.ask("fault_report", point="DA001.nox", at=TIME.parse("2026-03-02 18:00"), note="by telephone")
    assert said == [("cleared", "fault_report")]
    assert story.look("2026-03-02 21:00") == []
    assert story.standing() == []


def test_fault_that_nobody_reports_nor_repairs(story: Due) -> None:
    """Each deadline is said before and after it; on the Friday one working day is left; a valid hour ends it all."""
    for at, said in (
        ("2026-03-02 17:03", [("raised", "fault_report")]),
        ("2026-03-02 20:00", []),
        ("2026-03-02 20:03", [("raised", "fault_report")]),  # overdue: the first ends without a mail
        ("2026-03-05 23:59", []),
        ("2026-03-06 00:03", [("raised", "fault_repair")]),
        ("2026-03-10 00:03", [("raised", "fault_repair")]),
    ):
        assert story.look(at) == said, at
    texts = [(one.facts["kind"], one.facts["overdue"], one.facts["detail"]) for one in story.messages()]
    both = "DA001.nox, DA001.so2"
    assert texts == [
        ("fault_report", False, both), ("fault_report", True, both),
        ("fault_repair", False, both), ("fault_repair", True, both),
    ]  # fmt: skip
    assert story.messages()[2].facts["by"] == TIME.parse("2026-03-10")
    assert story.standing() == ["fault_report_overdue:DA001", "fault_repair_overdue:DA001"]
    tuesday = TIME.parse("2026-03-10 01:00")
    for point in PLANT.points:
        story.hour(point, tuesday, 30.0)
    assert story.look(tuesday + HOUR_MS + GRACE_MS) == [("cleared", "fault_repair")]
    assert story.standing() == []


def test_fault_that_ends_in_time_is_no_matter(story: Due) -> None:
    """A monitor that works again after eight hours needs no report, and nobody is reminded."""
    for point in PLANT.points:
        goes_on(story, point, EIGHT + 8 * HOUR_MS, 5)
    for hour in range(1, 14):
        assert story.look(EIGHT + hour * HOUR_MS + GRACE_MS) == []


def test_two_faults_of_a_stack(story: Due) -> None:
    """Of two monitors the first is reported: the reminder ends, and comes for the other when its own time has come."""
    goes_on(story, "DA001.so2", EIGHT, 6)
    assert story.look("2026-03-02 17:03") == [("raised", "fault_report")]
    said = story.ask("fault_report", point="DA001.nox", at=TIME.parse("2026-03-02 17:00"), note="x")
    assert said == [("cleared", "fault_report")]
    assert story.look("2026-03-02 22:59") == []
    ((event, kind),) = story.look("2026-03-02 23:03")  # from 14:00 on: 9 of 12 hours
    assert (event in ("raised", "again"), kind) == (True, "fault_report")
    assert story.messages()[-1].facts["point"] == "DA001.so2"


def test_without_fault_clock_nobody_is_reminded(tmp_path: Path) -> None:
    """Where the plant file names no times there are no deadlines; one that is taken out of it ends what stands."""
    story = Due(tmp_path, PLANT)
    for point in PLANT.points:
        story.hour(point, EIGHT - HOUR_MS, 30.0)
    assert story.look("2026-03-02 17:03") == [("raised", "fault_report")]
    story.close()
    story = Due(tmp_path, replace(PLANT, alarms=some_alarm_rules(), version="another"))
    assert story.look("2026-03-02 18:03") == [("cleared", "fault_report")]
    assert story.look("2026-03-09 18:03") == []
    story.close()


WEEKLY = replace(PLANT, points={"DA001.nox": replace(NOX, calibration_ms=7 * DAY_MS), "DA001.so2": SO2},
                 alarms=some_alarm_rules())  # fmt: skip


def calibrated(story: Due, at: str, result: str = "pass") -> list[tuple[str, str]]:
    """Enter a calibration."""
    body = {"point": "DA001.nox", "at": TIME.parse(at), "zero": "0.3", "span": "98.7", "result": result, "note": None}
    return story.ask("calibrate", **body)


def test_calibration_falls_due(tmp_path: Path) -> None:
    """A week after the last passed one; a failed one does not count; the next passed one ends the reminder."""
    story = Due(tmp_path, WEEKLY)
    story.settle(EIGHT)
    assert calibrated(story, "2026-03-02 07:00") == []
    assert story.look("2026-03-08 14:00") == []  # 0.7 days before Monday at seven is Sunday at 14:12
    assert story.look("2026-03-08 14:12") == [("raised", "calibration_due")]
    assert story.messages()[-1].facts["by"] == TIME.parse("2026-03-09 07:00")
    assert calibrated(story, "2026-03-08 14:10", "fail") == []
    assert story.look("2026-03-09 07:01") == [("raised", "calibration_due")]
    assert story.messages()[-1].facts["overdue"] is True
    assert calibrated(story, "2026-03-09 07:01") == [("cleared", "calibration_due")]
    assert story.look("2026-03-15 14:10") == []
    assert len(story.look("2026-03-15 14:13")) == 1
    story.close()


def test_report_falls_due(tmp_path: Path) -> None:
    """Ten days before the 15th of April is the 6th; handing the report in ends the reminder for good."""
    story = Due(tmp_path, replace(PLANT, alarms=some_alarm_rules(), reporting=Reporting(None, 15, 31)))
    story.hour("DA001.nox", EIGHT - HOUR_MS, 30.0)
    for at, said in (
        ("2026-03-31 23:59", []),
        ("2026-04-05 23:59", []),
        ("2026-04-06 00:00", [("raised", "report_due")]),
        ("2026-04-15 23:59", []),
        ("2026-04-16 00:01", [("raised", "report_due")]),
        ("2026-07-07 00:00", [("raised", "report_due")]),  # the next quarter's; the first stays overdue
    ):
        assert story.look(at) == said, at
    assert story.standing() == ["report_due_overdue:2026-Q1", "report_due:2026-Q2"]
    day = TIME.parse("2026-07-06")
    for period, end in (("2026-Q1", "2026-04-01"), ("2026-Q2", "2026-07-01")):
        said = story.ask("handed_in", period=period, end=TIME.parse(end), at=day, note="")
        assert said == [("cleared", "report_due")]
    assert story.look("2026-07-20") == []
    assert story.standing() == []
    story.close()


@pytest.mark.parametrize(
    ("at", "by", "reason"),
    [
        ("2026-03-31 23:59", "li", "lies before the end of 2026-Q1"),
        ("2026-04-03", "li", "lies ahead"),
        ("2026-04-01", " ", "--by must not be empty"),
    ],
)
def test_what_cannot_be_handed_in(tmp_path: Path, at: str, by: str, reason: str) -> None:
    """A report is not handed in before its period ended, nor in the time to come, nor by nobody."""
    story = Due(tmp_path, PLANT)
    story.settle(TIME.parse("2026-04-02"))
    body = {"language": "en", "period": "2026-Q1", "end": TIME.parse("2026-04-01"), "at": TIME.parse(at), "note": None}
    done, answer = Requests(story.pipeline, lambda: story.now_ms).handle("handed_in", body, by)
    assert not done
    assert reason in answer["error"]
    story.close()
