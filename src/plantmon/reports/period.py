"""This module reads the period of an execution report: a month, a quarter or a year of the plant's calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from plantmon.times import PlantTime

_PERIOD = re.compile(r"(\d{4})(?:-(?:(0[1-9]|1[0-2])|[Qq]([1-4])))?")
MONTHS_A_YEAR, MONTHS_A_QUARTER = 12, 3


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months: their first days and the day after the last; `kind` is month, quarter or year."""

    name: str
    kind: str
    firsts: tuple[date, ...]
    after: date

    def months(self, time: PlantTime) -> list[tuple[str, int, int]]:
        """Give each month's name and its instants [start, end)."""
        edges = [time.midnight(day) for day in (*self.firsts, self.after)]
        return [(f"{day:%Y-%m}", start, end) for day, start, end in zip(self.firsts, edges, edges[1:], strict=False)]

    def span(self, time: PlantTime) -> tuple[int, int]:
        """Give the instants [start, end) of the whole."""
        return time.midnight(self.firsts[0]), time.midnight(self.after)


def parse_period(text: str) -> Period:
    """Read `2026-03`, `2026-Q1` or `2026`. Raises ValueError where the text is none of these.

    >>> parse_period("2026-q1").name, parse_period("2026-12").after
    ('2026-Q1', datetime.date(2027, 1, 1))
    """
    match = _PERIOD.fullmatch(text.strip())
    if match is None or not date.min.year <= int(match[1]) < date.max.year:
        raise ValueError(f"{text!r} is no period such as 2026-03, 2026-Q1 or 2026")
    year, month, quarter = int(match[1]), match[2], match[3]
    if month:
        return _of(text.strip(), "month", year, int(month), 1)
    if quarter:
        return _of(f"{year}-Q{quarter}", "quarter", year, MONTHS_A_QUARTER * (int(quarter) - 1) + 1, MONTHS_A_QUARTER)
    return _of(f"{year}", "year", year, 1, MONTHS_A_YEAR)


def before(name: str) -> str:
    """Name the same period a year before.

    >>> before("2020-Q3")
    '2019-Q3'
    """
    return f"{int(name[:4]) - 1:04}{name[4:]}"


def _of(name: str, kind: str, year: int, first: int, count: int) -> Period:
    days = [date(year + (first + turn - 1) // MONTHS_A_YEAR, (first + turn - 1) % MONTHS_A_YEAR + 1, 1)
            for turn in range(count + 1)]  # fmt: skip
    return Period(name, kind, tuple(days[:-1]), days[-1])
