"""This module starts real MQTT brokers on loopback ports: Debian's mosquitto, and amqtt embedded in a child process.

A broker keeps its port and its data over `kill9()`, `stop()` and `start()`; only its own process is ever ended.
`python -m simulators.brokers amqtt --port 1883` runs the embedded one (MQTT 3.1.1 only) in the foreground.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.certificates import make_certificates

START_LIMIT_S = 10.0
_REPOSITORY = Path(__file__).resolve().parent.parent

# Lines of mosquitto.conf; what is not said is the default of 2.0.11 (1000 queued messages, saved every 30 minutes).
PROFILES: dict[str, tuple[str, ...]] = {
    "defaults": (),
    "save_every_change": ("autosave_on_changes true", "autosave_interval 1", "max_queued_messages 0"),
    "fast": ("autosave_interval 0", "max_queued_messages 0", "max_inflight_messages 1000"),
    "tls": ("allow_anonymous false", "max_queued_messages 0"),
}


def free_port() -> int:
    """Give a loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, package: str) -> str:
    """Find a server's program, also where daemons are that are not on every PATH. Raises RuntimeError."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found is None:
        raise RuntimeError(f"{name} is not installed; on Debian it is in the package {package}")
    return found


def wait_for_port(port: int, process: subprocess.Popen[bytes], limit_s: float = START_LIMIT_S) -> None:
    """Wait until a process listens on a port. Raises RuntimeError where it ends or takes too long."""
    give_up_at = time.monotonic() + limit_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"the server for port {port} ended with status {process.returncode}") from None
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"nothing listens on port {port} after {limit_s} s") from None
            time.sleep(0.01)
        else:
            return


class Server(ABC):
    """A server process with a port, started and ended again and again over the same folder."""

    def __init__(self, port: int | None, folder: Path | None) -> None:
        self.port = port or free_port()
        self._owns_folder = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="simulated-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, None while it is not running."""
        return self._process.pid if self._process else None

    @abstractmethod
    def _command(self) -> list[str]: ...

    def start(self) -> Self:
        """Start, and return once the port answers."""
        if self._process is None:
            with (self.folder / "output.log").open("ab") as log:
                self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, cwd=_REPOSITORY)
            wait_for_port(self.port, self._process)
        return self

    def stop(self) -> None:
        """End in good order, as systemd would; data that is kept is written."""
        self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """Kill without warning."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process without closing anything: connections hang. `thaw` lets it go on."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(START_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Mosquitto(Server):
    """A real mosquitto. Profiles: `defaults`, `save_every_change`, `fast` (saved only in good order), `tls`.

    `tls` has a second listener (`tls_port`) with a certificate for localhost by `ca_file`, and a password file with
    `users`. `lines` are further lines of its configuration.
    """

    def __init__(
        self,
        profile: str = "defaults",
        port: int | None = None,
        folder: Path | None = None,
        users: Mapping[str, str] | None = None,
        lines: tuple[str, ...] = (),
    ) -> None:
        super().__init__(port, folder)
        self.tls_port: int | None = None
        self.ca_file: Path | None = None
        self.users = dict(users) if users is not None else ({"plant": "secret"} if profile == "tls" else {})
        settings = [*PROFILES[profile], *lines]
        if profile != "tls":
            settings.append(f"allow_anonymous {'false' if self.users else 'true'}")
        if self.users:
            settings.append(f"password_file {self._write_passwords()}")
        listeners = [f"listener {self.port} 127.0.0.1"]
        if profile == "tls":
            listeners += self._tls_listener()
        self._write_configuration(settings, listeners)

    def _command(self) -> list[str]:
        return [program("mosquitto", "mosquitto"), "-c", str(self.folder / "mosquitto.conf")]

    @property
    def log(self) -> str:
        """What the broker logged so far."""
        path = self.folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _write_passwords(self) -> Path:
        path = self.folder / "passwords"
        path.touch(mode=0o600)
        for name, password in self.users.items():
            subprocess.run(
                [program("mosquitto_passwd", "mosquitto"), "-b", str(path), name, password],
                check=True,
                capture_output=True,
            )
        return path

    def _tls_listener(self) -> list[str]:
        made = make_certificates(self.folder / "certificates")
        self.tls_port, self.ca_file = free_port(), made.authority
        return [
            f"listener {self.tls_port} 127.0.0.1",
            f"cafile {made.authority}",
            f"certfile {made.certificate}",
            f"keyfile {made.key}",
        ]

    def _write_configuration(self, settings: list[str], listeners: list[str]) -> None:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        # As root it would change to the user mosquitto, who may not write below a private folder.
        user = ["user root"] if os.getuid() == 0 else []
        persistence = ["persistence true", f"persistence_location {data}/"]
        log = [f"log_dest file {self.folder}/mosquitto.log", "log_type error", "log_type warning", "log_type notice"]
        text = "\n".join([*user, *persistence, *log, "per_listener_settings false", *settings, *listeners]) + "\n"
        (self.folder / "mosquitto.conf").write_text(text)


class Amqtt(Server):
    """The amqtt broker in a child process: pure Python, MQTT 3.1.1 only, nothing kept over a restart."""

    def __init__(self, port: int | None = None, folder: Path | None = None) -> None:
        super().__init__(port, folder)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "simulators.embedded_broker", str(self.port)]


def main() -> None:
    """Run a broker in the foreground until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m simulators.brokers", description=__doc__)
    parser.add_argument("broker", choices=["amqtt", "mosquitto"])
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="fast", help="of mosquitto")
    parser.add_argument("--folder", type=Path, help="of mosquitto: where its data stays; a temporary one if missing")
    chosen = parser.parse_args()
    if chosen.broker == "amqtt":
        # In its own module: amqtt belongs to the demo extra, and sets up logging as it is imported.
        os.execv(sys.executable, [sys.executable, "-m", "simulators.embedded_broker", str(chosen.port)])
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Mosquitto(chosen.profile, chosen.port, chosen.folder) as broker:
        print(f"mosquitto on 127.0.0.1:{broker.port}, data in {broker.folder}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
