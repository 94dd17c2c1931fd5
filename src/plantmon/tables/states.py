"""This module knows the states of a reading: what each does to means, to what is due, to amounts and to capture rates.

A reading's state is what a person declared, else what its flag says (`hj212_flags.csv`). `stopped` is not due only
where it is declared for the whole outlet or the running condition says so: a flag alone proves no stop.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources

from plantmon.model.plant import Name
from plantmon.model.reading import State, declared_code, declared_state, flag_code, flag_letters
from plantmon.tables.hj212 import flag_state, flags


class Mean(StrEnum):
    """What a reading does to the mean of its minute."""

    COUNTS = "counts"
    BOUND = "bound"  # a lower bound, taken at the range's end
    NO = "no"


class Amount(StrEnum):
    """Where the amount of such time comes from."""

    MEASURED = "measured"
    PROVES = "proves"  # no amount is below what the range's end proves
    SUBSTITUTED = "substituted"
    NONE = "none"


class Capture(StrEnum):
    """How such time enters capture rates."""

    VALID = "valid"
    INVALID = "invalid"
    OUT = "out"  # neither due nor had


@dataclass(frozen=True, slots=True)
class StateRule:
    """A state with its names, what it does, whether `plantmon mark` declares it, and its source."""

    state: State
    name: Name
    mean: Mean
    is_due: bool
    amount: Amount
    capture: Capture
    is_declarable: bool
    source: str


@lru_cache(maxsize=1)
def states() -> dict[State, StateRule]:
    """Give every state's rule."""
    text = (resources.files(__package__) / "states.csv").read_text(encoding="utf-8")
    return {
        State(row["state"]): StateRule(
            state=State(row["state"]),
            name=Name(en=row["en"], zh=row["zh"]),
            mean=Mean(row["mean"]),
            is_due=row["due"] == "yes",
            amount=Amount(row["amount"]),
            capture=Capture(row["capture"]),
            is_declarable=row["declarable"] == "yes",
            source=row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    }


def declarable() -> list[State]:
    """List the states that people declare, in the table's order."""
    return [rule.state for rule in states().values() if rule.is_declarable]


def state_of(flag: int) -> State:
    """Give the state a flag's code stands for, raw or declared.

    >>> state_of(flag_code("B")).value, state_of(declared_code(State.FAULT)).value
    ('lost', 'fault')
    """
    return flag_state(flag_letters(flag)) if flag >= 0 else declared_state(flag)


@lru_cache(maxsize=len(Mean))
def flags_whose_mean(does: Mean) -> tuple[int, ...]:
    """Give the codes of all flags, raw and declared, that do this to the mean; short, for whole arrays at once."""
    raw = {flag_code(letters) for letters, flag in flags().items() if states()[flag.state].mean is does}
    declared = {
        declared_code(rule.state)
        for rule in states().values()
        if rule.mean is does and (rule.is_declarable or rule.state is State.OUT_OF_CONTROL)
    }
    return tuple(sorted(raw | declared))
