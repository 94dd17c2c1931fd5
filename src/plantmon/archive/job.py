"""This module is what the archive asks its sealing child, what it is told, and that child as the one who asks sees it.

Sealing a day takes a few hundred megabytes for some seconds: the daemon's own memory is none of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import msgspec

from plantmon.errors import ArchiveError
from plantmon.sealed.frames import receive_with, send

WAIT_S = 3600.0  # for one file
_COMMAND = (sys.executable, "-m", "plantmon.archive.child")


class Job(msgspec.Struct, frozen=True):
    """A file to be made: of a day, or of the late readings of one with numbers in (after, until]."""

    store: str
    day: int
    supplement: int = 0
    after: int = 0
    until: int = 0


class Made(msgspec.Struct, frozen=True):
    """The file that was made; `rows` 0: none, for there was nothing. `again`, `conflicts`: late keys sealed already."""

    rows: int
    bytes: int = 0
    sha256: str = ""
    again: list[tuple[int, int]] = []
    conflicts: list[tuple[int, int, float]] = []  # with the value that stands


class Answer(msgspec.Struct, frozen=True):
    """The file, or what was wrong."""

    made: Made | None
    error: str | None


class SealingChild:
    """A child that makes files; started when first asked. `close` may come from any thread and ends it at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._busy = threading.Lock()

    def make(self, job: Job) -> Made:
        """Have a file made. Raises ArchiveError."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(process.stdin.fileno(), job)
            found = receive_with(process.stdout.fileno(), Answer, WAIT_S)
        except OSError:
            found = None
        if found is None:
            self._forget()
            raise ArchiveError("the sealing child ended without an answer")
        answer = found[0]
        if answer.made is None:
            raise ArchiveError(answer.error or "")
        return answer.made

    def _forget(self) -> None:
        with self._busy:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            _put_away(process)

    def close(self) -> None:
        """End the child for good."""
        self._is_closed = True
        with self._busy:
            if self._process is not None:
                self._process.kill()  # who waits for it sees its end
                self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._busy:
            if self._is_closed:
                raise ArchiveError("the archive is closed")
            if self._process is not None and self._process.poll() is not None:
                _put_away(self._process)  # it had nothing to do for a while
                self._process = None
            if self._process is None:
                # The child finds the package where we found it, also when it is not installed.
                environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
                self._process = subprocess.Popen(
                    _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                    env=environment,
                )  # fmt: skip
            return self._process


def _put_away(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
