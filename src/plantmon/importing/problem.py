"""This module says what is wrong with a line of a file of readings, and counts what is beyond the first ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plantmon.texts import text

MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence `import.KEY` about a line (0: about the whole file), with what it speaks of."""

    line: int
    key: str
    values: dict[str, Any] = field(default_factory=dict)

    def words(self, file: str, language: str) -> str:
        """Write it with its place."""
        values = dict(self.values)
        if "nearest" in values:
            nearest = values.pop("nearest")
            values["hint"] = text("cli.did_you_mean", language, nearest=nearest) if nearest else ""
        said = text(f"import.{self.key}", language, **values)
        return text("import.at_line" if self.line else "import.at_file", language, file=file, line=self.line, said=said)


@dataclass(slots=True)
class Problems:
    """The first problems of a file, in the order they were found, and how many there are."""

    named: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, problem: Problem) -> None:
        """Count a problem; name it while there are not too many."""
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(problem)

    def words(self, file: str, language: str) -> list[str]:
        """Write them by line, and how many more there are."""
        named = [one.words(file, language) for one in sorted(self.named, key=lambda one: one.line)]
        more = self.count - len(self.named)
        return [*named, *([text("import.more", language, count=more)] if more else [])]
