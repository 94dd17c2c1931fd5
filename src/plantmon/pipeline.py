"""This module puts the stages of one plant together: what the daemon, a command and a replay run alike.

It owns no thread and no clock: messages and `now` are handed in, so a week can be replayed in seconds through the same
objects that serve a live plant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plantmon import deadlines
from plantmon.alarms.leaks import LeakWatch
from plantmon.alarms.stage import AlarmStage
from plantmon.amounts.caps import CapWatch
from plantmon.amounts.stage import AmountStage
from plantmon.compliance.live import LiveLimits
from plantmon.compliance.outlook import Outlook
from plantmon.compliance.outlook_stage import OutlookStage
from plantmon.compliance.stage import ComplianceStage
from plantmon.feed.check import Batch, Checker, Message
from plantmon.feed.ingest import Ingest, Stored, count_stored
from plantmon.importing.take import Importing
from plantmon.model.alarm import Condition, Severity
from plantmon.model.plant import Plant
from plantmon.model.reading import Columns
from plantmon.notify.announce import Announcer
from plantmon.permits import note_health, permit_of
from plantmon.recompute import Recompute
from plantmon.reports.digest_stage import DigestStage
from plantmon.store import tally, values
from plantmon.store.database import Store
from plantmon.store.points import register_points
from plantmon.times import HOUR_MS
from plantmon.windows.reported import ReportedStage
from plantmon.windows.stage import RegisterNews, WindowStage
from plantmon.windows.suspects import SuspicionNews


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the stages did; `more` when it should be called again at once."""

    windows_closed: int
    windows_changed: int
    verdicts_changed: int
    more: bool


class Pipeline:
    """All stages of one plant over one store. `rate` is the plant clock's."""

    def __init__(self, plant: Plant, store: Store, now_ms: int, mail_domain: str, rate: float = 1.0) -> None:
        self.plant = plant
        self.store = store
        self.numbers = store.write(lambda connection: register_points(connection, plant, now_ms))
        self.checker = Checker(plant, self.numbers)
        self.announcer = Announcer(plant, mail_domain)
        self.alarms = AlarmStage(plant, store, self.announcer, rate)
        self.live = LiveLimits(plant, self.numbers)
        self.ingest = Ingest(plant, self.numbers, self.checker.sparse, self._judge_live)
        self.windows = WindowStage(plant, self.numbers, store, self._tell_register_news, self._tell_suspicions)
        self.reported = ReportedStage(plant, self.numbers, store, self.alarms.apply)
        with store.readers.snapshot() as connection:
            permit = permit_of(connection, plant)
            self.live.load(connection, now_ms)
        self.live.renew(permit)
        self.amounts = AmountStage(plant, self.numbers, store)
        self.caps = CapWatch(plant, self.numbers, store)
        self.leaks = LeakWatch(plant, self.numbers, store)
        self._permit = permit
        self.compliance = ComplianceStage(plant, permit, self.numbers, store)
        self.recomputing = Recompute(store, self.windows, self.amounts, self.compliance, plant.version)
        self.importing = Importing(plant, self.numbers, store, self.take, self._forget)
        self.lookouts = OutlookStage(plant, permit, self.numbers, store.readers)
        self.digests = DigestStage(plant, permit, self.numbers, store, self.announcer, self.lookouts.run, now_ms)
        store.write(lambda connection: note_health(connection, permit, now_ms))

    def take(self, connection: sqlite3.Connection, batch: Batch, messages: Sequence[Message], now_ms: int) -> Stored:
        """Store a checked batch inside the caller's transaction, judging limits on single readings with it."""
        stored = self.ingest.write(connection, batch, list(messages), now_ms)
        count_stored(connection, stored)
        values.add_counts(connection, {"passed": batch.passed})
        tally.add(connection, now_ms, {tally.READINGS: stored.readings})
        return stored

    def undone(self, connection: sqlite3.Connection, now_ms: int) -> None:
        """Forget what an undone transaction left in memory."""
        self.checker.put_back()
        self._forget(connection, now_ms)

    def _forget(self, connection: sqlite3.Connection, now_ms: int) -> None:
        self.ingest.forget()
        self.live.load(connection, now_ms)

    def turn(self, now_ms: int) -> Turn:
        """Run windows, the comparison with devices' own figures, compliance and alarms once."""
        progress = self.windows.run(now_ms)
        more_reported = self.reported.run(now_ms)
        _, more_amounts = self.amounts.run()
        verdicts, more_verdicts = self.compliance.run(now_ms)
        more_alarms = self.alarms.run(now_ms)
        if progress.closed or progress.changed:
            self.store.write(
                lambda connection: values.add_counts(
                    connection, {"windows_closed": progress.closed, "windows_changed": progress.changed}
                )
            )
        more = progress.more or more_reported or more_amounts or more_verdicts or more_alarms
        return Turn(progress.closed, progress.changed, verdicts, more)

    def settle(self, now_ms: int) -> None:
        """Run the stages until nothing is left to do at this instant."""
        while True:
            turn = self.turn(now_ms)
            if not (turn.more or turn.windows_changed or turn.verdicts_changed):
                return

    @property
    def unreadable(self) -> str | None:
        """What is wrong with a sealed file for which windows or verdicts wait, None where none do."""
        return self.windows.passed_over.fault or self.compliance.passed_over.fault

    def outlook(self, now_ms: int) -> list[Outlook]:
        """Look ahead in every window that runs, and warn of those that will be beyond their limit; give all."""
        outlooks = self.lookouts.run(now_ms)
        moving = self.lookouts.conditions(outlooks)
        if moving:
            self.store.write(lambda connection: self.alarms.apply(connection, moving, now_ms))
        return outlooks

    def watch_caps(self, now_ms: int) -> None:
        """Warn of the months' and years' permitted amounts that are nearly used, or will be at this pace."""
        conditions = self.caps.conditions(now_ms)
        if conditions:
            self.store.write(lambda connection: self.alarms.apply(connection, conditions, now_ms))

    def watch_leaks(self, now_ms: int) -> None:
        """Warn of meters that count more than those below them, or too much at night."""
        conditions = self.leaks.conditions()
        if conditions:
            self.store.write(lambda connection: self.alarms.apply(connection, conditions, now_ms))

    def watch_deadlines(self, now_ms: int) -> None:
        """Warn of faults to be reported and repaired, of calibrations and of execution reports."""
        with self.store.readers.snapshot() as connection:
            conditions = deadlines.conditions(connection, self.plant, self._permit, self.numbers, now_ms)
        if conditions:
            self.store.write(lambda connection: self.alarms.apply(connection, conditions, now_ms))

    def recompute(self, start_ms: int, end_ms: int, now_ms: int) -> tuple[int, int]:
        """Compute and judge a span again, or go on with it; give how many windows and verdicts came out differently."""
        return self.recomputing.run(start_ms, end_ms, now_ms)

    def permit_changed(self, from_ms: int, now_ms: int) -> int:
        """Judge by the permit as the store now has it, from an instant on again; give how many verdicts changed."""
        with self.store.readers.snapshot() as connection:
            permit = permit_of(connection, self.plant)
        self._permit = permit
        self.compliance.renew(permit)
        self.live.renew(permit)
        self.lookouts.renew(permit)
        self.digests.renew(permit)
        self.store.write(lambda connection: note_health(connection, permit, now_ms))
        return self.compliance.recompute(from_ms, now_ms, now_ms)

    def _judge_live(self, connection: sqlite3.Connection, new: Columns, now_ms: int) -> bool:
        conditions = self.live.judge(connection, new, now_ms)
        return self.alarms.apply(connection, conditions, now_ms) if conditions else False

    def _tell_suspicions(self, connection: sqlite3.Connection, news: list[SuspicionNews], now_ms: int) -> None:
        """Raise, follow and end the alarms about values that do not move or that jump."""
        self.alarms.apply(connection, [_suspicion_condition(self.plant, one) for one in news], now_ms)

    def _tell_register_news(self, connection: sqlite3.Connection, news: list[RegisterNews], now_ms: int) -> None:
        """Raise an alarm for each register that was replaced undeclared or ran too fast; end those of no others."""
        self.alarms.apply(connection, [_register_condition(one) for one in news], now_ms)


def _suspicion_condition(plant: Plant, news: SuspicionNews) -> Condition:
    found, until = news.found, news.hour + HOUR_MS
    outlet = plant.points[news.point].outlet
    facts: dict[str, Any] = {"point": news.point, "outlet": outlet, "unit": news.unit}
    if found is not None:
        facts |= {"start": found.start, "end": found.end, "value": found.value}
        facts |= {} if found.value is not None else {"detail": f"{found.detail} {news.unit}"}
    since = until if found is None else found.start
    ended = news.hour if found is None else found.end
    return Condition(f"{news.kind}:{news.point}", news.kind, Severity.DATA, found is not None, since, ended, facts)


def _register_condition(news: RegisterNews) -> Condition:
    happening = news.happening
    facts = {
        "point": news.point, "outlet": None, "start": happening.ts_ms, "end": happening.ts_ms,
        "detail": f"{happening.event}: {happening.before:.12g} -> {happening.after:.12g}",
    }  # fmt: skip
    key = f"meter_event:{news.point}:{happening.ts_ms}"
    is_bad = not news.is_over
    return Condition(key, "meter_event", Severity.DATA, is_bad, happening.ts_ms, happening.ts_ms, facts)
