"""This module writes the readings of a span into a file, those of SQLite and of the archive as one, an hour at a time.

The file is there whole or not at all: it is written under another name, has its bytes on disk, and then gets its own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plantmon.errors import ArchiveError
from plantmon.model.plant import Plant
from plantmon.model.reading import Rows
from plantmon.sealed.slices import Slice, Writer
from plantmon.store import declarations, points, readings
from plantmon.store.database import Readers
from plantmon.tables.states import state_of
from plantmon.times import MINUTE_MS, PlantTime


class Form(StrEnum):
    """How readings are written."""

    PARQUET = "parquet"
    CSV = "csv"


_BYTES_A_ROW = {Form.PARQUET: 30, Form.CSV: 130}  # more than a reading takes that is not noise


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written: a span [start, end), and the numbers of points, None for all."""

    start_ms: int
    end_ms: int
    points: Collection[int] | None


def bytes_needed(connection: sqlite3.Connection, plant: Plant, wanted: Wanted, form: Form, now_ms: int) -> int:
    """Say how many bytes a file may take at most, by the points' intervals; points of old plant files come extra."""
    rows = 0
    for life in points.lives(connection).values():
        point = plant.points.get(life.name)
        is_wanted = wanted.points is None or life.id in wanted.points
        if point is not None and is_wanted and life.first_ms is not None:
            length = min(wanted.end_ms, now_ms) - max(wanted.start_ms, life.first_ms)
            rows += max(0, length) // point.interval_ms
    return rows * _BYTES_A_ROW[form]


def export(
    readers: Readers, plant: Plant, wanted: Wanted, form: Form, out: Path, tell: Callable[[int], None]
) -> int:  # fmt: skip
    """Write a file, telling how far it is as an instant; give how many readings it has.

    Raises ArchiveError where the file cannot be written, or a sealed file is not what was sealed.
    """
    with readers.snapshot() as connection:
        named = {row[0]: (row[1], row[2]) for row in connection.execute("SELECT id, name, unit FROM point")}
    part = out.with_name(f".{out.name}.{os.getpid()}")
    count = 0
    try:
        try:
            writer = _writer(form, part, named, plant.time)
            for rows in readings.slices(readers, wanted.start_ms, wanted.end_ms, wanted.points):
                writer.add(_explained(readers, rows))
                count += len(rows)
                tell(int(rows.ts[-1]))
            writer.close()
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ArchiveError(f"{out}: {error.strerror or error}") from error
    return count


def _writer(form: Form, path: Path, named: dict[int, tuple[str, str]], time: PlantTime) -> Writer:
    from plantmon.sealed.export import CsvExport, ParquetExport

    if form is Form.PARQUET:
        return ParquetExport(path, named, time.zone.key)
    return CsvExport(path, named, lambda at: shown(time, at))


def _explained(readers: Readers, rows: Rows) -> Slice:
    with readers.snapshot() as connection:
        told = declarations.explained(connection, rows.columns())
    flags, places = np.unique(told.readings.flag, return_inverse=True)
    states = [str(state_of(code)) for code in flags.tolist()]
    return Slice(rows, told.readings.value, places, states, told.mark, told.correction)


def shown(time: PlantTime, at: NDArray[np.int64]) -> NDArray[np.str_]:
    """Write instants in plant time with milliseconds and offset, `2026-03-01T08:00:00.000+08:00`."""
    minutes, places = np.unique(at // MINUTE_MS, return_inverse=True)
    offsets = np.array([time.offset_ms(minute * MINUTE_MS) for minute in minutes.tolist()], np.int64)
    texts = np.array([_offset(one) for one in offsets.tolist()])
    local = np.datetime_as_string((at + offsets[places]).astype("datetime64[ms]"))
    return np.char.add(local, texts[places])


def _offset(offset_ms: int) -> str:
    hours, minutes = divmod(abs(offset_ms) // MINUTE_MS, 60)
    return f"{'-' if offset_ms < 0 else '+'}{hours:02}:{minutes:02}"
