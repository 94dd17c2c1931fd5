"""This module proves how messages become columns of readings, and how each refusal is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from builders import a_plant, a_point, some_rules

from plantmon.feed.check import LARGEST_PAYLOAD, Batch, Checker, Message
from plantmon.model.plant import FeedSpec, Kind
from plantmon.model.reading import flag_code
from plantmon.store.rejected import Why

NOX = a_point("DA001.nox")
TEMPERATURE = a_point("DA001.t", quantity="temperature", unit="degC")
METER = a_point("E-MAIN", kind=Kind.COUNTER, unit="kWh", quantity="electricity")
FEEDS = (
    FeedSpec("p/{outlet}/{point}", "json", 1, "ts", "value", "unit", "flag", False),
    FeedSpec("m/{meter}", "json", 1, "d.t", "d.v", "u", "f", False),
    FeedSpec("live/{outlet}/{point}", "json", 1, "ts", "value", "unit", "flag", True),
    FeedSpec("batch", "json-batch", 1, "ts", "value", "unit", "flag", False),
    FeedSpec("live-batch", "json-batch", 1, "ts", "value", "unit", "flag", True),
)
PLANT = a_plant((NOX, TEMPERATURE, METER), feeds=FEEDS)
NUMBERS = {"DA001.nox": 1, "DA001.t": 2, "E-MAIN": 3}
NOW = 1_583_035_200_000


def check(*messages: Message) -> Batch:
    """Check messages with a fresh checker."""
    return Checker(PLANT, NUMBERS).check(messages)


def a_message(topic: str = "p/DA001/nox", body: Any = None, **changes: Any) -> Message:
    """Give a message; without a body a reading of 41.2 at NOW."""
    payload = json.dumps({"ts": NOW, "value": 41.2} if body is None else body).encode()
    return Message(topic, payload, NOW + 5)._replace(**changes)


def rows(batch: Batch) -> list[tuple[int, int, float, int]]:
    """Give the readings of a batch."""
    return list(zip(batch.ts, batch.point, batch.value, batch.flag, strict=True))


def reasons(batch: Batch) -> list[Why]:
    """Give why things were refused."""
    return [one.why for one in batch.rejected]


SUMMED = a_point("DA001.sum", formula="nox * 2", parts=("DA001.nox",))


@pytest.mark.parametrize(
    ("topic", "body", "stored"),
    [
        ("p/DA001/sum", {"ts": NOW, "value": 5}, 0),
        ("batch", {"ts": NOW, "values": {"DA001.sum": 5, "DA001.nox": 6}}, 1),
        ("batch", {"point": "DA001.sum", "ts": [NOW, NOW + 1], "values": [5, 6]}, 0),
    ],
)
def test_calculated_points_take_no_readings(topic: str, body: dict[str, Any], stored: int) -> None:
    """A reading for a calculated point is refused with that reason; others of its message are stored."""
    checker = Checker(a_plant((NOX, SUMMED), feeds=FEEDS), {"DA001.nox": 1, "DA001.sum": 2})
    batch = checker.check([a_message(topic, body)])
    assert [point for _, point, _, _ in rows(batch)] == [1] * stored
    assert [(one.why, one.point, one.detail) for one in batch.rejected] == [
        (Why.UNKNOWN_POINT, "DA001.sum", "DA001.sum is calculated and takes no readings")
    ]


def test_a_reading() -> None:
    """A message becomes one reading with its arrival and place."""
    batch = check(a_message(body={"ts": NOW, "value": 41.2, "unit": "mg/m3", "flag": "T"}))
    assert rows(batch) == [(NOW, 1, 41.2, flag_code("T"))]
    assert (batch.arrival, batch.source, batch.rejected) == ([NOW + 5], [0], [])


@pytest.mark.parametrize(
    ("unit", "value"),
    [("mg/m3", 41.2), ("mg/m³", 41.2), ("mg/Nm3", 41.2), ("g/m3", 41_200.0), ("ug/m3", 0.0412)],
)
def test_units_are_converted(unit: str, value: float) -> None:
    """A value in another unit of the same dimension is stored in the point's own."""
    (row,) = rows(check(a_message(body={"ts": NOW, "value": 41.2, "unit": unit})))
    assert row[2] == pytest.approx(value, rel=1e-15)


def test_units_with_an_offset_are_converted() -> None:
    """Kelvin become degrees Celsius, alone and in a column."""
    alone = check(a_message("p/DA001/t", {"ts": NOW, "value": 300.0, "unit": "K"}))
    column = check(a_message("batch", {"point": "DA001.t", "unit": "K", "ts": [NOW], "values": [300.0]}))
    assert rows(alone)[0][2] == pytest.approx(26.85)
    assert rows(column)[0][2] == pytest.approx(26.85)


@pytest.mark.parametrize("unit", ["ppm", "kg/h", "degC", "furlong", "", "mg/m3 "])
def test_wrong_unit(unit: str) -> None:
    """A unit of another dimension, or none there is, is refused with the reading's time, alone and in a column."""
    if unit.strip() == "mg/m3":
        assert len(check(a_message(body={"ts": NOW, "value": 1, "unit": unit})).ts) == 1
        return
    batch = check(a_message(body={"ts": NOW, "value": 1, "unit": unit}))
    assert (rows(batch), reasons(batch), batch.rejected[0].ts_ms) == ([], [Why.WRONG_UNIT], NOW)
    column = check(a_message("batch", {"point": "DA001.nox", "unit": unit, "ts": [NOW], "values": [1]}))
    assert (rows(column), reasons(column)) == ([], [Why.WRONG_UNIT])


@pytest.mark.parametrize("flag", ["N", "T", "D", "Sd", "Hold01"])
def test_flags(flag: str) -> None:
    """A flag of one to six letters or digits is kept as it is."""
    assert rows(check(a_message(body={"ts": NOW, "value": 1, "flag": flag})))[0][3] == flag_code(flag)


@pytest.mark.parametrize("flag", ["", "not good", "toolong", "é", "N\n"])
def test_bad_flags(flag: str) -> None:
    """A flag that is none refuses its reading."""
    assert reasons(check(a_message(body={"ts": NOW, "value": 1, "flag": flag}))) == [Why.UNDECODABLE]


def test_missing_flag_is_a_setting() -> None:
    """A reading without flag gets the plant's flag for that: N unless set."""
    assert rows(check(a_message()))[0][3] == 0
    checker = Checker(replace(PLANT, rules=some_rules(missing_flag="S")), NUMBERS)
    batch = checker.check([a_message(), a_message("batch", {"ts": NOW, "values": {"DA001.t": 1}})])
    assert batch.flag == [flag_code("S")] * 2


@pytest.mark.parametrize(
    ("message", "why"),
    [
        pytest.param(a_message("x/y"), Why.UNKNOWN_POINT, id="no feed"),
        pytest.param(a_message("p/DA001/so2"), Why.UNKNOWN_POINT, id="no such point"),
        pytest.param(a_message("batch", {"point": "x", "ts": [NOW], "values": [1]}), Why.UNKNOWN_POINT, id="column"),
        pytest.param(a_message("batch", {"ts": NOW, "values": {"x": 1}}), Why.UNKNOWN_POINT, id="snapshot"),
        pytest.param(a_message(body={"value": 1}), Why.NO_TIME, id="no time"),
        pytest.param(a_message("batch", {"values": {"DA001.nox": 1}}), Why.NO_TIME, id="snapshot without time"),
        pytest.param(a_message(payload=b"{"), Why.UNDECODABLE, id="no JSON"),
        pytest.param(a_message("batch", 7), Why.UNDECODABLE, id="no batch"),
        pytest.param(a_message(payload=b" " * (LARGEST_PAYLOAD + 1)), Why.UNDECODABLE, id="too large"),
    ],
)
def test_refusals(message: Message, why: Why) -> None:
    """Each refusal has its reason, and carries topic and payload."""
    batch = check(message)
    assert (rows(batch), reasons(batch)) == ([], [why])
    assert (batch.rejected[0].topic, batch.rejected[0].payload) == (message.topic, message.payload)


def test_bad_message_spoils_no_other() -> None:
    """The messages before and after a bad one are stored."""
    batch = check(a_message(), a_message(payload=b"{"), a_message(body={"ts": NOW + 1, "value": 2}))
    assert ([row[0] for row in rows(batch)], batch.source) == ([NOW, NOW + 1], [0, 2])


def test_snapshot_of_good_and_bad() -> None:
    """A snapshot's good readings are stored, its unknown points and bad values refused one by one."""
    batch = check(a_message("batch", {"ts": NOW, "values": {"DA001.nox": 1, "x": 2, "DA001.t": "hot", "E-MAIN": 3}}))
    assert rows(batch) == [(NOW, 1, 1.0, 0), (NOW, 3, 3.0, 0)]
    assert [(one.why, one.point) for one in batch.rejected] == [
        (Why.UNKNOWN_POINT, "x"), (Why.UNDECODABLE, "DA001.t"),
    ]  # fmt: skip


def test_column_of_good_and_bad_flags() -> None:
    """Of a column only the readings with a bad flag are refused."""
    body = {"point": "DA001.nox", "ts": [NOW, NOW + 1, NOW + 2], "values": [1, 2, 3], "flags": ["N", "??", "T"]}
    batch = check(a_message("batch", body))
    assert rows(batch) == [(NOW, 1, 1.0, 0), (NOW + 2, 1, 3.0, flag_code("T"))]
    assert reasons(batch) == [Why.UNDECODABLE]


def test_other_field_names() -> None:
    """A feed's own field names are followed."""
    batch = check(a_message("m/E-MAIN", {"d": {"t": NOW, "v": 5}, "u": "MWh", "f": "M"}))
    assert rows(batch) == [(NOW, 3, 5000.0, flag_code("M"))]


# Arrival as time


def live(value: float, arrival: int, **changes: Any) -> Message:
    """Give a message of the feed that takes arrival as time."""
    return Message("live/DA001/nox", json.dumps({"value": value}).encode(), arrival)._replace(**changes)


def test_arrival_is_the_time() -> None:
    """Where the feed says so a message without time is at its arrival; one with time keeps it."""
    batch = check(live(1, NOW), a_message("live/DA001/nox"), a_message("live-batch", {"values": {"DA001.nox": 2}}))
    assert batch.ts == [NOW, NOW, NOW + 5]


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        pytest.param(live(1, NOW + 10_000, dup=True), 1, id="DUP, equal, within one interval"),
        pytest.param(live(1, NOW + 10_001, dup=True), 2, id="DUP, equal, later"),
        pytest.param(live(2, NOW + 5, dup=True), 2, id="DUP, another value"),
        pytest.param(live(1, NOW + 5), 2, id="no DUP"),
    ],
)
def test_dup_is_dropped_and_counted(second: Message, kept: int) -> None:
    """A DUP with an equal value within one interval is dropped and counted, nothing else is."""
    batch = check(live(1, NOW), second)
    assert (len(batch.ts), batch.repeats) == (kept, 2 - kept)


def test_dup_with_its_own_time_is_stored_once_by_its_key() -> None:
    """A DUP that carries its time goes to the store, whose key makes it one."""
    assert len(check(a_message(), a_message(dup=True)).ts) == 2


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        pytest.param(live(1, NOW + 2_000, subscription=3), 1, id="the copy for another subscription"),
        pytest.param(live(1, NOW + 2_001, subscription=3), 2, id="too late for a copy"),
        pytest.param(live(2, NOW + 5, subscription=3), 2, id="another value"),
        pytest.param(live(1, NOW + 5, subscription=1), 2, id="the same subscription"),
    ],
)
def test_overlapping_subscriptions_deliver_once(second: Message, kept: int) -> None:
    """Where arrival is the time, the copy that a broker sends per matching subscription is dropped and counted."""
    batch = check(live(1, NOW, subscription=1), second)
    assert (len(batch.ts), batch.repeats) == (kept, 2 - kept)
