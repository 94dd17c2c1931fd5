"""This module reads the permit out of the store: which version of the plant file judges which time.

An old version is parsed again from the text it was loaded with, each text once a process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from plantmon.compliance.permit import BEGINNING_MS, Permit, timeline
from plantmon.errors import PlantFileError
from plantmon.model.plant import Plant
from plantmon.plant.load import load_plant_text
from plantmon.store import health, permit
from plantmon.store.permit import Adoption, PlantVersion
from plantmon.texts import text

LATEST = "latest"
_COMPONENT = "permit"


@dataclass(frozen=True, slots=True)
class Adopted:
    """What an adoption did: the version, and the first instant whose windows may come out otherwise."""

    version: int
    since_ms: int


def plant_of(version: PlantVersion) -> Plant:
    """Load a version's plant file. Raises PlantFileError that names the version when its text can be read no more."""
    try:
        return _parsed(version.text)
    except PlantFileError as error:
        raise PlantFileError([f"version {version.id}: {problem}" for problem in error.problems]) from error


@lru_cache(maxsize=64)
def _parsed(written: str) -> Plant:
    return load_plant_text(written, "plant file")


def permit_of(connection: sqlite3.Connection, plant: Plant) -> Permit:
    """Give the permit as the store knows it; `plant` stands for the versions of its own text, so that none is parsed.

    A version that can be read no more is left out, those beside it judge its time, and `Permit.unreadable` names it. A
    store without a readable version gives the plant itself for all time.
    """
    versions = permit.versions(connection)
    plants: dict[int, Plant] = {}
    unreadable = []
    for version in versions:
        try:
            plants[version.id] = plant if version.hash == plant.version else plant_of(version)
        except PlantFileError as error:
            unreadable.append(str(error))
    if not plants:
        return Permit([(BEGINNING_MS, plant)], unreadable=unreadable)
    spans = in_force([version for version in versions if version.id in plants], permit.adoptions(connection))
    used = {version for _, version in spans}
    superseded = [plants[version] for version in plants if version not in used]
    return Permit([(start, plants[version]) for start, version in spans], superseded, unreadable)


def in_force(versions: Sequence[PlantVersion], adoptions: Sequence[Adoption]) -> list[tuple[int, int]]:
    """Give (start, version) of the versions ever in force, in time order; a version's newest adoption counts."""
    adopted = {adoption.version: adoption.from_ms for adoption in adoptions}
    return timeline({version.id: version.loaded_ms for version in versions}, adopted)


def adopt(
    connection: sqlite3.Connection, version: int | str, from_ms: int, by: str, reason: str, now_ms: int,
    file_hash: str, language: str,
) -> Adopted:  # fmt: skip
    """Put a version, or `latest`, in force from an instant; `file_hash` is that of the plant file the asker sees.

    Raises LookupError, with a sentence in the language, where there is no such version, where it is the first, which
    judges all earlier time anyway, where it cannot be read, or where the latest is not the file the asker sees.
    """

    def say(key: str, **values: object) -> str:
        return text(f"permit.{key}", language, **values)

    versions = {str(one.id): one for one in permit.versions(connection)}
    newest = max(versions.values(), key=lambda one: one.id, default=None)
    chosen = newest if version == LATEST else versions.get(str(version))
    if chosen is None:
        raise LookupError(say("no_version", version=version, known=", ".join(versions)))
    if version == LATEST and chosen.hash != file_hash:
        raise LookupError(say("not_loaded", version=chosen.id))
    if chosen.id == min(one.id for one in versions.values()):
        raise LookupError(say("first_version", version=chosen.id))
    try:
        plant_of(chosen)
    except PlantFileError as error:
        raise LookupError(say("cannot_read", reason=error)) from error
    permit.adopt(connection, chosen.id, from_ms, by, reason, now_ms)
    # From wherever it ever was in force: a request that is repeated after a crash then judges no less.
    former = [adoption.from_ms for adoption in permit.adoptions(connection) if adoption.version == chosen.id]
    return Adopted(chosen.id, min(chosen.loaded_ms, *former))


def note_health(connection: sqlite3.Connection, found: Permit, now_ms: int) -> None:
    """Write whether every version of the plant file can still be read."""
    if found.unreadable:
        health.note_failure(connection, _COMPONENT, "; ".join(found.unreadable), now_ms)
    else:
        health.note_well(connection, _COMPONENT, now_ms)
