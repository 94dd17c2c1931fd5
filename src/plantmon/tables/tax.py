"""This module knows the environmental protection tax: equivalents, rates of regions, how many count, what lowers it.

An equivalent is so many kg of a pollutant (of a pH, so many t of waste water) as weigh alike. Total nitrogen and NMHC
stand in no table: they are not taxed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from plantmon.model.plant import Name


@dataclass(frozen=True, slots=True)
class Taxed:
    """A taxable pollutant of `air` or `water`; `equivalent_kg` are one equivalent.

    Of a `group` an outlet pays for one pollutant only. `rank_class` is 1 or 2 for water, empty for air.
    """

    medium: str
    pollutant: str
    name: Name
    rank_class: str
    equivalent_kg: Decimal
    group: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class PhBand:
    """A band of pH outside 6 to 9, whose `equivalent_t` of waste water are one equivalent; one end belongs to it."""

    low: Decimal
    high: Decimal
    includes_low: bool
    equivalent_t: Decimal
    source: str

    def holds(self, ph: Decimal) -> bool:
        """Whether a pH lies in the band."""
        return self.low <= ph < self.high if self.includes_low else self.low < ph <= self.high


@dataclass(frozen=True, slots=True)
class TaxRate:
    """What an equivalent costs in a region, CNY; both days are inclusive, None open."""

    region: str
    medium: str
    valid_from: date | None
    valid_to: date | None
    cny: Decimal
    source: str
    certainty: str

    def covers(self, day: date) -> bool:
        """Whether it holds on a day."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)


@dataclass(frozen=True, slots=True)
class Lowering:
    """From a share below the limit on (0..1), so much of the tax is paid (0..1)."""

    below: Decimal
    pays: Decimal
    source: str


def _rows(file: str) -> list[dict[str, str]]:
    text = (resources.files(__package__) / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def taxed() -> dict[tuple[str, str], Taxed]:
    """Give every taxable pollutant by medium and quantity; particulate matter is `pm.smoke` or `pm.dust`."""
    return {
        (row["medium"], row["pollutant"]): Taxed(
            row["medium"], row["pollutant"], Name(row["en"], row["zh"]), row["class"], Decimal(row["equivalent_kg"]),
            row["group"], row["source"], row["certainty"],
        )
        for row in _rows("tax.csv")
    }  # fmt: skip


@lru_cache(maxsize=1)
def ph_bands() -> tuple[PhBand, ...]:
    """Give the bands of pH that are taxed."""
    return tuple(
        PhBand(Decimal(row["from"]), Decimal(row["to"]), row["includes"] == "from", Decimal(row["equivalent_t"]),
               row["source"])
        for row in _rows("tax_ph.csv")
    )  # fmt: skip


def free_ph() -> tuple[Decimal, Decimal]:
    """Give the pH between which, both included, nothing is taxed.

    >>> free_ph()
    (Decimal('6'), Decimal('9'))
    """
    acid = max(band.high for band in ph_bands() if band.includes_low)
    return acid, min(band.low for band in ph_bands() if not band.includes_low)


@lru_cache(maxsize=1)
def rates() -> tuple[TaxRate, ...]:
    """Give the rates of every region."""
    return tuple(
        TaxRate(row["region"], row["medium"], _day(row["from"]), _day(row["to"]), Decimal(row["cny"]), row["source"],
                row["certainty"])
        for row in _rows("tax_rates.csv")
    )  # fmt: skip


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@lru_cache(maxsize=1)
def _rules() -> dict[str, dict[str, str]]:
    return {row["rule"]: row for row in _rows("tax_rules.csv")}


def counted(medium: str, rank_class: str) -> int:
    """Give how many pollutants of an outlet's month are taxed.

    >>> counted("air", ""), counted("water", "1"), counted("water", "2")
    (3, 5, 3)
    """
    return int(_rules()["_".join(filter(None, ("counted", medium, rank_class)))]["value"])


@lru_cache(maxsize=1)
def lowerings() -> tuple[Lowering, ...]:
    """Give what lowers the tax, the furthest below the limit first."""
    steps = sorted(rule.removeprefix("lower_") for rule in _rules() if rule.startswith("lower_"))
    found = [
        Lowering(_share(f"lower_{step}"), _share(f"pays_{step}"), _rules()[f"lower_{step}"]["source"]) for step in steps
    ]
    return tuple(sorted(found, key=lambda one: -one.below))


def _share(rule: str) -> Decimal:
    return Decimal(_rules()[rule]["value"].removesuffix("%").strip()) / 100
