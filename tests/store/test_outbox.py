"""This module proves that the outbox keeps each delivery's way on its own, and gives what is due in order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from plantmon.store import attempts, outbox
from plantmon.store.attempts import Attempt
from plantmon.store.database import Store
from plantmon.store.outbox import Outcome
from plantmon.times import HOUR_MS

BOTH = (("ehs", "a@x.test"), ("manager", "b@x.test"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty store."""
    opened = Store(tmp_path / "plantmon.db")
    yield opened
    opened.close()


def put(store: Store, addresses: Sequence[tuple[str, str]] = BOTH, **changes: Any) -> int:
    """Enqueue a message; by default a breach, due at once, to two addresses."""
    given: dict[str, Any] = {
        "event": "raised",
        "severity": "breach",
        "alarm": None,
        "facts": {"kind": "breach", "detail": "超标"},
        "language": "zh",
        "addresses": addresses,
        "created_ms": 1000,
        "not_before_ms": 1000,
        "domain": "plant.test",
    } | changes
    return store.write(lambda connection: outbox.enqueue(connection, **given))


def alarm(store: Store) -> int:
    """Make an alarm's row and give its id."""

    def insert(connection: Any) -> int:
        return connection.execute(
            "INSERT INTO alarm (key, kind, severity, state, raised_ms, since_ms, facts)"
            " VALUES ('breach:x', 'breach', 'breach', 'active', 0, 0, '{}')"
        ).lastrowid

    return store.write(insert)


def due(store: Store, now_ms: int = 2000, real_ms: int = 2000, most: int = 10) -> list[outbox.Message]:
    """Give what is due."""
    with store.readers.snapshot() as connection:
        return outbox.due(connection, now_ms, real_ms, most)


def record(connection: sqlite3.Connection, number: int, outcomes: dict[str, Outcome], real_ms: int) -> None:
    """Write what a try at one server, an hour later by the plant's clock, made of a message."""
    outbox.record(connection, number, outcomes, real_ms, now_ms=real_ms + HOUR_MS, server="mx.test:25")


def test_message_comes_back_as_it_was_put(store: Store) -> None:
    """A message has its facts, a Message-ID of the sender's domain, and a queued delivery for each address."""
    number = put(store)
    (message,) = due(store)
    assert (message.id, message.facts, message.language) == (number, {"kind": "breach", "detail": "超标"}, "zh")
    assert message.message_id.startswith("<")
    assert message.message_id.endswith("@plant.test>")
    assert [(one.address, one.recipient, one.state, one.attempts) for one in message.deliveries] == [
        ("a@x.test", "ehs", "queued", 0),
        ("b@x.test", "manager", "queued", 0),
    ]


def test_message_ids_differ(store: Store) -> None:
    """No two messages share a Message-ID."""
    for _ in range(50):
        put(store)
    assert len({message.message_id for message in due(store, most=100)}) == 50


def test_shared_address_gets_one_delivery(store: Store) -> None:
    """An address that two recipients share is written to once, under both names."""
    put(store, [("ehs", "a@x.test"), ("night", "a@x.test")])
    (message,) = due(store)
    assert [(one.address, one.recipient) for one in message.deliveries] == [("a@x.test", "ehs, night")]


def test_oldest_comes_first_and_no_more_than_asked(store: Store) -> None:
    """Due messages come in the order they were put."""
    numbers = [put(store) for _ in range(3)]
    assert [message.id for message in due(store, most=2)] == numbers[:2]


def test_quiet_hours_hold_by_plant_time(store: Store) -> None:
    """A message is not due before its plant time, and the next time says so."""
    put(store, not_before_ms=5000)
    assert due(store, now_ms=4999) == []
    assert len(due(store, now_ms=5000)) == 1
    with store.readers.snapshot() as connection:
        assert outbox.next_due(connection, 4999, 100) == (None, 5000)
        assert outbox.next_due(connection, 5000, 100) == (100, None)


def test_each_delivery_goes_its_own_way(store: Store) -> None:
    """An accepted address is done, a queued one is due again at its time, with its answer and count."""
    number = put(store)
    later = {"a@x.test": Outcome("accepted", "250 OK"), "b@x.test": Outcome("queued", "451 later", 7000)}
    store.write(lambda connection: record(connection, number, later, 2000))
    assert due(store, real_ms=6999) == []
    (message,) = due(store, real_ms=7000)
    assert [one.address for one in message.queued] == ["b@x.test"]
    told = {one.address: (one.state, one.attempts, one.answer, one.answered_ms) for one in message.deliveries}
    assert told == {"a@x.test": ("accepted", 1, "250 OK", 2000), "b@x.test": ("queued", 1, "451 later", 2000)}
    with store.readers.snapshot() as connection:
        assert outbox.next_due(connection, 2000, 3000) == (7000, None)


def test_an_end_stays_an_end(store: Store) -> None:
    """What was accepted or refused is not changed by a later answer."""
    number = put(store)
    ends = {"a@x.test": Outcome("accepted", "250 OK"), "b@x.test": Outcome("refused", "550 no")}
    again = dict.fromkeys(ends, Outcome("queued", "451 later", 1))
    store.write(lambda connection: record(connection, number, ends, 2000))
    store.write(lambda connection: record(connection, number, again, 3000))
    assert due(store, real_ms=1 << 60) == []
    with store.readers.snapshot() as connection:
        (message,) = outbox.refused(connection)
        assert outbox.next_due(connection, 2000, 2000) == (None, None)
    assert [one.answer for one in message.deliveries] == ["250 OK", "550 no"]


def test_bytes_are_kept_until_the_last_delivery_ended(store: Store) -> None:
    """What was composed stays for the next try, and goes when there is none."""
    number = put(store)

    def kept() -> bytes | None:
        with store.readers.snapshot() as connection:
            return outbox.mime(connection, number)

    assert kept() is None
    store.write(lambda connection: outbox.save_mime(connection, number, b"mail"))
    assert due(store)[0].is_composed
    store.write(lambda c: record(c, number, {"a@x.test": Outcome("accepted", "250")}, 1))
    assert kept() == b"mail"
    store.write(lambda c: record(c, number, {"b@x.test": Outcome("refused", "550")}, 1))
    assert kept() is None


def test_mails_of_an_alarm_follow_its_first(store: Store) -> None:
    """Later mails of an alarm point at the first of their language; that one, and other mails, at none."""
    number = alarm(store)
    for language in ("zh", "en", "en", "zh"):
        put(store, alarm=number, language=language)
    put(store)
    chinese, english, *later, alone = due(store)
    assert (chinese.thread, english.thread, alone.thread) == (None, None, None)
    assert [message.thread for message in later] == [english.message_id, chinese.message_id]


def test_listing_is_newest_first_and_of_one_alarm(store: Store) -> None:
    """The listing gives all messages, or those of one alarm, newest first."""
    number = alarm(store)
    first, second, third = put(store, alarm=number), put(store), put(store, alarm=number)
    with store.readers.snapshot() as connection:
        assert [message.id for message in outbox.listing(connection)] == [third, second, first]
        assert [message.id for message in outbox.listing(connection, alarm=number)] == [third, first]
        assert [message.id for message in outbox.listing(connection, most=1)] == [third]


def test_undone_transaction_leaves_nothing(store: Store) -> None:
    """A message put in a transaction that fails was never put."""

    def fail(connection: Any) -> None:
        outbox.enqueue(
            connection,
            event="raised",
            severity="breach",
            alarm=None,
            facts={},
            language="en",
            addresses=BOTH,
            created_ms=0,
            not_before_ms=0,
            domain="x.test",
        )
        raise RuntimeError("the readings beside it could not be stored")

    with pytest.raises(RuntimeError):
        store.write(fail)
    assert due(store) == []


def tries(store: Store, number: int) -> list[Attempt]:
    """Give the tries of a message that are kept."""
    with store.readers.snapshot() as connection:
        return attempts.of_message(connection, number)


def test_each_try_is_kept_with_its_answer(store: Store) -> None:
    """A try says for each address when it was, by both clocks, at which server, and what that answered."""
    number = put(store)
    first = {"a@x.test": Outcome("accepted", "250 OK", code=250), "b@x.test": Outcome("queued", "451 later", 7, 451)}
    away = {"b@x.test": Outcome("queued", "the mail server is away", 9, is_tried=False)}
    store.write(lambda connection: record(connection, number, first, 2000))
    store.write(lambda connection: record(connection, number, away, 3000))
    at = {"plant_ms": 2000 + HOUR_MS, "real_ms": 2000, "server": "mx.test:25"}
    later = {"plant_ms": 3000 + HOUR_MS, "real_ms": 3000, "server": "mx.test:25"}
    assert tries(store, number) == [
        Attempt("mail", "a@x.test", state="accepted", code=250, answer="250 OK", number=1, **at),
        Attempt("mail", "b@x.test", state="queued", code=451, answer="451 later", number=1, **at),
        Attempt(
            "mail", "b@x.test", state="postponed", code=None, answer="the mail server is away", number=2, **later
        ),
    ]  # fmt: skip


def test_of_very_many_tries_the_first_and_last_stay(store: Store) -> None:
    """Of a hundred tries of an address the first 3 and the last 20 are kept with their numbers, and all of another."""
    number, other = put(store), put(store)
    wait = Outcome("queued", "451 later", 1)
    store.write(lambda connection: record(connection, other, {"a@x.test": wait}, 5))
    for second in range(100):
        store.write(lambda connection, second=second: record(connection, number, {"a@x.test": wait}, second))
    kept = tries(store, number)
    assert [one.number for one in kept] == [1, 2, 3, *range(81, 101)]
    assert [one.real_ms for one in kept] == [0, 1, 2, *range(80, 100)]
    assert len(tries(store, other)) == 1


@pytest.mark.parametrize("change", ["UPDATE attempt SET answer = '250 OK'", "DELETE FROM attempt"])
def test_a_try_is_never_changed(store: Store, change: str) -> None:
    """What was tried is evidence: no statement changes it or takes it away."""
    number = put(store)
    store.write(lambda connection: record(connection, number, {"a@x.test": Outcome("queued", "451", 1)}, 1))
    with pytest.raises(sqlite3.IntegrityError):
        store.write(lambda connection: connection.execute(change))
    assert [one.answer for one in tries(store, number)] == ["451"]


def test_held_messages_are_listed_and_told_of(store: Store) -> None:
    """What quiet hours hold for an address is listed; told by a digest it is not sent, to others it goes on."""
    held = put(store, severity="warning", not_before_ms=5000)
    put(store, severity="warning")
    tried = put(store, severity="data", not_before_ms=5000)
    store.write(lambda connection: record(connection, tried, {"a@x.test": Outcome("queued", "451", 1)}, 1))
    with store.readers.snapshot() as connection:
        assert [one.id for one in outbox.held(connection, {"a@x.test"})] == [held]
        assert outbox.held(connection, {"c@x.test"}) == []
    digest = put(store, [("ehs", "a@x.test")], event="digest", severity="data")
    assert store.write(lambda connection: outbox.tell_held(connection, [held], digest)) == 1
    with store.readers.snapshot() as connection:
        assert outbox.held(connection, {"a@x.test"}) == []
        message = outbox.read(connection, held)
    assert message is not None
    told, goes_on = message.deliveries
    assert (told.state, told.told_by, goes_on.state, goes_on.told_by) == ("told", digest, "queued", None)
    assert [one.address for one in next(m for m in due(store, now_ms=5000) if m.id == held).queued] == ["b@x.test"]


def test_listing_by_state_and_time(store: Store) -> None:
    """The listing gives the messages with a delivery in a state, and those of a span of plant time."""
    early, late = put(store, created_ms=1000), put(store, created_ms=2000)
    store.write(lambda connection: record(connection, late, {"a@x.test": Outcome("refused", "550")}, 1))
    with store.readers.snapshot() as connection:
        assert [one.id for one in outbox.listing(connection, state="refused")] == [late]
        assert [one.id for one in outbox.listing(connection, state="queued")] == [late, early]
        assert [one.id for one in outbox.listing(connection, start_ms=2000)] == [late]
        assert [one.id for one in outbox.listing(connection, end_ms=2000)] == [early]
        assert outbox.read(connection, 99) is None
