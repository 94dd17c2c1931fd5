"""This module is the manifest: the sealed files in the order of their sealing, each chained to the one before it.

The store's table is the manifest; the file MANIFEST beside the sealed files is its copy, so that the chain can be
checked where no store is. An entry's chain is the SHA-256 of the chain before it and of what the entry says: whoever
changes a file, or an entry, must change all that follow, and whoever kept an old head sees it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from plantmon.errors import ArchiveError
from plantmon.sealed.digest import sha256_of

NAME = "MANIFEST"
BEGINNING = "0" * 64  # what the first entry is chained to


class Entry(msgspec.Struct, frozen=True):
    """A sealed file: `name` within the archive's folder, its UTC `day`, 0 or the supplement's number."""

    seq: int
    name: str
    day: str
    supplement: int
    rows: int
    bytes: int
    sha256: str
    sealed_ms: int
    chain: str


def chained(previous: str, seq: int, name: str, rows: int, size: int, sha256: str, sealed_ms: int) -> str:
    """Give the chain of an entry: the SHA-256 of the chain before it and the entry, in one line with single blanks."""
    return hashlib.sha256(f"{previous} {seq} {name} {rows} {size} {sha256} {sealed_ms}".encode()).hexdigest()


def day_text(day_ms: int) -> str:
    """Write a UTC day."""
    return datetime.fromtimestamp(day_ms / 1000, UTC).strftime("%Y-%m-%d")


def name_of(day_ms: int, supplement: int) -> str:
    """Give the name of a day's file or of one of its supplements."""
    day = day_text(day_ms)
    return f"{day[:4]}/{day}{f'.{supplement}' if supplement else ''}.parquet"


def as_text(entries: Sequence[Entry]) -> bytes:
    """Write the manifest as JSON lines."""
    return b"".join(msgspec.json.encode(one) + b"\n" for one in entries)


def write(folder: Path, entries: Sequence[Entry]) -> None:
    """Put the manifest's file in place: the old one stands until the new one is on disk. Raises ArchiveError."""
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = as_text(entries)
        if path.exists() and not content.startswith(path.read_bytes()):
            put_aside(path, "")
        put(path, path.with_name(f".{NAME}.new"), content)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}") from error


def put_aside(path: Path, sha256: str) -> None:
    """Rename a file that stands where another is to be, and is in no manifest; an equal one may be written over.

    It is there when a store was restored from a backup older than the archive: it may hold what the store has lost.
    """
    if path.exists() and (found := sha256_of(path)) != sha256:
        path.rename(path.with_name(f"{path.name}.unlisted-{found[:12]}"))


def put(path: Path, made: Path, content: bytes) -> None:
    """Write a file whole under another name, and then give it its own."""
    with made.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(folder: Path) -> list[Entry]:
    """Read the manifest's file. Raises ArchiveError where it is missing or damaged."""
    path = folder / NAME
    try:
        lines = path.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=Entry) for line in lines]
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ArchiveError(f"{path}: {error}") from error


def faults_of_chain(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Name the entries that are not what their chain says: (name, what is wrong)."""
    faults = []
    previous = BEGINNING
    for seq, one in enumerate(entries, 1):
        if one.seq != seq:
            faults.append((one.name, f"entry {one.seq} stands where {seq} should"))
        if one.chain != chained(previous, one.seq, one.name, one.rows, one.bytes, one.sha256, one.sealed_ms):
            faults.append((one.name, "its chain is not that of the entries before it"))
        previous = one.chain
    return faults


def fault_of_file(folder: Path, entry: Entry) -> str | None:
    """Say what is wrong with an entry's file, None where it is the one that was sealed."""
    path = folder / entry.name
    try:
        size = path.stat().st_size
    except OSError as error:
        return f"{error.strerror}"
    if size != entry.bytes:
        return f"has {size} bytes, sealed were {entry.bytes}"
    try:
        found = sha256_of(path)
    except ArchiveError as error:
        return str(error)
    return None if found == entry.sha256 else f"its sha256 is {found}, sealed was {entry.sha256}"
