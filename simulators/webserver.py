"""This module runs a real HTTP server on a loopback port: what a webhook or a heartbeat calls, with its faults.

`manner` says how it answers from now on: `accept`, a status such as `503`, `hang` (reads and never answers), `trickle`
(answers a byte at a time without end), `reset` (breaks the connection at once), `drop` (takes the request whole and
hangs up). `stop()` and `start()` make it go away and come back on the same port.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from simulators.brokers import free_port

TRICKLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Received:
    """One request that came whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float  # real time

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class WebServer:
    """A web server and what it was asked."""

    def __init__(self, manner: str = "accept", port: int | None = None) -> None:
        self.manner = manner
        self.body = b"ok"
        self.port = port or free_port()
        self._requests: list[Received] = []
        self._arrived = threading.Condition()
        self._ended = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Received]:
        """What it was asked so far, in order; all but what was reset."""
        with self._arrived:
            return list(self._requests)

    def wait_for(self, count: int, limit_s: float = 10.0) -> list[Received]:
        """Wait until so many requests came in all, and give them. Raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._requests) >= count, limit_s):
                raise TimeoutError(f"{len(self._requests)} of {count} requests after {limit_s} s")
            return list(self._requests)

    def keep(self, received: Received) -> None:
        """Note a request."""
        with self._arrived:
            self._requests.append(received)
            self._arrived.notify_all()

    def start(self) -> Self:
        """Listen."""
        if self._server is None:
            self._ended.clear()
            self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self, self._ended))
            self._server.daemon_threads = True
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Go away: connections are refused until `start`."""
        self._ended.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _handler(server: WebServer, ended: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def _answer(self) -> None:
            manner = server.manner
            if manner == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.keep(Received(self.command, self.path, dict(self.headers.items()), body, time.time()))
            if manner == "drop":
                self.close_connection = True
            elif manner == "hang":
                ended.wait()
            elif manner == "trickle":
                while not ended.wait(TRICKLE_S):
                    self.wfile.write(b"H")
            else:
                self._say(200 if manner == "accept" else int(manner))

        def _say(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(server.body)))
            if status // 100 == 3:
                self.send_header("Location", f"{server.url}/elsewhere")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(server.body)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # whoever asked has gone, as they should
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                self.close_connection = True

        def log_message(self, format: str, *values: Any) -> None:
            """Say nothing: tests look at `requests`."""

    return Handler
