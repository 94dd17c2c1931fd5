"""This module says what a group of plants is, and what a plant states of a period that the group adds up.

A plant's share is per cent, by year: it counts whole years. What is not known of a plant is never 0: a plant without a
statement is missing, a figure without a value is unknown, and both are named with the group's figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from plantmon.model.metric import FactorUsed, Figure
from plantmon.model.plant import Name, TargetRule
from plantmon.times import PlantTime


class Approach(StrEnum):
    """How a group takes its plants in (GHG Protocol Corporate Standard, chapter 3; HKEX asks which)."""

    EQUITY = "equity"  # by share of equity
    OPERATIONAL = "operational"  # whole where the group operates the plant, else not at all
    FINANCIAL = "financial"  # whole where it has the financial control


@dataclass(frozen=True, slots=True)
class Share:
    """A share in a plant, per cent, and the years it holds for, both inclusive; None: without bound."""

    pct: Decimal
    first: int | None = None
    last: int | None = None

    def covers(self, year: int) -> bool:
        """Whether it holds in a year."""
        return (self.first is None or self.first <= year) and (self.last is None or year <= self.last)


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Published report files: a path or a pattern, absolute."""

    pattern: str


@dataclass(frozen=True, slots=True)
class InfluxBucket:
    """An InfluxDB that plants publish into; the token stands in a file of its own, None without one."""

    url: str
    org: str
    bucket: str
    token_file: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A plant of a group, and where its figures are read from."""

    id: str
    name: Name
    shares: tuple[Share, ...]
    source: ReportFiles | InfluxBucket

    def share_in(self, year: int) -> Decimal | None:
        """Give the share of a year as a part of one; None: the plant is none of the group's in that year."""
        pct = next((share.pct for share in self.shares if share.covers(year)), None)
        return None if pct is None else pct.scaleb(-2)


@dataclass(frozen=True, slots=True)
class Group:
    """A group file, resolved; `time` is where its own reports are dated."""

    id: str
    name: Name
    approach: Approach
    time: PlantTime
    members: tuple[Member, ...]
    targets: tuple[TargetRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """What a plant says of a period. `published` says when and with which hash, None: not published.

    The terms of its figures have the factors below them. `origin` is where it was read.
    """

    plant: str
    period: str
    published: str | None
    origin: str
    figures: Mapping[str, Figure]
    denominators: Mapping[str, Figure]
    factors: tuple[FactorUsed, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """A plant in a period of the group: its share as a part of one, and what it states; None: it is missing."""

    member: Member
    share: Decimal
    statement: Statement | None

    @property
    def is_provisional(self) -> bool:
        """Whether its figures are there and not published."""
        return self.statement is not None and self.statement.published is None
