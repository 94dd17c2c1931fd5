"""This module gives the right verdicts: hours, days and months of what a limit judges, over lists of minutes.

Rules: HJ 75-2017 / HJ 76-2017 App. B for validity, GB 13271-2014 5.2 for reference oxygen, HJ 212-2017 App. D for rates
and days by volume, GB 12348-2008 for sound.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import NamedTuple

from simulators.faults import Delivery
from simulators.plant import SimPoint
from simulators.truth import (
    MICRO,
    MINUTE_MS,
    VALID_DAY_HOURS,
    VALID_HOUR_MINUTES,
    VALID_SHARE,
    exact,
    is_over,
    is_valid,
    needed_hours,
)
from simulators.truth_minutes import Minute, at_reference_oxygen, average, energy

VALID_MONTH_DAYS = 25
VALID_FEBRUARY_DAYS = 23


@dataclass(frozen=True, slots=True)
class Judged:
    """What a limit judges of [start, end).

    `value` is the mean of the valid parts, None without any; `bound` the mean with over-range parts at what they prove,
    None where nothing was over range or too little is known. `ran` counts the parts in which the source ran (waste
    water: in which a value was due), `valid` those with a value, `needed` how many must have one.
    """

    start_ms: int
    end_ms: int
    value: float | None
    bound: float | None
    is_over_range: bool
    ran: int
    valid: int
    needed: float

    @property
    def is_valid(self) -> bool:
        """Whether enough parts are valid; over-range ones may stand beside them."""
        return self.value is not None and self.valid >= self.needed


class Finding(NamedTuple):
    """A verdict: outcome and reason in the program's words, the value judged."""

    outcome: str
    reason: str | None
    value: float | None


def _judged(start_ms: int, end_ms: int, values: Sequence[float], proven: Sequence[float], over: bool, ran: int,
            needed: float, mean: Callable[[Sequence[float]], float] = average) -> Judged:  # fmt: skip
    return Judged(
        start_ms,
        end_ms,
        mean(values) if values else None,
        mean(proven) if over and proven and len(proven) >= needed else None,
        over,
        ran,
        len(values),
        needed,
    )


# Hours of air


def concentration_hour(
    start_ms: int, pollutant: Sequence[Minute], ran: Sequence[bool], needed: int = VALID_HOUR_MINUTES,
    oxygen: Sequence[Minute] | None = None, reference_pct: float | None = None,
) -> Judged:  # fmt: skip
    """Give an hour's mean concentration while the source ran; at reference oxygen where there is one."""
    values, proven = [], []
    for turn, one in enumerate(pollutant):
        if ran[turn]:
            values.append(_converted(one.mean, turn, oxygen, reference_pct))
            proven.append(_converted(one.proven, turn, oxygen, reference_pct))
    over = any(one.bound is not None for one, runs in zip(pollutant, ran, strict=True) if runs)
    return _judged(start_ms, start_ms + 60 * MINUTE_MS, _known(values), _known(proven), over, sum(ran), needed)


def _converted(
    value: float | None, turn: int, oxygen: Sequence[Minute] | None, reference_pct: float | None
) -> float | None:
    if value is None or oxygen is None or reference_pct is None:
        return value
    air = oxygen[turn].mean
    return None if air is None else at_reference_oxygen(value, air, reference_pct)


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def rate_hour(
    start_ms: int, concentration: Sequence[Minute], flow: Sequence[Minute], ran: Sequence[bool],
    needed: int = VALID_HOUR_MINUTES,
) -> Judged:  # fmt: skip
    """Give an hour's rate in kg/h while the source ran: mean measured concentration x mean flow; each needs 45 minutes.

    `valid` is the smaller of the two counts.
    """
    pair = [[one for one, runs in zip(series, ran, strict=True) if runs] for series in (concentration, flow)]
    means = [_known([one.mean for one in part]) for part in pair]
    proven = [_known([one.proven for one in part]) for part in pair]
    over = any(one.bound is not None for part in pair for one in part)
    fewest, known = min(map(len, means)), min(map(len, proven))
    return Judged(
        start_ms,
        start_ms + 60 * MINUTE_MS,
        average(means[0]) * average(means[1]) / MICRO if fewest else None,
        average(proven[0]) * average(proven[1]) / MICRO if over and known >= max(needed, 1) else None,
        over,
        sum(ran),
        fewest,
        needed,
    )


# Days and months of air


def air_day(start_ms: int, end_ms: int, hours: Sequence[Judged], valid_day_hours: int = VALID_DAY_HOURS) -> Judged:
    """Give a day of concentration or rate: the mean of its valid hours, among those in which the source ran."""
    running = [one for one in hours if one.ran]
    return _of_parts(start_ms, end_ms, running, float(needed_hours(len(running), valid_day_hours)))


def needed_days(ran: int, year: int, month: int) -> Fraction:
    """Give how many valid days a month of air needs: 25 (February 23), of fewer run as many may miss, never under 75 %.

    >>> [str(needed_days(*month)) for month in ((31, 2020, 7), (30, 2020, 9), (29, 2020, 2), (20, 2020, 7))]
    ['25', '25', '23', '15']
    """
    days = calendar.monthrange(year, month)[1]
    full = VALID_FEBRUARY_DAYS if month == 2 else VALID_MONTH_DAYS
    return max(VALID_SHARE * ran, Fraction(ran - (days - full)))


def air_month(start_ms: int, end_ms: int, days: Sequence[Judged], year: int, month: int) -> Judged:
    """Give a month of air: the mean of its valid days, among those in which the source ran."""
    running = [one for one in days if one.ran]
    return _of_parts(start_ms, end_ms, running, float(needed_days(len(running), year, month)))


def water_month(start_ms: int, end_ms: int, days: Sequence[Judged]) -> Judged:
    """Give a month of waste water: the arithmetic mean of its valid days, with 75 % of those with discharge."""
    due = [one for one in days if one.ran]
    return _of_parts(start_ms, end_ms, due, float(VALID_SHARE * len(due)))


def _of_parts(start_ms: int, end_ms: int, parts: Sequence[Judged], needed: float) -> Judged:
    values = [one.value for one in parts if one.is_valid]
    proven = [
        one.bound if one.bound is not None else one.value for one in parts if one.bound is not None or one.is_valid
    ]
    over = any(one.is_over_range for one in parts)
    return _judged(start_ms, end_ms, _known(values), _known(proven), over, len(parts), needed)


# Waste water


class FilledFlow:
    """A waste-water flow, its unknown minutes filled with the mean of as many known ones before, or of all there are.

    Flow below zero counts as zero. `known` are the minutes as measured.
    """

    def __init__(self, start_ms: int, minutes: Sequence[Minute]) -> None:
        self.start_ms = start_ms
        self.end_ms = start_ms + len(minutes) * MINUTE_MS
        self.known = [one.mean for one in minutes]
        self.filled = self._fill()

    def _fill(self) -> list[float | None]:
        filled: list[float | None] = []
        seen: list[float] = []
        run = 0
        for value in [*self.known, 0.0]:  # the last ends a run that lasts to the end
            if value is None:
                run += 1
                continue
            filled += [average(seen[-run:]) if run and seen else None] * run
            run = 0
            seen.append(max(value, 0.0))
            filled.append(seen[-1])
        return filled[:-1]

    def volume(self, start_ms: int, end_ms: int) -> float | None:
        """Give what flowed in [start, end), m3; None where a minute of it is unknown."""
        parts = []
        at = start_ms
        while at < end_ms:
            turn = (at - self.start_ms) // MINUTE_MS
            until = min(end_ms, self.start_ms + (turn + 1) * MINUTE_MS)
            flow = self.filled[turn]
            if flow is None:
                return None
            parts.append(flow * (until - at) / (60 * MINUTE_MS))
            at = until
        return math.fsum(parts)

    def is_due(self, at_ms: int) -> bool:
        """Whether a minute had discharge, or nobody knows."""
        mean = self.known[(at_ms - self.start_ms) // MINUTE_MS]
        return mean is None or mean > 0


def water_day(point: SimPoint, readings: Sequence[Delivery], flow: FilledFlow, start_ms: int, end_ms: int) -> Judged:
    """Give a day of a waste-water pollutant: the sum of C x V over the sum of V, as `truth.flow_weighted_day`.

    `ran` counts the slots due. The flow's minutes begin before the day.
    """
    due = {(at - start_ms) // point.interval_ms for at in range(start_ms, end_ms, MINUTE_MS) if flow.is_due(at)}
    last = end_ms + 2 * point.interval_ms
    inside = [one for one in readings if start_ms <= one.ts_ms < last]

    def weigh(usable: Sequence[Delivery]) -> tuple[float | None, set[int], dict[int, float]]:
        total, mass, slots, volumes = [], [], set(), {}
        for turn, one in enumerate(usable):
            until = min(one.ts_ms + 2 * point.interval_ms, flow.end_ms)
            if turn + 1 < len(usable):
                until = min(until, usable[turn + 1].ts_ms)
            volume = flow.volume(one.ts_ms, until) if one.ts_ms < end_ms else None
            if volume is None:
                continue
            value = point.range_high if is_over(one, point) and point.range_high is not None else one.value
            total.append(volume)
            mass.append(value * volume)
            volumes[one.ts_ms] = volume
            slots.add((one.ts_ms - start_ms) // point.interval_ms)
        weight = math.fsum(total)
        return (math.fsum(mass) / weight if weight else None), slots & due, volumes

    value, valid, _ = weigh([one for one in inside if is_valid(one, point)])
    both, known, volumes = weigh([one for one in inside if is_valid(one, point) or is_over(one, point)])
    beyond = [one.ts_ms for one in inside if is_over(one, point) and one.ts_ms < end_ms]
    over = any((ts - start_ms) // point.interval_ms in due or volumes.get(ts, 0) > 0 for ts in beyond)
    needed = max(float(VALID_SHARE * len(due)), 1)
    is_proven = bool(due) and over and len(known) >= needed
    return Judged(
        start_ms,
        end_ms,
        value if due else None,
        both if is_proven else None,
        bool(due) and over,
        len(due),
        len(valid),
        needed,
    )


def ph_hour(start_ms: int, acid: Sequence[Minute], flow: Sequence[Minute], needed: int = VALID_HOUR_MINUTES) -> Judged:
    """Give an hour of pH: the median of the minutes valid while there was discharge, or flow unknown.

    It needs of the minutes due the share that 45 are of 60.
    """
    due = [one for one, water in zip(acid, flow, strict=True) if water.mean is None or water.mean > 0]
    values, proven = _known([one.mean for one in due]), _known([one.proven for one in due])
    over = any(one.bound is not None for one in due)
    share = max(float(Fraction(needed, 60) * len(due)), 1)
    return _judged(start_ms, start_ms + 60 * MINUTE_MS, values, proven, over, len(due), share, median)


# Sound


def sound_hour(start_ms: int, minutes: Sequence[Minute], needed: int = VALID_HOUR_MINUTES) -> Judged:
    """Give an hour of sound: the energy mean of its valid minutes, of which it needs 45."""
    values, proven = _known([one.mean for one in minutes]), _known([one.proven for one in minutes])
    over = any(one.bound is not None for one in minutes)
    return _judged(start_ms, start_ms + 60 * MINUTE_MS, values, proven, over, len(minutes), needed, energy)


def sound_period(start_ms: int, end_ms: int, minutes: Sequence[Minute]) -> Judged:
    """Give a day or night period of sound: the energy mean of its valid minutes, valid from 75 % of those due."""
    values, proven = _known([one.mean for one in minutes]), _known([one.proven for one in minutes])
    over = any(one.bound is not None for one in minutes)
    return _judged(start_ms, end_ms, values, proven, over, len(minutes), float(VALID_SHARE * len(minutes)), energy)


# Verdicts


def rounded(value: float, decimals: int | None = None) -> float:
    """Round to 12 significant digits, then to `decimals`, half to even, where the standard says so.

    >>> rounded(0.1 + 0.2), rounded(64.5, 0), rounded(65.5, 0)
    (0.3, 64.0, 66.0)
    """
    kept = float(f"{value:.12g}")
    return kept if decimals is None else float(round(exact(kept), decimals))


def finding(
    one: Judged, maximum: float | None = None, minimum: float | None = None, warn_at: float | None = None,
    decimals: int | None = None, too_few: str = "minutes", nothing_due: str = "stopped",
) -> Finding:  # fmt: skip
    """Judge: equal complies, warn is above `warn_at` x max; over range proves an exceedance of the maximum, or nothing.

    Of several reasons the first holds: stopped (or no discharge), over range, no data, too few parts.
    """
    if not one.ran:
        return Finding("not_judged", nothing_due, None)
    if one.is_over_range:
        if one.bound is not None and maximum is not None and rounded(one.bound, decimals) > maximum:
            return Finding("exceed_at_least", None, one.bound)
        return Finding("not_judged", "over_range", one.bound)
    if not one.valid or one.value is None:
        return Finding("not_judged", "no_data", None)
    if not one.is_valid:
        return Finding("not_judged", too_few, one.value)
    value = rounded(one.value, decimals)
    if (maximum is not None and value > maximum) or (minimum is not None and value < minimum):
        return Finding("exceed", None, one.value)
    if warn_at is not None and maximum is not None and value > rounded(warn_at * maximum):
        return Finding("warn", None, one.value)
    return Finding("ok", None, one.value)


def head_room(limit: float, had: int, total: float, to_come: int) -> float | None:
    """Give the highest mean the parts still to come may have so that all together comply; None where none is to come.

    37 minutes with a mean of 43 under a limit of 50 leave (50 x 60 - 37 x 43) / 23 for the other 23:

    >>> round(head_room(50, 37, 37 * 43, 23), 9)
    61.260869565
    """
    return (limit * (had + to_come) - total) / to_come if to_come else None


class Breach(NamedTuple):
    """A run of readings in breach: its first and last, and the worst of them."""

    first_ms: int
    last_ms: int
    peak: float


def breaches(
    point: SimPoint, readings: Sequence[Delivery], is_running: Callable[[int], bool], hold_ms: int = 0,
    maximum: float | None = None, minimum: float | None = None,
) -> list[Breach]:  # fmt: skip
    """List the runs of readings in breach whose first and last lie at least `hold_ms` apart.

    A reading that complies ends a run, and so do three intervals of silence. Readings of a source at
    rest are passed over. A reading over range counts with the range's end where that lies above the
    maximum; short of it, it says nothing.
    """
    runs: list[list[tuple[int, float]]] = []
    is_open = False
    for one in readings:
        is_above_range = is_over(one, point)
        if not (is_valid(one, point) or is_above_range) or not is_running(one.ts_ms):
            continue
        value = float(point.range_high) if is_above_range and point.range_high is not None else one.value
        is_high = maximum is not None and value > maximum
        if is_above_range and not is_high:
            continue
        is_bad = is_high or (minimum is not None and value < minimum)
        if is_bad and is_open and one.ts_ms - runs[-1][-1][0] <= 3 * point.interval_ms:
            runs[-1].append((one.ts_ms, value))
        elif is_bad:
            runs.append([(one.ts_ms, value)])
        is_open = is_bad
    worst = max if maximum is not None else min
    return [
        Breach(run[0][0], run[-1][0], worst(value for _, value in run))
        for run in runs
        if run[-1][0] - run[0][0] >= hold_ms
    ]


# How much was captured


@dataclass(frozen=True, slots=True)
class Capture:
    """Hours of a point in a period, those at rest taken out. Shares are None where nothing was due."""

    due: int
    had: int
    valid: int

    @property
    def rate(self) -> Fraction | None:
        """The capture rate: valid hours of those due."""
        return Fraction(self.valid, self.due) if self.due else None

    @property
    def transfer(self) -> Fraction | None:
        """Hours with any reading of those due."""
        return Fraction(self.had, self.due) if self.due else None

    @property
    def valid_rate(self) -> Fraction | None:
        """Valid hours of those with any reading."""
        return Fraction(self.valid, self.had) if self.had else None

    @property
    def effective_transfer(self) -> Fraction | None:
        """Transfer rate x valid rate (传输有效率)."""
        if self.transfer is None or self.valid_rate is None:
            return None
        return self.transfer * self.valid_rate


class PointHour(NamedTuple):
    """What an hour of a point had: any reading, enough valid ones."""

    had: bool
    is_valid: bool


def point_hours(minutes: Sequence[Minute], needed: int = VALID_HOUR_MINUTES) -> list[PointHour]:
    """Say of each whole hour of minutes whether it had readings and is valid with 45 minutes."""
    hours = [minutes[at : at + 60] for at in range(0, len(minutes) - 59, 60)]
    return [
        PointHour(any(one.had for one in hour), sum(one.mean is not None for one in hour) >= needed) for hour in hours
    ]


def slow_point_hours(point: SimPoint, readings: Sequence[Delivery], start_ms: int, end_ms: int) -> list[PointHour]:
    """Say the same of a point slower than a minute: valid with 75 % of the values due in the hour, at least one."""
    length = 60 * MINUTE_MS
    due = max(length // point.interval_ms, 1)
    shelves: Mapping[int, list[Delivery]] = {start: [] for start in range(start_ms, end_ms, length)}
    for one in readings:
        if start_ms <= one.ts_ms < end_ms:
            shelves[start_ms + (one.ts_ms - start_ms) // length * length].append(one)
    return [
        PointHour(bool(shelf), sum(is_valid(one, point) for one in shelf) >= VALID_SHARE * due)
        for shelf in shelves.values()
    ]


def capture(hours: Sequence[PointHour], stopped: Sequence[bool]) -> Capture:
    """Count the hours of a period; `stopped` tells which did not run at all."""
    due = [one for one, rests in zip(hours, stopped, strict=True) if not rests]
    return Capture(len(due), sum(one.had for one in due), sum(one.had and one.is_valid for one in due))
