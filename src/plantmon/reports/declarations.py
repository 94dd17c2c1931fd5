"""This module answers `plantmon declarations` and `plantmon calibration list`: what people declared, as rows."""

from __future__ import annotations

import sqlite3

from plantmon.model.plant import Plant
from plantmon.reports.tabular import Cell
from plantmon.store import declarations, points
from plantmon.store.declarations import ALWAYS, FOREVER, Calibration, Span

Table = tuple[list[str], list[list[Cell]]]


def listing(connection: sqlite3.Connection, plant: Plant, start_ms: int, end_ms: int) -> Table:
    """List the marks that overlap [start, end) and the corrections and calibrations in it, as they were declared."""
    names = _names(connection)
    headings = ["kind", "id", "what", "from", "to", "says", "by", "reason", "declared"]
    found: list[tuple[int, list[Cell]]] = [
        (
            one.declared_ms,
            ["mark", one.id, one.point or one.outlet, _moment(plant, one.start), _moment(plant, one.end),
             str(one.state), one.by, one.reason],
        )
        for one in declarations.marks(connection, start_ms, end_ms)
    ]  # fmt: skip
    found += [
        (
            one.declared_ms,
            ["correction", one.id, names[one.point], _moment(plant, one.ts), None,
             f"{one.value:.12g} (was {one.was:.12g})", one.by, one.reason],
        )
        for one in declarations.corrections(connection, start_ms, end_ms)
    ]  # fmt: skip
    found += [
        (
            one.declared_ms,
            ["calibration", one.id, names[one.point], _moment(plant, one.at_ms), None, one.result, one.by, one.note],
        )
        for one in declarations.calibrations(connection, start_ms, end_ms)
    ]
    found.sort(key=lambda line: line[0])  # stable: of one instant by kind and id
    return headings, [[*row, _moment(plant, declared_ms)] for declared_ms, row in found]


def calibrations(connection: sqlite3.Connection, plant: Plant) -> Table:
    """List the calibration register by point and time; a failed one with its span out of control, empty where open."""
    names = _names(connection)
    spans = declarations.out_of_control(connection, ALWAYS, FOREVER)
    headings = ["id", "point", "at", "zero", "span", "result", "out of control from", "until", "by", "note"]
    return headings, [
        [one.id, names[one.point], _moment(plant, one.at_ms), one.zero, one.span, one.result,
         *(_moment(plant, edge) for edge in _around(one, spans.get(one.point, []))), one.by, one.note]
        for one in declarations.calibrations(connection, ALWAYS, FOREVER)
    ]  # fmt: skip


def _around(one: Calibration, spans: list[Span]) -> Span:
    """Give the span out of control a failed calibration lies in; nothing where a later entry took its place."""
    inside = (span for span in spans if span[0] <= one.at_ms < span[1] and one.result == declarations.FAIL)
    return next(inside, (ALWAYS, FOREVER))


def _names(connection: sqlite3.Connection) -> dict[int, str]:
    return {number: name for name, number in points.numbers(connection).items()}


def _moment(plant: Plant, at_ms: int) -> str | None:
    if at_ms in (ALWAYS, FOREVER):
        return None
    return plant.time.local(at_ms).isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")
