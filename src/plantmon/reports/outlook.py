"""This module answers `plantmon outlook`: what each running window may still become, the worst first."""

from __future__ import annotations

from collections.abc import Iterable

from plantmon.compliance.outlook import HIGH, Outlook
from plantmon.reports.tabular import Cell
from plantmon.times import MINUTE_MS, PlantTime

HEADINGS = [
    "limit", "from", "to", "state", "so far", "% in", "allowed for the rest", "minutes left", "projected", "bound",
    "unit",
]  # fmt: skip


def table_of(outlooks: Iterable[Outlook], time: PlantTime, digits: int) -> tuple[list[str], list[list[Cell]]]:
    """Give a row a window, values in the limit's unit with so many significant digits.

    State: `exhausted` (beyond the limit whatever follows), `heading_over`, `within`, or `unknown` while nothing can be
    told. Of a minimum, what is allowed for the rest is the least it may have.
    """

    def shown(value: float | None) -> float | None:
        return None if value is None else float(f"{value:.{digits}g}")

    rows: list[list[Cell]] = []
    for one in sorted(outlooks, key=_badness, reverse=True):
        rows.append(
            [one.limit.key, time.show(one.start), time.show(one.end), _state(one), shown(one.value),
             round(100 * one.share, 1), shown(one.allowed), one.left_ms // MINUTE_MS, shown(one.projected),
             one.bound, one.limit.unit]
        )  # fmt: skip
    return list(HEADINGS), rows


def _state(one: Outlook) -> str:
    if one.exhausted:
        return "exhausted"
    if one.projected is None:
        return "unknown"
    return "heading_over" if one.is_beyond else "within"


def _badness(one: Outlook) -> tuple[bool, bool, float]:
    """Order by how far beyond its limit a window is expected, in shares of the limit; unknown last."""
    expected = one.expected
    if expected is None:
        return one.exhausted, False, 0.0
    beyond = expected - one.bound if one.side == HIGH else one.bound - expected
    return one.exhausted, True, beyond / (abs(one.bound) or 1.0)
