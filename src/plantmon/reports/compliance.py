"""This module answers `plantmon compliance`: what became of each limit's windows, and the register of exceedances."""

from __future__ import annotations

import sqlite3
from collections import Counter

from plantmon.compliance.register import entries
from plantmon.model.plant import Limit, Plant
from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.reports.tabular import Cell
from plantmon.store import verdicts

Table = tuple[list[str], list[list[Cell]]]

_COUNTED = (Outcome.OK, Outcome.WARN, Outcome.EXCEED, Outcome.EXCEED_AT_LEAST, Outcome.NOT_JUDGED)


def summary(connection: sqlite3.Connection, plant: Plant, start_ms: int, end_ms: int) -> Table:
    """Count the windows of [start, end) by limit and outcome, those not judged by their reason.

    `judged` is the share of the windows in which the source ran, or may have run, that got a verdict; empty without.
    """
    headings = ["limit", "windows", "ok", "warn", "exceed", "exceed at least", "not judged", "judged %"]
    headings += [reason.replace("_", " ") for reason in Reason]
    rows: list[list[Cell]] = []
    for limit in plant.limits:
        found = verdicts.span(connection, limit.key, start_ms, end_ms)
        if found:
            rows.append(_counts(limit, found))
    return headings, rows


def _counts(limit: Limit, found: list[Verdict]) -> list[Cell]:
    outcomes = Counter(verdict.outcome for verdict in found)
    reasons = Counter(verdict.reason for verdict in found if verdict.reason)
    due = len(found) - reasons[Reason.STOPPED] - reasons[Reason.NO_DISCHARGE]
    judged = round(100 * (len(found) - outcomes[Outcome.NOT_JUDGED]) / due, 2) if due else None
    counted: list[Cell] = [outcomes[outcome] for outcome in _COUNTED]
    return [limit.key, len(found), *counted, judged, *(reasons[reason] for reason in Reason)]


def register(connection: sqlite3.Connection, plant: Plant, start_ms: int, end_ms: int) -> Table:
    """List the exceedances of [start, end), oldest first."""
    headings = ["outlet", "limit", "from", "to", "windows", "peak", "mean", "bound", "unit", "times over", "at least"]
    lines = []
    for limit in plant.limits:
        for entry in entries(verdicts.span(connection, limit.key, start_ms, end_ms)):
            times = None if entry.multiple is None else round(entry.multiple, 4)
            row: list[Cell] = [
                limit.outlet, limit.key, plant.time.show(entry.start), plant.time.show(entry.end), entry.windows,
                entry.peak, float(f"{entry.mean:.12g}"), entry.bound, limit.unit, times, entry.at_least,
            ]  # fmt: skip
            lines.append((entry.start, limit.key, row))
    return headings, [row for _, _, row in sorted(lines, key=lambda line: line[:2])]
