"""This module proves the bounds of the queue between the network thread and the writer."""

from __future__ import annotations

import threading

from plantmon.feed import inflow
from plantmon.feed.check import Message
from plantmon.feed.inflow import Inflow


def a_message(size: int = 10) -> Message:
    """Give a message of a size."""
    return Message("t", b"x" * size, 0)


def test_bounded_by_number() -> None:
    """When as many messages wait as allowed, the next is not taken until some were taken out."""
    queue = Inflow(3, 1_000_000)
    assert [queue.put(a_message(), 0) for _ in range(4)] == [True, True, True, False]
    assert (len(queue), queue.is_full) == (3, True)
    assert len(queue.take()) == 3
    assert queue.put(a_message(), 0)


def test_bounded_by_bytes() -> None:
    """When as many bytes wait as allowed, the next message is not taken."""
    queue = Inflow(1000, 100)
    assert [queue.put(a_message(50), 0) for _ in range(3)] == [True, True, False]
    queue.take()
    assert queue.put(a_message(50), 0)


def test_one_message_larger_than_the_bound_goes_through() -> None:
    """A message larger than the whole bound is taken when nothing else waits: it must not wait for ever."""
    queue = Inflow(10, 100)
    assert queue.put(a_message(500), 0)
    assert len(queue.take()) == 1


def test_batches_are_bounded() -> None:
    """A batch has at most so many messages, or the bytes that go just over the bound; the rest waits, and says so."""
    queue = Inflow(10_000, 1 << 30)
    for _ in range(inflow.MOST_MESSAGES + 1):
        queue.put(a_message(), 0)
    assert len(queue.take()) == inflow.MOST_MESSAGES
    assert queue.arrived.is_set()
    assert len(queue.take()) == 1
    for _ in range(4):
        queue.put(a_message(inflow.MOST_BYTES // 2), 0)
    assert (len(queue.take()), len(queue.take())) == (2, 2)


def test_order_is_kept() -> None:
    """Messages leave in the order they came."""
    queue = Inflow(10, 1000)
    for turn in range(5):
        queue.put(Message(str(turn), b"", 0), 0)
    assert [one.topic for one in queue.take()] == list("01234")


def test_nothing_there() -> None:
    """An empty queue gives nothing, at once."""
    assert Inflow(1, 1).take() == []


def test_room_wakes_who_waits() -> None:
    """Who waits for room goes on when a batch is taken."""
    queue = Inflow(1, 1000)
    queue.put(a_message(), 0)
    taken: list[bool] = []
    waiting = threading.Thread(target=lambda: taken.append(queue.put(a_message(), 30)))
    waiting.start()
    while not queue.take():
        pass
    waiting.join(30)
    assert taken == [True]
