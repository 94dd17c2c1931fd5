"""This module gathers the mistakes of a plant file, so that all of them are told in one run, each with its line.

A value reader raises `Mistake`; it names a sentence of `texts/problem.toml` and its values, and only when all is known
is it written out, in the reader's language.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from plantmon.texts import text

Path = tuple[str | int, ...]


class Mistake(ValueError):
    """What is wrong with one value: the key of its sentence and what the sentence speaks of."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake and its place."""

    line: int
    path: Path
    key: str
    values: dict[str, Any]

    def sentence(self, language: str) -> str:
        """Say what is wrong and what was expected."""
        values = {name: _listed(value, language) for name, value in self.values.items()}
        return text(f"problem.{self.key}", language, **values) + self._hint(language)

    def _hint(self, language: str) -> str:
        """Name the nearest right spelling where there are some to choose from."""
        given, allowed = self.values.get("given"), self.values.get("free", self.values.get("allowed"))
        if not isinstance(given, str) or not isinstance(allowed, tuple):
            return ""
        nearest = nearest_of(given, allowed)
        return text("problem.hint", language, nearest=nearest) if nearest else ""


def _listed(value: object, language: str) -> object:
    """Write a list of allowed words out."""
    if not isinstance(value, tuple):
        return value
    words = [str(word) for word in value]
    return ", ".join(words) if words else text("problem.nothing", language)


def nearest_of(given: str, allowed: Iterable[object]) -> str | None:
    """Give the allowed word most like a misspelt one, None when none is like it."""
    words = {str(word).lower(): str(word) for word in allowed}
    near = difflib.get_close_matches(given.lower()[:80], words, n=1, cutoff=0.5)
    return words[near[0]] if near else None


def show_path(path: Path) -> str:
    """Write a path as `outlets.DA001.limits[1].max`; items of a list count from 1."""
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".") or "-"


@dataclass(slots=True)
class Problems:
    """The mistakes found so far; `damaged` are the paths of mappings a mistake was found in."""

    found: list[Problem] = field(default_factory=list)
    damaged: set[Path] = field(default_factory=set)

    def add(self, line: int, path: Path, key: str, /, **values: object) -> None:
        """Note a mistake."""
        self.found.append(Problem(line, path, key, values))

    def is_wrong(self, path: Path) -> bool:
        """Whether a mistake was found at this very place."""
        return any(problem.path == path for problem in self.found)

    def told(self, filename: str, language: str) -> list[str]:
        """Write every mistake once as `file:line: field: what is wrong, what was expected`, in the file's order."""
        lines = [
            (problem.line, f"{filename}:{problem.line}: {show_path(problem.path)}: {problem.sentence(language)}")
            for problem in self.found
        ]
        return [line for _, line in sorted(dict.fromkeys(lines), key=lambda entry: entry[0])]
