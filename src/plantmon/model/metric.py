"""This module says what an annual figure is: its value, what it is made of, and how much of it is known.

A figure is a tree of terms, each with its own value and unit, down to what can be looked into further: a meter's or an
outlet's time, a line of the ledger, a factor with its document. Values are decimal and unrounded; what is not known is
None with a reason, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from plantmon.model.plant import Name


class TermKind(StrEnum):
    """What a term of a derivation is."""

    SUM = "sum"
    DIFFERENCE = "difference"  # the first term less the others
    PRODUCT = "product"
    QUOTIENT = "quotient"  # the first term by the second
    FACTOR = "factor"  # of the factor table, or of the plant file
    METER = "meter"  # what a meter counted over a span
    EMISSION = "emission"  # what an outlet released of a pollutant over a span, kg
    VOLUME = "volume"  # what an outlet discharged over a span, m3
    LEDGER = "ledger"  # one line of the ledger
    TAX = "tax"  # an outlet's month
    MONTH = "month"
    DAY = "day"
    HOUR = "hour"
    READING = "reading"
    PLANT = "plant"  # what a plant of a group states
    SHARE = "share"  # a group's share in a plant, a part of one
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Look:
    """Where a term can be looked into further: a point over a half-open span; `level` is what the term itself is."""

    kind: TermKind  # METER, EMISSION, VOLUME
    point: str
    start_ms: int
    end_ms: int
    level: TermKind | None = None  # MONTH, DAY, HOUR; None: the whole span


@dataclass(frozen=True, slots=True)
class Term:
    """A node of a derivation. `reason` is the code of why `value` is None, `notes` codes of what must be known."""

    kind: TermKind
    name: Name
    value: Decimal | None
    unit: str
    terms: tuple[Term, ...] = ()
    look: Look | None = None
    source: str = ""  # a factor's document, a ledger line's source document with its number
    certainty: str = ""  # of a factor: verified, recalled, plant file
    reason: str | None = None
    notes: tuple[str, ...] = ()
    id: str = ""  # factor, point, ledger item or metric


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of a figure's time (or, of a sum, of its parts weighted equally), each 0..1, together 1."""

    measured: float = 0.0
    substituted: float = 0.0
    ledger: float = 0.0
    missing: float = 1.0

    def __post_init__(self) -> None:
        """Let no residue of adding shares up stand as a share: "missing 2e-17" would read as a gap."""
        for name in ("measured", "substituted", "ledger", "missing"):
            object.__setattr__(self, name, max(0.0, round(getattr(self, name), 12)))


@dataclass(frozen=True, slots=True)
class Metric:
    """A line of the catalogue: what it is called, how it is written, how it is derived, and what others call it.

    `derive` is an expression of the engine (see `tables/metrics.csv`), `group` the table it is printed in.
    """

    id: str
    name: Name
    unit: str
    decimals: int
    group: str
    derive: str
    codes: Mapping[str, str] = field(default_factory=dict)  # hkex, gri, cn
    is_intensive: bool = True  # printed per denominator too
    source: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric's value over a period, with its derivation; `months` are those of the period, None where unknown."""

    metric: Metric
    value: Decimal | None
    coverage: Coverage
    term: Term
    months: tuple[Decimal | None, ...] = ()
    reason: str | None = None
    notes: tuple[str, ...] = ()  # codes: below_detection, at_least, provisional, estimated, running, ...


@dataclass(frozen=True, slots=True)
class Denominator:
    """What intensities are divided by, and its amount in the period and the one before."""

    id: str
    name: Name
    unit: str
    value: Decimal | None
    previous: Decimal | None
    figure: Figure


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """A target of the plant file against what was reached, both in `unit`."""

    per: str | None
    minimum: Decimal | None
    maximum: Decimal | None
    unit: str
    reached: Decimal | None
    is_met: bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the annual report."""

    figure: Figure
    previous: Figure | None
    per: Mapping[str, Decimal | None]
    previous_per: Mapping[str, Decimal | None]
    targets: tuple[TargetCheck, ...] = ()
    is_comparable: bool = True  # False: the two periods' sums are of different plants

    @property
    def change(self) -> Decimal | None:
        """Give this period's value less the previous one's as a share of that; None where either is unknown or 0."""
        before = self.previous.value if self.previous is not None else None
        if self.figure.value is None or not before or not self.is_comparable:
            return None
        return (self.figure.value - before) / abs(before)


@dataclass(frozen=True, slots=True)
class FactorUsed:
    """A factor a report used, with everything its reader needs to judge it."""

    id: str
    name: Name
    value: Decimal
    unit: str
    data_year: str
    published: str
    source: str
    certainty: str  # verified, recalled, plant file
    is_own: bool = False  # of the plant file in place of the table's


@dataclass(frozen=True, slots=True)
class Annual:
    """A whole report: `period` is `2020`, `2020-Q3` or `2020-07`; the span is half-open."""

    period: str
    previous: str | None
    start_ms: int
    end_ms: int
    lines: tuple[Line, ...]
    denominators: tuple[Denominator, ...]
    factors: tuple[FactorUsed, ...]
    notes: tuple[str, ...] = ()
    published: str | None = None  # when and with which hash, of a frozen year


# What is stored elsewhere for years is never renumbered.
SENT_BASES = {"co2_only": 1, "as_carbon": 2}
SENT_REASONS = {
    "no_meter": 1, "no_monitor": 2, "no_ledger": 3, "no_source": 4, "not_configured": 5, "no_factor": 6, "no_data": 7,
    "ledger_outside": 8, "unit": 9, "zero_denominator": 10, "no_denominator": 11, "not_known": 99,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SentMetric:
    """A published figure as it is sent to an InfluxDB; `denominator` is empty but of an intensity.

    Shares are those of the figure's time, of an intensity those of what is divided; `version` counts the publications
    of the period from 1. With a `factor` it is one that the metric was computed with, and has no shares.
    """

    metric: str
    start_ms: int
    period: str
    unit: str
    denominator: str
    value: float | None
    measured: float
    substituted: float
    ledger: float
    missing: float
    provisional: bool
    at_least: bool
    version: int
    digits: str | None = None  # the value with all its digits, which a float does not hold
    basis: int | None = None  # SENT_BASES added up
    reason: int | None = None  # of a value of None, SENT_REASONS
    factor: str = ""
    own: bool = False  # of a factor: the plant file's
