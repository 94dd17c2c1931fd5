"""This module proves what formulas of calculated points mean, against plain Python on single numbers."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plantmon.averages.formula import LONGEST, Formula, parse
from plantmon.errors import FormulaError

NAMES = ("a", "b", "c")
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 4))


def texts() -> st.SearchStrategy[str]:
    """Give formulas of every form the plant file takes."""
    leaves = st.sampled_from(NAMES) | st.floats(0, 1000, allow_nan=False).map(lambda value: f"{value:.3f}")

    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        joined = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
        chosen = st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})")
        return joined | chosen | inner.map(lambda text: f"-{text}")

    return st.recursive(leaves, grown, max_leaves=8).filter(
        lambda text: len(text) <= LONGEST and any(name in NAMES for name in names_of(text))
    )


def names_of(text: str) -> set[str]:
    """Name what a formula names, its calls left out."""
    found = {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}
    return found - {"min", "max"}


def in_python(text: str, values: Mapping[str, float]) -> float:
    """Work a formula out with Python's own floats; NaN where Python refuses or a step is not finite."""

    def worked(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=int() | float() as value):
                return float(value)
            case ast.Name(id=name):
                return values[name]
            case ast.UnaryOp(operand=operand):
                return -worked(operand)
            case ast.Call(func=ast.Name(id=name), args=args):
                found = [worked(one) for one in args]
                return min(found) if name == "min" else max(found)
            case ast.BinOp(left=left, op=operator, right=right):
                one, other = worked(left), worked(right)
                match operator:
                    case ast.Add():
                        result = one + other
                    case ast.Sub():
                        result = one - other
                    case ast.Mult():
                        result = one * other
                    case _:
                        result = one / other
                if not math.isfinite(result):
                    raise OverflowError
                return result
        raise AssertionError(ast.dump(node))

    try:
        return worked(ast.parse(text, mode="eval").body)
    except (ZeroDivisionError, OverflowError):
        return math.nan


def of(text: str, **values: float) -> float:
    """Work a formula of the outlet A out for one minute."""
    found = parse(text, "A").value({f"A.{name}": np.array([value]) for name, value in values.items()})
    return float(found[0])


@given(texts(), st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_as_in_python(text: str, numbers: tuple[float, float, float]) -> None:
    """A formula gives what Python gives, to 12 digits; where Python divides by zero or overflows, nothing."""
    values = dict(zip(NAMES, numbers, strict=True))
    expected = in_python(text, values)
    found = of(text, **values)
    if math.isnan(expected):
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected, rel=1e-11, abs=1e-300)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b", 7.5),
        ("-a + b", -7.5),
        ("(a - b) / a * 100", 75.0),
        ("min(a, b, 3)", 2.5),
        ("max(a - 20, 0)", 0.0),
        ("a*46/30 + b", 17.8333333333),
        ("+a", 10.0),
        ("0.1 * a - 1", 0.0),
    ],
)
def test_by_hand(text: str, expected: float) -> None:
    """With a = 10 and b = 2.5."""
    assert of(text, a=10.0, b=2.5) == pytest.approx(expected, abs=1e-10)


def test_parts_are_full_ids_in_order() -> None:
    """Names are points of the formula's own outlet, or of another when they say so; each once."""
    assert parse("b - DA003.nmhc - a + b", "DA002").parts == ("DA002.b", "DA003.nmhc", "DA002.a")


def test_unknown_part_makes_unknown() -> None:
    """NaN in any part is NaN in the whole, also where another part is the smaller one."""
    assert math.isnan(of("min(a, b)", a=1.0, b=math.nan))
    assert math.isnan(of("a * 0 + b", a=math.nan, b=1.0))


def test_division_by_zero_is_not_hidden() -> None:
    """One over infinity is not taken for nought."""
    assert math.isnan(of("1 / (1 / a)", a=0.0))


WRONG = [
    ("a -", "formula_syntax"),
    ("", "formula_syntax"),
    ("a b", "formula_syntax"),
    ("1 + 2", "formula_without_point"),
    ("a ** 2", "formula_part"),
    ("a if a else b", "formula_part"),
    ("a.b.c", "formula_part"),
    ("__import__('os')", "formula_part"),
    ("min(a)", "formula_part"),
    ("min(a, b, key=c)", "formula_part"),
    ("min(*a)", "formula_part"),
    ("abs(a)", "formula_part"),
    ("a['b']", "formula_part"),
    ("(a := b)", "formula_part"),
    ("a > b", "formula_part"),
    ("a + True", "formula_part"),
    ("a + 1j", "formula_part"),
    ("a + 1e999", "formula_part"),
    ("a + 'x'", "formula_part"),
    ("lambda: a", "formula_part"),
    ("(" * 150 + "a" + ")" * 150, "formula_long"),
    ("a\0", "formula_syntax"),
]


@pytest.mark.parametrize(("text", "key"), WRONG)
def test_wrong_formulas(text: str, key: str) -> None:
    """Everything beyond the small language is refused, with what was wrong."""
    with pytest.raises(FormulaError) as caught:
        parse(text, "A")
    assert caught.value.key == key


@given(st.text(max_size=LONGEST))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is written, it is a formula or a FormulaError."""
    try:
        assert isinstance(parse(text, "A"), Formula)
    except FormulaError as error:
        assert error.key.startswith("formula_")


def least(text: str, **spans: tuple[float, float]) -> float:
    """Give the least a formula can be for one minute."""
    given = {f"A.{name}": (np.array([low]), np.array([high])) for name, (low, high) in spans.items()}
    return float(parse(text, "A").least(given)[0])


@pytest.mark.parametrize(
    ("text", "a", "b", "expected"),
    [
        pytest.param("a - b", (100.0, math.inf), (4.0, 4.0), 96.0, id="what is above its bound, less a known part"),
        pytest.param("a - b", (100.0, 100.0), (40.0, math.inf), math.nan, id="a part taken away proves nothing"),
        pytest.param("a * b", (100.0, math.inf), (2.0, 2.0), 200.0, id="a product that rises"),
        pytest.param("a * b", (100.0, math.inf), (-2.0, -2.0), math.nan, id="a product that falls"),
        pytest.param("a * b", (100.0, math.inf), (0.0, 0.0), 0.0, id="nought of anything"),
        pytest.param("b / a", (100.0, math.inf), (2.0, 2.0), 0.0, id="a share of something larger is above nought"),
        pytest.param("a / b", (100.0, math.inf), (-1.0, 1.0), math.nan, id="a divisor that may be nought"),
        pytest.param("max(a, b)", (100.0, math.inf), (7.0, 7.0), 100.0, id="the larger"),
        pytest.param("min(a, b)", (100.0, math.inf), (7.0, 7.0), 7.0, id="the smaller"),
        pytest.param("-b", (0.0, 0.0), (7.0, 7.0), -7.0, id="a sign"),
        pytest.param("a + b", (100.0, math.inf), (-math.inf, math.inf), math.nan, id="an unknown part"),
    ],
)
def test_least_by_hand(text: str, a: tuple[float, float], b: tuple[float, float], expected: float) -> None:
    """A lower bound comes out where the formula rises with what is over range, and nowhere else."""
    used = {name: span for name, span in (("a", a), ("b", b)) if name in names_of(text)}
    assert least(text, **used) == pytest.approx(expected, nan_ok=True)


SPANS = st.tuples(st.integers(-20, 20), st.integers(0, 20)).map(lambda pair: (float(pair[0]), float(sum(pair))))


@given(texts(), st.tuples(SPANS, SPANS, SPANS))
def test_nothing_lies_below_the_least(text: str, spans: tuple[tuple[float, float], ...]) -> None:
    """No corner and no middle of the spans gives less than the bound."""
    bounded = dict(zip(NAMES, spans, strict=True))
    bound = least(text, **{name: span for name, span in bounded.items() if name in names_of(text)})
    assume(not math.isnan(bound))
    points = [(low, (low + high) / 2, high) for low, high in spans]
    for corner in itertools.product(*points):
        value = in_python(text, dict(zip(NAMES, corner, strict=True)))
        assert math.isnan(value) or value >= bound - 1e-9 * max(1.0, abs(bound), abs(value))
