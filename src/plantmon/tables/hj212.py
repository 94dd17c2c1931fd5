"""This module knows the codes and the data flags of HJ 212: what each means, in which unit it comes, whose it is.

A code is a text, never a number: `01` is particulate matter in air, `001` is pH in water. The units here are defaults,
for a frame names none; a device may send others, and then the plant's own unit stands.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from plantmon.model.plant import Name
from plantmon.model.reading import State


@dataclass(frozen=True, slots=True)
class Flag:
    """A data flag as sent; `editions` are 2005, 2017, and `cems` or `ambient` for letters of other rules."""

    letters: str
    editions: tuple[str, ...]
    state: State
    name: Name
    source: str


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for.

    `code` is that of 2017, `code_2005` that of 2005, None where there is none. `quantity` is plantmon's name, None
    where it has none. `unit` is of the value, `cou_unit` of the amount `Cou`; None: none, or devices differ too much.
    """

    code: str
    code_2005: str | None
    name: Name
    quantity: str | None
    unit: str | None
    cou_unit: str | None
    source: str


def _rows(file: str) -> list[dict[str, str]]:
    """Read a table of this folder."""
    text = (resources.files(__package__) / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def codes() -> tuple[Code, ...]:
    """Give every code, in the order of the table."""
    return tuple(
        Code(
            code=row["code"],
            code_2005=row["code_2005"] or None,
            name=Name(en=row["en"], zh=row["zh"]),
            quantity=row["quantity"] or None,
            unit=row["unit"] or None,
            cou_unit=row["cou_unit"] or None,
            source=row["source"],
        )
        for row in _rows("hj212_codes.csv")
    )


@lru_cache(maxsize=1)
def _by_spelling() -> dict[str, Code]:
    both = ((spelling, code) for code in codes() for spelling in (code.code, code.code_2005) if spelling)
    return {spelling.casefold(): code for spelling, code in both}


def find_code(text: str) -> Code | None:
    """Find a code of either edition, capital or small letters; None where the table has no such code.

    >>> [found.quantity for found in map(find_code, ["01", "001", "A21026"]) if found]
    ['pm', 'ph', 'so2']
    """
    return _by_spelling().get(text.casefold())


@lru_cache(maxsize=1)
def flags() -> dict[str, Flag]:
    """Give every data flag by its letters."""
    return {
        row["flag"]: Flag(
            letters=row["flag"],
            editions=tuple(row["editions"].split()),
            state=State(row["state"]),
            name=Name(en=row["en"], zh=row["zh"]),
            source=row["source"],
        )
        for row in _rows("hj212_flags.csv")
    }


def flag_state(letters: str) -> State:
    """Say what a flag means; unknown for letters no edition lists.

    >>> flag_state("B").value, flag_state("T").value, flag_state("3").value
    ('lost', 'over_range', 'unknown')
    """
    found = flags().get(letters)
    return State.UNKNOWN if found is None else found.state
