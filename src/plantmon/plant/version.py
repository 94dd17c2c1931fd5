"""This module names a version of the plant file, so that a figure can be asked under which permit it was judged."""

from __future__ import annotations

import hashlib


def version_of(text: str) -> str:
    """Give the sha256 of a plant file's text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()
