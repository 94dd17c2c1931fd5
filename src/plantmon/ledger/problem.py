"""This module says what is wrong with a line, or what must be known of one that is right, as sentences of the texts."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any

from plantmon.tables.ledger import field_names
from plantmon.texts import text

# How like a known name a wrong one must be to be taken for a slip.
LIKENESS = 0.6


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """A sentence `ledger.KEY` about a field of a line (None: about the whole line), with what it speaks of.

    `given` and `known` make the hint at the nearest right spelling, which `shape` completes.
    """

    field: str | None
    key: str
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    given: str = ""
    known: tuple[str, ...] = ()
    shape: str = "{}"

    def words(self, language: str) -> str:
        """Write it, the field's name before it."""
        sentence = text(f"ledger.{self.key}", language, **self.values) + hint(
            self.given, self.known, language, self.shape
        )
        if self.field is None:
            return sentence
        name = field_names()[self.field].in_language(language)
        return text("ledger.of_field", language, field=name, said=sentence)


class LineError(Exception):
    """A line cannot be taken; `said` is why."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.key)
        self.said = said


def hint(given: str, known: Iterable[str], language: str, shape: str = "{}") -> str:
    """Name the known spelling nearest to a given one, empty where none is like it."""
    spelt = {one.lower(): one for one in known}
    near = difflib.get_close_matches(given.lower(), spelt, 1, LIKENESS)
    return text("cli.did_you_mean", language, nearest=shape.format(spelt[near[0]])) if near else ""
