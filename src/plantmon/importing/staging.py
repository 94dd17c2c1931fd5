"""This module keeps what was read of a file beside the store, by time, until the store has all of it.

A staging is a folder: the readings as plain records, what devices reported of periods as lines of JSON, and a head with
the hash of both. It has its final name only when it is whole; its records are read a stretch at a time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from plantmon.errors import ArchiveError, TableError
from plantmon.importing.problem import Problem, Problems
from plantmon.sealed.digest import sha256_of
from plantmon.sealed.manifest import sync_folder
from plantmon.store.reported import Reported
from plantmon.times import DAY_MS, HOUR_MS

ROW = np.dtype(
    [("ts", "<i8"), ("point", "<i4"), ("value", "<f8"), ("flag", "<i8"), ("arrival", "<i8"), ("line", "<i8")]
)
UNKNOWN_ARRIVAL = -1
HELD_ROWS = 500_000  # in memory, before they go to the files of their days
_HEAD, _ROWS, _REPORTED, _KNOWN = "head.json", "readings", "reported", "known"

Rows = NDArray[Any]


class Head(msgspec.Struct, frozen=True):
    """What a staging holds: a record has the place of its point in `points`; `used` are the places that occur."""

    file: str
    sha256: str
    points: list[tuple[str, str]]  # name and unit
    used: list[int]
    rows: int
    reported: int
    repeats: int  # readings that stood in the file more than once
    first_ms: int | None
    last_ms: int | None
    rows_sha256: str
    reported_sha256: str


class Stager:
    """Gathers readings in any order; memory holds half a million of them, or one day of UTC when it sorts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._days: dict[int, list[Rows]] = defaultdict(list)
        self._held = 0
        self._reported: dict[tuple[int, int, str], tuple[Reported, int]] = {}
        self._used: set[int] = set()
        self.count = 0
        folder.mkdir(parents=True)

    def add(self, rows: Rows) -> None:
        """Gather records."""
        self._used.update(np.unique(rows["point"]).tolist())
        days = rows["ts"] // DAY_MS
        for day in np.unique(days).tolist():
            self._days[day].append(rows[days == day])
        self.count += len(rows)
        self._held += len(rows)
        if self._held > HELD_ROWS:
            self._flush()

    @property
    def reported_count(self) -> int:
        """How many periods devices reported."""
        return len(self._reported)

    def add_reported(self, one: Reported, line: int) -> Problem | None:
        """Gather a device's figures of a period; give why not where they contradict others of the file."""
        self._used.add(one.point)
        key = (one.point, one.start, one.level)
        stands, where = self._reported.setdefault(key, (one, line))
        if stands.figures != one.figures:
            return Problem(line, "contradicts_line", {"line": where})
        return None

    def finish(
        self, file: str, sha256: str, points: list[tuple[str, str]], problems: Problems, tell: Callable[[float], None]
    ) -> Path | None:  # fmt: skip
        """Sort everything, name what contradicts itself, and put the staging in place; None where anything is wrong."""
        self._flush()
        kept, edges = self._sort(problems, tell)
        if problems.count:
            return None
        ordered = sorted((one for one, _ in self._reported.values()), key=lambda one: one[:3])
        with (self._folder / _REPORTED).open("wb") as out:
            out.writelines(msgspec.json.encode(one) + b"\n" for one in ordered)
            _to_disk(out)
        head = Head(
            file, sha256, points, sorted(self._used), kept, len(ordered), self.count - kept,
            min(edges, default=None), max(edges, default=None),
            sha256_of(self._folder / _ROWS), sha256_of(self._folder / _REPORTED),
        )  # fmt: skip
        content = msgspec.json.encode(head)
        with (self._folder / _HEAD).open("wb") as out:
            out.write(content)
            _to_disk(out)
        place = self._folder.with_name(hashlib.sha256(content).hexdigest()[:32])
        if place.exists():  # of an import that was interrupted: it goes on
            shutil.rmtree(self._folder)
        else:
            sync_folder(self._folder)
            self._folder.replace(place)
            sync_folder(place.parent)
        return place

    def _sort(self, problems: Problems, tell: Callable[[float], None]) -> tuple[int, list[int]]:
        """Put the days' records behind one another; give how many there are, and the first and last instant of each."""
        kept, edges, days = 0, [], sorted(self._days)
        with (self._folder / _ROWS).open("wb") as out:
            for place, day in enumerate(days):
                rows = _sorted(np.fromfile(self._of_day(day), ROW), problems)
                out.write(rows.tobytes())
                self._of_day(day).unlink()
                kept += len(rows)
                edges += [int(rows["ts"][0]), int(rows["ts"][-1])]
                tell((place + 1) / len(days))
            _to_disk(out)
        return kept, edges

    def discard(self) -> None:
        """Take away what is not to be stored."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _flush(self) -> None:
        for day, parts in self._days.items():
            if parts:
                with self._of_day(day).open("ab") as out:
                    out.write(np.concatenate(parts).tobytes())
                parts.clear()
        self._held = 0

    def _of_day(self, day: int) -> Path:
        return self._folder / f"day{day}"


class Staged:
    """A staging that is in place. Raises TableError where it is not what was put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.head = msgspec.json.decode((folder / _HEAD).read_bytes(), type=Head)
            for name, sha256 in ((_ROWS, self.head.rows_sha256), (_REPORTED, self.head.reported_sha256)):
                if sha256_of(folder / name) != sha256:
                    raise TableError(f"{folder / name} is not what was read of {self.head.file}; import it again")
        except (OSError, ArchiveError, msgspec.DecodeError) as error:
            raise TableError(f"{folder}: {error}") from error
        rows = self.head.rows
        self._rows: Rows = np.memmap(folder / _ROWS, ROW, "r", shape=(rows,)) if rows else np.empty(0, ROW)

    def hours(self, begin: int = 0) -> Iterator[tuple[int, Rows]]:
        """Give from a place on the records of each hour of UTC, with the place of the first."""
        while begin < len(self._rows):
            edge = int(self._rows["ts"][begin]) // HOUR_MS * HOUR_MS + HOUR_MS
            end = begin + int(np.searchsorted(self._rows["ts"][begin:], edge))
            yield begin, np.array(self._rows[begin:end])
            begin = end

    def rows(self, begin: int, end: int) -> Rows:
        """Give the records from a place up to another."""
        return np.array(self._rows[begin:end])

    def reported(self, begin: int = 0) -> Iterator[Reported]:
        """Give what devices reported, from a place on; points are places in the head's list."""
        with (self.folder / _REPORTED).open("rb") as file:
            for place, line in enumerate(file):
                if place >= begin:
                    yield Reported(*msgspec.json.decode(line))

    def note_known(self, begin: int, known: NDArray[np.bool_]) -> None:
        """Remember which records the store has already."""
        mode = "r+b" if (self.folder / _KNOWN).exists() else "w+b"
        with (self.folder / _KNOWN).open(mode) as file:
            file.seek(begin)
            file.write(known.tobytes())

    def known(self, begin: int, end: int) -> NDArray[np.bool_]:
        """Say which records from a place up to another the store had already; none where that was not noted."""
        found = np.zeros(end - begin, bool)
        if (self.folder / _KNOWN).exists():
            noted = np.fromfile(self.folder / _KNOWN, bool, end - begin, offset=begin)
            found[: len(noted)] = noted
        return found

    def discard(self) -> None:
        """Take it away; what cannot be is left."""
        shutil.rmtree(self.folder, ignore_errors=True)


def beside(store_path: Path) -> Path:
    """Give the folder of a store's stagings."""
    return store_path.with_name(f"{store_path.stem}.import")


def _sorted(rows: Rows, problems: Problems) -> Rows:
    """Give records by time, then point, each once; name those that contradict the first of their time and point."""
    rows = rows.take(np.lexsort((rows["line"], rows["point"], rows["ts"])))
    again = np.r_[False, (rows["ts"][1:] == rows["ts"][:-1]) & (rows["point"][1:] == rows["point"][:-1])]
    if not again.any():
        return rows
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(rows))))
    for place in np.flatnonzero(rows["value"] != rows["value"][first]).tolist():
        one = rows[first[place]]
        problems.add(Problem(int(rows["line"][place]), "contradicts_line", {"line": int(one["line"])}))
    return rows.compress(~again)


def _to_disk(out: BinaryIO) -> None:
    out.flush()
    os.fsync(out.fileno())
