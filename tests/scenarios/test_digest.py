"""This module tells of mornings: which digests go out, once, what they say of days worked out by hand, what they take.

NOx is 40 mg/m3 in 10,000 m3/h, 0.4 kg/h. On 2 March, a Monday, hours 9 and 10 have 60 mg/m3 (limit 50), hour 12 has 46
(warned of from 45), and the monitor is out from 14 to 17. Each point speaks once a minute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from builders import a_limit, a_plant, a_point, some_alarm_rules
from story import FEEDS, Story

from plantmon.feed.check import Message
from plantmon.model.alarm import Condition, Severity
from plantmon.model.plant import Basis, FaultClock, Plant, QuietHours, Recipient, WorkTime
from plantmon.model.reading import State
from plantmon.notify import digest_facts
from plantmon.notify.digest_facts import Digest
from plantmon.store import declarations, outbox
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

NOX = a_point("DA001.nox", interval_ms=MINUTE_MS)
FLOW = a_point("DA001.flow", interval_ms=MINUTE_MS, quantity="gas_flow", unit="m3/h", range_low=0, range_high=90_000)
HOURLY = a_limit(NOX, warn_at=0.9)
CAP = a_limit(NOX, key="DA001/nox/mass/1mo/permit/-", basis=Basis.MASS, window="1mo", maximum=100.0, unit="kg")
EVERYTHING = frozenset({"warning", "breach", "data"})
EHS = Recipient("ehs", ("ehs@x.test",), EVERYTHING, 0, "zh", ("daily", "weekly", "monthly"))
ENERGY = Recipient("energy", ("energy@x.test",), frozenset({"data"}), 0, "en", ("daily",))
LOCUM = Recipient("locum", ("locum@x.test",), EVERYTHING, 0, "zh")
BOSS = Recipient("boss", ("boss@x.test",), frozenset({"breach"}), 0, "zh")
NIGHT = QuietHours(time(22), time(6), frozenset({"data", "warning", "breach"}))


def a_digest_plant(clock: time = time(8), *recipients: Recipient) -> Plant:
    """Give the plant, with a digest at a time."""
    rules = some_alarm_rules(
        recipients=recipients or (EHS, ENERGY, LOCUM, BOSS), quiet_hours=NIGHT, digest=clock,
        fault_clock=FaultClock(WorkTime(12 * HOUR_MS, None), WorkTime(None, 5)),
    )  # fmt: skip
    return a_plant((NOX, FLOW), (HOURLY, CAP), feeds=FEEDS, alarms=rules)


PLANT = a_digest_plant()
MONDAY = PLANT.time.parse("2026-03-02")


def at(text: str) -> int:
    """Give an instant of March 2026, written `02 08:00`."""
    return PLANT.time.parse(f"2026-03-{text}")


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Give a plant on Sunday evening."""
    told = Story(tmp_path, PLANT, now_ms=at("01 20:00"))
    yield told
    told.close()


def live(story: Story, day: int, hours: Iterable[int], nox: dict[int, float | None] | None = None) -> None:
    """Live hours of a day; `nox` says which are not 40 mg/m3, None is silence."""
    for hour in hours:
        start = day + hour * HOUR_MS
        value = (nox or {}).get(hour, 40.0)
        rows = [(start + minute * MINUTE_MS, "DA001.flow", 10_000.0, "N") for minute in range(60)]
        if value is not None:
            rows += [(start + minute * MINUTE_MS, "DA001.nox", value, "N") for minute in range(60)]
        story.send(rows, start + 59 * MINUTE_MS)
        story.settle(start + HOUR_MS + 2 * MINUTE_MS)


def digests(story: Story) -> list[tuple[str, str, tuple[str, ...]]]:
    """Give the digests queued: edition, day and time, addresses."""
    return [
        (one.facts["edition"], PLANT.time.show(one.created_ms)[8:16], tuple(to.address for to in one.deliveries))
        for one in story.messages()
        if one.event == "digest"
    ]


def newest(story: Story, edition: str = "daily") -> Digest:
    """Give the newest digest of an edition, as it stands in the outbox."""
    return next(
        digest_facts.read(one.facts)
        for one in reversed(story.messages())
        if one.event == "digest" and one.facts["edition"] == edition
    )


def silent(is_bad: bool, now: str) -> Condition:
    """Say of the meter room whether it is silent."""
    facts = {"point": "DA001.flow", "outlet": "DA001", "start": at(now), "end": at(now)}
    return Condition("silent:DA001.flow", "silent", Severity.DATA, is_bad, at(now), at(now), facts)


@pytest.mark.parametrize("restarts", [False, True])
def test_each_morning_once(tmp_path: Path, restarts: bool) -> None:
    """Looked at every ten minutes, restarted or not, each edition goes out once, in its readers' language."""
    story = Story(tmp_path, PLANT, restarts=restarts, now_ms=at("01 06:00"))
    for minutes in range(0, 3 * 24 * 60, 10):
        story.digest(at("01 06:00") + minutes * MINUTE_MS)
    ehs, energy = ("ehs@x.test",), ("energy@x.test",)
    # No hour of the plant is ever closed here, for nothing was measured: nothing to wait for.
    assert digests(story) == [
        ("daily", "01 08:00", ehs), ("daily", "01 08:00", energy), ("monthly", "01 08:00", ehs),
        ("daily", "02 08:00", ehs), ("daily", "02 08:00", energy), ("weekly", "02 08:00", ehs),
        ("daily", "03 08:00", ehs), ("daily", "03 08:00", energy),
    ]  # fmt: skip
    assert {one.language for one in story.messages() if one.deliveries[0].address == "energy@x.test"} == {"en"}
    story.close()


def test_a_new_store_owes_nothing(tmp_path: Path) -> None:
    """A plantmon that begins after the digest's hour sends its first one on the next morning."""
    story = Story(tmp_path, PLANT, now_ms=at("03 08:20"))
    story.digest(at("03 08:20"))
    story.digest(at("04 07:59"))
    assert digests(story) == []
    story.digest(at("04 08:00"))
    assert [one[:2] for one in digests(story)] == [("daily", "04 08:00")] * 2
    story.close()


def test_after_three_days_away_the_newest_alone(story: Story) -> None:
    """After an absence over several mornings there is one digest, of yesterday, and the one weekly edition."""
    story.digest(at("05 14:00"))
    story.digest(at("05 14:01"))
    assert digests(story) == [
        ("daily", "05 14:00", ("ehs@x.test",)), ("daily", "05 14:00", ("energy@x.test",)),
        ("weekly", "05 14:00", ("ehs@x.test",)),
    ]  # fmt: skip
    assert newest(story).start == at("04")


def test_undone_with_its_transaction(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure between the messages of an edition leaves none of them, and the next look sends each once."""
    post, calls = story.pipeline.announcer.post, []

    def fail_at_second(*arguments: Any) -> int:
        calls.append(arguments)
        if len(calls) == 2:
            raise RuntimeError
        return post(*arguments)

    monkeypatch.setattr(story.pipeline.announcer, "post", fail_at_second)
    with pytest.raises(RuntimeError):
        story.digest(at("03 08:00"))
    assert digests(story) == []
    story.digest(at("03 08:01"))
    assert [one[0] for one in digests(story)] == ["daily", "daily", "weekly"]


@pytest.mark.parametrize("closes", [True, False])
def test_waits_for_the_hours_of_yesterday(tmp_path: Path, closes: bool) -> None:
    """At one past midnight the last hour is open: the digest waits for it, but a quarter of an hour at most."""
    story = Story(tmp_path, a_digest_plant(time(0, 1)), now_ms=MONDAY + HOUR_MS)
    live(story, MONDAY, range(22, 23))
    rows = [(MONDAY + 23 * HOUR_MS + minute * MINUTE_MS, "DA001.nox", 40.0, "N") for minute in range(60)]
    story.send(rows, MONDAY + DAY_MS - MINUTE_MS)
    assert story.digest(at("03 00:01")) == 0
    if closes:
        story.settle(at("03 00:03"))
    sent = {now: story.digest(at(f"03 {now}")) for now in ("00:04", "00:15", "00:16")}
    assert sent == ({"00:04": 2, "00:15": 0, "00:16": 0} if closes else {"00:04": 0, "00:15": 0, "00:16": 2})
    assert bool(newest(story).notices) is not closes
    story.close()


def test_what_it_says_of_a_day(story: Story) -> None:
    """Limits, exceedances, gaps, fault clock, sums, entries and plantmon's own counts of the day, by hand."""
    nox = {9: 60.0, 10: 60.0, 12: 46.0, 14: None, 15: None, 16: None}
    live(story, MONDAY, range(20), nox)
    stranger = Message("p/DA009/x", json.dumps({"ts": story.now_ms, "value": 1}).encode(), story.now_ms)
    story.deliver([Message("p/DA001/nox", b"{bad", story.now_ms), stranger])
    story.store.write(
        lambda connection: declarations.add_mark(
            connection, PLANT.time, "DA001", "DA001.nox", (at("02 14:00"), at("02 15:00")), State.FAULT, "li", "pump",
            story.now_ms,
        )
    )  # fmt: skip
    live(story, MONDAY, range(20, 24))
    story.settle(at("03 07:00"))
    story.digest(at("03 08:00"))
    found = newest(story)
    (limit,) = found.limits
    assert (limit.windows, limit.exceeded, limit.warned, limit.not_judged, limit.rested) == (24, 2, 1, 3, 0)
    assert (limit.worst, limit.bound, limit.share, limit.start) == (60.0, 50.0, 1.2, at("02 09:00"))
    assert limit.why is not None
    assert limit.why.en == "no data 3"
    (entry,) = found.exceedances
    assert (entry.start, entry.end, entry.windows, entry.cause) == (at("02 09:00"), at("02 11:00"), 2, None)
    (gap,) = found.gaps
    assert (gap.point, gap.captured, gap.spans) == (
        "DA001.nox", 21 / 24, ((at("02 14:00"), at("02 17:00"), "missing"),)
    )  # fmt: skip
    (fault,) = found.faults
    assert (fault.start, fault.end, fault.report_by) == (at("02 14:00"), at("02 17:00"), at("03 02:00"))
    (cap,) = found.caps
    # 18 hours of 0.4 kg, 2 of 0.6, one of 0.46. Nothing may stand in for the three of the outage: by seven o'clock of
    # the next day 21 of 30 hours are a capture rate of 70 %, and the table begins at 75 %.
    assert cap.used == pytest.approx(18 * 0.4 + 2 * 0.6 + 0.46)
    assert cap.share == pytest.approx(0.0886)
    assert [(one.kind.en, one.what, one.by, one.reason) for one in found.entries] == [
        ("Mark", "DA001.nox", "li", "pump")
    ]
    assert (found.service.readings, found.service.rejected) == (24 * 60 + 21 * 60, 2)
    assert dict(found.service.reasons) == {"undecodable": 1, "unknown_point": 1}
    assert {one.kind for one in found.alarms} >= {"breach"}
    assert found.concerns["exceedances"] == 1
    assert found.concerns["outages"] == 1
    assert "breach" not in str(found.concerns)


def test_the_next_day_does_not_say_it_again(story: Story) -> None:
    """The day after has its own figures: no exceedance, no gap, nothing rejected."""
    live(story, MONDAY, range(24), {9: 60.0})
    live(story, at("03"), range(24))
    story.digest(at("04 08:00"))
    found = newest(story)
    assert (found.exceedances, found.gaps, found.service.rejected) == ((), (), 0)
    assert (found.limits[0].exceeded, found.limits[0].worst) == (0, 40.0)
    assert found.service.readings == 2 * 1440


def test_old_data_and_corrections_are_told(story: Story) -> None:
    """An exceedance of an earlier day found late, and one taken back, stand in the digest of the day of it."""
    live(story, MONDAY, range(24), {9: 60.0, 20: None})
    live(story, at("03"), range(24))
    live(story, at("04"), range(10))
    story.hour("DA001.nox", at("02 20:00"), 55.0, now_ms=at("04 10:10"))
    story.store.write(
        lambda connection: declarations.add_mark(
            connection, PLANT.time, "DA001", "DA001.nox", (at("02 09:00"), at("02 10:00")), State.MAINTENANCE, "li",
            "cylinder", story.now_ms,
        )
    )  # fmt: skip
    story.settle(at("04 10:30"))
    live(story, at("04"), range(11, 24))
    story.digest(at("05 08:00"))
    found = newest(story)
    assert [(one.start, one.peak, one.late) for one in found.exceedances] == [(at("02 20:00"), 55.0, True)]
    (taken,) = found.withdrawn
    assert (taken.start, taken.value, taken.bound) == (at("02 09:00"), 60.0, 50.0)
    assert "maintenance" in found.entries[0].says.en


def test_a_week_stands_beside_the_week_before(story: Story) -> None:
    """The weekly edition sums up its seven days and compares them: exceeding hours, capture, kilograms, alarms."""
    live(story, at("03"), range(24), {9: 60.0, 10: 60.0, 14: None})
    live(story, at("10"), range(24), {3: 60.0})
    story.settle(at("16 07:00"))
    story.digest(at("16 08:00"))
    found = newest(story, "weekly")
    assert (found.start, found.end) == (at("09"), at("16"))
    told = {one.what.en: (one.now, one.before) for one in found.compared}
    assert told["Windows exceeded"] == (1.0, 2.0)
    assert told["Capture rate, DA001.nox NOx"][1] is not None
    # Of the first week 21 hours of 0.4 kg and 2 of 0.6 are known, and what stands in for one; of the second 23 and one.
    now, before = told["Emitted, DA001.nox NOx"]
    assert before is not None
    assert before >= 21 * 0.4 + 2 * 0.6
    assert now is not None
    assert now >= 23 * 0.4 + 0.6
    assert [(one.kind, one.count) for one in found.frequent] == [("breach", 1)]
    assert newest(story).compared == ()


# quiet hours


def test_the_digest_takes_what_quiet_hours_held(story: Story) -> None:
    """At night nothing of a held severity leaves; the digest lists it and it is sent no more; a breach left at once."""
    live(story, MONDAY, range(20, 22), {21: 60.0})
    story.apply([silent(True, "02 23:00")], at("02 23:00"))
    story.apply([silent(False, "03 01:00")], at("03 03:00"))
    story.settle(at("03 05:00"))

    def due(now: str) -> list[tuple[str, str, str]]:
        with story.store.readers.snapshot() as connection:
            return [
                (one.event, str(one.facts["kind"]), to.address)
                for one in outbox.due(connection, at(now), 0, 100)
                for to in one.queued
            ]

    assert {kind for _, kind, _ in due("03 05:59")} == {"breach"}
    assert {to for _, kind, to in due("03 06:00") if kind == "silent"} == {"locum@x.test"}
    story.digest(at("03 08:00"))
    assert {to for _, kind, to in due("04 08:00") if kind == "silent"} == {"locum@x.test"}
    held = [one for one in story.messages() if one.facts["kind"] == "silent"]
    states = {to.address: (to.state, to.told_by) for one in held for to in one.deliveries}
    numbers = {one.deliveries[0].address: one.id for one in story.messages() if one.event == "digest"}
    assert states["energy@x.test"] == (outbox.TOLD, numbers["energy@x.test"])
    assert states["locum@x.test"][0] == outbox.QUEUED
    for one in story.messages():
        if one.event == "digest" and one.facts["edition"] == "daily":
            assert digest_facts.read(one.facts).held[0].event == "raised"
    story.settle(at("04 07:00"))
    story.digest(at("04 08:00"))
    assert newest(story).start == at("03")
    assert newest(story).held == ()


def test_what_was_held_waits_for_a_late_digest(tmp_path: Path) -> None:
    """Back at noon, after the digest's hour, plantmon sends one digest with what was held, and not each by itself."""
    story = Story(tmp_path, a_digest_plant(time(8), EHS), now_ms=at("02 21:00"))
    story.apply([silent(True, "02 23:00")], at("02 23:00"))
    story.close()
    again = Story(tmp_path, a_digest_plant(time(8), EHS), now_ms=at("03 12:00"))
    again.settle(at("03 12:00"))
    with again.store.readers.snapshot() as connection:
        assert outbox.due(connection, at("03 12:00"), 0, 100) == []
    assert again.digest(at("03 12:01")) > 0
    assert [line.facts["kind"] for line in newest(again).held] == ["silent"]
    with again.store.readers.snapshot() as connection:
        assert {one.event for one in outbox.due(connection, at("04 00:00"), 0, 100)} == {"digest"}
    again.close()


def test_without_a_digest_what_was_held_leaves_by_itself(story: Story) -> None:
    """Should no digest come, what it was to take leaves half an hour after its time: nothing is lost."""
    story.apply([silent(True, "02 23:00")], at("02 23:00"))
    with story.store.readers.snapshot() as connection:
        before = {to.address for one in outbox.due(connection, at("03 08:29"), 0, 100) for to in one.queued}
        after = {to.address for one in outbox.due(connection, at("03 08:30"), 0, 100) for to in one.queued}
    assert after - before == {"ehs@x.test", "energy@x.test"}


def test_facts_are_json(story: Story) -> None:
    """What stands in the outbox is plain JSON without NaN, and not large."""
    live(story, MONDAY, range(24), {9: 60.0})
    story.digest(at("03 08:00"))
    for one in story.messages():
        assert len(json.dumps(one.facts, allow_nan=False)) < 20_000
