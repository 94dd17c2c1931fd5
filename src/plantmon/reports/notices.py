"""This module says what must be known before a report is read: a time not over, hours not closed, versions lost."""

from __future__ import annotations

from plantmon.reports.document import Scope
from plantmon.store import windows


def notices(scope: Scope) -> tuple[str, ...]:
    """Give the notices of a report, none where it is complete."""
    said = []
    time = scope.plant.time
    if scope.end > scope.now_ms:
        said.append(scope.say("notice.not_over", now=time.show(scope.now_ms)))
    elif open_points := _open(scope):
        said.append(scope.say("notice.not_closed", count=len(open_points), points=", ".join(open_points[:5])))
    said += [scope.say("notice.unreadable", reason=reason) for reason in scope.permit.unreadable]
    return tuple(said)


def _open(scope: Scope) -> list[str]:
    """Name the points of outlets that have begun and not closed all hours of the report's time."""
    closed = windows.closed(scope.connection, "1h")
    return [
        name
        for name, point in scope.plant.points.items()
        if point.outlet is not None
        and (span := closed.get(scope.numbers.get(name, -1))) is not None
        and span[0] < scope.end
        and span[1] < scope.end
    ]
