"""This module is the child process that makes sealed files, one after the other, as it is asked to.

It ends when nothing is asked of it for a while, and when whoever asked is gone.
"""

from __future__ import annotations

import os
import select
import sys

from plantmon.archive.job import Answer, Job
from plantmon.archive.making import make
from plantmon.errors import PlantmonError
from plantmon.sealed.frames import receive, send
from plantmon.sealed.reader import READER

IDLE_S = 60.0
NICE = 10  # whatever else the machine has to do comes first


def main() -> None:
    """Answer until there is nobody to answer, or nothing was asked for a minute."""
    asking, telling = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # whoever prints by mistake must not disturb the answers
    os.nice(NICE)
    while select.select([asking], [], [], IDLE_S)[0] and (job := receive(asking, Job)) is not None:
        try:
            answer = Answer(make(job, lambda _: None), None)
        except PlantmonError as error:
            answer = Answer(None, str(error))
        send(telling, answer)
    READER.close()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
