"""This module keeps readings: gauges by (time, point), counters and slow gauges by (point, time), each once.

The first value of a (time, point) stands; a second equal one is a redelivery, a different one a conflict. Days that
were released from SQLite are read from their sealed files (`store/sealed_days.py`): who asks here sees no difference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from plantmon.model.reading import Columns, Reading, Rows
from plantmon.store import late, sealed_days
from plantmon.store.database import Readers
from plantmon.store.late import Inserted, rows_of
from plantmon.times import HOUR_MS

_COLUMNS = np.dtype([("ts", np.int64), ("point", np.int64), ("value", np.float64), ("flag", np.int64)])
_INSERT = "INSERT INTO {} (ts, point, value, flag, arrival_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_DENSE = "SELECT ts, point, value, flag, arrival_ms FROM reading WHERE ts >= ? AND ts < ? ORDER BY ts, point"
_OF_DENSE = "SELECT ts, point, value, flag, arrival_ms FROM reading WHERE ts >= ? AND ts < ? AND point = ? ORDER BY ts"
_OF_SPARSE = (
    "SELECT ts, point, value, flag, arrival_ms FROM register WHERE ts >= ? AND ts < ? AND point = ? ORDER BY ts"
)
_ALL_SPARSE = """
    SELECT register.ts, point.id, value, flag, arrival_ms
    FROM point JOIN register ON register.point = point.id AND register.ts >= ? AND register.ts < ? WHERE sparse
"""


def columns(rows: Iterable[tuple[int, int, float, int]]) -> Columns:
    """Turn rows (ts, point, value, flag) into arrays, without holding them all as Python objects."""
    table = np.fromiter(rows, _COLUMNS)
    return Columns(*(np.ascontiguousarray(table[name]) for name in ("ts", "point", "value", "flag")))


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[int, int, float, int, int]]) -> Inserted:
    """Store rows (ts, point, value, flag, arrival) in `reading` or `register`, in the order of its key; say what came.

    A row that is there already with an equal value is passed over, whatever its flag. Rows of sealed days go the way
    of late ones.
    """
    if (found := late.places(connection, rows)) is not None:
        now = [place for place in range(len(rows)) if place not in found]
        made = _insert(connection, table, [rows[place] for place in now])
        others = late.insert(connection, table, rows, found)
        conflicts = {now[place]: value for place, value in made.conflicts.items()} | others.conflicts
        return Inserted(made.fresh + others.fresh, conflicts, others.again)
    return _insert(connection, table, rows)


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[int, int, float, int, int]]) -> Inserted:
    before = connection.total_changes
    connection.executemany(_INSERT.format(table), rows)
    fresh = connection.total_changes - before
    if fresh == len(rows):
        return Inserted(fresh, {}, [])
    lookup = f"SELECT value FROM {table} WHERE ts = ? AND point = ?"  # noqa: S608 - one of two constants
    stands = ((place, connection.execute(lookup, row[:2]).fetchone()[0]) for place, row in enumerate(rows))
    return Inserted(fresh, {place: value for place, value in stands if value != rows[place][2]}, [])


def gauges(
    connection: sqlite3.Connection, start_ms: int, end_ms: int, slow: Iterable[int] = (),
    only: Collection[int] | None = None,
) -> Columns:  # fmt: skip
    """Read the dense gauges' readings in [start, end) and those of the `slow` ones named.

    By time then point within each. Where only some are wanted, others may come with them.
    """
    slow = list(slow)
    wanted = None if only is None else {*only, *slow}
    parts = []
    for stretch in sealed_days.stretches(connection, start_ms, end_ms):
        if stretch.sealed is None:
            parts.append(rows_of(connection.execute(_DENSE, stretch.span)))
            parts.append(late.dense(connection, stretch.span))
        else:
            parts.append(sealed_days.read(connection, stretch, sealed_days.dense_in(connection, stretch, slow, wanted)))
    filed = sealed_days.filed(connection, slow)
    for point in slow:
        parts += [rows_of(connection.execute(_OF_SPARSE, (*span, point)))
                  for span in sealed_days.unfiled(connection, start_ms, end_ms, filed.get(point))]  # fmt: skip
    return Rows.join([part for part in parts if len(part)]).columns()


def of(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> Columns:
    """Read one gauge's readings in [start, end), wherever they live, oldest first."""
    return stored(connection, point, start_ms, end_ms).columns()


def stored(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> Rows:
    """Read one point's readings in [start, end) with their arrival, wherever they live, oldest first."""
    row = connection.execute("SELECT sparse, filed_until_ms FROM point WHERE id = ?", (point,)).fetchone()
    if row is None:
        return Rows.none()
    is_sparse, filed_until = row
    parts = []
    for stretch in sealed_days.stretches(connection, start_ms, end_ms, filed_until if is_sparse else None):
        if stretch.sealed is not None:
            parts.append(sealed_days.read(connection, stretch, [point]))
            continue
        parts.append(rows_of(connection.execute(_OF_SPARSE if is_sparse else _OF_DENSE, (*stretch.span, point))))
        if not is_sparse and len(more := late.dense(connection, stretch.span, point)):
            parts[-1] = Rows.join([parts[-1], more]).by_time()
    return Rows.join(parts)


def span(connection: sqlite3.Connection, start_ms: int, end_ms: int, points: Collection[int] | None = None) -> Rows:
    """Read everything in [start, end), of some points or of all, counters too, by time then point.

    Holds it all in memory: ask for an hour at a time, or for few points (`slices`).
    """
    parts = []
    for stretch in sealed_days.stretches(connection, start_ms, end_ms):
        if stretch.sealed is None:
            parts += [rows_of(connection.execute(_DENSE, stretch.span)), late.dense(connection, stretch.span)]
        else:
            parts.append(sealed_days.read(connection, stretch, sealed_days.dense_in(connection, stretch, (), points)))
    filed = sealed_days.filed(connection)
    for number, until in filed.items():
        for stretch in sealed_days.stretches(connection, start_ms, end_ms, until):
            if stretch.sealed is not None:
                parts.append(sealed_days.read(connection, stretch, [number]))
    registers = rows_of(connection.execute(_ALL_SPARSE, (start_ms, end_ms)))
    for number, until in filed.items():
        kept = registers.point != number
        for first, last in sealed_days.unfiled(connection, start_ms, end_ms, until):
            kept |= (registers.ts >= first) & (registers.ts < last)
        registers = registers.take(kept)
    found = Rows.join([*parts, registers])
    return (found if points is None else found.take(np.isin(found.point, list(points)))).by_time()


def slices(readers: Readers, start_ms: int, end_ms: int, points: Collection[int] | None = None) -> Iterator[Rows]:
    """Read everything in [start, end) an hour of UTC at a time, oldest first, each by time then point.

    Each hour is a short snapshot of its own; hours without readings are passed over.
    """
    at = start_ms
    while at < end_ms:
        edge = min(end_ms, at // HOUR_MS * HOUR_MS + HOUR_MS)
        with readers.snapshot() as connection:
            found = span(connection, at, edge, points)
            edge = edge if len(found) else max(edge, _next_hour(connection, edge, end_ms))
        if len(found):
            yield found
        at = edge


def _next_hour(connection: sqlite3.Connection, at_ms: int, end_ms: int) -> int:
    """Give the hour of the next reading there may be at or after an instant: what lies before it has none."""
    firsts = connection.execute(
        """
        SELECT (SELECT min(ts) FROM reading WHERE ts >= :at), (SELECT min(ts) FROM late_reading WHERE ts >= :at),
          (SELECT max(:at, min(day)) FROM archive_day WHERE released_ms IS NOT NULL AND day > :at - 86400000),
          (SELECT min(first) FROM (
            SELECT (SELECT min(ts) FROM register WHERE register.point = point.id AND ts >= :at) AS first FROM point
          ))
        """,
        {"at": at_ms},
    ).fetchone()
    return min((ts for ts in firsts if ts is not None), default=end_ms) // HOUR_MS * HOUR_MS


def following(connection: sqlite3.Connection, key: tuple[int, int], end_ms: int, most: int) -> Rows:
    """Read dense readings that come after a key (time, point), before `end_ms`, at most so many, by time then point."""
    parts: list[Rows] = []
    count = 0
    for stretch in sealed_days.stretches(connection, key[0], end_ms):
        for first, last in stretch.hours() if stretch.sealed is not None else (stretch.span,):
            if stretch.sealed is not None:
                wanted = sealed_days.dense_in(connection, stretch, (), None)
                found = sealed_days.read(connection, stretch.within(first, last), wanted)
                found = found.take((found.ts > key[0]) | (found.point > key[1])).by_time()
            else:
                found = _following_hot(connection, key, (first, last), most)
            parts.append(found.take(slice(0, most - count)))
            count += len(parts[-1])
            if count == most:
                return Rows.join(parts)
    return Rows.join(parts)


def _following_hot(connection: sqlite3.Connection, key: tuple[int, int], span: tuple[int, int], most: int) -> Rows:
    parts = [
        rows_of(
            connection.execute(
                f"SELECT ts, point, value, flag, arrival_ms FROM {table} "  # noqa: S608 - one of two constants
                "WHERE (ts, point) > (:ts, :point) AND ts >= :start AND ts < :end "
                f"{only} ORDER BY ts, point LIMIT :most",
                {"ts": key[0], "point": key[1], "start": span[0], "end": span[1], "most": most},
            )
        )
        for table, only in (("reading", ""), ("late_reading", late.ONLY_DENSE))
    ]
    return Rows.join(parts).by_time()


def settle(connection: sqlite3.Connection, point: int, is_sparse: bool) -> None:
    """Move a point's readings to the table its interval asks for; those of released days stay in their files."""
    fields = "ts, point, value, flag, arrival_ms"
    if is_sparse:
        source, target = "reading", "register"
        released = connection.execute("SELECT max(day) + 86400000 FROM archive_day WHERE released_ms IS NOT NULL")
        connection.execute("UPDATE point SET filed_until_ms = ? WHERE id = ?", (released.fetchone()[0] or 0, point))
    else:
        source, target = "register", "reading"
        connection.execute("UPDATE point SET filed_until_ms = 0 WHERE id = ?", (point,))
    for table in (source, *(("late_reading",) if is_sparse else ())):
        # What is late for a sealed day is read from late_reading while the point is dense, else from register.
        connection.execute(
            f"INSERT OR IGNORE INTO {target} ({fields}) SELECT {fields} FROM {table} AS one WHERE point = ?"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM archive_day"
            "   WHERE day <= one.ts AND day > one.ts - 86400000 AND released_ms IS NOT NULL)"
            + ("" if is_sparse else " AND NOT EXISTS (SELECT 1 FROM late_reading AS late"
               " WHERE late.ts = one.ts AND late.point = one.point)"),
            (point,),
        )  # fmt: skip
    connection.execute(f"DELETE FROM {source} WHERE point = ?", (point,))  # noqa: S608 - one of two constants
    connection.execute("UPDATE point SET sparse = ? WHERE id = ?", (is_sparse, point))


def register(
    connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int, before: int, after: int
) -> Columns:
    """Read one counter's valid readings in [start, end), with up to `before` earlier and `after` later ones.

    Flagged register readings are not used (settled choices), unless their value was corrected.
    """
    select = """
        SELECT ts, point, value, flag FROM register WHERE point = :point AND (flag = 0 OR EXISTS (
          SELECT 1 FROM correction WHERE correction.ts = register.ts AND correction.point = register.point
        ))
    """
    rows = connection.execute(
        f"""
        SELECT * FROM (SELECT * FROM ({select} AND ts < :start ORDER BY ts DESC LIMIT :before)
        UNION ALL {select} AND ts >= :start AND ts < :end
        UNION ALL SELECT * FROM ({select} AND ts >= :end ORDER BY ts LIMIT :after)) ORDER BY ts
        """,  # noqa: S608 - built of constants
        {"point": point, "start": start_ms, "end": end_ms, "before": before, "after": after},
    )
    return columns(rows)


def of_point(connection: sqlite3.Connection, point: int, start_ms: int, end_ms: int) -> list[Reading]:
    """List one point's readings in [start, end), gauge or counter, oldest first, for people to look at."""
    found = stored(connection, point, start_ms, end_ms)
    columns = (found.ts, found.point, found.value, found.flag, found.arrival)
    return [Reading(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def nearest(connection: sqlite3.Connection, point: int, at_ms: int) -> list[int]:
    """Give the instants of one point's readings just before and just after an instant, as far as there are any.

    Readings that live by time are looked for within an hour: further away everybody else's would be read too.
    """
    found: list[int] = []
    for edges, order in ((f"ts < {at_ms}", "DESC"), (f"ts > {at_ms}", "ASC")):
        row = connection.execute(
            f"SELECT ts FROM register WHERE point = ? AND {edges} ORDER BY ts {order} LIMIT 1",  # noqa: S608 - numbers
            (point,),
        ).fetchone()
        found += row or ()
    near = stored(connection, point, at_ms - HOUR_MS, at_ms + HOUR_MS + 1).ts
    return sorted({*found, *near[near < at_ms][-1:].tolist(), *near[near > at_ms][:1].tolist()})
