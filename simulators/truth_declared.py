"""This module gives the right answers to declarations: what marks, corrections and calibrations make of readings.

They are applied to a point's deliveries before anything is averaged. Declarations are lists in the order in which they
were made; where two speak of one instant the later holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulators.faults import Delivery
from simulators.truth import accepted

# HJ 212's letter for a declared state; below detection has none there.
LETTERS = {
    "maintenance": "M",
    "calibration": "C",
    "fault": "D",
    "over_range": "T",
    "below_detection": "L",
    "stopped": "F",
    "lost": "B",
    "manual": "S",
}
NORMAL, STOPPED = "normal", "stopped"


@dataclass(frozen=True, slots=True)
class Mark:
    """A state declared for an outlet or a point over [start, end); `normal` takes earlier marks back."""

    target: str
    start_ms: int
    end_ms: int
    state: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A point's value at an instant, put right. The reading keeps its flag."""

    point: str
    ts_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration of a point, passed or failed."""

    point: str
    ts_ms: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Declarations:
    """All that was declared, each list in the order it was made in."""

    marks: tuple[Mark, ...] = ()
    corrections: tuple[Correction, ...] = ()
    calibrations: tuple[Calibration, ...] = ()


Span = tuple[int, int | None]


def out_of_control(calibrations: Iterable[Calibration], point: str, first_ms: int) -> list[Span]:
    """List the spans [start, end) in which a point is out of control; None is until further notice.

    From the last passed calibration before a failed one, or the point's first reading, to the next passed one.

    >>> out_of_control([Calibration("p", 10, True), Calibration("p", 20, False), Calibration("p", 30, True)], "p", 0)
    [(10, 30)]
    """
    own = sorted((one for one in calibrations if one.point == point), key=lambda one: one.ts_ms)
    spans: list[Span] = []
    for failed in own:
        if failed.passed:
            continue
        before = [one.ts_ms for one in own if one.passed and one.ts_ms < failed.ts_ms]
        after = [one.ts_ms for one in own if one.passed and one.ts_ms > failed.ts_ms]
        span = (before[-1] if before else first_ms, after[0] if after else None)
        if span not in spans:
            spans.append(span)
    return spans


def _covers(span: Span, at_ms: int) -> bool:
    return span[0] <= at_ms and (span[1] is None or at_ms < span[1])


def standing_state(marks: Sequence[Mark], targets: Iterable[str], at_ms: int) -> str:
    """Give the state the last mark of any of the targets gives an instant, `normal` without one."""
    known = set(targets)
    state = NORMAL
    for mark in marks:
        if mark.target in known and mark.start_ms <= at_ms < mark.end_ms:
            state = mark.state
    return state


def is_stopped(marks: Sequence[Mark], target: str, at_ms: int) -> bool:
    """Whether a mark says at an instant that an outlet, or a point of it, stands still.

    A point stands still with its outlet, whatever else was declared of the point alone.
    """
    return any(standing_state(marks, [name], at_ms) == STOPPED for name in {target, target.partition(".")[0]})


def declared(deliveries: Iterable[Delivery], point: str, said: Declarations) -> list[Delivery]:
    """Give what stands of a point, in time order, with everything declared applied.

    A marked reading has the mark's letter, also where it says more than its device did (an over-range reading in
    maintenance proves nothing). Readings out of control are flagged `D`, whatever a mark says.
    """
    kept = accepted(deliveries, point)
    targets = {point, point.partition(".")[0]}
    marks = [mark for mark in said.marks if mark.target in targets]
    values = {one.ts_ms: one.value for one in said.corrections if one.point == point}
    lost = out_of_control(said.calibrations, point, kept[0].ts_ms) if kept else []
    result = []
    for one in kept:
        state = standing_state(marks, targets, one.ts_ms) if marks else NORMAL
        flag = one.flag if state == NORMAL else LETTERS[state]
        if any(_covers(span, one.ts_ms) for span in lost):
            flag = LETTERS["fault"]
        value = values.get(one.ts_ms, one.value)
        result.append(one if (flag, value) == (one.flag, one.value) else one._replace(flag=flag, value=value))
    return result
