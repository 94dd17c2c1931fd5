"""This module is the child process that reads sealed files for another: asked by standard input, told by output.

It ends when nobody asks for a while, and when whoever asked is gone.
"""

from __future__ import annotations

import os
import select
import sys

from plantmon.errors import ArchiveError
from plantmon.sealed.frames import Asked, Told, pack_rows, receive, send
from plantmon.sealed.reading import Files

IDLE_S = 60.0


def main() -> None:
    """Answer until there is nobody to answer, or nothing was asked for a minute."""
    asking, telling = sys.stdin.fileno(), sys.stdout.fileno()
    files = Files()
    while select.select([asking], [], [], IDLE_S)[0]:
        asked = receive(asking, Asked)
        if asked is None:
            return
        try:
            points = None if asked.points is None else frozenset(asked.points)
            rows = [files.read(path, sha256, points, asked.start_ms, asked.end_ms) for path, sha256 in asked.files]
            told = Told(None, [len(one) for one in rows])
        except ArchiveError as error:
            rows, told = [], Told(str(error), [])
        send(telling, told, b"".join(pack_rows(one) for one in rows))


if __name__ == "__main__":
    # Whoever prints by mistake must not disturb the answers.
    out = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(out, "w")
    main()
