"""This module proves what each state of a reading does, and how flags and declared states are kept apart."""

from __future__ import annotations

import pytest

from plantmon.model.reading import NORMAL, State, declared_code, declared_state, flag_code, flag_letters
from plantmon.tables.hj212 import flags
from plantmon.tables.states import Amount, Capture, Mean, declarable, flags_whose_mean, state_of, states


def test_every_state_has_its_rule() -> None:
    """The table has one row a state, with both names and a source."""
    assert list(states()) == list(State)
    assert all(rule.name.en and rule.name.zh and rule.source for rule in states().values())


@pytest.mark.parametrize(
    ("letters", "state", "mean", "amount", "capture"),
    [
        ("N", State.NORMAL, Mean.COUNTS, Amount.MEASURED, Capture.VALID),
        ("C", State.CALIBRATION, Mean.NO, Amount.SUBSTITUTED, Capture.INVALID),
        ("M", State.MAINTENANCE, Mean.NO, Amount.SUBSTITUTED, Capture.INVALID),
        ("D", State.FAULT, Mean.NO, Amount.SUBSTITUTED, Capture.INVALID),
        ("T", State.OVER_RANGE, Mean.BOUND, Amount.PROVES, Capture.INVALID),
        ("F", State.STOPPED, Mean.NO, Amount.NONE, Capture.OUT),
        ("B", State.LOST, Mean.NO, Amount.SUBSTITUTED, Capture.INVALID),
        ("S", State.MANUAL, Mean.NO, Amount.SUBSTITUTED, Capture.INVALID),
        ("Xy", State.UNKNOWN, Mean.NO, Amount.SUBSTITUTED, Capture.INVALID),
    ],
)
def test_what_flags_do(letters: str, state: State, mean: Mean, amount: Amount, capture: Capture) -> None:
    """Averaged are N only, T is a lower bound; the rest is stored and left out."""
    assert state_of(flag_code(letters)) is state
    rule = states()[state]
    assert (rule.mean, rule.amount, rule.capture) == (mean, amount, capture)


def test_only_stopped_is_not_due() -> None:
    """Time in any state but stopped is due."""
    assert [rule.state for rule in states().values() if not rule.is_due] == [State.STOPPED]


def test_what_people_declare() -> None:
    """Below detection, out of control and unknown are found, not declared."""
    assert set(State) - set(declarable()) == {State.BELOW_DETECTION, State.OUT_OF_CONTROL, State.UNKNOWN}


def test_codes_of_flags_and_declared_states_never_meet() -> None:
    """A declared state has a negative code of its own and comes back from it; raw flags come back as letters."""
    declared = [declared_code(state) for state in State if state is not State.NORMAL]
    assert max(declared) < 0
    assert len(set(declared)) == len(declared)
    assert [declared_state(declared_code(state)) for state in State] == list(State)
    assert [flag_letters(flag_code(letters)) for letters in flags()] == list(flags())
    with pytest.raises(ValueError, match="flag T"):
        declared_state(flag_code("T"))


def test_codes_that_count() -> None:
    """Only N counts towards means; T and a declared over range bound them."""
    assert flags_whose_mean(Mean.COUNTS) == (NORMAL,)
    assert set(flags_whose_mean(Mean.BOUND)) == {flag_code("T"), declared_code(State.OVER_RANGE)}
    no = flags_whose_mean(Mean.NO)
    assert {flag_code(letters) for letters in "CMDFBS"} < set(no)
    assert {declared_code(State.OUT_OF_CONTROL), declared_code(State.STOPPED)} < set(no)
