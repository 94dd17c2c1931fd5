"""This module has alarms say what they have to say: each by itself, or those of a storm in one mail that lists them.

When more alarms than `storm_mails` come within a minute, plant and real time, the first are mailed one by one and the
others wait some seconds for each other. From then on all of them are told of in lists: reminders, escalations, ends.
What waits stands in the store, written in the transaction of its alarm's step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from plantmon.model.alarm import Alarm
from plantmon.model.plant import Rules
from plantmon.store import alarms, values
from plantmon.store.alarms import Line, Waiting
from plantmon.times import MINUTE_MS, SECOND_MS

GATHER_MS = 10 * SECOND_MS  # the others wait so long for each other, plant time
APART_MS = MINUTE_MS  # what a storm has to say next waits so long after its last list; ends wait so long for each other
_UNDONE = {("cleared", "again"), ("again", "cleared")}  # after both people know what they knew before
_RANK = {"breach": 0, "warning": 1, "data": 2}


class Announce(Protocol):
    """Who puts mails into the outbox (notify)."""

    def announce(
        self, connection: sqlite3.Connection, event: str, severity: str, alarm: int | None, facts: Mapping[str, Any],
        now_ms: int, *, standing_ms: int = 0, told_ms: int | None = None,
    ) -> int:  # fmt: skip
        """Tell those whose turn it is."""

    def follow_up(
        self,
        connection: sqlite3.Connection,
        event: str,
        severity: str,
        alarm: int,
        facts: Mapping[str, Any],
        now_ms: int,
    ) -> int:
        """Tell those who were told before."""

    def list_storm(
        self, connection: sqlite3.Connection, about: str, lines: Sequence[Mapping[str, Any]], now_ms: int
    ) -> int:
        """Tell of several alarms in one mail, each recipient of theirs."""


class Voice:
    """What the alarms of one plant say. `rate` is the plant clock's: a minute is one of plant and of real time."""

    def __init__(self, rules: Rules, outbox: Announce, rate: float = 1.0) -> None:
        self._most = rules.storm_mails
        self._outbox = outbox
        self._within_ms = int(MINUTE_MS * min(1.0, rate))

    def say(self, connection: sqlite3.Connection, alarm: Alarm, said: str, now_ms: int) -> int:
        """Say something of an alarm as it now stands; give how many messages that queued."""
        storm = alarm.storm
        if said == "raised" and storm is None:
            storm = self._storm(connection, alarm, now_ms)
        if said == "raised":
            alarms.change(connection, alarm.id, {"said_ms": now_ms})
        facts = alarm.facts | {
            "kind": alarm.kind, "since": alarm.since_ms, "alarm": alarm.id, "severity": str(alarm.severity),
            "acked_by": alarm.acked_by, "standing_ms": now_ms - alarm.clock_ms, "told_ms": alarm.escalated_ms,
        }  # fmt: skip
        if storm is not None:
            alarms.add_line(connection, storm, alarm.id, said, facts, now_ms)
            return 0
        return self._mail(connection, said, facts, now_ms)

    def is_due(self, connection: sqlite3.Connection, now_ms: int) -> bool:
        """Whether a storm's list is to be mailed."""
        return any(_is_due(one, now_ms) for one in alarms.storms_waiting(connection))

    def tell_storms(self, connection: sqlite3.Connection, now_ms: int) -> int:
        """Mail what storms have to say where it is due; give how many messages that were."""
        told = 0
        due = [one for one in alarms.storms_waiting(connection) if _is_due(one, now_ms)]
        for storm in due:
            for about, lines in lists_of(alarms.take_lines(connection, storm.number, now_ms)):
                if len(lines) == 1:
                    told += self._mail(connection, about, lines[0], now_ms)
                else:
                    told += self._outbox.list_storm(connection, about, lines, now_ms)
        return told

    def _mail(self, connection: sqlite3.Connection, said: str, facts: Mapping[str, Any], now_ms: int) -> int:
        number, severity = facts["alarm"], facts["severity"]
        if said == "raised":
            return self._outbox.announce(connection, said, severity, number, facts, now_ms)
        if said == "escalated":
            return self._outbox.announce(
                connection, said, severity, number, facts, now_ms, standing_ms=facts["standing_ms"],
                told_ms=facts["told_ms"],
            )  # fmt: skip
        return self._outbox.follow_up(connection, said, severity, number, facts, now_ms)

    def _storm(self, connection: sqlite3.Connection, alarm: Alarm, now_ms: int) -> int | None:
        """Give the storm an alarm comes in, None when it comes alone; those just before it belong to it too."""
        lately = alarms.said_since(connection, now_ms - self._within_ms)
        if len(lately) < self._most:
            return None
        known = [one.storm for one in lately if one.storm is not None]
        storm = known[-1] if known else values.next_number(connection, "storm")
        for one in [*lately, alarm]:
            if one.storm is None:
                alarms.change(connection, one.id, {"storm": storm})
        return storm


def lists_of(lines: Sequence[Line]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Put lines, oldest first, into lists to be mailed one after the other: (about, facts), breaches first in each.

    What an alarm has to say stays in its order; coming back and going again meanwhile is left out.
    """
    waiting: dict[int, list[Line]] = {}
    for line in lines:
        own = waiting.setdefault(line.alarm, [])
        if own and (own[-1].about, line.about) in _UNDONE:
            own.pop()
        else:
            own.append(line)
    found = []
    for turn in range(max(map(len, waiting.values()), default=0)):
        now = [own[turn] for own in waiting.values() if turn < len(own)]
        for about in dict.fromkeys(line.about for line in now):
            listed = [line.facts for line in now if line.about == about]
            found.append((about, sorted(listed, key=lambda one: (_RANK[one["severity"]], one["since"], one["alarm"]))))
    return found


def _is_due(storm: Waiting, now_ms: int) -> bool:
    gathered = [] if storm.first_ms is None else [storm.first_ms + GATHER_MS]
    gathered += [] if storm.end_ms is None else [storm.end_ms + APART_MS]
    return now_ms >= max(min(gathered), 0 if storm.last_ms is None else storm.last_ms + APART_MS)
