"""This module answers what people ask of plantmon from the command line: in the daemon, or by the command itself.

Both go through `Requests.handle`, so that a request does the same whether a daemon runs or not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plantmon import archiving, deadlines, declare, metering, notes, permits, publishing
from plantmon.alarms import asked
from plantmon.errors import DeclarationError
from plantmon.importing.staging import beside
from plantmon.ledger import take as ledger
from plantmon.pipeline import Pipeline
from plantmon.store import resend
from plantmon.store.inbox import Answer


class Requests:
    """The requests there are.

    Alone: `adopt`, `recompute`, `forward`, `import`, `archive_seal`. Alarms: `ack`, `shelve`, `unshelve`, `close`.
    Declared: `mark`, `correct`, `calibrate`, of the register `note` and `fault_report`, and `handed_in`; of the ledger
    `ledger_import`, `ledger_add`, `ledger_correct`, `ledger_withdraw`; of meters `meter_change` and `meter_withdraw`;
    of the annual tables `publish`.
    """

    def __init__(self, pipeline: Pipeline, now: Callable[[], int]) -> None:
        self._pipeline = pipeline
        self._now = now

    def handle(self, kind: str, body: dict[str, Any], by: str) -> Answer:
        """Do one request; give whether it was done and what is to be said."""
        handlers: dict[str, Callable[[dict[str, Any], str], Answer]] = {
            "adopt": self._adopt,
            "recompute": self._recompute,
            "forward": self._forward,
            "archive_seal": self._archive,
            "import": self._import,
        }
        if kind in asked.TAKES:
            return self._ask_alarm(kind, body, by)
        takes = declare.TAKES | notes.TAKES | deadlines.TAKES | ledger.TAKES | metering.TAKES | publishing.TAKES
        if kind in takes:
            return self._declare(takes[kind], body, by)
        handler = handlers.get(kind)
        if handler is None:
            return False, {"error": f"unknown request {kind!r}"}
        return handler(body, by)

    def _ask_alarm(self, kind: str, body: dict[str, Any], by: str) -> Answer:
        pipeline, now_ms = self._pipeline, self._now()
        try:
            return True, pipeline.store.write(
                lambda connection: asked.take(connection, pipeline.alarms, pipeline.plant.time, kind, body, by, now_ms)
            )
        except DeclarationError as error:
            return False, {"error": str(error)}

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
            answer = pipeline.store.write(
                lambda connection: take(connection, pipeline.plant, pipeline.numbers, body, by, now_ms)
            )
        except DeclarationError as error:
            return False, {"error": str(error)}
        pipeline.watch_deadlines(now_ms)  # what was reported, calibrated or handed in is asked for no more
        return True, answer

    def _recompute(self, body: dict[str, Any], by: str) -> Answer:
        windows, verdicts = self._pipeline.recompute(body["start"], body["end"], self._now())
        return True, {"windows_changed": windows, "verdicts_changed": verdicts}

    def _forward(self, body: dict[str, Any], by: str) -> Answer:
        number = self._pipeline.store.write(
            lambda connection: resend.ask(connection, body["start"], body["end"], by, self._now())
        )
        return True, {"id": number}

    def _archive(self, body: dict[str, Any], by: str) -> Answer:
        self._pipeline.store.write(lambda connection: archiving.ask(connection, body["until"]))
        return True, {}

    def _import(self, body: dict[str, Any], by: str) -> Answer:
        folder = beside(self._pipeline.store.path) / Path(body["staged"]).name
        return self._pipeline.importing.run(folder, by, body["language"], self._now)
