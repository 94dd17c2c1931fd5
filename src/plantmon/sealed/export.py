"""This module writes readings for analysts: Parquet or CSV, a row a reading, slice by slice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from plantmon.errors import ArchiveError
from plantmon.model.reading import flag_letters
from plantmon.sealed.slices import Slice

_NAME = pa.dictionary(pa.int16(), pa.string())


class _Tables:
    """Turns slices into tables; `points` are names and units by number, `moments` writes instants in plant time."""

    def __init__(self, points: dict[int, tuple[str, str]], moment: pa.DataType) -> None:
        self._numbers = np.array(sorted(points), np.int64)
        self._names = [points[number][0] for number in self._numbers.tolist()]
        units = [points[number][1] for number in self._numbers.tolist()]
        self._units = sorted(set(units))
        self._unit_of = np.array([self._units.index(unit) for unit in units], np.int64)
        self.schema = pa.schema(
            [
                pa.field("point", _NAME, nullable=False),
                pa.field("ts", moment, nullable=False),
                pa.field("value", pa.float64(), nullable=False),  # as it was sent, in the point's unit
                pa.field("unit", _NAME, nullable=False),
                pa.field("flag", _NAME, nullable=False),  # as it was sent
                pa.field("arrival", moment, nullable=False),
                pa.field("counted", pa.float64(), nullable=False),  # the value as it counts: corrected
                pa.field("state", _NAME, nullable=False),  # as it counts: declared, or what the flag says
                pa.field("mark", pa.int64()),
                pa.field("correction", pa.int64()),
            ]
        )

    def table(self, part: Slice, moments: Callable[[NDArray[np.int64]], pa.Array]) -> pa.Table:
        """Make a table of a slice."""
        rows = part.rows
        owner = np.searchsorted(self._numbers, rows.point)
        flags, flag_places = np.unique(rows.flag, return_inverse=True)
        columns = [
            _named(owner, self._names),
            moments(rows.ts),
            pa.array(rows.value),
            _named(self._unit_of[owner], self._units),
            _named(flag_places, [flag_letters(code) for code in flags.tolist()]),
            moments(rows.arrival),
            pa.array(part.counted),
            _named(part.state, part.states),
            pa.array(part.mark, mask=part.mark == 0),
            pa.array(part.correction, mask=part.correction == 0),
        ]
        return pa.table(columns, schema=self.schema)


class ParquetExport:
    """Writes Parquet; instants are UTC milliseconds that readers show in plant time."""

    def __init__(self, path: Path, points: dict[int, tuple[str, str]], zone: str) -> None:
        self._moment = pa.timestamp("ms", tz=zone)
        self._tables = _Tables(points, self._moment)
        self._path = path
        try:
            self._writer = pq.ParquetWriter(
                path, self._tables.schema, compression="zstd", compression_level=3, write_page_checksum=True,
                use_dictionary=["point", "unit", "flag", "state", "mark", "correction"],
                column_encoding={"ts": "DELTA_BINARY_PACKED", "arrival": "DELTA_BINARY_PACKED",
                                 "value": "BYTE_STREAM_SPLIT", "counted": "BYTE_STREAM_SPLIT"},
            )  # fmt: skip
        except OSError as error:
            raise _cannot(path, error) from error

    def add(self, part: Slice) -> None:
        """Write readings, one group. Raises ArchiveError."""
        table = self._tables.table(part, lambda at: pa.array(at).cast(self._moment))
        try:
            self._writer.write_table(table, row_group_size=max(1, len(part.rows)))
        except OSError as error:
            raise _cannot(self._path, error) from error

    def close(self) -> None:
        """Write the file's end. Raises ArchiveError."""
        try:
            self._writer.close()
        except OSError as error:
            raise _cannot(self._path, error) from error


class CsvExport:
    """Writes CSV, UTF-8; instants as `2026-03-01T08:00:00.000+08:00`; `show` writes many of them."""

    def __init__(
        self, path: Path, points: dict[int, tuple[str, str]], show: Callable[[NDArray[np.int64]], NDArray[np.str_]]
    ) -> None:
        self._tables = _Tables(points, pa.string())
        self._show = show
        self._path = path
        try:
            self._writer = pc.CSVWriter(
                path, self._tables.schema, write_options=pc.WriteOptions(quoting_style="needed")
            )
        except OSError as error:
            raise _cannot(path, error) from error

    def add(self, part: Slice) -> None:
        """Write readings. Raises ArchiveError."""
        table = self._tables.table(part, lambda at: pa.array(self._show(at), pa.string()))
        try:
            self._writer.write_table(table)
        except OSError as error:
            raise _cannot(self._path, error) from error

    def close(self) -> None:
        """End the file. Raises ArchiveError."""
        try:
            self._writer.close()
        except OSError as error:
            raise _cannot(self._path, error) from error


def _named(places: NDArray[np.int64], names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int16)), pa.array(names, pa.string()))


def _cannot(path: Path, error: OSError) -> ArchiveError:
    return ArchiveError(f"{path}: {error.strerror or error}")
