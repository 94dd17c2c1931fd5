"""This module answers what people ask of plantmon from the command line: in the daemon, or by the command itself.

Both go through `Requests.handle`, so that a request does the same whether a daemon runs or not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from plantmon import declare, notes, permits
from plantmon.errors import DeclarationError
from plantmon.pipeline import Pipeline
from plantmon.store.inbox import Answer


class Requests:
    """The requests there are: `ack`, `adopt`, `recompute`, and what people declare or note.

    These are `mark`, `correct`, `calibrate`, and of the register `note`, `fault_report`.
    """

    def __init__(self, pipeline: Pipeline, now: Callable[[], int]) -> None:
        self._pipeline = pipeline
        self._now = now

    def handle(self, kind: str, body: dict[str, Any], by: str) -> Answer:
        """Do one request; give whether it was done and what is to be said."""
        handlers: dict[str, Callable[[dict[str, Any], str], Answer]] = {
            "ack": self._ack,
            "adopt": self._adopt,
            "recompute": self._recompute,
        }
        takes = declare.TAKES | notes.TAKES
        if kind in takes:
            return self._declare(takes[kind], body, by)
        handler = handlers.get(kind)
        if handler is None:
            return False, {"error": f"unknown request {kind!r}"}
        return handler(body, by)

    def _ack(self, body: dict[str, Any], by: str) -> Answer:
        def write(connection: sqlite3.Connection) -> Answer:
            try:
                alarm = self._pipeline.alarms.acknowledge(connection, body["alarm"], by, body["note"], self._now())
            except LookupError as error:
                return False, {"error": str(error)}
            return True, {"alarm": alarm.id, "state": alarm.state, "by": by}

        return self._pipeline.store.write(write)

    def _adopt(self, body: dict[str, Any], by: str) -> Answer:
        def write(connection: sqlite3.Connection) -> permits.Adopted:
            return permits.adopt(
                connection, body["version"], body["from"], by, body["reason"], self._now(), body["hash"],
                body["language"],
            )  # fmt: skip

        try:
            adopted = self._pipeline.store.write(write)
        except LookupError as error:
            return False, {"error": str(error)}
        verdicts = self._pipeline.permit_changed(adopted.since_ms, self._now())
        return True, {"version": adopted.version, "from": body["from"], "verdicts_changed": verdicts}

    def _declare(self, take: declare.Take, body: dict[str, Any], by: str) -> Answer:
        pipeline, now_ms = self._pipeline, self._now()
        try:
            return True, pipeline.store.write(
                lambda connection: take(connection, pipeline.plant, pipeline.numbers, body, by, now_ms)
            )
        except DeclarationError as error:
            return False, {"error": str(error)}

    def _recompute(self, body: dict[str, Any], by: str) -> Answer:
        windows, verdicts = self._pipeline.recompute(body["start"], body["end"], self._now())
        return True, {"windows_changed": windows, "verdicts_changed": verdicts}
