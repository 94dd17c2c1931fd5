"""This module lists monitors out of order, with the fault clock."""

from __future__ import annotations

from plantmon.compliance.faults import faults, limited_points
from plantmon.compliance.outages import Fault, hours_so_far
from plantmon.reports.document import Cell, Moment, Part, Scope, moment
from plantmon.store.register import FaultReport

_COLUMNS = ("outlet", "point", "from", "to", "lasted_h", "invalid_hours", "state", "report_by", "reported_at",
            "reported_by", "report_overdue", "repair_by", "repair_overdue", "note")  # fmt: skip


def outages(scope: Scope) -> Part:
    """List the outages of limited points that overlap the scope, whole, oldest first."""
    rows = [_row(scope, name, fault, report) for name, fault, report in found_in(scope)]
    return scope.part("outages", scope.columns(*_COLUMNS), rows, remark(scope))


def found_in(scope: Scope) -> list[tuple[str, Fault, FaultReport | None]]:
    """Give the outages of limited points that overlap the scope."""
    names = limited_points(scope.plant, scope.permit)
    return faults(scope.connection, scope.plant, scope.numbers, names, scope.start, scope.end, scope.now_ms)


def remark(scope: Scope) -> str:
    """Say what counts as an outage, and where there are no deadlines."""
    clock = scope.plant.alarms.fault_clock
    return scope.say("remark.outages" if clock is not None else "remark.outages_without_clock")


def _row(scope: Scope, name: str, fault: Fault, report: FaultReport | None) -> list[Cell]:
    outage = fault.outage
    return [
        scope.plant.points[name].outlet, name, Moment(outage.start), moment(outage.end),
        round(hours_so_far(outage, scope.now_ms), 2), outage.hours,
        scope.say("outage.open" if outage.end is None else "outage.repaired"),
        moment(fault.report_by_ms), moment(fault.reported_ms), report.by if report else None,
        None if fault.report_by_ms is None else fault.is_report_overdue, moment(fault.repair_by_ms),
        None if fault.repair_by_ms is None else fault.is_repair_overdue, report.note if report else None,
    ]  # fmt: skip
