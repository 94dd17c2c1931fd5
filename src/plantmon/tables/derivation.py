"""This module reads how a metric is derived: the small language of `tables/metrics.csv` and of a plant's own metrics.

An expression has + - * / and parentheses, and calls of the names below; dotted names and quoted texts are their
arguments. It is parsed once; nothing of it is ever executed as Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from plantmon.errors import DerivationError

LONGEST = 2000  # letters of an expression
# What has a value of its own, with how many arguments at least and at most.
SOURCES = {
    "meters": (2, 3),  # quantity, role, product: what the plant's meters of that role counted
    "meter": (1, 1),  # id: one meter
    "released": (1, 1),  # id of a pollutant's point: one outlet's
    "ledger": (1, 1),  # item: the lines that count
    "each": (2, 2),  # items "refrigerant.*", factors "gwp.*": each item's lines times its factor
    "emissions": (2, 2),  # air or water, pollutant: what all outlets released
    "discharge": (0, 0),  # the volume of waste water
    "factor": (1, 1),  # id
    "metric": (1, 1),  # id: another metric's figure
    "quantity": (1, 1),  # "1 t/m3": a fixed one, by definition
    "tax": (1, 1),  # air, water, equivalents, reduction
}
COMBINERS = {
    "sum": (1, 99),  # what is known of its parts
    "first": (2, 9),  # the first part that is known
    "when": (2, 2),  # a rule of the plant file (ch4_n2o), and what counts only with it
}
RULES = ("ch4_n2o", "market", "location")
_OPERATORS = {ast.Add: "sum", ast.Sub: "difference", ast.Mult: "product", ast.Div: "quotient"}


@dataclass(frozen=True, slots=True)
class Source:
    """A part that has a value of its own."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Combined:
    """Parts taken together: sum, difference, product, quotient, first, when; `rule` is that of `when`."""

    name: str
    parts: tuple[Source | Combined, ...]
    rule: str = ""


Node = Source | Combined


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Read an expression. Raises DerivationError, which names what is wrong with it.

    >>> parse("ledger(diesel) * factor(fuel.diesel.density)").name
    'product'
    """
    if len(text) > LONGEST:
        raise DerivationError("derive_long", most=LONGEST)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DerivationError("derive_syntax", given=text[:60]) from error
    return _node(tree.body)


def _node(tree: ast.expr) -> Node:
    match tree:
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return Combined(_OPERATORS[type(operator)], (_node(left), _node(right)))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in SOURCES:
            _count(name, len(arguments), SOURCES[name])
            return Source(name, tuple(map(_word, arguments)))
        case ast.Call(func=ast.Name(id="when"), args=[rule, part], keywords=[]):
            if _word(rule) not in RULES:
                raise DerivationError("derive_rule", given=_word(rule), allowed=RULES)
            return Combined("when", (_node(part),), _word(rule))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in COMBINERS:
            _count(name, len(arguments), COMBINERS[name])
            return Combined(name, tuple(map(_node, arguments)))
    raise DerivationError("derive_part", part=ast.unparse(tree)[:60], allowed=(*SOURCES, *COMBINERS))


def _count(name: str, count: int, bounds: tuple[int, int]) -> None:
    if not bounds[0] <= count <= bounds[1]:
        raise DerivationError("derive_count", name=name, count=count, least=bounds[0], most=bounds[1])


def _word(tree: ast.expr) -> str:
    match tree:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_word(value)}.{name}"
    raise DerivationError("derive_word", part=ast.unparse(tree)[:60])


def sources(node: Node) -> Iterator[Source]:
    """Give the parts with values of their own, in the order they are written."""
    if isinstance(node, Source):
        yield node
    else:
        for part in node.parts:
            yield from sources(part)


def metrics_named(node: Node) -> list[str]:
    """List the other metrics an expression speaks of."""
    return [one.arguments[0] for one in sources(node) if one.name == "metric"]
