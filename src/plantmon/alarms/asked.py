"""This module takes what people ask of alarms: acknowledge, shelve, unshelve, close - each with a name.

It runs inside the transaction that keeps it; what is refused says why, in the language asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from plantmon.alarms.stage import AlarmStage
from plantmon.errors import AlarmError, DeclarationError
from plantmon.model.alarm import Alarm
from plantmon.texts import text
from plantmon.times import PlantTime, format_duration

Body = dict[str, Any]
Take = Callable[[sqlite3.Connection, AlarmStage, Body, str, int], Alarm]


def _acknowledge(connection: sqlite3.Connection, stage: AlarmStage, body: Body, by: str, now_ms: int) -> Alarm:
    return stage.acknowledge(connection, body["alarm"], by, body["note"], now_ms)


def _shelve(connection: sqlite3.Connection, stage: AlarmStage, body: Body, by: str, now_ms: int) -> Alarm:
    until_ms = now_ms + body["for_ms"] if body.get("for_ms") is not None else body["until_ms"]
    return stage.shelve(connection, body["alarm"], until_ms, body["reason"], by, now_ms)


def _unshelve(connection: sqlite3.Connection, stage: AlarmStage, body: Body, by: str, now_ms: int) -> Alarm:
    return stage.unshelve(connection, body["alarm"], by, now_ms)


def _close(connection: sqlite3.Connection, stage: AlarmStage, body: Body, by: str, now_ms: int) -> Alarm:
    return stage.close(connection, body["alarm"], body["cause"], body["action"], by, now_ms)


TAKES: dict[str, Take] = {"ack": _acknowledge, "shelve": _shelve, "unshelve": _unshelve, "close": _close}
_SAID = ("note", "reason", "cause", "action")  # what must not be empty where it is asked for


def take(
    connection: sqlite3.Connection, stage: AlarmStage, time: PlantTime, kind: str, body: Body, by: str, now_ms: int
) -> Body:
    """Do one request on an alarm; give its number, state and who asked.

    `body` holds `alarm`, and `note` (ack); `until_ms` or `for_ms`, and `reason` (shelve); `cause` and `action` (close).
    Raises DeclarationError.
    """
    language = body.get("language", "en")
    given = {"by": by} | {name: body[name] for name in _SAID if name in body}
    for name, words in given.items():
        if not words.strip():
            raise DeclarationError(text("alarms.empty", language, field=f"--{name}"))
    stripped = {name: words.strip() for name, words in given.items()}
    try:
        alarm = TAKES[kind](connection, stage, body | stripped, stripped["by"], now_ms)
    except AlarmError as error:
        values = dict(error.values)
        if "most_ms" in values:
            values["most"] = format_duration(int(str(values["most_ms"])))
        raise DeclarationError(text(f"alarms.{error.key}", language, **values)) from error
    until = "" if alarm.shelved_until_ms is None else time.show(alarm.shelved_until_ms)
    return {"alarm": alarm.id, "state": str(alarm.state), "by": stripped["by"], "until": until}
