"""This module lists what people declared for a time: marks, corrected values, calibrations."""

from __future__ import annotations

from plantmon.reports.document import Cell, Moment, Part, Scope
from plantmon.reports.words import figure
from plantmon.store import declarations as declared
from plantmon.tables.states import states

_COLUMNS = ("kind", "id", "what", "from", "to", "says", "by", "reason", "declared_at")


def declarations(scope: Scope) -> Part:
    """List the marks that overlap the scope, and the corrections and calibrations in it, as they were declared."""
    names = {number: name for name, number in scope.numbers.items()}
    span = (scope.start, scope.end)
    found: list[tuple[int, list[Cell]]] = [
        (
            one.declared_ms,
            [scope.say("kind.mark"), one.id, one.point or one.outlet, Moment(one.start), Moment(one.end),
             states()[one.state].name.in_language(scope.language), one.by, one.reason],
        )
        for one in declared.marks(scope.connection, *span)
    ]  # fmt: skip
    found += [
        (
            one.declared_ms,
            [scope.say("kind.correction"), one.id, names.get(one.point), Moment(one.ts), None,
             scope.say("corrected", value=figure(one.value, one.was), was=figure(one.was)), one.by, one.reason],
        )
        for one in declared.corrections(scope.connection, *span)
    ]  # fmt: skip
    found += [
        (
            one.declared_ms,
            [scope.say("kind.calibration"), one.id, names.get(one.point), Moment(one.at_ms), None,
             scope.say(f"result.{one.result}", zero=figure(one.zero), span=figure(one.span)), one.by, one.note],
        )
        for one in declared.calibrations(scope.connection, *span)
    ]  # fmt: skip
    found.sort(key=lambda line: line[0])  # stable: of one instant by kind and number
    rows = [[*row, Moment(declared_ms)] for declared_ms, row in found]
    return scope.part("declarations", scope.columns(*_COLUMNS), rows)
