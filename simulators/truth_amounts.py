"""This module gives the right amounts: kg of each hour of air and each day of waste water, measured or substituted.

Rules: HJ 212-2017 App. D eq. 8-11 and 33 for the mass, HJ 75-2017 for substitution by the capture rate of the quarter
(180, 720 or 2160 measured hours), HJ 356-2019 for waste water.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from simulators.faults import Delivery
from simulators.plant import SimPoint
from simulators.truth import HOUR_MS, MICRO, MINUTE_MS, SHANGHAI, day_edges, is_valid
from simulators.truth_judged import FilledFlow
from simulators.truth_minutes import Minute, average

STOPPED, MEASURED, INVALID, UNKNOWN = "stopped", "measured", "invalid", "unknown"
SHORT_GAP_HOURS = 24
GRAMS_PER_KG = 1000


@dataclass(frozen=True, slots=True)
class TrueHour:
    """A clock hour of a pollutant's amount in air.

    `state` is stopped, measured or invalid. `kg` is what is known without substitution: of a measured hour the larger
    of mean and proof, of an invalid one the proof or None. `floor_kg` is what over-range readings prove. `ran` counts
    minutes.
    """

    start_ms: int
    ran: int
    state: str
    kg: float | None
    floor_kg: float | None
    at_least: bool

    @property
    def kg_h(self) -> float | None:
        """The hour's rate over its running time, None unless it was measured."""
        return self.kg / (self.ran / 60) if self.state == MEASURED and self.kg is not None else None


def _three_quarters(part: int, whole: int) -> bool:
    return 4 * part >= 3 * whole


def true_emission_hour(
    start_ms: int, concentration: Sequence[Minute], flow: Sequence[Minute], ran: Sequence[bool]
) -> TrueHour:
    """Give an hour's amount from mg/m3 and m3/h: mean x mean while running x running time.

    Measured when 75 % of the running minutes are valid for concentration and for flow. Where a running minute was over
    range the mean with it at the range's end proves an amount; with fewer than 75 % known (valid or over range) of
    either, for the known minutes of the concentration alone.
    """
    turns = [turn for turn, runs in enumerate(ran) if runs]
    minutes = len(turns)
    if not minutes:
        return TrueHour(start_ms, 0, STOPPED, 0.0, None, False)
    values = [value for turn in turns if (value := concentration[turn].mean) is not None]
    flows = [value for turn in turns if (value := flow[turn].mean) is not None]
    is_measured = _three_quarters(len(values), minutes) and _three_quarters(len(flows), minutes)
    measured = average(values) * average(flows) / MICRO * minutes / 60 if is_measured else None
    floor = _floor([concentration[turn] for turn in turns], [flow[turn] for turn in turns])
    is_larger = floor is not None and (measured is None or floor > measured)
    return TrueHour(
        start_ms,
        minutes,
        MEASURED if is_measured else INVALID,
        floor if is_larger else measured,
        floor,
        is_larger,
    )


def _floor(concentration: Sequence[Minute], flow: Sequence[Minute]) -> float | None:
    """Give what the over-range readings of the running minutes prove, kg; None without any or without a known flow."""
    if all(one.bound is None for one in [*concentration, *flow]):
        return None
    values = [value for one in concentration if (value := one.proven) is not None]
    flows = [value for one in flow if (value := one.proven) is not None]
    if not values or not flows:
        return None
    whole = len(concentration)
    is_known = _three_quarters(len(values), whole) and _three_quarters(len(flows), whole)
    return average(values) * average(flows) / MICRO * (whole if is_known else len(values)) / 60


# Substitution of missing hours of air


@dataclass(frozen=True, slots=True)
class TrueEmission:
    """An hour's amount as it enters totals.

    `method` is stopped, measured, max_180, max_720, max_2160 or unknown. `kg` of an unknown hour is what over-range
    readings prove, else None. `gap_hours` is the length of the run of invalid hours it belongs to, 0 outside of any.
    """

    start_ms: int
    ran: int
    kg: float | None
    method: str
    at_least: bool
    is_provisional: bool
    gap_hours: int = 0


def _local_date(at_ms: int, zone: ZoneInfo) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(zone).date()


def quarter_edges(on: date, zone: ZoneInfo = SHANGHAI) -> tuple[int, int]:
    """Give the instants the calendar quarter of a local date begins and ends.

    >>> [_local_date(edge, SHANGHAI).isoformat() for edge in quarter_edges(date(2020, 12, 31))]
    ['2020-10-01', '2021-01-01']
    """
    first = (on.month - 1) // 3 * 3 + 1
    after = date(on.year + first // 10, (first + 2) % 12 + 1, 1)
    return day_edges(date(on.year, first, 1), zone)[0], day_edges(after, zone)[0]


def capture_shares(hours: Sequence[TrueHour], zone: ZoneInfo = SHANGHAI) -> dict[int, tuple[int, int]]:
    """Give for each quarter, by its start, the measured hours and those not stopped."""
    found: dict[int, tuple[int, int]] = {}
    for one in hours:
        start = quarter_edges(_local_date(one.start_ms, zone), zone)[0]
        measured, ran = found.get(start, (0, 0))
        found[start] = measured + (one.state == MEASURED), ran + (one.state != STOPPED)
    return found


def look_back(measured: int, ran: int, gap_hours: int) -> int | None:
    """Give how many measured hours a gap looks back in a quarter with so many of its running hours measured.

    >>> look_back(90, 100, 24), look_back(90, 100, 25), look_back(8999, 10000, 1), look_back(75, 100, 99)
    (180, 720, 2160, 2160)
    >>> look_back(7499, 10000, 1) is None
    True
    """
    if 100 * measured >= 90 * ran:
        return 180 if gap_hours <= SHORT_GAP_HOURS else 720
    return 2160 if 100 * measured >= 75 * ran else None


def substituted(hours: Sequence[TrueHour], zone: ZoneInfo = SHANGHAI) -> list[TrueEmission]:
    """Fill the invalid hours. `hours`: every clock hour from the outlet's first reading to the last closed one.

    A run of invalid hours is ended by a measured or stopped one. Its length picks the look-back for all of them, each
    hour's own quarter the capture rate; what stands in is the largest kg/h of the measured hours before the run.
    """
    shares = capture_shares(hours, zone)
    closed_ms = hours[-1].start_ms + HOUR_MS if hours else 0
    rates: list[float] = []
    result: list[TrueEmission] = []
    at = 0
    while at < len(hours):
        one = hours[at]
        end = at
        while end < len(hours) and hours[end].state == INVALID:
            end += 1
        for missing in hours[at:end]:
            quarter = quarter_edges(_local_date(missing.start_ms, zone), zone)
            back = look_back(*shares[quarter[0]], end - at)
            result.append(_filled(missing, rates, back, end - at, quarter[1] > closed_ms))
        if end > at:
            at = end
            continue
        result.append(TrueEmission(one.start_ms, one.ran, one.kg, one.state, one.at_least, False))
        if one.kg_h is not None:
            rates.append(one.kg_h)
        at += 1
    return result


def _filled(
    hour: TrueHour, rates: Sequence[float], back: int | None, gap_hours: int, is_provisional: bool
) -> TrueEmission:
    unknown = TrueEmission(hour.start_ms, hour.ran, hour.kg, UNKNOWN, hour.at_least, is_provisional, gap_hours)
    if back is None or not rates:
        return unknown
    kg = max(rates[-back:]) * hour.ran / 60
    is_larger = hour.floor_kg is not None and hour.floor_kg > kg
    return replace(unknown, kg=hour.floor_kg if is_larger else kg, method=f"max_{back}", at_least=is_larger)


# Waste water


@dataclass(frozen=True, slots=True)
class TrueWaterDay:
    """A local day's amount of a waste-water pollutant; minutes are those with discharge, or with unknown flow.

    `kg` is what is known of it. Measured minutes have a value and a flow, substituted ones a mean in place of either.
    """

    day: date
    kg: float
    measured: int
    substituted: int
    unknown: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A span and the concentration that holds in it, None where nobody knows; the day its mass belongs to."""

    start_ms: int
    end_ms: int
    value: float | None
    day: date
    is_measured: bool


def true_water_days(
    point: SimPoint, readings: Sequence[Delivery], flow: FilledFlow, first_ms: int, until_ms: int,
    zone: ZoneInfo = SHANGHAI,
) -> dict[date, TrueWaterDay]:  # fmt: skip
    """Give each local day's amount over [first, until), from mg/L and m3/h.

    A valid result weights the volume from its time to the next, two intervals at most, all of it in the result's day.
    An unbroken time that none covers takes the mean of as many results before it as it has intervals, rounded up, in
    the days its minutes lie in.
    """
    stretches = _stretches(point, readings, first_ms, until_ms, zone)
    masses: dict[date, list[float]] = {}
    counts: dict[date, dict[str, int]] = {}
    day = _local_date(first_ms, zone)
    while day_edges(day, zone)[0] < until_ms:
        masses[day], counts[day] = [], {MEASURED: 0, "substituted": 0, UNKNOWN: 0}
        day += timedelta(days=1)
    for one in stretches:
        volume = flow.volume(one.start_ms, one.end_ms)
        if one.value is not None and volume is not None:
            masses[one.day].append(one.value * volume / GRAMS_PER_KG)
        for at in range(one.start_ms, one.end_ms, MINUTE_MS):
            if flow.is_due(at):
                counts[_local_date(at, zone)][_state(one, flow, at)] += 1
    return {
        day: TrueWaterDay(
            day, math.fsum(parts), counts[day][MEASURED], counts[day]["substituted"], counts[day][UNKNOWN]
        )
        for day, parts in masses.items()
    }


def _state(stretch: _Stretch, flow: FilledFlow, at_ms: int) -> str:
    turn = (at_ms - flow.start_ms) // MINUTE_MS
    if stretch.value is None or flow.filled[turn] is None:
        return UNKNOWN
    return MEASURED if stretch.is_measured and flow.known[turn] is not None else "substituted"


def _stretches(
    point: SimPoint, readings: Sequence[Delivery], first_ms: int, until_ms: int, zone: ZoneInfo
) -> list[_Stretch]:
    """Divide [first, until) into what each value covers and what none does."""
    valid = [one for one in readings if is_valid(one, point) and first_ms <= one.ts_ms < until_ms]
    result: list[_Stretch] = []
    covered_ms = first_ms
    for turn, one in enumerate(valid):
        before = [earlier.value for earlier in valid[:turn]]
        result += _uncovered(point, before, covered_ms, one.ts_ms, zone)
        following = valid[turn + 1].ts_ms if turn + 1 < len(valid) else until_ms
        covered_ms = min(one.ts_ms + 2 * point.interval_ms, following, until_ms)
        result.append(_Stretch(one.ts_ms, covered_ms, one.value, _local_date(one.ts_ms, zone), True))
    result += _uncovered(point, [one.value for one in valid], covered_ms, until_ms, zone)
    return result


def _uncovered(
    point: SimPoint, before: Sequence[float], start_ms: int, end_ms: int, zone: ZoneInfo
) -> Iterable[_Stretch]:
    """Give the uncovered time [start, end) day by day, with the mean that stands in."""
    lacking = -(-(end_ms - start_ms) // point.interval_ms)
    value = average(before[-lacking:]) if before and lacking else None
    at = start_ms
    while at < end_ms:
        day = _local_date(at, zone)
        until = min(end_ms, day_edges(day, zone)[1])
        yield _Stretch(at, until, value, day, False)
        at = until


# Sums


@dataclass(frozen=True, slots=True)
class TrueSum:
    """The amounts of a period: kg known, and the running time (air) or discharge (water) by how it is known.

    `minutes` is all of that time; the shares add up to 1 and are None where there is none.
    """

    kg: float
    minutes: int
    measured: float | None
    substituted: float | None
    unknown: float | None
    at_least: bool
    is_provisional: bool


def _summed(kgs: Sequence[float], times: dict[str, int], at_least: bool, is_provisional: bool) -> TrueSum:
    whole = sum(times.values())
    shares = [times[name] / whole if whole else None for name in (MEASURED, "substituted", UNKNOWN)]
    return TrueSum(math.fsum(kgs), whole, *shares, at_least, is_provisional)


def air_sum(hours: Iterable[TrueEmission], start_ms: int, end_ms: int) -> TrueSum:
    """Add up the hours of air that begin in [start, end)."""
    inside = [one for one in hours if start_ms <= one.start_ms < end_ms]
    times = {MEASURED: 0, "substituted": 0, UNKNOWN: 0}
    for one in inside:
        if one.method != STOPPED:
            times[one.method if one.method in times else "substituted"] += one.ran
    return _summed(
        [one.kg for one in inside if one.kg is not None],
        times,
        any(one.at_least for one in inside),
        any(one.is_provisional for one in inside),
    )


def water_sum(days: Iterable[TrueWaterDay], start: date, end: date) -> TrueSum:
    """Add up the days of waste water in [start, end)."""
    inside = [one for one in days if start <= one.day < end]
    times = {
        MEASURED: sum(one.measured for one in inside),
        "substituted": sum(one.substituted for one in inside),
        UNKNOWN: sum(one.unknown for one in inside),
    }
    return _summed([one.kg for one in inside], times, False, False)
