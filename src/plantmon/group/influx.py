"""This module reads what plants state from an InfluxDB they publish into (docs/influxdb.md: metric and factor).

What stands there was published; nothing is computed there. Names, months and documents are not in it: metrics are
called what the catalogue calls them, a plant's own by their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from plantmon.errors import DeliveryError
from plantmon.forward.lines import LOW_DIGITS
from plantmon.forward.reader import InfluxReader, named, quoted
from plantmon.group.files import figure_of
from plantmon.model.group import Statement
from plantmon.model.metric import SENT_BASES, SENT_REASONS, Coverage, FactorUsed, Figure, Metric
from plantmon.model.plant import Name
from plantmon.tables.factors import rows_of
from plantmon.tables.metrics import find

DENOMINATOR = "denominator."
_FIELDS = ("value", "known", "high", "low", "exponent", "version")
_SHARES = ("measured", "substituted", "ledger", "missing")
_MORE = ("provisional", "at_least", "basis", "reason")
_REASONS = {number: reason for reason, number in SENT_REASONS.items()}
Row = dict[str, Any]


def statement(reader: InfluxReader, origin: str, plant: str, period: str) -> Statement | None:
    """Give what a plant published of a period, with where that is read; None where there is nothing.

    Raises DeliveryError.
    """
    rows = _rows(reader, "metric", (*_FIELDS, *_SHARES, *_MORE), ("metric", "unit", "denominator"), plant, period)
    newest: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = row["metric"], row["denominator"]
        # A unit that a restatement changed leaves a series behind that is no longer known.
        if key not in newest or _order(row) > _order(newest[key]):
            newest[key] = row
    if not newest:
        return None
    factors = _factors(reader, plant, period)
    intensive = {metric for metric, denominator in newest if denominator}
    figures = {
        metric: _figure(row, factors.get(metric, []), is_intensive=metric in intensive)
        for (metric, denominator), row in newest.items() if not denominator
    }  # fmt: skip
    version = max(row["version"] for row in newest.values())
    used = {(one.id, one.value): one for some in factors.values() for one in some}
    return Statement(
        plant,
        period,
        f"v{version}",
        origin,
        {id: figure for id, figure in figures.items() if not id.startswith(DENOMINATOR)},
        {id.removeprefix(DENOMINATOR): figure for id, figure in figures.items() if id.startswith(DENOMINATOR)},
        tuple(used[key] for key in sorted(used)),
    )


def _order(row: Row) -> tuple[bool, int]:
    return bool(row["known"]), row["version"]


def _rows(
    reader: InfluxReader, measurement: str, fields: Sequence[str], tags: Sequence[str], plant: str, period: str
) -> Iterator[Row]:
    """Read the newest point of each series of a plant's period, with its tags."""
    found = reader.ask(
        f"SELECT {', '.join(map(named, fields))} FROM {named(measurement)}"  # noqa: S608 - InfluxQL, each part quoted
        f' WHERE "plant" = {quoted(plant)} AND "period" = {quoted(period)}'
        f" GROUP BY {', '.join(map(named, tags))}"
    )
    for series in found.series:
        if series["columns"] != ["time", *fields] or "tags" not in series:
            raise DeliveryError("this server takes lines and knows no InfluxQL", retriable=False)
        values = [dict(zip(series["columns"], one, strict=True)) for one in series["values"]]
        yield {**series["tags"], **max(values, key=lambda one: one["version"])}


def _figure(row: Row, factors: list[FactorUsed], *, is_intensive: bool) -> Figure:
    id, unit = row["metric"], row["unit"]
    known = find(id)
    if known is None:
        plain = id.removeprefix(DENOMINATOR)
        group = "denominator" if id.startswith(DENOMINATOR) else "own"
        known = Metric(plain, Name(plain, plain), unit, 2, group, "")
    value = _value(row)
    notes = tuple(note for note in ("at_least", "provisional") if row[note])
    notes += tuple(note for note, number in SENT_BASES.items() if (row["basis"] or 0) & number)
    coverage = Coverage(*(float(row[name]) for name in _SHARES))
    reason = None if value is not None else _REASONS.get(row["reason"], "no_data")
    return figure_of(replace(known, unit=unit, is_intensive=is_intensive), value, coverage, factors, reason, notes)


def _factors(reader: InfluxReader, plant: str, period: str) -> dict[str, list[FactorUsed]]:
    """Read the factors of each metric, those that the newest publication used."""
    found: dict[str, list[FactorUsed]] = {}
    for row in _rows(reader, "factor", (*_FIELDS, "own"), ("metric", "factor", "unit"), plant, period):
        value = _value(row)
        if value is not None:
            rows = rows_of(row["factor"])
            name = rows[0].name if rows else Name(row["factor"], row["factor"])
            certainty = "plant file" if row["own"] else ""
            one = FactorUsed(row["factor"], name, value, row["unit"], "", "", "", certainty, is_own=bool(row["own"]))
            found.setdefault(row["metric"], []).append(one)
    return found


def _value(row: Row) -> Decimal | None:
    """Give a value to its last digit; where these are not there, the float's shortest writing."""
    if not row["known"]:
        return None
    if row["exponent"] is None:
        return None if row["value"] is None else Decimal(repr(float(row["value"])))
    return Decimal(row["high"] * 10**LOW_DIGITS + row["low"]).scaleb(row["exponent"])
