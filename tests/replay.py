"""This module replays simulated deliveries through the product's own pipeline, without threads, broker or clock."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from plantmon.feed.check import Message
from plantmon.model.plant import Plant
from plantmon.pipeline import Pipeline
from plantmon.store.database import Store, transaction
from simulators.faults import Delivery
from simulators.plant import SimulatedPlant


class Replay:
    """A pipeline over a fresh store, fed with deliveries; `now` follows the newest event time unless it is given."""

    def __init__(self, folder: Path, plant: Plant, now_ms: int) -> None:
        self.store = Store(folder / "plantmon.db")
        self.plant = plant
        self.now_ms = now_ms
        self.pipeline = Pipeline(plant, self.store, now_ms, "plant.example")

    def feed(self, deliveries: Sequence[Delivery], topics: dict[str, str]) -> None:
        """Store deliveries in their order, as json messages on their topics."""
        for start in range(0, len(deliveries), 2000):
            part = deliveries[start : start + 2000]
            self.now_ms = max(self.now_ms, *(one.ts_ms for one in part))
            self.take([message(one, topics, self.now_ms) for one in part])

    def take(self, messages: list[Message]) -> None:
        """Store messages in one transaction."""
        batch = self.pipeline.checker.check(messages)
        self.store.write(lambda connection: self.pipeline.take(connection, batch, messages, self.now_ms))

    def settle(self, now_ms: int | None = None) -> None:
        """Run the stages until nothing is left to do."""
        self.now_ms = max(self.now_ms, now_ms or 0)
        self.pipeline.settle(self.now_ms)

    def dump(self, tables: Iterable[str]) -> dict[str, list[tuple[object, ...]]]:
        """Give whole tables, to compare two stores bit for bit."""
        with self.store.readers.snapshot() as connection:
            select = 'SELECT * FROM "{}" ORDER BY 1, 2, 3'
            return {table: connection.execute(select.format(table)).fetchall() for table in tables}


def message(delivery: Delivery, topics: dict[str, str], now_ms: int) -> Message:
    """Write a delivery as the plant would send it."""
    payload = {"ts": delivery.ts_ms, "value": delivery.value}
    if delivery.flag != "N":
        payload["flag"] = delivery.flag
    return Message(topics[delivery.point], json.dumps(payload).encode(), now_ms)


def topics_of(plant: SimulatedPlant) -> dict[str, str]:
    """Give each simulated point's topic."""
    return {point.id: point.topic for point in plant.points()}


__all__ = ["Replay", "message", "topics_of", "transaction"]
