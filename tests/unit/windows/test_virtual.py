"""This module proves the hours of virtual meters: exact sums and differences, partial or unknown where parts are."""

from __future__ import annotations

from fractions import Fraction

import pytest
from builders import a_plant, a_point
from hypothesis import given
from hypothesis import strategies as st

from plantmon.model.plant import Kind, Point, Register
from plantmon.model.window import Window
from plantmon.times import HOUR_MS
from plantmon.windows.virtual import Virtuals, blended

ONE = Fraction(1)


def meter(name: str, *terms: tuple[Fraction, str]) -> Point:
    """Give a meter; with terms a virtual one."""
    register = Register((), None, None, None, None, None, terms=terms)
    formula = " + ".join(part for _, part in terms) or None
    return a_point(name, kind=Kind.COUNTER, unit="kWh", quantity="electricity", range_low=None, range_high=None,
                   register=register, formula=formula, parts=tuple(part for _, part in terms))  # fmt: skip


METERS = (
    meter("SUM", (ONE, "A"), (ONE, "B")),
    meter("REST", (ONE, "A"), (-ONE, "B")),
    meter("ALL", (ONE, "SUM"), (Fraction(1, 2), "C")),
    meter("A"), meter("B"), meter("C"),
)  # fmt: skip
NUMBERS = {point.id: number for number, point in enumerate(METERS)}
VIRTUALS = Virtuals(a_plant(METERS, ()), NUMBERS)


def hour(name: str, amount: int | None, covered: int = HOUR_MS, estimated: int = 0) -> Window:
    """Give a part's hour."""
    return Window("1h", 0, HOUR_MS, NUMBERS[name], amount=amount, due=HOUR_MS, had=covered, valid=covered,
                  readings=4, is_valid=covered == HOUR_MS, estimated=estimated)  # fmt: skip


def made(name: str, *parts: Window) -> Window:
    """Make an hour of parts."""
    return VIRTUALS.hour(NUMBERS[name], 0, {part.point: part for part in parts})


def test_parts_come_before_wholes() -> None:
    """The order is such that a virtual meter's virtual parts are made first."""
    order = [METERS[number].id for number in VIRTUALS.order]
    assert order.index("SUM") < order.index("ALL")
    assert VIRTUALS.due([], [NUMBERS["A"]]) == [NUMBERS[name] for name in order]
    assert VIRTUALS.due([], [NUMBERS["C"]]) == [NUMBERS["ALL"]]


def test_whole_parts() -> None:
    """3 + 1 and 3 - 1, wholly covered; what is cut in a part is cut in the whole."""
    parts = hour("A", 3_000_000, estimated=1), hour("B", 1_000_000, estimated=2)
    total, rest = made("SUM", *parts), made("REST", *parts)
    assert (total.amount, rest.amount) == (4_000_000, 2_000_000)
    assert (total.is_valid, total.valid, total.estimated, total.readings) == (True, HOUR_MS, 3, 8)


@pytest.mark.parametrize("there", [True, False])
def test_a_missing_part(there: bool) -> None:
    """Without one part, there or not, a sum is the rest with half its time covered; a difference is unknown."""
    parts = [hour("A", 3_000_000), *([hour("B", None, 0)] if there else [])]
    total, rest = made("SUM", *parts), made("REST", *parts)
    assert (total.amount, total.valid, total.is_valid) == (3_000_000, HOUR_MS // 2, False)
    assert (rest.amount, rest.valid, rest.is_valid) == (None, 0, False)


def test_a_difference_with_a_part_of_half_an_hour_is_unknown() -> None:
    """What the subtrahend counted in the other half would be taken for the rest."""
    assert made("REST", hour("A", 3_000_000), hour("B", 500_000, HOUR_MS // 2)).amount is None


def test_a_difference_keeps_its_sign() -> None:
    """Parts and whole agree, also where a part counts more than the whole."""
    assert made("REST", hour("A", 1_000_000), hour("B", 1_000_001)).amount == -1


@pytest.mark.parametrize(("amount", "half"), [(1, 0), (3, 2), (5, 2)])
def test_half_a_millionth_goes_to_even(amount: int, half: int) -> None:
    """A factor's fraction is rounded once, half to even."""
    assert blended([(Fraction(1, 2), amount)], is_whole=True) == half


def test_where_windows_begin() -> None:
    """A sum begins with its first part to speak, a difference with its last; neither before anything spoke."""
    firsts: dict[int, int | None] = {NUMBERS["A"]: 100, NUMBERS["B"]: 500, NUMBERS["C"]: None}
    found = [VIRTUALS.first_ms(NUMBERS[name], firsts) for name in ("SUM", "REST", "ALL")]
    assert found == [100, 500, 100]
    assert VIRTUALS.first_ms(NUMBERS["REST"], {NUMBERS["A"]: 100}) is None
    assert VIRTUALS.first_ms(NUMBERS["SUM"], {}) is None


AMOUNTS = st.integers(0, 10**15)


@given(AMOUNTS, AMOUNTS)
def test_sum_and_difference_are_exact(one: int, other: int) -> None:
    """In integers, however large: the sum less one part is the other."""
    total = made("SUM", hour("A", one), hour("B", other)).amount
    rest = made("REST", hour("A", one), hour("B", other)).amount
    assert (total, rest) == (one + other, one - other)
