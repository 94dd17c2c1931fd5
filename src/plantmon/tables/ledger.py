"""This module knows the items of the ledger, their units, and how the columns of a ledger file are headed.

An item is one name (`diesel`), or a family of them, `*` standing for one part of a name (`refrigerant.*`,
`lab.*.*`). Its units are listed one a dimension, its own first: between two dimensions no amount is converted here
unless the table says how (`1 m3 = 1 t` of water).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib import resources

from plantmon import units
from plantmon.model.plant import Name

FIELDS = ("period", "item", "value", "unit", "source", "note")
_ACROSS = re.compile(r"1 (.+) = (\S+) (.+)")


@dataclass(frozen=True, slots=True)
class LedgerItem:
    """An item or family of items; `units` are empty where the plant file decides (bills, laboratory results).

    `across` says of a unit of another dimension how many of the item's own it is; `refused` are units of its dimensions
    that might mean two things. A result (`is_result`) stands for itself, where amounts add up.
    """

    pattern: str
    name: Name
    units: tuple[str, ...]
    across: Mapping[str, Fraction]
    refused: frozenset[str]
    is_result: bool
    source: str

    @property
    def is_family(self) -> bool:
        """Whether it stands for many items."""
        return "*" in self.pattern


@lru_cache(maxsize=1)
def ledger_items() -> dict[str, LedgerItem]:
    """Give every item and family by its pattern, in the table's order."""
    return {row["item"]: _item(row) for row in _rows("ledger_items.csv")}


@lru_cache(maxsize=1024)
def find(item: str) -> LedgerItem | None:
    """Give the row of an item, that of its family where it is of one, None where there is neither.

    >>> find("refrigerant.HFC-134a").units, find("refrigerant."), find("lab.DW001")
    (('kg',), None, None)
    """
    items = ledger_items()
    if item in items and not items[item].is_family:
        return items[item]
    return next((one for one in items.values() if one.is_family and _regex(one.pattern).fullmatch(item)), None)


def member(item: str) -> tuple[str, ...]:
    """Give the parts of a family's member that the family leaves open.

    >>> member("lab.DA002.nmhc"), member("production.vehicle"), member("diesel")
    (('DA002', 'nmhc'), ('vehicle',), ())
    """
    found = find(item)
    match = _regex(found.pattern).fullmatch(item) if found is not None and found.is_family else None
    return match.groups() if match else ()


def named(item: str) -> Name:
    """Name an item in both languages, a family's member with what it is of.

    Raises KeyError where there is no such item.
    """
    found = find(item)
    if found is None:
        raise KeyError(item)
    more = "".join(f" {part}" for part in member(item))
    return Name(found.name.en + more, found.name.zh + more)


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Give the items that are no families by what people call them: the item itself and its names, in small letters."""
    plain = [one for one in ledger_items().values() if not one.is_family]
    return {spelt.lower(): one.pattern for one in plain for spelt in (one.name.en, one.name.zh, one.pattern)}


@lru_cache(maxsize=1)
def headings() -> dict[str, str]:
    """Give the field each heading of a ledger file stands for, by its spelling in small letters."""
    return {
        spelt.lower(): row["field"]
        for row in _rows("ledger_headings.csv")
        for spelt in (row["en"], row["zh"], *row["also"].split(";"))
    }


@lru_cache(maxsize=1)
def field_names() -> dict[str, Name]:
    """Name the fields of a line in both languages."""
    return {row["field"]: Name(row["en"], row["zh"]) for row in _rows("ledger_headings.csv")}


def _rows(file: str) -> list[dict[str, str]]:
    text = (resources.files(__package__) / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _item(row: dict[str, str]) -> LedgerItem:
    across = _ACROSS.fullmatch(row["across"])
    return LedgerItem(
        pattern=row["item"],
        name=Name(row["en"], row["zh"]),
        units=tuple(units.canonical(unit) for unit in filter(None, row["units"].split(";"))),
        across={units.canonical(across[1]): Fraction(across[2])} if across else {},
        refused=frozenset(filter(None, row["refused"].split(";"))),
        is_result=row["kind"] == "result",
        source=row["source"],
    )


@lru_cache(maxsize=64)
def _regex(pattern: str) -> re.Pattern[str]:
    """Read `*` as one part of a name: letters of any script, digits, `_` and `-`."""
    return re.compile(r"([\w-]+)".join(re.escape(part) for part in pattern.split("*")))
