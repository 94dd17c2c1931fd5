"""This module is what a sealed file says of itself, as JSON in its schema's metadata under the key `plantmon`."""

from __future__ import annotations

from typing import Any

import msgspec

from plantmon.errors import ArchiveError

KEY = b"plantmon"
FORMAT = 1
ROWS_A_GROUP = 65_536  # a group ends with the point that reaches so many


class PointHead(msgspec.Struct, frozen=True):
    """A point of the file: its number in the store, how many readings it has, their decimals as whole numbers."""

    name: str
    number: int
    unit: str
    rows: int
    decimals: int = 0


class Head(msgspec.Struct, frozen=True):
    """A file's head: its UTC day, 0 or the supplement's number, its points in their order, the plant files loaded."""

    day: str
    supplement: int
    points: list[PointHead]
    plant_files: list[str]  # hashes of the plant files that were loaded on that day or last before it
    format: int = FORMAT


def groups_of(counts: list[int]) -> list[list[int]]:
    """Put points (places in a list of their counts) together until a group has enough readings."""
    groups: list[list[int]] = []
    room = 0
    for place, count in enumerate(counts):
        if room <= 0:
            groups.append([])
            room = ROWS_A_GROUP
        groups[-1].append(place)
        room -= count
    return groups


def read_head(metadata: dict[bytes, bytes] | None, name: str) -> Head:
    """Read a head. Raises ArchiveError where it is none, or of a later format."""
    raw: Any = (metadata or {}).get(KEY)
    try:
        head = msgspec.json.decode(raw or b"", type=Head)
    except msgspec.DecodeError as error:
        raise ArchiveError(f"{name}: not one of the archive's files: {error}") from error
    if head.format != FORMAT:
        raise ArchiveError(f"{name}: has format {head.format}, this plantmon knows {FORMAT}: upgrade plantmon")
    return head
