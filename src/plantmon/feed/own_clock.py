"""This module suspects our own clock: when every point is suddenly in the future, it is we who are wrong.

Rejecting good readings would then lose evidence, so the batch waits unacknowledged until the clock is right again.
"""

from __future__ import annotations

from enum import StrEnum

from plantmon.feed.check import Batch
from plantmon.times import MINUTE_MS, SECOND_MS

POINTS_TO_SUSPECT = 3  # one or two sensors can have a wrong clock; three at once, and nobody else right, have not
RECENT_MS = 10 * MINUTE_MS  # a reading this close to now shows that the clock is right
QUIET_S = 60.0  # real seconds a right reading vouches for the clock
WAIT_S = 3.0  # real seconds to wait for more points before a lone future reading is refused


class Finding(StrEnum):
    """What to do with a batch."""

    GO_ON = "go_on"
    WAIT = "wait"  # too little to tell: hold it a moment
    CLOCK_WRONG = "clock_wrong"  # hold it until the clock is right


class OwnClock:
    """Judges batches before they are stored; real time is passed in, from a monotonic clock in seconds."""

    def __init__(self, future_ms: int, rate: float = 1.0) -> None:
        self._future_ms = future_ms
        self._rate = rate
        self._vouched_s = -1e12
        self._vouched_ms = 0
        self._waiting_since_s: float | None = None

    def judge(self, batch: Batch, now_ms: int, real_s: float) -> Finding:
        """Say whether a batch can be judged by our clock."""
        if not batch.ts:
            return Finding.GO_ON
        horizon = now_ms + self._future_ms
        newest = max(batch.ts)
        if newest <= horizon:
            if newest >= now_ms - RECENT_MS:
                self._vouch(now_ms, real_s)
            return Finding.GO_ON
        if any(now_ms - RECENT_MS <= ts <= horizon for ts in batch.ts):
            self._vouch(now_ms, real_s)
            return Finding.GO_ON
        if self._was_set_back(now_ms, real_s):
            self._vouched_s = -1e12
        if real_s - self._vouched_s <= QUIET_S:
            return Finding.GO_ON
        ahead = {point for point, ts in zip(batch.point, batch.ts, strict=True) if ts > horizon}
        if len(ahead) >= POINTS_TO_SUSPECT:
            return Finding.CLOCK_WRONG
        if self._waiting_since_s is None:
            self._waiting_since_s = real_s
        if real_s - self._waiting_since_s < WAIT_S:
            return Finding.WAIT
        self._waiting_since_s = None
        return Finding.GO_ON

    def _was_set_back(self, now_ms: int, real_s: float) -> bool:
        """Whether our clock stands behind what has passed since a reading vouched for it: it vouched for another."""
        passed_ms = (real_s - self._vouched_s) * SECOND_MS * self._rate
        return now_ms - self._vouched_ms < passed_ms - self._future_ms / 2

    def _vouch(self, now_ms: int, real_s: float) -> None:
        self._vouched_s, self._vouched_ms = real_s, now_ms
        self._waiting_since_s = None
