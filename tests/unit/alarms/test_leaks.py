"""This module proves what a meter's windows say of leaks, by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.alarms.leaks import amount_of, least_at_night, unexplained
from plantmon.model.window import Window
from plantmon.times import HOUR_MS

START = 1_772_380_800_000


def hours(*amounts: int | None, estimated: dict[int, int] | None = None) -> list[Window]:
    """Give neighbouring hours with these amounts in whole units; None: not known."""
    found = []
    for place, amount in enumerate(amounts):
        start = START + place * HOUR_MS
        found.append(
            Window(
                "1h", start, start + HOUR_MS, 1, amount=None if amount is None else amount * 1_000_000, due=HOUR_MS,
                valid=0 if amount is None else HOUR_MS, is_valid=amount is not None,
                estimated=(estimated or {}).get(place, 0),
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("found", "end", "amount"),
    [
        (hours(3, 4, 5), 3, 12.0),
        (hours(3, None, 5), 3, None),  # an hour without readings
        (hours(3, 4), 3, None),  # an hour that is not there
        ([], 1, None),
        (hours(3, 4, 5, estimated={0: 1}), 3, None),  # a gap cuts through the first edge
        (hours(3, 4, 5, estimated={2: 2}), 3, None),  # or through the last
        (hours(3, 4, 5, estimated={0: 2, 1: 3, 2: 1}), 3, 12.0),  # inside, the gap's amount is exact
    ],
)
def test_only_what_is_wholly_known_is_an_amount(found: list[Window], end: int, amount: float | None) -> None:
    """Windows must cover the span, be valid, and not be cut by a gap at its ends."""
    assert amount_of(found, START, START + end * HOUR_MS) == amount


@pytest.mark.parametrize(
    ("parent", "children", "share"),
    [
        (120.0, (95.0, 10.0), 0.125),
        (100.0, (100.0,), 0.0),
        (100.0, (110.0,), -0.1),  # the children count more: no leak
        (0.0, (0.0,), 0.0),
        (0.0, (5.0,), 0.0),  # a parent that stands explains everything
    ],
)
def test_what_is_unexplained(parent: float, children: tuple[float, ...], share: float) -> None:
    """The share is (parent - children) / parent."""
    assert unexplained(parent, children).share == share


@given(st.integers(1, 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_share_agrees_with_exact_arithmetic(parent: int, children: list[int]) -> None:
    """Rounded to 12 digits it is the exact fraction."""
    exact = Fraction(parent - sum(children), parent)
    assert unexplained(float(parent), [float(one) for one in children]).share == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize(
    ("night", "answer"),
    [
        ([5.0, 4.0, 3.5, 3.1, 6.0], (True, 3.1)),
        ([5.0, 4.0, 3.0, 3.1, 6.0], (False, 3.0)),  # equal is within
        ([5.0, None, 3.5, 3.1, 6.0], (None, 3.1)),  # the hour that is missing may have been less
        ([5.0, None, 1.0, 3.1, 6.0], (False, 1.0)),
        ([None] * 5, (None, None)),
        ([], (None, None)),
    ],
)
def test_least_hour_of_a_night(night: list[float | None], answer: tuple[bool | None, float | None]) -> None:
    """Above 3 in every hour is a leak; one known hour within is none; unknown hours leave it open."""
    assert least_at_night(night, 3.0) == answer
