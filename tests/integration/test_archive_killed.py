"""This module proves that a kill at every step of sealing loses and doubles nothing, and that sealing goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from archive_store import AFTER_MS, DAY_0, DAY_MS, FAST, METER, RAW_MS, ArchiveStore, Row, everything

from plantmon.archive.job import Job, SealingChild
from plantmon.errors import ArchiveError
from plantmon.sealed import manifest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

TESTS = Path(__file__).parents[1]
SEALED_MS, RELEASED_MS = DAY_0 + DAY_MS + AFTER_MS, DAY_0 + DAY_MS + RAW_MS
MAKING = ["begun", "written", "synced", "read_back", "renamed", "sealed", "listed"]
LATE = ["written", "synced", "read_back", "renamed", "supplemented", "listed"]


def keep(folder: Path, now_ms: int, step: str | None) -> None:
    """Run the archive in a process of its own; killed at a step, or to the end."""
    command = [sys.executable, str(TESTS / "archive_killed.py"), str(folder), str(now_ms), str(RAW_MS)]
    paths = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    done = subprocess.run(
        [*command, *([step] if step else [])], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == (-signal.SIGKILL if step else 0), done.stderr


def some_rows(kept: ArchiveStore, count: int) -> list[Row]:
    """Give readings of a fast point and of a meter."""
    fast = [(DAY_0 + at * 10_000, kept.numbers[FAST], at / 10, 0, DAY_0 + at * 10_000 + 80) for at in range(count)]
    meter = [(DAY_0 + at * 900_000, kept.numbers[METER], float(at), 0, DAY_0 + at * 900_000) for at in range(40)]
    kept.put(fast)
    kept.put(meter)
    return sorted(fast + meter)


def test_a_kill_at_every_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """After each kill the same readings are there, each once; the next run goes on; in the end all is sealed."""
    kept = ArchiveStore(tmp_path)
    rows = some_rows(kept, 350)

    def kill_at(now_ms: int, step: str) -> None:
        keep(tmp_path, now_ms, step)
        assert everything(kept.store) == rows, step

    for step in MAKING:
        kill_at(SEALED_MS, step)
    late = [(DAY_0 + 5, kept.numbers[FAST], 7.5, 0, SEALED_MS)]
    kept.put(late)
    rows = sorted(rows + late)
    for step in LATE:
        kill_at(SEALED_MS + 1, step)
    for step in ["released", "emptied", "emptied", "emptied"]:
        kill_at(RELEASED_MS, step)
    assert 0 < kept.count("reading") <= 150
    keep(tmp_path, RELEASED_MS, None)
    assert (kept.count("reading"), kept.count("late_reading")) == (0, 0)
    assert everything(kept.store) == rows
    entries = manifest.read(kept.folder)
    assert entries == kept.entries()
    assert [(one.name, one.rows) for one in entries] == [
        ("2024/2024-10-04.parquet", 390), ("2024/2024-10-04.1.parquet", 1)
    ]  # fmt: skip
    assert manifest.faults_of_chain(entries) == []
    assert [manifest.fault_of_file(kept.folder, one) for one in entries] == [None, None]
    assert [path.name for path in kept.folder.rglob(".*")] == []
    kept.store.close()


def test_what_comes_while_a_day_is_being_sealed_is_late(tmp_path: Path) -> None:
    """A reading that comes between the beginning of a day's sealing and its end is in the supplement, not lost."""
    kept = ArchiveStore(tmp_path)
    rows = some_rows(kept, 20)
    keep(tmp_path, SEALED_MS, "synced")
    late = [(DAY_0 + 5, kept.numbers[FAST], 7.5, 0, SEALED_MS)]
    meter = [(DAY_0 + 5, kept.numbers[METER], 7.5, 0, SEALED_MS)]
    kept.put(late)
    kept.put(meter)
    keep(tmp_path, RELEASED_MS, None)
    assert everything(kept.store) == sorted(rows + late + meter)
    assert [one.rows for one in kept.entries()] == [60, 2]
    kept.store.close()


def make_without_end(child: SealingChild, job: Job) -> None:
    """Have a file made again and again."""
    while True:
        child.make(job)


def test_the_sealing_child_may_be_killed(tmp_path: Path) -> None:
    """A child that is ended while it works is an error with its reason; the next makes the file."""
    kept = ArchiveStore(tmp_path)
    rows = some_rows(kept, 4000)
    child = SealingChild()
    job = Job(str(kept.store.path), DAY_0)
    child.make(job)
    assert child._process is not None
    ending = threading.Timer(0.002, os.kill, (child._process.pid, signal.SIGKILL))
    ending.start()
    with pytest.raises(ArchiveError, match="ended without an answer"):
        make_without_end(child, job)
    assert child.make(job).rows == len(rows)
    child.close()
    with pytest.raises(ArchiveError, match="closed"):
        child.make(job)
    kept.store.close()
