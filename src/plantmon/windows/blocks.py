"""This module puts averaged minutes into the stored hours of many points at once, and says which then differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.mean import Minutes
from plantmon.model.minutes import GRID_FIELDS, MINUTES, Grid
from plantmon.times import MINUTE_MS

_COUNTS = ("had", "valid", "over")


def merged(old: Grid, found: Minutes, numbers: NDArray[np.int64], hour: int, masks: Sequence[int]) -> Grid:
    """Give hours with the minutes of a mask (one a point, a bit a minute) anew; those without readings are empty.

    `old` has a row for each of the points `numbers`, which are sorted; what is found of others is passed over.
    """
    bits = np.array(masks, np.uint64)[:, np.newaxis] >> np.arange(MINUTES, dtype=np.uint64)
    touched = (bits & np.uint64(1)).astype(bool)
    row = np.searchsorted(numbers, found.point)
    minute = (found.at - hour) // MINUTE_MS
    inside = (row < len(numbers)) & (minute >= 0) & (minute < MINUTES)
    inside[inside] = numbers[row[inside]] == found.point[inside]
    inside[inside] = touched[row[inside], minute[inside]]
    places = row[inside], minute[inside]
    columns = []
    for name in GRID_FIELDS:
        column = np.where(touched, 0 if name in _COUNTS else np.nan, getattr(old, name)).astype(
            getattr(old, name).dtype
        )
        column[places] = getattr(found, name)[inside]
        columns.append(column)
    return Grid(*columns)


def differing(one: Grid, other: Grid) -> NDArray[np.bool_]:
    """Say of each row whether any bit of it differs."""
    different = np.zeros(len(one.had), bool)
    for name in GRID_FIELDS:
        kind = np.uint16 if name in _COUNTS else np.int64
        different |= (getattr(one, name).view(kind) != getattr(other, name).view(kind)).any(axis=1)
    return different
