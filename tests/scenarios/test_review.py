"""This module holds stories of what went wrong under odd orders of events, each once found by a review."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from builders import a_limit, a_plant, a_point
from story import FEEDS, Story

from plantmon.alarms.silence import Heard, conditions
from plantmon.feed.check import Batch, Checker, Message
from plantmon.feed.own_clock import Finding, OwnClock
from plantmon.model.plant import FeedSpec, Kind, Register
from plantmon.pipeline import Pipeline
from plantmon.store import inbox, windows
from plantmon.store.database import Readers, checkpoint, open_writer
from plantmon.times import HOUR_MS, MINUTE_MS

HOUR = 1_772_380_800_000
QUARTER_MS = 15 * MINUTE_MS
NOX = a_point("DA001.nox", interval_ms=MINUTE_MS)
METER = a_point(
    "E-MAIN", kind=Kind.COUNTER, quantity="electricity", unit="kWh", interval_ms=QUARTER_MS,
    register=Register((), None, 1000.0, None, None, None),
)  # fmt: skip
PLANT = a_plant((NOX, METER), (a_limit(NOX, key="nox"),), feeds=FEEDS)


@pytest.mark.parametrize("garbage", [4.2e37, -4.2e37, 1e303, 1e15])
def test_a_garbled_register_stops_no_windows(tmp_path: Path, garbage: float) -> None:
    """A register no meter can show (a float with swapped bytes) is kept, and the hours of all points still close."""
    story = Story(tmp_path, PLANT)
    story.now_ms = HOUR
    values = [1.0, 2.0, garbage, 4.0, 5.0, 6.0]
    story.send([(HOUR + turn * QUARTER_MS, "E-MAIN", value, "N") for turn, value in enumerate(values)])
    story.hour("DA001.nox", HOUR, 40.0)
    story.settle(HOUR + 3 * HOUR_MS)
    numbers = story.pipeline.numbers
    with story.store.readers.snapshot() as connection:
        meter = windows.read(connection, "1h", HOUR, numbers["E-MAIN"])
        nox = windows.read(connection, "1h", HOUR, numbers["DA001.nox"])
    assert meter is not None
    assert meter.amount == 4_000_000
    assert nox is not None
    assert nox.mean == 40.0
    story.close()


def test_register_news_is_told_with_its_windows(tmp_path: Path) -> None:
    """A fault of a register raises its alarm in the transaction of its window: a kill right after loses neither."""
    story = Story(tmp_path, PLANT)
    story.now_ms = HOUR
    values = [1.0, 2.0, 50_000.0, 50_001.0, 50_002.0, 50_003.0]
    story.send([(HOUR + turn * QUARTER_MS, "E-MAIN", value, "N") for turn, value in enumerate(values)])
    story.pipeline.windows.run(HOUR + 2 * HOUR_MS)  # and killed before the turn went on
    assert story.standing() == [f"meter_event:E-MAIN:{HOUR + 2 * QUARTER_MS}"]
    story.close()


def test_a_point_that_left_and_returned_keeps_its_readings(tmp_path: Path) -> None:
    """Readings not yet averaged when their point leaves the plant file are in their hour when it comes back."""
    story = Story(tmp_path, PLANT)
    story.now_ms = HOUR
    story.hour("DA001.nox", HOUR, 40.0)
    without = a_plant((METER,), (), feeds=FEEDS)
    Pipeline(without, story.store, HOUR + HOUR_MS, "plant.example").settle(HOUR + HOUR_MS)
    story.settle(HOUR + 2 * HOUR_MS)
    with story.store.readers.snapshot() as connection:
        window = windows.read(connection, "1h", HOUR, story.pipeline.numbers["DA001.nox"])
    assert window is not None
    assert (window.valid, window.mean) == (60, 40.0)
    story.close()


def test_recompute_ends_whatever_its_dates(tmp_path: Path) -> None:
    """A span far beyond what is stored costs no more than what is."""
    story = Story(tmp_path, PLANT)
    story.now_ms = HOUR
    story.hour("DA001.nox", HOUR, 40.0)
    story.settle(HOUR + 2 * HOUR_MS)
    assert story.pipeline.recompute(0, 253_402_214_400_000, story.now_ms) == (0, 0)
    story.close()


def test_a_contradiction_is_not_judged(tmp_path: Path) -> None:
    """A reading refused as a conflict moves no alarm, also when another of its batch is stored."""
    limit = a_limit(NOX, key="spike", window="reading", maximum=50.0)
    story = Story(tmp_path, a_plant((NOX,), (limit,), feeds=FEEDS))
    story.now_ms = HOUR
    story.send([(HOUR, "DA001.nox", 40.0, "N")])
    story.pipeline.live._newest.clear()  # as after a kill, when the newest instant was not written yet
    story.send([(HOUR, "DA001.nox", 400.0, "N"), (HOUR + MINUTE_MS, "DA001.nox", 41.0, "N")])
    assert story.alarms() == []
    story.close()


def test_a_held_message_is_not_its_own_repeat() -> None:
    """A message sent again by the broker, held because the disk was full, is stored when it is checked anew."""
    feed = FeedSpec("p/{outlet}/{point}", "json", 1, "ts", "value", "unit", "flag", True)
    checker = Checker(a_plant((NOX,), feeds=(feed,)), {"DA001.nox": 1})
    message = Message("p/DA001/nox", b'{"value": 41}', HOUR, dup=True)
    assert checker.check([message]).value == [41.0]
    checker.put_back()
    assert checker.check([message]).value == [41.0]
    assert checker.check([message]).repeats == 1


def test_a_clock_set_back_is_suspected_at_once() -> None:
    """Readings that vouched for our clock do not vouch for the one it was set to since."""
    judge = OwnClock(5 * MINUTE_MS)
    right = Batch(ts=[HOUR], point=[1])
    assert judge.judge(right, HOUR, 0.0) is Finding.GO_ON
    ahead = Batch(ts=[HOUR + 1000] * 3, point=[1, 2, 3])
    assert judge.judge(ahead, HOUR - HOUR_MS, 1.0) is Finding.CLOCK_WRONG
    assert judge.judge(ahead, HOUR + 1000, 2.0) is Finding.GO_ON


def test_silence_ends_with_a_word_not_with_a_restart() -> None:
    """After a restart a silent point is neither silent nor well until three intervals have passed or it speaks."""
    plant = a_plant((NOX, METER), ())
    now = HOUR + HOUR_MS

    def known(heard_ms: int | None, since_ms: int) -> dict[str, bool | None]:
        heard = {"DA001.nox": Heard(heard_ms), "E-MAIN": Heard(now)}
        return {one.key: one.is_bad for one in conditions(plant, heard, since_ms, now, broker_is_away=False)}

    assert known(HOUR, HOUR)["silent:DA001.nox"] is True
    assert known(HOUR, now - 1000)["silent:DA001.nox"] is None
    assert known(now - 500, now - 1000)["silent:DA001.nox"] is False


def a_request(path: Path, kind: str) -> sqlite3.Connection:
    """Give an inbox with one request."""
    connection = inbox.open_inbox(path)
    connection.execute("INSERT INTO request (kind, body, asked_by, asked_ms) VALUES (?, '{}', 'li', 0)", (kind,))
    return connection


def test_a_request_that_fails_is_answered(tmp_path: Path) -> None:
    """A request nobody can do is answered with its error, and the next one is done."""
    connection = a_request(tmp_path / "inbox.db", "bad")
    connection.execute("INSERT INTO request (kind, body, asked_by, asked_ms) VALUES ('good', '{}', 'li', 0)")

    def handle(kind: str, body: dict[str, Any], by: str) -> inbox.Answer:
        if kind == "bad":
            raise OverflowError("too far")
        return True, {}

    assert inbox.serve(connection, handle) == 2
    assert connection.execute("SELECT ok FROM request ORDER BY id").fetchall() == [(0,), (1,)]
    connection.close()


def test_what_cannot_be_answered_is_not_done(tmp_path: Path) -> None:
    """A request in an inbox that cannot be written is not done, or it would be done for ever."""
    a_request(tmp_path / "inbox.db", "ack").close()
    connection = sqlite3.connect(f"{(tmp_path / 'inbox.db').as_uri()}?mode=ro", uri=True, isolation_level=None)
    done: list[str] = []
    with pytest.raises(sqlite3.OperationalError):
        inbox.serve(connection, lambda kind, body, by: (done.append(kind) is None, {}))
    assert done == []
    connection.close()


def test_a_store_in_a_folder_with_odd_signs(tmp_path: Path) -> None:
    """Signs that mean something in a URI do not lead a reader to another file."""
    path = tmp_path / "a#b?c%20.db"
    open_writer(path).close()
    with Readers(path).snapshot() as connection:
        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (0,)
    assert not (tmp_path / "a").exists()


def test_the_wal_shrinks_when_it_was_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a checkpoint the WAL is short again, so that the next batches do not each make one."""
    monkeypatch.setattr("plantmon.store.database.CHECKPOINT_PAGES", 10)
    path = tmp_path / "plantmon.db"
    connection = open_writer(path)
    connection.execute("INSERT INTO meta (key, value) VALUES ('x', hex(zeroblob(100000)))")
    checkpoint(connection, path)
    assert path.with_name("plantmon.db-wal").stat().st_size == 0
    connection.close()
