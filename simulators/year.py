"""This module lives two years of the simulated truck plant in minutes, and has their annual report made.

From an empty database: a real mosquitto on a free port, the real daemon by a clock that follows the events, hourly
meters and monitors in batch messages of a day, a declared meter change, a ledger file; then `plantmon report`.
`python -m simulators.year --out FOLDER` leaves store, ledger and report in the folder.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from subprocess import CompletedProcess
from types import TracebackType
from typing import Self

from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.messages import Message, iso
from simulators.service import eventually
from simulators.shifts import HOUR_MS
from simulators.stepping import SteppedService, set_clock
from simulators.year_papers import ledger_text, plant_text
from simulators.year_plant import (
    GAUGES,
    METERS,
    TOPIC,
    YEARS,
    Monitors,
    Registers,
    YearPlant,
    months,
)

FORMATS = ("xlsx", "html", "pdf", "csv", "json")
GRACE_MS = 2 * HOUR_MS  # two intervals of an hourly point; then its hour is closed
TOLD_AFTER_MS = 5 * 86_400_000  # when the papers of a changed meter are typed in
READINGS_A_MESSAGE = 24
HALF_MONTH_MS = 15 * 86_400_000
LIMIT_S = 120.0
_OPEN = """
    SELECT (SELECT count(*) FROM touched), (SELECT count(*) FROM unweighed), (SELECT count(*) FROM unjudged),
    (SELECT count(*) FROM closed WHERE level = '1d' AND until_ms < :until),
    (SELECT count(*) FROM closed WHERE level = '1d')
"""

Column = list[tuple[int, str, str]]  # instant, number as written, flag


def columns(plant: YearPlant) -> dict[str, tuple[str, Column]]:
    """Give each point's unit and readings, in time order; numbers as the instrument writes them."""
    registers, monitors = Registers(plant), Monitors(plant)
    found: dict[str, tuple[str, Column]] = {}
    for meter in METERS:
        rows = [(ts, _written(shown, meter.decimals), "N") for ts, shown in registers.shown(meter)]
        found[meter.id] = meter.unit, rows
    for gauge in GAUGES:
        invalid = monitors.invalid(gauge)
        values = zip(plant.hours.tolist(), monitors.measured(gauge), strict=True)
        rows = [(ts, _written(value, gauge.decimals), "D" if ts in invalid else "N") for ts, value in values]
        found[gauge.id] = gauge.unit, rows
    return found


def _written(digits: int, decimals: int) -> str:
    return f"{Decimal(digits).scaleb(-decimals):f}"


def messages(point: str, unit: str, rows: Column) -> Iterator[Message]:
    """Write readings as batch messages of a day of one point."""
    for first in range(0, len(rows), READINGS_A_MESSAGE):
        part = rows[first : first + READINGS_A_MESSAGE]
        head = f'{{"point":"{point}","unit":"{unit}","ts":{json.dumps([ts for ts, _, _ in part])}'
        flags = json.dumps([flag for _, _, flag in part])
        yield TOPIC, f'{head},"values":[{",".join(one for _, one, _ in part)}],"flags":{flags}}}'.encode()


class YearService(SteppedService):
    """A service that closes its windows in long turns."""

    def command(self, *arguments: str) -> list[str]:
        """Give the command line of `plantmon` by the folder's clock."""
        python, module, _, *rest = super().command(*arguments)
        return [python, module, "simulators.year_daemon", *rest]


class YearRun:
    """A plantmon that lives the years in a folder; what stood in the folder of an earlier run is removed."""

    def __init__(self, folder: Path, years: Sequence[int] = YEARS) -> None:
        self.plant = YearPlant(tuple(years))
        self.folder = folder
        for earlier in ("plant", "broker"):
            shutil.rmtree(folder / earlier, ignore_errors=True)
        self._stack = ExitStack()
        self._sent = 0

    def __enter__(self) -> Self:
        broker = self._stack.enter_context(Mosquitto("fast", folder=self.folder / "broker"))
        self.broker = broker
        # Two years in minutes would seal a day every few milliseconds; what the archive does has tests of its own.
        settings = {"ARCHIVE__AFTER": "1000d"}
        self.service = YearService(self.folder / "plant", plant_text(), broker.port, **settings)
        set_clock(self.service.clock, self.plant.start)
        self._stack.enter_context(self.service)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def live(self) -> None:
        """Live the years month by month: publish what was read, then let the daemon's clock pass it."""
        waiting = columns(self.plant)
        changes = Registers(self.plant).changes()
        for name, start_ms, end_ms in months(self.plant.years[0], self.plant.years[-1]):
            began = time.monotonic()
            for until_ms in (start_ms + HALF_MONTH_MS, end_ms):
                self._publish(waiting, until_ms)
                self._pass(until_ms)
            for change in [one for one in changes if one.at_ms + TOLD_AFTER_MS < end_ms]:
                changes.remove(change)
                final, initial = (_written(one, change.meter.decimals) for one in (change.final, change.initial))
                self.command(
                    "meter", "change", change.meter.id, "--at", iso(change.at_ms), "--final", final,
                    "--initial", initial, "--serial", change.serial, "--by", "Zhang Wei",
                )  # fmt: skip
                self._settle(end_ms)
            print(f"{name}: {self._sent} readings, {time.monotonic() - began:.1f} s", file=sys.stderr)

    def enter_ledger(self) -> Path:
        """Import the ledger's file; give it."""
        file = self.folder / "ledger.csv"
        file.write_text(ledger_text(self.plant.years), encoding="utf-8")
        self.command("ledger", "import", str(file), "--by", "Li Na")
        return file

    def report(self, *more: str) -> CompletedProcess[str]:
        """Have the last year reported against the one before."""
        *before, year = self.plant.years
        previous = ("--previous", str(before[-1])) if before else ()
        return self.command("report", "--year", str(year), *previous, *more)

    def command(self, *arguments: str) -> CompletedProcess[str]:
        """Have somebody type a command. Raises RuntimeError where it is refused."""
        done = self.service.run(*arguments)
        if done.returncode != 0:
            raise RuntimeError(f"plantmon {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def _publish(self, waiting: dict[str, tuple[str, Column]], end_ms: int) -> None:
        """Publish the readings up to an instant; a register's at the very end belongs to the hour before it."""
        meters = {meter.id for meter in METERS}
        payloads: list[Message] = []
        for point, (unit, rows) in waiting.items():
            until = end_ms + (1 if point in meters else 0)
            many = next((place for place, row in enumerate(rows) if row[0] >= until), len(rows))
            payloads += messages(point, unit, rows[:many])
            self._sent += many
            del rows[:many]
        done = Loadgen("127.0.0.1", self.broker.port, payloads).run(limit_s=LIMIT_S)
        if done.acknowledged < len(payloads):
            raise RuntimeError(f"the broker took {done.acknowledged} of {len(payloads)} messages")
        if not eventually(lambda: self.service.count() >= self._sent, LIMIT_S) or self.service.count("rejected"):
            raise RuntimeError(f"{self.service.count()} of {self._sent} readings stored\n{self.service.log[-2000:]}")

    def _pass(self, end_ms: int) -> None:
        set_clock(self.service.clock, end_ms + GRACE_MS)
        self._settle(end_ms)

    def _settle(self, end_ms: int) -> None:
        """Wait until every day is closed, weighed and judged."""
        settled = [(0, 0, 0, 0, len(METERS) + len(GAUGES))]
        if not eventually(lambda: self._open(end_ms) == settled, LIMIT_S, 0.1):
            raise RuntimeError(f"not settled: {self._open(end_ms)}\n{self.service.log[-2000:]}")

    def _open(self, end_ms: int) -> list[tuple[int, ...]]:
        """Count what is left to do, then the points whose days are closed too early, and those with closed days."""
        return self.service.query(_OPEN, {"until": end_ms})


def main() -> None:
    """Live the years and write the report; say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m simulators.year", description="Two years in minutes, reported.")
    parser.add_argument("--years", type=int, nargs="+", choices=YEARS, default=list(YEARS))
    parser.add_argument("--out", type=Path, default=Path(".year"), help="folder of store, ledger and report")
    parser.add_argument("--format", choices=FORMATS, nargs="+", default=["xlsx", "html", "json"])
    parser.add_argument("--lang", choices=("en", "zh", "both"), default="both")
    chosen = parser.parse_args()
    began = time.monotonic()
    with YearRun(chosen.out, sorted(set(chosen.years))) as run:
        run.live()
        run.enter_ledger()
        for form in chosen.format:
            file = chosen.out / f"report-{run.plant.years[-1]}.{form}"
            run.report("--format", form, "--lang", chosen.lang, "--out", str(file.absolute()))
            print(file)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
