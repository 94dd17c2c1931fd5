"""This module reads one file of readings whole, whatever it is, and stages what it holds, or says what is wrong."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plantmon.errors import TableError
from plantmon.importing.csv_file import CsvTable
from plantmon.importing.hj212_log import is_log, read_log
from plantmon.importing.intake import Intake
from plantmon.importing.problem import Problem, Problems
from plantmon.importing.staging import Stager, beside
from plantmon.importing.tables import read_table
from plantmon.model.plant import Plant
from plantmon.model.table import Table
from plantmon.sealed.digest import sha256_of

PARQUET = b"PAR1"
_START = 1 << 16
_BYTES_A_ROW = 90  # staged, and beside it while a day is sorted
_READ, _SORTED = 0.8, 1.0  # shares of the work that are done after each

Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file is to be taken."""

    keeps_arrival: bool = False
    skips_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What came of reading a file: its staging, None where there are problems; what was passed over, by point."""

    staged: Path | None
    problems: Problems
    skipped: Counter[str]


def bytes_needed(path: Path) -> int:
    """Say how much of the disk the staging of a file may take. Raises TableError where it cannot be opened."""
    try:
        with path.open("rb") as file:
            if file.read(4) == PARQUET:
                return _open_parquet(path)[1] * _BYTES_A_ROW
        return 3 * path.stat().st_size
    except OSError as error:
        raise TableError(str(error.strerror)) from error


def stage(path: Path, plant: Plant, store_path: Path, now_ms: int, manner: Manner, tell: Tell) -> Read:
    """Read a file and stage it beside a store; `tell` hears which share is done.

    Raises TableError where it is no file of readings or is damaged, NoRoom where the disk is too small.
    """
    folder = beside(store_path)
    folder.mkdir(exist_ok=True)
    _own_like(folder, store_path)
    _clear(folder)
    stager = Stager(folder / f"part{os.getpid()}")
    intake = Intake(plant, stager, folder, now_ms, skips_unknown=manner.skips_unknown)
    try:
        _read(path, intake, now_ms, manner, tell)
        if not stager.count and not stager.reported_count and not intake.problems.count:
            intake.problems.add(Problem(0, "no_readings"))
        points = [(point.id, point.reading_unit) for point in intake.points]
        place = stager.finish(
            path.name, sha256_of(path), points, intake.problems,
            lambda share: tell(_READ + (_SORTED - _READ) * share),
        )  # fmt: skip
    except OSError as error:
        raise TableError(str(error.strerror or error)) from error
    finally:
        stager.discard()
    if place is not None:
        for one in (place, *place.iterdir()):
            _own_like(one, store_path)
    return Read(place, intake.problems, intake.skipped)


def _read(path: Path, intake: Intake, now_ms: int, manner: Manner, tell: Tell) -> None:
    size = max(1, path.stat().st_size)

    def told(count: int) -> None:
        tell(_READ * min(1.0, count / size))

    with path.open("rb") as file:
        start = file.read(_START)
    if start.startswith(PARQUET):
        table, rows = _open_parquet(path)
        size = max(1, rows)
        read_table(table, intake, told, keeps_arrival=manner.keeps_arrival)
    elif is_log(start):
        read_log(path, intake, now_ms, told)
    else:
        table = CsvTable(path, intake.problems)
        read_table(table, intake, lambda _: told(table.read_bytes), keeps_arrival=manner.keeps_arrival)


def _open_parquet(path: Path) -> tuple[Table, int]:
    from plantmon.sealed.foreign import open_parquet

    return open_parquet(path)


def _own_like(path: Path, store_path: Path) -> None:
    """Give what root makes to the owner of the store, who must be able to take it away."""
    if os.geteuid() == 0:
        owner = store_path.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _clear(folder: Path) -> None:
    """Take away what commands left that were killed."""
    for part in folder.glob("part*"):
        number = part.name.removeprefix("part")
        if number.isdigit() and not Path("/proc", number).exists():
            shutil.rmtree(part, ignore_errors=True)
