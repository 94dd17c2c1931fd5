"""This module compares a value with a limit; pure, and the only place where a comparison is made.

Full values are compared, after rounding to 12 significant digits (GB/T 8170-2008 4.3, full-value method); sound
levels in whole decibels, half to even (GB 12348-2008). Equal complies. Warn is strictly above the warning share of
the maximum. Over range makes a lower bound: it can prove an exceedance, never compliance (settled choices, Air).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from plantmon.model.plant import Kind, Limit, Point
from plantmon.model.verdict import Outcome, Reason

DIGITS = 12


@dataclass(frozen=True, slots=True)
class Judged:
    """What a limit made of a value; `bound` is the end of the limit that was compared."""

    outcome: Outcome
    reason: Reason | None = None
    value: float | None = None
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A window as it is judged: its mean over the time the source ran, and what stands in the way.

    `ran` False means the source stood still all the time. `parts` are valid minutes, values or hours, `needed` how
    many a verdict wants, `short` the reason when they are too few.
    """

    mean: float | None
    lower_bound: float | None
    is_over_range: bool
    parts: int
    needed: int
    short: Reason
    ran: bool = True


def judge(limit: Limit, point: Point, measured: Measured) -> Judged:
    """Judge one window."""
    reason = _why_not(measured)
    if reason is Reason.OVER_RANGE:
        bound = measured.lower_bound
        if bound is not None and limit.maximum is not None and compared(bound, point, limit.decimals) > limit.maximum:
            return Judged(Outcome.EXCEED_AT_LEAST, None, bound, limit.maximum)
        return Judged(Outcome.NOT_JUDGED, reason, bound, limit.maximum)
    if reason is not None or measured.mean is None:
        return Judged(Outcome.NOT_JUDGED, reason or Reason.NO_DATA, measured.mean)
    return judge_value(limit, point, measured.mean)


def _why_not(measured: Measured) -> Reason | None:
    """Give the first reason that fits, in the settled order: stopped, over range, no data, too few."""
    if not measured.ran:
        return Reason.STOPPED
    if measured.is_over_range:
        return Reason.OVER_RANGE
    if measured.mean is None:
        return Reason.NO_DATA
    return measured.short if measured.parts < measured.needed else None


def judge_value(limit: Limit, point: Point, value: float) -> Judged:
    """Compare one value of a point with the limit's ends."""
    return _compared(limit, value, compared(value, point, limit.decimals))


def compare(limit: Limit, value: float) -> Judged:
    """Compare a value that is no point's own, an amount, with the limit's ends."""
    return _compared(limit, value, _in_decimals(value, limit.decimals))


def _compared(limit: Limit, value: float, shown: float) -> Judged:
    if limit.maximum is not None and shown > limit.maximum:
        return Judged(Outcome.EXCEED, None, value, limit.maximum)
    if limit.minimum is not None and shown < limit.minimum:
        return Judged(Outcome.EXCEED, None, value, limit.minimum)
    if limit.warn_at is not None and limit.maximum is not None and shown > _rounded(limit.warn_at * limit.maximum):
        return Judged(Outcome.WARN, None, value, limit.maximum)
    return Judged(Outcome.OK, None, value, limit.maximum if limit.maximum is not None else limit.minimum)


def compared(value: float, point: Point, decimals: int | None) -> float:
    """Give the value as it is compared: 12 significant digits, sound levels in whole decibels.

    `decimals` None compares full values; a number rounds to so many, half to even (GB/T 8170-2008 4.3.3).
    """
    if point.kind is Kind.ENERGY:
        return float(round(value))
    return _in_decimals(value, decimals)


def _in_decimals(value: float, decimals: int | None) -> float:
    full = _rounded(value)
    if decimals is None or not math.isfinite(full):
        return full
    return float(Decimal(repr(full)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN))


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else value
