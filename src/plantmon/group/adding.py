"""This module says which metrics of plants may be added up, and what a group's ratio is made of.

A metric is additive where its derivation is linear in what is counted. A share or a quotient is never added and never
averaged: the group's is worked out from the group's sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from plantmon.errors import DerivationError
from plantmon.model.metric import Metric
from plantmon.tables.derivation import Combined, Node, Source, parse
from plantmon.tables.metrics import find

_FIXED = ("factor", "quantity")  # what is the same for any amount
_BARE = ("%", "1", "")  # units of what no derivation tells of: a ratio, most likely


@dataclass(frozen=True, slots=True)
class Ratio:
    """One metric divided by another."""

    top: str
    bottom: str


def is_additive(metric: Metric) -> bool:
    """Tell whether plants' figures of a metric make a sum; one without a derivation is judged by its unit."""
    node = _parsed(metric.derive)
    if node is None:
        return "/" not in metric.unit and metric.unit not in _BARE
    return _is_linear(node)


def ratio_of(metric: Metric) -> Ratio | None:
    """Give the two metrics a metric is the quotient of; None where it is something else.

    >>> ratio_of(find("energy.share.diesel"))
    Ratio(top='energy.diesel', bottom='energy.total')
    """
    node = _parsed(metric.derive)
    if isinstance(node, Combined) and node.name == "quotient":
        top, bottom = node.parts
        if isinstance(top, Source) and isinstance(bottom, Source) and top.name == bottom.name == "metric":
            return Ratio(top.arguments[0], bottom.arguments[0])
    return None


@lru_cache(maxsize=1024)
def _parsed(derive: str) -> Node | None:
    try:
        return parse(derive) if derive else None
    except DerivationError:
        return None  # of a later version of plantmon


def _is_linear(node: Node) -> bool:
    if isinstance(node, Source):
        other = find(node.arguments[0]) if node.name == "metric" else None
        return node.name not in _FIXED and (other is None or is_additive(other))
    if node.name == "product":
        fixed = [_is_fixed(part) for part in node.parts]
        return fixed.count(False) == 1 and _is_linear(node.parts[fixed.index(False)])
    if node.name == "quotient":
        return _is_linear(node.parts[0]) and _is_fixed(node.parts[1])
    return all(_is_linear(part) for part in node.parts)


def _is_fixed(node: Node) -> bool:
    return node.name in _FIXED if isinstance(node, Source) else all(_is_fixed(part) for part in node.parts)
