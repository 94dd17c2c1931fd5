"""This module takes in what people write to the register: causes and actions of exceedances, reports of outages.

Everything is looked at before anything is kept, and inside the transaction that keeps it; what is refused says why, in
the language asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from plantmon.compliance.faults import faults
from plantmon.declare import Body, Take
from plantmon.errors import DeclarationError
from plantmon.model.plant import Plant
from plantmon.model.verdict import Verdict
from plantmon.permits import permit_of
from plantmon.store import register
from plantmon.texts import text
from plantmon.times import DAY_MS

NAMED_AT_MOST = 8
LONG_MS = 28 * DAY_MS  # the shortest month
LOOK_BACK_MS = 31 * DAY_MS  # an outage that ended longer ago is no longer reported


def note(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Write cause and action to the exceeding window of a limit, by its key or a part of it, that holds an instant.

    A part of several keys is enough where one of them alone was exceeded then; a month's or year's cap, which is
    exceeded for long, does not stand in the way of shorter windows. Raises DeclarationError.
    """
    language, at_ms = body["language"], body["at"]
    who = _said("--by", by, language)
    cause, action = (_said(f"--{name}", body[name], language) for name in ("cause", "action"))
    keys = permit_of(connection, plant).limits()
    chosen = [body["limit"]] if body["limit"] in keys else [key for key in keys if body["limit"] in key]
    if not chosen:
        raise _refused("unknown_limit", language, given=body["limit"], known=_listed(list(keys)))
    windows = [window for key in chosen for window in _exceeding_at(connection, key, at_ms)]
    windows = [window for window in windows if window.end - window.start < LONG_MS] or windows
    if len(windows) > 1:
        several = _listed([window.limit_key for window in windows])
        raise _refused("several_limits", language, given=body["limit"], known=several)
    if not windows:
        shown = plant.time.show(at_ms)
        raise _refused("nothing_exceeded", language, limit=_listed(chosen), at=shown)
    window = windows[0]
    number = register.add_note(connection, window.limit_key, window.start, cause, action, who, now_ms)
    return {
        "note": number, "limit": window.limit_key,
        "start": plant.time.show(window.start), "end": plant.time.show(window.end),
    }  # fmt: skip


def fault_report(
    connection: sqlite3.Connection, plant: Plant, numbers: dict[str, int], body: Body, by: str, now_ms: int
) -> Body:
    """Note that the authority was told, at an instant, of the newest outage of a point that had begun by then.

    Raises DeclarationError.
    """
    language, name, at_ms = body["language"], body["point"], body["at"]
    who = _said("--by", by, language)
    said = _said("--note", body["note"], language)
    if name not in plant.points:
        raise _refused("unknown_point", language, given=name)
    if at_ms > now_ms:
        raise _refused("report_ahead", language, at=plant.time.show(at_ms), now=plant.time.show(now_ms))
    found = faults(connection, plant, numbers, [name], at_ms - LOOK_BACK_MS, at_ms + 1, now_ms)
    if not found:
        raise _refused("no_outage", language, point=name, at=plant.time.show(at_ms))
    _, fault, _ = found[-1]
    start = fault.outage.start
    number = register.add_fault_report(connection, numbers[name], start, at_ms, who, said, now_ms)
    return {"report": number, "point": name, "start": plant.time.show(start)}


TAKES: dict[str, Take] = {"note": note, "fault_report": fault_report}


def _exceeding_at(connection: sqlite3.Connection, key: str, at_ms: int) -> list[Verdict]:
    found = register.exceeding(connection, key, at_ms, at_ms + 1)
    return [window for window in found if window.start <= at_ms < window.end]


def _listed(keys: Sequence[str]) -> str:
    more = "" if len(keys) <= NAMED_AT_MOST else ", …"
    return ", ".join(keys[:NAMED_AT_MOST]) + more


def _said(field: str, given: str, language: str) -> str:
    if not given.strip():
        raise DeclarationError(text("declare.empty", language, field=field))
    return given.strip()


def _refused(key: str, language: str, **values: object) -> DeclarationError:
    return DeclarationError(text(f"register.{key}", language, **values))
