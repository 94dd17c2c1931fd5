"""This module proves where a monitor's outage begins and ends, and what the fault clock makes of it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from plantmon.compliance.outages import Outage, clocked, hours_so_far, outages
from plantmon.model.plant import Calendar, FaultClock, WorkTime
from plantmon.model.window import Window
from plantmon.times import HOUR_MS, PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
START = TIME.parse("2020-03-02 08:00")  # a Monday
CLOCK = FaultClock(WorkTime(12 * HOUR_MS, None), WorkTime(None, 5))
ALL = (1 << 60) - 1
# Valid minutes, and in which minutes the source ran (None: no condition).
HOURS = {
    "v": (60, None),
    "x": (0, None),
    "h": (30, None),  # half an hour is valid
    "l": (44, None),
    "s": (0, 0),
    "S": (60, 0),  # stopped, and the monitor works
    "p": (0, (1 << 20) - 1),  # ran for 20 minutes
    "r": (60, ALL),
}


def row(letters: str, due: int = 60) -> list[Window]:
    """Give neighbouring hours, one letter each."""
    found = []
    for place, letter in enumerate(letters):
        valid, ran = HOURS[letter]
        start = START + place * HOUR_MS
        valid = valid * due // 60
        found.append(
            Window(
                "1h", start, start + HOUR_MS, 1, due=due, had=due, valid=valid, ran=ran, is_valid=valid >= 0.75 * due
            )
        )
    return found


@pytest.mark.parametrize(
    ("letters", "spans"),
    [
        ("vvv", []),
        ("vxv", [(1, 2, 1)]),
        ("vxxx", [(1, None, 3)]),
        ("xxv", [(0, 2, 2)]),
        ("xssxv", [(0, 4, 2)]),  # a stop inside does not end it, nor do its hours count
        ("xSSxv", [(0, 4, 2)]),  # not even where the monitor measured while the source stood still
        ("vssxv", [(3, 4, 1)]),  # nor does a stop begin one
        ("xsv", [(0, 2, 1)]),
        ("xvx", [(0, 1, 1), (2, None, 1)]),
        ("vlv", []),  # 16 minutes are lacking: shorter than an hour
        ("vhhv", [(1, 3, 2)]),  # half an hour before the clock strikes and half an hour after
        ("vpv", []),  # the source ran for 20 minutes of it
        ("vppprv", [(1, 4, 3)]),
        ("sss", []),
    ],
)
def test_an_outage_lasts_to_the_next_valid_hour(letters: str, spans: list[tuple[int, int | None, int]]) -> None:
    """From the first hour not valid while the source ran to the next valid one that ran; stops change nothing."""
    found = outages(row(letters))
    places = [
        ((one.start - START) // HOUR_MS, None if one.end is None else (one.end - START) // HOUR_MS, one.hours)
        for one in found
    ]
    assert places == spans


def test_a_slow_analyser_lacks_whole_hours() -> None:
    """A missing hourly result is an hour missing."""
    [outage] = outages(row("vxv", due=1))
    assert (outage.lacking_min, outage.hours) == (60, 1)


def an_outage(hours: float, *, is_open: bool = False) -> Outage:
    """Give an outage from Monday eight o'clock."""
    end = START + int(hours * HOUR_MS)
    return Outage(START, None if is_open else end, end, int(hours), 60 * hours)


@pytest.mark.parametrize(
    ("outage", "reported_h", "now_h", "is_late_report", "is_late_repair"),
    [
        (an_outage(3), None, 500, False, False),  # over before anybody had to be told
        (an_outage(12), None, 500, False, False),
        (an_outage(13), None, 500, True, False),
        (an_outage(13), 12, 500, False, False),
        (an_outage(13), 12.5, 500, True, False),
        (an_outage(11, is_open=True), None, 11.5, False, False),
        (an_outage(11, is_open=True), None, 12.5, True, False),
        (an_outage(11, is_open=True), 2, 12.5, False, False),
        # Repair until midnight after Monday the 9th: 7 days and 16 hours.
        (an_outage(184), 1, 500, False, False),
        (an_outage(185), 1, 500, False, True),
        (an_outage(184, is_open=True), 1, 184, False, False),
        (an_outage(184, is_open=True), 1, 184.1, False, True),
    ],
)
def test_deadlines_are_kept_or_not(
    outage: Outage, reported_h: float | None, now_h: float, is_late_report: bool, is_late_repair: bool
) -> None:
    """Twelve hours to the report, five working days to the repair; on the minute is in time."""
    reported_ms = None if reported_h is None else START + int(reported_h * HOUR_MS)
    fault = clocked(outage, CLOCK, Calendar(), TIME, reported_ms, START + int(now_h * HOUR_MS))
    assert fault.report_by_ms == START + 12 * HOUR_MS
    assert fault.repair_by_ms == TIME.parse("2020-03-10")
    assert (fault.is_report_overdue, fault.is_repair_overdue) == (is_late_report, is_late_repair)


def test_without_a_clock_there_are_no_deadlines() -> None:
    """A plant file without a fault clock makes nothing overdue."""
    fault = clocked(an_outage(300, is_open=True), None, Calendar(), TIME, None, START + 400 * HOUR_MS)
    assert (fault.report_by_ms, fault.repair_by_ms) == (None, None)
    assert (fault.is_report_overdue, fault.is_repair_overdue) == (False, False)


def test_an_open_outage_lasts_until_now() -> None:
    """Hours so far run by the clock; of a repaired one they stand."""
    assert hours_so_far(an_outage(3, is_open=True), START + 5 * HOUR_MS) == 5
    assert hours_so_far(an_outage(3), START + 5 * HOUR_MS) == 3
