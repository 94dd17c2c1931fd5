"""This module proves that the page on annual figures shows the catalogue as it stands.

`python -m pytest` tells the lines that should stand there where they do not.
"""

from __future__ import annotations

from pathlib import Path

from plantmon.model.metric import Metric
from plantmon.tables.derivation import COMBINERS, SOURCES
from plantmon.tables.metrics import catalogue

PAGE = Path(__file__).parents[3] / "docs" / "esg.md"
HEADING = "| metric | 指标 | unit | derived as | per unit made | HKEX | GRI |\n|---|---|---|---|---|---|---|"


def row(metric: Metric) -> str:
    """Write a metric as the page shows it."""
    codes = [metric.codes.get(key, "") for key in ("hkex", "gri")]
    cells = [
        f"`{metric.id}`",
        metric.name.zh,
        metric.unit,
        f"`{metric.derive}`",
        "yes" if metric.is_intensive else "",
        *codes,
    ]
    return "| " + " | ".join(cells) + " |"


def test_the_page_shows_the_catalogue() -> None:
    """Every metric has its line, in the catalogue's order, and nothing else does."""
    shown = PAGE.read_text(encoding="utf-8").split("<!-- the catalogue -->\n", 1)[1].strip()
    assert shown == "\n".join([HEADING, *map(row, catalogue())])


def test_the_page_names_every_word() -> None:
    """Every word of the language stands on the page."""
    page = PAGE.read_text(encoding="utf-8")
    for word in (*SOURCES, *COMBINERS):
        assert f"{word}(" in page, word
