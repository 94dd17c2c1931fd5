"""This module puts what alarms have to say into the outbox, for the recipients whose turn it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from plantmon.model.plant import Plant
from plantmon.notify.recipients import Group, groups, not_before
from plantmon.store import outbox


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
        held = not_before(self._plant.alarms, self._plant.time, severity, now_ms)
        told = connection.execute(
            """
            SELECT DISTINCT message.language, delivery.recipient, delivery.address
            FROM message JOIN delivery ON delivery.message = message.id
            WHERE message.alarm = ?
            ORDER BY message.id, delivery.address
            """,
            (alarm,),
        ).fetchall()
        languages: dict[str, list[tuple[str, str]]] = {}
        for language, recipient, address in told:
            languages.setdefault(language, []).append((recipient, address))
        chosen = [Group(language, tuple(pairs), held) for language, pairs in languages.items()]
        return self._queue(connection, chosen, event, severity, alarm, facts, now_ms)

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
