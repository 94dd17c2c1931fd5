"""This module says on what basis a figure stands, so that figures of different bases are not added in silence.

Factors may differ from plant to plant: grids, fuels, steam. What may not is what makes one sum of two things: the
greenhouse gases counted and the potentials they are weighed with, by location or by market, what electricity and heat
count as in standard coal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plantmon.esg.derive import walk
from plantmon.model.group import Holding
from plantmon.model.metric import Figure, Metric, TermKind
from plantmon.tables.metrics import find

_GASES = (".ch4", ".n2o")  # endings of the factors of what burning makes besides CO2
# Factors that say what is counted as what, and not how something is in a place.
_CONVENTIONS = ("gwp.", "coal.electricity", "coal.heat")
_METHODS = {"grid.location": "location", "grid.market": "market", "green_power.co2": "market"}
_TOTAL = "ghg.total"  # the one figure that takes one of the two methods or the other


@dataclass(frozen=True, slots=True)
class Clash:
    """Why figures of plants are not one sum: the code of the reason, and which plants stand where."""

    code: str
    detail: str

    @property
    def reason(self) -> str:
        """Give it as a figure's reason."""
        return f"{self.code}:{self.detail}"


Stated = tuple[Holding, Figure]


def clash(metric: Metric, stated: Sequence[Stated]) -> Clash | None:
    """Say why known figures of one metric may not be added, None where they may."""
    known = [(holding, figure) for holding, figure in stated if figure.value is not None]
    kinds = {"units_differ": _units, "definitions_differ": _definitions, "bases_differ": _bases}
    for code, sides_of in kinds.items():
        sides: dict[str, dict[str, list[str]]] = {}
        for holding, figure in known:
            for subject, side in sides_of(metric, figure):
                sides.setdefault(subject, {}).setdefault(side, []).append(holding.member.id)
        for subject, one in sides.items():
            if len(one) > 1:
                said = "; ".join(f"{side} ({', '.join(plants)})" for side, plants in one.items())
                return Clash(code, f"{subject} {said}".strip())
    return None


def _units(_: Metric, figure: Figure) -> Iterator[tuple[str, str]]:
    yield "", figure.metric.unit


def _definitions(metric: Metric, figure: Figure) -> Iterator[tuple[str, str]]:
    """Give the derivation of a plant's own metric; what the catalogue has is derived alike everywhere."""
    if figure.metric.derive and find(metric.id) is None:
        yield "", figure.metric.derive


def _bases(metric: Metric, figure: Figure) -> Iterator[tuple[str, str]]:
    factors = [term for term in walk(figure.term) if term.kind is TermKind.FACTOR]
    # A plant that counts CH4 and N2O may note CO2 alone of a fuel that has no factors of them.
    if any(term.id.startswith("fuel.") and term.id.endswith(_GASES) for term in factors):
        yield "", "CO2, CH4, N2O"
    elif "co2_only" in figure.notes:
        yield "", "CO2"
    if metric.id == _TOTAL:
        methods = {_METHODS[term.id] for term in factors if term.id in _METHODS}
        for method in sorted(methods):
            yield "scope 2", method
    for term in factors:
        if term.id.startswith(_CONVENTIONS) and term.value is not None:
            yield term.id, f"{term.value.normalize():f} {term.unit}"
    if metric.id == "air.vocs":
        yield "", "C" if "as_carbon" in figure.notes else "VOC"
