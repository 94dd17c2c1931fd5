"""This module writes a report or one of its parts as a table, CSV or JSON.

JSON is for programs: keys in English whatever the language, instants with their distance from UTC, numbers whole; what
was not measured is null, and `missing` beside it says why.
"""

from __future__ import annotations

import json
from typing import Any

from plantmon.reports import tabular
from plantmon.reports.document import Cell, Document, Missing, Moment, Part, Scope

TABLE_DIGITS = 6


def part_as(part: Part, scope: Scope, style: str) -> str:
    """Write one part as `table`, `csv` or `json`."""
    if style == "json":
        return _json(_objects(part, scope))
    columns, rows = part.chosen(on_page=False)
    if not rows and style == "table":
        return part.nothing
    is_short = style == "table"
    cells = [[_plain(cell, scope, is_short=is_short) for cell in row] for row in rows]
    return tabular.render([column.heading for column in columns], cells, style)


def report_as_table(document: Document) -> str:
    """Write all parts as tables under their titles."""
    head = [f"{document.title}  {document.period}", *document.notices]
    tables = [f"{part.title}\n{part_as(part, document.scope, 'table')}" for part in document.parts]
    return "\n\n".join(["\n".join(head), *tables])


def report_as_json(document: Document) -> str:
    """Write the whole report as one object, a list of rows a part."""
    scope, plant = document.scope, document.scope.plant
    return _json(
        {
            "report": document.name,
            "plant": {"id": plant.id, "name": plant.name.in_language(scope.language), "permit": plant.permit},
            "period": document.period,
            "from": _iso(scope, scope.start),
            "to": _iso(scope, scope.end),
            "made": _iso(scope, scope.now_ms),
            "notices": list(document.notices),
            **{part.name: _objects(part, scope) for part in document.parts},
        }
    )


def _json(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False)


def _objects(part: Part, scope: Scope) -> list[dict[str, Any]]:
    return [_object(part, row, scope) for row in part.rows]


def _object(part: Part, row: list[Cell], scope: Scope) -> dict[str, Any]:
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for column, cell in zip(part.columns, row, strict=True):
        if isinstance(cell, Missing):
            missing[column.key], cell = cell.code, None
        found[column.key] = _iso(scope, cell.at_ms) if isinstance(cell, Moment) else cell
    return found | ({"missing": missing} if missing else {})


def _iso(scope: Scope, at_ms: int) -> str:
    return scope.plant.time.local(at_ms).isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")


def _plain(cell: Cell, scope: Scope, *, is_short: bool) -> tabular.Cell:
    """Give a cell as a table or CSV has it; a table shortens numbers."""
    if isinstance(cell, Moment):
        return scope.plant.time.show(cell.at_ms)
    if isinstance(cell, Missing):
        return f"– ({cell.reason})"
    if isinstance(cell, bool):
        return scope.say("yes" if cell else "no")
    if isinstance(cell, float) and is_short:
        return float(f"{cell:.{TABLE_DIGITS}g}")
    return cell
