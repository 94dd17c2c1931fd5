"""This module reads a log of HJ 212 frames: a line may hold other text before and behind its frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from plantmon.errors import DecodeError
from plantmon.feed.hj212 import Devices, Found, Value
from plantmon.importing.intake import Intake
from plantmon.store.rejected import Why

_FRAME = re.compile(rb"##(\d{4})")
_CUT = re.compile(rb"CP\s*=\s*&&")  # the middle of a frame, whose beginning is lost
_AROUND = 10  # characters of a frame beside its data: ##, the length, the checksum
_LINES_AT_ONCE = 2_000


def is_log(start: bytes) -> bool:
    """Say by its beginning whether a file is such a log."""
    return bool(_FRAME.search(start)) and b"CP=" in start


def read_log(path: Path, intake: Intake, now_ms: int, tell: Callable[[int], None]) -> None:
    """Take all readings of a log, and what its devices report of periods. Raises NoRoom."""
    devices = Devices(intake.plant, intake.numbers)
    taken: list[tuple[Value, int]] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            starts = [match.start() for match in _FRAME.finditer(line)]
            if not starts and _CUT.search(line):
                intake.refuse(number, "no_frame")
            for start, end in pairwise([*starts, len(line)]):
                taken += _frame(devices, line[start:end], number, now_ms, intake)
            if number % _LINES_AT_ONCE == 0:
                _add(taken, intake)
                taken = []
                tell(file.tell())
    _add(taken, intake)


def _frame(devices: Devices, raw: bytes, line: int, now_ms: int, intake: Intake) -> list[tuple[Value, int]]:
    length = int(raw[2:6]) + _AROUND
    try:
        found = devices.read(raw[:length].rstrip() + b"\r\n", None, now_ms)
    except DecodeError as error:
        intake.refuse(line, "bad_frame", reason=error)
        return []
    for one in found.reported:
        intake.add_reported(one, line)
    _refuse(found, line, intake)
    return [(one, line) for one in found.values]


def _refuse(found: Found, line: int, intake: Intake) -> None:
    """Name what of a frame is not taken; what the plant file does not have may be passed over."""
    for one in found.refused:
        if one.why is Why.UNKNOWN_POINT and intake.skips_unknown:
            intake.skipped[one.detail[:80]] += 1
        else:
            intake.refuse(line, "bad_frame", reason=one.detail)


def _add(taken: list[tuple[Value, int]], intake: Intake) -> None:
    if taken:
        rows = np.array([(one.ts_ms, one.point, one.flag, line) for one, line in taken], np.int64)
        values = np.array([one.value for one, _ in taken])
        intake.add(rows[:, 0], rows[:, 1], values, rows[:, 2], rows[:, 3])
