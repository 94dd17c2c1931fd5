"""This module keeps in mind what a server accepted a short while ago, until it surely has it on disk.

InfluxDB syncs its log before it answers; VictoriaMetrics answers first and writes seconds later, and what is killed
meanwhile forgets what it had accepted. So accepted blobs stay for a while, and go out once more when the server went.
"""

from __future__ import annotations

from collections import deque
from itertools import chain, takewhile


class Held:
    """Numbers of accepted blobs, each kept for `hold_s` of real time."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._batches: deque[tuple[float, tuple[int, ...]]] = deque()

    def add(self, numbers: tuple[int, ...], real_s: float) -> None:
        """Hold blobs that were just accepted."""
        self._batches.append((real_s + self._hold_s, numbers))

    def over(self, real_s: float) -> list[int]:
        """Give the numbers of those that were held long enough, oldest first."""
        over = takewhile(lambda batch: batch[0] <= real_s, self._batches)
        return list(chain.from_iterable(numbers for _, numbers in over))

    def release(self, real_s: float) -> None:
        """Forget those, once they are taken out."""
        while self._batches and self._batches[0][0] <= real_s:
            self._batches.popleft()

    def clear(self) -> None:
        """Forget all: they wait again."""
        self._batches.clear()

    def __bool__(self) -> bool:
        return bool(self._batches)
