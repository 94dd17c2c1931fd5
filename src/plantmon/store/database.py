"""This module opens the store: pragmas, numbered schema files, the lock, one writer, readers in slices.

One connection writes and does the only checkpoints: SQLite before 3.51.3 has a WAL-reset fault when several
connections do. Readers open the file read-only. `Store.write` runs a function inside one transaction on whichever
thread owns the writer (`Writer` in the daemon, the caller itself in a command that holds the lock).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol, TypeVar

from plantmon.errors import AlreadyRunning, StoreCorrupt, StoreUnavailable

T = TypeVar("T")

# Pages of 4 KiB after which the writer moves the WAL into the file; larger steps make commits slower, rarer ones the
# readers.
CHECKPOINT_PAGES = 4000
# After this size (64 MiB) the writer waits for readers to leave so that the WAL can begin anew.
WAL_TRUNCATE_PAGES = 16_000

_FULL = ("disk is full", "disk I/O error", "readonly database", "read-only", "database is locked", "unable to open")


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk the store lies on, in bytes."""

    free: int
    size: int


def disk_of(path: Path) -> Disk | None:
    """Say how much of the disk a store lies on is free; None where that cannot be told."""
    try:
        usage = shutil.disk_usage(path.parent)
    except OSError:
        return None
    return Disk(usage.free, usage.total)


def store_error(error: sqlite3.Error) -> Exception:
    """Say who must act on a SQLite error: StoreUnavailable can pass by itself, StoreCorrupt needs a person."""
    text = str(error)
    if isinstance(error, sqlite3.OperationalError) and any(part in text for part in _FULL):
        return StoreUnavailable(text)
    if isinstance(error, sqlite3.DatabaseError) and ("malformed" in text or "not a database" in text):
        return StoreCorrupt(text)
    if text == "no such table: meta":
        return StoreUnavailable("the store is empty: no daemon has begun it yet")
    return error


def apply_schema(connection: sqlite3.Connection, prefix: str) -> None:
    """Bring a database to the newest schema, one numbered file a transaction. Raises StoreCorrupt when it is newer."""
    folder = files("plantmon.store") / "schema"
    named = ((entry.name.removesuffix(".sql"), entry) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    scripts = sorted(
        (int(name.removeprefix(prefix)), entry.read_text("utf-8"))
        for name, entry in named
        if name.startswith(prefix) and name.removeprefix(prefix).isdigit()
    )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > scripts[-1][0]:
        raise StoreCorrupt(f"the store has schema {version}, this plantmon knows {scripts[-1][0]}: upgrade plantmon")
    for number, script in scripts:
        if number > version:
            try:
                connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
            except sqlite3.Error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")  # or its lock would stand as long as the error is remembered
                # Of two that open a new inbox at once one finds it made.
                if connection.execute("PRAGMA user_version").fetchone()[0] < number:
                    raise


def open_writer(path: Path, schema: str = "") -> sqlite3.Connection:
    """Open a database for writing, made or brought up to date; durable (WAL, synchronous FULL), manual checkpoints.

    Raises StoreUnavailable or StoreCorrupt.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -6000")
        apply_schema(connection, schema)
    except sqlite3.Error as error:
        raise store_error(error) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Hold one write transaction; commit at the end, undo on any error. SQLite errors come out as ours."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise store_error(error) from error


def checkpoint(connection: sqlite3.Connection, path: Path) -> None:
    """Move the WAL into the file when it has grown; only the writer calls this."""
    try:
        pages = path.with_name(path.name + "-wal").stat().st_size // 4096
    except FileNotFoundError:
        return
    if pages > CHECKPOINT_PAGES:
        # Truncated, or its size would say for ever after that it has grown, and every batch would be moved at once.
        connection.execute(f"PRAGMA busy_timeout = {20 if pages > WAL_TRUNCATE_PAGES else 0}")
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.execute("PRAGMA busy_timeout = 10000")


class Lock:
    """The right to write a store: an advisory lock on a file beside it, held by one process."""

    def __init__(self, store_path: Path) -> None:
        self._path = store_path.with_name(store_path.name + ".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Take the lock. Raises AlreadyRunning when another process has it, StoreUnavailable when it may not be had."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise AlreadyRunning(f"another plantmon holds {self._path}") from None
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._file = handle

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Readers:
    """Read-only connections to a store, one a thread; usable from any process at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    def connection(self) -> sqlite3.Connection:
        """Give this thread's connection. Raises StoreUnavailable when there is no store yet."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            try:
                connection = sqlite3.connect(
                    f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None
                )
                # Five threads read, mostly ranges and each once: the system's cache serves them all.
                connection.execute("PRAGMA cache_size = -2000")
                connection.execute("SELECT 1 FROM meta LIMIT 1")
            except sqlite3.Error as error:
                raise store_error(error) from error
            self._local.connection = connection
        return connection

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Hold one consistent view of the store; keep it short, it holds back the WAL."""
        connection = self.connection()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


class Runner(Protocol):
    """Who carries a write to the thread that owns the writer."""

    def __call__(self, change: Callable[[sqlite3.Connection], T], /) -> T:
        """Run the change in one transaction and give its answer."""


class Store:
    """The store as stages see it: `readers` to read, `write` to change something in one transaction.

    `runner` is what carries a write to the thread that owns the writer; the default runs it here, which is right
    for a command that holds the lock and for tests.
    """

    def __init__(self, path: Path, runner: Runner | None = None) -> None:
        self.path = path
        self.readers = Readers(path)
        self._runner = runner
        self._writer = None if runner else open_writer(path)

    def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run a change inside one durable transaction and give its answer.

        Raises StoreUnavailable or StoreCorrupt; the transaction is then undone.
        """
        if self._writer is None:
            assert self._runner is not None
            return self._runner(change)
        with transaction(self._writer) as connection:
            answer = change(connection)
        checkpoint(self._writer, self.path)
        return answer

    def close(self) -> None:
        """Close what this thread opened."""
        self.readers.close()
        if self._writer is not None:
            self._writer.close()
