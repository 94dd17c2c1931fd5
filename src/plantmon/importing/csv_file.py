"""This module reads a CSV of readings as a table: commas, semicolons or tabs; UTF-8, UTF-16 or GB18030."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from plantmon.errors import TableError
from plantmon.importing.problem import Problem, Problems
from plantmon.model.table import Block, Texts
from plantmon.tables.readings import headings

ROWS_AT_ONCE = 20_000
SEARCHED = 20  # lines from the top among which the headings are looked for
_CHUNK = 1 << 20


class CsvTable:
    """A file's table; rows that are too long are named among `problems`. `read_bytes` says how far it was read."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self._path = path
        self._problems = problems
        self.read_bytes = 0
        self._encoding = _encoding_of(path)
        self._separator, self.headings, self._skipped = self._find_headings()

    def blocks(self) -> Iterator[Block]:
        """Give the rows that are not empty; their lines are those of the file. Raises TableError."""
        width = len(self.headings)
        with self._path.open("rb") as raw, io.TextIOWrapper(raw, self._encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self._separator)
            lines: list[int] = []
            rows: list[list[str]] = []
            try:
                for row in reader:
                    if reader.line_num <= self._skipped or not any(map(str.strip, row)):
                        continue
                    if len(row) != width:
                        if any(cell.strip() for cell in row[width:]):
                            self._problems.add(Problem(reader.line_num, "too_many_cells", {"most": width}))
                            continue
                        row = (row + [""] * width)[:width]
                    lines.append(reader.line_num)
                    rows.append(row)
                    if len(rows) == ROWS_AT_ONCE:
                        self.read_bytes = raw.tell()
                        yield _block(lines, rows)
                        lines, rows = [], []
            except (csv.Error, UnicodeDecodeError) as error:
                raise TableError(f"{reader.line_num}: {error}") from error
            if rows:
                yield _block(lines, rows)

    def _find_headings(self) -> tuple[str, list[str], int]:
        """Give separator, headings and their line: the first line of which a cell heads the moments."""
        with self._path.open("r", encoding=self._encoding, newline="") as file:
            first = [line for _, line in zip(range(SEARCHED), file, strict=False)]
        known = headings()
        for number, line in enumerate(first, 1):
            for separator in (",", ";", "\t"):
                row = next(csv.reader([line], delimiter=separator), [])
                if len(row) > 1 and any(known.get(cell.strip().lower()) == "ts" for cell in row):
                    return separator, row, number
        top = next((line for line in first if line.strip()), "")
        return ",", next(csv.reader([top]), []), 1


def _block(lines: list[int], rows: list[list[str]]) -> Block:
    return Block(np.array(lines, np.int64), [Texts.of(list(column)) for column in zip(*rows, strict=True)])


def _encoding_of(path: Path) -> str:
    """Find out how a file is written. Raises TableError where it is no text."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    if "\0" in decoder.decode(chunk):
                        break
                else:
                    decoder.decode(b"", final=True)
                    return encoding
        except UnicodeDecodeError:
            continue
    raise TableError("it is neither text in UTF-8 or GB18030 nor Parquet")
