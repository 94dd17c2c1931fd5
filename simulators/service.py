"""This module runs the real daemon as a child process over a folder of its own, for tests and benchmarks.

A `Service` keeps its store over `kill9()`, `stop()` and `start()`; only its own process is ever ended. Its log is JSON,
a line an event, and is read back as such.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_LIMIT_S = 30.0
STOP_LIMIT_S = 20.0
_REPOSITORY = Path(__file__).resolve().parent.parent
_SETTINGS = """\
[plant]
file = "plant.yaml"
[mqtt]
client_id = "plantmon-under-test"
[log]
format = "json"
"""


def eventually(is_so: Callable[[], object], limit_s: float = 10.0, every_s: float = 0.02) -> bool:
    """Wait until something is so; False when that took too long."""
    give_up_at = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(every_s)
    return True


class Service:
    """One plantmon over a folder. `settings` are environment variables without their prefix: MQTT__HOST.

    `cpu` pins it, and the children it starts, to one core.
    """

    def __init__(
        self, folder: Path, plant_text: str, broker_port: int, cpu: int | None = None, **settings: object
    ) -> None:
        self.folder = folder
        self.store = folder / "plantmon.db"
        self.plant_file = folder / "plant.yaml"
        self.config = folder / "plantmon.toml"
        self.settings: dict[str, object] = {"MQTT__PORT": broker_port, "SMTP__PORT": 9, **settings}
        self._cpu = cpu
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.plant_file.write_text(plant_text, encoding="utf-8")
        self.config.write_text(_SETTINGS, encoding="utf-8")

    @property
    def pid(self) -> int:
        """The running process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def environment(self) -> dict[str, str]:
        """What the daemon and the commands are started with."""
        own = {f"PLANTMON_{name}": str(value) for name, value in self.settings.items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLANTMON_")}
        return {**inherited, "LC_ALL": "C.UTF-8", **own}

    def command(self, *arguments: str) -> list[str]:
        """Give the command line of `plantmon` with this service's settings."""
        return [sys.executable, "-m", "plantmon", "--config", str(self.config), *arguments]

    def launch(self, before: Callable[[], None] | None = None) -> None:
        """Start the process without waiting; `before` runs in the child before the program does."""
        with (self.folder / "service.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command("run"), stdout=log, stderr=log, env=self.environment, cwd=_REPOSITORY, preexec_fn=before
            )
        if self._cpu is not None:
            os.sched_setaffinity(self._process.pid, {self._cpu})

    def start(self, is_connected: bool = True, before: Callable[[], None] | None = None) -> Self:
        """Start, and return once the daemon runs and, unless told otherwise, the broker took it.

        Raises RuntimeError where it ends or takes too long.
        """
        seen = len(self.events())
        self.launch(before)
        wanted = {"started", "broker_connected"} if is_connected else {"started"}

        def is_there() -> bool:
            return not self.is_running or wanted <= {str(one.get("event")) for one in self.events()[seen:]}

        came = eventually(is_there, START_LIMIT_S)
        if not came or not self.is_running:
            status = self._end(signal.SIGKILL)
            raise RuntimeError(f"the service did not start, or ended with status {status}:\n{self.log[-3000:]}")
        return self

    def stop(self) -> int:
        """End in good order; give the exit code."""
        return self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """Kill without warning."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process without closing anything; `thaw` lets it go on."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def wait(self, limit_s: float = STOP_LIMIT_S) -> int:
        """Wait until the process ends by itself; give the exit code."""
        assert self._process is not None
        return self._process.wait(limit_s)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    @property
    def log(self) -> str:
        """What the daemon logged so far, over all its starts."""
        path = self.folder / "service.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """List the log's events, those of one name or all."""
        found = []
        for line in self.log.splitlines():
            if not line.startswith("{"):
                continue
            try:
                event = json.loads(line)
            except ValueError:
                continue  # the last line is being written
            if name is None or event.get("event") == name:
                found.append(event)
        return found

    def query(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[tuple[Any, ...]]:
        """Read the store from outside, as any reader may."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def count(self, name: str = "readings") -> int:
        """Give a running count of the store: readings, repeats, rejected; it moves with each commit."""
        rows = self.query("SELECT value FROM sequence WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def stored(self) -> int:
        """Count the readings in the store, row by row."""
        [(gauges, registers)] = self.query("SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM register)")
        return int(gauges) + int(registers)

    def standing(self) -> set[str]:
        """Give the kinds of the alarms that stand."""
        return {kind for (kind,) in self.query("SELECT kind FROM alarm WHERE is_bad")}

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run another plantmon command over the same store; `more` are environment variables."""
        return subprocess.run(
            self.command(*arguments),
            env={**self.environment, **more}, cwd=_REPOSITORY, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.thaw()
        self.stop()


def plant_clock(start: str, rate: float = 1.0) -> dict[str, object]:
    """Give the settings of a clock that is at `start` (ISO) now and runs `rate` times as fast."""
    real = datetime.now(UTC).isoformat()
    return {"CLOCK__START": start, "CLOCK__REAL_START": real, "CLOCK__RATE": rate}
