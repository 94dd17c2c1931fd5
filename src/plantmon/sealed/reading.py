"""This module reads sealed files: one point's span or everything, decoding only the groups that hold it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from plantmon.errors import ArchiveError
from plantmon.model.reading import Rows, flag_code
from plantmon.sealed.digest import sha256_of
from plantmon.sealed.head import Head, read_head
from plantmon.sealed.scaling import unscale

REMEMBERED_ROWS = 3_000_000  # decoded, of all files together: a day of 300 points at 10 s
_COLUMNS = ["ts", "scaled", "value", "flag", "delay_ms"]


class SealedFile:
    """One file, open. Raises ArchiveError wherever it is not what it should be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
            metadata = self._file.metadata
            self.head: Head = read_head(metadata.metadata, path.name)
        except (OSError, pa.ArrowException) as error:
            raise ArchiveError(f"{path}: {error}") from error
        edges = np.cumsum([0, *(point.rows for point in self.head.points)]).tolist()
        self._spans = {
            point.number: (begin, end) for point, (begin, end) in zip(self.head.points, pairwise(edges), strict=True)
        }
        counts = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        self.starts: list[int] = np.cumsum([0, *counts]).tolist()
        if self.starts[-1] != edges[-1]:
            raise ArchiveError(f"{path}: holds {self.starts[-1]} readings, its head says {edges[-1]}")

    def span(self, point: int) -> tuple[int, int]:
        """Give the places of a point's readings; an empty span where it has none."""
        return self._spans.get(point, (0, 0))

    @property
    def numbers(self) -> list[int]:
        """List the points in the order of the file."""
        return list(self._spans)

    def group(self, place: int) -> Rows:
        """Decode one group."""
        try:
            table = self._file.read_row_group(place, columns=_COLUMNS, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise ArchiveError(f"{self.path}: {error}") from error
        ts, scaled, value, flag, delay = (_whole(table.column(name)) for name in _COLUMNS)
        begin, end = self.starts[place], self.starts[place + 1]
        inside = [(point, min(end, self._spans[point.number][1]) - max(begin, self._spans[point.number][0]))
                  for point in self.head.points]  # fmt: skip
        inside = [(point, count) for point, count in inside if count > 0]
        counts = [count for _, count in inside]
        decimals = np.repeat([point.decimals for point, _ in inside], counts)
        instants = ts.cast(pa.int64()).to_numpy()
        values = unscale(scaled.fill_null(0).to_numpy(), decimals)
        if scaled.null_count:
            values = np.where(scaled.is_null().to_numpy(zero_copy_only=False), value.fill_null(0.0).to_numpy(), values)
        codes = np.array([flag_code(letters) for letters in flag.dictionary.to_pylist()], np.int64)
        return Rows(
            instants, np.repeat([point.number for point, _ in inside], counts), values,
            codes[flag.indices.to_numpy()], instants + delay.to_numpy(),
        )  # fmt: skip


def _whole(column: Any) -> Any:
    """Give a column as one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class Files:
    """Sealed files, each checked against its hash when it is opened; the groups decoded last are remembered."""

    def __init__(self, most_rows: int = REMEMBERED_ROWS) -> None:
        self._open: dict[tuple[str, str], SealedFile] = {}
        self._groups: OrderedDict[tuple[str, int], Rows] = OrderedDict()
        self._rows = 0
        self._most_rows = most_rows

    def read(self, path: str, sha256: str, points: Collection[int] | None, start_ms: int, end_ms: int) -> Rows:
        """Read the readings of some points, or all, in [start, end), by point and time. Raises ArchiveError."""
        file = self._file(path, sha256)
        chosen = file.numbers if points is None else [one for one in file.numbers if one in points]
        parts = []
        for number in chosen:
            begin, end = file.span(number)
            for place in _groups_over(file.starts, begin, end):
                first = file.starts[place]
                group = self._group(file, place)
                part = slice(max(begin - first, 0), min(end - first, len(group)))
                inside = np.searchsorted(group.ts[part], [start_ms, end_ms])
                parts.append(group.take(slice(part.start + int(inside[0]), part.start + int(inside[1]))))
        return Rows.join(parts)

    def _file(self, path: str, sha256: str) -> SealedFile:
        file = self._open.get((path, sha256))
        if file is None:
            found = sha256_of(Path(path))
            if found != sha256:
                raise ArchiveError(f"{path}: its sha256 is {found}, sealed was {sha256}")
            if len(self._open) >= 64:
                self._open.clear()
            file = self._open[path, sha256] = SealedFile(Path(path))
        return file

    def _group(self, file: SealedFile, place: int) -> Rows:
        key = str(file.path), place
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = file.group(place)
            self._rows += len(found)
            while self._rows > self._most_rows and len(self._groups) > 1:
                self._rows -= len(self._groups.popitem(last=False)[1])
        self._groups.move_to_end(key)
        return found


def _groups_over(starts: list[int], begin: int, end: int) -> range:
    """Give the groups that hold the places [begin, end)."""
    if begin >= end:
        return range(0)
    edges = np.array(starts)
    return range(int(np.searchsorted(edges, begin, "right")) - 1, int(np.searchsorted(edges, end, "left")))
