"""This module gives the right answers to the simulated quarter: every verdict, amount and capture rate, once each.

It only brings the readings and declarations of `quarter` to the rules of `truth_*`; it decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache

from simulators import truth_amounts, truth_judged
from simulators.faults import Delivery
from simulators.plant import SimPoint
from simulators.quarter import COATING_START, FIRST, LAST, Quarter, QuarterLimit
from simulators.shifts import UTC_OFFSET_MS
from simulators.truth import HOUR_MS, MINUTE_MS, day_edges, period_edges
from simulators.truth_amounts import TrueEmission, TrueHour, TrueSum, TrueWaterDay
from simulators.truth_declared import declared
from simulators.truth_judged import Breach, Capture, FilledFlow, Finding, Judged, PointHour
from simulators.truth_minutes import Minute, minutes_of, running_minutes

OXYGEN = {"DA001": ("DA001.o2", 3.5)}  # point and reference, %
RUNNING = {"DA001": ("DA001.o2", None, 19.0), "DA002": ("DA002.flow", 5000.0, None)}  # point, minimum, maximum
FIRST_HOUR = {"DA002": COATING_START}  # of the others: the quarter's first
DAYS = [date(2020, 6, 29) + timedelta(days=turn) for turn in range(94)]  # to 30 September
MONTHS = [(2020, 6), (2020, 7), (2020, 8), (2020, 9)]


def month_edges(year: int, month: int) -> tuple[int, int]:
    """Give the instants a local month begins and ends."""
    after = date(year + month // 12, month % 12 + 1, 1)
    return day_edges(date(year, month, 1))[0], day_edges(after)[0]


class QuarterTruth:
    """The answers. Series of minutes begin at `FIRST` and end at `LAST`; lists of hours begin with the outlet."""

    def __init__(self, quarter: Quarter) -> None:
        self.quarter = quarter
        self.said = quarter.declarations
        for name in ("minutes", "ran", "concentration_hours", "rate_hours", "air_days", "flow",
                     "water_days", "hours", "emissions", "water_amounts"):  # fmt: skip
            setattr(self, name, cache(getattr(self, name)))  # each is asked for again and again
        self.readings = lru_cache(maxsize=3)(self.readings)  # a million deliveries are too much to keep

    def point(self, point: str) -> SimPoint:
        """Give a point of the quarter."""
        return self.quarter.plant.point(point)

    def readings(self, point: str) -> list[Delivery]:
        """List what stands of a point, declarations applied."""
        return declared(self.quarter.accepted(point), point, self.said)

    def minutes(self, point: str) -> list[Minute]:
        """List a point's minutes."""
        return minutes_of(self.point(point), self.readings(point), FIRST, LAST)

    def ran(self, target: str) -> list[bool]:
        """Tell for each minute whether an outlet ran, or what a point of it measures."""
        name, minimum, maximum = RUNNING.get(target.partition(".")[0], (None, None, None))
        condition = None if name is None else self.minutes(name)
        count = (LAST - FIRST) // MINUTE_MS
        return running_minutes(FIRST, count, target, self.said.marks, condition, minimum, maximum)

    def hour_starts(self, outlet: str) -> range:
        """List the clock hours of an outlet, from its first reading on."""
        return range(FIRST_HOUR.get(outlet, FIRST), LAST, HOUR_MS)

    # What limits judge

    def concentration_hours(self, point: str) -> list[Judged]:
        """List the hours of a pollutant in air, at reference oxygen where its outlet has one."""
        outlet = point.partition(".")[0]
        ran, minutes = self.ran(point), self.minutes(point)
        name, reference = OXYGEN.get(outlet, (None, None))
        oxygen = None if name is None else self.minutes(name)
        return [
            truth_judged.concentration_hour(
                start,
                minutes[_place(start)],
                ran[_place(start)],
                oxygen=None if oxygen is None else oxygen[_place(start)],
                reference_pct=reference,
            )
            for start in self.hour_starts(outlet)
        ]

    def rate_hours(self, point: str) -> list[Judged]:
        """List the hours of a pollutant's rate in air, kg/h."""
        outlet = point.partition(".")[0]
        ran, minutes, flow = self.ran(point), self.minutes(point), self.minutes(f"{outlet}.flow")
        return [
            truth_judged.rate_hour(start, minutes[_place(start)], flow[_place(start)], ran[_place(start)])
            for start in self.hour_starts(outlet)
        ]

    def air_days(self, point: str, basis: str = "concentration") -> dict[date, Judged]:
        """Give the days of a pollutant's concentration or rate in air."""
        hours = self.concentration_hours(point) if basis == "concentration" else self.rate_hours(point)
        return {
            day: truth_judged.air_day(start, end, inside)
            for day, (start, end) in ((day, day_edges(day)) for day in DAYS)
            if (inside := [one for one in hours if start <= one.start_ms < end])
        }

    def flow(self, outlet: str) -> FilledFlow:
        """Give a waste-water outlet's flow, without gaps."""
        return FilledFlow(FIRST, self.minutes(f"{outlet}.flow"))

    def water_days(self, point: str) -> dict[date, Judged]:
        """Give the days of a waste-water pollutant, weighted by volume."""
        flow = self.flow(point.partition(".")[0])
        readings = self.readings(point)
        return {day: truth_judged.water_day(self.point(point), readings, flow, *day_edges(day)) for day in DAYS}

    def months(self, point: str) -> dict[tuple[int, int], Judged]:
        """Give the months of a pollutant's concentration."""
        is_water = self.point(point).unit == "mg/L"
        days = self.water_days(point) if is_water else self.air_days(point)
        found = {}
        for year, month in MONTHS:
            inside = [one for day, one in days.items() if (day.year, day.month) == (year, month)]
            edges = month_edges(year, month)
            if is_water:
                found[year, month] = truth_judged.water_month(*edges, inside)
            elif inside:
                found[year, month] = truth_judged.air_month(*edges, inside, year, month)
        return found

    def ph_hours(self, point: str) -> list[Judged]:
        """List the hours of pH."""
        outlet = point.partition(".")[0]
        acid, flow = self.minutes(point), self.minutes(f"{outlet}.flow")
        return [
            truth_judged.ph_hour(start, acid[_place(start)], flow[_place(start)]) for start in self.hour_starts(outlet)
        ]

    def sound_hours(self, point: str) -> list[Judged]:
        """List the hours of a sound level."""
        minutes = self.minutes(point)
        return [
            truth_judged.sound_hour(start, minutes[_place(start)])
            for start in self.hour_starts(point.partition(".")[0])
        ]

    def sound_periods(self, point: str, name: str) -> dict[date, Judged]:
        """Give the `day` or `night` periods of a sound level, by the date they begin on."""
        minutes = self.minutes(point)
        found = {}
        for day in DAYS:
            start, end = period_edges(day, name)
            found[day] = truth_judged.sound_period(start, end, minutes[_place(start, end)])
        return found

    def breaches(self, limit: QuarterLimit) -> list[Breach]:
        """List the runs of readings that breach a limit on single readings."""
        point = f"{limit.outlet}.{limit.subject}"
        ran = self.ran(point)
        return truth_judged.breaches(
            self.point(point),
            self.readings(point),
            lambda ts_ms: ran[(ts_ms - FIRST) // MINUTE_MS],
            limit.hold_s * 1000,
            limit.maximum,
            limit.minimum,
        )

    def findings(self, limit: QuarterLimit) -> dict[int, Finding]:
        """Give the verdict on each window of a limit on concentration, rate or level, by the window's start.

        Limits on single readings are answered by `breaches`, those on mass by `total`.
        """
        point = f"{limit.outlet}.{limit.subject}"
        decimals = 0 if self.point(point).quantity == "sound_level" else None
        too_few = {"1d": "hours", "1mo": "days"}.get(limit.window, "minutes")
        nothing_due = "no_discharge" if limit.outlet == "DW001" else "stopped"
        return {
            one.start_ms: truth_judged.finding(
                one, limit.maximum, limit.minimum, limit.warn_at, decimals, too_few, nothing_due
            )
            for one in self._judged(limit, point)
            if (limit.start is None or _day(one.start_ms) >= limit.start)
            and (limit.end is None or _day(one.start_ms) <= limit.end)
        }

    def _judged(self, limit: QuarterLimit, point: str) -> Sequence[Judged]:
        answers: dict[tuple[str, str], Callable[[], Sequence[Judged]]] = {
            ("rate", "1h"): lambda: self.rate_hours(point),
            ("rate", "1d"): lambda: list(self.air_days(point, "rate").values()),
            ("concentration", "1mo"): lambda: list(self.months(point).values()),
            ("level", "day-period"): lambda: list(self.sound_periods(point, "day").values()),
            ("level", "night-period"): lambda: list(self.sound_periods(point, "night").values()),
        }
        if (limit.basis, limit.window) in answers:
            return answers[limit.basis, limit.window]()
        if limit.window == "1d":
            days = self.water_days(point) if limit.outlet == "DW001" else self.air_days(point)
            return list(days.values())
        assert limit.window == "1h", limit.key
        by_outlet = {"DW001": self.ph_hours, "N1": self.sound_hours}
        return by_outlet.get(limit.outlet, self.concentration_hours)(point)

    # Amounts

    def hours(self, point: str) -> list[TrueHour]:
        """List the clock hours of a pollutant's amount in air, before substitution."""
        outlet = point.partition(".")[0]
        ran, minutes, flow = self.ran(point), self.minutes(point), self.minutes(f"{outlet}.flow")
        return [
            truth_amounts.true_emission_hour(start, minutes[_place(start)], flow[_place(start)], ran[_place(start)])
            for start in self.hour_starts(outlet)
        ]

    def emissions(self, point: str) -> list[TrueEmission]:
        """List the same hours with what stands in for the missing ones."""
        return truth_amounts.substituted(self.hours(point))

    def water_amounts(self, point: str) -> dict[date, TrueWaterDay]:
        """Give the amount of each day of a waste-water pollutant, the first hours of October too."""
        flow = self.flow(point.partition(".")[0])
        return truth_amounts.true_water_days(self.point(point), self.readings(point), flow, FIRST, LAST)

    def total(self, point: str, start: date, end: date) -> TrueSum:
        """Add up a pollutant's amount over local days [start, end)."""
        if self.point(point).unit == "mg/L":
            return truth_amounts.water_sum(self.water_amounts(point).values(), start, end)
        return truth_amounts.air_sum(self.emissions(point), day_edges(start)[0], day_edges(end)[0])

    # Capture

    def point_hours(self, point: str) -> Iterator[tuple[int, PointHour, bool]]:
        """Give for each clock hour of a point what it had, and whether its outlet stood still."""
        outlet = point.partition(".")[0]
        starts, ran = self.hour_starts(outlet), self.ran(point)
        if self.point(point).interval_ms > MINUTE_MS:
            hours = truth_judged.slow_point_hours(self.point(point), self.readings(point), starts[0], LAST)
        else:
            hours = truth_judged.point_hours(self.minutes(point)[_place(starts[0], LAST)])
        for start, hour in zip(starts, hours, strict=True):
            yield start, hour, not any(ran[_place(start)])

    def capture(self, point: str, start: date, end: date) -> Capture:
        """Give a point's capture over local days [start, end)."""
        first, last = day_edges(start)[0], day_edges(end)[0]
        inside = [(hour, rests) for at, hour, rests in self.point_hours(point) if first <= at < last]
        return truth_judged.capture([hour for hour, _ in inside], [rests for _, rests in inside])


def _place(start_ms: int, end_ms: int | None = None) -> slice:
    """Give where a span, by default an hour, stands in a series of minutes."""
    end = start_ms + HOUR_MS if end_ms is None else end_ms
    return slice((start_ms - FIRST) // MINUTE_MS, (end - FIRST) // MINUTE_MS)


def _day(at_ms: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms + UTC_OFFSET_MS)).date()
