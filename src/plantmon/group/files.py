"""This module reads what plants state from the files of `plantmon report --format json`.

Of several files of a plant and period the published one counts, of several published ones the newest. A file that
cannot be read is an error and not a plant that is missing.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec

from plantmon.errors import StatementError
from plantmon.model.group import Statement
from plantmon.model.metric import Coverage, FactorUsed, Figure, Metric, Term, TermKind
from plantmon.model.plant import Name

_MOST_BYTES = 64 * 2**20  # a year of a plant with 300 points has some 300 kB
_FURTHEST = 60  # powers of ten of a number: what is beyond is no figure
NOT_SAID = Coverage(missing=0.0)  # of a denominator, whose coverage a report does not give


class _Name(msgspec.Struct):
    en: str
    zh: str


class _Factor(msgspec.Struct):
    id: str
    value: Decimal
    unit: str
    data_year: str = ""
    published: str = ""
    source: str = ""
    certainty: str = ""
    own: bool = False
    name: _Name | None = None


class _Coverage(msgspec.Struct):
    measured: float
    substituted: float
    ledger: float
    missing: float


class _Metric(msgspec.Struct):
    id: str
    name: _Name
    group: str
    unit: str
    value: Decimal | None
    coverage: _Coverage
    decimals: int = 2
    derive: str = ""
    reason: str | None = None
    per: dict[str, Decimal | None] = {}
    notes: list[str] = []
    months: dict[str, Decimal | None] = {}
    factors: list[_Factor] = []
    codes: dict[str, str] = {}


class _Denominator(msgspec.Struct):
    id: str
    name: _Name
    unit: str
    value: Decimal | None
    reason: str | None = None


class _Report(msgspec.Struct):
    plant: str
    period: str
    made: str
    metrics: list[_Metric]
    published: str | None = None
    denominators: list[_Denominator] = []
    factors: list[_Factor] = []


class _Group(msgspec.Struct):
    """A group's own report, which may lie beside those of its plants."""

    group: str


_READER = msgspec.json.Decoder(_Report)


def statement(pattern: str, plant: str, period: str) -> Statement | None:
    """Give what a plant states of a period in the files of a pattern; None where none of them is of it.

    Raises StatementError for a file that is no report, and for a pattern that is none.
    """
    found = [(report, file) for file in _files(pattern) if (report := _read(file)) is not None]
    own = [(report, file) for report, file in found if (report.plant, report.period) == (plant, period)]
    if not own:
        return None
    # "2021-01-20 10:00 sha256:..." and "2021-01-20T10:00:00+08:00" sort as they follow one another.
    report, file = max(own, key=lambda one: (one[0].published or "", one[0].made, str(one[1])))
    return _statement(report, file)


def _files(pattern: str) -> list[Path]:
    whole = Path(pattern)
    if whole.is_file():
        return [whole]
    root = Path(whole.anchor)
    try:
        return [file for file in sorted(root.glob(str(whole.relative_to(root)))) if file.is_file()]
    except ValueError as error:
        raise StatementError(f"{pattern}: {error}") from error


def _read(file: Path) -> _Report | None:
    """Read a report; None for a group's own."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise StatementError(f"{file}: larger than {_MOST_BYTES} bytes")
        text = file.read_bytes()
    except OSError as error:
        raise StatementError(f"{file}: {error.strerror or error}") from error
    try:
        return _READER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        try:
            msgspec.json.decode(text, type=_Group)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise StatementError(f"{file}: {error}") from error
        return None


def _statement(report: _Report, file: Path) -> Statement:
    names = {one.id: _name(one.name) for one in report.factors if one.name is not None}
    return Statement(
        report.plant,
        report.period,
        report.published,
        file.name,
        {one.id: _figure(one, names, file) for one in report.metrics},
        {one.id: _denominator(one, file) for one in report.denominators},
        tuple(_factor(one, names, file) for one in report.factors),
    )


def _figure(one: _Metric, names: dict[str, Name], file: Path) -> Figure:
    metric = Metric(
        one.id, _name(one.name), one.unit, one.decimals, one.group, one.derive, one.codes, is_intensive=bool(one.per)
    )
    shares = one.coverage
    # A quantity by definition has no id, and is the same everywhere.
    factors = [_factor(factor, names, file) for factor in one.factors if factor.id]
    return figure_of(
        metric, _number(one.value, file), Coverage(shares.measured, shares.substituted, shares.ledger, shares.missing),
        factors, one.reason, tuple(one.notes), tuple(_number(value, file) for value in one.months.values()),
    )  # fmt: skip


def figure_of(
    metric: Metric, value: Decimal | None, coverage: Coverage, factors: list[FactorUsed], reason: str | None,
    notes: tuple[str, ...] = (), months: tuple[Decimal | None, ...] = (),
) -> Figure:  # fmt: skip
    """Make a plant's figure: a term that has the factors it was computed with below it."""
    below = tuple(
        Term(TermKind.FACTOR, one.name, one.value, one.unit, source=one.source, certainty=one.certainty, id=one.id)
        for one in factors
    )
    why = None if value is not None else reason or "no_data"
    term = Term(TermKind.PLANT, metric.name, value, metric.unit, below, reason=why, id=metric.id)
    return Figure(metric, value, coverage, term, months, why, notes)


def _denominator(one: _Denominator, file: Path) -> Figure:
    metric = Metric(one.id, _name(one.name), one.unit, 2, "denominator", "")
    return figure_of(metric, _number(one.value, file), NOT_SAID, [], one.reason)


def _factor(one: _Factor, names: dict[str, Name], file: Path) -> FactorUsed:
    name = names.get(one.id, Name(one.id, one.id))
    value = _number(one.value, file)
    assert value is not None
    return FactorUsed(
        one.id, name, value, one.unit, one.data_year, one.published, one.source, one.certainty, is_own=one.own
    )


def _name(name: _Name) -> Name:
    return Name(name.en, name.zh)


def _number(value: Decimal | None, file: Path) -> Decimal | None:
    """Give a number. Raises StatementError for one that no figure can be."""
    if value is not None and (not value.is_finite() or abs(value.adjusted()) > _FURTHEST):
        raise StatementError(f"{file}: {value} is no figure")
    return value
