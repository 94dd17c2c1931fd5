"""This module is the demo: a whole plant on this machine in a minute, without root and without a server.

An embedded broker, a mail server that keeps mails as files, the simulated plant at 60 times real time, and between
them the real `plantmon run`. A day of history comes first; soon after the start the burner of the RTO trips. Two
limits are then breached, each is mailed about, and each clears. `DEMO_SECONDS` ends it by itself; its last line of
output is a summary in JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from rich.console import Console, RenderableType
from rich.live import Live

from plantmon.model.plant import Plant
from plantmon.plant import load_plant
from simulators import screen
from simulators.brokers import Amqtt, free_port
from simulators.faults import deliveries, parse_fault
from simulators.mailbox import Mailbox
from simulators.messages import SHANGHAI, Message, batch_messages
from simulators.plant import SimulatedPlant
from simulators.publish import Publisher, SimClock, moment_ms, run, sendings
from simulators.shifts import DAY_MS, HOUR_MS

ROOT = Path(__file__).resolve().parent.parent
# A working Tuesday, so that the history is a working day, the line runs, and the hour with the trip ends soon.
START = "2026-03-03T08:38:00"
TRIP = "rto_trip@08:43+13min"
RATE = 60.0
HISTORY_MS = DAY_MS
FOREVER_MS = 365 * DAY_MS
HISTORY_WAIT_S = 5.0  # for the broker to take an hour of it
CONNECT_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0
LAST_MAILS_S = 1.5  # what was raised in the last second still goes out
PLAIN_EVERY_S = 5.0
RATE_OVER_S = 5.0
PICTURE_COLUMNS = 124


class Demo:
    """The servers, the daemon and the simulator of one demo; everything it keeps lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ended = threading.Event()
        self.plant: Plant = load_plant(ROOT / "config" / "plant.yaml")
        self.clock = SimClock(moment_ms(START), 0, RATE)
        self.mailbox = Mailbox(folder / "mails")
        self._broker = Amqtt(free_port(), folder / "broker")
        self._daemon: subprocess.Popen[bytes] | None = None
        self._publisher: Publisher | None = None
        self._publishing: threading.Thread | None = None

    @property
    def store(self) -> Path:
        """The daemon's store."""
        return self.folder / "plantmon.db"

    @property
    def log(self) -> Path:
        """The daemon's log."""
        return self.folder / "plantmon.log"

    def serve(self, running: ExitStack) -> None:
        """Start everything; what is started ends with `running`, in the right order. Raises RuntimeError."""
        simulated = SimulatedPlant()
        start_ms, faults = self.clock.start_ms, [parse_fault(TRIP, datetime.fromisoformat(START).date(), SHANGHAI)]
        history = _history(simulated, start_ms)
        live = sendings(simulated, deliveries(simulated, start_ms, start_ms + FOREVER_MS, faults, None), start_ms)
        running.enter_context(self.mailbox)
        running.enter_context(self._broker)
        self._publisher = running.enter_context(Publisher("127.0.0.1", self._broker.port))
        self.clock = SimClock(start_ms, time.time_ns() // 1_000_000, RATE)
        running.callback(self._stop_daemon)
        self._start_daemon()
        self._wait_until_connected()
        running.callback(self._stop_publishing)
        self._publishing = threading.Thread(target=self._publish, args=(history, live), name="plant", daemon=True)
        self._publishing.start()

    def daemon_status(self) -> int | None:
        """Give the exit status of the daemon, None while it runs."""
        return self._daemon.poll() if self._daemon else None

    def look(self) -> screen.View:
        """Look into the store."""
        with closing(self._open()) as connection:
            return screen.look(connection, self.plant, self.clock.now_ms())

    def counts(self) -> screen.Counts:
        """Read the store's counters."""
        with closing(self._open()) as connection:
            return screen.counts(connection)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=5)

    def _publish(self, history: list[list[Message]], live: Iterator[tuple[int, list[Message]]]) -> None:
        assert self._publisher is not None
        for messages in history:
            self._publisher.publish(messages, self.ended)
            self._publisher.wait_acknowledged(HISTORY_WAIT_S)
            if self.ended.is_set():
                return
        run(self._publisher, live, self.clock, self.ended)

    def _stop_publishing(self) -> None:
        self.ended.set()
        if self._publishing is not None:
            self._publishing.join(5)

    def _settings(self) -> dict[str, str]:
        real_start = datetime.fromtimestamp(self.clock.real_start_ms / 1000, UTC)
        return {
            "PLANTMON_CONFIG": str(ROOT / "config" / "plantmon.toml"),
            "PLANTMON_STORE__PATH": str(self.store),
            "PLANTMON_MQTT__PORT": str(self._broker.port),
            "PLANTMON_MQTT__USERNAME": "",
            "PLANTMON_MQTT__PROTOCOL": "3.1.1",
            "PLANTMON_SMTP__PORT": str(self.mailbox.port),
            "PLANTMON_CLOCK__START": START,
            "PLANTMON_CLOCK__REAL_START": real_start.isoformat(),
            "PLANTMON_CLOCK__RATE": str(RATE),
        }

    def _start_daemon(self) -> None:
        settings = self._settings()
        exports = "".join(f"export {name}='{value}'\n" for name, value in settings.items())
        (self.folder / "settings.sh").write_text(exports)
        others = {name: value for name, value in os.environ.items() if not name.startswith("PLANTMON_")}
        command = [str(Path(sys.executable).with_name("plantmon")), "run"]
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal reaches us alone, and we end the daemon in good order.
            self._daemon = subprocess.Popen(
                command, env=others | settings, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )

    def _wait_until_connected(self) -> None:
        give_up_at = time.monotonic() + CONNECT_LIMIT_S
        while b"broker_connected" not in self.log.read_bytes():
            if self.daemon_status() is not None or time.monotonic() > give_up_at or self.ended.wait(0.05):
                raise RuntimeError(f"plantmon did not come up:\n{self.log.read_text(errors='replace')[-2000:]}")

    def _stop_daemon(self) -> None:
        if self._daemon is None:
            return
        self._daemon.terminate()
        try:
            self._daemon.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()


def _history(simulated: SimulatedPlant, start_ms: int) -> list[list[Message]]:
    """Give the past before the start, an hour an item, each message all points of an instant.

    So a reading and whether its source ran then come together, as from a gateway that was cut off for a day.
    """
    past = deliveries(simulated, start_ms - HISTORY_MS, start_ms, [], None)
    hours = groupby(past, key=lambda one: one.ts_ms // HOUR_MS)
    return [list(batch_messages(simulated, hour, epoch_ms=True)) for _, hour in hours]


class _Pace:
    """How many readings a second were stored lately."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, readings: int) -> float:
        now_s = time.monotonic()
        self._seen.append((now_s, readings))
        while now_s - self._seen[0][0] > RATE_OVER_S:
            self._seen.popleft()
        since_s, before = self._seen[0]
        return (readings - before) / (now_s - since_s) if now_s > since_s else 0.0


def _shown(folder: Path) -> Path:
    """Give a folder as one would type it."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _show(demo: Demo, console: Console, until_s: float, picture: Path | None) -> None:
    """Show the demo until its time is over, it was told to end, or the daemon ended by itself."""
    pace, drawn, printed_s, told = _Pace(), False, 0.0, set[tuple[int, str]]()
    mails = _shown(demo.mailbox.folder)
    with ExitStack() as showing:
        live = None
        if console.is_terminal:
            live = showing.enter_context(Live(console=console, auto_refresh=False))
        while not demo.ended.wait(0.5) and time.monotonic() < until_s and demo.daemon_status() is None:
            view = demo.look()
            per_s = pace.note(view.counts.readings)
            subjects = [mail.subject for mail in demo.mailbox.mails]
            table = screen.draw(view, demo.plant, RATE, per_s, subjects, f"{mails}/*.html")
            if live is not None:
                live.update(table, refresh=True)
            else:
                _tell(view, told)
                if time.monotonic() - printed_s >= PLAIN_EVERY_S:
                    printed_s = time.monotonic()
                    print(screen.line(view, demo.plant, per_s), flush=True)
            standing = [alarm for alarm in view.alarms if alarm.until == screen.NOTHING and alarm.severity == "breach"]
            if picture is not None and not drawn and len(standing) >= 2 and len(subjects) >= 2:
                _save_picture(table, picture)
                drawn = True


def _tell(view: screen.View, told: set[tuple[int, str]]) -> None:
    """Say a line for every alarm that was raised or ended."""
    for alarm in view.alarms:
        if (alarm.id, alarm.state) not in told:
            told.add((alarm.id, alarm.state))
            span = f"since {alarm.since}" if alarm.until == screen.NOTHING else f"{alarm.since} to {alarm.until}"
            print(f"alarm {alarm.id} {alarm.state}: {alarm.severity} {alarm.what}, {alarm.worst}, {span}", flush=True)


def _save_picture(table: RenderableType, file: Path) -> None:
    """Save the table as SVG that needs nothing from elsewhere: rich's own names a font on a foreign server."""
    with Path(os.devnull).open("w") as nowhere:
        recorder = Console(
            record=True, width=PICTURE_COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor"
        )
        recorder.print(table)
        svg = recorder.export_svg(title="make demo")
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.S)
    svg = re.sub(r"font-family: ?Fira Code, ?monospace", "font-family: ui-monospace, Menlo, Consolas, monospace", svg)
    file.write_text(svg, encoding="utf-8")


def _prepare(folder: Path) -> None:
    """Make the folder, without what an earlier demo left: its clock began at the same instant."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("plantmon.*"):
        old.unlink()
    for name in ("mails", "broker"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _seconds(text: str | None) -> float | None:
    """Read DEMO_SECONDS; None runs until Ctrl-C. Raises ValueError."""
    if not text:
        return None
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError("DEMO_SECONDS is a number of seconds above 0")
    return seconds


def _has_chinese_font() -> bool:
    """Whether fontconfig knows a Chinese font, for the charts and for opening mails here."""
    program = shutil.which("fc-list")
    if program is None:
        return False
    return bool(subprocess.run([program, ":lang=zh"], capture_output=True, check=False).stdout.strip())


def main() -> int:
    """Run the demo; 0 when a breach mail was delivered, else 1."""
    parser = argparse.ArgumentParser(prog="python -m simulators.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".demo", help="where store, log and mails are kept")
    parser.add_argument("--picture", type=Path, help="save the screen as SVG once both breaches stand")
    chosen = parser.parse_args()
    try:
        seconds = _seconds(os.environ.get("DEMO_SECONDS"))
    except ValueError as error:
        parser.error(str(error))
    _prepare(chosen.folder)
    console = Console()
    demo = Demo(chosen.folder.resolve())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: demo.ended.set())
    if not _has_chinese_font():
        print(
            "Charts show Chinese only with a Chinese font (Debian: fonts-wqy-microhei); going on without.", flush=True
        )
    print(
        f"Demo: plant time begins {START.replace('T', ' ')}, {RATE:g} times as fast; the burner trips at 08:43.",
        flush=True,
    )
    failure = None
    try:
        with ExitStack() as running:
            demo.serve(running)
            _show(demo, console, time.monotonic() + (seconds or FOREVER_MS), chosen.picture)
            failure = demo.daemon_status()
            demo.ended.set()
            time.sleep(LAST_MAILS_S)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        if demo.ended.is_set():
            return 1
        failure = 1
    if failure is not None:
        print(f"plantmon ended by itself with status {failure}; its log: {demo.log}", file=sys.stderr)
    return _sum_up(demo)


def _sum_up(demo: Demo) -> int:
    found = demo.counts() if demo.store.exists() else screen.Counts()
    here = _shown(demo.folder)
    print(
        f"Mails: {here}/mails/*.html to look at, *.eml as received. Store {here}/plantmon.db, log {here}/plantmon.log."
    )
    print(f"Ask it: . {here}/settings.sh; plantmon alarms; plantmon query DA002.nmhc --window 1h")
    names = {"readings": "readings_stored", "windows": "windows_closed", "alarms": "alarms_raised",
             "mails": "mails_delivered", "breach_mails": "breach_mails"}  # fmt: skip
    counted = asdict(found)
    print(json.dumps({name: counted[key] for key, name in names.items()}), flush=True)
    return 0 if found.breach_mails and demo.mailbox.mails else 1


if __name__ == "__main__":
    sys.exit(main())
