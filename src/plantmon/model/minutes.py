"""This module is an hour of minute windows, packed: arrays of the minutes that have readings.

As rows they would be 158 million a year for 300 points. The packing is lossless and the same input gives the same
bytes, so that "did anything change" is a comparison of bytes.
"""

from __future__ import annotations

import zlib
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
        data = zlib.decompress(packed)
        count = data[0]
        present = np.frombuffer(data, np.uint8, count, 1)
        block, at = cls.empty(), 1 + count
        for counts in (block.had, block.valid, block.over):
            counts[present] = np.frombuffer(data, _COUNTS, count, at)
            at += 2 * count
        for column in (block.mean, block.low, block.high, block.bound):
            if at < len(data):
                column[present] = np.frombuffer(data, _FLOATS, count, at)
                at += 8 * count
        return block
