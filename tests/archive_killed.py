"""This module is a process that keeps an archive and ends itself, by SIGKILL, at a step it is told.

`python archive_killed.py FOLDER NOW_MS RAW_MS [STEP]`; without a step it goes on until all is done.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from archive_store import AFTER_MS, MakesHere, run_all

from plantmon.archive import stage
from plantmon.archive.stage import Archivist
from plantmon.store.database import Store


def main() -> None:
    """Keep the archive."""
    folder, now_ms, raw_ms, *steps = sys.argv[1:]

    def on_step(step: str) -> None:
        if step in steps:
            os.kill(os.getpid(), signal.SIGKILL)

    stage.ROWS_A_SLICE = 100
    store = Store(Path(folder) / "plantmon.db")
    run_all(Archivist(store, MakesHere(on_step), AFTER_MS, int(raw_ms), on_step), int(now_ms))


if __name__ == "__main__":
    main()
