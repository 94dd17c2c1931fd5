"""This module drives the alarms through any sequence of events, beside a simple model of what must be true of them.

The real stage, store and outbox run; the model knows only when something was wrong, and what people did. Whatever
happens, restarts and undone transactions too: no breach is lost, and nobody is mailed the same thing twice.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from builders import a_plant, some_alarm_rules
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from story import FEEDS, Story

from plantmon.errors import AlarmError
from plantmon.model.alarm import Condition, Severity, State
from plantmon.model.plant import Recipient
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, to_ms

BEGIN = to_ms(datetime(2026, 3, 3, 8, tzinfo=ZoneInfo("Asia/Shanghai")))
EHS = "ehs@example.com"
EVERYTHING = frozenset({"warning", "breach", "data"})
PLANT = a_plant(
    (), (), feeds=FEEDS,
    alarms=some_alarm_rules(
        recipients=(
            Recipient("ehs", (EHS,), EVERYTHING, 0, "zh"),
            Recipient("manager", ("m@example.com",), frozenset({"breach"}), 30 * MINUTE_MS, "en"),
        )
    ),
)  # fmt: skip
MEMORY = Path("/dev/shm")  # thousands of commits, and no power loss to survive
REPEAT_MS = PLANT.alarms.repeat_ms
HOUR, READING, SILENT = "breach:hour", "breach:reading", "silent:point"
KEYS = st.sampled_from([HOUR, READING, SILENT])
GAP_MS = {HOUR: 2 * HOUR_MS, READING: HOUR_MS, SILENT: HOUR_MS}
PLACES = st.integers(0, 5)
WAITS = st.sampled_from(
    [MINUTE_MS, 20 * MINUTE_MS, 59 * MINUTE_MS, 61 * MINUTE_MS, 3 * HOUR_MS, 5 * HOUR_MS, 25 * HOUR_MS]
)
LISTING_MS = 2 * MINUTE_MS  # after so long a storm's lists are mailed


@dataclass
class Incident:
    """What the model knows of one incident."""

    key: str
    worst: float
    bad: bool = True
    acknowledged: bool = False
    closed: bool = False
    ended_ms: int = 0
    shelf_ms: int | None = None

    @property
    def is_breach(self) -> bool:
        """Whether people must acknowledge and close it."""
        return self.key != SILENT

    @property
    def states(self) -> set[State]:
        """Where it may stand; a silence that is over ends by itself some time."""
        if self.shelf_ms is not None:
            return {State.SHELVED}
        if self.bad:
            return {State.ACKED if self.acknowledged else State.UNACK}
        if self.acknowledged or self.closed:
            return {State.NORMAL}
        return {State.RTNUN} if self.is_breach else {State.RTNUN, State.NORMAL}

    def leave_shelf(self) -> None:
        """Leave the shelf: what stands then is as if it came anew."""
        self.shelf_ms = None
        if self.bad:
            self.acknowledged = False


@dataclass
class Heard:
    """What EHS was mailed of one alarm, in order: (what, when)."""

    mails: list[tuple[str, int]] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        """Whether it stands, for all they know."""
        told = [what for what, _ in self.mails if what in ("raised", "again", "unshelved", "cleared")]
        return bool(told) and told[-1] != "cleared"

    def last(self, what: str) -> int:
        """When they last were told something."""
        return max((at for said, at in self.mails if said == what), default=-DAY_MS)


class Killed(Exception):
    """The daemon was killed before the commit."""


class AlarmMachine(RuleBasedStateMachine):
    """Any sequence of what happens to a plant's alarms."""

    @initialize()
    def begin(self) -> None:
        """Begin with an empty store."""
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.story = Story(Path(self.folder.name), PLANT)
        self.now_ms = BEGIN
        self.incidents: list[Incident] = []

    def teardown(self) -> None:
        """Let all lists be mailed, look once more, and put away the store."""
        if hasattr(self, "story"):
            self._pass(LISTING_MS)
            self._pass(LISTING_MS)
            self.nothing_is_lost_or_said_twice()
            with self.story.store.readers.snapshot() as connection:
                (waiting,) = connection.execute("SELECT count(*) FROM storm_line WHERE told_ms IS NULL").fetchone()
            assert waiting == 0
            self.story.close()
            self.folder.cleanup()

    # what happens

    @rule(key=KEYS, value=st.integers(51, 60))
    def is_bad(self, key: str, value: int) -> None:
        """Let the newest window or reading be wrong."""
        self._apply(key, bad=True, value=float(value))
        one = self._last(key)
        if one is not None and not one.bad and self._continues(one):
            one.bad = True
        elif one is None or not one.bad:
            self.incidents.append(Incident(key, float(value)))
            return
        if one.shelf_ms is not None and one.is_breach and value > one.worst:
            one.leave_shelf()
        one.worst = max(one.worst, float(value))

    @rule(key=KEYS)
    def is_good(self, key: str) -> None:
        """Let the newest window or reading comply."""
        self._apply(key, bad=False, value=20.0)
        one = self._last(key)
        if one is not None and one.bad:
            one.bad, one.ended_ms = False, self.now_ms

    @rule(wait_ms=WAITS)
    def time_passes(self, wait_ms: int) -> None:
        """Nothing happens for a while."""
        self._pass(wait_ms)

    @rule(key=KEYS)
    def is_killed(self, key: str) -> None:
        """Kill the daemon in the midst of a transaction; it starts anew."""

        def change(connection: sqlite3.Connection) -> None:
            self.story.pipeline.alarms.apply(connection, [self._condition(key, bad=True, value=99.0)], self.now_ms)
            raise Killed

        try:
            self.story.store.write(change)
        except Killed:
            self._restart()

    @rule()
    def restarts(self) -> None:
        """Stop and start the daemon in good order."""
        self._restart()

    # what people do

    @precondition(lambda self: self.incidents)
    @rule(place=PLACES)
    def somebody_acknowledges(self, place: int) -> None:
        """Somebody acknowledges an alarm, whatever became of it."""
        number = place % len(self.incidents) + 1
        self._ask(lambda c: self.story.pipeline.alarms.acknowledge(c, number, "li", "seen", self.now_ms))
        self.incidents[number - 1].acknowledged = True

    @precondition(lambda self: self.incidents)
    @rule(place=PLACES, hours=st.integers(1, 24))
    def somebody_shelves(self, place: int, hours: int) -> None:
        """Somebody shelves what is not over; the rest is refused."""
        number, one = self._newest(place)
        if not one.is_breach and not one.bad and one.shelf_ms is None:
            return
        until_ms = self.now_ms + hours * HOUR_MS
        is_possible = one.states != {State.NORMAL}
        done = self._ask(lambda c: self.story.pipeline.alarms.shelve(c, number, until_ms, "known", "li", self.now_ms))
        assert done == is_possible
        if done:
            one.shelf_ms = until_ms

    @precondition(lambda self: self.incidents)
    @rule(place=PLACES)
    def somebody_unshelves(self, place: int) -> None:
        """Somebody takes an alarm off the shelf; one that is not on it is refused."""
        number, one = self._newest(place)
        done = self._ask(lambda c: self.story.pipeline.alarms.unshelve(c, number, "li", self.now_ms))
        assert done == (one.shelf_ms is not None)
        if done:
            one.leave_shelf()

    @precondition(lambda self: self.incidents)
    @rule(place=PLACES)
    def somebody_closes(self, place: int) -> None:
        """Somebody closes what is over; what stands, or is closed, is refused."""
        number, one = self._newest(place)
        done = self._ask(lambda c: self.story.pipeline.alarms.close(c, number, "why", "what", "li", self.now_ms))
        assert done == (not one.bad and not one.closed)
        if done:
            one.closed, one.acknowledged, one.shelf_ms = True, True, None

    # what must be true

    @invariant()
    def nothing_is_lost_or_said_twice(self) -> None:
        """Every incident stands where people put it; each is raised once, and its end is said when it ended."""
        if not hasattr(self, "story"):
            return
        found = self.story.alarms()
        assert [one.key for one in found] == [one.key for one in self.incidents]
        heard = self._heard()
        for alarm, one in zip(found, self.incidents, strict=True):
            assert alarm.is_bad == one.bad
            assert alarm.state in one.states
            mails = heard.get(alarm.id, Heard())
            assert [what for what, _ in mails.mails].count("raised") == 1
            self._check_order(mails)
            if one.shelf_ms is not None:
                continue
            if one.bad:
                assert mails.is_bad or self.now_ms - mails.last("again") < REPEAT_MS
            elif mails.is_bad:
                assert one.key != HOUR
                assert self.now_ms - one.ended_ms < GAP_MS[one.key]

    def _check_order(self, heard: Heard) -> None:
        """Nobody hears of an end twice, nor that something came back of whose end nobody heard."""
        is_bad, again_ms = False, -DAY_MS
        for what, at_ms in heard.mails:
            if what in ("raised", "again"):
                assert not is_bad
            if what == "again":
                assert at_ms - again_ms >= REPEAT_MS - LISTING_MS  # one in a list, one by itself
                again_ms = at_ms
            if what == "cleared":
                assert is_bad
            is_bad = {"raised": True, "again": True, "unshelved": True, "cleared": False}.get(what, is_bad)

    # the means

    def _condition(self, key: str, *, bad: bool, value: float) -> Condition:
        facts = {"start": self.now_ms, "end": self.now_ms, "value": value, "bound": 50.0, "side": "max"}
        if key != SILENT:
            facts["window"] = "1h" if key == HOUR else "reading"  # type: ignore[assignment]
        kind, severity = ("silent", Severity.DATA) if key == SILENT else ("breach", Severity.BREACH)
        return Condition(key, kind, severity, bad, self.now_ms, self.now_ms, dict(facts))

    def _apply(self, key: str, *, bad: bool, value: float) -> None:
        self._pass(SECOND_MS)
        self.story.apply([self._condition(key, bad=bad, value=value)], self.now_ms)

    def _pass(self, wait_ms: int) -> None:
        self.now_ms += wait_ms
        for one in self.incidents:
            if one.shelf_ms is not None and self.now_ms >= one.shelf_ms:
                one.leave_shelf()
        for _ in range(2):  # what the first turn ends the second may say
            self.story.pipeline.alarms.run(self.now_ms)

    def _ask(self, change: Callable[[sqlite3.Connection], object]) -> bool:
        try:
            self.story.store.write(change)
        except AlarmError:
            return False
        return True

    def _restart(self) -> None:
        self.story.close()
        self.story = Story(Path(self.folder.name), PLANT)
        self.story.now_ms = self.now_ms

    def _last(self, key: str) -> Incident | None:
        return next((one for one in reversed(self.incidents) if one.key == key), None)

    def _newest(self, place: int) -> tuple[int, Incident]:
        """Give one of the keys' newest incidents with its number."""
        newest = {one.key: (number, one) for number, one in enumerate(self.incidents, 1)}
        return list(newest.values())[place % len(newest)]

    def _continues(self, one: Incident) -> bool:
        is_soon = self.now_ms - one.ended_ms <= GAP_MS[one.key]
        return not one.closed and (one.shelf_ms is not None or is_soon)

    def _heard(self) -> dict[int, Heard]:
        """Give what EHS was told of each alarm, by itself or in lists; what waits for its list will be told."""
        heard: dict[int, Heard] = {}
        for one in self.story.messages():
            if EHS not in [delivery.address for delivery in one.deliveries]:
                continue
            listed = [(line["alarm"], one.facts["about"]) for line in one.facts.get("lines", ())]
            for alarm, what in listed or [(one.alarm, one.event)]:
                assert alarm is not None
                heard.setdefault(alarm, Heard()).mails.append((what, one.created_ms))
        with self.story.store.readers.snapshot() as connection:
            rows = connection.execute("SELECT alarm, about, at_ms FROM storm_line WHERE told_ms IS NULL ORDER BY id")
            for alarm, what, at_ms in rows:
                heard.setdefault(alarm, Heard()).mails.append((what, at_ms))
        return heard


TestAlarms = AlarmMachine.TestCase
TestAlarms.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
