"""This package holds every sentence for people, English and Chinese side by side, and gives them by key.

A file `NAME.toml` has one line a sentence: `key = {en = "...", zh = "..."}`, under a table that begins its key.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "zh")


def text(key: str, language: str, /, **values: object) -> str:
    """Give a sentence with its values filled in; any language but `zh` gives English.

    Raises KeyError when there is no such sentence or a value of it is missing.
    """
    return sentences()[key]["zh" if language == "zh" else "en"].format(**values)


@lru_cache(maxsize=1)
def sentences() -> dict[str, dict[str, str]]:
    """Give every sentence of every file of this folder by its full key. Raises KeyError when a key stands twice."""
    found: dict[str, dict[str, str]] = {}
    files = sorted((file for file in resources.files(__package__).iterdir()), key=lambda file: file.name)
    for file in files:
        if file.name.endswith(".toml"):
            _gather(tomllib.loads(file.read_text(encoding="utf-8")), "", found)
    return found


def _gather(table: dict[str, Any], prefix: str, found: dict[str, dict[str, str]]) -> None:
    """Add the sentences of a table; a table of texts is a sentence, a table of tables a part of the key."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if all(isinstance(part, str) for part in value.values()):
            if key in found:
                raise KeyError(f"the text {key} stands in two files")
            found[key] = value
        else:
            _gather(value, f"{key}.", found)
