"""This module feeds a plant's store and forwards it, without broker and daemon, and compares the two ends.

For the proof with a server that is killed again and again, and for the measurements of `benchmarks.forward`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plantmon.esg.sent import SentAgain
from plantmon.feed.check import Message
from plantmon.forward.sender import InfluxWriter
from plantmon.forward.stage import Forwarder, Turn, Writer
from plantmon.model.plant import Plant
from plantmon.pipeline import Pipeline
from plantmon.plant.load import load_plant
from plantmon.store import spool
from plantmon.store.database import Store
from plantmon.store.spool import What
from plantmon.store.writer import Writer as StoreWriter
from simulators.influx import Influx, Victoria
from simulators.messages import BATCH_TOPIC
from simulators.plant import COUNTER, SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import eventually

NOW_MS = 1_795_478_400_000
SPOOL_MAX = 2_000_000_000
_FLAGS = ("N", "N", "N", "T", "M")

Point = tuple[str, int, float, int]  # point, time, value, flag


class Fed:
    """A store with a spool, its writer on a thread as in the daemon, and a pipeline that feeds it."""

    def __init__(self, folder: Path, size: int = 30, spool_max: int = SPOOL_MAX) -> None:
        simulated = SimulatedPlant(size=size)
        (folder / "plant.yaml").write_text(plant_file(simulated), encoding="utf-8")
        self.plant: Plant = load_plant(folder / "plant.yaml", "en")
        self._arrived = threading.Event()
        self._writer = StoreWriter(folder / "plantmon.db", self._arrived)
        self._writer.start(self._pump)
        self.store = Store(folder / "plantmon.db", self._writer.run)
        self.store.write(lambda connection: spool.set_limit(connection, spool_max))
        self.pipeline = Pipeline(self.plant, self.store, NOW_MS, "plant.example")
        self._gauges = [point for point in simulated.points() if point.kind != COUNTER]

    def _pump(self, _: object) -> bool:
        """Say that no message waits, as the daemon's pump does: without clearing, the writer would never rest."""
        self._arrived.clear()
        return False

    def feed(self, readings: int, start_ms: int = NOW_MS - 86_400_000, in_message: int = 100) -> None:
        """Store so many readings, a second apart, in batches of a few messages, some of them flagged."""
        for number in range(readings // in_message):
            point = self._gauges[number % len(self._gauges)]
            first_ms = start_ms + number // len(self._gauges) * in_message * 1000
            body = {
                "point": point.id,
                "unit": point.unit,
                "ts": [first_ms + place * 1000 for place in range(in_message)],
                "values": [(2000 + (number * 31 + place * 7) % 9973) / 100 for place in range(in_message)],
                "flags": [_FLAGS[(number + place) % 97 % len(_FLAGS)] for place in range(in_message)],
            }
            self.take([Message(BATCH_TOPIC, json.dumps(body).encode(), NOW_MS)])

    def take(self, messages: list[Message]) -> None:
        """Store messages in one transaction."""
        batch = self.pipeline.checker.check(messages)
        self.store.write(lambda connection: self.pipeline.take(connection, batch, messages, NOW_MS))

    def stored(self) -> list[Point]:
        """Give every reading of the store, in order."""
        with self.store.readers.snapshot() as connection:
            rows = connection.execute(
                """
                SELECT name, ts, value, flag FROM reading JOIN point ON id = point
                UNION ALL SELECT name, ts, value, flag FROM register JOIN point ON id = point ORDER BY 1, 2
                """
            )
            return [(name, ts, value, flag) for name, ts, value, flag in rows]

    def waiting(self, kind: What | None = None) -> int:
        """Give how many rows wait, of a kind or all."""
        with self.store.readers.snapshot() as connection:
            found = spool.waiting(connection, spool.total(connection).accepted, 1 << 60)
        return sum(blob.rows for blob in found if kind in (None, blob.kind))

    def forwarder(self, writer: Writer) -> Forwarder:
        """Make the stage that sends what this store spools."""
        return Forwarder(self.store, self.plant, writer, SentAgain(self.plant.time))

    def close(self) -> None:
        """End the writer."""
        self.store.close()
        self._writer.stop(10)


def writer_of(influx: Influx, timeout_s: float = 5.0, **changes: str) -> InfluxWriter:
    """Make the writing side of a simulated server."""
    given = {"bucket": influx.bucket, "token": influx.token} | changes
    return InfluxWriter(influx.url, "plant", given["bucket"], given["token"], timeout_s)


def drain(forwarder: Forwarder) -> list[Turn]:
    """Send until nothing waits or something is wrong; give the turns."""
    turns = []
    while True:
        turns.append(forwarder.run(NOW_MS, time.monotonic()))
        if turns[-1].fault or not (turns[-1].rows or turns[-1].is_full):
            return turns


@contextmanager
def running(forwarder: Forwarder, longest_wait_s: float = 0.2) -> Iterator[None]:
    """Run a forwarder on a thread, its waits cut short, so that a proof takes seconds."""
    ending = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while not ending.is_set():
                turn = forwarder.run(NOW_MS, time.monotonic())
                if not turn.is_full:
                    ending.wait(min(turn.wait_s, longest_wait_s) if turn.fault else 0.01)
        except BaseException as error:  # told at the end
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(30)
    if failed:
        raise failed[0]


def in_influx(influx: Influx) -> list[Point]:
    """Give every reading of a server, in order."""
    rows = influx.points("reading", "point", "value", "flag")
    return sorted((point, ts, float(value), int(flag)) for ts, point, value, flag in rows)


def in_victoria(victoria: Victoria) -> list[Point]:
    """Give every reading of a VictoriaMetrics, in order; its metrics of values and flags put together."""
    values, flags = (
        sorted(
            (labels["point"], at, value)
            for labels, times, values in victoria.series(name)
            for at, value in zip(times, values, strict=True)
        )
        for name in ("reading_value", "reading_flag")
    )
    assert [one[:2] for one in values] == [one[:2] for one in flags]
    return [(*one, int(flag)) for one, (_, _, flag) in zip(values, flags, strict=True)]


def kill_story(
    folder: Path, server: Influx | Victoria, writer: Writer, readings: int, kills: int, limit_s: float = 120.0
) -> list[Point]:
    """Feed and forward while a server is killed and started again; give what the store has then."""
    fed = Fed(folder)
    try:
        with running(fed.forwarder(writer)):
            for number in range(kills):
                while_away = readings // kills // 10
                fed.feed(readings // kills - while_away, NOW_MS - 86_400_000 + number * 7_000_000)
                server.kill9()
                fed.feed(while_away, NOW_MS - 20 * 86_400_000 + number * 1_000_000)
                server.start()
            assert eventually(lambda: fed.waiting() == 0, limit_s), f"{fed.waiting()} rows still wait"
        return fed.stored()
    finally:
        fed.close()
