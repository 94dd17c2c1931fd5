"""This module proves what declarations make of readings, by hand."""

from __future__ import annotations

import pytest

from simulators.faults import Delivery
from simulators.truth_declared import (
    Calibration,
    Correction,
    Declarations,
    Mark,
    declared,
    is_stopped,
    out_of_control,
)

NOX = "DA001.nox"


def sent(*flags: str) -> list[Delivery]:
    """Make readings at 0, 10, 20 ... with these flags; each says its own time."""
    return [Delivery(turn * 10, turn * 10, NOX, float(turn * 10), flag) for turn, flag in enumerate(flags)]


def flags(found: list[Delivery]) -> str:
    """Write the flags side by side."""
    return "".join(one.flag for one in found)


def test_marks_of_outlet_and_point_reach_a_point_and_the_later_holds() -> None:
    """A mark on the outlet and one on the point cover the point's readings; where both do, the later made counts."""
    said = Declarations((Mark(NOX, 0, 30, "calibration"), Mark("DA001", 20, 40, "maintenance")))
    assert flags(declared(sent("N", "N", "N", "N", "N"), NOX, said)) == "CCMMN"


def test_other_outlets_and_points_are_not_touched() -> None:
    """A mark speaks of its own outlet or point alone."""
    said = Declarations((Mark("DA002", 0, 30, "fault"), Mark("DA001.so2", 0, 30, "fault")))
    assert flags(declared(sent("N", "N"), NOX, said)) == "NN"


def test_normal_gives_back_what_the_device_said() -> None:
    """`normal` takes an earlier mark back; it makes no good reading of a bad one."""
    said = Declarations((Mark(NOX, 0, 30, "maintenance"), Mark(NOX, 10, 30, "normal")))
    assert flags(declared(sent("N", "D", "N"), NOX, said)) == "MDN"


def test_over_range_in_maintenance_proves_nothing() -> None:
    """A mark also takes the place of a flag T."""
    assert flags(declared(sent("T"), NOX, Declarations((Mark(NOX, 0, 10, "maintenance"),)))) == "M"


def test_the_last_correction_holds_and_the_flag_stays() -> None:
    """A corrected reading has the last value declared for it; one without a correction keeps its own."""
    said = Declarations(corrections=(Correction(NOX, 10, 5.0), Correction(NOX, 10, 6.0), Correction("X", 0, 9.0)))
    found = declared(sent("N", "N"), NOX, said)
    assert [(one.value, one.flag) for one in found] == [(0.0, "N"), (6.0, "N")]


@pytest.mark.parametrize(
    ("results", "spans"),
    [
        ("pf", [(10, None)]),  # until further notice
        ("fp", [(0, 20)]),  # from the first reading
        ("pffp", [(10, 40)]),  # failed twice: one span
        ("pfpfp", [(10, 30), (30, 50)]),
        ("pp", []),
    ],
)
def test_out_of_control_runs_from_the_last_passed_to_the_next(results: str, spans: list[tuple[int, int]]) -> None:
    """Calibrations at 10, 20, ... of a point that speaks since 0, p passed and f failed."""
    book = [Calibration(NOX, (turn + 1) * 10, result == "p") for turn, result in enumerate(results)]
    assert out_of_control([*book, Calibration("DA001.so2", 5, False)], NOX, 0) == spans


def test_readings_out_of_control_stay_so_whatever_a_mark_says() -> None:
    """The reading at the passed calibration before is out, that at the next passed is in, and `normal` says nothing."""
    book = (Calibration(NOX, 10, True), Calibration(NOX, 20, False), Calibration(NOX, 30, True))
    said = Declarations((Mark(NOX, 0, 50, "normal"),), (), book)
    assert flags(declared(sent("N", "N", "N", "N"), NOX, said)) == "NDDN"


def test_a_point_rests_with_its_outlet() -> None:
    """A source marked as stopped rests until a later mark of the same target says otherwise; a point may rest alone."""
    marks = [Mark("DA001", 0, 30, "stopped"), Mark(NOX, 0, 30, "maintenance"), Mark("DA001", 20, 30, "normal")]
    assert [is_stopped(marks, NOX, at) for at in (0, 20)] == [True, False]
    alone = [Mark(NOX, 0, 10, "stopped")]
    assert (is_stopped(alone, NOX, 5), is_stopped(alone, "DA001", 5)) == (True, False)
