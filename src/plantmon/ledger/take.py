"""This module takes the ledger in: whole files, single lines, corrections, withdrawals.

A file is taken whole or refused whole, with every wrong line named. Everything is looked at inside the transaction that
keeps it. Lines that stand already are passed over and named, so that a file taken twice changes nothing; those that
were corrected or withdrawn since stay so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from plantmon.declare import Body, Take
from plantmon.errors import DeclarationError
from plantmon.ledger.book import Book, Fate
from plantmon.ledger.entry import Entry, look_at
from plantmon.ledger.problem import Said
from plantmon.model.plant import Plant
from plantmon.store import ledger as store
from plantmon.store.ledger import Kept, NewLine
from plantmon.tables.ledger import FIELDS
from plantmon.texts import text

CHANGEABLE = ("period", "value", "unit", "source", "note")


def import_file(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Take in a file's lines (`rows`: each `line`, `cells`, `extra`), or with `dry` say what would become of them.

    Gives the numbers of the new lines, how many were passed over, and sentences on what should be known.
    Raises DeclarationError that names every wrong line.
    """
    language, file = body["language"], body["file"]
    who = _said("--by", by, language)
    looked = [(row["line"], _of_row(row, plant, now_ms)) for row in body["rows"]]
    entries = [entry for _, entry in looked if isinstance(entry, Entry)]
    wrong = [(line, said) for line, found in looked if not isinstance(found, Entry) for said in found]
    book = Book(_kept(connection, entries), is_file=True)
    new: list[Entry] = []
    notes: list[tuple[int, Said]] = []
    passed = 0
    for entry in entries:
        fate, more = book.place(entry)
        at = [(entry.new.line or 0, said) for said in (*(entry.notes if fate is Fate.NEW else ()), *more)]
        if fate is Fate.REFUSED:
            wrong += at
        else:
            notes += at
            passed += fate is not Fate.NEW
            if fate is Fate.NEW:
                new.append(entry)
    if wrong:
        lines = len({line for line, _ in wrong})
        end = text("ledger.file_refused", language, file=file, wrong=lines, lines=len(looked))
        raise DeclarationError("\n".join([*_sentences(file, wrong, language), end]))
    entered: list[int] = []
    if new and not body["dry"]:
        number = store.add_file(connection, file, body["sha256"], who, now_ms)
        entered = [store.add(connection, entry.new, who, now_ms, number) for entry in new]
    return {"entered": entered, "new": len(new), "passed": passed, "notes": _sentences(file, notes, language)}


def add(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Take in one line (`cells`: texts by field). Raises DeclarationError, also where it stands already."""
    language = body["language"]
    who = _said("--by", by, language)
    entry = _looked(look_at(_cells(body), plant, now_ms), language)
    fate, said = Book(_kept(connection, [entry])).place(entry)
    if fate is not Fate.NEW:
        raise DeclarationError("\n".join(one.words(language) for one in said))
    number = store.add(connection, entry.new, who, now_ms)
    return _kept_as(number, entry, (*entry.notes, *said), language)


def correct(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Supersede a line (`id`) by one with other `cells`; what is not given stays. Raises DeclarationError."""
    language = body["language"]
    who, why = _said("--by", by, language), _said("--reason", body["reason"], language)
    old = _standing(connection, body["id"], language)
    given = {name: value for name, value in body["cells"].items() if name in CHANGEABLE and value is not None}
    entry = _looked(look_at(_as_cells(old) | given, plant, now_ms), language)
    if _is_same(entry.new, old):
        raise DeclarationError(text("ledger.unchanged", language, id=old.line.id))
    fate, said = Book(_kept(connection, [entry]), but=old.line.id).place(entry)
    if fate is not Fate.NEW:
        raise DeclarationError("\n".join(one.words(language) for one in said))
    number = store.add(connection, entry.new, who, now_ms, supersedes=old.line.id, reason=why)
    answer = _kept_as(number, entry, (*entry.notes, *said), language)
    return answer | {"was": f"{store.plain(old.line.value)} {old.line.unit}", "of": old.line.id}


def withdraw(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Take a line (`id`) back, so that it counts no more. Raises DeclarationError."""
    language = body["language"]
    who, why = _said("--by", by, language), _said("--reason", body["reason"], language)
    line = _standing(connection, body["id"], language).line
    new = NewLine(line.period, line.start_ms, line.end_ms, line.item, None, line.unit, "", line.source, line.note)
    number = store.add(connection, new, who, now_ms, supersedes=line.id, reason=why)
    value = f"{store.plain(line.value)} {line.unit}"
    return {"id": number, "of": line.id, "item": line.item, "period": line.period, "was": value}


TAKES: dict[str, Take] = {
    "ledger_import": import_file, "ledger_add": add, "ledger_correct": correct, "ledger_withdraw": withdraw,
}  # fmt: skip


def _of_row(row: Body, plant: Plant, now_ms: int) -> Entry | list[Said]:
    if row["extra"]:  # the other cells may then stand in the wrong columns: their mistakes would only confuse
        return [Said(None, "too_many_cells", {"given": row["extra"][:40]})]
    return look_at(_cells(row), plant, now_ms, row["line"])


def _cells(row: Body) -> dict[str, str]:
    return {name: row["cells"].get(name) or "" for name in FIELDS}


def _as_cells(old: Kept) -> dict[str, str]:
    """Write a line's cells as they would be entered, in the item's own unit."""
    line = old.line
    value = store.plain(line.value) if line.below is None else f"<{store.plain(line.below)}"
    return {"period": line.period, "item": line.item, "value": value, "unit": line.unit, "source": line.source,
            "note": line.note}  # fmt: skip


def _is_same(new: NewLine, old: Kept) -> bool:
    line = old.line
    return (new.period, new.value, new.below, new.unit, new.source, new.note) == (
        line.period, line.value, line.below, line.unit, line.source, line.note
    )  # fmt: skip


def _kept(connection: sqlite3.Connection, entries: Iterable[Entry]) -> list[Kept]:
    """Read the lines that new ones are compared with: those of their items."""
    return store.kept(connection, items={entry.new.item for entry in entries})


def _standing(connection: sqlite3.Connection, number: int, language: str) -> Kept:
    found = store.by_number(connection, number)
    if found is None:
        raise DeclarationError(text("ledger.no_line", language, id=number))
    if found.is_withdrawn:
        raise DeclarationError(text("ledger.is_withdrawal", language, id=number))
    if found.superseded_by is not None:
        raise DeclarationError(text("ledger.is_superseded", language, id=number, by=found.superseded_by))
    return found


def _looked(found: Entry | list[Said], language: str) -> Entry:
    if isinstance(found, Entry):
        return found
    raise DeclarationError("\n".join(said.words(language) for said in found))


def _kept_as(number: int, entry: Entry, notes: Iterable[Said], language: str) -> Body:
    new = entry.new
    assert new.value is not None
    value = store.plain(new.value) if new.below is None else f"<{store.plain(new.below)}"
    return {"id": number, "item": new.item, "period": new.period, "value": f"{value} {new.unit}",
            "notes": [said.words(language) for said in notes]}  # fmt: skip


def _sentences(file: str, said: list[tuple[int, Said]], language: str) -> list[str]:
    ordered = sorted(said, key=lambda one: one[0])
    return [text("ledger.at_line", language, file=file, line=line, said=one.words(language)) for line, one in ordered]


def _said(field: str, given: str, language: str) -> str:
    if not given.strip():
        raise DeclarationError(text("declare.empty", language, field=field))
    return given.strip()
