"""This module gives the catalogue of metrics: what each is called, its unit, its codes, and how it is derived.

A family (`production.*`) stands for one metric each of what the plant makes; `{}` in its row is that product.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from functools import lru_cache
from importlib import resources

from plantmon.model.metric import Metric
from plantmon.model.plant import Name

FILE = "metrics.csv"


@lru_cache(maxsize=1)
def catalogue() -> tuple[Metric, ...]:
    """Give every metric and family, in the order they are reported."""
    return tuple(_metric(row) for row in csv.DictReader(_text().splitlines()))


@lru_cache(maxsize=1)
def catalogue_hash() -> str:
    """Give the sha256 of the catalogue as it stands, which a published report names."""
    return hashlib.sha256(_text().encode()).hexdigest()


def member(family: Metric, name: str) -> Metric:
    """Give a family's metric for one product.

    >>> member(next(one for one in catalogue() if one.id == "production.*"), "vehicle").id
    'production.vehicle'
    """
    titles = Name(family.name.en.replace("{}", name), family.name.zh.replace("{}", name))
    return replace(family, id=family.id.replace("*", name), name=titles, derive=family.derive.replace("{}", name))


def _text() -> str:
    return (resources.files(__package__) / FILE).read_text(encoding="utf-8")


def _metric(row: dict[str, str]) -> Metric:
    return Metric(
        id=row["id"],
        name=Name(row["en"], row["zh"]),
        unit=row["unit"],
        decimals=int(row["decimals"]),
        group=row["group"],
        derive=row["derive"],
        codes={key: row[key] for key in ("hkex", "gri", "cn") if row[key]},
        is_intensive=row["intensive"] == "yes",
        source=row["source"],
    )
