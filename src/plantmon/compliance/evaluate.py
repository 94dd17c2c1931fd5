"""This module gives the verdicts of windows that begin on one day: reads what they need once, measures, judges.

Many hours are measured at a time. Live, late and recomputed windows come this way alike.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from plantmon import units
from plantmon.averages.mean import PointTable, classify
from plantmon.averages.water_flow import Flow
from plantmon.averages.weighing import WEIGHS_FOR_INTERVALS, Results
from plantmon.compliance.air import MG_PER_KG, converted_hours, rate_hours
from plantmon.compliance.amount import judge_amount
from plantmon.compliance.book import Book
from plantmon.compliance.excursions import Reading, look_back_ms
from plantmon.compliance.judge import Judged, Measured, judge
from plantmon.compliance.measured import MeasuredHours, measured_day, measured_hours, measured_month
from plantmon.compliance.periods import DAY_PERIOD, NIGHT_PERIOD, measured_period
from plantmon.compliance.sight import Flags, Sight
from plantmon.compliance.single import is_suspicious, judge_quiet, judge_runs
from plantmon.compliance.water import WaterMeasured, flow_weighted_day, ph_hour
from plantmon.model.plant import Basis, Limit, Point
from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.store import declarations, emissions, readings
from plantmon.times import HOUR_MS, MINUTE_MS

FEBRUARY = 2
LONG = ("1mo", "1y")


class Task(NamedTuple):
    """A window to judge; `is_over` False while a month or year of amounts goes on."""

    start: int
    end: int
    is_over: bool = True


class Evaluator:
    """Judges windows by the limits of one version of the plant file, over one view of the store."""

    def __init__(self, connection: sqlite3.Connection, book: Book) -> None:
        self._connection = connection
        self._book = book
        self._plant = book.plant

    def verdicts(self, wanted: dict[str, list[Task]]) -> list[Verdict]:
        """Give the verdicts of windows that begin on one local day, by limit key."""
        limits = [self._book.limits[key] for key in sorted(wanted)]
        near = [task for limit in limits if limit.window not in LONG for task in wanted[limit.key]]
        sight = self._sight(min(task.start for task in near), max(task.end for task in near)) if near else None
        found = []
        for limit in limits:
            tasks = wanted[limit.key]
            for task, (judged, detail) in zip(tasks, self._of_limit(limit, tasks, sight), strict=True):
                found.append(
                    Verdict(
                        limit.key, task.start, task.end, judged.outcome, judged.reason, judged.value, judged.bound,
                        detail,
                    )
                )  # fmt: skip
        return found

    def _sight(self, start: int, end: int) -> Sight:
        return Sight(self._connection, self._plant, self._book.numbers, start, end)

    def _of_limit(self, limit: Limit, tasks: list[Task], sight: Sight | None) -> Iterable[tuple[Judged, str | None]]:
        point = self._plant.points[limit.point]
        if limit.unavailable is not None:
            return [(Judged(Outcome.NOT_JUDGED, Reason.RULE_NOT_AVAILABLE), limit.unavailable) for _ in tasks]
        if limit.basis is Basis.MASS:
            return [self._amount(limit, task) for task in tasks]
        if limit.window == "1mo":
            return [(judge(limit, point, self._month(limit, point, task)), None) for task in tasks]
        assert sight is not None
        if limit.window == "reading":
            return self._single(limit, point, tasks, sight)
        if self._book.is_water(limit):
            return [(self._water(limit, point, task, sight), None) for task in tasks]
        return [(judge(limit, point, one), None) for one in self._measured(limit, point, tasks, sight)]

    def _measured(self, limit: Limit, point: Point, tasks: list[Task], sight: Sight) -> list[Measured]:
        """Measure hours, days or periods of air and noise."""
        rules = self._plant.rules
        if limit.window in (DAY_PERIOD, NIGHT_PERIOD):
            grid = sight.grid(limit.point)
            return [
                measured_period(point, rules, grid.rows(sight.place(task.start), sight.place(task.end)).flat())
                for task in tasks
            ]
        hours = self._hours(limit, point, sight)
        if limit.window == "1h":
            return [hours.one(sight.place(task.start)) for task in tasks]
        return [
            measured_day(point, rules, hours.part(sight.place(task.start), sight.place(task.end))) for task in tasks
        ]

    def _hours(self, limit: Limit, point: Point, sight: Sight) -> MeasuredHours:
        """Measure hours as the limit judges them: plain, at reference oxygen, or as a rate."""
        rules, grid, ran = self._plant.rules, sight.grid(limit.point), sight.ran(limit.point)
        if limit.basis is Basis.RATE:
            flow = self._book.helper(limit, "gas_flow")
            assert flow is not None
            return rate_hours(point, rules, grid, sight.grid(flow), self._rate_factor(limit, point, flow), ran)
        oxygen = self._book.helper(limit, "oxygen")
        if limit.basis is not Basis.CONCENTRATION or oxygen is None:
            return measured_hours(point, rules, grid, ran)
        reference = self._plant.outlets[limit.outlet].reference_oxygen_pct
        assert reference is not None
        return converted_hours(point, rules, grid, sight.grid(oxygen), reference, ran)

    def _rate_factor(self, limit: Limit, point: Point, flow: str) -> float:
        """Give what turns concentration x flow, as `Sight.grid` gives them, into the limit's unit."""
        is_standard = point.gas is not None and point.gas.factor != 1.0  # in ppm: brought to mg/m3 with its gas
        to_mg_m3 = 1.0 if is_standard else units.conversion(point.unit, "mg/m3")[0]
        to_m3_h = units.conversion(self._plant.points[flow].unit, "m3/h")[0]
        return to_mg_m3 * to_m3_h / MG_PER_KG * units.conversion("kg/h", limit.unit)[0]

    def _month(self, limit: Limit, point: Point, task: Task) -> Measured:
        time, rules = self._plant.time, self._plant.rules
        is_water = self._book.is_water(limit)
        days = []
        for start in time.days(task.start, task.end):
            end = time.next_day(start)
            sight = self._sight(start, end)
            if is_water:
                days.append(self._weighted(limit, point, start, end, sight).measured)
            else:
                days.append(measured_day(point, rules, self._hours(limit, point, sight)))
        is_february = time.date_of(task.start).month == FEBRUARY
        return measured_month(rules, days, is_february=is_february, is_water=is_water)

    # waste water

    def _water(self, limit: Limit, point: Point, task: Task, sight: Sight) -> Judged:
        """Judge a window weighted by volume, or an hour of pH by its median."""
        if limit.basis is not Basis.CONCENTRATION:
            place = sight.place(task.start)
            flow = sight.flow(self._book.helper(limit, "water_flow"), task.start, task.end)
            flow = _at_rest(flow, sight.ran(limit.point)[place], task.start)
            found = ph_hour(
                point, self._plant.rules, task.start, sight.grid(limit.point, extremes=True).row(place), flow
            )
        else:
            found = self._weighted(limit, point, task.start, task.end, sight)
        if not found.no_discharge:
            return judge(limit, point, found.measured)
        is_stopped = not sight.ran(limit.point)[sight.place(task.start) : sight.place(task.end)].any()
        return Judged(Outcome.NOT_JUDGED, Reason.STOPPED if is_stopped else Reason.NO_DISCHARGE)

    def _weighted(self, limit: Limit, point: Point, start: int, end: int, sight: Sight) -> WaterMeasured:
        reach = end + WEIGHS_FOR_INTERVALS * point.interval_ms
        results = results_of(self._connection, self._book.numbers[point.id], point, start, reach)
        flow = sight.flow_to_fill(self._book.helper(limit, "water_flow"), start, reach)
        flow = _at_rest(flow, sight.ran(limit.point)[sight.place(start) : sight.place(end)].ravel(), start)
        return flow_weighted_day(point, self._plant.rules, start, end, results, flow)

    # single readings

    def _single(self, limit: Limit, point: Point, tasks: list[Task], sight: Sight) -> list[tuple[Judged, str | None]]:
        grid, ran = sight.grid(limit.point, extremes=True), self._ran_of(limit, sight)
        suspicious = is_suspicious(limit, point, grid, ran)
        found: list[tuple[Judged, str | None]] = []
        for task in tasks:
            place = sight.place(task.start)
            quiet = judge_quiet(limit, point, grid, ran, place)
            if suspicious[place]:
                found.append(judge_runs(limit, point, self._readings(limit, point, task), task.start, quiet))
            else:
                found.append((quiet, None))
        return found

    def _ran_of(self, limit: Limit, sight: Sight) -> Flags:
        """Say in which minutes a limit on single readings applies: while its source runs, or what it interlocks."""
        ran = sight.ran(limit.point)
        if limit.basis is Basis.INTERLOCK and limit.running is not None:
            return ran & sight.held(limit.running)
        return ran

    def _readings(self, limit: Limit, point: Point, task: Task) -> list[Reading]:
        """Read an hour's readings, and those before it that can belong to a run inside it."""
        since = task.start - look_back_ms(limit, point)
        rows = readings.of(self._connection, self._book.numbers[point.id], since, task.end)
        rows = declarations.applied(self._connection, rows)
        valid, over, value = classify(replace(rows, point=np.zeros_like(rows.point)), PointTable.of({0: point}))
        factor = point.gas.factor if point.gas is not None else 1.0
        before = -(-(task.start - since) // HOUR_MS) * HOUR_MS
        ran = self._ran_of(limit, self._sight(task.start - before, task.end)).ravel()
        minute = (rows.ts - (task.start - before)) // MINUTE_MS
        columns = (rows.ts.tolist(), (value * factor).tolist(), valid.tolist(), over.tolist(), ran[minute].tolist())
        return [Reading(*row) for row in zip(*columns, strict=True)]

    # amounts

    def _amount(self, limit: Limit, task: Task) -> tuple[Judged, str | None]:
        number = self._book.numbers[limit.point]
        total = emissions.total(self._connection, number, task.start, task.end)
        return judge_amount(limit, self._plant.rules, total, is_over=task.is_over)


def results_of(connection: sqlite3.Connection, number: int, point: Point, start: int, end: int) -> Results:
    """Read an analyser's results of [start, end) as they count."""
    rows = declarations.applied(connection, readings.of(connection, number, start, end))
    valid, over, value = classify(replace(rows, point=np.zeros_like(rows.point)), PointTable.of({0: point}))
    return Results(rows.ts, value, valid, over)


def _at_rest(flow: Flow, ran: Flags, start: int) -> Flow:
    """Take a flow for none in the minutes from `start` on in which its source was declared to stand still."""
    if ran.all():
        return flow
    m3_h = flow.m3_h.copy()
    first = (start - flow.start_ms) // MINUTE_MS
    m3_h[first : first + len(ran)][~ran] = 0.0
    return Flow(flow.start_ms, m3_h)
