"""This module tells stories to a plant: at this plant time do that, then look at the alarms and mails."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from plantmon.alarms import silence
from plantmon.feed.check import Message
from plantmon.model.alarm import Alarm, Condition
from plantmon.model.plant import FeedSpec, Plant
from plantmon.model.verdict import Verdict
from plantmon.pipeline import Pipeline
from plantmon.store import alarms, outbox, points, verdicts
from plantmon.store.database import Store
from plantmon.times import HOUR_MS, MINUTE_MS

FEEDS = (
    FeedSpec("p/{outlet}/{point}", "json", 1, "ts", "value", "unit", "flag", False),
    FeedSpec("p/meter/{meter}", "json", 1, "ts", "value", "unit", "flag", False),
    FeedSpec("p/batch", "json-batch", 1, "ts", "value", "unit", "flag", False),
)
Row = tuple[int, str, float, str]  # ts, point, value, flag
Mail = tuple[str, str, tuple[str, ...], int]  # event, alarm's kind, addresses, plant time


class Story:
    """A pipeline over a store in a folder. With `restarts` a new one takes over before every step."""

    def __init__(self, folder: Path, plant: Plant, *, restarts: bool = False, now_ms: int = 0) -> None:
        self._path = folder / "plantmon.db"
        self._plant = plant
        self._restarts = restarts
        self.now_ms = now_ms
        self._open()

    def _open(self) -> None:
        self.store = Store(self._path)
        self.pipeline = Pipeline(self._plant, self.store, self.now_ms, "plant.example")

    def _step(self, now_ms: int) -> None:
        self.now_ms = max(self.now_ms, now_ms)
        if self._restarts:
            self.store.close()
            self._open()

    def send(self, rows: Iterable[Row], now_ms: int | None = None) -> None:
        """Deliver readings in one batch; they arrive at their newest instant unless told otherwise."""
        rows = list(rows)
        self._step(now_ms if now_ms is not None else max(row[0] for row in rows))
        messages = [
            Message(_topic(point), json.dumps({"ts": ts, "value": value, "flag": flag}).encode(), self.now_ms)
            for ts, point, value, flag in rows
        ]
        self.deliver(messages)

    def deliver(self, messages: list[Message]) -> None:
        """Deliver messages in one batch, now."""
        batch = self.pipeline.checker.check(messages)
        self.store.write(lambda connection: self.pipeline.take(connection, batch, messages, self.now_ms))

    def hour(self, point: str, start: int, value: float, flag: str = "N", now_ms: int | None = None) -> None:
        """Deliver an hour of one reading a minute."""
        self.send([(start + at, point, value, flag) for at in range(0, HOUR_MS, MINUTE_MS)], now_ms)

    def settle(self, now_ms: int) -> None:
        """Let the stages do what is due."""
        self._step(now_ms)
        self.pipeline.settle(self.now_ms)

    def apply(self, conditions: list[Condition], now_ms: int) -> None:
        """Tell the alarms what is known."""
        self._step(now_ms)
        self.store.write(lambda connection: self.pipeline.alarms.apply(connection, conditions, self.now_ms))

    def listen(self, now_ms: int, since_ms: int, *, broker_is_away: bool = False) -> None:
        """Look who is silent, as the daemon does every second."""
        with self.store.readers.snapshot() as connection:
            heard = {name: silence.Heard(life.heard_ms) for name, life in points.lives(connection).items()}
        self.apply(silence.conditions(self._plant, heard, since_ms, now_ms, broker_is_away=broker_is_away), now_ms)

    def digest(self, now_ms: int) -> int:
        """Have the digests queued that are due; give how many messages that were."""
        self._step(now_ms)
        return self.pipeline.digests.run(self.now_ms)

    def acknowledge(self, number: int, now_ms: int) -> Alarm:
        """Acknowledge an alarm."""
        self._step(now_ms)
        return self.store.write(
            lambda connection: self.pipeline.alarms.acknowledge(connection, number, "li", "seen", self.now_ms)
        )

    def messages(self) -> list[outbox.Message]:
        """Give the outbox, oldest first."""
        with self.store.readers.snapshot() as connection:
            return outbox.listing(connection, most=1000)[::-1]

    def mails(self) -> list[Mail]:
        """Give what was said: event, kind, addresses, when."""
        return [
            (one.event, one.facts["kind"], tuple(sorted(d.address for d in one.deliveries)), one.created_ms)
            for one in self.messages()
        ]

    def told(self) -> list[tuple[str, str]]:
        """Give what was said, as (event, kind)."""
        return [mail[:2] for mail in self.mails()]

    def alarms(self) -> list[Alarm]:
        """Give all alarms, oldest first."""
        with self.store.readers.snapshot() as connection:
            return sorted(alarms.newest(connection, 1000), key=lambda one: one.id)

    def standing(self) -> list[str]:
        """Give the keys of the alarms that stand."""
        with self.store.readers.snapshot() as connection:
            return [one.key for one in alarms.all_standing(connection)]

    def verdict(self, limit: str, start: int) -> Verdict | None:
        """Give a limit's verdict on a window."""
        with self.store.readers.snapshot() as connection:
            return verdicts.read(connection, limit, start)

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def _topic(point: str) -> str:
    outlet, _, name = point.partition(".")
    return f"p/{outlet}/{name}" if name else f"p/meter/{point}"
