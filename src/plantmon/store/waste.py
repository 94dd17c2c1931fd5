"""This module works out what hazardous waste lies in store, from the ledger: put in, handed over by manifest, left.

What was put into store (`waste.hazardous.generated`) leaves it oldest first when it is handed over
(`waste.hazardous`, the transfer manifests). A period's waste counts as stored from the period's first day and as gone
with its last one, so that no waste looks younger than it may be.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from decimal import Decimal

from plantmon.store.ledger import LedgerLine, overlapping, standing
from plantmon.times import DAY_MS, PlantTime

IN, OUT = "waste.hazardous.generated", "waste.hazardous"
ALWAYS = -(2**62)


@dataclass(frozen=True, slots=True)
class Lot:
    """Waste put into store in one period, and what of it is left, in t; `days` since the period's first day."""

    line: LedgerLine
    left: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class WasteStock:
    """What lies in store, in t, with the lots that are left, oldest first.

    `stored` is None where nothing is known to have been put in; `more` was handed over beyond what was in store.
    """

    generated: Decimal
    out: Decimal
    stored: Decimal | None
    more: Decimal
    lots: tuple[Lot, ...]


def waste_stock(connection: sqlite3.Connection, time: PlantTime, at_ms: int) -> WasteStock | None:
    """Give the store at an instant by the periods that were over by then; None where the ledger says nothing of them.

    Of waste put in, a period that has begun counts too.
    """
    came = standing(connection, ALWAYS, at_ms, IN)
    came += [line for line in overlapping(connection, ALWAYS, at_ms, IN) if line.start_ms < at_ms]
    went = standing(connection, ALWAYS, at_ms, OUT)
    if not came and not went:
        return None
    left = {line.id: line.value for line in came}
    more = Decimal(0)
    for out in sorted(went, key=lambda line: (line.end_ms, line.id)):
        rest = out.value
        for lot in came:
            if lot.start_ms < out.end_ms:
                taken = min(rest, left[lot.id])
                left[lot.id] -= taken
                rest -= taken
        more += rest
    today = time.date_of(at_ms)
    lots = tuple(
        Lot(line, left[line.id], (today - time.date_of(line.start_ms)).days) for line in came if left[line.id] > 0
    )
    stored = sum((lot.left for lot in lots), Decimal(0)) if came else None
    return WasteStock(_sum(came), _sum(went), stored, more, lots)


def is_too_long(lot: Lot, longest_ms: int) -> bool:
    """Whether a lot has been in store longer than it may be."""
    return lot.days * DAY_MS > longest_ms


def _sum(lines: list[LedgerLine]) -> Decimal:
    return sum((line.value for line in lines), Decimal(0))
