"""This module knows how the columns of a file of readings are headed."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib import resources

FIELDS = ("ts", "point", "value", "unit", "flag", "arrival")
PASSED_OVER = ""  # columns of plantmon's own export that say what became of a reading


@lru_cache(maxsize=1)
def headings() -> dict[str, str]:
    """Give the field each heading stands for, in lower case; `PASSED_OVER` where it is none of a reading."""
    text = (resources.files(__package__) / "reading_headings.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        names = [row["en"], row["zh"], *filter(None, row["also"].split(";"))]
        found.update({name.lower(): row["field"] for name in names})
    return found
