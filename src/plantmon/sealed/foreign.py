"""This module reads Parquet files that are taken in: anybody's, an export's, a sealed day of an archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from plantmon.errors import ArchiveError, TableError
from plantmon.model.reading import flag_letters
from plantmon.model.table import Block, Column, Moments, Numbers, Table, Texts
from plantmon.sealed.head import KEY
from plantmon.sealed.reading import SealedFile

ROWS_AT_ONCE = 100_000


def open_parquet(path: Path) -> tuple[Table, int]:
    """Open a file; give its table and how many rows it has. Raises TableError."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        count = file.metadata.num_rows
        if KEY in (file.metadata.metadata or {}):
            return _Sealed(SealedFile(path)), count
    except (OSError, pa.ArrowException, ArchiveError) as error:
        raise TableError(str(error)) from error
    return _Parquet(file), count


class _Sealed:
    """A file of an archive, which need not be this plant's store's: points go by their names."""

    def __init__(self, file: SealedFile) -> None:
        self.headings = ["point", "ts", "value", "unit", "flag", "arrival"]
        self._file = file

    def blocks(self) -> Iterator[Block]:
        """Give the readings, a group at a time. Raises TableError."""
        heads = {head.number: head for head in self._file.head.points}
        numbers = list(heads)
        place_of = np.zeros(max(numbers, default=0) + 1, np.int64)
        place_of[numbers] = np.arange(len(numbers))
        names, units = [head.name for head in heads.values()], [head.unit for head in heads.values()]
        for group, first in enumerate(self._file.starts[:-1]):
            try:
                rows = self._file.group(group)
            except ArchiveError as error:
                raise TableError(str(error)) from error
            places = place_of[rows.point]
            flags, flag_places = np.unique(rows.flag, return_inverse=True)
            there = np.ones(len(rows), bool)
            yield Block(
                np.arange(first + 1, first + 1 + len(rows)),
                [Texts(places, names), Moments(rows.ts, there), Numbers(rows.value), Texts(places, units),
                 Texts(flag_places, [flag_letters(code) for code in flags.tolist()]), Moments(rows.arrival, there)],
            )  # fmt: skip


class _Parquet:
    """Anybody's file."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self._file = file
        self.headings: list[str] = list(file.schema_arrow.names)

    def blocks(self) -> Iterator[Block]:
        """Give the rows. Raises TableError also for a column of a type that is none of a table."""
        line = 1
        try:
            for batch in self._file.iter_batches(ROWS_AT_ONCE, use_threads=False):
                columns = [_column(name, column) for name, column in zip(self.headings, batch.columns, strict=True)]
                yield Block(np.arange(line, line + batch.num_rows), columns)
                line += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            raise TableError(str(error)) from error


def _column(name: str, array: Any) -> Column:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_timestamp(kind):
        there = ~array.is_null().to_numpy(zero_copy_only=False)
        ms = pc.cast(array, pa.timestamp("ms", tz=kind.tz), safe=False).cast(pa.int64()).fill_null(0)
        return Moments(ms.to_numpy(), there, is_local=kind.tz is None)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = array.cast(pa.float64(), safe=False)
        return Numbers(values.fill_null(np.nan).to_numpy(zero_copy_only=False))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = array.fill_null("").dictionary_encode()
        return Texts(texts.indices.to_numpy().astype(np.int64), texts.dictionary.to_pylist())
    if pa.types.is_null(kind):
        return Texts(np.zeros(len(array), np.int64), [""])
    raise TableError(f"column {name!r} is of type {kind}: neither text, number nor time")
