"""This module takes files of readings in as the product does, in this process, and reads back what a store has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replay import Replay

from plantmon.exporting import Form, Wanted, export
from plantmon.importing.read import Manner, Read, stage
from plantmon.model.plant import Plant
from plantmon.store import points, readings
from plantmon.store.database import Store

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
FAR = 1 << 45


def read(path: Path, kept: Replay, **manner: bool) -> Read:
    """Read and stage a file."""
    return stage(path, kept.plant, kept.store.path, kept.now_ms, Manner(**manner), lambda _: None)


def take(path: Path, kept: Replay, **manner: bool) -> dict[str, Any]:
    """Take a file in; give what became of it. Nothing may be wrong with it."""
    found = read(path, kept, **manner)
    assert found.staged is not None, found.problems.words(path.name, "en")
    done, answer = kept.pipeline.importing.run(found.staged, "li", "en", lambda: kept.now_ms)
    assert done, answer
    return answer


def write(store: Store, plant: Plant, form: Form, out: Path, start_ms: int = 0, end_ms: int = FAR) -> int:
    """Export everything; give how many readings it was."""
    return export(store.readers, plant, Wanted(start_ms, end_ms, None), form, out, lambda _: None)


def everything(store: Store) -> list[tuple[int, str, float, int, int]]:
    """Give all readings by time and point's name, wherever they live."""
    with store.readers.snapshot() as connection:
        names = {number: name for name, number in points.numbers(connection).items()}
        rows = readings.span(connection, 0, FAR)
    columns = (rows.ts, rows.point, rows.value, rows.flag, rows.arrival)
    found = zip(*(column.tolist() for column in columns), strict=True)
    return sorted((ts, names[point], value, flag, arrival) for ts, point, value, flag, arrival in found)
