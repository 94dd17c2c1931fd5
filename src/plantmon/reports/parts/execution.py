"""This module makes the tables of the permit's execution report (HJ 944-2018 5.3; HJ 971-2018 App. C).

Actual emissions by month, compliance analysis, exceedances, monitors and facilities out of order, validity of the data.
"""

from __future__ import annotations

from collections.abc import Sequence

from plantmon import units
from plantmon.averages.rounding import significant_one
from plantmon.compliance.exceedances import points_of
from plantmon.compliance.outages import Fault
from plantmon.compliance.register import average_of
from plantmon.model.plant import Basis, Limit, Point
from plantmon.model.reading import State
from plantmon.model.verdict import Outcome, Verdict
from plantmon.reports.document import Against, Cell, Column, Missing, Moment, Part, Scope, moment
from plantmon.reports.exceeded import exceeded
from plantmon.reports.parts.amounts import amount, pollutants, shares, state, total
from plantmon.reports.parts.limits import judged_of, why
from plantmon.reports.parts.outages import found_in, remark
from plantmon.reports.parts.register import noted
from plantmon.reports.period import Period
from plantmon.reports.words import figure, limit_bounds, limit_subject, limit_window, outlet_name, point_name
from plantmon.store import declarations
from plantmon.store.register import FaultReport
from plantmon.tables.states import states
from plantmon.times import HOUR_MS

TONNE = "t"


def emitted(scope: Scope, period: Period) -> Part:
    """Give each pollutant's tonnes by month and their sum, against the year's permitted quantity."""
    months = period.months(scope.plant.time)
    start, end = period.span(scope.plant.time)
    columns = (
        *scope.columns("outlet", "outlet_name", "pollutant", "permitted_year"),
        *(Column(name, name) for name, _, _ in months),
        *(scope.columns("sum") if len(months) > 1 else ()),
        *scope.columns("unit", "measured_pct", "substituted_pct", "unknown_pct", "state"),
    )
    caps = _caps_of_year(scope)
    rows: list[list[Cell]] = []
    for point in pollutants(scope):
        whole = total(scope, point, start, end)
        monthly = [_month(scope, point, *span) for _, *span in months]
        sums: list[Cell] = [amount(scope, whole, TONNE)] if len(months) > 1 else []
        rows.append(
            [
                point.outlet, outlet_name(scope.plant, point.outlet or "", scope.language),
                point_name(point, point.id, scope.language), caps.get(point.id) or scope.missing("no_cap"), *monthly,
                *sums, TONNE, *shares(whole), state(scope, whole, len(scope.plant.time.days(start, end))),
            ]
        )  # fmt: skip
    return scope.part("emitted", columns, rows, scope.say("remark.emitted"))


def _month(scope: Scope, point: Point, start_ms: int, end_ms: int) -> Cell:
    if start_ms >= scope.now_ms:
        return scope.missing("not_begun")
    return amount(scope, total(scope, point, start_ms, end_ms), TONNE)


def _caps_of_year(scope: Scope) -> dict[str, float]:
    """Give the year's permitted quantity of each point in tonnes, the strictest in force at the period's end."""
    found: dict[str, float] = {}
    for limit in scope.permit.in_force(scope.end - 1):
        if limit.basis is Basis.MASS and limit.window == "1y" and limit.maximum is not None:
            tonnes = significant_one(units.convert(limit.maximum, limit.unit, TONNE))
            found[limit.point] = min(tonnes, found.get(limit.point, tonnes))
    return found


def analysed(scope: Scope) -> Part:
    """Analyse compliance by outlet and limit: what was judged and exceeded, the values, how far beyond the limit."""
    points = points_of(scope.plant, scope.permit)
    columns = scope.columns(
        "outlet", "outlet_name", "subject", "window", "bounds", "judged", "minimum", "maximum", "mean", "unit",
        "exceeded", "complying_pct", "most_over", "mean_over", "not_judged", "why",
    )  # fmt: skip
    rows = [
        _analysed(scope, limit, found, points) for limit, found in judged_of(scope) if limit.basis is not Basis.MASS
    ]
    return scope.part("analysed", columns, rows, scope.say("remark.analysed"))


def _analysed(scope: Scope, limit: Limit, found: Sequence[Verdict], points: dict[str, Point]) -> list[Cell]:
    judged = [verdict for verdict in found if verdict.outcome is not Outcome.NOT_JUDGED]
    beyond = [verdict for verdict in judged if verdict.outcome.is_exceedance]
    values = [verdict.value for verdict in judged if verdict.value is not None]
    over = [
        abs(verdict.value - verdict.bound) / abs(verdict.bound)
        for verdict in beyond
        if verdict.value is not None and verdict.bound
    ]
    complying = round(100 * (len(judged) - len(beyond)) / len(judged), 2) if judged else scope.missing("nothing_judged")
    return [
        limit.outlet, outlet_name(scope.plant, limit.outlet, scope.language), limit_subject(scope, limit, points),
        limit_window(scope, limit), limit_bounds(limit), len(judged),
        Against.of(min(values), limit.minimum) if values else scope.missing("nothing_judged"),
        Against.of(max(values), limit.maximum) if values else scope.missing("nothing_judged"),
        _mean(scope, limit, values, points), limit.unit, len(beyond), complying,
        significant_one(max(over)) if over else None, significant_one(sum(over) / len(over)) if over else None,
        len(found) - len(judged), why(scope, found) or None,
    ]  # fmt: skip


def _mean(scope: Scope, limit: Limit, values: Sequence[float], points: dict[str, Point]) -> float | Missing:
    """Average the judged windows' values; those of single readings are each hour's worst, which has no mean."""
    if not values:
        return scope.missing("nothing_judged")
    if limit.window == "reading":
        return scope.missing("single_readings")
    return significant_one(average_of(points.get(limit.point))(values))


def exceedance_list(scope: Scope) -> Part:
    """List the exceedances with what was measured, the limit, and reason and action as people wrote them."""
    points = points_of(scope.plant, scope.permit)
    columns = scope.columns(
        "start", "end", "outlet", "outlet_name", "subject", "window", "measured_value", "bound", "unit", "multiple",
        "cause", "action",
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for one in exceeded(scope):
        limit, entry = one.limit, one.entry
        cause, action, *_ = noted(scope, entry.notes)
        peak: Cell = Against.of(entry.peak, entry.bound)
        if entry.at_least:
            peak = scope.say("at_least", value=figure(entry.peak, entry.bound))
        rows.append(
            [
                Moment(one.first), moment(one.last) or scope.missing("stands"), limit.outlet,
                outlet_name(scope.plant, limit.outlet, scope.language), limit_subject(scope, limit, points),
                limit_window(scope, limit), peak, entry.bound, limit.unit,
                None if entry.multiple is None else significant_one(entry.multiple),
                cause or scope.missing("no_cause"), action or scope.missing("no_action"),
            ]
        )  # fmt: skip
    return scope.part("exceedance_list", columns, rows, scope.say("remark.exceedance_list"))


def downtime(scope: Scope) -> Part:
    """List monitors out of order, and facilities marked as stopped, with reason and measures."""
    columns = scope.columns("kind", "outlet", "what", "from", "to", "lasted_h", "reason", "reported_at", "repair_by",
                            "repair_overdue", "measures")  # fmt: skip
    lines = [(one.outage.start, _out(scope, name, one, report)) for name, one, report in found_in(scope)]
    lines += [
        (
            mark.start,
            [scope.say("kind.stopped"), mark.outlet, mark.outlet, Moment(mark.start), Moment(mark.end),
             _hours(mark.start, mark.end), mark.reason, None, None, None, None],
        )
        for mark in declarations.marks(scope.connection, scope.start, scope.end)
        if mark.state is State.STOPPED
    ]  # fmt: skip
    rows = [row for _, row in sorted(lines, key=lambda line: line[0])]
    return scope.part("downtime", columns, rows, remark(scope))


def _out(scope: Scope, name: str, fault: Fault, report: FaultReport | None) -> list[Cell]:
    outage = fault.outage
    until = scope.now_ms if outage.end is None else outage.end
    return [
        scope.say("kind.outage"), scope.plant.points[name].outlet, name, Moment(outage.start), moment(outage.end),
        _hours(outage.start, until),
        "; ".join(_reasons(scope, name, outage.start, until)) or scope.missing("no_reason"),
        moment(fault.reported_ms), moment(fault.repair_by_ms),
        None if fault.repair_by_ms is None else fault.is_repair_overdue, report.note if report else None,
    ]  # fmt: skip


def _reasons(scope: Scope, name: str, start_ms: int, end_ms: int) -> list[str]:
    """Say what people declared of a point in its outage: marks, a calibration, or one that failed."""
    number, outlet = scope.numbers[name], scope.plant.points[name].outlet
    found = []
    for mark in declarations.marks(scope.connection, start_ms, end_ms):
        if (mark.point or mark.outlet) in (name, outlet):
            state = states()[mark.state].name.in_language(scope.language)
            found.append(scope.say("because.declared", state=state, reason=mark.reason))
    if declarations.out_of_control(scope.connection, start_ms, end_ms, number):
        found.append(scope.say("because.out_of_control"))
    elif any(one.point == number for one in declarations.calibrations(scope.connection, start_ms, end_ms)):
        found.append(scope.say("because.calibration"))
    return found


def _hours(start_ms: int, end_ms: int) -> float:
    return round((end_ms - start_ms) / HOUR_MS, 2)
