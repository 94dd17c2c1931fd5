"""This module is the table of alarm states: what each event makes of each state, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plantmon.model.alarm import State


class Event(StrEnum):
    """What can happen to an alarm."""

    BAD = "bad"  # the newest window or reading is wrong
    GOOD = "good"  # the newest complies
    ACKNOWLEDGE = "acknowledge"
    REPEAT_DUE = "repeat_due"


@dataclass(frozen=True, slots=True)
class Step:
    """Where a state goes, what mail says so (None: none), and why."""

    state: State | None
    mail: str | None
    reason: str


# None is normal: no alarm stands. What is not in the table changes nothing.
TABLE: dict[tuple[State | None, Event], Step] = {
    (None, Event.BAD): Step(State.ACTIVE, "raised", "first"),
    (State.ACTIVE, Event.BAD): Step(State.ACTIVE, None, "goes on"),
    (State.ACTIVE, Event.GOOD): Step(State.CLEARED, "cleared", "complies again"),
    (State.ACTIVE, Event.ACKNOWLEDGE): Step(State.ACKNOWLEDGED, None, "seen"),
    (State.ACTIVE, Event.REPEAT_DUE): Step(State.ACTIVE, "reminded", "nobody acknowledged"),
    (State.ACKNOWLEDGED, Event.BAD): Step(State.ACKNOWLEDGED, None, "goes on, seen"),
    (State.ACKNOWLEDGED, Event.GOOD): Step(State.CLEARED, "cleared", "complies again"),
    (State.ACKNOWLEDGED, Event.ACKNOWLEDGE): Step(State.ACKNOWLEDGED, None, "seen again"),
    (State.CLEARED, Event.ACKNOWLEDGE): Step(State.CLEARED, None, "seen after its end"),
}


def step(state: State | None, event: Event) -> Step | None:
    """Give what an event makes of a state, None where it changes nothing."""
    return TABLE.get((state, event))
