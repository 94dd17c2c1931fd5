"""This module runs the real daemon by a clock that stands still until a story moves it, so that a week takes seconds.

The clock is a file with the plant's time in milliseconds, which any process may set (`set_clock`). The network and the
mail go on in real time; but the daemon's jobs come five times as often, a mail server that is away is tried again
sooner, a broker counts as away after `AWAY_S`, and mails go without charts.
`python -m simulators.stepping CLOCK ARGUMENTS` is `plantmon ARGUMENTS` by that clock.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from plantmon import cli, daemon, watch
from plantmon.model.plant import Plant
from plantmon.notify import stage
from plantmon.settings import Settings
from plantmon.times import Clock
from simulators.service import Service

RATE = 3600.0  # an hour a second, as the daemon sees it: readings may be so late for a step
AWAY_S = 1.0
WAITS_MS = 300, 1000  # between two tries of a mail
JOBS_EVERY = 0.2  # of the time between two of the daemon's jobs


@dataclass(frozen=True)
class SteppedClock(Clock):
    """A clock whose time stands in a file."""

    path: Path = Path()

    def now(self) -> int:
        """Give the plant's time."""
        return int(self.path.read_bytes())


def set_clock(path: Path, now_ms: int) -> None:
    """Move the clock, all at once for who reads it."""
    new = path.with_suffix(".new")
    new.write_text(f"{now_ms}")
    new.replace(path)


class SteppedService(Service):
    """A service whose daemon and commands go by the clock of its folder."""

    @property
    def clock(self) -> Path:
        """The clock's file."""
        return self.folder / "clock"

    def command(self, *arguments: str) -> list[str]:
        """Give the command line of `plantmon` by the folder's clock."""
        _, _, _, *rest = super().command(*arguments)
        return [sys.executable, "-m", "simulators.stepping", str(self.clock), *rest]


class HastyScheduler(BackgroundScheduler):
    """A scheduler whose jobs come more often than they were asked for."""

    def add_job(self, *arguments: Any, seconds: float, **options: Any) -> Any:
        """Add a job that comes every so often."""
        return super().add_job(*arguments, seconds=seconds * JOBS_EVERY, **options)


class NoChart:
    """Stands for the child that draws charts, which takes longer to start than a step takes."""

    def start(self) -> None:
        """Do nothing."""

    def draw(self, drawing: object) -> None:
        """Have no chart."""

    def close(self) -> None:
        """Do nothing."""


def main() -> None:
    """Run a command of plantmon by the clock of a file."""
    clock = SteppedClock(rate=RATE, path=Path(sys.argv.pop(1)))

    def clock_of(settings: Settings, plant: Plant) -> Clock:
        return clock

    for module in [module for name, module in sys.modules.items() if name.startswith("plantmon.")]:
        if hasattr(module, "clock_of"):
            module.clock_of = clock_of
    daemon.BackgroundScheduler = HastyScheduler
    daemon.ChartChild = NoChart
    watch.BROKER_AWAY_S = AWAY_S
    stage.FIRST_WAIT_MS, stage.LONGEST_WAIT_MS = WAITS_MS
    cli.main()


if __name__ == "__main__":
    main()
