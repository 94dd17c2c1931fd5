"""This module is hours of minute windows: one packed as stored, or many side by side for arithmetic.

As rows they would be 158 million a year for 300 points. The packing is lossless and the same input gives the same
bytes, so that "did anything change" is a comparison of bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MINUTES = 60
_COUNTS = np.dtype("<u2")
_FLOATS = np.dtype("<f8")


@dataclass(slots=True)
class MinuteBlock:
    """The 60 minutes of one point's hour; counts are 0 and values NaN where a minute has none.

    `had` counts all readings of the minute, `valid` those that count, `over` the over-range ones. `mean`, `low`,
    `high` are of valid readings; `bound` is the mean with over-range readings at the range's end, NaN without any.
    """

    had: NDArray[np.uint16]
    valid: NDArray[np.uint16]
    over: NDArray[np.uint16]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    bound: NDArray[np.float64]

    @classmethod
    def empty(cls) -> MinuteBlock:
        """Make an hour without readings."""
        had, valid, over = (np.zeros(MINUTES, _COUNTS) for _ in range(3))
        mean, low, high, bound = (np.full(MINUTES, np.nan, _FLOATS) for _ in range(4))
        return cls(had, valid, over, mean, low, high, bound)

    def pack(self) -> bytes:
        """Write the block as bytes."""
        present = np.flatnonzero(self.had)
        parts = [len(present).to_bytes(1), present.astype(np.uint8).tobytes()]
        parts += [column[present].tobytes() for column in (self.had, self.valid, self.over)]
        columns = [self.mean, self.low, self.high] + ([self.bound] if self.over.any() else [])
        parts += [column[present].tobytes() for column in columns]
        return zlib.compress(b"".join(parts), 1)

    @classmethod
    def unpack(cls, packed: bytes) -> MinuteBlock:
        """Read a block from bytes."""
        return Grid.unpack([packed]).row(0)


@dataclass(slots=True)
class Grid:
    """Many hours of one point's minutes, or one longer row: arrays (rows, minutes), columns as `MinuteBlock`."""

    had: NDArray[np.uint16]
    valid: NDArray[np.uint16]
    over: NDArray[np.uint16]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    bound: NDArray[np.float64]

    @classmethod
    def empty(cls, rows: int, minutes: int = MINUTES) -> Grid:
        """Make rows without readings."""
        shape = (rows, minutes)
        had, valid, over = (np.zeros(shape, _COUNTS) for _ in range(3))
        mean, low, high, bound = (np.full(shape, np.nan, _FLOATS) for _ in range(4))
        return cls(had, valid, over, mean, low, high, bound)

    @classmethod
    def unpack(cls, packed: Sequence[bytes | None], *, extremes: bool = True) -> Grid:
        """Read hours from bytes, one a row; None is an hour without readings.

        Without `extremes` low and high are left NaN: they are a third of the work, and means need none of it.
        """
        grid = cls.empty(len(packed))
        for row, data in enumerate(packed):
            if data is not None:
                grid._fill(row, zlib.decompress(data), extremes)
        return grid

    @classmethod
    def of(cls, blocks: Sequence[MinuteBlock]) -> Grid:
        """Lay blocks under one another, one a row."""
        if len(blocks) == 1:
            return cls(*(getattr(blocks[0], name)[np.newaxis] for name in GRID_FIELDS))
        return cls(*(np.stack([getattr(block, name) for block in blocks]) for name in GRID_FIELDS))

    def row(self, place: int) -> MinuteBlock:
        """Give one row as a block; it shares the arrays."""
        return MinuteBlock(*(getattr(self, name)[place] for name in GRID_FIELDS))

    def rows(self, first: int, end: int) -> Grid:
        """Give some rows; they share the arrays."""
        return Grid(*(getattr(self, name)[first:end] for name in GRID_FIELDS))

    def flat(self) -> Grid:
        """Give all minutes as one row, in time order."""
        return Grid(*(getattr(self, name).reshape(1, -1) for name in GRID_FIELDS))

    def scaled(self, factor: NDArray[np.float64]) -> Grid:
        """Give the minutes times a factor above zero (one a minute, a row, or for all); where it is NaN none counts."""
        known = np.broadcast_to(~np.isnan(factor), self.had.shape)
        valid, over = (np.where(known, counts, 0).astype(_COUNTS) for counts in (self.valid, self.over))
        values = (column * factor for column in (self.mean, self.low, self.high, self.bound))
        return Grid(self.had, valid, over, *values)

    def _fill(self, row: int, data: bytes, extremes: bool) -> None:
        count = data[0]
        at = 1 + count
        # Nearly every hour is whole; then its columns go in without an index.
        place: slice | NDArray[np.uint8] = slice(None) if count == MINUTES else np.frombuffer(data, np.uint8, count, 1)
        counts = np.frombuffer(data, _COUNTS, 3 * count, at)
        self.had[row, place] = counts[:count]
        self.valid[row, place] = counts[count : 2 * count]
        self.over[row, place] = counts[2 * count :]
        values = np.frombuffer(data, _FLOATS, -1, at + 6 * count)
        self.mean[row, place] = values[:count]
        if extremes:
            self.low[row, place] = values[count : 2 * count]
            self.high[row, place] = values[2 * count : 3 * count]
        if len(values) > 3 * count:
            self.bound[row, place] = values[3 * count :]


GRID_FIELDS = ("had", "valid", "over", "mean", "low", "high", "bound")
