"""This module answers `plantmon execution-report`: the tables of the permit's execution report for a period."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from plantmon.reports.document import Document, Part, Scope
from plantmon.reports.notices import notices
from plantmon.reports.parts.amounts import caps
from plantmon.reports.parts.capture import capture
from plantmon.reports.parts.execution import analysed, downtime, emitted, exceedance_list
from plantmon.reports.period import Period

PARTS: dict[str, Callable[[Scope, Period], Part]] = {
    "emitted": emitted,
    "caps": lambda scope, _: caps(scope),
    "analysed": lambda scope, _: analysed(scope),
    "exceedance_list": lambda scope, _: exceedance_list(scope),
    "downtime": lambda scope, _: downtime(scope),
    "capture": lambda scope, _: capture(scope),
}


def document(scope: Scope, period: Period, names: Iterable[str] | None = None) -> Document:
    """Make the execution report's tables of a period, which is the scope's time; those named, all without names."""
    parts = tuple(PARTS[name](scope, period) for name in names or PARTS)
    title = scope.say(f"execution.{period.kind}")
    return Document("execution-report", title, period.name, scope, notices(scope), parts)
