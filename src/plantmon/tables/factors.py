"""This module knows the factors of energy and greenhouse gases: value, unit, whose year it is, document, certainty.

A reported year takes the factor that covers it and never a neighbour's: of the grid, that is the data of that very year
(settled: the plant file names another deliberately). Physical constants cover all years. The table is `factors.csv`;
an empty value there is a factor nobody publishes surely enough, for the plant file to name.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib import resources

from plantmon.model.plant import Name

NATION = "national"  # the region of those who name none
GWP, OWN = "gwp.", "own."  # families of factors that a plant file may add to


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor with its document; `applies_from` and `applies_to` are reported years, inclusive, None open."""

    id: str
    name: Name
    value: Decimal
    unit: str
    data_year: str
    published: str
    applies_from: int | None
    applies_to: int | None
    source: str
    certainty: str  # verified, recalled; of the plant's own: plant file
    region: str = ""  # empty: in every region
    note: str = ""

    def covers(self, year: int) -> bool:
        """Whether a reported year takes it."""
        return (self.applies_from or year) <= year <= (self.applies_to or year)


@dataclass(frozen=True, slots=True)
class NoFactor:
    """Why there is no factor: `unknown`, `no_value`, `region`, `year` or `data_year`; `known` are those there are."""

    reason: str
    id: str
    year: int
    region: str = ""
    known: tuple[str, ...] = ()

    @property
    def detail(self) -> str:
        """Name the factor and what there is instead, and the keys of the plant file that choose, in no language.

        >>> NoFactor("year", "grid.location", 2020, "national", ("2021", "2022")).detail
        'grid.location national 2020 [2021, 2022: esg.grid_factor.data_year, esg.factors]'
        """
        key = {"year": "esg.grid_factor.data_year, ", "data_year": "esg.grid_factor.data_year, ",
               "region": "esg.grid_factor.region, "}.get(self.reason, "")  # fmt: skip
        choice = ", ".join(self.known) + ": " if self.known else ""
        year = "" if self.reason in ("unknown", "no_value") else str(self.year)
        return f"{' '.join(filter(None, (self.id, self.region, year)))} [{choice}{key}esg.factors]"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; None: a factor without a value of the table's."""

    id: str
    also: tuple[str, ...]
    name: Name
    unit: str
    note: str
    factor: Factor | None


@lru_cache(maxsize=1)
def rows() -> tuple[Row, ...]:
    """Give every line of the table, in its order."""
    text = (resources.files(__package__) / "factors.csv").read_text(encoding="utf-8")
    return tuple(_row(row) for row in csv.DictReader(text.splitlines()))


def _row(row: dict[str, str]) -> Row:
    name = Name(row["en"], row["zh"])
    found = None
    if row["value"]:
        found = Factor(
            id=row["id"],
            name=name,
            value=to_decimal(_fraction(row["value"])),
            unit=row["unit"],
            data_year=row["data_year"],
            published=row["published"],
            applies_from=int(row["applies_from"]) if row["applies_from"] else None,
            applies_to=int(row["applies_to"]) if row["applies_to"] else None,
            source=row["source"],
            certainty=row["certainty"],
            region=row["region"],
            note=row["note"],
        )
    return Row(row["id"], tuple(row["also"].split()), name, row["unit"], row["note"], found)


def _fraction(text: str) -> Fraction:
    """Read `44/12` or `0.5568` exactly."""
    top, _, bottom = text.partition("/")
    return Fraction(top) / Fraction(bottom or 1)


def to_decimal(value: Fraction) -> Decimal:
    """Give a fraction as a decimal; one that does not end has 28 digits."""
    return Decimal(value.numerator) / Decimal(value.denominator)


@lru_cache(maxsize=1)
def _by_id() -> dict[str, tuple[Row, ...]]:
    found: dict[str, list[Row]] = {}
    for row in rows():
        for id in (row.id, *row.also):
            found.setdefault(id, []).append(row)
    return {id: tuple(some) for id, some in found.items()}


def rows_of(id: str) -> tuple[Row, ...]:
    """Give the lines of a factor, none where there is no such factor."""
    return _by_id().get(id, ())


def ids() -> tuple[str, ...]:
    """List every id a factor is known by; a gas by its name alone as well, `gwp.CH4`."""
    gases = (f"{GWP}{id.split('.', 2)[2]}" for id in _by_id() if id.startswith(GWP))
    return tuple(dict.fromkeys([*_by_id(), *gases]))


def gwp_sets() -> tuple[str, ...]:
    """List the assessment reports there are potentials of."""
    return tuple(dict.fromkeys(row.id.split(".")[1] for row in rows() if row.id.startswith(GWP)))


def regions() -> tuple[str, ...]:
    """List the regions there are grid factors of."""
    return tuple(dict.fromkeys(row.factor.region for row in rows() if row.factor is not None and row.factor.region))


def unit_of(id: str) -> str | None:
    """Give the unit a factor is kept in; None for one of the plant's own invention, which keeps its own."""
    if id.startswith(GWP):
        return "tCO2e/t"
    found = rows_of(id)
    return found[0].unit if found else None


def factor(id: str, year: int, region: str = "", data_year: int | None = None) -> Factor | NoFactor:
    """Give the factor a reported year takes, or why there is none.

    `data_year` names the data of one year deliberately, where the factor has data years. A region without the factor
    gets none: no other region's.

    >>> found = factor("grid.location", 2022, "chongqing")
    >>> found.value if isinstance(found, Factor) else found.reason
    Decimal('0.5227')
    >>> missing = factor("grid.location", 2020)
    >>> missing.known if isinstance(missing, NoFactor) else missing.value
    ('2021', '2022', '2023')
    """
    found = rows_of(id)
    if not found:
        return NoFactor("unknown", id, year)
    some = [row.factor for row in found if row.factor is not None]
    if not some:
        return NoFactor("no_value", id, year, known=(found[0].unit,))
    if all(one.region for one in some):
        there = tuple(dict.fromkeys(one.region for one in some))
        region = region or NATION
        some = [one for one in some if one.region == region]
        if not some:
            return NoFactor("region", id, year, region, there)
    else:
        region = ""
    years = tuple(one.data_year or _span(one) for one in some)
    if data_year is not None and some[0].data_year:
        chosen = [one for one in some if one.data_year == str(data_year)]
        return chosen[0] if chosen else NoFactor("data_year", id, data_year, region, years)
    chosen = [one for one in some if one.covers(year)]
    return chosen[0] if chosen else NoFactor("year", id, year, region, years)


def _span(one: Factor) -> str:
    return f"{one.applies_from or ''}-{one.applies_to or ''}"
