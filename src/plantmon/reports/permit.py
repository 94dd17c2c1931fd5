"""This module answers `plantmon permit history`: the versions, when each is in force, and what it changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from plantmon.compliance.permit import BEGINNING_MS, END_MS
from plantmon.compliance.permit_changes import Change, changes
from plantmon.errors import PlantFileError
from plantmon.model.plant import Plant
from plantmon.permits import in_force, plant_of
from plantmon.reports.tabular import Cell
from plantmon.store.permit import Adoption, PlantVersion, adoptions, versions
from plantmon.texts import text
from plantmon.times import PlantTime

HEADINGS = ["version", "loaded", "state", "in force from", "until", "adopted by", "reason", "hash", "changes"]
HASH_DIGITS = 12


def history(
    connection: sqlite3.Connection, time: PlantTime, now_ms: int, language: str, joint: str = "; "
) -> tuple[list[str], list[list[Cell]]]:
    """Give a row a version, oldest first; what it changed in one cell, in the language.

    State: `in_force`, `past`, `to_come`, `superseded` (by a later version for all its time) or `unreadable`. An empty
    `in force from` is the beginning, an empty `until` is open.
    """
    found = versions(connection)
    adopted = {adoption.version: adoption for adoption in adoptions(connection)}
    plants = {version.id: _plant_or_reason(version) for version in found}
    spans = _spans([version for version in found if isinstance(plants[version.id], Plant)], adopted.values())
    rows = []
    before: Plant | None = None
    for version in found:
        plant, span, adoption = plants[version.id], spans.get(version.id), adopted.get(version.id)
        if isinstance(plant, Plant):
            said, state = joint.join(_told(before, plant, language)), _state(span, now_ms)
            before = plant
        else:
            said, state = text("permit.cannot_read", language, reason=plant.replace("\n", joint)), "unreadable"
        since, until = span or (BEGINNING_MS, END_MS)
        row: list[Cell] = [
            version.id, time.show(version.loaded_ms), state,
            None if since == BEGINNING_MS else time.show(since), None if until == END_MS else time.show(until),
            adoption.by if adoption else None, adoption.reason if adoption else None,
            version.hash[:HASH_DIGITS], said,
        ]  # fmt: skip
        rows.append(row)
    return list(HEADINGS), rows


def lines(rows: Iterable[list[Cell]], joint: str) -> list[list[Cell]]:
    """Spread each version's changes over lines of their own, for a terminal."""
    found: list[list[Cell]] = []
    for *facts, said in rows:
        for place, line in enumerate(str(said).split(joint)):
            found.append([*(facts if place == 0 else [""] * len(facts)), line])
    return found


def _plant_or_reason(version: PlantVersion) -> Plant | str:
    try:
        return plant_of(version)
    except PlantFileError as error:
        return str(error)


def _spans(found: list[PlantVersion], adopted: Iterable[Adoption]) -> dict[int, tuple[int, int]]:
    """Give [start, end) of each version that is ever in force."""
    starts = in_force(found, list(adopted))
    ends = [start for start, _ in starts[1:]] + [END_MS]
    return {version: (start, end) for (start, version), end in zip(starts, ends, strict=True)}


def _state(span: tuple[int, int] | None, now_ms: int) -> str:
    if span is None:
        return "superseded"
    if now_ms < span[0]:
        return "to_come"
    return "in_force" if now_ms < span[1] else "past"


def _told(before: Plant | None, plant: Plant, language: str) -> Iterator[str]:
    if before is None:
        yield text("permit.first", language, count=len(plant.limits))
        return
    found = changes(before, plant)
    if not found:
        yield text("permit.same", language)
    yield from (_sentence(change, language) for change in found)


def _sentence(change: Change, language: str) -> str:
    return text(
        f"permit.change.{change.kind}", language,
        subject=change.subject, field=change.field, before=change.before, after=change.after,
    )  # fmt: skip
