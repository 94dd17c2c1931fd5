"""This module reads the period of a ledger line: a day, a month, a quarter or a year of plant time.

Besides `2020-02-14`, `2020-01`, `2020-Q1` and `2020` it reads what spreadsheets and people in China make of them:
`2020/2/14`, `2020年2月14日`, `2020年第1季度`. What might be two things, such as `1/2/2020` or `2020.1`, is refused.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

from plantmon.times import PlantTime

MONTHS_A_YEAR, MONTHS_A_QUARTER = 12, 3
# What lies beyond is a slip of the pen: no plant file reaches there.
FIRST_YEAR, LAST_YEAR = 1990, 2100
_FORMS = (
    re.compile(r"(?P<year>\d{4})年?"),
    re.compile(r"(?P<year>\d{4})(?:-|/|年)?(?:[Qq]|第)(?P<quarter>[1-4一二三四])(?:季度|季)?"),
    re.compile(r"(?P<year>\d{4})年?(?P<quarter>[一二三四1-4])季度"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?"),
    re.compile(r"(?P<year>\d{4})/(?P<month>\d{1,2})(?:/(?P<day>\d{1,2}))?"),
    re.compile(r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})日)?"),
)


@dataclass(frozen=True, slots=True)
class LedgerPeriod:
    """A day, month, quarter or year by its one spelling; its first day and the day after its last."""

    name: str
    first: date
    after: date

    def span(self, time: PlantTime) -> tuple[int, int]:
        """Give the instants [start, end)."""
        return time.midnight(self.first), time.midnight(self.after)


def read_period(text: str) -> LedgerPeriod:
    """Read a period. Raises ValueError where the text is none, or of no year a plant has.

    >>> read_period("2020/2/14").name, read_period("2020年1月").name, read_period("2020年一季度").name
    ('2020-02-14', '2020-01', '2020-Q1')
    """
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    for form in _FORMS:
        match = form.fullmatch(plain)
        if match is not None:
            found = match.groupdict()
            year = int(found["year"])
            if FIRST_YEAR <= year < LAST_YEAR:
                return _period(year, found.get("quarter"), found.get("month"), found.get("day"))
    raise ValueError(f"{text!r} is no period")


def _period(year: int, quarter: str | None, month: str | None, day: str | None) -> LedgerPeriod:
    if quarter is not None:
        number = int({"一": "1", "二": "2", "三": "3", "四": "4"}.get(quarter, quarter))
        return _months(f"{year}-Q{number}", year, MONTHS_A_QUARTER * (number - 1) + 1, MONTHS_A_QUARTER)
    if month is None:
        return _months(f"{year}", year, 1, MONTHS_A_YEAR)
    if day is None:
        return _months(f"{year}-{int(month):02}", year, int(month), 1)
    first = date(year, int(month), int(day))
    return LedgerPeriod(first.isoformat(), first, first + timedelta(days=1))


def _months(name: str, year: int, first: int, count: int) -> LedgerPeriod:
    after = first - 1 + count
    return LedgerPeriod(name, date(year, first, 1), date(year + after // MONTHS_A_YEAR, after % MONTHS_A_YEAR + 1, 1))
