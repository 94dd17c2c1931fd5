"""This module answers `plantmon ledger list` and `plantmon ledger stock`: the lines there are, the waste in store."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from fnmatch import fnmatchcase

from plantmon.model.plant import Plant
from plantmon.reports.tabular import Cell
from plantmon.store import ledger
from plantmon.store.ledger import Kept, plain
from plantmon.store.waste import WasteStock, is_too_long
from plantmon.texts import text
from plantmon.times import format_duration

Table = tuple[list[str], list[list[Cell]]]


def listing(
    connection: sqlite3.Connection, plant: Plant, start_ms: int | None, end_ms: int | None, item: str | None, *,
    is_all: bool,
) -> Table:  # fmt: skip
    """List the lines that count and whose period overlaps [start, end), or all there are, by time, item, number.

    `item` is an item or a pattern such as `lab.*`. The state is `stands`, `corrected`, `withdrawn`, or `withdrawal` for
    an entry that takes another back.
    """
    headings = ["id", "period", "item", "value", "unit", "written", "source", "note", "by", "entered", "file", "line",
                "state", "supersedes", "superseded by", "reason"]  # fmt: skip
    found = ledger.kept(connection, start_ms, end_ms)
    withdrawn = {one.line.supersedes for one in found if one.is_withdrawn}  # it has the period of its line
    wanted = [
        one for one in found if (is_all or one.is_standing) and (item is None or fnmatchcase(one.line.item, item))
    ]
    return headings, [_row(one, plant, _state(one, withdrawn)) for one in wanted]


def _row(one: Kept, plant: Plant, state: str) -> list[Cell]:
    line = one.line
    value: Cell = None if one.is_withdrawn else number(line.value)
    if line.below is not None:
        value = f"<{plain(line.below)}"
    return [
        line.id, line.period, line.item, value, line.unit, line.written, line.source, line.note, line.by,
        plant.time.show(line.entered_ms), line.file, line.line, state, line.supersedes, one.superseded_by, line.reason,
    ]  # fmt: skip


def _state(one: Kept, withdrawn: set[int | None]) -> str:
    if one.superseded_by is not None:
        return "withdrawn" if one.line.id in withdrawn else "corrected"
    return "withdrawal" if one.is_withdrawn else "stands"


def number(value: Decimal) -> Cell:
    """Give a decimal as a number where that keeps all its digits, else as text."""
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else plain(value)


def stock(found: WasteStock, plant: Plant, language: str) -> Table:
    """List the hazardous waste in store by lot, oldest first, with a note where it has been there too long."""
    limit_ms = plant.rules.waste_stored_ms
    headings = ["since", "period", "generated t", "stored t", "days", "source", "line", "note"]
    return headings, [
        [
            plant.time.date_of(lot.line.start_ms).isoformat(), lot.line.period, number(lot.line.value),
            number(lot.left), lot.days, lot.line.source, lot.line.id,
            text("ledger.stock_long", language, limit=format_duration(limit_ms))
            if is_too_long(lot, limit_ms) else None,
        ]
        for lot in found.lots
    ]  # fmt: skip


def stock_words(found: WasteStock, language: str) -> list[str]:
    """Sum the store up in sentences."""
    stored = text("ledger.stock_unknown", language) if found.stored is None else plain(found.stored)
    words = [
        text("ledger.stock_total", language, generated=plain(found.generated), out=plain(found.out), stored=stored)
    ]
    if found.more > 0 and found.stored is not None:
        words.append(text("ledger.stock_more", language, more=plain(found.more)))
    return words
