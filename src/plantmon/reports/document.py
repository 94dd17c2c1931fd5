"""This module says what a report is: facts about it, and parts that are one table each, in one language.

A cell keeps its kind, so that each form can write it as it should: an instant as plant time or ISO 8601, a number as a
number, what was not measured as a dash with its reason and never as 0.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from plantmon.compliance.permit import Permit
from plantmon.model.plant import Plant
from plantmon.texts import text

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant."""

    at_ms: int


def moment(at_ms: int | None) -> Moment | None:
    """Make a cell of an instant that may not be known."""
    return None if at_ms is None else Moment(at_ms)


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure there is none of: the reason's code, and in words."""

    code: str
    reason: str


class Against(float):
    """A number that stands against a bound: written with so many digits that it does not look equal when it is not."""

    bound: float | None = None

    @classmethod
    def of(cls, value: float, bound: float | None) -> Against:
        """Make one."""
        made = cls(value)
        made.bound = bound
        return made


Cell = str | int | float | bool | Moment | Missing | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` names it for programs, `heading` for people. What is for one form alone says so.

    `on_page` False leaves it out of HTML, which has the width of a sheet of paper; `in_table` False out of the table,
    CSV and workbook, which have what it sums up in columns of their own.
    """

    key: str
    heading: str
    on_page: bool = True
    in_table: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """One table of a report. `nothing` is said where it has no rows, `remark` below it."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    nothing: str
    remark: str = ""

    def chosen(self, *, on_page: bool) -> tuple[list[Column], list[list[Cell]]]:
        """Give the columns of one form, with their cells."""
        places = [n for n, one in enumerate(self.columns) if (one.on_page if on_page else one.in_table)]
        return [self.columns[n] for n in places], [[row[n] for n in places] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report: what it is called, of which plant and time, what must be known of it, its parts."""

    name: str
    title: str
    period: str
    scope: Scope
    notices: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is made from: a view of the store, the plant and its permit, the time [start, end), a language."""

    connection: sqlite3.Connection
    plant: Plant
    permit: Permit
    numbers: dict[str, int]
    start: int
    end: int
    now_ms: int
    language: str

    def say(self, key: str, **values: object) -> str:
        """Give a sentence of the reports."""
        return text(f"report.{key}", self.language, **values)

    def columns(self, *keys: str) -> tuple[Column, ...]:
        """Make columns by their keys; `+key` stands in the page alone, `-key` everywhere but there."""
        return tuple(
            Column(name, self.say(f"column.{name}"), on_page=not key.startswith("-"), in_table=not key.startswith("+"))
            for key in keys
            for name in [key.lstrip("+-")]
        )

    def part(self, name: str, columns: tuple[Column, ...], rows: list[list[Cell]], remark: str = "") -> Part:
        """Make a part with its texts."""
        return Part(name, self.say(f"part.{name}"), columns, rows, self.say(f"nothing.{name}"), remark)

    def missing(self, code: str) -> Missing:
        """Say why there is no figure."""
        return Missing(code, self.say(f"missing.{code}"))
