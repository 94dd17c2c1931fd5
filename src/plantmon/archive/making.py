"""This module makes one sealed file of what the store has, and reads it back before anybody may rely on it.

It is the work of the sealing child. A day is read an hour at a time, each in a short snapshot of its own: its readings
stand still since its row in `archive_day` is there. Of a plant with very many readings only some points are taken at
once, so that memory is bounded.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plantmon.archive.job import Job, Made
from plantmon.archive.sources import DaySource, LateSource, Source
from plantmon.errors import ArchiveError
from plantmon.model.reading import ROW_FIELDS, Rows
from plantmon.sealed.digest import sha256_of
from plantmon.sealed.head import PointHead, groups_of
from plantmon.sealed.manifest import day_text, name_of, put_aside, sync_folder
from plantmon.sealed.reading import SealedFile
from plantmon.sealed.writing import DayWriter
from plantmon.store import archive
from plantmon.store.database import Readers
from plantmon.times import DAY_MS

ROWS_AT_ONCE = 4_000_000  # held in memory
BYTES_A_ROW = 12  # more than a reading ever takes that is not noise
SPARE_BYTES = 200_000_000  # of the disk, left to the store: it must go on whatever the archive does

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Portion:
    """Some points and their readings, in the order of the file."""

    points: list[PointHead]
    rows: Rows


def make(job: Job, on_step: Step) -> Made:
    """Make a file and put it in its place, verified and on disk. Raises ArchiveError, and StoreUnavailable."""
    readers = Readers(Path(job.store))
    try:
        source = _source_of(readers, job)
        counts = source.counts()
        again, conflicts = source.told
        if not counts:
            return Made(0, again=again, conflicts=conflicts)
        with readers.snapshot() as connection:
            folder = archive.folder(connection)
            heads = _heads(connection.execute("SELECT id, name, unit FROM point").fetchall(), counts)
            plant_files = _plant_files(connection.execute("SELECT loaded_ms, hash FROM plant_version"), job.day)
        path = folder / name_of(job.day, job.supplement)
        _make_room(path, sum(counts.values()))
        new = path.with_name(f".{path.name}.new")
        try:
            writer = DayWriter(new)
            for portion in _portions(source, heads):
                writer.add(portion.points, portion.rows)
            writer.close(day_text(job.day), job.supplement, plant_files)
            on_step("written")
            with new.open("rb") as file:
                os.fsync(file.fileno())
            on_step("synced")
            _read_back(new, _portions(source, heads))
            on_step("read_back")
            made = Made(sum(counts.values()), new.stat().st_size, sha256_of(new), again, conflicts)
            put_aside(path, made.sha256)
            new.replace(path)
            sync_folder(path.parent)
            sync_folder(folder)
        except OSError as error:
            raise ArchiveError(f"{path}: {error.strerror}") from error
        on_step("renamed")
        return made
    finally:
        readers.close()


def _source_of(readers: Readers, job: Job) -> Source:
    if job.supplement:
        return LateSource(readers, job.day, job.after, job.until)
    return DaySource(readers, job.day)


def _heads(points: list[tuple[int, str, str]], counts: dict[int, int]) -> list[PointHead]:
    named = sorted((name, number, unit) for number, name, unit in points if counts.get(number))
    return [PointHead(name, number, unit, counts[number]) for name, number, unit in named]


def _plant_files(versions: Iterator[tuple[int, str]], day: int) -> list[str]:
    """Give the hashes of the plant files loaded on a day, and of the last before it."""
    known = sorted(versions)
    before = [one for one in known if one[0] < day][-1:]
    return [text for _, text in before + [one for one in known if day <= one[0] < day + DAY_MS]]


def _make_room(path: Path, rows: int) -> None:
    """Make the folder and look whether the file will fit. Raises ArchiveError."""
    needed = rows * BYTES_A_ROW + SPARE_BYTES
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise ArchiveError(f"{path.parent}: {error.strerror}") from error
    if free < needed:
        raise ArchiveError(f"{path.parent}: {free / 1e6:.0f} MB free, sealing {path.name} needs {needed / 1e6:.0f} MB")


def _portions(source: Source, heads: list[PointHead]) -> Iterator[Portion]:
    """Go through a source in groups of the file, reading as many points at once as memory may hold."""
    batch: list[list[PointHead]] = []
    for group in groups_of([head.rows for head in heads]):
        batch.append([heads[place] for place in group])
        if sum(head.rows for some in batch for head in some) > ROWS_AT_ONCE:
            yield from _of_batch(source, batch)
            batch = []
    if batch:
        yield from _of_batch(source, batch)


def _of_batch(source: Source, batch: list[list[PointHead]]) -> Iterator[Portion]:
    numbers = [head.number for group in batch for head in group]
    rows = source.rows(numbers)
    rank = np.zeros(max(numbers) + 1, np.int64)
    rank[numbers] = np.arange(len(numbers))
    order = np.lexsort((rows.ts, rank[rows.point]))
    begin = 0
    for group in batch:
        end = begin + sum(head.rows for head in group)
        yield Portion(group, rows.take(order[begin:end]))
        begin = end
    if begin != len(rows):
        raise ArchiveError(f"{len(rows)} readings where {begin} were counted: the day does not stand still")


def _read_back(path: Path, portions: Iterator[Portion]) -> None:
    """Compare a file with the store, bit by bit. Raises ArchiveError."""
    file = SealedFile(path)
    place = 0
    for portion in portions:
        if place + 1 >= len(file.starts) or not _same(file.group(place), portion.rows):
            raise ArchiveError(f"{path}: group {place} read back differs from the store")
        place += 1
    if place + 1 != len(file.starts):
        raise ArchiveError(f"{path}: has {len(file.starts) - 1} groups, the store {place}")


def _same(one: Rows, other: Rows) -> bool:
    return all(
        np.array_equal(getattr(one, name).view(np.int64), getattr(other, name).view(np.int64)) for name in ROW_FIELDS
    )
