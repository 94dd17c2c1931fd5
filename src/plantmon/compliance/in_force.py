"""This module says which limits judge a window: those in force on its first local day (settled choices)."""

from __future__ import annotations

from collections.abc import Iterable

from plantmon.model.plant import Limit
from plantmon.times import PlantTime

WINDOW_LEVELS = {"1h": "1h", "1d": "1d", "reading": "1h"}  # verdicts on readings are kept by the hour


def in_force(limits: Iterable[Limit], level: str, start_ms: int, time: PlantTime) -> list[Limit]:
    """Choose the limits that give a verdict for a window of a level that starts at an instant.

    Limits over longer windows whose rule is not available yet have no verdict here; `plantmon check` names them.
    """
    day = time.date_of(start_ms)
    return [limit for limit in limits if WINDOW_LEVELS.get(limit.window) == level and limit.covers(day)]
