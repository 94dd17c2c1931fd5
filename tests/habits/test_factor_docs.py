"""This module proves that the page of factors shows the tables as they are, row for row."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "src" / "plantmon" / "tables"
COLUMNS = {
    "factors.csv": ("id", "en", "value", "unit", "years", "region", "certainty", "source", "note"),
    "tax.csv": ("medium", "en", "class", "equivalent_kg", "certainty"),
    "tax_ph.csv": ("from", "to", "includes", "equivalent_t", "certainty"),
    "tax_rates.csv": ("region", "medium", "from", "to", "cny", "certainty", "source"),
    "tax_rules.csv": ("meaning", "value", "source"),
}


def written(file: str) -> list[str]:
    """Write a table's rows as the page shows them."""
    rows = csv.DictReader((TABLES / file).read_text(encoding="utf-8").splitlines())
    return [f"| {' | '.join(_cell(row, name) for name in COLUMNS[file])} |" for row in rows]


def _cell(row: dict[str, str], name: str) -> str:
    if name == "id":
        return f"`{row['id']}`"
    if name != "years":
        return row[name] or "-"
    start, end = row["applies_from"], row["applies_to"]
    return "all" if not start and not end else start if start == end else f"{start}-{end}"


@pytest.mark.parametrize("file", COLUMNS)
def test_the_page_shows_the_table(file: str) -> None:
    """The page has the rows of a table, all of them and in order, and no other of its kind."""
    page = (ROOT / "docs" / "factors.md").read_text(encoding="utf-8")
    _, _, rest = page.partition(f"<!-- {file} -->\n")
    block, end, _ = rest.partition("<!-- end -->")
    assert end
    assert block.strip().splitlines()[2:] == written(file)
