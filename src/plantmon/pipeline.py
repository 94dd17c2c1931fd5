"""This module puts the stages of one plant together: what the daemon, a command and a replay run alike.

It owns no thread and no clock: messages and `now` are handed in, so a week can be replayed in seconds through the same
objects that serve a live plant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from plantmon.alarms.stage import AlarmStage
from plantmon.compliance.live import LiveLimits
from plantmon.compliance.stage import ComplianceStage
from plantmon.feed.check import Batch, Checker, Message
from plantmon.feed.ingest import Ingest, Stored, count_stored
from plantmon.model.alarm import Condition, Severity
from plantmon.model.plant import Plant
from plantmon.model.reading import Columns
from plantmon.notify.announce import Announcer
from plantmon.store import values
from plantmon.store.database import Store
from plantmon.store.points import register_points
from plantmon.windows.reported import ReportedStage
from plantmon.windows.stage import RegisterNews, WindowStage


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the stages did; `more` when it should be called again at once."""

    windows_closed: int
    windows_changed: int
    verdicts_changed: int
    more: bool


class Pipeline:
    """All stages of one plant over one store."""

    def __init__(self, plant: Plant, store: Store, now_ms: int, mail_domain: str) -> None:
        self.plant = plant
        self.store = store
        self.numbers = store.write(lambda connection: register_points(connection, plant, now_ms))
        self.checker = Checker(plant, self.numbers)
        self.announcer = Announcer(plant, mail_domain)
        self.alarms = AlarmStage(plant, store, self.announcer)
        self.live = LiveLimits(plant, self.numbers)
        self.ingest = Ingest(plant, self.numbers, self.checker.counters, self._judge_live)
        self.windows = WindowStage(plant, self.numbers, store, self._tell_register_news)
        self.reported = ReportedStage(plant, self.numbers, store, self.alarms.apply)
        self.compliance = ComplianceStage(plant, self.numbers, store)
        with store.readers.snapshot() as connection:
            self.live.load(connection, now_ms)

    def take(self, connection: sqlite3.Connection, batch: Batch, messages: Sequence[Message], now_ms: int) -> Stored:
        """Store a checked batch inside the caller's transaction, judging limits on single readings with it."""
        stored = self.ingest.write(connection, batch, list(messages), now_ms)
        count_stored(connection, stored)
        values.add_counts(connection, {"passed": batch.passed})
        return stored

    def undone(self, connection: sqlite3.Connection, now_ms: int) -> None:
        """Forget what an undone transaction left in memory."""
        self.checker.put_back()
        self.ingest.forget()
        self.live.load(connection, now_ms)

    def turn(self, now_ms: int) -> Turn:
        """Run windows, the comparison with devices' own figures, compliance and alarms once."""
        progress = self.windows.run(now_ms)
        more_reported = self.reported.run(now_ms)
        verdicts, more_verdicts = self.compliance.run()
        more_alarms = self.alarms.run(now_ms)
        if progress.closed or progress.changed:
            self.store.write(
                lambda connection: values.add_counts(
                    connection, {"windows_closed": progress.closed, "windows_changed": progress.changed}
                )
            )
        more = progress.more or more_reported or more_verdicts or more_alarms
        return Turn(progress.closed, progress.changed, verdicts, more)

    def settle(self, now_ms: int) -> None:
        """Run the stages until nothing is left to do at this instant."""
        while True:
            turn = self.turn(now_ms)
            if not (turn.more or turn.windows_changed or turn.verdicts_changed):
                return

    def recompute(self, start_ms: int, end_ms: int, now_ms: int) -> tuple[int, int]:
        """Compute and judge a span again; give how many windows and verdicts came out differently."""
        windows_changed = self.windows.recompute(start_ms, end_ms, now_ms)
        self.compliance.mark(start_ms, end_ms)
        verdicts_changed = 0
        while True:
            changed, more = self.compliance.run()
            verdicts_changed += changed
            if not more:
                return windows_changed, verdicts_changed

    def _judge_live(self, connection: sqlite3.Connection, new: Columns, now_ms: int) -> bool:
        conditions = self.live.judge(connection, new, now_ms)
        return self.alarms.apply(connection, conditions, now_ms) if conditions else False

    def _tell_register_news(self, connection: sqlite3.Connection, news: list[RegisterNews], now_ms: int) -> None:
        """Raise an alarm for each register that was replaced undeclared or ran too fast."""
        self.alarms.apply(connection, [_register_condition(one) for one in news], now_ms)


def _register_condition(news: RegisterNews) -> Condition:
    happening = news.happening
    facts = {
        "point": news.point, "outlet": None, "start": happening.ts_ms, "end": happening.ts_ms,
        "detail": f"{happening.event}: {happening.before:.12g} -> {happening.after:.12g}",
    }  # fmt: skip
    key = f"meter_event:{news.point}:{happening.ts_ms}"
    return Condition(key, "meter_event", Severity.DATA, True, happening.ts_ms, happening.ts_ms, facts)
