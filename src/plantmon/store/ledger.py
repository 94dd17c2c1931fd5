"""This module keeps the ledger: what no sensor knows, line by line, each with its document and who entered it.

Lines are added and never edited (design rule 7). A line that was corrected or withdrawn is superseded by a later one
and stays readable. Values are decimal and kept as text, in one of the item's own units.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_COLUMNS = """
    one.id, one.period, one.start, one."end", one.item, one.value, one.unit, one.written, one.source, one.note, one.by,
    one.entered_ms, one.supersedes, coalesce(file.name, ''), one.line, coalesce(file.sha256, ''), one.reason, one.below
"""
_FILES = "LEFT JOIN ledger_file AS file ON file.id = one.file"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line that says an item's amount in a period, or a laboratory's result on it.

    `value` is in `unit`, the item's own, converted; `written` is what was given. A result below a detection limit has
    the value 0 and that limit in `below`. `file` and `line` say where it came from, empty where it was typed.
    """

    id: int
    period: str
    start_ms: int
    end_ms: int
    item: str
    value: Decimal
    unit: str
    written: str
    source: str
    note: str
    by: str
    entered_ms: int
    supersedes: int | None
    file: str
    line: int | None = None
    sha256: str = ""
    reason: str = ""
    below: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A line with what became of it: `is_withdrawn` where it takes another back and says no value of its own (0).

    `superseded_by` is the line that corrected or withdrew it.
    """

    line: LedgerLine
    is_withdrawn: bool
    superseded_by: int | None

    @property
    def is_standing(self) -> bool:
        """Whether the line counts."""
        return not self.is_withdrawn and self.superseded_by is None


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be added; `value` None withdraws the one it supersedes."""

    period: str
    start_ms: int
    end_ms: int
    item: str
    value: Decimal | None
    unit: str
    written: str
    source: str
    note: str
    line: int | None = None
    below: Decimal | None = None


def add(
    connection: sqlite3.Connection, new: NewLine, by: str, now_ms: int, file: int | None = None,
    supersedes: int | None = None, reason: str = "",
) -> int:  # fmt: skip
    """Add a line; give its number. Raises sqlite3.IntegrityError where another has superseded that line already."""
    number = connection.execute(
        """
        INSERT INTO ledger (period, start, "end", item, value, below, unit, written, source, note, by, entered_ms,
                            supersedes, reason, file, line)
        VALUES (:period, :start, :end, :item, :value, :below, :unit, :written, :source, :note, :by, :entered_ms,
                :supersedes, :reason, :file, :line)
        """,
        {
            "period": new.period, "start": new.start_ms, "end": new.end_ms, "item": new.item,
            "value": _text(new.value), "below": _text(new.below), "unit": new.unit, "written": new.written,
            "source": new.source, "note": new.note, "by": by, "entered_ms": now_ms, "supersedes": supersedes,
            "reason": reason, "file": file, "line": new.line,
        },
    ).lastrowid  # fmt: skip
    assert number is not None
    return number


def add_file(connection: sqlite3.Connection, name: str, sha256: str, by: str, now_ms: int) -> int:
    """Note a file that is taken in; give its number."""
    number = connection.execute(
        "INSERT INTO ledger_file (name, sha256, by, entered_ms) VALUES (?, ?, ?, ?)", (name, sha256, by, now_ms)
    ).lastrowid
    assert number is not None
    return number


def standing(connection: sqlite3.Connection, start_ms: int, end_ms: int, item: str | None = None) -> list[LedgerLine]:
    """List the lines that count and whose period lies wholly in [start, end), by start, item and number."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS}
        FROM ledger_standing AS one {_FILES}
        WHERE one.start >= :start AND one.start < :end AND one."end" <= :end AND (:item IS NULL OR one.item = :item)
        ORDER BY one.start, one.item, one.id
        """,  # noqa: S608 - built of constants
        {"start": start_ms, "end": end_ms, "item": item},
    )
    return [_line(row) for row in rows]


def overlapping(
    connection: sqlite3.Connection, start_ms: int, end_ms: int, item: str | None = None
) -> list[LedgerLine]:
    """List the lines that count and whose period lies partly in [start, end), by start, item and number."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS}
        FROM ledger_standing AS one {_FILES}
        WHERE one.start < :end AND one."end" > :start AND (one.start < :start OR one."end" > :end)
          AND (:item IS NULL OR one.item = :item)
        ORDER BY one.start, one.item, one.id
        """,  # noqa: S608 - built of constants
        {"start": start_ms, "end": end_ms, "item": item},
    )
    return [_line(row) for row in rows]


def kept(
    connection: sqlite3.Connection, start_ms: int | None = None, end_ms: int | None = None,
    items: Collection[str] | None = None,
) -> list[Kept]:  # fmt: skip
    """List every line whose period overlaps [start, end) (None: open), also superseded ones, by start, item, number.

    `items` are the items wanted, None for all.
    """
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS}, (SELECT id FROM ledger AS later WHERE later.supersedes = one.id)
        FROM ledger AS one {_FILES}
        WHERE (:start IS NULL OR one."end" > :start) AND (:end IS NULL OR one.start < :end)
        ORDER BY one.start, one.item, one.id
        """,  # noqa: S608 - built of constants
        {"start": start_ms, "end": end_ms},
    )
    return [_kept(row) for row in rows if items is None or row[4] in items]


def by_number(connection: sqlite3.Connection, number: int) -> Kept | None:
    """Give a line by its number, None where there is none."""
    row = connection.execute(
        f"""
        SELECT {_COLUMNS}, (SELECT id FROM ledger AS later WHERE later.supersedes = one.id)
        FROM ledger AS one {_FILES} WHERE one.id = ?
        """,  # noqa: S608 - built of constants
        (number,),
    ).fetchone()
    return None if row is None else _kept(row)


def _kept(row: tuple[Any, ...]) -> Kept:
    return Kept(_line(row[:-1]), row[5] is None, row[-1])


def _line(row: tuple[Any, ...]) -> LedgerLine:
    *first, value, unit, written, source, note, by, entered_ms, supersedes, file, number, sha256, reason, below = row
    id, period, start_ms, end_ms, item = first
    return LedgerLine(
        id, period, start_ms, end_ms, item, Decimal(value or 0), unit, written, source, note, by, entered_ms,
        supersedes, file, number, sha256, reason, None if below is None else Decimal(below),
    )  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    """Write a decimal in full, so that one value has one text."""
    return None if value is None else plain(value)


def plain(value: Decimal) -> str:
    """Write a decimal without exponent and without needless zeros.

    >>> plain(Decimal("1389259.00")), plain(Decimal("1E+3")), plain(Decimal("-0.0"))
    ('1389259', '1000', '0')
    """
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
