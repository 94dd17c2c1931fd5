"""This module writes the annual tables for programs and terminals: JSON, CSV, and text tables.

JSON and CSV have every digit: what is rounded is rounded in print alone. What is not known is null, or an empty cell,
with its reason beside it, never 0.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import msgspec

from plantmon.group.sums import product
from plantmon.model.metric import Coverage, FactorUsed, Line, TargetCheck, TermKind
from plantmon.reports.esg import beside, plants, tables
from plantmon.reports.esg.material import CapUse, Grouped, Material, MeterUse, Restated, factors_of, nodes
from plantmon.reports.esg.plants import state_of
from plantmon.reports.esg.tables import Table
from plantmon.reports.esg.words import Speech, plain
from plantmon.reports.tabular import width_of

CODES = ("hkex", "gri", "cn")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def as_json(material: Material) -> str:
    """Write the whole report as one object; numbers with all their digits."""
    annual, group = material.annual, material.group
    found: dict[str, Any] = {
        **({"plant": material.plant_id} if group is None else _group(material, group)),
        "year": int(annual.period[:4]),
        "period": annual.period,
        "previous_period": annual.previous,
        "from": _iso(material, annual.start_ms),
        "to": _iso(material, annual.end_ms),
        "made": _iso(material, material.now_ms),
        "published": annual.published,
        "notes": list(annual.notes),
        "denominators": [
            {"id": one.id, "name": _name(one.name.en, one.name.zh), "unit": one.unit, "value": _number(one.value),
             "previous": _number(one.previous), "reason": one.figure.reason}
            for one in annual.denominators
        ],
        "metrics": [_metric(material, line) for line in annual.lines],
        "factors": [_factor(one) for one in annual.factors],
        "caps": [_cap(one) for one in material.caps],
        "meters": [_meter(one) for one in material.meters],
        "restated": [_restated(material, one) for one in material.restated],
    }  # fmt: skip
    return json_text(found)


def json_text(found: Any) -> str:
    """Write JSON, decimals as numbers with all their digits."""
    return msgspec.json.format(_ENCODER.encode(found), indent=1).decode()


def _metric(material: Material, line: Line) -> dict[str, Any]:
    figure, metric = line.figure, line.figure.metric
    return {
        "id": metric.id,
        "name": _name(metric.name.en, metric.name.zh),
        "group": metric.group,
        "unit": metric.unit,
        "decimals": metric.decimals,
        "derive": metric.derive,
        "value": _number(figure.value),
        "reason": figure.reason,
        "previous": _number(line.previous.value if line.previous else None),
        "previous_reason": line.previous.reason if line.previous else None,
        "change": _number(line.change),
        "per": {name: _number(value) for name, value in line.per.items()},
        "previous_per": {name: _number(value) for name, value in line.previous_per.items()},
        "coverage": coverage_of(figure.coverage),
        "notes": list(figure.notes),
        "months": dict(zip(material.month_names, map(_number, figure.months), strict=False)),
        "targets": [_target(one) for one in line.targets],
        "factors": [_factor(one) for one in factors_of(figure, material.annual)],
        "codes": dict(metric.codes),
        **({} if material.group is None else {"plants": plants_of(material.group, metric.id)}),
    }


def _group(material: Material, group: Grouped) -> dict[str, Any]:
    return {
        "group": material.plant_id,
        "name": _name(material.plant_name.en, material.plant_name.zh),
        "approach": str(group.approach),
        "plants": [
            {
                "id": one.member.id,
                "name": _name(one.member.name.en, one.member.name.zh),
                "share": _number(one.now.share if one.now else None),
                "previous_share": _number(one.before.share if one.before else None),
                "state": str(state_of(one)),
                "published": one.now.statement.published if one.now and one.now.statement else None,
                "from": one.now.statement.origin if one.now and one.now.statement else None,
            }
            for one in group.parts
        ],
    }


def plants_of(group: Grouped, id: str) -> list[dict[str, Any]]:
    """Give what each plant of the period adds to a figure: figure, share, their product, and how it is known."""
    found = []
    for part in (one for one in group.parts if one.now is not None):
        assert part.now is not None
        figure, share = part.figure(id), part.now.share
        value = None if figure is None else figure.value
        found.append(
            {
                "plant": part.member.id,
                "state": str(state_of(part)),
                "value": _number(value),
                "unit": None if figure is None else figure.metric.unit,
                "share": _number(share),
                "amount": None if value is None else _number(product(share, value)),
                "reason": "plant_missing" if part.now.statement is None else figure.reason if figure else "not_stated",
                "coverage": None if figure is None else coverage_of(figure.coverage),
                "notes": [] if figure is None else list(figure.notes),
                "factors": [] if figure is None else [
                    {"id": term.id, "value": plain(term.value), "unit": term.unit, "source": term.source,
                     "certainty": term.certainty}
                    for term in nodes(figure.term) if term.kind is TermKind.FACTOR and term.value is not None
                ],
            }
        )  # fmt: skip
    return found


def coverage_of(coverage: Coverage) -> dict[str, float]:
    """Give the shares of a coverage by name."""
    return {
        "measured": coverage.measured,
        "substituted": coverage.substituted,
        "ledger": coverage.ledger,
        "missing": coverage.missing,
    }


def _target(target: TargetCheck) -> dict[str, Any]:
    return {
        "per": target.per,
        "min": _number(target.minimum),
        "max": _number(target.maximum),
        "unit": target.unit,
        "reached": _number(target.reached),
        "met": target.is_met,
    }


def _factor(factor: FactorUsed) -> dict[str, Any]:
    return {
        "id": factor.id,
        "value": plain(factor.value),
        "unit": factor.unit,
        "data_year": factor.data_year,
        "published": factor.published,
        "source": factor.source,
        "certainty": factor.certainty,
        "own": factor.is_own,
    }


def _cap(cap: CapUse) -> dict[str, Any]:
    return {
        "outlet": cap.outlet, "pollutant": _name(cap.pollutant.en, cap.pollutant.zh), "period": cap.period,
        "used": _number(cap.used), "max": plain(cap.maximum), "unit": cap.unit, "exceeded_on": cap.passed,
    }  # fmt: skip


def _meter(meter: MeterUse) -> dict[str, Any]:
    return {
        "id": meter.id, "name": _name(meter.name.en, meter.name.zh), "quantity": meter.quantity, "depth": meter.depth,
        "unit": meter.unit, "value": _number(meter.value), "previous": _number(meter.previous),
        "share_of_parent": _number(meter.share),
    }  # fmt: skip


def _restated(material: Material, one: Restated) -> dict[str, Any]:
    return {
        "metric": one.metric, "unit": one.unit, "old": _number(one.old), "new": _number(one.new),
        "reason": one.reason, "at": _iso(material, one.at_ms),
    }  # fmt: skip


def _name(en: str, zh: str) -> dict[str, str]:
    return {"en": en, "zh": zh}


def _number(value: Decimal | None) -> Decimal | None:
    return None if value is None else plain(value)


def _iso(material: Material, at_ms: int) -> str:
    return material.time.local(at_ms).isoformat(timespec="seconds")


def as_csv(material: Material) -> str:
    """Write the figures as one plain table: keys as headings whatever the language, every digit, a row a metric."""
    annual, speech = material.annual, material.speech
    denominators = [one.id for one in annual.denominators]
    parts = material.group.parts if material.group is not None else []
    names = [f"name_{one}" for one in speech.languages] if len(speech.languages) > 1 else ["name"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["id", *names, "unit", "value", "reason", "previous", "change", *(f"per.{one}" for one in denominators),
         *(f"previous_per.{one}" for one in denominators), "measured", "substituted", "ledger", "missing", "notes",
         *CODES, *(f"plant.{one.member.id}" for one in parts)]
    )  # fmt: skip
    for line in annual.lines:
        figure, metric = line.figure, line.figure.metric
        coverage = figure.coverage
        writer.writerow(
            [
                metric.id, *(Speech(one).name(metric.name) for one in speech.languages), metric.unit,
                _cell(figure.value), tables.why(speech, figure).replace("\n", " ") if figure.reason else "",
                _cell(line.previous.value if line.previous else None), _cell(line.change),
                *(_cell(line.per.get(one)) for one in denominators),
                *(_cell(line.previous_per.get(one)) for one in denominators),
                coverage.measured, coverage.substituted, coverage.ledger, coverage.missing, ";".join(figure.notes),
                *(metric.codes.get(code, "") for code in CODES),
                *(_cell(stated.value if (stated := one.figure(metric.id)) else None) for one in parts),
            ]
        )  # fmt: skip
    return out.getvalue()


def _cell(value: Decimal | None) -> str:
    return "" if value is None else format(plain(value), "f")


def as_table(material: Material) -> str:
    """Write the figures as text tables for a terminal, printed as the page prints them."""
    head = [f"{tables.title(material)}  {material.annual.period}".replace("\n", " ")]
    head += [notice.replace("\n", " ") for notice in tables.notices(material)]
    foot = "\n".join(tables.legend(material))
    against = [tables.targets(material), *beside.meters(material)]
    figures = tables.groups(material)
    found = [*figures, *against] if material.kind == "year" else [*against, *figures]
    found.insert(0, plants.plants(material))
    return "\n\n".join(["\n".join(head), *(text_table(table) for table in found if table is not None), foot])


def text_table(table: Table) -> str:
    """Write one table as text."""
    headings = [f"{heading.over} {heading.words}".replace("\n", " ").strip() for heading in table.headings]
    cells = [headings]
    for row in table.rows:
        marked = [f"{cell.words} [{cell.marks}]" if cell.style.startswith("number") and cell.marks else cell.words
                  for cell in row]  # fmt: skip
        cells.append([word.replace("\n", " ") for word in marked])
    widths = [max(width_of(line[place]) for line in cells) for place in range(len(headings))]
    written = []
    for line in cells:
        padded = []
        for place, word in enumerate(line):
            gap = " " * (widths[place] - width_of(word))
            padded.append(gap + word if "number" in table.headings[place].style else word + gap)
        written.append("  ".join(padded).rstrip())
    written.insert(1, "  ".join("-" * width for width in widths))
    written += [f"[{number}] {note}".replace("\n", " ") for number, note in enumerate(table.notes, start=1)]
    written += table.below.split("\n") if table.below else []
    return "\n".join([table.title.replace("\n", " "), *written])
