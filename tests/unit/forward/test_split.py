"""This module proves that splitting a refused batch finds exactly its bad lines, and what answers mean."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.forward.reply import Fate, Reply, reply_of
from plantmon.forward.split import deliver
from plantmon.forward.stage import LONGEST_WAIT_S, wait_s

ACCEPTED = Reply(Fate.ACCEPTED)
BATCHES = st.lists(st.booleans(), max_size=80)


class Server:
    """A server that takes good lines; of a batch with bad ones it takes all the good, or nothing where `is_whole`."""

    def __init__(self, bad: set[str], *, is_whole: bool = False, counts: bool = False, most: int = 10**9) -> None:
        self.bad, self.is_whole, self.counts, self.most = bad, is_whole, counts, most
        self.taken: list[str] = []
        self.requests = 0

    def send(self, lines: Sequence[str]) -> Reply:
        """Take lines."""
        self.requests += 1
        if len(lines) > self.most:
            return Reply(Fate.TOO_LARGE, "413", 413)
        good = [line for line in lines if line not in self.bad]
        if len(good) == len(lines):
            self.taken += lines
            return ACCEPTED
        if not self.is_whole:
            self.taken += good
        return Reply(Fate.REFUSED, "400", 400, len(lines) - len(good) if self.counts else None)


def lines_of(batch: list[bool]) -> tuple[list[str], set[str]]:
    """Give lines, and those of them that are bad."""
    lines = [f"line {place}" for place in range(len(batch))]
    return lines, {line for line, is_bad in zip(lines, batch, strict=True) if is_bad}


@given(BATCHES, st.booleans(), st.booleans(), st.integers(1, 100))
def test_exactly_the_bad_lines_are_found(batch: list[bool], is_whole: bool, counts: bool, most: int) -> None:
    """Whichever lines are bad, they are refused, each once and in order, and every other line is taken."""
    lines, bad = lines_of(batch)
    server = Server(bad, is_whole=is_whole, counts=counts, most=most)
    delivered = deliver(lines, server.send)
    assert delivered.waits is None
    assert [one.line for one in delivered.refused] == [line for line in lines if line in bad]
    assert set(server.taken) == set(lines) - bad


@given(BATCHES, st.integers(0, 40))
def test_good_lines_keep_their_order(batch: list[bool], after: int) -> None:
    """A server that goes away stops the batch: what it had taken was the beginning."""
    lines, bad = lines_of(batch)
    server = Server(bad, is_whole=True)
    asked = 0

    def send(part: Sequence[str]) -> Reply:
        nonlocal asked
        asked += 1
        return Reply(Fate.WAITS, "503", 503) if asked > after else server.send(part)

    delivered = deliver(lines, send)
    good = [line for line in lines if line not in bad]
    assert server.taken == good[: len(server.taken)]
    # It stops at the first answer that says to wait, and only there.
    assert asked <= after + 1
    assert (delivered.waits is None) == (asked <= after)


def test_one_bad_line_costs_few_requests() -> None:
    """One bad line of ten thousand is found with some thirty requests."""
    lines, _ = lines_of([False] * 10_000)
    server = Server({"line 7777"})
    assert [one.line for one in deliver(lines, server.send).refused] == ["line 7777"]
    assert server.requests <= 2 * 14 + 1


def test_a_batch_refused_whole_is_not_split_where_the_server_counts() -> None:
    """A server that says it dropped as many as were sent is believed: a span beyond its retention costs one request."""
    lines, bad = lines_of([True] * 5000)
    server = Server(bad, counts=True)
    assert len(deliver(lines, server.send).refused) == 5000
    assert server.requests == 1


@pytest.mark.parametrize(
    ("code", "fate"),
    [(200, Fate.ACCEPTED), (204, Fate.ACCEPTED), (400, Fate.REFUSED), (422, Fate.REFUSED), (413, Fate.TOO_LARGE)]
    + [(code, Fate.WAITS) for code in (302, 401, 403, 404, 405, 408, 429, 500, 502, 503, 504, 507)],
)
def test_only_what_speaks_of_the_lines_refuses_them(code: int, fate: Fate) -> None:
    """A wrong token, a missing bucket, a full disk and a busy server make lines wait, and refuse none."""
    assert reply_of(code, "", "plant").fate is fate


def test_answers_are_one_line() -> None:
    """The cause is told in one line: the status, what it means, and the server's own word without its wrapping."""
    assert reply_of(401, '{"code":"unauthorized","message":"unauthorized access"}', "plant").said == (
        "401: the token is not accepted: unauthorized access"
    )
    assert reply_of(404, '{"error":"database not found: \\"plant\\""}', "plant").said == (
        '404: there is no bucket plant: database not found: "plant"'
    )
    page = "<html>\r\n<body><h1>502 Bad Gateway</h1></body></html>"
    assert reply_of(502, page, "plant").said == "502: the server cannot write: 502 Bad Gateway"
    found = reply_of(400, '{"error":"partial write: field type conflict dropped=3"}', "plant")
    assert (found.said, found.dropped) == ("400: partial write: field type conflict dropped=3", 3)


def test_waits_grow_to_a_minute() -> None:
    """Failures in a row wait ever longer, a minute at most."""
    waits = [wait_s(count) for count in range(1, 40)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1.0, LONGEST_WAIT_S)
