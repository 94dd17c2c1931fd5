"""This module answers `plantmon meters`: the tree of meters with what each counted, explains, and was billed.

All sums are of integers of 1e-6 unit, from the stored days, and hours at the edges; children plus unexplained are the
parent exactly.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from plantmon import units
from plantmon.averages.periods import Period, periods_between
from plantmon.model.plant import Kind, Plant, Point
from plantmon.model.window import Window
from plantmon.reports.tabular import Cell
from plantmon.store import ledger, meter_changes, windows
from plantmon.texts import text
from plantmon.times import HOUR_MS

PARTS = 1_000_000  # of a unit in a counter's amount
Span = tuple[int, int]
Table = tuple[list[str], list[list[Cell]]]


@dataclass(frozen=True, slots=True)
class Used:
    """What a meter counted over a span (1e-6 of its unit), None where nothing is known, and how much of its time is."""

    amount: int | None
    covered_ms: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class Node:
    """A meter of the tree over a span: its children's sum and what they leave unexplained, 1e-6 of its own unit.

    `missing` names the meters of which nothing is known: the children's without which the sum is, or a virtual
    meter's parts. The bill's amount is in the meter's unit, `billed` what the meter counted over the bill's own time.
    """

    point: Point
    depth: int
    used: Used
    children: Fraction | None = None
    unexplained: Fraction | None = None
    missing: tuple[str, ...] = ()
    estimated: int = 0  # of its amount, in hours whose split is estimated
    events: Mapping[str, int] | None = None
    bill: Decimal | None = None
    billed: int | None = None

    @property
    def bill_share(self) -> Decimal | None:
        """What the meter counted more than the bill says, as a share of the bill."""
        if not self.bill or self.billed is None:
            return None
        return (Decimal(self.billed) / PARTS - self.bill) / self.bill


def meters_of(plant: Plant) -> dict[str, Point]:
    """Give the meters of a plant, in the order of its file."""
    return {name: point for name, point in plant.points.items() if point.kind is Kind.COUNTER}


def spans_of(plant: Plant, start_ms: int, end_ms: int, window: str | None) -> list[Span]:
    """Cut [start, end), widened to full hours, into local days (`1d`) or months (`1mo`), or leave it whole."""
    if start_ms >= end_ms:
        return []
    start, end = plant.time.hour_start(start_ms), plant.time.hour_start(end_ms - 1) + HOUR_MS
    if window is None:
        return [(start, end)]
    period = Period.DAY if window == "1d" else Period.MONTH
    return [(max(start, first), min(end, last)) for first, last in periods_between(period, start, end, plant.time)]


def used(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], names: Iterable[str], span: Span
) -> dict[str, Used]:
    """Sum what meters counted over a span of full hours: its whole days, and hours at its edges."""
    own = {name: numbers[name] for name in names if name in numbers}
    hours, days = windows.closed(connection, "1h"), windows.closed(connection, "1d")
    first_day, last_day = _whole_days(plant, span)
    of_days = windows.between(connection, "1d", first_day, last_day, set(own.values())) if first_day < last_day else {}
    found = {}
    for name, number in own.items():
        start, until = hours.get(number, (0, 0))
        day_start, day_until = days.get(number, (0, 0))
        middle = [one for one in of_days.get(number, []) if day_start <= one.start < day_until]
        edges = [(max(span[0], start), min(span[1], until))]
        if middle:
            edges = [(edges[0][0], middle[0].start), (middle[-1].end, edges[0][1])]
        parts = [one for edge in edges if edge[0] < edge[1] for one in windows.span(connection, "1h", number, *edge)]
        found[name] = _sum([*middle, *parts], span)
    return found | {name: Used(None, 0, span[1] - span[0]) for name in names if name not in found}


def _whole_days(plant: Plant, span: Span) -> Span:
    time = plant.time
    first = time.day_start(span[0])
    return (first if first == span[0] else time.next_day(first)), time.day_start(span[1])


def _sum(parts: Sequence[Window], span: Span) -> Used:
    known = [one.amount for one in parts if one.amount is not None]
    return Used(sum(known) if known else None, sum(one.valid for one in parts), span[1] - span[0])


def tree(connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], span: Span) -> list[Node]:
    """Give the meters of a plant over a span, parents before their children."""
    meters = meters_of(plant)
    amounts = used(connection, plant, numbers, list(meters), span)
    estimated = windows.estimated_amounts(connection, *span)
    nodes = []
    for name, depth in _walk(meters):
        point = meters[name]
        below = [one for one in meters.values() if one.register is not None and one.register.parent == name]
        children, unexplained = _explain(point, below, amounts)
        wanted = [*(one.id for one in below), *point.parts]
        bill, billed = _bill(connection, plant, numbers, name, span)
        nodes.append(
            Node(
                point=point,
                depth=depth,
                used=amounts[name],
                children=children,
                unexplained=unexplained,
                missing=tuple(one for one in wanted if amounts[one].amount is None),
                estimated=estimated.get(numbers.get(name, -1), 0),
                events=_events(connection, numbers.get(name, -1), span),
                bill=bill,
                billed=billed,
            )
        )
    return nodes


def _walk(meters: Mapping[str, Point]) -> Iterator[tuple[str, int]]:
    """Give meters with their depth: each below its parent, as the file has them."""

    def below(parent: str | None, depth: int) -> Iterator[tuple[str, int]]:
        for name, point in meters.items():
            if point.register is not None and point.register.parent == parent:
                yield name, depth
                yield from below(name, depth + 1)

    yield from below(None, 0)


def _explain(
    point: Point, below: Sequence[Point], amounts: Mapping[str, Used]
) -> tuple[Fraction | None, Fraction | None]:
    """Add the children up in their parent's unit, and say what they leave; that is unknown while one of them is."""
    known = [(one, amount) for one in below if (amount := amounts[one.id].amount) is not None]
    if not known:
        return None, None
    total = sum((amount * units.ratio(one.unit, point.unit) for one, amount in known), Fraction(0))
    own = amounts[point.id].amount
    return total, None if own is None or len(known) < len(below) else own - total


def _events(connection: sqlite3.Connection, number: int, span: Span) -> dict[str, int]:
    return dict(Counter(kind for _, kind in windows.events(connection, number, *span)))


def _bill(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], name: str, span: Span
) -> tuple[Decimal | None, int | None]:
    """Give what the bills within a span say, and what the meter counted over their time; None where it is unknown."""
    lines = ledger.standing(connection, *span, f"bill.{name}")
    if not lines:
        return None, None
    counted = [used(connection, plant, numbers, [name], (one.start_ms, one.end_ms))[name].amount for one in lines]
    known = [amount for amount in counted if amount is not None]
    return sum((one.value for one in lines), Decimal(0)), sum(known) if len(known) == len(lines) else None


HEADINGS = (
    "from", "to", "meter", "role", "unit", "amount", "children", "unexplained", "unexplained_pct", "coverage_pct",
    "estimated_pct", "events", "bill", "bill_pct", "note",
)  # fmt: skip


def table_of(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], spans: Sequence[Span], style: str,
    language: str,
) -> Table:  # fmt: skip
    """Write the tree as rows, one a meter and span; for a terminal indented and headed in a language."""
    rows = [
        _row(plant, span, node, style, language) for span in spans for node in tree(connection, plant, numbers, span)
    ]
    return headed(HEADINGS, style, language), rows


def headed(names: Iterable[str], style: str, language: str) -> list[str]:
    """Give headings: words for a terminal, names for programs."""
    return [text(f"meters.heading.{name}", language) if style == "table" else name for name in names]


def amount_of(amount: int | Fraction | None) -> float | None:
    """Give an amount of 1e-6 unit in its unit."""
    return None if amount is None else float(Fraction(amount) / PARTS)


def share_of(part: int | Fraction | None, whole: int | None) -> float | None:
    """Give a share in percent, to a hundredth; None where either is unknown or the whole is nothing."""
    return None if part is None or not whole else round(float(Fraction(part) / whole * 100), 2)


def _row(plant: Plant, span: Span, node: Node, style: str, language: str) -> list[Cell]:
    point, amount = node.point, node.used.amount
    events = ", ".join(
        f"{text(f'meters.event.{kind}', language) if style == 'table' else kind} {count}"
        for kind, count in sorted((node.events or {}).items())
    )
    share = node.bill_share
    return [
        plant.time.show(span[0]), plant.time.show(span[1]),
        ("  " * node.depth if style == "table" else "") + point.id,
        point.register.role if point.register is not None else None,
        point.unit, amount_of(amount), amount_of(node.children), amount_of(node.unexplained),
        share_of(node.unexplained, amount), share_of(node.used.covered_ms, node.used.due_ms),
        share_of(node.estimated, amount), events or None,
        None if node.bill is None else float(node.bill), None if share is None else round(float(share * 100), 2),
        "; ".join(_notes(plant, node, language)) or None,
    ]  # fmt: skip


def _notes(plant: Plant, node: Node, language: str) -> Iterator[str]:
    if node.missing:
        yield text("meters.missing", language, meters=", ".join(node.missing))
    elif node.used.amount is None:
        yield text("meters.no_readings", language)
    share, most = node.bill_share, plant.rules.bill_difference
    if share is not None and abs(share) > Decimal(repr(most)):
        yield text("meters.bill_differs", language, share=f"{most * 100:.12g} %")


CHANGE_HEADINGS = ("id", "meter", "serial", "from", "until", "final", "initial", "unit", "state", "by", "note")


def changes(
    connection: sqlite3.Connection, plant: Plant, numbers: Mapping[str, int], style: str, language: str
) -> Table:
    """List the declared changes by meter and instant, and until when each new meter counted."""
    names = {number: name for name, number in numbers.items()}
    entries = meter_changes.entries(connection)
    taken_back = {one.withdraws for one in entries}
    rows: list[list[Cell]] = []
    for one in entries:
        standing = meter_changes.standing(connection, one.point)
        later = [other.at_ms for other in standing if other.at_ms > one.at_ms]
        is_standing = any(other.id == one.id for other in standing)
        key = "withdrawal" if one.withdraws else "withdrawn" if one.id in taken_back else "superseded"
        state = "standing" if is_standing else key
        point = plant.points.get(names[one.point])
        rows.append([
            one.id, names[one.point], one.serial, plant.time.show(one.at_ms),
            plant.time.show(later[0]) if later and is_standing else None,
            one.final, one.initial, point.unit if point is not None else None,
            text(f"meters.state.{state}", language, change=one.withdraws) if style == "table" else state,
            one.by, one.note,
        ])  # fmt: skip
    return headed(CHANGE_HEADINGS, style, language), rows
