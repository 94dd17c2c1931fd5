"""This module reads the period of a report - a year, a quarter, a month - as its months' edges in plant time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from plantmon.times import PlantTime

_PERIOD = re.compile(r"(\d{4})(?:-(?:(0[1-9]|1[0-2])|[Qq]([1-4])))?")
MONTHS, QUARTER = 12, 3


@dataclass(frozen=True, slots=True)
class Span:
    """A period by name, the year whose factors it takes, and the edges of its months."""

    name: str
    year: int
    edges: tuple[int, ...]


def span_of(period: str, time: PlantTime) -> Span:
    """Read `2020`, `2020-Q3` or `2020-07`. Raises ValueError where the text is none of these."""
    match = _PERIOD.fullmatch(period.strip())
    if match is None or not date.min.year <= int(match[1]) < date.max.year:
        raise ValueError(f"{period!r} is no period such as 2020, 2020-Q3 or 2020-07")
    year, month, quarter = int(match[1]), match[2], match[3]
    first, count = (int(month), 1) if month else (QUARTER * (int(quarter) - 1) + 1, QUARTER) if quarter else (1, MONTHS)
    name = f"{year}-{month}" if month else f"{year}-Q{quarter}" if quarter else f"{year}"
    firsts = [
        date(year + (first + turn - 1) // MONTHS, (first + turn - 1) % MONTHS + 1, 1) for turn in range(count + 1)
    ]
    return Span(name, year, tuple(time.midnight(day) for day in firsts))


def span_between(start: date, after: date, time: PlantTime) -> Span:
    """Give whole days [start, after), cut where months begin."""
    edges = [start]
    while edges[-1] < after:
        day = edges[-1]
        edges.append(min(after, date(day.year + day.month // MONTHS, day.month % MONTHS + 1, 1)))
    return Span(f"{start}..{date.fromordinal(after.toordinal() - 1)}", start.year, tuple(map(time.midnight, edges)))
