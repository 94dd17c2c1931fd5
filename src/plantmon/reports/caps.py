"""This module answers `plantmon caps`: what of each cap is used, at what pace, and when it is reached at that."""

from __future__ import annotations

from plantmon import units
from plantmon.amounts.caps import PACE_DAYS, Cap
from plantmon.reports.tabular import Cell
from plantmon.times import PlantTime

Table = tuple[list[str], list[list[Cell]]]

_SHARES = ("measured", "substituted", "unknown")


def table_of(caps: list[Cap], time: PlantTime) -> Table:
    """Give a row a cap; figures in the limit's unit. What is not known, or not before the period ends, is empty."""
    headings = ["outlet", "limit", "period", "used", "cap", "unit", "used %", "at least", "provisional", "known to"]
    for days in PACE_DAYS:
        headings += [f"a day, last {days} d", f"reached at {days} d"]
    headings += [f"{share} %" for share in _SHARES]
    return headings, [_row(cap, time) for cap in caps]


def _row(cap: Cap, time: PlantTime) -> list[Cell]:
    limit, used = cap.limit, cap.used
    factor = units.conversion("kg", limit.unit)[0]
    has_any = used.parts > 0  # without a day nothing is known: not 0
    row: list[Cell] = [
        limit.outlet,
        limit.key,
        time.date_of(cap.start).isoformat()[: 4 if limit.window == "1y" else 7],
        _figure(used.kg * factor) if has_any else None,
        limit.maximum,
        limit.unit,
        round(100 * cap.used_share, 2) if has_any and cap.cap_kg else None,
        used.at_least,
        used.provisional,
        None if used.until_ms is None else time.show(used.until_ms),
    ]
    for pace in cap.paces:
        row.append(None if pace.kg_d is None else _figure(pace.kg_d * factor))
        row.append(None if pace.reached is None else pace.reached.isoformat())
    shares = (used.measured_share, used.substituted_share, used.unknown_share)
    return row + [None if share is None else round(100 * share, 2) for share in shares]


def _figure(value: float) -> float:
    return float(f"{value:.6g}")
