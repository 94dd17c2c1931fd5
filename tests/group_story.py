"""This module makes what plants of a group state, and writes it as the report files plants publish."""

# ruff: noqa: E501 - a case a line reads as a table

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from plantmon.group.files import figure_of
from plantmon.model.group import Approach, Group, Holding, Member, ReportFiles, Share, Statement
from plantmon.model.metric import Coverage, FactorUsed, Metric
from plantmon.model.plant import Name, TargetRule
from plantmon.tables.metrics import find
from plantmon.times import PlantTime

MEASURED = Coverage(measured=1.0, missing=0.0)
PUBLISHED = "2021-01-20 10:00:00 sha256:ab12"
VEHICLE = Metric("vehicle", Name("vehicle", "辆"), "pcs", 0, "denominator", "")


def a_metric(id: str, **changes: Any) -> Metric:
    """Give a metric of the catalogue, or a plant's own of that name."""
    return replace(find(id) or Metric(id, Name(id, id), "t", 2, "own", "", is_intensive=True), **changes)


def a_factor(id: str, value: str, unit: str = "1") -> FactorUsed:
    """Give a factor a plant used."""
    return FactorUsed(id, Name(id, id), Decimal(value), unit, "2020", "", "a document", "verified")


def a_statement(
    plant: str, values: Mapping[str, str | None], vehicles: str | None = None, *, published: str | None = PUBLISHED,
    notes: Mapping[str, tuple[str, ...]] | None = None, factors: Mapping[str, Sequence[FactorUsed]] | None = None,
    reason: str = "no_data", changes: Mapping[str, Mapping[str, Any]] | None = None, period: str = "2020",
) -> Statement:  # fmt: skip
    """Give what a plant states of a period: values by metric, None where it does not know one."""
    notes, factors, changes = notes or {}, factors or {}, changes or {}
    figures = {}
    for id, value in values.items():
        number = None if value is None else Decimal(value)
        figures[id] = figure_of(
            a_metric(id, **changes.get(id, {})), number, MEASURED if value is not None else Coverage(),
            list(factors.get(id, ())), reason, notes.get(id, ()), tuple([None if number is None else number / 8] * 8),
        )  # fmt: skip
    made = Decimal(vehicles) if vehicles is not None else None
    used = tuple(dict.fromkeys(one for some in factors.values() for one in some))
    return Statement(
        plant, period, published, f"{plant}.json", figures, {"vehicle": figure_of(VEHICLE, made, MEASURED, [], reason)},
        used,
    )  # fmt: skip


def a_member(plant: str, share: str = "100") -> Member:
    """Give a plant of the group."""
    return Member(plant, Name(f"Plant {plant}", f"{plant} 厂"), (Share(Decimal(share)),), ReportFiles("nowhere"))


def a_holding(plant: str, share: str, statement: Statement | None) -> Holding:
    """Give a plant with its share, per cent."""
    return Holding(a_member(plant, share), Decimal(share) / 100, statement)


def a_group(members: Iterable[Member], targets: tuple[TargetRule, ...] = ()) -> Group:
    """Give a group by equity."""
    time = PlantTime(ZoneInfo("Asia/Shanghai"))
    return Group("trucks", Name("Truck group", "卡车集团"), Approach.EQUITY, time, tuple(members), targets)


def write_report(file: Path, statement: Statement, made: str = "2021-01-20T10:00:00+08:00", **more: Any) -> Path:
    """Write what a plant states as the JSON of its report."""
    found = {
        "plant": statement.plant, "year": int(statement.period[:4]), "period": statement.period, "made": made,
        "published": statement.published,
        "denominators": [
            {"id": id, "name": _name(one.metric.name), "unit": one.metric.unit, "value": _number(one.value),
             "previous": None, "reason": one.reason}
            for id, one in statement.denominators.items()
        ],
        "metrics": [
            {
                "id": id, "name": _name(one.metric.name), "group": one.metric.group, "unit": one.metric.unit,
                "decimals": one.metric.decimals, "derive": one.metric.derive, "value": _number(one.value),
                "reason": one.reason, "notes": list(one.notes), "per": {"vehicle": None} if one.metric.is_intensive else {},
                "coverage": {name: getattr(one.coverage, name) for name in ("measured", "substituted", "ledger", "missing")},
                "months": {f"2020-{place:02}": _number(value) for place, value in enumerate(one.months, start=1)},
                "factors": [], "codes": dict(one.metric.codes),
            }
            for id, one in statement.figures.items()
        ],
        "factors": [],
    } | more  # fmt: skip
    text = json.dumps(found, ensure_ascii=False)
    for place, value in reversed(list(enumerate(_NUMBERS))):
        text = text.replace(f'"number {place}"', value)
    _NUMBERS.clear()
    file.write_text(text, encoding="utf-8")
    return file


_NUMBERS: list[str] = []


def _number(value: Decimal | None) -> str | None:
    """Keep a number's digits: JSON of the standard library would make a float of it."""
    if value is None:
        return None
    _NUMBERS.append(f"{value:f}")
    return f"number {len(_NUMBERS) - 1}"


def _name(name: Name) -> dict[str, str]:
    return {"en": name.en, "zh": name.zh}
