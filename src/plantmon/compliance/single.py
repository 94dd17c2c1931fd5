"""This module judges an hour of limits on single readings: exceeded when a run inside it lasted as long as the hold.

The hour's minutes settle what is usual: their lowest and highest valid readings say whether any lies beyond the
limit. Only an hour in which one does is followed reading by reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from plantmon.compliance.excursions import Reading, Run, extend
from plantmon.compliance.judge import Judged, compared, judge_value
from plantmon.model.minutes import Grid
from plantmon.model.plant import Limit, Point
from plantmon.model.verdict import Outcome, Reason

Flags = NDArray[np.bool_]


def is_suspicious(limit: Limit, point: Point, grid: Grid, ran: Flags) -> Flags:
    """Say of hours whether a reading in a running minute lies beyond the limit, or is over range."""
    valid = ran & (grid.valid > 0)
    found: Flags = np.asarray((ran & (grid.over > 0)).any(axis=1))
    if limit.maximum is not None:
        found |= _any_beyond(np.where(valid, grid.high, -np.inf).max(axis=1), limit, point)
    if limit.minimum is not None:
        found |= _any_beyond(np.where(valid, grid.low, np.inf).min(axis=1), limit, point)
    return np.asarray(found)


def _any_beyond(extremes: NDArray[np.float64], limit: Limit, point: Point) -> Flags:
    finite = np.isfinite(extremes)
    return np.array(
        [bool(known) and _is_beyond(limit, point, float(one)) for one, known in zip(extremes, finite, strict=True)]
    )


def _is_beyond(limit: Limit, point: Point, value: float) -> bool:
    shown = compared(value, point, limit.decimals)
    above = limit.maximum is not None and shown > limit.maximum
    return above or (limit.minimum is not None and shown < limit.minimum)


def judge_quiet(limit: Limit, point: Point, grid: Grid, ran: Flags, place: int) -> Judged:
    """Judge an hour from its minutes, short of any run: stopped, without data, or complying at its worst reading."""
    if not ran[place].any():
        return Judged(Outcome.NOT_JUDGED, Reason.STOPPED)
    valid = ran[place] & (grid.valid[place] > 0)
    if not valid.any():
        return Judged(Outcome.NOT_JUDGED, Reason.NO_DATA)
    extremes = [
        judge_value(limit, point, float(value))
        for value in (grid.high[place][valid].max(), grid.low[place][valid].min())
    ]
    worst = max(extremes, key=lambda one: _nearness(limit, one.value))
    is_warning = limit.warn_at is not None and any(one.outcome is not Outcome.OK for one in extremes)
    return Judged(Outcome.WARN if is_warning else Outcome.OK, None, worst.value, worst.bound)


def judge_runs(
    limit: Limit, point: Point, seen: Iterable[Reading], start_ms: int, quiet: Judged
) -> tuple[Judged, str | None]:
    """Judge an hour that begins at `start_ms` reading by reading; `seen` reaches back as far as a hold can.

    `quiet` is what the hour's minutes say where no run lasted as long as the hold. Gives the excursions as JSON too: of
    a run that had exceeded before the hour, only the part inside it, so that hours do not tell of one reading twice.
    """
    following = _Following(limit, point, start_ms)
    is_over = False
    for one in seen:
        following.take(one)
        is_over |= one.ts_ms >= start_ms and one.ran and one.over_range
    runs = following.exceeded
    if runs:
        worst = max(runs, key=lambda one: abs(one.peak - bound_of(limit, one.peak)))
        outcome = Outcome.EXCEED_AT_LEAST if any(one.at_least for one in runs) else Outcome.EXCEED
        return Judged(outcome, None, worst.peak, bound_of(limit, worst.peak)), _excursions(runs)
    if is_over:
        return Judged(Outcome.NOT_JUDGED, Reason.OVER_RANGE, quiet.value, quiet.bound), None
    return quiet, None


class _Following:
    """Runs as they are met, reading by reading, into an hour that begins at `start_ms`."""

    def __init__(self, limit: Limit, point: Point, start_ms: int) -> None:
        self._limit, self._point, self._start_ms = limit, point, start_ms
        self._run: Run | None = None
        self._was: Run | None = None  # what had exceeded before the hour, while it goes on
        self._found: dict[int, Run] = {}

    @property
    def exceeded(self) -> list[Run]:
        """The runs that exceeded inside the hour."""
        return list(self._found.values())

    def take(self, one: Reading) -> None:
        """Take the next reading."""
        is_inside = one.ts_ms >= self._start_ms
        hold_ms = self._limit.hold_ms
        run = self._run
        if is_inside and run is not None and run.last_ms < self._start_ms and run.is_exceeded(hold_ms):
            self._was, self._run = run, None
        if self._was is not None and not self._goes_on(one):
            self._was = None
        self._run = extend(self._run, self._limit, self._point, one)
        run = self._run
        if not is_inside or run is None or run.last_ms != one.ts_ms:
            return
        if self._was is not None or run.is_exceeded(hold_ms):
            self._found[run.first_ms] = run
            self._was = run if self._was is not None else None

    def _goes_on(self, one: Reading) -> bool:
        """Whether what had exceeded before the hour is not ended by a reading."""
        assert self._was is not None
        again = extend(self._was, self._limit, self._point, one)
        return again is not None and again.first_ms == self._was.first_ms


def bound_of(limit: Limit, value: float) -> float:
    """Give the end of the limit a breaching value lies beyond."""
    above = limit.maximum is not None and value > limit.maximum
    bound = limit.maximum if above or limit.minimum is None else limit.minimum
    assert bound is not None
    return bound


def _nearness(limit: Limit, value: float | None) -> float:
    """How far a value lies towards the limit's ends, larger is worse."""
    assert value is not None
    above = value - limit.maximum if limit.maximum is not None else -np.inf
    below = limit.minimum - value if limit.minimum is not None else -np.inf
    return float(max(above, below))


def _excursions(runs: list[Run]) -> str:
    return json.dumps(
        [
            {
                "first": run.first_ms,
                "last": run.last_ms,
                "peak": run.peak,
                "mean": float(f"{run.total / run.count:.12g}"),
                "readings": run.count,
                "at_least": run.at_least,
            }
            for run in sorted(runs, key=lambda one: one.first_ms)
        ]
    )
