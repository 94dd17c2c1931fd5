"""This module makes the register of exceedances of a limit's verdicts.

Neighbouring exceeding windows are one entry; a window that complies, was not judged or in which the source stood
still ends it (settled choices, Register). The multiple over the limit is (C - C0) / C0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from plantmon.model.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """One exceedance: windows [start, end), the worst value, the mean of the windows' values, the bound it passed."""

    limit_key: str
    start: int
    end: int
    peak: float
    mean: float
    bound: float
    windows: int
    at_least: bool

    @property
    def multiple(self) -> float | None:
        """How many times its bound the worst value lies beyond it; None for a bound of 0."""
        return abs(self.peak - self.bound) / abs(self.bound) if self.bound else None


def entries(verdicts: Iterable[Verdict]) -> list[Entry]:
    """Give the entries of one limit's verdicts, which come in time order."""
    found: list[Entry] = []
    for verdict in verdicts:
        if not verdict.outcome.is_exceedance or verdict.value is None or verdict.bound is None:
            continue
        last = found[-1] if found else None
        if last is not None and last.end == verdict.start and last.bound == verdict.bound:
            found[-1] = _longer(last, verdict, verdict.value)
        else:
            at_least = verdict.outcome is Outcome.EXCEED_AT_LEAST
            found.append(
                Entry(
                    verdict.limit_key, verdict.start, verdict.end, verdict.value, verdict.value, verdict.bound, 1,
                    at_least,
                )
            )  # fmt: skip
    return found


def _longer(entry: Entry, verdict: Verdict, value: float) -> Entry:
    is_worse = abs(value - entry.bound) > abs(entry.peak - entry.bound)
    return replace(
        entry,
        end=verdict.end,
        peak=value if is_worse else entry.peak,
        mean=(entry.mean * entry.windows + value) / (entry.windows + 1),
        windows=entry.windows + 1,
        at_least=entry.at_least or verdict.outcome is Outcome.EXCEED_AT_LEAST,
    )
