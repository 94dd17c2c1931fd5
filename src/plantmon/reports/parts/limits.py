"""This module counts what became of each limit's windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from plantmon.amounts.caps import PERIODS
from plantmon.averages.periods import period_around
from plantmon.compliance.exceedances import points_of
from plantmon.model.plant import Limit
from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.reports.document import Cell, Part, Scope
from plantmon.reports.words import limit_bounds, limit_subject, limit_window, outlet_name
from plantmon.store import verdicts

_COUNTED = (Outcome.OK, Outcome.WARN, Outcome.EXCEED, Outcome.EXCEED_AT_LEAST, Outcome.NOT_JUDGED)
REST = (Reason.STOPPED, Reason.NO_DISCHARGE, Reason.RUNNING)  # nothing was to be judged, or not yet


def judged_of(scope: Scope) -> Iterator[tuple[Limit, list[Verdict]]]:
    """Give the limits of any version with their verdicts, by outlet, where there are any.

    The verdicts are on the windows that begin in the scope, of months and years on those that overlap it.
    """
    order = {outlet: place for place, outlet in enumerate(scope.plant.outlets)}
    limits = scope.permit.limits().values()
    for limit in sorted(limits, key=lambda one: order.get(one.outlet, len(order))):
        start = scope.start
        if limit.window in PERIODS:
            start = period_around(PERIODS[limit.window], start, scope.plant.time)[0]
        found = verdicts.span(scope.connection, limit.key, start, scope.end)
        if found:
            yield limit, found


def limits(scope: Scope) -> Part:
    """Count windows by limit and outcome, those not judged by their reason.

    The judged share is of the windows that are over in which the source ran, or may have run; none without any.
    """
    points = points_of(scope.plant, scope.permit)
    columns = scope.columns(
        "-limit", "outlet", "+outlet_name", "subject", "window", "bounds", "standard", "windows", "ok", "warn",
        "exceed", "exceed_at_least", "not_judged", "judged_pct", "+why", *(f"-{reason}" for reason in Reason),
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for limit, found in judged_of(scope):
        outcomes = Counter(verdict.outcome for verdict in found)
        reasons = Counter(verdict.reason for verdict in found if verdict.reason)
        rows.append(
            [
                limit.key, limit.outlet, outlet_name(scope.plant, limit.outlet, scope.language),
                limit_subject(scope, limit, points), limit_window(scope, limit), limit_bounds(limit), limit.standard,
                len(found), *(outcomes[outcome] for outcome in _COUNTED), judged_pct(found), why(scope, found),
                *(reasons[reason] for reason in Reason),
            ]
        )  # fmt: skip
    return scope.part("limits", columns, rows, scope.say("remark.limits"))


def judged_pct(found: Sequence[Verdict]) -> float | None:
    """Give the share of the windows to be judged that were, in per cent; None without any."""
    due = [verdict for verdict in found if verdict.reason not in REST]
    judged = sum(verdict.outcome is not Outcome.NOT_JUDGED for verdict in due)
    return round(100 * judged / len(due), 2) if due else None


def why(scope: Scope, found: Sequence[Verdict]) -> str:
    """Say why windows were not judged, each reason with its number."""
    reasons = Counter(verdict.reason for verdict in found if verdict.reason)
    return ", ".join(f"{scope.say(f'column.{reason}')} {reasons[reason]}" for reason in Reason if reasons[reason])
