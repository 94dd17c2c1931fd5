"""This module reads sealed files through a child process, which is started when first needed and ends by itself.

So neither the daemon nor a command carries the library, nor what it decoded; and a file that brings the library down
takes a child with it, not the daemon.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence

from plantmon.errors import ArchiveError
from plantmon.model.reading import Rows
from plantmon.sealed.frames import Asked, Told, receive_with, send, unpack_rows

WAIT_S = 120.0  # without a byte; a day is read in a second
_COMMAND = (sys.executable, "-m", "plantmon.sealed.child")


class Reader:
    """A child that reads; any thread may ask it, one after the other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._busy = threading.Lock()

    def read(
        self, files: Sequence[tuple[str, str]], points: Collection[int] | None, start_ms: int, end_ms: int
    ) -> list[Rows]:
        """Read some points' readings (None: all) in [start, end) of files (path, sha256), by point and time.

        Raises ArchiveError where a file is missing or not the one that was sealed.
        """
        asked = Asked(list(files), None if points is None else sorted(points), start_ms, end_ms)
        with self._busy:
            answer = self._ask(asked) or self._ask(asked)  # one that was just ending is gone: the next one answers
        if answer is None:
            raise ArchiveError(f"{', '.join(path for path, _ in files)}: the reading child ends without an answer")
        told, data = answer
        if told.error is not None:
            raise ArchiveError(told.error)
        rows, offset = [], 0
        for count in told.counts:
            rows.append(unpack_rows(data, offset, count))
            offset += 5 * 8 * count
        return rows

    def close(self) -> None:
        """End the child."""
        with self._busy:
            self._end()

    def _ask(self, asked: Asked) -> tuple[Told, bytearray] | None:
        process = self._process = self._process or _start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(process.stdin.fileno(), asked)
            answer = receive_with(process.stdout.fileno(), Told, WAIT_S)
        except OSError:
            answer = None
        if answer is None:
            self._end()
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _start() -> subprocess.Popen[bytes]:
    # The child finds the package where we found it, also when it is not installed.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, env=environment
    )


READER = Reader()  # one for all who read: what one has decoded the next may want
atexit.register(READER.close)
