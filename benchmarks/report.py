"""This module prints what a benchmark found: a table for people and one line of JSON for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence


def show(name: str, headings: Sequence[str], rows: Sequence[Sequence[object]], figures: Mapping[str, object]) -> None:
    """Print a benchmark's table, then its figures with what the machine was."""
    cells = [[str(one) for one in row] for row in [headings, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    print(f"\n{name}")
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    machine = {"cpus": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"benchmark": name, **figures, "machine": machine}), flush=True)
