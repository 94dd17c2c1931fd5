"""This module keeps the draftsman: a warm child process that draws charts while the mail waits a moment.

A chart is worth a short wait and never a lost or late mail: no answer in time is None, whatever the reason. An answer
that comes late is recognised by its number and thrown away. A child that died is started again, but not in a circle.
"""

from __future__ import annotations

import importlib.util
import os
import selectors
import subprocess
import sys
import time

import msgspec
import structlog

from plantmon.notify.drawing import Answer, Drawing, Greeting, Request, frame, unframe

WAIT_S = 0.3  # design, Delivery: a mail waits 300 ms for its chart and then goes without
RESTART_S = 10.0
STUCK_S = 10.0  # a chart takes 0.2 s; after so long the child is no longer believed to be drawing
FONT_PACKAGES = "fonts-noto-cjk or fonts-wqy-microhei"

_COMMAND = (sys.executable, "-m", "plantmon.notify.chart")
_CHUNK = 1 << 16

log = structlog.get_logger("plantmon.notify.draftsman")


class ChartChild:
    """A chart-drawing child process, used by one thread. `start` it early: it is warm after about a second."""

    def __init__(self, command: tuple[str, ...] = _COMMAND) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at: float | None = None  # monotonic
        self._number = 0
        self._awaited: int | None = None  # the request the child works on
        self._asked_at = 0.0
        self._is_warm = False
        self._unsent = bytearray()
        self._received = bytearray()
        self._is_missing = False
        self._font_said = False

    @property
    def is_warm(self) -> bool:
        """Whether the child has greeted and can draw at once."""
        self._pump(0)
        return self._is_warm

    def start(self) -> None:
        """Start the child when it does not run, at most once every RESTART_S; does nothing without matplotlib."""
        now = time.monotonic()
        if self._process is not None or self._is_missing:
            return
        if self._started_at is not None and now - self._started_at < RESTART_S:
            return
        if self._command is _COMMAND and importlib.util.find_spec("matplotlib") is None:
            self._is_missing = True
            log.warning("charts_off", reason="matplotlib is not installed", install="plantmon[charts]")
            return
        self._started_at = now
        # The child finds the package where we found it, also when it is not installed.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=environment,
            )
        except OSError as error:
            log.warning("chart_child_failed", reason=str(error))
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)

    def draw(self, drawing: Drawing, wait_s: float = WAIT_S) -> bytes | None:
        """Give the chart as PNG, or None when it is not there in time. Never raises for what happens to the child."""
        until = time.monotonic() + wait_s
        self.start()
        asked = None
        while self._process is not None:
            if asked is None and self._awaited is None and self._is_warm:
                asked = self._ask(drawing)
            answer = self._pump(until - time.monotonic())
            if answer is not None and answer.number == asked:
                if answer.error:
                    log.warning("chart_failed", reason=answer.error)
                return answer.png or None
            if time.monotonic() >= until:
                break
        if self._awaited is not None and time.monotonic() - self._asked_at > STUCK_S:
            self._end("stuck")
        return None

    def close(self) -> None:
        """Let the child end and wait for it, with force after a second."""
        process = self._process
        if process is None:
            return
        self._forget()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _ask(self, drawing: Drawing) -> int:
        self._number += 1
        self._awaited, self._asked_at = self._number, time.monotonic()
        self._unsent += frame(Request(self._number, drawing))
        return self._number

    def _pump(self, wait_s: float) -> Answer | None:
        """Move bytes both ways until an answer is there, nothing more can be moved, or `wait_s` is over."""
        process = self._process
        if process is None:
            return None
        assert process.stdin is not None
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if self._unsent:
                selector.register(process.stdin, selectors.EVENT_WRITE)
            ready = {key.fileobj for key, _ in selector.select(max(0.0, wait_s))}
        try:
            if process.stdin in ready:
                del self._unsent[: os.write(process.stdin.fileno(), self._unsent[:_CHUNK])]
            if process.stdout in ready:
                chunk = os.read(process.stdout.fileno(), _CHUNK)
                if not chunk:
                    self._end("ended")
                    return None
                self._received += chunk
        except BlockingIOError:
            return None
        except OSError as error:
            self._end(str(error))
            return None
        return self._take()

    def _take(self) -> Answer | None:
        body = unframe(self._received)
        if body is None:
            return None
        try:
            if not self._is_warm:
                self._greeted(msgspec.msgpack.decode(body, type=Greeting))
                return None
            answer = msgspec.msgpack.decode(body, type=Answer)
        except msgspec.DecodeError as error:
            self._end(f"not understood: {error}")
            return None
        if answer.number == self._awaited:
            self._awaited = None
        return answer

    def _greeted(self, greeting: Greeting) -> None:
        self._is_warm = True
        if not greeting.has_cjk and not self._font_said:
            self._font_said = True
            log.warning("charts_in_english", reason="no font with Chinese characters", install=FONT_PACKAGES)

    def _end(self, reason: str) -> None:
        process = self._process
        if process is None:
            return
        process.kill()
        code = process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        self._forget()
        log.warning("chart_child_ended", reason=reason, code=code)

    def _forget(self) -> None:
        self._process, self._awaited, self._is_warm = None, None, False
        self._unsent.clear()
        self._received.clear()
