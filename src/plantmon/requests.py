"""This module answers what people ask of plantmon from the command line: in the daemon, or by the command itself.

Both go through `Requests.handle`, so that a request does the same whether a daemon runs or not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from plantmon.pipeline import Pipeline
from plantmon.store.inbox import Answer


class Requests:
    """The requests there are: `ack` and `recompute`."""

    def __init__(self, pipeline: Pipeline, now: Callable[[], int]) -> None:
        self._pipeline = pipeline
        self._now = now

    def handle(self, kind: str, body: dict[str, Any], by: str) -> Answer:
        """Do one request; give whether it was done and what is to be said."""
        handlers: dict[str, Callable[[dict[str, Any], str], Answer]] = {"ack": self._ack, "recompute": self._recompute}
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

    def _recompute(self, body: dict[str, Any], by: str) -> Answer:
        windows, verdicts = self._pipeline.recompute(body["start"], body["end"], self._now())
        return True, {"windows_changed": windows, "verdicts_changed": verdicts}
