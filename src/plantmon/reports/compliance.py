"""This module answers `plantmon compliance`: what became of each limit's windows, and all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from plantmon.reports.document import Document, Part, Scope
from plantmon.reports.notices import notices
from plantmon.reports.parts.amounts import amounts, caps
from plantmon.reports.parts.capture import capture
from plantmon.reports.parts.declarations import declarations
from plantmon.reports.parts.limits import limits
from plantmon.reports.parts.outages import outages
from plantmon.reports.parts.register import register, withdrawn_for_good

PARTS: dict[str, Callable[[Scope], Part]] = {
    "limits": limits,
    "register": register,
    "withdrawn": withdrawn_for_good,
    "capture": capture,
    "amounts": amounts,
    "caps": caps,
    "declarations": declarations,
    "outages": outages,
}


def document(scope: Scope, names: Iterable[str] | None = None) -> Document:
    """Make the compliance report of a time, with the parts named, all without names."""
    start, end = (scope.plant.time.show(at_ms).removesuffix(":00") for at_ms in (scope.start, scope.end))
    period = scope.say("span", start=start, end=end)
    parts = tuple(PARTS[name](scope) for name in names or PARTS)
    return Document("compliance", scope.say("compliance"), period, scope, notices(scope), parts)
