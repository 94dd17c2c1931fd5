"""This module says what the charts of the annual tables show, and has them drawn by a child process.

matplotlib is an extra that takes seconds to load; the child `python -m plantmon.reports.esg.svg` reads what to draw
from its standard input and writes the pictures to its standard output. Without it a report says so and has no charts.
"""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import msgspec

from plantmon.model.metric import Line, Term, TermKind
from plantmon.model.plant import Name
from plantmon.reports.esg import words
from plantmon.reports.esg.material import CapUse, Material, nodes
from plantmon.reports.esg.words import Speech
from plantmon.tables.derivation import metrics_named, parse

DRAW_S = 60.0
NO_LIBRARY = 3  # the child's exit code without matplotlib
_ENERGY = "energy.total"
_ENERGY_GROUPS = ("energy", "energy_heat")
MOST_CAPS = 14  # bars a chart has room for
_COMPARED = (
    "electricity.purchased", "natural_gas", "water.purchased", "energy.total", "ghg.total", "waste.hazardous",
    "air.nox", "air.vocs", "waste_water", "water.cod",
)  # fmt: skip
SMALLEST_SHARE = Decimal("0.01")  # of a year's energy: smaller carriers are drawn together


class Stack(msgspec.Struct, frozen=True, tag="stack"):
    """Columns of parts on top of one another."""

    title: str
    months: list[str]
    parts: list[tuple[str, list[float]]]


class Bar(msgspec.Struct, frozen=True):
    """A bar: its label, its length in per cent, what is written beside it."""

    label: str
    pct: float
    beside: str


class Bars(msgspec.Struct, frozen=True, tag="bars"):
    """Lying bars in per cent; against a line at 100 with `is_cap`, else of changes to both sides of zero."""

    title: str
    bars: list[Bar]
    is_cap: bool
    is_wide: bool = False  # as wide as the page, for long labels


class Drawings(msgspec.Struct, frozen=True):
    """What the child is asked for; `plain` has English labels, for machines without a Chinese font."""

    drawings: list[Stack | Bars]
    plain: list[Stack | Bars]


class Pictures(msgspec.Struct, frozen=True):
    """What the child answers: an SVG a drawing, and whether it had a font for Chinese."""

    pictures: list[str]
    has_font: bool


class Charts(msgspec.Struct, frozen=True):
    """The charts of a page, and why there are none or not in its language: a key of the texts.

    `is_wide` says of each whether it takes the whole width; of the others two stand beside each other.
    """

    pictures: list[str]
    is_wide: list[bool] = []
    remark: str = ""


def charts(material: Material, drawer: str = sys.executable) -> Charts:
    """Draw a report's charts. `drawer` is the Python that has the drawing library."""
    asked = Drawings(drawings(material, material.speech), drawings(material, Speech("en")))
    if not asked.drawings:
        return Charts([])
    command = [drawer, "-m", "plantmon.reports.esg.svg"]
    try:
        child = subprocess.run(
            command, input=msgspec.json.encode(asked), capture_output=True, timeout=DRAW_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Charts([], remark="no_charts")
    if child.returncode:
        return Charts([], remark="no_charts")
    answer = msgspec.json.decode(child.stdout, type=Pictures)
    needs_font = "zh" in material.speech.languages
    is_wide = [isinstance(one, Stack) or one.is_wide for one in asked.drawings]
    return Charts(answer.pictures, is_wide, "no_font" if needs_font and not answer.has_font else "")


def drawings(material: Material, speech: Speech) -> list[Stack | Bars]:
    """Give what is to be drawn: energy by month, emissions against caps, this period against the previous one."""
    found = (energy(material, speech), caps(material, speech), years(material, speech))
    return [one for one in found if one is not None]


def energy(material: Material, speech: Speech) -> Stack | None:
    """Stack the energy of each month by carrier, in the unit of the total; None for a month alone or without months."""
    line = material.line(_ENERGY)
    count = len(material.month_names)
    if line is None or line.figure.value is None or count < 2:
        return None
    metric = line.figure.metric
    parts = _carriers(material, line, speech) if material.group is None else _summed_carriers(material, line, speech)
    if not parts:
        if len(line.figure.months) != count:
            return None
        parts = [(_one_line(speech.say("chart.all")), _floats(line.figure.months))]
    title = f"{_one_line(speech.say('chart.energy'))} ({_one_line(speech.unit(metric.unit))})"
    return Stack(title, [_month(name, speech) for name in material.month_names], parts)


def _carriers(material: Material, line: Line, speech: Speech) -> list[tuple[str, list[float]]]:
    """Give each carrier's months: those of the amount it was computed from, times what one of it is in the total."""
    assert line.figure.value is not None
    found: list[tuple[str, list[Decimal]]] = []
    small: list[list[Decimal]] = []
    for term in line.figure.term.terms:
        if term.value is None or not term.value:
            continue
        months = _months_of(material, term)
        if months is None:
            return []
        if abs(term.value) < SMALLEST_SHARE * line.figure.value:
            small.append(months)
        else:
            found.append((_one_line(speech.title(_carrier(material, term))), months))
    if small:
        found.append((_one_line(speech.say("chart.other")), [sum(values, Decimal(0)) for values in zip(*small)]))  # noqa: B905
    return [(name, [float(value) for value in months]) for name, months in found]


def _summed_carriers(material: Material, line: Line, speech: Speech) -> list[tuple[str, list[float]]]:
    """Give each carrier's months in a group, whose total is a sum of plants and not of carriers."""
    carriers = [found for id in metrics_named(parse(line.figure.metric.derive)) if (found := material.line(id))]
    count = len(material.month_names)
    chosen = [one.figure for one in carriers if one.figure.value and len(one.figure.months) == count]
    return [(_one_line(speech.title(one.metric.name)), _floats(one.months)) for one in chosen]


def _carrier(material: Material, term: Term) -> Name:
    """Name what is burnt or bought, rather than its energy."""
    named = [line.figure.metric for node in nodes(term) if (line := material.line(node.id)) is not None]
    return next((metric.name for metric in named if metric.group not in _ENERGY_GROUPS), term.name)


def _months_of(material: Material, term: Term) -> list[Decimal] | None:
    """Give a carrier's months in the total's unit; a carrier the ledger knows by the year is spread evenly."""
    assert term.value is not None
    count = len(material.month_names)
    for node in nodes(term):
        line = material.line(node.id)
        if line is None or not line.figure.value or len(line.figure.months) != count:
            continue
        known = [value or Decimal(0) for value in line.figure.months]
        if sum(known):
            each = term.value / sum(known)
            return [value * each for value in known]
    is_yearly = any(node.kind is TermKind.LEDGER for node in nodes(term))
    return [term.value / count] * count if is_yearly else None


def caps(material: Material, speech: Speech) -> Bars | None:
    """Show what of each permitted quantity was emitted, the fullest first."""
    known = [(cap, cap.share, cap.used) for cap in material.caps if cap.share is not None and cap.used is not None]
    known.sort(key=lambda one: (-one[1], one[0].outlet))
    if not known:
        return None
    bars = [
        Bar(
            _cap_label(cap, speech),
            float(100 * share),
            f"{words.intensity(used)} / {words.digits(cap.maximum)} {_one_line(speech.unit(cap.unit))}",
        )
        for cap, share, used in known[:MOST_CAPS]
    ]
    return Bars(_one_line(speech.say("chart.caps")), bars, is_cap=True, is_wide=len(speech.languages) > 1)


def _cap_label(cap: CapUse, speech: Speech) -> str:
    label = f"{cap.outlet} {_one_line(speech.title(cap.pollutant))}"
    return f"{label} {cap.period}" if "-" in cap.period else label  # a month's quantity says which month


def years(material: Material, speech: Speech) -> Bars | None:
    """Show how the main figures moved against the previous period."""
    bars = []
    for id in _COMPARED:
        line = material.line(id)
        if line is not None and line.change is not None:
            name = _one_line(speech.title(line.figure.metric.name))
            bars.append(Bar(name, float(100 * line.change), words.change_pct(line.change)))
    if not bars or material.annual.previous is None:
        return None
    title = _one_line(speech.say("chart.years", previous=material.annual.previous))
    return Bars(title, bars, is_cap=False, is_wide=len(speech.languages) > 1)


def _floats(months: tuple[Decimal | None, ...]) -> list[float]:
    return [float(value or 0) for value in months]


def _month(name: str, speech: Speech) -> str:
    return name[5:] if speech.language != "zh" else speech.say("chart.month", month=int(name[5:]))


def _one_line(said: str) -> str:
    return said.replace("\n", " ")
