"""This module is `simulators.stepping` for a plant that lives years in minutes.

A live daemon closes at most 48 hours between two looks at what has come in; where nothing else is to do that only makes
it plan again and again, so here it closes half a month in one turn. The daily look for holes, a look at all that is
stored, comes no more often than it does in a plant. Reports too go by the clock of the file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from plantmon import cli_esg, cli_ledger, pipeline
from plantmon.model.plant import Plant
from plantmon.settings import Settings
from plantmon.times import Clock
from plantmon.windows.stage import Progress, WindowStage
from simulators import stepping

HOURS_AT_ONCE = 1000


class PatientWindows(WindowStage):
    """Windows that are made in long turns."""

    def run(self, now_ms: int, most_hours: int = HOURS_AT_ONCE) -> Progress:
        """Do what is due by `now_ms`, oldest first."""
        return super().run(now_ms, most_hours)


class YearScheduler(stepping.HastyScheduler):
    """A hasty scheduler that takes its time for the look for holes."""

    def add_job(self, *arguments: Any, seconds: float, **options: Any) -> Any:
        """Add a job that comes every so often."""
        pace = 1 / stepping.JOBS_EVERY if options["id"] == "completeness" else 1.0
        return super().add_job(*arguments, seconds=seconds * pace, **options)


def main() -> None:
    """Run a command of plantmon by the clock of a file."""
    clock = stepping.SteppedClock(rate=stepping.RATE, path=Path(sys.argv[1]))

    def clock_of(settings: Settings, plant: Plant) -> Clock:
        return clock

    for module in (cli_esg, cli_ledger):
        module.clock_of = clock_of
    pipeline.WindowStage = PatientWindows
    stepping.HastyScheduler = YearScheduler
    stepping.main()


if __name__ == "__main__":
    main()
