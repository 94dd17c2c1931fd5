"""This module gives the right figures of the simulated years, from what was counted and measured, by other means.

Plain integers and fractions, nothing shared with the program: meters never pass through their registers here, amounts
of air are products of an hour's two values, what stands in for missing hours is the largest of the 180 before.
Rules: HJ 212-2017 App. D eq. 33 (air) and eq. 8-11 (water), HJ 75-2017 substitution, HJ 356-2019 water gaps, and the
project's settled rules for slow monitors.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from simulators.shifts import HOUR_MS
from simulators.year_papers import ledger_rows
from simulators.year_plant import GAUGES, METERS, Monitors, YearGauge, YearMeter, YearPlant, at, months

MG_PER_KG = 1_000_000
G_PER_KG = 1000
DETECTION_LIMIT = {"DA001.nox": Fraction(3), "DA001.so2": Fraction(3)}
RUNS = {"DA001": ("DA001.o2", None, Fraction(19)), "DA002": ("DA002.flow", Fraction(5000), None)}
LOOK_BACK_HOURS = 180
TO_0_DEGC = Fraction(27315, 29315)
SHORT_GAP_HOURS = 24


@dataclass(frozen=True, slots=True)
class TrueAmount:
    """What an outlet released in one hour, kg; `is_substituted`: another hour's rate stands in."""

    start_ms: int
    kg: Fraction
    is_substituted: bool


class YearTruth:
    """The right figures of some simulated years."""

    def __init__(self, plant: YearPlant) -> None:
        self._plant = plant
        self._starts: list[int] = plant.hours.tolist()
        self._monitors = Monitors(plant)
        self._values: dict[str, list[Fraction]] = {}

    # meters

    def counted(self, meter: YearMeter, start_ms: int, end_ms: int) -> Fraction:
        """Give what a meter counted in [start, end), whole hours, in its unit."""
        first = self._place(start_ms)
        ticks = self._plant.ticks(meter)[first : self._place(end_ms)]
        total = Fraction(0)
        for place, one in enumerate(ticks, first):
            total += one * self._tick(meter, self._starts[place])
        return total

    def _place(self, at_ms: int) -> int:
        return (at_ms - self._plant.start) // HOUR_MS

    def _tick(self, meter: YearMeter, at_ms: int) -> Fraction:
        """Give what one last digit of a register is worth at an instant."""
        ratio = next(span.ratio for span in meter.spans if at(span.start) <= at_ms < at(span.end))
        return Fraction(ratio, 10**meter.decimals)

    def total(self, quantity: str, role: str, year: int) -> Fraction:
        """Give what all meters of a quantity and role counted in a year; gas at 0 degC."""
        span = at(f"{year}-01-01"), at(f"{year + 1}-01-01")
        found = [meter for meter in METERS if meter.quantity == quantity and f"role: {role}" in meter.more]
        return sum(
            (self.counted(meter, *span) * (TO_0_DEGC if "20degC" in meter.more else 1) for meter in found), Fraction(0)
        )

    # the ledger

    def entered(self, item: str, year: int) -> Fraction:
        """Give what the ledger says of an item in a year, in the unit it is written in."""
        rows = ledger_rows(self._plant.years)
        return sum((Fraction(row[2]) for row in rows if row[1] == item and row[0][:4] == str(year)), Fraction(0))

    def intensity(self, total: Fraction, year: int) -> Fraction:
        """Give an amount per vehicle of a year."""
        return total / self.total("production", "output", year)

    # outlets

    def released(self, point: str, year: int, *, below_detection: str = "measured") -> Fraction:
        """Give the kg of a pollutant of air or water in a year; `zero`: hours below detection count as 0."""
        span = at(f"{year}-01-01"), at(f"{year + 1}-01-01")
        return self._released(point, *span, below_detection)

    def released_by_month(self, point: str, year: int, *, below_detection: str = "measured") -> list[Fraction]:
        """Give the kg of a pollutant month by month."""
        return [self._released(point, start, end, below_detection) for _, start, end in months(year, year)]

    def _released(self, point: str, start_ms: int, end_ms: int, below_detection: str) -> Fraction:
        gauge = _gauge(point)
        amounts = self.water_hours(gauge) if point.startswith("DW") else self.air_hours(gauge)
        limit = DETECTION_LIMIT.get(point)
        values = dict(zip(self._starts, self._measured(gauge), strict=True))
        total = Fraction(0)
        for one in amounts:
            is_below = limit is not None and not one.is_substituted and values[one.start_ms] < limit
            if start_ms <= one.start_ms < end_ms and not (is_below and below_detection == "zero"):
                total += one.kg
        return total

    def below_detection(self, point: str, year: int) -> int:
        """Count the measured hours of a year in which the source ran and the mean lay below its detection limit."""
        gauge = _gauge(point)
        ran, invalid = self._ran(point.partition(".")[0]), self._monitors.invalid(gauge)
        return sum(
            ran[place] and start not in invalid and value < DETECTION_LIMIT[point]
            for place, start, value in self._hours_of(gauge, year)
        )

    def substituted(self, point: str, year: int) -> tuple[int, int]:
        """Count the hours of a year that another stands in for, and all in which the source ran."""
        gauge = _gauge(point)
        ran, invalid = self._ran(point.partition(".")[0]), self._monitors.invalid(gauge)
        running = [start for place, start, _ in self._hours_of(gauge, year) if ran[place]]
        return sum(start in invalid for start in running), len(running)

    def _hours_of(self, gauge: YearGauge, year: int) -> list[tuple[int, int, Fraction]]:
        first, end = self._place(at(f"{year}-01-01")), self._place(at(f"{year + 1}-01-01"))
        values = self._measured(gauge)
        return [(place, self._starts[place], values[place]) for place in range(first, end)]

    def discharged(self, year: int) -> Fraction:
        """Give the cubic metres of waste water of a year."""
        flow = self._measured(_gauge("DW001.flow"))
        span = at(f"{year}-01-01"), at(f"{year + 1}-01-01")
        return sum(
            (one for start, one in zip(self._starts, flow, strict=True) if span[0] <= start < span[1]), Fraction(0)
        )

    def air_hours(self, gauge: YearGauge) -> list[TrueAmount]:
        """Give each hour's kg: concentration x flow while the source ran; a missing one takes the largest before."""
        outlet = gauge.id.partition(".")[0]
        values, invalid = self._measured(gauge), self._monitors.invalid(gauge)
        flow = self._measured(_gauge(f"{outlet}.flow"))
        ran = self._ran(outlet)
        assert self._is_well_captured(ran, invalid)
        found: list[TrueAmount] = []
        rates: list[Fraction] = []
        missing: list[int] = []
        for place, start in enumerate(self._starts):
            if ran[place] and start in invalid:
                missing.append(start)
                continue
            found += _stand_ins(missing, rates)
            missing = []
            kg = values[place] * flow[place] / MG_PER_KG if ran[place] else Fraction(0)
            if ran[place]:
                rates.append(kg)
            found.append(TrueAmount(start, kg, is_substituted=False))
        return found + _stand_ins(missing, rates)

    def water_hours(self, gauge: YearGauge) -> list[TrueAmount]:
        """Give each hour's kg: result x volume; a result stands for two hours at most, then as many before as lack."""
        values, invalid = self._measured(gauge), self._monitors.invalid(gauge)
        flow = self._measured(_gauge("DW001.flow"))
        found: list[TrueAmount] = []
        before: list[Fraction] = []
        gap = 0
        for place, start in enumerate(self._starts):
            if start not in invalid:
                before.append(values[place])
                gap = 0
                value = values[place]
            else:
                gap += 1
                if gap == 2:  # the first missing hour is still covered by the result before it
                    lacking = sum(1 for turn in range(100) if start + turn * HOUR_MS in invalid)
                    stand_in = sum(before[-lacking:], Fraction(0)) / lacking
                value = before[-1] if gap == 1 else stand_in
            found.append(TrueAmount(start, value * flow[place] / G_PER_KG, is_substituted=gap > 1))
        return found

    def _measured(self, gauge: YearGauge) -> list[Fraction]:
        if gauge.id not in self._values:
            size = 10**gauge.decimals
            self._values[gauge.id] = [Fraction(one, size) for one in self._monitors.measured(gauge)]
        return self._values[gauge.id]

    def _ran(self, outlet: str) -> list[bool]:
        point, lowest, highest = RUNS[outlet]
        return [
            (lowest is None or one >= lowest) and (highest is None or one <= highest)
            for one in self._measured(_gauge(point))
        ]

    def _is_well_captured(self, ran: list[bool], invalid: set[int]) -> bool:
        """Whether every quarter keeps 90 % of its running hours, so that the largest of 180 hours stands in."""
        for name, start, _ in months(self._plant.years[0], self._plant.years[-1])[::3]:
            end = next(end for one, _, end in months(int(name[:4]), int(name[:4])) if int(one[5:]) == int(name[5:]) + 2)
            hours = [place for place, one in enumerate(self._starts) if start <= one < end and ran[place]]
            if 10 * sum(1 for place in hours if self._starts[place] in invalid) > len(hours):
                return False
        return True


def _stand_ins(missing: list[int], rates: list[Fraction]) -> list[TrueAmount]:
    """Give what stands in for a run of missing hours, at most 24 of them."""
    assert len(missing) <= SHORT_GAP_HOURS
    return [TrueAmount(start, max(rates[-LOOK_BACK_HOURS:]), is_substituted=True) for start in missing]


def _gauge(point: str) -> YearGauge:
    return next(one for one in GAUGES if one.id == point)
