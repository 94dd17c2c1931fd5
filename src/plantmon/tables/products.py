"""This module names usual products in both languages, as a plant counts them."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib import resources

from plantmon.model.plant import Name

FILE = "products.csv"


def product_name(product: str, other: Name | None = None) -> Name:
    """Name a product, one that the table does not know as `other`, else by its id.

    >>> product_name("engine").zh, product_name("crane").zh
    ('发动机', 'crane')
    """
    return _names().get(product) or other or Name(product, product)


@lru_cache(maxsize=1)
def _names() -> dict[str, Name]:
    written = (resources.files(__package__) / FILE).read_text(encoding="utf-8")
    return {row["product"]: Name(row["en"], row["zh"]) for row in csv.DictReader(written.splitlines())}
