"""This module is the spool: what is to be sent to an InfluxDB, one blob of each batch, in the batch's transaction.

Numbers grow with the commits. The spool has a bound: past it the oldest blobs are dropped, with the span they held, for
the store has all of it and can send it again (`store/resend.py`). Where no InfluxDB is set, nothing is spooled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Any

from plantmon.model.metric import SentMetric
from plantmon.model.reading import Columns
from plantmon.model.verdict import Verdict
from plantmon.model.window import Window
from plantmon.store import blobs

# Dropping makes a little room beyond what it must, or each batch would have to drop again; but the transaction that
# drops stays short, also where the limit was lowered: then it takes a few of them.
_ROOM_SHARE, _ROOM_BYTES = 0.05, 100_000
_DROPPED_AT_ONCE = 100  # blobs
_ROW_BYTES = 24  # what a blob costs beside its data, about
# Batches of a live plant hold a reading or two; kept for days they are put together, or each would cost as a big one.
PACK_BLOBS = 1000
_PACKED_ROWS = 5000


class What(StrEnum):
    """What a blob holds."""

    READING = "reading"
    WINDOW = "window"
    VERDICT = "verdict"
    ALARM = "alarm"
    METRIC = "metric"


@dataclass(frozen=True, slots=True)
class Blob:
    """One batch that waits."""

    seq: int
    kind: What
    rows: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Total:
    """How full the spool is: bytes at most and now, rows that wait, up to which number it was accepted, lines refused.

    What was accepted takes bytes as long as it stays, and waits no more.
    """

    most: int
    bytes: int
    rows: int
    accepted: int
    refused: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was dropped of a kind: how many rows, and the span [start, end) of event time they lie in."""

    kind: What
    start_ms: int
    end_ms: int
    rows: int


def set_limit(connection: sqlite3.Connection, most: int) -> None:
    """Set how many bytes are kept at most; 0 ends spooling, and what waits stays until it is sent or dropped."""
    connection.execute("UPDATE spool_total SET most = ?", (most,))


def total(connection: sqlite3.Connection) -> Total:
    """Say how full the spool is."""
    return Total(*connection.execute("SELECT most, bytes, rows - held, accepted, refused FROM spool_total").fetchone())


def add_readings(connection: sqlite3.Connection, readings: Columns) -> None:
    """Spool readings that are new in the store."""
    if len(readings.ts) and _is_on(connection):
        _add(connection, What.READING, len(readings.ts), blobs.pack_readings(readings))


def add_windows(connection: sqlite3.Connection, windows: Sequence[Window]) -> None:
    """Spool windows that were written."""
    _add_rows(connection, What.WINDOW, lambda: [astuple(window) for window in windows] if windows else [])


def add_verdicts(connection: sqlite3.Connection, verdicts: Sequence[Verdict], *, is_withdrawn: bool = False) -> None:
    """Spool verdicts that changed, or that no limit in force gives any more."""
    _add_rows(
        connection,
        What.VERDICT,
        lambda: [
            (one.limit_key, one.start, one.end, "withdrawn" if is_withdrawn else one.outcome, one.reason, one.value,
             one.bound)
            for one in verdicts
        ],
    )  # fmt: skip


def alarm_row(
    number: int, at_ms: int, event: str, alarm: int, kind: str, severity: str, detail: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> tuple[Any, ...]:  # fmt: skip
    """Give what is sent of a line of an alarm's history: nothing that a later line could change."""
    about = (facts.get(name) for name in ("outlet", "point", "limit"))
    return number, at_ms, event, alarm, kind, severity, detail.get("state", "normal"), *about


def add_alarm(connection: sqlite3.Connection, row: Callable[[], tuple[Any, ...]]) -> None:
    """Spool a line of an alarm's history, made where anything is spooled."""
    _add_rows(connection, What.ALARM, lambda: [row()])


def add_metrics(connection: sqlite3.Connection, metrics: Callable[[], Sequence[SentMetric]]) -> None:
    """Spool published figures, made where anything is spooled."""
    _add_rows(connection, What.METRIC, lambda: [astuple(one) for one in metrics()])


def _is_on(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT most FROM spool_total").fetchone()[0])


def _add_rows(connection: sqlite3.Connection, kind: What, rows: Callable[[], list[tuple[Any, ...]]]) -> None:
    if _is_on(connection) and (found := rows()):
        _add(connection, kind, len(found), blobs.pack_rows(found))


def _add(connection: sqlite3.Connection, kind: What, rows: int, data: bytes) -> None:
    connection.execute("INSERT INTO spool (kind, rows, data) VALUES (?, ?, ?)", (kind, rows, data))
    ((most, used),) = connection.execute(
        "UPDATE spool_total SET bytes = bytes + ?, rows = rows + ? RETURNING most, bytes",
        (len(data) + _ROW_BYTES, rows),
    ).fetchall()
    if used > most:
        _drop(connection, used - most + min(int(most * _ROOM_SHARE), _ROOM_BYTES))


def waiting(connection: sqlite3.Connection, after: int, most_rows: int) -> list[Blob]:
    """Give the oldest blobs behind a number that hold so many rows together, at least one when there is any."""
    found: list[Blob] = []
    rows = 0
    for seq, kind, count, data in connection.execute(
        "SELECT seq, kind, rows, data FROM spool WHERE seq > ? ORDER BY seq", (after,)
    ):
        if found and rows + count > most_rows:
            break
        found.append(Blob(seq, What(kind), count, data))
        rows += count
    return found


def accept(connection: sqlite3.Connection, number: int, rows: int) -> None:
    """Note that blobs up to a number were accepted, with so many rows more than before; they stay until removed."""
    connection.execute("UPDATE spool_total SET accepted = ?, held = held + ?", (number, rows))


def go_back(connection: sqlite3.Connection) -> None:
    """Have everything that is there wait again."""
    connection.execute("UPDATE spool_total SET accepted = 0, held = 0")


def remove(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Take out blobs that were accepted; one that was dropped meanwhile is passed over."""
    (accepted,) = connection.execute("SELECT accepted FROM spool_total").fetchone()
    size = rows = held = 0
    for number in numbers:
        gone = connection.execute("DELETE FROM spool WHERE seq = ? RETURNING rows, length(data)", (number,)).fetchall()
        for count, length in gone:
            rows, size = rows + count, size + length + _ROW_BYTES
            held += count if number <= accepted else 0
    connection.execute("UPDATE spool_total SET bytes = bytes - ?, rows = rows - ?, held = held - ?", (size, rows, held))


def pack(connection: sqlite3.Connection, after: int) -> int:
    """Put a thousand small blobs of readings behind a number together; give the number up to which that is done.

    Gives `after` itself while there are too few. Readings change places with windows and alarms between them, which
    are other series; among themselves they stay in order.
    """
    found = connection.execute(
        "SELECT seq, kind, rows, data FROM spool WHERE seq > ? ORDER BY seq LIMIT ?", (after, PACK_BLOBS)
    ).fetchall()
    if len(found) < PACK_BLOBS:
        return after
    small = [one for one in found if one[1] == What.READING and one[2] < _PACKED_ROWS]
    for run in _runs(small):
        data = blobs.pack_readings(blobs.join_readings([blobs.unpack_readings(one[3]) for one in run]))
        rows, before = sum(one[2] for one in run), sum(len(one[3]) + _ROW_BYTES for one in run)
        connection.executemany("DELETE FROM spool WHERE seq = ?", [one[:1] for one in run[1:]])
        connection.execute("UPDATE spool SET rows = ?, data = ? WHERE seq = ?", (rows, data, run[0][0]))
        connection.execute("UPDATE spool_total SET bytes = bytes + ?", (len(data) + _ROW_BYTES - before,))
    return int(found[-1][0])


def _runs(small: list[tuple[int, str, int, bytes]]) -> list[list[tuple[int, str, int, bytes]]]:
    """Cut blobs into runs of some thousand rows; a run of one stays as it is."""
    runs: list[list[tuple[int, str, int, bytes]]] = [[]]
    rows = 0
    for one in small:
        if rows + one[2] > _PACKED_ROWS:
            runs.append([])
            rows = 0
        runs[-1].append(one)
        rows += one[2]
    return [run for run in runs if len(run) > 1]


def _drop(connection: sqlite3.Connection, excess: int) -> None:
    """Drop the oldest blobs to free so many bytes; keep of which spans they were, but of those accepted."""
    (accepted,) = connection.execute("SELECT accepted FROM spool_total").fetchone()
    oldest = connection.execute("SELECT seq, kind, rows, data FROM spool ORDER BY seq LIMIT ?", (_DROPPED_AT_ONCE,))
    for seq, kind, rows, data in oldest:
        if excess <= 0:
            break
        if seq > accepted:
            _note_dropped(connection, What(kind), rows, data)
        remove(connection, [seq])
        excess -= len(data) + _ROW_BYTES


def _note_dropped(connection: sqlite3.Connection, kind: What, rows: int, data: bytes) -> None:
    start, end = _span(kind, data)
    connection.execute(
        """
        INSERT INTO spool_dropped (kind, from_ms, to_ms, rows) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE
        SET from_ms = min(from_ms, excluded.from_ms), to_ms = max(to_ms, excluded.to_ms),
            rows = rows + excluded.rows
        """,
        (kind, start, end, rows),
    )


def _span(kind: What, data: bytes) -> tuple[int, int]:
    """Give the span of event time a blob's rows begin in."""
    if kind is What.READING:
        ts = blobs.unpack_readings(data).ts
        return int(ts.min()), int(ts.max()) + 1
    times = [row[1] for row in blobs.unpack_rows(data)]  # of each kind the second column
    return min(times), max(times) + 1


def dropped(connection: sqlite3.Connection) -> list[Dropped]:
    """List what was dropped and not sent again."""
    rows = connection.execute("SELECT kind, from_ms, to_ms, rows FROM spool_dropped ORDER BY kind")
    return [Dropped(What(kind), start, end, count) for kind, start, end, count in rows]


def note_sent_again(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> None:
    """Forget what was dropped of a span that was sent again whole."""
    connection.execute("DELETE FROM spool_dropped WHERE from_ms >= ? AND to_ms <= ?", (start_ms, end_ms))
