"""This module is the stage that forwards: it takes what waits in the spool, writes lines, sends them, takes it out.

In the order of the commits, at least once: what was sent and not taken out is sent again, as the same points, and so is
what a server had accepted shortly before it went away. A server that cannot take it makes everything wait, ever longer
up to a minute of real time; what it refuses for good is set aside and the rest goes on. While the spool is empty, spans
that were asked for are sent again from the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from plantmon.forward.held import Held
from plantmon.forward.lines import Lines
from plantmon.forward.reply import Reply
from plantmon.forward.split import deliver
from plantmon.model.plant import Plant
from plantmon.store import blobs, refused, resend, sent_points, spool
from plantmon.store.database import Store
from plantmon.store.refused import Refused
from plantmon.store.spool import Blob, What

log = structlog.get_logger("plantmon.forward")

ROWS_AT_ONCE = 10_000  # InfluxDB's own advice: 5,000 to 10,000 lines a request
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
HOLD_S = 60.0  # VictoriaMetrics writes what it accepted within five seconds


class Writer(Protocol):
    """Who writes lines into an InfluxDB."""

    def send(self, lines: Sequence[str], precision: str) -> Reply:
        """Write lines, their times in `precision`; give the answer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did: rows sent, whether much more waits, the fault that keeps it waiting, how long (real time)."""

    rows: int = 0
    is_full: bool = False
    fault: str | None = None
    wait_s: float = 0.0


@dataclass(slots=True)
class _Progress:
    """How far a batch is whose sending was broken off: chunks done, what was refused in them, over a new connection."""

    numbers: tuple[int, ...] = ()
    chunks: int = 0
    refused: tuple[Refused, ...] = ()
    is_new: bool = False


Chunk = tuple[str, list[str]]  # precision, lines


def wait_s(failures: int) -> float:
    """Give how long to wait after so many failures in a row: 1 s, doubling up to a minute.

    >>> [wait_s(count) for count in (1, 2, 3, 7, 1000)]
    [1.0, 2.0, 4.0, 60.0, 60.0]
    """
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * (1 << min(failures - 1, 16)))


class Forwarder:
    """Sends the spool of one plant; `metrics` reads what was published once more. One thread runs it.

    `hold_s` is how long what was accepted is kept (real time), lest the server had it in memory alone.
    """

    def __init__(
        self, store: Store, plant: Plant, writer: Writer, metrics: resend.Metrics, hold_s: float = HOLD_S
    ) -> None:
        def begin(connection: sqlite3.Connection) -> None:
            sent_points.register(connection, plant)
            spool.go_back(connection)

        store.write(begin)
        with store.readers.snapshot() as connection:
            self._lines = Lines(plant.id, sent_points.read(connection))
        self._store = store
        self._writer = writer
        self._metrics = metrics
        self._failures = 0
        self._packed = 0  # the number up to which small blobs were put together
        self._progress = _Progress()
        self._held = Held(hold_s)
        self._accepted = 0  # the number up to which the server accepted all

    def run(self, now_ms: int, real_s: float) -> Turn:
        """Send the oldest batch, or the next piece of a span asked for.

        `now_ms` (plant time) dates what is refused, `real_s` (a monotonic clock) ends what is held.
        Raises StoreUnavailable; what was sent and could not be taken out is then sent again.
        """
        if self._failures:
            self._pack()
        with self._store.readers.snapshot() as connection:
            waiting = spool.waiting(connection, self._accepted, ROWS_AT_ONCE)
            asked = resend.asked(connection)
        if waiting:
            return self._send_blobs(waiting, now_ms, real_s, asked)
        if over := self._held.over(real_s):
            self._store.write(lambda connection: spool.remove(connection, over))
            self._held.release(real_s)
        return self._send_again(asked[0], now_ms) if asked else Turn()

    def _send_blobs(self, waiting: list[Blob], now_ms: int, real_s: float, asked: list[resend.Resend]) -> Turn:
        numbers = tuple(blob.seq for blob in waiting)
        if self._progress.numbers != numbers:
            self._progress = _Progress(numbers)
        reply = self._send_chunks(list(self._chunks_of(waiting)))
        if reply is not None:
            return self._waits(reply)
        found, is_new = self._progress.refused, self._progress.is_new
        rows = sum(blob.rows for blob in waiting)
        had_before = bool(self._held)
        self._held.add(numbers, real_s)
        over = self._held.over(real_s)

        def write(connection: sqlite3.Connection) -> None:
            refused.add(connection, found, now_ms)
            spool.accept(connection, numbers[-1], rows)
            spool.remove(connection, over)

        self._store.write(write)
        self._accepted = numbers[-1]
        self._held.release(real_s)
        is_full = rows * 2 >= ROWS_AT_ONCE
        # While a backlog drains, a server that goes away is seen; a proxy may close connections as it likes.
        if is_new and had_before and not is_full:
            self._go_back()
        return self._done(rows, is_full=is_full or bool(asked))

    def _go_back(self) -> None:
        """Have everything that is held wait again: the server went away, perhaps without it."""
        if self._accepted:
            self._store.write(spool.go_back)
            self._accepted = 0
            self._held.clear()
            self._progress = _Progress()

    def _send_again(self, asked: resend.Resend, now_ms: int) -> Turn:
        with self._store.readers.snapshot() as connection:
            piece = resend.next_piece(connection, asked, ROWS_AT_ONCE, self._metrics)
        lines = (
            self._lines.rows(piece.kind, piece.rows) if piece.readings is None else self._lines.readings(piece.readings)
        )
        self._progress = _Progress()
        reply = self._send_chunks(list(_cut(Lines.precision(piece.kind), lines)))
        if reply is not None:
            return self._waits(reply)
        found = self._progress.refused

        def write(connection: sqlite3.Connection) -> None:
            refused.add(connection, found, now_ms)
            resend.note_sent(connection, asked, piece)
            if piece.part is None:
                spool.note_sent_again(connection, asked.start_ms, asked.end_ms)

        self._store.write(write)
        if piece.part is None:
            log.info("sent_again", start=asked.start_ms, end=asked.end_ms, rows=asked.rows + piece.count, by=asked.by)
        return self._done(piece.count, is_full=True)

    def _send_chunks(self, chunks: list[Chunk]) -> Reply | None:
        """Send what is left of a batch; give the answer that makes it wait."""
        progress = self._progress
        for precision, lines in chunks[progress.chunks :]:
            delivered = deliver(lines, partial(self._writer.send, precision=precision))
            if delivered.waits is not None:
                return delivered.waits
            progress.chunks += 1
            progress.refused += delivered.refused
            progress.is_new |= delivered.is_new
        return None

    def _chunks_of(self, waiting: list[Blob]) -> Iterator[Chunk]:
        """Write a batch's lines, those of one precision together, in their order, and cut where there are enough.

        Alarms, which alone have another precision, so go behind what else is in their batch; they are series apart.
        """
        written: dict[str, list[str]] = {}
        for blob in waiting:
            written.setdefault(Lines.precision(blob.kind), []).extend(self._lines_of(blob))
        for precision, lines in written.items():
            yield from _cut(precision, lines)

    def _lines_of(self, blob: Blob) -> list[str]:
        if blob.kind is What.READING:
            return self._lines.readings(blobs.unpack_readings(blob.data))
        return self._lines.rows(blob.kind, blobs.unpack_rows(blob.data))

    def _waits(self, reply: Reply) -> Turn:
        self._failures += 1
        if reply.is_gone:
            self._go_back()
        return Turn(0, False, reply.said, max(wait_s(self._failures), reply.wait_s or 0.0))

    def _done(self, rows: int, *, is_full: bool) -> Turn:
        self._failures = 0
        if found := self._progress.refused:
            log.warning("lines_refused", count=len(found), answer=found[0].answer)
        self._progress = _Progress()
        return Turn(rows, is_full)

    def _pack(self) -> None:
        """Put what piles up together, while there is enough of it."""
        after = max(self._packed, self._accepted)  # what was accepted may not be mixed with what was not
        while (packed := self._store.write(partial(spool.pack, after=after))) != after:
            self._packed = after = packed


def _cut(precision: str, lines: list[str]) -> Iterator[Chunk]:
    for start in range(0, len(lines), ROWS_AT_ONCE):
        yield precision, lines[start : start + ROWS_AT_ONCE]
