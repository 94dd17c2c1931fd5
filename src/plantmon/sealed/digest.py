"""This module hashes files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from plantmon.errors import ArchiveError

_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """Give a file's SHA-256 in hexadecimal. Raises ArchiveError where it cannot be read."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}") from error
    return found.hexdigest()
