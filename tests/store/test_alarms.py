"""This module proves what a store of alarms becomes at an upgrade, and which alarms are listed as what."""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path

from plantmon.model.alarm import Severity, State, Told
from plantmon.store import alarms
from plantmon.store.database import Store


def old_store(path: Path) -> None:
    """Make a store of the schema before incidents, with an alarm of each state and a mail about old data."""
    scripts = sorted((files("plantmon.store") / "schema").iterdir(), key=lambda script: script.name)
    with sqlite3.connect(path) as connection:
        for script in scripts:
            if script.name < "0008.sql":
                connection.executescript(script.read_text("utf-8"))
        connection.execute("PRAGMA user_version = 7")
        connection.executemany(
            "INSERT INTO alarm (id, key, kind, severity, state, raised_ms, since_ms, cleared_ms, until_ms, acked_ms,"
            " acked_by, note, reminded_ms, facts) VALUES (?, ?, 'breach', 'breach', ?, 100, 90, ?, ?, ?, ?, ?, 100, ?)",
            [
                (1, "breach:a", "active", None, None, None, None, None, '{"told_ms": 30, "value": 60.0}'),
                (2, "breach:b", "acknowledged", None, None, 150, "li", "seen", "{}"),
                (3, "breach:c", "cleared", 300, 290, None, None, None, "{}"),
            ],
        )
        connection.execute(
            "INSERT INTO message (message_id, event, severity, language, created_ms, not_before_ms, facts)"
            " VALUES ('<1@x>', 'late', 'breach', 'zh', 1, 1, '{\"kind\": \"late\", \"breaches\": []}')"
        )


def test_alarms_of_an_older_store_go_on(tmp_path: Path) -> None:
    """What stood stands, with who has seen it and was told; what was cleared is over and asks nobody for anything."""
    old_store(tmp_path / "plantmon.db")
    store = Store(tmp_path / "plantmon.db")
    with store.readers.snapshot() as connection:
        first, second, third = (alarms.get(connection, number) for number in (1, 2, 3))
        standing, unclosed = alarms.all_standing(connection), alarms.unclosed(connection)
        spans = [alarms.spans(connection, number) for number in (1, 2, 3)]
        history = [(one.event, one.by) for one in alarms.history(connection, 2)]
        [(event, facts)] = connection.execute("SELECT event, facts FROM message").fetchall()
    store.close()
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.state, first.is_bad, first.told, first.escalated_ms) == (State.UNACK, True, Told.RAISED, 30)
    assert (first.clock_ms, first.facts, first.severity) == (100, {"value": 60.0}, Severity.BREACH)
    assert (second.state, second.acked_by, second.note) == (State.ACKED, "li", "seen")
    assert (third.state, third.is_bad, third.told, third.needs_closing) == (State.NORMAL, False, Told.CLEARED, False)
    assert ([one.id for one in standing], unclosed) == ([1, 2], [])
    assert spans == [[(90, None)], [(90, None)], [(90, 290)]]
    assert history == [("raise", None), ("acknowledge", "li")]
    assert (event, '"corrected"' in facts) == ("corrected", True)


def test_a_limit_told_by_its_spans(tmp_path: Path) -> None:
    """A window between two spans of one incident was not told of; one that touches a span was."""
    old_store(tmp_path / "plantmon.db")
    store = Store(tmp_path / "plantmon.db")
    store.write(lambda connection: alarms.came_back(connection, 3, 500))
    with store.readers.snapshot() as connection:
        told = [alarms.was_told(connection, "breach:c", start, end) for start, end in
                ((0, 90), (0, 91), (289, 300), (290, 500), (290, 501), (900, 950))]  # fmt: skip
        alarm = alarms.standing(connection, "breach:c")
    store.close()
    assert told == [False, True, True, False, True, True]
    assert alarm is not None
    assert (alarm.id, alarm.times, alarm.until_ms) == (3, 2, None)
