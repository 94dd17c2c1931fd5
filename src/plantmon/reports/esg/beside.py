"""This module lays out what stands beside the annual figures: quantities, meters, months, factors, sources."""

from __future__ import annotations

from decimal import Decimal

from plantmon.model.metric import Term
from plantmon.reports.esg import words
from plantmon.reports.esg.material import Material, MeterUse, counted, ledger_lines
from plantmon.reports.esg.tables import Cell, Heading, Table, number
from plantmon.reports.esg.words import DASH, Speech
from plantmon.tables.load import quantities
from plantmon.texts import sentences

_RESULTS = "lab."


def caps(material: Material) -> Table | None:
    """Give the permitted quantities against what was emitted; None where the permit has none."""
    speech = material.speech
    if not material.caps:
        return None
    rows = []
    for cap in material.caps:
        share = cap.share
        used_pct = DASH if share is None else f"{words.rounded(100 * share, 1)} %"
        style = "number wrong" if share is not None and share > 1 else "number"
        cells = (
            Cell(speech.title(cap.outlet_name), "indicator", cap.outlet),
            Cell(speech.title(cap.pollutant)),
            Cell(cap.period, "unit"),
            Cell(speech.unit(cap.unit), "unit"),
            number(DASH if cap.used is None else words.intensity(cap.used)),
            number(words.digits(cap.maximum)),
            Cell(used_pct, style),
            Cell(cap.passed or "", "wrong"),
        )
        rows.append(cells)
    headings = (
        Heading(speech.say("column.outlet")), Heading(speech.say("column.pollutant")),
        Heading(speech.say("column.period")), Heading(speech.say("column.unit")),
        Heading(speech.say("column.used"), "number"), Heading(speech.say("column.cap"), "number"),
        Heading(speech.say("column.used_pct"), "number"), Heading(speech.say("column.passed")),
    )  # fmt: skip
    return Table("caps", speech.say("section.caps"), headings, tuple(rows))


def meters(material: Material) -> list[Table]:
    """Give the meter trees, a table a quantity: what each meter counted and what nobody counted below it."""
    speech, annual = material.speech, material.annual
    found = []
    for quantity in dict.fromkeys(meter.quantity for meter in material.meters):
        rows = []
        for meter in (one for one in material.meters if one.quantity == quantity):
            change = None
            if meter.value is not None and meter.previous:
                change = (meter.value - meter.previous) / abs(meter.previous)
            share = DASH if meter.share is None else f"{words.rounded(100 * meter.share, 1)} %"
            cells = [
                Cell(meter.id or speech.title(meter.name), f"depth{min(meter.depth, 3)}", _meter_aside(speech, meter)),
                Cell(speech.unit(meter.unit), "unit"),
                number(DASH if meter.value is None else words.amount(meter.value, 0)),
            ]
            if annual.previous:
                cells.append(number(DASH if meter.previous is None else words.amount(meter.previous, 0)))
                cells.append(number(words.change_pct(change)))
            rows.append((*cells, number(share) if meter.depth else Cell("")))
        headings = [Heading(speech.say("column.meter")), Heading(speech.say("column.unit"))]
        headings.append(Heading(annual.period, "number"))
        if annual.previous:
            headings += [Heading(annual.previous, "number"), Heading(speech.say("column.change"), "number")]
        headings.append(Heading(speech.say("column.share"), "number"))
        title = _meters_title(speech, quantity)
        found.append(Table(f"meters-{quantity}", title, tuple(headings), tuple(rows)))
    return found


def _meter_aside(speech: Speech, meter: MeterUse) -> str:
    """Give a meter's name beside its id, where it has one of its own."""
    name = speech.title(meter.name)
    is_plain = meter.quantity in quantities() and meter.name == quantities()[meter.quantity].name
    return "" if not meter.id or is_plain else name.replace("\n", " ")


def _meters_title(speech: Speech, quantity: str) -> str:
    key = f"section.meters_{quantity}"
    return speech.say(key) if f"esg.{key}" in sentences() else f"{speech.say('section.meters')}: {quantity}"


def months(material: Material) -> Table | None:
    """Give each figure by month; None for a month alone, and where no figure has months."""
    speech = material.speech
    names = material.month_names
    lines = [line for line in material.annual.lines if len(line.figure.months) == len(names)]
    if len(names) < 2 or not any(value is not None for line in lines for value in line.figure.months):
        return None
    rows = []
    for line in lines:
        metric = line.figure.metric
        if all(value is None for value in line.figure.months):
            continue
        cells = [Cell(speech.title(metric.name), "indicator"), Cell(speech.unit(metric.unit), "unit")]
        cells += [number(words.of_metric(value, metric)) for value in line.figure.months]
        rows.append((*cells, Cell(words.of_metric(line.figure.value, metric), "number now")))
    headings = [Heading(speech.say("column.indicator")), Heading(speech.say("column.unit"))]
    headings += [Heading(name, "number") for name in names]
    headings.append(Heading(material.annual.period, "number"))
    return Table("months", speech.say("section.months"), tuple(headings), tuple(rows))


def factors(material: Material) -> Table | None:
    """Give the factors used, with their documents; None where no figure needed one."""
    speech = material.speech
    if not material.annual.factors:
        return None
    rows = []
    for factor in material.annual.factors:
        rows.append(
            (
                Cell(speech.title(factor.name), "indicator", factor.id),
                number(words.shown(factor.value)),
                Cell(speech.unit(factor.unit), "unit"),
                Cell(factor.data_year, "unit"),
                Cell(factor.source, "free"),
                Cell(speech.code("certainty", factor.certainty), "own" if factor.is_own else ""),
            )
        )
    headings = (
        Heading(speech.say("column.factor")), Heading(speech.say("column.value"), "number"),
        Heading(speech.say("column.unit")), Heading(speech.say("column.data_year")),
        Heading(speech.say("column.source"), "free"), Heading(speech.say("column.certainty")),
    )  # fmt: skip
    return Table("factors", speech.say("section.factors"), headings, tuple(rows))


def ledger(material: Material) -> Table | None:
    """Give the ledger lines the figures rest on, added up by item and document; None where there are none."""
    speech = material.speech
    groups: dict[tuple[str, str, str], list[Term]] = {}
    for term in ledger_lines(material.annual):
        groups.setdefault((term.id, term.unit, term.source), []).append(term)
    if not groups:
        return None
    rows = []
    for (id, unit, source), terms in groups.items():
        known = [term.value for term in terms if term.value is not None]
        is_result = id.startswith(_RESULTS)  # a concentration: adding such up means nothing
        value = DASH if not known or (is_result and len(known) > 1) else words.shown(sum(known, Decimal(0)))
        periods = [note.partition(":")[2] for term in terms for note in term.notes if note.startswith("period:")]
        span = " … ".join(dict.fromkeys([min(periods), max(periods)])) if periods else ""
        cells = (
            Cell(speech.title(terms[0].name), "indicator", id), number(value), Cell(speech.unit(unit), "unit"),
            Cell(str(len(terms)), "number"), Cell(span, "unit"), Cell(source, "free"),
        )  # fmt: skip
        rows.append(cells)
    headings = (
        Heading(speech.say("column.item")), Heading(speech.say("column.value"), "number"),
        Heading(speech.say("column.unit")), Heading(speech.say("column.lines"), "number"),
        Heading(speech.say("column.period")), Heading(speech.say("column.source"), "free"),
    )  # fmt: skip
    return Table("ledger", speech.say("section.ledger"), headings, tuple(rows))


def meters_used(material: Material) -> Table | None:
    """Give the meters and outlets the figures rest on; None where there are none."""
    speech = material.speech
    terms = counted(material.annual)
    if not terms:
        return None
    rows = tuple(
        (
            Cell(speech.title(term.name), "indicator", term.id),
            number(DASH if term.value is None else words.shown(term.value)),
            Cell(speech.unit(term.unit), "unit"),
            Cell(origin(speech, term), "free"),
        )
        for term in terms
    )
    headings = (
        Heading(speech.say("column.meter")), Heading(speech.say("column.value"), "number"),
        Heading(speech.say("column.unit")), Heading(speech.say("column.source"), "free"),
    )  # fmt: skip
    return Table("counted", speech.say("section.counted"), headings, rows)


def origin(speech: Speech, term: Term) -> str:
    """Say where a term comes from: its document, or what kind of instrument it is, with what must be known of it."""
    said = [term.source] if term.source else []
    said += [speech.code("reason", term.reason)] if term.reason else []
    said += [speech.code("note", note) for note in term.notes]
    return "; ".join(said) or speech.say(f"kind.{term.kind}").replace("\n", " ")


def restated(material: Material) -> Table | None:
    """Give what a published report had otherwise; None where nothing was restated."""
    speech = material.speech
    if not material.restated:
        return None
    rows = tuple(
        (
            Cell(speech.title(one.name), "indicator", one.metric),
            Cell(speech.unit(one.unit), "unit"),
            number(DASH if one.old is None else words.amount(one.old, one.decimals)),
            number(DASH if one.new is None else words.amount(one.new, one.decimals)),
            Cell(one.reason, "free"),
            Cell(material.time.show(one.at_ms), "unit"),
        )
        for one in material.restated
    )
    headings = (
        Heading(speech.say("column.indicator")), Heading(speech.say("column.unit")),
        Heading(speech.say("column.old"), "number"), Heading(speech.say("column.new"), "number"),
        Heading(speech.say("column.why")), Heading(speech.say("column.when")),
    )  # fmt: skip
    return Table("restated", speech.say("section.restated"), headings, rows)
