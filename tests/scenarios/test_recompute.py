"""This module holds that computing a span again goes on where it was killed, and does no part of it twice or never."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import a_limit, a_plant, a_point
from story import FEEDS, Story

from plantmon.cli_context import Context
from plantmon.cli_progress import Progress, done_share, of_recompute
from plantmon.model.plant import Plant
from plantmon.settings import Settings
from plantmon.settings import Store as StoreSection
from plantmon.store import recomputing
from plantmon.store.database import Store
from plantmon.store.recomputing import Course, Part

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
START = 20_000 * DAY_MS - 8 * HOUR_MS  # midnight in Shanghai
DAYS = 4
NOW = START + (DAYS + 1) * DAY_MS


class KilledError(Exception):
    """Stands for the end of the process: nothing after it is done."""


def plant() -> Plant:
    """Give a plant with an hourly and a daily limit."""
    point = a_point(interval_ms=60_000)
    limits = (a_limit(point), a_limit(point, window="1d", key="DA001/nox/concentration/1d/permit/-", maximum=45.0))
    return a_plant((point,), limits, feeds=FEEDS)


def told(folder: Path) -> Story:
    """Tell some days of readings, and spoil every hour, day and verdict of them."""
    folder.mkdir(exist_ok=True)
    story = Story(folder, plant(), now_ms=START)
    for hour in range(DAYS * 24):
        story.hour("DA001.nox", START + hour * HOUR_MS, 40.0 + hour % 24)
    story.settle(NOW)
    return story


def spoil(story: Story) -> None:
    """Change what was computed, as an earlier fault might have."""

    def write(connection: sqlite3.Connection) -> None:
        connection.execute('UPDATE "window" SET mean = mean + 1')
        connection.execute("UPDATE verdict SET value = value + 1")

    story.store.write(write)


def computed(story: Story) -> list[Any]:
    """Give windows and verdicts."""
    with story.store.readers.snapshot() as connection:
        windows = connection.execute('SELECT level, start, point, mean FROM "window" ORDER BY 1, 2, 3').fetchall()
        return (
            windows
            + connection.execute("SELECT limit_key, start, outcome, value FROM verdict ORDER BY 1, 2").fetchall()
        )


def killing(story: Story, at: int) -> Callable[[Course], Course]:
    """Have the process end after so many notes."""
    course_noted = story.pipeline.recomputing._note
    left = at

    def note(course: Course) -> Course:
        nonlocal left
        found = course_noted(course)
        left -= 1
        if not left:
            raise KilledError
        return found

    return note


@pytest.mark.parametrize("notes", [1, 3, DAYS + 1, DAYS + 2, DAYS + 3, DAYS + 4, 2 * DAYS + 2, 2 * DAYS + 3])
def test_it_goes_on_where_it_was_killed(tmp_path: Path, notes: int) -> None:
    """Killed after any part of it and asked for again, the rest is done and everything comes out right."""
    story = told(tmp_path)
    expected = computed(story)
    spoil(story)
    story.pipeline.recomputing._note = killing(story, notes)  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        story.pipeline.recompute(START, NOW, NOW)
    assert computed(story) != expected or notes >= 2 * DAYS + 2
    with story.store.readers.snapshot() as connection:
        course = recomputing.newest(connection)
    assert course is not None
    assert 0 < done_share(course) <= 1
    story.store.close()
    again = Story(tmp_path, plant(), now_ms=NOW)
    found = again.pipeline.recompute(START, NOW + HOUR_MS, NOW)
    assert computed(again) == expected
    assert found[0] == DAYS * 24
    with again.store.readers.snapshot() as connection:
        assert recomputing.newest(connection) is None
    assert again.pipeline.recompute(START, NOW, NOW) == (0, 0)


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    """The days before the kill are passed over: what is spoiled there afterwards stays until all is asked for."""
    story = told(tmp_path)
    spoil(story)
    note = story.pipeline.recomputing._note
    story.pipeline.recomputing._note = killing(story, 2)  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        story.pipeline.recompute(START, NOW, NOW)
    story.pipeline.recomputing._note = note  # type: ignore[method-assign]
    story.store.write(
        lambda connection: connection.execute('UPDATE "window" SET mean = 1 WHERE start < ?', (START + DAY_MS,))
    )
    first = story.pipeline.recompute(START, NOW, NOW)[0]
    assert first == DAYS * 24
    assert story.pipeline.recompute(START, NOW, NOW)[0] == 24


@pytest.mark.parametrize(
    "changed", [{"made_by": "another"}, {"now_ms": NOW + recomputing.STALE_MS + 1}, {"end_ms": START + DAY_MS}]
)
def test_another_program_or_day_begins_anew(tmp_path: Path, changed: dict[str, Any]) -> None:
    """With another plant file or program, a week later, or for a shorter span nothing is gone on with."""
    story = told(tmp_path)
    given: dict[str, Any] = {"start_ms": START, "end_ms": NOW, "made_by": "one", "now_ms": NOW}
    begun = story.store.write(lambda connection: recomputing.begin(connection, **given))
    story.store.write(lambda connection: recomputing.note(connection, replace(begun, at_ms=START + 2 * DAY_MS)))
    same = story.store.write(lambda connection: recomputing.begin(connection, **given))
    assert same.at_ms == START + 2 * DAY_MS
    other = story.store.write(lambda connection: recomputing.begin(connection, **given | changed))
    assert (other.at_ms, other.part) == (START, Part.WINDOWS)


def test_a_span_that_reaches_further_computes_the_rest_of_its_windows(tmp_path: Path) -> None:
    """Interrupted among verdicts and asked for up to a later instant, windows go on from the earlier end."""
    story = told(tmp_path)
    begun = story.store.write(lambda c: recomputing.begin(c, START, START + DAY_MS, "one", NOW))
    story.store.write(lambda c: recomputing.note(c, replace(begun, part=Part.VERDICTS, at_ms=START)))
    found = story.store.write(lambda c: recomputing.begin(c, START, START + 2 * DAY_MS, "one", NOW))
    assert (found.part, found.at_ms, found.end_ms) == (Part.WINDOWS, START + DAY_MS, START + 2 * DAY_MS)


@pytest.mark.parametrize(("language", "word"), [("en", "windows"), ("zh", "窗口")])
def test_a_terminal_sees_how_far_it_is(
    tmp_path: Path, language: str, word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bar on standard error follows what the store says of it; without a terminal there is none."""
    store = Store(tmp_path / "plantmon.db")
    begun = store.write(lambda c: recomputing.begin(c, START, START + 4 * DAY_MS, "one", NOW))
    store.write(lambda c: recomputing.note(c, replace(begun, at_ms=START + 2 * DAY_MS)))
    settings = Settings(store=StoreSection(path=store.path))
    monkeypatch.setattr("plantmon.cli_progress.EVERY_S", 0.01)
    for is_terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda is_terminal=is_terminal: is_terminal, raising=False)
        with Progress(settings, of_recompute(Context(None, language), plant())):
            time.sleep(0.2)
        shown = capsys.readouterr().err
        assert (f" 30%  {word} {plant().time.show(START + 2 * DAY_MS)[:10]}" in shown) is is_terminal
    store.close()
