"""This module looks at one line as it was written and makes of it what is kept, or says everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from plantmon.ledger.item import COUNTS, Item, is_result, resolve
from plantmon.ledger.number import NumberError, Result, read_number, read_result
from plantmon.ledger.period import LedgerPeriod, read_period
from plantmon.ledger.problem import LineError, Said
from plantmon.model.plant import Plant
from plantmon.store.ledger import NewLine

T = TypeVar("T")
MOST_TEXT = 500  # characters of a source or note
# Of what only a negative value can be: nothing that is bought, made or released; a pH or sound level may be.
SIGNED = ("pH", "dB")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that can be meant: what is to be kept, whether it is a result, and what must be known of it."""

    new: NewLine
    is_result: bool
    notes: tuple[Said, ...]


def look_at(cells: Mapping[str, str], plant: Plant, now_ms: int, line: int | None = None) -> Entry | list[Said]:
    """Give the entry a line's cells stand for, or all that is wrong with them. `cells` are texts by field."""
    wrong: list[Said] = []
    period = _tried(wrong, lambda: _period(cells["period"]))
    item = _tried(wrong, lambda: _item(cells["item"], plant))
    result = _tried(wrong, lambda: _value(cells["value"], is_result=is_result(cells["item"])))
    unit = _tried(wrong, lambda: _filled("unit", cells["unit"]))
    source = _tried(wrong, lambda: _filled("source", cells["source"]))
    note = _tried(wrong, lambda: _short("note", cells["note"]))
    amount = None
    if item is not None and unit is not None:  # with a wrong value the unit is looked at none the less
        value = Decimal(1) if result is None else result.value
        amount = _tried(wrong, lambda: item.amount(value, unit))
    if amount is not None and result is not None:
        _check_sign(wrong, result.value, amount, cells["value"])
    if wrong or period is None or item is None or result is None or amount is None:
        return wrong
    start_ms, end_ms = period.span(plant.time)
    value, own_unit = amount
    new = NewLine(
        period.name, start_ms, end_ms, item.id, Decimal(0) if result.is_below else value, own_unit,
        f"{cells['value'].strip()} {cells['unit'].strip()}", source or "", note or "", line,
        value if result.is_below else None,
    )  # fmt: skip
    return Entry(new, item.is_result, (*item.notes, *_timely(new, now_ms)))


def _tried(wrong: list[Said], read: Callable[[], T]) -> T | None:
    """Read a field; None, and why, where that cannot be done."""
    try:
        return read()
    except LineError as error:
        wrong.append(error.said)
        return None


def _period(given: str) -> LedgerPeriod:
    _filled("period", given)
    try:
        return read_period(given)
    except ValueError:
        raise LineError(Said("period", "bad_period", {"given": given.strip()[:40]})) from None


def _item(given: str, plant: Plant) -> Item:
    return resolve(_filled("item", given), plant)


def _value(given: str, *, is_result: bool) -> Result:
    text = _filled("value", given)
    try:
        return read_result(text) if is_result else Result(read_number(text), is_below=False)
    except NumberError as error:
        raise LineError(Said("value", error.key, {"given": text[:40]})) from None


def _check_sign(wrong: list[Said], value: Decimal, amount: tuple[Decimal, str], written: str) -> None:
    if value < 0 and amount[1] not in SIGNED:
        wrong.append(Said("value", "negative", {"given": written.strip()}))
    elif amount[1] in COUNTS and amount[0] != amount[0].to_integral_value():
        wrong.append(Said("value", "not_whole", {"given": written.strip(), "unit": amount[1]}))


def _filled(field: str, given: str) -> str:
    if not given.strip():
        raise LineError(Said(field, "empty"))
    return _short(field, given)


def _short(field: str, given: str) -> str:
    if len(given) > MOST_TEXT:
        raise LineError(Said(field, "too_long", {"most": MOST_TEXT}))
    return " ".join(given.split())


def _timely(new: NewLine, now_ms: int) -> list[Said]:
    """Say that a period is not over: its amount may be, but a person should look at the year again."""
    if new.start_ms > now_ms:
        return [Said("period", "period_ahead", {"period": new.period})]
    if new.end_ms > now_ms:
        return [Said("period", "period_runs", {"period": new.period})]
    return []
