"""This module reads the formulas of calculated points, such as `thc - ch4`, and works them out over arrays.

A formula has + - * / and parentheses, numbers, a sign, min() and max(), and names: points of its own outlet, or
`OUTLET.point`. It is parsed once into closures; nothing of it is ever executed as Python. Beside its value it gives the
least it can be when some parts are only known to lie above a bound (over range): by interval arithmetic, so that a part
that is subtracted, or stands below a division, proves nothing it cannot prove.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.rounding import significant
from plantmon.errors import FormulaError

Floats = NDArray[np.float64]
Span = tuple[Floats, Floats]  # the least and the most a value can be
_Value = Callable[[Mapping[str, Floats]], Floats]
_Bounds = Callable[[Mapping[str, Span]], Span]

LONGEST = 300  # letters of a formula
_ZERO_TIMES_INFINITY = 0.0  # an end of a span that is 0 stays 0 however large the other one is
_CALLS = ("min", "max")


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of a formula, ready to work out."""

    value: _Value
    bounds: _Bounds


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula; `parts` are the full ids of the points it names, each once, in its order."""

    text: str
    parts: tuple[str, ...]
    _top: _Node

    def value(self, values: Mapping[str, Floats]) -> Floats:
        """Work the formula out for the parts' values, rounded to 12 significant digits.

        NaN where a part is NaN, where something is divided by zero, and where any step is not finite.
        """
        with np.errstate(all="ignore"):
            return significant(self._top.value(values))

    def least(self, spans: Mapping[str, Span]) -> Floats:
        """Give the least the formula can be while each part lies within its span; NaN where there is no such bound."""
        with np.errstate(all="ignore"):
            low, _ = self._top.bounds(spans)
            return significant(np.where(np.isfinite(low), low, np.nan))


def parse(text: str, outlet: str) -> Formula:
    """Read a formula of a point of an outlet. Raises FormulaError, which names what is wrong with it."""
    if len(text) > LONGEST:
        raise FormulaError("formula_long", most=LONGEST)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError("formula_syntax", given=text) from error
    reader = _Reader(outlet)
    top = reader.node(tree.body)
    if not reader.parts:
        raise FormulaError("formula_without_point", given=text)
    return Formula(text, tuple(reader.parts), top)


class _Reader:
    """One walk over a formula's tree; gathers the points it names."""

    def __init__(self, outlet: str) -> None:
        self._outlet = outlet
        self.parts: dict[str, None] = {}

    def node(self, tree: ast.expr) -> _Node:
        match tree:
            case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
                return _constant(value, tree)
            case ast.Name(id=name):
                return self._point(f"{self._outlet}.{name}")
            case ast.Attribute(value=ast.Name(id=outlet), attr=name):
                return self._point(f"{outlet}.{name}")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _negative(self.node(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.node(operand)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                arithmetic, spans = _OPERATORS[type(operator)]
                return _joined(arithmetic, spans, self.node(left), self.node(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS and len(args) > 1:
                return _chosen(np.minimum if name == "min" else np.maximum, [self.node(one) for one in args])
        raise FormulaError("formula_part", part=ast.unparse(tree)[:60])

    def _point(self, name: str) -> _Node:
        self.parts[name] = None
        return _Node(lambda values: values[name], lambda spans: spans[name])


def _constant(value: float, tree: ast.expr) -> _Node:
    try:
        number = np.array([float(value)])
    except OverflowError:
        number = np.array([math.inf])
    if not np.isfinite(number).all():
        raise FormulaError("formula_part", part=ast.unparse(tree)[:60])
    return _Node(lambda _: number, lambda _: (number, number))


def _negative(node: _Node) -> _Node:
    def bounds(spans: Mapping[str, Span]) -> Span:
        low, high = node.bounds(spans)
        return -high, -low

    return _Node(lambda values: -node.value(values), bounds)


def _joined(
    value: Callable[[Floats, Floats], Floats], bounds: Callable[[Span, Span], Span], left: _Node, right: _Node
) -> _Node:
    return _Node(
        lambda values: _finite(value(left.value(values), right.value(values))),
        lambda spans: bounds(left.bounds(spans), right.bounds(spans)),
    )


def _chosen(pick: np.ufunc, nodes: list[_Node]) -> _Node:
    def picked(arrays: list[Floats]) -> Floats:
        found = arrays[0]
        for other in arrays[1:]:
            found = np.asarray(pick(found, other))  # NaN stays NaN: an unknown part makes the whole unknown
        return found

    def bounds(spans: Mapping[str, Span]) -> Span:
        lows, highs = zip(*(node.bounds(spans) for node in nodes), strict=True)
        return picked(list(lows)), picked(list(highs))

    return _Node(lambda values: picked([node.value(values) for node in nodes]), bounds)


def _finite(values: Floats) -> Floats:
    """Keep what is finite: 1 / (1 / 0) must not come out as 0."""
    return np.where(np.isfinite(values), values, np.nan)


def _sum(one: Span, other: Span) -> Span:
    return one[0] + other[0], one[1] + other[1]


def _difference(one: Span, other: Span) -> Span:
    return one[0] - other[1], one[1] - other[0]


def _product(one: Span, other: Span) -> Span:
    return _ends([np.multiply(a, b) for a in one for b in other])


def _quotient(one: Span, other: Span) -> Span:
    low, high = _ends([np.divide(a, b) for a in one for b in other])
    holds_zero = (other[0] <= 0) & (other[1] >= 0)
    return np.where(holds_zero, -np.inf, low), np.where(holds_zero, np.inf, high)


def _ends(corners: list[Floats]) -> Span:
    known = [np.where(np.isnan(corner), _ZERO_TIMES_INFINITY, corner) for corner in np.broadcast_arrays(*corners)]
    return np.min(known, axis=0), np.max(known, axis=0)


_OPERATORS: dict[
    type[ast.operator], tuple[Callable[[Floats, Floats], Floats], Callable[[Span, Span], Span]]
] = {
    ast.Add: (np.add, _sum),
    ast.Sub: (np.subtract, _difference),
    ast.Mult: (np.multiply, _product),
    ast.Div: (np.divide, _quotient),
}  # fmt: skip
