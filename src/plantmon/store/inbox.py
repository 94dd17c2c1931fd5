"""This module is the inbox: what people ask of the daemon from other processes, answered in the same row.

A small database of its own beside the store, with a rollback journal: here several processes write, which SQLite's
WAL before 3.51.3 does not bear.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from plantmon.errors import StoreUnavailable
from plantmon.store.database import apply_schema, store_error

log = structlog.get_logger()

Answer = tuple[bool, dict[str, Any]]


def path_beside(store_path: Path) -> Path:
    """Give the inbox of a store."""
    return store_path.with_name(store_path.stem + ".inbox.db")


def open_inbox(path: Path) -> sqlite3.Connection:
    """Open an inbox, made when it is not there. Raises StoreUnavailable."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        connection.execute("PRAGMA journal_mode = DELETE")
        # Inboxes made before had the store's own tables too, empty, and the number of its schema.
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            connection.executescript("BEGIN IMMEDIATE; DROP TABLE IF EXISTS meta; PRAGMA user_version = 1; COMMIT;")
        apply_schema(connection, "inbox_")
    except sqlite3.Error as error:
        raise store_error(error) from error
    return connection


def ask(path: Path, kind: str, body: dict[str, Any], by: str, wait_s: float) -> Answer:
    """Put a request in and wait for its answer: (whether it was done, what is to be said).

    Raises StoreUnavailable when the daemon did not answer in time; the request stays and is done when it can.
    """
    connection = open_inbox(path)
    try:
        number = connection.execute(
            "INSERT INTO request (kind, body, asked_by, asked_ms) VALUES (?, ?, ?, ?)",
            (kind, json.dumps(body, ensure_ascii=False), by, time.time_ns() // 1_000_000),
        ).lastrowid
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            row = connection.execute(
                "SELECT ok, answer FROM request WHERE id = ? AND answered_ms IS NOT NULL", (number,)
            ).fetchone()
            if row:
                return bool(row[0]), json.loads(row[1])
            time.sleep(0.1)
    finally:
        connection.close()
    raise StoreUnavailable(f"the daemon has not answered request {number} yet; it is kept and will be done")


def serve(
    connection: sqlite3.Connection, handle: Callable[[str, dict[str, Any], str], Answer],
    is_meant: Callable[[str], bool] = lambda kind: True,
) -> int:  # fmt: skip
    """Answer all open requests of the kinds that are meant, in order; give how many there were."""
    rows = connection.execute(
        "SELECT id, kind, body, asked_by FROM request WHERE answered_ms IS NULL ORDER BY id"
    ).fetchall()
    rows = [row for row in rows if is_meant(row[1])]
    if rows:  # what cannot be answered is not done either: it would be done again and again
        connection.execute("UPDATE request SET ok = NULL WHERE id = ?", rows[0][:1])
    for number, kind, body, by in rows:
        try:
            ok, answer = handle(kind, json.loads(body), by)
        except StoreUnavailable:
            raise  # it passes; the request stays
        except Exception as error:  # one request must not keep all later ones waiting for ever
            log.exception("request_failed", request=number, kind=kind)
            ok, answer = False, {"error": f"request {number} failed: {error!r}"}
        connection.execute(
            "UPDATE request SET answered_ms = ?, ok = ?, answer = ? WHERE id = ?",
            (time.time_ns() // 1_000_000, ok, json.dumps(answer, ensure_ascii=False), number),
        )
    return len(rows)
