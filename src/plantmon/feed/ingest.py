"""This module writes a batch of messages into the store in one transaction: readings, refusals and marks together.

After the transaction the caller may acknowledge the messages; before it, never.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.feed.check import Batch, Message
from plantmon.model.plant import Plant
from plantmon.model.reading import POINT_BITS, Columns
from plantmon.store import dirty, points, readings, reported, spool, values
from plantmon.store.late import Inserted
from plantmon.store.rejected import Rejected, Why, add
from plantmon.store.reported import Reported
from plantmon.times import HOUR_MS, MINUTE_MS, SECOND_MS

# How often a point's newest arrival is written while it speaks; silence is judged in intervals, not milliseconds.
LIVES_EVERY_MS = SECOND_MS

OnBatch = Callable[[sqlite3.Connection, Columns, int], bool]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: readings new in the store, repeats dropped, refusals; `woke` when an alarm moved."""

    readings: int
    repeats: int
    rejected: int
    woke: bool


class Ingest:
    """Writes batches for one plant file. `on_batch` judges the new readings in the same transaction."""

    def __init__(
        self, plant: Plant, numbers: dict[str, int], sparse: frozenset[int], on_batch: OnBatch | None = None
    ) -> None:
        self._plant = plant
        self._names = {number: name for name, number in numbers.items()}
        self._sparse = np.array(sorted(sparse), np.int64)
        self._on_batch = on_batch
        self._lives: dict[int, tuple[int, int, int | None]] = {}
        self._lives_written_ms = 0
        self._first: dict[int, int] = {}
        self._off_hour = plant.time.offset_ms(0) % HOUR_MS

    def write(self, connection: sqlite3.Connection, batch: Batch, messages: list[Message], now_ms: int) -> Stored:
        """Store what is good, keep the rest as rejected, mark what must be computed.

        Runs inside the caller's transaction. A reading in the future or older than the lateness is refused; what is
        taken from a file may be of any age.
        """
        ts = np.array(batch.ts, np.int64)
        refused = list(batch.rejected)
        in_time = self._in_time(batch, ts, messages, now_ms, refused)
        point = np.array(batch.point, np.int64)
        is_sparse = np.isin(point, self._sparse)
        fresh, sealed = 0, 0
        for table, chosen in (("reading", in_time & ~is_sparse), ("register", in_time & is_sparse)):
            came = self._insert(connection, table, batch, chosen, messages, refused)
            in_time[[*came.conflicts, *came.again]] = False
            fresh, sealed = fresh + came.fresh, sealed + len(came.again)
        again = self._keep_reported(connection, batch, messages, now_ms, refused)
        if refused:
            add(connection, refused)
            ahead = {one.point: one.arrival_ms for one in refused if one.why is Why.FUTURE and one.point is not None}
            points.note_ahead(connection, ahead.items())
        woke = False
        if fresh:
            kept = np.flatnonzero(in_time)
            if fresh < len(kept):  # of one time and point only the first is stored; what came second is no news
                first = np.unique(ts[kept] << POINT_BITS | point[kept], return_index=True)[1]
                kept = kept[np.sort(first)]
            new = Columns(ts[kept], point[kept], np.array(batch.value)[kept], np.array(batch.flag, np.int64)[kept])
            spool.add_readings(connection, new)
            self._touch(connection, new)
            self._live(connection, new, batch, kept, messages, now_ms)
            if self._on_batch is not None:
                woke = self._on_batch(connection, new, now_ms)
        repeats = batch.repeats + int(in_time.sum()) - fresh + sealed + again
        return Stored(fresh, repeats, len(refused), woke)

    def has_lives_due(self, now_ms: int) -> bool:
        """Whether points spoke whose life is not written and will not be with a batch: none has come for a while."""
        return bool(self._lives) and now_ms - self._lives_written_ms >= LIVES_EVERY_MS

    def forget(self) -> None:
        """Forget what was noted in memory only, after a transaction was undone."""
        self._lives.clear()
        self._first.clear()

    def _in_time(
        self, batch: Batch, ts: NDArray[np.int64], messages: list[Message], now_ms: int, refused: list[Rejected]
    ) -> NDArray[np.bool_]:
        rules = self._plant.rules
        future = ts > now_ms + rules.future_ms
        old = (ts < now_ms - rules.lateness_ms) & (not batch.is_import)
        for why, places in ((Why.FUTURE, np.flatnonzero(future)), (Why.TOO_OLD, np.flatnonzero(old))):
            for place in places:
                refused.append(self._refusal(why, batch, int(place), messages, self._plant.time.show(now_ms)))
        return ~(future | old)

    def _refusal(self, why: Why, batch: Batch, place: int, messages: list[Message], against: str) -> Rejected:
        message = messages[batch.source[place]]
        detail = f"{self._plant.time.show(batch.ts[place])}, value {batch.value[place]:.12g}, against {against}"
        return Rejected(
            why, message.topic, message.arrival_ms, detail, message.payload,
            self._names[batch.point[place]], batch.ts[place],
        )  # fmt: skip

    def _insert(
        self, connection: sqlite3.Connection, table: str, batch: Batch, chosen: NDArray[np.bool_],
        messages: list[Message], refused: list[Rejected],
    ) -> Inserted:  # fmt: skip
        """Store the chosen readings and refuse those that contradict what stands; say what came, by their places."""
        if not chosen.any():
            return Inserted(0, {}, [])
        # In the order of the key: a column of one point lands all over the table otherwise, at twice the cost. The
        # sort is stable, so of two values for one key the first to arrive stands.
        places = np.flatnonzero(chosen)
        ts, point = np.array(batch.ts, np.int64)[places], np.array(batch.point, np.int64)[places]
        keys = (ts, point) if table == "register" else (point, ts)
        order = np.lexsort(keys)
        places = places[order]
        arrival = np.array(batch.arrival, np.int64)[places]
        value, flag = np.array(batch.value, np.float64)[places], np.array(batch.flag, np.int64)[places]
        columns = (ts[order], point[order], value, flag, arrival)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        came = readings.insert(connection, table, rows)
        conflicts = {int(places[one]): stands for one, stands in came.conflicts.items()}
        for place, stands in conflicts.items():
            refused.append(self._refusal(Why.CONFLICT, batch, place, messages, f"stored {stands:.12g}"))
        return Inserted(came.fresh, conflicts, [int(places[one]) for one in came.again])

    def _keep_reported(
        self, connection: sqlite3.Connection, batch: Batch, messages: list[Message], now_ms: int,
        refused: list[Rejected],
    ) -> int:  # fmt: skip
        """Keep what devices say of periods, the first figures of each; give how many came again."""
        rules, again = self._plant.rules, 0
        for place, row in batch.reported:
            before = connection.total_changes
            why, against = None, self._plant.time.show(now_ms)
            if row.start > now_ms + rules.future_ms:
                why = Why.FUTURE
            elif row.start < now_ms - rules.lateness_ms and not batch.is_import:
                why = Why.TOO_OLD
            elif (stands := reported.insert(connection, row)).figures != row.figures:
                why, against = Why.CONFLICT, f"stored {_shown(stands)}"
            again += why is None and connection.total_changes == before
            if why is not None:
                message = messages[place]
                detail = f"{row.level} of {self._plant.time.show(row.start)}, {_shown(row)}, against {against}"
                refused.append(
                    Rejected(
                        why, message.topic, message.arrival_ms, detail, message.payload,
                        self._names[row.point], row.start,
                    )
                )  # fmt: skip
        return again

    def _touch(self, connection: sqlite3.Connection, new: Columns) -> None:
        """Mark the minutes a batch touched, per point and local clock hour."""
        if self._plant.time.offset_ms(int(new.ts[0])) % HOUR_MS != self._off_hour:
            self._off_hour = self._plant.time.offset_ms(int(new.ts[0])) % HOUR_MS
        minute = (new.ts + self._off_hour) // MINUTE_MS
        pairs = np.unique(minute << POINT_BITS | new.point)
        masks: dict[tuple[int, int], int] = {}
        for pair in pairs.tolist():
            at, point = divmod(pair, 1 << POINT_BITS)
            hour, bit = divmod(at, 60)
            key = (hour * HOUR_MS - self._off_hour, point)
            masks[key] = masks.get(key, 0) | 1 << bit
        dirty.touch(connection, ((hour, point, mask) for (hour, point), mask in masks.items()))

    def _live(
        self, connection: sqlite3.Connection, new: Columns, batch: Batch, chosen: NDArray[np.int64],
        messages: list[Message], now_ms: int,
    ) -> None:  # fmt: skip
        """Note who spoke; a point's first reading at once, the rest every few seconds."""
        order = np.argsort(new.point, kind="stable")
        numbers, begins = np.unique(new.point[order], return_index=True)
        oldest = np.minimum.reduceat(new.ts[order], begins)
        newest = np.maximum.reduceat(new.ts[order], begins)
        retained = np.array([message.retain for message in messages])
        is_live = ~retained[np.array(batch.source, np.int64)[chosen]]
        arrival = np.where(is_live, np.array(batch.arrival, np.int64)[chosen], -1)
        heard = np.maximum.reduceat(arrival[order], begins)
        urgent = now_ms - self._lives_written_ms >= LIVES_EVERY_MS or now_ms < self._lives_written_ms
        for number, low, high, at in zip(
            numbers.tolist(), oldest.tolist(), newest.tolist(), heard.tolist(), strict=True
        ):
            old = self._lives.get(number, (low, high, None))
            heard_at = old[2] if at < 0 else max(at, old[2] or at)
            self._lives[number] = (min(low, old[0]), max(high, old[1]), heard_at)
            if low < self._first.get(number, 1 << 62):
                self._first[number] = low
                urgent = True
        if urgent:
            self.note_lives(connection, now_ms)

    def note_lives(self, connection: sqlite3.Connection, now_ms: int) -> None:
        """Write who spoke since it was last written."""
        points.note_spoken(connection, [(number, *life) for number, life in self._lives.items()])
        self._lives.clear()
        self._lives_written_ms = now_ms


def _shown(row: Reported) -> str:
    """Write the figures a device gave."""
    named = zip(reported.FIGURES, row.figures, strict=True)
    return ", ".join(f"{name} {value:.12g}" for name, value in named if value is not None)


def count_stored(connection: sqlite3.Connection, stored: Stored) -> None:
    """Add a batch to the store's running counts."""
    values.add_counts(
        connection,
        {"readings": stored.readings, "repeats": stored.repeats, "rejected": stored.rejected},
    )
