"""This module is a table somebody else made, a block of rows at a time, its columns as texts, numbers or moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts, each once in `known`; `places` says which stands in each row, an empty one where there is none."""

    places: NDArray[np.int64]
    known: list[str]

    @classmethod
    def of(cls, cells: list[str]) -> Texts:
        """Make a column of its cells."""
        known: dict[str, int] = {}
        places = np.fromiter((known.setdefault(cell, len(known)) for cell in cells), np.int64, len(cells))
        return cls(places, list(known))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers; NaN where there is none."""

    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """Instants in ms, as UTC or, `is_local`, as the clock of the plant shows them; none where not `is_there`."""

    ms: NDArray[np.int64]
    is_there: NDArray[np.bool_]
    is_local: bool = False


Column = Texts | Numbers | Moments


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a table; `lines` are their numbers in its file, from 1, and columns stand in the table's order."""

    lines: NDArray[np.int64]
    columns: list[Column]


class Table(Protocol):
    """A table with the names over its columns, and its rows block by block."""

    headings: list[str]

    def blocks(self) -> Iterator[Block]:
        """Give the rows. Raises TableError where the file is damaged."""
