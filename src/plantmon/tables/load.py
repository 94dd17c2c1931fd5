"""This module reads the tables of the field; each file once, each row with its source."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from plantmon.model.plant import Kind, Name


@dataclass(frozen=True, slots=True)
class Quantity:
    """What can be measured: its names, its usual unit, and where it may stand.

    `units` lists the usual unit first; a point may have any unit of the dimension of one of them.
    `places` are outlet kinds and `meter`. `has_several` says whether an outlet may measure it more than once.
    `hj212` are the codes of HJ 212-2017 and of its 2005 edition.
    """

    id: str
    name: Name
    units: tuple[str, ...]
    kind: Kind
    places: frozenset[str]
    has_several: bool
    hj212: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A default of the field as it would be written in a plant file, with its meaning and source."""

    value: str
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A line of the substitution table: gaps of so many hours (None: any longer) take the maximum of `look_back`."""

    capture_from: str  # a share as it would be written in a plant file
    hours_to: int | None
    look_back: int
    source: str


def _rows(file: str) -> list[dict[str, str]]:
    """Read a table of this folder."""
    text = (resources.files(__package__) / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def quantities() -> dict[str, Quantity]:
    """Give every quantity by its name."""
    return {row["quantity"]: _quantity(row) for row in _rows("quantities.csv")}


def _quantity(row: dict[str, str]) -> Quantity:
    return Quantity(
        id=row["quantity"],
        name=Name(en=row["en"], zh=row["zh"]),
        units=(row["unit"], *filter(None, row["also"].split(";"))),
        kind=Kind(row["kind"]),
        places=frozenset(row["places"].split()),
        has_several=row["several"] == "yes",
        hj212=tuple(row["hj212"].split()),
        source=row["source"],
    )


@lru_cache(maxsize=1)
def rules() -> dict[str, Rule]:
    """Give every default of the field by its name in the plant file."""
    return {row["rule"]: Rule(row["value"], row["meaning"], row["source"]) for row in _rows("rules.csv")}


@lru_cache(maxsize=1)
def substitution() -> tuple[Gap, ...]:
    """Give the substitution table for missing hours of air, best capture first and short gaps before long ones."""
    return tuple(_gap(row) for row in _rows("substitution.csv"))


def _gap(row: dict[str, str]) -> Gap:
    most = int(row["hours_to"]) if row["hours_to"] else None
    return Gap(row["capture_from"], most, int(row["look_back"]), row["source"])


@lru_cache(maxsize=1)
def molar_masses() -> dict[str, float]:
    """Give the molar mass of each gas a monitor may report in ppm, in g/mol, by its quantity."""
    return {row["quantity"]: float(row["g_per_mol"]) for row in _rows("molar.csv")}


def default(rule: str) -> str:
    """Give a rule's default, as it would be written in a plant file."""
    return rules()[rule].value
