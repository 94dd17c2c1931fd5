"""This module computes a span again: windows, amounts, verdicts, each day by day, noting how far it is.

Killed, it goes on with the day it was at. What changed meanwhile was computed again by its own marks; so what lies
before that day needs no second look.
"""

from __future__ import annotations

from dataclasses import replace

import plantmon
from plantmon.amounts.stage import AmountStage
from plantmon.compliance.stage import ComplianceStage
from plantmon.store import recomputing, windows
from plantmon.store.database import Store
from plantmon.store.recomputing import Course, Part
from plantmon.windows.stage import WindowStage


class Recompute:
    """Computes spans of a plant again with its stages; `plant_version` is the hash of the plant file."""

    def __init__(
        self, store: Store, windows: WindowStage, amounts: AmountStage, compliance: ComplianceStage, plant_version: str
    ) -> None:
        self._store = store
        self._windows = windows
        self._amounts = amounts
        self._compliance = compliance
        self._made_by = f"{plantmon.__version__} {plant_version}"

    def run(self, start_ms: int, end_ms: int, now_ms: int) -> tuple[int, int]:
        """Compute [start, end) again; give how many windows and verdicts came out differently."""
        with self._store.readers.snapshot() as connection:
            closed = windows.closed(connection, "1h").values()
        # Outside of what is closed there is nothing; within it one sees how far it is.
        start_ms = max(start_ms, min((first for first, _ in closed), default=start_ms))
        end_ms = min(end_ms, max(start_ms, now_ms))
        course = self._store.write(
            lambda connection: recomputing.begin(connection, start_ms, end_ms, self._made_by, now_ms)
        )
        if course.part is Part.WINDOWS:
            for at_ms, changed in self._windows.recompute_days(course.at_ms, end_ms, now_ms):
                course = self._note(replace(course, at_ms=at_ms, windows=course.windows + changed))
            course = self._note(replace(course, part=Part.AMOUNTS, at_ms=start_ms))
        if course.part is Part.AMOUNTS:
            self._amounts.mark(start_ms, end_ms)
            while self._amounts.run()[1]:
                pass
            course = self._note(replace(course, part=Part.VERDICTS, at_ms=start_ms))
        for at_ms, changed in self._compliance.recompute_days(start_ms, end_ms, now_ms, course.at_ms):
            course = self._note(replace(course, at_ms=at_ms, verdicts=course.verdicts + changed))
        verdicts = course.verdicts
        while True:  # what changed reaches further than the span: substitutes, sums, months
            changed, more = self._compliance.run(now_ms)
            verdicts += changed
            if not more:
                break
        self._store.write(lambda connection: recomputing.end(connection, course))
        return course.windows, verdicts

    def _note(self, course: Course) -> Course:
        self._store.write(lambda connection: recomputing.note(connection, course))
        return course
