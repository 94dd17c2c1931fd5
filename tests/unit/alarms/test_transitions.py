"""This module proves the table of alarm states: every state, every event, and what is said."""

from __future__ import annotations

import itertools

import pytest

from plantmon.alarms.transitions import TABLE, Event, step
from plantmon.model.alarm import State

EXPECTED: dict[tuple[State | None, Event], tuple[State | None, str | None] | None] = {
    (None, Event.BAD): (State.ACTIVE, "raised"),
    (None, Event.GOOD): None,
    (None, Event.ACKNOWLEDGE): None,
    (None, Event.REPEAT_DUE): None,
    (State.ACTIVE, Event.BAD): (State.ACTIVE, None),
    (State.ACTIVE, Event.GOOD): (State.CLEARED, "cleared"),
    (State.ACTIVE, Event.ACKNOWLEDGE): (State.ACKNOWLEDGED, None),
    (State.ACTIVE, Event.REPEAT_DUE): (State.ACTIVE, "reminded"),
    (State.ACKNOWLEDGED, Event.BAD): (State.ACKNOWLEDGED, None),
    (State.ACKNOWLEDGED, Event.GOOD): (State.CLEARED, "cleared"),
    (State.ACKNOWLEDGED, Event.ACKNOWLEDGE): (State.ACKNOWLEDGED, None),
    (State.ACKNOWLEDGED, Event.REPEAT_DUE): None,
    (State.CLEARED, Event.BAD): None,
    (State.CLEARED, Event.GOOD): None,
    (State.CLEARED, Event.ACKNOWLEDGE): (State.CLEARED, None),
    (State.CLEARED, Event.REPEAT_DUE): None,
}


def test_every_pair_is_thought_of() -> None:
    """The expectations cover every state, and none, with every event."""
    assert set(EXPECTED) == set(itertools.product([None, *State], Event))


@pytest.mark.parametrize(("state", "event"), EXPECTED)
def test_steps(state: State | None, event: Event) -> None:
    """Each state goes where the table says, with its mail, or stays where it is."""
    found = step(state, event)
    assert (None if found is None else (found.state, found.mail)) == EXPECTED[state, event]


def test_every_step_has_its_reason() -> None:
    """No line of the table stands without saying why."""
    assert all(found.reason for found in TABLE.values())
