"""This module passes over what cannot be computed just now because a sealed file is missing or damaged.

The rest of a plant goes on meanwhile; marks of what is passed over stay, and it is tried again every so often.
"""

from __future__ import annotations

from plantmon.errors import ArchiveError
from plantmon.times import MINUTE_MS

AGAIN_MS = 10 * MINUTE_MS


class PassedOver:
    """Windows, by their start, that need a file which cannot be read."""

    def __init__(self) -> None:
        self._until: dict[int, int] = {}
        self.fault: str | None = None  # the newest, None when there is none (any more)

    def note(self, start: int, error: ArchiveError, now_ms: int) -> None:
        """Pass over a window for a while."""
        self._until[start] = now_ms + AGAIN_MS
        self.fault = str(error)

    def starts(self, now_ms: int) -> frozenset[int]:
        """Give what is passed over now; what was long enough is tried again."""
        self._until = {start: until for start, until in self._until.items() if until > now_ms}
        if not self._until:
            self.fault = None
        return frozenset(self._until)
