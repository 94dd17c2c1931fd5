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
from plantmon.tables.products import product_name

FILE = "metrics.csv"


@lru_cache(maxsize=1)
def catalogue() -> tuple[Metric, ...]:
    """Give every metric and family, in the order they are reported."""
    return tuple(_metric(row) for row in csv.DictReader(_text().splitlines()))


@lru_cache(maxsize=1)
def catalogue_hash() -> str:
    """Give the sha256 of the catalogue as it stands, which a published report names."""
    return hashlib.sha256(_text().encode()).hexdigest()


def member(family: Metric, name: str, called: Name | None = None) -> Metric:
    """Give a family's metric for one product; one the table of products does not know is `called` so.

    >>> made = member(next(one for one in catalogue() if one.id == "production.*"), "vehicle")
    >>> made.id, made.name.zh
    ('production.vehicle', '产量：整车')
    """
    title = product_name(name, called)
    titles = Name(family.name.en.replace("{}", title.en), family.name.zh.replace("{}", title.zh))
    return replace(family, id=family.id.replace("*", name), name=titles, derive=family.derive.replace("{}", name))


def find(id: str) -> Metric | None:
    """Give the catalogue's metric of an id, of a family where it is of one; None: the catalogue has none.

    >>> find("production.vehicle").unit, find("own.paint")
    ('pcs', None)
    """
    for one in catalogue():
        family = one.id.removesuffix("*")
        if one.id == id:
            return one
        if family != one.id and id.startswith(family) and id != family:
            return member(one, id.removeprefix(family))
    return None


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
