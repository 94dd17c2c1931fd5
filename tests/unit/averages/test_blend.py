"""This module proves that formulas of virtual meters are read as written, and that others are refused by name."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.averages.blend import parse_blend
from plantmon.errors import FormulaError

ONE = Fraction(1)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("E-MAIN - E-PAINT", [(ONE, "E-MAIN"), (-ONE, "E-PAINT")]),
        ("E-MAIN-E-PAINT", [(ONE, "E-MAIN-E-PAINT")]),
        ("- A + 0.1 * B", [(-ONE, "A"), (Fraction(1, 10), "B")]),
        ("A*2.5+1.E", [(Fraction(5, 2), "A"), (ONE, "1.E")]),
        (" A +A ", [(Fraction(2), "A")]),
        ("3 * A - A", [(Fraction(2), "A")]),
    ],
)
def test_what_is_read(text: str, terms: list[tuple[Fraction, str]]) -> None:
    """Each meter comes once, in order, with its exact factor; a hyphen or dot without blanks belongs to an id."""
    blend = parse_blend(text)
    assert list(blend.terms) == terms
    assert blend.parts == tuple(name for _, name in terms)


@pytest.mark.parametrize("text", ["", "A ++ B", "A +", "2 * A * 3", "A / 2", "(A + B)", "A B", "2 *", "min(A, B)"])
def test_what_is_refused(text: str) -> None:
    """Anything but sums and differences of meters with factors is refused, with the part that is wrong."""
    with pytest.raises(FormulaError) as refused:
        parse_blend(text)
    assert refused.value.key == "blend_part"


def test_a_formula_has_an_end() -> None:
    """A formula of thousands of letters is refused before it is read."""
    with pytest.raises(FormulaError) as refused:
        parse_blend(" + ".join(["E-MAIN"] * 1000))
    assert refused.value.key == "formula_long"


IDS = st.from_regex(r"[A-Z][A-Z0-9-]{0,5}[A-Z0-9]", fullmatch=True)
FACTORS = st.decimals("0.001", 1000, places=3)


@given(st.lists(st.tuples(st.booleans(), FACTORS, IDS), min_size=1, max_size=8, unique_by=lambda one: one[2]))
def test_what_is_written_is_read(terms: list[tuple[bool, object, str]]) -> None:
    """Any sum written out comes back with the same signs, factors and meters."""
    text = " ".join(f"{'-' if minus else '+'} {factor} * {name}" for minus, factor, name in terms)
    expected = [(Fraction(str(factor)) * (-1 if minus else 1), name) for minus, factor, name in terms]
    assert list(parse_blend(text).terms) == expected
