"""This module reads the formulas of virtual meters: sums and differences of meters, such as `E-MAIN - 0.5 * E-PAINT`.

A meter's id may hold a hyphen and dots, so blanks stand around a plus or a minus. Factors are kept as fractions: what
is made of integers stays exact until its one rounding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from plantmon.errors import FormulaError

LONGEST = 2000  # letters of a formula
_NUMBER = r"\d+(?:\.\d+)?"
_TERM = re.compile(
    rf"(?:(?P<before>{_NUMBER})\s*\*\s*)?(?P<meter>[A-Za-z0-9][A-Za-z0-9_.-]*)(?:\s*\*\s*(?P<after>{_NUMBER}))?"
)
_SIGN = re.compile(r"\s*([+-])\s*")


@dataclass(frozen=True, slots=True)
class Blend:
    """A parsed formula: each meter once, with its factor, in the formula's order."""

    text: str
    terms: tuple[tuple[Fraction, str], ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The meters it names."""
        return tuple(meter for _, meter in self.terms)


def parse_blend(text: str) -> Blend:
    """Read a virtual meter's formula. Raises FormulaError, which names what is wrong with it."""
    if len(text) > LONGEST:
        raise FormulaError("formula_long", most=LONGEST)
    factors: dict[str, Fraction] = {}
    for factor, meter in _terms(text.strip()):
        factors[meter] = factors.get(meter, Fraction(0)) + factor
    return Blend(text, tuple((factor, meter) for meter, factor in factors.items()))


def _terms(text: str) -> Iterator[tuple[Fraction, str]]:
    sign = _SIGN.match(text)
    at = sign.end() if sign else 0
    while True:
        term = _TERM.match(text, at)
        if term is None or (term["before"] and term["after"]):
            raise FormulaError("blend_part", part=text[at : at + 60] or text)
        written = Fraction(term["before"] or term["after"] or 1)
        yield (-written if sign is not None and sign[1] == "-" else written), term["meter"]
        if term.end() == len(text):
            return
        sign = _SIGN.match(text, term.end())
        if sign is None:
            raise FormulaError("blend_part", part=text[term.end() : term.end() + 60].strip())
        at = sign.end()
