"""This module is what an export is made of: readings with what is known of them, and who writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from plantmon.model.reading import Rows


@dataclass(frozen=True, slots=True)
class Slice:
    """Readings with what is known of them: `state` as it counts, a place in `states`; `mark`, `correction` or 0."""

    rows: Rows
    counted: NDArray[np.float64]
    state: NDArray[np.int64]
    states: list[str]
    mark: NDArray[np.int64]
    correction: NDArray[np.int64]


class Writer(Protocol):
    """Writes a file of readings; it is whole after `close`."""

    def add(self, part: Slice) -> None:
        """Write readings. Raises ArchiveError."""

    def close(self) -> None:
        """End the file. Raises ArchiveError."""
