"""This module writes rows as a table for a terminal, as CSV or as JSON."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Sequence

Cell = str | int | float | bool | None


def render(headings: Sequence[str], rows: Sequence[Sequence[Cell]], style: str) -> str:
    """Write rows in one of the styles `table`, `csv`, `json`. None is an empty cell, in JSON null."""
    if style == "json":
        return json.dumps([dict(zip(headings, row, strict=True)) for row in rows], ensure_ascii=False, indent=1)
    if style == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(headings)
        writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
        return out.getvalue().rstrip("\n")
    return _table(headings, rows)


def _table(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    cells = [list(headings)] + [[_shown(cell) for cell in row] for row in rows]
    widths = [max(width_of(line[column]) for line in cells) for column in range(len(headings))]
    numeric = [all(isinstance(row[column], int | float | None) for row in rows) for column in range(len(headings))]
    lines = []
    for line in cells:
        padded = [
            " " * (width - width_of(cell)) + cell if right else cell + " " * (width - width_of(cell))
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)


def width_of(text: str) -> int:
    """Count terminal columns: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
