"""This module gives the right answers: windows of delivered readings, by other means than the program's.

Plain Python over exact fractions (energy means: `math.fsum`), local edges from `zoneinfo`, no numpy and nothing
shared with the program under test. It is slow and short on purpose. Rules: HJ 75-2017 / HJ 76-2017 for validity,
GB 12348-2008 for sound, and the project's settled rules for over-range readings and registers.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from simulators.faults import Delivery
from simulators.plant import COUNTER, ENERGY, SimPoint

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
VALID_HOUR_MINUTES = 45
VALID_DAY_HOURS = 20
VALID_SHARE = Fraction(3, 4)
MICRO = 1_000_000

Number = Fraction | float


def exact(value: float) -> Fraction:
    """Give the decimal number an instrument sent, not the double nearest to it."""
    return Fraction(repr(value))


def accepted(deliveries: Iterable[Delivery], point: str) -> list[Delivery]:
    """Give what stands of a point, in time order: of one instant the first value in order of arrival."""
    first: dict[int, Delivery] = {}
    for delivery in deliveries:
        if delivery.point == point:
            first.setdefault(delivery.ts_ms, delivery)
    return [first[ts_ms] for ts_ms in sorted(first)]


# Edges


def _instant_ms(moment: datetime) -> int:
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def day_edges(day: date, zone: ZoneInfo = SHANGHAI) -> tuple[int, int]:
    """Give the instants a local day begins and ends; 23, 24 or 25 hours apart."""
    start = datetime.combine(day, time(), tzinfo=zone)
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return _instant_ms(start), _instant_ms(end)


def hour_edges(day: date, zone: ZoneInfo = SHANGHAI) -> list[tuple[int, int]]:
    """List the clock hours of a local day; zones that lie whole hours from UTC only."""
    start, end = day_edges(day, zone)
    return [(hour, hour + HOUR_MS) for hour in range(start, end, HOUR_MS)]


def period_edges(day: date, period: str, zone: ZoneInfo = SHANGHAI) -> tuple[int, int]:
    """Give the edges of the `day` period (06:00-22:00) or of the `night` (22:00-06:00) that begins on that date."""
    six, ten = time(6), time(22)
    if period == "day":
        ends = datetime.combine(day, six, tzinfo=zone), datetime.combine(day, ten, tzinfo=zone)
    else:
        ends = datetime.combine(day, ten, tzinfo=zone), datetime.combine(day + timedelta(days=1), six, tzinfo=zone)
    return _instant_ms(ends[0]), _instant_ms(ends[1])


# Gauges and sound levels


@dataclass(frozen=True, slots=True)
class TrueWindow:
    """A window [start, end) of a gauge or a sound level.

    `mean` is None where nothing was valid; `is_valid` tells whether it may be judged. `lower_bound` is the mean with
    over-range readings at the range's end, None where none was over range or too little was had. due, had and valid
    count readings in a minute and for slow points, minutes in an hour (had: with any reading), hours in a day.
    `count`, `minimum` and `maximum` are of valid readings everywhere.
    """

    start_ms: int
    end_ms: int
    mean: Number | None
    is_valid: bool
    due: int
    had: int
    valid: int
    count: int
    minimum: float | None
    maximum: float | None
    lower_bound: Number | None


@dataclass(frozen=True, slots=True)
class _Part:
    """What a mean is taken over: a reading, a minute or an hour; None where it is not valid, or not over range."""

    value: Number | None
    bound: Number | None


def is_over(delivery: Delivery, point: SimPoint) -> bool:
    """Whether a reading is over range: flagged T, or unflagged beyond the range's end."""
    beyond = point.range_high is not None and delivery.value > point.range_high
    return delivery.flag == "T" or (delivery.flag == "N" and beyond)


def is_valid(delivery: Delivery, point: SimPoint) -> bool:
    """Whether a reading is averaged: unflagged and within the range."""
    below = point.range_low is not None and delivery.value < point.range_low
    return delivery.flag == "N" and not below and not is_over(delivery, point)


def _arithmetic(values: Sequence[Number]) -> Fraction:
    return sum((Fraction(value) for value in values), Fraction(0)) / len(values)


def _energy(values: Sequence[Number]) -> float:
    """Mean sound levels by their energy.

    >>> round(_energy([60, 70]), 4)
    67.4036
    """
    return 10 * math.log10(math.fsum(10 ** (float(value) / 10) for value in values) / len(values))


def _mean_of(point: SimPoint) -> Callable[[Sequence[Number]], Number]:
    return _energy if point.kind == ENERGY else _arithmetic


def _inside(readings: Sequence[Delivery], start_ms: int, end_ms: int) -> list[Delivery]:
    return [reading for reading in readings if start_ms <= reading.ts_ms < end_ms]


def _reading_part(reading: Delivery, point: SimPoint) -> _Part:
    value = exact(reading.value) if is_valid(reading, point) else None
    end = point.range_high if point.range_high is not None else reading.value
    return _Part(value, exact(end) if is_over(reading, point) else None)


def _bound(parts: Sequence[_Part], mean: Callable[[Sequence[Number]], Number]) -> Number | None:
    """Mean the parts with the over-range ones at their bound; None where none is over range."""
    if all(part.bound is None for part in parts):
        return None
    return mean([part.bound if part.bound is not None else part.value for part in parts  # type: ignore[misc]
                 if part.bound is not None or part.value is not None])  # fmt: skip


def _window(
    point: SimPoint, readings: Sequence[Delivery], start_ms: int, end_ms: int, parts: Sequence[_Part], due: int,
    had: int, needed: Fraction,
) -> TrueWindow:  # fmt: skip
    mean = _mean_of(point)
    valid = [part.value for part in parts if part.value is not None]
    known = sum(part.value is not None or part.bound is not None for part in parts)
    values = [reading.value for reading in _inside(readings, start_ms, end_ms) if is_valid(reading, point)]
    return TrueWindow(
        start_ms=start_ms,
        end_ms=end_ms,
        mean=mean(valid) if valid else None,
        is_valid=bool(valid) and len(valid) >= needed,
        due=due,
        had=had,
        valid=len(valid),
        count=len(values),
        minimum=min(values, default=None),
        maximum=max(values, default=None),
        lower_bound=_bound(parts, mean) if known >= needed else None,
    )


def minute(point: SimPoint, readings: Sequence[Delivery], start_ms: int) -> TrueWindow:
    """Give a minute: the mean of its valid readings, valid with one. `readings` as from `accepted`."""
    inside = _inside(readings, start_ms, start_ms + MINUTE_MS)
    parts = [_reading_part(reading, point) for reading in inside]
    due = max(MINUTE_MS // point.interval_ms, 1)
    return _window(point, inside, start_ms, start_ms + MINUTE_MS, parts, due, len(inside), Fraction(1))


def minutes(point: SimPoint, readings: Sequence[Delivery], start_ms: int, end_ms: int) -> list[TrueWindow]:
    """Give the minutes of [start, end), those without readings too. A point slower than a minute has none."""
    if point.interval_ms > MINUTE_MS:
        return []
    shelves: dict[int, list[Delivery]] = {start: [] for start in range(start_ms, end_ms, MINUTE_MS)}
    for reading in readings:
        if start_ms <= reading.ts_ms < end_ms:
            shelves[start_ms + (reading.ts_ms - start_ms) // MINUTE_MS * MINUTE_MS].append(reading)
    return [minute(point, shelf, start) for start, shelf in shelves.items()]


def hour(
    point: SimPoint, readings: Sequence[Delivery], start_ms: int, valid_hour_minutes: int = VALID_HOUR_MINUTES
) -> TrueWindow:
    """Give a clock hour: the mean of its valid minutes, valid with 45; of a slow point: of its values, with 75 %."""
    end_ms = start_ms + HOUR_MS
    inside = _inside(readings, start_ms, end_ms)
    if point.interval_ms > MINUTE_MS:
        due = max(HOUR_MS // point.interval_ms, 1)
        parts = [_reading_part(reading, point) for reading in inside]
        return _window(point, inside, start_ms, end_ms, parts, due, len(inside), VALID_SHARE * due)
    found = minutes(point, inside, start_ms, end_ms)
    parts = [_Part(one.mean, one.lower_bound) for one in found]
    had = sum(one.had > 0 for one in found)
    return _window(point, inside, start_ms, end_ms, parts, 60, had, Fraction(valid_hour_minutes))


def hours(
    point: SimPoint, readings: Sequence[Delivery], day: date, zone: ZoneInfo = SHANGHAI,
    valid_hour_minutes: int = VALID_HOUR_MINUTES,
) -> list[TrueWindow]:  # fmt: skip
    """Give the clock hours of a local day."""
    start, end = day_edges(day, zone)
    inside = _inside(readings, start, end)
    return [hour(point, inside, edge, valid_hour_minutes) for edge, _ in hour_edges(day, zone)]


def needed_hours(hours_ran: int, valid_day_hours: int = VALID_DAY_HOURS) -> Fraction:
    """Give how many valid hours a valid day needs: max(75 % of the hours ran, hours ran - 4).

    >>> [str(needed_hours(ran)) for ran in (24, 16, 8)]
    ['20', '12', '6']
    """
    return max(VALID_SHARE * hours_ran, Fraction(hours_ran - (24 - valid_day_hours)))


def day(
    point: SimPoint, readings: Sequence[Delivery], on: date, zone: ZoneInfo = SHANGHAI,
    ran: Callable[[int], bool] = lambda hour_start_ms: True, valid_hour_minutes: int = VALID_HOUR_MINUTES,
) -> TrueWindow:  # fmt: skip
    """Give a local day: the mean of its valid hours. `ran` tells by its start whether the source ran in an hour.

    Hours that did not run are neither due nor had. A sound level's day is the energy mean over its valid minutes.
    The lower bound takes each over-range hour at its own bound. `count`, `minimum` and `maximum` are of every valid
    reading of the day, of invalid and resting hours too.
    """
    start, end = day_edges(on, zone)
    inside = _inside(readings, start, end)
    running = [one for one in hours(point, inside, on, zone, valid_hour_minutes) if ran(one.start_ms)]
    parts = [_Part(one.mean if one.is_valid else None, one.lower_bound) for one in running]
    had = sum(one.had > 0 for one in running)
    window = _window(point, inside, start, end, parts, len(running), had, needed_hours(len(running)))
    if point.kind != ENERGY:
        return window
    return _over_minutes(point, inside, window)


def period(point: SimPoint, readings: Sequence[Delivery], on: date, name: str, zone: ZoneInfo = SHANGHAI) -> TrueWindow:
    """Give a sound level's `day` or `night` period: the energy mean over minutes, valid from 75 % of those due."""
    start, end = period_edges(on, name, zone)
    inside = _inside(readings, start, end)
    found = minutes(point, inside, start, end)
    parts = [_Part(one.mean, one.lower_bound) for one in found]
    had = sum(one.had > 0 for one in found)
    return _window(point, inside, start, end, parts, len(found), had, VALID_SHARE * len(found))


def _over_minutes(point: SimPoint, inside: Sequence[Delivery], window: TrueWindow) -> TrueWindow:
    found = minutes(point, inside, window.start_ms, window.end_ms)
    values = [one.mean for one in found if one.mean is not None]
    bound = _bound([_Part(one.mean, one.lower_bound) for one in found], _energy)
    return TrueWindow(
        **{name: getattr(window, name) for name in TrueWindow.__slots__ if name not in ("mean", "lower_bound")},
        mean=_energy(values) if values else None,
        lower_bound=bound if window.lower_bound is not None else None,
    )


# While the source runs: converted means and rates


@dataclass(frozen=True, slots=True)
class TrueJudged:
    """What a limit judges of an hour. `valid` counts running minutes with a value, `ran` all running minutes."""

    start_ms: int
    value: Fraction | None
    is_valid: bool
    valid: int
    ran: int


def ran_minutes(
    point: SimPoint,
    readings: Sequence[Delivery],
    start_ms: int,
    end_ms: int,
    minimum: float | None = None,
    maximum: float | None = None,
) -> list[bool]:
    """Tell for each minute of [start, end) whether the source ran: its mean within inclusive bounds, or unknown."""
    return [_ran(one.mean, minimum, maximum) for one in minutes(point, readings, start_ms, end_ms)]


def _ran(mean: Number | None, minimum: float | None, maximum: float | None) -> bool:
    if mean is None:
        return True
    return (minimum is None or mean >= exact(minimum)) and (maximum is None or mean <= exact(maximum))


def converted_hour(
    pollutant: Sequence[TrueWindow],
    oxygen: Sequence[TrueWindow],
    ran: Sequence[bool],
    reference_pct: float,
    valid_hour_minutes: int = VALID_HOUR_MINUTES,
) -> TrueJudged:
    """Convert each running minute to reference oxygen with the oxygen of the same minute, then mean.

    GB 13271-2014 5.2: C = C' x (21 - reference) / (21 - O2). A minute at 21 % or above, or without oxygen, drops out.
    """
    values = [
        Fraction(one.mean) * (21 - exact(reference_pct)) / (21 - Fraction(air.mean))
        for one, air, runs in zip(pollutant, oxygen, ran, strict=True)
        if runs and one.mean is not None and air.mean is not None and air.mean < 21
    ]
    return TrueJudged(
        pollutant[0].start_ms,
        _arithmetic(values) if values else None,
        bool(values) and len(values) >= valid_hour_minutes,
        len(values),
        sum(ran),
    )


def rate_hour(
    concentration: Sequence[TrueWindow],
    flow: Sequence[TrueWindow],
    ran: Sequence[bool],
    valid_hour_minutes: int = VALID_HOUR_MINUTES,
) -> TrueJudged:
    """Give an hour's rate in kg/h: mean concentration (mg/m3) x mean flow (m3/h) while running; each needs 45 minutes.

    HJ 212-2017 App. D eq. 33, with the measured concentration.
    """
    amounts = [one.mean for one, runs in zip(concentration, ran, strict=True) if runs and one.mean is not None]
    flows = [one.mean for one, runs in zip(flow, ran, strict=True) if runs and one.mean is not None]
    fewest = min(len(amounts), len(flows))
    value = _arithmetic(amounts) * _arithmetic(flows) / MICRO if fewest else None
    return TrueJudged(concentration[0].start_ms, value, bool(fewest) and fewest >= valid_hour_minutes, fewest, sum(ran))


# Waste water


@dataclass(frozen=True, slots=True)
class TrueWater:
    """What a limit judges of waste water over [start, end): a pollutant's day by volume, or an hour of pH.

    `due` counts slots with discharge or unknown flow, `valid` those of them that had a valid value. `value` is the
    mean by volume, of pH the median. `minimum` and `maximum` are of the valid values (readings, for pH) that count.
    """

    start_ms: int
    end_ms: int
    value: Fraction | None
    lower_bound: Fraction | None
    is_over_range: bool
    due: int
    valid: int
    needed: Fraction
    minimum: float | None = None
    maximum: float | None = None

    @property
    def no_discharge(self) -> bool:
        """Whether nothing was due."""
        return self.due == 0

    @property
    def is_valid(self) -> bool:
        """Whether the value may be judged."""
        return self.value is not None and not self.is_over_range and self.valid >= max(self.needed, Fraction(1))


def _without_gaps(known: Sequence[Fraction | None]) -> list[Fraction | None]:
    """Give every run of unknown minutes the mean of as many known minutes before it, or of all there are."""
    result: list[Fraction | None] = []
    seen: list[Fraction] = []
    at = 0
    while at < len(known):
        value = known[at]
        if value is not None:
            seen.append(max(value, Fraction(0)))
            result.append(seen[-1])
            at += 1
            continue
        end = next((turn for turn in range(at, len(known)) if known[turn] is not None), len(known))
        result += [_arithmetic(seen[-(end - at) :]) if seen else None] * (end - at)
        at = end
    return result


def _volume(filled: Sequence[Fraction | None], first_ms: int, start_ms: int, end_ms: int) -> Fraction | None:
    """Give what flowed in [start, end), m3; None where a minute of it is unknown. The minutes begin at `first_ms`."""
    total = Fraction(0)
    at = start_ms
    while at < end_ms:
        turn = (at - first_ms) // MINUTE_MS
        until = min(end_ms, first_ms + (turn + 1) * MINUTE_MS)
        flow = filled[turn]
        if flow is None:
            return None
        total += flow * (until - at) / HOUR_MS
        at = until
    return total


def flow_weighted_day(
    point: SimPoint, readings: Sequence[Delivery], flow: SimPoint, flow_readings: Sequence[Delivery], on: date,
    zone: ZoneInfo = SHANGHAI, known_from_ms: int | None = None, valid_share: Fraction = VALID_SHARE,
) -> TrueWater:  # fmt: skip
    """Give a pollutant's local day: the sum of C x V over the sum of V. Flow in m3/h, a minute or faster.

    A value's volume runs from its time to the next valid value, two intervals at most, past midnight too. Flow is
    looked for from `known_from_ms` on, the day's start where it is None.
    """
    start, end = day_edges(on, zone)
    last = end + 2 * point.interval_ms
    first = start if known_from_ms is None else known_from_ms
    means = [None if one.mean is None else Fraction(one.mean) for one in minutes(flow, flow_readings, first, last)]
    filled = _without_gaps(means)
    due = set()
    for at in range(start, end, MINUTE_MS):
        mean = means[(at - first) // MINUTE_MS]
        if mean is None or mean > 0:
            due.add((at - start) // point.interval_ms)
    parts = [(one, _reading_part(one, point)) for one in readings if start <= one.ts_ms < last]

    def weigh(usable: Sequence[tuple[Delivery, _Part]]) -> list[tuple[Delivery, Fraction, Fraction]]:
        found = []
        for turn, (one, part) in enumerate(usable):
            until = one.ts_ms + 2 * point.interval_ms
            if turn + 1 < len(usable):
                until = min(until, usable[turn + 1][0].ts_ms)
            volume = _volume(filled, first, one.ts_ms, until) if one.ts_ms < end else None
            if volume is not None:
                found.append((one, Fraction(part.value if part.bound is None else part.bound), volume))  # type: ignore[arg-type]
        return found

    def mean_of(weighed: Sequence[tuple[Delivery, Fraction, Fraction]]) -> Fraction | None:
        total = sum((volume for _, _, volume in weighed), Fraction(0))
        return sum((value * volume for _, value, volume in weighed), Fraction(0)) / total if total else None

    def slots_of(weighed: Sequence[tuple[Delivery, Fraction, Fraction]]) -> int:
        return len(due & {(one.ts_ms - start) // point.interval_ms for one, _, _ in weighed})

    valid = weigh([(one, part) for one, part in parts if part.value is not None])
    both = weigh([(one, part) for one, part in parts if part.value is not None or part.bound is not None])
    over = {one.ts_ms for one, part in parts if part.bound is not None and one.ts_ms < end}
    is_over = any((ts - start) // point.interval_ms in due for ts in over)
    is_over = is_over or any(one.ts_ms in over and volume > 0 for one, _, volume in both)
    needed = valid_share * len(due)
    values = [one.value for one, _, _ in valid]
    return TrueWater(
        start,
        end,
        mean_of(valid) if due else None,
        mean_of(both) if due and is_over and slots_of(both) >= max(needed, Fraction(1)) else None,
        bool(due) and is_over,
        len(due),
        slots_of(valid),
        needed,
        min(values, default=None) if due else None,
        max(values, default=None) if due else None,
    )


def ph_hour(
    point: SimPoint, readings: Sequence[Delivery], flow: SimPoint, flow_readings: Sequence[Delivery], start_ms: int,
    valid_hour_minutes: int = VALID_HOUR_MINUTES,
) -> TrueWater:  # fmt: skip
    """Give an hour of pH, a point of minutes: the median of those valid while there was discharge, or flow unknown.

    It needs of the minutes due the share that 45 are of 60.
    """
    end_ms = start_ms + HOUR_MS
    flows = minutes(flow, flow_readings, start_ms, end_ms)
    due = [one.start_ms for one in flows if one.mean is None or one.mean > 0]
    parts = [minute(point, readings, at) for at in due]
    valid = [one for one in parts if one.mean is not None]
    bounds = [Fraction(one.mean if one.lower_bound is None else one.lower_bound) for one in parts  # type: ignore[arg-type]
              if one.mean is not None or one.lower_bound is not None]  # fmt: skip
    is_over = any(one.lower_bound is not None for one in parts)
    needed = Fraction(valid_hour_minutes, 60) * len(due)
    return TrueWater(
        start_ms,
        end_ms,
        median([Fraction(one.mean) for one in valid if one.mean is not None]) if valid else None,
        median(bounds) if is_over and len(bounds) >= max(needed, Fraction(1)) else None,
        is_over,
        len(due),
        len(valid),
        needed,
        min((one.minimum for one in valid if one.minimum is not None), default=None),
        max((one.maximum for one in valid if one.maximum is not None), default=None),
    )


# Counters


@dataclass(frozen=True, slots=True)
class Ratio:
    """A CT/PT ratio over [start, end); None is open-ended."""

    value: float
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RegisterRules:
    """What is known of a register. `wraps_at` is before the ratio, `max_rate_per_h` after it."""

    interval_ms: int
    ratios: tuple[Ratio, ...] = (Ratio(1.0),)
    wraps_at: float | None = None
    max_rate_per_h: float | None = None


def register_rules(point: SimPoint, ratio: float = 1.0) -> RegisterRules:
    """Give the rules of a simulated meter."""
    assert point.kind == COUNTER
    return RegisterRules(point.interval_ms, (Ratio(ratio),), point.wraps_at, point.max_rate_per_h)


@dataclass(frozen=True, slots=True)
class RegisterEvent:
    """Something found in a register: brief_zero, roll_over, slight_fall, reset, replaced or too_fast.

    `ts_ms` is that of the reading that shows it: the first that fell, rose too fast or (brief zero) came back.
    """

    ts_ms: int
    kind: str


@dataclass(frozen=True, slots=True)
class TrueTotal:
    """A counter's window. `micro` is its exact total in 1e-6 of the unit, None where no reading reaches into it.

    `coverage` is the share of the window between the first and the last reading. `is_estimated`: it holds part of a
    gap of more than three intervals, but not the whole gap.
    """

    start_ms: int
    end_ms: int
    micro: int | None
    coverage: Fraction
    is_estimated: bool
    events: tuple[RegisterEvent, ...]

    @property
    def total(self) -> Fraction | None:
        """The total in the point's unit."""
        return None if self.micro is None else Fraction(self.micro, MICRO)


@dataclass(frozen=True, slots=True)
class _Rise:
    """What was counted between two used readings, before the ratio."""

    start_ms: int
    end_ms: int
    amount: Fraction


@dataclass(slots=True)
class _Trace:
    first_ms: int
    first: Fraction
    rises: list[_Rise] = field(default_factory=list)
    events: list[RegisterEvent] = field(default_factory=list)


def _ratio_parts(rules: RegisterRules, start_ms: int, end_ms: int) -> list[tuple[int, int, Fraction]]:
    """Split [start, end) by the ratios in force."""
    parts = []
    for ratio in rules.ratios:
        start = max(start_ms, ratio.start_ms if ratio.start_ms is not None else start_ms)
        end = min(end_ms, ratio.end_ms if ratio.end_ms is not None else end_ms)
        if start < end:
            parts.append((start, end, exact(ratio.value)))
    return sorted(parts)


def _after_ratio(rules: RegisterRules, rise: _Rise, until_ms: int) -> Fraction:
    """Give what of a rise was counted before an instant, after the ratio; the rise is even over its time."""
    length = rise.end_ms - rise.start_ms
    until = min(max(until_ms, rise.start_ms), rise.end_ms)
    parts = _ratio_parts(rules, rise.start_ms, until)
    return sum((rise.amount * Fraction(end - start, length) * ratio for start, end, ratio in parts), Fraction(0))


def _is_plausible(rules: RegisterRules, start_ms: int, end_ms: int, amount: Fraction) -> bool:
    if rules.max_rate_per_h is None:
        return True
    counted = _after_ratio(rules, _Rise(start_ms, end_ms, amount), end_ms)
    return counted <= exact(rules.max_rate_per_h) * Fraction(end_ms - start_ms, HOUR_MS)


def _without_brief_zeros(
    rules: RegisterRules, readings: Sequence[Delivery]
) -> tuple[list[Delivery], list[RegisterEvent]]:
    """Drop runs of at most three zeros between readings that fit together."""
    kept: list[Delivery] = []
    events: list[RegisterEvent] = []
    at = 0
    while at < len(readings):
        run = at
        while run < len(readings) and readings[run].value == 0:
            run += 1
        if kept and kept[-1].value > 0 and 1 <= run - at <= 3 and run < len(readings):
            before, after = kept[-1], readings[run]
            rise = exact(after.value) - exact(before.value)
            if rise >= 0 and _is_plausible(rules, before.ts_ms, after.ts_ms, rise):
                events.append(RegisterEvent(after.ts_ms, "brief_zero"))
                at = run
                continue
        kept.append(readings[at])
        at += 1
    return kept, events


def _fall(rules: RegisterRules, start_ms: int, end_ms: int, level: Fraction, now: Fraction) -> tuple[str, Fraction]:
    """Judge a fall: its kind and what was counted, before the ratio, in the settled order."""
    if rules.wraps_at is not None:
        around = exact(rules.wraps_at) - level + now
        # Without max_rate the shorter way round is the plausible one.
        short = rules.max_rate_per_h is not None or 2 * around <= exact(rules.wraps_at)
        if around >= 0 and short and _is_plausible(rules, start_ms, end_ms, around):
            return "roll_over", around
    if level - now <= level / 100:
        return "slight_fall", Fraction(0)
    if _is_plausible(rules, start_ms, end_ms, now):
        return "reset", now
    return "replaced", Fraction(0)


def _trace(rules: RegisterRules, readings: Sequence[Delivery]) -> _Trace | None:
    usable = [reading for reading in readings if reading.flag == "N"]
    usable, events = _without_brief_zeros(rules, usable)
    if not usable:
        return None
    trace = _Trace(usable[0].ts_ms, exact(usable[0].value), events=events)
    level = trace.first
    for before, after in pairwise(usable):
        now = exact(after.value)
        kind, amount = _step(rules, before, after, level)
        # After a slight fall the old level stands until the register is above it again.
        falls_again = now < exact(before.value)
        if kind and (kind != "slight_fall" or falls_again):
            trace.events.append(RegisterEvent(after.ts_ms, kind))
        trace.rises.append(_Rise(before.ts_ms, after.ts_ms, amount))
        level = level if kind == "slight_fall" else now
    trace.events.sort(key=lambda event: event.ts_ms)
    return trace


def _step(rules: RegisterRules, before: Delivery, after: Delivery, level: Fraction) -> tuple[str, Fraction]:
    now = exact(after.value)
    if exact(before.value) <= now < level:  # no fall: still below the level that a slight fall left standing
        return "slight_fall", Fraction(0)
    if now < level:
        return _fall(rules, before.ts_ms, after.ts_ms, level, now)
    if not _is_plausible(rules, before.ts_ms, after.ts_ms, now - level):
        return "too_fast", Fraction(0)
    return "", now - level


def _is_split(gap: _Rise, start_ms: int, end_ms: int) -> bool:
    """Whether a window holds a part of a gap, and not the whole."""
    meets = gap.start_ms < end_ms and gap.end_ms > start_ms
    return meets and not (start_ms <= gap.start_ms and gap.end_ms <= end_ms)


class TrueCounter:
    """A counter's exact answers over everything delivered of it. `readings` as from `accepted`."""

    def __init__(self, rules: RegisterRules, readings: Sequence[Delivery]) -> None:
        self._rules = rules
        self._trace = _trace(rules, readings)
        rises = self._trace.rises if self._trace else []
        self._starts = [rise.start_ms for rise in rises]
        self._gaps = [rise for rise in rises if rise.end_ms - rise.start_ms > 3 * rules.interval_ms]
        self._before = [Fraction(0)]  # what was counted before each rise, after the ratio
        for rise in rises:
            self._before.append(self._before[-1] + _after_ratio(rules, rise, rise.end_ms))

    @property
    def events(self) -> list[RegisterEvent]:
        """Everything found in the register, in time order."""
        return list(self._trace.events) if self._trace else []

    def edge_micro(self, at_ms: int) -> int:
        """Give the counted register at an instant in 1e-6 units after the ratio, half to even.

        It starts from the first reading's register and goes through events without a step.
        """
        assert self._trace is not None
        parts = _ratio_parts(self._rules, self._trace.first_ms, self._trace.first_ms + 1)
        counted = self._trace.first * parts[0][2]
        begun = bisect_left(self._starts, at_ms)
        if begun:
            counted += self._before[begun - 1] + _after_ratio(self._rules, self._trace.rises[begun - 1], at_ms)
        return round(counted * MICRO)  # a Fraction rounds half to even

    def window(self, start_ms: int, end_ms: int) -> TrueTotal:
        """Give the total of [start, end): between the readings that reach into it, nothing extrapolated.

        An event belongs to the window that holds its reading, one exactly on an edge to the window that ends there.
        """
        if self._trace is None or not self._trace.rises:
            return TrueTotal(start_ms, end_ms, None, Fraction(0), False, ())
        start = max(start_ms, self._trace.first_ms)
        end = min(end_ms, self._trace.rises[-1].end_ms)
        if start >= end:
            return TrueTotal(start_ms, end_ms, None, Fraction(0), False, ())
        return TrueTotal(
            start_ms,
            end_ms,
            self.edge_micro(end) - self.edge_micro(start),
            Fraction(end - start, end_ms - start_ms),
            any(_is_split(gap, start_ms, end_ms) for gap in self._gaps),
            tuple(event for event in self._trace.events if start_ms < event.ts_ms <= end_ms),
        )

    def hours(self, on: date, zone: ZoneInfo = SHANGHAI) -> list[TrueTotal]:
        """Give the clock hours of a local day."""
        return [self.window(start, end) for start, end in hour_edges(on, zone)]

    def day(self, on: date, zone: ZoneInfo = SHANGHAI) -> TrueTotal:
        """Give a local day."""
        return self.window(*day_edges(on, zone))


def counters(
    points: Iterable[SimPoint], deliveries: Sequence[Delivery], ratios: Mapping[str, float] | None = None
) -> dict[str, TrueCounter]:
    """Give the answers for every counter among the points."""
    known = ratios or {}
    return {
        point.id: TrueCounter(register_rules(point, known.get(point.id, 1.0)), accepted(deliveries, point.id))
        for point in points
        if point.kind == COUNTER
    }
