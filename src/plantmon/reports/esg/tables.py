"""This module lays the annual tables out for people: rows of printed cells with numbered notes below each table.

Page and terminal print what stands here; the workbook has numbers and formulas in place of printed figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from plantmon.model.metric import Denominator, Figure, Line, TargetCheck, TermKind
from plantmon.reports.esg import words
from plantmon.reports.esg.material import Material, nodes, uneven_totals
from plantmon.reports.esg.words import DASH, Speech

MOST_PAIRS = 2  # denominators a sheet of paper shows beside the previous period; more show this period alone
NOTABLE_SHARE = 0.0005  # of a figure's time: less does not print
KEY_METRICS = (
    "energy.total", "electricity.purchased", "water.purchased", "ghg.total", "waste.hazardous", "air.vocs", "air.nox",
    "waste_water",
)  # fmt: skip
MOST_KEYS = 6
_SOURCES = ("meters(", "ledger(", "emissions(", "discharge(", "tax(")
_ABSENT = frozenset({"no_ledger", "no_meter", "no_monitor", "no_source", "not_configured"})
_COUNTS = frozenset({"pcs", ""})
_PRINTED_CODES = {"en": ("hkex", "gri"), "zh": ("hkex", "gri", "cn"), "both": ("hkex", "gri", "cn")}


@dataclass(frozen=True, slots=True)
class Cell:
    """A printed cell; `marks` are the numbers of its notes, `style` how it stands."""

    words: str
    style: str = ""
    marks: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's heading, under which `span` columns stand; `over` is the heading above them."""

    words: str
    style: str = ""
    over: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: headings, rows of cells, its notes in the order of their numbers."""

    name: str
    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    below: str = ""  # said below the notes
    is_figures: bool = False  # of the annual figures themselves, whose columns are alike

    @property
    def bands(self) -> list[tuple[str, int]]:
        """Give the headings above headings with how many columns each spans."""
        found: list[tuple[str, int]] = []
        for heading in self.headings:
            if found and heading.over and found[-1][0] == heading.over:
                found[-1] = (heading.over, found[-1][1] + 1)
            else:
                found.append((heading.over, 1))
        return found


@dataclass(frozen=True, slots=True)
class Tile:
    """A key figure: what, how much, in which unit, and how it moved."""

    label: str
    value: str
    unit: str
    aside: str


@dataclass(slots=True)
class _Notes:
    """Gives each note of a table its number."""

    said: dict[str, int] = field(default_factory=dict)

    def mark(self, notes: list[str]) -> str:
        return ",".join(str(self.said.setdefault(note, len(self.said) + 1)) for note in notes)


def tiles(material: Material) -> list[Tile]:
    """Give the key figures that are known, as the tables print them."""
    speech = material.speech
    found: list[Tile] = []
    for id in KEY_METRICS:
        line = material.line(id)
        if line is None or line.figure.value is None or len(found) == MOST_KEYS:
            continue
        metric = line.figure.metric
        aside = ""
        if line.change is not None and material.annual.previous:
            moved = words.change_pct(line.change)
            aside = speech.say("against", change=moved, previous=material.annual.previous)
        if line.figure.coverage.missing > NOTABLE_SHARE:
            missing = words.share_pct(line.figure.coverage.missing)
            aside = "\n".join(filter(None, (aside, speech.say("note.part_missing", detail=missing))))
        value = words.of_metric(line.figure.value, metric)
        found.append(Tile(speech.title(metric.name), value, speech.unit(metric.unit), aside))
    return found


def groups(material: Material) -> list[Table]:
    """Give the tables of figures; what is computed from carriers the plant does not have is said below, not in rows."""
    return [_group(material, name, lines) for name, lines in material.groups()]


def is_folded(line: Line) -> bool:
    """Tell whether a line is unknown in both periods only because what it is computed from is nothing the plant has."""
    figures = [line.figure] + ([line.previous] if line.previous is not None else [])
    is_computed = not any(word in line.figure.metric.derive for word in _SOURCES)
    return is_computed and not line.targets and all(
        one.value is None and (one.reason or "") in _ABSENT for one in figures
    )  # fmt: skip


def _group(material: Material, name: str, lines: list[Line]) -> Table:
    speech, annual = material.speech, material.annual
    denominators = annual.denominators if any(line.per for line in lines) else ()
    has_pairs = len(denominators) <= MOST_PAIRS and annual.previous is not None
    headings = [Heading(speech.say("column.indicator")), Heading(speech.say("column.unit"), "unit")]
    headings.append(Heading(annual.period, "number total"))
    if annual.previous:
        headings += [Heading(annual.previous, "number total"), Heading(speech.say("column.change"), "number change")]
    for one in denominators:
        over = per_words(speech, one)
        headings.append(Heading(annual.period, "number", over))
        if has_pairs:
            headings.append(Heading(str(annual.previous), "number", over))
    headings.append(Heading(speech.say("column.basis"), "basis"))
    notes = _Notes()
    shown = [line for line in lines if not is_folded(line)]
    rows = tuple(_row(material, line, denominators, notes, has_pairs=has_pairs) for line in shown)
    folded = _folded(speech, [line for line in lines if is_folded(line)])
    return Table(name, speech.group(name), tuple(headings), rows, tuple(notes.said), folded, is_figures=True)


def _folded(speech: Speech, lines: list[Line]) -> str:
    """Say which lines there are none of, by their reason."""
    reasons: dict[str, list[Line]] = {}
    for line in lines:
        reasons.setdefault(line.figure.reason or "not_known", []).append(line)
    said = []
    for language in speech.languages:
        one = Speech(language)
        for reason, some in reasons.items():
            names = one.say("and").join(one.name(line.figure.metric.name) for line in some)
            said.append(f"{DASH} {names}: {one.code('reason', reason)}")
    return "\n".join(said)


def per_words(speech: Speech, denominator: Denominator) -> str:
    """Name the columns of a denominator: per vehicle, per 10k CNY of output value."""
    return "\n".join(dict.fromkeys(_per_words(Speech(one), denominator) for one in speech.languages))


def _per_words(speech: Speech, denominator: Denominator) -> str:
    name = speech.name(denominator.name)
    if denominator.unit in _COUNTS or speech.unit(denominator.unit) in name:  # a name such as "10k CNY of output"
        return speech.say("per", name=name)
    return speech.say("per_of", unit=speech.unit(denominator.unit), name=name)


def _row(
    material: Material, line: Line, denominators: tuple[Denominator, ...], notes: _Notes, *, has_pairs: bool
) -> tuple[Cell, ...]:  # fmt: skip
    speech, annual, figure = material.speech, material.annual, line.figure
    metric = figure.metric
    codes = " · ".join(metric.codes[one] for one in _PRINTED_CODES[speech.language] if one in metric.codes)
    cells = [Cell(speech.title(metric.name), "indicator", codes), Cell(speech.unit(metric.unit), "unit")]
    cells.append(_figure(figure, notes.mark(remarks(speech, figure))))
    if annual.previous:
        cells.append(_previous(speech, line, notes, annual.previous))
        cells.append(number(words.change_pct(line.change)))
    for one in denominators:
        if one.id not in line.per:
            cells += [Cell("", "number")] * (2 if has_pairs else 1)
            continue
        cells.append(_per(line.per[one.id], _why_no_intensity(speech, line.figure, one), notes))
        if has_pairs:
            cells.append(_per(line.previous_per.get(one.id), [], notes))
    cells.append(Cell(speech.coverage(figure.coverage), "basis"))
    return tuple(cells)


def remarks(speech: Speech, figure: Figure) -> list[str]:
    """Say what must be known of a figure: why there is none, what is missing, what it holds."""
    if figure.value is None:
        return [why(speech, figure)]
    said = [speech.code("note", code) for code in figure.notes]
    coverage = figure.coverage
    if coverage.missing > NOTABLE_SHARE:
        said.append(speech.say("note.part_missing", detail=words.share_pct(coverage.missing)))
    if coverage.substituted > NOTABLE_SHARE:
        said.append(speech.say("note.part_substituted", detail=words.share_pct(coverage.substituted)))
    return said


def why(speech: Speech, figure: Figure) -> str:
    """Say why a figure is unknown; of a factor that is lacking, what the plant file can name."""
    reason = figure.reason or "not_known"
    head, _, id = reason.partition(":")
    lacking = [node for node in nodes(figure.term) if node.kind is TermKind.MISSING and node.id == id and node.name.en]
    if head == "no_factor" and lacking:
        return speech.name(lacking[0].name)
    return speech.code("reason", reason)


def _figure(figure: Figure, marks: str) -> Cell:
    style = "number missing" if figure.value is None else "number now"
    return Cell(words.of_metric(figure.value, figure.metric), style, marks)


def _previous(speech: Speech, line: Line, notes: _Notes, previous: str) -> Cell:
    figure = line.previous
    if figure is None:
        return Cell(DASH, "number missing")
    said = (
        ["\n".join(f"{previous}: {line}" for line in why(speech, figure).split("\n"))] if figure.value is None else []
    )
    if figure.value is None and line.figure.value is None and line.figure.reason == figure.reason:
        said = []  # the same reason stands beside it
    return Cell(words.of_metric(figure.value, figure.metric), "number", notes.mark(said))


def _why_no_intensity(speech: Speech, figure: Figure, denominator: Denominator) -> list[str]:
    if figure.value is None:
        return []  # the figure's own reason stands beside it
    if denominator.value is None:
        reason = denominator.figure.reason or "not_known"
        return [f"{speech.code('reason', 'no_denominator')}: {speech.code('reason', reason)}"]
    return [speech.code("reason", "zero_denominator")] if not denominator.value else []


def _per(value: Decimal | None, why: list[str], notes: _Notes) -> Cell:
    if value is None:
        return Cell(DASH, "number missing", notes.mark(why))
    return number(words.intensity(value))


def number(written: str) -> Cell:
    """Make a cell of a printed number or a dash."""
    return Cell(written, "number missing" if written == DASH else "number")


def targets(material: Material) -> Table | None:
    """Give the targets against what was reached; None where the plant has none."""
    speech = material.speech
    rows = []
    for line in material.annual.lines:
        for target in line.targets:
            state, style = state_of(material, target)
            name = speech.title(line.figure.metric.name)
            cells = (
                Cell(name, "indicator"),
                Cell(target_unit(material, target), "unit"),
                number(_bounds(target)),
                number(DASH if target.reached is None else target_value(target, line)),
                Cell(state, style),
            )
            rows.append(cells)
    if not rows:
        return None
    headings = (
        Heading(speech.say("column.indicator")), Heading(speech.say("column.unit")),
        Heading(speech.say("column.target"), "number"), Heading(speech.say("column.reached"), "number"),
        Heading(speech.say("column.state")),
    )  # fmt: skip
    return Table("targets", speech.say("section.targets"), headings, tuple(rows))


def target_value(target: TargetCheck, line: Line) -> str:
    """Print what was reached of a target, as the figure's own table prints it."""
    assert target.reached is not None
    is_total = target.per is None and target.reached == line.figure.value
    return words.of_metric(target.reached, line.figure.metric) if is_total else words.intensity(target.reached)


def target_unit(material: Material, target: TargetCheck) -> str:
    """Give a target's unit, with what it is per."""
    speech = material.speech
    per = next((one for one in material.annual.denominators if one.id == target.per), None)
    if per is None:
        return speech.unit(target.unit)
    whole = []
    for language in speech.languages:
        one = Speech(language)
        below = one.name(per.name) if per.unit in _COUNTS else one.unit(per.unit)
        whole.append(f"{one.unit(target.unit)}/{below}")
    return "\n".join(dict.fromkeys(whole))


def _bounds(target: TargetCheck) -> str:
    low, high = target.minimum, target.maximum
    if low is not None and high is not None:
        return f"{words.digits(low)}–{words.digits(high)}"
    if high is not None:
        return f"≤ {words.digits(high)}"
    return DASH if low is None else f"≥ {words.digits(low)}"


def state_of(material: Material, target: TargetCheck) -> tuple[str, str]:
    """Say whether a target is met, with the style of that; a year's amount in a shorter edition how much is used."""
    speech = material.speech
    if target.is_met is None:
        return speech.say("unknown"), "quiet"
    if material.kind != "year" and target.per is None and target.maximum and target.reached is not None:
        # A year's amount against a part of the year: neither met nor missed yet.
        share = words.rounded(100 * target.reached / target.maximum, 1)
        return speech.say("of_year", share=share), "quiet" if target.is_met else "wrong"
    return (speech.say("met"), "good") if target.is_met else (speech.say("not_met"), "wrong")


def facts(material: Material) -> list[tuple[str, str]]:
    """List what a report says of itself, as label and words."""
    speech, annual, group = material.speech, material.annual, material.group
    told = [("plant" if group is None else "group", speech.name(material.plant_name)), ("period", annual.period)]
    if annual.previous:
        told.append(("previous", annual.previous))
    if material.permit:
        told.append(("permit", material.permit))
    state = speech.say("published", when=annual.published) if annual.published else speech.say("draft")
    if group is not None:
        told.append(("approach", speech.say(f"approach.{group.approach}")))
        published = sum(one.statement is not None and not one.is_provisional for one in group.holdings)
        state = speech.say("group_state", published=published, count=len(group.holdings))
    told += [
        ("times", speech.say("fact.plant_time" if group is None else "fact.group_time", zone=material.time.zone.key)),
        ("made", material.time.show(material.now_ms)[:16]),
        ("state", state),
    ]
    return [(speech.say(f"fact.{name}"), said) for name, said in told]


def notices(material: Material) -> list[str]:
    """List what must be known of the whole report."""
    return [material.speech.code("note", code) for code in material.annual.notes]


def legend(material: Material) -> list[str]:
    """Say how the tables are to be read."""
    speech = material.speech
    said = [speech.say("legend")]
    uneven = uneven_totals(material.annual)
    if uneven:
        names = [line.figure.metric.name for line in uneven]
        said += [
            Speech(one).say("uneven", names=Speech(one).say("and").join(Speech(one).name(name) for name in names))
            for one in speech.languages
        ]
    return said


def title(material: Material) -> str:
    """Name the report."""
    return material.speech.say("title_group" if material.group is not None else f"title_{material.kind}")
