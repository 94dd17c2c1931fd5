"""This module feeds the simulated quarter through the product's own pipeline, in any order, and reads what came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from replay import Replay

from plantmon.feed.check import Message
from plantmon.pipeline import Pipeline
from plantmon.plant.load import load_plant_text
from plantmon.requests import Requests
from simulators.quarter import LAST, Batch, Quarter, plant_text

SETTLED_MS = LAST + 31 * 86_400_000  # when the last reading of a month-late outlet is in and its windows are closed

# Everything that is computed, short of the numbers that count changes.
COMPUTED = {
    "minutes": "hour, point, packed",
    "window": "*",
    "verdict": 'limit_key, start, "end", outcome, reason, value, bound, detail',
    "emission": "*",
    "substitute": "*",
    "emission_day": "*",
}


class QuarterRun:
    """A store that takes the quarter in; `declared` says people's word when its time has come, else `declare` does."""

    def __init__(self, folder: Path, quarter: Quarter, *, is_renewed: bool = True) -> None:
        self.quarter = quarter
        self.replay = Replay(folder, load_plant_text(plant_text(is_renewed), "quarter.yaml"), int(quarter.ts_ms.min()))
        said = quarter.declarations
        self._waiting: list[tuple[int, str, dict[str, Any]]] = [
            (one.end_ms, "mark", {"target": one.target, "start": one.start_ms, "end": one.end_ms, "state": one.state})
            for one in said.marks
        ]
        self._waiting += [
            (one.ts_ms, "correct", {"point": one.point, "at": one.ts_ms, "value": f"{one.value}"})
            for one in said.corrections
        ]
        self._waiting += [
            (
                one.ts_ms,
                "calibrate",
                {"point": one.point, "at": one.ts_ms, "zero": "0", "span": "0",
                 "result": "pass" if one.passed else "fail"},
            )
            for one in said.calibrations
        ]  # fmt: skip

    def feed(self, batches: Iterable[Batch], *, declaring: bool, restart_every: int = 0) -> None:
        """Feed batches and let the stages settle after each."""
        for count, batch in enumerate(batches):
            self.replay.now_ms = max(self.replay.now_ms, batch.now_ms)
            now_ms = self.replay.now_ms
            messages = [Message(topic, payload, now_ms) for topic, payload in self.quarter.messages(batch.rows)]
            self.replay.take(messages)
            self.replay.settle(now_ms)
            if declaring:
                self.declare(now_ms - 3_600_000)
            if restart_every and count % restart_every == restart_every - 1:
                self.restart()

    def declare(self, until_ms: int) -> None:
        """Say what people say of the time before an instant; those of one thing in their order."""
        due = [one for one in self._waiting if one[0] <= until_ms]
        self._waiting = [one for one in self._waiting if one[0] > until_ms]
        requests = Requests(self.replay.pipeline, lambda: self.replay.now_ms)
        for _, kind, body in due:
            done, answer = requests.handle(kind, {"language": "en", "reason": "test", "note": ""} | body, "Li")
            assert done, answer
        if due:
            self.replay.settle()

    def restart(self, *, is_renewed: bool = True) -> None:
        """End the pipeline and begin another over the same store, as a daemon that starts anew does."""
        plant = load_plant_text(plant_text(is_renewed), "quarter.yaml")
        self.replay.plant = plant
        self.replay.pipeline = Pipeline(plant, self.replay.store, self.replay.now_ms, "plant.example")

    def finish(self, at_ms: int = SETTLED_MS) -> None:
        """Say what is left to say and let everything settle at an instant."""
        self.replay.settle(at_ms)
        self.declare(at_ms)
        self.replay.settle(at_ms)

    def computed(self) -> dict[str, list[tuple[object, ...]]]:
        """Give everything that was computed, to compare bit for bit."""
        with self.replay.store.readers.snapshot() as connection:
            return {table: rows_of(connection, table) for table in COMPUTED}


def rows_of(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    """Give a computed table's rows in the order of their keys."""
    return connection.execute(f'SELECT {COMPUTED[table]} FROM "{table}" ORDER BY 1, 2, 3').fetchall()
