"""This module proves the table of alarm states: every state, every event, and what is said."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from plantmon.alarms.transitions import Context, Event, step
from plantmon.model.alarm import Severity, State, Told

N, U, A, R, S = State.NORMAL, State.UNACK, State.ACKED, State.RTNUN, State.SHELVED

# Of an hour's breach that people know of as it is: raised while it stands, cleared when it is over. None: nothing.
EXPECTED: dict[tuple[State, Event], tuple[State, str | None] | None] = {
    (N, Event.RAISE): (U, "again"),
    (N, Event.WORSE): (U, "again"),
    (N, Event.RETURN): None,
    (N, Event.SETTLED): None,
    (N, Event.SAY_DUE): None,
    (N, Event.ACKNOWLEDGE): (N, None),
    (N, Event.ESCALATION_DUE): None,
    (N, Event.REMIND_DUE): None,
    (N, Event.LAPSE): None,
    (N, Event.SHELVE): None,
    (N, Event.UNSHELVE): None,
    (N, Event.SHELF_OUT): None,
    (N, Event.CLOSE): (N, None),
    (U, Event.RAISE): (U, None),
    (U, Event.WORSE): (U, None),
    (U, Event.RETURN): (R, "cleared"),
    (U, Event.SETTLED): None,
    (U, Event.SAY_DUE): None,
    (U, Event.ACKNOWLEDGE): (A, None),
    (U, Event.ESCALATION_DUE): (U, "escalated"),
    (U, Event.REMIND_DUE): (U, "reminded"),
    (U, Event.LAPSE): None,
    (U, Event.SHELVE): (S, None),
    (U, Event.UNSHELVE): None,
    (U, Event.SHELF_OUT): None,
    (U, Event.CLOSE): None,
    (A, Event.RAISE): (A, None),
    (A, Event.WORSE): (A, None),
    (A, Event.RETURN): (N, "cleared"),
    (A, Event.SETTLED): None,
    (A, Event.SAY_DUE): None,
    (A, Event.ACKNOWLEDGE): (A, None),
    (A, Event.ESCALATION_DUE): None,
    (A, Event.REMIND_DUE): (A, "forgotten"),
    (A, Event.LAPSE): None,
    (A, Event.SHELVE): (S, None),
    (A, Event.UNSHELVE): None,
    (A, Event.SHELF_OUT): None,
    (A, Event.CLOSE): None,
    (R, Event.RAISE): (U, "again"),
    (R, Event.WORSE): (U, "again"),
    (R, Event.RETURN): None,
    (R, Event.SETTLED): None,
    (R, Event.SAY_DUE): None,
    (R, Event.ACKNOWLEDGE): (N, None),
    (R, Event.ESCALATION_DUE): None,
    (R, Event.REMIND_DUE): (R, "unacknowledged"),
    (R, Event.LAPSE): None,
    (R, Event.SHELVE): (S, None),
    (R, Event.UNSHELVE): None,
    (R, Event.SHELF_OUT): None,
    (R, Event.CLOSE): (N, None),
    (S, Event.RAISE): (S, None),
    (S, Event.WORSE): (U, "unshelved"),
    (S, Event.RETURN): (S, None),
    (S, Event.SETTLED): None,
    (S, Event.SAY_DUE): None,
    (S, Event.ACKNOWLEDGE): (S, None),
    (S, Event.ESCALATION_DUE): None,
    (S, Event.REMIND_DUE): None,
    (S, Event.LAPSE): None,
    (S, Event.SHELVE): (S, None),
    (S, Event.UNSHELVE): (U, "unshelved"),
    (S, Event.SHELF_OUT): (U, "unshelved"),
    (S, Event.CLOSE): None,
}


def known(state: State) -> Context:
    """Give a breach of which people know how it is; a shelved one stands."""
    is_bad = state in (U, A, S)
    return Context(Severity.BREACH, is_bad=is_bad, told=Told.RAISED if is_bad else Told.CLEARED,
                   was_acknowledged=state is A)  # fmt: skip


def test_every_pair_is_thought_of() -> None:
    """The expectations cover every state with every event."""
    assert set(EXPECTED) == set(itertools.product(State, Event))


@pytest.mark.parametrize(("state", "event"), EXPECTED)
def test_steps(state: State, event: Event) -> None:
    """Each state goes where the table says, with its mail, or stays where it is."""
    found = step(state, event, known(state))
    assert (None if found is None else (found.state, found.said)) == EXPECTED[state, event]


CONTEXTS = [Context(*values) for values in itertools.product(Severity, (True, False), Told, *[(True, False)] * 4)]


def test_every_step_has_its_reason() -> None:
    """No step is taken without saying why."""
    for state, event, context in itertools.product(State, Event, CONTEXTS):
        found = step(state, event, context)
        assert found is None or found.reason


def test_nothing_is_said_twice() -> None:
    """Nobody hears that an alarm is raised who knows it, nor of the end of what nobody heard of."""
    for state, event, context in itertools.product(State, Event, CONTEXTS):
        found = step(state, event, context)
        if found is not None and found.said in ("raised", "again"):
            assert context.told is (Told.NOTHING if found.said == "raised" else Told.CLEARED)
        if found is not None and found.said == "cleared":
            assert context.told is Told.RAISED


def test_what_is_new_is_said_at_once() -> None:
    """A first breach is raised; a data alarm that is delayed waits, and is raised when its delay is over."""
    assert step(N, Event.RAISE, Context(Severity.BREACH)).said == "raised"  # type: ignore[union-attr]
    waiting = Context(Severity.DATA, may_say=False)
    first = step(N, Event.RAISE, waiting)
    assert first is not None
    assert (first.state, first.said) == (U, None)
    later = step(U, Event.SAY_DUE, replace(waiting, may_say=True))
    assert later is not None
    assert (later.state, later.said) == (U, "raised")


def test_what_was_over_before_it_was_said_leaves_no_trace() -> None:
    """A data alarm that ends within its delay is normal again, and nobody hears of it."""
    found = step(U, Event.RETURN, Context(Severity.DATA, is_bad=False))
    assert found is not None
    assert (found.state, found.said) == (N, None)


def test_single_readings_are_held() -> None:
    """Their end is said once it settled; coming back meanwhile says nothing."""
    held = Context(Severity.BREACH, is_bad=False, told=Told.RAISED, is_held=True)
    gone, back, settled = step(U, Event.RETURN, held), step(R, Event.RAISE, held), step(R, Event.SETTLED, held)
    assert gone is not None
    assert back is not None
    assert settled is not None
    assert [(one.state, one.said) for one in (gone, back, settled)] == [(R, None), (U, None), (R, "cleared")]


def test_an_acknowledged_incident_stays_acknowledged() -> None:
    """What comes back after somebody saw it is seen; people hear that it is back where they heard of its end."""
    found = step(N, Event.RAISE, Context(Severity.BREACH, told=Told.CLEARED, was_acknowledged=True))
    assert found is not None
    assert (found.state, found.said) == (A, "again")


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.DATA])
def test_only_a_breach_waits_for_people(severity: Severity) -> None:
    """What is no breach ends by itself once it is over, on the shelf too, and does not leave that by getting worse."""
    over = Context(severity, is_bad=False, told=Told.CLEARED)
    assert step(R, Event.LAPSE, over).state is N  # type: ignore[union-attr]
    assert step(S, Event.SHELF_OUT, over).state is N  # type: ignore[union-attr]
    assert step(S, Event.WORSE, replace(over, is_bad=True)).state is S  # type: ignore[union-attr]
    assert step(S, Event.SHELF_OUT, replace(over, severity=Severity.BREACH)).state is R  # type: ignore[union-attr]
    seen = replace(over, severity=Severity.BREACH, was_acknowledged=True)
    assert step(S, Event.SHELF_OUT, seen).state is N  # type: ignore[union-attr]


def test_another_alarm_speaks() -> None:
    """A warning that became a breach ends without a word."""
    found = step(U, Event.RETURN, Context(Severity.WARNING, is_bad=False, told=Told.RAISED, is_quiet=True))
    assert found is not None
    assert (found.state, found.said) == (N, None)
