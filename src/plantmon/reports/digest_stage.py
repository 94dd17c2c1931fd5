"""This module is the stage that sends the digest: each edition once, however often plantmon is restarted.

That an edition was queued is noted in the transaction that queues it. After an absence only the newest edition of each
kind is sent. It waits for the hours of its time to be closed and judged, but not for long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from msgspec import structs

from plantmon.compliance.outlook import Outlook
from plantmon.compliance.permit import Permit
from plantmon.model.plant import Plant, Recipient
from plantmon.notify.announce import Announcer
from plantmon.notify.digest_facts import EVENT, Digest, HeldLine, written
from plantmon.notify.recipients import LEFT_BEHIND_MS, Group
from plantmon.reports.digest import Around, build, is_complete, scope_of, shortened
from plantmon.reports.digest_edition import DAILY, Edition, newest
from plantmon.store import digest as rows
from plantmon.store import outbox, values
from plantmon.store.database import Store, disk_of
from plantmon.store.outbox import Message
from plantmon.times import MINUTE_MS

WAITS_MS = 15 * MINUTE_MS  # for the hours of its time, after it is due or plantmon came back
_TOLD = "digest_told:"  # the morning of the newest edition of a kind that was queued


class DigestStage:
    """The digests of one plant. `lookouts` gives the running windows' outlooks."""

    def __init__(
        self, plant: Plant, permit: Permit, numbers: dict[str, int], store: Store, announcer: Announcer,
        lookouts: Callable[[int], Sequence[Outlook]], now_ms: int,
    ) -> None:  # fmt: skip
        self._plant = plant
        self._permit = permit
        self._numbers = numbers
        self._store = store
        self._announcer = announcer
        self._lookouts = lookouts
        self._began_ms = now_ms
        self._hold_on(now_ms)

    def renew(self, permit: Permit) -> None:
        """Read the register by another permit from now on."""
        self._permit = permit

    def run(self, now_ms: int) -> int:
        """Queue the editions that are due; give how many messages that were."""
        queued = 0
        for edition in self._fresh(now_ms):
            if not self._may_wait(edition, now_ms) or self._is_complete(edition, now_ms):
                queued += self._send(edition, now_ms)
        return queued

    def _fresh(self, now_ms: int) -> list[Edition]:
        """Give the newest editions that were not queued; a store that begins now owes none."""
        clock = self._plant.alarms.digest
        if clock is None:
            return []
        editions = list(newest(clock, self._plant.time, now_ms))
        with self._store.readers.snapshot() as connection:
            told = {one.name: values.number_or_none(connection, _TOLD + one.name) for one in editions}
        unknown = [one for one in editions if told[one.name] is None]
        if unknown:
            self._store.write(lambda connection: self._note(connection, *unknown))
        return [
            one for one in editions
            if (last := told[one.name]) is not None and one.span(self._plant.time)[1] > last
        ]  # fmt: skip

    def _note(self, connection: sqlite3.Connection, *editions: Edition) -> None:
        for edition in editions:
            values.set_number(connection, _TOLD + edition.name, edition.span(self._plant.time)[1])

    def _may_wait(self, edition: Edition, now_ms: int) -> bool:
        return now_ms - max(edition.due_ms, self._began_ms) < WAITS_MS

    def _is_complete(self, edition: Edition, now_ms: int) -> bool:
        with self._store.readers.snapshot() as connection:
            return is_complete(scope_of(connection, self._plant, self._permit, self._numbers, edition, now_ms))

    def _send(self, edition: Edition, now_ms: int) -> int:
        recipients = [one for one in self._plant.alarms.recipients if edition.name in one.digest]
        if not recipients:
            self._store.write(lambda connection: self._note(connection, edition))
            return 0
        around = Around(self._lookouts(now_ms), disk_of(self._store.path))
        with self._store.readers.snapshot() as connection:
            scope = scope_of(connection, self._plant, self._permit, self._numbers, edition, now_ms)
            digest = build(scope, edition, around)
        return self._store.write(lambda connection: self._queue(connection, edition, digest, recipients, now_ms))

    def _queue(
        self, connection: sqlite3.Connection, edition: Edition, digest: Digest, recipients: list[Recipient], now_ms: int
    ) -> int:
        """Queue one message for those who read the same: in one language, with the same messages held for them."""
        if self._is_told(connection, edition):
            return 0
        waiting = self._held(connection, recipients) if edition.name == DAILY else []
        parties: dict[tuple[str, tuple[int, ...]], list[tuple[str, str]]] = {}
        for recipient in recipients:
            for address in recipient.email:
                own = tuple(one.id for one in waiting if address in _waiting_for(one))
                parties.setdefault((recipient.language, own), []).append((recipient.name, address))
        for (language, own), addresses in parties.items():
            told = tuple(held_line(one) for one in waiting if one.id in own)
            whole = shortened(structs.replace(digest, held=told))
            group = Group(language, tuple(addresses), now_ms)
            number = self._announcer.post(connection, group, EVENT, "data", written(whole), now_ms)
            outbox.tell_held(connection, own, number)
        self._note(connection, edition)
        return len(parties)

    def _held(self, connection: sqlite3.Connection, recipients: Iterable[Recipient]) -> list[Message]:
        return outbox.held(connection, {address for one in recipients for address in one.email})

    def _is_told(self, connection: sqlite3.Connection, edition: Edition) -> bool:
        last = values.number_or_none(connection, _TOLD + edition.name)
        return last is not None and last >= edition.span(self._plant.time)[1]

    def _hold_on(self, now_ms: int) -> None:
        """Keep what waits for a digest that is overdue, so that it does not leave by itself before that is made."""
        if not any(edition.name == DAILY for edition in self._fresh(now_ms)):
            return
        daily = [one for one in self._plant.alarms.recipients if DAILY in one.digest]
        until_ms = now_ms + LEFT_BEHIND_MS
        self._store.write(
            lambda connection: rows.hold_on(connection, [one.id for one in self._held(connection, daily)], until_ms)
        )


def held_line(one: Message) -> HeldLine:
    """Say in a digest what a message that was held says."""
    return HeldLine(one.event, one.severity, one.created_ms, one.facts)


def _waiting_for(one: Message) -> set[str]:
    """Give the addresses a held message waits for."""
    return {delivery.address for delivery in one.queued if not delivery.attempts}
