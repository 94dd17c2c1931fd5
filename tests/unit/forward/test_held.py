"""This module proves what is kept of accepted batches, and which answers tell that a server went away."""

from __future__ import annotations

import pytest

from plantmon.forward.held import Held
from plantmon.forward.reply import reply_of


def test_a_batch_is_held_its_time() -> None:
    """Batches are over in the order they were accepted, each after its time; what is over stays until released."""
    held = Held(60.0)
    held.add((1, 2), 0.0)
    held.add((5,), 10.0)
    assert held.over(59.9) == []
    assert held.over(60.0) == [1, 2]
    assert held.over(70.0) == [1, 2, 5]
    held.release(60.0)
    assert held.over(1000.0) == [5]
    held.clear()
    assert not held


def test_without_a_time_nothing_is_held() -> None:
    """With no time to hold, a batch is over at once."""
    held = Held(0.0)
    held.add((1,), 5.0)
    assert held.over(5.0) == [1]


@pytest.mark.parametrize(("code", "is_gone"), [(502, True), (500, False), (503, False), (429, False), (401, False)])
def test_only_a_proxy_that_finds_nobody_tells_of_a_server_gone(code: int, is_gone: bool) -> None:
    """502 means that the process is not there; every other answer comes from one that is."""
    assert reply_of(code, "", "plant").is_gone is is_gone
