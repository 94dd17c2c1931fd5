"""This module puts what alarms have to say into the outbox, for the recipients whose turn it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plantmon.model.plant import Plant
from plantmon.notify.recipients import Group, grouped, groups, those_to_tell
from plantmon.store import alarms, outbox

# What a line of a list says of its alarm.
_LISTED = (
    "alarm", "kind", "severity", "outlet", "point", "limit", "window", "value", "peak", "bound", "side", "unit",
    "at_least", "since", "until", "detail",
)  # fmt: skip


class Announcer:
    """Knows the plant's recipients. Runs inside the transaction of the event it tells of."""

    def __init__(self, plant: Plant, domain: str) -> None:
        self._plant = plant
        self._domain = domain
        self.queued = 0  # messages so far; whoever sends is woken when it grew, after the commit

    def announce(
        self, connection: sqlite3.Connection, event: str, severity: str, alarm: int | None, facts: Mapping[str, Any],
        now_ms: int, *, standing_ms: int = 0, told_ms: int | None = None,
    ) -> int:  # fmt: skip
        """Queue one message a language for those to be told now; give how many messages that were."""
        chosen = groups(
            self._plant.alarms, self._plant.time, severity, now_ms, standing_ms=standing_ms, told_ms=told_ms
        )
        return self._queue(connection, chosen, event, severity, alarm, facts, now_ms)

    def follow_up(
        self,
        connection: sqlite3.Connection,
        event: str,
        severity: str,
        alarm: int,
        facts: Mapping[str, Any],
        now_ms: int,
    ) -> int:
        """Queue one message a language for everybody who was told of an alarm before, also when rules changed since."""
        told = alarms.told_before(connection, alarm)
        chosen = grouped(self._plant.alarms, self._plant.time, severity, now_ms, told)
        return self._queue(connection, chosen, event, severity, alarm, facts, now_ms)

    def list_storm(
        self, connection: sqlite3.Connection, about: str, lines: Sequence[Mapping[str, Any]], now_ms: int
    ) -> int:
        """Queue one message a language that lists alarms; each recipient reads of those that are theirs.

        `lines` are facts, with `severity`, `standing_ms` and `told_ms` as for `announce`. Gives how many messages that
        were.
        """
        people: dict[tuple[str, str, str], list[int]] = {}
        for place, line in enumerate(lines):
            for one in self._listeners(connection, about, line):
                people.setdefault(one, []).append(place)
        lists: dict[tuple[int, ...], list[tuple[str, str, str]]] = {}
        for one, own in people.items():
            lists.setdefault(tuple(own), []).append(one)
        queued = self.queued
        for places, told in lists.items():
            self._list(connection, about, [lines[place] for place in places], told, now_ms)
        return self.queued - queued

    def _listeners(
        self, connection: sqlite3.Connection, about: str, line: Mapping[str, Any]
    ) -> list[tuple[str, str, str]]:
        if about not in ("raised", "escalated"):
            return alarms.told_before(connection, line["alarm"])
        is_first = about == "raised"
        return those_to_tell(
            self._plant.alarms, line["severity"], 0 if is_first else line["standing_ms"],
            None if is_first else line["told_ms"],
        )  # fmt: skip

    def _list(
        self, connection: sqlite3.Connection, about: str, lines: Sequence[Mapping[str, Any]],
        told: Iterable[tuple[str, str, str]], now_ms: int,
    ) -> None:  # fmt: skip
        severity = lines[0]["severity"]  # the worst: they come in that order
        chosen = grouped(self._plant.alarms, self._plant.time, severity, now_ms, told)
        if len(lines) == 1:
            self._queue(connection, chosen, about, severity, lines[0]["alarm"], lines[0], now_ms)
            return
        listed = [{key: line[key] for key in _LISTED if line.get(key) is not None} for line in lines]
        facts = {"kind": "storm", "about": about, "since": min(line["since"] for line in lines), "lines": listed}
        for group in chosen:
            message = self.post(connection, group, "storm", severity, facts, now_ms)
            alarms.note_listed(connection, message, [line["alarm"] for line in lines])

    def post(
        self, connection: sqlite3.Connection, group: Group, event: str, severity: str, facts: Mapping[str, Any],
        now_ms: int,
    ) -> int:  # fmt: skip
        """Queue one message that belongs to no alarm for one group; give its number in the outbox."""
        self.queued += 1
        return outbox.enqueue(
            connection, event=event, severity=severity, alarm=None, facts=facts, language=group.language,
            addresses=group.addresses, created_ms=now_ms, not_before_ms=group.not_before_ms, domain=self._domain,
        )  # fmt: skip

    def _queue(
        self, connection: sqlite3.Connection, chosen: list[Group], event: str, severity: str, alarm: int | None,
        facts: Mapping[str, Any], now_ms: int,
    ) -> int:  # fmt: skip
        for group in chosen:
            outbox.enqueue(
                connection, event=event, severity=severity, alarm=alarm, facts=facts, language=group.language,
                addresses=group.addresses, created_ms=now_ms, not_before_ms=group.not_before_ms, domain=self._domain,
            )  # fmt: skip
        self.queued += len(chosen)
        return len(chosen)
