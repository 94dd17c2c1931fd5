"""This module is the table of alarm states: what each event makes of each state, what is said about it, and why.

The states are those of ISA-18.2. A pure function: what it must know besides the state is its context. What people
heard last (`told`) is kept apart from what is wrong, so that nothing is said twice and no end of what nobody heard of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from plantmon.model.alarm import Severity, State, Told


class Event(StrEnum):
    """What can happen to an alarm."""

    RAISE = "raise"  # the newest window or reading is wrong
    WORSE = "worse"  # likewise, and worse than any before it
    RETURN = "return"  # the newest complies
    SETTLED = "settled"  # it stayed normal for the incident's gap
    SAY_DUE = "say_due"  # what waited to be said may be said: a delay is over
    ACKNOWLEDGE = "acknowledge"
    ESCALATION_DUE = "escalation_due"
    REMIND_DUE = "remind_due"
    LAPSE = "lapse"  # it was over for long, and nobody acknowledged it
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    SHELF_OUT = "shelf_out"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Context:
    """What a step must know besides the state."""

    severity: Severity
    is_bad: bool = True  # just now, after the event
    told: Told = Told.NOTHING
    may_say: bool = True  # no delay and no repeat interval holds it back
    is_held: bool = False  # its end is said once it stayed normal for the incident's gap
    was_acknowledged: bool = False
    is_quiet: bool = False  # another alarm speaks for it

    @property
    def is_breach(self) -> bool:
        """Whether it must be acknowledged and closed by a person."""
        return self.severity is Severity.BREACH


@dataclass(frozen=True, slots=True)
class Step:
    """Where a state goes, what is said of it (None: nothing), and why."""

    state: State
    said: str | None
    reason: str


Row = Callable[[Context], Step | None]


def step(state: State, event: Event, context: Context) -> Step | None:
    """Give what an event makes of a state; None where it changes nothing, or cannot be."""
    row = _TABLE.get((state, event))
    return None if row is None else row(context)


def _stays(state: State, reason: str, said: str | None = None) -> Row:
    return lambda context: Step(state, said, reason)


def _beginning(context: Context) -> str | None:
    """Say what is to be heard of an alarm that is wrong: that it is, or that it is again."""
    if not context.may_say or context.told is Told.RAISED:
        return None
    return "raised" if context.told is Told.NOTHING else "again"


def _ending(context: Context) -> str | None:
    return "cleared" if context.told is Told.RAISED else None


def _raised(context: Context) -> Step:
    if context.was_acknowledged:
        return Step(State.ACKED, _beginning(context), "the same incident again, seen")
    reason = "first" if context.told is Told.NOTHING else "the same incident again"
    return Step(State.UNACK, _beginning(context), reason)


def _returned(context: Context) -> Step:
    """End it, unseen: a breach waits for its acknowledgement, the others for as long as they may come back."""
    said = None if context.is_held or context.is_quiet else _ending(context)
    if context.is_breach and context.told is not Told.NOTHING:
        return Step(State.RTNUN, said, "complies again, not acknowledged")
    if context.told is Told.NOTHING:
        return Step(State.NORMAL, None, "over before it was told")
    if context.is_quiet:
        return Step(State.NORMAL, None, "another alarm speaks for it")
    return Step(State.RTNUN, said, "complies again, not acknowledged")


def _returned_seen(context: Context) -> Step:
    said = None if context.is_held or context.is_quiet else _ending(context)
    return Step(State.NORMAL, said, "complies again")


def _reminded(context: Context) -> Step | None:
    return Step(State.UNACK, "reminded", "nobody acknowledged") if context.told is Told.RAISED else None


def _says(state: State) -> Row:
    def row(context: Context) -> Step | None:
        said = _beginning(context)
        return None if said is None else Step(state, said, "it stands, and people do not know")

    return row


def _settled(state: State) -> Row:
    def row(context: Context) -> Step | None:
        said = _ending(context)
        return None if said is None else Step(state, said, "stayed normal")

    return row


def _lapsed(context: Context) -> Step | None:
    return None if context.is_breach else Step(State.NORMAL, None, "over for long")


def _closed(context: Context) -> Step | None:
    return None if context.is_bad else Step(State.NORMAL, _ending(context), "closed")


def _off_the_shelf(reason: str) -> Row:
    """Leave the shelf: what is wrong is said anew, a breach that is over still waits for its acknowledgement."""

    def row(context: Context) -> Step:
        if context.is_bad:
            return Step(State.UNACK, "raised" if context.told is Told.NOTHING else "unshelved", reason)
        is_done = context.was_acknowledged or not context.is_breach
        return Step(State.NORMAL if is_done else State.RTNUN, _ending(context), f"{reason}, complies again")

    return row


def _worse_on_the_shelf(context: Context) -> Step:
    if context.is_breach:
        return Step(State.UNACK, "unshelved", "worse than before")
    return Step(State.SHELVED, None, "shelved")


_N, _U, _A, _R, _S = State.NORMAL, State.UNACK, State.ACKED, State.RTNUN, State.SHELVED

# What is not in the table changes nothing.
_TABLE: dict[tuple[State, Event], Row] = {
    (_N, Event.RAISE): _raised,
    (_N, Event.WORSE): _raised,
    (_N, Event.SETTLED): _settled(_N),
    (_N, Event.ACKNOWLEDGE): _stays(_N, "seen after its end"),
    (_N, Event.CLOSE): _closed,
    (_U, Event.RAISE): _stays(_U, "goes on"),
    (_U, Event.WORSE): _stays(_U, "goes on, worse"),
    (_U, Event.RETURN): _returned,
    (_U, Event.SAY_DUE): _says(_U),
    (_U, Event.ACKNOWLEDGE): _stays(_A, "seen"),
    (_U, Event.ESCALATION_DUE): _stays(_U, "nobody acknowledged", "escalated"),
    (_U, Event.REMIND_DUE): _reminded,
    (_U, Event.SHELVE): _stays(_S, "shelved"),
    (_A, Event.RAISE): _stays(_A, "goes on, seen"),
    (_A, Event.WORSE): _stays(_A, "goes on, worse, seen"),
    (_A, Event.RETURN): _returned_seen,
    (_A, Event.SAY_DUE): _says(_A),
    (_A, Event.ACKNOWLEDGE): _stays(_A, "seen again"),
    (_A, Event.REMIND_DUE): _stays(_A, "seen long ago, and it stands", "forgotten"),
    (_A, Event.SHELVE): _stays(_S, "shelved"),
    (_R, Event.RAISE): _raised,
    (_R, Event.WORSE): _raised,
    (_R, Event.SETTLED): _settled(_R),
    (_R, Event.ACKNOWLEDGE): _stays(_N, "seen after its end"),
    (_R, Event.REMIND_DUE): _stays(_R, "over, and nobody acknowledged", "unacknowledged"),
    (_R, Event.LAPSE): _lapsed,
    (_R, Event.SHELVE): _stays(_S, "shelved"),
    (_R, Event.CLOSE): _closed,
    (_S, Event.RAISE): _stays(_S, "shelved"),
    (_S, Event.WORSE): _worse_on_the_shelf,
    (_S, Event.RETURN): _stays(_S, "shelved"),
    (_S, Event.ACKNOWLEDGE): _stays(_S, "seen on the shelf"),
    (_S, Event.SHELVE): _stays(_S, "shelved anew"),
    (_S, Event.UNSHELVE): _off_the_shelf("taken off the shelf"),
    (_S, Event.SHELF_OUT): _off_the_shelf("the shelf's time is over"),
    (_S, Event.CLOSE): _closed,
}
