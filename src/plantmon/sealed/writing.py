"""This module writes a day's readings as Parquet, in an order and with encodings that take about a byte a reading.

Sorted by point and time: the instants of a point are then one step again and again, its values lie close to one
another, and whole numbers pack as their differences (DELTA_BINARY_PACKED). Any reader of Parquet opens the file.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from plantmon.model.reading import Rows, flag_letters
from plantmon.sealed.head import KEY, Head, PointHead
from plantmon.sealed.scaling import scale

_NAME = pa.dictionary(pa.int16(), pa.string())
_FIELDS = [
    pa.field("point", _NAME, nullable=False),
    pa.field("ts", pa.timestamp("ms", tz="UTC"), nullable=False),
    pa.field("scaled", pa.int64()),  # value = scaled / 10 ^ decimals, exactly; null where that is not the value
    pa.field("decimals", pa.int8(), nullable=False),
    pa.field("value", pa.float64()),  # of those readings alone whose `scaled` is null
    pa.field("flag", _NAME, nullable=False),
    pa.field("delay_ms", pa.int64(), nullable=False),  # arrival after ts
    pa.field("unit", _NAME, nullable=False),
]
_ENCODINGS = {"ts": "DELTA_BINARY_PACKED", "scaled": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"}
_DICTIONARIES = ["point", "decimals", "flag", "delay_ms", "unit"]


class DayWriter:
    """Writes one file, group by group; its head comes last, when everything of it is known."""

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(
            path, pa.schema(_FIELDS), compression="zstd", compression_level=3, use_dictionary=_DICTIONARIES,
            column_encoding=_ENCODINGS, write_statistics=["point", "ts"], write_page_checksum=True,
            sorting_columns=[pq.SortingColumn(0), pq.SortingColumn(1)],
        )  # fmt: skip
        self._points: list[PointHead] = []

    def add(self, points: list[PointHead], rows: Rows) -> None:
        """Write a group: the readings of some points behind one another, each point's by time."""
        counts = [point.rows for point in points]
        edges = np.cumsum([0, *counts]).tolist()
        scaled, fits = np.empty(len(rows), np.int64), np.empty(len(rows), bool)
        decimals = []
        for begin, end in pairwise(edges):
            fitting, scaled[begin:end], fits[begin:end] = scale(rows.value[begin:end])
            decimals.append(fitting)
        self._points += [
            msgspec.structs.replace(point, decimals=one) for point, one in zip(points, decimals, strict=True)
        ]
        flags, flag_places = np.unique(rows.flag, return_inverse=True)
        owner = np.repeat(np.arange(len(points)), counts)
        units = sorted({point.unit for point in points})
        unit_places = np.array([units.index(point.unit) for point in points])
        columns = [
            _named(owner, [point.name for point in points]),
            pa.array(rows.ts).cast(pa.timestamp("ms", tz="UTC")),
            pa.array(scaled, mask=~fits),
            pa.array(np.array(decimals, np.int8)[owner]),
            pa.array(rows.value, mask=fits),
            _named(flag_places, [flag_letters(code) for code in flags.tolist()]),
            pa.array(rows.arrival - rows.ts),
            _named(unit_places[owner], units),
        ]
        table = pa.table(columns, schema=pa.schema(_FIELDS))
        self._writer.write_table(table, row_group_size=max(1, len(rows)))

    def close(self, day: str, supplement: int, plant_files: list[str]) -> None:
        """Write the head and end the file."""
        head = Head(day, supplement, self._points, plant_files)
        self._writer.add_key_value_metadata({KEY: msgspec.json.encode(head)})
        self._writer.close()


def _named(places: NDArray[Any], names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int16)), pa.array(names, pa.string()))
