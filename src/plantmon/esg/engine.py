"""This module makes a whole annual report: every metric of the catalogue and of the plant, with its intensities.

What was published is as it was published (`esg/freeze.py`); everything else is worked out from the store now.
"""

from __future__ import annotations

import sqlite3

from plantmon.esg.figures import assembled
from plantmon.esg.freeze import said, standing
from plantmon.esg.periods import span_of
from plantmon.esg.volumes import Waters
from plantmon.model.metric import Annual
from plantmon.model.plant import Plant


def annual(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], period: str, previous: str | None,
    now_ms: int, only: str | None = None, waters: Waters | None = None,
) -> Annual:  # fmt: skip
    """Make the report of a year, quarter or month beside an earlier one; what was published is as it was published.

    `only` names the one metric that is wanted, which spares the reading for all others; one that there is not gives
    all. `waters` measured spans that others want too. Raises ValueError where a text is no such period.
    """
    made, told = standing(connection, plant, numbers, span_of(period, plant.time), now_ms, only, waters)
    before = None
    if previous is not None:
        before, _ = standing(connection, plant, numbers, span_of(previous, plant.time), now_ms, only, waters)
    return assembled(plant, made, before, None if told is None else said(told, plant.time))
